# shellcheck shell=bash
# Owns whether a server with rpm still runs another kernel than its default one, and when it began.

# Sets BOOTED to the second in which this system began, which in a container is not when the machine did.
read_boot_time() {
  local NOW stat began
  read_uptime
  read -r stat </proc/1/stat || return 1
  # Field 22, in hundredths of a second of uptime; counted after the name, which may hold spaces.
  read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ began _ <<<"${stat##*) }"
  BOOTED=$(($(date +%s) - (NOW - began) / 100))
}

# Kernels that can be booted, of any name: a system library's list of names misses some (AL2023's kernel6.12).
BOOTABLE='^kernel([0-9]+[.][0-9]+)?(-(rt|64k|uek|lt|ml|default))*(-core)?$'

# Sets KERNEL to what will be booted next, as `uname -r` says it, and KERNEL_CAME to when it was installed; empty where
# no kernel is installed, as in containers.
read_default_kernel() {
  local path=''
  KERNEL='' KERNEL_CAME=0
  rpm -qa --qf '%{INSTALLTIME}\t%{NAME}\t%{VERSION}-%{RELEASE}.%{ARCH}\n' 'kernel*' 2>>"$LOG" |
    awk -F '\t' -v bootable="$BOOTABLE" '$2 ~ bootable { print $1 "\t" $3 }' | sort -n >"$WORK/kernels"
  [[ -s $WORK/kernels ]] || return 0
  IFS=$'\t' read -r KERNEL_CAME KERNEL < <(tail -n 1 "$WORK/kernels")
  ! command -v grubby >/dev/null || path=$(timeout 30 grubby --default-kernel 2>>"$LOG") || path=''
  [[ $path == */vmlinuz-* ]] || return 0
  KERNEL=${path##*/vmlinuz-}
  KERNEL_CAME=$(awk -F '\t' -v kernel="$KERNEL" 'index(kernel, $2) == 1 { print $1 }' "$WORK/kernels")
}

# Whether the default kernel is another than the one that runs. In a container, which runs the kernel of its machine
# whatever it installs, a kernel counts that came after its boot. Returns 2 where it can not be told.
kernel_is_pending() {
  local running BOOTED
  read_default_kernel
  [[ -n $KERNEL ]] || return 1
  read -r running </proc/sys/kernel/osrelease || return 2
  [[ $running != "$KERNEL" && $running != "$KERNEL"+* ]] || return 1
  if ! runs_systemd || systemd-detect-virt --quiet --container 2>/dev/null; then
    read_boot_time || return 2
    ((${KERNEL_CAME:-0} > BOOTED)) || return 1
  fi
  REBOOT_WHY="kernel $KERNEL is the default, $running runs"
}
