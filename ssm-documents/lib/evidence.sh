# shellcheck shell=bash
# Owns what is looked at beside the packages themselves: altered files, services on old files, configuration left beside
# the operator's. Counted in the summary, listed in the result; unknown where it could not be looked at.

# Units that are not restarted from here: what runs this script, logins, and what a machine does not survive.
# Networks, clusters, storage and what runs guests as well, and what does its work once at a start (needrestart leaves the
# same ones alone).
NEVER_RESTARTED='^(amazon-ssm-agent|snap[.]amazon-ssm|quarterdeck-|dbus|systemd-|elogind|user@|getty@|serial-getty@|emergency|rescue|rc-local|cloud-|display-manager|gdm|kdm|xdm|sddm|lightdm|lxdm|slim|NetworkManager|ModemManager|network|wicked|ifup@|dhc|wpa_supplicant|openvpn|strongswan|bird|frr|libvirt|virt|xen|lxc|lxd|docker|containerd|crio|kubelet|k3s|pacemaker|corosync|iscsid|multipathd|zfs)'

# sets FOUND[<name>] to the number of lines of a file, which joins the result: <name> <section> <file>
count_lines() {
  FOUND[$1]=$(awk 'END { print NR }' "$3")
  result_section "$2" "$3"
}

# Names of the plan's packages, for the family's own check of files: what is there of them. It reads every byte of theirs
# and can not be cut short, so it is left out where it could take the time that the rest needs.
look_at_files() {
  local REPLY
  seconds_left
  ((REPLY >= 30 + PLAN_ENTRIES / 2)) || {
    log "files are not compared, with $REPLY seconds left"
    rm -f -- "$1"
    return 0
  }
  awk -F '\t' 'NR > 1 && $1 != "remove" && $1 != "replace" { print $2 }' "$STATE/plan" | sort -u >"$WORK/to-check"
  family_integrity "$WORK/to-check" >"$1.new" 2>>"$LOG" && sort -u -o "$1.new" "$1.new" && mv -f -- "$1.new" "$1" && return 0
  rm -f -- "$1.new" "$1"
}

files_before() {
  look_at_files "$STATE/integrity.before"
}

judge_files() {
  look_at_files "$STATE/integrity.after"
  [[ ! -f $STATE/integrity.before ]] || FOUND[integrityBefore]=$(awk 'END { print NR }' "$STATE/integrity.before")
  [[ -f $STATE/integrity.after ]] || return 0
  FOUND[integrityAfter]=$(awk 'END { print NR }' "$STATE/integrity.after")
  result_section integrity "$STATE/integrity.after"
  [[ -f $STATE/integrity.before ]] || return 0
  comm -13 "$STATE/integrity.before" "$STATE/integrity.after" | grep -v $'\tconfig$' >"$WORK/unexpected" || true
  FOUND[integrityUnexpected]=$(awk 'END { print NR }' "$WORK/unexpected")
  [[ ! -s $WORK/unexpected ]] ||
    warn files-altered "not as their packages brought them: $(cut -f 2 "$WORK/unexpected" | some_of)"
}

# Reads cgroups of processes; prints services of this server. Those of a container have the same names, and are not ours.
own_units() {
  awk -F / '/^[01]:/ && $2 ~ /[.]slice$/ {
    for (i = 2; i <= NF && $i !~ /[.]scope$/; i++) if ($i ~ /[.]service$/) { print $i; break } }'
}

# Writes the units of processes that have program files open which are no more.
list_old_services() {
  runs_systemd || return 1
  grep -lsE ' /(usr|bin|sbin|lib|lib64|opt)/[^ ]*( [(]deleted[)]|;[0-9a-f]+)$' /proc/[0-9]*/maps |
    while IFS=/ read -r _ _ id _; do cat -- "/proc/$id/cgroup"; done 2>/dev/null |
    own_units | sort -u >"$1"
}

judge_services() {
  list_old_services "$WORK/old-services" || return 0
  count_lines oldServices services "$WORK/old-services"
  [[ ! -s $WORK/old-services ]] || warn old-services "still use files that were replaced: $(some_of <"$WORK/old-services")"
}

# Where the policy asks for it, no restart of the whole server does it, and there is time: a unit may take as long as it
# likes to stop, and what was asked of systemd is done also when nobody waits for it any more.
restart_old_services() {
  local REPLY
  local -a units=()
  seconds_left
  if [[ $Services == restart && ${ST[outcome]} == patched ]] && ((REPLY >= 30)) && list_old_services "$WORK/old-services"; then
    mapfile -t units < <(grep -vE "$NEVER_RESTARTED" "$WORK/old-services")
    if ((${#units[@]} > 0)); then
      log "restarting ${units[*]}"
      timeout "$((REPLY - 15))" systemctl try-restart -- "${units[@]}" >>"$LOG" 2>&1 || log 'not all services could be restarted'
      FOUND[restartedServices]=${#units[@]}
      [[ ${FACTS[healthy]} != true ]] || judge_units
    fi
  fi
}

renew_services() {
  restart_old_services
  judge_services
}

# Configuration that packages left beside the operator's, since the transaction began: by the time at which it came, since
# files bring the one at which they were packaged.
judge_leftovers() {
  [[ -f $TRANSACTION.sh ]] || return 0
  find "$ROOT/etc" -cnewer "$TRANSACTION.sh" -type f \( -name '*.dpkg-dist' -o -name '*.dpkg-new' -o -name '*.ucf-dist' \
    -o -name '*.rpmnew' -o -name '*.rpmsave' -o -name '*.pacnew' -o -name '*.pacsave' \) >"$WORK/leftovers" 2>>"$LOG"
  count_lines leftovers leftovers "$WORK/leftovers"
}

judge_holds() {
  if family_holds >"$WORK/holds" 2>>"$LOG"; then count_lines held holds "$WORK/holds"; fi
}

# Once metadata is fresh: what a system keeps of its own may be of any age, or not there.
count_foreign() {
  if family_foreign >"$WORK/foreign" 2>>"$LOG"; then count_lines foreign foreign "$WORK/foreign"; fi
}
