# shellcheck shell=bash
# Owns the restart of a server after its packages changed: whether it is needed, allowed, and came about.

MOST_REBOOTS=2

judge_reboot() {
  local code=0
  REBOOT_WHY=''
  family_reboot_signs || code=$?
  case $code in
  0) FACTS[rebootPending]=true ;;
  1) FACTS[rebootPending]=false ;;
  *) FACTS[rebootPending]=null ;;
  esac
}

# Whether a restart that this job asked for took place; a power cut in mid-transaction is none.
was_restarted() {
  [[ -n ${ST[reboot_boot]:-} && $BOOT_ID != "${ST[reboot_boot]}" ]]
}

come_back() {
  local REPLY
  seconds_left
  was_restarted || {
    log 'the server has not been restarted'
    return
  }
  log "restarted: boot $BOOT_ID"
  await_boot $((REPLY > 120 ? 60 : REPLY > 20 ? REPLY / 2 : 10)) || warn boot-unfinished 'units are still starting'
}

# Restarts the server where the policy and its need ask for it, and never without the time to come back.
reboot_where_asked() {
  local REPLY wanted=no
  judge_reboot
  [[ ${FACTS[rebootPending]} != true ]] || wanted=yes
  [[ $Reboot != always || ${ST[outcome]} == nothing ]] || was_restarted || wanted=yes
  [[ $wanted == yes ]] || return 0
  seconds_left
  if [[ ${ST[outcome]} == failed ]]; then
    reason reboot-withheld "not restarted after a failed transaction${REBOOT_WHY:+; $REBOOT_WHY}"
  elif [[ $Reboot == never ]]; then
    warn reboot-needed "$REBOOT_WHY; the policy does not allow it"
  elif was_restarted; then
    reason reboot-ineffective "restarted, and still: $REBOOT_WHY"
  elif ((${ST[reboots]:-0} >= MOST_REBOOTS)); then
    reason reboot-failed "asked for $MOST_REBOOTS reboots and the server was not restarted"
  elif ((REPLY < RebootReserve + 60)); then
    # The agent waits a minute before it restarts the server.
    reason no-time-to-reboot "$REPLY seconds are left, a reboot is given $((RebootReserve + 60)); ${REBOOT_WHY:-the policy asks for it}"
  else
    ask_reboot
  fi
}
