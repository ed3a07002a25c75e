#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernel.sh [ARCH/]SERIES[-FLAVOUR]: makes that kernel of Debian's ready in the cache, and
# prints what vm/kernel.sh prints (which calls this), and besides:
#
#   ARCH           Debian's name of the architecture
#   CROSS_COMPILE  the prefix of its tools; empty for amd64
#   TOOLS          modules are built by in_tools (tools.sh), and KDIR is a directory there
#   BUSYBOX        one of that architecture
#
#   7.3 7.3-rt 7.3-cloud 7.2 7.2-rt           amd64
#   arm64/7.3 arm64/7.3-16k arm64/6.12 arm64/6.12-16k s390x/7.2 riscv64/7.2
#   ppc64el/7.2 ppc64el/7.2-64k
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/tools.sh"

name=$1
arch=amd64 kernel=$name
[ "${name#*/}" = "$name" ] || arch=${name%%/*} kernel=${name#*/}
series=${kernel%%-*}
flavour=${kernel#"$series"}
flavour=${flavour#-}
link=$MATRIX/kernels/${name//\//-}

# suffix: how a release of this architecture and flavour ends
suffix()
{
	case "$arch/$flavour" in
	ppc64el/) echo powerpc64le ;;
	ppc64el/64k) echo powerpc64le-64k ;;
	arm64/16k) echo arm64-16k ;;
	*/) echo "$arch" ;;
	amd64/rt | amd64/cloud | arm64/rt | arm64/cloud) echo "$flavour-$arch" ;;
	*) die "unknown kernel '$name'" ;;
	esac
}

# linux_image DIR: the file that qemu boots, decompressed where qemu cannot do so
linux_image()
{
	local file
	file=$(find "$1" -name "vmlinu[xz]*" -type f ! -name '*.elf' | head -n 1)
	[ -n "$file" ] || die "no kernel image in $1"
	case "$arch" in
	amd64) unpacked "$file" ;;
	*) printf '%s\n' "$file" ;;
	esac
}

fetch()
{
	local pattern packages version
	lock "$MATRIX/kernels/.lock"
	[ ! -e "$link/release" ] || return 0
	apt_lists
	pattern=$(suffix)
	release=$(apt_names "^linux-headers-${series//./\\.}\.[0-9]+(\+deb[0-9]+)?-$pattern\$" | tail -n 1)
	release=${release#linux-headers-}
	[ -n "$release" ] || die "no package linux-headers-$series.*-$pattern"
	version=$(apt_field "linux-headers-$release:$arch" Version)
	dir=$MATRIX/kernels/${name//\//-}-$version
	if [ ! -e "$dir/release" ]; then
		say "fetching Linux $release for $arch (30 to 200 MB, once)"
		rm -rf "$dir"
		packages=("linux-image-$release:$arch")
		# Since 7.x the image's package is empty.
		[ -z "$(apt_field "linux-binary-$release:$arch" Version)" ] ||
			packages=("linux-binary-$release:$arch" "linux-modules-$release:$arch")
		apt_unpack "$dir" "${packages[@]}" "busybox-static:$arch"
		{
			echo "linux-headers-$release:$arch"
			echo "$(depends "linux-headers-$release:$arch" linux-headers-):all"
			echo "$(depends "linux-headers-$release:$arch" linux-kbuild-):amd64"
		} >"$dir/headers"
		depends "linux-headers-$release:$arch" gcc- >"$dir/gcc"
		depmod -b "$(modules_root "$dir")" "$release" 2>/dev/null || :
		printf '%s\n' "$release" >"$dir/release"
	fi
	ln -sfn "${dir##*/}" "$link.new"
	mv -T "$link.new" "$link"
}

# headers: into the root with the compilers, which may have been made anew
headers()
{
	(
		lock "$MATRIX/kernels/.lock"
		[ ! -e "$TOOLS/.headers-$release" ] || exit 0
		mapfile -t packages <"$dir/headers"
		apt_unpack "$TOOLS" "${packages[@]}"
		touch "$TOOLS/.headers-$release"
	)
}

# modules_root DIR: where lib/modules is
modules_root()
{
	if [ -d "$1/usr/lib/modules" ]; then
		printf '%s\n' "$1/usr"
	else
		printf '%s\n' "$1"
	fi
}

# compiler: the series of gcc that the headers ask for, for their architecture
compiler()
{
	local version
	version=$(sed -E 's/^gcc-([0-9]+).*/\1/' "$dir/gcc")
	if [ -x "$TOOLS/usr/bin/$(triplet "$arch")-gcc-$version" ]; then
		echo "$(triplet "$arch")-gcc-$version"
	else
		echo "$(triplet "$arch")-gcc"
	fi
}

# In a shell of its own, with whose end its lock goes.
[ -e "$link/release" ] || (fetch)
tools_root
dir=$(readlink -f "$link")
release=$(cat "$dir/release")
[ -e "$TOOLS/.headers-$release" ] || headers
case "$arch" in
amd64) karch=x86 ;;
ppc64el) karch=powerpc ;;
riscv64) karch=riscv ;;
s390x) karch=s390 ;;
*) karch=$arch ;;
esac
cross=$(triplet "$arch")-
[ "$arch" != amd64 ] || cross=
printf '%s=%q\n' \
	VMLINUZ "$(linux_image "$dir")" \
	KDIR "/usr/src/linux-headers-$release" \
	RELEASE "$release" \
	MODROOT "$(modules_root "$dir")" \
	KCC "$(compiler)" \
	KARCH "$karch" \
	ARCH "$arch" \
	CROSS_COMPILE "$cross" \
	TOOLS "$TOOLS" \
	BUSYBOX "$(find "$dir" -name busybox -type f | head -n 1)"
