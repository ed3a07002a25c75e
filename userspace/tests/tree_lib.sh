# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by tests on the host: trees, in root/, that stand in for /sys and /proc by
# RINGBUF_TEST_ROOT.

# ring NODE CONSUMERS: of which a producer has published 30 records in a ring of 4096 bytes
ring()
{
	local dir=root/sys/class/ringbuf/$1 name value
	mkdir -p "$dir"
	while read -r name value; do
		echo "$value" >"$dir/$name"
	done <<-ATTRS
		size 4096
		head 960
		tail 320
		head_seq 32
		tail_seq 12
		overwritten 10
		dropped 2
		max_record 1000
		consumers $2
		writer 1
		clock boottime
		id 00112233-4455-6677-8899-aabbccddeeff
		reliable 1
		reliable_consumers 1
		stall_ms 1500
		holder 71
	ATTRS
}

# process PID COMM RING [LINES [FLAGS [CONSUMER [STATS]]]]: a consumer; LINES of its
# fdinfo, and its flags: those of open(), RINGBUF_CONSUMER_* and RINGBUF_STATS_*. Of
# two equal LINES the last one counts.
process()
{
	mkdir -p "root/proc/$1"/{fd,fdinfo}
	printf '%b\n' "$2" >"root/proc/$1/comm"
	: >"root/proc/$1/maps"
	ln -sf "/dev/ringbuf${3:+-$3}" "root/proc/$1/fd/3"
	{
		printf 'pos:\t0\nflags:\t%s\nringbuf:\t%s\n' "${5:-0100000}" "${3:-ringbuf}"
		printf 'ringbuf_pos:\t320\nseq:\t12\nlag_records:\t20\nlag_bytes:\t640\n'
		printf 'lost_records:\t7\nlost_bytes:\t224\n%b' "${4-}"
		printf 'ringbuf_flags:\t%s\nringbuf_stats_flags:\t%s\n' "${6:-0x3}" "${7:-0x0}"
	} >"root/proc/$1/fdinfo/3"
}
