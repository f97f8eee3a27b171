# shellcheck shell=bash
# Owns the package files that a plan names, in this job's own archive folder.

# Prints "<sha256>  <file name>" for the entries of a plan that bring a file. apt's name for it has a colon as %3a.
plan_files() {
  awk -F '\t' 'NR > 1 && $5 != "-" { version = $5; gsub(/:/, "%3a", version)
    print $9 "  " $2 "_" version "_" $3 ".deb" }' "$1"
}

# Whether the files of a plan are there, byte for byte. Sets REPLY to the names of those that are not.
check_files() {
  plan_files "$1" >"$WORK/files"
  REPLY=$(cd "$ARCHIVES" && sha256sum --check --quiet "$WORK/files" 2>/dev/null | sed 's/: FAILED.*//' | some_of)
  [[ -z $REPLY ]]
}
