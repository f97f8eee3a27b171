#!/bin/bash
# Owns the documents' last step: says on stdout what the work step left, and nothing on stderr, which Run Command
# would mix into what it shows.

exec 2>/dev/null
source "$SCRIPTS/lib/log.sh"
source "$SCRIPTS/lib/state.sh"
source "$SCRIPTS/lib/json.sh"
source "$SCRIPTS/lib/summary.sh"

OBJECT_JSON=null
