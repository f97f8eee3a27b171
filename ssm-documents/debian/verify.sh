#!/bin/bash
# Owns the last look at a server: compares it with the sealed plan, and changes nothing.

source "$SCRIPTS/lib/log.sh"
source "$SCRIPTS/lib/state.sh"
source "$SCRIPTS/lib/json.sh"
source "$SCRIPTS/lib/transport.sh"
source "$SCRIPTS/lib/order.sh"
source "$SCRIPTS/lib/result.sh"
source "$SCRIPTS/lib/summary.sh"
source "$SCRIPTS/lib/phase.sh"
source "$SCRIPTS/debian/apt.sh"
source "$SCRIPTS/debian/newer.sh"
source "$SCRIPTS/debian/judge.sh"

verify() {
  local REPLY
  read_apt_settings || conclude 100 failed apt-misconfigured 'apt-config can not read the configuration of apt'
  read_order verify failed
  [[ -n $PLAN_SHA256 ]] || conclude 1 failed no-plan 'the order has no plan for this server'
  describe_plan
  judge_packages "$WORK/compared"
  judge_since_patch
  # It was whole when the patch began.
  audit_packages || {
    FACTS[healthy]=false
    reason dpkg-broken "$REPLY"
  }
  judge_reboot
  [[ ${FACTS[rebootPending]} != true ]] || warn reboot-needed "$REBOOT_WHY"
  timed refresh look_around
  judge_compliance
  # Metadata and package files have served; an unfinished server may still need its own.
  [[ ${FACTS[installed]} == false ]] || rm -rf -- "$APT"
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

look_around() {
  if find_newer "$WORK/newer"; then
    report_newer "$WORK/newer"
  else
    warn "$METADATA_PROBLEM" "fresh metadata could not be had: $METADATA_DETAIL"
  fi
}
