# shellcheck shell=bash
# Owns what is started anew on the way back: a service that fell over a bad version stays down when the good one is there.

# Where the server is not well, the services of the policy and those that failed since the patch began are restarted by
# what is there now, and it is looked at once more. What is never restarted is started where it is down.
heal() {
  local unit REPLY
  local -a units=() others=()
  seconds_left
  [[ ${FACTS[healthy]} == false ]] && ((REPLY >= 30)) && runs_systemd || return 0
  while IFS= read -r unit; do
    if [[ $unit =~ $NEVER_RESTARTED ]]; then others+=("$unit"); else units+=("$unit"); fi
  done < <({ cat -- "$STATE/services"; grep '[.]service$' "$WORK/failed.since"; } 2>/dev/null | sort -u)
  ((${#units[@]} + ${#others[@]} > 0)) || return 0
  log "not well; restarting ${units[*]:-nothing}, starting ${others[*]:-nothing}"
  {
    # Of those that fell too often systemd would not hear.
    timeout 30 systemctl daemon-reload
    timeout 30 systemctl reset-failed -- "${units[@]}" "${others[@]}"
    ((${#others[@]} == 0)) || timeout 60 systemctl start --no-block -- "${others[@]}"
    ((${#units[@]} == 0)) || timeout $((REPLY - 15)) systemctl restart -- "${units[@]}"
  } </dev/null >>"$LOG" 2>&1 || log 'not all services could be restarted'
  FOUND[restartedServices]=$((${FOUND[restartedServices]:-0} + ${#units[@]}))
  judge_health
}
