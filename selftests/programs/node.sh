# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # what run.sh has
# Node.

echo "# $(version nodejs)"

for way in stdin createReadStream; do
	copies "node: $way" node /programs/stream.mjs "$way"
done
prints lines 'node: readline' node /programs/stream.mjs readline
for way in 'stdin, for await' readFileSync readSync; do
	KINDS=$few copies "node: $way" node /programs/stream.mjs "$way"
done

# The ways out while a read waits.
kind=one
cp one want
for way in child nonblock; do
	timeout "$limit" node /programs/stream.mjs "$way" /dev/ringbuf-one >out 2>err </dev/null
	same "node: $way: exit() ends it" $? 3
done

# exit() waits for the read.
make_ring live
exec 6>/dev/ringbuf-live
records one >&6
timeout "$limit" node /programs/stream.mjs exit /dev/ringbuf-live >out 2>err </dev/null 6>&- &
pid=$!
until grep -q exits err || ! kill -0 "$pid" 2>/dev/null; do
	sleep 0.05
done
sleep 1
kill -0 "$pid" 2>why
result $? 'node: exit() waits for a read'
records one >&6
wait "$pid"
same 'node: exit() waits for a read, which ends with the next record' $? 3
exec 6>&-
destroy_ring live
