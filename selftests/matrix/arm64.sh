#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module in an arm64 guest, as TAP: Debian's cloud kernel, without configfs and
# with it, a record written and read. It has no KUnit.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

HERE=$(cd "$(dirname "$0")" && pwd)
want=${1:-*}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$TOP/build/logs/arm64.log
mkdir -p "$TOP/build/logs"

# The newest one that there are headers of, too.
release=$("$HERE/tree.sh" --list | grep -- '-cloud-arm64$' | tail -n 1)
dir=$MATRIX/arm64/$release

fetch()
{
	lock "$MATRIX/arm64/.lock"
	[ ! -e "$dir/ready" ] || return 0
	say "fetching linux-image-$release:arm64 (about 40 MB, once)"
	apt_unpack "$dir" "linux-image-$release:arm64" busybox-static:arm64 ||
		return
	touch "$dir/ready"
}

# with MODULE…: a file system for the guest, all of it in memory
initrd()
{
	local root=$work/root name found
	mkdir -p "$root"/{bin,dev,proc,sys,tmp,ko}
	cp "$dir"/bin/busybox "$root/bin/busybox" 2>/dev/null || cp "$dir/usr/bin/busybox" "$root/bin/busybox"
	for name in "$@"; do
		cp "$name" "$root/ko/"
	done
	for name in fs/configfs/configfs; do
		found=$(ls "$dir"/{usr/,}lib/modules/*/kernel/$name.ko* 2>/dev/null | head -n 1)
		case "$found" in
		'') ;;
		*.xz) xz -dc "$found" >"$root/ko/${name##*/}.ko" ;;
		*) cp "$found" "$root/ko/" ;;
		esac
	done
	cat >"$root/init" <<-'INIT'
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		export PATH=/bin
		mount -t devtmpfs none /dev; mount -t proc none /proc; mount -t sysfs none /sys
		tell() { echo "told: $*" >/dev/console; }
		[ -e /sys/module/configfs ] || [ -d /sys/kernel/config ] || tell no configfs
		insmod /ko/ringbuf.ko && tell loaded alone
		sleep 1
		echo hello >/dev/ringbuf
		[ "$(dd if=/dev/ringbuf bs=100 count=1 2>/dev/null)" = hello ] && tell a record
		rmmod ringbuf && tell unloaded
		insmod /ko/configfs.ko; mount -t configfs none /sys/kernel/config
		insmod /ko/ringbuf.ko reliable=1 stall_ms=5000 && mkdir /sys/kernel/config/ringbuf/other &&
			echo 1 >/sys/kernel/config/ringbuf/other/live && [ -c /dev/ringbuf-other ] &&
			tell a ring by configfs
		rmdir /sys/kernel/config/ringbuf/other
		tell end
		poweroff -f
	INIT
	chmod +x "$root/init"
	(cd "$root" && find . -print0 | cpio --null -o -H newc -R 0:0 --quiet) >"$work/initrd"
}

boot()
{
	local built=$TOP/build/matrix/$release/kmod image
	image=$(ls "$dir"/boot/vmlinuz-*)
	initrd "$built/ringbuf.ko"
	timeout 600 qemu-system-aarch64 -M virt -cpu max,pauth-impdef=on -accel tcg,thread=multi \
		-smp 2 -m 1024 -nodefaults -no-user-config -display none -no-reboot \
		-serial "file:$log" -kernel "$image" -initrd "$work/initrd" \
		-append 'console=ttyAMA0 panic=-1 ignore_loglevel' </dev/null || return
	grep -q '^told: end' "$log"
}

told()
{
	tr -d '\r' <"$log" | grep -q "^told: $1\$" || {
		tail -n 40 "$log"
		return 1
	}
}

clean()
{
	! grep -aE 'BUG:|WARNING:|Oops|unsupported RELA' "$log"
}

check "arm64: builds for $release" "$HERE/build.sh" "$release"
check "arm64: its kernel" fetch
check "arm64: boots" boot
check "arm64: loads without configfs" told 'loaded alone'
check "arm64: a record is written and read" told 'a record'
check "arm64: a ring is made by configfs" told 'a ring by configfs'
check "arm64: nothing in the log" clean
echo "1..$count"
