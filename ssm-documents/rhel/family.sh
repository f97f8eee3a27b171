# shellcheck shell=bash
# Owns what the Red Hat family is made of: RHEL, what is built from it, and Fedora, by dnf 4, dnf 5 or yum.

source "$SCRIPTS/rpm/versions.sh"
source "$SCRIPTS/rpm/database.sh"
source "$SCRIPTS/rpm/integrity.sh"
source "$SCRIPTS/rpm/signatures.sh"
source "$SCRIPTS/rpm/reboot-need.sh"
source "$SCRIPTS/rpm/boot-default.sh"
source "$SCRIPTS/rpm/primary.sh"
source "$SCRIPTS/dnf/dnf.sh"
source "$SCRIPTS/dnf/metadata.sh"
source "$SCRIPTS/dnf/table.sh"
source "$SCRIPTS/dnf/files.sh"
source "$SCRIPTS/dnf/transaction.sh"
source "$SCRIPTS/dnf/resolve.sh"
source "$SCRIPTS/dnf/advisories.sh"
source "$SCRIPTS/dnf/rollback.sh"
source "$SCRIPTS/dnf/newer.sh"
source "$SCRIPTS/dnf/reboot-need.sh"
source "$SCRIPTS/dnf/warnings.sh"
source "$SCRIPTS/rhel/release.sh"

family_settings() {
  dnf_settings
}

# Minor releases are chosen by the repositories that a server has.
release_terms() { :; }
