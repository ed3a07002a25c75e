#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: the selftests named on stdin, then KUnit, then what gcov has counted;
# it keeps what it knows of a module that goes.
sh /guest-selftest.sh 600

insmod /ringbuf.ko reliable=1 stall_ms=5000
for ko in /kunit/*.ko; do
	insmod "$ko"
done
for ko in /kunit/*.ko; do
	rmmod "$(basename "$ko" .ko)"
done
rmmod ringbuf
dmesg | grep '^\[[^]]*\] *not ok' | sed 's/^\[[^]]*\] *//'

mkdir -p /tmp/gcda
# The files there have no length, which cp minds.
find /sys/kernel/debug/gcov -name '*.gcda' | grep /kmod/ | while IFS= read -r f; do
	mkdir -p "/tmp/gcda/$(dirname "${f#/sys/kernel/debug/gcov/}")"
	cat "$f" >"/tmp/gcda/${f#/sys/kernel/debug/gcov/}"
done
find /tmp/gcda -name '*.gcda' | grep -q . || echo "@error gcov has counted nothing"
