# shellcheck shell=bash
# Owns the one way in which servers read and write objects: S3 over curl, signed with the instance role's credentials.

METADATA=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}
METADATA=${METADATA%/}
# Seconds to add to this server's clock to have AWS's; 15 minutes off, S3 refuses requests.
CLOCK_OFFSET=0
ACCESS_KEY='' SECRET_KEY='' SESSION_TOKEN='' ACCOUNT='' REGION='' SERVER_ID=''
SIGNING_KEY='' SIGNING_KEY_OF=''
TRANSPORT_ERROR=''
# Nothing that is fetched is larger. curl knows no such end of its own for an answer of unknown length before 8.4, so a
# file can not grow further either.
MOST_BYTES=67108864

sha256_of_stdin() {
  REPLY=$(sha256sum)
  REPLY=${REPLY%% *}
}

# Sets REPLY to HMAC-SHA256 (RFC 2104) of a text under a key in hexadecimal, at most 64 bytes long. `openssl dgst
# -mac` takes its key as an argument, which every user of the server can read in /proc; printf is part of the shell.
hmac() {
  local key=$1 message=$2 inner='' outer='' byte i
  for ((i = 0; i < 128; i += 2)); do
    byte=${key:i:2}
    byte=$((16#${byte:-0}))
    printf -v inner '%s\\x%02x' "$inner" $((byte ^ 0x36))
    printf -v outer '%s\\x%02x' "$outer" $((byte ^ 0x5c))
  done
  # shellcheck disable=SC2059 # the formats are made of \x escapes alone
  sha256_of_stdin < <(printf "$inner" && printf %s "$message")
  for ((i = 0; i < 64; i += 2)); do outer+="\\x${REPLY:i:2}"; done
  # shellcheck disable=SC2059
  sha256_of_stdin < <(printf "$outer")
}

hex_of() {
  local i
  REPLY=''
  for ((i = 0; i < ${#1}; i++)); do printf -v REPLY '%s%02x' "$REPLY" "'${1:i:1}"; done
}

# Sets REPLY to an object key as a URI path: all but unreserved characters and slashes escaped, as S3 signs it.
uri_path() {
  local text=$1 i character
  REPLY=''
  for ((i = 0; i < ${#text}; i++)); do
    character=${text:i:1}
    case $character in
    [A-Za-z0-9._~/-]) REPLY+=$character ;;
    *) printf -v REPLY '%s%%%02X' "$REPLY" "'$character" ;;
    esac
  done
}

# Sets AUTHORIZATION for a request without query (Signature Version 4).
# sign <method> <host> <escaped path> <payload sha256> <time as 20261121T010000Z> <region> [<checksum that is sent>]
sign() {
  local method=$1 host=$2 path=$3 payload=$4 stamp=$5 region=$6 checksum=${7:-} names headers scope
  local day=${stamp%%T*}
  names=host headers="host:$host"$'\n'
  if [[ -n $checksum ]]; then
    names+=';x-amz-checksum-sha256'
    headers+="x-amz-checksum-sha256:$checksum"$'\n'
  fi
  names+=';x-amz-content-sha256;x-amz-date'
  headers+="x-amz-content-sha256:$payload"$'\n'"x-amz-date:$stamp"$'\n'
  if [[ -n $SESSION_TOKEN ]]; then
    names+=';x-amz-security-token'
    headers+="x-amz-security-token:$SESSION_TOKEN"$'\n'
  fi
  scope="$day/$region/s3/aws4_request"
  if [[ $SIGNING_KEY_OF != "$SECRET_KEY/$scope" ]]; then
    hex_of "AWS4$SECRET_KEY"
    hmac "$REPLY" "$day"
    hmac "$REPLY" "$region"
    hmac "$REPLY" s3
    hmac "$REPLY" aws4_request
    SIGNING_KEY=$REPLY
    SIGNING_KEY_OF=$SECRET_KEY/$scope
  fi
  sha256_of_stdin < <(printf '%s\n%s\n\n%s\n%s\n%s' "$method" "$path" "$headers" "$names" "$payload")
  hmac "$SIGNING_KEY" "AWS4-HMAC-SHA256"$'\n'"$stamp"$'\n'"$scope"$'\n'"$REPLY"
  AUTHORIZATION="AWS4-HMAC-SHA256 Credential=$ACCESS_KEY/$scope, SignedHeaders=$names, Signature=$REPLY"
}

# Sets BASE_URL, HOST and PATH_PREFIX of the bucket. AWS_ENDPOINT_URL_S3 is the variable that AWS's own tools honour.
locate_bucket() {
  local suffix=amazonaws.com
  [[ $BucketRegion != cn-* ]] || suffix=amazonaws.com.cn
  if [[ -n ${AWS_ENDPOINT_URL_S3:-} ]]; then
    BASE_URL=${AWS_ENDPOINT_URL_S3%/}
    PATH_PREFIX=/$Bucket
  elif [[ $Bucket == *.* ]]; then
    # A dot would make a host name that the certificate of S3 does not cover.
    BASE_URL=https://s3.$BucketRegion.$suffix
    PATH_PREFIX=/$Bucket
  else
    BASE_URL=https://$Bucket.s3.$BucketRegion.$suffix
    PATH_PREFIX=''
  fi
  HOST=${BASE_URL#*://}
  case $BASE_URL in
  http://*) HOST=${HOST%:80} ;;
  https://*) HOST=${HOST%:443} ;;
  esac
}

# Seconds since 1970 by AWS's clock.
aws_time() {
  printf -v REPLY '%(%s)T' -1
  REPLY=$((REPLY + CLOCK_OFFSET))
}

# Learns from the Date header of an answer how far this server's clock is off.
correct_clock() {
  local line date='' here there
  while IFS= read -r line; do
    [[ ${line,,} != date:* ]] || date=${line#*: }
  done <"$1"
  date=${date%$'\r'}
  [[ -n $date ]] && there=$(date -u -d "$date" +%s 2>/dev/null) || return 1
  printf -v here '%(%s)T' -1
  CLOCK_OFFSET=$((there - here))
  # A second or two is the answer's own travel.
  ((CLOCK_OFFSET > 2 || CLOCK_OFFSET < -2)) || CLOCK_OFFSET=0
}

# Secrets go to curl on stdin, never into its arguments. -q: root's .curlrc is none of ours.
call() {
  curl -q --silent --show-error --max-filesize "$MOST_BYTES" --config - "$@" 2>"$WORK/curl.err"
}

metadata() {
  call --noproxy '*' --connect-timeout 2 --max-time 10 --retry 3 --fail "$@" \
    < <(printf 'header = "X-aws-ec2-metadata-token: %s"\n' "$METADATA_TOKEN")
}

# EC2 gives identity and credentials through IMDSv2.
read_instance_metadata() {
  local document role
  METADATA_TOKEN=$(call --noproxy '*' --connect-timeout 2 --max-time 10 --retry 3 --fail --request PUT \
    --dump-header "$WORK/metadata.headers" "$METADATA/latest/api/token" \
    < <(printf 'header = "X-aws-ec2-metadata-token-ttl-seconds: 21600"\n')) || return 1
  correct_clock "$WORK/metadata.headers" || true
  document=$(metadata "$METADATA/latest/dynamic/instance-identity/document") || return 1
  json_member "$document" instanceId && SERVER_ID=$REPLY
  json_member "$document" accountId && ACCOUNT=$REPLY
  json_member "$document" region && REGION=$REPLY
  role=$(metadata "$METADATA/latest/meta-data/iam/security-credentials/") || return 0
  document=$(metadata "$METADATA/latest/meta-data/iam/security-credentials/${role%%$'\n'*}") || return 0
  json_member "$document" AccessKeyId && ACCESS_KEY=$REPLY
  json_member "$document" SecretAccessKey && SECRET_KEY=$REPLY
  json_member "$document" Token && SESSION_TOKEN=$REPLY
}

# Hybrid nodes have no instance metadata; their agent keeps the role's credentials in a file.
read_credentials_file() {
  local file line key value
  for file in "${AWS_SHARED_CREDENTIALS_FILE:-}" "$ROOT/var/lib/amazon/ssm/credentials" "$ROOT/root/.aws/credentials"; do
    [[ -n $file && -r $file ]] || continue
    while IFS= read -r line; do
      key=${line%%=*}
      value=${line#*=}
      value=${value##+([[:space:]])}
      case ${key%%+([[:space:]])} in
      aws_access_key_id) ACCESS_KEY=$value ;;
      aws_secret_access_key) SECRET_KEY=$value ;;
      aws_session_token) SESSION_TOKEN=$value ;;
      esac
    done <"$file"
    [[ -z $ACCESS_KEY ]] || return 0
  done
  return 1
}

# Says who this server is and with whose rights it calls; sets SERVER_PREFIX, the folder it may write to.
identify() {
  local agent=${AWS_SSM_INSTANCE_ID:-} partition=aws
  if [[ $agent == mi-* ]]; then
    SERVER_ID=$agent
    SERVER_PREFIX=servers/$HybridPrefix:$agent
    read_credentials_file && return 0
    TRANSPORT_ERROR='no credentials file of the agent was found'
    return 1
  fi
  if ! read_instance_metadata || [[ ! $SERVER_ID =~ ^i-([0-9a-f]{8}|[0-9a-f]{17})$ || ! $ACCOUNT =~ ^[0-9]{12}$ ]]; then
    TRANSPORT_ERROR="instance metadata did not say who this server is: $(head -c 200 "$WORK/curl.err" 2>/dev/null)"
    return 1
  fi
  if [[ -n $agent && $agent != "$SERVER_ID" ]]; then
    TRANSPORT_ERROR="the agent says this is $agent, instance metadata says $SERVER_ID"
    return 1
  fi
  case $REGION in
  cn-*) partition=aws-cn ;;
  us-gov-*) partition=aws-us-gov ;;
  esac
  SERVER_PREFIX=servers/arn:$partition:ec2:$REGION:$ACCOUNT:instance/$SERVER_ID
  [[ -n $ACCESS_KEY ]] || read_credentials_file || {
    TRANSPORT_ERROR='this instance has no role: attach an instance profile'
    return 1
  }
}

# One signed request, tried again on whatever passes by itself. Sets HTTP_STATUS. It is given time by its size, or the
# seconds that are said for all its tries, and given up when it stands still for half a minute.
# s3 <GET|PUT> <key> <file to write or send> <payload sha256> [<checksum> <seconds>]
s3() {
  local method=$1 key=$2 file=$3 payload=$4 checksum=${5:-} seconds=${6:-} try path stamp code bytes=$MOST_BYTES NOW REPLY
  local -a transfer=(--output "$file")
  if [[ $method == PUT ]]; then
    transfer=(--upload-file "$file" --output "$WORK/s3.answer")
    bytes=$(stat -c %s -- "$file")
  fi
  locate_bucket
  uri_path "$PATH_PREFIX/$key"
  path=$REPLY
  read_uptime
  local began=$NOW limit
  for try in 1 2 3 4; do
    limit=$((60 + bytes / 65536))
    if [[ -n $seconds ]]; then
      read_uptime
      limit=$((seconds - (NOW - began) / 100))
      ((limit > 0)) || return 1
    fi
    aws_time
    TZ=UTC0 printf -v stamp '%(%Y%m%dT%H%M%SZ)T' "$REPLY"
    sign "$method" "$HOST" "$path" "$payload" "$stamp" "$BucketRegion" "$checksum"
    code=0
    HTTP_STATUS=$(
      ulimit -f $((MOST_BYTES / 1024)) 2>/dev/null
      call --connect-timeout 5 --speed-limit 4096 --speed-time 30 --max-time "$limit" \
        --write-out '%{http_code}' --dump-header "$WORK/s3.headers" "${transfer[@]}" "$BASE_URL$path" < <(
          printf 'header = "%s"\n' "Authorization: $AUTHORIZATION" "x-amz-date: $stamp" "x-amz-content-sha256: $payload" Expect:
          [[ -z $SESSION_TOKEN ]] || printf 'header = "x-amz-security-token: %s"\n' "$SESSION_TOKEN"
          [[ -z $checksum ]] || printf 'header = "x-amz-checksum-sha256: %s"\n' "$checksum"
        )
    ) || code=$?
    TRANSPORT_ERROR="$method $key: HTTP $HTTP_STATUS, curl $code $(head -c 200 "$WORK/curl.err")"
    # Larger than allowed, as curl and as the system say it.
    ((code != 63 && code != 153)) || return 1
    case $HTTP_STATUS in
    # What was cut off on its way began with 200 as well.
    200) ((code != 0)) || return 0 ;;
    403)
      # Only a wrong clock is worth another try; a missing right stays missing.
      ((try == 1)) && grep -qs RequestTimeTooSkewed "$file" "$WORK/s3.answer" && correct_clock "$WORK/s3.headers" || return 1
      ;;
    4?? | 3??) [[ $HTTP_STATUS == 429 || $HTTP_STATUS == 408 ]] || return 1 ;;
    esac
    ((try == 4)) || sleep "$((2 ** try - 1)).$((RANDOM % 10))"
  done
  return 1
}

EMPTY_SHA256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

get_object() {
  s3 GET "$1" "$2" "$EMPTY_SHA256"
}

# put_object <key> <file> <sha256 of the file>
put_object() {
  s3 PUT "$1" "$2" "$3"
}

# Has S3 keep the file's SHA-256 beside it and confirm it; what it does not confirm has failed.
# put_confirmed <bucket> <key> <file> <sha256 of the file> <seconds>
put_confirmed() {
  local Bucket=$1 checksum bytes='' i
  for ((i = 0; i < 64; i += 2)); do bytes+="\\x${4:i:2}"; done
  # shellcheck disable=SC2059 # the format is made of \x escapes alone
  checksum=$(printf "$bytes" | base64) || return 1
  s3 PUT "$2" "$3" "$4" "$checksum" "$5" || return 1
  [[ $(tr -d '\r' <"$WORK/s3.headers" | sed -n 's/^x-amz-checksum-sha256: *//Ip') == "$checksum" ]] && return 0
  TRANSPORT_ERROR="PUT $2: S3 did not confirm the SHA-256"
  return 1
}
