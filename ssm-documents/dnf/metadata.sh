# shellcheck shell=bash
# Owns repository metadata of a job: fetched into a folder of its own, and judged.

# Begins with what the system's cache has, so that what is unchanged is not fetched again: it is compared with the
# repository's own index, which always is.
family_metadata() {
  local folder=$1 output=$WORK/makecache status=0
  METADATA_CODE=103 METADATA_PROBLEM='' METADATA_DETAIL=''
  if [[ ! -d $folder ]]; then
    mkdir -p -- "$folder"
    (cd -- "$SYSTEM_CACHE" 2>/dev/null && cp -rp --parents --reflink=auto -- */repodata "$folder/" 2>/dev/null) || true
  fi
  # The keys of signed indexes lie there too, as the operator has agreed to them.
  (cd -- "$SYSTEM_CACHE" 2>/dev/null && cp -rpn --parents -- */pubring "$folder/" 2>/dev/null) || true
  refresh_metadata "$folder" >"$output" 2>&1 || status=$?
  log_output "$output"
  if ((status != 0)); then
    METADATA_DETAIL=$(dnf_words "$output")
    case $(<"$output") in
    *'no enabled repositories'* | *'No matching repositories for *'*) METADATA_PROBLEM='no-repositories' ;;
    *'No matching repositories for '* | *[Uu]'nknown repo'* | *'not matching any repositories'*)
      METADATA_CODE=107 METADATA_PROBLEM=mode-unsupported
      ;;
    *GPG* | *'PGP signature'* | *'igning key'*) METADATA_PROBLEM='key-untrusted' ;;
    *hecksum*) METADATA_PROBLEM='metadata-altered' ;;
    *) METADATA_PROBLEM='repository-unreachable' ;;
    esac
    [[ $METADATA_PROBLEM != repository-unreachable ]] || hint_of_rhui
    return 1
  fi
  list_repositories "$folder" || {
    METADATA_PROBLEM=repository-unreachable METADATA_DETAIL="$PACKAGE_MANAGER does not list its repositories"
    return 1
  }
  if [[ ! -s $WORK/repositories ]]; then
    METADATA_PROBLEM=no-repositories
    METADATA_DETAIL='no repository is enabled: that is not the same as nothing to update'
    return 1
  fi
  if ! awk -F '\t' '$2 > 0 { found = 1 } END { exit !found }' "$WORK/repositories"; then
    METADATA_PROBLEM=repository-empty METADATA_DETAIL='every enabled repository is empty'
    return 1
  fi
  metadata_fetched "$folder"
}

# yum 3 has no word for it in one. The keys of signed indexes are asked about where they are not in that cache: agreed to
# where all keys of repositories are files of this server.
refresh_metadata() {
  local answer=(-y)
  ! has_distant_keys || answer=()
  if [[ $VARIANT == yum3 ]]; then
    dnf_ask "$1" clean expire-cache && dnf_ask "$1" "${answer[@]}" makecache
  else
    dnf_ask "$1" "${answer[@]}" --refresh makecache
  fi
}

has_distant_keys() {
  cat -- "$CONFIGURATION" "$ROOT"/etc/yum.repos.d/*.repo 2>/dev/null |
    awk '/^[^ \t]/ { key = $0 ~ /^gpgkey[ \t]*=/; sub(/^[^=]*=/, "") } key { print }' |
    tr -s ', \t' '\n' | grep -v '^file://' | grep -q .
}

# Clients of update infrastructure in the cloud hold certificates that expire: they come first.
hint_of_rhui() {
  local client
  client=$(awk -F '\t' '$1 ~ /rhui/ { print $1 }' "$WORK/installed" 2>/dev/null | head -n 1)
  [[ -z $client ]] || METADATA_DETAIL+="; update $client first, its certificates may have expired"
}

# Writes `repositories`: id and number of packages of each enabled repository.
list_repositories() {
  local verb=(-v repolist)
  [[ $VARIANT != dnf5 ]] || verb=(repo info)
  dnf_ask "$1" -C "${verb[@]}" >"$WORK/repolist" 2>>"$LOG" || return 1
  awk -F ' *: ' '
    /^Repo-id|^Repo ID/ { id = $2; sub(/\/.*/, "", id) }
    /^Repo-pkgs |^Repo-pkgs:|^ *(Total|Available) packages/ { if (id != "") { n = $2; gsub(/[^0-9]/, "", n); print id "\t" n + 0; id = "" } }
  ' "$WORK/repolist" >"$WORK/repositories"
}

# Whether any repository says what its updates are for.
has_errata() {
  grep -rlsE 'type="updateinfo(_zck|_db)?"' --include=repomd.xml "$METADATA_SEALED" | grep -q .
}

# Whatever is excluded, the agent above all, hides nothing here.
family_foreign() {
  if [[ $VARIANT == yum3 ]]; then
    dnf_ask "$METADATA_SEALED" -q -C "$(without_excludes)" list extras >"$WORK/extras" && read_list <"$WORK/extras" | cut -f 1
  else
    dnf_ask "$METADATA_SEALED" -q -C "$(without_excludes)" repoquery --extras --qf '%{name}\n' >"$WORK/extras" && awk NF "$WORK/extras"
  fi
}

family_metadata_room() {
  du -sm -- "$SYSTEM_CACHE" 2>/dev/null | awk '{ print $1 * 2 + 50; n++ } END { if (!n) print 150 }'
}
