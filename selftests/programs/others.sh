# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016 # what shells are given
# socat, pv, jq.

echo "# $(version socat), $(version pv), $(version jq)"

copies "socat -u STDIN STDOUT" socat -u STDIN STDOUT
copies "socat -u -b 100 STDIN STDOUT" socat -u -b 100 STDIN STDOUT
goes_on "socat -u FILE,rdonly" sh -c 'exec socat -u "OPEN:$1,rdonly" STDOUT' sh
goes_on "socat -u FILE" sh -c 'exec socat -u "$1" STDOUT' sh
copies "socat: to a socket" sh -c 'rm -f socket; socat -u UNIX-LISTEN:socket STDOUT &
	until [ -S socket ]; do sleep 0.05; done; socat -u STDIN UNIX-CONNECT:socket; wait'
copies "pv" pv -q
copies "pv -C" pv -q -C
copies "pv | cat" sh -c 'pv -q | cat'
copies "pv -l" pv -q -l
goes_on "pv FILE" pv -q
agrees "jq -R" jq -R .
agrees "jq -Rs" jq -Rs .
agrees "jq -Rn, inputs" jq -Rn inputs
KINDS=json agrees "jq -c ." jq -c .
KINDS=json agrees "jq -s ." jq -s .
KINDS=json agrees "jq --stream" jq -c --stream .
KINDS=json agrees "jq --unbuffered, inputs" jq -n --unbuffered '[inputs]'
