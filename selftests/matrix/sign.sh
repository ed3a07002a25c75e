#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# `make sign`, and what kernels make of it that want signatures, as TAP. The kernels:
# Debian's, which does not know our key, and the one of intree.sh, which does.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

HERE=$(cd "$(dirname "$0")" && pwd)
I=$MATRIX/intree
want=${1:-*}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$TOP/build/logs"

# make_sign KDIR DIR: as a user does it, on a copy of what was built
make_sign()
{
	make -s -C "$2" -f "$TOP/Makefile" KDIR="$1" KEY="$I/key.priv" CERT="$I/key.pem" sign
}

# modules NAME ENV: $work/NAME/{unsigned,signed,changed}.ko, by that kernel's tools
modules()
{
	local dir=$work/$1 kdir
	kdir=$(. "$2" && echo "$KDIR")
	mkdir -p "$dir/kmod" "$dir/scripts"
	cp "$3/kmod/ringbuf.ko" "$dir/kmod/"
	cp "$3/kmod/ringbuf.ko" "$dir/unsigned.ko"
	cp "$TOP/scripts/sign.sh" "$dir/scripts/"
	make_sign "$kdir" "$dir"
	cp "$dir/kmod/ringbuf.ko" "$dir/signed.ko"
	make_sign "$kdir" "$dir"
	# PKCS#1 signatures of the same are the same: nothing was added.
	cmp "$dir/signed.ko" "$dir/kmod/ringbuf.ko" || return
	[ "$(modinfo -F signer "$dir/signed.ko")" = 'ringbuf selftests' ] || return
	# One letter of the description.
	sed 's/multi-consumer ring/multi-consumer Ring/' "$dir/signed.ko" >"$dir/changed.ko"
	! cmp -s "$dir/signed.ko" "$dir/changed.ko"
}

# What make sign must not do in silence.
refuses()
{
	local dir=$work/refuses
	mkdir -p "$dir/kmod" "$dir/scripts"
	cp "$TOP/scripts/sign.sh" "$dir/scripts/"
	# shellcheck disable=SC2069 # the complaint alone
	{
		! make_sign /nowhere "$dir" && # no modules
			! make -s -C "$dir" -f "$TOP/Makefile" sign && # no key
			! make -s -C "$dir" -f "$TOP/Makefile" KEY=/nowhere CERT=/nowhere sign
	} >"$dir/out" 2>&1
	cat "$dir/out"
	grep -q 'no modules yet' "$dir/out" && grep -q 'usage: make sign' "$dir/out" &&
		grep -q 'cannot read /nowhere' "$dir/out"
}

# boot NAME KERNEL: tries the three; what became of them goes to $work/NAME/told
boot()
{
	local ko files=()
	for ko in unsigned signed changed; do
		files+=(--file "$work/$1/$ko.ko")
	done
	# shellcheck disable=SC2016 # for the guest
	"$TOP/selftests/vm/run.sh" --quiet --kernel "$2" --append module.sig_enforce=1 \
		--keep-log "$TOP/build/logs/sign-$1.log" "${files[@]}" -- '
		[ "$(cat /sys/module/module/parameters/sig_enforce)" = Y ] || exit 1
		for ko in unsigned changed signed; do
			dmesg -c >/dev/null
			if insmod /$ko.ko 2>/tmp/err; then
				echo "$ko: loaded"
				[ -c /dev/ringbuf ] || exit 1
				[ "$(cat /sys/module/ringbuf/taint)" = O ] || exit 1
				rmmod ringbuf
			else
				echo "$ko: $(sed "s/.*: //" /tmp/err); $(dmesg | sed -n "s/.*\(Loading of .*\)/\1/p")"
			fi
		done' >"$work/$1/told" || {
		cat "$work/$1/told"
		return 1
	}
}

# told NAME LINE: as Documentation/secure-boot.rst has it
told()
{
	grep -qxF -- "$2" "$work/$1/told" && return
	cat "$work/$1/told"
	return 1
}

trusting=$("$HERE/intree.sh" --modular)
dir=$("$TOP/selftests/vm/build.sh" 6.12)
"$TOP/selftests/vm/kernel.sh" 6.12 >"$work/stock.env"
eval "$(cat "$trusting")"
copy_modules "$work/built"
make -s -C "$KDIR" "M=$work/built" "CC=ccache $KCC" -j "$(nproc)" modules >"$work/build.log" 2>&1 ||
	die "does not build outside of that kernel's tree: $(tail -n 20 "$work/build.log")"

check "make sign says what it lacks" refuses
check "make sign for Debian's kernel, twice" modules stock "$work/stock.env" "$dir"
check "Debian's kernel that wants signatures boots" boot stock 6.12
check "  unsigned: refused" told stock 'unsigned: Key was rejected by service; Loading of unsigned module is rejected'
check "  signed with a key it has not: refused" told stock \
	'signed: Key was rejected by service; Loading of module with unavailable key is rejected'
check "make sign for a kernel that has the key, twice" modules ours "$trusting" "$work/built"
check "that kernel boots" boot ours "$trusting"
check "  unsigned: refused" told ours 'unsigned: Key was rejected by service; Loading of unsigned module is rejected'
check "  signed: loaded, no taint for it" told ours 'signed: loaded'
check "  changed afterwards: refused" told ours 'changed: Key was rejected by service; '
echo "1..$count"
