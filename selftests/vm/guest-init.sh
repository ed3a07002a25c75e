#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# The first process of the guest: see run.sh for the three serial ports.
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root TERM=dumb

mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts 2>/dev/null
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs tmpfs /run
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
chmod 755 / /root
chown 1000:1000 /home/user
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
hostname ringbuf
ip link set lo up 2>/dev/null
while read -r ko; do
	insmod "/mnt/$ko" || echo "insmod $ko failed"
done </modprobe
mount -t configfs configfs /sys/kernel/config 2>/dev/null
# The first cgroup has the kernel patch its text, which is not for when there are
# tests at work on all CPUs (Documentation/testing.rst, qemu).
if mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null &&
	echo +memory 2>/dev/null >/sys/fs/cgroup/cgroup.subtree_control; then
	mkdir /sys/fs/cgroup/first
fi

ttys=$(sed 's/.*ringbuf_vm_ttys=\([^ ]*\).*/\1/' /proc/cmdline)
export RINGBUF_VM_PORT=/dev/${ttys%,*}
out=$RINGBUF_VM_PORT archive=/dev/${ttys#*,}
# An hvc port forgets its settings when nobody has it open.
exec 4<>$out 5<>$archive
stty raw -echo <&4
stty raw -echo <&5

kmemleak=/sys/kernel/debug/kmemleak
[ -e $kmemleak ] || kmemleak=
result=/run/result
mkdir -p $result/files
nproc >$result/nproc
: >$result/kmemleak

smp=$(sed -n 's/.*ringbuf_vm_smp=\([0-9]*\).*/\1/p' /proc/cmdline)
if [ "$(nproc)" = "$smp" ]; then
	# Its own thread would scan at any time.
	[ -z "$kmemleak" ] || echo scan=off >$kmemleak

	echo "ringbuf-vm: start" >/dev/kmsg
	# A session of its own, so that a terminal's signals stay in it.
	(exec 4>&- 5>&-; setsid sh /command </dev/null >$out 2>&1)
	echo $? >$result/status
	echo "ringbuf-vm: end" >/dev/kmsg

	while read -r file; do
		[ -e "$file" ] || continue
		mkdir -p "$result/files/$(dirname "$file")"
		cp -r "$file" "$result/files/$file"
	done </outs

	if [ -n "$kmemleak" ]; then
		# It needs two scans to be sure, the second one when the
		# youngest object is more than five seconds old.
		read -r began _ </proc/uptime
		echo scan >$kmemleak
		read -r now _ </proc/uptime
		sleep $((6 - (${now%.*} - ${began%.*}) > 0 ? 6 - (${now%.*} - ${began%.*}) : 0))
		echo scan >$kmemleak
		cat $kmemleak >$result/kmemleak
	fi
else
	echo 121 >$result/status
fi

: >$result/end
cd $result && tar -cz nproc status kmemleak files end >&5
sync
reboot -f
