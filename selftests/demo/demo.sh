#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make demo: the main job on real data, in a throw-away VM with a stock Debian
# kernel. Exit status 0: all that was shown was also checked, and right.
set -euo pipefail
. "$(dirname "$0")/../vm/lib.sh"

KERNEL=6.12
LOG_BYTES=$((4 << 20))

"$TOP/selftests/vm/deps.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/ringbuf-demo.XXXXXX")
trap 'rm -rf "$work"' EXIT
demo=$work/demo
mkdir "$demo"

modules=$("$TOP/selftests/vm/build.sh" "$KERNEL")
cp "$modules/kmod/ringbuf.ko" "$modules/kmod/samples/ringbuf_proc.ko" "$demo"
for program in reader writer live late resume; do
	"${CC:-gcc}" -O2 -Wall -Wextra -static -o "$demo/$program" \
		-I"$TOP/uapi" -I"$TOP/kmod/samples" "$TOP/selftests/demo/$program.c"
done
cp "$TOP/selftests/demo/guest.sh" "$demo"

# This machine's own logs, and changelogs as far as they do not fill it.
real_text()
{
	cat /var/log/dpkg.log /var/log/alternatives.log 2>/dev/null
	zcat -f /usr/share/doc/*/changelog*.gz 2>/dev/null
	cat /var/lib/dpkg/status
}
# Cut at the end of a line; those who write past the cut get SIGPIPE.
{ real_text || :; } 2>/dev/null | head -c $LOG_BYTES | sed '$d' >"$demo/log"

colour=
[ ! -t 1 ] || colour=1
status=0
start=$EPOCHREALTIME
echo "ringbuf: one producer, many readers, one copy. A guest boots (Debian's $KERNEL)..."
"$TOP/selftests/vm/run.sh" --quiet --kernel "$KERNEL" --timeout 600 --file "$demo" -- \
	sh /demo/guest.sh $colour || status=$?
took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f", b - a }')

if [ $status = 0 ]; then
	result="demo: all as it should be" code=32
else
	result="demo: FAILED (status $status)" code=31
fi
[ -z "$colour" ] || result=$(printf '\033[1;%sm%s\033[0m' "$code" "$result")
printf '\n%s (%s s)\n' "$result" "$took"
exit $status
