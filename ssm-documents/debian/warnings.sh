# shellcheck shell=bash
# Owns what else may change a Debian or Ubuntu server, and what came from no repository.

family_warnings() {
  if [[ -n ${UNATTENDED:-} && $UNATTENDED != 0 ]]; then
    warn other-patcher 'unattended-upgrades is on: it may install updates outside the window'
  fi
  [[ ! -e $ROOT/usr/bin/landscape-client ]] || warn other-patcher 'landscape-client is installed'
  [[ ! -d $ROOT/var/lib/snapd/snaps ]] || warn snap-refresh "snapd refreshes snaps by its own schedule$(agent_snap)"
}

# As a snap, which it is on Ubuntu's images, the agent is no package of apt: snapd updates it, and may restart it while a
# command runs, which the transaction outlives.
agent_snap() {
  command -v snap >/dev/null || return 0
  timeout 20 snap list amazon-ssm-agent 2>>"$LOG" </dev/null |
    awk '$1 == "amazon-ssm-agent" { print ", amazon-ssm-agent " $2 " (" $4 ($NF ~ /held/ ? ", held" : "") ") among them" }'
}

# By names: what is installed may be older than what a repository still has. With a state of its own, since apt's own has
# what is installed.
family_foreign() {
  apt-cache -c "$METADATA_SEALED.conf" -o Dir::State::status=/dev/null -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
    pkgnames >"$WORK/offered" && [[ -s $WORK/offered ]] && cut -f 1 "$WORK/installed" | sort -u | comm -23 - <(sort -u "$WORK/offered")
}
