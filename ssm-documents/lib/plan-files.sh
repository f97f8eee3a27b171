# shellcheck shell=bash
# Owns the package files of jobs: those that a plan names, in this job's own folder, and when those of others go.

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

# Files of campaigns that were never verified do not stay for ever, nor do the versions before; what was said of a
# campaign does.
forget_old_jobs() {
  find "$HOME_FOLDER" -mindepth 2 -maxdepth 2 -type d ! -name state ! -name old ! -name configuration -mtime +45 -exec rm -rf -- {} +
  find "$HOME_FOLDER" -mindepth 2 -maxdepth 2 -type d \( -name old -o -name configuration \) -mtime "+$KeepDays" -exec rm -rf -- {} +
}
