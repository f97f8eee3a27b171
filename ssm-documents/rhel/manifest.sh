# shellcheck shell=bash
# Owns what this family can say of its packages for a backup.

source "$SCRIPTS/dnf/manifest.sh"
