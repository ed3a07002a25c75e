#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Static checks, as TAP. `check.sh PATTERN` runs those whose names match.
#   K="6.12-cloud 6.12-rt"   only builds, for these kernels
set -euo pipefail
. "$(dirname "$0")/vm/lib.sh"
cd "$TOP"
. selftests/lib/cache.sh

want=${1:-*}
count=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# check NAME "PATH…" COMMAND…: silent success, or a reason on stdout or stderr. The check
# depends on nothing but these files and directories; '-': it is always run.
check()
{
	local name=$1 paths=$2 key='' began=$EPOCHREALTIME
	shift 2
	# shellcheck disable=SC2053 # a pattern
	[[ $name == $want ]] || return 0
	count=$((count + 1))
	# shellcheck disable=SC2086 # words
	[ "$paths" = - ] || key=$(result_key "$name" $paths)
	if passed_before "$key"; then
		touch "$RESULTS/$key"
		echo "ok $count $name # cached"
		return
	fi
	if "$@" >"$out" 2>&1; then
		echo "ok $count $name"
		remember "$key"
	else
		head -n 60 "$out" | sed 's/^/# /'
		echo "not ok $count $name"
	fi
	[ -z "${TIMES:-}" ] || awk -v a="$began" -v b="$EPOCHREALTIME" -v name="$name" \
		'BEGIN { printf "%.1f - check: %s\n", b - a, name }' >>"$TIMES"
}

ours()
{
	find kmod uapi -type f -name '*.[ch]' ! -name '*.mod.c' | sort
}

# Nothing on stdin, or what there is, and failure.
nothing()
{
	! grep .
}

# in_shell COMMAND…: in a shell of its own, with whose end its lock goes
in_shell()
{
	("$@")
}

builds()
{
	selftests/vm/build.sh "$1" >/dev/null
}

# sparse complains about the kernel's own headers; those are not ours to mend.
run_sparse()
{
	local paths dir log
	paths=$(selftests/vm/kernel.sh 6.12) || return
	eval "$paths"
	dir=$(selftests/vm/build.sh 6.12) || return
	log=$dir/sparse.log
	lock "$TOP/build/.6.12.lock"
	make -C "$KDIR" "M=$dir" C=2 CF=-D__CHECK_ENDIAN__ -j "$(nproc)" modules >"$log" 2>&1 || {
		tail -n 20 "$log"
		return 1
	}
	grep -q '^ *CHECK ' "$log" || {
		echo "sparse did not run, see $log"
		return 1
	}
	sed "s,$dir/,,g" "$log" | { grep -E '^(\./)?(kmod|uapi)/[^:]*:[0-9]+:' || :; } | nothing
}

run_checkpatch()
{
	local file ignore status=0 dir
	# It leaves a file where it runs.
	dir=$(mktemp -d)
	ln -s "$TOP/kmod" "$TOP/uapi" "$dir"
	for file in $(ours); do
		case "$file" in
		# The one place that may know versions, the module living outside the
		# tree. Both sides of such a comparison are in capitals.
		kmod/compat.h) ignore=LINUX_VERSION_CODE,CONSTANT_COMPARISON ;;
		# BIT() is not for userspace; checkpatch knows that of include/uapi/ only.
		uapi/*) ignore=BIT_MACRO ;;
		# The way TRACE_EVENT() is laid out everywhere.
		kmod/trace.h) ignore=OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT ;;
		*) ignore= ;;
		esac
		(cd "$dir" && perl "$SRC/scripts/checkpatch.pl" --strict --no-tree --no-summary --terse \
			--show-types ${ignore:+"--ignore=$ignore"} -f "$file") || status=1
	done
	rm -r "$dir"
	return $status
}

# Userspace has its own types and functions; the rest of the style is one.
run_checkpatch_userspace()
{
	local file ignore status=0 dir
	ignore=PREFER_KERNEL_TYPES,CAMELCASE,PREFER_DEFINED_ATTRIBUTE_MACRO,NEW_TYPEDEFS
	ignore+=,BIT_MACRO,LONG_LINE_STRING,USE_NEGATIVE_ERRNO,EMBEDDED_FUNCTION_NAME,STRCPY
	ignore+=,VOLATILE,COMPLEX_MACRO,TRAILING_SEMICOLON,STATIC_CONST_CHAR_ARRAY
	ignore+=,MACRO_ARG_REUSE,MULTISTATEMENT_MACRO_USE_DO_WHILE
	# A type as a macro argument: it takes the star for a product.
	ignore+=,SPACING
	dir=$(mktemp -d)
	ln -s "$TOP/userspace" "$TOP/examples" "$dir"
	for file in $(find userspace/lib userspace/cli examples -name '*.[ch]' | sort); do
		local more=
		case "$file" in
		# A module to copy, which has to know versions by itself.
		examples/dkms-producer/*) more=,LINUX_VERSION_CODE,CONSTANT_COMPARISON ;;
		esac
		(cd "$dir" && perl "$SRC/scripts/checkpatch.pl" --strict --no-tree --no-summary --terse \
			--show-types --ignore="$ignore$more" -f "$file" 2>/dev/null) || status=1
	done
	rm -r "$dir"
	return $status
}

run_kernel_doc()
{
	# It returns 0 whatever it finds.
	# shellcheck disable=SC2046 # our names have no spaces
	perl "$SRC/scripts/kernel-doc" -none -Wall $(ours) userspace/lib/*.[ch] 2>&1 | nothing
}

# The header compiles alone, and twice, by who includes nothing else.
header()
{
	printf '#include <linux/ringbuf.h>\n#include <linux/ringbuf.h>\n' |
		gcc "$@" -Iuapi -Wall -Wextra -Wpadded -Werror -fsyntax-only -
}

# What is ours says under which licence.
run_spdx()
{
	# shellcheck disable=SC2046 # not all of them need to be there
	find Kbuild Makefile .ci $(ls -d scripts kmod uapi selftests userspace examples packaging 2>/dev/null) -type f \
		\( -name '*.[chS]' -o -name '*.sh' -o -name '*.py' -o -name '*.go' -o -name '*.rs' -o -name '*.mjs' -o -name '*.bash' -o -name '*.awk' -o -name Kbuild -o -name Makefile \
		-o -path '.ci/*' \) ! -name '*.mod.c' -print0 |
		xargs -0 awk 'FNR == 1 { seen = 0 }
			FNR <= 2 && /SPDX-License-Identifier: / { seen = 1 }
			FNR == 2 && !seen { print FILENAME ": no SPDX-License-Identifier in the first two lines" }' |
		nothing
}

run_bash_n()
{
	local file status=0
	for file in .ci/run $(find scripts selftests userspace packaging -name '*.sh' -o -name '*.bash' 2>/dev/null); do
		bash -n "$file" || status=1
	done
	return $status
}

# The header as `make headers_install` leaves it.
header_installed()
{
	local dir status=0
	dir=$(mktemp -d)
	mkdir "$dir/scripts" "$dir/linux"
	gcc -O1 -w -o "$dir/scripts/unifdef" "$SRC/scripts/unifdef.c" &&
		(cd "$dir" && sh "$SRC/scripts/headers_install.sh" "$TOP/uapi/linux/ringbuf.h" linux/ringbuf.h) &&
		printf '#include <linux/ringbuf.h>\n' |
		gcc -std=gnu89 "-I$dir" -Wall -Wextra -Werror -fsyntax-only -x c - || status=1
	rm -r "$dir"
	return $status
}

run_checkpatch_kconfig()
{
	perl "$SRC/scripts/checkpatch.pl" --strict --no-tree --no-summary --terse --show-types \
		-f kmod/Kconfig
}

# It says what is wrong with a file, and returns 0.
run_abi()
{
	perl "$SRC/scripts/get_abi.pl" --dir Documentation/ABI validate 2>&1 | nothing
}

# What the module has in sysfs and configfs is what the files tell of.
run_abi_complete()
{
	diff <({
		sed -n 's/^RING_ATTR(\([a-z_]*\),.*/ring \1/p; s/^static DEVICE_ATTR\(_ADMIN\)\?_RO(\([a-z_]*\));/ring \2/p' kmod/sysfs.c
		sed -n 's/^module_param(\([a-z_]*\),.*/param \1/p' kmod/main.c
		sed -n 's/^DIR_STORE(\([a-z_]*\),.*/dir \1/p; s/^CONFIGFS_ATTR(dir_, \([a-z_]*\));/dir \1/p' kmod/configfs.c
	} | sort) <(cat Documentation/ABI/*/* | sed -n '
		s,^What:.*/class/ringbuf/ringbuf/\([a-z_]*\)$,ring \1,p
		s,^What:.*/module/ringbuf/parameters/\([a-z_]*\)$,param \1,p
		s,^What:.*/config/ringbuf/<name>/\([a-z_]*\)$,dir \1,p' | sort)
}

# As the kernel's own documentation is rendered: any warning is one too many.
run_documentation()
{
	local dir status=0
	dir=$(mktemp -d)
	mkdir "$dir/source"
	cp Documentation/*.rst "$dir/source"
	perl "$SRC/scripts/get_abi.pl" --dir Documentation/ABI rest >"$dir/source/abi.rst"
	sed -i '1i :orphan:\n\nABI\n===\n' "$dir/source/abi.rst"
	printf '%s\n' 'ringbuf' '=======' '' '.. toctree::' '   :glob:' '' '   *' >"$dir/source/index.rst"
	printf 'project = "ringbuf"\n' >"$dir/source/conf.py"
	sphinx-build -q -n -W --keep-going -b html "$dir/source" "$dir/out" || status=1
	rm -r "$dir"
	return $status
}

SRC=
eval "$(selftests/vm/kernel.sh source)"

module="Kbuild kmod uapi"
for kernel in ${K:-6.12 6.1}; do
	check "build W=1 on $kernel" "$module" builds "$kernel"
done
if [ -z "${K:-}" ]; then
	check "sparse" "$module" in_shell run_sparse
	check "checkpatch --strict" "$module" run_checkpatch
	check "checkpatch --strict, userspace" "userspace examples" run_checkpatch_userspace
	check "kernel-doc" "$module userspace/lib" run_kernel_doc
	for bits in 64 32; do
		check "uapi header alone, gnu89, $bits bit" uapi header -x c -std=gnu89 -m$bits
		check "uapi header alone, C11, $bits bit" uapi header -x c -std=c11 -pedantic -m$bits
		check "uapi header alone, C++11, $bits bit" uapi header -x c++ -std=c++11 -m$bits
	done
	check "uapi header, installed" uapi header_installed
	check "checkpatch, Kconfig" kmod/Kconfig run_checkpatch_kconfig
	check "ABI files" Documentation/ABI run_abi
	check "ABI files: all there is, and no more" "kmod Documentation/ABI" run_abi_complete
	check "documentation renders" Documentation run_documentation
	check "each barrier is as its table says" - selftests/mutation/barriers.sh
	check "mutations apply, and are documented" - selftests/mutation/run.sh --check
	check "licence in each file" - run_spdx
	check "shell syntax" - run_bash_n
	check "one version" - packaging/version.sh check
	check "reports in a log are told from what is none" selftests/vm selftests/vm/reports_test.sh
	check "a guest boots again only when it may" selftests/vm selftests/vm/boot_test.sh
	check "the benchmark's check can fail" "selftests/bench" selftests/bench/report_test.sh
	check "what was measured gets into the documentation" "selftests/bench Documentation" \
		selftests/bench/docs_test.sh
fi
echo "1..$count"
