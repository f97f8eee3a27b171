#!/bin/bash
# Owns the stand-in for apt, dpkg and systemd on shim hosts: answers the calls that the documents make, about packages
# that are lines in a text file. Which program it is, its name says.
set -u -o pipefail
here=$(dirname -- "$(readlink -f -- "$0")")
status=$QD_ROOT/var/lib/dpkg/status.tsv
architecture=$(<"$QD_ROOT/etc/architecture")

unknown() {
  printf 'E: the stand-in for %s does not know this call: %s\n' "${0##*/}" "$*" >&2
  exit 2
}

# Value of a setting in the configuration file that was given with -c.
setting() {
  sed -n "s|^$1 \"\(.*\)\";\$|\1|p" "$config" | tail -n 1
}

indexes() {
  find "$(setting Dir::State::lists)" -maxdepth 1 -name '*_Packages' | sort
}

# Runs the resolver on what the configuration says.
resolve() {
  local folder
  folder=$(setting Dir::Etc::preferencesparts)
  indexes | xargs -r awk -v preferences=<(cat "$folder"* 2>/dev/null) -v installed="$status" -f "$here/resolve.awk" |
    sort
}

# set_status <name> <architecture> <version> <state>: replaces or adds the line; a held package stays held.
set_status() {
  awk -F '\t' -v OFS='\t' -v name="$1" -v arch="$2" -v version="$3" -v state="$4" '
    $1 == name { $2 = arch; $3 = version; if (state == "ii" && $4 ~ /^h/) $4 = "hi"; else $4 = state; found = 1 }
    { print }
    END { if (!found) print name, arch, version, state, 1 }' "$status" | sort >"$status.new"
  mv -f -- "$status.new" "$status"
}

deb_of() {
  printf '%s/%s_%s_%s.deb' "$(setting Dir::Cache::archives)" "$1" "${2//:/%3a}" "$3"
}

# Carries out what stands for the maintainer scripts of a package.
configure() {
  local name=$1 arch=$2 version=$3 effect words
  printf 'Setting up %s (%s) ...\n' "$name" "$version"
  while IFS= read -r effect; do
    read -r -a words <<<"$effect"
    case ${words[0]} in
    reboot)
      : >"$QD_ROOT/run/reboot-required"
      printf '%s\n' "$name" >>"$QD_ROOT/run/reboot-required.pkgs"
      ;;
    fail-where)
      grep -qs -- "${words[2]}" "$QD_ROOT${words[1]}" || continue
      printf 'dpkg: error processing package %s (--configure):\n %s: %s is not known any more\n' \
        "$name" "${words[1]}" "${words[2]}"
      set_status "$name" "$arch" "$version" iF
      return 1
      ;;
    wait-for)
      : >"$QD_ROOT/run/reached"
      until [[ -e $QD_ROOT${words[1]} ]]; do sleep 0.05; done
      ;;
    fail-unit) printf '%s\n' "${words[1]}" >>"$QD_ROOT/run/failed-units" ;;
    *) unknown "${words[@]}" ;;
    esac
  done < <(sed -n 's/^Effect: //p' "$QD_ROOT/var/lib/dpkg/info/$name")
  set_status "$name" "$arch" "$version" ii
}

# Configures what is unpacked and not configured.
configure_pending() {
  local name arch version failed=0
  while IFS=$'\t' read -r name arch version _; do
    configure "$name" "$arch" "$version" || failed=1
  done < <(awk -F '\t' '$4 ~ /^i[UF]/' "$status")
  return "$failed"
}

# Unpacks and configures what the resolver wants.
install_wanted() {
  local kind name arch from to rest failed=0
  exec 8>>"$QD_ROOT/var/lib/dpkg/lock-frontend"
  flock -w 60 8 || { echo 'E: Could not get lock /var/lib/dpkg/lock-frontend' && exit 100; }
  resolve >"$QD_ROOT/run/wanted"
  while IFS=$'\t' read -r kind name arch from to rest; do
    [[ $kind == inst ]] || continue
    [[ -f $(deb_of "$name" "$to" "$arch") ]] || { echo "E: Unable to fetch $name $to" && exit 100; }
  done <"$QD_ROOT/run/wanted"
  while IFS=$'\t' read -r kind name arch from to rest; do
    [[ $kind == inst ]] || continue
    printf 'Unpacking %s (%s) over (%s) ...\n' "$name" "$to" "$from"
    cp -- "$(deb_of "$name" "$to" "$arch")" "$QD_ROOT/var/lib/dpkg/info/$name"
    set_status "$name" "$arch" "$to" iU
  done <"$QD_ROOT/run/wanted"
  configure_pending || failed=1
  ((failed == 0)) || { echo 'E: Sub-process dpkg returned an error code (1)' && exit 100; }
}

simulate() {
  resolve | awk -F '\t' '
    $1 == "keep" { kept = kept " " $2 }
    $1 == "inst" {
      line[++n] = "Inst " $2 ($4 == "-" ? "" : " [" $4 "]") " (" $5 " " $6 " [" $3 "])"
    }
    END {
      if (kept != "") print "The following packages have been kept back:\n " kept
      for (i = 1; i <= n; i++) print line[i]
    }'
}

download() {
  local kind name arch from to rest source
  source=$(<"$QD_ROOT/etc/apt/sources.list")
  resolve | while IFS=$'\t' read -r kind name arch from to rest; do
    [[ $kind == inst ]] || continue
    cp -- "$source/pool/${name}_${to//:/%3a}_$arch.deb" "$(deb_of "$name" "$to" "$arch")" 2>/dev/null ||
      printf 'E: Failed to fetch %s %s\n' "$name" "$to"
  done
}

update() {
  local source lists index
  lists=$(setting Dir::State::lists)
  source=$(<"$QD_ROOT/etc/apt/sources.list")
  rm -f -- "$lists"/*_Packages
  [[ -n $source ]] || return 0
  for index in "$source"/dists/*/Packages; do
    [[ -f $index ]] || {
      printf 'Err:1 %s\nE: Failed to fetch %s\n' "$source" "$source"
      exit 100
    }
    cp -- "$index" "$lists/$(basename -- "$(dirname -- "$index")")_Packages"
  done
}

# FILENAME|METAKEY|ORIGIN|LABEL|SUITE|CODENAME|CREATED_BY, as the documents ask for it.
index_targets() {
  local file suite
  indexes | while IFS= read -r file; do
    suite=${file##*/}
    suite=${suite%_Packages}
    printf '%s|Packages|Debian|%s|%s|%s|Packages\n' "$file" \
      "$([[ $suite == *-security ]] && echo Debian-Security || echo Debian)" "$suite" "$suite"
  done
}

apt_get() {
  local config='' verb='' simulated='' only_download='' uris=''
  while (($# > 0)); do
    case $1 in
    -c) config=$2 && shift ;;
    -o | --format) shift ;;
    -s) simulated=yes ;;
    --download-only) only_download=yes ;;
    --print-uris) uris=yes ;;
    -q | -y | -f | --no-download | --no-remove | 'Created-By: Packages') ;;
    -*) unknown "$@" ;;
    *) verb=$1 ;;
    esac
    shift
  done
  case $verb in
  update) update ;;
  indextargets) index_targets ;;
  install) configure_pending ;;
  upgrade | dist-upgrade)
    if [[ -n $simulated ]]; then simulate; elif [[ -n $uris ]]; then :; elif [[ -n $only_download ]]; then download; else install_wanted; fi
    ;;
  *) unknown "$verb" ;;
  esac
}

apt_cache() {
  local config='' verb='' word
  local -a names=()
  while (($# > 0)); do
    case $1 in
    -c) config=$2 && shift ;;
    --no-all-versions) ;;
    show | policy) verb=$1 ;;
    *) names+=("$1") ;;
    esac
    shift
  done
  if [[ $verb == show ]]; then
    for word in "${names[@]}"; do
      word=${word/:*=/=}
      indexes | xargs -r awk -v RS= -v name="Package: ${word%%=*}" -v version="Version: ${word#*=}" '
        index($0 "\n", name "\n") == 1 && index($0 "\n", "\n" version "\n") { print $0 "\n"; exit }'
    done
  else
    resolve | awk -F '\t' -v wanted="$(printf '%s\n' "${names[@]%%:*}")" '
      BEGIN { n = split(wanted, list, "\n"); for (i = 1; i <= n; i++) asked[list[i]] = 1 }
      $1 == "candidate" && ($2 in asked) { print $2 ":\n  Candidate: " $3 }'
  fi
}

apt_config() {
  [[ $1 == shell ]] || unknown "$@"
  shift
  while (($# > 1)); do
    case $2 in
    Dir::State::lists/d) printf "%s='%s'\n" "$1" "$QD_ROOT/var/lib/apt/lists/" ;;
    Dir::Etc::preferences/f) printf "%s='%s'\n" "$1" "$QD_ROOT/etc/apt/preferences" ;;
    Dir::Etc::preferencesparts/d) printf "%s='%s'\n" "$1" "$QD_ROOT/etc/apt/preferences.d/" ;;
    Dir::Etc::sourcelist/f) printf "%s='%s'\n" "$1" "$QD_ROOT/etc/apt/sources.list" ;;
    Dir::Etc::sourceparts/d) printf "%s='%s'\n" "$1" "$QD_ROOT/etc/apt/sources.list.d/" ;;
    esac
    shift 2
  done
}

dpkg() {
  case $* in
  --print-architecture) printf '%s\n' "$architecture" ;;
  --audit) ;;
  *'--configure -a') configure_pending ;;
  '--compare-versions '*' ge '*)
    awk -v a="$2" -v b="$4" "$(sed -n '/^function /,$p' "$here/resolve.awk")
      BEGIN { for (i = 1; i < 256; i++) code[sprintf(\"%c\", i)] = i; exit compare(a, b) >= 0 ? 0 : 1 }"
    ;;
  *) unknown "$@" ;;
  esac
}

systemctl() {
  case $* in
  is-system-running) echo running ;;
  'list-units --state=failed '*) sed 's/$/ loaded failed failed/' "$QD_ROOT/run/failed-units" 2>/dev/null || true ;;
  *) unknown "$@" ;;
  esac
}

systemd_run() {
  while [[ ${1:-} == --* ]]; do shift; done
  setsid "$@" </dev/null >/dev/null 2>&1 &
}

case ${0##*/} in
apt-get) apt_get "$@" ;;
apt-cache) apt_cache "$@" ;;
apt-config) apt_config "$@" ;;
dpkg) dpkg "$@" ;;
dpkg-query) awk -F '\t' -v OFS='\t' '{ print $1, $2, $3, $4 " ", $5 }' "$status" ;;
systemctl) systemctl "$@" ;;
systemd-run) systemd_run "$@" ;;
systemd-detect-virt) ;;
*) unknown "$@" ;;
esac
