# shellcheck shell=bash
# Owns what was published since the plan was sealed: listed, and never installed.

source "$SCRIPTS/debian/metadata.sh"
source "$SCRIPTS/debian/versions.sh"

# Finds what is published now above the plan's versions, with fresh metadata and the operator's preferences. Writes
# name, architecture and version; fails when fresh metadata can not be had.
find_newer() {
  local lists=$APT/lists-now name arch to candidate
  fetch_metadata "$lists" || return 1
  write_apt_conf "$APT/now.conf" "$lists" "$APT/now.d"
  begin_preferences "$APT/now.d" "$STATE/exclusions"
  awk -F '\t' 'NR > 1 && $5 != "-" { print $2 ":" $3 }' "$STATE/plan" | sed 's/:all$//' |
    xargs -r apt-cache -c "$APT/now.conf" policy 2>>"$LOG" |
    awk '/^[^ ]/ { name = $1; sub(/:$/, "", name); sub(/:.*/, "", name) } $1 == "Candidate:" { print name "\t" $2 }' >"$WORK/candidates"
  awk -F '\t' 'NR == FNR { candidate[$1] = $2; next }
    FNR > 1 && $5 != "-" && ($2 in candidate) && candidate[$2] != $5 && candidate[$2] != "(none)" {
      print $2 "\t" $3 "\t" $5 "\t" candidate[$2] }' "$WORK/candidates" "$STATE/plan" |
    while IFS=$'\t' read -r name arch to candidate; do
      version_at_least "$to" "$candidate" || printf '%s\t%s\t%s\n' "$name" "$arch" "$candidate"
    done >"$1.new" && mv -f -- "$1.new" "$1"
}

# Beside the transaction, not before it: fetching metadata takes neither the package database nor its locks.
look_for_newer() {
  rm -f -- "$STATE/newer"
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
  mkdir -- "$WORK" && find_newer "$STATE/newer"
}

# Some seconds more for what ran beside the transaction.
await_newer() {
  local waited=0
  [[ -n ${NEWER_JOB:-} ]] || return 0
  while kill -0 "$NEWER_JOB" 2>/dev/null && ((waited < 100)); do
    sleep 0.1
    ((waited += 1))
  done
  kill -- "-$NEWER_JOB" 2>/dev/null || true
  wait "$NEWER_JOB" 2>/dev/null || true
}

# Sets NEWER from a list that was found.
report_newer() {
  NEWER=$(awk 'END { print NR }' "$1")
  result_section newer "$1"
}
