# shellcheck shell=bash
# Owns whether a server with dnf or yum still needs a reboot.

# Of needs-restarting the text counts: 1 is its exit code for a reboot and for an error alike.
family_reboot_signs() {
  local code=0 words
  REBOOT_WHY=''
  if [[ -e $ROOT/run/reboot-required ]]; then
    REBOOT_WHY='packages ask for it'
    return 0
  fi
  kernel_is_pending && return 0
  code=$?
  case $VARIANT in
  yum3) timeout 120 needs-restarting -r >"$WORK/restarting" 2>>"$LOG" ;;
  dnf5) ask_dnf5_for_restarts >"$WORK/restarting" 2>>"$LOG" ;;
  *) dnf_ask "$DNF/undo-cache" -C needs-restarting -r >"$WORK/restarting" 2>>"$LOG" ;;
  esac
  if grep -qE '^Reboot is required|^Reboot is needed' "$WORK/restarting"; then
    words=$(sed -n 's/^ *[*] *//p' "$WORK/restarting" | some_of)
    [[ -n $words ]] || words=$(sed -nE 's/^([A-Za-z0-9._+-]+) +-> .*/\1/p' "$WORK/restarting" | some_of)
    REBOOT_WHY="updated since boot${words:+: $words}"
    return 0
  fi
  grep -qE '^(Reboot should not be necessary|No core libraries)' "$WORK/restarting" || code=2
  return "$code"
}

# dnf 5 goes by advisories too. It wants the names of all files with them, tens of megabytes that nothing else here needs: it
# gets what the plan was made of, as if that had never had any. Such an index is not the one that may have been signed.
ask_dnf5_for_restarts() {
  local folder=$DNF/restarts index
  if [[ ! -d $METADATA_SEALED ]]; then
    dnf_ask "$folder" -q -C '--disablerepo=*' needs-restarting
    return
  fi
  if [[ ! $folder -nt $METADATA_SEALED.fetched ]]; then
    rm -rf -- "$folder" "$folder.new"
    mkdir -- "$folder.new"
    (cd -- "$METADATA_SEALED" && cp -lr --parents -- */repodata "$folder.new/")
    for index in "$folder.new"/*/repodata/repomd.xml; do
      awk -v RS='<data ' -v ORS='' 'NR == 1 { print; next }
        /^type="filelists/ { print substr($0, index($0, "</data>") + 7); next } { print RS $0 }' "$index" >"$index.new"
      mv -f -- "$index.new" "$index"
    done
    mv -- "$folder.new" "$folder"
  fi
  dnf_ask "$folder" -q -C '--setopt=*.repo_gpgcheck=0' needs-restarting
}
