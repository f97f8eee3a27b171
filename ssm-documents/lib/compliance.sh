# shellcheck shell=bash
# Owns whether a server is compliant: all is installed that it should have, as far as metadata can still say what that
# is and the vendor still publishes.

judge_compliance() {
  FACTS[compliant]=${FACTS[installed]}
  judge_release
  judge_metadata_age
}

# By AWS's clock.
judge_release() {
  local today REPLY
  family_release_end
  aws_time
  TZ=UTC0 printf -v today '%(%Y-%m-%d)T' "$REPLY"
  [[ -n $RELEASE_END && $today > $RELEASE_END ]] || return 0
  FACTS[compliant]=false
  warn release-end-of-life "this release had security updates until $RELEASE_END"
}

# Of the metadata of the plan, and of what the look for newer versions fetched, the better counts.
judge_metadata_age() {
  metadata_is_stale "$METADATA_NOW" && metadata_is_stale "$METADATA_SEALED" || return 0
  FACTS[compliant]=false
  warn metadata-stale "metadata is older than $MaxMetadataAge hours, or past its last day"
}

# Notes when metadata in a folder was fetched.
metadata_fetched() {
  aws_time
  printf '%s\n' "$REPLY" >"$1.fetched"
}

# Whether metadata may be too old to say what this server lacks: fetched too long ago, or past its own last day, which
# an operator may have told the package manager not to mind.
metadata_is_stale() {
  local fetched REPLY
  aws_time
  fetched=$(cat -- "$1.fetched" 2>/dev/null) || return 0
  ((REPLY - fetched <= MaxMetadataAge * 3600)) || return 0
  family_metadata_expired "$1"
}
