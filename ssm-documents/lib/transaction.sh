# shellcheck shell=bash
# Owns how the transaction runs: outside the reach of the agent's time limit, found again by its lock, and repaired
# when it was interrupted.

MOST_ATTEMPTS=3

# What runs is the family's script of the phase. It is handed to a shell of its own: nothing of this one reaches it.

# Starts the transaction, or waits for the one that is running, until it has an exit code; starts it again where it
# was interrupted. Sets ST[outcome], and ST[problem] to the package manager's words when it failed.
finish_transaction() {
  local code
  while :; do
    if [[ -s $TRANSACTION.code ]]; then
      code=$(<"$TRANSACTION.code")
      break
    fi
    if ! transaction_runs; then
      ((ST[attempts] < MOST_ATTEMPTS)) || {
        code=interrupted
        break
      }
      start_transaction
    fi
    await_transaction
  done
  [[ ! -f $TRANSACTION.log ]] || log_output "$TRANSACTION.log"
  log "the transaction ended with $code"
  ST[problem]=''
  ST[problem]=$(family_transaction_problem "$code" "$TRANSACTION.log")
  if [[ -z ${ST[problem]} ]]; then save_stage stage=installed outcome=patched; else save_stage stage=installed outcome=failed; fi
}

transaction_runs() {
  [[ -f $TRANSACTION.lock ]] || return 1
  ! flock -n "$TRANSACTION.lock" true
}

# The second and later attempts first finish what the package manager left behind; state says that it was this job's.
# That much is done whatever the time; the rest of the plan is as new as a first attempt.
start_transaction() {
  local kind=first overtime='' REPLY
  if ((ST[attempts] == 0)); then
    require_time
    save_terms
  else
    kind=again
    has_time || kind=repair overtime=yes
  fi
  save_stage "attempts=$((ST[attempts] + 1))" "overtime=$overtime"
  rm -f -- "$TRANSACTION.begun"
  write_transaction "$kind"
  log "starting the transaction, attempt ${ST[attempts]}"
  launch_transaction
}

# In a unit of its own, the transaction outlives the agent's time limit and the agent itself.
launch_transaction() {
  if runs_systemd && command -v systemd-run >/dev/null && run_in_unit; then return; fi
  setsid /bin/bash "$TRANSACTION.sh" </dev/null >/dev/null 2>&1 {JOB_LOCK}>&- &
}

# A power cut leaves files empty that were just written, and an empty list would be done at once: what the transaction is
# finished by is on disk before it begins, and known by its hash.
save_terms() {
  local REPLY
  find "$STATE" -maxdepth 1 -type f -exec sync {} + 2>>"$LOG"
  hash_terms
  ST[terms]=$REPLY
}

hash_terms() {
  local -a files=("$STATE/plan" "$STATE/compared.before")
  [[ $PHASE != rollback ]] || files=("$STATE/plan" "$STATE/undo" "$STATE/undo-files")
  sha256_of_stdin < <(cat -- "${files[@]}")
}

# In a subshell, since closing a descriptor by its variable closes it for good.
run_in_unit() (
  exec {JOB_LOCK}>&-
  systemd-run --quiet --collect --no-block --unit="quarterdeck-$CampaignId${PHASE#patch}" --setenv=PATH="$PATH" \
    --property=KillMode=mixed --property=TimeoutStopSec=15min /bin/bash "$TRANSACTION.sh" 2>>"$LOG"
)

# Daemons that maintainer scripts start inherit what is open: the lock is not passed on, so every program of the family's
# script is started with 9>&-. What has not set `code` was not done.
write_transaction() {
  local kind=$1
  {
    cat <<SCRIPT
exec 9>>"$TRANSACTION.lock" && flock -n 9 || exit 0
: >"$TRANSACTION.begun"
cd / && umask 022
exec </dev/null >>"$TRANSACTION.log" 2>&1
export LC_ALL=C QD_ROOT="$ROOT"
code=1
SCRIPT
    if [[ $PHASE == rollback ]]; then family_rollback_transaction "$kind"; else family_transaction "$kind"; fi
    cat <<SCRIPT
echo \$code >"$TRANSACTION.code.new"
sync "$TRANSACTION.code.new"
mv -f "$TRANSACTION.code.new" "$TRANSACTION.code"
SCRIPT
  } >"$TRANSACTION.sh.new"
  # Never written over: a shell that comes late may be reading the one before.
  mv -f -- "$TRANSACTION.sh.new" "$TRANSACTION.sh"
}

# Waits until the running attempt has an exit code or is no more. Reading from a pipe that nobody writes to passes
# the time without a process.
await_transaction() {
  local idle ticks=0
  exec {idle}<> <(:)
  while [[ ! -s $TRANSACTION.code ]]; do
    read -r -t 0.05 -u "$idle" || true
    ((ticks += 1))
    ((ticks % 20 == 0)) || continue
    if [[ -e $TRANSACTION.begun ]]; then
      transaction_runs || break
    elif ((ticks > 600)); then
      break
    fi
  done
  exec {idle}>&-
}
