# shellcheck shell=bash
# Owns the way back on dnf: files of the versions before, from repositories that still have them.

# Asked of dnf when the plan was weighed.
family_old_sources() {
  awk -F '\t' -v OFS='\t' 'FILENAME == ARGV[1] { bytes[$1 "\t" $2 "\t" $3] = $4; next } $0 in bytes { print $0, bytes[$0] }' "$WORK/sizes" -
}

# dnf fetches what it is told and looks at no signature of it. In prepare it goes by the metadata of the plan; later by
# fresh metadata, since repositories may have the same version in another file by then.
family_fetch_old() {
  local names name arch version file folder=$METADATA_SEALED
  cat >"$WORK/fetch-old"
  mapfile -t names < <(awk -F '\t' '{ print $1 "-" $3 "." $2 }' "$WORK/fetch-old")
  ((${#names[@]} > 0)) || return 0
  if [[ $PHASE != prepare ]]; then
    folder=$METADATA_NOW
    family_metadata "$folder" || return 1
  fi
  if [[ $VARIANT == yum3 ]]; then
    timeout 1200 yumdownloader --disableexcludes=all --destdir="$OLD" "${names[@]}" </dev/null >>"$LOG" 2>&1 || true
  else
    dnf_ask "$folder" "$(without_excludes)" download --destdir="$OLD" "${names[@]}" >>"$LOG" 2>&1 || true
  fi
  read_files "$OLD" >"$WORK/old-files"
  awk -F '\t' -v OFS='\t' 'FILENAME == ARGV[1] { wanted[$0] = 1; next } ($1 "\t" $2 "\t" $3) in wanted { print $1, $2, $3, $6 }' \
    "$WORK/fetch-old" "$WORK/old-files" >"$WORK/old-found"
  cut -f 4 "$WORK/old-found" >"$WORK/old-names"
  trust_files "$OLD" "$WORK/old-names" || {
    log "without a good signature, and not kept: $REPLY"
    (cd -- "$OLD" && xargs -r -d '\n' rm -f -- <"$WORK/not-signed")
  }
  while IFS=$'\t' read -r name arch version file; do
    [[ ! -f $OLD/$file ]] || printf '%s\t%s\t%s\t%s\n' "$name" "$arch" "$version" "$file"
  done <"$WORK/old-found"
}

# The commands of dnf's shell: it takes files only in the first that changes something, and installs older ones too, for
# which yum 3 has a word of its own. What an interrupted way back left in two versions loses the newer one.
write_undo_commands() {
  family_installed "$WORK/installed" || return 1
  {
    awk -F '\t' -v old="$OLD" -v variant="$VARIANT" '
      FILENAME == ARGV[1] { there[$1 "\t" $2 "\t" $3] = any[$1 "\t" $2] = 1; next }
      ($1 "\t" $2 "\t" $3) in there { next }
      { word = variant == "yum3" && ($1 "\t" $2) in any ? "downgrade" : "install"; line[word] = line[word] " " old "/" $4 }
      END { for (word in line) print word line[word] }' \
      "$WORK/installed" "$STATE/undo-files"
    awk -F '\t' '
      FILENAME == ARGV[1] { there[$1 "\t" $2 "\t" $3] = 1; next }
      ($1 "\t" $2 "\t" $3) in there && ($4 == "-" || ($1 "\t" $2 "\t" $4) in there) { line = line " " $1 "-" $3 "." $2 }
      END { if (line != "") print "remove" line }' "$WORK/installed" "$STATE/undo"
    echo run
  } >"$DNF/undo"
}

# dnf 5 has no shell, and one command for all of it.
undo_options() {
  local words
  UNDO=(-y '--disablerepo=*')
  if [[ $VARIANT != dnf5 ]]; then
    UNDO+=(shell "$DNF/undo")
    return
  fi
  UNDO+=('do')
  while read -r -a words; do
    [[ ${words[0]} == run ]] || UNDO+=("--action=${words[0]}" "${words[@]:1}")
  done <"$DNF/undo"
}

family_simulate_rollback() {
  write_undo_commands && undo_options
  dnf_ask "$DNF/undo-cache" --setopt=tsflags=test --setopt=localpkg_gpgcheck=0 "${UNDO[@]}" >"$WORK/simulation" 2>&1 && TESTED=yes || TESTED=no
  judge_simulation "$1"
}

# Its shell ends with 0 whatever became of it, so its words are read.
family_rollback_transaction() {
  write_undo_commands && undo_options
  prepare_to_ask "$DNF/undo-cache"
  [[ $1 != repair || $(<"$DNF/undo") != run ]] || {
    printf 'code=0\n'
    return
  }
  print_command "${ASK[@]}" "${UNDO[@]}"
}
