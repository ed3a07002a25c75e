#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make bench-readme: the README's figures, as Markdown, from one guest.
#   bench.sh [KERNEL [ROUNDS [CALLS [KERNEL-PARAMETER...]]]]
set -euo pipefail
. "$(dirname "$0")/../vm/lib.sh"

kernel=${1:-6.12} rounds=${2:-401} calls=${3:-250}
shift $(($# < 3 ? $# : 3))

work=$(mktemp -d "${TMPDIR:-/tmp}/ringbuf-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT

"$TOP/selftests/vm/deps.sh"
modules=$("$TOP/selftests/vm/build.sh" "$kernel")
cd "$TOP/selftests/bench"
cc=("${CC:-gcc}" -O2 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-parameter
	-I"$TOP/uapi" -I"$TOP/userspace/lib")
core=(-I../native/include -I"$TOP" -I"$TOP/kmod" -I"$TOP/kmod/tests")
"${cc[@]}" -static -o "$work/syscalls" syscalls.c
"${cc[@]}" -static -o "$work/mapped" mapped.c "$TOP"/userspace/lib/*.c
# Shares names with the library, but not a file.
for c in native_ring.c ../native/storage.c "$TOP/kmod/core.c" "$TOP/kmod/hold.c"; do
	"${cc[@]}" "${core[@]}" -c -o "$work/$(basename "$c" .c).o" "$c"
done
"${cc[@]}" -o "$work/lag" lag.c "$work"/*.o "$TOP"/userspace/lib/*.c

# The guest's CPU is emulated, and some of it would distort the comparison:
# - a serial console would slow down who writes to /dev/kmsg, so it is quiet
#   (run.sh lifts the rate limit, by printk.devkmsg=on);
# - the kernel would take the emulated HPET for its clock, which costs more than
#   a record, so it is told to take the TSC, as it does on real machines;
# - REP MOVSB moves one byte at a time, where real ones move a cache line, so
#   the kernel is told to copy without it.
# shellcheck disable=SC2016 # for the guest
guest='
echo N >/sys/module/printk/parameters/ignore_loglevel
dmesg -n 1
insmod /ringbuf.ko || exit
echo "Linux $(uname -r), $(nproc) CPUs, clock $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource), emulated (TCG)"
'
"$TOP/selftests/vm/run.sh" --kernel "$kernel" --smp 2 --quiet \
	--timeout 120 --append "clocksource=tsc tsc=reliable clearcpuid=erms,fsrm $*" \
	--file "$modules/kmod/ringbuf.ko" --file "$work/syscalls" --file "$work/mapped" -- \
	"$guest /syscalls $rounds $calls && /mapped $((rounds / 4 + 1))"
# In the cache, and out of it.
"$work/lag" 1 301
"$work/lag" 64 31
