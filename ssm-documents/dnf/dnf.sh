# shellcheck shell=bash
# Owns how dnf is asked: always with metadata, files and logs of this job, so that the system's own state is read and
# never written until the transaction itself.

DNF=$JOB/dnf
FILES=$DNF/files
METADATA_SEALED=$DNF/sealed
METADATA_NOW=$DNF/now
LOCK_FILES=("$ROOT/var/lib/rpm/.rpm.lock" "$ROOT/usr/lib/sysimage/rpm/.rpm.lock")
# Installed beside those that are there: rpm's `installonlypkg(kernel)`, by their names in all distributions.
KERNEL_NAMES='^kernel([0-9]+[.][0-9]+)?(-(rt|64k|uek|lt|ml|PAE|debug))*(-(core|modules|modules-core|modules-extra|modules-internal|devel))?$'
SUPPORTS='all security advisories packages groups repositories'

NEEDS+=(rpmkeys timeout)

# The agent is the process that runs this script: it is updated by its own means, never by a campaign.
NEVER_CHANGED=amazon-ssm-agent

# Chooses the variant by what answers, not by names: yum is dnf under its old name on some servers.
dnf_settings() {
  local version command
  VARIANT=''
  for command in dnf5 dnf yum; do
    command -v "$command" >/dev/null || continue
    version=$(timeout 60 "$command" --version 2>>"$LOG" </dev/null | head -n 1)
    case $version in
    dnf5* | 5.*) VARIANT=dnf5 ;;
    4.*) VARIANT=dnf4 ;;
    3.*) VARIANT=yum3 ;;
    *) continue ;;
    esac
    PACKAGE_MANAGER=$command
    break
  done
  [[ -n $VARIANT ]] || conclude 107 unsupported variant-unknown 'neither dnf 4 or 5 nor yum 3 answers with its version'
  CONFIGURATION=$ROOT/etc/dnf/dnf.conf PLUGINS=$ROOT/etc/dnf/plugins SYSTEM_STATE=$ROOT/var/lib/dnf SYSTEM_CACHE=$ROOT/var/cache/dnf
  case $VARIANT in
  yum3) CONFIGURATION=$ROOT/etc/yum.conf PLUGINS=$ROOT/etc/yum/pluginconf.d SYSTEM_STATE=$ROOT/var/lib/yum SYSTEM_CACHE=$ROOT/var/cache/yum ;;
  dnf5)
    SYSTEM_CACHE=$ROOT/var/cache/libdnf5
    # It holds its own before rpm's, and at its question to a person too.
    LOCK_FILES+=("$SYSTEM_STATE/system-repo.lock")
    ;;
  esac
  mkdir -p -- "$FILES" "$DNF/log" "$DNF/persist" && chmod 0755 "$DNF" "$FILES"
  # What modules were enabled is part of what can be installed.
  [[ ! -d $SYSTEM_STATE/modulefailsafe ]] || cp -rp -- "$SYSTEM_STATE/modulefailsafe" "$DNF/persist/" 2>>"$LOG" || true
}

# Sets TERMS to the options that say what the order allows: repositories, release, what must not change.
read_terms() {
  local verb id name
  TERMS=("--exclude=$NEVER_CHANGED")
  while read -r name; do TERMS+=("--exclude=$name"); done <"$STATE/exclusions"
  while IFS=$'\t' read -r verb id; do
    [[ $VARIANT != dnf5 || $verb != disable ]] || has_repository "$id" || continue
    TERMS+=("--${verb}repo=$id")
  done <"$STATE/repositories"
  release_terms
  # What may not be removed stays also where the operator limits how many kernels there are: room in /boot is looked at.
  [[ $Removals == allow ]] || TERMS+=(--setopt=installonly_limit=0)
}

# has_repository <id or glob>: dnf 5 ends where it is to leave out what is not there; the others go on.
has_repository() {
  local id
  [[ -e $WORK/repository-ids ]] ||
    timeout 60 "$PACKAGE_MANAGER" -q repo list --all 2>>"$LOG" </dev/null | awk 'NR > 1 { print $1 }' >"$WORK/repository-ids"
  while read -r id; do
    # shellcheck disable=SC2053 # a glob
    [[ $id != $1 ]] || return 0
  done <"$WORK/repository-ids"
  return 1
}

# Sets ASK to the package manager's name with its options, for metadata in a folder. What a repository or the
# operator's configuration may say against it comes before, and ours decides: no repository is skipped, nothing comes
# unsigned, nothing goes that nobody asked for, and no lock is waited for in silence.
prepare_to_ask() {
  read_terms
  ASK=("$PACKAGE_MANAGER" --setopt=cachedir="$1" --setopt=keepcache=1 --setopt=color=never --setopt=best=1
    --setopt=exit_on_lock=1 --setopt=clean_requirements_on_remove=0 --setopt=deltarpm=0
    --setopt=skip_if_unavailable=0 '--setopt=*.skip_if_unavailable=0' '--setopt=*.metadata_expire=-1'
    --setopt=gpgcheck=1 '--setopt=*.gpgcheck=1' --setopt=localpkg_gpgcheck=1)
  case $VARIANT in
  # It writes into the system's cache whatever cache is asked for.
  dnf4) ASK+=(--disableplugin=generate_completion_cache) ;;
  # Root has another cache than others there.
  dnf5) ASK+=(--setopt=system_cachedir="$1") ;;
  esac
  ASK+=("${TERMS[@]}")
}

# Of questions, the state beside the cache is this job's as well.
dnf_ask() {
  local folder=$1
  shift
  prepare_to_ask "$folder"
  # A package manager that waits for something is given up: asking changes nothing.
  timeout 1200 "${ASK[@]}" --setopt=persistdir="$DNF/persist" --setopt=logdir="$DNF/log" "$@" </dev/null
}

# What it said last of why it can not: the first problem, or else its last error.
dnf_words() {
  local words
  words=$(awk '/^Error|^ *Problem|^ +- |^Waiting for a lock|No space left|more space needed|conflicts with/ { print }' "$1" | head -n 4 | tr -s ' ' | paste -sd ' ')
  [[ -n $words ]] || words=$(grep -v '^$' "$1" | tail -n 1)
  printf '%s' "${words:0:300}"
}

# A process writes its number there and takes no lock that others can see; numbers of processes that are no more do not
# count.
family_lock_holder() {
  local file pid name
  REPLY=''
  for file in "${LOCK_FILES[@]}"; do
    [[ -e $file ]] || continue
    REPLY=$(lock_holders "$file")
    [[ -z $REPLY ]] || return 0
  done
  for file in "$SYSTEM_STATE/rpmdb_lock.pid" "$ROOT/run/yum.pid" "$ROOT/var/run/yum.pid"; do
    pid=$(cat -- "$file" 2>/dev/null) || continue
    [[ $pid =~ ^[0-9]+$ ]] || continue
    { read -r name <"/proc/$pid/comm"; } 2>/dev/null || continue
    REPLY="$name ($pid)"
    return 0
  done
}

# What the operator keeps back: versionlock's list, and excludes of the configuration and of repositories.
family_holds() {
  local list=$PLUGINS/versionlock.list
  {
    [[ ! -f $list ]] || grep -vE '^[[:space:]]*(#|$)' "$list" || true
    [[ ! -f $ROOT/etc/dnf/versionlock.toml ]] || sed -n 's/^ *name *= *"\(.*\)".*/\1/p' "$ROOT/etc/dnf/versionlock.toml"
    cat -- "$CONFIGURATION" "$ROOT"/etc/yum.repos.d/*.repo 2>/dev/null |
      sed -nE 's/^(exclude|excludepkgs)[[:space:]]*=[[:space:]]*//p' | tr -s ', ' '\n' | grep . || true
  } | sort -u
}
