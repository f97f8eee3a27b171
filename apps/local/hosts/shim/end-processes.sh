#!/bin/bash
# Kills every process of the shim hosts in a folder, known by their QD_ROOT.
#
# usage: end-processes.sh FOLDER   FOLDER is a host's, or one that holds hosts

folder=$1
# Until there are none: one that is being killed may just have started another. What can not die is not waited for.
for ((tries = 0; tries < 100; tries++)); do
  # Its exit code says nothing: other users' processes can not be read, and some end while it looks.
  pids=$(grep -lsaE "(^|[^A-Z_])QD_ROOT=${folder//./\\.}(/|[^A-Za-z0-9._/-]|\$)" /proc/[0-9]*/environ)
  [[ -n $pids ]] || exit 0
  while IFS=/ read -r _ _ pid _; do
    kill -9 "$pid" 2>/dev/null
  done <<<"$pids"
  sleep 0.01
done
