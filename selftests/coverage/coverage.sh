#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# coverage.sh: which lines and branches of kmod/ the tests run. Natively: the suites of
# the core, a crowd of threads, and the corpora of the fuzzers. In a guest, on a kernel with gcov:
# KUnit and the selftests. Prints a table for each file, and puts the lines that nobody
# runs into build/coverage/missed.
#   coverage.sh native     only that, in a minute
#   coverage.sh report     of what was counted before, once more
set -euo pipefail
. "$(dirname "$0")/../vm/lib.sh"
cd "$TOP"

out=$TOP/build/coverage
GCC=gcc-12 GCOV=gcov-12

# lines: from .gcov files on stdin, "line file line count", "branch file line.n taken"
lines()
{
	awk '
		/^ *-: *0:Source:/ { sub(/.*Source:/, ""); sub(/.*kmod\//, "kmod/"); file = $0; next }
		file !~ /^kmod\/[^\/]*$/ { next }
		/^ *[-#=0-9][^:]*: *[0-9]+:/ {
			split($0, f, ":")
			line = f[2] + 0
			branch = 0
			gsub(/[ *]/, "", f[1])
			if (line && f[1] != "-")
				print "line", file, line, f[1] ~ /^[#=]/ ? 0 : f[1]
			next
		}
		/^branch/ { print "branch", file, line "." branch++, /taken [1-9]/ ? 1 : 0 }
	'
}

# What was counted, by gcov, of the .gcda files below a directory of objects.
gather()
{
	local what=$1 dir=$2 f at
	rm -rf "${out:?}/$what"
	mkdir -p "$out/$what"
	# Where the paths in the objects lead from two directories further down.
	ln -sfn "$TOP/kmod" "$out/kmod"
	ln -sfn "$TOP/selftests" "$out/selftests"
	find "$dir" -name '*.gcda' | while IFS= read -r f; do
		at=$out/$what/$(tr '/' '_' <<<"${f#"$dir"/}")
		mkdir -p "$at"
		(cd "$at" && "$GCOV" -b -c "$f" >gcov.log 2>&1) || cat "$at/gcov.log" >&2
	done
	find "$out/$what" -name '*.gcov' -print0 | xargs -0 cat | lines >"$out/$what.lines"
	[ -s "$out/$what.lines" ] || die "$what: nothing was counted"
}

native()
{
	local dir=$out/objects p progs
	# Each code once: without sanitizers the others are the same.
	progs='suites-asan crowd-asan fuzz-core fuzz-file fuzz-lib'
	mkdir -p "$dir"
	find "$dir" -name '*.gcda' -delete
	# No inlining: a line is then where it is written.
	# shellcheck disable=SC2046,SC2059,SC2086 # words; ours
	make -s --no-print-directory -C selftests/native O="$dir" CC="$GCC" \
		CFLAGS='-O1 -g -fno-inline --coverage -fprofile-update=atomic' ASAN= TSAN= SAN= \
		$(printf "$dir/%s " $progs) >"$out/native.log" 2>&1 || { tail -n 20 "$out/native.log"; die "does not build"; }
	for p in $progs; do
		"$dir/$p" >"$out/native-$p.log" 2>&1 || die "$p fails: see $out/native-$p.log"
	done
	gather native "$dir"
}

kernel()
{
	local dir bin=$TOP/build/selftests files=() p programs
	dir=$(selftests/vm/build.sh gcov GCOV_PROFILE=y)
	eval "$(selftests/vm/kernel.sh source)"
	mkdir -p "$bin"
	make -s --no-print-directory -C selftests OUT="$bin" \
		KSELFTEST_DIR="$SRC/tools/testing/selftests" -j "$(nproc)"
	programs=$(make -s --no-print-directory -C selftests print-tests)
	for p in $programs; do
		files+=(--file "$bin/$p:/tests/$p")
	done
	for p in "$dir"/kmod/tests/*.ko; do
		files+=(--file "$p:/kunit/$(basename "$p")")
	done
	find "$dir" -name '*.gcda' -delete
	rm -rf "$out/gcda"
	selftests/vm/run.sh --quiet --kernel gcov --smp 2 --timeout 3000 \
		--append 'kunit.enable=1' --keep-log "$out/kernel.log" \
		--file "$dir/kmod/ringbuf.ko" --file selftests/vm/guest-selftest.sh \
		--file selftests/vm/reports.sh --file selftests/coverage/guest.sh \
		--out "/tmp/gcda=$out/gcda" "${files[@]}" -- \
		"export RINGBUF_TEST_LEVEL=quick; echo '$(tr '\n' ' ' <<<"$programs")' |
		tr ' ' '\\n' | grep . | sh /guest.sh" >"$out/tests.log" </dev/null ||
		{ tail -n 20 "$out/tests.log"; die "the guest failed, see $out/tests.log"; }
	! grep '^not ok\|^@error' "$out/tests.log" || die "tests fail; what they ran says little"
	# Where the compiler has left its notes.
	(cd "$out/gcda" && find . -name '*.gcda' | grep '/kmod/[^/]*$') |
		while IFS= read -r p; do
			cp "$out/gcda/$p" "$dir/kmod/$(basename "$p")"
		done
	gather kernel "$dir/kmod"
}

# A line that one of them ran was run; branches are told apart, since compilers make
# other ones of the same line.
report()
{
	local what
	for what in native kernel; do
		[ ! -e "$out/$what.lines" ] || sed "s/^/$what /" "$out/$what.lines"
	done | awk -v MISSED="$out/missed.new" '
		$2 == "line" {
			key = $3 " " $4
			seen[key] = 1
			if ($5 > 0) { ran[key] = 1; by[$1, key] = 1 }
			in_by[$1, key] = 1
			files[$3] = 1
		}
		$2 == "branch" {
			key = $1 " " $3 " " $4
			branch[key] = 1
			if ($5 > 0) taken[key] = 1
		}
		END {
			for (key in seen) {
				split(key, k)
				n[k[1]]++
				hit[k[1]] += key in ran
				if (("native", key) in by) hn[k[1]]++
				if (("kernel", key) in by) hk[k[1]]++
				if (!(key in ran)) print key >MISSED
			}
			for (key in branch) {
				split(key, k)
				b[k[1], k[2]]++
				t[k[1], k[2]] += key in taken
			}
			printf "%-20s %6s %7s %8s %8s %17s %17s\n", "file", "lines", "run",
				"natively", "in guest", "branches natively", "branches in guest"
			for (f in files)
				printf "%-20s %6d %6.1f%% %7.1f%% %7.1f%% %8d of %5d %8d of %5d\n", f,
					n[f], 100 * hit[f] / n[f], 100 * hn[f] / n[f],
					100 * hk[f] / n[f], t["native", f], b["native", f],
					t["kernel", f], b["kernel", f] | "sort"
		}'
	sort -k1,1 -k2,2n "$out/missed.new" | while read -r file line; do
		printf '%s:%s:%s\n' "$file" "$line" "$(sed -n "${line}p" "$file")"
	done >"$out/missed"
	rm -f "$out/missed.new"
	echo "$(wc -l <"$out/missed") lines that nothing runs: build/coverage/missed"
}

selftests/vm/deps.sh
mkdir -p "$out"
: >"$out/missed.new"
case "${1:-}" in
report) [ ! -e "$out/objects" ] || gather native "$out/objects" ;;
native) native ;;
*) native && kernel ;;
esac
report
