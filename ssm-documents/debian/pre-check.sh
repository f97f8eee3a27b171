#!/bin/bash
# Owns whether a server can be patched at all: looks, and repairs or changes nothing.

source "$SCRIPTS/lib/log.sh"
source "$SCRIPTS/lib/state.sh"
source "$SCRIPTS/lib/json.sh"
source "$SCRIPTS/lib/transport.sh"
source "$SCRIPTS/lib/order.sh"
source "$SCRIPTS/lib/result.sh"
source "$SCRIPTS/lib/summary.sh"
source "$SCRIPTS/lib/phase.sh"
source "$SCRIPTS/debian/apt.sh"

pre_check() {
  read_apt_settings || conclude 100 blocked apt-misconfigured 'apt-config can not read the configuration of apt'
  read_order prepare blocked
  require_room
  require_free_locks
  require_whole_packages
  warn_of_other_patchers
  warn_of_the_rest
}

# Room for what comes before there is a plan to compute with: metadata, once as fetched and once as apt's cache.
require_room() {
  local free need inodes
  need=$(du -sm -- "$SYSTEM_LISTS" 2>/dev/null | awk '{ print $1 * 3 + 50 }')
  free=$(free_mebibytes "$APT")
  ((free >= ${need:-50})) ||
    conclude 105 blocked disk-full "$APT has $free MiB free; metadata needs about $need MiB"
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
    conclude 102 blocked lock-held "the package database is locked by $REPLY"
}

require_whole_packages() {
  local REPLY
  list_installed "$WORK/installed" || conclude 101 blocked dpkg-broken 'dpkg-query can not read the package database'
  audit_packages || conclude 101 blocked dpkg-broken "$REPLY"
}

warn_of_other_patchers() {
  if [[ -n ${UNATTENDED:-} && $UNATTENDED != 0 ]]; then
    warn other-patcher 'unattended-upgrades is on: it may install updates outside the window'
  fi
  [[ ! -e $ROOT/usr/bin/landscape-client ]] || warn other-patcher 'landscape-client is installed'
  [[ ! -d $ROOT/var/lib/snapd/snaps ]] || warn snap-refresh 'snapd refreshes snaps by its own schedule'
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
