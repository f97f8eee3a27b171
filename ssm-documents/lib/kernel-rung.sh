# shellcheck shell=bash
# Owns the way back from a new kernel, which stays installed: what is booted next. One that never ran is out of the boot
# default with the packages; one that runs is left by a restart, which is a rung of its own.

# Whether the running kernel is one that the plan brought.
new_kernel_runs() {
  local running
  [[ -s $STATE/kernels-left ]] && read -r running </proc/sys/kernel/osrelease && is_of_packages "$running" "$STATE/kernels-left"
}

# Packages (`<name> <arch> <version>`) have a kernel's release in their name, or as their version with the architecture
# after it, or, on SUSE, with the number of a rebuild more and without the flavour: <release> <file>
is_of_packages() {
  awk -F '\t' -v running="$1" '
    BEGIN { base = running; sub(/-[^-]*$/, "", base) }
    { version = $3; sub(/^[0-9]+:/, "", version); at = length($1) - length(running)
      if ((at > 0 && substr($1, at) == "-" running) || index(running, version ".") == 1 || version == base || index(version, base ".") == 1) found = 1 }
    END { exit !found }' "$2"
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
