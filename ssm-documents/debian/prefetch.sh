#!/bin/bash
# Owns the files of a plan: makes sure there is room for them and for what they unpack to, and fetches exactly those.

source "$SCRIPTS/debian/plan-files.sh"

prefetch() {
  forget_old_jobs
  require_room_for_plan
  write_apt_conf "$APT/sealed.conf" "$LISTS" "$APT/sealed.d"
  seal_preferences "$APT/sealed.d" "$STATE/plan" "$STATE/exclusions"
  apt-get -c "$APT/sealed.conf" -q -y --download-only "$VERB" </dev/null >"$WORK/download" 2>&1 ||
    log 'apt could not fetch everything'
  log_output "$WORK/download"
  copy_local_files
  check_files "$STATE/plan" || conclude 103 blocked download-failed "not fetched as the metadata says: $REPLY"
  save_state "plan=$PLAN_JSON"
  conclude 0 planned
}

# Files of campaigns that were never verified do not stay for ever; what was said of them does.
forget_old_jobs() {
  find "$HOME_FOLDER" -mindepth 2 -maxdepth 2 -type d -name apt -mtime +45 -exec rm -rf -- {} +
}

# apt uses packages of file: repositories where they lie; a copy is taken, since they may be gone when it is time.
copy_local_files() {
  local uri name rest path
  plan_files "$STATE/plan" | while read -r rest name; do [[ -f $ARCHIVES/$name ]] || echo "$name"; done >"$WORK/missing"
  [[ -s $WORK/missing ]] || return 0
  apt-get -c "$APT/sealed.conf" -q -y --print-uris "$VERB" 2>>"$LOG" | grep "^'file:" |
    while read -r uri name rest; do
      path=${uri#\'file:}
      path=${path%\'}
      cp -- "/${path##/}" "$ARCHIVES/$name" || true
    done
}

# Computed from the plan: what a server needs that upgrades three libraries is not what one needs that gets a kernel.
require_room_for_plan() {
  local download unpacked boot need free
  read -r download unpacked < <(room_for_plan) ||
    conclude 105 blocked disk-full 'the room that the plan needs could not be computed'
  need=$((download + 20))
  free=$(free_mebibytes "$ARCHIVES")
  ((free >= need)) || conclude 105 blocked disk-full "$ARCHIVES has $free MiB free; the plan needs $need MiB"
  if same_file_system "$ARCHIVES" "$ROOT/usr"; then need=$((need + unpacked)); else need=$((unpacked + 20)); fi
  boot=$(boot_room)
  if ((boot > 0)) && same_file_system "$ROOT/boot" "$ROOT/usr"; then
    need=$((need + boot))
  elif ((boot > 0)); then
    free=$(free_mebibytes "$ROOT/boot")
    ((free >= boot)) || conclude 105 blocked boot-full "$ROOT/boot has $free MiB free; the plan's kernels need $boot MiB"
  fi
  free=$(free_mebibytes "$ROOT/usr")
  ((free >= need)) || conclude 105 blocked disk-full "$ROOT/usr has $free MiB free; the plan needs $need MiB"
}

same_file_system() {
  [[ $(stat -c %d -- "$1") == "$(stat -c %d -- "$2")" ]]
}

# Prints mebibytes to download and to unpack. dpkg keeps the old files of a package until the new ones are in place,
# so beside the growth of all there must be room for the largest.
room_for_plan() {
  awk -F '\t' '
    FILENAME == ARGV[1] { was[$1 "\t" $2] = $5; next }
    FILENAME == ARGV[2] {
      if ($0 == "") { size = 0; next }
      colon = index($0, ": "); key = substr($0, 1, colon - 1); value = substr($0, colon + 2)
      if (key == "Package") name = value
      else if (key == "Version") version = value
      else if (key == "Architecture") arch = value
      else if (key == "Installed-Size") size = value
      else if (key == "Size") download += value
      if (key == "Installed-Size" || key == "Architecture") becomes[name "\t" arch "\t" version] = size
      next
    }
    $4 != "-" {
      now = becomes[$1 "\t" $2 "\t" $4]; old = was[$1 "\t" $2]
      growth += now - old
      if (now > largest) largest = now
    }
    END { printf "%d %d\n", download / 1048576 + 1, (growth > 0 ? growth : 0) / 1024 + largest / 1024 + 1 }
  ' "$WORK/installed" "$WORK/stanzas" "$WORK/changes"
}

# Prints mebibytes that new kernels need in /boot: each as much as the largest that is there, and once more for the
# initrd that is being written while the old one still stands. 0 when no kernel comes.
boot_room() {
  local kernels
  kernels=$(grep -cE '^linux-image-[0-9]' "$WORK/changes")
  ((kernels > 0)) || {
    echo 0
    return
  }
  find "$ROOT/boot" -maxdepth 1 -type f -printf '%f %s\n' 2>/dev/null | awk -v kernels="$kernels" '
    /^initrd/ && $2 > initrd { initrd = $2 }
    /^vmlinuz/ && $2 > image { image = $2 }
    /^(System.map|config)/ && $2 > rest { rest = $2 }
    # A server without an initrd to go by: those of Debian and Ubuntu have been below 120 MiB.
    END { if (!initrd) initrd = 120 * 1048576; if (!image) image = 16 * 1048576
      printf "%d\n", (kernels * (initrd + image + 2 * rest) + initrd) / 1048576 + 1 }'
}
