#!/bin/bash
# Owns what a server is asked for its time zone: each method's answer, word for word, in the order in which they are
# believed. A method that can not answer is left out, and stderr says why. Nothing is changed.

set -eu
export LC_ALL=C
shopt -s extglob
# Of the agent's own environment; the server's zone is asked for.
unset TZ

source "$SCRIPTS/lib/json.sh"

# Empty on servers; tests run the script as nobody, in a folder.
ROOT=${QD_ROOT:-}
READINGS=''

# Seconds that a program may take, and the kill after it where it does not listen.
ask() {
  timeout -k 1 5 "$@" 2>/dev/null </dev/null
}

# Five answers of this length make 2 KB at most, even when each of their characters is escaped.
LONGEST=150

# Takes what a method answered, or says that it has no answer.
answer() {
  local method=$1 value=$2 REPLY
  if [[ -z $value || $value == n/a ]]; then
    printf 'quarterdeck: %s does not answer\n' "$method" >&2
  elif ((${#value} > LONGEST)); then
    printf 'quarterdeck: %s answers %d characters, which is no time zone\n' "$method" "${#value}" >&2
  else
    json_string "$value"
    READINGS+="${READINGS:+,}{\"method\":\"$method\",\"value\":$REPLY}"
  fi
}

# hrSystemDate.0 by its number, so that no MIB is needed: 11 octets in hex, of which the last three are the offset. As
# root the program makes folders for itself below /var/lib/snmp, unless it is told that they are elsewhere.
snmp_answer() {
  local value
  value=$(SNMP_PERSISTENT_DIR=/dev/null SNMPCONFPATH=/dev/null ask snmpget -v 2c -c public -t 1 -r 1 -m '' -M '' -O v \
    udp:localhost 1.3.6.1.2.1.25.1.2.0) || return 0
  # What there is not is said in words, with exit code 0.
  [[ $value != *'Hex-STRING: '* ]] || printf %s "${value%%+([[:space:]])}"
}

# Before systemd 239 there is no `show`, and a line of the status has it: `Time zone: Europe/Berlin (CET, +0100)`.
timedatectl_answer() {
  local line
  if line=$(ask timedatectl show -p Timezone --value); then
    printf %s "$line"
    return
  fi
  while IFS= read -r line; do
    [[ $line != *[Tt]'ime'?( )'zone: '* ]] || printf %s "${line##+([[:space:]])}"
  done < <(ask timedatectl status)
}

# The first line that is no comment.
timezone_file_answer() {
  local line
  [[ -r $ROOT/etc/timezone ]] || return 0
  while IFS= read -r line || [[ -n $line ]]; do
    line=${line%%#*}
    line=${line##+([[:space:]])}
    line=${line%%+([[:space:]])}
    [[ -z $line ]] || break
  done <"$ROOT/etc/timezone"
  printf %s "$line"
}

# As far as a name of the database and no further: there a zone may be a link to another that people did not choose.
localtime_answer() {
  local path=$ROOT/etc/localtime target='' hops
  for ((hops = 0; hops < 8; hops++)); do
    [[ -L $path ]] || return 0
    target=$(readlink "$path")
    [[ $target != *zoneinfo/* ]] || break
    [[ $target == /* ]] && path=$ROOT$target || path=${path%/*}/$target
  done
  [[ $target != *zoneinfo/* ]] || printf %s "$target"
}

if command -v snmpget >/dev/null; then answer snmp "$(snmp_answer)"; fi
if command -v timedatectl >/dev/null; then answer timedatectl "$(timedatectl_answer)"; fi
answer etc-timezone "$(timezone_file_answer)"
answer localtime-link "$(localtime_answer)"
answer date "$(ask date +%Z%z || :)"
printf '{"schema":1,"readings":[%s]}\n' "$READINGS"
