#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# root.sh: makes a Debian root with the programs of this suite ready in the cache, and
# prints where it is: a cpio archive, all of it below debian/. Packages come from where
# this machine gets its own, and are unpacked, never installed, which takes no root. There
# is one root for each list of packages and versions; --list prints that list.
set -euo pipefail
. "$(dirname "$0")/../vm/lib.sh"

packages=(bash dash busybox coreutils findutils grep sed mawk gzip diffutils xxd bsdextrautils libc-bin
	perl-base python3 nodejs socat pv jq)
# What no program here looks at.
left_out=('./usr/share/doc' './usr/share/man' './usr/share/locale' './usr/share/nodejs/@types'
	'./usr/lib/x86_64-linux-gnu/gconv')

# apt, as on a machine without a package.
apt()
{
	apt-get -o Dir::State::status=/dev/null -o APT::Sandbox::User=root "$@" </dev/null
}

# The packages and what they depend on: names and versions.
list()
{
	apt -s install --no-install-recommends "${packages[@]}" 2>/dev/null |
		sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1 \2/p' | sort | grep .
}

if ! list=$(list); then
	[ "$(id -u)" != 0 ] || apt-get update >/dev/null 2>&1 </dev/null || :
	list=$(list) || {
		# There is one at most.
		archive=$(find "$CACHE/roots" -name 'programs-*.cpio' 2>/dev/null | head -n 1)
		[ -n "$archive" ] || die "apt knows no ${packages[*]}; run apt-get update"
		say "apt knows no packages; taking the root of $(date -r "$archive" +%F)"
		printf '%s\n' "$archive"
		exit
	}
fi
[ "${1:-}" != --list ] || { printf '%s\n' "$list"; exit; }

key=$(printf '%s\n' "$list" "${left_out[@]}" | sha256sum | cut -c 1-12)
archive=$CACHE/roots/programs-$key.cpio
if [ -e "$archive" ]; then
	printf '%s\n' "$archive"
	exit
fi
lock "$CACHE/roots/.programs.lock"
if [ ! -e "$archive" ]; then
	say "making a Debian root (50 MB to fetch, once)"
	workdir programs
	mkdir -p "$work/apt/archives/partial" "$work/root/debian"
	apt -o "Dir::Cache=$work/apt" install -d -y --no-install-recommends "${packages[@]}" \
		>"$work/log" 2>&1 || {
		tail -n 5 "$work/log" >&2
		die "cannot fetch packages; run apt-get update"
	}
	for deb in "$work"/apt/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -C "$work/root/debian" --no-same-owner "${left_out[@]/#/--exclude=}"
	done
	printf '%s\n' "$list" >"$work/root/debian/packages"
	(cd "$work/root" && find debian -print0 | cpio --null -o -H newc -R 0:0 --quiet) \
		>"$work/archive"
	# Of other versions; one that a guest starts from stays until it has.
	rm -f "$CACHE"/roots/programs-*.cpio
	mv "$work/archive" "$archive.new"
	mv "$archive.new" "$archive"
fi
printf '%s\n' "$archive"
