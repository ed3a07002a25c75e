# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034,SC3040
# What docs.py's scripts call, for bash and for busybox: prints "ok NAME", "not ok NAME"
# and reasons. Before it: $home, where blocks begin; reset PLACE, which makes it so.
set -o pipefail
set -a # to commands that get a shell of their own
lacks=
said=$home/said

report()
{
	if [ "$1" = 0 ]; then
		echo "ok $2"
	else
		sed 's/^/# /' "$said" | tail -n 30
		echo "# status $1"
		echo "not ok $2"
	fi
}

# wait_for COMMAND: until it succeeds, half a minute at most
wait_for()
{
	for _ in $(seq 150); do
		! eval "$1" || return 0
		sleep 0.2
	done
	return 1
}

# begin PLACE PROGRAM…
begin()
{
	reset "$1" >"$said" 2>&1 || report $? "a fresh $1"
	shift
	cd "$home" || exit
	for program; do
		command -v "$program" >/dev/null || lacks="$lacks $program"
	done
}

first()
{
	[ -z "$lacks" ] || return
	eval "$1" >"$said" 2>&1 </dev/null || report $? "before it: $1"
}

skip()
{
	echo "ok $1 # SKIP $2"
}

# run NAME COMMAND
run()
{
	[ -z "$lacks" ] || { skip "$1" "without$lacks"; return; }
	eval "$2" >"$said" 2>&1 </dev/null
	report $? "$1"
}

gone()
{
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		kill -0 -"$1" 2>/dev/null || return 0
		sleep 0.1
	done
	return 1
}

# endless NAME COMMAND: has to go on until it is stopped
endless()
{
	[ -z "$lacks" ] || { skip "$1" "without$lacks"; return; }
	setsid "${BASH:-sh}" -c "set -o pipefail; $2" >"$said" 2>&1 </dev/null &
	it=$!
	sleep 2
	if kill -0 $it 2>/dev/null; then
		# The end of a pipe first, so that what is in it gets through.
		killall ringbuf 2>/dev/null
		gone $it || kill -TERM -$it 2>/dev/null
		gone $it || kill -KILL -$it 2>/dev/null
		wait $it 2>/dev/null
		report 0 "$1"
	else
		wait $it
		echo "it ended, with $?" >>"$said"
		report 1 "$1"
	fi
}

# then_ WHERE COMMAND
then_()
{
	[ -z "$lacks" ] || return
	eval "$2" >"$said" 2>&1 </dev/null
	report $? "$1: then $2"
}

end()
{
	# shellcheck disable=SC2046
	kill $(jobs -p) 2>/dev/null
	wait 2>/dev/null
	:
}
