# shellcheck shell=bash
# Owns the transaction as dnf is asked for it: tested, carried out, repaired, judged.

# Under the options of a plan its versions are all that repositories have, so that a plain upgrade is the plan.
PLAIN_VERB=upgrade

# Sets OPTIONS to what a plan in a file needs beside, and DESTINATION to where its files are if not beside metadata:
# <file> <column of action> <column of name>. dnf 5 takes a folder for files as the order to do no more than fetch them.
plan_options() {
  OPTIONS=() DESTINATION=()
  [[ $VARIANT != dnf4 ]] || DESTINATION=(--setopt=destdir="$FILES")
  [[ $VARIANT != yum3 ]] || PLAIN_VERB=update
  # Who makes room for kernels does it by itself; other removals need to be allowed to it.
  ! awk -F '\t' -v action="$2" -v name="$3" -v kernel="$KERNEL_NAMES" \
    '$action == "remove" && $name !~ kernel { found = 1 } END { exit !found }' "$1" || [[ $VARIANT == yum3 ]] || OPTIONS+=(--allowerasing)
}

# Sets SEALED to the options under which nothing but the plan can happen, and OPTIONS to those that belong to its verb.
seal_options() {
  awk -F '\t' 'NR > 1 && $5 != "-" { print $2 "\t" $3 "\t" $5 }' "$STATE/plan" >"$WORK/coming"
  only_these "$WORK/coming"
  plan_options "$STATE/plan" 1 2
  SEALED=(-y -C "${DESTINATION[@]}" "${ONLY[@]}")
}

# rpm's own test of the transaction tells conflicts of files and room as well. Signatures are checked when it is carried
# out, since a key that is not known yet would be taken up; the files were compared with the seal just before.
family_simulate() {
  seal_options
  dnf_ask "$METADATA_SEALED" "${SEALED[@]}" --setopt=tsflags=test --setopt=gpgcheck=0 '--setopt=*.gpgcheck=0' "$PLAIN_VERB" "${OPTIONS[@]}" \
    >"$WORK/simulation" 2>&1 && TESTED=yes || TESTED=no
  judge_simulation "$1"
}

# judge_simulation <file>: reads the table of `simulation` into it, as name, architecture, from, to, action.
judge_simulation() {
  log_output "$WORK/simulation"
  ! grep -qE 'more space needed|No space left' "$WORK/simulation" ||
    conclude 105 refused disk-full "$(dnf_words "$WORK/simulation")"
  if says_nothing "$WORK/simulation" && ! grep -q '^Error' "$WORK/simulation"; then
    : >"$1"
    return 0
  fi
  # dnf 5 has no word for it but its exit code.
  if { [[ $VARIANT != dnf5 || $TESTED != yes ]] && ! grep -q '^Transaction test succeeded' "$WORK/simulation"; } || grep -qE '^(Error|Transaction test error)' "$WORK/simulation" ||
    ! parse_table <"$WORK/simulation" >"$WORK/tested"; then
    REPLY="$PACKAGE_MANAGER can not do what was sealed: $(dnf_words "$WORK/simulation")"
    return 1
  fi
  awk -F '\t' '$5 != "skip"' "$WORK/tested" | cut -f 1-5 >"$1"
}

# So long a transaction waits for a lock that somebody took after it was looked for.
LOCK_SECONDS=60

# Prints the lines that run the package manager once. It does not wait for a lock (200), so this does.
print_command() {
  [[ $VARIANT != dnf5 ]] || {
    print_dnf5_command "$@"
    return
  }
  printf 'for try in {1..%d}; do\n' "$LOCK_SECONDS"
  printf '%q ' "$@"
  # shellcheck disable=SC2016 # the transaction's own variables
  printf '9>&-\ncode=$?\n[[ $code == 200 ]] || break\nsleep 1\ndone\n'
}

# dnf 5 waits for a lock as long as it takes, and would begin when the window has closed: while it waits, which the kernel
# tells, it has done nothing and can be ended.
print_dnf5_command() {
  printf '%q ' "$@"
  # shellcheck disable=SC2016 # the transaction's own variables
  printf '9>&- &\nwork=$!\n(\n  left=%d\n' "$LOCK_SECONDS"
  cat <<'SCRIPT'
  while ((left > 0)); do
    sleep 1 || exit
    ! grep -qE -- "-> .* $work [0-9a-f]+:" /proc/locks || ((left -= 1))
  done
  kill "$work"
) 9>&- &
watch=$!
wait "$work"
code=$?
kill "$watch" 2>/dev/null
SCRIPT
}

# What an interruption left is there in two versions, or with scripts that did not run to their end: those of the plan that
# were to change and are at their version by now are installed again, which cures both.
family_transaction() {
  local again
  seal_options
  prepare_to_ask "$METADATA_SEALED"
  if [[ $1 != first ]]; then
    mapfile -t again < <(begun_entries)
    ((${#again[@]} == 0)) || print_command "${ASK[@]}" "${SEALED[@]}" reinstall "${OPTIONS[@]}" "${again[@]}"
    ((${#again[@]} > 0)) || printf 'code=0\n'
  fi
  [[ $1 != repair ]] || return 0
  # shellcheck disable=SC2016
  [[ $1 == first ]] || printf 'if [[ $code == 0 ]]; then\n'
  print_command "${ASK[@]}" "${SEALED[@]}" "$PLAIN_VERB" "${OPTIONS[@]}"
  [[ $1 == first ]] || printf 'fi\n'
}

begun_entries() {
  family_installed "$WORK/installed" || return 0
  awk -F '\t' '
    FILENAME == ARGV[1] { there[$1 "\t" $2 "\t" $3] = 1; next }
    ($1 == "pending" || $1 == "broken") && $5 != "-" && ($2 "\t" $3 "\t" $5) in there { print $2 "-" $5 "." $3 }' \
    "$WORK/installed" "$STATE/compared.before"
}

# A script of a package that failed after its files came leaves the exit code at 0.
family_transaction_problem() {
  local words
  words=$(sed -nE 's/^Error in ([A-Z]+) scriptlet in rpm package (.*)/\1 of \2/p
    s/^Non-fatal ([A-Z]+) scriptlet failure in rpm package (.*)/\1 of \2/p
    s/.*%([a-z]+)\(([^)]*)\) scriptlet failed.*/%\1 of \2/p' "$2" |
    sort -u | some_scripts)
  if [[ -n $words ]]; then
    printf '%s ended with %s, and scripts failed: %s' "$PACKAGE_MANAGER" "$1" "$words"
  elif [[ $1 != 0 ]]; then
    printf '%s ended with %s: %s' "$PACKAGE_MANAGER" "$1" "$(dnf_words "$2")"
  elif grep -qE '^Error|^Failed:' "$2"; then
    printf '%s ended with 0, and said: %s' "$PACKAGE_MANAGER" "$(dnf_words "$2")"
  fi
}

some_scripts() {
  awk 'n < 5 { text = text (n++ ? ", " : "") $0 } END { print text }'
}
