# shellcheck shell=bash
# Owns the second rung of the way back: exactly the configuration files that the transaction changed, each only where it
# is still as the transaction, or the way back of its package, left it.

source "$SCRIPTS/lib/configuration.sh"

NEEDS+=(chown)

# Which are still as the transaction left them, before packages go back and write some of them.
note_untouched() {
  local path after REPLY
  while IFS=$'\t' read -r path _ _ _ after; do
    configuration_at "$ROOT" "$path"
    [[ $REPLY != "$after" ]] || printf '%s\n' "$path"
  done < <(cat -- "$CHANGES" 2>/dev/null) >"$STATE/untouched"
}

# How those are once packages went back. What changes from here on is changed by others.
note_left() {
  local path REPLY
  [[ ! -f $STATE/left ]] || return 0
  while IFS= read -r path; do
    configuration_at "$ROOT" "$path"
    printf '%s\t%s\n' "$path" "$REPLY"
  done <"$STATE/untouched" >"$STATE/left.new"
  sync "$STATE/left.new"
  mv -f -- "$STATE/left.new" "$STATE/left"
}

# Prints for each file that is not as it was what can be done, and its path: `restore`, `remove`, `leave` (others changed
# it since), `missing` (how it was is not there any more).
list_restorable() {
  local path type sha attributes now REPLY
  while IFS=$'\t' read -r path type sha attributes _; do
    configuration_at "$ROOT" "$path"
    now=$REPLY
    [[ $now != "$type"$'\t'"$sha"$'\t'"$attributes" ]] || continue
    if ! grep -qxF -- "$path"$'\t'"$now" "$STATE/left"; then
      printf 'leave\t%s\n' "$path"
    elif [[ $type == - ]]; then
      printf 'remove\t%s\n' "$path"
    else
      configuration_at "$ORIGINALS" "$path"
      if [[ $REPLY == "$type"$'\t'"$sha"$'\t'"$attributes" ]]; then printf 'restore\t%s\n' "$path"; else printf 'missing\t%s\n' "$path"; fi
    fi
  done < <(cat -- "$CHANGES" 2>/dev/null)
}

has_restorable() {
  list_restorable >"$WORK/restorable"
  [[ -s $WORK/restorable ]]
}

# Of what has_restorable listed. A run that takes this up again finds what is back already.
restore_configuration() {
  local verb path
  REASONS=("${REASONS[@]:0:KEPT_REASONS}") WARNINGS=("${WARNINGS[@]:0:KEPT_WARNINGS}")
  : >"$WORK/kept"
  : >"$WORK/lost"
  while IFS=$'\t' read -r verb path; do
    case $verb in
    leave) printf '%s\n' "$path" >>"$WORK/kept" ;;
    missing) printf '%s\n' "$path" >>"$WORK/lost" ;;
    *) put_back "$verb" "$path" 2>>"$LOG" || {
      verb=missing
      printf '%s\n' "$path" >>"$WORK/lost"
    } ;;
    esac
    log "configuration: $verb $path"
    printf 'configuration\t%s\t%s\t-\t-\n' "$verb" "$path" >>"$STEPS"
  done <"$WORK/restorable"
  [[ ! -s $WORK/kept ]] || warn configuration-kept "changed since the patch, and left as it is: $(some_of <"$WORK/kept")"
  [[ ! -s $WORK/lost ]] || {
    ST[outcome]=failed
    reason not-restored "could not be brought back: $(some_of <"$WORK/lost")"
  }
  keep_reasons
}

# From within the folder, so that no link on the way leads elsewhere; beside its place first, so that it is there as a
# whole or not at all.
put_back() (
  path=$2 folder=$ROOT${2%/*} name=${2##*/} new=.quarterdeck-$CampaignId
  umask 022
  there=$folder
  while [[ ! -e ${there:-/} && ! -L $there ]]; do there=${there%/*}; done
  cd -P -- "${there:-/}" && [[ $PWD == "${there:-/}" ]] || exit 1
  make_folders "$there" "${folder#"$there"}" && cd -P -- "${folder:-/}" && [[ $PWD == "${folder:-/}" ]] || exit 1
  if [[ $1 == remove ]]; then
    rm -f -- "$name"
    exit
  fi
  rm -f -- "$new"
  cp -a -T -- "$ORIGINALS$path" "$new" && configuration_at "$PWD/" "$new" || exit 1
  copied=$REPLY
  configuration_at "$ORIGINALS" "$path"
  [[ $copied == "$REPLY" ]] || exit 1
  [[ -L $new ]] || sync "$new"
  mv -fT -- "$new" "$name"
  # Where tar does not know labels, they are those of this job's folder.
  [[ ${TAR[*]} == *--selinux* ]] || ! command -v restorecon >/dev/null || restorecon -- "$name"
)

# Those that went with their files, as they were: files may have been closed to others by their folder alone.
make_folders() {
  local at=$1 rest=$2 part
  while [[ -n $rest ]]; do
    rest=${rest#/}
    part=${rest%%/*}
    rest=${rest:${#part}}
    at=$at/$part
    if [[ -d $ORIGINALS${at#"$ROOT"} ]]; then
      mkdir -m 0700 -- "$at" && chown --reference="$ORIGINALS${at#"$ROOT"}" -- "$at" &&
        chmod --reference="$ORIGINALS${at#"$ROOT"}" -- "$at" || return 1
    else
      mkdir -- "$at" || return 1
    fi
  done
}

# In place of what the patch counted: what is not as it was before it.
count_configuration() {
  [[ ! -f $CHANGES ]] || FOUND[configurationChanged]=$(list_restorable | awk 'END { print NR }')
}
CLOSING+=(count_configuration)
