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
source "$SCRIPTS/debian/plan-files.sh"
source "$SCRIPTS/debian/newer.sh"
source "$SCRIPTS/debian/judge.sh"
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
  if is_satisfied "$STATE/compared.before"; then
    log 'every entry of the plan is satisfied already'
    look_for_newer
    save_stage stage=installed outcome=nothing
    return
  fi
  require_time
  audit_packages || conclude 101 refused dpkg-broken "$REPLY"
  check_plan_files
  timed simulate simulate_plan
  look_for_newer
  save_stage stage=transaction attempts=0
}

# A transaction that was begun is never stopped, so it is not begun when it could outlast its time. What it takes:
# some seconds for apt itself, about one for a package with its maintainer scripts, a minute for each initrd.
has_time() {
  NEEDED=$((20 + PLAN_ENTRIES + 60 * $(grep -cE $'\tlinux-image-[0-9]' "$STATE/plan")))
  seconds_left
  ((REPLY >= NEEDED))
}

require_time() {
  local REPLY
  FACTS[installed]=false FACTS[compliant]=false
  has_time || conclude 1 refused no-time "$REPLY seconds are left for a transaction that may take $NEEDED"
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
    log_output "$WORK/simulation"
    conclude 104 drifted not-resolvable "apt can not do what was sealed: $(grep -m 1 '^E:' "$WORK/simulation")"
  }
  difference=$(set -o pipefail && parse_simulation <"$WORK/simulation" | awk -F '\t' '
    NR == FNR { if ($1 == "pending" || $1 == "broken") wanted[$2 "\t" $3 "\t" $5] = $2; next }
    {
      key = $1 "\t" $2 "\t" $4
      if (key in wanted) delete wanted[key]
      else print "would also " $5 " " $1 ($4 == "-" ? "" : " " $4)
    }
    END { for (key in wanted) print "would not get " wanted[key] }
  ' "$STATE/compared.before" - | sort) ||
    conclude 1 failed script-failed 'what apt would do could not be compared with the plan'
  [[ -z $difference ]] || {
    log "$difference"
    conclude 104 drifted outside-plan "apt $(head -n 3 <<<"$difference" | paste -sd ';' | sed 's/;/, /g')"
  }
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

judge_server() {
  judge_packages "$STATE/compared.after"
  if [[ ${FACTS[installed]} != true ]]; then
    ST[outcome]=failed
    [[ -z ${ST[overtime]:-} ]] || reason no-time "repaired after the interruption; no time was left to finish the plan"
  fi
  versions_of_plan "$STATE/compared.before" "$STATE/before"
  result_section before "$STATE/before"
  [[ -z ${ST[problem]:-} ]] || reason package-manager "${ST[problem]}"
  judge_boot "${ST[boot]}"
  judge_units
  await_newer
  if [[ -f $STATE/newer ]]; then
    report_newer "$STATE/newer"
  elif [[ -n ${NEWER_JOB:-} ]]; then
    warn newer-unknown 'what was published since the plan was sealed could not be asked'
  fi
  judge_compliance
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
