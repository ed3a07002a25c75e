#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What shows payloads, random ones, under sanitizers; a real parser reads its JSON.
# TAP; on the host.
set -euo pipefail
# shellcheck source=tap_lib.sh disable=SC2317 # what check() calls
. "$(dirname "$0")/tap_lib.sh"

workdir text
cli=userspace/cli

build()
{
	"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Werror \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		-Iuserspace/lib -Iuapi "-I$cli" -o "$work/fuzz" \
		userspace/tests/text_fuzz.c "$cli"/text.c "$cli"/out.c "$cli"/decode.c
}

payloads()
{
	"$work/fuzz" "${RINGBUF_FUZZ:-20000}" 1 >"$work/lines"
	/usr/bin/python3 userspace/tests/text_fuzz.py <"$work/lines"
}

echo 1..2
check build build
check 'payloads as JSON, text and dumps' payloads
exit $failed
