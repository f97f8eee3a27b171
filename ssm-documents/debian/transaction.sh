# shellcheck shell=bash
# Owns the transaction as apt is asked for it: simulated, carried out, judged.

# Prints "<sha256>  <file name>" for the entries of a plan that bring a file. apt's name for it has a colon as %3a.
family_plan_files() {
  awk -F '\t' 'NR > 1 && $5 != "-" { version = $5; gsub(/:/, "%3a", version)
    print $9 "  " $2 "_" version "_" $3 ".deb" }' "$1"
}

family_fetch_files() {
  choose_verb
  write_apt_conf "$APT/sealed.conf" "$METADATA_SEALED" "$APT/sealed.d"
  seal_preferences "$APT/sealed.d" "$STATE/plan" "$STATE/exclusions"
  apt-get -c "$APT/sealed.conf" -q -y --download-only "$VERB" </dev/null >"$WORK/download" 2>&1 || REPLY=$(grep -m 1 '^E:' "$WORK/download")
  log_output "$WORK/download"
  copy_local_files
}

# apt uses packages of file: repositories where they lie; a copy is taken, since they may be gone when it is time.
copy_local_files() {
  local uri name rest path
  family_plan_files "$STATE/plan" | while read -r rest name; do [[ -f $ARCHIVES/$name ]] || echo "$name"; done >"$WORK/missing"
  [[ -s $WORK/missing ]] || return 0
  apt-get -c "$APT/sealed.conf" -q -y --print-uris "$VERB" 2>>"$LOG" | grep "^'file:" |
    while read -r uri name rest; do
      path=${uri#\'file:}
      path=${path%\'}
      cp -- "/${path##/}" "$ARCHIVES/$name" || true
    done
}

# Sets VERB and FLAGS for the plan: removals happen only where it has some.
choose_verb() {
  local removals=no
  ! grep -q '^remove'$'\t' "$STATE/plan" || removals=yes
  VERB=$(apt_verb "$removals")
  FLAGS=(-q -y --no-download)
  [[ $removals == yes ]] || FLAGS+=(--no-remove)
}

# Writes name, architecture, from, to and action of what was simulated.
read_simulation() (
  set -o pipefail
  parse_simulation <"$WORK/simulation" | cut -f 1-5 >"$1"
)

# Under the plan's pins, on the plan's files.
family_simulate() {
  choose_verb
  write_apt_conf "$APT/sealed.conf" "$METADATA_SEALED" "$APT/sealed.d"
  seal_preferences "$APT/sealed.d" "$STATE/plan" "$STATE/exclusions"
  apt-get -c "$APT/sealed.conf" -s "${FLAGS[@]}" "$VERB" >"$WORK/simulation" 2>&1 || {
    log_output "$WORK/simulation"
    REPLY="apt can not do what was sealed: $(grep -m 1 '^E:' "$WORK/simulation")"
    return 1
  }
  read_simulation "$1"
}

transaction_environment() {
  cat <<'SCRIPT'
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l UCF_FORCE_CONFFOLD=1
export APT_LISTCHANGES_FRONTEND=none APT_LISTBUGS_FRONTEND=none
SCRIPT
}

# family_transaction first|again|repair
family_transaction() {
  choose_verb
  transaction_environment
  # For a rollback: what the plan removes loses its mark.
  [[ -f $STATE/automatic.before ]] || apt-mark showauto >"$STATE/automatic.before" 2>>"$LOG"
  if [[ $1 != first ]]; then
    cat <<SCRIPT
dpkg --force-confdef --force-confold --configure -a 9>&-
apt-get -c "$APT/sealed.conf" -o DPkg::Lock::Timeout=60 ${FLAGS[*]} -f install 9>&-
code=\$?
SCRIPT
  fi
  [[ $1 != repair ]] || return 0
  cat <<SCRIPT
apt-get -c "$APT/sealed.conf" -o DPkg::Lock::Timeout=60 ${FLAGS[*]} $VERB 9>&-
code=\$?
SCRIPT
}

# What went wrong, from the exit code (or `interrupted`) and the log; nothing when it went well.
family_transaction_problem() {
  local words
  [[ $1 != 0 ]] || return 0
  words=$(grep -E '^(E|dpkg: error|dpkg-deb: error|Errors were)|No space left' "$2" | tail -n 3 | paste -sd ' ')
  printf 'apt ended with %s: %s' "$1" "${words:0:300}"
}
