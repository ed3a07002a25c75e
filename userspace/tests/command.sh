#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What ringbuf(1) does without a ring, or with a tree that stands in for one, under
# sanitizers. TAP; on the host.
set -euo pipefail
# shellcheck source=tap_lib.sh disable=SC2317 # what check() calls
. "$(dirname "$0")/tap_lib.sh"

workdir command
# shellcheck source=tree_lib.sh
. userspace/tests/tree_lib.sh

build()
{
	"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -O1 -g -Wall -Wextra \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		'-DRINGBUF_VERSION="0"' -Iuserspace/lib -Iuapi -o "$work/ringbuf" \
		userspace/cli/*.c userspace/lib/*.c
}

# rb_of ROOT ARGUMENT…: of a tree
rb_of()
{
	local root=$1
	shift
	# What is left to the kernel to free is no leak.
	ASAN_OPTIONS=detect_leaks=0 RINGBUF_TEST_ROOT=$root timeout 20 "$work/ringbuf" "$@"
}

# rb ARGUMENT…: of the tree of below
rb()
{
	rb_of "$work/root" "$@"
}

# ends STATUS COMMAND…: stdout goes to $work/got, stderr to $work/said
ends()
{
	local wanted=$1 status=0
	shift
	"$@" >"$work/got" 2>"$work/said" || status=$?
	[ "$status" = "$wanted" ] || {
		echo "status $status, not $wanted: $*"
		cat "$work/got" "$work/said"
		return 1
	}
}

# has FILE PATTERN
has()
{
	grep -q -e "$2" "$work/$1" || {
		echo "no '$2' in:"
		cat "$work/$1"
		return 1
	}
}

# All that a consumer can be, and the longest that top says of a writer.
most_flags()
{
	ends 0 rb info
	has got ' framed,reliable,eof,demoted,writer$'
	COLUMNS=200 ends 0 rb top --iterations 1 --interval 0.05
	has got ' writer 4194303 (systemd-journal), '
}

# A thread that writes waits for the file's own consumer: said if that one is the
# slowest, and only then.
waits_for_itself()
{
	local root=$work/self
	(
		mkdir -p "$root"
		cd "$root"
		ring ringbuf 2
		process 71 prog '' '' 0100002 0x2
		process 72 agent '' 'ringbuf_pos:\t640\n' 0100000 0x2
	)
	ends 0 rb_of "$root/root" info
	has got '  waits for    its own file: 71 (prog), fd 3, is a reliable consumer, too$'
	ends 0 rb_of "$root/root" info --json
	has got '"waits_for": 71, "waits_for_itself": true,'
	ends 0 rb_of "$root/root" top --iterations 1 --interval 0.05
	has got 'the writer waits for its own file: 71 (prog), fd 3, '
	# It reads on; then it is the other one.
	sed -i 's/^ringbuf_pos:.*/ringbuf_pos:\t800/' "$root/root/proc/71/fdinfo/3"
	ends 0 rb_of "$root/root" info --json
	has got '"waits_for": 71, "waits_for_itself": false,'
	# A file that only writes.
	sed -i '/^ringbuf_/d' "$root/root/proc/71/fdinfo/3"
	ends 0 rb_of "$root/root" info
	has got '  waits for    71 (prog)$'
}

# What a ring is.
identity()
{
	ends 0 rb info
	has got '^  clock        boottime$'
	has got '^  id           00112233-4455-6677-8899-aabbccddeeff$'
	ends 0 rb info --json
	has got '"id": "00112233-4455-6677-8899-aabbccddeeff", "clock": "boottime", "clockid": 7,'
}

# An output that nobody reads any more is said where SIGPIPE is ignored.
broken_pipe()
{
	local command
	trap '' PIPE
	rm -f "$work/pipe"
	mkfifo "$work/pipe"
	for command in ls 'ls --json' info 'info --json' metrics --help 'info --help' \
		'top --iterations 1 --interval 0.05'; do
		# shellcheck disable=SC2086 # words
		ends 1 into_nothing $command
		has said 'standard output: Broken pipe'
	done
}

into_nothing()
{
	# Open for writing as long as there is a reader, which then goes.
	exec 3<>"$work/pipe" 4>"$work/pipe" 3<&-
	rb "$@" >&4
}

# None at all, and one that is asked for and not there.
no_ring()
{
	local root=$work/empty how
	mkdir -p "$root/proc" "$root/sys/class/ringbuf"
	for how in '' --json nonsense '--json nonsense'; do
		# shellcheck disable=SC2086 # words
		ends 1 rb_of "$root" info $how
		has said 'no such ring'
		case $how in
		--json*) [ "$(cat "$work/got")" = '{"rings": []}' ] ;;
		*) [ ! -s "$work/got" ] ;;
		esac
	done
}

# Complaints are about the word that is wrong.
bad_words()
{
	ends 2 rb cat --json -zn
	has said "cat: no option '-z'"
	ends 2 rb cat ringbuf --json -nz
	has said "cat: no option '-z'"
	ends 2 rb cat --json=yes -zn
	has said "cat: option '--json' takes no value"
	ends 2 rb cat --jsen -zn
	has said "cat: no option '--jsen'; did you mean --json?"
	ends 2 rb cat -jf
	has said "cat: option '-jf' needs a value"
	ends 0 rb help help
	has got '^usage: ringbuf COMMAND'
}

# Plain numbers, and none for which somebody would wait for years.
slow()
{
	local number
	for number in 1e-11 1e3 0x10 0x1p-3 0 0.0 0.0000009 1.2.3 nan inf -1 . ''; do
		ends 2 rb pub --rate "$number"
		has said 'pub: --rate wants .* 0.000001'
		ends 2 rb replay --speed "$number" /dev/null
		has said 'replay: --speed wants .* 0.000001'
	done
	for number in 1e3 0x10 inf -1; do
		ends 2 rb cat --timeout "$number"
		has said "cat: --timeout wants seconds, not '$number'"
		ends 2 rb top --interval "$number"
		has said 'top: --interval wants seconds'
	done
	for number in 0.000001 .5 2. 1000/s 0.1/s; do
		ends 1 rb pub --rate "$number" nonsense
		has said 'no such ring'
	done
}

# A FIFO waits for who reads it; to be stopped meanwhile is no failure.
fifo()
{
	local signal
	mkfifo "$work/fifo"
	for signal in INT TERM HUP; do
		ends 0 timeout --preserve-status -s $signal 0.5 "$work/ringbuf" record -v "$work/fifo"
		has said 'fifo: 0 records, 0 B; 0 lost'
	done
}

mkdir -p "$work/root/proc"
(
	cd "$work"
	ring ringbuf 1
	process 4194303 systemd-journal '' '' 0100002 0x7 0x2
)

check 'builds' build
check 'info and top show all flags of a writer' most_flags
check 'info and top tell of a writer that waits for its own file' waits_for_itself
check 'info tells the id and the clock' identity
check 'a broken pipe is said' broken_pipe
check 'info without a ring, with --json or not' no_ring
check 'complaints name the word that is wrong' bad_words
check 'rates, speeds and seconds' slow
check 'record to a FIFO that nobody reads can be stopped' fifo
echo "1..$count"
exit $failed
