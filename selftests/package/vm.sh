#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vm.sh ROOT TEST LOG: boots a copy of the directory ROOT with the kernel that is in
# it, systemd and all, runs the script TEST there as root, prints its output.
# The console's log goes to LOG. Exit status: the script's, or 120 and above.
set -euo pipefail
. "$(dirname "$0")/../vm/lib.sh"
. "$TOP/selftests/vm/reports.sh"

root=$1 test=$2 log=$3
limit=400
workdir package-vm

release=$(cd "$root/boot" && echo vmlinuz-6.12*-amd64 | tr ' ' '\n' | grep -v -e -rt- -e -cloud-)
release=${release#vmlinuz-}
cp "$root/boot/vmlinuz-$release" "$work/vmlinuz"
cp "$root/boot/initrd.img-$release" "$work/initrd"

# Without the kernels that are not booted and what only a build needs.
mkdir "$work/root"
tar -C "$root" --exclude='./proc/*' --exclude='./dev/*' --exclude='./sys/*' \
	--exclude='./tmp/*' --exclude='./boot/*' --exclude='./usr/src/*' --exclude='./usr/lib/gcc' \
	--exclude='./usr/lib/linux-kbuild*' --exclude='./var/lib/apt/lists/*' \
	--exclude='./var/cache/*' --exclude='./usr/share/locale' -cf - . |
	tar -C "$work/root" -xpf -
find "$work/root/usr/lib/modules" -mindepth 1 -maxdepth 1 ! -name "$release" -exec rm -rf {} +

install -m 755 "$test" "$work/root/root/test"
cat >"$work/root/root/run" <<'RUN'
#!/bin/sh
stty -F /dev/ttyS1 raw -echo
stty -F /dev/ttyS2 raw -echo
/root/test >/dev/ttyS1 2>&1 </dev/null
echo "status $?" >/dev/ttyS2
sync
poweroff -f
RUN
chmod 755 "$work/root/root/run"
cat >"$work/root/etc/systemd/system/ringbuf-test.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=simple
ExecStart=/root/run
[Install]
WantedBy=multi-user.target
UNIT
mkdir -p "$work/root/etc/systemd/system/multi-user.target.wants"
ln -s ../ringbuf-test.service "$work/root/etc/systemd/system/multi-user.target.wants/"
# Else it would be a first boot, with questions.
echo 0123456789abcdef0123456789abcdef >"$work/root/etc/machine-id"
echo '/dev/vda / ext4 defaults 0 1' >"$work/root/etc/fstab"
# What a guest of a minute has no use for.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
	fstrim.timer getty@tty1.service systemd-timesyncd.service e2scrub_reap.service; do
	ln -sf /dev/null "$work/root/etc/systemd/system/$unit"
done

size=$(($(du -sm --apparent-size "$work/root" | cut -f1) * 5 / 4 + 200))
truncate -s "${size}M" "$work/disk"
mke2fs -q -t ext4 -O ^has_journal -d "$work/root" "$work/disk"
rm -rf "$work/root"

: >"$log"
: >"$work/status"
timeout --foreground -k 5 "$limit" qemu-system-x86_64 \
	-nodefaults -no-user-config -display none -no-reboot \
	-accel tcg,thread=multi -cpu max -smp 2 -m 1024 \
	-kernel "$work/vmlinuz" -initrd "$work/initrd" \
	-append "console=ttyS0,115200 root=/dev/vda rw ignore_loglevel panic=-1 oops=panic mitigations=off rcupdate.rcu_cpu_stall_timeout=60 watchdog_thresh=30 systemd.show_status=0" \
	-drive "file=$work/disk,format=raw,if=virtio,cache=unsafe" \
	-serial "file:$log" -chardev stdio,id=out,signal=off -serial chardev:out \
	-serial "file:$work/status" </dev/null 2>"$work/qemu.log" &
guest=$!
code=0
wait "$guest" || code=$?
guest=
if [ "$code" != 0 ]; then
	tail -n 30 "$log" "$work/qemu.log" >&2
	[ "$code" -lt 124 ] || die "the guest did not finish within $limit s, see $log"
	die "qemu ended with status $code, see $log"
fi
if found=$(tr -d '\r' <"$log" | reports); then
	say "$found"
	say "a report in the kernel's log, see $log"
	exit 120
fi
status=$(tr -d '\r' <"$work/status" | sed -n 's/^status //p')
[ -n "$status" ] || die "the guest went down before its test had ended, see $log"
exit "$status"
