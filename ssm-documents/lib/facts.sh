# shellcheck shell=bash
# Owns what any Linux server can be asked without its package manager: its units, its room, its locks.

runs_systemd() {
  [[ -d $ROOT/run/systemd/system ]]
}

# Waits until units have come up after a boot, or as many seconds have gone by.
await_boot() {
  local deadline NOW state
  runs_systemd || return 0
  read_uptime
  deadline=$((NOW + $1 * 100))
  while state=$(systemctl is-system-running 2>/dev/null) || true; do
    [[ $state == starting || $state == initializing ]] || return 0
    read_uptime
    ((NOW < deadline)) || return 1
    sleep 0.5
  done
}

# Writes the names of failed units, sorted, to a file. Fails where systemd is not there or does not answer.
list_failed_units() (
  set -o pipefail
  runs_systemd &&
    systemctl list-units --state=failed --plain --no-legend --no-pager 2>/dev/null | awk '{ print $1 }' | sort -u >"$1"
)

# Names processes that hold a POSIX lock on a file, as "apt-get (812)"; empty when none does.
lock_holders() {
  local inode lock mode pid id rest names='' command
  inode=$(stat -c %i -- "$1" 2>/dev/null) || return 0
  while read -r lock mode _ _ pid id rest; do
    [[ $mode != '->' && ${id##*:} == "$inode" && $pid -gt 0 ]] || continue
    command=unknown
    { read -r command <"/proc/$pid/comm"; } 2>/dev/null
    names+="${names:+, }$command ($pid)"
  done </proc/locks
  printf %s "$names"
}

# Mebibytes free at a path, for root.
free_mebibytes() {
  df -Pk -- "$1" | awk 'NR == 2 { printf "%d\n", $4 / 1024 }'
}

# "a and b, c and 4 more" of the words on stdin, so that a sentence names examples and stays short.
some_of() {
  awk -v most=5 'NF { n++; if (n <= most) text = text (n > 1 ? ", " : "") $1 }
    END { if (n > most) text = text " and " n - most " more"; print text }'
}
