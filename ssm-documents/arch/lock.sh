# shellcheck shell=bash
# Owns pacman's lock: a file that is there, or not. Whoever holds it has it open.

# Prints a bash function that prints the processes that have a lock open, as "pacman (812)".
lock_function() {
  cat <<'SCRIPT'
lock_users() {
  find /proc/[0-9]*/fd -maxdepth 1 -lname "$1" 2>/dev/null | sed -E 's#^/proc/([0-9]+)/.*#\1#' | sort -un |
    while read -r id; do printf '%s (%s)\n' "$(cat "/proc/$id/comm" 2>/dev/null || echo unknown)" "$id"; done
}
SCRIPT
}
eval "$(lock_function)"

# A lock that nobody has open was left by a pacman that did not end well. It is named and stays: what that pacman left
# undone is for the operator to see, and the file is all that keeps the next program away from it. Only the lock of this
# job's own transaction goes, as part of its repair.
family_lock_holder() {
  REPLY=''
  [[ -e $LOCK ]] || return 0
  REPLY=$(lock_users "$LOCK" | paste -sd ',' | sed 's/,/, /g')
  [[ -n $REPLY ]] || REPLY="nobody who still runs: see what was interrupted, then remove $LOCK"
}
