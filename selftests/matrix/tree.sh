#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# tree.sh --list: names of what the module can be built against
# tree.sh NAME: makes it ready in the cache, and prints shell assignments: KDIR,
# MAKE (arguments), PARTIAL (not empty: nobody has built that kernel, so the
# symbols it exports are not known).
#
#   RELEASE                 Debian's headers of that kernel, such as 6.1.0-47-amd64
#   SERIES-ARCH-CC[-all]    from the source package: 7.3-x86-clang; -all: allmodconfig
#   source-SERIES           prints SRC alone
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/apt.sh"

# Those of other releases of Debian need another compiler, and tools that do not
# run here: their source package stands for them.
list_headers()
{
	apt_names '^linux-headers-(6\.1\.0-[0-9]+|6\.12\.[0-9]+\+deb12)-([a-z]+-)?(amd64|arm64|s390x)$' |
		sed 's/^linux-headers-//'
}

# The newest source package of all, and Debian 12's.
newest()
{
	apt_names '^linux-source-[0-9.]+$' | tail -n 1 | sed 's/^linux-source-//'
}

list()
{
	list_headers
	printf '%s\n' 6.12-x86-gcc-all 6.12-x86-clang 6.12-arm64-clang \
		"$1"-{x86-gcc,x86-gcc-all,x86-clang,arm64-clang,riscv-clang}
}

# unpack_once DIR PACKAGE…: what is there was complete
unpack_once()
{
	local dir=$1 name
	shift
	for name; do
		[ -e "$dir/.have/$name" ] || {
			apt_unpack "$dir" "$name"
			mkdir -p "$dir/.have"
			touch "$dir/.have/$name"
		}
	done
}

# A cross compiler, unpacked if it is not installed: Debian's cannot be installed
# next to gcc-multilib.
cross()
{
	local triplet name
	triplet=$(triplet "$1")
	if [ -z "$(command -v "$triplet-gcc-$CROSS_GCC")" ]; then
		unpack_once "$MATRIX/cross" {gcc,cpp}-$CROSS_GCC-"$triplet" \
			binutils-"$triplet" libgcc-$CROSS_GCC-dev-"$1"-cross
		# They have shared libraries of their own.
		mkdir -p "$MATRIX/cross/bin"
		for name in "$MATRIX"/cross/usr/bin/"$triplet"-*; do
			printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' \
				"$MATRIX/cross/usr/lib/x86_64-linux-gnu" "$name" \
				>"$MATRIX/cross/bin/${name##*/}"
			chmod +x "$MATRIX/cross/bin/${name##*/}"
		done
	fi
	printf 'CROSS_COMPILE=%s CC=%s' "$triplet-" "ccache $triplet-gcc-$CROSS_GCC"
}

headers()
{
	local release=$1 arch=${1##*-} abi dir package common kbuild
	abi=$(sed -E 's/^(6\.1\.0-[0-9]+|[0-9.]+\+deb12)-.*/\1/' <<<"$release")
	dir=$MATRIX/headers/$abi
	package=linux-headers-$release
	if [ ! -e "$dir/$release.ready" ]; then
		common=$(depends "$package:$arch" linux-headers-)
		kbuild=$(depends "$package:$arch" linux-kbuild-)
		say "fetching $package"
		# Tools of this machine, whatever they build for.
		unpack_once "$dir" "$package:$arch" "$common" "$kbuild:amd64"
		mend_headers "$dir" "$package" "$common" "$kbuild"
		touch "$dir/$release.ready"
	fi
	make=("CC=ccache gcc-12")
	if [ "$arch" != amd64 ]; then
		local cross
		cross=$(cross "$arch")
		make=("${cross%% CC=*}" "CC=${cross#* CC=}")
	fi
	print_tree "$dir/usr/src/$package" ''
}

print_tree()
{
	printf 'KDIR=%q PARTIAL=%q MAKE=(%s)\n' "$1" "$2" "${make[*]@Q}"
}

# find_series SERIES: its source, if it is in the cache
find_series()
{
	local dir
	for dir in "$CACHE"/src/linux-source-"$1".* "$MATRIX"/src/linux-source-"$1".*; do
		if [ -e "$dir/Makefile" ]; then
			printf '%s\n' "$dir"
			return
		fi
	done
}

series_source()
{
	local dir version tmp
	dir=$(find_series "$1")
	if [ -z "$dir" ]; then
		version=$(apt_field "linux-source-$1" Version)
		[ -n "$version" ] || die "there is no package linux-source-$1"
		say "fetching linux-source-$1 $version (about 170 MB, once)"
		mkdir -p "$MATRIX/tmp" "$MATRIX/src"
		tmp=$(mktemp -d "$MATRIX/tmp/source.XXXXXX")
		apt_unpack "$tmp" "linux-source-$1"
		dir=$MATRIX/src/linux-source-$version
		mkdir "$tmp/root"
		tar -xf "$tmp/usr/src/linux-source-$1.tar.xz" -C "$tmp/root" \
			--strip-components=1 --no-same-owner
		mv "$tmp/root" "$dir"
		rm -rf "$tmp"
	fi
	printf '%s\n' "$dir"
}

# What is set on top of allnoconfig; -all needs nothing.
prepared_config()
{
	cat "$HERE/prepared.config"
	case "$1" in
	*-clang) echo CONFIG_LTO_NONE=y ;;
	esac
}

prepared()
{
	local name=$1 series arch cc all dir src target=allnoconfig
	IFS=- read -r series arch cc all <<<"$name"
	src=$(series_source "$series")
	dir=$MATRIX/trees/$name-${src##*-source-}
	make=("ARCH=$arch")
	case "$cc" in
	clang) make+=("LLVM=-$CLANG" "CC=ccache clang-$CLANG") ;;
	gcc) make+=("CC=ccache gcc-12" "HOSTCC=ccache gcc-12") ;;
	*) die "unknown compiler '$cc' in '$name'" ;;
	esac
	if [ ! -e "$dir/ready" ]; then
		say "preparing a tree: $name"
		mkdir -p "$dir"
		prepared_config "$name" >"$dir/all.config"
		[ -z "$all" ] || target=allmodconfig
		{
			make -C "$src" O="$dir" "${make[@]}" "${REPRODUCIBLE[@]}" \
				KCONFIG_ALLCONFIG="$dir/all.config" "$target" &&
				make -C "$src" O="$dir" "${make[@]}" "${REPRODUCIBLE[@]}" \
					-j "$(nproc)" modules_prepare
		} >"$dir/prepare.log" 2>&1 </dev/null || {
			tail -n 20 "$dir/prepare.log" >&2
			die "cannot prepare $name, see $dir/prepare.log"
		}
		touch "$dir/ready"
	fi
	print_tree "$dir" 1
}

HERE=$(cd "$(dirname "$0")" && pwd)
apt_lists
case "${1:-}" in
--list) list "$(newest)" ;;
--newest) newest ;;
source-*)
	(
		lock "$MATRIX/src/.lock"
		printf 'SRC=%q\n' "$(series_source "${1#source-}")"
	)
	;;
[0-9]*)
	lock "$MATRIX/trees/$1.lock"
	case "$1" in
	*-gcc* | *-clang*) prepared "$1" ;;
	*) headers "$1" ;;
	esac
	;;
*) die "usage: tree.sh --list | --newest | NAME" ;;
esac
