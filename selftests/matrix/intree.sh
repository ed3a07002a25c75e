#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The ring as a part of the newest kernel that there is a source package of: kmod/
# becomes drivers/misc/ringbuf, as modules and built in; both are booted. The kernel
# with modules takes those that are signed with a key of ours alone, see sign.sh.
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

# build DIR LETTER: m, y
build()
{
	local dir=$1 log=$1/build.log
	local mk=(make -C "$src" O="$dir" "CC=ccache gcc-12" "HOSTCC=ccache gcc-12" "${REPRODUCIBLE[@]}")
	mkdir -p "$dir"
	{
		sed "s/^\(CONFIG_RINGBUF.*\)=m/\1=$2/" "$config"
		printf 'CONFIG_SYSTEM_TRUSTED_KEYS="%s"\n' "$CERT"
	} >"$dir/all.config.new"
	# The key is made by the kernel's own makefiles if it may not be ours alone.
	if ! cmp -s "$dir/all.config.new" "$dir/all.config" || [ ! -e "$dir/.config" ]; then
		mv "$dir/all.config.new" "$dir/all.config"
		"${mk[@]}" KCONFIG_ALLCONFIG="$dir/all.config" allnoconfig || return
	fi
	"${mk[@]}" -j "$(nproc)" bzImage modules || return
	grep '=' "$config" | grep -vE '=n$|RINGBUF' | grep -vxFf "$dir/.config" | sed 's/^/lost: /'
	printf '%s=%q\n' VMLINUZ "$dir/arch/x86/boot/bzImage" KDIR "$dir" \
		RELEASE "$(cat "$dir/include/config/kernel.release")" MODROOT '' KCC gcc-12 \
		>"$dir/env"
} >"$I/$2.log" 2>&1

# Builds, without a warning from our files.
builds()
{
	build "$I/$1" "$1" || {
		tail -n 40 "$I/$1.log"
		return 1
	}
	! grep -E '^lost:|drivers/misc/ringbuf/.*(warning|error)' "$I/$1.log"
}

built_in()
{
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

# KUnit ran at boot: all suites of the ring, each with tests that all passed.
kunit_passed()
{
	local log=$TOP/build/logs/intree-y.log suites
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

# A program of each kind, on the ring that came with the kernel.
selftests()
{
	local files=() p programs='open read write map reliable rings'
	for p in $programs; do
		files+=(--file "$TOP/build/selftests/$p:/tests/$p")
	done
	boot y intree-y --append 'ringbuf.reliable=1 ringbuf.stall_ms=5000 kunit.enable=1' \
		"${files[@]}" -- "
		export RINGBUF_TEST_LEVEL=quick
		[ \$(cat /sys/module/ringbuf/parameters/stall_ms) = 5000 ] || echo 'no parameters'
		for p in $programs; do
			timeout 200 /tests/\$p >/tmp/out 2>&1
			status=\$?
			case \$status in 0 | 4) ;; *) cat /tmp/out; exit \$status ;; esac
			grep -q '^ok' /tmp/out || { cat /tmp/out; exit 1; }
		done"
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
check "intree: as modules, it builds" builds m
[ -e "$I/y/.config" ] || { mkdir -p "$I/y" && cp -a "$I/m/." "$I/y"; }
check "intree: built in, it builds" builds y
check "intree: it is in vmlinux" built_in
check "intree: built in, boots; selftests" selftests
check "intree: built in, KUnit" kunit_passed
echo "1..$count"
