#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# sign.sh KDIR KEY CERT MODULE…: signs modules for a kernel that wants that, such as
# one under Secure Boot; see Documentation/secure-boot.rst. What is signed already
# is signed anew.
set -euo pipefail

die()
{
	echo "sign: $*" >&2
	exit 1
}

# unsign MODULE: takes the signature off: a marker of 28 bytes, 12 that tell of it
# (the last 4 its length, big-endian), itself.
unsign()
{
	local size len
	[ "$(tail -c 28 "$1" | tr -d '\0')" = '~Module signature appended~' ] || return 0
	size=$(stat -c %s "$1")
	len=$((16#$(tail -c 32 "$1" | head -c 4 | od -An -tx1 | tr -d ' \n')))
	[ $((len + 40)) -lt "$size" ] || die "$1: its signature makes no sense"
	truncate -s $((size - len - 40)) "$1"
}

[ $# -ge 3 ] || die "usage: make sign KEY=private-key CERT=certificate"
kdir=$1 key=$2 cert=$3
shift 3
if [ -z "$key" ] || [ -z "$cert" ]; then
	die "usage: make sign KEY=private-key CERT=certificate"
fi
for file in "$key" "$cert"; do
	case "$file" in pkcs11:*) continue ;; esac
	[ -r "$file" ] || die "cannot read $file"
done
[ $# -gt 0 ] || die "no modules yet: run make first"

if [ -x "$kdir/scripts/sign-file" ]; then
	tool=$kdir/scripts/sign-file
else
	tool=$(command -v kmodsign) ||
		die "no $kdir/scripts/sign-file, and no kmodsign: apt-get install sbsigntool"
fi
hash=$(sed -n 's/^CONFIG_MODULE_SIG_HASH="\(.*\)"/\1/p' \
	"$kdir/include/config/auto.conf" 2>/dev/null || :)
for module; do
	unsign "$module"
	"$tool" "${hash:-sha256}" "$key" "$cert" "$module" || die "$module is not signed"
	echo "signed $module (${hash:-sha256})"
done
