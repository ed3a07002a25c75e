#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The demo, inside the guest. Readers run as an ordinary user.
#   guest.sh [COLOUR]
set -u
cd /demo || exit

bold='' green='' red='' dim='' plain=''
if [ -n "${1:-}" ]; then
	bold=$(printf '\033[1m') green=$(printf '\033[32m') red=$(printf '\033[31m')
	dim=$(printf '\033[2m') plain=$(printf '\033[0m')
fi
failed=0

act()
{
	printf '\n%s%s%s\n' "$bold" "$1" "$plain"
}

# check WHAT COMMAND...
check()
{
	what=$1
	shift
	if "$@" >/dev/null; then
		printf '  %sok%s      %s\n' "$green" "$plain" "$what"
	else
		printf '  %sWRONG%s   %s\n' "$red" "$plain" "$what"
		failed=$((failed + 1))
	fi
}

die()
{
	printf '  %sWRONG%s   %s\n' "$red" "$plain" "$*"
	exit 1
}

# reader NAME COMMAND...: in the background, as a user, without privilege. What it
# says goes to /tmp/NAME.out and /tmp/NAME.err.
reader()
{
	name=$1
	shift
	su user -c "exec /demo/$*" >"/tmp/$name.out" 2>"/tmp/$name.err" 3>&- &
}

now_ms()
{
	read -r up _ </proc/uptime
	echo "$(echo "$up" | tr -d .)0"
}

head_seq()
{
	read -r seq </sys/class/ringbuf/ringbuf/head_seq
	echo "$seq"
}

#----------------------------------------------------------------------------
act "Act 1: every process of this machine, to three readers at once"
cat <<'TEXT'
ringbuf_proc.ko publishes each fork, exec and exit in a ring of 64 KiB. Three
unprivileged readers: `live` follows; `late` sleeps until it has been overrun;
`resume` stops after 100 records and comes back later. None slows another down.

TEXT
insmod ringbuf.ko size=65536 mode=0444 || die "insmod ringbuf.ko"
insmod ringbuf_proc.ko || die "insmod ringbuf_proc.ko"

printf '%s   seq         time  what    pid   ppid   uid  comm            detail%s\n' \
	"$dim" "$plain"
su user -c "exec /demo/live /tmp/live.txt 29" 2>/tmp/live.err &
live=$!

# A small day's work, slow enough to be watched.
usleep 300000
/bin/date >/dev/null
usleep 300000
/bin/sh -c '/bin/ls /bin | /bin/head -n 1; exit 3' >/dev/null
usleep 300000
/bin/sleep 5 &
usleep 300000
kill -9 $!
wait $! 2>/dev/null

# They come later, but start with what the ring has: record 0.
reader late late
late=$!
reader part1 resume 0 100
part1=$!

# work N: as many processes
runs=0
work()
{
	for _ in $(seq "$1"); do
		/bin/true
	done
	runs=$((runs + $1))
}

work 40
wait $part1 || die "resume: $(cat /tmp/part1.err)"
read -r next </tmp/part1.err
away=$(head_seq)
work 60
back=$(head_seq)
reader part2 resume "$next"
part2=$!
printf '   ...\n\n'
echo "resume  stopped before record $next, was away for $((back - away)) records, is back"

overwritten()
{
	read -r tail </sys/class/ringbuf/ringbuf/tail_seq
	[ "$tail" -gt 0 ]
}
start=$(now_ms)
until overwritten; do
	work 20
done
echo "late    overrun after $(($(now_ms) - start)) ms of busy shell loops; will wake up in a second"
work 200
rmmod ringbuf_proc || die "rmmod ringbuf_proc"
published=$(head_seq)
wait $live || die "live: $(cat /tmp/live.err)"
wait $late || die "late: $(cat /tmp/late.err)"
wait $part2 || die "resume: $(cat /tmp/part2.err)"

late_is_right()
{
	[ "$late_lost" -gt 0 ] &&
		tail -n "$late_read" /tmp/live.txt | cmp - /tmp/late.out
}

resume_is_right()
{
	cat /tmp/part1.out /tmp/part2.out | cmp - /tmp/live.txt
}

read -r live_read live_lost </tmp/live.err
read -r late_read late_lost </tmp/late.err
resume_read=$(cat /tmp/part1.out /tmp/part2.out | wc -l)
printf '\n            read     lost      sum   published\n'
printf '  live   %7u  %7u  %7u  %10u\n' \
	"$live_read" "$live_lost" $((live_read + live_lost)) "$published"
printf '  late   %7u  %7u  %7u  %10u\n' \
	"$late_read" "$late_lost" $((late_read + late_lost)) "$published"
printf '  resume %7u  %7u  %7u  %10u\n\n' "$resume_read" 0 "$resume_read" "$published"

check "live has read all $published records, in order" \
	[ "$live_read $live_lost" = "$published 0" ]
check "late has read and lost as many as were published" \
	[ $((late_read + late_lost)) = "$published" ]
check "late did lose some, and what it read is what live read last" \
	late_is_right
check "resume has the same $resume_read lines as live" \
	resume_is_right
execs=$(grep -c ' exec .* /bin/true$' /tmp/live.txt)
exits=$(grep -c ' exit .* true  *status 0$' /tmp/live.txt)
check "$runs runs of /bin/true: $execs exec and $exits exit records" \
	[ "$execs $exits" = "$runs $runs" ]
killed=$(grep -c ' sleep  *signal 9$' /tmp/live.txt)
three=$(grep -c ' sh  *status 3$' /tmp/live.txt)
check "one killed by signal 9 and one ended with status 3, as they did" \
	[ "$killed $three" = "1 1" ]
rmmod ringbuf || die "rmmod ringbuf"

#----------------------------------------------------------------------------
lines=$(wc -l <log)
bytes=$(wc -c <log)
act "Act 2: a log through the writer, to two readers"
cat <<TEXT
dpkg's log of your own machine and changelogs from /usr/share/doc, $bytes
bytes, go through /dev/ringbuf, a record per line. Both readers copy all of it.
The ring, 16 MiB, holds the whole log: no reader can be overrun, however slow.

TEXT
insmod ringbuf.ko size=16777216 mode=0444 || die "insmod ringbuf.ko"

no_second_writer()
{
	! (: >/dev/ringbuf) 2>/dev/null
}

exec 3>/dev/ringbuf || die "no writer slot"
check "a second writer is turned away" no_second_writer
reader one reader
one=$!
reader two reader
two=$!
start=$(now_ms)
./writer <log >&3 || die "writer"
exec 3>&-
wait $one || die "reader: $(cat /tmp/one.err)"
wait $two || die "reader: $(cat /tmp/two.err)"
ms=$(($(now_ms) - start))
published=$(head_seq)

hash()
{
	sha256sum <"$1" | cut -c 1-64
}
log_hash=$(hash log)
one_hash=$(hash /tmp/one.out)
two_hash=$(hash /tmp/two.out)
printf '\n  log        %s\n' "$log_hash"
printf '  reader 1   %s\n' "$one_hash"
printf '  reader 2   %s\n\n' "$two_hash"
check "$published records published, one per line" [ "$published" = "$lines" ]
check "both copies are the log, byte for byte" \
	[ "$one_hash $two_hash" = "$log_hash $log_hash" ]
printf '\n%s ms from the first line to the end of the last reader, on emulated CPUs\n' $ms
rmmod ringbuf || die "rmmod ringbuf"

[ $failed = 0 ]
