# shellcheck shell=bash
# Owns repository metadata of a job: fetched into a folder of its own, judged, and known by its age.

# Fetches into a folder, beginning with a copy of the system's lists so that unchanged ones are not fetched again.
# Sets METADATA_CODE, METADATA_PROBLEM and METADATA_DETAIL when it can not be had or trusted.
family_metadata() {
  local lists=$1 output=$WORK/update status=0 REPLY
  METADATA_CODE=103 METADATA_PROBLEM='' METADATA_DETAIL=''
  copy_sources
  require_repositories
  write_apt_conf "$lists.conf" "$lists" "$APT/none.d"
  mkdir -p -- "$APT/none.d"
  if [[ ! -e $lists.fetched ]]; then
    cp -p --reflink=auto -- "$SYSTEM_LISTS"/*Release* "$SYSTEM_LISTS"/*_Packages* "$lists/" 2>/dev/null || true
  fi
  apt-get -c "$lists.conf" -q update >"$output" 2>&1 || status=$?
  log_output "$output"
  list_targets "$lists.conf"
  # apt before 2.1.11 knows no error mode and returns 0 when only some repositories failed.
  if ((status != 0)) || grep -qE '^(Err:|[EW]: (Failed to fetch|Some index files))' "$output"; then
    METADATA_DETAIL=$(grep -E '^E: |^W: .*(Failed|signature|NO_PUBKEY|GPG)' "$output" | head -n 1)
    case $(<"$output") in
    *NO_PUBKEY* | *EXPKEYSIG* | *BADSIG* | *REVKEYSIG* | *'is not signed'* | *"couldn't be verified"* | *'Missing key'* | *'not be verified'*)
      METADATA_PROBLEM='key-untrusted'
      ;;
    *'is expired since'* | *'is not valid yet'* | *'is expired (invalid since'*) METADATA_PROBLEM='metadata-stale' ;;
    *'Hash Sum mismatch'* | *'unexpected size'*) METADATA_PROBLEM='metadata-altered' ;;
    *'changed its '*) METADATA_PROBLEM='repository-changed' ;;
    *) METADATA_PROBLEM='repository-unreachable' ;;
    esac
    return 1
  fi
  if [[ ! -s $WORK/targets ]]; then
    METADATA_PROBLEM='no-repositories'
    METADATA_DETAIL='no repository is configured: that is not the same as nothing to update'
    return 1
  fi
  if [[ ! -s $WORK/packages-lists ]]; then
    METADATA_PROBLEM='repository-empty'
    METADATA_DETAIL='every configured repository is empty'
    return 1
  fi
  keep_linked_lists "$lists"
  metadata_fetched "$lists"
}

# Of repositories on the server itself apt keeps links to their indexes, which are another plan when those change.
keep_linked_lists() {
  local link
  find "$1" -maxdepth 1 -type l -printf '%f\n' | while IFS= read -r link; do
    cp -L -- "$1/$link" "$1/partial/$link" && mv -f -- "$1/partial/$link" "$1/$link"
  done
}

# Writes `targets` (one line per configured package index), `packages-lists` (those that list anything) and
# `security-lists` (those of security repositories) into the work folder.
list_targets() {
  local file rest
  # shellcheck disable=SC2016 # apt's own variables
  apt-get -c "$1" indextargets \
    --format '$(FILENAME)|$(METAKEY)|$(ORIGIN)|$(LABEL)|$(SUITE)|$(CODENAME)|$(CREATED_BY)' 'Created-By: Packages' \
    >"$WORK/targets" 2>>"$LOG"
  while IFS='|' read -r file rest; do
    [[ ! -s $file ]] || printf '%s|%s\n' "$file" "$rest"
  done <"$WORK/targets" >"$WORK/packages-lists"
  awk -F '|' '$4 == "Debian-Security" || $5 ~ /-security$/ || $6 ~ /-security$/ { print $1 "|" $2 }' \
    "$WORK/packages-lists" >"$WORK/security-lists"
}

# Makes a lists folder that holds the security repositories alone.
link_security_lists() {
  local folder=$1 file key prefix
  rm -rf -- "$folder"
  mkdir -m 0755 -- "$folder"
  while IFS='|' read -r file key; do
    key=${key//\//_}
    prefix=${file%"$key"*}
    ln -sf -- "$file" "$prefix"*Release* "$folder/"
  done <"$WORK/security-lists"
}

# Whether metadata is past the last day that it gives itself, by AWS's clock.
family_metadata_expired() {
  local REPLY line until
  aws_time
  while IFS= read -r line; do
    until=$(date -u -d "${line#*: }" +%s 2>/dev/null) && ((REPLY <= until)) || return 0
  done < <(grep -hs '^Valid-Until: ' "$1"/*Release)
  return 1
}
