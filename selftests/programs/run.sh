#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh GROUP, in the guest's Debian root: runs the tests in GROUP.sh, as TAP. There is
# a ring for each kind of records (records.c), filled once; each program reads its ring
# from the oldest record on. KINDS in a test's environment: only these.
set -u
here=${0%/*}
config=/sys/kernel/config/ringbuf
kinds='one two unterminated empty 600 200000 mixed'
# For what is much like something that was run on all of them.
few='200000 mixed'
# Of a program, in seconds; only one that hangs takes so long.
limit=120
work=$(mktemp -d)
count=0
# For commands that want the file with the same bytes.
export kind
cd "$work" || exit

# make_ring NAME [SIZE]
make_ring()
{
	mkdir "$config/$1" && echo "${2:-1048576}" >"$config/$1/size" && echo 1 >"$config/$1/live"
}

destroy_ring()
{
	rmdir "$config/$1"
}

cleanup()
{
	for kind in $kinds json; do
		destroy_ring "$kind"
	done
	rm -rf "$work"
}

# version PACKAGE: its name and version
version()
{
	grep "^$1 " /packages
}

# result STATUS NAME: with what is in the file why
result()
{
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		head -c 4000 why | sed 's/^/# /'
		echo "not ok $count - $2"
	fi
}

# bytes FILE: how it begins and how it ends
bytes()
{
	echo "$1: $(stat -c %s "$1") bytes"
	od -A d -c "$1" | head -n 6
	od -A d -c "$1" | tail -n 4
}

# same NAME STATUS [WANTED]: the program ended with STATUS; is that as WANTED, and what it
# wrote, in the file out, as the file want?
same()
{
	{
		# A program that is not there does the same with a ring and with a pipe.
		[ "$2" != 127 ] && [ "$2" = "${3:-0}" ] && cmp out want || {
			echo "status $2, not ${3:-0}; 127: there is no such program"
			bytes want
			bytes out
			head -n 20 err
			false
		}
	} >why 2>&1
	result $? "$1"
}

# with_end COMMAND…: its stdin, a ring, ends when all is read
with_end()
{
	timeout "$limit" until_end "$@"
}

# retained NAME STATUS COMMAND…: what is in the ring already, to the end
retained()
{
	local name=$1 wanted=$2
	shift 2
	with_end "$@" <"/dev/ringbuf-$kind" >out 2>err
	same "$name: $kind" $? "$wanted"
}

# live NAME STATUS COMMAND…: what is published while the program waits for it. A ring
# without a writer would end at once.
live()
{
	local name=$1 wanted=$2 pid
	shift 2
	make_ring live
	exec 6>/dev/ringbuf-live
	with_end "$@" </dev/ringbuf-live >out 2>err 6>&- &
	pid=$!
	records "$kind" "$pid" >&6 2>why || result 1 "$name: not all was published"
	exec 6>&-
	wait "$pid"
	same "$name: live, $kind" $? "$wanted"
	destroy_ring live
}

# prints WANT NAME COMMAND…: stdin is a ring, which COMMAND reads to its end; it writes
# what WANT FILE does, and ends with the same status. Once for each kind of records.
prints()
{
	local want=$1 name=$2 status
	shift 2
	for kind in ${KINDS:-$kinds}; do
		$want "$kind" "$@" >want 2>/dev/null
		status=$?
		retained "$name" "$status" "$@"
	done
	live "$name" "$status" "$@"
}

# copies NAME COMMAND…: every byte once, in order
copies()
{
	prints all "$@"
}

all()
{
	cat "$1"
}

# agrees NAME COMMAND…: it does with a ring what it does with a pipe
agrees()
{
	prints from_pipe "$@"
}

from_pipe()
{
	local file=$1
	shift
	cat "$file" | "$@"
}

# lines FILE: with a newline at the end
lines()
{
	sed '$a\' "$1"
}

# stops NAME COMMAND…: COMMAND FILE ends before the end of the file, and does with a ring
# what it does with a file
stops()
{
	local name=$1 status
	shift
	for kind in ${KINDS:-one two 600 200000 mixed}; do
		"$@" "$kind" >want 2>/dev/null
		status=$?
		timeout "$limit" "$@" "/dev/ringbuf-$kind" >out 2>err </dev/null
		same "$name: $kind" $? "$status"
	done
}

# goes_on NAME COMMAND…: COMMAND FILE writes all there is to the file out, and then waits
# for more, until it is told to end
goes_on()
{
	local name=$1 pid
	shift
	for kind in ${KINDS:-$kinds}; do
		cp "$kind" want
		timeout "$limit" "$@" "/dev/ringbuf-$kind" >out 2>err </dev/null &
		pid=$!
		until cmp -s out want || ! kill -0 "$pid" 2>/dev/null; do
			sleep 0.05
		done
		kill "$pid" 2>>err
		same "$name: $kind" $?
		wait "$pid"
	done
}

# shares NAME WANTED KIND COMMANDS: shell COMMANDS, one after the other, with one stdin
shares()
{
	kind=$3
	printf '%b' "$2" >want
	retained "$1" 0 bash -c "$4"
}

trap cleanup EXIT
trap 'exit 143' TERM
for kind in $kinds json; do
	make_ring "$kind" && records "$kind" >"/dev/ringbuf-$kind" && records "$kind" >"$kind" ||
		exit
done
# shellcheck source=/dev/null
. "$here/$1.sh"
echo "1..$count"
