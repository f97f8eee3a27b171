# shellcheck shell=bash
# Owns what zypper's own files say of installed packages for a backup.

# Name, architecture, repository and mark: from its history, and its list of what came by need alone.
family_manifest() {
  cat -- "$ROOT/var/log/zypp/history" >"$WORK/history" || : >"$WORK/history"
  grep -v '^#' "$ROOT/var/lib/zypp/AutoInstalled" >"$WORK/automatic" || : >"$WORK/automatic"
  awk -F '\t' -v OFS='\t' '
    FILENAME == ARGV[1] { if (split($0, field, "|") > 6 && field[2] == "install") origin[field[3] OFS field[5] OFS field[4]] = field[7]; next }
    FILENAME == ARGV[2] { automatic[$1] = 1; next }
    { key = $1 OFS $2 OFS $3
      print $1, $2, origin[key] == "" ? "-" : origin[key], $1 in automatic ? "automatic" : "manual" }
  ' "$WORK/history" "$WORK/automatic" "$WORK/installed"
}
