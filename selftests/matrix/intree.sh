#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The ring as a part of the newest kernel that there is a source package of: kmod/
# becomes drivers/misc/ringbuf, as modules and built in, the latter also with what
# the debug kernel has (KASAN, lockdep and more); all are booted. The kernel with
# modules takes those that are signed with a key of ours alone, see sign.sh.
#   intree.sh            TAP
#   intree.sh --modular  makes that kernel, and prints the file for vm/kernel.sh
set -euo pipefail
. "$(dirname "$0")/lib.sh"

HERE=$(cd "$(dirname "$0")" && pwd)
I=$MATRIX/intree
KEY=$I/key.priv CERT=$I/key.pem

paths=$("$HERE/tree.sh" "source-$("$HERE/tree.sh" --newest)")
eval "$paths"
src=$I/${SRC##*/}
config=$HERE/intree.config
debug=$HERE/../vm/config/debug.config

# A file of the copy that is to be changed must not be the original's.
edit()
{
	"${@:2}" <"$1" >"$1.new"
	mv "$1.new" "$1"
}

# The folder, one line in each of two files, and the header for userspace.
drop_in()
{
	local misc=$src/drivers/misc
	if [ ! -e "$src/.complete" ]; then
		rm -rf "$src"
		mkdir -p "$I"
		cp -al "$SRC" "$src"
		edit "$misc/Kconfig" sed '$s,^,source "drivers/misc/ringbuf/Kconfig"\n,'
		edit "$misc/Makefile" sed '$a obj-$(CONFIG_RINGBUF)\t\t+= ringbuf/'
		touch "$src/.complete"
	fi
	# Times and all, so that make builds what has changed.
	copy_modules "$I/copy"
	rm -rf "$misc/ringbuf"
	cp -a "$I/copy/kmod" "$misc/ringbuf"
	cp -a "$I/copy/uapi/linux/ringbuf.h" "$src/include/uapi/linux/"
}

# A key that this kernel trusts, and whose name says what it is for.
make_key()
{
	[ ! -e "$CERT" ] || return 0
	openssl req -new -x509 -newkey rsa:2048 -nodes -days 36500 -utf8 -sha256 \
		-subj "/CN=ringbuf selftests/" -keyout "$KEY" -out "$CERT" 2>/dev/null
}

# build KERNEL: m, y, debug
build()
{
	local dir=$I/$1 value=y more=/dev/null
	local mk=(make -C "$src" O="$dir" "CC=ccache gcc-12" "HOSTCC=ccache gcc-12" "${REPRODUCIBLE[@]}")
	mkdir -p "$dir"
	[ "$1" != m ] || value=m
	[ "$1" != debug ] || more=$debug
	{
		# The sample would have the default ring's slot.
		sed "/SAMPLE/!s/^\(CONFIG_RINGBUF.*\)=m/\1=$value/" "$config"
		cat "$more"
		printf 'CONFIG_SYSTEM_TRUSTED_KEYS="%s"\n' "$CERT"
	} >"$dir/all.config.new"
	# The key is made by the kernel's own makefiles if it may not be ours alone.
	if ! cmp -s "$dir/all.config.new" "$dir/all.config" || [ ! -e "$dir/.config" ]; then
		mv "$dir/all.config.new" "$dir/all.config"
		"${mk[@]}" KCONFIG_ALLCONFIG="$dir/all.config" allnoconfig || return
	fi
	"${mk[@]}" -j "$(nproc)" bzImage modules || return
	grep -h '^CONFIG.*=' "$config" "$more" | grep -vE '=n$|RINGBUF' | grep -vxFf "$dir/.config" | sed 's/^/lost: /'
	printf '%s=%q\n' VMLINUZ "$dir/arch/x86/boot/bzImage" KDIR "$dir" \
		RELEASE "$(cat "$dir/include/config/kernel.release")" MODROOT '' KCC gcc-12 \
		>"$dir/env"
} >"$I/$1.log" 2>&1

# Builds, without a warning from our files.
builds()
{
	build "$1" || {
		tail -n 40 "$I/$1.log"
		return 1
	}
	! grep -E '^lost:|drivers/misc/ringbuf/.*(warning|error)' "$I/$1.log"
}

# made KERNEL: it is of this run, although T= may have left out the check that builds it
made()
{
	[ -e "$I/$1.log" ] || builds "$1"
}

built_in()
{
	made m && made y || return
	grep -q ' T ringbuf_reserve$' "$I/y/System.map" &&
		! grep ' ringbuf_' "$I/m/System.map"
}

# boot KERNEL LOG ARGUMENTS…
boot()
{
	local kernel=$1 log=$2
	shift 2
	"$TOP/selftests/vm/run.sh" --quiet --kernel "$I/$kernel/env" --timeout 600 \
		--keep-log "$TOP/build/logs/$log.log" "$@"
}

# kunit_passed KERNEL: all suites of the ring have run in the guest of boots()
kunit_passed()
{
	local log=$TOP/build/logs/intree-$1.log suites
	[ -e "$log" ] || boots "$1" || return
	suites=$(grep -rhoE '^	\.name = "ringbuf_[a-z_]+",' "$TOP"/kmod/tests/*_kunit.c | sort -u | wc -l)
	if grep -qE '\] +not ok ' "$log"; then
		grep -E '\] +not ok ' "$log"
		return 1
	fi
	[ "$(grep -cE '\] ok [0-9]+ ringbuf' "$log")" -eq "$suites" ] || {
		echo "of $suites suites:"
		grep -E '\] ok [0-9]+ ' "$log"
		return 1
	}
}

# boots KERNEL: the ring that came with it, and one more
boots()
{
	made "$1" || return
	boot "$1" "intree-$1" --append 'ringbuf.reliable=1 ringbuf.stall_ms=5000 kunit.enable=1' \
		-- '
		set -e
		fail() { echo "$*"; exit 1; }
		[ ! -e /sys/module/ringbuf/refcnt ] || fail "it is a module"
		[ $(cat /sys/module/ringbuf/parameters/stall_ms) = 5000 ] || fail "no parameters"
		[ $(cat /sys/class/ringbuf/ringbuf/size) = 1048576 ] || fail "no default ring"
		grep -q " ringbuf_" /proc/kallsyms || fail "no symbols"
		exec 3>/dev/ringbuf
		! (echo x >/dev/ringbuf) 2>/dev/null || fail "a second writer"
		echo hello >&3
		[ "$(head -n 1 /dev/ringbuf)" = hello ] || fail "nothing to read"
		exec 3>&-
		mount -t configfs none /sys/kernel/config 2>/dev/null || :
		cd /sys/kernel/config/ringbuf
		mkdir one
		echo 8192 >one/size
		echo 1 >one/live
		echo world >/dev/ringbuf-one
		[ "$(head -n 1 /dev/ringbuf-one)" = world ] || fail "nothing to read from the other"
		rmdir one
		[ ! -e /dev/ringbuf-one ] || fail "it is still there"
		# Now that there is a /dev.
		mount -t debugfs none /sys/kernel/debug 2>/dev/null || :
		for suite in /sys/kernel/debug/kunit/ringbuf*; do
			echo 1 >$suite/run
		done'
}

lock "$I/.lock"
drop_in
make_key
if [ "${1:-}" = --modular ]; then
	builds m >&2
	echo "$I/m/env"
	exit
fi
want=${1:-*}
# What an earlier run has left is no news.
rm -f "$I"/{m,y,debug}.log "$TOP"/build/logs/intree-{y,debug}.log
check "intree: as modules, it builds" builds m
[ -e "$I/y/.config" ] || { mkdir -p "$I/y" && cp -a "$I/m/." "$I/y"; }
check "intree: built in, it builds" builds y
check "intree: it is in vmlinux" built_in
check "intree: built in, boots, and works" boots y
check "intree: built in, KUnit" kunit_passed y
check "intree: built in, with KASAN and lockdep, it builds" builds debug
check "intree: built in, with KASAN and lockdep, boots, and works" boots debug
check "intree: built in, with KASAN and lockdep, KUnit" kunit_passed debug
echo "1..$count"
