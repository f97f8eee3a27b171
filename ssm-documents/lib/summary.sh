# shellcheck shell=bash
# Owns the one JSON summary that a document prints last, from what the work step left in the state folder.

# Run Command shows 2,500 characters of a step; the rest of its row is not ours.
SUMMARY_LIMIT=2048

PLAN_JSON=null
BACKUP_JSON=null
BOOT_JSON=null
NEWER=0
declare -a REASONS=() WARNINGS=()
# Counts for people and metrics (core/summary.ts, `found`); what was not looked for stays out.
declare -A FOUND=()
declare -A FACTS=([installed]=null [rebootPending]=null [rebooted]=null [healthy]=null [compliant]=null)

# A stable code for programs, a sentence for people.
reason() { REASONS+=("$1"$'\t'"$2"); }
warn() {
  log "warning: $1: $2"
  WARNINGS+=("$1"$'\t'"$2")
}

# Sets REPLY to reasons as a JSON array: the first with a long sentence, the others with a short one.
reasons_json() {
  local length=$1 item list=''
  shift
  for item in "${@:1:5}"; do
    json_string "${item#*$'\t'}"
    while ((${#REPLY} > length)); do
      # An escaped character counts twice in JSON; half of what is too much, and what the dots take, always goes.
      item=${item:0:${#item}-(${#REPLY}-length+1)/2-3}...
      json_string "${item#*$'\t'}"
    done
    list+="${list:+,}{\"code\":\"${item%%$'\t'*}\",\"detail\":$REPLY}"
    ((length <= 150)) || length=150
  done
  REPLY="[$list]"
}

# Sets REPLY to the name of the system as JSON.
system_json() {
  local line id=unknown version=unknown kernel REPLY
  while IFS= read -r line; do
    line=${line//\"/}
    case $line in
    ID=*) id=${line#ID=} ;;
    VERSION_ID=*) version=${line#VERSION_ID=} ;;
    esac
  done <"$ROOT/etc/os-release"
  read -r kernel </proc/sys/kernel/osrelease
  json_string "${id:0:40}" && id=$REPLY
  json_string "${version:0:40}" && version=$REPLY
  json_string "${kernel:0:80}"
  SYSTEM_JSON="{\"id\":$id,\"version\":$version,\"kernel\":$REPLY}"
}

# Sets REPLY to the rungs that a rollback climbed, with the server's health after each.
rungs_json() {
  local item list=''
  for item in ${ST[rungs]:-}; do list+="${list:+,}{\"rung\":\"${item%:*}\",\"healthy\":${item#*:}}"; done
  REPLY="[$list]"
}

# Sets REPLY to the summary. Sentences give way where it would be too long; facts never do.
# summary_json <phase> <code> <result>
summary_json() {
  local phase=$1 code=$2 result=$3 step found='' seconds='' reasons warnings rungs SYSTEM_JSON
  local first=400 others=160
  for step in "${!STEP_TIMES[@]}"; do
    seconds_text "${STEP_TIMES[$step]}"
    seconds+="${seconds:+,}\"$step\":$REPLY"
  done
  # What is no number was not counted.
  for step in "${!FOUND[@]}"; do
    [[ ! ${FOUND[$step]} =~ ^[0-9]+$ ]] || found+="${found:+,}\"$step\":$((10#${FOUND[$step]}))"
  done
  system_json
  rungs_json
  rungs=$REPLY
  while :; do
    reasons_json "$first" "${REASONS[@]}"
    reasons=$REPLY
    reasons_json "$others" "${WARNINGS[@]}"
    warnings=$REPLY
    REPLY="{\"schema\":1,\"phase\":\"$phase\",\"campaign\":\"$CampaignId\",\"server\":\"$SERVER_ID\""
    REPLY+=",\"code\":$code,\"result\":\"$result\",\"reasons\":$reasons,\"warnings\":$warnings,\"plan\":$PLAN_JSON"
    REPLY+=",\"facts\":{\"installed\":${FACTS[installed]},\"rebootPending\":${FACTS[rebootPending]}"
    REPLY+=",\"rebooted\":${FACTS[rebooted]},\"healthy\":${FACTS[healthy]},\"compliant\":${FACTS[compliant]}}"
    REPLY+=",\"found\":{$found},\"backup\":$BACKUP_JSON,\"rungs\":$rungs,\"newer\":$NEWER,\"boot\":$BOOT_JSON,\"object\":$OBJECT_JSON,\"system\":$SYSTEM_JSON"
    REPLY+=",\"seconds\":{$seconds}}"
    ((${#REPLY} > SUMMARY_LIMIT && others > 10)) || return 0
    others=$((others - 30))
    first=$((first - 75))
  done
}

# The truth about a work step that ended without a word: killed by its time limit, or with its server.
describe_interruption() {
  local stage=${ST[stage]:-nothing} tool missing=''
  name_transaction "$1"
  STEP_TIMES=()
  PLAN_JSON=${ST[plan]:-null}
  BACKUP_JSON=${ST[backup]:-null}
  if [[ $stage == nothing ]]; then
    for tool in base64 gzip sha256sum; do command -v "$tool" >/dev/null || missing+=" $tool"; done
    if [[ -n $missing ]]; then
      [[ $1 != prepare ]] || RESULT=blocked
      reason tool-missing "not found:$missing"
    else
      reason not-started 'the work step left no trace: it was refused its parameters, could not unpack its script, or could not write its state folder'
    fi
  elif ! flock -n "$STATE/lock" true; then
    reason still-running "another run of this job is under way, in stage $stage"
  elif [[ -f $TRANSACTION.lock ]] && ! flock -n "$TRANSACTION.lock" true; then
    reason interrupted "the work step was ended in stage $stage; its package transaction is still running"
  else
    reason interrupted "the work step was ended in stage $stage; run the document again to finish or repair"
  fi
  if [[ -n ${ST[boot]:-} ]]; then
    read_boot_id
    BOOT_JSON="{\"before\":\"${ST[boot]}\",\"after\":\"$BOOT_ID\"}"
    FACTS[rebooted]=false
    [[ ${ST[boot]} == "$BOOT_ID" ]] || FACTS[rebooted]=true
  fi
}

# The document's last step. Run Command knows one good exit code; of the contract's, 0 and 2 are good.
print_summary() {
  local code=1 REPLY
  name_record "$1"
  load_state "$RECORD"
  SERVER_ID=${AWS_SSM_INSTANCE_ID:-${ST[server]:-}}
  if [[ ${ST[stage]:-} == ended && -s $STATE/$RECORD.summary ]]; then
    code=${ST[code]}
    REPLY=$(<"$STATE/$RECORD.summary")
  else
    RESULT=failed
    describe_interruption "$1"
    summary_json "$1" 1 "$RESULT"
  fi
  printf '%s\n' "$REPLY"
  [[ $code == 0 || $code == 2 ]] || exit 1
  exit 0
}
