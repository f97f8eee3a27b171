# shellcheck shell=bash
# Owns how the lists of packages and advisories in an RPM repository's metadata are read, without a program that
# servers may not have.

# Prints what a metadata file holds, by its name.
unpacked() {
  case $1 in
  *.gz) gzip -dc -- "$1" ;;
  *.zst) zstd -dcq -- "$1" ;;
  *.xz) xz -dc -- "$1" ;;
  *.bz2) bzip2 -dc -- "$1" ;;
  *) cat -- "$1" ;;
  esac
}

# Prints a line for each package of `primary.xml` on stdin whose name is a line of the given file: name, architecture, [epoch:]version-release, bytes, SHA-256 (or `-`), installed bytes,
# location, and what it obsoletes, its names separated by commas (or `-`).
# read_primary <file of names>
read_primary() {
  # Of tens of thousands of packages few are wanted: the others are passed over whole.
  awk -v names="$1" '
    BEGIN { while ((getline line < names) > 0) wanted[line] = 1; RS = "<package " }
    function attribute(text, name,   at) {
      at = index(text, " " name "=\"")
      if (!at) return ""
      text = substr(text, at + length(name) + 3)
      return substr(text, 1, index(text, "\"") - 1)
    }
    function content(text) { return substr(text, index(text, ">") + 1) }
    {
      at = index($0, "<name>")
      if (!at) next
      name = substr($0, at + 6, 200); name = substr(name, 1, index(name, "<") - 1)
      if (!(name in wanted)) next
      n = split($0, tag, "<")
      arch = version = hash = location = obsoletes = ""; size = installed = inside = 0
      for (i = 1; i <= n; i++) {
        if (tag[i] ~ /^arch>/) arch = content(tag[i])
        else if (tag[i] ~ /^version /) {
          epoch = attribute(tag[i], "epoch")
          version = (epoch == "" || epoch == "0" ? "" : epoch ":") attribute(tag[i], "ver") "-" attribute(tag[i], "rel")
        }
        else if (tag[i] ~ /^checksum / && attribute(tag[i], "type") == "sha256") hash = content(tag[i])
        else if (tag[i] ~ /^size /) { size = attribute(tag[i], "package"); installed = attribute(tag[i], "installed") }
        else if (tag[i] ~ /^location /) location = attribute(tag[i], "href")
        else if (tag[i] ~ /^rpm:obsoletes>/) inside = 1
        else if (tag[i] ~ /^\/rpm:obsoletes>/) inside = 0
        else if (inside && tag[i] ~ /^rpm:entry /) obsoletes = obsoletes (obsoletes == "" ? "" : ",") attribute(tag[i], "name")
      }
      print name "\t" arch "\t" version "\t" size + 0 "\t" (length(hash) == 64 ? hash : "-") "\t" installed + 0 "\t" location "\t" \
        (obsoletes == "" ? "-" : obsoletes)
    }'
}

# Prints for each package that an advisory of `updateinfo.xml` on stdin names: id, kind, severity (or `-`), CVEs
# separated by commas (or `-`), name, architecture, [epoch:]version-release, and `reboot` or `-`.
read_advisories() {
  awk -v RS='<' '
    function attribute(name,   at, text) {
      at = index($0, " " name "=\"")
      if (!at) return ""
      text = substr($0, at + length(name) + 3)
      return substr(text, 1, index(text, "\"") - 1)
    }
    function content(   text) { text = substr($0, index($0, ">") + 1); sub(/[ \t\n]+$/, "", text); sub(/^[ \t\n]+/, "", text); return text }
    /^update / {
      kind = attribute("type"); advisory = severity = cves = ""; n = 0; reboot = "-"
      kind = kind == "security" ? kind : kind ~ /^(bugfix|recommended)$/ ? "bugfix" : kind ~ /^(enhancement|optional|feature|newpackage)$/ ? "enhancement" : "other"
      next
    }
    /^id>/ { if (advisory == "") advisory = content(); next }
    /^severity>/ { severity = tolower(content()); gsub(/[^a-z0-9 -]/, "", severity); next }
    /^reference / { if (attribute("type") == "cve") { cve = attribute("id")
      if (cve !~ /^CVE-[0-9-]+$/ && match(attribute("title"), /CVE-[0-9]+-[0-9]+/)) cve = substr(attribute("title"), RSTART, RLENGTH)
      if (cve ~ /^CVE-[0-9-]+$/ && index("," cves ",", "," cve ",") == 0) cves = cves (cves == "" ? "" : ",") cve } next }
    /^package / {
      epoch = attribute("epoch")
      package[++n] = attribute("name") "\t" attribute("arch") "\t" \
        (epoch == "" || epoch == "0" ? "" : epoch ":") attribute("version") "-" attribute("release")
      next
    }
    /^reboot_suggested/ { reboot = "reboot"; next }
    /^\/update>/ {
      gsub(/[^A-Za-z0-9+._:~-]/, "-", advisory)
      if (severity == "" || severity == "none") severity = "-"
      for (i = 1; i <= n; i++)
        print advisory "\t" kind "\t" severity "\t" (cves == "" ? "-" : cves) "\t" package[i] "\t" reboot
    }'
}
