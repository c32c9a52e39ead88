#!/bin/sh
# Boots a Debian of its own in namespaces of its own: boot.sh ROOT PACKAGES. ROOT is only read; everything that is
# written lies in memory and is gone with the namespace. No network but loopback, no rights on this machine's kernel.
set -eu
mount --make-rprivate /
mount -t tmpfs -o size=3g tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
mkdir -p /mnt/root/packages
mount --bind "$2" /mnt/root/packages
cd /mnt/root
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
    touch "dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ip link set lo up
# What would reach for the kernel that this machine shares with us.
for unit in systemd-journald-audit.socket sys-kernel-debug.mount sys-kernel-tracing.mount systemd-modules-load.service \
    dev-hugepages.mount dev-mqueue.mount getty@tty1.service; do
    ln -sf /dev/null "etc/systemd/system/$unit"
done
# Not chroot: from within one, no service could have users of its own (PrivateUsers=).
mkdir outside
pivot_root . outside
cd /
umount -l /outside
exec env -i container=tillbox PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd
