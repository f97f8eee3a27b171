# shellcheck shell=bash
# Owns what the Red Hat family is made of: RHEL, what is built from it, and Fedora, by dnf 4, dnf 5 or yum.

source "$SCRIPTS/dnf/family-files.sh"
source "$SCRIPTS/rhel/release.sh"

family_settings() {
  dnf_settings
}

# Minor releases are chosen by the repositories that a server has.
release_terms() { :; }
