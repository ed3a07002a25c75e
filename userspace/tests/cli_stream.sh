#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# ringbuf cat and pub, in the guest: what goes in comes out, and how they end.
# shellcheck disable=SC1091,SC2217,SC2317 # it lies in the guest; bg reads; check() calls
. "$(dirname "$0")/lib_cli.sh"

t_lines()
{
	printf 'one\ntwo\nthree' | rb pub
	ends 0 rb cat --no-follow
	same "$(printf 'one\ntwo\nthree')" "$(cat got)"
	silent
	# A newline of the record's own is not doubled.
	printf 'own\n' >f
	rb pub --whole ringbuf f
	same 'own|' "$(rb cat -n --from 3 | tr '\n' '|')"
}

t_empty_lines()
{
	printf '\na\n\n\nb\n' >f
	ends 0 rb pub ringbuf f
	said '3 empty lines skipped'
	same 2 "$(rb cat -n | wc -l)"
	ends 0 rb pub --whole ringbuf /dev/null
	said '1 empty file skipped'
}

t_nothing()
{
	ends 0 rb pub </dev/null
	silent
	ends 0 rb cat -n
	ends 0 rb cat --until-eof
	ends 0 rb cat --count 0
	same '' "$(cat got)"
}

t_from()
{
	seq 0 9 | rb pub
	same '0 1 2' "$(rb cat -n --from oldest -c 3 | xargs)"
	same '7 8 9' "$(rb cat -n --from 7 | xargs)"
	same '8 9' "$(rb cat -n --from -2 | xargs)"
	same 10 "$(rb cat -n --from -99 | wc -l)"
	same '' "$(rb cat -n --from newest)"
	same '' "$(rb cat -n --from 10)"
	ends 1 rb cat --from 11
	said 'no record 11 yet; the next one will be 10'
}

t_follow()
{
	echo first | rb pub
	bg cat --follow >got &
	reader=$!
	until_true lines_in got 1
	echo second | rb pub
	# At once, though it goes to a file.
	until_true lines_in got 2
	kill -TERM $reader
	status=0
	wait $reader || status=$?
	same 143 $status
}

t_newest()
{
	echo old | rb pub
	bg cat --from newest -c 1 >got &
	reader=$!
	until_true attr_is consumers 1
	usleep 200000
	echo new | rb pub
	wait $reader
	same new "$(cat got)"
}

t_until_eof()
{
	(echo a; sleep 1; echo b) | rb pub &
	usleep 300000
	ends 0 rb cat --until-eof
	same 'a b' "$(xargs <got)"
	wait
}

t_timeout()
{
	echo a | rb pub
	ends 0 rb cat --timeout 0.2
	same a "$(cat got)"
	ends 0 rb cat --from newest -t 0
}

t_json()
{
	printf 'plain "\\ \t\001\177 caf\303\251 \342\202\254 \360\237\230\200' >f
	rb pub --whole --type 7 ringbuf f
	printf 'bad \377' >f
	rb pub --whole ringbuf f
	printf '\355\240\200' >f
	rb pub --whole ringbuf f
	printf '\302\233' >f
	rb pub --whole ringbuf f
	ends 0 rb cat -n --json
	sed 's/"time_ns":[1-9][0-9]*/"time_ns":T/' got >f
	cat >wanted <<-'JSON'
	{"seq":0,"type":7,"time_ns":T,"len":27,"data":"plain \"\\ \t\u0001\u007f café € 😀"}
	{"seq":1,"type":0,"time_ns":T,"len":5,"data_hex":"62616420ff"}
	{"seq":2,"type":0,"time_ns":T,"len":3,"data_hex":"eda080"}
	{"seq":3,"type":0,"time_ns":T,"len":2,"data":"\u009b"}
	JSON
	diff wanted f
}

t_hex()
{
	printf 'ABCDEFGHIJKLMNOPq\n\377' >f
	rb pub -W -T 0x10 ringbuf f
	rb cat -n --hex | sed 's/time [0-9.]*/time T/' >got
	cat >wanted <<-'HEX'
	record 0 time T type 16 len 19
	00000000: 4142 4344 4546 4748 494a 4b4c 4d4e 4f50  ABCDEFGHIJKLMNOP
	00000010: 710a ff                                  q..
	HEX
	diff wanted got
}

t_raw()
{
	dd if=/dev/urandom of=f bs=16000 count=1 2>/dev/null
	rb pub -W ringbuf f f
	cat f f >wanted
	rb cat -n --raw | cmp - wanted
}

t_verbose()
{
	echo hi | rb pub -T 3
	rb cat -n -v | grep -q '^0 \[[0-9]*\.[0-9]\{6\}\] type 3: hi$'
}

t_escape()
{
	printf 'a\033[31mred\tok\302\233caf\303\251\377\r\n' >f
	rb pub -W ringbuf f
	rb cat -n | cmp - f
	printf 'a\\x1b[31mred\tok\\xc2\\x9bcaf\303\251\\xff\\x0d\n' >wanted
	rb cat -n --escape | cmp - wanted
	has_pty || return 0
	pty got -- ringbuf cat -n
	tr -d '\r' <got | cmp - wanted
	pty got -- ringbuf cat -n --raw
	tr -d '\r' <f >wanted
	tr -d '\r' <got | cmp - wanted
}

# A reader that is stopped while the ring goes around three times.
overrun()
{
	rb pub <<-'ONE'
	0
	ONE
	bg cat "$@" >got 2>said &
	reader=$!
	until_true lines_in got 1
	kill -STOP $reader
	seq 1 6000 | rb pub
	kill -CONT $reader
	until_true grep -q '^6000$\|"6000"' got
	kill $reader
	wait $reader || true
}

t_lost()
{
	overrun
	first=$(sed -n 2p got)
	tail=$(attr tail_seq)
	same "$tail" "$first"
	# A frame each of 32 bytes.
	same "ringbuf: lost $((tail - 1)) records ($(((tail - 1) * 32)) bytes) before $tail" \
		"$(cat said)"
	same $((6000 - tail + 2)) "$(wc -l <got)"
}

t_lost_json()
{
	overrun --json
	tail=$(attr tail_seq)
	same "{\"lost\":$((tail - 1)),\"lost_bytes\":$(((tail - 1) * 32)),\"seq\":1}" \
		"$(sed -n 2p got)"
	grep -q "lost $((tail - 1)) records" said
	same 1 "$(grep -c lost got)"
}

t_lost_seek()
{
	seq 0 6000 | rb pub
	tail=$(attr tail_seq)
	ends 0 rb cat -n --from 100 -c 1
	said "lost $((tail - 100)) records before $tail"
	ends 0 rb cat -n --from 100 -c 1 --json
	same "{\"lost\":$((tail - 100)),\"lost_bytes\":null,\"seq\":100}" \
		"$(head -n 1 got)"
	# The oldest is what there is: no loss.
	ends 0 rb cat -n
	silent
}

t_sigpipe()
{
	seq 1 2000 | rb pub
	(status=0; ringbuf cat || status=$?; echo $status >st) 2>said | head -n 3 >got
	until_true test -s st
	same '1 2 3' "$(xargs <got)"
	same 141 "$(cat st)"
	silent
}

# The pipe's reader goes while nothing is published.
t_sigpipe_idle()
{
	seq 1 3 | rb pub
	(status=0; timeout 5 ringbuf cat || status=$?; echo $status >st) | head -n 3 >got
	until_true test -s st
	same 141 "$(cat st)"
}

t_sigpipe_ignored()
{
	seq 1 3 | rb pub
	(trap '' PIPE; status=0; timeout 5 ringbuf cat 2>said || status=$?; echo $status >st) |
		head -n 3 >got
	until_true test -s st
	same 1 "$(cat st)"
	said 'standard output: Broken pipe'
}

t_sigint()
{
	seq 1 3 | rb pub
	ends 130 timeout -s INT 1 ringbuf cat
	same 3 "$(wc -l <got)"
	silent
	has_pty || return 0
	same 'signal 2 same' "$(pty got w700 k"$(printf '\003')" -- ringbuf cat)"
	same 3 "$(grep -c '^[123]' got)"
}

t_stuck_output()
{
	seq 1 100 | rb pub
	mkfifo pipe
	# Nobody reads, and 64 KiB do not go in: a stop is one all the same.
	sleep 15 <pipe &
	sleeper=$!
	head -c 16000 /dev/zero | tr '\0' x >f
	rb pub -W ringbuf f f
	bg cat --hex >pipe 2>said &
	reader=$!
	sleep 1
	kill -TERM $reader
	status=0
	wait $reader || status=$?
	kill $sleeper
	same 143 $status
	said 'the output ends within record 10[01]'
}

t_full()
{
	seq 1 3 | rb pub
	ends 1 sh -c 'ringbuf cat -n >/dev/full'
	said 'standard output: No space left on device'
	for command in 'cat' 'cat -n' 'record -'; do
		ends 1 sh -c "timeout 5 ringbuf $command --from newest >&-"
		said 'standard output: Bad file descriptor'
	done
	# Messages must not become records.
	head -c 20000 /dev/zero >f
	ends 1 sh -c 'ringbuf pub ringbuf f 2>&-'
	same 3 "$(attr head_seq)"
	ends 0 rb cat -n --from 0
	same '1 2 3' "$(xargs <got)"
}

t_large()
{
	load size=4194304
	head -c 1048576 /dev/urandom >f
	size=$(attr max_record)
	head -c "$size" f >g
	ends 0 rb pub -v -W ringbuf g
	said 'published 1 records'
	rb cat -nr | cmp - g
	rb cat -nj | wc -c | grep -q '^20[0-9]\{5\}$'
	printf x >>g
	ends 1 rb pub -W ringbuf g
	said "the file is longer than a record can be, $size bytes"
}

t_too_long()
{
	size=$(attr max_record)
	(seq 1 3; head -c $((size + 1)) /dev/zero | tr '\0' y; echo; seq 5 6) >f
	ends 1 rb pub ringbuf f
	said "f: line 4 is longer than a record can be, $size bytes; see --split"
	same '1 2 3' "$(rb cat -n | xargs)"
	load size=65536
	ends 0 rb pub --split ringbuf f
	same '1 2 3 y 5 6' "$(rb cat -n | sed 's/y.*y/y/' | uniq | xargs)"
	same 1 "$(rb cat -n --from 4 -c 1 -r | wc -c)"
	same 7 "$(attr head_seq)"
	# One that is just short enough.
	(head -c "$size" /dev/zero | tr '\0' z; echo) >f
	ends 0 rb pub ringbuf f
	same "$size" "$(rb cat -nr --from 7 | wc -c)"
}

t_pauses()
{
	mkfifo pipe
	bg pub <pipe &
	exec 5>pipe
	echo a >&5
	until_true attr_is head_seq 1
	printf 'half' >&5
	usleep 300000
	same 1 "$(attr head_seq)"
	printf ' and half\nmore\n' >&5
	usleep 500000
	same 3 "$(attr head_seq)"
	exec 5>&-
	wait
	same 'half and half' "$(rb cat -n --from 1 -c 1)"
}

t_type()
{
	echo x | rb pub --type 65535
	rb cat -nj | grep -q '"type":65535'
}

t_rate()
{
	read -r began _ </proc/uptime
	seq 1 30 | rb pub --rate 20/s
	read -r ended _ </proc/uptime
	took=$(echo "$ended - $began" | bc)
	echo "took $took"
	# 29 intervals of 50 ms; half a second for who starts it.
	same 1 "$(echo "$took >= 1.4 && $took < 2.5" | bc)"
	same 30 "$(attr head_seq)"
}

t_prefixed()
{
	printf '\003\000\000\000abc\000\000\000\000\001\000\000\000z' >f
	ends 0 rb pub --length-prefixed ringbuf f
	said '1 empty record skipped'
	same 'abc z' "$(rb cat -n | xargs)"
	printf '\003\000\000\000ab' >f
	ends 1 rb pub -L ringbuf f
	said 'ends within the record at byte 0'
	printf '\001\000\000\000a\001\000' >f
	ends 1 rb pub -L ringbuf f
	said 'ends within the record at byte 5'
	printf '\377\377\377\377a' >f
	ends 1 rb pub -L ringbuf f
	said 'the record at byte 0 is longer than a record can be'
}

t_files()
{
	echo 1 >f
	echo 2 >g
	echo 3 | rb pub ringbuf f - g
	same '1 3 2' "$(rb cat -n | xargs)"
	ends 1 rb pub ringbuf f missing g
	said 'missing: No such file'
	same 4 "$(attr head_seq)"
	ends 1 rb pub ringbuf /
	said '/: Is a directory'
	ends 1 rb pub f
	said "'f' is a file, and the name of a ring comes first"
}

t_progress()
{
	has_pty || return 0
	seq 1 40 >f
	same 'exit 0 same' "$(pty got w5000 -- ringbuf pub --rate 10 ringbuf f)"
	tr '\r' '\n' <got | grep -q '^2[0-9] records, .* 10/s, [5-7][0-9]%, ETA 1'
	# Nothing of it stays.
	same "$(printf '\033[K')" "$(tr '\r' '\n' <got | tail -n 1)"
	ends 0 rb pub ringbuf f
	silent
}

t_busy()
{
	mkfifo pipe
	bg pub <pipe &
	writer=$!
	exec 5>pipe
	until_true attr_is writer 1
	ends 1 rb pub </dev/null
	said "has a writer already: process $writer (ringbuf)"
	exec 5>&-
	wait
	insmod /ringbuf_proc.ko
	rb pub </dev/null 2>said && return 1
	rmmod ringbuf_proc
	said 'has a writer already: a kernel module'
}

t_no_ring()
{
	ends 1 rb cat /dev/null
	said '/dev/null: is not a ring'
	ends 1 rb cat /etc/passwd
	said '/etc/passwd: is not a ring'
	mkfifo pipe
	ends 1 rb cat ./pipe
	said 'is not a ring'
	ends 1 rb pub ./pipe
	ends 1 rb cat nothere
	said '/dev/ringbuf-nothere: no such ring'
	ends 1 su user -c 'ringbuf cat'
	said '/dev/ringbuf: permission denied: the mode is 0600'
	load max_consumers=1
	sleep 5 </dev/ringbuf &
	ends 1 rb cat
	said 'as many consumers as max_consumers= allows'
	kill $!
	wait || true
	rmmod ringbuf
	ends 1 rb cat
	said 'no such ring; is the module loaded? try: modprobe ringbuf'
}

# A ring into itself.
t_own()
{
	seq 1 3 | rb pub
	: >f
	ends 2 rb record /dev/ringbuf
	said '/dev/ringbuf is a ring, not a file; record wants RING FILE'
	ends 2 sh -c 'timeout 5 ringbuf record - >/dev/ringbuf'
	said 'standard output is a ring, not a file'
	rm -f node
	# shellcheck disable=SC2046 # two numbers
	mknod node c $(tr : ' ' </sys/class/ringbuf/ringbuf/dev)
	ends 2 rb record ./node
	ends 1 sh -c 'timeout 5 ringbuf cat >/dev/ringbuf'
	said 'standard output is the ring that is to be read'
	ends 1 sh -c 'timeout 5 ringbuf pub </dev/ringbuf'
	said 'standard input is the ring that is to be written'
	echo 4 >f
	ends 1 rb pub ringbuf f node
	said 'node is the ring that is to be written'
	ends 1 rb pub --frames ringbuf /dev/ringbuf
	ends 1 rb replay /dev/ringbuf
	said '/dev/ringbuf is the ring that is to be written'
	ends 1 sh -c 'timeout 5 ringbuf replay - </dev/ringbuf'
	same 3 "$(attr head_seq)"
	ends 0 rb record -n /dev/null
}

t_usage()
{
	ends 0 rb --help
	grep -q '^  replay' got
	ends 0 rb help cat
	ends 0 rb cat --help
	grep -q '^usage: ringbuf cat \[OPTION\]... \[RING\]$' got
	ends 0 rb --version
	grep -q '^ringbuf [0-9]' got
	ends 2 rb
	ends 2 rb katze
	ends 2 rb ca
	said "did you mean 'cat'?"
	ends 2 rb --nonsense
	ends 2 rb help nothing
	for command in cat pub record replay; do
		ends 0 rb $command --help
		ends 2 rb $command --nonsense
		said "no option '--nonsense'"
		ends 2 rb $command -Q
		ends 2 rb $command --help=1
		said 'takes no value'
	done
	for wrong in '--jsno' '--from' '--from x' '--from -x' '--count many' '--count' \
		'--timeout x' '--json --raw' '--hex --raw' '--decode nothing' 'a b' \
		'--decode proc --hex' '--from 99999999999999999999'; do
		# shellcheck disable=SC2086
		ends 2 rb cat $wrong
	done
	for wrong in '--type 65536' '--type x' '--rate 0' '--rate x' '--whole --frames' \
		'--frames --type 1' '--split --whole'; do
		# shellcheck disable=SC2086
		ends 2 rb pub $wrong
	done
	for wrong in 'record' 'record a b c' 'replay' 'replay a b c' \
		'replay --speed slow f' 'replay --speed 0 f'; do
		# shellcheck disable=SC2086
		ends 2 rb $wrong
	done
	ends 2 rb cat --count '5 '
	said "wants a number, not '5 '"
	ends 2 rb cat --jsno
	said 'did you mean --json?'
}

t_decode()
{
	ends 0 rb cat --decode help
	grep -q '^  proc ' got
	insmod /ringbuf_proc.ko
	/bin/true
	sh -c 'exit 3' || true
	sleep 5 &
	usleep 300000
	kill -9 $!
	wait $! || true
	rmmod ringbuf_proc
	rb cat -n --decode proc >got
	grep -q '^ *[0-9]* *[0-9.]* exec .* true *\(/bin/true\|/proc/self/exe\)$' got
	grep -q ' exit .* status 3$' got
	grep -q ' exit .* sleep *signal 9$' got
	same 0 "$(grep -c record got)"
	rb cat -n --decode proc --json >got
	grep -q '^{"seq":[0-9]*,"type":3,"time_ns":[0-9]*,"len":32,"event":"exit","pid":[0-9]*,"ppid":[0-9]*,"uid":0,"comm":"sleep","signal":9,"core":false}$' got
}

# What is not what it says.
t_decode_hostile()
{
	# 28 bytes are no exec; a comm of control characters and without a NUL
	printf '\1\0\0\0\2\0\0\0\3\0\0\0\033]0;x\007\nyyyyyyyyy' >f
	rb pub -W -T 2 ringbuf f
	rb pub -W -T 1 ringbuf f
	printf '\377\377\377\377\033[2J' >>f
	rb pub -W -T 2 ringbuf f
	rb pub -W -T 99 ringbuf f
	rb cat -n --decode proc >got
	same 'record 0' "$(head -n 1 got | cut -c 1-8)"
	grep -q ' fork  *1  *2  *3 .x1b]0;x.x07.nyyyyyyyyy$' got
	grep -q ' exec .* .x1b\[2J\.\.\.$' got
	same 0 "$(tr -d '\n\040-\176' <got | wc -c)"
	rb cat -n --decode proc --json >json-hostile
	same 4 "$(wc -l <json-hostile)"
	same 0 "$(tr -d '\n\040-\176' <json-hostile | wc -c)"
}

check 'lines become records and lines again' t_lines
check 'empty lines and files are skipped and counted' t_empty_lines
check 'nothing in, nothing out' t_nothing
check '--from oldest, newest, SEQ, -N' t_from
check 'follows, and each record comes out at once' t_follow
check '--from newest has only what comes' t_newest
check '--until-eof waits for the writer to go' t_until_eof
check '--timeout' t_timeout
check '--json: escapes, UTF-8, and what is none' t_json
check '--hex' t_hex
check '--raw is verbatim' t_raw
check '--verbose' t_verbose
check 'control characters are escaped on a terminal' t_escape
check 'an overrun is said, exactly' t_lost
check 'an overrun is in the JSON, and said' t_lost_json
check '--from a record that is gone' t_lost_seek
check 'a closed pipe ends cat by SIGPIPE' t_sigpipe
check 'also one that waits' t_sigpipe_idle
check 'and is said where SIGPIPE is ignored' t_sigpipe_ignored
check 'SIGINT' t_sigint
check 'SIGTERM while nobody reads the output' t_stuck_output
check 'a full disk, closed standard files' t_full
check 'the largest record' t_large
check 'lines too long, --split' t_too_long
check 'what comes with pauses is published at once' t_pauses
check '--type' t_type
check '--rate' t_rate
check '--length-prefixed' t_prefixed
check 'several files, standard input among them' t_files
check 'progress on a terminal, and nowhere else' t_progress
check 'a taken slot: by whom' t_busy
check 'what is no ring, or may not be opened' t_no_ring
check 'what would read what it writes is refused' t_own
check 'help, and wrong usage' t_usage
check '--decode proc' t_decode
check '--decode proc of records that lie' t_decode_hostile
finish
