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
source "$SCRIPTS/debian/metadata.sh"
source "$SCRIPTS/debian/versions.sh"
source "$SCRIPTS/debian/reboot-need.sh"
source "$SCRIPTS/debian/release.sh"

verify() {
  local REPLY names
  read_apt_settings || conclude 100 failed apt-misconfigured 'apt-config can not read the configuration of apt'
  read_order verify failed
  [[ -n $PLAN_SHA256 ]] || conclude 1 failed no-plan 'the order has no plan for this server'
  describe_plan
  list_installed "$WORK/installed" || conclude 101 failed dpkg-broken 'dpkg-query can not read the package database'
  compare_plan "$WORK/compared"
  versions_of_plan "$WORK/compared" "$WORK/after"
  result_section after "$WORK/after"
  FACTS[installed]=true
  names=$(names_with "$WORK/compared" 'broken|pending|gone')
  if [[ -n $names ]]; then
    FACTS[installed]=false
    reason not-installed "not at the plan's version: $names"
  fi
  audit_packages || reason dpkg-broken "$REPLY"
  compare_with_before
  FACTS[rebootPending]=false
  if reboot_needed; then
    FACTS[rebootPending]=true
    warn reboot-needed "$REBOOT_WHY"
  fi
  timed refresh judge_compliance
  # Metadata and package files have served; an unfinished server may still need its own.
  [[ ${FACTS[installed]} == false ]] || rm -rf -- "$APT"
  conclude 0 verified
}

# Boot and failed units as the patch phase found them, when it ran.
compare_with_before() {
  local line before='' names
  while IFS= read -r line; do
    [[ $line != boot=* ]] || before=${line#boot=}
  done < <(cat -- "$STATE/patch" 2>/dev/null)
  if [[ -n $before ]]; then
    BOOT_JSON="{\"before\":\"$before\",\"after\":\"$BOOT_ID\"}"
    FACTS[rebooted]=false
    [[ $before == "$BOOT_ID" ]] || FACTS[rebooted]=true
  fi
  [[ -f $STATE/failed.before ]] && list_failed_units "$WORK/failed" || return 0
  names=$(comm -13 "$STATE/failed.before" "$WORK/failed" | some_of)
  FACTS[healthy]=true
  if [[ -n $names ]]; then
    FACTS[healthy]=false
    reason units-failed "failed and had not failed before patching: $names"
  fi
}

judge_compliance() {
  FACTS[compliant]=${FACTS[installed]}
  if find_newer "$WORK/newer"; then
    NEWER=$(awk 'END { print NR }' "$WORK/newer")
    result_section newer "$WORK/newer"
  else
    warn "$METADATA_PROBLEM" "fresh metadata could not be had: $METADATA_DETAIL"
  fi
  if metadata_is_stale "$APT/lists-now" && metadata_is_stale "$APT/lists"; then
    FACTS[compliant]=false
    reason metadata-stale "metadata is older than $MaxMetadataAge hours"
  fi
  if release_ended; then
    FACTS[compliant]=false
    reason release-end-of-life "this release had security updates until $RELEASE_END"
  fi
}
