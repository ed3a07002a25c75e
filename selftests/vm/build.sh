#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build.sh NAME: builds the tree's modules for the kernel NAME (see kernel.sh)
# in build/NAME, a copy, so that kernels do not meet; any warning is a failure.
# Prints that directory. Arguments after NAME go to make.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -ge 1 ] || die "usage: build.sh NAME [MAKE-ARGUMENT]..."
name=$1
shift
TOOLS=
paths=$("$TOP/selftests/vm/kernel.sh" "$name")
eval "$paths"

dir=$TOP/build/${name//\//-}
mkdir -p "$dir"
lock "$TOP/build/.${name//\//-}.lock"

copy_modules "$dir"

log=$dir/build.log
make=(make -C "$KDIR" "M=$dir" ${KCC:+"CC=$KCC"} ${KARCH:+"ARCH=$KARCH"} W=1 -j "$(nproc)" "$@" modules)
if [ -n "$TOOLS" ]; then
	. "$TOP/selftests/matrix/lib.sh"
	. "$TOP/selftests/matrix/tools.sh"
	make=(in_tools "${make[@]}" ${CROSS_COMPILE:+"CROSS_COMPILE=$CROSS_COMPILE"})
fi
failed=
"${make[@]}" >"$log" 2>&1 </dev/null || failed=1
# That pahole is newer than the kernel's is no fault of the module's.
if [ -n "$failed" ] || grep -i 'warning' "$log" | grep -v 'pahole version differs' | grep -q .; then
	grep -vE '^ +(CC|LD|MODPOST|BTF|AR)|^make(\[[0-9]+\])?: (Enter|Leav)ing' "$log" >&2 || :
	# Objects that are up to date would warn no more.
	find "$dir" \( -name '*.o' -o -name Module.symvers \) -delete
	[ -z "$failed" ] || die "does not build for $name ($RELEASE)"
	die "warnings in the build for $name ($RELEASE)"
fi
printf '%s\n' "$dir"
