# shellcheck shell=bash
# Owns the table in which dnf and yum say what they would do.

# Reads what was printed and prints name, architecture, from, to, action, repository and bytes (rounded by the table) of
# every change; `skip` rows are what it leaves alone for want of something. Long names break rows: words count, not lines.
# Fails where the rows are not as many as the table itself counts.
parse_table() {
  awk -v installed="$WORK/installed" '
    BEGIN {
      while ((getline line < installed) > 0) {
        split(line, field, "\t")
        version[field[1] "\t" field[2]] = field[3]; arches[field[1]] = arches[field[1]] " " field[2]
      }
    }
    function bytes(number, unit) {
      return int(number * (unit ~ /^[kK]/ ? 1024 : unit ~ /^M/ ? 1048576 : unit ~ /^G/ ? 1073741824 : 1))
    }
    function there(name, arch,  other, i, n, list) {
      if ((name "\t" arch) in version) return version[name "\t" arch]
      n = split(arches[name], list, " ")
      for (i = 1; i <= n; i++) if (list[i] == "noarch" || arch == "noarch") return version[name "\t" list[i]]
      return "-"
    }
    function flush(  n, word, name, arch) {
      if (row == "") return
      n = split(row, word, " "); row = ""
      if (n < 5 || action == "") return
      name = word[1]; arch = word[2]
      sub(/^0:/, "", word[3])
      if (action != "skip") rows++
      if (action == "remove") print name "\t" arch "\t" word[3] "\t-\tremove\t-\t0"
      else print name "\t" arch "\t" (action == "install" ? "-" : there(name, arch)) "\t" word[3] "\t" action "\t" word[4] "\t" bytes(word[5], word[6])
      last = name
    }
    # What comes before is about repositories and problems, in lines that look like some of a table.
    /^ ?Package +Arch/ { headed = 1; next }
    !headed { next }
    ended { if (match($0, /^ ?(Install|Upgrad|Updat|Remov|Downgrad|Reinstall)[a-z]*:? +[(0-9]/)) {
        text = $0; gsub(/[^0-9 ]/, "", text); n = split(text, word, " "); for (i = 1; i <= n; i++) wanted += word[i] }
      if (/^$/ && wanted) exit
      next
    }
    /^Transaction Summary/ { flush(); ended = 1; next }
    /^[^ =].*: *$/ {
      flush(); began = 1
      action = /^Install/ ? "install" : /^(Upgrad|Updat)/ ? "upgrade" : /^Downgrad/ ? "downgrade" : /^Remov/ ? "remove" : /^Reinstall/ ? "reinstall" : /^(Skip|Not installed)/ ? "skip" : ""
      next
    }
    !began || /^=/ { next }
    $1 == "replacing" {
      flush(); name = $2; to = $3
      if (NF > 3) { arch = $3; to = $4 } else { arch = name; sub(/.*[.]/, "", arch); sub(/[.][^.]*$/, "", name) }
      sub(/^0:/, "", to)
      if (name != last) print name "\t" arch "\t" to "\t-\treplace\t-\t0"
      next
    }
    /^ [^ ]/ { flush(); row = $0; next }
    /^  / { row = row $0 }
    END { exit !(ended && rows == wanted) }'
}

# Whether it said that there is nothing to do, in place of a table.
says_nothing() {
  grep -qE '^(Nothing to do|No packages marked for update|No packages needed for security)' "$1" && ! grep -q '^Transaction Summary' "$1"
}

# Reads the table in a file into another; nothing to do is an empty one.
read_table() {
  if says_nothing "$1"; then
    : >"$2"
  else
    parse_table <"$1" >"$2"
  fi
}
