# shellcheck shell=bash
# Owns how much room a plan takes on a server with pacman.

# Prints mebibytes to download, to unpack, and for kernels in /boot. A file is replaced by a new one beside it, so beside
# the growth of all there must be room for the largest.
family_room() {
  awk -F '\t' -v boot="$(boot_room)" '
    FILENAME == ARGV[1] { was[$1] = $5 * 1024; next }
    FILENAME == ARGV[2] { key = $4 "/" $1 "/" $3; size[key] = $6; becomes[key] = $7; next }
    $4 != "-" {
      key = $6 "/" $1 "/" $4; download += size[key]; growth += becomes[key] - was[$1]
      if (becomes[key] > largest) largest = becomes[key]
    }
    END { printf "%d %d %d\n", download / 1048576 + 1, ((growth > 0 ? growth : 0) + largest) / 1048576 + 1, boot }
  ' "$WORK/installed" "$METADATA_SEALED.index" "$WORK/changes"
}

# Each kernel is written over the one before, and its initrd beside the old one until it is whole; 0 when no kernel
# comes, or images are kept elsewhere.
boot_room() {
  awk -F '\t' -v kernel="$KERNEL_NAMES" '$4 != "-" && $1 ~ kernel { n++ } END { exit !n }' "$WORK/changes" || {
    echo 0
    return
  }
  find "$ROOT/boot" -maxdepth 1 -type f -printf '%f %s\n' 2>/dev/null | awk '
    /^initramfs/ && $2 > initrd { initrd = $2 }
    /^vmlinuz/ && $2 > image { image = $2 }
    END { printf "%d\n", initrd + image ? (initrd + image) / 1048576 + 1 : 0 }'
}
