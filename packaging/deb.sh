#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# make deb: the Debian packages, in build/deb. It builds a copy, so that nothing
# is left in the tree; nothing of it takes root.
set -euo pipefail
. "$(dirname "$0")/../selftests/vm/lib.sh"
cd "$TOP"
packaging/deps.sh

version=$(packaging/version.sh)
out=$TOP/build/deb
log=$out/build.log
rm -rf "$out"
mkdir -p "$out/ringbuf-$version"

# What git knows or would; of a tree without git, what is no product.
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
	git ls-files -z --cached --others --exclude-standard
else
	find . \( -path ./build -o -name .git -o -name '.*.cmd' -o -name '.*.date.*' \) -prune -o \
		-type f ! -name '*.o' ! -name '*.ko' ! -name '*.mod' ! -name '*.mod.c' \
		! -name '*.a' ! -name Module.symvers ! -name modules.order -print0
fi | while IFS= read -r -d '' file; do
	# Removed, and git has not been told.
	[ ! -e "$file" ] || printf '%s\0' "$file"
done | tar -c --null -T - | tar -x -C "$out/ringbuf-$version"

# So that ./build/deb/*.deb is what one installs.
export DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS-noautodbgsym}
cd "$out/ringbuf-$version"
dpkg-buildpackage --no-sign --build="${DEB_BUILD:-full}" >"$log" 2>&1 </dev/null || {
	tail -n 40 "$log" >&2
	die "the packages do not build, see $log"
}
cd "$out"
rm -rf "ringbuf-$version"
printf '%s\n' ./*.deb
