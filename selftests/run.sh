#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [OPTION]... [SUITE]...: runs suites of tests and ends with the sum; without
# SUITE, all that needs no kernel of our own making.
#   --all          and what else there is: Documentation/testing.rst has the table
#   --slowest[=N]  shows the N sections that took longest (20; also SLOWEST=N)
# From the environment, see `make help`:
#   T=NAME[:TEST], T=SUITE[.CASE]   one test    T="NAME NAME"   these programs
#   K="6.12 debug"                  on these kernels
#   K=6.12:4:quick                  with so many CPUs, so hard (quick, full; hard: only
#                                   what full has more of)
#   V=1    names of passed tests, too, and what programs note
#   JOBS=1 suites in a row, not two side by side    GUESTS=1 programs as well
#   RINGBUF_NO_CACHE=1   checks that passed before, too
set -euo pipefail
. "$(dirname "$0")/vm/lib.sh"
cd "$TOP"
. selftests/lib/cache.sh
. selftests/lib/lanes.sh

T=${T:-} K=${K:-} V=${V:-} LEVEL=${LEVEL:-full} JOBS=${JOBS:-2} GUESTS=${GUESTS:-2}
logs=$TOP/build/logs
passed=0 failed=0 skipped=0 cached=0 pinned=0 times=
summary=()
began=$SECONDS
mkdir -p "$logs"
work=$(mktemp -d)
# Of the outermost run: seconds, seconds of CPU, and name of each section.
export TIMES=${TIMES:-$work/times}
# With erms and fsrm, kernels copy by `rep movsb`, which qemu emulates byte by byte; with
# la57 an address has five levels of page tables. Without them a guest boots, and starts
# processes, in four fifths of the time.
export RINGBUF_VM_CPU=${RINGBUF_VM_CPU:-max,erms=off,fsrm=off,la57=off}
trap 'stop_lanes; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Keeps tally, the end of pipelines, in this shell with its sums.
shopt -s lastpipe

# tally [WHERE]: reads sections from stdin (lib/tap.awk), adds up what they hold.
tally()
{
	local p f s c
	rm -f "$work/counts"
	# Not mawk, Debian's awk: it holds lines back until it has 4 KiB of them.
	busybox awk -v COUNTS="$work/counts" -v ALL="$V" -v TIMES="$TIMES" -v WHERE="${1:+$1: }" \
		-f selftests/lib/tap.awk || :
	read -r p f s pinned c <"$work/counts" || p=0 f=1 s=0 c=0
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s)) cached=$((cached + c))
}

# broken NAME TEXT: one failure that no test of its own has told
broken()
{
	printf '  not ok: %s: %s\n' "$1" "$2"
	failed=$((failed + 1))
}

# vm ARGUMENTS…: its complaints go to $at/vm.err, the status to $at/vm.status
at=$work
vm()
{
	local status=0
	selftests/vm/run.sh --quiet --pid-file "$at/vm.pid" "$@" 2>"$at/vm.err" || status=$?
	echo "$status" >"$at/vm.status"
}

# vm_ended NAME: the guest must have done its work without a complaint
vm_ended()
{
	local status
	status=$(cat "$at/vm.status")
	grep 'boots again$' "$at/vm.err" || :
	[ "$status" != 0 ] || return 0
	# A report in the log was shown with the program that caused it.
	if [ "$status" = 120 ] && [ "$pinned" -gt 0 ]; then
		return 0
	fi
	sed 's/^/      | /' "$at/vm.err"
	broken "$1" "$(grep '^vm: ' "$at/vm.err" | head -n 1 || echo "the guest's command ended with status $status")"
}

# cpu_of_guest: hundredths of a second that it has used so far
cpu_of_guest()
{
	local pid line field
	read -r pid <"$at/vm.pid" && line=$(<"/proc/$pid/stat") || { echo 0; return; }
	read -r -a field <<<"${line##*) }"
	echo $((field[11] + field[12]))
}

# serve: passes on what a guest says, with the time that each section took, and answers
# the guest's @next with a line of $work/programs
serve()
{
	local line next began=0 cpu=0
	while IFS= read -r line; do
		case "$line" in
		@next*)
			next=$(next_line "$work/programs")
			echo "${next:-@end}" >&7
			continue
			;;
		"@begin "*)
			began=$(clock) cpu=$(cpu_of_guest)
			;;
		"@end "*)
			line=${line%$'\r'}
			line+=" $(tenths $(($(clock) - began))) $(tenths $(($(cpu_of_guest) - cpu)))"
			;;
		esac
		printf '%s\n' "$line"
	done
}

# clock: hundredths of a second
clock()
{
	echo $((${EPOCHREALTIME/./} / 10000))
}

# tenths N: N hundredths as seconds
tenths()
{
	printf '%d.%d\n' $(($1 / 100)) $(($1 % 100 / 10))
}

# guest NAME ARGUMENT…: one whose output goes to stdout and whose questions are answered
guest()
{
	mkdir -p "$at"
	rm -f "$at/in"
	mkfifo "$at/in"
	vm --stdin "$at/in" "$@" 7<>"$at/in" </dev/null | serve 7<>"$at/in"
}

# guests COUNT WHERE LOG ARGUMENT…: so many guests share the programs in $work/programs,
# a line each: PROGRAM [LEVEL]. What the guests say is shown as it comes if there is one.
guests()
{
	local count=$1 where=$2 log=$3 i
	shift 3
	if [ "$count" = 1 ]; then
		guest --keep-log "$log.log" "$@" | tally "$where"
		vm_ended "$where"
	else
		for ((i = 1; i <= count; i++)); do
			(at=$work/guest.$i && guest --keep-log "$log-$i.log" "$@" >"$work/guest.$i.out") &
		done
		wait
		for ((i = 1; i <= count; i++)); do
			tally "$where" <"$work/guest.$i.out"
			at=$work/guest.$i
			vm_ended "$where"
			at=$work
		done
	fi
	[ ! -s "$work/programs" ] || broken "$where" "not run: $(tr '\n' ' ' <"$work/programs")"
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
		K=$K selftests/check.sh "${T:-*}" 2>&1 || status=$?
		echo "@end $status"
	} | V=1 tally
}

suite_native()
{
	section native make -s --no-print-directory -C selftests/native test
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

# A line for each run: kernel, CPUs, how hard the programs try.
selftest_plan()
{
	local run kernel smp level
	for run in ${K:-6.12}; do
		IFS=: read -r kernel smp level <<<"$run"
		case "$kernel" in debug | kcsan | rtdebug) level=${level:-quick} ;; esac
		echo "$kernel ${smp:-2} ${level:-full}"
	done
}

# arch KERNEL: its architecture, with a dash in front of it; nothing for this machine's
arch()
{
	case "$1" in
	/*) ;;
	*/*) echo "-${1%%/*}" ;;
	esac
}

# make_for ARCH LOCK ARGUMENT…: make, with the compiler for ARCH, which arch() gave
make_for()
{
	local arch=${1#-} lock=$2
	shift 2
	(
		flock 9
		if [ -z "$arch" ]; then
			make -s --no-print-directory -j "$(nproc)" "$@"
		else
			. selftests/matrix/lib.sh
			. selftests/matrix/tools.sh
			in_tools make -s --no-print-directory -j "$(nproc)" "$@" \
				CC="$(triplet "$arch")-gcc" CC32="$(compiler32 "$arch")"
		fi
	) 9>"$lock" >"$work/build.err" 2>&1 || {
		sed 's/^/      | /' "$work/build.err"
		return 1
	}
}

# selftest_programs ARCH: builds the programs in build/selftestsARCH, or counts a failure
selftest_programs()
{
	local bin=$TOP/build/selftests$1
	eval "$(selftests/vm/kernel.sh source)"
	mkdir -p "$bin"
	make_for "$1" "$TOP/build/.selftests$1.lock" -C selftests OUT="$bin" \
		KSELFTEST_DIR="$SRC/tools/testing/selftests" ||
		broken selftest "the programs do not build${1:+ for ${1#-}}"
}

# longest_first: of programs on stdin, those that take longest
longest_first()
{
	local first='ringhup poll holds watermark wakeups ringlife ringstress life stall mapstress'
	cat >"$work/names"
	{
		printf '%s\n' $first | grep -xFf "$work/names" || :
		printf '%s\n' $first | grep -vxFf - "$work/names" || :
	}
}

suite_selftest()
{
	local bin kernel smp level dir programs chosen files p args='' limit count f
	programs=$(make -s --no-print-directory -C selftests print-tests)
	if [ -n "$T" ]; then
		[ "${T#*:}" = "$T" ] || args="-t ${T#*:}"
		for p in ${T%%:*}; do
			grep -qx -- "$p" <<<"$programs" || {
				broken selftest "no program '$p'; there are: ${programs//$'\n'/ }"
				return
			}
		done
		programs=$(printf '%s\n' ${T%%:*})
	fi

	while read -r kernel smp level <&3; do
		echo "- $kernel, $smp CPUs, $level"
		bin=$TOP/build/selftests$(arch "$kernel") f=$failed
		selftest_programs "$(arch "$kernel")"
		[ "$failed" = "$f" ] || continue
		build "$kernel" || continue
		chosen=$programs
		if [ "$level" = hard ]; then
			chosen=$(grep -xF "$(grep -l 'rb_quick()' selftests/*.c | sed 's,.*/\(.*\)\.c,\1,')" <<<"$programs")
			level=full
		fi
		files=(--file "$dir/kmod/ringbuf.ko" --file selftests/vm/guest-selftest.sh
			--file selftests/vm/reports.sh)
		for p in $chosen; do
			files+=(--file "$bin/$p:/tests/$p")
		done
		limit=300
		# Those that are built here, with checks in every load and store.
		case "$kernel" in debug | kcsan | rtdebug) limit=900 ;; esac
		[ -z "$ROUNDS" ] || limit=20000
		count=$GUESTS
		[ "$(wc -l <<<"$chosen")" -gt 1 ] || count=1
		longest_first <<<"$chosen" >"$work/programs"
		guests "$count" "selftest on $kernel" "$logs/selftest-${kernel//\//-}-$smp" \
			--kernel "$kernel" --smp "$smp" --timeout $((limit > 3600 ? limit : 3600)) --modprobe configfs "${files[@]}" -- \
			"export RINGBUF_TEST_LEVEL=$level ${ROUNDS:+RINGBUF_TEST_ROUNDS=$ROUNDS} ASK=1; sh /guest-selftest.sh $limit $args"
	done 3< <(selftest_plan)
}

# section NAME COMMAND…: a program on this machine that tells TAP
section()
{
	local name=$1 TIMEFORMAT='%R %U %S'
	shift
	{
		echo "@begin $name"
		{
			time { echo 0 >"$work/status"; "$@" 2>&1 </dev/null || echo $? >"$work/status"; }
		} 2>"$work/time"
		echo
		awk -v status="$(cat "$work/status")" '
			{ printf "@end %s %.1f %.1f\n", status, $1, $2 + $3 }' "$work/time"
	} | tee "$work/section" | tally
}

# steady_section "PATH…" NAME COMMAND…: one that depends on nothing but these files and
# directories, and the compilers; what it has told is told again
steady_section()
{
	local paths=$1 name=$2 key f=$failed
	shift
	# shellcheck disable=SC2086 # words
	key=$(result_key "$name $(clang --version 2>/dev/null || :)" $paths)
	if passed_before "$key"; then
		touch "$RESULTS/$key"
		sed '/^ok /{ /# SKIP/!s/$/ # cached/; }; s/^@end .*/@end 0 0 0/' "$RESULTS/$key" | tally
		return
	fi
	section "$@"
	[ "$failed" != "$f" ] || remember "$key" "$work/section"
}

# The library and the command. What is run has a name that matches T.
suite_userspace()
{
	suite_userspace_host
	suite_userspace_docs
	suite_userspace_guest
}

# wanted NAME
wanted()
{
	# shellcheck disable=SC2053 # a pattern
	[[ $1 == ${T:-*} ]]
}

# userspace_make ARGUMENT…: in userspace/, or counts a failure
userspace_make()
{
	eval "$(selftests/vm/kernel.sh source)"
	export KSELFTEST_DIR=$SRC/tools/testing/selftests
	mkdir -p "$TOP/build"
	flock "$TOP/build/.userspace.lock" make -s --no-print-directory -C "$@" -j "$(nproc)" \
		>"$work/build.err" 2>&1 || {
		sed 's/^/      | /' "$work/build.err"
		broken userspace "does not build"
		return 1
	}
}

# What needs no guest
suite_userspace_host()
{
	local run out=$TOP/build/userspace tests=$TOP/build/userspace-tests
	userspace_make userspace O="$out" CFLAGS='-O2 -g -Werror' all static || return 0
	for run in lib_build man completion; do
		! wanted $run || steady_section "userspace uapi kmod/main.c kmod/sysfs.c" $run \
			bash userspace/tests/$run.sh
	done
	for run in text command metrics; do
		! wanted $run || section $run bash userspace/tests/$run.sh
	done
	! wanted native || section native make -s --no-print-directory -C userspace/tests O="$tests" native
}

# What has guests of its own
suite_userspace_docs()
{
	! wanted docs || section docs bash userspace/tests/docs.sh
	! wanted examples || section examples bash userspace/tests/examples.sh
}

# What runs in guests, side by side
suite_userspace_guest()
{
	local out=$TOP/build/userspace tests=$TOP/build/userspace-tests kernel run name dir files count
	files=(--file userspace/tests/lib_cli.sh:/tests/lib_cli.sh)
	: >"$work/list"
	for run in userspace/tests/cli_*.sh $(make -s --no-print-directory -C userspace/tests print-guest); do
		name=$(basename "$run" .sh)
		wanted "$name" || continue
		[ -e "$run" ] || run=$tests/$name
		files+=(--file "$run:/tests/$name")
		# What 32-bit callers do differently is not in the numbers.
		case "$name" in
		*32) echo "$name quick" ;;
		*) echo "$name $LEVEL" ;;
		esac >>"$work/list"
	done
	[ -s "$work/list" ] || return 0
	userspace_make userspace O="$out" CFLAGS='-O2 -g -Werror' all static || return 0
	userspace_make userspace/tests O="$tests" guest || return 0
	count=$GUESTS
	[ "$(wc -l <"$work/list")" -gt 1 ] || count=1
	for kernel in ${K:-6.12}; do
		build "$kernel" || continue
		cp "$work/list" "$work/programs"
		guests "$count" "userspace on $kernel" "$logs/userspace-$kernel" \
			--kernel "$kernel" --smp 2 --mem 2048 --timeout 3600 \
			--modprobe configfs "${files[@]}" --file "$dir/kmod/ringbuf.ko" \
			--file "$dir/kmod/samples/ringbuf_proc.ko" \
			--file "$out/ringbuf-static:/bin/ringbuf" --file "$tests/pty:/bin/pty" \
			--file selftests/vm/guest-selftest.sh --file selftests/vm/reports.sh -- \
			"ASK=1 sh /guest-selftest.sh 300"
	done
}

# What the tier's run of them did not do.
suite_userspace_hard()
{
	T='lib_device_@(account|limits|wait)' suite_userspace_guest
}

suite_matrix()
{
	section matrix selftests/matrix/matrix.sh "${T:-*}"
	section arm64 selftests/matrix/arm64.sh "${T:-*}"
	[ -n "$T" ] ||
		K='7.3:4:quick 7.3-rt:2:quick 7.2:2:quick arm64/7.3:4:quick' suite_selftest
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
. selftests/programs/suite.sh

slowest=${SLOWEST:-} all=
while [[ ${1:-} == --* ]]; do
	case "$1" in
	--all) all=1 ;;
	--slowest) slowest=20 ;;
	--slowest=*) slowest=${1#*=} ;;
	*) die "no option '$1'" ;;
	esac
	shift
done

suites='check native kunit selftest userspace short_torture'
selftests/vm/deps.sh
# shellcheck disable=SC2086 # words
jobs=
if [ $# = 0 ] && [ -z "$T$K" ]; then
	jobs="$quick_jobs ${all:+$more_jobs}"
elif [ $# = 0 ]; then
	set -- $suites
fi
for suite; do
	declare -F "suite_$suite" >/dev/null || die "no suite '$suite'; there are: $suites programs package"
done
for suite; do
	p=$passed f=$failed s=$skipped t=$SECONDS
	echo "== $suite"
	"suite_$suite"
	[ $((passed + failed + skipped)) -gt $((p + f + s)) ] || broken "$suite" "ran no test"
	summary+=("$(printf '%-15s %5d passed %3d failed %3d skipped %5d s' "$suite" \
		$((passed - p)) $((failed - f)) $((skipped - s)) $((SECONDS - t)))")
done

# shellcheck disable=SC2086 # words
[ -z "$jobs" ] || in_lanes $jobs

if [ -n "$slowest" ]; then
	echo "== the slowest: seconds, seconds of CPU, what"
	sort -rn "$TIMES" 2>/dev/null | head -n "$slowest" | awk '{
		printf "  %7s %7s  ", $1, $2; sub(/^[^ ]* [^ ]* /, ""); print }'
fi
echo "== sum"
printf '  %s\n' "${summary[@]}"
printf '  total time %d s; logs in build/logs\n' $((SECONDS - began))
[ "$cached" = 0 ] || echo "  cached: $cached passed earlier, and nothing that they depend on has changed"
line="$passed passed, $failed failed"
[ "$skipped" = 0 ] || line+=", $skipped skipped"
echo "$line"
[ "$failed" = 0 ]
