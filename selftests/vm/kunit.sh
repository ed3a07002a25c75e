#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kunit.sh NAME: builds the modules and their KUnit tests for the kernel NAME (see
# kernel.sh), and prints the modules to load, one a line, in that order. A kernel that
# was configured without KUnit gets KUnit's core as a module: see kunit/shim.h.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# = 1 ] || die "usage: kunit.sh NAME"
name=$1
HERE=$(cd "$(dirname "$0")" && pwd)
paths=$("$HERE/kernel.sh" "$name")
eval "$paths"
ours=$("$HERE/build.sh" "$name")

# make_modules DIR ARGUMENT…: a warning is a failure
make_modules()
{
	local dir=$1 failed=
	shift
	make -C "$KDIR" "M=$dir" ${KCC:+"CC=$KCC"} ${KARCH:+"ARCH=$KARCH"} -j "$(nproc)" "$@" \
		modules >"$dir/build.log" 2>&1 </dev/null || failed=1
	if [ -n "$failed" ] || grep -qi warning "$dir/build.log"; then
		cat "$dir/build.log" >&2
		find "$dir" -name '*.o' -delete
		die "KUnit, or a test, does not build for $name ($RELEASE)"
	fi
}

# core_dir: prints where KUnit's core is, in the cache, since no change of ours touches it
core_dir()
{
	local dir source series
	source=$("$HERE/kernel.sh" source)
	eval "$source"
	series=$(make -s -C "$SRC" kernelversion | cut -d . -f 1-2)
	[[ $RELEASE == "$series".* ]] || die "KUnit's core is that of $series, which $RELEASE does not take"
	dir=$CACHE/kernels/kunit-$({
		readlink -f "$KDIR"
		basename "$SRC"
		cat "$0" "$HERE"/kunit/*
	} | sha256sum | cut -c 1-12)
	if [ ! -e "$dir/ready" ]; then
		lock "$CACHE/kernels/kunit.lock"
		if [ ! -e "$dir/ready" ]; then
			rm -rf "$dir"
			mkdir -p "$dir"
			cp "$SRC"/lib/kunit/*.[ch] "$HERE"/kunit/* "$dir"
			sed -i 's/current->kunit_test/shim_current_test/' "$dir/test.c"
			make_modules "$dir"
			touch "$dir/ready"
		fi
	fi
	printf '%s\n' "$dir"
}

if grep -qE '^CONFIG_KUNIT=[ym]' "$KDIR/include/config/auto.conf"; then
	printf '%s\n' "$ours/kmod/ringbuf.ko"
	ls "$ours"/kmod/tests/*.ko
	exit
fi

core=$(core_dir)
dir=$TOP/build/$name-kunit
mkdir -p "$dir"
lock "$TOP/build/.$name-kunit.lock"
copy_modules "$dir"
cp -p "$HERE"/kunit/{shim.h,all_suites.c} "$dir/kmod/tests/"
cd "$TOP"
printf '%s\n' 'obj-m += kmod/tests/' >"$dir/Kbuild"
# shellcheck disable=SC2016 # for make
printf '%s\n' 'ringbuf_kunit-y += all_suites.o' 'ccflags-y += -include $(src)/shim.h' >>"$dir/kmod/tests/Kbuild"
sed -n 's/^kunit_test_suite(\([a-z_0-9]*\));$/SUITE(\1)/p' kmod/tests/*.c >"$dir/suites.h"
cmp -s "$dir/suites.h" "$dir/kmod/tests/suites.h" || mv "$dir/suites.h" "$dir/kmod/tests/suites.h"
make_modules "$dir" KBUILD_EXTRA_SYMBOLS="$ours/Module.symvers $core/Module.symvers"
printf '%s\n' "$core/kunit.ko" "$ours/kmod/ringbuf.ko"
ls "$dir"/kmod/tests/*.ko
