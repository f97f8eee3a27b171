#!/bin/bash
# Owns the package transaction: exactly the sealed plan or nothing, once, whatever interrupts it.

source "$SCRIPTS/lib/log.sh"
source "$SCRIPTS/lib/state.sh"
source "$SCRIPTS/lib/json.sh"
source "$SCRIPTS/lib/transport.sh"
source "$SCRIPTS/lib/order.sh"
source "$SCRIPTS/lib/result.sh"
source "$SCRIPTS/lib/summary.sh"
source "$SCRIPTS/lib/phase.sh"
source "$SCRIPTS/debian/apt.sh"
source "$SCRIPTS/debian/metadata.sh"
source "$SCRIPTS/debian/plan-files.sh"
source "$SCRIPTS/debian/versions.sh"
source "$SCRIPTS/debian/reboot-need.sh"
source "$SCRIPTS/debian/release.sh"
source "$SCRIPTS/debian/transaction.sh"

MOST_REBOOTS=2

patch() {
  read_apt_settings || conclude 100 refused apt-misconfigured 'apt-config can not read the configuration of apt'
  case ${ST[stage]} in
  started) begin_patch ;;
  *) recall_plan ;;
  esac
  case ${ST[stage]} in
  transaction) timed transaction finish_transaction ;;
  rebooting) timed boot come_back ;;
  esac
  timed check judge_server
  reboot_where_asked
  if [[ ${ST[outcome]} == failed ]]; then conclude 100 failed; fi
  if [[ ${ST[outcome]} == nothing ]]; then conclude 2 nothing-to-do; fi
  conclude 0 patched
}

recall_plan() {
  sha256_of_stdin <"$STATE/plan"
  PLAN_SHA256=$REPLY
  describe_plan
}

# All that can refuse the transaction, before anything is touched.
begin_patch() {
  local REPLY names
  read_order patch failed
  [[ -n $PLAN_SHA256 ]] || conclude 1 failed no-plan 'the order has no plan for this server'
  describe_plan
  ST[plan]=$PLAN_JSON
  timed lock wait_for_locks
  list_installed "$WORK/installed" || conclude 101 refused dpkg-broken 'dpkg-query can not read the package database'
  compare_plan "$STATE/compared.before"
  names=$(names_with "$STATE/compared.before" gone)
  [[ -z $names ]] || conclude 104 drifted removed-since "removed since the plan was sealed: $names"
  list_failed_units "$STATE/failed.before" || rm -f -- "$STATE/failed.before"
  if ! grep -qE $'^(pending|broken)\t' "$STATE/compared.before"; then
    log 'every entry of the plan is satisfied already'
    look_for_newer
    save_state stage=installed outcome=nothing
    return
  fi
  FACTS[installed]=false FACTS[compliant]=false
  require_time
  audit_packages || conclude 101 refused dpkg-broken "$REPLY"
  check_plan_files
  timed simulate simulate_plan
  look_for_newer
  save_state stage=transaction attempts=0
}

# A transaction that was begun is never stopped, so it is not begun when it could outlast its time. What it takes:
# some seconds for apt itself, about one for a package with its maintainer scripts, a minute for each initrd.
require_time() {
  local REPLY need
  need=$((20 + PLAN_ENTRIES + 60 * $(grep -cE $'\tlinux-image-[0-9]' "$STATE/plan")))
  seconds_left
  ((REPLY >= need)) ||
    conclude 1 refused no-time "$REPLY seconds are left for a transaction that may take $need"
}

wait_for_locks() {
  local REPLY patience
  seconds_left
  patience=$((REPLY / 3))
  await_locks $((patience < 600 ? patience : 600)) ||
    conclude 102 refused lock-held "the package database is locked by $REPLY"
}

check_plan_files() {
  local REPLY
  [[ -d $APT/lists && -s $APT/lists.fetched ]] ||
    conclude 104 drifted not-prepared 'this server has not the files that its plan was made from'
  check_files "$STATE/plan" ||
    conclude 106 drifted file-altered "missing, or not what was sealed: $REPLY"
}

# Sets VERB and FLAGS for the plan: removals happen only where it has some.
choose_verb() {
  local removals=no
  ! grep -q '^remove'$'\t' "$STATE/plan" || removals=yes
  VERB=$(apt_verb "$removals")
  FLAGS=(-q -y --no-download)
  [[ $removals == yes ]] || FLAGS+=(--no-remove)
}

# Asks apt what it would do under the plan's pins, on the plan's files; anything but the plan is drift.
simulate_plan() {
  local difference
  choose_verb
  write_apt_conf "$APT/sealed.conf" "$APT/lists" "$APT/sealed.d"
  seal_preferences "$APT/sealed.d" "$STATE/plan" "$STATE/exclusions"
  apt-get -c "$APT/sealed.conf" -s "${FLAGS[@]}" "$VERB" >"$WORK/simulation" 2>&1 || {
    cat -- "$WORK/simulation" >>"$LOG"
    conclude 104 drifted not-resolvable "apt can not do what was sealed: $(grep -m 1 '^E:' "$WORK/simulation")"
  }
  difference=$(parse_simulation <"$WORK/simulation" | awk -F '\t' '
    NR == FNR { if ($1 == "pending" || $1 == "broken") wanted[$2 "\t" $3 "\t" $5] = $2; next }
    {
      key = $1 "\t" $2 "\t" $4
      if (key in wanted) delete wanted[key]
      else print "would also " $5 " " $1 ($4 == "-" ? "" : " " $4)
    }
    END { for (key in wanted) print "would not get " wanted[key] }
  ' "$STATE/compared.before" - | sort)
  [[ -z $difference ]] || {
    log "$difference"
    conclude 104 drifted outside-plan "apt $(head -n 3 <<<"$difference" | paste -sd ';' | sed 's/;/, /g')"
  }
}

# Beside the transaction, not before it: fetching metadata takes neither the package database nor its locks.
look_for_newer() {
  rm -f -- "$STATE/newer"
  # A process group of its own, so that a mirror that never answers can be given up with all it keeps waiting.
  set -m
  find_newer_apart &
  set +m
  NEWER_JOB=$!
}

find_newer_apart() {
  local WORK=$WORK/newer
  local LOG=$WORK/log
  trap - EXIT TERM INT HUP
  exec {JOB_LOCK}>&-
  mkdir -- "$WORK" && find_newer "$STATE/newer"
}

# Some seconds more for what ran beside the transaction.
await_newer() {
  local waited=0
  [[ -n ${NEWER_JOB:-} ]] || return 0
  while kill -0 "$NEWER_JOB" 2>/dev/null && ((waited < 100)); do
    sleep 0.1
    ((waited += 1))
  done
  kill -- "-$NEWER_JOB" 2>/dev/null || true
  wait "$NEWER_JOB" 2>/dev/null || true
}

# After the reboot that was asked for; or after none, when it did not come.
come_back() {
  local REPLY
  seconds_left
  if [[ $BOOT_ID == "${ST[reboot_boot]}" ]]; then
    log 'the server has not been restarted'
    return
  fi
  log "restarted: boot $BOOT_ID"
  await_boot $((REPLY > 120 ? 60 : REPLY > 20 ? REPLY / 2 : 10)) || warn boot-unfinished 'units are still starting'
}

# Facts, from what is there and not from what apt said.
judge_server() {
  local names
  list_installed "$WORK/installed"
  compare_plan "$STATE/compared.after"
  versions_of_plan "$STATE/compared.before" "$STATE/before"
  versions_of_plan "$STATE/compared.after" "$STATE/after"
  result_section before "$STATE/before"
  result_section after "$STATE/after"
  FACTS[installed]=true
  names=$(names_with "$STATE/compared.after" broken)
  [[ -z $names ]] || reason not-configured "unpacked, but their scripts failed: $names"
  names=$(names_with "$STATE/compared.after" 'broken|pending|gone')
  if [[ -n $names ]]; then
    FACTS[installed]=false
    reason not-installed "not at the plan's version: $names"
    ST[outcome]=failed
  fi
  [[ -z ${ST[problem]:-} ]] || reason package-manager "${ST[problem]}"
  FACTS[rebooted]=false
  [[ $BOOT_ID == "${ST[boot]}" ]] || FACTS[rebooted]=true
  judge_units
  await_newer
  if [[ -f $STATE/newer ]]; then
    NEWER=$(awk 'END { print NR }' "$STATE/newer")
    result_section newer "$STATE/newer"
  elif [[ -n ${NEWER_JOB:-} ]]; then
    warn newer-unknown 'what was published since the plan was sealed could not be asked'
  fi
  FACTS[compliant]=${FACTS[installed]}
  if release_ended; then
    FACTS[compliant]=false
    warn release-end-of-life "this release had security updates until $RELEASE_END"
  fi
  if metadata_is_stale "$APT/lists-now" && metadata_is_stale "$APT/lists"; then
    FACTS[compliant]=false
    warn metadata-stale "metadata is older than $MaxMetadataAge hours"
  fi
}

judge_units() {
  local names
  [[ -f $STATE/failed.before ]] && list_failed_units "$WORK/failed" || return 0
  names=$(comm -13 "$STATE/failed.before" "$WORK/failed" | some_of)
  FACTS[healthy]=true
  if [[ -n $names ]]; then
    FACTS[healthy]=false
    reason units-failed "failed and had not failed before: $names"
  fi
}

# Restarts the server where the policy and its need ask for it, and never without the time to come back.
reboot_where_asked() {
  local REPLY wanted=no
  FACTS[rebootPending]=false
  if reboot_needed; then
    FACTS[rebootPending]=true
    wanted=yes
  fi
  [[ $Reboot != always || ${FACTS[rebooted]} == true || ${ST[outcome]} == nothing ]] || wanted=yes
  [[ $wanted == yes ]] || return 0
  seconds_left
  if [[ ${ST[outcome]} == failed ]]; then
    reason reboot-withheld "not restarted after a failed transaction${REBOOT_WHY:+; $REBOOT_WHY}"
  elif [[ $Reboot == never ]]; then
    warn reboot-needed "$REBOOT_WHY; the policy does not allow it"
  elif [[ ${FACTS[rebooted]} == true ]]; then
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
