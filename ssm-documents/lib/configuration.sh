# shellcheck shell=bash
# Owns what configuration is on this server: its files, those that the transaction changed, and how those were before.

# For root alone, since these files hold secrets: names and hashes of them are told, contents never.
SAVED=$JOB/configuration
# All of it as it was before the transaction, for as long as that is needed; then those files alone that changed.
ARCHIVE=$SAVED/archive
ORIGINALS=$SAVED/originals
# A line per file that the transaction changed, brought or took: its path, then type (f or l), SHA-256 (of a link: of
# its target) and `mode:owner:group` as they were before, and the same as the transaction left them; `-` for what was not.
CHANGES=$SAVED/index

# More is not read twice within a window.
MOST_FILES=50000
MOST_COMPARED=1073741824
# What the system makes anew by itself.
GENERATED='^\./etc/(ld\.so\.cache|\.pwd\.lock|\.updated|mtab)$'

TAR=(tar)
# What does not know these has nothing to keep by them.
! tar --acls --xattrs --selinux --version >/dev/null 2>&1 || TAR+=(--acls --xattrs --selinux)

# Runs find with these terms over the configuration. Paths begin with `./`, for $ROOT; what is mounted there is left out.
# Fails where there is none, or it can not be read.
find_configuration() (
  cd -- "$ROOT/" && shopt -s nullglob || exit 1
  starts=() left=()
  while IFS=$'\t' read -r kind path; do
    path=.${path%%+(/)}
    case $kind in
    path)
      # A glob, in which no space can be; what has none stands for itself, there or not.
      for found in $path; do [[ ! -e $found && ! -L $found ]] || starts+=("$found"); done
      ;;
    exclude) left+=(-path "$path" -prune -o) ;;
    esac
  done <"$STATE/backup"
  ((${#starts[@]} > 0)) || exit 1
  find "${starts[@]}" -xdev "${left[@]}" "$@" 2>"$WORK/find.err" && exit
  # What goes while it is looked at is gone; anything else, and an end without a word, is a list that is not whole.
  [[ -s $WORK/find.err ]] && ! grep -v 'No such file or directory$' "$WORK/find.err" >>"$LOG"
)

# Writes path, type, hash or target, and attributes of files and links, within so many seconds. Names with control
# characters or backslashes are in the archive, and are not compared: no package has such files, and lists of lines can not
# hold them. Fails where it is not whole: what is missing before would look as if the transaction had brought it.
list_configuration() (
  code=0
  set -o pipefail
  find_configuration \( -type f -o -type l \) ! -path '*[[:cntrl:]\\]*' ! -lname '*[[:cntrl:]]*' \
    -printf '%p\t%y\t%m:%U:%G\t%l\n' | grep -vE "${GENERATED%$}"$'\t' >"$WORK/attributes" || exit 1
  awk -F '\t' '$2 == "f" { print $1 }' "$WORK/attributes" | tr '\n' '\0' |
    (cd -- "$ROOT/" && timeout $(($2 > 0 ? $2 : 1)) xargs -0 -r nice -n 19 sha256sum --) >"$WORK/hashes" 2>"$WORK/hash.err" || code=$?
  # 123: of some the hash could not be told, and that is fine of what went meanwhile.
  if ((code != 0)); then
    [[ $code == 123 && -s $WORK/hash.err ]] && ! grep -v 'No such file or directory$' "$WORK/hash.err" >>"$LOG" || exit 1
  fi
  awk -F '\t' '
    FILENAME == ARGV[1] { hash[substr($0, 67)] = substr($0, 1, 64); next }
    $2 == "l" { value = $4 }
    $2 == "f" { if (!($1 in hash)) next; value = hash[$1] }
    { print substr($1, 2) "\t" $2 "\t" value "\t" $3 }' "$WORK/hashes" "$WORK/attributes" | sort -u >"$1"
)

# Notes how it is just before the transaction; without it, nothing can be told afterwards.
note_configuration() {
  local files bytes REPLY
  rm -f -- "$STATE/configuration.before" "$CHANGES"
  [[ -s $STATE/backup ]] || return 0
  read -r files bytes < <(find_configuration -type f -printf '%s\n' | awk '{ n++; sum += $1 } END { printf "%d %.0f\n", n, sum }')
  if ((files > MOST_FILES || bytes > MOST_COMPARED)); then
    log "configuration is not compared: $files files with $bytes bytes"
  elif time_to_spare && list_configuration "$STATE/configuration.before.new" "$REPLY"; then
    mv -f -- "$STATE/configuration.before.new" "$STATE/configuration.before"
  else
    log 'configuration is not compared: it can not be read'
  fi
}

# Once, right after the transaction: what changes later was not changed by it.
compare_configuration() {
  local REPLY
  [[ -f $STATE/configuration.before && ! -f $CHANGES ]] || return 0
  (umask 077 && mkdir -p -- "$SAVED")
  seconds_left
  if list_configuration "$WORK/configuration.after" $((REPLY / 2)) &&
    list_changes "$STATE/configuration.before" "$WORK/configuration.after" >"$WORK/changes.found"; then
    keep_originals "$WORK/changes.found"
    sync "$WORK/changes.found"
    mv -f -- "$WORK/changes.found" "$CHANGES"
  else
    log 'which configuration changed could not be told'
  fi
  rm -f -- "$ARCHIVE" "$ARCHIVE".*
}

# Compares two lists and prints lines as CHANGES has them.
list_changes() {
  local line REPLY path before sha attributes after now left
  awk -F '\t' -v OFS='\t' '
    FILENAME == ARGV[1] { was[$1] = $2 OFS $3 OFS $4; next }
    { if ($1 in was) { if (was[$1] != $2 OFS $3 OFS $4) print $1, was[$1], $2, $3, $4; delete was[$1] } else print $1, "-", "-", "-", $2, $3, $4 }
    END { for (path in was) print path, was[path], "-", "-", "-" }' "$1" "$2" | sort |
    while IFS=$'\t' read -r path before sha attributes after now left; do
      [[ $before != l ]] || { sha256_of_stdin < <(printf %s "$sha") && sha=$REPLY; }
      [[ $after != l ]] || { sha256_of_stdin < <(printf %s "$now") && now=$REPLY; }
      printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$path" "$before" "$sha" "$attributes" "$after" "$now" "$left"
    done
}

# Sets REPLY to type, hash and attributes of a file as they are now, as CHANGES has them: <folder before the path> <path>
configuration_at() {
  local path=$1$2 type=f
  REPLY=$'-\t-\t-'
  if [[ -L $path ]]; then
    type=l
    sha256_of_stdin < <(readlink -n -- "$path")
  elif [[ -f $path ]]; then
    sha256_of_stdin <"$path"
  else
    return 0
  fi
  REPLY=$type$'\t'$REPLY$'\t'$(stat -c %a:%u:%g -- "$path")
}

# Takes files that changed or went out of the archive, and those alone that are what was there.
keep_originals() {
  local path type sha attributes rest REPLY
  rm -rf -- "$ORIGINALS"
  mkdir -m 0700 -- "$ORIGINALS"
  [[ -s $ARCHIVE ]] || {
    log 'no archive holds the configuration as it was'
    return 0
  }
  awk -F '\t' '$2 != "-" { print "." $1 }' "$1" | tr '\n' '\0' >"$WORK/members"
  [[ -s $WORK/members ]] || return 0
  # Folders may go with their files. Those above what is archived are not in it.
  awk -F '\t' '$2 != "-" { path = "." $1; while (sub("/[^/]*$", "", path) && path != ".") print path }' "$1" |
    sort -u | tr '\n' '\0' >"$WORK/folders"
  [[ ! -s $WORK/folders ]] || take_out "$WORK/folders" 2>/dev/null || true
  take_out "$WORK/members" >>"$LOG" 2>&1 || log 'not all files before could be taken out of the archive'
  while IFS=$'\t' read -r path type sha attributes rest; do
    [[ $type != - ]] || continue
    configuration_at "$ORIGINALS" "$path"
    [[ $REPLY == "$type"$'\t'"$sha"$'\t'"$attributes" ]] || {
      log "not as it was before in the archive: $path"
      rm -f -- "$ORIGINALS$path"
    }
  done <"$1"
}

# take_out <file with names, each ended by a zero>
take_out() {
  gzip -dc -- "$ARCHIVE" | "${TAR[@]}" --extract --file - --directory "$ORIGINALS" --preserve-permissions --numeric-owner \
    --xattrs-include='*' --no-recursion --no-unquote --null --files-from "$1"
}

# After a restart as well, when the log of what was found is gone.
report_configuration() {
  [[ -f $CHANGES ]] || return 0
  # A result is read up to a size; the count has all.
  head -n 2000 -- "$CHANGES" >"$WORK/configuration"
  result_section configuration "$WORK/configuration"
  FOUND[configurationChanged]=$(awk 'END { print NR }' "$CHANGES")
}
CLOSING+=(report_configuration)
