# shellcheck shell=bash
# Owns the facts that patch and verify tell alike, from what is there and not from what apt said.

source "$SCRIPTS/debian/metadata.sh"
source "$SCRIPTS/debian/release.sh"
source "$SCRIPTS/debian/versions.sh"

# Compares the plan with what is installed now, into a file of verdicts; `after` joins the result object.
judge_packages() {
  local names
  list_installed "$WORK/installed" || conclude 101 failed dpkg-broken 'dpkg-query can not read the package database'
  compare_plan "$1"
  versions_of_plan "$1" "$STATE/after"
  result_section after "$STATE/after"
  FACTS[installed]=true
  names=$(names_with "$1" broken)
  [[ -z $names ]] || reason not-configured "unpacked, but their scripts failed: $names"
  names=$(names_with "$1" 'broken|pending|gone')
  [[ -n $names ]] || return 0
  FACTS[installed]=false
  reason not-installed "not at the plan's version: $names"
}

# judge_boot <boot id before patching>
judge_boot() {
  BOOT_JSON="{\"before\":\"$1\",\"after\":\"$BOOT_ID\"}"
  FACTS[rebooted]=false
  [[ $1 == "$BOOT_ID" ]] || FACTS[rebooted]=true
}

# Units are compared with those that the patch phase found failed before it began; unknown where it did not look.
judge_units() {
  local names
  [[ -f $STATE/failed.before ]] && list_failed_units "$WORK/failed" || return 0
  names=$(comm -13 "$STATE/failed.before" "$WORK/failed" | some_of)
  FACTS[healthy]=true
  [[ -n $names ]] || return 0
  FACTS[healthy]=false
  reason units-failed "failed and had not failed before: $names"
}

# Compliant is what is installed, as far as metadata can still say so and the vendor still publishes.
judge_compliance() {
  FACTS[compliant]=${FACTS[installed]}
  if release_ended; then
    FACTS[compliant]=false
    warn release-end-of-life "this release had security updates until $RELEASE_END"
  fi
  if metadata_is_stale "$APT/lists-now" && metadata_is_stale "$APT/lists"; then
    FACTS[compliant]=false
    warn metadata-stale "metadata is older than $MaxMetadataAge hours"
  fi
}
