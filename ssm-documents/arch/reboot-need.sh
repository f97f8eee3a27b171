# shellcheck shell=bash
# Owns whether a server of the Arch family still needs a reboot.

# What is used from the start and by everything; that a service was restarted says nothing of the rest.
REBOOT_NAMES='^(glibc|systemd|dbus|dbus-broker(-units)?|cryptsetup|device-mapper|linux-firmware.*|(amd|intel)-ucode|nvidia.*)$'

# Returns 2 where it can not be told. Sets REBOOT_WHY.
family_reboot_signs() {
  local running names began
  REBOOT_WHY=''
  if [[ -e $ROOT/run/reboot-required ]]; then
    REBOOT_WHY='packages ask for it'
    return 0
  fi
  read -r running </proc/sys/kernel/osrelease || return 2
  began=$(boot_instant) || return 2
  kernel_is_gone "$running" "$began" && return 0
  names=$(find "$DATABASE/local" -mindepth 2 -maxdepth 2 -name desc -exec awk -v began="$began" '
    FNR == 1 { name = "" }
    before == "%NAME%" { name = $0 }
    before == "%INSTALLDATE%" && $0 > began { print name }
    { before = $0 }' {} + | grep -E "$REBOOT_NAMES" | sort -u | some_of)
  [[ -n $names ]] || return 1
  REBOOT_WHY="came after the last boot: $names"
}

# A kernel's package takes its modules with it when it is replaced; where a hook keeps them, no package owns them.
kernel_is_gone() {
  local running=$1 began=$2 modules=$ROOT/usr/lib/modules newest
  [[ -d $modules ]] || return 1
  # A kernel of the operator's own making says nothing of packages.
  [[ ! -d $modules/$running || -f $modules/$running/pkgbase ]] || return 1
  ! pacman --dbpath "$DATABASE" --logfile /dev/null -Qqo "/usr/lib/modules/$running/pkgbase" >/dev/null 2>&1 || return 1
  newest=$(find "$modules" -mindepth 2 -maxdepth 2 -name pkgbase -printf '%C@ %h\n' 2>>"$LOG" | sort -n | tail -n 1)
  [[ -n $newest ]] || return 1
  # A container runs the kernel of its machine whatever it installs; there a kernel counts that came after its boot.
  if ! runs_systemd || systemd-detect-virt --quiet --container 2>/dev/null; then
    ((${newest%%.*} > began)) || return 1
  fi
  REBOOT_WHY="kernel $running runs and its modules are gone; ${newest##*/} is installed"
}

# Prints when the first process began, in seconds since the epoch.
boot_instant() {
  local NOW stat began now
  read_uptime
  read -r stat </proc/1/stat && now=$(date +%s) || return 1
  # Field 22 is when the process began, in hundredths of a second of uptime; counted after the name, which may hold spaces.
  read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ began _ <<<"${stat##*) }"
  printf '%d\n' $((now - (NOW - began) / 100))
}
