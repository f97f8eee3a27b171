# shellcheck shell=bash
# Owns what zypper's resolver would do, as entries of a plan.

# Terms of every look and of the transaction: required packages alone, and nobody else's in place of a vendor's own.
TERMS=(--no-recommends --auto-agree-with-licenses)

family_resolve() {
  local -a words=()
  case $Mode in
  security | advisories) want_patches ;;
  packages) awk -F '\t' 'FILENAME == ARGV[1] { asked[$1] = 1; next } $1 in asked { print $1 }' "$STATE/selections" "$WORK/installed" |
    sort -u >"$WORK/wanted" ;;
  groups) want_patterns ;;
  esac
  if [[ -f $WORK/wanted ]]; then
    mapfile -t words <"$WORK/wanted"
    # None of these is on this server; without a name zypper would update everything.
    ((${#words[@]} > 0)) || return 0
  fi
  look "${words[@]}"
  if [[ $Removals == refuse ]] && grep -qE $'\tremove\t' "$WORK/changes"; then avoid_removals "${words[@]}"; fi
  write_entries
  write_advisories
  kept_back >"$WORK/kept-back"
  awk '/^<install-summary / { for (i = 1; i <= NF; i++) if ($i ~ /^(download-size|space-usage-diff)=/) {
      split($i, part, "\""); print (part[1] ~ /^d/ ? "download" : "installed") "\t" part[2] } }' "$WORK/simulation" >"$WORK/totals"
}

# Asks zypper what it would do; writes `changes`.
look() {
  local status=0
  local -a verb=(update)
  [[ $DISTRIBUTION != rolling ]] || verb=(dist-upgrade)
  zypper_on "$METADATA_SEALED" --no-refresh "${verb[@]}" "${TERMS[@]}" --no-force-resolution --dry-run --details -- "$@" \
    >"$WORK/simulation" 2>&1 || status=$?
  # 102 and 103 speak of what would be needed after it.
  [[ $status == @(0|102|103) ]] || {
    log_answer "$WORK/simulation"
    conclude 100 blocked resolver-failed "zypper ended with $status: $(zypper_words "$WORK/simulation")"
  }
  parse_summary <"$WORK/simulation" >"$WORK/changes"
  # What could not be read must not look like nothing to update.
  if ! grep -qE '<install-summary |>Nothing to do\.<' "$WORK/simulation" || grep -q $'\tunknown\t' "$WORK/changes"; then
    log_answer "$WORK/simulation"
    conclude 1 blocked script-failed 'what zypper would do could not be read'
  fi
}

# Without permission to remove, updates that remove something are kept back: the packages that would go are locked in
# this job's own list, and zypper is asked again.
avoid_removals() {
  local names
  awk -F '\t' '$5 == "remove" { print $1 }' "$WORK/changes" | sort -u >"$WORK/not-removed"
  names=$(some_of <"$WORK/not-removed")
  log "not removed, since the policy does not allow it: $names"
  write_locks "$METADATA_SEALED.locks" "$WORK/not-removed"
  look "$@"
  ! grep -qE $'\tremove\t' "$WORK/changes" ||
    conclude 100 blocked resolver-failed "zypper can not do it without removing $names, which the policy does not allow"
}

# Patterns are packages that say so; what belongs to one are the packages that it names.
want_patterns() {
  local _ file unknown
  list_primaries "$METADATA_SEALED"
  while IFS=$'\t' read -r _ file; do unpacked "$file" | read_patterns; done <"$WORK/primaries" >"$WORK/patterns"
  unknown=$(awk -F '\t' 'FILENAME == ARGV[1] { known[$1] = 1; next } { sub(/^@/, "") } !($1 in known) { print $1 }' \
    "$WORK/patterns" "$STATE/selections" | some_of)
  [[ -z $unknown ]] || conclude 107 unsupported mode-unsupported "no repository of this server has a pattern $unknown"
  awk -F '\t' '
    FILENAME == ARGV[1] { installed[$1] = 1; next }
    FILENAME == ARGV[2] { sub(/^@/, ""); asked[$1] = 1; next }
    ($1 in asked) && ($2 in installed) { print $2 }' "$WORK/installed" "$STATE/selections" "$WORK/patterns" | sort -u >"$WORK/wanted"
}

# Prints pattern and member for each pattern of `primary.xml` on stdin, the package that is the pattern among them.
read_patterns() {
  awk '
    BEGIN { RS = "<package " }
    function attribute(text, name,   at) {
      at = index(text, " " name "=\"")
      if (!at) return ""
      text = substr(text, at + length(name) + 3)
      return substr(text, 1, index(text, "\"") - 1)
    }
    !index($0, "\"pattern()\"") { next }
    {
      n = split($0, tag, "<"); pattern = name = section = ""; members = 0
      for (i = 1; i <= n; i++) {
        if (tag[i] ~ /^name>/) name = substr(tag[i], 6)
        else if (tag[i] ~ /^rpm:(provides|requires|recommends)>/) section = tag[i]
        else if (tag[i] ~ /^\/rpm:/) section = ""
        else if (tag[i] !~ /^rpm:entry / || section == "") continue
        else if (section !~ /^rpm:provides/) member[++members] = attribute(tag[i], "name")
        else if (attribute(tag[i], "name") == "pattern()") pattern = attribute(tag[i], "ver")
      }
      if (pattern == "") next
      print pattern "\t" name
      for (i = 1; i <= members; i++) print pattern "\t" member[i]
    }'
}

# Writes the entries; size and hash of every file as the signed metadata states them. A package that another obsoletes
# is replaced by it.
write_entries() {
  local problem
  problem=$(awk -F '\t' '$5 == "vendor" { print $1 }' "$WORK/changes" | some_of)
  [[ -z $problem ]] || conclude 100 blocked resolver-failed "zypper would take these from another vendor: $problem"
  [[ $DISTRIBUTION == rolling ]] || ! grep -q $'\tdowngrade\t' "$WORK/changes" ||
    conclude 107 unsupported downgrade-wanted 'zypper wants a downgrade, which no campaign does on this distribution'
  awk -F '\t' '$4 != "-" { print $1 }' "$WORK/changes" >"$WORK/coming"
  list_available "$METADATA_SEALED" "$WORK/coming"
  awk -F '\t' '
    FILENAME == ARGV[1] {
      key = $2 "\t" $3 "\t" $4
      size[key] = $5; hash[key] = $6; from[key] = $1
      exact[key "\t" $1] = $5 "\t" $6
      obsoletes[key] = $9
      next
    }
    FNR == 1 { pass++ }
    pass == 1 {
      if ($4 != "-") { n = split(obsoletes[$1 "\t" $2 "\t" $4], names, ","); for (i = 1; i <= n; i++) gone[names[i]] = 1 }
      next
    }
    $5 == "remove" { print ($1 in gone ? "replace" : "remove") "\t" $1 "\t" $2 "\t" $3 "\t-\t-\tno\t0\t-"; next }
    {
      key = $1 "\t" $2 "\t" $4
      # The same version may lie in several repositories.
      if ((key "\t" $6) in exact) { split(exact[key "\t" $6], file, "\t"); size[key] = file[1]; hash[key] = file[2]; from[key] = $6 }
      if (length(hash[key]) != 64) { print "unsigned\t" $1; next }
      repository = from[key]; gsub(/[^A-Za-z0-9+.:\/_~-]/, "-", repository)
      print $5 "\t" $1 "\t" $2 "\t" $3 "\t" $4 "\t" substr(repository, 1, 128) "\tno\t" size[key] "\t" hash[key]
    }' "$WORK/available" "$WORK/changes" "$WORK/changes" >"$WORK/entries"
  problem=$(awk -F '\t' '$1 == "unsigned" { print $2 }' "$WORK/entries" | some_of)
  [[ -z $problem ]] || conclude 107 unsupported unsigned "no signed metadata gives a SHA-256 for $problem"
  [[ $(grep -c . "$WORK/entries") == "$(grep -c . "$WORK/changes")" ]] ||
    conclude 1 blocked script-failed 'the plan has not all that zypper would do'
}

# zypper leaves out what it can not update without a word, so what it knows to be newer is compared with the plan.
kept_back() {
  zypper_on "$METADATA_SEALED" --no-refresh list-updates --all >"$WORK/updates" 2>>"$LOG" || return 0
  [[ -f $WORK/wanted ]] || cut -f 1 "$WORK/installed" | sort -u >"$WORK/wanted"
  awk -v RS='<' '
    function attribute(name,   at, text) {
      at = index($0, " " name "=\"")
      if (!at) return ""
      text = substr($0, at + length(name) + 3)
      return substr(text, 1, index(text, "\"") - 1)
    }
    /^update / && attribute("kind") == "package" { print attribute("name") }' "$WORK/updates" |
    awk -F '\t' -v never="$NEVER_CHANGED" '
      FILENAME == ARGV[1] { planned[$2] = 1; next }
      FILENAME == ARGV[2] { wanted[$1] = 1; next }
      !($1 in planned) && ($1 in wanted) && index($1, never) != 1' "$WORK/entries" "$WORK/wanted" - | sort -u
}
