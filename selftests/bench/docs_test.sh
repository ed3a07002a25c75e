#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Does `make bench-docs` put into the documentation what was measured? In a tree of
# its own, with made-up measurements. As TAP, in a second.
set -uo pipefail
cd "$(dirname "$0")" || exit
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
count=0 failed=0
bench=$tree/build/bench docs=$tree/Documentation/benchmarks

make_tree()
{
	local name
	mkdir -p "$tree"/selftests/{vm,bench} "$docs" "$bench"{,-kernel}
	cp ../vm/lib.sh "$tree/selftests/vm/"
	cp suite.sh report.py ./*.csv "$tree/selftests/bench/"
	for name in syscalls kernel; do
		printf '%s\n' "# $name" '<!-- begin run -->' 'what was before' \
			'<!-- end run -->' 'last' >"$docs/$name.md"
	done
	for name in machine syscalls report; do
		echo "the $name" >"$bench/$name.md"
	done
	echo "6.12 gcc 12" >"$bench/toolchain"
	printf '%s\n' setting,case,contender,round,ns \
		'vm,write + read: 1 reader,ringbuf read(),0,1500' \
		'vm,write + read: 1 reader,pipe,0,2000' \
		'vm,publish-64,ringbuf,0,10' 'vm,publish-64,ftrace ring_buffer,0,30' \
		'icount,publish-64,ringbuf,0,10' \
		'icount,publish-64,ftrace ring_buffer,0,30' | tee "$bench/results.csv" \
		>"$tree/build/bench-kernel/kernel.csv"
}

# expect STATUS TEXT NAME: makes the documentation; TEXT: what kernel.md is then
expect()
{
	local got=0
	count=$((count + 1))
	"$tree/selftests/bench/suite.sh" docs >"$tree/out" 2>&1 || got=$?
	if [ "$got" = "$1" ] && [ "$(sed /^$/d "$docs/kernel.md")" = "$2" ]; then
		echo "ok $count $3"
		return
	fi
	sed 's/^/# /' "$tree/out" "$docs/kernel.md"
	echo "not ok $count $3: status $got"
	failed=1
}

# page TEXT: with that between the marks
page()
{
	printf '%s\n' '# kernel' '<!-- begin run -->' "$1" '<!-- end run -->' last
}

make_tree
printf '%s\n' '### Kernel path' '' measured >"$bench/kernel.md"
expect 0 "$(page measured)" "what was measured stands between the marks"
printf '%s\n' 'vm: left out' '### Kernel path' '' again >"$bench/kernel.md"
expect 0 "$(page again)" "without what could not be"
echo '### Kernel path' >"$bench/kernel.md"
expect 1 "$(page again)" "nothing measured does not replace what there is"
# What a check does not measure it cannot find.
count=$((count + 1))
ref=$tree/selftests/bench/ref.csv
if grep -q '^icount,publish-64,' "$ref" && grep -q '^vm,write + read' "$ref" &&
	! grep -E '^(native,broadcast: 2|(uml|vm),publish)' "$ref" ./ref.csv; then
	echo "ok $count the reference has what a check measures"
else
	sed 's/^/# /' "$ref"
	echo "not ok $count the reference has what a check measures"
	failed=1
fi
echo "1..$count"
exit $failed
