# shellcheck shell=bash
# Owns the files of a plan: fetched by the package manager, checked by rpm, known by name, version and hash.

# Sets ONLY to options under which repositories have nothing but the versions listed in a file: <name> <arch> <version>.
# Options of repositories, since the main ones hide installed packages too; in pieces, since one argument has a limit.
only_these() {
  local list
  ONLY=()
  while read -r list; do ONLY+=("--setopt=*.includepkgs=$list"); done < <(
    awk -F '\t' '{ printf "%s%s-%s.%s", (NR % 200 == 1 ? (NR > 1 ? "\n" : "") : ","), $1, $3, $2 } END { if (NR) print "" }' "$1")
}

fetch_changes() {
  awk -F '\t' '$4 != "-" { print $1 "\t" $2 "\t" $4 }' "$WORK/changes" >"$WORK/coming"
  only_these "$WORK/coming"
  plan_options "$WORK/changes" 5 1
  # Signatures are judged below: the package manager would first take up a key from wherever the repository says.
  dnf_ask "$METADATA_SEALED" -y --setopt=gpgcheck=0 '--setopt=*.gpgcheck=0' "${DESTINATION[@]}" "${ONLY[@]}" "$PLAIN_VERB" --downloadonly "${OPTIONS[@]}" >"$WORK/download" 2>&1 ||
    log 'not everything was fetched'
  # What is kept beside metadata is looked for there: the same files are ours.
  [[ $VARIANT == dnf4 ]] || find "$METADATA_SEALED" -name '*.rpm' -exec ln -f -t "$FILES" -- {} +
  log_output "$WORK/download"
  list_files || conclude 103 blocked download-failed "$(dnf_words "$WORK/download")"
  require_signatures
}

# Writes `fetched`: name, architecture, version, bytes, bytes once installed, file name. Fails where one of `coming` is
# not there.
list_files() {
  read_files "$FILES" >"$WORK/all-files"
  awk -F '\t' 'FILENAME == ARGV[1] { coming[$0] = 1; next } ($1 "\t" $2 "\t" $3) in coming' "$WORK/coming" "$WORK/all-files" >"$WORK/fetched"
  cut -f 1-3 "$WORK/fetched" | tee "$WORK/there" | sort -u | comm -13 - <(sort -u "$WORK/coming") >"$WORK/not-there"
  [[ ! -s $WORK/not-there ]]
}

# Prints what rpm reads in the files of a folder; a file that it can not read is none.
read_files() (
  cd -- "$1" || exit
  for file in *.rpm; do
    [[ -f $file ]] || continue
    rpm -qp --nosignature --nodigest --qf '%{NAME}\t%{ARCH}\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\t%{SIZE}\n' "$file" 2>>"$LOG" | sed $'s/\t0:/\t/' |
      awk -F '\t' -v OFS='\t' -v file="$file" -v bytes="$(stat -c %s -- "$file")" 'NF == 4 { print $1, $2, $3, bytes, $4, file }'
  done
)

# Keys that repositories name as files of this server.
local_keys() {
  cat -- "$CONFIGURATION" "$ROOT"/etc/yum.repos.d/*.repo 2>/dev/null | grep -oE 'file:///[^ ,]+' | grep -iE 'gpg|key' |
    sed 's#^file://##' | sort -u | while read -r file; do
    file=${file//\$releasever/*} file=${file//\$basearch/*}
    compgen -G "$ROOT$file"
  done
}

# trust_files <folder> <file of names>: whether all have a good signature; sets PROBLEM and REPLY.
trust_files() {
  local keys
  mapfile -t keys < <(local_keys)
  check_signatures "$1" "$2" "${keys[@]}"
}

require_signatures() {
  cut -f 6 "$WORK/fetched" >"$WORK/names"
  trust_files "$FILES" "$WORK/names" && return
  case $PROBLEM in
  unsigned) conclude 107 unsupported unsigned "no signature: $REPLY" ;;
  untrusted) conclude 103 blocked key-untrusted "signed by nobody whom this server trusts: $REPLY" ;;
  *) conclude 103 blocked download-failed "not what was signed: $REPLY" ;;
  esac
}

# Writes the entries, and an index of the files, whose names repositories choose.
write_entries() {
  local name arch version bytes installed file hash
  while IFS=$'\t' read -r name arch version bytes installed file; do
    sha256_of_stdin <"$FILES/$file"
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$arch" "$version" "$bytes" "$REPLY" "$installed" "$file"
  done <"$WORK/fetched" >"$FILES/index"
  awk -F '\t' '
    FILENAME == ARGV[1] { file[$1 "\t" $2 "\t" $3] = $4 "\t" $5; next }
    FILENAME == ARGV[2] { if ($2 == "security") security[$5 "\t" $6] = 1; next }
    {
      key = $1 "\t" $2
      if ($4 == "-") { print $5 "\t" key "\t" $3 "\t-\t-\tno\t0\t-"; next }
      repository = $6; sub(/^@+/, "", repository); gsub(/[^A-Za-z0-9+.:\/_~-]/, "-", repository)
      print $5 "\t" key "\t" $3 "\t" $4 "\t" substr(repository, 1, 128) "\t" (key in security ? "yes" : "no") "\t" file[key "\t" $4]
    }' "$FILES/index" "$WORK/advisories" "$WORK/changes" >"$WORK/entries"
  awk -F '\t' -v OFS='\t' '
    FILENAME == ARGV[1] { was[$1 "\t" $2 "\t" $3] = $5 * 1024; next }
    FILENAME == ARGV[2] { download += $4; grows += $6; next }
    $3 != "-" { grows -= was[$1 "\t" $2 "\t" $3] }
    END { printf "download\t%.0f\ninstalled\t%.0f\n", download, grows }' "$WORK/installed" "$FILES/index" "$WORK/changes" >"$WORK/totals"
  [[ $(grep -c . "$WORK/entries") == "$(grep -c . "$WORK/changes")" ]] ||
    conclude 1 blocked script-failed "the plan has not all that $PACKAGE_MANAGER would do"
}

family_plan_files() {
  awk -F '\t' '
    FILENAME == ARGV[1] { file[$1 "\t" $2 "\t" $3] = $7; next }
    FNR > 1 && $5 != "-" { key = $2 "\t" $3 "\t" $5; print $9 "  " (key in file ? file[key] : $2 "-" $5 "." $3 ".rpm") }' \
    "$FILES/index" "$1" 2>/dev/null || return 1
}

# They are there since the plan was made of them.
family_fetch_files() { :; }
