#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make bench-kernel: what publishing and reading cost in the kernel, against what
# else the kernel has. Markdown to stdout; the raw figures stay in
# build/bench-kernel/kernel.csv.
#	bench.sh [quick | ROUNDS] [SETTING]...
# SETTING: all of these by default:
#	uml	a kernel as a process: native speed, one CPU
#	vm	a stock kernel, 2 CPUs, emulated
#	icount	the same, by the number of instructions: a nanosecond is one
#	trace	the same, each instruction of a publish looked at
set -euo pipefail
. "$(dirname "$0")/../../vm/lib.sh"
here=$TOP/selftests/bench/kernel
out=$TOP/build/bench-kernel
stock=6.12
traced=192	# records, so many that ringbuf makes room once

rounds=${1:-301} quick=
[ $# -eq 0 ] || shift
if [ "$rounds" = quick ]; then
	rounds=21 quick=1
fi
load=$(cut -d' ' -f1 /proc/loadavg)
if [ $# -eq 0 ]; then
	set -- uml vm icount
	[ -n "$quick" ] || set -- "$@" trace
fi

mkdir -p "$out"
work=$(mktemp -d "${TMPDIR:-/tmp}/ringbuf-kbench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
"$TOP/selftests/vm/deps.sh"

gcc -O2 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused-parameter -static \
	-I"$TOP/uapi" -o "$out/kbench" "$here"/run*.c
gcc -O2 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -o "$out/report" "$here/report.c" -lm

# build KERNEL: both modules; sets modules, and what kernel.sh says
build()
{
	local paths
	modules=$("$TOP/selftests/vm/build.sh" "$1")
	paths=$("$TOP/selftests/vm/kernel.sh" "$1")
	eval "$paths"
	(
		lock "$TOP/build/.$1.lock"
		mkdir -p "$modules/bench"
		cp "$here"/Kbuild "$here"/{abi,bench}.h "$here"/bench_*.c "$modules/bench"
		make -C "$KDIR" "M=$modules/bench" ${KCC:+"CC=$KCC"} ${KARCH:+"ARCH=$KARCH"} \
			KBUILD_EXTRA_SYMBOLS="$modules/Module.symvers" \
			modules >"$modules/bench.log" 2>&1 </dev/null
	) || {
		tail -n 20 "$modules/bench.log" >&2
		die "the benchmark does not build for $1"
	}
}

# in_uml ROUNDS: a file system in memory, and the host's directory for the result
in_uml()
{
	local root=$work/root
	build uml
	mkdir -p "$root"/{bin,dev,proc,sys,tmp,out}
	cp "$(command -v busybox)" "$root/bin/busybox"
	cp "$modules/kmod/ringbuf.ko" "$modules/bench/ringbuf_bench.ko" "$out/kbench" "$root"
	cat >"$root/init" <<-INIT
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		export PATH=/bin
		mount -t proc proc /proc
		mount -t sysfs sysfs /sys
		mount -t devtmpfs devtmpfs /dev
		mount -t hostfs -o $work none /out
		{
			insmod /ringbuf.ko && insmod /ringbuf_bench.ko &&
				/kbench uml $1 >/out/uml.csv
			echo \$? >/out/status
		} >/out/log 2>&1
		dmesg >/out/dmesg
		uname -r >/out/release
		poweroff -f
	INIT
	chmod 755 "$root/init"
	(cd "$root" && find . -print0 | cpio --null -o -H newc -R 0:0 --quiet) >"$work/initrd"
	rm -rf "$root"
	timeout -k 5 900 "$VMLINUZ" mem=512M "initrd=$work/initrd" loglevel=1 \
		"uml_dir=$work/" umid=kbench con0=null,fd:2 con=null \
		</dev/null >"$work/console" 2>&1 || :
	if [ "$(cat "$work/status" 2>/dev/null)" != 0 ]; then
		tail -n 20 "$work/console" "$work/log" "$work/dmesg" >&2
		die "the benchmark did not end well in the process kernel"
	fi
	cat "$work/log" >&2
	cp "$work/uml.csv" "$out/uml.csv"
	echo "uml: Linux $(cat "$work/release"), a process (ARCH=um), 1 CPU" >"$out/uml.machine"
}

# The guest's CPU is emulated, and some of it would distort the comparison: see
# ../bench.sh, whose settings these are.
# shellcheck disable=SC2016 # for the guest
guest='
echo N >/sys/module/printk/parameters/ignore_loglevel
dmesg -n 1
insmod /ringbuf.ko && insmod /ringbuf_bench.ko || exit
'

# in_guest COMMAND RUN-OPTION…
in_guest()
{
	local command=$1
	shift
	"$TOP/selftests/vm/run.sh" --kernel "$stock" --smp 2 --quiet --timeout 900 \
		--append "clocksource=tsc tsc=reliable clearcpuid=erms,fsrm" \
		--modprobe configfs --file "$modules/kmod/ringbuf.ko" \
		--file "$modules/bench/ringbuf_bench.ko" --file "$out/kbench" "$@" -- "$guest $command"
}

# with_qemu OPTION…: what comes after has them added to qemu's
with_qemu()
{
	mkdir -p "$work/bin"
	cat >"$work/bin/qemu-system-x86_64" <<-WRAPPER
		#!/bin/bash
		exec $(command -v qemu-system-x86_64) "\${@/thread=multi/thread=single}" $*
	WRAPPER
	chmod +x "$work/bin/qemu-system-x86_64"
}

machine()
{
	echo "$1: Linux $RELEASE, 2 CPUs, emulated (QEMU TCG$2)" >"$out/$1.machine"
}

for setting; do
	rm -f "$out/$setting".*
	case $setting in
	uml)
		in_uml "$rounds"
		;;
	vm)
		build "$stock"
		in_guest "/kbench vm $rounds >/vm.csv" --out "vm.csv=$out/vm.csv"
		machine vm ''
		;;
	icount)
		build "$stock"
		with_qemu -icount shift=0,sleep=off
		PATH=$work/bin:$PATH in_guest '/kbench icount 5 >/icount.csv' \
			--out "icount.csv=$out/icount.csv"
		machine icount ', instructions for nanoseconds'
		;;
	trace)
		build "$stock"
		: >"$work/exec"
		: >"$work/trace"
		# By a clock that lets the guest wait for the tracer while it sleeps.
		with_qemu -icount shift=0 -D "$work/exec" \
			-gdb "unix:$work/gdb,server=on,wait=off"
		PATH=$work/bin:$PATH in_guest "/kbench -t $traced" >"$work/trace" &
		"$here/trace.py" "$work/gdb" "$work/exec" "$work/trace" "$traced" \
			"$out/trace.txt" >"$out/trace.csv" ||
			die "the guest could not be traced: $(cat "$work/trace")"
		wait $!
		machine trace ''
		;;
	*)
		die "unknown setting '$setting'"
		;;
	esac
done

# What each publish executes, as a table.
traced_table()
{
	echo
	echo "Executed per publish of 64 bytes (SMP kernel, mean of $traced):"
	echo
	awk -F, 'NR == 1 {
		gsub("_", " ")
		printf "| %-34s", $1
		for (i = 2; i <= NF; i++)
			printf " | %12s", $i
		printf " |\n| :---------------------------------"
		for (i = 2; i <= NF; i++)
			printf " | -----------:"
		print " |"
		next
	} {
		if (sub("^part: ", ""))
			$1 = "*" $1 "*"
		printf "| %-34s", $1
		for (i = 2; i <= NF; i++)
			printf " | %12.*f", $i < 10 ? 2 : 0, $i
		print " |"
	}' "$1"
}

echo "### Kernel path"
echo
model=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
echo "$(nproc) CPUs (${model:-of $(uname -m)}), Linux $(uname -r), $(gcc --version | head -n 1); load $load before, $(cut -d' ' -f1 /proc/loadavg) after."
echo setting,case,contender,round,ns >"$out/kernel.csv"
for setting; do
	cat "$out/$setting.machine"
	[ "$setting" = trace ] || tail -n +2 "$out/$setting.csv" >>"$out/kernel.csv"
done
[ "$*" = trace ] || "$out/report" <"$out/kernel.csv"
[ ! -e "$out/trace.csv" ] || traced_table "$out/trace.csv"
