# shellcheck shell=bash
# Owns the way back on zypper: files of the versions before, from repositories that still list them.

# Reads name, architecture and version; prints them with their bytes where a repository has the file.
family_old_sources() {
  cat >"$WORK/old-asked"
  cut -f 1 "$WORK/old-asked" | sort -u >"$WORK/old-names"
  list_available "$METADATA_SEALED" "$WORK/old-names"
  awk -F '\t' '
    FILENAME == ARGV[1] { asked[$0] = 1; next }
    { key = $2 "\t" $3 "\t" $4 }
    (key in asked) && length($6) == 64 && !(key in said) { said[key] = 1; print key "\t" $5 }' "$WORK/old-asked" "$WORK/available"
}

# Reads name, architecture and version; prints them with the name of their file in $OLD. zypper checks what it fetches
# against signed metadata. A rollback comes when the plan's own metadata may be gone.
family_fetch_old() {
  local name arch version file path folder=$METADATA_SEALED words
  cat >"$WORK/fetch-old"
  if [[ ! -s $folder.fetched ]]; then
    folder=$METADATA_NOW
    family_metadata "$folder" || return 1
  fi
  mapfile -t words < <(awk -F '\t' '{ print $1 "." $2 "=" $3 }' "$WORK/fetch-old")
  ((${#words[@]} > 0)) || return 0
  zypper_on "$folder" --no-refresh --pkg-cache-dir "$ZYPP/old" download -- "${words[@]}" >>"$LOG" 2>&1
  # One by one: of a file that rpm can not read it says nothing.
  while IFS= read -r path; do
    IFS=$'\t' read -r name arch version < <(
      rpm -qp --nosignature --qf '%{NAME}\t%{ARCH}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\n' -- "$path" 2>>"$LOG") || continue
    version=${version#0:}
    grep -qxF "$name"$'\t'"$arch"$'\t'"$version" "$WORK/fetch-old" || continue
    file=$name-${version#*:}.$arch.rpm
    mv -f -- "$path" "$OLD/$file" && printf '%s\t%s\t%s\t%s\n' "$name" "$arch" "$version" "$file"
  done < <(find "$ZYPP/old" -name '*.rpm' -type f 2>>"$LOG")
}

# What goes, and the files of what comes. Their hashes are those that were sealed, or zypper has just fetched them by
# signed metadata; no repository is asked, so nothing else can come.
undo_words() {
  awk -F '\t' '$4 == "-" { print "!" $1 "." $2 "=" $3 }' "$STATE/undo"
  awk -F '\t' -v old="$OLD" '{ print old "/" $4 }' "$STATE/undo-files"
}

ROLLBACK=(--no-gpg-checks --no-refresh)

family_simulate_rollback() {
  local status=0
  write_zypp_conf "$ZYPP/rollback"
  mkdir -p -- "$ZYPP/rollback/repositories"
  mapfile -t WORDS < <(undo_words)
  zypper_on "$ZYPP/rollback" "${ROLLBACK[@]}" install "${INSTALL[@]}" --dry-run --details -- "${WORDS[@]}" >"$WORK/simulation" 2>&1 || status=$?
  [[ $status == @(0|102|103) ]] || {
    log_answer "$WORK/simulation"
    REPLY="zypper can not go back: $(zypper_words "$WORK/simulation")"
    return 1
  }
  read_simulation "$1"
}

family_rollback_transaction() {
  transaction_environment "$ZYPP/rollback"
  if [[ $1 != first ]]; then
    read_history
    awk -F '\t' -v old="$OLD" '{ print $1 "\t" $2 "\t" $3 "\t" old "/" $4 }' "$STATE/undo-files" | repair_lines
  fi
  [[ $1 != repair ]] || return 0
  mapfile -t WORDS < <(undo_words)
  print_zypper "${ROLLBACK[*]} --userdata quarterdeck-$CampaignId-rollback"
}
