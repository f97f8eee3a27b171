# shellcheck shell=bash
# Owns the facts that patch and verify tell alike, from what is there and not from what the package manager
# said.

source "$SCRIPTS/lib/compliance.sh"
source "$SCRIPTS/lib/evidence.sh"
source "$SCRIPTS/lib/versions.sh"

# Compares the plan with what is installed now, into a file of verdicts; `after` joins the result object.
judge_packages() {
  local names
  family_installed "$WORK/installed" || conclude 101 failed packages-broken 'the package database can not be read'
  compare_plan "$1"
  versions_of_plan "$1" "$STATE/after"
  result_section after "$STATE/after"
  FACTS[installed]=true
  names=$(names_with "$1" broken)
  [[ -z $names ]] || reason not-configured "unpacked, but their scripts failed: $names"
  ! is_satisfied "$1" || return 0
  names=$(names_with "$1" 'broken|pending|gone')
  FACTS[installed]=false
  reason not-installed "not at the plan's version: $names"
}

# judge_boot <boot id before patching>
judge_boot() {
  [[ -n $1 && -n $BOOT_ID ]] || return 0
  BOOT_JSON="{\"before\":\"$1\",\"after\":\"$BOOT_ID\"}"
  FACTS[rebooted]=false
  [[ $1 == "$BOOT_ID" ]] || FACTS[rebooted]=true
}

# Where the units that had failed before are listed; a rollback has its own.
FAILED_BEFORE=$STATE/failed.before

# Units are compared with those that the patch phase found failed before it began; unknown where either look, or the
# comparison, was not to be had.
judge_units() {
  FACTS[healthy]=null
  [[ -f $FAILED_BEFORE ]] && list_failed_units "$WORK/failed" &&
    comm -13 "$FAILED_BEFORE" "$WORK/failed" >"$WORK/failed.since" 2>>"$LOG" || return 0
  FACTS[healthy]=true
  [[ -s $WORK/failed.since ]] || return 0
  FACTS[healthy]=false
  reason units-failed "failed and had not failed before: $(some_of <"$WORK/failed.since")"
}
