#!/bin/sh
# First process of a vessel: makes a known root file system its own, so that every tool comes from there, and
# prints its pid.
#
# usage: enter-vessel.sh RUN TOOLS HOW STORAGE BASE...   inside fresh mount, pid and network namespaces; TOOLS becomes
#        the vessel's root, HOW is booted or rootless, STORAGE is where changes of its hosts are kept, if it can be had:
#        memory or disk, every BASE is a root that hosts are stacked on
set -eu
run=$1
tools=$2
how=$3
storage=$4
shift 4
here=$(dirname "$0")

# An ordinary user's search path may lack the folders that mount's siblings are in.
PATH=$PATH:/usr/sbin:/sbin
mount --make-rprivate /
# This /proc is still the machine's: in it, self is the pid by which the machine knows this process.
read -r pid _ </proc/self/stat

cd "$run"
keep_in_memory() {
  for folder in hosts layer; do mount -t tmpfs -o mode=755,size=80% tmpfs "$run/$folder"; done
}
holds_overlays() {
  sh "$here/probe-overlay.sh" "$run/hosts" "$how" 2>/dev/null
}
if [ "$storage" = memory ]; then
  keep_in_memory
  # Kernels before 6.6 cannot keep a user's overlay attributes there.
  holds_overlays || umount "$run/hosts" "$run/layer"
else
  # A file system that cannot hold overlays (a container's own root is one) gives way to memory.
  holds_overlays || keep_in_memory
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
for base; do
  mkdir "$root/run/base/${base##*/}"
  mount --bind "$base" "$root/run/base/${base##*/}"
done
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
