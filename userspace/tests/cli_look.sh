#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# ringbuf info, top and bench, in the guest: as root, with busybox, /ringbuf.ko
# and the command as /bin/ringbuf. With pty.c as /bin/pty also what needs a
# terminal, with /ringbuf_proc.ko also a producer in the kernel. TAP.
# shellcheck disable=SC2094,SC2046,SC2181 # appends after reading; words; $? is what it is about
n=0
bad=0
out=/tmp/out
# As long as there is a ring it is ours; whoever had loaded it finds it again.
loaded=
if [ -e /sys/module/ringbuf ]; then
	loaded=1
	rmmod ringbuf
fi
sys=/sys/class/ringbuf/ringbuf
esc=$(printf '\033')

say()
{
	n=$((n + 1))
	echo "$1 $n - $2"
}

# result NAME, behind the command that tells; $out led to it
result()
{
	if [ $? = 0 ]; then
		say ok "$1"
	else
		bad=1
		sed "s/^/# /; s/$esc/^[/g" $out | tail -n 40
		say 'not ok' "$1"
	fi
}

# is NAME GOT WANTED
is()
{
	[ "$2" = "$3" ] || { echo "got '$2', wanted '$3'" >>$out; false; }
	result "$1"
}

load()
{
	insmod /ringbuf.ko "$@" || { echo 'Bail out! no module'; exit 1; }
}

unload()
{
	# Who was killed may not be gone yet.
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		rmmod ringbuf 2>/dev/null && return
		sleep 0.2
	done
	rmmod ringbuf
}

# The number in JSON's first "NAME": NUMBER
field()
{
	grep -o "\"$1\": [0-9]*" $out | head -n 1 | sed 's/.*: //'
}

# How many consumers are listed
rows()
{
	grep -o '"processes"' $out | wc -l
}

# Is $out JSON? It is taken apart from the inside.
is_json()
{
	tr '\n' ' ' <$out | awk '{
		text = $0
		gsub(/"([^"\\]|\\["\\\/bfnrt]|\\u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F])*"/, "S", text)
		gsub(/(true|false|null|-?[0-9]+(\.[0-9]+)?)/, "V", text)
		gsub(/ /, "", text)
		do {
			before = text
			gsub(/\{(S:[SV](,S:[SV])*)?\}/, "V", text)
			gsub(/\[([SV](,[SV])*)?\]/, "V", text)
		} while (text != before)
		if (text != "V")
			print "no JSON: " text
		exit text != "V"
	}' >>$out
}

echo 'TAP version 13'

# --- without a module
ringbuf info >$out 2>&1
is no_ring_info $? 1
grep -q modprobe $out
result no_ring_info_says
ringbuf info --json >$out 2>/tmp/said
is no_ring_json_status $? 1
is_json && grep -q modprobe /tmp/said
result no_ring_json
ringbuf top -n 1 -i 0.1 >$out 2>&1
is no_ring_top $? 1
grep -q modprobe $out
result no_ring_top_says
ringbuf bench >$out 2>&1
is no_ring_bench $? 1
ringbuf info --nonsense >$out 2>&1
is usage_info $? 2
ringbuf top --interval 0 >$out 2>&1
is usage_interval $? 2
ringbuf top --sort size >$out 2>&1
is usage_sort $? 2
ringbuf bench one two >$out 2>&1
is usage_bench $? 2
ringbuf info /dev/null >$out 2>&1
is no_ring_node $? 1

# --- what a ring is
load size=65536 max_consumers=1
printf 'one\ntwo\nthree\nfour\nfive\n' | ringbuf pub
ringbuf info --json >$out 2>&1 && is_json
result json
for name in size head tail head_seq tail_seq overwritten dropped max_record consumers; do
	is "info_$name" "$(field $name)" "$(cat $sys/$name)"
done
id=$(sed -n 's/.*"id": "\([^"]*\)".*/\1/p' $out)
is info_id "$id" "$(cat $sys/id)"
echo "$id" | grep -qE '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
result info_id_is_a_uuid
grep -q '"clock": "boottime", "clockid": 7' $out
result info_clock
is info_records "$(field records)" 5
is info_bytes "$(field bytes)" "$(cat $sys/head)"
grep -q '"writer": null' $out
result info_no_writer
ringbuf info >$out 2>&1 && grep -q '^/dev/ringbuf$' $out && grep -q 'holds  *5 records' $out && grep -q 'writer  *none' $out
result info_text
mknod /tmp/node c $(tr : ' ' <$sys/dev)
ringbuf info /tmp/node >$out 2>&1 && grep -q 'holds  *5 records' $out
result info_other_node
# Without sysfs the ring is opened to look at it.
mount -t tmpfs none /sys
ringbuf info --json >$out 2>&1 && is_json && grep -q '"records": 5' $out
result info_json_no_sysfs
grep -q "\"id\": \"$id\", \"clock\": \"boottime\"" $out
result info_id_no_sysfs
ringbuf info >$out 2>&1 && grep -q 'holds  *5 records' $out
result info_no_sysfs
umount /sys
ringbuf info ringbuf nonsense >$out 2>&1
is info_one_missing $? 1
grep -q 'holds  *5 records' $out
result info_one_there

# --- a consumer, which has all the room there is
exec 3</dev/ringbuf
dd bs=100 count=2 <&3 >/dev/null 2>&1
ringbuf info --json >$out 2>&1
result info_at_max_consumers
is consumer_rows "$(rows)" 1
is consumer_pid "$(field pid)" $$
is consumer_fd "$(field fd)" 3
is consumer_seq "$(field seq)" 2
is consumer_lag "$(field lag_records)" 3
is consumer_lag_bytes "$(field lag_bytes)" $((3 * 32))
is consumer_lost "$(field lost_records)" 0
is consumers_count "$(cat $sys/consumers)" 1

# dup() and fork() make no more of them
exec 4<&3
sleep 60 &
sleeper=$!
ringbuf info >$out 2>&1
if grep -q 'without kcmp' $out; then
	say ok 'shared_text # SKIP a kernel without kcmp()'
	say ok 'shared_rows # SKIP a kernel without kcmp()'
else
	grep -q ' +3 ' $out
	result shared_text
	ringbuf info --json >$out 2>&1
	is shared_rows "$(rows)" 1
fi
ringbuf info --json >$out 2>&1
is shared_processes "$(grep -o '"pid"' $out | wc -l)" 4
is shared_all_seen "$(field consumers_not_seen)" 0
kill $sleeper
exec 4<&-

exec 3<&-

# A name with anything in it
mkfifo /tmp/fifo
sh -c 'printf "a\"b\\\\\033[2J\n" >/proc/self/comm; exec 3</dev/ringbuf; read x </tmp/fifo' &
evil=$!
sleep 0.3
ringbuf info --json >$out 2>&1 && is_json && grep -qF '"comm": "a\"b\\\u001b[2J\n"' $out
result evil_json
ringbuf info >$out 2>&1 && grep -qF 'a"b\?[2J?' $out
result evil_text
ringbuf top -n 1 -i 0.1 >$out 2>&1 && grep -qF 'a"b\?[2J?' $out
result evil_top
kill $evil
unload
result unloads

# --- losses, writers, maps
load size=4096
exec 3</dev/ringbuf
yes 0123456789 | head -n 500 | ringbuf pub
ringbuf info --json >$out 2>&1
lost=$(sed -n 's/lost_records:\t//p' /proc/$$/fdinfo/3)
is lost_as_fdinfo "$(field lost_records)" "$lost"
is lost_and_lag $((lost + $(field lag_records))) 500
sleep 60 3<&- >/dev/ringbuf &
writer=$!
sleep 0.3
ringbuf info --json >$out 2>&1 && is_json
result writer_json
grep -q "\"writer\": {\"pid\": $writer, \"comm\": \"sleep\", \"fd\": 1}" $out
result writer_shown
ringbuf top -n 1 -i 0.1 >$out 2>&1 && grep -q "writer $writer (sleep)" $out
result writer_top
# Only root is told of the traffic without opening the ring.
su user -c 'ringbuf info' >$out 2>&1
is user_refused $? 1
grep -q '/dev/ringbuf: permission denied: the mode is 0600' $out
result user_refused_says
su user -c 'ringbuf ls' >$out 2>&1 && grep -q '^ringbuf  *4.0 KiB  *?  *?  *?  *Permission denied$' $out
result user_ls
su user -c 'ringbuf ls --json' >$out 2>&1 && is_json && grep -q '"size": 4096, "error": "Permission denied"' $out
result user_ls_json
su user -c 'ringbuf top -n 1 -i 0.1' >$out 2>&1
is user_top_refused $? 1
grep -q '^/dev/ringbuf: Permission denied$' $out
result user_top_refused_says
chmod 0644 /dev/ringbuf
su user -c 'ringbuf info' >$out 2>&1
is user_status $? 0
grep -q 'consumers  *1, 1 of them not seen' $out
result user_does_not_count_itself
su user -c 'ringbuf ls' >$out 2>&1 && grep -q '^ringbuf  *4.0 KiB  *[0-9]*  *1  *-  *not seen$' $out
result user_ls_allowed
su user -c 'ringbuf info' >$out 2>&1
grep -q '1 of them not seen: ask as root' $out && grep -q 'a process not seen' $out
result user_view
su user -c 'ringbuf top -n 1 -i 0.1' >$out 2>&1 && grep -q '1 consumer not seen' $out
result user_top
kill $writer
exec 3<&-

ringbuf cat --from newest >/dev/null &
cat=$!
sleep 0.5
ringbuf info --json >$out 2>&1 && grep -q '"mapped": true' $out
result mapped
kill $cat
if [ -x /bin/pty ]; then
	pty --hold &
	holder=$!
	sleep 0.3
	ringbuf info >$out 2>&1 && grep -q "$holder .*closed" $out
	result map_only
	ringbuf info --json >$out 2>&1 && is_json && grep -q '"fd": null' $out
	result map_only_json
	kill $holder
else
	say ok 'map_only # SKIP no pty'
	say ok 'map_only_json # SKIP no pty'
fi
sleep 0.3
ringbuf cat --from oldest --no-follow >/dev/null 2>&1
ringbuf info --json >$out 2>&1
is max_lag_of_nobody "$(field max_lag_records)" ''
exec 3</dev/ringbuf
ringbuf info --json >$out 2>&1
is max_lag "$(field max_lag_records) $(field max_lag_bytes)" "$(field lag_records) $(field lag_bytes)"
dd bs=100 count=5 <&3 >/dev/null 2>&1
max=$(field lag_records)
ringbuf info --json >$out 2>&1
is max_lag_stays "$(field max_lag_records)" "$max"
ringbuf info >$out 2>&1 && grep -q ' MAX LAG ' $out
result max_lag_text
exec 3<&-
if [ -e /ringbuf_proc.ko ]; then
	insmod /ringbuf_proc.ko
	ringbuf info >$out 2>&1 && grep -q 'writer  *the kernel' $out
	result kernel_writer
	rmmod ringbuf_proc
else
	say ok 'kernel_writer # SKIP no ringbuf_proc.ko'
fi
unload

# --- a writer that waits for its own file
if [ -x /bin/pty ]; then
	load size=4096 reliable=1
	pty --wait-for-itself &
	writer=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		sleep 0.2
		ringbuf info >$out 2>&1 && grep -q 'waits for' $out && break
	done
	grep -q "waits for  *its own file: $writer (pty), fd 3, is a reliable consumer, too" $out
	result waits_for_itself
	ringbuf info --json >$out 2>&1 && is_json && grep -q '"waits_for_itself": true' $out
	result waits_for_itself_json
	kill $writer
	unload
else
	say ok 'waits_for_itself # SKIP no pty'
	say ok 'waits_for_itself_json # SKIP no pty'
fi

# --- top: rates, width, no control sequences
load size=65536
yes 0123456789 | ringbuf pub --rate 1000/s >/dev/null 2>&1 &
pub=$!
ringbuf cat >/dev/null 2>&1 &
cat=$!
exec 3</dev/ringbuf
sleep 0.5
ringbuf top -n 2 -i 2 >$out 2>&1
is top_status $? 0
! grep -q "$esc" $out
result top_plain
is top_tables "$(grep -c '^ringbuf top' $out)" 2
awk 'length($0) > 80 { exit 1 }' $out
result top_width
rate=$(sed -n 's/.*), \([0-9.]* k*\) *records\/s.*/\1/p' $out | tail -n 1 | awk '{ print int($1 * ($2 == "k" ? 1000 : 1)) }')
[ "${rate:-0}" -ge 500 ] && [ "$rate" -le 1500 ]
result top_writer_rate
grep "^!* *$$ " $out | tail -n 1 | grep -q ' 0 '
result top_idle_consumer
awk -v pid=$cat '$1 == pid { n = $4 * ($5 == "k" ? 1000 : 1); if (n < 300 || n > 2500) exit 1; seen = 1 } END { exit !seen }' $out
result top_consumer_rate
awk -v me=$$ -v pid=$cat '$1 == "PID" { first = 1; next } first { ok = $1 == me || $2 == me; first = 0 } END { exit !ok }' $out
result top_sorted_by_lag
sleep 5 # until it is overrun, which takes two seconds
ringbuf top -n 1 -i 1 --sort loss >$out 2>&1 && grep -q "^! *$$ " $out
result top_marks_loss
COLUMNS=130 ringbuf top -n 1 -i 0.2 >$out 2>&1 && grep -q 'LAG BYTES' $out && grep -q 'SEQ' $out
result top_wide
exec 3<&-
ringbuf top -n 1 -i 0.1 ringbuf nonsense >$out 2>&1
is top_one_missing $? 0
grep -q 'nonsense: not there' $out
result top_one_missing_says

# --- bench is no guest where others are
ringbuf bench --quick >$out 2>&1
is bench_writer $? 1
grep -q 'has a writer' $out
result bench_writer_says
kill $pub
sleep 0.3
ringbuf bench --quick --force >$out 2>&1
is bench_consumer $? 1
grep -q '1 consumer' $out
result bench_consumer_says
kill $cat
sleep 0.3
ringbuf bench --quick >$out 2>&1
is bench_records $? 1
grep -q -- --force $out
result bench_records_says
ringbuf bench --quick --force --json >$out 2>&1 && is_json && grep -q '"mapped_4"' $out
result bench_json
ringbuf bench --quick >$out 2>&1 && grep -q 'wake-up' $out
result bench_after_bench
is bench_leaves "$(cat $sys/consumers) $(cat $sys/writer)" '0 0'
unload

# --- top while modules come and go
ringbuf top -n 12 -i 0.3 >$out 2>&1 &
top=$!
sleep 0.7
load
sleep 0.8
rmmod ringbuf
result top_rmmod
wait $top
is top_gone_status $? 1
grep -q 'no ring' $out && grep -q '^/dev/ringbuf ' $out && tail -n 3 $out | grep -q 'no ring'
result top_comes_and_goes

# --- top on a terminal
if [ -x /bin/pty ]; then
	export TERM=xterm
	load
	printf 'one\ntwo\n' | ringbuf pub
	tty=/tmp/tty

	# ends NAME WANTED STEP...
	ends()
	{
		name=$1 wanted=$2
		shift 2
		pty $tty "$@" -- ringbuf top >$out 2>&1
		is "tty_$name" "$(tr '\n' ' ' <$out)" "$wanted "
		# The other screen and no cursor, and back: all that at the end
		tail -c 14 $tty >$out
		is "tty_${name}_screen" "$(cat $out)" "${esc}[?25h${esc}[?1049l"
	}
	ends quit 'exit 0 same' w700 kq
	ends eof 'exit 0 same' w700 "k$(printf '\004')"
	ends interrupt 'signal 2 same' w700 "k$(printf '\003')"
	ends term 'signal 15 same' w700 s15
	ends hangup 'signal 1 same' w700 s1
	ends stop 'stopped same exit 0 same' w700 "k$(printf '\032')" w900 kq
	pty $tty w700 kr w200 kx w200 'k ' w200 kq -- ringbuf top >$out 2>&1
	grep -q 'by rate' $tty && grep -q 'by loss' $tty && grep -q PAUSED $tty
	result tty_keys
	pty $tty w700 kxrzlq -- ringbuf top >$out 2>&1
	is tty_typed_ahead "$(cat $out)" 'exit 0 same'
	pty $tty w700 r5x30 w400 kq -- ringbuf top >$out 2>&1
	sed "s/$esc\[?[0-9]*[hl]//g; s/.*$esc\[H//" $tty >$out
	grep -q 'more lines' $out
	result tty_resize
	pty $tty w700 kq -- ringbuf top --interval 0.2 >$out 2>&1
	rmmod ringbuf
	result tty_rmmod_after
	pty $tty w700 kq -- ringbuf top >$out 2>&1
	grep -q 'Waiting for one' $tty
	result tty_no_ring
	TERM=dumb pty $tty w1500 kq s15 -- ringbuf top -i 0.3 >$out 2>&1
	! grep -q "$esc" $tty
	result tty_dumb
else
	say ok 'tty # SKIP no pty'
fi
[ -z "$loaded" ] || insmod /ringbuf.ko
echo "1..$n"
exit $bad
