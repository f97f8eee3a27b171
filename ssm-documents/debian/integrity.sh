# shellcheck shell=bash
# Owns what dpkg says of installed files, and what the operator holds.

NEEDS+=(apt-mark timeout)

# `??5?????? c /etc/file`: nine marks, a letter for configuration files, the path. dpkg names no package with it.
family_integrity() {
  local status=0
  [[ -s $1 ]] || return 0
  xargs -r timeout 120 dpkg --verify <"$1" >"$WORK/verified" 2>>"$LOG" || status=$?
  # dpkg says 1 where files differ, and xargs makes 123 of it.
  ((status == 0 || status == 123)) || return 1
  awk '{ config = $2 == "c"; path = config ? $3 : $2
    if (path ~ /^\//) print "-\t" path "\t" $1 "\t" (config ? "config" : "file") }' "$WORK/verified"
}

family_holds() {
  apt-mark showhold
}
