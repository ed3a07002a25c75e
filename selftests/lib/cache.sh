# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by what runs deterministic checks: a check that has passed is not run again
# while nothing that it depends on has changed. RINGBUF_NO_CACHE=1: all are run.

RESULTS=$CACHE/results

# What each check depends on, whatever it looks at: its own machinery, the versions of
# the tools. Without dpkg these are not known, and nothing is cached.
cache_common()
{
	# shellcheck disable=SC2046 # words
	dpkg-query -W -f '${Package} ${Version}\n' $(selftests/vm/deps.sh --list) 2>/dev/null || :
	readlink "$CACHE"/kernels/* || :
	ls "$CACHE/src" 2>/dev/null || :
}

cache_tools=
! command -v dpkg-query >/dev/null || cache_tools=$(cache_common | sha256sum)

# result_key NAME PATH…: of the check NAME that depends on these files and directories
result_key()
{
	[ -n "$cache_tools" ] || return 0
	{
		printf '%s\n' "$1" "$cache_tools"
		shift
		find "$@" selftests/check.sh selftests/vm selftests/lib -type f ! -name '*.o' \
			! -name '*.ko' ! -name '*.mod' ! -name '*.mod.c' ! -name '.*' ! -name '*.pyc' \
			! -name modules.order ! -name Module.symvers -print0 | LC_ALL=C sort -z |
			xargs -0 sha256sum
	} | sha256sum | cut -c 1-40
}

# passed_before KEY
passed_before()
{
	[ -z "${RINGBUF_NO_CACHE:-}" ] && [ -n "$1" ] && [ -e "$RESULTS/$1" ]
}

# remember KEY [FILE]: the check has passed, and has told what is in FILE. What was not
# asked for in two months is forgotten.
remember()
{
	[ -n "$1" ] || return 0
	mkdir -p "$RESULTS"
	cp "${2:-/dev/null}" "$RESULTS/$1"
	find "$RESULTS" -type f -mtime +60 -delete
}
