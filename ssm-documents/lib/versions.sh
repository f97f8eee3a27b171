# shellcheck shell=bash
# Owns how what is installed compares with a plan.

# Prints the expression of kernels that are there in several versions.
kernels_beside() {
  if [[ $KERNELS_STAY == no ]]; then printf '^$'; else printf %s "$KERNEL_NAMES"; fi
}

# Packages (`<name> <arch> <version>`) have a kernel's release in their name, or as their version with the architecture
# after it, or, on SUSE, with the number of a rebuild more and without the flavour: <release> <file>
is_of_packages() {
  awk -F '\t' -v running="$1" '
    BEGIN { base = running; sub(/-[^-]*$/, "", base) }
    { version = $3; sub(/^[0-9]+:/, "", version); at = length($1) - length(running)
      if ((at > 0 && substr($1, at) == "-" running) || index(running, version ".") == 1 || version == base || index(version, base ".") == 1) found = 1 }
    END { exit !found }' "$2"
}

# Reads the canonical plan and `installed`; writes a line for each entry: verdict, name, architecture, from, to,
# installed version (`-` when not there). Verdicts: there, pending, broken (unpacked, not configured), gone (removed
# by someone since). The family is asked only where neither side of the entry is what is installed. Of packages that are
# there in several versions, as kernels are, the one that the entry speaks of counts, or else the newest.
compare_plan() {
  local verdict name arch from to now version
  awk -F '\t' -v kernel="$(kernels_beside)" '
    FILENAME == ARGV[1] {
      key = $1 "\t" $2; state[key "\t" $3] = substr($4, 2, 1)
      if (key in versions) versions[key] = versions[key] "," $3; else versions[key] = $3
      next
    }
    FNR == 1 { next }
    {
      key = $2 "\t" $3
      # A package may have become architecture-independent, or ceased to be.
      if (!(key in versions)) for (other in versions)
        if (index(other, $2 "\t") == 1 && (other ~ /\t(all|noarch|any)$/ || $3 ~ /^(all|noarch|any)$/)) key = other
      now = key in versions ? versions[key] : "-"
      has_from = (key "\t" $4) in state; has_to = (key "\t" $5) in state
      if ($5 == "-") {
        # Another version than the one to remove is still that package, unless it can be there in several.
        if (has_from) now = $4
        else if (now ~ /,/ || $2 ~ kernel) now = "-"
        verdict = now == "-" ? "there" : "pending"
      }
      else if (now == "-") verdict = $4 == "-" ? "pending" : "gone"
      else if (has_to) { now = $5; verdict = state[key "\t" $5] == "i" ? "there" : "broken" }
      else if (has_from) { now = $4; verdict = state[key "\t" $4] == "i" ? "pending" : "broken" }
      else if (now !~ /,/ && state[key "\t" now] != "i") verdict = "broken"
      else verdict = "unknown"
      print verdict "\t" $2 "\t" $3 "\t" $4 "\t" $5 "\t" now
    }' "$WORK/installed" "$STATE/plan" |
    while IFS=$'\t' read -r verdict name arch from to now; do
      if [[ $verdict == unknown ]]; then
        verdict=pending
        for version in ${now//,/ }; do
          now=$version
          if family_version_at_least "$version" "$to"; then
            verdict=there
            break
          fi
        done
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
