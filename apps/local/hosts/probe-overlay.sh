#!/bin/sh
# Succeeds where an overlay can be mounted with its upper layer in FOLDER; the mount is the caller's namespace's.
#
# usage: probe-overlay.sh FOLDER HOW   HOW is booted or rootless
set -eu
options=volatile
[ "$2" = rootless ] && options=volatile,userxattr
probe=$(mktemp -d "$1/probe-XXXXXX")
trap 'umount "$probe/root" 2>/dev/null; rm -rf -- "$probe"' EXIT
mkdir "$probe/low" "$probe/up" "$probe/work" "$probe/root"
echo low >"$probe/low/file"
mount -t overlay overlay \
  -o "lowerdir=$probe/low,upperdir=$probe/up,workdir=$probe/work,$options" "$probe/root"
# Some file systems take the mount and then refuse the attributes that a change needs.
echo up >>"$probe/root/file"
