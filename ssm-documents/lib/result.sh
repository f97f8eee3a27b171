# shellcheck shell=bash
# Owns the result object: one gzipped text per phase, under this server's own prefix.

OBJECT_JSON=null
declare -a RESULT_SECTIONS=()

# Has a file in the result as the section of that name: the last one, where a phase looks more than once.
result_section() {
  local i
  [[ -f $2 ]] || return 0
  for ((i = 0; i < ${#RESULT_SECTIONS[@]}; i += 2)); do
    [[ ${RESULT_SECTIONS[i]} == "$1" ]] || continue
    RESULT_SECTIONS[i + 1]=$2
    return 0
  done
  RESULT_SECTIONS+=("$1" "$2")
}

# The beginning of a log says what was done, and its end why something failed. With a plan of at most 768 KiB, the
# result is below 4 MiB, which is all that is read of it.
shorten_log() {
  local bytes
  bytes=$(stat -c %s -- "$LOG")
  if ((bytes <= 262144)); then
    cat -- "$LOG"
  else
    head -c 65536 -- "$LOG"
    printf '\n[... %d bytes are left out here ...]\n' $((bytes - 262144))
    tail -c 196608 -- "$LOG"
  fi
}

# Writes and sends the object; sets OBJECT_JSON.
send_result() {
  local phase=$1 key bytes i REPLY
  local file=$WORK/result.gz
  OBJECT_JSON=null
  [[ -n ${SERVER_PREFIX:-} ]] || return 1
  TRANSPORT_ERROR='the result object could not be made'
  redact "$LOG" && shorten_log >"$WORK/log" || return 1
  result_section log "$WORK/log"
  {
    printf 'quarterdeck-result 1\n'
    for ((i = 0; i < ${#RESULT_SECTIONS[@]}; i += 2)); do
      bytes=$(stat -c %s -- "${RESULT_SECTIONS[i + 1]}")
      printf 'section %s %d\n' "${RESULT_SECTIONS[i]}" "$bytes"
      cat -- "${RESULT_SECTIONS[i + 1]}"
      printf '\n'
    done
  } | gzip -n >"$file" || return 1
  sha256_of_stdin <"$file"
  key=$SERVER_PREFIX/$CampaignId/$phase.gz
  put_object "$key" "$file" "$REPLY" || return 1
  OBJECT_JSON="{\"key\":\"$key\",\"sha256\":\"$REPLY\",\"bytes\":$(stat -c %s -- "$file")}"
}
