# shellcheck shell=bash
# Owns what the Arch family is made of: Arch, Manjaro, EndeavourOS and what derives from them, by pacman.

source "$SCRIPTS/arch/pacman.sh"
source "$SCRIPTS/arch/database.sh"
source "$SCRIPTS/arch/lock.sh"
source "$SCRIPTS/arch/metadata.sh"
source "$SCRIPTS/arch/resolve.sh"
source "$SCRIPTS/arch/room.sh"
source "$SCRIPTS/arch/files.sh"
source "$SCRIPTS/arch/old-files.sh"
source "$SCRIPTS/arch/transaction.sh"
source "$SCRIPTS/arch/repair.sh"
source "$SCRIPTS/arch/rollback.sh"
source "$SCRIPTS/arch/newer.sh"
source "$SCRIPTS/arch/reboot-need.sh"
source "$SCRIPTS/arch/integrity.sh"
source "$SCRIPTS/arch/warnings.sh"
