# shellcheck shell=bash
# Owns what was published since the plan was sealed: listed, and never installed.

family_newer() {
  local name arch to now
  family_metadata "$METADATA_NOW" || return 1
  awk -F '\t' '
    FILENAME == ARGV[1] { if (!($1 in now)) now[$1] = $3; next }
    FNR > 1 && $5 != "-" && ($2 in now) && now[$2] != $5 { print $2 "\t" $3 "\t" $5 "\t" now[$2] }
  ' "$METADATA_NOW.index" "$STATE/plan" |
    while IFS=$'\t' read -r name arch to now; do
      family_version_at_least "$to" "$now" || printf '%s\t%s\t%s\n' "$name" "$arch" "$now"
    done >"$1.new" && mv -f -- "$1.new" "$1"
}
