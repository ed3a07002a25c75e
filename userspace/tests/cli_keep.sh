#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# ringbuf cat --resume, record and replay, in the guest: nothing is missed or
# doubled, and a loss is told.
# shellcheck disable=SC1091,SC2217,SC2317 # it lies in the guest; bg reads; check() calls
. "$(dirname "$0")/lib_cli.sh"

next()
{
	sed -n 's/^next_seq //p' "${1:-state}"
}

t_resume()
{
	rm -f state
	seq 0 9 | rb pub
	ends 0 rb cat -n --resume state -c 4
	same '0 1 2 3' "$(xargs <got)"
	same 4 "$(next)"
	ends 0 rb cat -n --resume state
	same '4 5 6 7 8 9' "$(xargs <got)"
	ends 0 rb cat -n --resume state
	same '' "$(cat got)"
	silent
	same 10 "$(next)"
	same '' "$(ls state.tmp 2>/dev/null)"
}

t_resume_from()
{
	rm -f state
	seq 0 9 | rb pub
	# Only where there is no file; an empty one is none.
	: >state
	rb cat -n --resume state --from newest
	same 10 "$(next)"
	seq 10 12 | rb pub
	same '10 11 12' "$(rb cat -n --resume state --from oldest | xargs)"
	# Saved at the start: killed before the first record, it knows as much.
	rm -f state
	bg cat --resume state --from newest &
	until_true test -s state
	kill -9 $!
	wait $! || true
	seq 13 14 | rb pub
	same '13 14' "$(rb cat -n --resume state --from newest | xargs)"
}

# Stopped by SIGTERM at any moment, again and again, while records come.
t_resume_term()
{
	load size=4194304
	rm -f state all
	(seq 1 40000; sleep 1; seq 40001 50000) | rb pub --rate 25000 &
	writer=$!
	for pause in 300000 90000 170000 40000 230000 120000 60000; do
		bg cat --resume state >>all &
		reader=$!
		usleep $pause
		kill -TERM $reader
		status=0
		wait $reader || status=$?
		same 143 $status
		echo "$pause: $(next)"
	done
	wait $writer
	rb cat --resume state --until-eof >>all
	seq 1 50000 | cmp - all
}

# The same into a pipe that is slow, and then closed.
t_resume_pipe()
{
	load size=4194304
	rm -f state all
	seq 1 30000 | rb pub
	for n in 0 1; do
		mkfifo pipe
		# It is told to stop while the pipe is full.
		(usleep 600000; exec cat) <pipe >>all &
		drain=$!
		# What is in it before makes it full within what cat writes at once.
		(yes '# fill' | head -n 3000; bg cat --resume state) >pipe &
		reader=$!
		usleep $((300000 + n * 40000))
		kill -TERM $reader
		wait $reader || true
		wait $drain
		rm pipe
	done
	rb cat -n --resume state >>all
	sed -i '/^# fill$/d' all
	seq 1 30000 | cmp - all
}

# Whoever reads has what was written; what was not written comes again.
t_resume_sigpipe()
{
	load size=4194304
	rm -f state st
	seq -w 1 99999 | head -n 30000 | rb pub
	(status=0; ringbuf cat --resume state || status=$?; echo $status >st) | head -n 10 >/dev/null
	until_true test -s st
	same 141 "$(cat st)"
	first=$(next)
	# Not further than what head has read at once, of 6 each.
	test "$first" -ge 10
	test "$first" -lt 10000
	same $((first + 1)) "$(rb cat -n --resume state -c 1 | sed 's/^0*//')"
}

# What lies in the pipe when its reader dies has not been handled.
t_resume_left()
{
	load size=4194304
	rm -f state
	seq -w 1 99999 | head -n 30000 | rb pub
	# 100 of 6 bytes, and a half of one more; while there is more to write,
	ringbuf cat --resume state | dd bs=603 count=1 >got 2>/dev/null
	same 100 "$(next)"
	# and while all is written.
	ringbuf cat --resume state --from 0 | dd bs=6 count=1 >/dev/null 2>&1
	same 101 "$(next)"
	echo last | rb pub
	rm state
	rb cat --resume state --from -1 | usleep 300000
	same 30000 "$(next)"
	same last "$(rb cat -n --resume state)"
	# As by Ctrl-C: who reads ends a little later.
	rm state
	mkfifo pipe
	sleep 15 <pipe &
	sleeper=$!
	bg cat --resume state --from -3 >pipe &
	reader=$!
	until_true test -s state
	usleep 300000
	kill -TERM $reader
	usleep 300000
	kill $sleeper
	wait $reader || true
	same 29998 "$(next)"
	# It reads on, and ends: that counts.
	(usleep 600000; exec cat) <pipe >got &
	bg cat --resume state >pipe &
	reader=$!
	usleep 300000
	kill -TERM $reader
	wait
	same "$(printf '29999\n30000\nlast')" "$(cat got)"
	same 30001 "$(next)"
}

t_resume_kill()
{
	load size=4194304
	rm -f state all
	seq 1 60000 | rb pub --rate 20000 &
	bg cat --resume state >all &
	reader=$!
	usleep 2500000
	kill -9 $reader
	wait $reader || true
	wait
	# The last line may be cut. Nothing is missed, and what is doubled is young.
	sed -i '$d' all
	have=$(tail -n 1 all)
	saved=$(next)
	echo "has $have, saved $saved"
	test "$saved" -le $((have + 1))
	test "$saved" -gt 0
	test $((have - saved)) -lt 60000
	same $((saved + 1)) "$(rb cat -n --resume state -c 1)"
}

t_resume_overrun()
{
	rm -f state
	seq 0 9 | rb pub
	rb cat -n --resume state -c 5 >got
	seq 10 6000 | rb pub
	tail=$(attr tail_seq)
	ends 0 rb cat -n --resume state
	said "lost $((tail - 5)) records before $tail"
	same "$tail" "$(head -n 1 got)"
	same 6000 "$(tail -n 1 got)"
	ends 0 rb cat -n --resume state
	silent
	# In the JSON, too.
	printf 'next_seq 5\n' >state
	ends 0 rb cat -n --resume state --json -c 1
	same "{\"lost\":$((tail - 5)),\"lost_bytes\":null,\"seq\":5}" "$(head -n 1 got)"
	same $((tail + 1)) "$(next)"
}

# Another ring under the old name: shorter, and longer than the old one was.
t_resume_reload()
{
	rm -f state audit.state
	seq 0 9 | rb pub
	rb cat -n --resume state >got
	load size=65536
	seq 100 102 | rb pub
	ends 0 rb cat -n --resume state
	said 'warning: .*state goes on at record 10, but the ring has been made anew since: starting at the oldest, record 0'
	same '100 101 102' "$(xargs <got)"
	load size=65536
	seq 200 219 | rb pub
	ends 0 rb cat -n --resume state
	said 'the ring has been made anew'
	same 20 "$(wc -l <got)"
	ends 0 rb cat -n --resume state
	silent
	# As if the machine had been rebooted, where the ring has come as far again.
	sed -i 's/^id .*/id 01234567-89ab-cdef-0123-456789abcdef/' state
	ends 0 rb cat -n --resume state
	said 'the ring has been made anew'
	same 20 "$(wc -l <got)"
	# Empty, so far.
	load size=65536
	ends 0 rb cat -n --resume state
	said 'the ring has been made anew'
	seq 300 301 | rb pub
	same '300 301' "$(rb cat -n --resume state | xargs)"
	# With the module left as it is.
	for records in '1 3' '7 9'; do
		rb create audit
		# shellcheck disable=SC2086
		seq $records | rb pub audit
		ends 0 rb cat -n --resume audit.state audit
		same "$(seq $records | xargs)" "$(xargs <got)"
		rb rm audit
	done
	said 'the ring has been made anew since'
}

# Nothing but the id tells one ring from another.
t_resume_no_clock()
{
	load size=65536 clock=none
	rm -f state
	seq 0 5 | rb pub
	rb cat -n --resume state -c 2 >got
	same '2 3 4 5' "$(rb cat -n --resume state | xargs)"
	# Not by its node's mode, nor what udev does to that.
	chmod 0640 /dev/ringbuf
	touch /dev/ringbuf
	ends 0 rb cat -n --resume state
	silent
	# Another ring, whose head is further already.
	load size=65536 clock=none
	seq 10 19 | rb pub
	ends 0 rb cat -n --resume state
	said 'the ring has been made anew'
	same '10 11 12 13 14 15 16 17 18 19' "$(xargs <got)"
	ends 0 rb cat -n --resume state
	silent
}

# By hand, and by the version that knew no ids.
t_resume_no_id()
{
	printf 'next_seq 5\n' >state
	seq 0 9 | rb pub
	ends 0 rb cat -n --resume state -c 1
	silent
	same 5 "$(cat got)"
	grep -qx "id $(rb info --json | sed -n 's/.*"id": "\([^"]*\)".*/\1/p')" state
	printf 'next_seq 20\n' >state
	ends 0 rb cat -n --resume state
	said 'but the ring has not come so far: starting at the oldest, record 0'
	printf 'next_seq 5\ntime_ns 3\nring ringbuf\nboot a\nlife sysfs-1\n' >state
	ends 0 rb cat -n --resume state
	said 'the ring has been made anew'
	same 10 "$(wc -l <got)"
	ends 0 rb cat -n --resume state
	silent
}

# Where there was a loss last.
t_resume_loss_reload()
{
	printf 'next_seq 5\n' >state
	seq 0 9 | rb pub
	rb cat --resume state -c 0
	grep -q '^id ' state
	load size=65536
	seq 0 9 | rb pub
	ends 0 rb cat -n --resume state
	said 'the ring has been made anew'
	same 10 "$(wc -l <got)"
}

t_resume_bad()
{
	echo rubbish >state
	ends 1 rb cat -n --resume state
	said 'line 1 makes no sense'
	echo rubbish | cmp - state
	ends 1 rb cat -n --resume /dev/null
	said 'is no regular file'
	test -c /dev/null
	ends 1 rb cat -n --resume /nowhere/state
	said '/nowhere/state: where to resume could not be saved: No such file'
	printf 'next_seq 0\nring other\n' >state
	ends 1 rb cat -n --resume state
	said "is for the ring 'other', not for 'ringbuf'"
	# A link stays one.
	rm -f state
	: >there
	ln -sf there link
	rb cat -n --resume link
	test -L link
	same 0 "$(next there)"
}

# With a disk that gets full: what is on it, and no more, counts.
t_resume_enospc()
{
	small
	rm -f state
	seq -w 1 99999 | head -n 9000 | rb pub
	ends 1 sh -c 'ringbuf cat -n --resume state >small/all'
	said 'standard output: No space left on device'
	# A cut line at the end is the next one.
	same "$(next)" "$(wc -l <small/all)"
	rb cat -n --resume state -c 1 | grep -q "^0*$(($(wc -l <small/all) + 1))$"
	# And with the file itself on it.
	dd if=/dev/zero of=small/fill bs=4096 2>/dev/null || true
	ends 1 rb cat -n --resume small/state
	said 'where to resume could not be saved: No space left'
	umount small
}

small()
{
	load size=1048576
	mkdir -p small
	umount small 2>/dev/null || true
	mount -t tmpfs -o size=32k tmpfs small
}

t_record()
{
	printf 'a\nbcdefgh\n\nlonger than eight\n' | rb pub --type 9 2>/dev/null
	ends 0 rb record -n -v f
	said 'f: 3 records, 112 B; 0 lost'
	same 112 "$(wc -c <f)"
	# As the device itself says it, the times being what they are.
	same '01000000 09000000' "$(hexdump -n 8 -e '4/1 "%02x" " " ' f | xargs)"
	rb cat -n --json >wanted
	load size=65536
	ends 0 rb replay f
	silent
	rb cat -n --json >got
	sed -i 's/"time_ns":[0-9]*//' got wanted
	cmp wanted got
	# To the other end of a pipe, and by pub.
	rb record -n - | ends 0 rb pub --frames -v
	said 'published 3 records, 25 B, in '
	rb record -n ringbuf - >g
	ends 0 rb replay - <g
	same 12 "$(attr head_seq)"
}

t_record_binary()
{
	for n in 1 7 8 9 4000 16000; do
		head -c $n /dev/urandom >f
		rb pub -W -T $n ringbuf f
	done
	rb cat -n --raw >wanted
	rb record -n f
	same 0 $(($(wc -c <f) % 8))
	load size=65536
	rb replay f
	rb cat -n --raw | cmp - wanted
	# Frame by frame the same, but for their times.
	rb record -n g
	same "$(wc -c <f)" "$(wc -c <g)"
	test "$(cmp -l f g | wc -l)" -le 48
}

t_record_stop()
{
	load size=4194304
	seq 1 40000 | rb pub --rate 20000 &
	bg record -v f 2>said &
	reader=$!
	usleep 900000
	kill -TERM $reader
	wait $reader
	records=$(sed -n 's/.*: \([0-9]*\) records, .*/\1/p' said)
	same "$((records * 32))" "$(wc -c <f)"
	wait
	load size=4194304
	rb replay f
	seq 1 "$records" >wanted
	rb cat -n | cmp - wanted
	# That is how it is meant to end.
	for signal in INT TERM HUP; do
		ends 0 timeout -s $signal 1 ringbuf record g
		same "$(wc -c <f)" "$(wc -c <g)"
	done
}

# A reader that the writer waits for joins when there is somebody to record for.
t_record_fifo()
{
	load size=65536 reliable=1
	mkfifo pipe
	for signal in INT TERM HUP; do
		bg record --reliable pipe &
		reader=$!
		usleep 300000
		same '0 0' "$(attr consumers) $(attr reliable_consumers)"
		kill -$signal $reader
		wait $reader
	done
	seq 0 9 | rb pub
	bg record --reliable --no-follow pipe &
	reader=$!
	cat pipe >f
	wait $reader
	same 320 "$(wc -c <f)"
}

t_record_options()
{
	seq 0 9 | rb pub
	rb record --from 3 --count 4 f
	rb record --until-eof --from -2 g
	rb record --timeout 0.1 --from newest h
	same 0 "$(wc -c <h)"
	load size=65536
	rb pub --frames ringbuf f g
	same '3 4 5 6 8 9' "$(rb cat -n | xargs)"
}

t_record_lost()
{
	seq 0 6000 | rb pub
	tail=$(attr tail_seq)
	ends 0 rb record -n --from 5 f
	said "lost $((tail - 5)) records before $tail"
	same $(((6001 - tail) * 32 + 40)) "$(wc -c <f)"
	load size=65536
	ends 0 rb replay f
	said "1 note of a loss skipped ($((tail - 5)) records)"
	same $((6001 - tail)) "$(attr head_seq)"
}

t_record_enospc()
{
	small
	seq 1 5000 | rb pub
	ends 1 rb record -n small/f
	said 'small/f: No space left on device'
	size=$(wc -c <small/f)
	same 0 $((size % 32))
	said "small/f ends before record $((size / 32))"
	cp small/f f
	umount small
	load size=1048576
	ends 0 rb replay f
	seq 1 $((size / 32)) >wanted
	rb cat -n | cmp - wanted
	ends 1 rb record -n /dev/full
	said 'No space left'
	ends 1 rb record -n /nowhere/f
	said '/nowhere/f: No such file'
}

t_replay_bad()
{
	printf 'ab\nc\n' | rb pub
	rb record -n f
	# The tail is cut: what is whole is published.
	for cut in 63 40 33; do
		head -c $cut f >g
		ends 1 rb replay g
		said 'g: no frame at byte 32: the file ends in i'
	done
	same 5 "$(attr head_seq)"
	(cat f; printf 'this is no frame at all, but it is long') >g
	ends 1 rb replay g
	said 'g: no frame at byte 64: its length cannot be'
	same 7 "$(attr head_seq)"
	(cat f; printf '\1\0\0\0\0\0\7\0'; head -c 24 /dev/zero) >g
	ends 1 rb replay g
	said 'g: no frame at byte 64: it has flags'
	ends 1 rb replay /dev/zero
	said '/dev/zero: no frame at byte 0'
	# Longer than this ring takes.
	head -c 16000 /dev/urandom >g
	rb pub -W ringbuf g
	rb record -n --from -1 f
	load size=4096
	ends 1 rb replay f
	said 'the record at byte 0 has 16000 bytes; those of this ring have [0-9]* at most'
	ends 1 rb replay missing
	said 'missing: No such file'
	ends 0 rb replay /dev/null
}

uptime_ms()
{
	read -r up _ </proc/uptime
	echo "${up%.*}${up#*.}0"
}

t_replay_speed()
{
	seq 1 11 | rb pub --rate 10
	rb record -n f
	for plan in 'original 1000 1900' '2 500 1300' '10 100 900' 'full 0 700'; do
		# shellcheck disable=SC2086
		set -- $plan
		# On a busy machine it may be late, but not ten times in a row.
		tries=0
		until
			began=$(uptime_ms)
			rb replay --speed "$1" f || return 1
			took=$(($(uptime_ms) - began))
			echo "$1: $took ms"
			test $took -ge "$2" || return 1
			test $took -le "$3"
		do
			tries=$((tries + 1))
			test $tries -lt 10
		done
	done
	# The gaps, not only their sum: no copy comes before its time.
	rb cat -n --json -c 22 | sed 's/.*"time_ns":\([0-9]*\).*/\1/' |
		awk 'NR <= 11 { at[NR] = $1 } NR == 12 { began = $1 }
			NR > 11 && $1 - began < at[NR - 11] - at[1] - 2e6 { bad++ }
			END { exit bad || NR != 22 }'
	# Stopped while it sleeps.
	ends 130 timeout -s INT 2 ringbuf replay --speed 0.1 f
	# Times that no clock tells are waited for all the same.
	# Of 1 byte each.
	printf '\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0a\0\0\0\0\0\0\0' >g
	printf '\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\377b\0\0\0\0\0\0\0' >>g
	at=$(attr head_seq)
	ends 130 timeout -s INT 2 ringbuf replay --speed 0.000001 g
	same $((at + 1)) "$(attr head_seq)"
}

check '--resume goes on where it ended' t_resume
check '--resume and --from' t_resume_from
check '--resume over SIGTERM while records come' t_resume_term
check '--resume over SIGTERM with a slow pipe' t_resume_pipe
check '--resume after SIGPIPE' t_resume_sigpipe
check '--resume after what a dead reader left in the pipe' t_resume_left
check '--resume after kill -9 misses nothing' t_resume_kill
check '--resume reports what was overwritten meanwhile' t_resume_overrun
check '--resume in a ring that is new' t_resume_reload
check '--resume in a ring without a clock' t_resume_no_clock
check '--resume FILE without an id' t_resume_no_id
check '--resume in a ring that is new, after a loss' t_resume_loss_reload
check '--resume FILE that cannot be' t_resume_bad
check '--resume and a full disk' t_resume_enospc
check 'record and replay' t_record
check 'record and replay of any bytes' t_record_binary
check 'record ends with a whole frame when stopped' t_record_stop
check 'record to a FIFO' t_record_fifo
check 'record: where from, how much' t_record_options
check 'record keeps losses, replay skips them' t_record_lost
check 'record and a full disk' t_record_enospc
check 'replay of what is broken' t_replay_bad
check 'replay --speed' t_replay_speed
finish
