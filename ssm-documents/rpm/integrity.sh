# shellcheck shell=bash
# Owns what rpm says of installed files.

# `S.5....T.  c /etc/file` or `missing   c /etc/file`: rpm names no package with it. Times alone are no difference.
family_integrity() {
  local status=0
  [[ -s $1 ]] || return 0
  xargs -r timeout 300 rpm ${ROOT:+--root "$ROOT"} -V --nodeps --noscripts --nomtime <"$1" >"$WORK/verified" 2>>"$LOG" || status=$?
  # rpm says as many as the packages that differ, and xargs makes 123 of it.
  ((status == 0 || status == 123)) || return 1
  awk '
    { at = index($0, " /"); if (!at) next
      mark = $1; kind = $2; path = substr($0, at + 1)
      # Ghosts, licences and documentation may be missing for good reasons.
      if (kind ~ /^[dglr]$/) next
      sub(/ \(.*\)$/, "", path)
      print "-\t" path "\t" mark "\t" (kind == "c" ? "config" : "file") }' "$WORK/verified"
}
