#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make bench: one run, everything side by side.
#	suite.sh [OPTION]... bench | quick | check | docs | readme
set -euo pipefail
. "$(dirname "$0")/../vm/lib.sh"

usage()
{
	cat <<'USAGE'
usage: suite.sh [OPTION]... WHAT

  bench   measures: report, CSV and plots go to build/bench/
  quick   the same in less than 3 minutes, in one repetition
  check   a quick run against the ratios in ref.csv; fails when one is worse by
          more than its noise
  docs    puts what is in build/bench/ into Documentation/benchmarks/ and ref.csv,
          and prints the tables for the README
  readme  prints those alone

  -m MINUTES  about how long to measure (default 18; building comes on top)
  -s NAMES    settings: native kernel vm icount (default: all)
  -k KERNEL   of the guest, see vm/kernel.sh (default 6.12)
  -o DIR      instead of build/bench
  -M MODULE   a ringbuf.ko instead of the tree's
USAGE
}

minutes=${MINUTES:-18} settings=${SETTINGS:-native kernel vm icount} kernel=6.12
out=$TOP/build/bench module='' reps=3 cases=
while getopts m:s:k:o:M:h opt; do
	case $opt in
	m) minutes=$OPTARG ;;
	s) settings=$OPTARG ;;
	k) kernel=$OPTARG ;;
	o) out=$OPTARG ;;
	M) module=$(realpath "$OPTARG") ;;
	h) usage; exit ;;
	*) usage >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
what=${1:-bench}
here=$TOP/selftests/bench
report=$here/report.py

work=$(mktemp -d "${TMPDIR:-/tmp}/ringbuf-suite.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export PYTHONDONTWRITEBYTECODE=1

wants()
{
	[[ " $settings " == *" $1 "* ]]
}

# Seconds for each setting, and each repetition of it, by what it needs.
plan()
{
	local total shares=0 s
	total=$(awk "BEGIN { print int($minutes * 60) }")
	declare -gA seconds=([native]=0 [kernel]=0 [vm]=0 [icount]=0)
	declare -A share=([native]=4 [kernel]=4 [vm]=6 [icount]=2)
	for s in $settings; do
		[[ -n ${share[$s]:-} ]] || die "no setting '$s'"
		[[ $s != kernel || -e $here/kernel/bench.sh ]] || continue
		shares=$((shares + ${share[$s]}))
	done
	for s in $settings; do
		seconds[$s]=$((total * ${share[$s]} / (shares ? shares : 1)))
	done
}

# What it was measured on, for whoever reads it later.
machine()
{
	local model
	model=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
	echo "- Machine: $(nproc) CPUs (${model:-$(uname -m)})$(grep -qw hypervisor /proc/cpuinfo &&
		echo ', themselves virtual'), $(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r)."
	echo "- Guest: Linux $RELEASE, 2 CPUs, emulated by $(qemu-system-x86_64 --version |
		sed -n '1s/ (.*//p') (TCG: no KVM); TSC for its clock, mitigations off, quiet console."
	echo "- Compiler: $(gcc --version | head -n 1)."
	echo "- Load $1 before, $(cut -d' ' -f1 /proc/loadavg) after; $(date -u +%F), ringbuf $(git -C "$TOP" describe --always --dirty 2>/dev/null || echo '(no git)')."
}

guest_programs()
{
	local bpf=() program
	local cc=("${CC:-gcc}" -O2 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -static
		-I"$TOP/uapi" -I"$TOP/userspace/lib")
	if echo '#include <bpf/libbpf.h>' | gcc -E - >/dev/null 2>&1; then
		bpf=(-lbpf -lelf -lz)
		cc+=(-DHAVE_BPF)
	else
		say "libbpf: not installed, left out"
	fi
	for program in transport wake; do
		"${cc[@]}" -o "$work/$program" "$here/sys/$program.c" "$here"/sys/way_*.c \
			"$TOP"/userspace/lib/*.c "${bpf[@]}" -lrt
	done
	mkdir -p "$work/icount"
	cat >"$work/icount/qemu-system-x86_64" <<-WRAPPER
		#!/bin/bash
		exec $(command -v qemu-system-x86_64) "\${@/thread=multi/thread=single}" \\
			-icount shift=0,sleep=off
	WRAPPER
	chmod +x "$work/icount/qemu-system-x86_64"
}

# guest NAME COMMAND [KERNEL-PARAMETER]: CSV to $work/NAME.csv. See bench.sh about the
# other parameters.
guest()
{
	local name=$1
	"$TOP/selftests/vm/run.sh" --kernel "$kernel" --smp 2 --quiet --timeout 1800 \
		--append "clocksource=tsc tsc=reliable clearcpuid=erms,fsrm ${3:-}" --modprobe configfs \
		--file "$module:/ringbuf.ko" --file "$work/transport" --file "$work/wake" \
		--out /csv="$work/$name.csv" -- \
		"echo N >/sys/module/printk/parameters/ignore_loglevel; dmesg -n 1
		ulimit -n 8192; insmod /ringbuf.ko || exit; $2" >"$out/$name.log" 2>&1 || {
		tail -n 20 "$out/$name.log" >&2
		die "the guest failed: $out/$name.log"
	}
	[ -s "$work/$name.csv" ] || die "$name measured nothing"
}

# collect SETTING FIRST: case,contender,round,ns from stdin, rounds from FIRST on
collect()
{
	awk -F, -v OFS=, -v setting="$1" -v first="$2" \
		'{ $3 += first; print setting, $0 }' >>"$out/results.csv"
}

run_vm()
{
	local s=$((seconds[vm] / reps))
	say "vm: repetition $(($1 + 1)) of $reps, $s s"
	guest "vm-$1" "/transport 1000 $((s / 2)) >/csv"
	# To start an idle CPU that has halted takes an emulator as long as its host likes.
	guest "wake-$1" "/wake 1000 $((s / 2)) >/csv" idle=poll
	cat "$work/vm-$1.csv" "$work/wake-$1.csv" | collect vm $(($1 * 1000))
}

# Counted, not timed: some rounds are as good as many.
run_icount()
{
	local rounds=$((seconds[icount] >= 60 ? 6 : 3))
	say "icount: $rounds rounds"
	PATH=$work/icount:$PATH guest icount \
		"{ /transport $rounds 1000 && /wake $rounds 1000 200; } >/csv"
	# Of a few hundred no percentiles but the median: what comes later is chance.
	grep -v '^wake: . CPUs\? p99' "$work/icount.csv" | collect icount 0
}

run_native()
{
	local s=$((seconds[native] / reps))
	say "native: repetition $(($1 + 1)) of $reps, $s s"
	SECONDS_AT_MOST=$s CASES=$cases "$here/native/bench.sh" 1000 >"$out/native-$1.md" 2>"$out/native.log" || {
		tail -n 20 "$out/native.log" >&2
		die "the native benchmark failed"
	}
	[ "$(wc -l <"$TOP/build/bench-native/native.csv")" -gt 1 ] || {
		say "native: too busy a machine, nothing could be measured in $s s"
		return 0
	}
	awk -F, 'NR > 1 {
		if ($2 == "broadcast")
			name = sprintf("broadcast: %d reader%s %d at once", $3, $3 > 1 ? "s" : "", $4)
		else
			name = $2 ": " $5 " integers"
		print name "," $6 "," $1 "," $8
	}' "$TOP/build/bench-native/native.csv" | collect native $(($1 * 1000))
	# Its own report numbers rounds on.
	local first=0
	[ ! -s "$work/native.csv" ] || first=$(awk -F, '$1 + 1 > n { n = $1 + 1 } END { print n }' "$work/native.csv")
	awk -F, -v OFS=, -v first="$first" 'NR == 1 && first { next }
		NR > 1 { $1 += first } { print }' "$TOP/build/bench-native/native.csv" >>"$work/native.csv"
}

# A part of its own, with a report of its own.
run_kernel()
{
	[ -e "$here/kernel/bench.sh" ] || return 0
	# It takes rounds, and settings of its own; a check is best by instructions.
	local run=("${KERNEL_ROUNDS:-101}" uml vm icount)
	case $what in
	quick) run=(quick uml) ;;
	check) run=(quick icount) ;;
	esac
	say "kernel: ${run[*]}"
	"$here/kernel/bench.sh" "${run[@]}" \
		>"$out/kernel.md" 2>"$out/kernel.log" || {
		tail -n 20 "$out/kernel.log" >&2
		die "the kernel benchmark failed"
	}
	tail -n +2 "$TOP/build/bench-kernel/kernel.csv" >>"$out/results.csv"
}

write_report()
{
	if wants vm || wants icount; then
		printf '### Goals\n\n'
		"$report" goals "$out/results.csv"
		printf '### All that was measured\n\n'
		"$report" tables "$out/results.csv"
	fi >"$out/syscalls.md"
	if [ -s "$work/native.csv" ]; then
		cp "$work/native.csv" "$out/native.csv"
		{
			awk '/^### Native/ { on = 1; next } /^Medians/ { exit } on' "$out/native-0.md"
			"$TOP/build/bench-native/report" <"$out/native.csv"
		} >"$out/native.md"
	fi
	if command -v gnuplot >/dev/null; then
		"$report" plots "$out/results.csv" "$out" >"$out/plots"
	else
		say "gnuplot: not installed, no plots"
	fi
	{
		echo "# ringbuf, measured"
		echo
		cat "$out/machine.md"
		echo
		[ ! -s "$out/syscalls.md" ] || { printf '## System calls\n\n' && cat "$out/syscalls.md"; }
		[ ! -e "$out/kernel.md" ] || cat "$out/kernel.md"
		[ ! -e "$out/native.md" ] || { printf '## Natively\n\n' && cat "$out/native.md"; }
	} >"$out/report.md"
}

measure()
{
	local load rep
	load=$(cut -d' ' -f1 /proc/loadavg)
	"$here/deps.sh" "$(wants native || echo --no-native)"
	mkdir -p "$out"
	rm -f "$out"/*.csv "$out"/*.svg "$out"/*.md
	[ -n "$module" ] || module=$("$TOP/selftests/vm/build.sh" "$kernel")/kmod/ringbuf.ko
	paths=$("$TOP/selftests/vm/kernel.sh" "$kernel")
	eval "$paths"
	guest_programs
	plan
	echo "$RELEASE gcc $(gcc -dumpfullversion) $(uname -m)" >"$out/toolchain"
	echo setting,case,contender,round,ns >"$out/results.csv"
	for ((rep = 0; rep < reps; rep++)); do
		! wants native || run_native "$rep"
		! wants vm || run_vm "$rep"
	done
	! wants icount || run_icount
	! wants kernel || run_kernel
	machine "$load" >"$out/machine.md"
	write_report
}

# between FILE NAME: replaces what is between its two marks there by stdin
between()
{
	grep -q "^<!-- begin $2 -->" "$1" && grep -q "^<!-- end $2 -->" "$1" ||
		die "$1 lacks the marks of '$2'"
	cat >"$work/between"
	[ -s "$work/between" ] || die "nothing to put between the marks of '$2' in $1"
	awk -v name="$2" -v file="$work/between" '
		$0 == "<!-- begin " name " -->" {
			print
			print ""
			while ((getline line <file) > 0)
				print line
			print ""
			skip = 1
		}
		$0 == "<!-- end " name " -->" { skip = 0 }
		!skip' "$1" >"$work/new"
	cat "$work/new" >"$1"
}

docs()
{
	local to=$TOP/Documentation/benchmarks svg
	[ -s "$out/report.md" ] || die "run make bench first"
	{ cat "$out/machine.md" && echo && cat "$out/syscalls.md"; } | between "$to/syscalls.md" run
	if [ -s "$out/native.csv" ]; then
		between "$to/native.md" run <"$out/native.md"
		gzip -9nc "$out/native.csv" >"$to/native.csv.gz"
	fi
	grep -E '^(setting,|(vm|icount),(write \+ read|read|wake): )' "$out/results.csv" |
		gzip -9nc >"$to/syscalls.csv.gz"
	if [ -e "$out/kernel.md" ]; then
		gzip -9nc "$TOP/build/bench-kernel/kernel.csv" >"$to/kernel.csv.gz"
		if grep -q '^<!-- begin run -->' "$to/kernel.md" 2>/dev/null; then
			# What could not be measured is told before its head line.
			sed '0,/^### /d' "$out/kernel.md" | between "$to/kernel.md" run
		elif [ -e "$to/kernel.md" ]; then
			say "kernel.md has no marks 'run': what was measured is in $out/kernel.md"
		else
			cp "$out/kernel.md" "$to/"
		fi
	fi
	for svg in "$out"/*.svg; do
		[ ! -e "$svg" ] || cp "$svg" "$to/"
	done
	[ ! -e "$out/profile.md" ] || between "$to/syscalls.md" profile <"$out/profile.md"
	# What a check leaves out: two readers, and the kernel's own path by a clock.
	"$report" ref "$out/results.csv" "$out/toolchain" |
		grep -vE '^(native,broadcast: 2|(vm|uml),(publish|read)-)' >"$here/ref.csv"
	say "Documentation/benchmarks/ and selftests/bench/ref.csv are up to date; for the README:"
	readme
}

readme()
{
	[ -s "$out/results.csv" ] || die "run make bench first"
	cat "$out/machine.md"
	echo
	"$report" readme "$out/results.csv"
}

# In one piece: who edits this file meanwhile does not disturb it.
main()
{
	case $what in
	bench)
		measure
		say "where the instructions go"
		if wants icount; then
			"$here/profile.sh" -k "$kernel" ${module:+-m "$module"} ring pipe >"$out/profile.md"
		fi
		"$report" goals "$out/results.csv"
		say "all of it: build/bench/report.md; plots, raw data and more beside it"
		;;
	quick)
		minutes=${MINUTES:-1.5} reps=1 cases='broadcast-[14]-*'
		measure
		"$report" goals "$out/results.csv"
		say "all of it: $out/report.md"
		;;
	check)
		minutes=${MINUTES:-1.5} reps=1 cases='broadcast-[14]-*'
		[ "$out" != "$TOP/build/bench" ] || out=$TOP/build/bench-check
		measure
		"$report" check "$out/results.csv" "$here/ref.csv" "$out/toolchain"
		;;
	docs) docs ;;
	readme) readme ;;
	*) usage >&2; exit 2 ;;
	esac
}

main; exit
