# shellcheck shell=bash
# Owns the passage of a phase through its run: one at a time, within its time, ending in a recorded summary whatever
# happens.

PHASE='' CODE='' RESULT='' WORK='' BOOT_ID='' SERVER_PREFIX='' PLAN_SHA256='' PLAN_ENTRIES=0
REBOOTING='' NEWER_JOB=''
# Functions that have something to say of the phase, or to clear up after it, however it ends.
declare -a CLOSING=()
STARTED=0 USED_BEFORE=0

# A gap in hundredths of seconds that no time budget outlasts.
ENDLESS=100000000

# What the scripts call; families add their own.
NEEDS=(awk cat chmod comm cp curl cut date df du find flock grep gzip head ln mkdir mv nice paste renice rm sed setsid
  sha256sum sleep sort stat sync tail tee timeout touch tr xargs)

# Sets REPLY to the seconds that may still be used, reboot included: what is left of the first run's budget.
seconds_left() {
  local NOW
  read_uptime
  REPLY=$((ST[budget] - (NOW - STARTED + USED_BEFORE) / 100))
}

# Saves state together with the time that was used up to it.
save_stage() {
  local NOW REPLY
  read_uptime
  aws_time
  save_state "used=$((NOW - STARTED + USED_BEFORE))" "seen=$NOW $REPLY $BOOT_ID" "$@"
}

# Ends the phase: <code> <result> [<reason code> <detail>]
conclude() {
  CODE=$1
  RESULT=$2
  if (($# > 2)); then
    reason "$3" "$4"
    log "$2: $3: $4"
  fi
  exit 0
}

# Asks the agent to restart the server and to run this step again (exit 194).
ask_reboot() {
  remember_times
  save_stage stage=rebooting "reboots=$((${ST[reboots]:-0} + 1))" "reboot_boot=$BOOT_ID"
  log "asking the agent for reboot ${ST[reboots]}"
  REBOOTING=yes
  exit 0
}

# Adds what went by since state was saved. Uptime starts anew with the machine, so across a boot the time of day is
# asked as well, and the longer answer counts: time that is thought used is lost, time that is thought left could reach
# past a window. A command with less time than the first one had is held to its own.
count_absence() {
  local NOW REPLY uptime clock boot gap by_clock own
  read -r uptime clock boot <<<"${ST[seen]:-}"
  read_uptime
  gap=$((NOW < uptime ? NOW : NOW - uptime))
  if [[ $boot != "$BOOT_ID" ]]; then
    aws_time
    by_clock=$(((REPLY - clock) * 100))
    # A clock that went back does not know how long it was.
    ((by_clock > -6000)) || by_clock=$ENDLESS
    ((by_clock <= gap)) || gap=$by_clock
  fi
  ((gap < ENDLESS)) || gap=$ENDLESS
  [[ ${ST[stage]} != rebooting ]] || STEP_TIMES[reboot]=$gap
  USED_BEFORE=$((ST[used] + gap))
  own=$((TimeBudget + (USED_BEFORE - NOW + STARTED) / 100))
  ((ST[budget] < own)) || ST[budget]=$own
  STARTED=$NOW
}

# Keeps the times of steps across a reboot.
remember_times() {
  local step text=''
  for step in "${!STEP_TIMES[@]}"; do text+="$step:${STEP_TIMES[$step]} "; done
  ST[times]=$text
}

recall_times() {
  local item
  for item in ${ST[times]:-}; do STEP_TIMES[${item%%:*}]=${item#*:}; done
}

# Runs on every exit of the work step, also on the unexpected ones. The step itself never fails: the document would
# then end without its summary.
close_phase() {
  local status=$? step NOW
  trap - EXIT
  # What looks beside the transaction would keep the agent waiting, and the folder it writes to goes.
  [[ -z $NEWER_JOB ]] || kill -- "-$NEWER_JOB" 2>/dev/null
  if [[ -n $REBOOTING ]]; then exit 194; fi
  if [[ -z $RESULT ]]; then
    CODE=1
    RESULT=failed
    reason script-failed "the script of phase $PHASE ended with $status before it had a result"
  fi
  for step in "${CLOSING[@]}"; do "$step"; done
  read_uptime
  STEP_TIMES[total]=$((NOW - STARTED + USED_BEFORE))
  log "result $RESULT, code $CODE"
  if ! send_result "$PHASE"; then
    log "the result object could not be written: $TRANSPORT_ERROR"
    if [[ $PHASE == prepare && $RESULT != failed && -n $SERVER_PREFIX ]]; then
      CODE=1
      RESULT=blocked
      reason role-cannot-write "this server could not write its result: $TRANSPORT_ERROR"
    else
      warn result-not-written "${TRANSPORT_ERROR:-this server does not know who it is}"
    fi
  fi
  summary_json "$PHASE" "$CODE" "$RESULT"
  printf '%s\n' "$REPLY" >"$STATE/$RECORD.summary.new" &&
    mv -f -- "$STATE/$RECORD.summary.new" "$STATE/$RECORD.summary" &&
    save_state stage=ended "code=$CODE" "result=$RESULT"
  rm -rf -- "$WORK"
  exit 0
}

# Whether a result of this phase stands for good. A patch is run once, whatever became of it; a plan that was made
# is what gets sealed; a restart is asked for by one command; a block may have passed, what refused a rollback as well, and verifying changes nothing.
is_final() {
  [[ ${ST[stage]:-} == ended && -s $STATE/$1.summary ]] || return 1
  case $1 in
  patch) return 0 ;;
  reboot) ((${ST[reboots]:-0} > 0)) ;;
  rollback) ((${ST[attempts]:-0} > 0)) || [[ ${ST[result]} == rolled-back ]] ;;
  prepare) [[ ${ST[result]} == planned || ${ST[result]} == nothing-to-do ]] ;;
  *) return 1 ;;
  esac
}

# run_phase <phase> <function>…: the functions are its steps.
run_phase() {
  local step NOW
  PHASE=$1
  shift
  read_uptime
  STARTED=$NOW
  open_job || {
    log "the state folder $STATE could not be made"
    exit 0
  }
  lock_job "$TimeBudget" || {
    log 'another run of this job is still under way'
    exit 0
  }
  name_record "$PHASE"
  load_state "$RECORD"
  if is_final "$RECORD"; then
    log 'this job has its result already; nothing is done again'
    exit 0
  fi
  LOG=$STATE/$RECORD.log
  WORK=$STATE/work
  rm -rf -- "$WORK"
  mkdir -m 0700 -- "$WORK"
  read_boot_id
  name_transaction "$PHASE"
  # What only looks leaves nothing half done, and begins again.
  if [[ $PHASE == prepare || $PHASE == verify || ${ST[stage]:-ended} == ended ]]; then
    ST=([budget]=$TimeBudget)
    rm -f -- "$STATE/$RECORD.summary" "$STATE/$PHASE.hooks" "$LOG"
  fi
  # Nothing was done yet, so all is looked at again.
  [[ ${ST[stage]:-} != transaction || ${ST[attempts]} != 0 ]] || ST[stage]=started
  recall_times
  trap close_phase EXIT
  # Without a signal of its own, bash would run the trap but report success of a step that was stopped.
  trap 'conclude 1 failed stopped "the script was asked to stop"' TERM INT HUP
  # What was begun is finished or repaired also where nobody can be told.
  [[ ${ST[stage]:-started} != started ]] || require_tools
  timed identify identify || {
    SERVER_ID=${AWS_SSM_INSTANCE_ID:-${ST[server]:-}}
    [[ ${ST[stage]:-started} != started ]] || conclude 1 "$(if_blocked)" no-identity "$TRANSPORT_ERROR"
  }
  if ((CLOCK_OFFSET > 30 || CLOCK_OFFSET < -30)); then
    warn clock-skew "this server's clock is $CLOCK_OFFSET seconds away from AWS's"
  fi
  if [[ -n ${ST[stage]:-} ]]; then
    count_absence
  else
    save_stage stage=started "server=$SERVER_ID" "boot=$BOOT_ID"
  fi
  BOOT_JSON="{\"before\":\"${ST[boot]}\",\"after\":\"$BOOT_ID\"}"
  for step; do timed "${step//_/-}" "$step"; done
}

require_tools() {
  local tool missing=''
  for tool in "${NEEDS[@]}"; do command -v "$tool" >/dev/null || missing+=" $tool"; done
  SERVER_ID=${AWS_SSM_INSTANCE_ID:-}
  [[ -z $missing ]] || conclude 1 "$(if_blocked)" tool-missing "not found:$missing"
}

# Before anything was changed, prepare is blocked and the others have failed.
if_blocked() {
  if [[ $PHASE == prepare ]]; then printf blocked; else printf failed; fi
}
