# shellcheck shell=bash
# Owns the order of versions as rpm has it, without a program that servers may not have.

# An awk function `order(a, b)`: below, at or above 0 as the first `[epoch:]version[-release]` is older, the same or newer.
# Source: rpm's lib/rpmvercmp.c (4.20) and lib/rpmds.c for the epoch, which counts as 0 where there is none.
RPM_ORDER='
function order(a, b,  left, right, sign) {
  split_version(a, left); split_version(b, right)
  if (left["epoch"] != right["epoch"]) return left["epoch"] - right["epoch"]
  sign = segments(left["version"], right["version"])
  if (sign || left["release"] == "" || right["release"] == "") return sign
  return segments(left["release"], right["release"])
}
function split_version(text, parts,  at) {
  parts["epoch"] = 0
  if (match(text, /^[0-9]+:/)) { parts["epoch"] = substr(text, 1, RLENGTH - 1) + 0; text = substr(text, RLENGTH + 1) }
  at = index(text, "-")
  parts["version"] = at ? substr(text, 1, at - 1) : text
  parts["release"] = at ? substr(text, at + 1) : ""
}
function segments(a, b,  x, y) {
  while (a != "" || b != "") {
    sub(/^[^A-Za-z0-9~^]+/, "", a); sub(/^[^A-Za-z0-9~^]+/, "", b)
    if (a ~ /^~/ || b ~ /^~/) {
      if (a !~ /^~/) return 1
      if (b !~ /^~/) return -1
      a = substr(a, 2); b = substr(b, 2); continue
    }
    if (a ~ /^[\^]/ || b ~ /^[\^]/) {
      if (a == "") return -1
      if (b == "") return 1
      if (a !~ /^[\^]/) return 1
      if (b !~ /^[\^]/) return -1
      a = substr(a, 2); b = substr(b, 2); continue
    }
    if (a == "" || b == "") break
    if (a ~ /^[0-9]/) {
      if (b !~ /^[0-9]/) return 1
      match(a, /^[0-9]+/); x = substr(a, 1, RLENGTH); a = substr(a, RLENGTH + 1)
      match(b, /^[0-9]+/); y = substr(b, 1, RLENGTH); b = substr(b, RLENGTH + 1)
      sub(/^0+/, "", x); sub(/^0+/, "", y)
      if (length(x) != length(y)) return length(x) - length(y)
    } else {
      if (b ~ /^[0-9]/) return -1
      match(a, /^[A-Za-z]+/); x = substr(a, 1, RLENGTH); a = substr(a, RLENGTH + 1)
      match(b, /^[A-Za-z]+/); y = substr(b, 1, RLENGTH); b = substr(b, RLENGTH + 1)
    }
    # Compared as text: numbers may have more digits than awk counts.
    if (x "" != y "") return (x "" < y "") ? -1 : 1
  }
  return (a != "") - (b != "")
}'

family_version_at_least() {
  [[ $1 == "$2" ]] || awk -v a="$1" -v b="$2" "$RPM_ORDER"' BEGIN { exit order(a, b) < 0 }' </dev/null
}
