# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016,SC2034,SC2086,SC2154 # what shells are given; what run.sh has
# What copies, cuts and counts.

for package in coreutils findutils grep sed mawk busybox bsdextrautils xxd diffutils gzip; do
	echo "# $(version $package)"
done

# To the end.
copies 'cat' cat
copies 'tee' tee copy
copies 'dd' dd status=none
copies 'dd bs=1' dd bs=1 status=none
copies 'dd bs=4096' dd bs=4096 status=none
KINDS=$few copies 'dd bs=1M iflag=fullblock' dd bs=1M iflag=fullblock status=none
KINDS=$few copies 'split' sh -c 'rm -f part.*; split -a 4 -b 1000 - part. && cat part.*'
KINDS=$few copies 'gzip' sh -c 'gzip -c | gzip -dc'
copies 'busybox cat' busybox cat
copies 'busybox dd bs=4096' busybox dd bs=4096
KINDS=$few prints : 'cmp' sh -c 'cmp - $kind'
KINDS=$few prints : 'diff' sh -c 'diff - $kind'
agrees 'od' od -v -c
KINDS=$few agrees 'od -j 3' od -v -c -j 3
KINDS=$few agrees 'xxd' xxd
KINDS=$few agrees 'hexdump' hexdump -v -C
agrees 'wc' wc
agrees 'wc -c' wc -c
agrees 'wc -l' wc -l
KINDS=$few agrees 'busybox wc' busybox wc
KINDS=$few agrees 'sha256sum' sha256sum
KINDS=$few agrees 'base64' base64
KINDS=$few agrees 'sort' sort
KINDS=$few agrees 'cat | tac' sh -c 'cat | tac'
KINDS=$few agrees 'tr' tr a-z A-Z
KINDS=$few agrees 'cut' cut -b 3-
agrees 'grep' grep -n .
KINDS=$few agrees 'grep -c' grep -c ^
agrees 'sed' sed s/a/b/g
KINDS=$few agrees 'mawk' mawk '{ print NR, $0 }'
KINDS=$few agrees 'busybox awk' busybox awk '{ print NR, $0 }'
# It ends early at a quotation that does not end, and at an argument that is too long.
KINDS='one two 600' agrees 'xargs' xargs -n 3
KINDS=$few agrees 'tail -n 2' tail -n 2
KINDS=$few agrees 'tail -c 100' tail -c 100
agrees 'tail -n +2' tail -n +2
agrees 'tail -c +10' tail -c +10
agrees 'busybox tail -n +2' busybox tail -n +2
agrees 'head -n -1' head -n -1
KINDS=$few agrees 'head -c -10' head -c -10
agrees 'busybox dd bs=1 skip=3' busybox dd bs=1 skip=3
agrees 'cat | dd skip=3' sh -c 'cat | dd bs=1 skip=3 status=none'

# dd of coreutils does not skip. SEEK_CUR fails and SEEK_END does not, so dd takes the ring
# for a file that is too short.
: >want
kind=one
retained 'dd skip=3' 1 dd bs=1 skip=3 status=none
grep -q 'cannot skip: Illegal seek' err 2>why
result $? 'dd skip=3: what it says'

# No further than they need.
for busybox in '' 'busybox '; do
	for what in 'head -n 1' 'head -c 1' 'sed q' 'grep -m1 .' 'od -N 5'; do
		stops "$busybox$what FILE" $busybox$what
	done
	# Of records that have so much.
	KINDS='one two 600 mixed' stops "${busybox}head -n 3 FILE" ${busybox}head -n 3
	KINDS='one two 600 mixed' stops "${busybox}sed 2q FILE" ${busybox}sed 2q
	KINDS='600 200000 mixed' stops "${busybox}head -c 1000 FILE" ${busybox}head -c 1000
done

# A file that they open themselves has no end.
goes_on 'cat FILE' cat
# Without bs= it writes when it has 512 bytes.
goes_on 'dd bs=4096 if=FILE' sh -c 'exec dd bs=4096 "if=$1" status=none' sh
goes_on 'cp FILE' sh -c 'exec cp "$1" out' sh
goes_on 'cp /dev/stdin' sh -c 'exec cp /dev/stdin out <"$1"' sh
goes_on 'busybox cp FILE' sh -c 'exec busybox cp "$1" out' sh
goes_on 'tail -c +1 FILE' stdbuf -o0 tail -c +1

# It ends when the ring is destroyed, which is an error.
kind=mixed
cp mixed want
make_ring live
records mixed >/dev/ringbuf-live
timeout "$limit" cat /dev/ringbuf-live >out 2>err &
until cmp -s out want || ! kill -0 $! 2>/dev/null; do
	sleep 0.05
done
destroy_ring live
wait $!
same 'cat FILE, of a ring that is destroyed' $? 1
grep -q 'No such device' err 2>why
result $? 'cat FILE, of a ring that is destroyed: what it says'

# As is a loss, once.
make_ring live 4096
exec 5</dev/ringbuf-live
seq 1000 | while read -r n; do echo "$n"; done >/dev/ringbuf-live
with_end cat </dev/ringbuf-live >want
timeout "$limit" cat <&5 >out 2>err
[ $? = 1 ] && [ ! -s out ] && grep -q 'Broken pipe' err 2>why
result $? 'cat, which has lost records: what it says'
with_end cat <&5 >out 2>err
same 'cat, which has lost records: goes on at the oldest' $?
exec 5<&-
destroy_ring live

# One descriptor, one program after the other: what each leaves to the next.
rest='a 1\nb 1\na 2\nb 2\na 3\nb 3\na 4\nb 4\n'
shares 'head -n 1, three times' 'line 0\nline 1\nline 2\n' one 'head -n 1; head -n 1; head -n 1'
shares 'head -n 1, three times' 'a 0\na 1\na 2\n' two 'head -n 1; head -n 1; head -n 1'
shares 'head -n 1, then cat' "a 0\n$rest" two 'head -n 1; cat'
shares 'sed q, then cat' "a 0\n$rest" two 'sed q; cat'
shares 'sed -u q, then cat' "a 0\nb 0\n$rest" two 'sed -u q; cat'
shares 'grep -m1, then cat' "a 0\n$rest" two 'grep -m1 a; cat'
shares 'head -c 2, then cat' "a 0\nb 0\n$rest" two 'head -c 2; cat'
shares 'dd bs=1 count=2, then cat' "a 0\nb 0\n$rest" two 'dd bs=1 count=2 status=none; cat'
shares 'dd bs=3 count=2, then cat' "a 0\nb 0\n$rest" two 'dd bs=3 count=2 status=none; cat'
# It takes what SEEK_END returns, a number of records, for the size of a file.
shares 'tac' 'line 0\n' one 'tac'
shares 'od -N 2, then cat' "   a\n0\nb 0\n$rest" two 'od -A n -c -N 2 | cut -b 1-4; cat'
