#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# build.sh TREE [MAKE-ARGUMENT]...: builds the modules in build/matrix/TREE against
# a tree of tree.sh; a warning about our files, or none of the modules, is a failure.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

name=$1
shift
paths=$("$TOP/selftests/matrix/tree.sh" "$name")
eval "$paths"
dir=$TOP/build/matrix/$name
log=$dir/build.log
mkdir -p "$dir"
lock "$dir.lock"
copy_modules "$dir"

# Nobody has built that kernel, so modpost cannot know what it exports.
[ -z "$PARTIAL" ] || MAKE+=(KBUILD_MODPOST_WARN=1)

failed=
make -C "$KDIR" "M=$dir" "${MAKE[@]}" W=1 -j "$(nproc)" "$@" modules >"$log" 2>&1 </dev/null || failed=1

# clang's -Wextra finds much in the kernel's headers; those are not ours to mend.
complaints()
{
	grep -iE 'warning|error' "$log" | grep -ivE \
		-e 'Symbol info of vmlinux|Module.symvers" is missing|Symbol version dump' \
		${PARTIAL:+-e 'Module.symvers is missing|unresolved symbol errors|KBUILD_MODPOST_WARN' \
		-e 'modpost: ("[^"]+" \[.*\]|.*: symbol .*) undefined|modpost: suppressed [0-9]+ unresolved'} \
		-e 'the compiler differs|The kernel was built by|You are using' \
		-e '^/[^:]*/include/[^:]*:[0-9:]* warning' -e '^[0-9]+ warnings? generated'
}

if [ -n "$failed" ] || complaints >"$dir/complaints"; then
	# Objects that are up to date would warn no more.
	find "$dir" -name '*.o' -delete
	if [ -n "$failed" ]; then tail -n 40 "$log"; else cat "$dir/complaints"; fi
	exit 1
fi
for ko in ringbuf samples/ringbuf_proc tests/ringbuf_kunit; do
	[ -e "$dir/kmod/$ko.ko" ] || {
		# Not all kernels have KUnit.
		[ "$ko" = tests/ringbuf_kunit ] && ! grep -qE '^CONFIG_KUNIT=' "$KDIR/.config" && continue
		echo "no kmod/$ko.ko"
		exit 1
	}
done

# The loader of arm64 knows these relocations, and refuses a module for another.
if grep -q '^CONFIG_ARM64=y' "$KDIR/.config"; then
	eval "$("$TOP/selftests/vm/kernel.sh" source)"
	! find "$dir/kmod" -name '*.ko' -exec readelf -rW {} + |
		grep -oE 'R_AARCH64_[A-Z0-9_]+' | sort -u |
		grep -vxFf <(grep -oE 'R_AARCH64_[A-Z0-9_]+' "$SRC/arch/arm64/kernel/module.c"; echo R_AARCH64_NONE) |
		sed 's/$/: a relocation that modules cannot have/' | grep .
fi
