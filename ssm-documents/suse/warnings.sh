# shellcheck shell=bash
# Owns what else may change a SUSE server, what its operator holds, and what came from no repository.

family_warnings() {
  local unit
  for unit in packagekit-background.timer os-update.timer transactional-update.timer; do
    [[ ! -e $ROOT/etc/systemd/system/timers.target.wants/$unit ]] ||
      warn other-patcher "$unit is enabled: it may install updates outside the window"
  done
  if compgen -G "$ROOT/etc/cron.*/opensuse.org-online_update" >/dev/null; then
    warn other-patcher 'the automatic online update of YaST is set up'
  fi
  if [[ -e $ROOT/usr/sbin/mgrctl || -e $ROOT/usr/lib/venv-salt-minion/bin/salt-minion || -e $ROOT/usr/sbin/rhn_check ]]; then
    warn other-patcher 'SUSE Manager or a salt minion of it is installed'
  fi
  if [[ -e $ROOT/usr/lib/zypp/plugins/commit/snapper-zypp-plugin || -e $ROOT/usr/lib/zypp/plugins/commit/snapper.py ]] &&
    compgen -G "$ROOT/etc/snapper/configs/root" >/dev/null; then
    log 'snapper makes a snapshot before and after the transaction'
  fi
}

family_foreign() {
  zypper_on "$METADATA_SEALED" --no-refresh packages --orphaned >"$WORK/orphaned" &&
    awk -F ' *[|] *' '/^i[^|]*[|]/ { print $3 }' "$WORK/orphaned"
}

# Names that the operator has locked.
family_holds() {
  [[ ! -f $LOCKS ]] || sed -nE 's/^solvable_name:[ \t]*//p' "$LOCKS"
}
