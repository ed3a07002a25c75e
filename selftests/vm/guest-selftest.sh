#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: loads the module, runs each program named on stdin (and how hard it
# is to try, if not as $RINGBUF_TEST_LEVEL says), looks at the kernel's log after each so
# that a report is pinned to its test, unloads.
#   guest-selftest.sh SECONDS [ARGUMENT]...     for each program; its arguments
# ASK=1: the host is asked for each program, by the line @next; it answers by the port
# that the output goes to, with the program's name, or @end.
# Sections as lib/tap.awk wants them: @begin NAME, the output, @end STATUS.
. /reports.sh
limit=$1
shift

log_is_clean()
{
	dmesg -c >/tmp/dmesg
	! reports <"/tmp/dmesg" >/tmp/reports
}

section()
{
	name=$1
	shift
	echo "@begin $name"
	echo "selftest: $name" >/dev/kmsg
	"$@" 2>&1
	status=$?
	# It may have ended in the middle of a line.
	echo
	if [ $status = 143 ] || [ $status = 124 ]; then
		echo "@error cut short: not done in $limit s"
		killall -9 "$name" 2>/dev/null
	fi
	if ! log_is_clean; then
		sed 's/^/# /' /tmp/reports
		echo "@error the kernel's log has a report in it"
	fi
	echo "@end $status"
}

load()
{
	insmod /ringbuf.ko && [ -c /dev/ringbuf ] && echo "ok 1 load" || echo "not ok 1 load"
	echo 1..1
}

unload()
{
	rmmod ringbuf && [ ! -e /dev/ringbuf ] && echo "ok 1 unload" || echo "not ok 1 unload"
	echo 1..1
}

next()
{
	if [ -z "$ASK" ]; then
		read -r program level
	else
		echo "@next"
		read -r program level <&3 && [ "$program" != @end ]
	fi
}

[ -z "$ASK" ] || exec 3<"$RINGBUF_VM_PORT"
dmesg -c >/dev/null
section load load
if [ -c /dev/ringbuf ]; then
	cd /tmp || exit 1
	while next; do
		section "$program" env "RINGBUF_TEST_LEVEL=${level:-$RINGBUF_TEST_LEVEL}" \
			timeout "$limit" "/tests/$program" "$@" </dev/null
	done
fi
section unload unload
