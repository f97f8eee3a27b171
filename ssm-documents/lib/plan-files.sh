# shellcheck shell=bash
# Owns the package files that a plan names, in this job's own folder.

# Whether the files of a plan are there, byte for byte. Sets REPLY to the names of those that are not.
check_files() {
  family_plan_files "$1" >"$WORK/files" || {
    REPLY='the plan could not be read'
    return 1
  }
  check_hashes "$FILES"
}

# Checks `files`, lines of `<sha256>  <file name>`, in a folder.
check_hashes() {
  REPLY=''
  [[ -s $WORK/files ]] || return 0
  # Its exit code decides: a program that could not check prints no names either. A line without a hash checks nothing.
  (cd "$1" && sha256sum --strict -c "$WORK/files") >"$WORK/checked" 2>>"$LOG" && return 0
  REPLY=$(sed -n 's/: FAILED.*//p' "$WORK/checked" | some_of)
  [[ -n $REPLY ]] || REPLY='sha256sum could not check them'
  return 1
}
