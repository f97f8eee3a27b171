# shellcheck shell=bash
# Owns what the policy asks of a server beside its packages: services that must be active, probes that must succeed. All
# are looked at side by side, within the time of the phase.

# A service that falls and is started again is active in between: it counts once it has been so for some seconds.
SETTLED=5
SERVICE_TRIES=4

# Looks at the services and probes of the order, and lowers FACTS[healthy], which units have set before.
judge_validation() {
  [[ -s $STATE/services || -s $STATE/probes ]] || return 0
  look_at_all "$WORK/validation"
  result_section validation "$WORK/validation"
  FOUND[servicesDown]=$(awk -F '\t' '$1 == "service" && $3 == "failed"' "$WORK/validation" | grep -c .)
  FOUND[probesFailed]=$(awk -F '\t' '$1 != "service" && $3 == "failed"' "$WORK/validation" | grep -c .)
  ((FOUND[servicesDown] == 0)) || unhealthy service-down "not active: $(failed_of service)"
  ((FOUND[probesFailed] == 0)) || unhealthy probe-failed "not as it should be: $(failed_of '(http|tcp|command)')"
  # Something that nobody looked at must not pass for good.
  if [[ ${FACTS[healthy]} == true ]] && ! awk -F '\t' '$3 == "unknown" { exit 1 }' "$WORK/validation"; then
    FACTS[healthy]=null
    warn validation-unknown "could not be looked at: $(awk -F '\t' '$3 == "unknown" { print $2 }' "$WORK/validation" | some_of)"
  fi
}

# Afterwards nobody could tell what the patch broke from what was broken before.
require_validation() {
  local item told=''
  FACTS[healthy]=true
  judge_validation
  for item in "${REASONS[@]}"; do told+="; ${item#*$'\t'}"; done
  [[ ${FACTS[healthy]} == true ]] || {
    REASONS=()
    conclude 1 refused not-healthy-before "already before the patch, so nothing was touched${told:-; services or probes could not be looked at}"
  }
  FACTS[healthy]=null FOUND[servicesDown]='' FOUND[probesFailed]=''
}

unhealthy() {
  FACTS[healthy]=false
  reason "$1" "$2"
}

# Prints "web (status 500, not 200)" of what failed, the first few.
failed_of() {
  awk -F '\t' -v kind="^$1\$" '$1 ~ kind && $3 == "failed" { if (++n <= 3) text = text (n > 1 ? ", " : "") $2 " (" $4 ")" }
    END { print text (n > 3 ? " and " n - 3 " more" : "") }' "$WORK/validation"
}

# Writes a line for each: service or the kind of probe, name, ok|failed|unknown, what was seen.
look_at_all() {
  local NOW REPLY deadline unit line index=0
  local -a words looks=()
  seconds_left
  # A way back looks after each rung, and the later ones are not to be left without time.
  [[ $PHASE != rollback ]] || REPLY=$((REPLY / 3))
  read_uptime
  deadline=$((NOW + (REPLY > 60 ? REPLY - 30 : REPLY / 2) * 100))
  while IFS= read -r unit; do
    look_apart "$index" service "$unit" 10 "$SERVICE_TRIES" see_service "$unit"
  done <"$STATE/services"
  while IFS= read -r line; do
    words=()
    # Word by word: `read` would lose empty ones.
    while [[ $line == *$'\t'* ]]; do
      words+=("${line%%$'\t'*}")
      line=${line#*$'\t'}
    done
    words+=("$line")
    look_apart "$index" "${words[@]:0:4}" "see_${words[0]}" "${words[@]:4}"
  done <"$STATE/probes"
  ((index == 0)) || wait "${looks[@]}" || true
  # A look that ended without a word has none in its file.
  for ((line = 0; line < index; line++)); do cat -- "$WORK/look.$line"; done >"$1"
}

# look_apart <number> <kind> <name> <seconds> <tries> <function> [<argument>…]
look_apart() {
  printf '%s\t%s\tunknown\tthe look was cut short\n' "$2" "$3" >"$WORK/look.$1"
  try_look "$@" &
  looks+=("$!")
  index=$((index + 1))
}

try_look() {
  local file=$WORK/look.$1 kind=$2 name=$3 seconds=$4 tries=$5 try LIMIT NOW verdict=unknown detail='no time was left' SEEN=''
  shift 5
  trap - EXIT TERM INT HUP
  exec {JOB_LOCK}>&-
  for ((try = 1; try <= tries; try++)); do
    read_uptime
    LIMIT=$(((deadline - NOW) / 100))
    ((LIMIT > 0)) || break
    ((LIMIT <= seconds)) || LIMIT=$seconds
    "$@"
    case $? in
    0) verdict=ok ;;
    2) verdict=unknown try=$tries ;;
    3) verdict=failed try=$tries ;;
    *) verdict=failed ;;
    esac
    detail=$SEEN
    if ((try == tries)) || [[ $verdict != failed ]]; then break; fi
    sleep 5
  done
  log "$kind $name: $verdict, $detail"
  printf '%s\t%s\t%s\t%s\n' "$kind" "$name" "$verdict" "$detail" >"$file"
}

# They set SEEN, and return 0 for as it should be, 1 for not yet, 2 where it can not be told, 3 for not any more.

see_service() {
  local since NOW
  SEEN=''
  ! runs_systemd || SEEN=$(timeout "$LIMIT" systemctl is-active -- "$1" 2>>"$LOG" </dev/null) || true
  [[ -n $SEEN ]] || {
    SEEN='systemd did not say'
    return 2
  }
  [[ $SEEN != failed ]] || return 3
  [[ $SEEN == active || $SEEN == reloading || $SEEN == refreshing ]] || return 1
  since=$(timeout "$LIMIT" systemctl show -p ActiveEnterTimestampMonotonic -- "$1" 2>>"$LOG" </dev/null)
  since=${since#*=}
  read_uptime
  [[ $since =~ ^[1-9][0-9]*$ ]] && ((NOW * 10000 - since < SETTLED * 1000000)) || return 0
  SEEN="active for less than $SETTLED seconds"
  return 1
}

# Of what is asked only the status counts; a redirect is a status as well. Every user of a server sees the arguments of
# programs, and an address may have a key in it.
see_http() {
  local code=0 url=${2//\\/\\\\}
  url=${url//\"/\\\"}
  SEEN=$(timeout -k 2 $((LIMIT + 2)) curl -q --silent --globoff --noproxy '*' --proto '=http,https' --max-time "$LIMIT" \
    --output /dev/null --write-out '%{http_code}' --config - < <(printf 'url = "%s"\n' "$url") 2>>"$LOG") || code=$?
  if ((code != 0)); then
    SEEN="no answer in time or at all, curl ended with $code"
    return 1
  fi
  [[ $SEEN =~ ^[0-9]+$ ]] || SEEN=nothing
  [[ $SEEN == "$1" ]] && SEEN="status $SEEN" && return 0
  SEEN="status $SEEN, not $1"
  return 1
}

see_tcp() {
  SEEN="connected to $2 port $1"
  # shellcheck disable=SC2016 # for the other shell
  timeout -k 2 "$LIMIT" /bin/bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$2" "$1" </dev/null >/dev/null 2>&1 && return 0
  SEEN="no connection to $2 port $1"
  return 1
}

# Sets REPLY to the file that a path below a folder stands for. Fails where others than root can change which one that is
# or what is in it; REPLY is then where: the file, a folder above it, or one in which a link on the way lies.
find_guarded() {
  local at rest=$1 part target links=0
  at=$(readlink -f -- "$2/")
  at=${at%/}
  while is_guarded "${at:-/}"; do
    rest=${rest##+(/)}
    REPLY=$at
    [[ -n $rest ]] || return 0
    part=${rest%%/*}
    rest=${rest:${#part}}
    if [[ $part == .. ]]; then
      at=${at%/*}
    elif [[ -L $at/$part ]]; then
      ((++links <= 40)) || return 1
      target=$(readlink -- "$at/$part")
      [[ $target != /* ]] || at=''
      rest=$target$rest
    elif [[ $part != . ]]; then
      at=$at/$part
    fi
  done
  REPLY=${at:-/}
  return 1
}

is_guarded() {
  local owner mode
  read -r owner mode < <(stat -c '%u %a' -- "$1" 2>/dev/null)
  [[ $owner == 0 || $owner == "$EUID" ]] && ((!(8#$mode & 8#22)))
}

# Killed with its process group when its time is over. What leaves that group may hold the pipe, not the look. It runs as
# root, so nobody else may be able to say what it does.
see_command() {
  local code REPLY
  shift
  find_guarded "$1" '' || {
    SEEN="$REPLY has to belong to root and to be writable by nobody else"
    [[ -e $1 ]] || SEEN="$1 is not there"
    return 3
  }
  (cd / && exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
    timeout -s KILL "$LIMIT" "$@") </dev/null 2>&1 |
    timeout -s KILL $((LIMIT + 1)) tail -c 1000 >"$file.said"
  code=${PIPESTATUS[0]}
  log_output "$file.said"
  SEEN="ended with $code"
  ((code != 137)) || SEEN="not over in $LIMIT seconds"
  ((code == 0))
}
