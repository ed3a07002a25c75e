# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # what run.sh has
# Go.

for way in Read ReadAll Copy ReadString Seek; do
	copies "go: $way" stream-go "$way"
done
prints lines 'go: Scanner' stream-go Scanner

# What it opens itself is for its poller to wait for.
for kind in $kinds; do
	cp "$kind" want
	for way in 'Open, Read' 'Open, ReadAll' Deadline Close; do
		timeout "$limit" stream-go "$way" "/dev/ringbuf-$kind" >out 2>err </dev/null
		same "go: $way: $kind" $?
	done
done
