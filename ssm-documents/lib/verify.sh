#!/bin/bash
# Owns the last look at a server: compares it with the sealed plan, and changes nothing.

source "$SCRIPTS/lib/change.sh"
source "$SCRIPTS/lib/newer.sh"
source "$SCRIPTS/lib/validate.sh"

verify() {
  local REPLY
  family_settings || conclude 100 failed misconfigured "$REPLY"
  read_order verify failed
  [[ -n $PLAN_SHA256 ]] || conclude 1 failed no-plan 'the order has no plan for this server'
  describe_plan
  judge_packages "$WORK/compared"
  judge_since_patch
  # It was whole when the patch began.
  family_audit || {
    FACTS[healthy]=false
    reason packages-broken "$REPLY"
  }
  judge_outside_plan
  timed validate judge_validation
  judge_reboot
  [[ ${FACTS[rebootPending]} != true ]] || warn reboot-needed "$REBOOT_WHY"
  timed refresh look_around
  judge_compliance
  timed integrity judge_files
  judge_services
  name_transaction patch
  judge_leftovers
  # Metadata and package files have served; an unfinished server may still need its own. The versions before stay.
  [[ ${FACTS[installed]} == false ]] ||
    find "$JOB" -mindepth 1 -maxdepth 1 -type d ! -name state ! -name old ! -name configuration -exec rm -rf -- {} +
  forget_old_jobs
  conclude 0 verified
}

# Against the boot that the patch phase found, when it ran. What its hooks could not do does not show in units and probes.
judge_since_patch() {
  local line failed=''
  while IFS= read -r line; do
    case $line in
    boot=*) judge_boot "${line#boot=}" ;;
    hooks_failed=*) failed=${line#*=} ;;
    esac
  done < <(cat -- "$STATE/patch" 2>/dev/null)
  judge_units
  [[ -z $failed ]] || unhealthy hook-failed "after the patch: $failed"
}

# What changed since the patch began beside the plan: package, architecture, version then and now (`-` for not there). A
# person may have installed it, so it is told and no more.
judge_outside_plan() {
  [[ -f $STATE/installed.before ]] || return 0
  awk -F '\t' '
    FILENAME == ARGV[1] { planned[$2] = 1; next }
    $1 in planned { next }
    { key = $1 "\t" $2; name = $3 }
    { keys[key] = 1 }
    FILENAME == ARGV[2] { if (key in before) before[key] = before[key] "," name; else before[key] = name; next }
    { if (key in now) now[key] = now[key] "," name; else now[key] = name }
    END {
      for (key in keys) {
        then = key in before ? before[key] : "-"; since = key in now ? now[key] : "-"
        if (then != since) print key "\t" substr(then, 1, 300) "\t" substr(since, 1, 300)
      }
    }
  ' "$STATE/plan" <(sort "$STATE/installed.before") <(cut -f 1-3 "$WORK/installed" | sort) >"$WORK/outside" 2>>"$LOG" || return 0
  sort -o "$WORK/outside" "$WORK/outside"
  count_lines outsidePlan outside "$WORK/outside"
  [[ ! -s $WORK/outside ]] ||
    warn changed-outside-plan "changed since the patch began, and not in the plan: $(some_of <"$WORK/outside")"
}

# Within the time of the phase: a mirror that never answers is no reason to say nothing of the server.
look_around() {
  local REPLY problem detail
  look_for_newer
  seconds_left
  await_newer $((REPLY > 120 ? REPLY - 60 : REPLY / 2))
  [[ ! -f $WORK/newer/log ]] || log_output "$WORK/newer/log"
  if [[ -f $STATE/newer ]]; then
    report_newer "$STATE/newer"
  else
    IFS=$'\t' read -r problem detail < <(cat -- "$STATE/newer.problem" 2>/dev/null)
    warn "${problem:-repository-unreachable}" "fresh metadata could not be had: ${detail:-not in time}"
  fi
}

run_phase verify verify
