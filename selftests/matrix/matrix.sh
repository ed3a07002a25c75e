#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module against every kernel, architecture and compiler that there is a package
# of, as TAP.
#   matrix.sh [PATTERN]   checks whose names match
#   matrix.sh --quick     one of a kind: the newest of each series, architecture, compiler
set -euo pipefail
. "$(dirname "$0")/lib.sh"

HERE=$(cd "$(dirname "$0")" && pwd)

# The last ABI of each series and flavour.
newest_abis()
{
	sed -E 's/^((6\.1|6\.12)\.[^-]*(-[0-9]+)?)-(.*)$/\2-\4 &/' | sort -V | awk '
		{ last[$1] = $NF } END { for (k in last) print last[k] }' | sort -V
}

trees=$("$HERE/tree.sh" --list)
want='*'
case "${1:-}" in
--quick) trees=$(newest_abis <<<"$trees") ;;
?*) want=$1 ;;
esac

builds()
{
	"$HERE/build.sh" "$@"
}

# shellcheck disable=SC2086 # words
for tree in $trees; do
	check "build W=1: $tree" builds "$tree"
done
for tree in $(grep -E -- '-x86-gcc$' <<<"$trees"); do
	check "sparse: $tree" builds "$tree" C=2 CF=-D__CHECK_ENDIAN__
done
check "coccinelle" "$HERE/cocci.sh"
echo "1..$count"
