#!/bin/sh
# First process of a vessel: makes a known root file system its own, so that every tool comes from there, and
# prints its pid.
#
# usage: enter-vessel.sh RUN TOOLS BASE HOW   inside fresh mount, pid and network namespaces; TOOLS becomes the
#        vessel's root, BASE is what its hosts are stacked on, HOW is booted or rootless
set -eu
run=$1
tools=$2
base=$3
how=$4
here=$(dirname "$0")

# An ordinary user's search path may lack the folders that mount's siblings are in.
PATH=$PATH:/usr/sbin:/sbin
mount --make-rprivate /
# This /proc is still the machine's: in it, self is the pid by which the machine knows this process.
read -r pid _ </proc/self/stat

# A file system that cannot hold overlays (a container's own root is one) gives way to memory.
cd "$run"
if ! sh "$here/probe-overlay.sh" "$run/hosts" "$how" 2>/dev/null; then
  mount -t tmpfs -o mode=755 tmpfs "$run/hosts"
  mount -t tmpfs -o mode=755 tmpfs "$run/layer"
fi

root=$run/root
mount --bind "$tools" "$root"
# In a user namespace the mount's own flags are locked and a plain remount would have to clear them.
[ "$how" = rootless ] || mount -o remount,bind,ro "$root"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir "$root/run/base" "$root/run/fleet" "$root/run/machine-proc" "$root/run/netns" "$root/run/old"
mount --rbind /proc "$root/run/machine-proc"
mount --rbind /dev "$root/dev"
mount --bind "$base" "$root/run/base"
mount --rbind "$run" "$root/run/fleet"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
[ "$how" = rootless ] || mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
cd "$root"
pivot_root . run/old
cd /
export PATH=/usr/sbin:/usr/bin
umount -l /run/old
ip link set lo up
# The fleet's endpoints; each host's cable ends at this address too.
ip address add 169.254.169.254/32 dev lo
echo "$pid"
exec >&- 2>/dev/null
# As the first process of its namespace it inherits the orphans; bash reaps them while it waits.
exec bash -c 'while :; do sleep infinity & wait "$!"; done'
