# shellcheck shell=bash
# Owns which packages patches speak of. Patches are never handed to zypper: it would show those of its own update stack
# alone while any is pending, leave out without a word those that ask for a reboot, and mark the server as in need of
# one by a dry run.

# Writes `patches`, what zypper says of each patch: id and status.
list_patches() {
  zypper_on "$METADATA_SEALED" --no-refresh list-patches --all >"$WORK/list-patches" 2>&1 || {
    log_answer "$WORK/list-patches"
    return 1
  }
  awk -v RS='<' '
    function attribute(name,   at, text) {
      at = index($0, " " name "=\"")
      if (!at) return ""
      text = substr($0, at + length(name) + 3)
      return substr(text, 1, index(text, "\"") - 1)
    }
    /^update / && attribute("kind") == "patch" { print attribute("name") "\t" attribute("status") }' "$WORK/list-patches" >"$WORK/patches"
}

# Writes `needed`, the lines of `published` whose patch this server lacks, of packages that it has.
list_needed() {
  list_patches || conclude 100 blocked resolver-failed "zypper can not say which patches are needed: $(zypper_words "$WORK/list-patches")"
  awk -F '\t' '
    FILENAME == ARGV[1] { if ($2 !~ /^(applied|not-needed|undetermined|)$/) needed[$1] = 1; next }
    FILENAME == ARGV[2] { installed[$1] = 1; next }
    ($1 in needed) && ($5 in installed)' "$WORK/patches" "$WORK/installed" "$WORK/published" >"$WORK/needed"
}

# Sets what the mode asks for as `wanted`, names of packages; what no repository can answer is said.
want_patches() {
  local unknown
  list_published "$METADATA_SEALED" ||
    conclude 107 unsupported no-security-repository 'no repository of this server publishes patches'
  list_needed
  if [[ $Mode == security ]]; then
    awk -F '\t' '$2 == "security"' "$WORK/needed" >"$WORK/chosen"
  else
    unknown=$(awk -F '\t' '
      FILENAME == ARGV[1] { known[$1] = 1; n = split($4, cves, ","); for (i = 1; i <= n; i++) known[cves[i]] = 1; next }
      !($1 in known) { print $1 }' "$WORK/published" "$STATE/selections" | some_of)
    [[ -z $unknown ]] ||
      conclude 107 unsupported mode-unsupported "no repository of this server knows $unknown"
    awk -F '\t' '
      FILENAME == ARGV[1] { asked[$1] = 1; next }
      { hit = $1 in asked; n = split($4, cves, ","); for (i = 1; i <= n; i++) if (cves[i] in asked) hit = 1; if (hit) print }
    ' "$STATE/selections" "$WORK/needed" >"$WORK/chosen"
  fi
  cut -f 5 "$WORK/chosen" | sort -u >"$WORK/wanted"
}

# Writes `advisories` of the result, and what asks for a reboot once it is installed. An advisory goes with an entry when
# it is needed and speaks of that package; a newer version brings what the advisory's own brought.
write_advisories() {
  : >"$STATE/reboot-suggested"
  [[ -s $WORK/entries ]] && list_published "$METADATA_SEALED" || return 0
  [[ -f $WORK/needed ]] || list_needed
  awk -F '\t' -v reboot="$STATE/reboot-suggested" '
    FILENAME == ARGV[1] { if ($5 != "-") arch[$2] = $3; next }
    ($5 in arch) && !(($1 "\t" $5) in seen) {
      seen[$1 "\t" $5] = 1
      print $1 "\t" $2 "\t" $3 "\t" $4 "\t" $5 "\t" arch[$5]
      if ($8 == "reboot") print $5 "\t" $1 > reboot
    }' "$WORK/entries" "$WORK/needed" | sort >"$WORK/advisories"
  # Security is what a security advisory of this server says, in every mode.
  awk -F '\t' -v OFS='\t' '
    FILENAME == ARGV[1] { if ($2 == "security") security[$5] = 1; next }
    { $7 = $5 != "-" && ($2 in security) ? "yes" : "no"; print }' "$WORK/advisories" "$WORK/entries" >"$WORK/entries.new" &&
    mv -f -- "$WORK/entries.new" "$WORK/entries"
}
