# shellcheck shell=bash
# Owns what else may change a server with dnf or yum.

family_warnings() {
  local unit
  for unit in dnf-automatic.timer dnf-automatic-install.timer dnf5-automatic.timer yum-cron.service; do
    ! systemctl is-enabled --quiet "$unit" 2>/dev/null ||
      warn other-patcher "$unit is on: it may install updates outside the window"
  done
}
