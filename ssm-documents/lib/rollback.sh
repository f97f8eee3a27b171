#!/bin/bash
# Owns the way back: rung after rung while the server is not well, no further than asked, each with its own look at the
# server after it.

source "$SCRIPTS/lib/change.sh"
source "$SCRIPTS/lib/old-files.sh"
source "$SCRIPTS/lib/validate.sh"
source "$SCRIPTS/lib/hooks.sh"
source "$SCRIPTS/lib/package-rung.sh"
source "$SCRIPTS/lib/configuration-rung.sh"
source "$SCRIPTS/lib/kernel-rung.sh"
source "$SCRIPTS/lib/heal.sh"

# What is done, or would be, for the result: rung, what, to what, from, to.
STEPS=$STATE/steps

rollback() {
  local REPLY
  family_settings || conclude 100 refused misconfigured "$REPLY"
  case ${ST[stage]} in
  started) begin_rollback ;;
  *) recall_plan ;;
  esac
  case ${ST[stage]} in
  transaction) timed transaction finish_transaction ;;
  rebooting) timed boot come_back ;;
  esac
  note_left
  timed check judge_packages_back
  [[ ${ST[outcome]} == failed || ! -s $STATE/kernels-left ]] || is_climbed kernel || new_kernel_runs || touch_server choose_boot
  keep_reasons
  timed services restart_old_services
  timed validate judge_health
  timed validate heal
  note_looks
  climb
  ! is_climbed kernel || [[ $Reboot != never ]] || Reboot=if-needed
  reboot_where_asked
  [[ ${ST[outcome]} != patched ]] || timed hooks run_hooks_after
  timed integrity judge_files
  judge_leftovers
  judge_services
  warn_of_kernels
  end_rollback
}

# All that can refuse it, before anything is touched.
begin_rollback() {
  read_order rollback failed
  [[ -n $PLAN_SHA256 ]] || conclude 1 failed no-plan 'the order has no plan for this server'
  [[ $DryRun == no ]] || ! has_begun rollback ||
    conclude 1 refused rollback-begun 'its rollback has begun: what is left to do is found when it is asked for again'
  describe_plan
  ST[plan]=$PLAN_JSON
  timed lock await_patch
  if patch_was_interrupted; then
    [[ $DryRun == no ]] ||
      conclude 1 refused patch-interrupted 'its patch was cut off in its transaction: a rollback mends that first, and what it would do then is not known yet'
    timed hooks run_hooks_before
    timed transaction mend_patch
  fi
  timed lock wait_for_locks
  family_installed "$WORK/installed" || conclude 101 refused packages-broken 'the package database can not be read'
  list_failed_units "$STATE/failed.before.rollback" || rm -f -- "$STATE/failed.before.rollback"
  rm -f -- "$STATE/left" "$STATE/boot-kernel" "$STEPS"
  list_undo
  keep_to_own_changes
  note_untouched
  [[ ! -s $STATE/undo ]] || require_way_back
  [[ $DryRun == no ]] || rehearse
  ST[outcome]=nothing
  [[ -s $STATE/undo ]] || return 0
  timed hooks run_hooks_before
  timed lock wait_for_locks
  list_package_steps
  save_stage stage=transaction attempts=0
}

# Where no package goes back, a later rung may be the first that changes anything.
touch_server() {
  if [[ ${ST[stage]} == started ]]; then
    timed hooks run_hooks_before
    save_stage stage=installed
  fi
  "$@"
}

# Health as it is now. What is said of it replaces what the look before said.
judge_health() {
  REASONS=("${REASONS[@]:0:KEPT_REASONS}") WARNINGS=("${WARNINGS[@]:0:KEPT_WARNINGS}")
  judge_units
  [[ -z $DAMAGE ]] || unhealthy packages-broken "$DAMAGE"
  judge_validation
}

keep_reasons() {
  KEPT_REASONS=${#REASONS[@]} KEPT_WARNINGS=${#WARNINGS[@]}
}
KEPT_REASONS=0 KEPT_WARNINGS=0 DAMAGE=''

climb() {
  [[ ${ST[outcome]} != failed && ${FACTS[healthy]} == false && $RollbackTo != packages ]] || return 0
  if ! is_climbed configuration && has_restorable; then
    timed restore touch_server restore_configuration
    timed validate judge_health
    timed validate heal
    note_rung configuration
  fi
  [[ ${ST[outcome]} != failed && ${FACTS[healthy]} == false && $RollbackTo == kernel ]] || return 0
  if ! is_climbed kernel && new_kernel_runs; then
    touch_server choose_boot
    [[ ! -s $STATE/boot-kernel ]] || note_rung kernel
  fi
}

is_climbed() {
  [[ " ${ST[rungs]:-}" == *" $1:"* ]]
}

# The last look after a rung is what it made of the server: one that restarts it is looked at afterwards.
note_looks() {
  local last=${ST[rungs]:-}
  last=${last##* }
  if [[ -n $last ]]; then
    note_rung "${last%:*}"
  elif [[ -s $STATE/undo || -s $STATE/boot-kernel ]]; then
    note_rung packages
  fi
}

note_rung() {
  local item text=''
  for item in ${ST[rungs]:-}; do [[ ${item%:*} == "$1" ]] || text+="$item "; done
  [[ ${ST[outcome]} != nothing ]] || ST[outcome]=patched
  save_stage "rungs=$text$1:${FACTS[healthy]}"
}

# With all of it back and the server well, or not known to be otherwise, which is for the policy to judge.
end_rollback() {
  [[ ! -f $STEPS ]] || result_section steps "$STEPS"
  judge_hooks
  if [[ ${ST[outcome]} == failed ]]; then
    warn_of_hooks
    conclude 100 failed
  fi
  if is_climbed kernel && [[ ${FACTS[rebootPending]} == true ]]; then conclude 1 failed; fi
  [[ ${FACTS[healthy]} != false ]] || conclude 1 failed
  [[ -n ${ST[rungs]:-} ]] || conclude 2 nothing-to-do
  conclude 0 rolled-back
}

# Says what every rung up to the last would do. Files of versions before may have come into the job's own folder.
rehearse() {
  note_left
  list_package_steps
  awk -F '\t' '{ print "packages\tleave\t" $1 "\t" $3 "\t-" }' "$STATE/kernels-left" >>"$STEPS"
  [[ $RollbackTo == packages ]] || list_restorable | sed 's/^/configuration\t/; s/$/\t-\t-/' >>"$STEPS"
  # Which one is known once it is chosen.
  if [[ $RollbackTo == kernel ]] && new_kernel_runs; then printf 'kernel\tboot\tthe one before\t-\t-\n' >>"$STEPS"; fi
  judge_boot "${ST[boot]}"
  [[ -f $FAILED_BEFORE ]] || FAILED_BEFORE=$STATE/failed.before.rollback
  judge_health
  result_section steps "$STEPS"
  [[ -s $STEPS ]] || conclude 2 nothing-to-do
  conclude 0 possible
}

run_phase rollback rollback
