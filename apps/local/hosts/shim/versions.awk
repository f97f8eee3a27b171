# Owns which of two Debian versions is the later one (Debian policy 5.6.12).

# Where a character sorts: a tilde before the end of the text, the end before letters, letters before the rest.
function weight(character) {
  if (character == "~") return -1
  if (character == "") return 0
  if (character ~ /[A-Za-z]/) return index("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", character)
  return 100 + index("+-.:", character)
}

# Below, at or above 0, for a part of a version: words and numbers in turn, the words first.
function compare_parts(a, b,    x, y, difference) {
  while (a != "" || b != "") {
    while ((a != "" && a !~ /^[0-9]/) || (b != "" && b !~ /^[0-9]/)) {
      x = a ~ /^[^0-9]/ ? substr(a, 1, 1) : ""
      y = b ~ /^[^0-9]/ ? substr(b, 1, 1) : ""
      difference = weight(x) - weight(y)
      if (difference != 0) return difference
      a = substr(a, 2)
      b = substr(b, 2)
    }
    sub(/^0+/, "", a)
    sub(/^0+/, "", b)
    x = y = ""
    if (match(a, /^[0-9]+/)) x = substr(a, 1, RLENGTH)
    if (match(b, /^[0-9]+/)) y = substr(b, 1, RLENGTH)
    if (length(x) != length(y)) return length(x) - length(y)
    # As text: the numbers are of one length, and may be longer than a number can be.
    if ((x "") != (y "")) return (x "") < (y "") ? -1 : 1
    a = substr(a, length(x) + 1)
    b = substr(b, length(y) + 1)
  }
  return 0
}

function epoch_of(version) {
  return index(version, ":") ? substr(version, 1, index(version, ":") - 1) : "0"
}

function revision_of(version) {
  return match(version, /-[^-]*$/) ? substr(version, RSTART + 1) : ""
}

function upstream_of(version) {
  sub(/^[^:]*:/, "", version)
  sub(/-[^-]*$/, "", version)
  return version
}

function compare_versions(a, b,    difference) {
  if (a == b) return 0
  difference = epoch_of(a) - epoch_of(b)
  if (difference == 0) difference = compare_parts(upstream_of(a), upstream_of(b))
  if (difference == 0) difference = compare_parts(revision_of(a), revision_of(b))
  return difference
}

# Whether a relation such as (a, ">=", b) holds, in the words of control files and in those of dpkg.
function holds(a, relation, b,    difference) {
  difference = compare_versions(a, b)
  if (relation == ">=" || relation == "ge") return difference >= 0
  if (relation == "<=" || relation == "le") return difference <= 0
  if (relation == ">>" || relation == "gt") return difference > 0
  if (relation == "<<" || relation == "lt") return difference < 0
  if (relation == "=" || relation == "eq") return difference == 0
  if (relation == "ne") return difference != 0
  print "the stand-in knows no relation \"" relation "\"" >"/dev/stderr"
  exit 2
}
