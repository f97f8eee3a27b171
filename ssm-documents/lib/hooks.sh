# shellcheck shell=bash
# Owns hooks: what a team has run on this server before and after its packages change (core/hook.ts has their contract).
# Each runs once for a job; one that was interrupted runs again.

NEEDS+=(env readlink)

# Scripts that came from the bucket, by their hash, and what hooks said to their undo.
HOOKS=$STATE/hooks.d
# More than this, and it is ended: what hooks say is kept on disk while they run.
MOST_SAID=1048576
HOOK_JOB=''

# Before anything is touched. All scripts of the phase are there and whole before the first one runs.
run_hooks_before() {
  local REPLY
  [[ -s $STATE/hooks ]] || return 0
  (umask 077 && mkdir -p -- "$HOOKS")
  gather_hooks || conclude 1 refused hook-failed "$REPLY"
  run_hooks "before-$PHASE" || conclude 1 refused hook-failed "$REPLY"
}

# What fails here shows in judge_hooks.
run_hooks_after() {
  [[ -s $STATE/hooks ]] || return 0
  run_hooks "after-$PHASE" || log "$REPLY"
}

gather_hooks() {
  local when name seconds failure script sha undo undo_sha
  while IFS=$'\t' read -r when name seconds failure script sha undo undo_sha; do
    [[ $when == *-"$PHASE" ]] || continue
    if find_script "$script" "$sha" && { [[ $undo == - ]] || find_script "$undo" "$undo_sha"; }; then continue; fi
    REPLY="hook $name can not be run: $REPLY"
    log "$REPLY"
    [[ $failure != stop ]] || return 1
  done <"$STATE/hooks"
}

# Sets REPLY to the file that can be executed, or to why there is none: <path or key> <sha256 or ->
find_script() {
  local file=$1
  if [[ $2 != - ]]; then
    file=$HOOKS/$2
    if [[ -f $file ]] && sha256_of_stdin <"$file" && [[ $REPLY == "$2" ]]; then
      REPLY=$file
      return 0
    fi
    get_object "$1" "$file.new" || { REPLY="its script can not be had: $TRANSPORT_ERROR" && return 1; }
    sha256_of_stdin <"$file.new"
    [[ $REPLY == "$2" ]] || { REPLY="the SHA-256 of $1 is $REPLY, not $2" && return 1; }
    chmod 0700 "$file.new" && mv -f -- "$file.new" "$file"
    REPLY=$file
    return 0
  fi
  file=$(readlink -f -- "$ROOT$1") || file=''
  [[ -f $file && -x $file ]] || { REPLY="$1 is no executable file" && return 1; }
  find_guarded "$1" "$ROOT" || { REPLY="$REPLY has to belong to root and to be writable by nobody else" && return 1; }
}

# Those of a moment, in the order's order. Sets REPLY and fails at the first that is to stop the phase.
run_hooks() {
  local line when name seconds failure script sha undo undo_sha key
  local -a lines=()
  mapfile -t lines <"$STATE/hooks"
  for line in "${lines[@]}"; do
    IFS=$'\t' read -r when name seconds failure script sha undo undo_sha <<<"$line"
    [[ $when == "$1" ]] || continue
    key=$when:$name
    if [[ ${ST[hook:$key]:-began} == began ]]; then
      save_stage "hook:$key=began"
      hook_seconds "$seconds"
      run_hook run "$script" "$sha" "$REPLY"
      save_stage "hook:$key=$HOOK_CODE"
    fi
    REPLY="hook $name $(said_by_code "${ST[hook:$key]}")"
    [[ ${ST[hook:$key]} == 0 || $failure != stop ]] || return 1
  done
}

# Its own, or what there is.
hook_seconds() {
  if [[ $when == before-* ]]; then time_to_spare; else seconds_left; fi
  ((REPLY < $1)) || REPLY=$1
}

said_by_code() {
  case $1 in
  124 | 137) printf 'was not over in its time' ;;
  refused) printf 'could not be run' ;;
  late) printf 'was not run: no time was left' ;;
  large) printf 'was ended: it printed more than 1 MiB' ;;
  *) printf 'ended with %s' "$1" ;;
  esac
}

# Runs one of the loop's hooks and sets HOOK_CODE: <run|undo> <path or key> <sha256 or -> <seconds>
run_hook() {
  local kind=$1 limit=$4 verdict=failed began NOW REPLY said=$HOOKS/$key.said
  HOOK_CODE=late
  read_uptime
  began=$NOW
  if ((limit <= 0)); then
    log "hook $name: no time is left"
  elif ! find_script "$2" "$3"; then
    HOOK_CODE=refused
    log "hook $name: $REPLY"
  else
    log "hook $name: $kind $2, up to $limit seconds"
    hook_input "$kind" "$limit" "$said" >"$WORK/hook.json"
    start_hook "$REPLY" "$limit"
    await_hook
    [[ $kind == undo ]] || keep_output "$said"
    tail -c 4096 "$WORK/hook.err" >"$WORK/hook.log" && log_output "$WORK/hook.log"
  fi
  [[ $HOOK_CODE != 0 ]] || verdict=ok
  read_uptime
  log "hook $name: $kind $verdict, $HOOK_CODE"
  [[ $HOOK_CODE =~ ^[0-9]+$ ]] && REPLY=$HOOK_CODE || REPLY=-
  printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$when" "$name" "$kind" "$verdict" "$REPLY" $(((NOW - began) / 100)) >>"$STATE/$PHASE.hooks"
}

hook_input() {
  local output='' undo=false
  if [[ $1 == undo ]]; then
    undo=true output=null
    [[ ! -s $3 ]] || output=$(<"$3")
  fi
  printf '{"schema":1,"hook":"%s","moment":"%s","campaign":"%s","server":"%s","deadlineSeconds":%d,"undo":%s%s}\n' \
    "$name" "$when" "$CampaignId" "$SERVER_ID" "$2" "$undo" "${output:+,\"output\":$output}"
}

# In a process group of its own, which ends with its time. What it leaves running holds neither our lock nor our files.
start_hook() {
  (
    exec {JOB_LOCK}>&-
    cd / && exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
      timeout -k 5 "$2" "$1"
  ) <"$WORK/hook.json" >"$WORK/hook.out" 2>"$WORK/hook.err" &
  HOOK_JOB=$!
}

# Sets HOOK_CODE. A child of it that does not end with it goes when its time is over, and may stay otherwise.
await_hook() {
  local ticks=0
  while kill -0 "$HOOK_JOB" 2>/dev/null; do
    sleep 0.1
    ((++ticks % 10 == 0 && $(stat -c %s -- "$WORK/hook.out") + $(stat -c %s -- "$WORK/hook.err") > MOST_SAID)) || continue
    end_hook
    HOOK_CODE=large
    return 0
  done
  HOOK_CODE=0
  wait "$HOOK_JOB" || HOOK_CODE=$?
  [[ $HOOK_CODE != 124 && $HOOK_CODE != 137 ]] || end_hook
  HOOK_JOB=''
}

end_hook() {
  [[ -n $HOOK_JOB ]] || return 0
  kill -KILL -- "-$HOOK_JOB" 2>/dev/null
  wait "$HOOK_JOB" 2>/dev/null
  HOOK_JOB=''
}

# One JSON object is for its undo; anything else is for nobody.
keep_output() {
  local REPLY
  rm -f -- "$1"
  [[ -s $WORK/hook.out ]] || return 0
  # In JSON a line ends between words alone, and an undo reads one line.
  REPLY=$(head -c 1025 -- "$WORK/hook.out" | tr -d '\0' | tr '\t\n\r' ' ')
  REPLY=${REPLY##+( )}
  REPLY=${REPLY%%+( )}
  if ((${#REPLY} <= 1024)) && [[ $REPLY == "{"*"}" ]]; then
    (umask 077 && printf '%s\n' "$REPLY" >"$1")
  else
    log "hook $name: what it printed is no JSON object of up to 1 KB, and not kept"
  fi
}

# Where the phase goes no further and nothing was touched: what hooks before did is taken back, the last first, also by
# those that failed or were interrupted.
undo_hooks() {
  local when name seconds failure script sha undo undo_sha key i REPLY
  local -a lines=()
  end_hook
  [[ -s $STATE/hooks ]] || return 0
  [[ ${ST[stage]:-} == started || (${ST[stage]:-} == transaction && ${ST[attempts]} == 0) ]] || return 0
  mapfile -t lines <"$STATE/hooks"
  for ((i = ${#lines[@]} - 1; i >= 0; i--)); do
    IFS=$'\t' read -r when name seconds failure script sha undo undo_sha <<<"${lines[i]}"
    key=$when:$name
    [[ $when == "before-$PHASE" && -n ${ST[hook:$key]:-} && $undo != - && -z ${ST[undo:$key]:-} ]] || continue
    seconds_left
    # Whatever the time: a server that was taken out of use is to come back. The agent itself leaves a minute more.
    run_hook undo "$undo" "$undo_sha" $((REPLY < 30 ? (seconds < 30 ? seconds : 30) : (seconds < REPLY ? seconds : REPLY)))
    save_stage "undo:$key=$HOOK_CODE"
    [[ $HOOK_CODE == 0 ]] || warn undo-failed "undo of hook $name $(said_by_code "$HOOK_CODE")"
  done
}

# Where hooks after failed that are to stop, the server is not as the policy wants it. That stays with the phase's state,
# since nothing that is looked at later would show it.
judge_hooks() {
  local when name seconds failure rest REPLY
  ST[hooks_failed]=''
  [[ -s $STATE/hooks ]] || return 0
  while IFS=$'\t' read -r when name seconds failure rest; do
    [[ ${ST[hook:$when:$name]:-0} != 0 ]] || continue
    if [[ $failure == warn ]]; then
      warn hook-failed "hook $name $(said_by_code "${ST[hook:$when:$name]}")"
    else
      FACTS[healthy]=false
      REPLY="hook $name $(said_by_code "${ST[hook:$when:$name]}")"
      reason hook-failed "$REPLY"
      ST[hooks_failed]+="${ST[hooks_failed]:+, }$REPLY"
    fi
  done <"$STATE/hooks"
}

# A server whose transaction failed is not taken back into use: hooks around a rollback are for that, or a person.
warn_of_hooks() {
  local names
  [[ -s $STATE/hooks ]] || return 0
  names=$(awk -F '\t' -v moment="before-$PHASE" '$1 == moment { print $2 }' "$STATE/hooks" | some_of)
  [[ -z $names ]] || warn hooks-left "not undone, since packages were touched: $names"
}

report_hooks() {
  [[ -f $STATE/$PHASE.hooks ]] || return 0
  FOUND[hooksFailed]=$(awk -F '\t' '$4 == "failed" { n++ } END { print n + 0 }' "$STATE/$PHASE.hooks")
  result_section hooks "$STATE/$PHASE.hooks"
}
CLOSING+=(undo_hooks report_hooks)
