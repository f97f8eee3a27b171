#!/bin/bash
# Owns the plan: fetches signed metadata into this job's own folder and asks apt's resolver what it would do.

source "$SCRIPTS/debian/compliance.sh"
source "$SCRIPTS/debian/reboot-need.sh"

# Sets PLAN_SHA256; ends the phase where there is nothing to plan.
preview() {
  local removals=no line
  LISTS=$APT/lists
  [[ $Removals == refuse ]] || removals=yes
  VERB=$(apt_verb "$removals")
  fetch_metadata "$LISTS" || METADATA_PROBLEM=${METADATA_PROBLEM:-repository-unreachable}
  # Also where its repositories are gone, which it then explains.
  judge_release
  [[ -z $METADATA_PROBLEM ]] || conclude "$METADATA_CODE" blocked "$METADATA_PROBLEM" "$METADATA_DETAIL"
  write_apt_conf "$APT/preview.conf" "$LISTS" "$APT/preview.d"
  if [[ $Mode == security ]]; then prefer_security; else begin_preferences "$APT/preview.d" "$STATE/exclusions"; fi
  simulate "$APT/preview.conf" "$VERB" ||
    conclude 100 blocked resolver-failed "apt can not resolve an upgrade: $(grep -m 1 '^E:' "$WORK/simulation")"
  write_plan
  if grep -q '^The following packages will be DOWNGRADED' "$WORK/simulation"; then
    conclude 107 unsupported downgrade-wanted "preferences ask for a downgrade, which no campaign does"
  fi
  line=$(kept_back | some_of)
  [[ -z $line ]] || warn kept-back "not upgraded, held or in need of what may not change: $line"
  judge_reboot
  [[ ${FACTS[rebootPending]} != true ]] || warn reboot-needed "$REBOOT_WHY"
  if ((PLAN_ENTRIES == 0)); then
    FACTS[installed]=true
    [[ ${FACTS[compliant]} == false ]] || FACTS[compliant]=true
    judge_metadata_age
    conclude 2 nothing-to-do
  fi
}

# simulate <conf> <verb>
simulate() {
  apt-get -c "$1" -s -q "$2" >"$WORK/simulation" 2>&1 || {
    log_output "$WORK/simulation"
    return 1
  }
}

kept_back() {
  awk '/^The following packages have been kept back/ { inside = 1; next } /^[^ ]/ { inside = 0 }
    inside { for (i = 1; i <= NF; i++) print $i }' "$WORK/simulation"
}

# Security only, also where a newer version in the updates pocket hides the one in the security pocket. First apt
# sees the security repositories alone: what it would upgrade there are the wanted versions. Then it sees everything,
# with those versions as the only candidates of installed packages; what they need besides may come from anywhere.
prefer_security() {
  local conf=$APT/security.conf
  [[ -s $WORK/security-lists ]] ||
    conclude 107 unsupported no-security-repository 'no repository says that it brings security updates'
  begin_preferences "$APT/security.d" "$STATE/exclusions"
  link_security_lists "$APT/security-lists"
  write_apt_conf "$conf" "$APT/security-lists" "$APT/security.d"
  simulate "$conf" "$VERB" ||
    conclude 100 blocked resolver-failed "apt can not resolve security updates: $(grep -m 1 '^E:' "$WORK/simulation")"
  {
    parse_simulation <"$WORK/simulation" | awk -F '\t' '$3 != "-" && $4 != "-" { print $1, $4 }'
    # Kept back for want of something that is not in a security repository.
    kept_back | xargs -r apt-cache -c "$conf" policy |
      awk '/^[^ ]/ { name = $1; sub(/:.*/, "", name) } $1 == "Candidate:" { print name, $2 }'
  } | sort -u >"$WORK/wanted"
  begin_preferences "$APT/preview.d" "$STATE/exclusions" <(cut -f 1 "$WORK/installed")
  pins 990 <"$WORK/wanted" >"$APT/preview.d/00-security.pref"
}

# Writes the canonical plan from the simulation; size and hash of every file as the signed metadata states them.
write_plan() {
  local problem bytes
  parse_simulation <"$WORK/simulation" >"$WORK/changes"
  awk -F '\t' -v native="$(dpkg --print-architecture)" '$4 != "-" {
    print ($2 == "all" || $2 == native ? $1 : $1 ":" $2) "=" $4 }' "$WORK/changes" |
    xargs -r apt-cache -c "$APT/preview.conf" --no-all-versions show >"$WORK/stanzas" 2>>"$LOG"
  awk -F '\t' '
    # Stanzas of apt-cache show, then the changes.
    NR == FNR {
      if ($0 == "") { name = ""; next }
      colon = index($0, ": "); key = substr($0, 1, colon - 1); value = substr($0, colon + 2)
      if (key == "Package") name = value
      else if (key == "Version") version = value
      else if (key == "Architecture") arch = value
      else if (key == "Size") { file = name "\t" arch "\t" version; size[file] = value }
      else if (key == "SHA256") { hash[name "\t" arch "\t" version] = value }
      else if (key == "Installed-Size") { room[name "\t" version] = value }
      next
    }
    {
      split($6, origins, ", "); origin = origins[1]; security = "no"
      for (i in origins) if (origins[i] ~ /^Debian-Security:|-security$/) { origin = origins[i]; security = "yes" }
      gsub(/[^A-Za-z0-9+.:\/_~-]/, "-", origin)
      file = $1 "\t" $2 "\t" $4
      if ($5 == "remove") { print $5 "\t" $1 "\t" $2 "\t" $3 "\t-\t-\tno\t0\t-"; next }
      if (length(hash[file]) != 64) { print "unsigned\t" $1; next }
      print $5 "\t" $1 "\t" $2 "\t" $3 "\t" $4 "\t" substr(origin, 1, 128) "\t" security "\t" size[file] "\t" hash[file]
    }' "$WORK/stanzas" "$WORK/changes" | sort >"$WORK/entries"
  problem=$(awk -F '\t' '$1 == "unsigned" { print $2 }' "$WORK/entries" | some_of)
  [[ -z $problem ]] || conclude 107 unsupported unsigned "no signed metadata gives a SHA-256 for $problem"
  bytes=$(stat -c %s -- "$WORK/entries")
  ((bytes <= 524288)) ||
    conclude 107 unsupported plan-too-large "the plan has $bytes bytes, 524288 are taken: update this server in parts"
  { printf 'quarterdeck-plan\t1\t%s\n' "$SERVER_ID" && cat -- "$WORK/entries"; } >"$STATE/plan"
  sha256_of_stdin <"$STATE/plan"
  PLAN_SHA256=$REPLY
  describe_plan
  # What could not be read of the simulation must not look like nothing to update.
  [[ $PLAN_ENTRIES == "$(grep -cE '^(Inst|Remv) ' "$WORK/simulation")" ]] ||
    conclude 1 blocked script-failed 'the plan has not all that apt would do'
  log "the plan has $PLAN_ENTRIES entries, SHA-256 $PLAN_SHA256"
  tail -n +2 -- "$STATE/plan" >"$WORK/plan"
  result_section plan "$WORK/plan"
}
