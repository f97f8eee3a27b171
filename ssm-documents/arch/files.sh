# shellcheck shell=bash
# Owns the package files of a plan: fetched by pacman, which checks their signatures, and named as its databases do.

# Prints "<sha256>  <file name>" for the entries of a plan that bring a file.
family_plan_files() {
  plan_files_of "$1" | awk -F '\t' '{ print $1 "  " $2 }'
}

# Prints hash, file name and package name of each entry of a plan that brings a file.
plan_files_of() {
  awk -F '\t' '
    FILENAME == ARGV[1] { file[$4 "/" $1 "/" $3] = $5; next }
    FNR > 1 && $5 != "-" { key = $6 "/" $2 "/" $5; print $9 "\t" (key in file ? file[key] : $2 "-" $5) "\t" $2 }
  ' "$METADATA_SEALED.index" "$1"
}

# Whether packages may go, by a plan: as its preview was answered.
removals_of_plan() {
  if grep -qE $'^(remove|replace)\t' "$STATE/plan"; then printf allow; else printf refuse; fi
}

fetch_upgrade() {
  local status=0
  ask_pacman fetch "$METADATA_SEALED" "$FILES" -Suw --ask "$(answers "$(removals_of_plan)")" >"$WORK/download" 2>&1 ||
    status=$?
  log_output "$WORK/download"
  return "$status"
}

family_fetch_files() {
  local status=0
  fetch_upgrade || {
    status=$?
    ! learn_keys || { fetch_upgrade && status=0; }
  }
  # Databases of Arch are not signed, so that a file has the hash they say proves little: pacman's judgement counts.
  ((status == 0)) ||
    conclude 103 blocked download-failed "pacman does not take the files: $(grep '^error: ' "$WORK/download" | head -n 2 | paste -sd ' ')"
}

# A server that was not upgraded for long does not know the keys of newer packages, which the plan's keyring packages
# bring. Those are signed by keys that it knows: with theirs beside its own, in a copy without secrets, the rest can be
# judged before anything is installed. Fails where the plan has no such package, or the server does not trust it.
learn_keys() (
  set -o pipefail
  mapfile -t keyrings < <(keyrings_of_plan)
  ((${#keyrings[@]} > 0)) || exit 1
  ask_pacman fetch "$METADATA_SEALED" "$FILES" -Sw --nodeps --nodeps --ask "$(answers refuse)" "${keyrings[@]}" >>"$LOG" 2>&1 || exit 1
  rm -rf -- "$KEYS"
  mkdir -m 0755 -- "$KEYS" && find "$ROOT$(setting_of GPGDir)" -maxdepth 1 -type f -name '*.gpg' -exec cp -p -t "$KEYS" -- '{}' + || exit 1
  for package in "${keyrings[@]}"; do
    file=$FILES/$(plan_files_of "$STATE/plan" | awk -F '\t' -v name="${package#*/}" '$3 == name { print $2 }')
    bsdtar -xOf "$file" --include 'usr/share/pacman/keyrings/*.gpg' 2>>"$LOG" | key_tool --import
    bsdtar -xOf "$file" --include 'usr/share/pacman/keyrings/*-trusted' 2>>"$LOG" | key_tool --import-ownertrust
  done
  log "judging files with the keys of ${keyrings[*]} as well"
  write_settings "$METADATA_SEALED"
)

key_tool() {
  gpg --homedir "$KEYS" --batch --quiet --no-tty --no-permission-warning "$@" >>"$LOG" 2>&1
}
