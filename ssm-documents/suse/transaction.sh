# shellcheck shell=bash
# Owns the transaction as zypper is asked for it: simulated, carried out, judged.

# Every version by name, on metadata that is not fetched again: zypper takes the files of the plan, which its own hashes
# fit. What is obsoleted goes by itself.
plan_words() {
  awk -F '\t' 'NR > 1 && $5 != "-" { print $2 "." $3 "=" $5 } $1 == "remove" { print "!" $2 "." $3 "=" $4 }' "$STATE/plan"
}

# A file's name as rpm makes it, where all files of a plan lie side by side.
family_plan_files() {
  awk -F '\t' 'NR > 1 && $5 != "-" { version = $5; sub(/^[0-9]+:/, "", version)
    print $9 "  " $2 "-" version "." $3 ".rpm" }' "$1"
}

# Downloads into the job's own cache; with the files there, zypper also looks for files that two packages would own.
family_fetch_files() {
  local status=0 hash file
  mapfile -t WORDS < <(plan_words)
  zypper_on "$METADATA_SEALED" --no-refresh install "${INSTALL[@]}" --download-only -- "${WORDS[@]}" >"$WORK/download" 2>&1 || status=$?
  log_answer "$WORK/download"
  [[ $status == @(0|102|103) ]] || REPLY=$(zypper_words "$WORK/download")
  family_plan_files "$STATE/plan" >"$WORK/names"
  find "$ZYPP/packages" -name '*.rpm' -type f -print0 | xargs -r -0 sha256sum >"$WORK/fetched"
  while read -r hash file; do
    # shellcheck disable=SC2153 # of the family
    while IFS= read -r name; do ln -f -- "$file" "$FILES/$name"; done < <(awk -v hash="$hash" '$1 == hash { print $2 }' "$WORK/names")
  done <"$WORK/fetched"
  require_own_files
  [[ $status == @(0|102|103) ]]
}

INSTALL=(--oldpackage "${TERMS[@]}" --no-force-resolution)

# Before the plan is sealed: what would fail for the files that packages share would fail on every server alike.
require_own_files() {
  local status=0 files
  zypper_on "$METADATA_SEALED" --no-refresh install "${INSTALL[@]}" --dry-run --download-only -- "${WORDS[@]}" >"$WORK/conflicts" 2>&1 || status=$?
  ((status == 8)) && grep -q '<fileconflict>' "$WORK/conflicts" || return 0
  files=$(sed -nE 's#.*<lhs><file>([^<]*)</file>.*<name>([^<]*)</name>.*#\2:\1#p' "$WORK/conflicts" | some_of)
  conclude 100 blocked resolver-failed "files that another package has already: $files"
}

# On the plan's files; anything but the plan is drift.
family_simulate() {
  local status=0
  write_zypp_conf "$METADATA_SEALED"
  mapfile -t WORDS < <(plan_words)
  zypper_on "$METADATA_SEALED" --no-refresh install "${INSTALL[@]}" --dry-run --details -- "${WORDS[@]}" >"$WORK/simulation" 2>&1 || status=$?
  [[ $status == @(0|102|103) ]] || {
    log_answer "$WORK/simulation"
    REPLY="zypper can not do what was sealed: $(zypper_words "$WORK/simulation")"
    return 1
  }
  read_simulation "$1"
}

# Writes name, architecture, from, to and action of what was simulated. A change of vendor is one line more, and drift.
read_simulation() (
  set -o pipefail
  parse_summary <"$WORK/simulation" | cut -f 1-5 | awk -F '\t' -v OFS='\t' '$5 == "vendor" { $1 = $1 "-of-another-vendor" } { print }' >"$1"
)

# What every script of a transaction begins with. Patches that ask for a restart leave the mark that zypper leaves for
# them; and what was brought in by need alone stays known as such, which naming versions would end.
transaction_environment() {
  cat <<SCRIPT
export ZYPP_CONF="$1.conf" ZYPP_LOCK_TIMEOUT=60
automatic=$ROOT/var/lib/zypp/AutoInstalled
[[ -f "$STATE/automatic" || ! -f \$automatic ]] || cp -- "\$automatic" "$STATE/automatic" 9>&-
SCRIPT
  cat <<'SCRIPT'
keep_marks() {
  [[ -f $1 ]] || return 0
  awk 'FILENAME == ARGV[1] { if (/^[^#]/) there[$0] = 1; next } /^[^#]/ && !($0 in there)' "$automatic" "$1" 9>&- |
    while IFS= read -r name; do ! rpm -q "$name" >/dev/null 2>&1 9>&- || printf '%s\n' "$name"; done >"$1.lost"
  cat -- "$1.lost" >>"$automatic" 9>&-
}
SCRIPT
}

# Prints what finishes packages that an interruption left: their new version is there, and either the old one is too or
# zypper never noted that it had come. They are installed once more from their file, which runs their scripts and takes the
# old version away. Reads name, architecture, version to be there, file.
repair_lines() {
  local name arch version file
  family_installed "$WORK/installed" || return 0
  while IFS=$'\t' read -r name arch version file; do
    [[ -f $file ]] || continue
    awk -F '\t' -v name="$name" -v arch="$arch" -v version="$version" '
      $1 == name && $2 == arch && $3 == version { found = 1; state = $4 } END { exit !found }' "$WORK/installed" || continue
    ! grep -qsF "|install|$name|$version|$arch|" "$STATE/history" "$STATE/repaired" || continue
    printf 'rpm --upgrade --replacepkgs --oldpackage --replacefiles --nodeps -- %q 9>&- && echo %q >>%q\n' \
      "$file" "|install|$name|$version|$arch|" "$STATE/repaired"
  done
}

# What zypper noted of this job.
read_history() {
  grep -F "quarterdeck-$CampaignId${PHASE#patch}" "$ROOT/var/log/zypp/history" >"$STATE/history" 2>/dev/null || true
}

# family_transaction first|again|repair
family_transaction() {
  transaction_environment "$METADATA_SEALED"
  if [[ $1 != first ]]; then
    read_history
    awk -F '\t' -v folder="$FILES" -v kernel="$KERNEL_NAMES" '
      FILENAME == ARGV[1] { if ($1 != "there") begun[$2 "\t" $3 "\t" $5] = 1; next }
      FNR > 1 && $5 != "-" && ($2 "\t" $3 "\t" $5) in begun {
        version = $5; sub(/^[0-9]+:/, "", version)
        if ($2 !~ kernel) print $2 "\t" $3 "\t" $5 "\t" folder "/" $2 "-" version "." $3 ".rpm" }' "$STATE/compared.before" "$STATE/plan" |
      repair_lines
  fi
  [[ $1 != repair ]] || return 0
  mapfile -t WORDS < <(plan_words)
  print_zypper "--no-refresh --userdata quarterdeck-$CampaignId"
  cat <<SCRIPT
case \$code in 0 | 102 | 103) [[ ! -s "$STATE/reboot-suggested" ]] || : >>"$ROOT/run/reboot-needed" ;; esac
SCRIPT
}

# Prints the lines that install WORDS, with options of zypper. 103 is its word for: I was updated myself, run me again. What
# is to go and has gone already is a word that it does not know (104).
print_zypper() {
  printf 'words=(%s)\n' "$(printf '%q ' "${WORDS[@]}")"
  cat <<'SCRIPT'
for try in 1 2; do
left=()
for word in "${words[@]}"; do
if [[ $word == '!'* ]]; then
version=${word##*=} name=${word#?}
name=${name%=*}
rpm -q "${name%.*}-${version#*:}.${name##*.}" >/dev/null 2>&1 9>&- || continue
fi
left+=("$word")
done
SCRIPT
  cat <<SCRIPT
((\${#left[@]} == 0)) || zypper --non-interactive $1 install ${INSTALL[*]} -- "\${left[@]}" 9>&-
code=\$?
((code == 103)) || break
done
keep_marks "$STATE/automatic"
SCRIPT
}

# What went wrong, from the exit code (or `interrupted`) and the log; nothing when it went well. Older versions end with
# 0 where a script failed.
family_transaction_problem() {
  local words
  words=$(grep -E '%[a-z]+\(.*scriptlet failed|^error:|No space left|[Ff]ile conflict|^Problem|^Installation has been aborted|System management is locked' "$2" | tail -n 3 | paste -sd ' ')
  case $1 in
  0 | 102 | 103) [[ $words == *'scriptlet failed'* ]] || return 0 ;;
  esac
  printf 'zypper ended with %s: %s' "$1" "${words:0:300}"
}

# zypper keeps the number of its process in a file, and rpm a lock on its own. A process that took over the number of one
# that died has nothing to do with packages.
family_lock_holder() {
  local id='' program
  REPLY=''
  { read -r id <"$ROOT/run/zypp.pid"; } 2>/dev/null
  if [[ $id =~ ^[0-9]+$ ]] && grep -qsE '/libzypp[^/]*$' "/proc/$id/maps"; then
    program=$(readlink -- "/proc/$id/exe")
    REPLY="${program##*/} ($id)"
  else
    REPLY=$(lock_holders "${LOCK_FILES[0]}")
  fi
}
