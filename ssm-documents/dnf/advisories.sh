# shellcheck shell=bash
# Owns why updates are there: the advisories up to the plan's versions, with their CVEs.

# Writes `advisories`: id, kind, severity, CVEs, name, architecture.
list_advisories() {
  : >"$WORK/advisories"
  has_errata || return 0
  case $VARIANT in
  dnf5)
    dnf_ask "$METADATA_SEALED" -q -C advisory list --updates >"$WORK/advisory-list" 2>>"$LOG" || return 0
    dnf_ask "$METADATA_SEALED" -q -C advisory info --updates >"$WORK/advisory-info" 2>>"$LOG" || return 0
    ;;
  *)
    dnf_ask "$METADATA_SEALED" -q -C updateinfo list >"$WORK/advisory-list" 2>>"$LOG" || return 0
    dnf_ask "$METADATA_SEALED" -q -C updateinfo info >"$WORK/advisory-info" 2>>"$LOG" || return 0
    ;;
  esac
  { read_advisory_info <"$WORK/advisory-info" && printf '%s\n' - && read_advisory_list <"$WORK/advisory-list"; } |
    awk -F '\t' -v OFS='\t' -v changes="$WORK/changes" "$RPM_ORDER"'
      BEGIN { while ((getline line < changes) > 0) { split(line, field, "\t"); if (field[4] != "-") to[field[1] "\t" field[2]] = field[4] } }
      $0 == "-" { listing = 1; next }
      !listing { what[$1] = $2 OFS $3 OFS $4; next }
      ($2 OFS $3) in to && ($1 in what) && order($4, to[$2 OFS $3]) <= 0 { print $1, what[$1], $2, $3 }' | sort -u >"$WORK/advisories"
}

# `updateinfo info` as id, kind, severity and CVEs. dnf 4 and yum 3 write `Update ID : x`, dnf 5 `Name : x`.
read_advisory_info() {
  awk '
    function say() {
      if (id != "") print id "\t" (kind ~ /^(security|bugfix|enhancement)$/ ? kind : "other") "\t" (severity == "" ? "-" : severity) "\t" (cves == "" ? "-" : cves)
      id = kind = severity = cves = ""
    }
    { at = index($0, ":"); key = tolower(substr($0, 1, at - 1)); gsub(/^ +| +$/, "", key); value = substr($0, at + 1); gsub(/^ +| +$/, "", value) }
    at && key == "" { key = before }
    at && (key == "update id" || key == "name") { say(); id = value }
    # Of dnf 5 each reference has a type too, further down.
    key == "type" && kind == "" { kind = tolower(value); if (kind == "newpackage") kind = "enhancement" }
    key == "severity" { severity = tolower(value); if (severity == "none" || severity == "unknown") severity = "" }
    key == "cves" || (key ~ /^reference/ && value ~ /^CVE-/) || (key == "id" && value ~ /^CVE-/) { n = split(value, words, /[ ,]+/)
      for (i = 1; i <= n; i++) if (words[i] ~ /^CVE-/) cves = cves (cves == "" ? "" : ",") words[i] }
    at { before = key }
    END { say() }'
}

# `updateinfo list` as id, name, architecture and version: `RLSA-1 Important/Sec. tool-1:1.1-1.noarch`, and of dnf 5 a table
# with the package as fourth column.
read_advisory_list() {
  awk 'NF >= 3 && $1 != "Name" {
    for (i = NF; i > 1; i--) if ($i ~ /^.+-[^-]+-[^-]+[.][a-z0-9_]+$/) break
    if (i < 2) next
    nevra = $i; arch = nevra; sub(/.*[.]/, "", arch); sub(/[.][^.]*$/, "", nevra)
    release = nevra; sub(/.*-/, "", release); sub(/-[^-]*$/, "", nevra)
    version = nevra; sub(/.*-/, "", version); sub(/-[^-]*$/, "", nevra)
    sub(/^0:/, "", version)
    # yum puts the epoch before the name.
    if (nevra ~ /^[0-9]+:/) { epoch = nevra; sub(/:.*/, "", epoch); sub(/^[0-9]+:/, "", nevra); if (epoch != "0") version = epoch ":" version }
    print $1 "\t" nevra "\t" arch "\t" version "-" release }'
}
