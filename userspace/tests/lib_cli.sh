# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# What the tests of ringbuf(1) share; they run as root in the guest, and print TAP.

count=0 failed=0
out=/tmp/cli
# Whatever ran here before.
rm -rf $out
mkdir -p $out
cd $out || exit 1

# Nothing here takes long, so what hangs is ended, and fails.
rb()
{
	timeout 60 ringbuf "$@"
}

# Where rings are made; mounted by the first test that makes one.
rings=/sys/kernel/config/ringbuf

unload()
{
	rmdir $rings/* 2>/dev/null || :
	! [ -e /sys/module/ringbuf ] || rmmod ringbuf 2>/dev/null
}

# load [PARAMETER]...: a fresh ring
load()
{
	# Who was told to end may need a moment.
	until_true unload
	insmod /ringbuf.ko "$@"
}

# A reader or writer that is to be signalled runs without a shell around it:
#	bg ARGUMENT... & pid=$!
bg()
{
	exec timeout 60 ringbuf "$@"
}

# check NAME FUNCTION [ARGUMENT]...: a test, which ends at the first failure
check()
{
	name=$1
	shift
	count=$((count + 1))
	(
		set -e
		# shellcheck disable=SC2046
		trap 'status=$?; kill $(jobs -p) 2>/dev/null || :; exit $status' EXIT
		rm -f pipe got said st
		load size=65536
		"$@"
	) >$out/log 2>&1
	# Not in a condition, where set -e would do nothing.
	status=$?
	if [ $status = 0 ]; then
		echo "ok $count $name"
	else
		sed 's/^/# /' $out/log | tail -n 40
		echo "not ok $count $name"
		failed=1
	fi
}

# same WANTED GOT
same()
{
	[ "$1" != "$2" ] || return 0
	printf 'wanted:\n%s\ngot:\n%s\n' "$1" "$2"
	return 1
}

# ends STATUS COMMAND...: its stdout goes to ./got, its stderr to ./said
ends()
{
	wanted=$1
	shift
	ended=0
	"$@" >$out/got 2>$out/said || ended=$?
	[ "$ended" != "$wanted" ] || return 0
	echo "status $ended, not $wanted: $*"
	head -n 20 $out/got $out/said
	return 1
}

# said PATTERN: it was said by what ends() ran
said()
{
	grep -q -e "$1" $out/said || {
		echo "'$1' was not said, but:"
		cat $out/said
		return 1
	}
}

silent()
{
	same '' "$(cat $out/said)"
}

# until COMMAND...: wait for it to succeed, half a minute at most
until_true()
{
	tries=0
	while ! "$@"; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || {
			echo "never came true: $*"
			return 1
		}
		usleep 50000
	done
}

attr_is()
{
	[ "$(attr "$1")" = "$2" ]
}

lines_in()
{
	[ -e "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]
}

# What runs a command on a terminal, and presses keys: pty.c
has_pty()
{
	command -v pty >/dev/null
}

attr()
{
	cat "/sys/class/ringbuf/ringbuf/$1"
}

finish()
{
	# As it was found.
	load
	echo "1..$count"
	exit $failed
}
