# shellcheck shell=bash
# Owns what pacman can say of installed packages for a backup.

# Name, architecture, repository and mark. What no repository has was made by hand, or is from the AUR.
family_manifest() {
  pacman --dbpath "$DATABASE" --logfile /dev/null -Qeq >"$WORK/explicit" || return 1
  ask_pacman here "$METADATA_SEALED" "$FILES" -Sl >"$WORK/listed" || return 1
  awk -F '\t' -v OFS='\t' '
    FILENAME == ARGV[1] { explicit[$0] = 1; next }
    FILENAME == ARGV[2] { split($0, word, " "); if (!(word[2] in origin)) origin[word[2]] = word[1]; next }
    { print $1, $2, $1 in origin ? origin[$1] : "-", $1 in explicit ? "manual" : "automatic" }
  ' "$WORK/explicit" "$WORK/listed" "$WORK/installed"
}
