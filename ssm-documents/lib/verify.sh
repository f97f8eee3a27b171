#!/bin/bash
# Owns the last look at a server: compares it with the sealed plan, and changes nothing.

source "$SCRIPTS/lib/change.sh"
source "$SCRIPTS/lib/newer.sh"

verify() {
  local REPLY
  family_settings || conclude 100 failed misconfigured "$REPLY"
  read_order verify failed
  [[ -n $PLAN_SHA256 ]] || conclude 1 failed no-plan 'the order has no plan for this server'
  describe_plan
  judge_packages "$WORK/compared"
  judge_since_patch
  # It was whole when the patch began.
  family_audit || {
    FACTS[healthy]=false
    reason packages-broken "$REPLY"
  }
  judge_reboot
  [[ ${FACTS[rebootPending]} != true ]] || warn reboot-needed "$REBOOT_WHY"
  timed refresh look_around
  judge_compliance
  timed integrity judge_files
  judge_services
  name_transaction patch
  judge_leftovers
  # Metadata and package files have served; an unfinished server may still need its own. The versions before stay.
  [[ ${FACTS[installed]} == false ]] ||
    find "$JOB" -mindepth 1 -maxdepth 1 -type d ! -name state ! -name old -exec rm -rf -- {} +
  forget_old_jobs
  conclude 0 verified
}

# Against the boot that the patch phase found, when it ran.
judge_since_patch() {
  local line
  while IFS= read -r line; do
    [[ $line != boot=* ]] || judge_boot "${line#boot=}"
  done < <(cat -- "$STATE/patch" 2>/dev/null)
  judge_units
}

# Within the time of the phase: a mirror that never answers is no reason to say nothing of the server.
look_around() {
  local REPLY problem detail
  look_for_newer
  seconds_left
  await_newer $((REPLY > 120 ? REPLY - 60 : REPLY / 2))
  [[ ! -f $WORK/newer/log ]] || log_output "$WORK/newer/log"
  if [[ -f $STATE/newer ]]; then
    report_newer "$STATE/newer"
  else
    IFS=$'\t' read -r problem detail < <(cat -- "$STATE/newer.problem" 2>/dev/null)
    warn "${problem:-repository-unreachable}" "fresh metadata could not be had: ${detail:-not in time}"
  fi
}

run_phase verify verify
