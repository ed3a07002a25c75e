#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# fuzz.sh [SECONDS] [TARGET]...: fuzzes each target for so long, beginning with its
# corpus/, and says how much was run and reached. What is new stays in build/fuzz, for
# the next time; a crash is kept there, too, and is a failure: once mended, its input
# goes to corpus/, which `make native` replays.
#   MERGE=1   afterwards, corpus/ is what is needed to reach as much as was reached
set -euo pipefail
. "$(dirname "$0")/../vm/lib.sh"
cd "$TOP/selftests/fuzz"

out=$TOP/build/fuzz
seconds=60
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
	seconds=$1
	shift
fi
known=$(make -s print-targets)
# shellcheck disable=SC2086 # words
[ $# -gt 0 ] || set -- $known

# Not among what the tests need: nothing else does.
command -v clang >/dev/null || ../vm/deps.sh --only clang libclang-rt-14-dev

mkdir -p "$out"
make -s O="$out" -j "$(nproc)" fuzzers

status=0
printf '%-6s %12s %9s %16s %8s\n' target executions 'per s' 'edges' inputs
for target; do
	grep -qx -- "$target" <<<"$known" || die "no target '$target'; there are: ${known//$'\n'/ }"
	corpus=$out/corpus-$target
	mkdir -p "$corpus" "corpus/$target"
	log=$out/$target.log
	# An input of the right kind takes some ms; what takes seconds hangs.
	"$out/fuzzer-$target" -max_total_time="$seconds" -max_len=2048 -timeout=10 \
		-rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$out/$target-" \
		"$corpus" "corpus/$target" >"$log" 2>&1 || status=1
	awk -v target="$target" '
		/^INFO: Loaded .* inline 8-bit counters/ { sub(/.*\(/, ""); edges += $1 }
		/ cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") cov = $(i + 1)
			if ($i == "corp:") split($(i + 1), corp, "/") } }
		/^Done / { runs = $2; secs = $5 }
		/^stat::number_of_executed_units/ { runs = $2 }
		END { printf "%-6s %12d %9d %7d of %5d %8d\n", target, runs,
			runs / (secs ? secs : 1), cov, edges, corp[1] }' "$log"
	grep -E '^SUMMARY|does not hold|Test unit written|ERROR:' "$log" | sed 's/^/  /' || :
	[ -z "${MERGE:-}" ] || {
		mkdir -p "$out/merged"
		rm -f "$out/merged"/*
		"$out/fuzzer-$target" -merge=1 -use_counters=0 "$out/merged" "corpus/$target" \
			"$corpus" >"$out/merge.log" 2>&1
		find "corpus/$target" -type f -name '????????????????????????????????????????' -delete
		cp "$out/merged"/* "corpus/$target/"
	}
done
[ "$status" = 0 ] || echo "a fuzzer has found something; its input and log are in build/fuzz"
exit $status
