#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make bench-native: the core and the library, natively, against what else there is
# and what the machine can do. Markdown to stdout; the raw figures stay in
# build/bench-native/native.csv.
#	bench.sh [quick | ROUNDS]
#
# SECONDS_AT_MOST=S   end after so many, however many rounds those were
# ANCESTOR=DIR   a checkout with an executable bench-peer in it, which measures the
#                ancestor: see struct program in procs.h
# BENCH_FIFO=1   on a machine that has other things to do: be urgent, for
#                milliseconds at a time (root only)
set -euo pipefail
cd "$(dirname "$0")"
build=../../../build/bench-native

rounds=${1:-61} seconds=${SECONDS_AT_MOST:-36000}
if [[ $rounds == quick ]]; then
	rounds=15 seconds=120
fi

./deps.sh
make -s >&2

# Programs with threads for this and that would starve those if they were urgent.
urgent=
if [[ ${BENCH_FIFO:-} == 1 ]]; then
	urgent='nice -n -20'
fi
peers=()
if [[ -x $build/channels ]]; then
	peers+=(-p "Go channels=exec $urgent $build/channels")
fi
jar=/usr/share/java/disruptor.jar
if [[ -e $build/Broadcast.class && -e $jar ]]; then
	peers+=(-p "LMAX Disruptor=exec $urgent java -cp $jar:$build Broadcast")
fi
if [[ -n ${ANCESTOR:-} && -x $ANCESTOR/bench-peer ]]; then
	peers+=(-p "the ancestor=exec $urgent '$ANCESTOR/bench-peer'")
elif [[ -n ${ANCESTOR:-} ]]; then
	echo "the ancestor: no executable bench-peer in $ANCESTOR, skipped" >&2
else
	echo "the ancestor: ANCESTOR names no checkout, skipped" >&2
fi

# What it was measured on.
machine()
{
	local model
	model=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
	echo "$(nproc) CPUs (${model:-of $(uname -m)})$(grep -qw hypervisor /proc/cpuinfo &&
		echo ', virtual'), Linux $(uname -r), $(gcc --version | head -n 1)."
	[[ ! -x $build/channels ]] || go version | sed 's/^go version //; s/$/./'
	[[ ! -e $build/Broadcast.class ]] || java -version 2>&1 | head -n 1 | sed 's/$/./'
	echo "Others wanted the CPUs, too: load $1 before, $(cut -d' ' -f1 /proc/loadavg) after.${urgent:+ SCHED_FIFO.}"
	make -s missing | sed 's/^\(.\)/Not installed, skipped: \1/'
}

load=$(cut -d' ' -f1 /proc/loadavg)
csv=$build/native.csv
"$build/run" -r "$rounds" -t "$seconds" "${peers[@]}" ${CASES:+-c "$CASES"} >"$csv"
echo "### Native"
echo
machine "$load"
"$build/report" <"$csv"
