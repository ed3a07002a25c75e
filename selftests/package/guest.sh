#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In a Debian that has ringbuf's packages, booted with systemd: TAP. As root.
n=0
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin

# check NAME COMMAND…
check()
{
	local name=$1 out
	shift
	n=$((n + 1))
	if out=$("$@" 2>&1); then
		echo "ok $n - $name"
	else
		printf '%s\n' "$out" | sed 's/^/# /'
		echo "not ok $n - $name"
	fi
}

# is FILE 'OWNER GROUP MODE'
is()
{
	local found
	udevadm settle --timeout=60
	found=$(stat -c '%U %G %a' "$1") || return
	[ "$found" = "$2" ] || { echo "$1: $found, not $2"; return 1; }
}

# within SECONDS COMMAND…
within()
{
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || { echo "not within the time: $*"; return 1; }
		sleep 0.3
	done
}

# open_errno ERRNO USER FLAGS FILE: what opening it gives
open_errno()
{
	runuser -u "$2" -- perl -e 'sysopen(my $f, $ARGV[1], $ARGV[0]) or exit($!+0); exit 0' "$3" "$4"
	local status=$?
	[ $status = "$1" ] || { echo "open: errno $status, not $1"; return 1; }
}

reload()
{
	modprobe -r ringbuf && modprobe ringbuf "$@"
}

reads()
{
	local got
	got=$(runuser -u "$1" -- ringbuf cat --no-follow ${3:+"$3"}) || return
	[ "$got" = "$2" ] || { echo "read: '$got', not '$2'"; return 1; }
}

parameter()
{
	local found
	found=$(cat "/sys/module/ringbuf/parameters/$1")
	[ "$found" = "$2" ] || { echo "$1: $found, not $2"; return 1; }
}

recorded()
{
	cat /var/log/ringbuf/"$1"/*.frames 2>/dev/null | grep -aq "$2"
}

# journal IDENTIFIER TEXT: is it there?
journal()
{
	journalctl -q -t "$1" -o cat | grep -qF "$2"
}

# unit STATE NAME
unit()
{
	[ "$(systemctl show -P ActiveState "$2")" = "$1" ]
}

nothing_failed()
{
	! systemctl list-units --failed --plain --no-legend 'ringbuf*' | grep .
}

# never_failed NAME: nor failed, and was restarted
never_failed()
{
	! journalctl -q -u "$1" -o cat | grep 'Failed with result'
}

gone()
{
	[ ! -e "$1" ]
}

echo 'TAP version 13'
useradd -G ringbuf member
useradd outsider

check 'the group is a system group' test "$(getent group ringbuf | cut -d: -f3)" -lt 1000
check 'nothing loads the module by itself' gone /dev/ringbuf
check 'modprobe' modprobe ringbuf
check 'version' test "$(cat /sys/module/ringbuf/version)" = "$(dpkg-query -W -f '${Version}' ringbuf-dkms)"
check '/dev/ringbuf: root ringbuf 0660' is /dev/ringbuf 'root ringbuf 660'
echo hello >/dev/ringbuf
check 'a member reads' reads member hello
check 'a member may write' open_errno 0 member 1 /dev/ringbuf
check 'who is none gets EACCES' open_errno 13 outsider 0 /dev/ringbuf
check 'and so for writing' open_errno 13 outsider 1 /dev/ringbuf
check 'who is none cannot make rings' bash -c '! runuser -u outsider -- ringbuf create x'
check 'nor a member' bash -c '! runuser -u member -- ringbuf create x'

# A ring's own mode is what it was made with; the rules give it the group.
check 'create' ringbuf create private
check 'a ring is 0600 by itself' is /dev/ringbuf-private 'root ringbuf 600'
check 'not for a member' open_errno 13 member 0 /dev/ringbuf-private
check 'create --mode 0640' ringbuf create --mode 0640 audit
check 'root ringbuf 0640' is /dev/ringbuf-audit 'root ringbuf 640'
check 'a member reads it' open_errno 0 member 0 /dev/ringbuf-audit
check 'and cannot write it' open_errno 13 member 1 /dev/ringbuf-audit
check 'create --mode 0644' ringbuf create --mode 0644 public
check 'root ringbuf 0644' is /dev/ringbuf-public 'root ringbuf 644'
check 'that is for everybody' open_errno 0 outsider 0 /dev/ringbuf-public
check 'one that nobody may open, by configfs' bash -c '
	cd /sys/kernel/config/ringbuf && mkdir closed && echo 0 >closed/mode && echo 1 >closed/live'
check 'root ringbuf 0' is /dev/ringbuf-closed 'root ringbuf 0'
check 'rm' ringbuf rm private audit public closed

# Who wins over what.
check "modprobe's arguments win" reload mode=0600
check '0600' is /dev/ringbuf 'root ringbuf 600'
cp /usr/share/doc/ringbuf-dkms/examples/modprobe.conf /etc/modprobe.d/ringbuf.conf
check 'the example of modprobe.d' reload
check 'its size' parameter size 16777216
check 'its stall_ms' parameter stall_ms 2000
check 'its mode wins over that of the package' is /dev/ringbuf 'root ringbuf 640'
rm /etc/modprobe.d/ringbuf.conf
echo 'options ringbuf mode=0600' >/etc/modprobe.d/aaa.conf
check 'one whose name is early' reload
check 'wins, too' is /dev/ringbuf 'root ringbuf 600'
rm /etc/modprobe.d/aaa.conf
echo 'KERNEL=="ringbuf", GROUP="adm", MODE="0664"' >/etc/udev/rules.d/80-local.rules
udevadm control --reload
check 'a udev rule of the administrator' reload
check 'wins over all' is /dev/ringbuf 'root adm 664'
rm /etc/udev/rules.d/80-local.rules
udevadm control --reload
check 'unload' modprobe -r ringbuf
check 'the node goes' within 20 gone /dev/ringbuf
cp /usr/share/doc/ringbuf-dkms/examples/modules-load.conf /etc/modules-load.d/ringbuf.conf
check 'the example of modules-load.d' systemctl restart systemd-modules-load
check 'loads it' is /dev/ringbuf 'root ringbuf 660'

# The recorder
check 'record /dev/ringbuf' systemctl start ringbuf-record@ringbuf
check 'it runs' within 30 unit active ringbuf-record@ringbuf
check 'as nobody in particular' within 30 bash -c '
	uid=$(stat -c %u /proc/$(systemctl show -P MainPID ringbuf-record@ringbuf))
	[ $uid -ge 61184 ] || { echo "uid $uid"; exit 1; }'
echo first >/dev/ringbuf
check 'it records' within 20 recorded ringbuf first
check 'it stops' systemctl stop ringbuf-record@ringbuf
check 'and starts again' systemctl start ringbuf-record@ringbuf
check 'in a file of its own' within 30 bash -c '[ "$(ls /var/log/ringbuf/ringbuf/*.frames | wc -l)" = 2 ]'
check 'the files are not for others' bash -c '! runuser -u member -- cat /var/log/ringbuf/ringbuf/*.frames'
check 'what was recorded can be replayed' bash -c '
	ringbuf create copy && ringbuf replay "$(ls /var/log/ringbuf/ringbuf/*.frames | head -n 1)" copy &&
	ringbuf cat --no-follow copy | grep -qx first && ringbuf rm copy'
check 'stop' systemctl stop ringbuf-record@ringbuf
check 'enabled for rings that are not there' systemctl enable ringbuf-record@audit 'ringbuf-record@my\x2dring'
check 'does not run' unit inactive ringbuf-record@audit
check 'a ring comes' ringbuf create --mode 0640 audit
check 'it starts by itself' within 60 unit active ringbuf-record@audit
echo audited >/dev/ringbuf-audit
check 'and records' within 20 recorded audit audited
check 'another one, with a - in its name' ringbuf create --mode 0640 my-ring
check 'is recorded, too' within 60 unit active 'ringbuf-record@my\x2dring'
check 'the rings go' ringbuf rm audit my-ring
check 'it ends' within 30 unit inactive ringbuf-record@audit
check 'the other one, too' within 30 unit inactive 'ringbuf-record@my\x2dring'
sleep 6 # RestartSec=
check 'for good' unit inactive ringbuf-record@audit
check 'nothing failed' nothing_failed
check 'disable' systemctl disable ringbuf-record@audit 'ringbuf-record@my\x2dring'

# The journal, as Documentation/recipes.rst has it.
cp '/usr/share/doc/ringbuf-tools/examples/ringbuf-journal@.service' /etc/systemd/system/
systemctl daemon-reload
check 'a ring for the journal' ringbuf create trail
echo hello >/dev/ringbuf-trail
check 'the unit of recipes/' systemctl start ringbuf-journal@trail
check 'its records are in the journal' within 30 journal ringbuf-trail '"data":"hello'
check 'it stops' systemctl stop ringbuf-journal@trail
echo again >/dev/ringbuf-trail
check 'and starts again' systemctl start ringbuf-journal@trail
check 'where it was' within 30 journal ringbuf-trail '"data":"again'
check 'with nothing twice' test "$(journalctl -q -t ringbuf-trail -o cat | grep -cF '"data":"hello')" = 1
check 'enabled for the next time' systemctl enable ringbuf-journal@trail
check 'its ring goes while it runs' ringbuf rm trail
check 'it ends' within 30 unit inactive ringbuf-journal@trail
sleep 6 # RestartSec=
check 'for good' unit inactive ringbuf-journal@trail
check 'nothing failed' nothing_failed
check 'nor for a moment' never_failed ringbuf-journal@trail
check 'the ring comes back' ringbuf create trail
check 'it starts by itself' within 60 unit active ringbuf-journal@trail
echo anew >/dev/ringbuf-trail
check 'with what is in the new ring' within 30 journal ringbuf-trail '"data":"anew'
check 'disable' systemctl disable ringbuf-journal@trail
check 'stop' systemctl stop ringbuf-journal@trail
check 'by systemd-cat' bash -c 'ringbuf cat --json --no-follow trail | systemd-cat -t ringbuf-cat'
check 'that is there as well' within 30 journal ringbuf-cat '"data":"anew'
journalctl -f -n 0 -o json > >(ringbuf pub trail) 2>&1 &
check 'the journal into a ring' within 30 bash -c '
	echo open | systemd-cat -t door
	ringbuf cat --no-follow trail | grep -qF "\"SYSLOG_IDENTIFIER\":\"door\""'
kill $!
check 'rm' ringbuf rm trail
check 'nobody has it open' within 20 grep -qx 0 /sys/module/ringbuf/refcnt

# Modules that publish
check 'unload' modprobe -r ringbuf
check 'the sample' modprobe ringbuf_proc
check 'has loaded ringbuf' test -e /sys/module/ringbuf
check 'it publishes' bash -c 'true; sleep 0.5; ringbuf cat --no-follow --decode proc | grep -q exec'
check 'unload both' modprobe -r ringbuf_proc
check 'a module from outside of the tree' modprobe ring_template period_ms=50
check 'has loaded ringbuf' test -e /sys/module/ringbuf
check 'its ring: root ringbuf 0640' is /dev/ringbuf-template 'root ringbuf 640'
check 'a member reads what it publishes' bash -c '
	[ "$(runuser -u member -- timeout 30 ringbuf cat --count 5 --json template | wc -l)" = 5 ]'
check 'it holds ringbuf' bash -c '! rmmod ringbuf'
check 'unload all' modprobe -r ring_template
check 'nothing is left in /dev' within 20 bash -c '! ls /dev/ringbuf* 2>/dev/null'
echo "1..$n"
