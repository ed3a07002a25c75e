#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Does `make bench-check` see a slower module? Twice by instructions: the tree's
# module must pass, and one in which each publish runs LOOPS times (default 20, some
# 80 instructions) around an empty loop must not.	planted.sh [LOOPS]
set -euo pipefail
. "$(dirname "$0")/../vm/lib.sh"
loops=${1:-20}
suite=$TOP/selftests/bench/suite.sh
[ -s "$TOP/selftests/bench/ref.csv" ] || die "there is no reference: make bench, make bench-docs"

work=$(mktemp -d "${TMPDIR:-/tmp}/ringbuf-planted.XXXXXX")
trap 'rm -rf "$work"' EXIT
eval "$("$TOP/selftests/vm/kernel.sh" 6.12)"
dir=$("$TOP/selftests/vm/build.sh" 6.12)
cp -r "$dir/." "$work/tree"
sed -i "/ringbuf_ring_publish(struct ringbuf \*/,/^{/ s/^{/{ for (volatile int n = 0; n < $loops; n++) ;/" \
	"$work/tree/kmod/ring.c"
if cmp -s "$dir/kmod/ring.c" "$work/tree/kmod/ring.c"; then
	die "there is no ringbuf_ring_publish() in kmod/ring.c to slow down"
fi
make -s -C "$KDIR" "M=$work/tree" ${KCC:+"CC=$KCC"} modules >"$work/log" 2>&1 || {
	tail "$work/log" >&2
	die "the slower module does not build"
}

status=0
echo "# the tree's"
"$suite" -s icount -o "$work/good" check || status=1
echo "# with $loops rounds of nothing in each publish"
if "$suite" -s icount -o "$work/bad" -M "$work/tree/kmod/ringbuf.ko" check; then
	echo "not ok: the slowdown was not seen"
	status=1
else
	echo "ok: the slowdown was seen"
fi
exit $status
