# shellcheck shell=bash
# Owns the way back from a new kernel, which stays installed: what is booted next. One that never ran is out of the boot
# default with the packages; one that runs is left by a restart, which is a rung of its own.

# Whether the running kernel is one that the plan brought.
new_kernel_runs() {
  local running
  [[ -s $STATE/kernels-left ]] && read -r running </proc/sys/kernel/osrelease && is_of_packages "$running" "$STATE/kernels-left"
}

# Writes `boot-kernel`: the release of the kernel before and how long it is booted; nothing where none could be chosen.
choose_boot() {
  local REPLY=''
  [[ -s $STATE/kernels-left ]] || return 0
  family_boot_before "$STATE/kernels-left" 2>>"$LOG" || REPLY=''
  printf '%s' "${REPLY:+$REPLY$'\n'}" >"$STATE/boot-kernel"
  [[ -z $REPLY ]] || printf 'kernel\tboot\t%s\t-\t-\n' "${REPLY%%$'\t'*}" >>"$STEPS"
}

warn_of_kernels() {
  local release how names
  [[ -s $STATE/kernels-left ]] || return 0
  names=$(some_of <"$STATE/kernels-left")
  IFS=$'\t' read -r release how < <(cat -- "$STATE/boot-kernel" 2>/dev/null)
  if [[ -n $release ]]; then
    warn kernel-left "stays installed, and $release is booted $how: $names"
  elif [[ -f $STATE/boot-kernel ]]; then
    warn kernel-left "stays installed; choose the one before by the boot default: $names"
  else
    warn kernel-left "stays installed, and runs: $names"
  fi
}
