# shellcheck shell=bash
# Owns what the Amazon family is made of: Amazon Linux 2023 by dnf, Amazon Linux 2 by yum.

source "$SCRIPTS/dnf/family-files.sh"
source "$SCRIPTS/amazon/release.sh"
