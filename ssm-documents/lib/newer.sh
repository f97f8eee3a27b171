# shellcheck shell=bash
# Owns the look for what was published since the plan was sealed: listed, and never installed.

# Beside the transaction, not before it: fetching metadata takes neither the package database nor its locks.
look_for_newer() {
  rm -f -- "$STATE/newer" "$STATE/newer.problem"
  # A process group of its own, so that a mirror that never answers can be given up with all it keeps waiting.
  set -m
  find_newer_apart &
  set +m
  NEWER_JOB=$!
}

find_newer_apart() {
  local WORK=$WORK/newer
  local LOG=$WORK/log
  trap - EXIT TERM INT HUP
  exec {JOB_LOCK}>&-
  # On a server with one processor the transaction goes first.
  renice -n 10 -p "$BASHPID" >/dev/null 2>&1
  if mkdir -- "$WORK" && family_newer "$STATE/newer"; then return; fi
  printf '%s\t%s\n' "${METADATA_PROBLEM:-}" "${METADATA_DETAIL:-}" >"$STATE/newer.problem"
}

# Gives it so many seconds more.
await_newer() {
  local waited=0
  [[ -n $NEWER_JOB ]] || return 0
  while kill -0 "$NEWER_JOB" 2>/dev/null && ((waited < $1 * 10)); do
    sleep 0.1
    ((waited += 1))
  done
  kill -- "-$NEWER_JOB" 2>/dev/null || true
  wait "$NEWER_JOB" 2>/dev/null || true
  NEWER_JOB=''
}

# Sets NEWER from a list that was found.
report_newer() {
  NEWER=$(awk 'END { print NR }' "$1")
  result_section newer "$1"
}
