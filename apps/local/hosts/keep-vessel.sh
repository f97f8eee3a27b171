#!/bin/sh
# Owns the life of one vessel: starts it, waits for its owner to let go of stdin (a crash lets go too), removes it.
#
# usage: keep-vessel.sh start RUN TOOLS HOW STORAGE BASE...   prints the vessel's pid, stdin stays open; see enter-vessel.sh
#        keep-vessel.sh sweep RUN   removes what a vessel left whose keeper died with it
set -u

# The lock is held by the keeper and everything in the vessel, so that a sweep never meets a live one.
mode=$1
run=$2
here=$(dirname "$0")
exec 9>"$run/lock"
[ "$mode" = start ] || flock --nonblock 9 || exit 0

remove() {
  if [ -s "$run/cgroup" ]; then
    cgroup=$(cat "$run/cgroup")
    echo 1 2>/dev/null >"$cgroup/cgroup.kill"
    tries=0
    # Killed processes leave their cgroup when they are reaped, which takes a moment.
    while [ -d "$cgroup" ] && [ "$tries" -lt 100 ]; do
      find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
      [ -d "$cgroup" ] && sleep 0.05
      tries=$((tries + 1))
    done
  fi
  # Overlayfs leaves a work folder without any permission, which only (a namespace's) root can enter.
  if [ "$(id -u)" = 0 ]; then rm -rf -- "$run"; else unshare --user --map-root-user rm -rf -- "$run"; fi
}

if [ "$mode" = sweep ]; then
  remove
  exit
fi

tools=$3
how=$4
storage=$5
shift 5
flock 9
user=
[ "$how" = rootless ] && user='--user --map-root-user'
# Killed with this keeper (pdeathsig), and everything inside with it (kill-child ends the whole pid namespace).
# shellcheck disable=SC2086
setpriv --pdeathsig KILL unshare $user --mount --pid --net --uts --ipc --fork --kill-child \
  sh "$here/enter-vessel.sh" "$run" "$tools" "$how" "$storage" "$@" </dev/null &
vessel=$!
# From here on only the vessel holds stdout: its owner sees the end of it if it cannot start.
exec >&-
while read -r _; do :; done
kill -9 "$vessel" 2>/dev/null
wait "$vessel" 2>/dev/null
remove
