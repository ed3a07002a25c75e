#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Can `make bench-check` fail? Made-up measurements, with and without a slowdown
# in them, against a reference made of the former. As TAP, in a second.
set -uo pipefail
cd "$(dirname "$0")" || exit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PYTHONDONTWRITEBYTECODE=1
count=0 failed=0

# measured RINGS_FACTOR [SETTING]: CSV with ringbuf so many times as slow (in SETTING)
measured()
{
	awk -v factor="$1" -v only="${2:-.*}" 'BEGIN {
		srand(1)
		print "setting,case,contender,round,ns"
		n = split("vm icount", settings, " ")
		for (s = 1; s <= n; s++)
			for (round = 0; round < 30; round++) {
				# The machine is slower now and then, for all.
				load = settings[s] == "vm" ? 1 + 0.5 * (round % 3) : 1
				noise = settings[s] == "vm" ? 0.04 : 0.001
				slow = settings[s] ~ only ? factor : 1
				row("pipe", 2000 * load, noise)
				row("/dev/kmsg", 8000 * load, noise)
				row("ringbuf read()", 1500 * load * slow, noise)
				row("ringbuf read() + 64 idle", 1510 * load * slow, noise)
			}
	}
	function row(who, ns, noise) {
		printf "%s,write + read: 1 reader,%s,%d,%.2f\n", settings[s], who, round, \
			ns * (1 + noise * (rand() - 0.5))
	}'
}

# expect WANTED NAME [STATUS-OF-CHECK IS IN $got]
expect()
{
	count=$((count + 1))
	if [ "$got" = "$1" ]; then
		echo "ok $count $2"
	else
		sed 's/^/# /' "$work/out"
		echo "not ok $count $2: status $got, not $1"
		failed=1
	fi
}

# check FILE [TOOLCHAIN]
check()
{
	got=0
	./report.py check "$1" "$work/ref" "${2:-$work/toolchain}" >"$work/out" 2>&1 || got=$?
}

echo "6.12 gcc 12" >"$work/toolchain"
echo "6.13 gcc 14" >"$work/other"
measured 1 >"$work/same"
./report.py ref "$work/same" "$work/toolchain" >"$work/ref" || failed=1

check "$work/same"
expect 0 "the same measurements pass"
measured 0.8 >"$work/better"
check "$work/better"
expect 0 "faster passes"
measured 1.02 icount >"$work/counted"
check "$work/counted"
expect 1 "2 % more instructions fail"
check "$work/counted" "$work/other"
expect 0 "2 % more instructions of another compiler pass"
measured 1.1 icount >"$work/counted"
check "$work/counted" "$work/other"
expect 1 "10 % more instructions of another compiler fail"
measured 1.5 vm >"$work/timed"
check "$work/timed"
expect 1 "half as much time again fails"
grep -v 'ringbuf read() + 64' "$work/same" >"$work/absent"
check "$work/absent"
expect 1 "a case of ringbuf that is missing fails"
grep -v kmsg "$work/same" >"$work/absent"
check "$work/absent"
expect 0 "a peer that is missing is skipped"
grep -v '^icount' "$work/same" >"$work/absent"
check "$work/absent"
expect 0 "a setting that was not asked for is left out"
head -n 1 "$work/same" >"$work/absent"
check "$work/absent"
expect 1 "a run that measured nothing fails"
echo "1..$count"
exit $failed
