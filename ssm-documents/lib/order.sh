# shellcheck shell=bash
# Owns the order: fetches the batch's object, checks it, and cuts out what it says to this server.

# Sets PLAN_SHA256 (empty while there is no plan) and RELEASE (empty where the order names none), and writes into the
# state folder: `exclusions`, `selections`, `never` (a name or glob a line), `repositories` (enable or disable, and the
# id), `backup` (path or exclude, and it), `hooks`, `services`, `probes` (as the order has them, without the first word),
# and `plan`, the canonical plan that the seal is made of.
read_order() {
  local phase=$1 status=0 REPLY
  get_object "$OrderKey" "$WORK/order" || {
    case $HTTP_STATUS in
    403) conclude 1 "$2" role-cannot-read "this server's role may not read the order: $TRANSPORT_ERROR" ;;
    *) conclude 1 "$2" order-unreadable "$TRANSPORT_ERROR" ;;
    esac
  }
  sha256_of_stdin <"$WORK/order"
  [[ $REPLY == "$OrderSha256" ]] || conclude 1 "$2" order-altered "the order's SHA-256 is $REPLY, not $OrderSha256"
  local name
  for name in exclusions selections repositories release never backup hooks services probes; do : >"$STATE/$name"; done
  : >"$WORK/entries"
  PLAN_SHA256=$(awk -F '\t' -v id="$SERVER_ID" -v campaign="$CampaignId" -v phase="$phase" \
    -v state="$STATE/" -v entries="$WORK/entries" '
    BEGIN { script = "^((/|hooks/)[A-Za-z0-9._+@/-]+|-)$"; hash = "^([0-9a-f]+|-)$" }
    NR == 1 { if ($0 != "quarterdeck-order\t1\t" campaign "\t" phase) { bad = 3; exit }; next }
    $1 == "server" { own = $2 == id; found = found || own; next }
    !own { next }
    $1 == "exclude" && $2 ~ /^[A-Za-z0-9*][A-Za-z0-9*+._@-]*$/ && NF == 2 { print $2 > (state "exclusions"); next }
    $1 == "never" && $2 ~ /^[A-Za-z0-9*][A-Za-z0-9*+._@-]*$/ && NF == 2 { print $2 > (state "never"); next }
    $1 == "select" && $2 ~ /^@?[A-Za-z0-9][A-Za-z0-9+._:~-]*$/ && NF == 2 { print $2 > (state "selections"); next }
    $1 == "repository" && $2 ~ /^(enable|disable)$/ && $3 ~ /^[A-Za-z0-9*][A-Za-z0-9*._:+-]*$/ && NF == 3 {
      print $2 "\t" $3 > (state "repositories"); next }
    $1 == "release" && $2 ~ /^[0-9][0-9.]*$/ && NF == 2 { print $2 > (state "release"); next }
    $1 == "backup" && $2 ~ /^(path|exclude)$/ && $3 ~ /^\/[A-Za-z0-9._+@\/*-]+$/ && NF == 3 {
      print $2 "\t" $3 > (state "backup"); next }
    $1 == "hook" && $2 ~ /^(before|after)-(patch|rollback)$/ && $3 ~ /^[a-z][a-z0-9-]*$/ && $4 ~ /^[1-9][0-9]*$/ &&
      $5 ~ /^(stop|warn)$/ && $6 ~ script && $7 ~ hash && $8 ~ script && $9 ~ hash && NF == 9 {
      print substr($0, 6) > (state "hooks"); next }
    $1 == "service" && $2 ~ /^[A-Za-z0-9][A-Za-z0-9:._@\\-]*$/ && NF == 2 { print $2 > (state "services"); next }
    $1 == "probe" && $2 ~ /^(http|tcp|command)$/ && $3 ~ /^[a-z][a-z0-9-]*$/ && $4 ~ /^[1-9][0-9]*$/ &&
      $5 ~ /^[1-9][0-9]*$/ && ($2 == "command" ? $6 == "-" && $7 ~ /^\// : $6 ~ /^[1-9][0-9]*$/ && NF == 7 &&
      $7 ~ ($2 == "tcp" ? "^[A-Za-z0-9][A-Za-z0-9.:-]*$" : "^https?://[!-~]+$")) { print substr($0, 7) > (state "probes"); next }
    $1 == "plan" && NF == 2 { print $2; next }
    # What a package manager gets to see starts with a letter or digit: nothing of it can pass for an option.
    $1 == "entry" && NF == 13 && $2 ~ /^(install|upgrade|downgrade|remove|replace)$/ && $3 ~ /^[A-Za-z0-9][A-Za-z0-9+._@-]*$/ && $4 ~ /^[a-z0-9_]+$/ &&
      $5 ~ /^([A-Za-z0-9][A-Za-z0-9.+:~^_-]*|-)$/ && $6 ~ /^([A-Za-z0-9][A-Za-z0-9.+:~^_-]*|-)$/ &&
      $7 ~ /^([A-Za-z0-9][A-Za-z0-9+.:\/_~-]*|-)$/ && $8 ~ /^(yes|no)$/ && $9 ~ /^[0-9]+$/ && $10 ~ /^([0-9a-f]+|-)$/ &&
      $11 ~ /^(kept|repacked|repository|none|-)$/ && $12 ~ /^[0-9]+$/ && $13 ~ /^([0-9a-f]+|-)$/ { print substr($0, 7) > entries; next }
    { bad = 5; exit }
    END { exit bad ? bad : found ? 0 : 4 }
  ' "$WORK/order") || status=$?
  case $status in
  0) ;;
  3) conclude 1 "$2" order-of-another "the order is not for phase $phase of $CampaignId" ;;
  4) conclude 1 "$2" not-in-order "the order has no section for $SERVER_ID" ;;
  *) conclude 1 "$2" order-malformed "the order's section for $SERVER_ID has a line that no order has" ;;
  esac
  RELEASE=$(<"$STATE/release")
  [[ -n $PLAN_SHA256 ]] || return 0
  { printf 'quarterdeck-plan\t1\t%s\n' "$SERVER_ID" && cat "$WORK/entries"; } >"$STATE/plan" || conclude 1 "$2" plan-altered 'the plan could not be written'
  sha256_of_stdin <"$STATE/plan"
  [[ $REPLY == "$PLAN_SHA256" ]] || conclude 1 "$2" plan-altered "the plan's SHA-256 is $REPLY, not $PLAN_SHA256"
}

# Sets PLAN_JSON to what the summary says of the plan in the state folder.
describe_plan() {
  local entries security bytes kept repacked repository none
  read -r entries security bytes kept repacked repository none < <(awk -F '\t' '
    NR > 1 { n++; bytes += $8; covered[$10]++; if ($7 == "yes") security++ }
    END { printf "%d %d %.0f %d %d %d %d\n", n, security, bytes, covered["kept"], covered["repacked"], covered["repository"], covered["none"] }
  ' "$STATE/plan")
  FOUND[rollbackKept]=$kept FOUND[rollbackRepacked]=$repacked FOUND[rollbackRepository]=$repository FOUND[rollbackNone]=$none
  PLAN_ENTRIES=$entries
  PLAN_JSON="{\"sha256\":\"$PLAN_SHA256\",\"entries\":$entries,\"security\":$security,\"downloadBytes\":$bytes}"
}
