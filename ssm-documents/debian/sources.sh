# shellcheck shell=bash
# Owns which sources apt is shown: the operator's, without what turns signature checks off, and with the repositories
# that the order turns on or leaves out.

# A source that says trusted=yes brings packages whose hashes nobody signed. Where one does, or the order chooses
# among repositories, work with copies: apt itself then judges, and refuses what has no good signature. Sources may hold
# passwords, so the copies are for root alone; apt reads them before it changes to a user of its own.
copy_sources() (
  umask 077
  rm -rf -- "$APT/sources.list" "$APT/sources.list.d"
  [[ -s $STATE/repositories ]] ||
    grep -qsriE 'trusted *[=:] *yes|allow-(insecure|weak)[a-z-]* *[=:] *yes' "$SOURCES" "$SOURCES_D" || return 0
  mkdir -- "$APT/sources.list.d"
  : >"$WORK/sources-found"
  for file in "$SOURCES" "$SOURCES_D"/*.list "$SOURCES_D"/*.sources; do
    [[ -f $file ]] || continue
    if [[ $file == "$SOURCES" ]]; then set -- "$APT/sources.list"; else set -- "$APT/sources.list.d/${file##*/}"; fi
    sed -E 's/(trusted|allow-insecure|allow-weak|allow-downgrade-to-insecure) *= *yes//gI
      /^(trusted|allow-insecure|allow-weak|allow-downgrade-to-insecure) *: *yes/Id' "$file" | choose_repositories "$file" >"$1"
  done
)

# Reads the text of a source and prints what is chosen of it. A repository is called by its file (`docker` of docker.list)
# or by its suite as the source has it (`trixie-security`). What was turned on and is there goes to `sources-found`.
choose_repositories() {
  local stem=${1##*/}
  awk -v stem="${stem%.*}" -v stanzas="$([[ $1 == *.sources ]] && echo yes)" -v found="$WORK/sources-found" '
    function chosen(verb, word, i, any) {
      any = 0
      for (i = 1; i <= n; i++) if (verbs[i] == verb && (word ~ globs[i] || stem ~ globs[i])) {
        any = 1
        if (verb == "enable") print ids[i] >> found
      }
      return any
    }
    function say(i, j, suites, words, on, kept) {
      off = 0; suites = ""
      for (i = 1; i <= lines; i++) {
        if (tolower(line[i]) ~ /^enabled:[ \t]*(no|false|without|off|disable|0)[ \t]*$/) off = i
        if (tolower(line[i]) ~ /^suites:/) { suites = line[i]; sub(/^[^:]*:/, "", suites); at = i }
      }
      words = split(suites, word, " "); on = 0; kept = ""
      for (j = 1; j <= words; j++) {
        if (chosen("enable", word[j])) on = 1; else if (off) continue
        if (!chosen("disable", word[j])) kept = kept " " word[j]
      }
      if (words && (!off || on)) {
        if (kept == "") lines = 0
        else line[at] = "Suites:" kept
        if (off) line[off] = ""
      }
      for (i = 1; i <= lines; i++) if (line[i] != "") print line[i]
      if (lines) print ""
      lines = 0
    }
    FILENAME == ARGV[1] {
      ids[++n] = $2; verbs[n] = $1; glob = $2; gsub(/[.+]/, "[&]", glob); gsub(/[*]/, ".*", glob); globs[n] = "^" glob "$"
      next
    }
    !stanzas {
      text = $0; sub(/\[[^]]*\]/, "", text); split(text, word, " ")
      if (word[1] !~ /^deb/) next
      chosen("enable", word[3])
      if (!chosen("disable", word[3])) print
      next
    }
    /^#/ { next }
    /^[ \t]*$/ { say(); next }
    /^[ \t]/ && tolower(line[lines]) ~ /^suites:/ { line[lines] = line[lines] $0; next }
    { line[++lines] = $0 }
    END { say() }
  ' "$STATE/repositories" -
}

# What is to be turned on has to stand in a source, or it would be left out without a word.
require_repositories() {
  local unknown
  [[ $PHASE == prepare ]] || return 0
  unknown=$(awk -F '\t' '$1 == "enable" { print $2 }' "$STATE/repositories" | sort -u |
    comm -23 - <(sort -u "$WORK/sources-found" 2>/dev/null) | some_of)
  [[ -z $unknown ]] || conclude 107 unsupported mode-unsupported "no source of apt has a repository $unknown"
}
