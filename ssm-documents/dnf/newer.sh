# shellcheck shell=bash
# Owns what was published since the plan was sealed: listed, and never installed.

family_newer() {
  local names
  family_metadata "$METADATA_NOW" || return 1
  mapfile -t names < <(awk -F '\t' 'NR > 1 && $5 != "-" { print $2 }' "$STATE/plan" | sort -u)
  : >"$WORK/published"
  if [[ $VARIANT == yum3 ]]; then
    ((${#names[@]} == 0)) || dnf_ask "$METADATA_NOW" -q -C list available "${names[@]}" 2>>"$LOG" | read_list | tr '\t' '|' >"$WORK/published"
  elif ((${#names[@]} > 0)); then
    dnf_ask "$METADATA_NOW" -q -C repoquery --available --latest-limit=1 --qf '%{name}|%{arch}|%{evr}\n' "${names[@]}" >"$WORK/published" 2>>"$LOG" || return 1
  fi
  awk -F '[|]' -v plan="$STATE/plan" "$RPM_ORDER"'
    BEGIN { while ((getline line < plan) > 0) { split(line, field, "\t"); if (field[5] != "" && field[5] != "-") { key = field[2] "\t" field[3]
      if (!(key in to) || order(field[5], to[key]) > 0) to[key] = field[5] } } }
    NF == 3 { sub(/^0:/, "", $3); key = $1 "\t" $2; if (key in to && order($3, to[key]) > 0) print key "\t" $3 }' "$WORK/published" |
    sort -u >"$1.new" && mv -f -- "$1.new" "$1"
}
