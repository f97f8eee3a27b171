# shellcheck shell=bash
# Owns what the two phases have in common that change packages: time, locks, the comparison with what would happen.

source "$SCRIPTS/lib/log.sh"
source "$SCRIPTS/lib/state.sh"
source "$SCRIPTS/lib/json.sh"
source "$SCRIPTS/lib/transport.sh"
source "$SCRIPTS/lib/order.sh"
source "$SCRIPTS/lib/result.sh"
source "$SCRIPTS/lib/summary.sh"
source "$SCRIPTS/lib/phase.sh"
source "$SCRIPTS/lib/facts.sh"
source "$SCRIPTS/lib/locks.sh"
source "$SCRIPTS/lib/family-defaults.sh"
# shellcheck source=/dev/null # of whichever family the document is
source "$SCRIPTS/$FAMILY/family.sh"
source "$SCRIPTS/lib/plan-files.sh"
source "$SCRIPTS/lib/judge.sh"
source "$SCRIPTS/lib/transaction.sh"
source "$SCRIPTS/lib/own-changes.sh"
source "$SCRIPTS/lib/interrupted.sh"
source "$SCRIPTS/lib/restart.sh"

# Only policies that ask for backups need what those are made with; prepare says so while there is time.
if [[ $Backup != none ]]; then
  NEEDS+=(base64 tar)
fi

recall_plan() {
  if [[ -n ${ST[terms]:-} ]]; then
    hash_terms
    [[ $REPLY == "${ST[terms]}" ]] || conclude 1 failed plan-altered 'what the transaction was begun with is not there any more'
  fi
  sha256_of_stdin <"$STATE/plan"
  PLAN_SHA256=$REPLY
  RELEASE=$(<"$STATE/release")
  describe_plan
}

# A transaction that was begun is never stopped, so it is not begun when it could outlast its time. What it takes:
# some seconds for the package manager itself, about one for a package with its scripts, a minute for each initrd.
has_time() {
  NEEDED=$((20 + PLAN_ENTRIES + 60 * $(awk -F '\t' -v kernel="$KERNEL_NAMES" '$5 != "-" && $2 ~ kernel { n++ } END { print n + 0 }' "$STATE/plan")))
  seconds_left
  ((REPLY >= NEEDED))
}

# Sets REPLY to the seconds that what comes before a transaction may take at most: what is left, less the transaction, the
# hooks after it, and the restart that it may need, with the minute after which the agent begins that.
time_to_spare() {
  local NEEDED=0 after
  has_time || true
  after=$(awk -F '\t' -v moment="after-$PHASE" '$1 == moment { sum += $3 } END { print sum + 0 }' "$STATE/hooks")
  REPLY=$((REPLY - NEEDED - after - (RebootReserve > 0 ? RebootReserve + 60 : 0)))
}

require_time() {
  local REPLY
  FACTS[installed]=false FACTS[compliant]=false
  has_time || conclude 1 refused no-time "$REPLY seconds are left for a transaction that may take $NEEDED"
}

wait_for_locks() {
  local REPLY patience
  seconds_left
  patience=$((REPLY / 3))
  await_locks $((patience < 600 ? patience : 600)) ||
    conclude 102 refused lock-held "the package database is locked by $REPLY"
}

# Compares what should happen (`<name> <arch> <from> <to>`) with what would (`<name> <arch> <from> <to> <action>`): what
# comes goes by its version, what goes by the one that is there.
require_same() {
  local difference
  difference=$(set -o pipefail && awk -F '\t' '
    { key = $1 "\t" $2 "\t" ($4 == "-" ? "-" $3 : $4) }
    FILENAME == ARGV[1] { wanted[key] = $1; next }
    {
      if (key in wanted) delete wanted[key]
      else print "would also " $5 " " $1 ($4 == "-" ? "" : " " $4)
    }
    END { for (key in wanted) print "would not get " wanted[key] }
  ' "$1" "$2" | sort) ||
    conclude 1 failed script-failed "what $PACKAGE_MANAGER would do could not be compared with the plan"
  [[ -z $difference ]] || {
    log "$difference"
    conclude 104 drifted outside-plan "$PACKAGE_MANAGER $(head -n 3 <<<"$difference" | paste -sd ';' | sed 's/;/, /g')"
  }
}
