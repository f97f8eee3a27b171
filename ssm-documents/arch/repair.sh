# shellcheck shell=bash
# Owns what an interrupted pacman leaves behind: packages that no database knows any more, files of theirs, and a lock.

# Keeps what the database says of packages that are about to change. pacman takes a package's entry away before it
# unpacks the new version: with the entry put back, files that are there have an owner again.
keep_entries() {
  local name version
  rm -rf -- "$PACMAN/before"
  mkdir -p -- "$PACMAN/before"
  awk -F '\t' '{ print $1 "\t" $3 }' "$WORK/installed" | sort >"$WORK/there"
  { awk -F '\t' 'FNR > 1 { print $2 }' "$STATE/plan" && cut -f 1 "$STATE/undo" 2>/dev/null; } | sort -u |
    join -t $'\t' - "$WORK/there" | while IFS=$'\t' read -r name version; do
    cp -a -- "$DATABASE/local/$name-$version" "$PACMAN/before/" || log "the entry of $name could not be kept"
  done
  # As it was before the plan, also for what a rollback brings back.
  [[ $PHASE == rollback ]] || awk 'before == "%REASON%" && $0 == 1 { split(FILENAME, part, "/"); print name } before == "%NAME%" { name = $0 } { before = $0 }' \
    "$PACMAN"/before/*/desc >"$STATE/as-dependencies" 2>/dev/null || true
}

# Prints the lines that mend the entries of a transaction (`<name> <from> <to> <file>`): what was begun is finished, and
# with `again` the rest comes in the same transaction. What is there already is installed once more, since its hooks may
# not have run and its files may not have reached the disk.
mending() {
  printf 'entries=%q before=%q kind=%q\n' "$TRANSACTION.entries" "$PACMAN/before" "$1"
  cat <<'SCRIPT'
is_whole() { [[ -s $1/desc && -f $1/files ]] && grep -q '^%VERSION%$' "$1/desc"; }
is_beyond() {
local other
for other in "$system/local/$1"-*-*; do
[[ $other != "$system/local/$1-$2" && $other != "$system/local/$1-$3" ]] && is_whole "$other" &&
[[ $(awk 'n { print; exit } $0 == "%NAME%" { n = 1 }' "$other/desc") == "$1" ]] && return 0
done
return 1
}
mend() {
local name from to file
while IFS=$'\t' read -r name from to file; do
if is_beyond "$name" "$from" "$to"; then continue; fi
if is_whole "$system/local/$name-$to"; then
[[ $from == - || $from == "$to" ]] || rm -rf "$system/local/$name-$from"
begun+=("$file")
elif [[ $from != - ]] && is_whole "$system/local/$name-$from"; then
rm -rf "$system/local/$name-$to"
waiting+=("$file")
elif [[ $from == - && ! -d $system/local/$name-$to ]]; then
waiting+=("$file")
else
rm -rf "$system/local/$name-$to"
if [[ $from != - && -d $before/$name-$from ]]; then
rm -rf "$system/local/$name-$from"
cp -a "$before/$name-$from" "$system/local/"
fi
begun+=("$file")
while IFS= read -r path; do over+=(--overwrite "$path"); done < <(bsdtar -tf "$file" 9>&- | grep -v -e '^[.]' -e '/$' | sed 's/[][*?\\!,]/\\&/g')
echo "$name was interrupted"
fi
done <"$entries"
}
begun=() waiting=() over=()
if others_are_gone 900; then
[[ -e $lock ]] || : >"$lock"
mend
rm -f "$lock"
code=0
if [[ $kind == repair ]]; then
((${#begun[@]} == 0)) || { pac -U --nodeps --nodeps "${over[@]}" "${begun[@]}"; code=$?; }
elif ((${#begun[@]} + ${#waiting[@]} > 0)); then
pac -U "${over[@]}" "${begun[@]}" "${waiting[@]}"
code=$?
fi
fi
SCRIPT
}
