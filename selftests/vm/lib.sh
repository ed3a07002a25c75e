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

# workdir NAME: $work, a directory that goes when the shell ends, and with it the
# process $guest, if there is one
workdir()
{
	guest=
	work=$(mktemp -d "${TMPDIR:-/tmp}/ringbuf-$1.XXXXXX")
	trap workdir_end EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

workdir_end()
{
	[ -z "$guest" ] || kill "$guest" 2>/dev/null || :
	rm -rf "$work"
}

# lock FILE: exclusive, until the shell ends; tells when it has to wait.
lock()
{
	mkdir -p "$(dirname "$1")"
	exec 9>"$1"
	if ! flock -n 9; then
		# A tier fetches what it needs while tests begin.
		[ -n "${RINGBUF_TIER:-}" ] || say "waiting for another run that holds $1"
		flock 9
	fi
}

# mend_headers ROOT HEADERS COMMON KBUILD: packages unpacked below ROOT find each
# other there; installed, the headers know their common half by an absolute path.
mend_headers()
{
	local src=$1/usr/src headers=$2 common=$3 kbuild=$4 part
	local makefile=$src/$headers/Makefile
	grep -q "^include /usr/src/$common/Makefile\$" "$makefile" ||
		die "unexpected content in $headers: Makefile"
	# shellcheck disable=SC2016 # for make
	printf 'include $(dir $(lastword $(MAKEFILE_LIST)))../%s/Makefile\n' "$common" >"$makefile"
	for part in "$headers" "$common"; do
		[ -e "$src/$part/scripts/Makefile.build" ] ||
			ln -sfn "../../lib/$kbuild/scripts" "$src/$part/scripts"
		[ -e "$src/$part/tools" ] ||
			ln -sfn "../../lib/$kbuild/tools" "$src/$part/tools"
	done
}

# copy_modules DIR: the modules' sources, as they are now. Products of an in-place
# `make` stay behind; what left the tree leaves the copy.
copy_modules()
{
	local file
	mkdir -p "$1"
	tar -C "$TOP" --exclude='*.o' --exclude='*.ko' --exclude='*.mod' --exclude='*.mod.c' \
		--exclude='*.a' --exclude='.*.cmd' --exclude='*.d' --exclude=modules.order \
		--exclude=Module.symvers -cf - Kbuild kmod uapi | tar -C "$1" -xf -
	(
		cd "$1"
		find kmod uapi -type f \( -name '*.[chS]' -o -name Kbuild -o -name Makefile \) ! -name '*.mod.c' |
			while IFS= read -r file; do
				[ -e "$TOP/$file" ] || rm "$file"
			done
	)
}

# unpacked IMAGE: prints what the image unpacks itself to, or the image: emulated, that
# takes a quarter of the time in which a guest boots
unpacked()
{
	local image=$1 plain=$1.elf magic tool at
	while [ ! -e "$plain" ] && read -r magic tool; do
		for at in $(grep -obUaP "$magic" "$image" | cut -d : -f 1 | head -n 5); do
			# The image goes on behind it.
			tail -c "+$((at + 1))" "$image" | $tool >"$plain.$$" 2>/dev/null || :
			! readelf -n "$plain.$$" 2>/dev/null | grep -q Xen || mv "$plain.$$" "$plain"
			rm -f "$plain.$$"
			[ ! -e "$plain" ] || break
		done
	done <<'END'
\x28\xb5\x2f\xfd zstd -dc
\xfd7zXZ\x00 xz -dc
END
	[ -e "$plain" ] || plain=$image
	printf '%s\n' "$plain"
}
