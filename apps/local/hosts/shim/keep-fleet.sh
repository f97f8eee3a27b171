#!/bin/bash
# Owns the end of a shim fleet: waits for its owner to let go of stdin (a crash lets go too), then removes all of it.
#
# usage: keep-fleet.sh FOLDER

while read -r _; do :; done
bash "${BASH_SOURCE[0]%/*}/end-processes.sh" "$1"
# What the machine still writes for a process that was killed may come in between.
for ((tries = 0; tries < 20; tries++)); do
  rm -rf -- "$1" && exit
  sleep 0.1
done
