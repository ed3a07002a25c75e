#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Compilers and tools of Debian sid, in a root of their own: the headers of newer
# kernels need them, and they cross-compile. Sourced; lib.sh comes first.

. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

TOOLS=$CACHE/roots/tools
TOOLS_PACKAGES=make,bc,perl,pahole,libelf1,cpio,ccache,gcc,gcc-14,libc6-dev
TOOLS_PACKAGES+=,gcc-14-aarch64-linux-gnu,gcc-aarch64-linux-gnu,libc6-dev-arm64-cross
TOOLS_PACKAGES+=,gcc-s390x-linux-gnu,libc6-dev-s390x-cross
TOOLS_PACKAGES+=,gcc-riscv64-linux-gnu,libc6-dev-riscv64-cross
TOOLS_PACKAGES+=,gcc-powerpc64le-linux-gnu,libc6-dev-ppc64el-cross
TOOLS_PACKAGES+=,gcc-arm-linux-gnueabihf,libc6-dev-armhf-cross

# compiler32 ARCH: what compiles 32-bit programs for its kernels; false: there is none
compiler32()
{
	case "$1" in
	arm64) echo arm-linux-gnueabihf-gcc ;;
	*) echo false ;;
	esac
}

# tools_root: makes the root, once (about 400 MB to fetch, a minute)
tools_root()
{
	(
		made() { [ "$(cat "$TOOLS/ready" 2>/dev/null)" = "$TOOLS_PACKAGES" ]; }
		! made || exit 0
		lock "$CACHE/roots/.tools.lock"
		! made || exit 0
		[ -n "$(command -v mmdebstrap)" ] || die "mmdebstrap is missing: run selftests/matrix/deps.sh"
		say "making a root with newer compilers (about 400 MB, once; log: $CACHE/roots/tools.log)"
		mkdir -p "$CACHE/roots"
		rm -rf "$TOOLS"
		# Nobody reads manuals there, or links with LTO.
		mmdebstrap --variant=apt --include="$TOOLS_PACKAGES" \
			--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
			--dpkgopt=path-exclude='/usr/share/doc/*' --dpkgopt=path-exclude='/usr/share/man/*' \
			--dpkgopt=path-exclude='/usr/share/locale/*' --dpkgopt=path-exclude='*-lto-dump*' \
			--dpkgopt=path-exclude='/usr/libexec/gcc*/lto*' \
			sid "$TOOLS" "deb [check-valid-until=no] $(debian_mirror) sid main" >"$CACHE/roots/tools.log" 2>&1 </dev/null || {
			tail -n 20 "$CACHE/roots/tools.log" >&2
			die "cannot make a root with newer compilers"
		}
		printf '%s\n' "$TOOLS_PACKAGES" >"$TOOLS/ready"
	)
}

# in_tools COMMAND…: runs it in that root, in the same directory: the tree and the cache
# are there by the same names
in_tools()
{
	local user=()
	tools_root || return
	mkdir -p "$TOOLS$TOP" "$TOOLS$CACHE"
	[ "$(id -u)" = 0 ] || user=(--map-root-user)
	# shellcheck disable=SC2016 # for sh
	unshare "${user[@]}" --mount --pid --fork -- sh -c '
		mount --bind "$2" "$1$2" && mount --bind "$3" "$1$3" &&
			mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" || exit 125
		root=$1 cwd=$4
		shift 4
		exec chroot "$root" /usr/bin/env -i PATH=/usr/bin:/usr/sbin HOME=/root LC_ALL=C \
			CCACHE_DIR="${CCACHE_DIR:-}" sh -c '\''cd "$0" && exec "$@"'\'' "$cwd" "$@"' \
		sh "$TOOLS" "$TOP" "$CACHE" "$PWD" "$@"
}
