# shellcheck shell=bash
# Owns repository databases of a job: fetched into a folder of its own, judged, and known by their age.

# Prints mebibytes that databases take: as fetched, as an index, and once more for the look at newer ones.
family_metadata_room() {
  du -sm -- "$DATABASE/sync" 2>/dev/null | awk '{ print $1 * 4 + 50; n++ } END { if (!n) print 100 }'
}

# Fetches into a folder, beginning with the system's databases so that unchanged ones are not fetched again.
family_metadata() {
  local folder=$1 output=$WORK/sync-databases status=0 repository REPLY
  METADATA_CODE=103 METADATA_PROBLEM='' METADATA_DETAIL=''
  choose_repositories "$folder"
  [[ -z $REPLY ]] || {
    METADATA_CODE=107 METADATA_PROBLEM='mode-unsupported'
    METADATA_DETAIL="the order enables what pacman.conf does not have: $REPLY"
    return 1
  }
  [[ -s $folder.repositories ]] || {
    METADATA_PROBLEM='no-repositories'
    METADATA_DETAIL='no repository is configured, or left by the order: that is not the same as nothing to update'
    return 1
  }
  mkdir -p -- "$folder/sync" && chmod 0755 "$folder" "$folder/sync"
  ln -sfn -- "$DATABASE/local" "$folder/local"
  while IFS= read -r repository; do
    [[ -e $folder.fetched ]] ||
      cp -p -- "$DATABASE/sync/$repository.db" "$DATABASE/sync/$repository.db.sig" "$folder/sync/" 2>/dev/null || true
  done <"$folder.repositories"
  write_settings "$folder" || {
    METADATA_DETAIL='settings for pacman could not be written'
    return 1
  }
  ask_pacman fetch "$folder" "$FILES" -Sy >"$output" 2>&1 || status=$?
  log_output "$output"
  ((status != 0)) || index_databases "$folder" || status=index
  [[ $status == 0 ]] || {
    METADATA_DETAIL=$(grep -m 1 '^error: ' "$output")
    case $(<"$output") in
    *'unknown trust'* | *'signature'* | *'could not be looked up'* | *'keyring'*) METADATA_PROBLEM='key-untrusted' ;;
    *'invalid or corrupted'* | *'Unrecognized archive'*) METADATA_PROBLEM='metadata-altered' ;;
    *) METADATA_PROBLEM='repository-unreachable' ;;
    esac
    [[ $status != index ]] || METADATA_PROBLEM='metadata-altered' METADATA_DETAIL='a database can not be read'
    return 1
  }
  [[ -s $folder.index ]] || {
    METADATA_PROBLEM='repository-empty'
    METADATA_DETAIL='every configured repository is empty'
    return 1
  }
  ! family_metadata_expired "$folder" || {
    METADATA_PROBLEM='metadata-stale'
    METADATA_DETAIL="no database changed for more than $MaxMetadataAge hours: the mirror has stopped"
    return 1
  }
  metadata_fetched "$folder"
}

# pacman's databases give themselves no last day, but each has the time at which its server says that it was made.
# Repositories of Arch change every day, so mirrors that do not have stopped. One may rest, so the newest counts.
family_metadata_expired() {
  local newest REPLY
  newest=$(find "$1/sync" -maxdepth 1 -name '*.db' -printf '%T@\n' 2>/dev/null | sort -n | tail -n 1)
  [[ -n $newest ]] || return 0
  aws_time
  ((REPLY - ${newest%.*} > MaxMetadataAge * 3600))
}

# A rolling release has no last day.
family_release_end() {
  RELEASE_END=''
}
