#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# ringbuf(1) with readers that the writer waits for, with marks, and with rings that
# are destroyed, in the guest.
# shellcheck disable=SC1091,SC2217,SC2317 # it lies in the guest; bg reads; check() calls
. "$(dirname "$0")/lib_cli.sh"

# of RING NAME: what sysfs tells
of()
{
	cat "/sys/class/ringbuf/ringbuf-$1/$2"
}

of_is()
{
	[ "$(of "$1" "$2")" = "$3" ]
}

# make [OPTION]...: a ring 'one', and a mounted configfs
make()
{
	rb create -s 64K "$@" one
}

# ended PID: its status, where that is no failure
ended()
{
	status=0
	wait "$1" || status=$?
}

# A stopped reader holds the writer; nothing is lost.
reliable()
{
	make --reliable
	echo 0 | rb pub one
	bg "$@" >got 2>said &
	reader=$!
	until_true of_is one reliable_consumers 1
	until_true lines_in got 1
	kill -STOP $reader
	seq 1 6000 | rb pub one &
	writer=$!
	until_true of_is one holder $reader
	ends 0 rb info one
	grep -q 'reliable  *1 consumer; the writer waits for ever' got.info
	grep -q "waits for  *$reader (ringbuf)" got.info
	grep -q ' reliable\| framed,reliable' got.info
	ends 0 rb info --json one
	grep -q "\"waits_for\": $reader, " got.info
	ends 0 rb top -n 1 -i 0.1 one
	grep -q "the writer waits for $reader (ringbuf)" got.info
	kill -CONT $reader
	ended $writer
	same 0 $status
	ended $reader
	same 0 $status
	silent
}

t_reliable()
{
	out_info
	reliable cat --reliable -c 6001 one
	seq 0 6000 | cmp - got
	of_is one holder 0
}

t_reliable_record()
{
	out_info
	# It has no lines, so what it has is seen in the kernel's account.
	lines_in()
	{
		until_true test -s f
	}
	reliable record --reliable -c 6001 one f
	same 6001 "$(rb replay -v f ringbuf 2>&1 | sed 's/.*published \([0-9]*\) .*/\1/')"
}

# ends() for what looks on while got and said are those of the reader
out_info()
{
	ends()
	{
		wanted=$1
		shift
		"$@" >got.info 2>&1 || return 1
		[ "$wanted" = 0 ]
	}
	silent()
	{
		same '' "$(cat said)"
	}
}

t_not_allowed()
{
	make
	ends 1 rb cat --reliable one
	said "'one' allows no reliable readers"
	ends 1 rb record --reliable one f
	said "'one' allows no reliable readers"
	ends 1 rb cat --reliable
	said 'reliable=1 of the module'
}

t_demoted()
{
	make --reliable --stall 300ms
	echo 0 | rb pub one
	bg cat --reliable --timeout 3 one >got 2>said &
	reader=$!
	until_true lines_in got 1
	kill -STOP $reader
	seq 1 6000 | rb pub one
	of_is one reliable_consumers 0
	rb info one | grep -q ' demoted'
	rb info --json one | grep -q '"reliable": false, "eof": false, "demoted": true'
	rb top -n 1 -i 0.1 one | grep -q ' demoted '
	kill -CONT $reader
	ended $reader
	same 1 $status
	said "has held the writer of the ring 'one' for too long"
	said 'lost [0-9]* records'
	same 1 "$(grep -c 'too long' said)"
	same 6000 "$(tail -n 1 got)"
}

t_wake_records()
{
	make
	bg cat --wake-records 5 one >got 2>said &
	reader=$!
	until_true of_is one consumers 1
	usleep 200000
	seq 1 4 | rb pub --rate 20/s one
	usleep 300000
	same '' "$(cat got)"
	echo 5 | rb pub one
	until_true lines_in got 5
	kill $reader
	ended $reader
	same 143 $status
}

t_wake_bytes()
{
	make
	# A frame of 32 bytes each.
	bg cat --wake-bytes 96 one >got &
	until_true of_is one consumers 1
	usleep 200000
	seq 1 2 | rb pub one
	usleep 300000
	same '' "$(cat got)"
	echo 3 | rb pub one
	until_true lines_in got 3
}

t_wake_after()
{
	make
	bg cat --wake-records 100 --wake-after 1s one >got &
	until_true of_is one consumers 1
	usleep 200000
	echo 1 | rb pub one
	usleep 300000
	same '' "$(cat got)"
	until_true lines_in got 1
}

# No more than there will be; and none is left behind.
t_wake_ends()
{
	make
	bg cat --wake-records 100 -c 3 one >got &
	reader=$!
	until_true of_is one consumers 1
	usleep 200000
	seq 1 3 | rb pub one
	ended $reader
	same 0 $status
	same '1 2 3' "$(xargs <got)"
	bg cat --wake-records 100 --from newest --timeout 1 one >got &
	reader=$!
	until_true of_is one consumers 1
	usleep 200000
	seq 4 5 | rb pub one
	ended $reader
	same '4 5' "$(xargs <got)"
	(sleep 1; seq 6 7) | rb pub one &
	until_true of_is one writer 1
	ends 0 rb cat --wake-records 100 --from newest --until-eof one
	same '6 7' "$(xargs <got)"
	wait
	ends 2 rb cat --wake-records many one
	ends 2 rb cat --wake-bytes 5G one
	ends 2 rb record --wake-after 5x one f
	said 'such as 10ms or 0.5s'
}

# What it tells of the records that were left is exact, though a reader may make
# room between a signal and the end.
t_reliable_stopped()
{
	make --reliable
	bg cat --reliable one >got &
	reader=$!
	until_true of_is one reliable_consumers 1
	for i in 1 2 3 4 5 6 7 8; do
		before=$(of one head_seq)
		kill -STOP $reader
		seq 1 4000 | bg pub -v one 2>said &
		writer=$!
		until_true of_is one holder $reader
		kill -TERM $writer
		usleep 15000
		kill -CONT $reader
		ended $writer
		same $(($(of one head_seq) - before)) \
			"$(sed 's/^[^0-9]*\([0-9]*\) .*/\1/' said)"
	done
}

# A save of the resume file is no reason to take what is too little.
t_wake_resume()
{
	make
	rm -f state
	echo 0 | rb pub one
	bg cat --wake-records 3 --resume state one >got &
	# What is there at the start is not waited for.
	until_true lines_in got 1
	seq 1 2 | rb pub one
	usleep 1500000
	same 1 "$(wc -l <got)"
	same 'next_seq 1' "$(grep next_seq state)"
	echo 3 | rb pub one
	until_true lines_in got 4
}

# What came before the signal is recorded.
t_wake_record_stop()
{
	make
	rm -f f
	bg record --wake-records 100 one f &
	reader=$!
	until_true of_is one consumers 1
	usleep 200000
	seq 1 4 | rb pub one
	usleep 200000
	test ! -s f
	kill -INT $reader
	ended $reader
	same 0 $status
	same 128 "$(wc -c <f)"
}

# destroyed STATUS COMMAND...: with a reader that has most of it still to read
destroyed()
{
	wanted=$1
	shift
	make
	echo 0 | rb pub one
	bg "$@" >got 2>said &
	reader=$!
	until_true of_is one consumers 1
	usleep 200000
	kill -STOP $reader
	seq 1 1000 | rb pub one
	rb rm one
	test ! -e /dev/ringbuf-one
	kill -CONT $reader
	ended $reader
	same "$wanted" $status
}

t_destroyed()
{
	destroyed 1 cat one
	same "ringbuf: the ring 'one' has been destroyed" "$(cat said)"
	seq 0 1000 | cmp - got
}

# In the middle of a sleep.
t_destroyed_idle()
{
	make
	bg cat one >got 2>said &
	reader=$!
	until_true of_is one consumers 1
	usleep 200000
	rb rm one
	ended $reader
	same 1 $status
	said "the ring 'one' has been destroyed"
	make
	bg cat --wake-records 10 one >got 2>said &
	reader=$!
	until_true of_is one consumers 1
	usleep 200000
	echo 1 | rb pub one
	rb rm one
	ended $reader
	same 1 $status
	same 1 "$(cat got)"
}

t_destroyed_until_eof()
{
	make
	exec 4>/dev/ringbuf-one
	bg cat --until-eof one >got 2>said &
	reader=$!
	until_true of_is one consumers 1
	usleep 200000
	rb rm one
	ended $reader
	same 0 $status
	said "the ring 'one' has been destroyed"
	exec 4>&-
}

t_destroyed_record()
{
	rm -f f
	destroyed 1 record one f
	same "ringbuf: the ring 'one' has been destroyed" "$(cat said)"
	rb replay f
	seq 0 1000 >wanted
	rb cat -n | cmp - wanted
}

t_destroyed_writer()
{
	make
	mkfifo pipe
	bg pub one <pipe 2>said &
	writer=$!
	exec 4>pipe
	echo 1 >&4
	until_true of_is one head_seq 1
	rb rm one
	echo 2 >&4
	exec 4>&-
	ended $writer
	same 1 $status
	said "the ring 'one' has been destroyed"
	said 'no more than 1 of 2 records'
}

# Who still has it, and another one of its name.
t_destroyed_shown()
{
	make
	sleep 60 </dev/ringbuf-one &
	holder=$!
	until_true of_is one consumers 1
	rb rm one
	ends 0 rb info
	grep -q '^/dev/ringbuf-one$' got
	grep -q 'destroyed' got
	grep -q '^/dev/ringbuf$' got
	ends 0 rb info one
	grep -q 'destroyed' got
	ends 0 rb info --json one
	grep -q '"name": "ringbuf-one", "destroyed": true, .*"consumers": 1' got
	ends 0 rb top -n 1 -i 0.1 one
	grep -q '/dev/ringbuf-one: destroyed, and still open' got
	make
	ends 0 rb info --json one
	grep -q '"name": "ringbuf-one", "destroyed": false, .*"consumers": 0' got
	ends 0 rb info --json
	same 2 "$(grep -c '"name": "ringbuf-one"' got)"
	kill $holder
	wait $holder || true
	rb rm one
	ends 1 rb info one
}

echo 'TAP version 13'
check reliable t_reliable
check reliable_record t_reliable_record
check reliable_stopped t_reliable_stopped
check not_allowed t_not_allowed
check demoted t_demoted
check wake_records t_wake_records
check wake_bytes t_wake_bytes
check wake_after t_wake_after
check wake_ends t_wake_ends
check wake_resume t_wake_resume
check wake_record_stop t_wake_record_stop
check destroyed t_destroyed
check destroyed_idle t_destroyed_idle
check destroyed_until_eof t_destroyed_until_eof
check destroyed_record t_destroyed_record
check destroyed_writer t_destroyed_writer
check destroyed_shown t_destroyed_shown
finish
