#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# headers.sh KDIR: fails, and names the package, if modules cannot be built there.
set -euo pipefail
kdir=$1

if [ ! -e "$kdir/Makefile" ]; then
	case "$kdir" in
	/lib/modules/*/build)
		rel=${kdir#/lib/modules/}
		echo "no kernel headers in $kdir: apt-get install linux-headers-${rel%/build}" >&2
		;;
	*)
		echo "no kernel headers in KDIR=$kdir: install linux-headers-REL, say KDIR=/lib/modules/REL/build" >&2
		;;
	esac
	exit 1
fi
if [ ! -e "$kdir/include/config/auto.conf" ]; then
	echo "$kdir is not configured: make modules_prepare there, or use the headers package" >&2
	exit 1
fi
# Without it such a kernel's makefiles stop in a way that explains nothing.
if grep -q '^CONFIG_DEBUG_INFO_BTF_MODULES=y' "$kdir/include/config/auto.conf" &&
	[ -e "$kdir/vmlinux" ] && ! command -v pahole >/dev/null; then
	echo "modules for this kernel need pahole: apt-get install pahole" >&2
	exit 1
fi
