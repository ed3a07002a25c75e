#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ringbuf metrics, as TAP, on this machine: of trees that stand in for /sys and
# /proc. What it tells of real rings is in cli_metrics.sh.
set -u
cd "$(dirname "$0")/.." || exit
ringbuf=${RINGBUF:-../build/userspace/ringbuf-static}
[[ $ringbuf == /* ]] || ringbuf=$PWD/$ringbuf
tests=$PWD/tests
# shellcheck source=tree_lib.sh
. tests/tree_lib.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/ringbuf-metrics.XXXXXX") || exit
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$work" || exit
n=0 failed=0

# check NAME COMMAND…
check()
{
	local name=$1
	shift
	n=$((n + 1))
	if "$@" >log 2>&1; then
		echo "ok $n - $name"
	else
		failed=1
		sed 's/^/# /' log
		echo "not ok $n - $name"
	fi
}

skip()
{
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

metrics()
{
	RINGBUF_TEST_ROOT=$work/root "$ringbuf" metrics "$@"
}

# sound COMMAND… -- SAMPLE…
sound()
{
	local command=()
	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	shift
	"${command[@]}" >got || { echo "status $?"; return 1; }
	"$tests/metrics.py" "$@" <got || { cat got; return 1; }
}

mkdir -p root/proc root/sys/class/ringbuf
check no_ring sound metrics -- 'ringbuf_rings 0'

ring ringbuf 2
ring ringbuf-audit 5
process 70 agent '' 'read_records:\t5\nread_bytes:\t160\nmax_lag_records:\t25\nmax_lag_bytes:\t800\n'
process 71 'a"b\\c d' '' 'read_records:\t0\nread_bytes:\t0\n'
process 72 'new\nline' audit
process 73 '\0033[2J\0377' audit
process 74 'grün' audit
# CSI as one character, which some terminals obey
process 75 'x\0302\0233y' audit
labels='ring="ringbuf",pid="70",comm="agent",fd="3"'
check rings sound metrics -- 'ringbuf_rings 2' \
	'ringbuf_up{ring="ringbuf"} 1' 'ringbuf_up{ring="audit"} 1' \
	'ringbuf_ring_info{ring="audit",id="00112233-4455-6677-8899-aabbccddeeff",clock="boottime"} 1' \
	'ringbuf_size_bytes{ring="audit"} 4096' \
	'ringbuf_records_total{ring="audit"} 32' \
	'ringbuf_published_bytes_total{ring="audit"} 960' \
	'ringbuf_overwritten_records_total{ring="audit"} 10' \
	'ringbuf_dropped_records_total{ring="audit"} 2' \
	'ringbuf_retained_records{ring="audit"} 20' \
	'ringbuf_retained_bytes{ring="audit"} 640' \
	'ringbuf_max_record_bytes{ring="audit"} 1000' \
	'ringbuf_consumers{ring="audit"} 5' \
	'ringbuf_consumers_not_seen{ring="audit"} 1' \
	'ringbuf_consumers_not_seen{ring="ringbuf"} 0' \
	'ringbuf_reliable_allowed{ring="audit"} 1' \
	'ringbuf_reliable_consumers{ring="audit"} 1' \
	'ringbuf_stall_limit_seconds{ring="audit"} 1.500' \
	'ringbuf_writer{ring="audit"} 1' 'ringbuf_writer_held{ring="audit"} 1'
check consumer sound metrics ringbuf -- 'ringbuf_rings 1' \
	"ringbuf_consumer_lag_records{$labels} 20" \
	"ringbuf_consumer_lag_bytes{$labels} 640" \
	"ringbuf_consumer_max_lag_records{$labels} 25" \
	"ringbuf_consumer_max_lag_bytes{$labels} 800" \
	"ringbuf_consumer_lost_records_total{$labels} 7" \
	"ringbuf_consumer_lost_bytes_total{$labels} 224" \
	"ringbuf_consumer_read_records_total{$labels} 5" \
	"ringbuf_consumer_read_bytes_total{$labels} 160" \
	"ringbuf_consumer_reliable{$labels} 1" \
	"ringbuf_consumer_demoted{$labels} 0" \
	"ringbuf_consumer_holds_writer{$labels} 0" \
	"ringbuf_consumer_mapped{$labels} 0" \
	'ringbuf_consumer_holds_writer{ring="ringbuf",pid="71",comm="a\"b\\c d",fd="3"} 1'
check labels sound metrics audit -- \
	'ringbuf_consumer_lag_bytes{ring="audit",pid="72",comm="new?line",fd="3"} 640' \
	'ringbuf_consumer_lag_bytes{ring="audit",pid="73",comm="?[2J?",fd="3"} 640' \
	'ringbuf_consumer_lag_bytes{ring="audit",pid="74",comm="grün",fd="3"} 640' \
	'ringbuf_consumer_lag_bytes{ring="audit",pid="75",comm="x??y",fd="3"} 640'
# A module that does not tell what was read: then nothing does, not a 0.
not_told()
{
	metrics audit >got && ! grep 'read_records\|max_lag' got
}
check read_untold not_told
check not_there sound metrics audit nonsense -- 'ringbuf_rings 1' \
	'ringbuf_up{ring="nonsense"} 0' 'ringbuf_up{ring="audit"} 1'
check twice sound metrics audit audit /dev/ringbuf-audit -- 'ringbuf_rings 1'
# Not the same ring, but the same label: the one that is there.
check label_twice sound metrics ringbuf /dev/ringbuf-ringbuf -- 'ringbuf_rings 1' \
	'ringbuf_up{ring="ringbuf"} 1'
check label_twice_gone sound metrics /dev/ringbuf-ringbuf ringbuf -- 'ringbuf_rings 1' \
	'ringbuf_up{ring="ringbuf"} 1'

# --- --textfile
textfile()
{
	umask 022
	rm -rf out && mkdir out && echo old >out/ring.prom && chmod 600 out/ring.prom &&
		metrics --textfile out/ring.prom >said 2>&1 && ! grep . said &&
		metrics >want && diff out/ring.prom want &&
		[ "$(stat -c %a out/ring.prom)" = 644 ] && [ "$(ls out)" = ring.prom ]
}
check textfile textfile

# What is replaced is a file.
no_file()
{
	rm -rf out && mkdir out && mkfifo out/fifo && ln -s ring.prom out/link && touch out/ring.prom || return
	for f in fifo link; do
		! metrics --textfile out/$f >said 2>&1 &&
			grep -q "out/$f: is no regular file, so it cannot be replaced" said || return
	done
	[ -p out/fifo ] && [ -L out/link ] && [ "$(ls out | wc -l)" = 3 ]
}
check no_file no_file

# Whoever reads it meanwhile sees all of one.
atomic()
{
	local reader i bad=0
	metrics -t out/ring.prom
	(while :; do
		tail -n 1 out/ring.prom | grep -q '^ringbuf_consumer_mapped{.*} [01]$' || echo torn
	done) >torn 2>&1 &
	reader=$!
	for i in {1..100}; do
		metrics -t out/ring.prom || bad=1
	done
	kill $reader
	wait $reader 2>/dev/null
	! grep . torn && [ $bad = 0 ]
}
check atomic atomic

unwritable()
{
	! metrics -t out/none/ring.prom >said 2>&1 && grep -q 'out/none/ring.prom' said &&
		mkdir -p out/dir.prom && ! metrics -t out/dir.prom >said 2>&1 &&
		grep -q 'out/dir.prom' said && [ "$(ls -d out/dir.prom*)" = out/dir.prom ]
}
check unwritable unwritable

# What was there stays when there is no room for more.
full()
{
	metrics -t out/ring.prom && cp out/ring.prom want || return
	(
		trap '' XFSZ
		ulimit -f 1
		! metrics -t out/ring.prom
	) 2>said && grep -q 'File too large' said && diff out/ring.prom want && [ -z "$(ls out/*.prom.*)" ]
}
check full full

to_full()
{
	! metrics >/dev/full 2>said && grep -q 'standard output: No space left' said
}
check no_space to_full

usage()
{
	"$ringbuf" metrics --nonsense 2>/dev/null
	[ $? = 2 ] || return
	"$ringbuf" metrics -t '' 2>/dev/null
	[ $? = 2 ] || return
	! metrics /dev/null >/dev/null 2>said && grep -q '/dev/null: is not a ring' said
}
check usage usage

# The example rules of Documentation/operators.rst use names that exist.
names()
{
	metrics >got || return
	local name status=1
	for name in $(sed -n '/^.. code-block:: yaml/,/^[A-Za-z]/p' "$tests/../../Documentation/operators.rst" |
		grep -o 'ringbuf_[a-z_]*' | sort -u); do
		status=0
		grep -q "^# TYPE $name " got || { echo "no metric $name"; return 1; }
	done
	[ $status = 0 ] || echo "no rules"
	return $status
}
check rules_names names

# promtool of Debian's package prometheus, where it is: its own opinion
promtool=${PROMTOOL:-$(command -v promtool)}
if [ -n "$promtool" ]; then
	lint()
	{
		metrics | "$promtool" check metrics
	}
	check promtool lint
	rules()
	{
		sed -n '/^.. code-block:: yaml/,/^[A-Z]/p' "$tests/../../Documentation/operators.rst" |
			sed -n 's/^    //p' >rules.yml
		"$promtool" check rules rules.yml
	}
	check promtool_rules rules
else
	skip promtool 'no promtool (package prometheus)'
	skip promtool_rules 'no promtool (package prometheus)'
fi
echo "1..$n"
exit $failed
