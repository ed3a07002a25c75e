#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Sourced by the scripts in this directory.
# shellcheck disable=SC2034 # for those who source this

. "$(dirname "${BASH_SOURCE[0]}")/../vm/lib.sh"

MATRIX=$CACHE/matrix
CLANG=19
CROSS_GCC=12
export CCACHE_DIR=${CCACHE_DIR:-$CACHE/ccache} CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-4G}

# Cross compilers that are unpacked, not installed.
PATH=$PATH:$MATRIX/cross/bin

# Names in what is built are those of nobody: it is the same every time.
REPRODUCIBLE=(KBUILD_BUILD_TIMESTAMP=@0 KBUILD_BUILD_USER=ci KBUILD_BUILD_HOST=ci)

count=0

# check NAME COMMAND…: silent success, or a reason on stdout or stderr. Which of
# them run: those that match $want.
check()
{
	local name=$1 out
	shift
	# shellcheck disable=SC2053 # a pattern
	[[ $name == ${want:-*} ]] || return 0
	count=$((count + 1))
	if out=$("$@" 2>&1 </dev/null); then
		echo "ok $count $name"
	else
		head -n 60 <<<"$out" | sed 's/^/# /'
		echo "not ok $count $name"
	fi
}

# quiet LOG COMMAND…: what it says is shown when it fails
quiet()
{
	local log=$1
	shift
	"$@" >"$log" 2>&1 </dev/null || {
		tail -n 30 "$log"
		return 1
	}
}

# triplet ARCH: of its GNU tools
triplet()
{
	case "$1" in
	amd64) echo x86_64-linux-gnu ;;
	arm64) echo aarch64-linux-gnu ;;
	s390x) echo s390x-linux-gnu ;;
	riscv64) echo riscv64-linux-gnu ;;
	ppc64el) echo powerpc64le-linux-gnu ;;
	*) die "no compiler for the architecture '$1'" ;;
	esac
}
