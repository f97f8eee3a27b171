# shellcheck shell=bash
# Owns what apt's resolver would do, as entries of a plan.

# Writes `entries` and `kept-back`, and keeps `changes` and `stanzas` for the room that they take.
family_resolve() {
  local verb
  verb=$(apt_verb "$([[ $Removals == refuse ]] && echo no || echo yes)")
  write_apt_conf "$APT/preview.conf" "$METADATA_SEALED" "$APT/preview.d"
  case $Mode in
  security) prefer_security "$verb" ;;
  packages) prefer_selected ;;
  *) begin_preferences "$APT/preview.d" "$STATE/exclusions" ;;
  esac
  simulate "$APT/preview.conf" "$verb" ||
    conclude 100 blocked resolver-failed "apt can not resolve an upgrade: $(grep -m 1 '^E:' "$WORK/simulation")"
  write_entries
  if grep -q '^The following packages will be DOWNGRADED' "$WORK/simulation"; then
    conclude 107 unsupported downgrade-wanted "preferences ask for a downgrade, which no campaign does"
  fi
  kept_back >>"$WORK/kept-back" || return 1
  look_at_pro
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
  local conf=$APT/security.conf verb=$1
  [[ -s $WORK/security-lists ]] ||
    conclude 107 unsupported no-security-repository 'no repository says that it brings security updates'
  begin_preferences "$APT/security.d" "$STATE/exclusions"
  link_security_lists "$APT/security-lists"
  write_apt_conf "$conf" "$APT/security-lists" "$APT/security.d"
  simulate "$conf" "$verb" ||
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

# The order's packages, as far as this server has them, and what their new versions need. First apt is asked for them by
# name; then it sees those versions as the only candidates, as it will when the plan is carried out.
prefer_selected() {
  local flags=(--only-upgrade)
  [[ $Removals == allow ]] || flags+=(--no-remove)
  family_holds | sort -u >"$WORK/held"
  awk -F '\t' 'FILENAME == ARGV[1] { there[$1] = 1; next } $1 in there' "$WORK/installed" "$STATE/selections" | sort -u >"$WORK/asked"
  comm -12 "$WORK/asked" "$WORK/held" >"$WORK/kept-back"
  begin_preferences "$APT/preview.d" "$STATE/exclusions"
  : >"$WORK/simulation"
  # An upgrade without a name would be one of everything.
  comm -23 "$WORK/asked" "$WORK/held" >"$WORK/names"
  [[ ! -s $WORK/names ]] || xargs apt-get -c "$APT/preview.conf" -s -q "${flags[@]}" install <"$WORK/names" >"$WORK/simulation" 2>&1 ||
    conclude 100 blocked resolver-failed "apt can not resolve the named packages: $(grep -m 1 '^E:' "$WORK/simulation")"
  parse_simulation <"$WORK/simulation" | awk -F '\t' '$4 != "-" { print $1, $4 }' | sort -u >"$WORK/wanted"
  begin_preferences "$APT/preview.d" "$STATE/exclusions" <(cut -f 1 "$WORK/installed")
  pins 990 <"$WORK/wanted" >"$APT/preview.d/00-selected.pref"
}

# Writes the entries of the simulation; size and hash of every file as the signed metadata states them.
write_entries() {
  local problem planned
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
    }' "$WORK/stanzas" "$WORK/changes" >"$WORK/entries"
  problem=$(awk -F '\t' '$1 == "unsigned" { print $2 }' "$WORK/entries" | some_of)
  [[ -z $problem ]] || conclude 107 unsupported unsigned "no signed metadata gives a SHA-256 for $problem"
  # What could not be read of the simulation must not look like nothing to update.
  planned=$(awk 'END { print NR }' "$WORK/entries")
  [[ $planned == "$(grep -cE '^(Inst|Remv) ' "$WORK/simulation")" ]] ||
    conclude 1 blocked script-failed 'the plan has not all that apt would do'
}
