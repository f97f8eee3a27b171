# shellcheck shell=bash
# Owns the first rung of the way back: the exact versions before the plan or nothing, from files that were sealed with it.

# All that can refuse it, before anything is touched.
require_way_back() {
  local REPLY names
  names=$(not_never "$STATE/undo" 1 | comm -23 <(sort "$STATE/undo") <(sort) | cut -f 1 | some_of)
  [[ -z $names ]] || conclude 107 refused never-rolled-back "not without a person: $names"
  require_time
  require_only_own_damage
  gather_old_files
  family_simulate_rollback "$WORK/would" || conclude 104 drifted not-resolvable "$REPLY"
  require_same "$STATE/undo" "$WORK/would"
}

# Writes `undo`: name, architecture, what is there now, what was there before (`-` for nothing) of each entry that was
# carried out. New kernels stay installed and are listed in `kernels-left`: the boot default is what goes back.
list_undo() {
  compare_plan "$STATE/compared.rollback"
  awk -F '\t' -v kernel="$(kernels_beside)" -v left="$STATE/kernels-left" '
    BEGIN { printf "" >left }
    $4 == "-" && $2 ~ kernel { if ($1 == "there") print $2 "\t" $3 "\t" $5 >left; next }
    $4 == "-" { if ($6 == $5) print $2 "\t" $3 "\t" $6 "\t-"; next }
    # A kernel that made room is not brought back for its own sake.
    $5 == "-" && $2 ~ kernel { next }
    $6 != $4 { print $2 "\t" $3 "\t" $6 "\t" $4 }' "$STATE/compared.rollback" >"$STATE/undo" ||
    conclude 1 failed script-failed 'what is to be brought back could not be told'
}

# Has every file that is needed in $OLD, and `undo-files`, lines of `<name> <arch> <version> <file name>`.
gather_old_files() {
  local REPLY names index=$OLD/index
  awk -F '\t' '$4 != "-" { print $1 "\t" $2 "\t" $4 }' "$STATE/undo" | sort -u >"$WORK/needed"
  # What is sealed as kept is taken from there, and only as it was sealed. It may be gone by age, index and all.
  [[ -f $index ]] || index=/dev/null
  awk -F '\t' '
    FILENAME == ARGV[1] { needed[$0] = 1; next }
    FILENAME == ARGV[2] { if ($12 != "-" && ($2 "\t" $3 "\t" $4) in needed) hash[$2 "\t" $3 "\t" $4] = $12; next }
    { key = $1 "\t" $2 "\t" $3; if (key in hash) { print key "\t" $6; delete hash[key] } }
    END { for (key in hash) print key "\t-" }
  ' "$WORK/needed" "$STATE/plan" "$index" >"$STATE/undo-files" 2>>"$LOG" ||
    conclude 106 drifted old-files-missing 'what was kept could not be looked up'
  names=$(awk -F '\t' '$4 == "-" { print $1 }' "$STATE/undo-files" | some_of)
  [[ -z $names ]] || conclude 106 drifted old-files-missing "sealed as kept, and not on this server: $names"
  awk -F '\t' '
    FILENAME == ARGV[1] { hash[$2 "\t" $3 "\t" $4] = $12; next }
    { print hash[$1 "\t" $2 "\t" $3] "  " $4 }' "$STATE/plan" "$STATE/undo-files" >"$WORK/files"
  check_hashes "$OLD" || conclude 106 drifted file-altered "missing, or not what was sealed: $REPLY"
  # The rest a repository has to have still, and the package manager checks its signature.
  cut -f 1-3 "$STATE/undo-files" | sort | comm -23 "$WORK/needed" - >"$WORK/elsewhere"
  [[ ! -s $WORK/elsewhere ]] || family_fetch_old <"$WORK/elsewhere" >>"$STATE/undo-files" 2>>"$LOG" ||
    log 'not all versions before could be fetched'
  names=$(cut -f 1-3 "$STATE/undo-files" | sort | comm -23 "$WORK/needed" - | cut -f 1 | some_of)
  [[ -z $names ]] || conclude 107 refused not-covered "no file of the version before: $names"
}

list_package_steps() {
  awk -F '\t' '{ print "packages\t" ($4 == "-" ? "remove" : "back") "\t" $1 "\t" $3 "\t" $4 }' "$STATE/undo" >"$STEPS"
}

# Sets DAMAGE to what is not whole about the package database.
judge_packages_back() {
  local now REPLY
  family_installed "$WORK/installed" || conclude 101 failed packages-broken 'the package database can not be read'
  # Against the plan turned round: each entry of `undo` has to be what was there before.
  now=$(awk -F '\t' '
    FILENAME == ARGV[1] { there[$1 "\t" $2 "\t" $3] = substr($4, 2, 1); any[$1 "\t" $2] = 1; next }
    $4 == "-" ? ($1 "\t" $2) in any : there[$1 "\t" $2 "\t" $4] != "i" { print $1 }
  ' "$WORK/installed" "$STATE/undo" | some_of)
  FACTS[installed]=false
  [[ -z $now ]] || {
    ST[outcome]=failed
    reason not-rolled-back "not at the version before: $now"
  }
  family_audit || DAMAGE=$REPLY
  compare_plan "$WORK/compared"
  versions_of_plan "$WORK/compared" "$STATE/after.rollback"
  result_section after "$STATE/after.rollback"
  [[ -z ${ST[problem]:-} ]] || reason package-manager "${ST[problem]}"
  judge_boot "${ST[boot]}"
  # What failed since the patch began counts, also where it failed before the way back did.
  [[ -f $FAILED_BEFORE ]] || FAILED_BEFORE=$STATE/failed.before.rollback
}
