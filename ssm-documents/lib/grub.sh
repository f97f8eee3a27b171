# shellcheck shell=bash
# Owns which kernel GRUB starts: the way back from a new one, which stays installed.

family_boot_before() {
  local configuration=$ROOT/boot/grub/grub.cfg release entry
  release=$(cut -f 1 "$1" | sed -E 's/^linux-(image|image-unsigned|modules|modules-extra)-//' | sort -u |
    comm -13 - <(kernels_in_boot | sort -u) | sort -V | tail -n 1)
  [[ -n $release && -f $configuration ]] || return 1
  entry=$(grub_entry "$release" <"$configuration")
  [[ -n $entry ]] || return 1
  # Only where the default is the saved entry does GRUB mind which one that is; the entry for once it always minds.
  # shellcheck disable=SC2016 # GRUB's own variable
  if grep -qF 'set default="${saved_entry}"' "$configuration"; then
    grub-set-default "$entry" >>"$LOG" 2>&1 && REPLY="$release"$'\t''from now on'
  else
    grub-reboot "$entry" >>"$LOG" 2>&1 && REPLY="$release"$'\t''at the next start alone'
  fi
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
