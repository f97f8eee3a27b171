# shellcheck shell=bash
# Owns what else an operator of a server with pacman should know.

family_warnings() {
  local unit missing
  for unit in pamac-upgrade.timer pacman-auto-update.timer arch-update.timer; do
    ! runs_systemd || ! systemctl is-enabled --quiet "$unit" 2>/dev/null ||
      warn other-patcher "$unit is on: it may install updates outside the window"
  done
  missing=$(pacman --dbpath "$DATABASE" --logfile /dev/null -Dk 2>&1 | sed -nE "s/^error: missing '([^']*)' dependency.*/\1/p" | sort -u | some_of)
  [[ -z $missing ]] || warn dependencies-missing "installed packages need what is not there: $missing"
}
