# shellcheck shell=bash
# Owns how apt is asked: always with metadata, cache and preferences of this job, so that the system's own apt state
# is read and never written until the transaction itself.

APT=$JOB/apt
ARCHIVES=$APT/archives
FILES=$ARCHIVES
METADATA_SEALED=$APT/lists
METADATA_NOW=$APT/lists-now
LOCK_FILES=("$ROOT/var/lib/dpkg/lock-frontend" "$ROOT/var/lib/dpkg/lock" "$ROOT/var/cache/apt/archives/lock")
KERNEL_NAMES='^linux-(image|image-unsigned|modules|modules-extra)-[0-9]'
SUPPORTS='all security packages repositories'
PACKAGE_MANAGER=apt

NEEDS+=(apt-cache apt-config apt-get dpkg dpkg-query)

# The agent is the process that runs this script: it is updated by its own means, never by a campaign.
NEVER_CHANGED=amazon-ssm-agent

# Reads the paths and switches of the operator's configuration that matter here.
family_settings() {
  local settings
  REPLY='apt-config can not read the configuration of apt'
  settings=$(apt-config shell SYSTEM_LISTS Dir::State::lists/d PREFERENCES Dir::Etc::preferences/f \
    PREFERENCES_D Dir::Etc::preferencesparts/d SOURCES Dir::Etc::sourcelist/f SOURCES_D Dir::Etc::sourceparts/d \
    UNATTENDED APT::Periodic::Unattended-Upgrade) || return 1
  SYSTEM_LISTS='' PREFERENCES='' PREFERENCES_D='' SOURCES='' SOURCES_D='' UNATTENDED=0
  eval "$settings"
  mkdir -p -- "$ARCHIVES/partial" && chmod 0755 "$APT" "$ARCHIVES"
}

# write_apt_conf <file> <lists folder> <preferences folder>
write_apt_conf() {
  mkdir -p -- "$2/partial" "$2.cache" && chmod 0755 "$2" "$2.cache"
  cat >"$1" <<CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::Languages;
Acquire::Languages { "none"; };
Acquire::IndexTargets::deb-src::Sources::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
Acquire::Retries "3";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
APT::Update::Error-Mode "any";
APT::Get::AllowUnauthenticated "false";
APT::Get::Always-Include-Phased-Updates "true";
APT::Get::AutomaticRemove "false";
APT::Get::Upgrade-Allow-New "true";
APT::Get::Allow-Downgrades "false";
APT::Get::Allow-Change-Held-Packages "false";
APT::Get::Fix-Missing "false";
APT::Ignore-Hold "false";
APT::Color "false";
Dir::State::lists "$2/";
Dir::Cache "$2.cache/";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Cache::archives "$ARCHIVES/";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$3/";
DPkg::Options { "--force-confdef"; "--force-confold"; };
DPkg::Use-Pty "false";
DPkg::Progress-Fancy "false";
CONF
  [[ ! -d $APT/sources.list.d ]] || cat >>"$1" <<CONF
Dir::Etc::sourcelist "$APT/sources.list";
Dir::Etc::sourceparts "$APT/sources.list.d/";
CONF
}

# Copies the operator's preferences into a folder, in the order in which apt would read them, after what stands in
# <folder>/00-quarterdeck.pref: the first record that fits a version decides.
copy_preferences() {
  local folder=$1 file name n=1000
  [[ ! -s $PREFERENCES ]] || cp -- "$PREFERENCES" "$folder/10-operator.pref"
  for file in "$PREFERENCES_D"/*; do
    name=${file##*/}
    [[ -f $file && ($name =~ ^[A-Za-z0-9_-]+$ || $name =~ ^[A-Za-z0-9_.-]+\.pref$) ]] || continue
    cp -- "$file" "$folder/20-$((n += 1)).pref"
  done
}

# Empties a preferences folder and begins it with packages that must not change: <folder> <file of names or globs>…
begin_preferences() {
  local folder=$1
  shift
  rm -rf -- "$folder"
  mkdir -m 0755 -- "$folder"
  copy_preferences "$folder"
  { printf 'Package: %s' "$NEVER_CHANGED" && cat -- "$@" /dev/null | tr '\n' ' ' | sed 's/^/ /' &&
    printf '\nPin: release *\nPin-Priority: -1\n'; } >"$folder/01-denied.pref"
}

# Prints preferences that make versions candidates: lines of <name> <version> on stdin.
pins() {
  awk -v priority="$1" '{ printf "Package: %s\nPin: version %s\nPin-Priority: %d\n\n", $1, $2, priority }'
}

# Preferences under which nothing but the plan can happen: its versions at 1001, all else at -1. Written as `?*`, the
# rest is a record about packages by name, which precedes whatever the operator says of releases; what the operator
# says of packages by name comes before ours and is kept.
# seal_preferences <folder> <plan> <file of denied names>…
seal_preferences() {
  local folder=$1 plan=$2
  shift 2
  awk -F '\t' 'NR == FNR { planned[$2] = 1; next } !($1 in planned) { print $1 }' "$plan" "$WORK/installed" \
    >"$WORK/unplanned"
  begin_preferences "$folder" "$@" "$WORK/unplanned"
  {
    awk -F '\t' 'NR > 1 && $5 != "-" { print $2, $5 }' "$plan" | sort -u | pins 1001
    printf 'Package: ?*\nPin: release *\nPin-Priority: -1\n'
  } >"$folder/90-plan.pref"
}

# Writes name, architecture, version, dpkg state and installed size of every package that dpkg knows.
family_installed() (
  set -o pipefail
  # shellcheck disable=SC2016 # dpkg-query's own variables
  dpkg-query -W -f '${Package}\t${Architecture}\t${Version}\t${db:Status-Abbrev}\t${Installed-Size}\n' |
    awk -F '\t' 'substr($4, 2, 1) !~ /[nc]/' >"$1"
)

# What apt would do: `dist-upgrade` may remove packages, `upgrade` never does.
apt_verb() {
  if [[ $1 == yes ]]; then printf dist-upgrade; else printf upgrade; fi
}

# Reads apt's simulation on stdin and prints name, architecture, from, to, action and origins of what would change.
# `Inst name[:arch] [from] (to origin, origin [arch]) [more]` and `Remv name[:arch] [from]`, which does not tell native
# packages from architecture-independent ones.
parse_simulation() {
  awk -v native="$(dpkg --print-architecture)" -v installed="$WORK/installed" '
    BEGIN {
      while ((getline line < installed) > 0) {
        split(line, field, "\t")
        if (field[2] == "all" || field[2] == native) known[field[1]] = field[2]
      }
    }
    $1 != "Inst" && $1 != "Remv" { next }
    {
      name = $2; rest = substr($0, length($1) + length($2) + 3)
      arch = name in known ? known[name] : native; from = "-"; to = "-"; origins = "-"
      if (split(name, parts, ":") == 2) { name = parts[1]; arch = parts[2] }
      if (rest ~ /^\[/) { from = substr(rest, 2, index(rest, "]") - 2); rest = substr(rest, index(rest, "]") + 2) }
      if ($1 == "Inst") {
        body = substr(rest, 2, index(rest, ")") - 2)
        to = body; sub(/ .*/, "", to)
        arch = body; sub(/^.* \[/, "", arch); sub(/\]$/, "", arch)
        origins = substr(body, length(to) + 2); sub(/ ?\[[^[]*\]$/, "", origins)
      }
      action = $1 == "Remv" ? "remove" : from == "-" ? "install" : "upgrade"
      print name "\t" arch "\t" from "\t" to "\t" action "\t" (origins == "" ? "-" : origins)
    }'
}

# Whether dpkg is whole: no interrupted run, no half-installed package. dpkg says 0 whatever it finds, so the text of
# the audit is read; packages that came without checksums are no trouble. Sets REPLY to what is wrong.
family_audit() {
  local broken audit code=0
  REPLY=''
  if [[ -n $(find "$ROOT/var/lib/dpkg/updates" -type f -name '[0-9]*' 2>/dev/null | head -n 1) ]]; then
    REPLY='dpkg was interrupted: run dpkg --configure -a'
    return 2
  fi
  broken=$(awk -F '\t' '$4 ~ /^[a-z][HUFWt]|^..[R]/ { print $1 " (" $4 ")" }' "$WORK/installed" | tr -d ' ' | some_of)
  audit=$(dpkg --audit 2>&1) || code=$?
  [[ -n $broken ]] || broken=$(awk '/^The / { minor = /md5sums/ } /^ [a-z0-9]/ && !minor { print $1 }' <<<"$audit" | some_of)
  [[ -z $broken ]] || REPLY="packages are not whole: $broken"
  # 1 is for what it found, more is for an audit that did not take place.
  ((code < 2)) || {
    REPLY="dpkg can not audit its packages: ${audit:0:200}"
    return 2
  }
  [[ -z $REPLY ]]
}

family_version_at_least() {
  [[ $1 == "$2" ]] || dpkg --compare-versions "$1" ge "$2"
}
