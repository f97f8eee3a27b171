# shellcheck shell=bash
# Owns what a server remembers of its jobs: one folder per campaign, one file of key=value lines per phase.

HOME_FOLDER=$ROOT/var/lib/quarterdeck
JOB=$HOME_FOLDER/$CampaignId
STATE=$JOB/state
# Files of the versions before.
OLD=$JOB/old

declare -A ST=()
STATE_FILE=''

# Package managers fetch as users of their own, so the folders above theirs can be passed through, not read.
open_job() {
  mkdir -p -- "$STATE" && chmod 0711 "$HOME_FOLDER" "$JOB" && chmod 0700 "$STATE"
}

# Waits for a second run of the same job, which Run Command may start after an ambiguous SendCommand. Without flock the
# phase goes on to say so, and no further.
lock_job() {
  exec {JOB_LOCK}>"$STATE/lock"
  ! command -v flock >/dev/null || flock -w "$1" "$JOB_LOCK"
}

read_boot_id() {
  read -r BOOT_ID <"$ROOT/proc/sys/kernel/random/boot_id"
}

# Sets TRANSACTION to how the names of a phase's transaction files begin.
name_transaction() {
  TRANSACTION=$STATE/transaction
  [[ $1 != rollback ]] || TRANSACTION=$STATE/rollback-transaction
}

# Sets RECORD to what the files of a phase are called: what a rehearsal says is apart from what was done.
name_record() {
  RECORD=$1
  [[ $1 != rollback || $DryRun != yes ]] || RECORD=dry-run
}

load_state() {
  local key value
  STATE_FILE=$STATE/$1
  ST=()
  [[ -f $STATE_FILE ]] || return 0
  while IFS='=' read -r key value; do ST[$key]=$value; done <"$STATE_FILE"
}

# Sets key=value pairs and writes the file whole. It is on disk before this returns, since what a power cut leaves
# behind decides whether a half-done transaction is ours to finish. A value is one line, whatever a package manager said:
# a second one would come back as a value of its own.
save_state() {
  local pair key
  for pair; do ST[${pair%%=*}]=${pair#*=}; done
  for key in "${!ST[@]}"; do printf '%s=%s\n' "$key" "${ST[$key]//$'\n'/ }"; done >"$STATE_FILE.new" &&
    sync "$STATE_FILE.new" && mv -f -- "$STATE_FILE.new" "$STATE_FILE"
}
