# shellcheck shell=bash
# Owns the way back on apt: files of the versions before, from repositories that still list them.

# Sets CONF to how apt is asked for versions before: in prepare by the metadata of the plan; later by fresh metadata, since
# that of the plan may be gone, and what it names with it.
choose_old_metadata() {
  CONF=$APT/preview.conf
  [[ $PHASE != prepare ]] || return 0
  CONF=$APT/now.conf
  family_metadata "$METADATA_NOW" && write_apt_conf "$CONF" "$METADATA_NOW" "$APT/none.d"
}

# Reads name, architecture and version; prints them with their bytes where a repository has the file.
list_old_sources() {
  awk -F '\t' '{ print $1 ":" $2 "=" $3 }' | sed 's/:all=/=/' |
    xargs -r apt-cache -c "$CONF" show 2>/dev/null |
    awk '
      function say() { if (size && file) print name "\t" arch "\t" version "\t" size; size = file = "" }
      /^Package: / { name = $2 } /^Architecture: / { arch = $2 } /^Version: / { version = $2 }
      /^Size: / { size = $2 } /^Filename: / { file = $2 } /^$/ { say() } END { say() }' | sort -u
}

family_old_sources() {
  choose_old_metadata && list_old_sources
}

# Reads name, architecture and version; prints them with the name of their file in $OLD.
family_fetch_old() {
  local name arch version file
  choose_old_metadata || return 1
  # One that is nowhere would keep apt from fetching the others.
  list_old_sources >"$WORK/fetch-old"
  # apt checks what it fetches against signed metadata; it fetches into the folder that it stands in.
  awk -F '\t' '{ print $1 ($2 == "all" ? "" : ":" $2) "=" $3 }' "$WORK/fetch-old" |
    (cd "$OLD" && xargs -r apt-get -c "$CONF" -q download) >>"$LOG" 2>&1
  while IFS=$'\t' read -r name arch version _; do
    file=${name}_${version//:/%3a}_$arch.deb
    [[ ! -f $OLD/$file ]] || printf '%s\t%s\t%s\t%s\n' "$name" "$arch" "$version" "$file"
  done <"$WORK/fetch-old"
}

# The last resort, with a tool that few servers have: it puts together what is installed, configuration as it is now. It
# says 0 whatever became of it, so the file is asked what it is, and read to its end.
family_repack() {
  local name arch version file REPLY
  command -v dpkg-repack >/dev/null || return 0
  while IFS=$'\t' read -r name arch version; do
    seconds_left
    ((REPLY > TimeBudget / 2)) || break
    rm -rf -- "$WORK/repack"
    mkdir -- "$WORK/repack"
    (cd -- "$WORK/repack" && timeout $((REPLY - TimeBudget / 2)) dpkg-repack --deb-option=-Zgzip "$name${arch/#/:}" </dev/null >>"$LOG" 2>&1)
    file=$(find "$WORK/repack" -maxdepth 1 -name '*.deb')
    [[ -f $file && $(dpkg -f "$file" Package Architecture Version | sort | paste -sd ' ') == "Architecture: $arch Package: $name Version: $version" ]] || continue
    dpkg --fsys-tarfile "$file" >/dev/null || continue
    # It has configuration that not everybody may read, in a folder that everybody can pass.
    chmod 0600 "$file"
    mv -f -- "$file" "$OLD/${name}_${version//:/%3a}_$arch.deb"
    printf '%s\t%s\t%s\t%s\n' "$name" "$arch" "$version" "${name}_${version//:/%3a}_$arch.deb"
  done
}

# What goes, and the files of what comes, as arguments of `apt-get install`.
undo_arguments() {
  awk -F '\t' '$4 == "-" { print $1 ($2 == "all" ? "" : ":" $2) "-" }' "$STATE/undo"
  awk -F '\t' -v old="$OLD" '{ print old "/" $4 }' "$STATE/undo-files"
}

# Without --no-download, under which apt takes no files by their path; what it would fetch besides is drift.
rollback_flags=(-q -y --allow-downgrades)

family_simulate_rollback() {
  write_apt_conf "$APT/rollback.conf" "$METADATA_SEALED" "$APT/none.d"
  mkdir -p -- "$APT/none.d"
  mapfile -t UNDO < <(undo_arguments)
  apt-get -c "$APT/rollback.conf" -s "${rollback_flags[@]}" install "${UNDO[@]}" >"$WORK/simulation" 2>&1 || {
    log_output "$WORK/simulation"
    REPLY="apt can not go back: $(grep -m 1 '^E:' "$WORK/simulation")"
    return 1
  }
  read_simulation "$1"
}

# Prints those of `undo` that count as installed automatically: now, or before the plan where that removed them.
list_marks() {
  awk -F '\t' '$3 != "-" && $4 != "-" { print $1 "\n" $1 ":" $2 }' "$STATE/undo" | sort -u | comm -12 - <(apt-mark showauto | sort)
  awk -F '\t' '$3 == "-" { print $1 "\n" $1 ":" $2 }' "$STATE/undo" | sort -u | comm -12 - <(sort -- "$STATE/automatic.before")
} 2>>"$LOG"

# Packages that come from files would count as asked for by hand: the marks are put back.
family_rollback_transaction() {
  mapfile -t UNDO < <(undo_arguments)
  transaction_environment
  [[ -f $STATE/automatic ]] || list_marks | sort -u >"$STATE/automatic"
  if [[ $1 != first ]]; then
    printf '%s\n' 'dpkg --force-confdef --force-confold --configure -a 9>&-' 'code=$?'
  fi
  [[ $1 != repair ]] || return 0
  cat <<SCRIPT
apt-get -c "$APT/rollback.conf" -o DPkg::Lock::Timeout=60 ${rollback_flags[*]} install $(printf '%q ' "${UNDO[@]}") 9>&-
code=\$?
xargs -r apt-mark auto <"$STATE/automatic" >/dev/null 9>&-
SCRIPT
}
