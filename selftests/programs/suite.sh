# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # what run.sh has
# Sourced by run.sh: programs that know nothing of rings, on a ring. T="GROUP GROUP": only
# these groups of programs.

# The longest first.
program_groups='node tools languages others shells go rust'

# programs_compile GROUP COMPILER COMMAND…: adds the group's program to files; without the
# compiler the group is not run.
programs_compile()
{
	local group=$1 compiler=$2
	shift 2
	grep -qx "$group" "$work/list" || return 0
	if ! command -v "$compiler" >/dev/null; then
		echo "  $group: skipped, since there is no $compiler"
		skipped=$((skipped + 1))
		sed -i "/^$group\$/d" "$work/list"
		return 0
	fi
	"$@" >"$work/build.err" 2>&1 || {
		sed 's/^/      | /' "$work/build.err"
		broken programs "stream-$group does not build"
		return 1
	}
	files+=(--file "$bin/stream-$group:/debian/programs/stream-$group")
}

programs_build()
{
	local flags='-O2 -g -Wall -Wextra -Werror -static -Iuapi'
	mkdir -p "$bin"
	if ! { gcc $flags -o "$bin/records" selftests/programs/records.c &&
		gcc $flags -o "$bin/until_end" examples/until_end.c; } >"$work/build.err" 2>&1; then
		sed 's/^/      | /' "$work/build.err"
		broken programs "the programs do not build"
		return 1
	fi
	files+=(--file "$bin/records:/debian/programs/records"
		--file "$bin/until_end:/debian/programs/until_end"
		--file selftests/programs/stream.mjs:/debian/programs/stream.mjs)
	programs_compile go go env CGO_ENABLED=0 GOFLAGS= GO111MODULE=off "GOCACHE=$CACHE/go" \
		go build -o "$bin/stream-go" selftests/programs/stream.go &&
		programs_compile rust rustc rustc -O -D warnings -C target-feature=+crt-static \
			-C linker=gcc -o "$bin/stream-rust" selftests/programs/stream.rs
}

suite_programs()
{
	local bin=$TOP/build/programs files=() root kernel dir group count=$GUESTS
	: >"$work/list"
	for group in ${T:-$program_groups}; do
		[[ " $program_groups " = *" $group "* ]] ||
			{ broken programs "no group '$group'; there are: $program_groups"; return; }
		echo "$group" >>"$work/list"
	done
	selftests/programs/deps.sh
	programs_build || return 0
	[ -s "$work/list" ] || return 0
	root=$(selftests/programs/root.sh) || { broken programs "no Debian root"; return; }
	files+=(--file selftests/programs/run.sh:/debian/programs/run.sh)
	for group in $program_groups; do
		files+=(--file "selftests/programs/$group.sh:/debian/programs/$group.sh"
			--file "selftests/programs/guest.sh:/tests/$group")
	done
	[ "$(wc -l <"$work/list")" -gt 1 ] || count=1
	for kernel in ${K:-6.12}; do
		build "$kernel" || continue
		echo "- $kernel"
		cp "$work/list" "$work/programs"
		guests "$count" "programs on $kernel" "$logs/programs-$kernel" \
			--kernel "$kernel" --smp 2 --mem 1024 --timeout 3600 --modprobe configfs \
			--initramfs "$root" "${files[@]}" --file "$dir/kmod/ringbuf.ko" \
			--file selftests/vm/guest-selftest.sh --file selftests/vm/reports.sh -- \
			"chmod 755 /tests/*; ASK=1 sh /guest-selftest.sh 3000"
	done
}
