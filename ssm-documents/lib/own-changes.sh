# shellcheck shell=bash
# Owns what a rollback may undo: what the patch of its own job changed, and nothing that people changed before or since.

# Waits for the patch's transaction, which outlives its command.
await_patch() {
  local TRANSACTION=$STATE/transaction REPLY patience waited=0
  seconds_left
  patience=$((REPLY / 3))
  while transaction_runs; do
    ((waited < patience)) || conclude 102 refused lock-held 'the package database is locked by the transaction of the patch'
    sleep 1
    ((waited += 1))
  done
}

# Whether a phase of this job began a transaction, or climbed a rung that needs none.
has_begun() {
  local line
  [[ -f $STATE/$1 ]] || return 1
  while IFS= read -r line; do [[ $line != attempts=[1-9]* && $line != rungs=?* ]] || return 0; done <"$STATE/$1"
  return 1
}

# A patch that was interrupted is not finished once its packages were brought back.
refuse_after_rollback() {
  ! has_begun rollback || conclude 1 failed rolled-back-since 'its packages were rolled back since it was interrupted'
}

# Takes out of `undo` what the patch found as it should be. What was at another version than the plan's has no file to go
# back by, and what is at another one now was changed by somebody else.
keep_to_own_changes() {
  local names
  # What could not be compared must not look like nothing to bring back.
  [[ $(grep -c . "$STATE/compared.rollback") == "$PLAN_ENTRIES" ]] ||
    conclude 1 failed script-failed 'what is installed could not be compared with the plan'
  if ! has_begun patch || [[ ! -s $STATE/compared.before ]]; then
    log 'the patch of this job changed nothing'
    : >"$STATE/undo"
    : >"$STATE/kernels-left"
    return 0
  fi
  awk -F '\t' '
    FILENAME == ARGV[1] { if ($1 == "there") there[$2 "\t" $3 "\t" $4 "\t" $5] = 1; next }
    FILENAME == ARGV[2] { if (($2 "\t" $3 "\t" $4 "\t" $5) in there) own[$2 "\t" $3 "\t" $6 "\t" $4] = 1; next }
    !($0 in own)' "$STATE/compared.before" "$STATE/compared.rollback" "$STATE/undo" >"$WORK/undo" ||
    conclude 1 failed script-failed 'what the patch changed could not be told'
  mv -f -- "$WORK/undo" "$STATE/undo"
  names=$(other_versions 'now != from' "$STATE/compared.before")
  [[ -z $names ]] || conclude 107 refused not-covered "at another version than the plan says when the patch began: $names"
  names=$(other_versions 'now != from && now != to && now != "-"' "$STATE/compared.rollback")
  [[ -z $names ]] || conclude 104 drifted changed-since "changed since the patch: $names"
}

# What the patch of this job left half done is what a way back mends; what others left is for a person.
require_only_own_damage() {
  local REPLY code=0
  family_audit || code=$?
  ((code == 0)) || { ((code == 1)) && awk -F '\t' '
    FILENAME == ARGV[1] { undone[$1] = 1; next }
    substr($4, 2, 1) != "i" { if ($1 in undone) own = 1; else others = 1 }
    END { exit !own || others }' "$STATE/undo" "$WORK/installed"; } || conclude 101 refused packages-broken "$REPLY"
}

# Prints names of `undo` whose version in a comparison fits a condition.
other_versions() {
  awk -F '\t' 'FILENAME == ARGV[1] { undone[$1 "\t" $2 "\t" $4] = 1; next }
    { from = $4; to = $5; now = $6 }
    ($2 "\t" $3 "\t" from) in undone && '"$1"' { print $2 }' "$STATE/undo" "$2" | sort -u | some_of
}
