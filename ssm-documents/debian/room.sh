# shellcheck shell=bash
# Owns how much room a plan takes on a Debian or Ubuntu server.

# Prints mebibytes to download, to unpack, and for kernels in /boot.
family_room() {
  local room
  room=$(room_for_plan) || return 1
  printf '%s %s\n' "$room" "$(boot_room)"
}

# Prints mebibytes that metadata takes: once as fetched and once as apt's cache.
family_metadata_room() {
  du -sm -- "$SYSTEM_LISTS" 2>/dev/null | awk '{ print $1 * 3 + 50; n++ } END { if (!n) print 50 }'
}

# Prints mebibytes to download and to unpack, and writes `totals`. dpkg keeps the old files of a package until the new ones are in place,
# so beside the growth of all there must be room for the largest.
room_for_plan() {
  awk -F '\t' -v totals="$WORK/totals" '
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
    $4 == "-" { grows -= was[$1 "\t" $2]; next }
    {
      now = becomes[$1 "\t" $2 "\t" $4]; old = was[$1 "\t" $2]
      growth += now - old; grows += now - old
      if (now > largest) largest = now
    }
    END { printf "download\t%.0f\ninstalled\t%.0f\n", download, grows * 1024 >totals
      printf "%d %d\n", download / 1048576 + 1, (growth > 0 ? growth : 0) / 1024 + largest / 1024 + 1 }
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
