# shellcheck shell=bash
# Owns the files of the versions before: fetched from repositories while those still have them, bounded by size, and
# sealed by their hashes as part of the plan.

# Prints the names on stdin that no glob of the order's never-list fits: first the list, then what is asked.
not_never() {
  awk -F '\t' -v column="$2" '
    FILENAME == ARGV[1] { glob = $0; gsub(/[.+]/, "[&]", glob); gsub(/[*]/, ".*", glob); globs[++n] = "^" glob "$"; next }
    { for (i = 1; i <= n; i++) if ($column ~ globs[i]) next; print }' "$STATE/never" "$1"
}

# Turns `entries` of nine fields into those of twelve.
keep_old_files() {
  local name arch version file most free
  # What an earlier pass kept is of a plan that was never sealed.
  rm -rf -- "$OLD"
  mkdir -p -- "$OLD" && chmod 0755 "$OLD"
  not_never "$WORK/entries" 2 | awk -F '\t' '$4 != "-" { print $2 "\t" $3 "\t" $4 }' | sort -u >"$WORK/old-wanted"
  family_old_sources <"$WORK/old-wanted" >"$WORK/old-sources" 2>>"$LOG" || log 'not all versions before could be looked for'
  : >"$WORK/old-kept"
  if [[ $KeepPackages == keep ]]; then
    free=$(free_mebibytes "$OLD")
    # The plan comes first, and half of what is free beside it stays free, whatever the policy allows.
    free=$(((free > PLAN_MEBIBYTES ? free - PLAN_MEBIBYTES : 0) / 2))
    most=$((KeepMebibytes < free ? KeepMebibytes : free))
    sort -t $'\t' -k 4,4n "$WORK/old-sources" |
      awk -F '\t' -v most=$((most * 1048576)) 'sum + $4 <= most { sum += $4; print $1 "\t" $2 "\t" $3 }' >"$WORK/old-chosen"
    family_fetch_old <"$WORK/old-chosen" >"$WORK/old-fetched" 2>>"$LOG" || log 'not all versions before could be fetched'
    seal_old_files kept <"$WORK/old-fetched" >"$WORK/old-kept"
    choose_to_repack >"$WORK/old-repack"
    family_repack <"$WORK/old-repack" >"$WORK/old-repacked" 2>>"$LOG"
    seal_old_files repacked <"$WORK/old-repacked" >>"$WORK/old-kept"
  fi
  cp -- "$WORK/old-kept" "$OLD/index"
  awk -F '\t' '
    FILENAME == ARGV[1] { listed[$1 "\t" $2 "\t" $3] = 1; next }
    FILENAME == ARGV[2] { kept[$1 "\t" $2 "\t" $3] = $7 "\t" $4 "\t" $5; next }
    {
      key = $2 "\t" $3 "\t" $4
      print $0 "\t" ($4 == "-" ? "-\t0\t-" : key in kept ? kept[key] : key in listed ? "repository\t0\t-" : "none\t0\t-")
    }' "$WORK/old-sources" "$WORK/old-kept" "$WORK/entries" >"$WORK/covered" ||
    conclude 1 blocked script-failed 'the coverage of the plan could not be written'
  mv -f -- "$WORK/covered" "$WORK/entries"
}

# Reads `<name> <arch> <version> <file name>`; prints what is there of it with its bytes, hash and how it came.
seal_old_files() {
  local name arch version file REPLY
  while IFS=$'\t' read -r name arch version file; do
    [[ -f $OLD/$file ]] || continue
    sha256_of_stdin <"$OLD/$file"
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$arch" "$version" "$(stat -c %s -- "$OLD/$file")" "$REPLY" "$file" "$1"
  done
}

# Prints what no repository has, as far as it fits beside what was kept: no more than is installed of it, the smallest first.
choose_to_repack() {
  awk -F '\t' -v OFS='\t' -v left=$((most * 1048576)) '
    FILENAME == ARGV[1] { listed[$1 OFS $2 OFS $3] = 1; next }
    FILENAME == ARGV[2] { left -= $4; next }
    FILENAME == ARGV[3] { size[$1 OFS $2 OFS $3] = $5 * 1024; next }
    !($0 in listed) && size[$0] > 0 { print size[$0], $0 }
    END { print "left", left }' "$WORK/old-sources" "$WORK/old-kept" "$WORK/installed" "$WORK/old-wanted" | sort -n |
    awk -F '\t' -v OFS='\t' '$1 == "left" { left = $2; next } sum + $1 <= left { sum += $1; print $2, $3, $4 }'
}
