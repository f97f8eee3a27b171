# shellcheck shell=bash
# Owns the wait for whoever works on packages: bounded, and no lock is ever removed.

# Waits up to so many seconds. Sets REPLY to the holders when they have not gone by then.
await_locks() {
  local deadline NOW
  read_uptime
  deadline=$((NOW + $1 * 100))
  while :; do
    family_lock_holder
    [[ -n $REPLY ]] || return 0
    read_uptime
    ((NOW < deadline)) || return 1
    sleep 0.5
  done
}
