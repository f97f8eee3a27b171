# shellcheck shell=bash
# Owns how the transaction runs: outside the reach of the agent's time limit, found again by its lock, and repaired
# when it was interrupted.

MOST_ATTEMPTS=3

# Starts the transaction, or waits for the one that is running, until it has an exit code; starts it again where it
# was interrupted. Sets ST[outcome], and ST[problem] to apt's words when it failed.
finish_transaction() {
  local code
  while :; do
    if [[ -s $STATE/transaction.code ]]; then
      code=$(<"$STATE/transaction.code")
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
  [[ ! -f $STATE/transaction.log ]] || log_output "$STATE/transaction.log"
  log "the transaction ended with $code"
  ST[problem]=''
  [[ $code == 0 ]] || ST[problem]=$(transaction_problem "$code")
  if [[ $code == 0 ]]; then save_stage stage=installed outcome=patched; else save_stage stage=installed outcome=failed; fi
}

transaction_problem() {
  local words
  words=$(grep -E '^(E|dpkg: error|dpkg-deb: error|Errors were)|No space left' "$STATE/transaction.log" | tail -n 3 | paste -sd ' ')
  printf 'apt ended with %s: %s' "$1" "${words:0:300}"
}

transaction_runs() {
  [[ -f $STATE/transaction.lock ]] || return 1
  ! flock -n "$STATE/transaction.lock" true
}

# The second and later attempts first finish what dpkg left behind; state says that it was this job's. That much is done
# whatever the time; the rest of the plan is as new as a first attempt.
start_transaction() {
  local repair='' overtime='' REPLY
  choose_verb
  if ((ST[attempts] == 0)); then
    require_time
  else
    repair=yes
    has_time || VERB='' overtime=yes
  fi
  save_stage "attempts=$((ST[attempts] + 1))" "overtime=$overtime"
  rm -f -- "$STATE/transaction.begun"
  write_transaction "$repair"
  log "starting the transaction, attempt ${ST[attempts]}"
  # In a unit of its own, the transaction outlives the agent's time limit and the agent itself.
  if runs_systemd && command -v systemd-run >/dev/null && run_in_unit; then return; fi
  setsid /bin/bash "$STATE/transaction.sh" </dev/null >/dev/null 2>&1 {JOB_LOCK}>&- &
}

# In a subshell, since closing a descriptor by its variable closes it for good.
run_in_unit() (
  exec {JOB_LOCK}>&-
  systemd-run --quiet --collect --no-block --unit="quarterdeck-$CampaignId" --setenv=PATH="$PATH" \
    --property=KillMode=mixed --property=TimeoutStopSec=15min /bin/bash "$STATE/transaction.sh" 2>>"$LOG"
)

# Daemons that maintainer scripts start inherit what is open: the lock is not passed on to apt.
write_transaction() {
  local repair=$1
  cat >"$STATE/transaction.sh" <<SCRIPT
exec 9>>"$STATE/transaction.lock" && flock -n 9 || exit 0
: >"$STATE/transaction.begun"
cd / && umask 022
exec </dev/null >>"$STATE/transaction.log" 2>&1
export LC_ALL=C QD_ROOT="$ROOT" DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l UCF_FORCE_CONFFOLD=1
export APT_LISTCHANGES_FRONTEND=none APT_LISTBUGS_FRONTEND=none
if [ -n "$repair" ]; then
  dpkg --force-confdef --force-confold --configure -a 9>&-
  apt-get -c "$APT/sealed.conf" -o DPkg::Lock::Timeout=60 ${FLAGS[*]} -f install 9>&-
  code=\$?
fi
if [ -n "$VERB" ]; then
  apt-get -c "$APT/sealed.conf" -o DPkg::Lock::Timeout=60 ${FLAGS[*]} $VERB 9>&-
  code=\$?
fi
echo \$code >"$STATE/transaction.code.new"
sync "$STATE/transaction.code.new"
mv -f "$STATE/transaction.code.new" "$STATE/transaction.code"
SCRIPT
}

# Waits until the running attempt has an exit code or is no more. Reading from a pipe that nobody writes to passes
# the time without a process.
await_transaction() {
  local idle ticks=0
  exec {idle}<> <(:)
  while [[ ! -s $STATE/transaction.code ]]; do
    read -r -t 0.05 -u "$idle" || true
    ((ticks += 1))
    ((ticks % 20 == 0)) || continue
    if [[ -e $STATE/transaction.begun ]]; then
      transaction_runs || break
    elif ((ticks > 600)); then
      break
    fi
  done
  exec {idle}>&-
}
