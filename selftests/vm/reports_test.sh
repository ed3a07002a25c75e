#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Does reports.sh tell what is a failure from what is not? With this machine's awk and
# with busybox's, which guests have. TAP.
set -euo pipefail
cd "$(dirname "$0")"
. ./reports.sh

n=0 bad=0 awk=''

awk()
{
	case $awk in
	busybox) busybox awk "$@" ;;
	*) command awk "$@" ;;
	esac
}

# race TITLE READER… -- WRITER…: what KCSAN tells of them, stacks of functions
race()
{
	local frame
	echo "=================================================================="
	echo "BUG: KCSAN: data-race in $1"
	shift
	echo "read to 0xffff88803c81ef98 of 8 bytes by task 77 on cpu 0:"
	for frame; do
		case $frame in
		--) echo "write to 0xffff88803c81ef98 of 8 bytes by interrupt on cpu 1:" ;;
		ringbuf_*) echo " $frame+0x1/0x20 [ringbuf]" ;;
		*) echo " $frame+0x1/0x20" ;;
		esac
	done
	echo "Reported by Kernel Concurrency Sanitizer on:"
	echo "CPU: 0 UID: 0 PID: 77 Comm: ringbuf Tainted: G O 6.12 #1"
	echo "=================================================================="
}

# expect found|nothing NAME COMMAND…: in what the command prints
expect()
{
	local want=$1 name=$2 found=nothing
	shift 2
	if "$@" | sed 's/^/[    1.234567] /' | reports >/dev/null; then
		found=found
	fi
	n=$((n + 1))
	if [ "$found" = "$want" ]; then
		echo "ok $n $name, $awk"
	else
		echo "not ok $n $name, $awk: $found"
		bad=$((bad + 1))
	fi
}

ours='ringbuf_a [ringbuf] / ringbuf_b [ringbuf]'
two()
{
	race "tick / tock" tick ksys_x -- tock x
	race "$ours" ringbuf_a -- ringbuf_b
}
behind()
{
	race "tick / tock" tick ksys_x -- tock x
	echo "WARNING: possible circular locking dependency detected"
}
within()
{
	race "tick / tock" tick ksys_x -- tock x | sed '$i WARNING: suspicious'
}
cut_short()
{
	race "tick / tock" tick ksys_x -- tock x | head -n 5
}

for awk in awk busybox; do
	expect nothing "a log without a report" echo "selftest: read"
	expect found "KASAN" echo "BUG: KASAN: slab-use-after-free in x"
	expect found "a race of ours" race "$ours" ringbuf_a vfs_read -- ringbuf_b
	expect found "a race by way of us" \
		race "list_add / list_del" list_add ringbuf_a vfs_read -- list_del ksys_x
	expect found "a race by way of us, in an interrupt" \
		race "list_add / list_del" list_add ksys_x -- list_del ringbuf_a asm_sysvec_x x
	expect nothing "a race of others, one of whom interrupted us" \
		race "tick / tock" tick asm_sysvec_x ringbuf_a vfs_read -- tock ksys_x
	expect nothing "a race of others" \
		race "tick / tock" tick ksys_x -- tock asm_exc_page_fault x
	expect found "a race of ours behind one of others" two
	expect found "a warning behind a race of others" behind
	expect found "a warning within a race of others" within
	expect found "a race that is cut short" cut_short
	expect nothing "a race by way of us that is known" \
		race "do_epoll_wait / ep_poll_callback" do_epoll_wait x -- ep_poll_callback ringbuf_a
done
echo "1..$n"
[ "$bad" = 0 ]
