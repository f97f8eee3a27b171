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

family_fetch_files() {
  local status=0
  ask_pacman fetch "$METADATA_SEALED" "$FILES" -Suw --ask "$(answers "$(removals_of_plan)")" >"$WORK/download" 2>&1 ||
    status=$?
  log_output "$WORK/download"
  # Databases of Arch are not signed, so that a file has the hash they say proves little: pacman's judgement counts.
  ((status == 0)) ||
    conclude 103 blocked download-failed "pacman does not take the files: $(grep '^error: ' "$WORK/download" | head -n 2 | paste -sd ' ')"
}
