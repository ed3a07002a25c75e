#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# root.sh: makes a Debian 12 root ready in the cache, with DKMS, the headers of all
# kernels that ringbuf is to be built for, systemd and a kernel to boot, and prints
# where it is: a tar archive. Made once; --update makes it anew.
set -euo pipefail
. "$(dirname "$0")/../vm/lib.sh"

SUITE=bookworm
packages=(systemd systemd-sysv udev kmod dkms passwd initramfs-tools
	linux-image-6.12-amd64
	linux-headers-amd64 linux-headers-cloud-amd64 linux-headers-rt-amd64
	linux-headers-6.12-amd64 linux-headers-6.12-cloud-amd64 linux-headers-6.12-rt-amd64)
# What neither a build nor the guest looks at.
left_out=('/usr/bin/*-lto-dump-*' '/usr/share/locale/*' '/usr/share/i18n/*'
	'/lib/modules/*/kernel/drivers/gpu/*' '/lib/modules/*/kernel/drivers/media/*'
	'/lib/modules/*/kernel/drivers/net/*' '/lib/modules/*/kernel/drivers/infiniband/*'
	'/lib/modules/*/kernel/drivers/scsi/*' '/lib/modules/*/kernel/drivers/iio/*'
	'/lib/modules/*/kernel/drivers/usb/*' '/lib/modules/*/kernel/sound/*')

key=$(sha256sum "${BASH_SOURCE[0]}" | cut -c 1-12)
tar=$CACHE/roots/$SUITE-$key.tar.zst
if [ -e "$tar" ] && [ "${1:-}" != --update ]; then
	printf '%s\n' "$tar"
	exit
fi
lock "$CACHE/roots/.lock"
if [ -e "$tar" ] && [ "${1:-}" != --update ]; then
	printf '%s\n' "$tar"
	exit
fi

# Where this machine gets its own packages.
sources()
{
	local mirror
	mirror=$(apt-cache policy 2>/dev/null |
		sed -n "s,^ *[0-9-]* \(http[^ ]*/debian\) $SUITE/main .*,\1,p" | head -n 1)
	[ -n "$mirror" ] || die "apt knows no archive with $SUITE/main on this machine; if it is of" \
		"another release, add 'deb http://deb.debian.org/debian $SUITE main' to its sources;" \
		"then run apt-get update"
	printf 'deb %s %s main\n' "$mirror" "$SUITE" "$mirror" "$SUITE-updates" \
		"$mirror-security" "$SUITE-security"
}

# Not by < <(…), whose failure nobody would notice.
list=$(sources)
say "making a Debian root (about 500 MB to fetch, once; log: $CACHE/roots/log)"
# An initrd with what there is to a disk of the guest, and no more.
mmdebstrap --variant=apt --format=tar --include="$(IFS=,; echo "${packages[*]}")" \
	"${left_out[@]/#/--dpkgopt=path-exclude=}" \
	--essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"' \
	--essential-hook='printf "MODULES=list\nCOMPRESS=gzip\n" >"$1/etc/initramfs-tools/conf.d/ringbuf-test"' \
	--essential-hook='printf "virtio_pci\nvirtio_blk\next4\ncrc32c_generic\n" >"$1/usr/share/initramfs-tools/modules.d/ringbuf-test"' \
	"$SUITE" - - <<<"$list" 2>"$CACHE/roots/log" | zstd -q -3 -T0 >"$tar.new" || {
	tail -n 20 "$CACHE/roots/log" >&2
	die "no Debian root, see $CACHE/roots/log"
}
mv "$tar.new" "$tar"
printf '%s\n' "$tar"
