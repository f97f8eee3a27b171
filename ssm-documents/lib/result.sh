# shellcheck shell=bash
# Owns the result object: one gzipped text per phase, under this server's own prefix.

OBJECT_JSON=null
declare -a RESULT_SECTIONS=()

# Adds a file to the result as the section of that name.
result_section() {
  [[ ! -f $2 ]] || RESULT_SECTIONS+=("$1" "$2")
}

# Writes and sends the object; sets OBJECT_JSON.
send_result() {
  local phase=$1 key bytes i REPLY
  local file=$WORK/result.gz
  OBJECT_JSON=null
  [[ -n ${SERVER_PREFIX:-} ]] || return 1
  # The end of a log says why something failed.
  tail -c 262144 -- "$LOG" >"$WORK/log"
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
