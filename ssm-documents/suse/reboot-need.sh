# shellcheck shell=bash
# Owns whether a SUSE server still needs a reboot.

NEEDS+=(readlink)

# Returns 2 where it can not be told. Sets REBOOT_WHY. zypper's own word counts first: what its exit code says of a
# later run is gone, so it is asked every time. Besides, the kernel that boots next is compared with the one that runs.
family_reboot_signs() {
  local status=0 next running code=0
  REBOOT_WHY=''
  ZYPP_LOGFILE=/dev/null ZYPP_READONLY_HACK=1 timeout 120 zypper --non-interactive needs-rebooting >/dev/null 2>&1 || status=$?
  if ((status == 102)) || [[ -e $ROOT/run/reboot-needed ]]; then
    REBOOT_WHY='zypper says that core packages or patches ask for it'
    return 0
  fi
  ((status == 0)) || return 2
  chosen_kernel_is_pending || code=$?
  ((code == 2)) || return "$code"
  read -r running </proc/sys/kernel/osrelease || return 2
  if ! runs_systemd || systemd-detect-virt --quiet --container 2>/dev/null; then
    # A container runs the kernel of its machine, whatever it has installed: there a kernel counts that came after its
    # boot.
    read_boot_time || return 2
    next=$(rpm -qa --qf '%{INSTALLTIME}\t%{NAME}\t%{VERSION}-%{RELEASE}\n' 'kernel-*' 2>>"$LOG" |
      awk -F '\t' -v kernel="$KERNEL_NAMES" -v booted="$BOOTED" '$2 ~ kernel && $1 > booted { print $2 "-" $3 }' | some_of)
    [[ -n $next ]] || return 1
    REBOOT_WHY="$next was installed since this server began"
    return 0
  fi
  [[ -d $ROOT/lib/modules/$running || -d $ROOT/usr/lib/modules/$running ]] || {
    REBOOT_WHY="the modules of the running kernel $running are gone"
    return 0
  }
  next=$(readlink -- "$ROOT/boot/vmlinuz" "$ROOT/boot/Image" | head -n 1)
  next=${next##*/}
  next=${next#*-}
  [[ -n $next && $next != "$running" ]] || return 1
  REBOOT_WHY="kernel $next boots next, $running runs"
}
