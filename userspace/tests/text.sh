#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What shows payloads, random ones, under sanitizers; a real parser reads its JSON.
# TAP; on the host.
set -u
cd "$(dirname "$0")" || exit
work=$(mktemp -d "${TMPDIR:-/tmp}/ringbuf-text.XXXXXX") || exit
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cli=../cli
failed=0

# result STATUS NUMBER NAME
result()
{
	if [ "$1" = 0 ]; then
		echo "ok $2 - $3"
	else
		sed 's/^/# /' "$work/log" | head -n 40
		echo "not ok $2 - $3"
		failed=1
	fi
}

echo 1..2
"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror \
	-fsanitize=address,undefined -fno-sanitize-recover=all \
	-I../lib -I../../uapi -I$cli -o "$work/fuzz" \
	text_fuzz.c $cli/text.c $cli/out.c $cli/decode.c >"$work/log" 2>&1
result $? 1 build

{
	"$work/fuzz" "${RINGBUF_FUZZ:-20000}" 1 >"$work/lines" &&
		/usr/bin/python3 text_fuzz.py <"$work/lines"
} >"$work/log" 2>&1
result $? 2 'payloads as JSON, text and dumps'
exit $failed
