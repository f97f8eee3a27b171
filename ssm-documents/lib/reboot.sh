#!/bin/bash
# Owns a restart as a job of its own: asked for once its reason is on record, and proven by the boot that follows.

source "$SCRIPTS/lib/change.sh"
source "$SCRIPTS/lib/validate.sh"

reboot() {
  local REPLY
  family_settings || conclude 100 refused misconfigured "$REPLY"
  case ${ST[stage]} in
  started) begin_reboot ;;
  rebooting) timed boot come_back ;;
  esac
  was_restarted || ask_again
  prove_reboot
}

# All that can refuse it.
begin_reboot() {
  read_order reboot failed
  timed lock await_other_jobs
  timed lock wait_for_locks
  list_failed_units "$STATE/failed.before.reboot" || rm -f -- "$STATE/failed.before.reboot"
  judge_reboot
  case $Reboot/${FACTS[rebootPending]} in
  never/*) conclude 1 refused reboot-withheld "the policy does not allow it${REBOOT_WHY:+; $REBOOT_WHY}" ;;
  if-needed/false) conclude 2 not-needed ;;
  if-needed/null) conclude 1 refused reboot-unknown 'it can not be told whether this server needs one' ;;
  esac
  require_time_to_reboot refused
  log "rebooting: ${REBOOT_WHY:-it was asked for}"
  ask_reboot
}

# A server in mid-transaction would come back with half of its packages, and one that a hook took out of use without that.
await_other_jobs() {
  local REPLY patience waited=0
  seconds_left
  patience=$((REPLY / 3))
  while find_other_job; do
    ((waited < patience)) || conclude 102 refused job-under-way "job $REPLY of this server is under way"
    sleep 1
    ((waited += 1))
  done
}

# Sets REPLY to another job that runs here, or whose transaction does. Their locks are looked at and not taken: a
# transaction that finds its own taken does nothing.
find_other_job() {
  local lock
  for lock in "$HOME_FOLDER"/*/state/{lock,transaction.lock,rollback-transaction.lock}; do
    [[ -f $lock && ! $lock -ef $STATE/lock && -n $(lock_holders "$lock") ]] || continue
    lock=${lock%/state/*}
    REPLY=${lock##*/}
    return 0
  done
  return 1
}

# The agent waits a minute before it restarts the server.
require_time_to_reboot() {
  local REPLY
  seconds_left
  ((REPLY >= RebootReserve + 60)) ||
    conclude 1 "$1" no-time-to-reboot "$REPLY seconds are left, a reboot is given $((RebootReserve + 60))"
}

ask_again() {
  ((${ST[reboots]:-0} < MOST_REBOOTS)) ||
    conclude 1 failed reboot-failed "asked for $MOST_REBOOTS reboots and the server was not restarted"
  require_time_to_reboot failed
  ask_reboot
}

# The boot is another one, what runs is what was to be booted, and units and services are up; no timer says any of it.
prove_reboot() {
  judge_boot "${ST[boot]}"
  FAILED_BEFORE=$STATE/failed.before.reboot
  judge_units
  timed validate judge_validation
  judge_reboot
  [[ ${FACTS[rebootPending]} != true ]] || conclude 1 failed reboot-ineffective "restarted, and still: $REBOOT_WHY"
  conclude 0 rebooted
}

run_phase reboot reboot
