# shellcheck shell=bash
# Owns the plan: what the family's resolver would do with fresh metadata, and how each version before is had again.

# Sets PLAN_SHA256; ends the phase where there is nothing to plan.
preview() {
  METADATA_CODE=103 METADATA_PROBLEM='' METADATA_DETAIL=''
  forget_old_jobs
  timed refresh family_metadata "$METADATA_SEALED" || METADATA_PROBLEM=${METADATA_PROBLEM:-repository-unreachable}
  # Also where its repositories are gone, which it then explains.
  judge_release
  [[ -z $METADATA_PROBLEM ]] || conclude "$METADATA_CODE" blocked "$METADATA_PROBLEM" "$METADATA_DETAIL"
  : >"$WORK/entries"
  : >"$WORK/kept-back"
  timed resolve family_resolve || conclude 1 blocked script-failed "what $PACKAGE_MANAGER would do could not be worked out"
  count_foreign
  # What could not be written down must not look like nothing to do.
  [[ -s $WORK/entries || ! -s $WORK/changes ]] ||
    conclude 1 blocked script-failed "what $PACKAGE_MANAGER would do did not become a plan"
  cover_entries
  write_plan
  [[ ! -s $WORK/kept-back ]] ||
    warn kept-back "not upgraded, held or in need of what may not change: $(some_of <"$WORK/kept-back")"
  result_section advisories "$WORK/advisories"
  result_section totals "$WORK/totals"
  judge_reboot
  [[ ${FACTS[rebootPending]} != true ]] || warn reboot-needed "$REBOOT_WHY"
  if ((PLAN_ENTRIES == 0)); then
    FACTS[installed]=true
    [[ ${FACTS[compliant]} == false ]] || FACTS[compliant]=true
    judge_metadata_age
    conclude 2 nothing-to-do
  fi
}

# Adds to the family's entries how the version before is had again; room is looked at first.
cover_entries() {
  [[ -s $WORK/entries ]] || return 0
  require_room_for_plan
  timed keep keep_old_files
}

# Writes the canonical plan.
write_plan() {
  local bytes
  sort <"$WORK/entries" >"$WORK/sorted" || conclude 1 blocked script-failed 'the plan could not be put together'
  mv -f -- "$WORK/sorted" "$WORK/entries"
  bytes=$(stat -c %s -- "$WORK/entries")
  ((bytes <= 786432)) ||
    conclude 107 unsupported plan-too-large "the plan has $bytes bytes, 786432 are taken: update this server in parts"
  { printf 'quarterdeck-plan\t1\t%s\n' "$SERVER_ID" && cat -- "$WORK/entries"; } >"$STATE/plan" ||
    conclude 1 blocked script-failed 'the plan could not be put together'
  sha256_of_stdin <"$STATE/plan"
  PLAN_SHA256=$REPLY
  describe_plan
  log "the plan has $PLAN_ENTRIES entries, SHA-256 $PLAN_SHA256"
  result_section plan "$WORK/entries"
}
