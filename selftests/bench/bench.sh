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
"${CC:-gcc}" -O2 -Wall -Wextra -static -I"$TOP/uapi" \
	-o "$work/syscalls" "$TOP/selftests/bench/syscalls.c"

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
	--file "$modules/kmod/ringbuf.ko" --file "$work/syscalls" -- \
	"$guest /syscalls $rounds $calls"
