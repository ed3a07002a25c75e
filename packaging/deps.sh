#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The Debian packages that `make deb` needs, and with `test` those of
# `make package-test`: installed if they are missing (root), else named.
set -euo pipefail
. "$(dirname "$0")/../selftests/vm/lib.sh"

packages=(dpkg-dev debhelper dh-dkms gcc libc6-dev make pkg-config)
[ "${1:-}" != test ] ||
	packages+=(lintian mmdebstrap e2fsprogs util-linux zstd qemu-system-x86 systemd)

missing=()
for p in "${packages[@]}"; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) || state=
	[ "$state" = installed ] || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

install=(apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends
	--no-remove "${missing[@]}")
if [ "$(id -u)" != 0 ]; then
	say "packages are missing; as root, run:"
	say "  apt-get update && ${install[*]}"
	exit 1
fi
say "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$CACHE/apt.log
lock "$CACHE/apt.lock"
if ! "${install[@]}" </dev/null >"$log" 2>&1; then
	apt-get update </dev/null >"$log" 2>&1 || die "apt-get update failed, see $log"
	"${install[@]}" </dev/null >"$log" 2>&1 || {
		tail -n 15 "$log" >&2
		die "apt-get install failed, see $log"
	}
fi
