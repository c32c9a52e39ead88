#!/bin/bash -e
# The packages that were built on a Pi of the same Debian, and what makes a card last.
install -d "${ROOTFS_DIR}/var/tmp/tillbox"
install -m 644 files/*.deb "${ROOTFS_DIR}/var/tmp/tillbox/"
on_chroot << 'EOF'
dpkg -i /var/tmp/tillbox/*.deb
rm -r /var/tmp/tillbox
# Started when the box has been told who it is: see /etc/tillbox/box.toml. Every copy of this image is another box.
systemctl disable tillbox-box.service
# A swap file on the card wears it, and the unit's bound ends a leak sooner.
systemctl disable dphys-swapfile.service || true
EOF
# Systemd counts memory only where the kernel is told to: MemoryMax= of the unit.
sed -i 's/$/ cgroup_enable=memory/' "${ROOTFS_DIR}/boot/firmware/cmdline.txt"
# A Pi that hangs as a whole is started again by its own watchdog; the unit's is for the till alone.
install -d "${ROOTFS_DIR}/etc/systemd/system.conf.d"
install -m 644 files/watchdog.conf "${ROOTFS_DIR}/etc/systemd/system.conf.d/50-tillbox.conf"
