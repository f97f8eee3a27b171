# shellcheck shell=bash
# Owns which kernel GRUB starts: the way back from a new one, which stays installed.

# What its programs and its folder are called; a family where they are not sets it.
GRUB=grub

# Of the kernels in /boot that belong to no package in a file (`<name> <arch> <version>`), the one with the highest version.
family_boot_before() {
  local configuration=$ROOT/boot/$GRUB/grub.cfg release entry
  release=$(kernels_in_boot | sort -V | while IFS= read -r release; do
    is_of_packages "$release" "$1" || printf '%s\n' "$release"
  done | tail -n 1)
  [[ -n $release && -f $configuration ]] || return 1
  entry=$(grub_entry "$release" <"$configuration")
  [[ -n $entry ]] || return 1
  # Only where the default is the saved entry does GRUB mind which one that is; the entry for once it always minds.
  # shellcheck disable=SC2016 # GRUB's own variable
  if grep -qF 'set default="${saved_entry}"' "$configuration"; then
    "$GRUB-set-default" "$entry" >>"$LOG" 2>&1 && REPLY="$release"$'\t''from now on'
  else
    "$GRUB-reboot" "$entry" >>"$LOG" 2>&1 && REPLY="$release"$'\t''at the next start alone'
  fi
}

# Whether a rollback has chosen what is booted; then that decides whether a restart is pending, whatever newer kernel is
# installed: 0 and REBOOT_WHY where it is, 1 where not, 2 where nothing was chosen.
chosen_kernel_is_pending() {
  local chosen running
  [[ $PHASE == rollback && -f $STATE/boot-kernel ]] && read -r running </proc/sys/kernel/osrelease || return 2
  chosen=$(cut -f 1 "$STATE/boot-kernel")
  [[ -n $chosen && $chosen != "$running" ]] || return 1
  REBOOT_WHY="kernel $chosen is to be started, $running runs"
}

kernels_in_boot() {
  find "$ROOT/boot" -maxdepth 1 -name 'vmlinuz-*' -printf '%f\n' | sed 's/^vmlinuz-//'
}

# Prints the name of a kernel's entry, `<id of the submenu>><id>`; grub-mkconfig writes both between quotes.
grub_entry() {
  awk -v release="$1" '
    function id(line) { return sub(/.*[$]menuentry_id_option \047/, "", line) ? substr(line, 1, index(line, "\047") - 1) : "" }
    /^submenu / { menu = id($0) ">" }
    /^}/ { menu = "" }
    /^[ \t]*menuentry / { if (index(id($0), "gnulinux-" release "-advanced-") == 1) { print menu id($0); exit } }'
}
