#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# In the guest, under the name of a group of programs: runs this group's tests in the
# Debian root that lies in /debian.
group=${0##*/}
root=/debian

if [ ! -e $root/proc/mounts ]; then
	for dir in dev proc sys tmp; do
		mkdir -p $root/$dir
		mount -o rbind /$dir $root/$dir || exit 1
	done
fi
exec chroot $root env -i PATH=/programs:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
	bash /programs/run.sh "$group"
