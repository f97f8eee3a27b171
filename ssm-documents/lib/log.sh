# shellcheck shell=bash
# Owns the log of a phase and the time that its steps take, both by /proc/uptime: a server's clock may be wrong.

export LC_ALL=C
shopt -s extglob

# QD_ROOT is empty on servers. Only root can set it for a script that root starts; tests run the scripts as nobody,
# in a folder, with it.
ROOT=${QD_ROOT:-}
LOG=/dev/null

# Sets NOW to hundredths of a second since the machine started.
read_uptime() {
  local up
  read -r up _ </proc/uptime
  NOW=$((10#${up/./}))
}

# Sets REPLY to hundredths as seconds with a decimal point.
seconds_text() {
  printf -v REPLY '%d.%02d' $(($1 / 100)) $(($1 % 100))
}

# Takes users and passwords out of the addresses in a file: sources have them, and package managers repeat them.
redact() {
  sed -i -E 's|//[^/[:space:]]*@|//|g' -- "$1"
}

# Adds what a package manager said to the log.
log_output() {
  redact "$1" && cat -- "$1" >>"$LOG"
}

log() {
  local NOW REPLY
  read_uptime
  seconds_text "$NOW"
  printf '[%s] %s\n' "$REPLY" "$*" | tee -a -- "$LOG" >&2
}

declare -A STEP_TIMES=()

# Runs a command and adds its time to the step of that name.
timed() {
  local step=$1 began code=0
  shift
  read_uptime
  began=$NOW
  "$@" || code=$?
  read_uptime
  STEP_TIMES[$step]=$((${STEP_TIMES[$step]:-0} + NOW - began))
  return "$code"
}
