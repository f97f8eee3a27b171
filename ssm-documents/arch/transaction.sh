# shellcheck shell=bash
# Owns the transaction as pacman is asked for it: simulated, carried out, judged.

# On the sealed databases, with no servers; first what would happen, then whether every file is there and signed.
family_simulate() {
  local ask
  choose_repositories "$METADATA_SEALED"
  [[ -z $REPLY ]] || {
    REPLY="the order enables what pacman.conf does not have: $REPLY"
    return 1
  }
  write_settings "$METADATA_SEALED" || {
    REPLY='settings for pacman could not be written'
    return 1
  }
  ask=$(answers "$(removals_of_plan)")
  simulate_upgrade "$ask" || return 1
  ask_pacman here "$METADATA_SEALED" "$FILES" -Suw --ask "$ask" >"$WORK/files-judged" 2>&1 || {
    log_output "$WORK/files-judged"
    REPLY="pacman does not take the files: $(grep -m 2 '^error: ' "$WORK/files-judged" | paste -sd ' ')"
    return 1
  }
  cut -f 1-5 "$WORK/changes" >"$1"
}

# Prints functions for the script: <folder of databases>. The job's databases stand in for the system's in a mount namespace of their own, so
# pacman works under the system's lock and on its packages, and nobody else sees them. A second folder of databases with
# the system's packages linked into it would not do: pacman takes the link away.
transaction_functions() {
  lock_function
  printf 'lock=%q databases=%q system=%q settings=%q\n' "$LOCK" "$1/sync" "$DATABASE" "$1.run"
  cat <<'SCRIPT'
in_place() {
  mkdir -p "$system/sync"
  unshare --mount --propagation slave /bin/bash -c '
mount --bind "$1" "$2" && shift 2 && exec "$@"' - \
    "$databases" "$system/sync" pacman --config "$settings" --dbpath "$system" --noconfirm --noprogressbar --color never "$@" 9>&-
}
mark_dependencies() {
  pacman --config "$settings" --dbpath "$system" -D --asdeps "$@" 9>&- || code=$?
}
others_are_gone() {
  local waited=0
  while [[ -n $(lock_users "$lock") ]]; do
    ((waited < $1)) || return 1
    sleep 1
    ((waited += 1))
  done
}
SCRIPT
}

# family_transaction first|again|repair
family_transaction() {
  local ask repository
  local -a keyrings added
  ask=$(answers "$(removals_of_plan)")
  transaction_functions "$METADATA_SEALED"
  printf 'pac() { in_place --cachedir %q --ask %s "$@"; }\n' "$FILES" "$ask"
  if [[ $1 == first ]]; then
    keep_entries
  else
    plan_files_of "$STATE/plan" | awk -F '\t' -v folder="$FILES" '
      FILENAME == ARGV[1] { if (FNR > 1) from[$2] = $4; to[$2] = $5; next }
      { print $3 "\t" from[$3] "\t" to[$3] "\t" folder "/" $2 }' "$STATE/plan" - >"$TRANSACTION.entries"
    mending "$1"
  fi
  if [[ $1 == repair ]]; then return; fi
  # Files that are named count as asked for by hand; what only others need does not.
  if [[ $1 == again ]] && ! grep -qE $'^(remove|replace)\t' "$STATE/plan"; then
    mapfile -t added < <(awk -F '\t' '$1 == "install" { print $2 }' "$STATE/plan")
    ((${#added[@]} == 0)) || printf '((code)) || mark_dependencies %s\n' "$(printf '%q ' "${added[@]}")"
  fi
  if [[ $1 == first ]]; then printf '%s\n' 'code=0'; fi
  # Keys first: signatures of everything else may be made by new ones.
  mapfile -t keyrings < <(keyrings_of_plan)
  ((${#keyrings[@]} == 0)) || printf '((code)) || { pac -S --needed %s; code=$?; }\n' "$(printf '%q ' "${keyrings[@]}")"
  printf '%s\n' '((code)) || { pac -Su; code=$?; }'
  # The databases that the system was upgraded by: with older ones, the operator'"'"'s next -S would mix old and new.
  printf '%s\n' 'if ((code == 0)); then' ':'
  while IFS= read -r repository; do
    printf 'database=%q\n' "$repository.db"
    cat <<'SCRIPT'
if [[ ! $system/sync/$database -nt $databases/$database ]]; then
for file in "$database" "$database.sig"; do
rm -f "$system/sync/$file"
if [[ -f $databases/$file ]]; then cp -p "$databases/$file" "$system/sync/.$file" && mv -f "$system/sync/.$file" "$system/sync/$file"; fi
done
fi
SCRIPT
  done <"$METADATA_SEALED.repositories"
  printf '%s\n' 'fi'
}

# Prints repository/name of the plan's packages that bring keys to pacman.
keyrings_of_plan() {
  find "$ROOT/usr/share/pacman/keyrings" -name '*.gpg' \
    -exec pacman --dbpath "$DATABASE" --logfile /dev/null -Qqo '{}' + 2>/dev/null | sort -u |
    awk -F '\t' 'FILENAME == ARGV[1] { keyring[$1] = 1; next } $5 != "-" && ($2 in keyring) { print $6 "/" $2 }' - "$STATE/plan"
}

# pacman ends with 0 also where a package's script or a hook failed, and says so.
family_transaction_problem() {
  local words
  [[ $1 != 0 ]] || grep -q '^error: ' "$2" || return 0
  words=$({ grep -E 'exists in (filesystem|both)| are in conflict' "$2"; grep '^error: ' "$2"; } | head -n 4 | paste -sd ' ')
  printf 'pacman ended with %s: %s' "$1" "${words:0:300}"
}
