#!/bin/bash
# Owns the package transaction: exactly the sealed plan or nothing, once, whatever interrupts it.

source "$SCRIPTS/lib/change.sh"
source "$SCRIPTS/lib/newer.sh"
source "$SCRIPTS/lib/validate.sh"
source "$SCRIPTS/lib/backup.sh"
source "$SCRIPTS/lib/hooks.sh"

patch() {
  local REPLY
  refuse_after_rollback
  family_settings || conclude 100 refused misconfigured "$REPLY"
  case ${ST[stage]} in
  started) begin_patch ;;
  *) recall_plan ;;
  esac
  case ${ST[stage]} in
  transaction) timed transaction finish_transaction ;;
  rebooting) timed boot come_back ;;
  esac
  timed configuration compare_configuration
  timed check judge_server
  reboot_where_asked
  [[ ${ST[outcome]} != patched ]] || timed hooks run_hooks_after
  timed services renew_services
  timed validate judge_validation
  judge_hooks
  if [[ ${ST[outcome]} == failed ]]; then
    warn_of_hooks
    conclude 100 failed
  fi
  if [[ ${ST[outcome]} == nothing ]]; then conclude 2 nothing-to-do; fi
  conclude 0 patched
}

# All that can refuse the transaction, before anything is touched.
begin_patch() {
  local REPLY names
  read_order patch failed
  [[ -n $PLAN_SHA256 ]] || conclude 1 failed no-plan 'the order has no plan for this server'
  describe_plan
  ST[plan]=$PLAN_JSON
  timed lock wait_for_locks
  family_installed "$WORK/installed" || conclude 101 refused packages-broken 'the package database can not be read'
  cut -f 1-3 "$WORK/installed" >"$STATE/installed.before"
  compare_plan "$STATE/compared.before"
  names=$(names_with "$STATE/compared.before" gone)
  [[ -z $names ]] || conclude 104 drifted removed-since "removed since the plan was sealed: $names"
  list_failed_units "$STATE/failed.before" || rm -f -- "$STATE/failed.before"
  if is_satisfied "$STATE/compared.before"; then
    log 'every entry of the plan is satisfied already'
    # Somebody did that after hooks of an interrupted run had begun.
    undo_hooks
    look_for_newer
    save_stage stage=installed outcome=nothing
    return
  fi
  require_time
  timed validate require_validation
  family_audit || conclude 101 refused packages-broken "$REPLY"
  check_plan_files
  timed hooks run_hooks_before
  timed lock wait_for_locks
  timed simulate simulate_plan
  timed integrity files_before
  back_up
  timed configuration note_configuration
  list_backed_up
  look_for_newer
  # Their days count from now on.
  touch -c -- "$OLD"
  save_stage stage=transaction attempts=0
}

check_plan_files() {
  local REPLY
  [[ -s $METADATA_SEALED.fetched ]] ||
    conclude 104 drifted not-prepared 'this server has not the files that its plan was made from'
  check_files "$STATE/plan" ||
    conclude 106 drifted file-altered "missing, or not what was sealed: $REPLY"
}

# Asks the package manager what it would do, with the plan's versions and on the plan's files; anything but the plan is
# drift.
simulate_plan() {
  local REPLY
  family_simulate "$WORK/would" || conclude 104 drifted not-resolvable "$REPLY"
  awk -F '\t' '$1 == "pending" || $1 == "broken" { print $2 "\t" $3 "\t" $4 "\t" $5 }' "$STATE/compared.before" >"$WORK/should"
  require_same "$WORK/should" "$WORK/would"
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
  timed integrity judge_files
  judge_leftovers
  local looked=$NEWER_JOB
  await_newer 10
  if [[ -f $STATE/newer ]]; then
    report_newer "$STATE/newer"
  elif [[ -n $looked ]]; then
    warn newer-unknown 'what was published since the plan was sealed could not be asked'
  fi
  judge_compliance
}

run_phase patch patch
