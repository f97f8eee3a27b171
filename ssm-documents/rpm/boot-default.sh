# shellcheck shell=bash
# Owns which kernel is booted next on servers with grubby, where a way back leaves new kernels installed.

# Of the kernels that are installed and not in a file (`<name> <arch> <version>`), the one that came last.
family_boot_before() {
  local release path
  command -v grubby >/dev/null || return 1
  read_default_kernel
  release=$(awk -F '\t' 'FILENAME == ARGV[1] { version = $3; sub(/^[0-9]+:/, "", version); left[version "." $2] = 1; next }
    !($2 in left) { release = $2 } END { print release }' "$1" "$WORK/kernels")
  [[ -n $release ]] || return 1
  for path in "$ROOT/boot/vmlinuz-$release"{,+*}; do
    [[ -f $path ]] || continue
    timeout 120 grubby --set-default="$path" >>"$LOG" 2>&1 </dev/null || return 1
    [[ $(timeout 30 grubby --default-kernel 2>>"$LOG") == "$path" ]] || return 1
    REPLY=${path##*/vmlinuz-}$'\t''from now on'
    return 0
  done
  return 1
}
