#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest, by vm/guest-selftest.sh: one piece of torture, called as its name.
# /torture has the programs, and env, what they are told.
SEED=1 CALLS=20000 SECONDS_=0 ROUNDS=200 TIME=60 FAILNTH= TRINITY=100000
. /torture/env
PATH=/torture:$PATH
rings=/sys/kernel/config/ringbuf

# reload PARAMETER…: a fresh module
reload()
{
	rmmod ringbuf 2>/dev/null
	insmod /ringbuf.ko "$@"
}

# ring NAME SIZE: one that anybody can write
ring()
{
	mkdir "$rings/$1" && echo "$2" >"$rings/$1/size" && echo 0666 >"$rings/$1/mode" &&
		echo 1 >"$rings/$1/reliable" && echo 30 >"$rings/$1/stall_ms" &&
		echo 1 >"$rings/$1/live"
}

# Nothing is left: no file, no map, no reference.
unload()
{
	rmdir $rings/* 2>/dev/null
	if ! rmmod ringbuf; then
		echo "@error the module cannot be unloaded: $(cat /sys/module/ringbuf/refcnt) users"
		return 1
	fi
}

# fuzz_as UID SIZE
fuzz_as()
{
	reload mode=0666 reliable=1 stall_ms=20 "size=$2" && ring one 4096 &&
		ring two 1048576 || return
	fuzz -s "$SEED" -c "$CALLS" -S "$SECONDS_" -u "$1" \
		/dev/ringbuf /dev/ringbuf-one /dev/ringbuf-two
	status=$?
	unload && return $status
}

# One thread does the same twice.
fuzz_repeats()
{
	echo TAP version 13
	for i in 1 2; do
		reload mode=0666 reliable=1 stall_ms=20 size=65536
		fuzz -s "$SEED" -c 2000 -p 1 -t 1 /dev/ringbuf | grep '^# digest'
	done >/tmp/digests
	cat /tmp/digests
	unload
	[ "$(wc -l </tmp/digests)" = 2 ] && [ "$(sort -u /tmp/digests | wc -l)" = 1 ] ||
		printf 'not '
	echo "ok 1 a seed repeats a run"
	echo 1..1
}

run_contexts()
{
	reload && insmod /torture/ringbuf_poke.ko || return
	contexts "$ROUNDS"
	status=$?
	rmmod ringbuf_poke && return $status
}

# by USER COMMAND…: with a writer at work meanwhile
by()
{
	user=$1
	shift
	echo TAP version 13
	reload mode=0666 reliable=1 stall_ms=20 size=65536
	(while echo "a record of no great length"; do :; done >/dev/ringbuf) 2>/dev/null &
	writer=$!
	cd /tmp && su -s /bin/sh "$user" -c "$*" </dev/null >/tmp/tool 2>&1
	status=$?
	kill $writer
	wait $writer 2>/dev/null
	tail -n 25 /tmp/tool | sed 's/^/# /'
	head=$(cat /sys/class/ringbuf/ringbuf/head_seq)
	echo "# $head records were written meanwhile"
	# Those that it started may be on their way out.
	sleep 1
	unload
	[ $status = 0 ] && [ "$head" -gt 0 ] || printf 'not '
	echo "ok 1 $1 as $user: status $status"
	echo 1..1
}

# Calls that one of these files can be the target of; it knows all others, too.
calls="read write readv writev pread64 pwrite64 preadv pwritev lseek ioctl poll ppoll \
select mmap munmap mprotect mremap madvise msync mincore dup dup2 dup3 fcntl newfstat \
splice sendfile fsync flock ftruncate fallocate close"

# It wants locks for its sockets, and inotify, which not all of these kernels have; and
# with fallocate() of a memfd it takes all the memory there is.
no_fds="--disable-fds=sockets --disable-fds=inotify --disable-fds=memfd"

case "${0##*/}" in
stress_ng_user)
	by user stress-ng --dev 3 --dev-file /dev/ringbuf --timeout "${TIME}s" --metrics-brief
	;;
stress_ng_root)
	by root stress-ng --dev 3 --dev-file /dev/ringbuf --timeout "${TIME}s" --metrics-brief
	;;
trinity_user)
	by user trinity $no_fds -q -l off -C 3 -N "$TRINITY" -s "$SEED" -V /dev/ringbuf \
		"$(printf -- '-c %s ' $calls)"
	;;
trinity_root)
	by root trinity $no_fds --dangerous -q -l off -C 3 -N "$TRINITY" -s "$SEED" -V /dev/ringbuf \
		"$(printf -- '-c %s ' $calls)"
	;;
fuzz_user)
	fuzz_as 1000 65536
	;;
fuzz_root)
	fuzz_as 0 8192
	;;
fuzz_repeats)
	fuzz_repeats
	;;
failnth)
	reload reliable=1 size=65536
	/torture/failnth $FAILNTH
	;;
contexts)
	run_contexts
	;;
hostile)
	hostile
	;;
soak)
	rmmod ringbuf && /torture/soak "$TIME" "$SEED"
	;;
*)
	echo "@error no piece ${0##*/}"
	exit 1
	;;
esac
status=$?
# As guest-selftest.sh has left it.
[ -e /sys/module/ringbuf ] || insmod /ringbuf.ko || status=1
exit $status
