# shellcheck shell=bash
# Owns what the Debian family is made of: Debian, Ubuntu and what derives from them, by apt.

source "$SCRIPTS/debian/apt.sh"
source "$SCRIPTS/debian/sources.sh"
source "$SCRIPTS/debian/metadata.sh"
source "$SCRIPTS/debian/release.sh"
source "$SCRIPTS/debian/pro.sh"
source "$SCRIPTS/debian/reboot-need.sh"
source "$SCRIPTS/debian/resolve.sh"
source "$SCRIPTS/debian/room.sh"
source "$SCRIPTS/debian/transaction.sh"
source "$SCRIPTS/debian/rollback.sh"
source "$SCRIPTS/lib/grub.sh"
source "$SCRIPTS/debian/integrity.sh"
source "$SCRIPTS/debian/newer.sh"
source "$SCRIPTS/debian/warnings.sh"
