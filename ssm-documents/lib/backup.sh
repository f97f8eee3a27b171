# shellcheck shell=bash
# Owns the backup before a patch: configuration and package list in one archive, proven to be readable, in the backup
# bucket before anything is touched.

source "$SCRIPTS/lib/configuration.sh"
# shellcheck source=/dev/null # of whichever family the document is
source "$SCRIPTS/$FAMILY/manifest.sh"

BACKUP_PROBLEM=''

# Once S3 has confirmed it, it is not made again, whatever interrupts the phase.
back_up() {
  [[ -z ${ST[backup]:-} ]] || return 0
  if make_backup; then
    [[ $Backup == none ]] || save_state "backup=$BACKUP_JSON" backup_problem=
  elif [[ $Backup == required ]]; then
    # shellcheck disable=SC2153 # of lib/configuration.sh
    rm -f -- "$ARCHIVE"
    conclude 1 refused backup-failed "$BACKUP_PROBLEM"
  elif [[ $Backup == best-effort ]]; then
    save_state "backup_problem=$BACKUP_PROBLEM"
  else
    log "no archive is kept for a rollback: $BACKUP_PROBLEM"
  fi
}

# Says why not in BACKUP_PROBLEM. Where nothing is asked to be in the bucket, the archive is for a rollback alone.
make_backup() {
  local REPLY NOW deadline
  BACKUP_PROBLEM=''
  read_uptime
  deadline=$((NOW + BackupTimeout * 100))
  [[ $Backup == none || $BackupBucket != none ]] || no_backup 'no backup bucket was named' || return 1
  (umask 077 && mkdir -p -- "$SAVED")
  timed manifest write_manifest || return 1
  backup_seconds || no_backup 'there is no time for it' || return 1
  [[ $Backup == none ]] || list_configuration "$STATE/files.before" "$REPLY" || rm -f -- "$STATE/files.before"
  backup_seconds || no_backup 'the time for it went by while its files were hashed' || return 1
  timed archive write_archive "$REPLY" || return 1
  [[ $Backup == none ]] || timed upload send_archive
}

# Sets REPLY to what is left of its own time, or of the time that is not the transaction's; fails where that is nothing.
backup_seconds() {
  local NOW own
  read_uptime
  own=$(((deadline - NOW) / 100))
  time_to_spare
  ((REPLY < own)) || REPLY=$own
  ((REPLY > 0))
}

# Fails with its reason.
no_backup() {
  BACKUP_PROBLEM=$1
  return 1
}

# Every package with where it is from, whether it was asked for or came by need, and whether it is held: name,
# architecture, version, origin, `manual` or `automatic`, `held`; `-` for what the family can not tell.
write_manifest() {
  family_manifest >"$WORK/known" 2>>"$LOG" || log 'origins and marks of packages could not be told'
  family_holds >"$WORK/holds" 2>>"$LOG" || : >"$WORK/holds"
  awk -F '\t' -v OFS='\t' '
    FILENAME == ARGV[1] { known[$1 OFS $2] = $3 OFS $4; next }
    FILENAME == ARGV[2] { held[$1] = 1; next }
    { key = $1 OFS $2
      print key, $3, key in known ? known[key] : "-" OFS "-", $1 in held || ($1 ":" $2) in held || $4 ~ /^h/ ? "held" : "-" }
    ' "$WORK/known" "$WORK/holds" "$WORK/installed" | sort -u >"$STATE/manifest" && redact "$STATE/manifest" && [[ -s $STATE/manifest ]] ||
    no_backup 'the list of packages could not be written' || return 1
}

# Errors of tar that are none: what goes or changes while it is read, and what a file system does not have.
TOLERATED=': (Cannot stat: No such file or directory|File removed before we read it|file changed as we read it|socket ignored|Exiting with failure status due to previous errors|Warning: .*)$|support is not available$'

# Writes ARCHIVE within so many seconds, and leaves nothing of one that is not whole.
write_archive() {
  rm -rf -- "$SAVED/new" "$ARCHIVE"
  mkdir -- "$SAVED/new" && cp -- "$STATE/manifest" "$SAVED/new/manifest.tsv" && touch -d @0 "$SAVED/new/manifest.tsv"
  if list_archived && pack_archive "$1" && read_back; then
    sync "$SAVED/new/archive"
    mv -f -- "$SAVED/new/archive" "$ARCHIVE"
  fi
  rm -rf -- "$SAVED/new"
  [[ -s $ARCHIVE ]]
}

# Writes `list`, in the order of names, so that the same files make the same archive; sets FILES_LISTED and BYTES_LISTED.
list_archived() {
  local room free kind path REPLY
  while IFS=$'\t' read -r kind path; do
    # It alone would be in the archive, and nothing of what it leads to.
    [[ $kind != path || $path == *'*'* || ! -L $ROOT${path%%+(/)} ]] ||
      no_backup "$path is a link: name what it leads to" || return 1
  done <"$STATE/backup"
  find_configuration \( -type f -o -type d -o -type l \) -print0 >"$WORK/list" && sort -zu -o "$WORK/list" -- "$WORK/list" ||
    no_backup 'the configuration can not be read, or there is none' || return 1
  FILES_LISTED=$(grep -zc '' "$WORK/list")
  BYTES_LISTED=$(find_configuration -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%.0f", sum }')
  # The archive stays until the transaction is done, beside which there must be the room that the plan takes.
  room=$(cat -- "$STATE/room" 2>/dev/null)
  REPLY=$((BYTES_LISTED / 1048576))
  room=$((${room:-0} + (REPLY < BackupMebibytes ? REPLY : BackupMebibytes) + 20))
  free=$(free_mebibytes "$SAVED")
  ((free >= room)) || no_backup "$SAVED has $free MiB free; plan and archive need $room MiB"
}

pack_archive() {
  local limit=$((BackupMebibytes * 1048576)) words
  local -a gently=(nice -n 19) codes
  ! command -v ionice >/dev/null || gently+=(ionice -t -c 3)
  log "archiving $FILES_LISTED files and folders with $BYTES_LISTED bytes"
  "${gently[@]}" timeout "$1" "${TAR[@]}" --create --file - --format=posix --hard-dereference \
    --pax-option='exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime' \
    --directory "$SAVED/new" manifest.tsv --directory "$ROOT/" --no-recursion --null --files-from "$WORK/list" 2>"$WORK/tar.err" |
    "${gently[@]}" gzip -n 2>>"$LOG" | head -c $((limit + 1)) >"$SAVED/new/archive"
  codes=("${PIPESTATUS[@]}")
  cat -- "$WORK/tar.err" >>"$LOG"
  (($(stat -c %s -- "$SAVED/new/archive") <= limit)) ||
    no_backup "packed, $FILES_LISTED files with $((BYTES_LISTED / 1048576)) MiB are more than the $BackupMebibytes MiB that an archive may have" || return 1
  ((codes[0] != 124)) || no_backup "$FILES_LISTED files with $BYTES_LISTED bytes could not be read within $1 seconds" || return 1
  words=$(grep -vE "$TOLERATED" "$WORK/tar.err" | head -n 1)
  [[ ${codes[*]} =~ ^[012]' 0 0'$ && -z $words ]] ||
    no_backup "tar ended with ${codes[0]}, gzip with ${codes[1]}: ${words:0:200}"
}

# An archive is one that can be read to its end and has all that was listed.
read_back() {
  local gone
  gone=$(grep -cE ': (Cannot stat: No such file or directory|File removed before we read it)$' "$WORK/tar.err")
  ARCHIVED=$(set -o pipefail && gzip -dc -- "$SAVED/new/archive" | tar --list --file - 2>>"$LOG" | awk 'END { print NR }') || ARCHIVED=''
  ((${ARCHIVED:-0} == FILES_LISTED + 1 - gone)) ||
    no_backup "of $((FILES_LISTED + 1 - gone)) entries ${ARCHIVED:-none} can be read back"
}

# Sets BACKUP_JSON once S3 has confirmed the hash.
send_archive() {
  local REPLY key bytes hash
  key=backups/${SERVER_PREFIX#servers/}/$CampaignId/configuration.tar.gz
  bytes=$(stat -c %s -- "$ARCHIVE")
  sha256_of_stdin <"$ARCHIVE"
  hash=$REPLY
  backup_seconds || no_backup 'there is no time to send it' || return 1
  put_confirmed "$BackupBucket" "$key" "$ARCHIVE" "$hash" "$REPLY" ||
    no_backup "the archive of $bytes bytes could not be sent: $TRANSPORT_ERROR" || return 1
  BACKUP_JSON="{\"key\":\"$key\",\"sha256\":\"$hash\",\"bytes\":$bytes,\"files\":$ARCHIVED}"
  log "backed up as $key"
}

# What a restore has to bring back: files that were the same before and after they were archived.
list_backed_up() (
  set -o pipefail
  [[ -f $STATE/files.before && ! -f $STATE/files ]] || exit 0
  if [[ -f $STATE/configuration.before ]]; then
    comm -12 "$STATE/files.before" "$STATE/configuration.before" >"$STATE/files.new"
  else
    # Too much to be hashed twice: what was changed since the list of packages, which is as old as the first list.
    find_configuration -cnewer "$STATE/manifest" -printf '%p\n' | cut -c 2- >"$WORK/touched" &&
      awk -F '\t' 'FILENAME == ARGV[1] { touched[$0] = 1; next } !($1 in touched)' "$WORK/touched" "$STATE/files.before" >"$STATE/files.new"
  fi && mv -f -- "$STATE/files.new" "$STATE/files"
  rm -f -- "$STATE/files.before"
)

report_backup() {
  BACKUP_JSON=${ST[backup]:-null}
  [[ -z ${ST[backup_problem]:-} ]] || warn backup-failed "patched without a backup, as the policy allows: ${ST[backup_problem]}"
  [[ $Backup != none ]] || return 0
  result_section manifest "$STATE/manifest"
  [[ ! -f $STATE/files ]] || {
    # A result is read up to a size.
    head -c 1500000 -- "$STATE/files" | sed -n '$!p' >"$WORK/files"
    (($(stat -c %s -- "$STATE/files") > 1500000)) || cp -- "$STATE/files" "$WORK/files"
    result_section files "$WORK/files"
  }
}
CLOSING+=(report_backup)
