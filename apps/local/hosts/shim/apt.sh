# shellcheck shell=bash
# Owns what the stand-ins for apt have in common: configuration, sources, package lists, and what apt would do.

ROOT=${QD_ROOT:?the stand-ins for a package manager work in a folder: set QD_ROOT}
SHIM=${BASH_SOURCE[0]%/*}
TABLE=$ROOT/var/lib/dpkg/packages

declare -A CONF=(
  [Dir::State::lists]=$ROOT/var/lib/apt/lists/
  [Dir::Cache::archives]=$ROOT/var/cache/apt/archives/
  [Dir::Etc::preferences]=$ROOT/etc/apt/preferences
  [Dir::Etc::preferencesparts]=$ROOT/etc/apt/preferences.d/
  [Dir::Etc::sourcelist]=$ROOT/etc/apt/sources.list
  [Dir::Etc::sourceparts]=$ROOT/etc/apt/sources.list.d/
)

fail() {
  printf 'E: %s\n' "$1" >&2
  exit 100
}

# Reads `Name "value";` and `Name { "value"; };`, each on a line of its own; lists keep their values in one text.
read_conf() {
  local line
  local simple='^([A-Za-z0-9:-]+) "(.*)";$' list='^([A-Za-z0-9:-]+) \{ (.*) \};$'
  while IFS= read -r line; do
    if [[ $line =~ $simple ]]; then
      CONF[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
    elif [[ $line =~ $list ]]; then
      CONF[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]//[\";]/}
    elif [[ -n $line && $line != '#'* && $line != //* ]]; then
      fail "the stand-in can not read \"$line\" in $1"
    fi
  done <"$1"
}

read_system_conf() {
  local file
  for file in "$ROOT"/etc/apt/apt.conf.d/*; do [[ ! -f $file ]] || read_conf "$file"; done
}

native_architecture() {
  read -r REPLY <"$ROOT/var/lib/dpkg/arch"
}

# Sets INDEX_URI, INDEX_SUITE, INDEX_KEY (below the suite) and INDEX_FILE, INDEX_RELEASE (in the lists folder), one
# item for each package index of the sources.
read_sources() {
  local file type uri suite components component stem REPLY
  INDEX_URI=() INDEX_SUITE=() INDEX_KEY=() INDEX_FILE=() INDEX_RELEASE=()
  native_architecture
  for file in "${CONF[Dir::Etc::sourcelist]}" "${CONF[Dir::Etc::sourceparts]}"*.list; do
    [[ -f $file ]] || continue
    while read -r type uri suite components; do
      [[ $type == deb ]] || continue
      # Which key signs it is not looked at.
      if [[ $uri == '['* ]]; then read -r uri suite components <<<"${suite#*] } $components"; fi
      [[ $uri == copy:/* ]] || fail "the stand-in fetches from copy:/ sources alone, not from $uri"
      for component in $components; do
        INDEX_URI+=("${uri%/}")
        INDEX_SUITE+=("$suite")
        INDEX_KEY+=("$component/binary-$REPLY/Packages")
        stem=${uri#copy:}
        stem=${stem%/}/dists/$suite
        INDEX_RELEASE+=("${CONF[Dir::State::lists]%/}/${stem//\//_}_InRelease")
        INDEX_FILE+=("${CONF[Dir::State::lists]%/}/${stem//\//_}_${component//\//_}_binary-${REPLY}_Packages")
      done
    done <"$file"
  done
}

# Sets ORIGIN, LABEL, SUITE and CODENAME from a Release file.
read_release() {
  local line
  ORIGIN='' LABEL='' SUITE='' CODENAME=''
  while IFS= read -r line; do
    case $line in
    Origin:*) ORIGIN=${line#*: } ;;
    Label:*) LABEL=${line#*: } ;;
    Suite:*) SUITE=${line#*: } ;;
    Codename:*) CODENAME=${line#*: } ;;
    SHA256:) break ;;
    esac
  done <"$1"
}

# Runs the resolver with a program of its own: preferences, then lists, then what is installed.
# resolve <program> [<awk option>…]
resolve() {
  local program=$1 i
  local -a operands=(kind=preferences)
  shift
  for i in "${CONF[Dir::Etc::preferences]}" "${CONF[Dir::Etc::preferencesparts]}"*; do
    # awk is told of a file's last line even where no line end follows it.
    [[ ! -f $i ]] || operands+=("$i")
  done
  read_sources
  for i in "${!INDEX_FILE[@]}"; do
    [[ -f ${INDEX_FILE[i]} && -f ${INDEX_RELEASE[i]} ]] || continue
    read_release "${INDEX_RELEASE[i]}"
    operands+=(kind=index "origin=$ORIGIN" "label=$LABEL" "suite=$SUITE" "codename=$CODENAME" "uri=${INDEX_URI[i]}")
    operands+=("${INDEX_FILE[i]}")
  done
  awk "$@" -f "$SHIM/versions.awk" -f "$SHIM/packages.awk" -f "$SHIM/$program" "${operands[@]}" kind=installed "$TABLE"
}
