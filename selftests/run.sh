#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [SUITE]...: runs suites of tests (all of them, two at a time; JOBS=1: in a
# row) and ends with the sum. From the environment, see `make help`:
#   T=NAME[:TEST], T=SUITE[.CASE]   one test    K="6.12 debug"   these kernels
#   K=6.12:4:quick                  with so many CPUs, so hard (quick, full)
#   V=1    names of passed tests, too, and what programs note
set -euo pipefail
. "$(dirname "$0")/vm/lib.sh"
cd "$TOP"

T=${T:-} K=${K:-} V=${V:-}
logs=$TOP/build/logs
passed=0 failed=0 skipped=0 pinned=0
summary=()
began=$SECONDS
mkdir -p "$logs"
work=$(mktemp -d)
trap 'stop_lanes; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

stop_lanes()
{
	local group
	[ ! -e "$work/lanes" ] || while read -r group; do
		kill -- "-$group" 2>/dev/null || :
	done <"$work/lanes"
}

# Keeps tally, the end of pipelines, in this shell with its sums.
shopt -s lastpipe

# tally: reads sections from stdin (lib/tap.awk), adds up what they hold.
tally()
{
	local p f s
	rm -f "$work/counts"
	# Not mawk, Debian's awk: it holds lines back until it has 4 KiB of them.
	busybox awk -v COUNTS="$work/counts" -v ALL="$V" -f selftests/lib/tap.awk || :
	read -r p f s pinned <"$work/counts" || p=0 f=1 s=0
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# broken NAME TEXT: one failure that no test of its own has told
broken()
{
	printf '  not ok: %s: %s\n' "$1" "$2"
	failed=$((failed + 1))
}

# vm ARGUMENTS…: its complaints go to $work/vm.err, the status to $work/vm.status
vm()
{
	local status=0
	selftests/vm/run.sh --quiet "$@" 2>"$work/vm.err" || status=$?
	echo "$status" >"$work/vm.status"
}

# vm_ended NAME: the guest must have done its work without a complaint
vm_ended()
{
	local status
	status=$(cat "$work/vm.status")
	[ "$status" != 0 ] || return 0
	# A report in the log was shown with the program that caused it.
	if [ "$status" = 120 ] && [ "$pinned" -gt 0 ]; then
		return 0
	fi
	sed 's/^/      | /' "$work/vm.err"
	broken "$1" "$(grep '^vm: ' "$work/vm.err" | head -n 1 || echo "the guest's command ended with status $status")"
}

# build NAME: sets dir, or counts a failure
build()
{
	if ! dir=$(selftests/vm/build.sh "$1" 2>"$work/build.err"); then
		sed 's/^/      | /' "$work/build.err"
		broken "$1" "the modules do not build"
		return 1
	fi
	sed 's/^/  /' "$work/build.err"
}

suite_check()
{
	{
		echo "@begin check"
		local status=0
		selftests/check.sh "${T:-*}" 2>&1 || status=$?
		echo "@end $status"
	} | V=1 tally
}

suite_native()
{
	if [ ! -e selftests/native/Makefile ]; then
		broken native "selftests/native has no Makefile"
		return
	fi
	{
		echo "@begin native"
		local status=0
		make -s --no-print-directory -C selftests/native test 2>&1 </dev/null || status=$?
		echo
		echo "@end $status"
	} | tally
}

suite_kunit()
{
	local kernel ko modules files log t0 load unload parameters
	for kernel in ${K:-6.12}; do
		log=$logs/kunit-$kernel.log
		if ! modules=$(selftests/vm/kunit.sh "$kernel" 2>"$work/build.err"); then
			sed 's/^/      | /' "$work/build.err"
			broken "kunit on $kernel" "the modules do not build"
			continue
		fi
		files=() load='' unload=''
		for ko in $modules; do
			case "$ko" in
			*/kunit.ko) parameters="enable=1 ${T:+filter_glob=$T}" ;;
			*/ringbuf.ko) parameters='reliable=1 stall_ms=5000' ;;
			*) parameters='' ;;
			esac
			files+=(--file "$ko:/kunit/$(basename "$ko")")
			load+="insmod /kunit/$(basename "$ko") $parameters; "
			unload="rmmod $(basename "$ko" .ko); $unload"
		done
		t0=$SECONDS
		vm --kernel "$kernel" --smp 2 --timeout 900 --keep-log "$log" --modprobe configfs \
			--append "kunit.enable=1 ${T:+kunit.filter_glob=$T}" "${files[@]}" -- \
			"set -e; $load $unload" </dev/null
		# insmod tells nothing of the tests; they speak through the log.
		{
			echo "@begin kunit on $kernel"
			sed '1,/ringbuf-vm: start/d; /ringbuf-vm: end/,$d; s/^\[ *[0-9.]*\] \{0,1\}//' "$log"
			echo "@end 0 $((SECONDS - t0))"
		} | tally
		vm_ended "kunit on $kernel"
	done
}

# What runs where: kernel, CPUs, how hard the programs try.
stock='6.12:4:full 6.12-cloud:2:quick 6.1:2:quick 6.12-rt:2:quick'
selftest_plan()
{
	if [ -n "$K" ]; then
		local run kernel smp level
		for run in $K; do
			IFS=: read -r kernel smp level <<<"$run"
			case "$kernel" in debug | kcsan | rtdebug) level=${level:-quick} ;; esac
			echo "$kernel ${smp:-2} ${level:-full}"
		done
	elif [ -n "$T" ]; then
		echo 6.12 2 full
	else
		printf '%s\n' "$stock" debug:2:quick | tr ' ' '\n' | tr : ' '
	fi
}

# Builds them in build/selftests, or counts a failure.
selftest_programs()
{
	local bin=$TOP/build/selftests
	eval "$(selftests/vm/kernel.sh source)"
	mkdir -p "$bin"
	if ! make -s --no-print-directory -C selftests OUT="$bin" \
		KSELFTEST_DIR="$SRC/tools/testing/selftests" -j "$(nproc)" >"$work/build.err" 2>&1; then
		sed 's/^/      | /' "$work/build.err"
		broken selftest "the programs do not build"
		return 1
	fi
}

suite_selftest()
{
	local bin=$TOP/build/selftests kernel smp level dir programs files p args='' limit where
	selftest_programs || return 0
	programs=$(make -s --no-print-directory -C selftests print-tests)
	if [ -n "$T" ]; then
		[ "${T#*:}" = "$T" ] || args="-t ${T#*:}"
		grep -qx -- "${T%%:*}" <<<"$programs" || {
			broken selftest "no program '${T%%:*}'; there are: ${programs//$'\n'/ }"
			return
		}
		programs=${T%%:*}
	fi

	while read -r kernel smp level <&3; do
		where="$kernel, $smp CPUs, $level"
		echo "- $where"
		build "$kernel" || continue
		files=(--file "$dir/kmod/ringbuf.ko" --file selftests/vm/guest-selftest.sh
			--file selftests/vm/reports.sh)
		for p in $programs; do
			files+=(--file "$bin/$p:/tests/$p")
		done
		limit=120
		[ "$level" = quick ] || limit=300
		# Those that are built here, with checks in every load and store.
		case "$kernel" in debug | kcsan | rtdebug) limit=900 ;; esac
		vm --kernel "$kernel" --smp "$smp" --timeout 3600 \
			--modprobe configfs \
			--keep-log "$logs/selftest-$kernel-$smp.log" "${files[@]}" -- \
			"export RINGBUF_TEST_LEVEL=$level; echo '$(tr '\n' ' ' <<<"$programs")' |
			tr ' ' '\\n' | grep . | sh /guest-selftest.sh $limit $args" </dev/null | tally
		vm_ended "selftest on $where"
	done 3< <(selftest_plan)
}

# section NAME COMMAND…: a program on this machine that tells TAP
section()
{
	local name=$1 status=0
	shift
	{
		echo "@begin $name"
		"$@" 2>&1 </dev/null || status=$?
		echo
		echo "@end $status"
	} | tally
}

# The library and the command: on this machine, and with the device in a guest.
# shellcheck disable=SC2053 # T is a pattern
suite_userspace()
{
	local out=$TOP/build/userspace tests=$TOP/build/userspace-tests kernel run name dir files log
	eval "$(selftests/vm/kernel.sh source)"
	export KSELFTEST_DIR=$SRC/tools/testing/selftests
	mkdir -p "$out" "$tests"
	if ! make -s --no-print-directory -C userspace O="$out" CFLAGS='-O2 -g -Werror' \
		-j "$(nproc)" all static >"$work/build.err" 2>&1 ||
		! make -s --no-print-directory -C userspace/tests O="$tests" -j "$(nproc)" \
			guest >"$work/build.err" 2>&1; then
		sed 's/^/      | /' "$work/build.err"
		broken userspace "does not build"
		return
	fi
	for run in userspace/tests/{lib_build,man,completion,text,command,metrics,docs,examples}.sh; do
		name=$(basename "$run" .sh)
		[[ $name == ${T:-*} ]] || continue
		section "$name" bash "$run"
	done
	if [[ native == ${T:-*} ]]; then
		section native make -s --no-print-directory -C userspace/tests O="$tests" native
	fi
	: >"$work/list"
	files=(--file "$work/list" --file userspace/tests/lib_cli.sh:/tests/lib_cli.sh)
	for run in userspace/tests/cli_*.sh $(make -s --no-print-directory -C userspace/tests \
		O="$tests" print-guest); do
		name=$(basename "$run" .sh)
		[[ $name == ${T:-*} ]] || continue
		[ -e "$run" ] || run=$tests/$name
		files+=(--file "$run:/tests/$name")
		# What 32-bit callers do differently is not in the numbers.
		case "$name" in
		*32) echo "$name quick" ;;
		*) echo "$name full" ;;
		esac >>"$work/list"
	done
	[ -s "$work/list" ] || return 0
	for kernel in ${K:-6.12}; do
		log=$logs/userspace-$kernel.log
		build "$kernel" || continue
		vm --kernel "$kernel" --smp 2 --mem 2048 --timeout 900 --keep-log "$log" \
			--modprobe configfs "${files[@]}" --file "$dir/kmod/ringbuf.ko" \
			--file "$dir/kmod/samples/ringbuf_proc.ko" \
			--file "$out/ringbuf-static:/bin/ringbuf" --file "$tests/pty:/bin/pty" \
			--file selftests/vm/guest-selftest.sh --file selftests/vm/reports.sh -- \
			"sh /guest-selftest.sh 300 </list" </dev/null | tally
		vm_ended "userspace on $kernel"
	done
}

suite_matrix()
{
	section matrix selftests/matrix/matrix.sh "${T:-*}"
	section arm64 selftests/matrix/arm64.sh "${T:-*}"
}

# As a part of the kernel, and with modules that are signed.
suite_intree()
{
	section intree selftests/matrix/intree.sh "${T:-*}"
	section signed selftests/matrix/sign.sh "${T:-*}"
}

# Debian packages: on request, as it takes a Debian root of its own.
suite_package()
{
	section package selftests/package/run.sh
}

. selftests/torture/suite.sh

# next_job: takes the first line of the queue
next_job()
{
	(
		flock 9
		sed -n 1p "$work/queue"
		sed -i 1d "$work/queue"
	) 9>"$work/queue.lock"
}

# lane: one job of the queue after the other, each with a log of its own
lane()
{
	local job status
	while job=$(next_job) && [ -n "$job" ]; do
		K= status=0
		[ "${job#*@}" = "$job" ] || K=${job#*@}
		K=$K selftests/run.sh "${job%@*}" >"$work/$job" 2>&1 </dev/null || status=$?
		printf '%s %s\n' "$status" "$job"
	done
}

# Half of the time a guest waits, so there are two at a time; what wants the CPUs
# to itself, or builds for all, was before. What takes longest begins. Each job is
# told when it has ended.
in_lanes()
{
	local job status left
	local closing='^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$'
	selftest_programs || return 0
	{
		printf '%s\n' selftest@debug:2:quick userspace
		printf 'selftest@%s\n' $stock
		printf '%s\n' native short_torture kunit
	} >"$work/queue"
	left=$(wc -l <"$work/queue")
	{
		# Each lane a process group, with all that it starts: see the trap on top.
		set -m
		lane &
		echo "$!" >>"$work/lanes"
		lane &
		echo "$!" >>"$work/lanes"
		wait
	} | while read -r status job; do
		left=$((left - 1))
		sed '/^== sum$/,$d' "$work/$job"
		mapfile -t -O ${#summary[@]} summary < <(sed -n '/^== sum$/,$ { / passed .* s$/ s/^  //p }' "$work/$job")
		if [[ $(grep -E "$closing" "$work/$job" | tail -n 1) =~ $closing ]]; then
			passed=$((passed + BASH_REMATCH[1]))
			failed=$((failed + BASH_REMATCH[2]))
			skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
			[ "$status" = 0 ] || [ "${BASH_REMATCH[2]}" -gt 0 ] ||
				broken "$job" "ended with status $status"
		else
			broken "$job" "ended without a sum"
		fi
	done
	# Their numbers may be those of others soon.
	rm -f "$work/lanes"
	[ "$left" = 0 ] || broken lanes "$left jobs have not ended"
}

suites='check native kunit selftest userspace short_torture'
selftests/vm/deps.sh
# shellcheck disable=SC2086 # words
lanes=
if [ $# = 0 ] && [ -z "$T$K" ] && [ "${JOBS:-2}" != 1 ]; then
	lanes=1
	set -- check
fi
[ $# -gt 0 ] || set -- $suites
for suite; do
	declare -F "suite_$suite" >/dev/null || die "no suite '$suite'; there are: $suites package"
done
for suite; do
	p=$passed f=$failed s=$skipped t=$SECONDS
	echo "== $suite"
	"suite_$suite"
	[ $((passed + failed + skipped)) -gt $((p + f + s)) ] || broken "$suite" "ran no test"
	summary+=("$(printf '%-10s %5d passed %3d failed %3d skipped %5d s' "$suite" \
		$((passed - p)) $((failed - f)) $((skipped - s)) $((SECONDS - t)))")
done

[ -z "$lanes" ] || in_lanes

echo "== sum"
printf '  %s\n' "${summary[@]}"
printf '  total time %d s; logs in build/logs\n' $((SECONDS - began))
line="$passed passed, $failed failed"
[ "$skipped" = 0 ] || line+=", $skipped skipped"
echo "$line"
[ "$failed" = 0 ]
