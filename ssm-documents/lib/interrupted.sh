# shellcheck shell=bash
# Owns what a power cut left of a transaction: whether there is some, and how a way back mends it before it begins.

# Whether the patch of this job was cut off in its transaction, and nothing has gone back since.
patch_was_interrupted() {
  has_begun patch && [[ ! -s $STATE/transaction.code ]] && ! has_begun rollback
}

# What is half done can neither be compared nor undone, and a lock may still be there: the patch's own repair comes first,
# with its time or without, and installs no more of the plan. In a shell of its own, so that nothing else passes for the
# patch. What it ended with is not kept: the transaction itself has no end.
mend_patch() (
  PHASE=patch TRANSACTION=$STATE/transaction terms=''
  while IFS= read -r line; do [[ $line != terms=* ]] || terms=${line#terms=}; done <"$STATE/patch"
  hash_terms
  [[ $REPLY == "$terms" ]] || {
    log 'the interrupted patch can not be mended: what it was begun with is not there any more'
    return 0
  }
  rm -f -- "$TRANSACTION.begun" "$TRANSACTION.log"
  write_transaction repair
  log 'mending what the interrupted patch left'
  launch_transaction
  await_transaction
  [[ ! -f $TRANSACTION.log ]] || log_output "$TRANSACTION.log"
  rm -f -- "$TRANSACTION.code"
)

# Prints which campaigns were cut off on this server, and what mends that, as the end of a sentence.
interrupted_here() {
  local file STATE jobs=''
  for file in "$HOME_FOLDER"/*/state/patch; do
    STATE=${file%/*}
    ! patch_was_interrupted || jobs+="${file#"$HOME_FOLDER/"}"$'\n'
  done
  [[ -z $jobs ]] || printf '; cut off here, and mended by a rollback of it: %s' "$(printf %s "$jobs" | cut -d / -f 1 | some_of)"
}
