#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# dkms.sh dkms-install|dkms-uninstall: the module's source in /usr/src, given to
# dkms and built for the kernel REL, the one that runs if it is not said, and for
# others as they come; or all of that taken back. With DESTDIR the files alone.
set -eu
cd "$(dirname "$0")/.."
version=$(packaging/version.sh)
dir=${DESTDIR:-}/usr/src/ringbuf-$version

# What the module is built from, and nothing else.
files()
{
	printf '%s\n' dkms.conf Kbuild packaging/dkms-post-build uapi/linux/ringbuf.h
	find kmod -name tests -prune -o -type f \
		\( -name '*.[ch]' -o -name 'Kbuild' \) ! -name '*.mod.c' -print
}

have_dkms()
{
	[ -z "${DESTDIR:-}" ] || return 1
	command -v dkms >/dev/null && return
	echo "dkms is not installed; in Debian: apt-get install dkms" >&2
	exit 1
}

case "$1" in
dkms-install)
	if have_dkms && [ -n "$(dkms status -m ringbuf -v "$version")" ]; then
		dkms remove -m ringbuf -v "$version" --all
	fi
	rm -rf "$dir"
	files | while IFS= read -r file; do
		mode=644
		[ ! -x "$file" ] || mode=755
		install -D -m "$mode" "$file" "$dir/$file"
	done
	! have_dkms || dkms install -m ringbuf -v "$version" -k "${REL:-$(uname -r)}"
	;;
dkms-uninstall)
	if have_dkms && [ -n "$(dkms status -m ringbuf -v "$version")" ]; then
		dkms remove -m ringbuf -v "$version" --all
	fi
	rm -rf "$dir"
	;;
*)
	echo "usage: dkms.sh dkms-install|dkms-uninstall" >&2
	exit 2
	;;
esac
