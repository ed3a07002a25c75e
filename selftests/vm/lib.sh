# SPDX-License-Identifier: GPL-2.0
# Sourced by the scripts in this directory and in the one above.

# shellcheck disable=SC2034 # both are for those who source this
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${RINGBUF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ringbuf}

# A parent make's flags would reach the kernel's own makefiles.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS
# Tools are parsed by their English.
export LC_ALL=C

say()
{
	printf '%s\n' "$*" >&2
}

die()
{
	say "${0##*/}: $*"
	exit 1
}

# lock FILE: exclusive, until the shell ends; tells when it has to wait.
lock()
{
	mkdir -p "$(dirname "$1")"
	exec 9>"$1"
	if ! flock -n 9; then
		say "waiting for another run that holds $1"
		flock 9
	fi
}
