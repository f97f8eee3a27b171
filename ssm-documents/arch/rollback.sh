# shellcheck shell=bash
# Owns the way back on pacman: a repository of the versions before, from the files that were kept.

UNDO=$PACMAN/undo

# Makes the repository, so that pacman judges the whole transaction as it does an upgrade's.
make_undo_repository() {
  local name version file REPLY
  rm -rf -- "$UNDO"
  mkdir -p -- "$UNDO/sync" && chmod 0755 "$UNDO" "$UNDO/sync" || return 1
  : >"$UNDO.repositories" && write_settings "$UNDO" || return 1
  printf '[undo]\nSigLevel = PackageRequired PackageTrustedOnly DatabaseNever\nServer = file:///nonexistent\n' | tee -a -- "$UNDO.here" >>"$UNDO.run"
  # What is ignored on the way forward may have to go back.
  sed -i '/^Ignore\(Pkg\|Group\) = /d' "$UNDO.here" "$UNDO.run"
  echo undo >"$UNDO.repositories"
  ln -sfn -- "$DATABASE/local" "$UNDO/local"
  mkdir -- "$UNDO/entries"
  while IFS=$'\t' read -r name _ version file; do
    mkdir -- "$UNDO/entries/$name-$version" && describe_file "$OLD/$file" >"$UNDO/entries/$name-$version/desc" || return 1
  done <"$STATE/undo-files"
  (cd "$UNDO/entries" && bsdtar -czf "$UNDO/sync/undo.db" -- *) 2>>"$LOG" || [[ ! -s $STATE/undo-files ]]
}

# Prints what a repository says of a package file, from what the file says of itself.
describe_file() {
  sha256_of_stdin <"$1"
  printf '%%FILENAME%%\n%s\n\n%%CSIZE%%\n%s\n\n%%SHA256SUM%%\n%s\n\n' "${1##*/}" "$(stat -c %s -- "$1")" "$REPLY"
  bsdtar -xOf "$1" .PKGINFO 2>>"$LOG" </dev/null | awk '
    BEGIN {
      split("pkgname NAME pkgbase BASE pkgver VERSION pkgdesc DESC group GROUPS size ISIZE url URL license LICENSE arch ARCH builddate BUILDDATE packager PACKAGER replaces REPLACES conflict CONFLICTS provides PROVIDES depend DEPENDS optdepend OPTDEPENDS", word, " ")
      for (i = 1; i in word; i += 2) field[word[i]] = word[i + 1]
    }
    { at = index($0, " = "); key = at ? substr($0, 1, at - 1) : "" }
    key in field { text[field[key]] = text[field[key]] substr($0, at + 3) "\n" }
    END { for (name in text) print "%" name "%\n" text[name] }'
}

# What comes back, as arguments of -S.
undo_names() {
  awk -F '\t' '$4 != "-" { print "undo/" $1 }' "$STATE/undo"
}

undo_answers() {
  if cut -f 4 "$STATE/undo" | grep -qx -e -; then answers allow; else answers refuse; fi
}

family_simulate_rollback() {
  local -a names
  make_undo_repository || {
    REPLY='a repository of the versions before could not be made'
    return 1
  }
  mapfile -t names < <(undo_names)
  : >"$WORK/changes"
  if ((${#names[@]} > 0)); then
    mkdir -p -- "$WORK/no-files"
    index_databases "$UNDO" || return 1
    ask_pacman here "$UNDO" "$WORK/no-files" -S --ask "$(undo_answers)" "${names[@]}" >"$WORK/simulation" 2>&1 || true
    log_output "$WORK/simulation"
    read_changes "$UNDO.index" || return 1
    ask_pacman here "$UNDO" "$OLD" -Sw --ask "$(undo_answers)" "${names[@]}" >"$WORK/files-judged" 2>&1 || {
      log_output "$WORK/files-judged"
      REPLY="pacman does not take the files: $(grep -m 2 '^error: ' "$WORK/files-judged" | paste -sd ' ')"
      return 1
    }
  fi
  # What was new goes afterwards, where it was not in the way.
  awk -F '\t' 'FILENAME == ARGV[1] { print $1 "\t" $2 "\t" $3 "\t" $4 "\t" $5; gone[$1] = 1; next }
    $4 == "-" && !($1 in gone) { print $1 "\t" $2 "\t" $3 "\t-\tremove" }' "$WORK/changes" "$STATE/undo" >"$1"
}

family_rollback_transaction() {
  local -a names gone dependencies
  mapfile -t names < <(undo_names)
  mapfile -t gone < <(awk -F '\t' '$4 == "-" { print $1 }' "$STATE/undo")
  transaction_functions "$UNDO"
  printf 'pac() { in_place --cachedir %q --ask %s "$@"; }\n' "$OLD" "$(undo_answers)"
  if [[ $1 == first ]]; then
    keep_entries
    printf '%s\n' 'code=0'
  else
    awk -F '\t' -v old="$OLD" 'FILENAME == ARGV[1] { file[$1] = $4; next }
      $4 != "-" { print $1 "\t" $3 "\t" $4 "\t" old "/" file[$1] }' "$STATE/undo-files" "$STATE/undo" >"$TRANSACTION.entries"
    mending "$1"
  fi
  [[ $1 != repair ]] || return 0
  ((${#names[@]} == 0)) || printf '((code)) || { pac -S --needed %s; code=$?; }\n' "$(printf '%q ' "${names[@]}")"
  ((${#gone[@]} == 0)) || cat <<SCRIPT
if ((code == 0)); then
mapfile -t gone < <(pacman --dbpath "\$system" -Qq $(printf '%q ' "${gone[@]}") 2>/dev/null 9>&-)
((\${#gone[@]} == 0)) || { pac -R "\${gone[@]}"; code=\$?; }
fi
SCRIPT
  # What comes back after it was replaced counts as asked for by hand otherwise.
  mapfile -t dependencies < <(awk -F '\t' 'FILENAME == ARGV[1] { as[$1] = 1; next } $3 == "-" && ($1 in as) { print $1 }' \
    "$STATE/as-dependencies" "$STATE/undo" 2>/dev/null)
  ((${#dependencies[@]} == 0)) || printf '((code)) || mark_dependencies %s\n' "$(printf '%q ' "${dependencies[@]}")"
}
