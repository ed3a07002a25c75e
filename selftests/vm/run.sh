#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Boots a throw-away guest, runs a command in it as root, exits with its status.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/reports.sh"

usage()
{
	cat <<'USAGE'
usage: run.sh [OPTION]... -- COMMAND...

  --kernel NAME        see kernel.sh (default 6.12)
  --smp N              CPUs (default 2)
  --mem M              MiB (default 1024)
  --timeout S          from power on to power off (default 300)
  --file SRC[:DST]     put a file or a directory into the guest (default /NAME)
  --initramfs FILE     a cpio archive (newc) that the guest starts with, too
  --modprobe NAME      load a module of the kernel's own first, with what it needs
  --out GUEST=HOST     copy a file out of the guest when the command has ended
  --append ARGS        more kernel parameters
  --keep-log FILE      where to put the guest's console log
  --allow-dmesg REGEX  log lines that match are not looked at (extended regex)
  --quiet              only the command's output, and failures
  --pid-file FILE      where to write the process id of qemu, once it runs
  --stdin FILE         what the guest reads from its second port (default /dev/null)

RINGBUF_VM_CPU: qemu's model of an x86 CPU (default max).
The command goes through sh in the guest. Its output is streamed to stdout.
Exit status: the command's; or, told on stderr,
  118 memory leak (debug kernel)       119 a file to copy out is missing
  120 a report in the kernel log       121 wrong number of CPUs
  122 kernel panic                     123 the guest ended too early
  124 timeout                          125 not started
USAGE
}

bad()
{
	say "vm: $*"
	exit 125
}

kernel=6.12 smp=2 mem=1024 limit=300 append='' log='' allow='' quiet='' pid_file='' input=/dev/null
files=() modprobe=() outs=() archives=()
while [ $# -gt 0 ]; do
	case "$1" in
	--kernel) kernel=$2 ;;
	--smp) smp=$2 ;;
	--mem) mem=$2 ;;
	--timeout) limit=$2 ;;
	--file) files+=("$2") ;;
	--initramfs) archives+=("$2") ;;
	--modprobe) modprobe+=("$2") ;;
	--out) outs+=("$2") ;;
	--append) append+=" $2" ;;
	--keep-log) log=$2 ;;
	--allow-dmesg) allow=$2 ;;
	--quiet) quiet=1; shift; continue ;;
	--pid-file) pid_file=$2 ;;
	--stdin) input=$2 ;;
	--) shift; break ;;
	-h | --help) usage; exit 0 ;;
	*) usage >&2; exit 125 ;;
	esac
	shift 2 || bad "an option lacks its value"
done
[ $# -gt 0 ] || { usage >&2; exit 125; }

workdir vm

ARCH=amd64
BUSYBOX=$(command -v busybox) || bad "busybox is missing: run $TOP/selftests/vm/deps.sh"
paths=$("$TOP/selftests/vm/kernel.sh" "$kernel") || exit 125
eval "$paths"
. "$TOP/selftests/vm/machine.sh"
machine "$ARCH"
command -v "${qemu[0]}" >/dev/null || bad "${qemu[0]} is missing: run $TOP/selftests/$deps"

# The file system of the guest, all of it in memory.
root=$work/root
mkdir -p "$root"/{bin,dev,etc,home/user,mnt,proc,root,run,sys,tmp,usr,var,out}
ln -s ../bin "$root/usr/bin"
ln -s bin "$root/sbin"
cp "$BUSYBOX" "$root/bin/busybox"
cp "$TOP/selftests/vm/guest-init.sh" "$root/init"
chmod 755 "$root/init"
printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'user:x:1000:1000:user:/home/user:/bin/sh' \
	'nobody:x:65534:65534:nobody:/:/bin/false' >"$root/etc/passwd"
printf '%s\n' 'root:x:0:' 'user:x:1000:' 'nogroup:x:65534:' >"$root/etc/group"
printf '%s\n' "$*" >"$root/command"
: >"$root/modprobe"
for m in "${modprobe[@]}"; do
	[ -n "$MODROOT" ] || break # the kernels built here have all they need in vmlinux
	found=$(modprobe -d "$MODROOT" -S "$RELEASE" --show-depends "$m") ||
		bad "kernel $kernel has no module '$m'"
	while read -r what ko _; do
		[ "$what" = insmod ] || continue
		case "$ko" in
		*.xz) xz -dc "$ko" >"$root/mnt/$(basename "$ko" .xz)" ;;
		*) cp "$ko" "$root/mnt/" ;;
		esac
		basename "$ko" .xz >>"$root/modprobe"
	done <<<"$found"
done
for f in "${files[@]}"; do
	src=${f%%:*}
	dst=/$(basename "$src")
	[ "$src" = "$f" ] || dst=${f#*:}
	[ -e "$src" ] || bad "--file: no such file: $src"
	mkdir -p "$root$(dirname "$dst")"
	cp -rL --preserve=mode "$src" "$root$dst"
done
for a in "${archives[@]}"; do
	[ -e "$a" ] || bad "--initramfs: no such file: $a"
done
for o in "${outs[@]}"; do
	case "$o" in *=*) ;; *) bad "--out wants GUEST=HOST, not '$o'" ;; esac
	printf '%s\n' "${o%%=*}"
done >"$root/outs"
(cd "$root" && find . -print0 | cpio --null -o -H newc -R 0:0 --quiet) >"$work/initrd"
rm -rf "$root"
[ ${#archives[@]} = 0 ] || cat "${archives[@]}" >>"$work/initrd"

# Three serial ports (machine.sh). The first one: the kernel's console. The second one:
# the command's output. The third one: a tar archive with the exit status and files, that
# init writes at the end; its last member proves that it got there. A dead guest thus
# cannot look like a successful one.
#
# Stalls: the guest's CPUs are threads of a host that may be busy.
console=$work/console
: >"$console"
cmdline="console=$console_tty ignore_loglevel printk.devkmsg=on panic=-1 oops=panic nokaslr"
cmdline+=" mitigations=off rcupdate.rcu_cpu_stall_timeout=60 watchdog_thresh=30"
# The kernels built here, without ACPI, would else keep time by their timer's
# interrupts: coarse, and slow when the host is busy. All of qemu's TSCs are one.
[ -n "$MODROOT" ] || cmdline+=" tsc=reliable"
cmdline+=" ringbuf_vm_smp=$smp ringbuf_vm_ttys=$ttys$append"
[ -z "$log" ] || { mkdir -p "$(dirname "$log")" && : >"$log"; }

boot()
{
	# shellcheck disable=SC2016 # for sh
	timeout --foreground -k 5 "$limit" sh -c 'echo $$ >"$0"; exec "$@"' "${pid_file:-/dev/null}" \
		"${qemu[@]}" \
		-nodefaults -no-user-config -display none -no-reboot \
		-accel tcg,thread=multi -smp "$smp,sockets=$smp" -m "$mem" \
		-kernel "$VMLINUZ" -initrd "$work/initrd" -append "$cmdline" \
		-chardev "file,id=console,path=$console" -chardev stdio,id=out,signal=off \
		-chardev "file,id=result,path=$work/result.tgz" "${ports[@]}" \
		<"$input" 2>"$work/qemu.log" &
	guest=$!
	code=0
	wait "$guest" || code=$?
	guest=
}

start=$EPOCHREALTIME
boot
# A kernel that patches its text can die on emulated CPUs, see testing.rst. Before the command
# no module of ours is there, so the guest may boot again, once.
if grep -q 'Oops: int3' "$console" && ! grep -q 'ringbuf-vm: start' "$console"; then
	say "vm: $kernel died of int3 while it booted, before the command; it boots again"
	boot
fi
took=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')

tr -d '\r' <"$console" >"$work/log"
[ -z "$log" ] || cp "$work/log" "$log"

# fail STATUS MESSAGE
fail()
{
	say "vm: FAILED ($kernel, $smp CPUs, $took s): $2"
	[ -z "$log" ] || say "vm: the console log is in $log"
	exit "$1"
}

last_lines()
{
	say "--- last 40 lines of the console:"
	tail -n 40 "$work/log" >&2
	say "---"
}

if [ "$code" -ge 124 ] && [ "$code" != 125 ]; then
	last_lines
	fail 124 "the guest did not finish within $limit s"
fi
if grep -q 'Kernel panic' "$work/log"; then
	say "--- console:"
	{ reports "$allow" <"$work/log" || last_lines; } >&2
	fail 122 "kernel panic: $(sed -n 's/.*Kernel panic[^:]*: //p' "$work/log" | head -n 1)"
fi
if [ "$code" != 0 ]; then
	cat "$work/qemu.log" >&2
	fail 125 "qemu ended with status $code"
fi
mkdir "$work/result"
if ! tar -xzf "$work/result.tgz" -C "$work/result" 2>/dev/null || [ ! -e "$work/result/end" ]; then
	last_lines
	fail 123 "the guest went down before the command had ended"
fi
cpus=$(cat "$work/result/nproc")
[ "$cpus" = "$smp" ] || fail 121 "the guest has $cpus CPUs, not $smp; the command was not run"

if [ -s "$work/result/kmemleak" ]; then
	head -n 100 "$work/result/kmemleak" >&2
	fail 118 "kmemleak found $(grep -c '^unreferenced' "$work/result/kmemleak") leaks"
fi
if found=$(reports "$allow" <"$work/log"); then
	say "--- kernel log:"
	say "$found"
	say "---"
	fail 120 "the kernel log has a report in it (command's status: $(cat "$work/result/status"))"
fi
for o in "${outs[@]}"; do
	got=$work/result/files/${o%%=*}
	[ -e "$got" ] || fail 119 "no file ${o%%=*} in the guest to copy out (command's status: $(cat "$work/result/status"))"
	cp -r "$got" "${o#*=}"
done
status=$(cat "$work/result/status")
[ -n "$quiet" ] || say "vm: $kernel, $smp CPUs, $took s, status $status"
exit "$status"
