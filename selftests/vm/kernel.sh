#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernel.sh NAME: makes a kernel ready in the cache, and prints where it is as
# shell assignments: VMLINUZ KDIR RELEASE MODROOT KCC KARCH. Fast when it is there.
#
#   6.12 6.12-cloud 6.12-rt 6.1 6.1-cloud   Debian's, unpacked, never installed
#   debug    6.12 with KASAN, lockdep, kmemleak, UBSAN, fault injection, KUnit
#   kcsan    6.12 with KCSAN, strict
#   rtdebug  6.12 with PREEMPT_RT and lockdep
#            the three are built: config/common and config/NAME.config
#   uml      6.12 as a process (config/uml.config), for benchmarks; not for run.sh
#   source   the kernel source package; prints SRC
#   7.3 7.3-rt 7.2 arm64/7.3 …   of other releases and architectures: matrix/kernel.sh
#   /FILE    one that somebody has made: FILE holds its assignments
#
# A stock kernel once fetched stays; `kernel.sh --update NAME` takes the newest.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

HERE=$(cd "$(dirname "$0")" && pwd)
SOURCE_PACKAGE=linux-source-6.12
DEBUG_CC=gcc-12
update=

apt_update()
{
	[ "$(id -u)" = 0 ] || die "apt knows no current '$1'; as root, run: apt-get update"
	say "apt-get update"
	(
		lock "$CACHE/apt.lock"
		apt-get update </dev/null >"$CACHE/apt.log" 2>&1
	) || die "apt-get update failed, see $CACHE/apt.log"
}

# field PACKAGE FIELD: of the version that apt would install
field()
{
	apt-cache show --no-all-versions "$1" 2>/dev/null | sed -n "s/^$2: //p" | head -n 1
}

# know PACKAGE: apt's lists have it, fetched now if need be
know()
{
	[ -z "$(field "$1" Version)" ] || return 0
	apt_update "$1"
	[ -n "$(field "$1" Version)" ] || die "apt has no package '$1' (Debian 12 with security updates is expected)"
}

# depends PACKAGE PREFIX: the dependency whose name starts with PREFIX
depends()
{
	field "$1" Depends | tr ',|' '\n\n' | sed 's/^ *//; s/ .*//' | grep -m 1 "^$2" ||
		die "package '$1' depends on no '$2…'"
}

# download DIR PACKAGE…
download()
{
	local dir=$1
	shift
	# Root's cache is closed to apt's own user.
	local get=(apt-get -o APT::Sandbox::User=root download "$@")
	if ! (cd "$dir" && "${get[@]}" </dev/null >apt.log 2>&1); then
		apt_update "$*"
		(cd "$dir" && "${get[@]}" </dev/null >apt.log 2>&1) || {
			tail -n 5 "$dir/apt.log" >&2
			die "cannot download $*"
		}
	fi
}

# scratch: a directory on the cache's file system, to be renamed when complete.
# Callers hold a lock, so what a killed run left behind can go.
scratch()
{
	rm -rf "$CACHE/tmp/$1"
	mkdir -p "$CACHE/tmp/$1"
	printf '%s\n' "$CACHE/tmp/$1"
}

print_stock()
{
	local dir=$1 release
	release=$(cat "$dir/release")
	printf '%s=%q\n' \
		VMLINUZ "$(unpacked "$dir/boot/vmlinuz-$release")" \
		KDIR "$dir/usr/src/linux-headers-$release" \
		RELEASE "$release" \
		MODROOT "$dir" \
		KCC '' \
		KARCH ''
}

# The link kernels/NAME is made last, so what it points to is complete.
stock()
{
	local name=$1 image_meta=$2 headers_meta=$3
	local link=$CACHE/kernels/$name

	if [ -e "$link/release" ] && [ -z "$update" ]; then
		print_stock "$(readlink -f "$link")"
		return
	fi

	lock "$CACHE/kernels/$name.lock"
	if [ -e "$link/release" ] && [ -z "$update" ]; then
		print_stock "$(readlink -f "$link")"
		return
	fi

	know "$image_meta"
	know "$headers_meta"
	local image headers common kbuild version release dir tmp deb
	image=$(depends "$image_meta" linux-image-)
	headers=$(depends "$headers_meta" linux-headers-)
	release=${image#linux-image-}
	[ "$headers" = "linux-headers-$release" ] ||
		die "$image_meta and $headers_meta differ: $image, $headers; run apt-get update"
	common=$(depends "$headers" linux-headers-)
	kbuild=$(depends "$headers" linux-kbuild-)
	version=$(field "$image" Version)
	dir=$CACHE/kernels/$name-$version

	if [ ! -e "$dir/release" ]; then
		say "fetching $image $version (about 110 MB, once)"
		tmp=$(scratch "$name")
		download "$tmp" "$image" "$headers" "$common" "$kbuild"
		say "unpacking $image"
		mkdir "$tmp/root"
		for deb in "$tmp"/*.deb; do
			# Two thirds of the image that no test guest has a use for.
			dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tmp/root" --no-same-owner \
				--exclude='./lib/modules/*/kernel/drivers/gpu' \
				--exclude='./lib/modules/*/kernel/drivers/media' \
				--exclude='./lib/modules/*/kernel/drivers/net' \
				--exclude='./lib/modules/*/kernel/sound' \
				--exclude='./usr/share'
		done
		mend_headers "$tmp/root" "$headers" "$common" "$kbuild"
		[ -s "$tmp/root/boot/vmlinuz-$release" ] || die "$image has no boot/vmlinuz-$release"
		depmod -b "$tmp/root" "$release" 2>/dev/null || :
		printf '%s\n' "$release" >"$tmp/root/release"
		rm -rf "$dir"
		mv "$tmp/root" "$dir"
		rm -rf "$tmp"
	fi
	ln -sfn "$name-$version" "$link.new"
	mv -T "$link.new" "$link"
	print_stock "$dir"
}

# The newest source unpacked in the cache, else the package's.
find_source()
{
	find "$CACHE/src" -mindepth 1 -maxdepth 1 -type d -name "$SOURCE_PACKAGE*" 2>/dev/null |
		sort -V | tail -n 1
}

source_dir()
{
	local dir version tmp
	dir=$(find_source)
	if [ -n "$dir" ] && [ -z "$update" ]; then
		printf '%s\n' "$dir"
		return
	fi
	lock "$CACHE/src/.lock"
	dir=$(find_source)
	if [ -n "$dir" ] && [ -z "$update" ]; then
		printf '%s\n' "$dir"
		return
	fi
	know "$SOURCE_PACKAGE"
	version=$(field "$SOURCE_PACKAGE" Version)
	dir=$CACHE/src/linux-source-$version
	if [ ! -d "$dir" ]; then
		say "fetching $SOURCE_PACKAGE $version (about 150 MB, once)"
		tmp=$(scratch source)
		download "$tmp" "$SOURCE_PACKAGE"
		say "unpacking $SOURCE_PACKAGE"
		dpkg-deb --fsys-tarfile "$tmp"/*.deb |
			tar -xO "./usr/src/$SOURCE_PACKAGE.tar.xz" >"$tmp/source.tar.xz"
		mkdir "$tmp/root"
		tar -xf "$tmp/source.tar.xz" -C "$tmp/root" --strip-components=1 --no-same-owner
		mv "$tmp/root" "$dir"
		rm -rf "$tmp"
	fi
	printf '%s\n' "$dir"
}

print_debug()
{
	local image=arch/x86/boot/bzImage arch=
	if [ -e "$1/linux" ]; then
		image=linux arch=um
	fi
	printf '%s=%q\n' \
		VMLINUZ "$1/$image" \
		KDIR "$1" \
		RELEASE "$(cat "$1/include/config/kernel.release")" \
		MODROOT '' \
		KCC "$DEBUG_CC" \
		KARCH "$arch"
}

# debug NAME [ARCH IMAGE]
debug()
{
	local name=$1 arch=${2:-x86} image=${3:-bzImage} src key dir
	local config=("$HERE/config/$1.config")
	[ "$arch" = um ] || config=("$HERE/config/common" "${config[@]}")
	src=$(source_dir)
	key=$({
		grep -hv '^#' "${config[@]}" | LC_ALL=C sort
		basename "$src"
		"$DEBUG_CC" -dumpfullversion
	} | sha256sum | cut -c 1-12)
	dir=$CACHE/kernels/$name-$key

	if [ -e "$dir/ready" ]; then
		print_debug "$dir"
		return
	fi
	lock "$CACHE/kernels/$name.lock"
	if [ ! -e "$dir/ready" ]; then
		say "building the $name kernel (8 to 12 minutes on 2 cores, once; log: $dir/build.log)"
		# A build cut short goes on where it stopped: make knows how.
		mkdir -p "$dir"
		cat "${config[@]}" >"$dir/all.config"
		export CCACHE_DIR=${CCACHE_DIR:-$CACHE/ccache} CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-4G}
		local mk=(make -C "$src" O="$dir" "ARCH=$arch" "CC=ccache $DEBUG_CC" "HOSTCC=ccache $DEBUG_CC"
			KBUILD_BUILD_TIMESTAMP=@0 KBUILD_BUILD_USER=ci KBUILD_BUILD_HOST=ci)
		{
			"${mk[@]}" KCONFIG_ALLCONFIG="$dir/all.config" allnoconfig &&
				"${mk[@]}" -j "$(nproc)" "$image" modules
		} >"$dir/build.log" 2>&1 </dev/null || {
			tail -n 20 "$dir/build.log" >&2
			die "the $name kernel does not build, see $dir/build.log"
		}
		# allnoconfig drops what its dependencies forbid, and says nothing.
		local lost
		lost=$(grep -h '=' "${config[@]}" | grep -v '=n$' | grep -vxFf "$dir/.config" || :)
		[ -z "$lost" ] || die "config/$name.config asks for what this kernel cannot have: $lost"
		touch "$dir/ready"
	fi
	print_debug "$dir"
}

if [ "${1:-}" = --update ]; then
	update=1
	shift
fi

mkdir -p "$CACHE/kernels"
case "${1:-}" in
6.12) stock 6.12 linux-image-6.12-amd64 linux-headers-6.12-amd64 ;;
6.12-cloud) stock 6.12-cloud linux-image-6.12-cloud-amd64 linux-headers-6.12-cloud-amd64 ;;
6.12-rt) stock 6.12-rt linux-image-6.12-rt-amd64 linux-headers-6.12-rt-amd64 ;;
6.1) stock 6.1 linux-image-amd64 linux-headers-amd64 ;;
6.1-cloud) stock 6.1-cloud linux-image-cloud-amd64 linux-headers-cloud-amd64 ;;
/*) cat "$1" ;;
7.* | */*) exec "$HERE/../matrix/kernel.sh" "$1" ;;
uml) debug uml um linux ;;
source) printf 'SRC=%q\n' "$(source_dir)" ;;
*)
	if [ -n "${1:-}" ] && [ -e "$HERE/config/$1.config" ]; then
		debug "$1"
	else
		die "unknown kernel '${1:-}'; one of: 6.12 6.12-cloud 6.12-rt 6.1 6.1-cloud debug kcsan rtdebug uml source"
	fi
	;;
esac
