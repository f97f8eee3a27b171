# shellcheck shell=bash
# Owns repository metadata of a job: fetched into a folder of its own, judged, and read.

# Prints mebibytes that metadata takes: once as fetched and once as zypper's own index of it, for two looks.
family_metadata_room() {
  du -sm -- "$SYSTEM_CACHE/raw" "$SYSTEM_CACHE/solv" 2>/dev/null | awk '{ sum += $1 * 2 } END { print sum + 50 }'
}

# Fetches into a folder. zypper says 0 for a server without repositories, so those are counted here.
family_metadata() {
  local folder=$1 output=$WORK/refresh status=0 wanted _
  METADATA_CODE=103 METADATA_PROBLEM='' METADATA_DETAIL=''
  write_zypp_conf "$folder"
  copy_repositories "$folder"
  wanted=$(cat -- "$folder/repositories"/*.repo 2>/dev/null | grep -c '^enabled=1')
  if ((wanted == 0)); then
    METADATA_PROBLEM='no-repositories'
    METADATA_DETAIL='no repository is configured and enabled: that is not the same as nothing to update'
    return 1
  fi
  zypper_on "$folder" refresh >"$output" 2>&1 || status=$?
  log_answer "$output"
  list_primaries "$folder"
  if ((status == 0)) && [[ $(awk 'END { print NR }' "$WORK/primaries") != "$wanted" ]]; then status=skipped; fi
  if [[ $status != 0 ]]; then
    METADATA_DETAIL="zypper ended with $status: $(zypper_words "$output")"
    case $(<"$output") in
    *[Ss]'ignature verification failed'* | *'is not signed'* | *[Uu]nsigned* | *'unknown key'* | *'UNKNOWN key'* | *'Signature verification'* | *'signing key'* | *'import the'*key* | *'GPG key'*)
      METADATA_PROBLEM='key-untrusted'
      ;;
    *[Dd]'igest verification failed'* | *'expected checksum'* | *'Wrong digest'* | *'does not match'*) METADATA_PROBLEM='metadata-altered' ;;
    *) METADATA_PROBLEM='repository-unreachable' ;;
    esac
    return 1
  fi
  while IFS=$'\t' read -r _ output; do
    unpacked "$output" | head -c 1000 || {
      METADATA_CODE=1 METADATA_PROBLEM='tool-missing'
      METADATA_DETAIL="no program on this server reads ${output##*/}"
      return 1
    }
  done <"$WORK/primaries" >"$WORK/heads" 2>>"$LOG"
  grep -qE ' packages="[1-9]' "$WORK/heads" || {
    METADATA_PROBLEM='repository-empty'
    METADATA_DETAIL='every enabled repository is empty'
    return 1
  }
  metadata_fetched "$folder"
}

# Writes `primaries` and `updateinfos` into the work folder, lines of repository and file.
list_primaries() {
  local kind
  for kind in primary updateinfo; do
    find "$1/raw" -mindepth 3 -maxdepth 3 -type f \( -name "*-$kind.xml*" -o -name "$kind.xml*" \) 2>>"$LOG" |
      awk -F / '{ print $(NF - 2) "\t" $0 }' | sort >"$WORK/${kind}s"
  done
  mv -f -- "$WORK/primarys" "$WORK/primaries"
}

# Writes `available`, what repositories of a metadata folder have of the packages named in a file: the repository, then
# the fields of read_primary. list_available <folder> <file of names>
list_available() {
  local repository file
  list_primaries "$1"
  while IFS=$'\t' read -r repository file; do
    unpacked "$file" | read_primary "$2" | sed "s/^/$repository\t/"
  done <"$WORK/primaries" >"$WORK/available"
}

# Writes `published`, the advisories of all repositories. Fails where none has any.
list_published() {
  local _ file
  list_primaries "$1"
  while IFS=$'\t' read -r _ file; do unpacked "$file" | read_advisories; done <"$WORK/updateinfos" >"$WORK/published"
  [[ -s $WORK/published ]]
}

# Finds what is published now above the plan's versions; where several are, the newest. Fails when fresh metadata can
# not be had. What is unchanged since the plan was made is not fetched again.
family_newer() {
  local _ name arch to version key
  local -A newest=()
  [[ -e $METADATA_NOW || ! -d $METADATA_SEALED ]] || cp -a --reflink=auto -- "$METADATA_SEALED" "$METADATA_NOW"
  family_metadata "$METADATA_NOW" || return 1
  awk -F '\t' 'NR > 1 && $5 != "-" { print $2 }' "$STATE/plan" >"$WORK/planned-names"
  list_available "$METADATA_NOW" "$WORK/planned-names"
  while IFS=$'\t' read -r name arch to version; do
    key=$name$'\t'$arch
    family_version_at_least "${newest[$key]:-$to}" "$version" || newest[$key]=$version
  done < <(awk -F '\t' '
    FILENAME == ARGV[1] { if (FNR > 1 && $5 != "-") to[$2 "\t" $3] = $5; next }
    ($2 "\t" $3) in to && to[$2 "\t" $3] != $4 { print $2 "\t" $3 "\t" to[$2 "\t" $3] "\t" $4 }' "$STATE/plan" "$WORK/available")
  for key in "${!newest[@]}"; do printf '%s\t%s\n' "$key" "${newest[$key]}"; done | sort >"$1.new" && mv -f -- "$1.new" "$1"
}
