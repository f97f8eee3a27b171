#!/bin/sh
# First process of a rootless host: a fresh /run, /tmp and boot id over its root, then pid 1 that reaps orphans.
#
# usage: rootless-init.sh NAME   inside fresh mount, pid, uts and ipc namespaces of the vessel; prints its pid
set -eu
name=$1
root=/run/fleet/hosts/$name/root

mount --make-rprivate /
# As the machine knows this process, see enter-vessel.sh.
read -r pid _ </run/machine-proc/self/stat

mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
# Device nodes cannot be made in a user namespace, so the machine's are shown.
for device in full null random tty urandom zero; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
ln -s /proc/self/fd "$root/dev/fd"
for stream in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${stream%:*}" "$root/dev/${stream#*:}"; done
mkdir "$root/dev/shm" "$root/run/lock" "$root/run/old"
cat /proc/sys/kernel/random/uuid >"/run/fleet/hosts/$name/boot-id"
mount --bind "/run/fleet/hosts/$name/boot-id" "$root/proc/sys/kernel/random/boot_id"
mount -o remount,bind,ro "$root/proc/sys/kernel/random/boot_id" 2>/dev/null || true
hostname "$name"
cd "$root"
pivot_root . run/old
cd /
umount -l /run/old
rmdir /run/old
echo "$pid"
exec >/dev/null
exec bash -c 'while :; do sleep infinity & wait "$!"; done'
