#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The Debian packages that building and testing need: the one list.
#   deps.sh          install what is missing (root), or print the command to run
#   deps.sh --list   print the list
#   deps.sh PACKAGE… and these, which only some runs need
#   deps.sh --only PACKAGE…      none but these
#   deps.sh --optional PACKAGE…  none but these; what cannot be had is said, no failure
set -euo pipefail
. "$(dirname "$0")/lib.sh"

packages=(
	# modules, kernels
	make gcc g++ gcc-12 libc6-dev bc bison flex cpio xz-utils zstd kmod perl python3
	libelf-dev libssl-dev pahole ccache
	# static checks, the 32-bit test binary
	sparse gcc-multilib python3-sphinx
	# the library, its manual and its examples
	pkg-config mandoc groff liburing-dev binutils
	# the documentation
	python3-docutils python3-pygments
	# the checked models
	spin
	# the guest
	qemu-system-x86 busybox-static
)

if [ "${1:-}" = --list ]; then
	printf '%s\n' "${packages[@]}"
	exit
fi

optional=
case "${1:-}" in
--optional) optional=1 packages=() && shift ;;
--only) packages=() && shift ;;
esac
packages+=("$@")

if ! command -v dpkg-query >/dev/null; then
	[ -n "$optional" ] || die "not a Debian system; install the counterparts of: ${packages[*]}"
	say "not installed, left out: ${packages[*]}"
	exit 0
fi

missing=()
for p in "${packages[@]}"; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) || state=
	[ "$state" = installed ] || missing+=("$p")
done
[ ${#missing[@]} -gt 0 ] || exit 0

# --no-remove: gcc-multilib must never push out somebody's cross compiler.
install=(apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends --no-remove)
if [ "$(id -u)" != 0 ]; then
	say "packages are missing${optional:+, and what needs them is left out}; as root, run:"
	say "  apt-get update && ${install[*]} ${missing[*]}"
	[ -n "$optional" ] || exit 1
	exit 0
fi

say "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
mkdir -p "$CACHE"
log=$CACHE/apt.log
lock "$CACHE/apt.lock"
if [ -n "$optional" ]; then
	# One by one: some may not exist here.
	for p in "${missing[@]}"; do
		"${install[@]}" "$p" </dev/null >>"$log" 2>&1 || say "cannot be installed, left out: $p"
	done
	exit 0
fi
# Known package lists may be stale, so a failure is tried again after an update.
if ! "${install[@]}" "${missing[@]}" </dev/null >"$log" 2>&1; then
	apt-get update </dev/null >"$log" 2>&1 || die "apt-get update failed, see $log"
	"${install[@]}" "${missing[@]}" </dev/null >"$log" 2>&1 || {
		tail -n 15 "$log" >&2
		die "apt-get install failed, see $log"
	}
fi
