# shellcheck shell=bash
# Owns whether a server is compliant: all is installed that it should have, as far as metadata can still say what that
# is and the vendor still publishes.

source "$SCRIPTS/debian/metadata.sh"
source "$SCRIPTS/debian/release.sh"

judge_compliance() {
  FACTS[compliant]=${FACTS[installed]}
  judge_release
  judge_metadata_age
}

judge_release() {
  release_ended || return 0
  FACTS[compliant]=false
  warn release-end-of-life "this release had security updates until $RELEASE_END"
}

judge_metadata_age() {
  metadata_is_stale "$APT/lists-now" && metadata_is_stale "$APT/lists" || return 0
  FACTS[compliant]=false
  warn metadata-stale "metadata is older than $MaxMetadataAge hours, or past its last day"
}
