# shellcheck shell=bash
# Owns what else may change a Debian or Ubuntu server.

family_warnings() {
  if [[ -n ${UNATTENDED:-} && $UNATTENDED != 0 ]]; then
    warn other-patcher 'unattended-upgrades is on: it may install updates outside the window'
  fi
  [[ ! -e $ROOT/usr/bin/landscape-client ]] || warn other-patcher 'landscape-client is installed'
  [[ ! -d $ROOT/var/lib/snapd/snaps ]] || warn snap-refresh 'snapd refreshes snaps by its own schedule'
}
