# shellcheck shell=bash
# Owns whether a Debian or Ubuntu server still needs a reboot.

# Returns 2 where it can not be told. Sets REBOOT_WHY. Ubuntu's packages leave a mark; Debian's leave none, so the newest
# kernel is compared with the one that runs.
family_reboot_signs() {
  local packages='' newest running code=0
  REBOOT_WHY=''
  if [[ -e $ROOT/run/reboot-required ]]; then
    [[ ! -s $ROOT/run/reboot-required.pkgs ]] || packages=$(sort -u "$ROOT/run/reboot-required.pkgs" | some_of)
    REBOOT_WHY="packages ask for it${packages:+: $packages}"
    return 0
  fi
  chosen_kernel_is_pending || code=$?
  ((code == 2)) || return "$code"
  if command -v needrestart >/dev/null && timeout 60 needrestart -b -k 2>>"$LOG" </dev/null | grep -qE '^NEEDRESTART-KSTA: [23]$'; then
    REBOOT_WHY='needrestart says that another kernel is to be started'
    return 0
  fi
  if modules_are_gone; then
    REBOOT_WHY='the modules of the running kernel are gone'
    return 0
  fi
  [[ -d $ROOT/boot ]] || return 1
  newest=$(set -o pipefail && find "$ROOT/boot" -maxdepth 1 -name 'vmlinuz-*' -printf '%f\n' 2>>"$LOG" | sort -V | tail -n 1) &&
    read -r running </proc/sys/kernel/osrelease || return 2
  newest=${newest#vmlinuz-}
  [[ -n $newest && $newest != "$running" ]] || return 1
  # A container runs the kernel of its machine whatever it installs; there a kernel counts that came after its boot.
  if ! runs_systemd || systemd-detect-virt --quiet --container 2>/dev/null; then
    arrived_after_boot "$ROOT/boot/vmlinuz-$newest" || return
  fi
  REBOOT_WHY="kernel $newest is installed, $running runs"
}

# Of a kernel that has none from the start, as in containers, that says nothing.
modules_are_gone() {
  local running
  read -r running </proc/sys/kernel/osrelease
  [[ -d $ROOT/lib/modules && ! -d $ROOT/lib/modules/$running ]] && arrived_after_boot "$ROOT/lib/modules"
}

arrived_after_boot() {
  local NOW stat began changed now
  read_uptime
  read -r stat </proc/1/stat && changed=$(stat -c %Z -- "$1") && now=$(date +%s) || return 2
  # Field 22 is when the process began, in hundredths of a second of uptime; counted after the name, which may hold spaces.
  read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ began _ <<<"${stat##*) }"
  ((now - changed < (NOW - began) / 100))
}
