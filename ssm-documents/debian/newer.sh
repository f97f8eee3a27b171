# shellcheck shell=bash
# Owns what was published since the plan was sealed: listed, and never installed.

# Finds what is published now above the plan's versions, with fresh metadata and the operator's preferences. Writes
# name, architecture and version; fails when fresh metadata can not be had.
family_newer() {
  local lists=$METADATA_NOW name arch to candidate
  family_metadata "$lists" || return 1
  write_apt_conf "$APT/now.conf" "$lists" "$APT/now.d"
  begin_preferences "$APT/now.d" "$STATE/exclusions"
  awk -F '\t' 'NR > 1 && $5 != "-" { print $2 ":" $3 }' "$STATE/plan" | sed 's/:all$//' |
    xargs -r apt-cache -c "$APT/now.conf" policy 2>>"$LOG" |
    awk '/^[^ ]/ { name = $1; sub(/:$/, "", name); sub(/:.*/, "", name) } $1 == "Candidate:" { print name "\t" $2 }' >"$WORK/candidates"
  awk -F '\t' 'NR == FNR { candidate[$1] = $2; next }
    FNR > 1 && $5 != "-" && ($2 in candidate) && candidate[$2] != $5 && candidate[$2] != "(none)" {
      print $2 "\t" $3 "\t" $5 "\t" candidate[$2] }' "$WORK/candidates" "$STATE/plan" |
    while IFS=$'\t' read -r name arch to candidate; do
      family_version_at_least "$to" "$candidate" || printf '%s\t%s\t%s\n' "$name" "$arch" "$candidate"
    done >"$1.new" && mv -f -- "$1.new" "$1"
}
