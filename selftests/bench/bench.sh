#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# More figures than `make bench` has, as Markdown (`make bench-more`: all of them):
#   consumers   one write(), by how many consumers there are, up to 10,000, and what
#               they do
#   batch       what watermarks save
#   crowd       one write(), by how many wait: descriptors, epolls, threads, marks;
#               and how late a thread of real-time priority on that CPU is
#   lag         a mapped reader that lags, natively, against a pass over memory
#   holds       what reliable consumers cost, by how many there are
# The ratio comes first: it is taken within a round, where all cases take turns,
# so it holds on a busy machine, where nanoseconds do not.
set -euo pipefail
. "$(dirname "$0")/../vm/lib.sh"

usage()
{
	cat <<'USAGE'
usage: bench.sh [OPTION]... [NAME]...

  -k KERNEL   see vm/kernel.sh (default 6.12)
  -r ROUNDS   instead of each one's own
  -p CPUS     of the guest (default 2). With -i take one for how late a thread is:
              two CPUs take turns, and the turn of one makes a thread of the other late
  -i          count instructions: a nanosecond is one, and CPUs take turns, so that
              two that wait for each other add up. Figures are the same in each
              run, but for the timer's interrupts: five rounds will do, on a busy
              machine, too. What caches and barriers cost does not show
  -c FILE     all that was measured goes there: table, case, round, nanoseconds
  -a ARGS     more kernel parameters
USAGE
}

kernel=6.12 rounds='' count='' csv='' append='' cpus=2
while getopts k:r:p:ic:a:h opt; do
	case $opt in
	k) kernel=$OPTARG ;;
	r) rounds=$OPTARG ;;
	p) cpus=$OPTARG ;;
	i) count=1 ;;
	c) csv=$(realpath "$OPTARG") ;;
	a) append=" $OPTARG" ;;
	h) usage; exit ;;
	*) usage >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- consumers batch crowd lag holds

work=$(mktemp -d "${TMPDIR:-/tmp}/ringbuf-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
[ -z "$csv" ] || echo table,case,round,ns >"$csv"

"$TOP/selftests/vm/deps.sh"
modules=$("$TOP/selftests/vm/build.sh" "$kernel")
cd "$TOP/selftests/bench"
cc=("${CC:-gcc}" -O2 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-parameter
	-I"$TOP/uapi" -I"$TOP/userspace/lib")

if [ -n "$count" ]; then
	# All CPUs take turns in one thread, by a clock of instructions.
	mkdir "$work/bin"
	cat >"$work/bin/qemu-system-x86_64" <<-WRAPPER
		#!/bin/bash
		exec $(command -v qemu-system-x86_64) "\${@/thread=multi/thread=single}" -icount shift=0,sleep=off
	WRAPPER
	chmod +x "$work/bin/qemu-system-x86_64"
	PATH=$work/bin:$PATH
fi

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
# The crypto API tests itself after boot, and keeps the CPU meanwhile.
while grep -qs cryptomgr_test /proc/[0-9]*/comm; do sleep 1; done
echo "Linux $(uname -r), $(nproc) CPUs, clock $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource), emulated (TCG)"
'

# in_guest PROGRAM COMMAND
in_guest()
{
	"${cc[@]}" -static -o "$work/$1" "$1.c" "$TOP"/userspace/lib/*.c
	"$TOP/selftests/vm/run.sh" --kernel "$kernel" --smp "$cpus" --quiet --timeout 900 \
		--append "clocksource=tsc tsc=reliable clearcpuid=erms,fsrm$append" \
		--modprobe configfs --file "$modules/kmod/ringbuf.ko" --file "$work/$1" \
		${csv:+--out csv="$work/csv"} -- "$guest ${csv:+export BENCH_CSV=/csv;} $2"
	[ -z "$csv" ] || cat "$work/csv" >>"$csv"
}

lag()
{
	local c core=(-I../native/include -I"$TOP" -I"$TOP/kmod" -I"$TOP/kmod/tests")

	# Shares names with the library, but not a file.
	for c in native_ring.c ../native/storage.c "$TOP/kmod/core.c" "$TOP/kmod/hold.c"; do
		"${cc[@]}" "${core[@]}" -c -o "$work/$(basename "$c" .c).o" "$c"
	done
	"${cc[@]}" -Wl,--wrap=set_pos -o "$work/lag" lag.c "$work"/*.o "$TOP"/userspace/lib/*.c
	# In the cache, and out of it.
	BENCH_CSV=$csv "$work/lag" 1 "${rounds:-301}"
	BENCH_CSV=$csv "$work/lag" 64 "${rounds:-31}"
}

for name; do
	case $name in
	lag) lag ;;
	batch) in_guest "$name" "/$name $rounds" ;;
	# Linux 6.12 takes threads that went to sleep off the run queue later, many at
	# once and with interrupts off. The time would count as the ring's.
	crowd) in_guest "$name" "mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
		echo NO_DELAY_DEQUEUE >/sys/kernel/debug/sched/features 2>/dev/null &&
			echo 'The scheduler dequeues at once.' ||
			echo 'This kernel cannot be told to dequeue at once.'
		/$name $rounds" ;;
	holds) in_guest "$name" "rmmod ringbuf && insmod /ringbuf.ko reliable=1 stall_ms=3600000 &&
		/$name join $rounds && /$name full $rounds && rmmod ringbuf &&
		insmod /ringbuf.ko reliable=1 stall_ms=100 && /$name demoted $rounds" ;;
	consumers) in_guest "$name" "/$name $rounds && rmmod ringbuf &&
		insmod /ringbuf.ko reliable=1 && /$name $rounds" ;;
	*) usage >&2; exit 2 ;;
	esac
done
