# shellcheck shell=bash
# Owns how much room a plan takes on a SUSE server.

# Prints mebibytes to download, to unpack, and for kernels in /boot. rpm keeps the old files of a package until the new
# ones are in place, so beside the growth of all there must be room for the largest.
family_room() {
  awk -F '\t' '
    FILENAME == ARGV[1] { was[$1 "\t" $2 "\t" $3] = $5; next }
    FILENAME == ARGV[2] { becomes[$2 "\t" $3 "\t" $4] = $7 / 1024; next }
    { if ($5 != "-") { download += $8; now = becomes[$2 "\t" $3 "\t" $5] } else now = 0
      growth += now - ($4 == "-" ? 0 : was[$2 "\t" $3 "\t" $4])
      if (now > largest) largest = now }
    END { printf "%d %d ", download / 1048576 + 1, (growth > 0 ? growth : 0) / 1024 + largest / 1024 + 1 }
  ' "$WORK/installed" "$WORK/available" "$WORK/entries" || return 1
  boot_room
}

# Prints mebibytes that new kernels need in /boot: each as much as the largest that is there, and once more for the
# initrd that is being written. 0 when no kernel comes.
boot_room() {
  local kernels
  kernels=$(awk -F '\t' -v kernel="$KERNEL_NAMES" '$5 != "-" && $2 ~ kernel { n++ } END { print n + 0 }' "$WORK/entries")
  ((kernels > 0)) || {
    echo 0
    return
  }
  find "$ROOT/boot" -maxdepth 1 -type f -printf '%f %s\n' 2>/dev/null | awk -v kernels="$kernels" '
    /^initrd/ && $2 > initrd { initrd = $2 }
    /^(vmlinuz|Image|zImage)/ && $2 > image { image = $2 }
    /^(System.map|config|symvers|vmlinux|sysctl)/ && $2 > rest { rest = $2 }
    # A server without an initrd to go by.
    END { if (!initrd) initrd = 120 * 1048576; if (!image) image = 16 * 1048576
      printf "%d\n", (kernels * (initrd + image + 4 * rest) + initrd) / 1048576 + 1 }'
}
