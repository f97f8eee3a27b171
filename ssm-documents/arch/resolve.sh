# shellcheck shell=bash
# Owns what pacman would do, as entries of a plan.

# Asks for the whole transaction and lets it end where it begins to fetch: there are no servers and no files, so nothing
# can come of it. Other ways to ask (--print, --downloadonly) leave conflicts and removals out.
# Writes `simulation` and `changes`: name, architecture, from, to, action, repository. Or says why not.
simulate_upgrade() {
  mkdir -p -- "$WORK/no-files"
  ask_pacman here "$METADATA_SEALED" "$WORK/no-files" -Su --ask "$1" >"$WORK/simulation" 2>&1 || true
  # That nothing could be fetched is as it should be.
  sed '/^:: Retrieving packages/,$d' "$WORK/simulation" >"$WORK/said" && log_output "$WORK/said"
  read_changes "$METADATA_SEALED.index"
}

# Of a simulation, by the index of its databases: <index>
read_changes() {
  local INDEX=$1 sim=$WORK/simulation question
  : >"$WORK/changes"
  # Answers are known or there is none.
  question=$(grep -m 1 -E '^:: There are [0-9]+ providers available' "$sim") && {
    REPLY="pacman asks a person: ${question#:: }"
    return 1
  }
  if ! grep -q '^:: Proceed with ' "$sim"; then
    grep -q '^ there is nothing to do$' "$sim" && ! grep -q '^error: ' "$sim" && return 0
    REPLY="pacman can not resolve it: $(grep -E '^(:: .*(in conflict|unable to satisfy)|error: )' "$sim" | head -n 3 | paste -sd ' ')"
    return 1
  fi
  awk -F '\t' '
    FILENAME == ARGV[1] { now[$1] = $3; arch[$1] = $2; next }
    FILENAME == ARGV[2] { key = $4 "/" $1 " " $3; if (!(key in to_arch)) to_arch[key] = $2; next }
    /^:: Replace .* with .*[?] / { split($0, word, " "); replaced[word[3]] = 1; next }
    /^Package \([0-9]+\) / {
      inside = 1; from_at = index($0, "Old Version"); to_at = index($0, "New Version"); end_at = index($0, "Net Change")
      if (!to_at) to_at = end_at
      if (!from_at) from_at = to_at
      next
    }
    inside && $0 == "" { if (rows) inside = 0; next }
    inside {
      rows++
      split(substr($0, 1, from_at - 1), word, " "); name = word[1]
      split(substr($0, from_at, to_at - from_at), word, " "); from = word[1] == "" ? "-" : word[1]
      split(substr($0, to_at, end_at - to_at), word, " "); to = word[1] == "" ? "-" : word[1]
      repository = "-"; key = name " " to
      if (slash = index(name, "/")) { repository = substr(name, 1, slash - 1); name = substr(name, slash + 1) }
      if (to == "-") print name "\t" arch[name] "\t" from "\t-\t" (name in replaced ? "replace" : "remove") "\t-"
      else print name "\t" to_arch[key] "\t" from "\t" to "\t" (from == "-" ? "install" : "upgrade") "\t" repository
    }
  ' "$WORK/installed" "$INDEX" "$sim" >"$WORK/changes"
  # What could not be read must not look like nothing to update.
  [[ $(sed -n 's/^Package (\([0-9]*\)) .*/\1/p' "$sim" | head -n 1) == "$(awk -F '\t' '$1 != "" && $2 != ""' "$WORK/changes" | wc -l)" ]] || {
    REPLY="what pacman would do could not be read"
    return 1
  }
}

family_resolve() {
  local REPLY names
  simulate_upgrade "$(answers "$Removals")" || conclude 100 blocked resolver-failed "$REPLY"
  refuse_changes
  kept_back >"$WORK/kept-back"
  names=$(some_of <"$WORK/kept-back")
  [[ -z $names ]] || warn partial-upgrade "the rest of the system moves on without $names, which Arch does not support"
  awk -F '\t' '
    FILENAME == ARGV[1] { key = $4 "/" $1 "/" $3; size[key] = $6; hash[key] = $8; next }
    $4 == "-" { print $5 "\t" $1 "\t" $2 "\t" $3 "\t-\t-\tno\t0\t-"; next }
    { key = $6 "/" $1 "/" $4; print $5 "\t" $1 "\t" $2 "\t" $3 "\t" $4 "\t" $6 "\tno\t" size[key] "\t" hash[key] }
  ' "$METADATA_SEALED.index" "$WORK/changes" >"$WORK/entries"
  names=$(awk -F '\t' '$5 != "-" && length($9) != 64 { print $2 }' "$WORK/entries" | some_of)
  [[ -z $names ]] || conclude 107 unsupported unsigned "no database gives a SHA-256 for $names"
  sum_totals >"$WORK/totals"
}

# What no plan of this family may do.
refuse_changes() {
  local names
  names=$(awk -F '\t' -v never="$NEVER_CHANGED" '$1 == never { print $1 }' "$WORK/changes")
  [[ -z $names ]] || conclude 100 blocked resolver-failed "pacman would change $names, which no campaign does"
  names=$(awk -F '\t' '$4 == "-" { print $1 }' "$WORK/changes" | sort | comm -12 - <(setting_of HoldPkg | sort) | some_of)
  [[ -z $names ]] || conclude 100 blocked resolver-failed "pacman would remove what HoldPkg names: $names"
  names=$(awk -F '\t' -v kernel="$KERNEL_NAMES" '$1 ~ kernel && $4 != "-" { print $1 }' "$WORK/changes" | some_of)
  # The modules of the running kernel go with its package: what is not loaded by then never will be.
  [[ -z $names || $Reboot != never ]] ||
    conclude 107 unsupported kernel-needs-reboot "a new $names takes the modules of the running kernel away, and the policy allows no reboot: exclude it or allow one"
}

# Ignored by the operator or the order, or a replacement that may not take place.
kept_back() {
  {
    sed -nE 's/^warning: ([^:]+): ignoring package (upgrade|replacement) .*/\1/p' "$WORK/simulation"
    [[ $Removals == allow ]] || sed -nE 's/^:: Replace ([^ ]+) with .*/\1/p' "$WORK/simulation"
  } | grep -vxF "$NEVER_CHANGED" | sort -u
}

sum_totals() {
  awk -F '\t' '
    FILENAME == ARGV[1] { was[$1] = $5 * 1024; next }
    FILENAME == ARGV[2] { key = $4 "/" $1 "/" $3; size[key] = $6; becomes[key] = $7; next }
    { key = $6 "/" $1 "/" $4; download += size[key]; grows += becomes[key] - ($3 == "-" ? 0 : was[$1]) }
    END { printf "download\t%.0f\ninstalled\t%.0f\n", download, grows }
  ' "$WORK/installed" "$METADATA_SEALED.index" "$WORK/changes"
}
