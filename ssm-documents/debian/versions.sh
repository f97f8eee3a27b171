# shellcheck shell=bash
# Owns how what is installed compares with a plan.

version_at_least() {
  [[ $1 == "$2" ]] || dpkg --compare-versions "$1" ge "$2"
}

# Reads the canonical plan and `installed`; writes a line for each entry: verdict, name, architecture, from, to,
# installed version (`-` when not there). Verdicts: there, pending, broken (unpacked, not configured), gone (removed
# by someone since). dpkg is asked only where neither side of the entry is what is installed.
compare_plan() {
  local verdict name arch from to now
  awk -F '\t' '
    NR == FNR { version[$1 "\t" $2] = $3; state[$1 "\t" $2] = substr($4, 2, 1); next }
    FNR == 1 { next }
    {
      key = $2 "\t" $3
      # A package may have become architecture-independent, or ceased to be.
      if (!(key in version)) for (other in version) if (index(other, $2 "\t") == 1 && (other ~ /\tall$/ || $3 == "all")) key = other
      now = key in version ? version[key] : "-"
      if ($1 == "remove") verdict = now == "-" ? "there" : "pending"
      else if (now == "-") verdict = $4 == "-" ? "pending" : "gone"
      else if (state[key] != "i") verdict = "broken"
      else if (now == $5) verdict = "there"
      else if (now == $4) verdict = "pending"
      else verdict = "unknown"
      print verdict "\t" $2 "\t" $3 "\t" $4 "\t" $5 "\t" now
    }' "$WORK/installed" "$STATE/plan" |
    while IFS=$'\t' read -r verdict name arch from to now; do
      if [[ $verdict == unknown ]]; then
        if version_at_least "$now" "$to"; then verdict=there; else verdict=pending; fi
      fi
      printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$verdict" "$name" "$arch" "$from" "$to" "$now"
    done >"$1"
}

# Whether every entry of the plan has a verdict, and it is the good one.
is_satisfied() {
  [[ $(grep -c $'^there\t' "$1") == "$PLAN_ENTRIES" ]]
}

# Prints examples of the names that have one of the given verdicts (a regular expression).
names_with() {
  awk -F '\t' -v verdict="^($2)$" '$1 ~ verdict { print $2 }' "$1" | some_of
}

# Writes name, architecture and installed version of the plan's packages.
versions_of_plan() {
  awk -F '\t' '$6 != "-" { print $2 "\t" $3 "\t" $6 }' "$1" >"$2"
}
