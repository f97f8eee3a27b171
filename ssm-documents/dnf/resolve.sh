# shellcheck shell=bash
# Owns what dnf's resolver would do, as entries of a plan.

# Writes `entries`, `kept-back`, `advisories` and `totals`. The files are fetched here: what seals them is the hash of
# what dnf checked against metadata and signature, since it does not tell what metadata states.
family_resolve() {
  local tries culprits
  choose_verb
  [[ ${#VERB[@]} -gt 0 ]] || {
    log 'nothing of what was named is installed here'
    return 0
  }
  : >"$WORK/denied"
  for tries in 1 2 3 4 5 6; do
    resolve_once || conclude 100 blocked resolver-failed "$PACKAGE_MANAGER can not resolve an upgrade: $REPLY"
    culprits=$(unpermitted)
    [[ -n $culprits ]] || break
    log "kept back, since they would remove others: $culprits"
    printf '%s\n' "$culprits" >>"$WORK/denied"
  done
  [[ -z $culprits ]] || conclude 100 blocked resolver-failed "no upgrade was found that removes nothing: $(some_of <<<"$culprits")"
  { awk -F '\t' '$5 == "skip" { print $1 }' "$WORK/table" && sed -E 's/-[^-]+-[^-]+$//' "$WORK/denied"; } | sort -u >"$WORK/kept-back"
  awk -F '\t' '$5 != "skip"' "$WORK/table" >"$WORK/changes"
  ! grep -q $'\treinstall\t' "$WORK/changes" || conclude 1 blocked script-failed "$PACKAGE_MANAGER would install again what is there"
  [[ -s $WORK/changes ]] || return 0
  weigh_changes
  require_room_for_plan
  list_advisories
  fetch_changes
  write_entries
}

# Sets VERB to the command for the mode, or to nothing where nothing of what was named is here.
choose_verb() {
  local item
  VERB=(upgrade)
  [[ $VARIANT != yum3 ]] || VERB=(update)
  case $Mode in
  security | advisories)
    has_errata || conclude 107 unsupported no-security-repository 'no enabled repository says what its updates are for'
    VERB=("${VERB[0]}-minimal")
    [[ $VARIANT != dnf5 ]] || VERB=(upgrade --minimal)
    if [[ $Mode == security ]]; then VERB+=(--security); else add_advisories; fi
    ;;
  packages)
    mapfile -t -O 1 VERB < <(awk -F '\t' 'FILENAME == ARGV[1] { there[$1] = 1; next } $1 in there { print $1 }' "$WORK/installed" "$STATE/selections" | sort -u)
    ((${#VERB[@]} > 1)) || VERB=()
    ;;
  groups)
    : >"$WORK/members"
    while read -r item; do add_members "${item#@}"; done <"$STATE/selections"
    mapfile -t -O 1 VERB < <(awk -F '\t' 'FILENAME == ARGV[1] { there[$1] = 1; next } $1 in there { print $1 }' "$WORK/installed" "$WORK/members" | sort -u)
    ((${#VERB[@]} > 1)) || VERB=()
    ;;
  esac
}

# An advisory that no repository knows would be filtered for in vain, and look like nothing to do.
add_advisories() {
  local item option
  while read -r item; do
    option=--advisory=$item
    [[ $item != CVE-* ]] || option=--cve=$item
    # dnf 5 has them in the plural.
    [[ $VARIANT != dnf5 ]] || option=$(sed 's/^--advisory=/--advisories=/; s/^--cve=/--cves=/' <<<"$option")
    knows_advisory "$option" "$item" ||
      conclude 107 unsupported mode-unsupported "no enabled repository knows $item"
    VERB+=("$option")
  done <"$STATE/selections"
}

knows_advisory() {
  case $VARIANT in
  yum3) dnf_ask "$METADATA_SEALED" -q -C updateinfo info all "$1" 2>>"$LOG" | grep -qF "$2" ;;
  *) dnf_ask "$METADATA_SEALED" -q -C repoquery --available "$1" 2>>"$LOG" | grep -q . ;;
  esac
}

# Adds what a group names; those of it that are installed get updated, and nothing else of it is brought in. Read from
# what repositories say, since dnf's own command ends in a crash where they have no environments.
add_members() {
  local file
  find "$METADATA_SEALED" -type f \( -name '*comps*' -o -name '*group*' \) ! -name '*.solv*' | while IFS= read -r file; do unpacked "$file" 2>>"$LOG"; done |
    awk -v RS='<' -v group="$1" '
      { tag = $0; sub(/[ >].*/, "", tag); text = substr($0, index($0, ">") + 1); gsub(/^[ \t\n]+|[ \t\n]+$/, "", text) }
      tag == "group" { id = ""; inside = 1 } tag == "/group" { inside = 0 }
      tag == "id" && inside && id == "" { id = text }
      tag == "packagereq" && inside && id == group { print text }' >"$WORK/group-members"
  [[ -s $WORK/group-members ]] ||
    conclude 107 unsupported mode-unsupported "no enabled repository has a group $1 with packages"
  cat -- "$WORK/group-members" >>"$WORK/members"
}

# Asks for the best of everything. Where something is kept back and that is not to be had, what needs it is left alone
# and named; otherwise it is for a person to see.
resolve_once() {
  local denied=() item
  while read -r item; do denied+=("--exclude=$item"); done <"$WORK/denied"
  if ! try_to_resolve "${denied[@]}"; then
    [[ -s $WORK/denied || -s $STATE/exclusions || -s $WORK/holds ]] || return 1
    try_to_resolve "${denied[@]}" --setopt=best=0 || return 1
  fi
}

try_to_resolve() {
  local erasing=()
  [[ $Removals != allow || $VARIANT == yum3 ]] || erasing=(--allowerasing)
  # Of dnf 5 it is an option of the verb, not of the program.
  dnf_ask "$METADATA_SEALED" --assumeno "$@" "${VERB[@]}" "${erasing[@]}" >"$WORK/resolution" 2>&1 || true
  log_output "$WORK/resolution"
  # Its exit code says 1 also where it was only told not to go on.
  read_table "$WORK/resolution" "$WORK/table" && return 0
  REPLY=$(dnf_words "$WORK/resolution")
  return 1
}

# Versions before are asked for also where newer ones are kept back.
without_excludes() {
  if [[ $VARIANT == dnf5 ]]; then printf '%s' '--setopt=disable_excludes=*'; else printf '%s' --disableexcludes=all; fi
}

# Prints name-version of what would remove or replace something that may not go.
unpermitted() {
  [[ $Removals != allow ]] || return 0
  awk -F '\t' '$5 == "replace" && before != "" { print before; next }
    $5 == "remove" { gone = $1 } { before = $4 == "-" ? "" : $1 "-" $4 } END { if (gone != "") print gone "-0-0" }' "$WORK/table" | sort -u
}

# Writes `weights`: name, architecture, version, bytes to download and once installed, of what comes; what the table rounds
# where the package manager is not to be asked. What repositories have of the versions before is asked with it.
weigh_changes() {
  : >"$WORK/sizes"
  if [[ $VARIANT == yum3 ]]; then
    list_old_versions >"$WORK/sizes"
  else
    awk -F '\t' '$4 != "-" { print $1 "-" $4 "." $2 } $3 != "-" { print $1 "-" $3 "." $2 }' "$WORK/changes" | query_sizes >"$WORK/sizes"
  fi
  awk -F '\t' -v OFS='\t' '
    FILENAME == ARGV[1] { known[$1 "\t" $2 "\t" $3] = $4 OFS $5; next }
    $4 != "-" { key = $1 "\t" $2 "\t" $4; print $1, $2, $4, key in known ? known[key] : $7 OFS $7 * 4 }' "$WORK/sizes" "$WORK/changes" >"$WORK/weights"
}

# What yum 3 lists, with what is installed now in place of the bytes that it does not tell.
list_old_versions() {
  local names
  mapfile -t names < <(awk -F '\t' '$3 != "-" { print $1 }' "$WORK/changes" | sort -u)
  ((${#names[@]} > 0)) || return 0
  dnf_ask "$METADATA_SEALED" -q -C --showduplicates --disableexcludes=all list available "${names[@]}" 2>>"$LOG" | read_list |
    awk -F '\t' -v OFS='\t' 'FILENAME == ARGV[1] { size[$1 "\t" $2 "\t" $3] = $5 * 1024; next }
      $0 in size { print $0, size[$0], size[$0] }' "$WORK/installed" -
}

# Reads `yum list`, whose rows break where a name is long: name, architecture, version.
read_list() {
  awk '/^[A-Z].* [Pp]ackages$|^Loaded plugins|^ *[*:]/ { next } { line = line " " $0 }
    END { n = split(line, word, " "); for (i = 1; i + 2 <= n; i += 3) { arch = name = word[i]; sub(/.*[.]/, "", arch); sub(/[.][^.]*$/, "", name)
      sub(/^0:/, "", word[i + 1]); print name "\t" arch "\t" word[i + 1] } }'
}

# Reads name-version.architecture, prints what repositories have of it.
query_sizes() {
  local names
  mapfile -t names
  ((${#names[@]} > 0)) || return 0
  printf '%s\n' "${names[@]}" | xargs -n 500 bash -c 'printf "%s\n" "$*"' _ | while read -r -a names; do
    dnf_ask "$METADATA_SEALED" -q -C "$(without_excludes)" repoquery --available \
      --qf '%{name}|%{arch}|%{evr}|%{downloadsize}|%{installsize}\n' "${names[@]}" 2>>"$LOG"
  done | awk -F '|' -v OFS='\t' 'NF == 5 { sub(/^0:/, "", $3); print $1, $2, $3, $4, $5 }' | sort -u
}

# What of the plan is fetched already does not count again.
family_room() {
  local room
  room=$(awk -F '\t' -v there="$WORK/there" '
    BEGIN { while ((getline line < there) > 0) have[line] = 1 }
    FILENAME == ARGV[1] { was[$1 "\t" $2] = $5; next }
    FILENAME == ARGV[2] { growth += $5 / 1024; if ($5 / 1024 > largest) largest = $5 / 1024; if (!(($1 "\t" $2 "\t" $3) in have)) download += $4; next }
    $3 != "-" { growth -= was[$1 "\t" $2] }
    END { printf "%d %d\n", download / 1048576 + 1, (growth > 0 ? growth : 0) / 1024 + largest / 1024 + 1 }
  ' "$WORK/installed" "$WORK/weights" "$WORK/changes") || return 1
  printf '%s %s\n' "$room" "$(boot_room)"
}

# Each new kernel as much as the largest that is there, and once more for the initrd that is being written.
boot_room() {
  local kernels
  kernels=$(awk -F '\t' -v bootable="$BOOTABLE" '$4 != "-" && $1 ~ bootable { print $4 }' "$WORK/changes" | sort -u | grep -c .)
  ((kernels > 0)) || {
    echo 0
    return
  }
  find "$ROOT/boot" -maxdepth 1 -type f -printf '%f %s\n' 2>/dev/null | awk -v kernels="$kernels" '
    /^initramfs/ && !/kdump|rescue/ && $2 > initrd { initrd = $2 }
    /^vmlinuz/ && $2 > image { image = $2 }
    /^(System.map|config|symvers)/ && $2 > rest { rest = $2 }
    # A server without one to go by: those of these distributions have been below 100 MiB.
    END { if (!initrd) initrd = 100 * 1048576; if (!image) image = 16 * 1048576
      printf "%d\n", (kernels * (initrd + image + 2 * rest) + initrd) / 1048576 + 1 }'
}
