# shellcheck shell=bash
# Owns whether a server can be patched at all: looks, and repairs or changes nothing.

pre_check() {
  local REPLY
  family_settings || conclude 100 blocked misconfigured "$REPLY"
  read_order prepare blocked
  require_supported
  require_room
  require_free_locks
  require_whole_packages
  family_warnings
  warn_of_the_rest
  judge_holds
}

# What a family, or this server's variant of it, can not answer is said, and nothing else is done in its place.
require_supported() {
  local asked=" $Mode"
  [[ ! -s $STATE/repositories ]] || asked+=' repositories'
  [[ -z $RELEASE ]] || asked+=' release'
  for asked in $asked; do
    [[ " $SUPPORTS " == *" $asked "* ]] ||
      conclude 107 unsupported mode-unsupported "this server can not be asked for '$asked', only for: $SUPPORTS"
  done
  [[ $Mode == all || $Mode == security || -s $STATE/selections ]] ||
    conclude 1 blocked order-malformed "mode $Mode asks for named updates, and the order names none"
}

# Room for what comes before there is a plan to compute with.
require_room() {
  local free need inodes
  need=$(family_metadata_room) || need=50
  free=$(free_mebibytes "$JOB")
  ((free >= need)) ||
    conclude 105 blocked disk-full "$JOB has $free MiB free; metadata needs about $need MiB"
  # Some file systems have no fixed number of inodes and report none.
  inodes=$(set -o pipefail && df -Pi -- "$ROOT/var" | awk 'NR == 2 && $2 > 0 { print $4 }') || inodes=unknown
  [[ -z $inodes ]] || ((inodes >= 1000)) ||
    conclude 105 blocked inodes "$ROOT/var has only $inodes inodes left"
}

# Before the packages are looked at: while somebody installs, they are not whole.
require_free_locks() {
  local REPLY patience
  patience=$((TimeBudget / 4))
  await_locks $((patience < 120 ? patience : 120)) ||
    conclude 102 blocked lock-held "the package database is locked by $REPLY$(interrupted_here)"
}

require_whole_packages() {
  local REPLY
  family_installed "$WORK/installed" || conclude 101 blocked packages-broken 'the package database can not be read'
  family_audit || conclude 101 blocked packages-broken "$REPLY$(interrupted_here)"
}

warn_of_the_rest() {
  local version failed
  if [[ -z ${SSM_CampaignId+set} ]]; then
    version=$(awk -F '\t' '$1 == "amazon-ssm-agent" { print $3 }' "$WORK/installed")
    warn agent-old "the SSM agent${version:+ $version} does not set environment variables: update it to 3.3.2746.0"
  fi
  if list_failed_units "$WORK/failed"; then
    failed=$(some_of <"$WORK/failed")
    [[ -z $failed ]] || warn failed-units "failed before patching: $failed"
  fi
}
