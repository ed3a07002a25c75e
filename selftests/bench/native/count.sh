#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make bench-native-check: instructions per record, which are the same on any day,
# against those in count.ref. Fails when one is more than TOLERANCE per cent above;
# another compiler than the one there may need more.
#	count.sh [--update]
set -euo pipefail
cd "$(dirname "$0")"
build=../../../build/bench-native
tolerance=${TOLERANCE:-3}

command -v valgrind >/dev/null || ./deps.sh
command -v valgrind >/dev/null || {
	echo "1..0 # SKIP no valgrind"
	exit 0
}
make -s "$build/count" >&2
compiler=$(${CC:-gcc} -dumpfullversion) machine=$(uname -m)

# instructions BATCH RECORDS PASSES, all in all
instructions()
{
	"$build/count" "$@" || exit
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$build/count" "$@" 2>&1 |
		sed -n 's/.*Collected : *//p' | grep .
}

# Per record, from the difference: 50,000 more of them, 10 more passes over all.
publish()
{
	local few many
	few=$(instructions "$1" 64000 0)
	many=$(instructions "$1" 114000 0)
	awk "BEGIN { printf \"%.2f\", ($many - $few) / 50000 }"
}

read_pass()
{
	local few many records=11000
	few=$(instructions 1 $records 1)
	many=$(instructions 1 $records 11)
	awk "BEGIN { printf \"%.2f\", ($many - $few) / 10 / $records }"
}

# In the code that publishes: instructions that are a full barrier. x86 needs none.
barriers()
{
	objdump -d --no-show-raw-insn "$build/ring.o" |
		awk '/^[0-9a-f]+ <bench_ring_produce>:/ { on = 1; next }
			/^$/ { on = 0 }
			on && /\t(lock|mfence|xchg .*\()/ { n++ }
			END { print n + 0 }'
}

measure()
{
	local batch
	for batch in 1 16 64; do
		# Whole batches.
		echo "publish-$batch $(publish "$batch")"
	done
	echo "read $(read_pass)"
	[[ $machine != x86_64 ]] || echo "publish-full-barriers $(barriers)"
}

if [[ ${1:-} == --update ]]; then
	{
		echo "# Instructions per record of 64 bytes; see count.sh. gcc $compiler $machine"
		measure
	} >count.ref
	cat count.ref
	exit
fi

if ! grep -q "gcc $compiler $machine\$" count.ref; then
	echo "# another compiler than that of count.ref: $compiler $machine; 15 % allowed"
	tolerance=15
fi
measure | awk -v tolerance="$tolerance" '
	FNR == NR { if (!/^#/) ref[$1] = $2; next }
	{
		ok = ($1 in ref) && $2 <= ref[$1] * (1 + tolerance / 100)
		bad += !ok
		printf "%sok %d %s: %s, reference %s\n", ok ? "" : "not ", ++n, $1, $2, ref[$1]
		if (ok && $2 < ref[$1] * (1 - tolerance / 100))
			print "# better: count.sh --update"
	}
	END {
		print "1.." n
		exit bad > 0
	}' count.ref -
