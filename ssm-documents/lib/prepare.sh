#!/bin/bash
# Owns the first pass: looks, plans, fetches; changes nothing of the system.

source "$SCRIPTS/lib/change.sh"
source "$SCRIPTS/lib/old-files.sh"
source "$SCRIPTS/lib/pre-check.sh"
source "$SCRIPTS/lib/preview.sh"
source "$SCRIPTS/lib/prefetch.sh"

run_phase prepare pre_check preview prefetch
