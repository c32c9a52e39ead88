#!/bin/busybox sh
# The guest's first program: reach the host's files, put a layer of memory on top, and go on in there.
B=/bin/busybox
$B mount -t proc proc /proc
$B mount -t sysfs sys /sys
$B mount -t devtmpfs dev /dev
for module in /modules/*; do $B insmod "$module"; done
$B mount -t 9p -o trans=virtio,version=9p2000.L,ro,msize=512000,cache=loose root /host || $B poweroff -f
$B mount -t tmpfs layer /layer
$B mkdir /layer/upper /layer/work
$B mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work overlay /root || $B poweroff -f
for kept in proc sys dev; do $B mount --move /$kept /root/$kept; done
. /words
exec $B switch_root /root /bin/bash "$lab_project/lab/guest.sh"
