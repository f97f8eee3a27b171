# shellcheck shell=bash
# Owns whether a server with dnf or yum still needs a reboot.

# Of needs-restarting the text counts: 1 is its exit code for a reboot and for an error alike.
family_reboot_signs() {
  local code=0 words
  REBOOT_WHY=''
  if [[ -e $ROOT/run/reboot-required ]]; then
    REBOOT_WHY='packages ask for it'
    return 0
  fi
  kernel_is_pending && return 0
  code=$?
  case $VARIANT in
  yum3) timeout 120 needs-restarting -r >"$WORK/restarting" 2>>"$LOG" ;;
  # Of repositories dnf 5 wants the names of all files for it, which nothing else here does.
  dnf5) dnf_ask "$DNF/undo-cache" -q -C '--disablerepo=*' needs-restarting >"$WORK/restarting" 2>>"$LOG" ;;
  *) dnf_ask "$DNF/undo-cache" -C needs-restarting -r >"$WORK/restarting" 2>>"$LOG" ;;
  esac
  if grep -qE '^Reboot is required|^Reboot is needed' "$WORK/restarting"; then
    words=$(sed -n 's/^ *[*] *//p' "$WORK/restarting" | some_of)
    [[ -n $words ]] || words=$(sed -nE 's/^([A-Za-z0-9._+-]+) +-> .*/\1/p' "$WORK/restarting" | some_of)
    REBOOT_WHY="updated since boot${words:+: $words}"
    return 0
  fi
  grep -qE '^(Reboot should not be necessary|No core libraries)' "$WORK/restarting" || code=2
  return "$code"
}
