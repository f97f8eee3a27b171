# shellcheck shell=bash
# Owns the package files that a plan names, in this job's own archive folder.

# Prints "<sha256>  <file name>" for the entries of a plan that bring a file. apt's name for it has a colon as %3a.
plan_files() {
  awk -F '\t' 'NR > 1 && $5 != "-" { version = $5; gsub(/:/, "%3a", version)
    print $9 "  " $2 "_" version "_" $3 ".deb" }' "$1"
}

# Whether the files of a plan are there, byte for byte. Sets REPLY to the names of those that are not.
check_files() {
  REPLY=''
  plan_files "$1" >"$WORK/files" || {
    REPLY='the plan could not be read'
    return 1
  }
  [[ -s $WORK/files ]] || return 0
  # Its exit code decides: a program that could not check prints no names either.
  (cd "$ARCHIVES" && sha256sum -c "$WORK/files") >"$WORK/checked" 2>>"$LOG" && return 0
  REPLY=$(sed -n 's/: FAILED.*//p' "$WORK/checked" | some_of)
  [[ -n $REPLY ]] || REPLY='sha256sum could not check them'
  return 1
}
