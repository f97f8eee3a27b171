# shellcheck shell=bash
# Owns what the SUSE family is made of: SLES and openSUSE Leap 15 and newer, and Tumbleweed, by zypper.

source "$SCRIPTS/rpm/database.sh"
source "$SCRIPTS/rpm/integrity.sh"
source "$SCRIPTS/rpm/versions.sh"
source "$SCRIPTS/rpm/reboot-need.sh"
source "$SCRIPTS/rpm/primary.sh"
source "$SCRIPTS/suse/zypper.sh"
source "$SCRIPTS/suse/variant.sh"
source "$SCRIPTS/suse/metadata.sh"
source "$SCRIPTS/suse/advisories.sh"
source "$SCRIPTS/suse/resolve.sh"
source "$SCRIPTS/suse/room.sh"
source "$SCRIPTS/suse/transaction.sh"
source "$SCRIPTS/suse/rollback.sh"
source "$SCRIPTS/suse/reboot-need.sh"
source "$SCRIPTS/lib/grub.sh"
GRUB=grub2
source "$SCRIPTS/suse/warnings.sh"
