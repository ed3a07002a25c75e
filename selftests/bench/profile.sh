#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Where the instructions of a system call go: by function, each instruction counted,
# of write() and read() through a ring and through what else there is.
set -euo pipefail
. "$(dirname "$0")/../vm/lib.sh"

usage()
{
	cat <<'USAGE'
usage: profile.sh [OPTION]... [CASE]...      (default: ring pipe)

  -k KERNEL   see vm/kernel.sh (default 6.12)
  -m MODULE   a ringbuf.ko to look at instead of the tree's
  -n MIB      of trace for each case (default 120: a million instructions)
  -o DIR      keep what was counted, as CSV: CASE.csv with
              call,function,instructions; and, by address, CASE.pcs
  -a ARGS     more kernel parameters

Cases: ring ring-64-idle ring-mapped ring-framed-64K ring-batch pipe pipe-batch seqpacket
eventfd kmsg getppid; see profile.c. The emulator runs each instruction by
itself there and tells its address; a call in which an interrupt came is left
out, so the figures are the same each time. A function has what was put in line
in it, not what it calls; for the module, if it was built with debug information,
there is a second table by what was put in line. What making room for a stride of records takes, and
the like, is spread over all calls.
USAGE
}

kernel=6.12 mib=120 keep='' append='' ko=''
while getopts k:m:n:o:a:h opt; do
	case $opt in
	k) kernel=$OPTARG ;;
	m) ko=$(realpath "$OPTARG") ;;
	n) mib=$OPTARG ;;
	o) mkdir -p "$OPTARG" && keep=$(realpath "$OPTARG") ;;
	a) append=" $OPTARG" ;;
	h) usage; exit ;;
	*) usage >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || set -- ring pipe

workdir profile

"$TOP/selftests/vm/deps.sh"
[ -n "$ko" ] || ko=$("$TOP/selftests/vm/build.sh" "$kernel")/kmod/ringbuf.ko
"${CC:-gcc}" -O2 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -I"$TOP/uapi" \
	-I"$TOP/userspace/lib" -static -o "$work/profile" "$TOP/selftests/bench/profile.c" \
	"$TOP"/userspace/lib/*.c

# By a clock of instructions, so that time does not pass while it is looked at.
mkdir "$work/bin"
mkfifo "$work/monitor.in" "$work/monitor.out"
cat >"$work/bin/qemu-system-x86_64" <<-WRAPPER
	#!/bin/bash
	exec $(command -v qemu-system-x86_64) "\${@/thread=multi/thread=single}" \\
		-icount shift=0,sleep=off -monitor pipe:$work/monitor
WRAPPER
chmod +x "$work/bin/qemu-system-x86_64"

cases=$*
PATH=$work/bin:$PATH "$TOP/selftests/vm/run.sh" --kernel "$kernel" --smp 2 --quiet \
	--timeout 900 --append "clocksource=tsc tsc=reliable clearcpuid=erms,fsrm$append" \
	--file "$ko:/ringbuf.ko" --file "$work/profile" --out kallsyms="$work/kallsyms" -- \
	"echo N >/sys/module/printk/parameters/ignore_loglevel; dmesg -n 1
	insmod /ringbuf.ko || exit
	cat /proc/kallsyms >/kallsyms
	for c in $cases; do /profile \$c 1 || exit; done" >"$work/out" &
guest=$!

# Open both, or qemu waits for ever; what it answers is not looked at.
exec 7>"$work/monitor.in"
cat "$work/monitor.out" >/dev/null &
monitor()
{
	# The name of it has changed in qemu 8.1: one of the two is refused.
	printf '%s\n' "$@" >&7
}

alive()
{
	kill -0 "$guest" 2>/dev/null || {
		cat "$work/out" >&2
		die "the guest ended too early"
	}
}

n=0
for c in $cases; do
	n=$((n + 1))
	while [ "$(grep -c '^profile: start' "$work/out")" -lt $n ]; do
		alive
		sleep 0.1
	done
	monitor stop "logfile $work/$c.log" "singlestep on" "one-insn-per-tb on" \
		"log exec,nochain" cont
	while [ "$(stat -c %s "$work/$c.log" 2>/dev/null || echo 0)" -lt $((mib << 20)) ]; do
		alive
		sleep 0.1
	done
	monitor stop "log none" "logfile /dev/null" "singlestep off" "one-insn-per-tb off" cont
done
status=0
wait "$guest" || status=$?
guest=
[ $status = 0 ] || { cat "$work/out" >&2; die "the guest failed"; }

# The program's own functions have names, too.
{
	nm "$work/profile" | awk '$2 ~ /[tT]/ { print $1, $3 }'
	awk '$2 ~ /[tTwW]/ { print $1, $3, $4 }' "$work/kallsyms"
} >"$work/symbols"

export PYTHONDONTWRITEBYTECODE=1
for c in $cases; do
	# The address is the second of the four numbers in brackets.
	sed -n 's,^Trace 1: [^[]*\[[^/]*/\([0-9a-f]*\)/.*,\1,p' "$work/$c.log" >"$work/$c.pcs"
	rm "$work/$c.log"
	"$TOP/selftests/bench/profile.py" "$c" "$work/$c.pcs" "$work/symbols" "$ko" \
		"$work/$c.csv" >"$work/$c.md"
	[ -z "$keep" ] || mv "$work/$c.pcs" "$keep/"
done
cd "$work"
read -ra names <<<"$cases"
"$TOP/selftests/bench/profile.py" parts "${names[@]/%/.csv}"
cat "${names[@]/%/.md}"
[ -z "$keep" ] || cp ./*.csv symbols "$keep/"
