#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's own Coccinelle scripts over kmod/, as `make coccicheck` runs them.
# Prints reports that are not accepted below, and fails.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

eval "$("$TOP/selftests/vm/kernel.sh" source)"
dir=$TOP/build/matrix/cocci
mkdir -p "$dir"
copy_modules "$dir"
cd "$dir"

# What they find that is as it should be: part of the line, why.
accepted()
{
	sed '/^#/d; s/[[:space:]]*#.*//' "$TOP/selftests/matrix/cocci.accepted"
}

run()
{
	local script=$1 options
	options=$(sed -n 's,^// Options:,,p' "$script" | head -n 1)
	# shellcheck disable=SC2086 # words
	spatch --very-quiet -D report --cocci-file "$script" $options --dir kmod \
		-I "$SRC/include" -I kmod -I . --timeout 60 2>"$dir/err" || {
		echo "$script: spatch failed: $(tail -n 1 "$dir/err")"
	}
}

ran=0
: >reports
while IFS= read -r script; do
	# Some have no reports, only patches.
	grep -qE '^virtual report|^virtual.*\breport\b' "$script" || continue
	ran=$((ran + 1))
	# Some print a patch as well.
	run "$script" | grep -E '^kmod/[^:]*:[0-9]|spatch failed' |
		sed "s,^,${script#"$SRC"/scripts/coccinelle/}: ," >>reports || :
done < <(find "$SRC/scripts/coccinelle" -name '*.cocci' | sort)
[ "$ran" -gt 40 ] || die "only $ran scripts"
accepted >accepted
if grep -vFf accepted reports; then
	exit 1
fi
echo "$ran scripts, $(grep -c . reports || :) reports, all accepted"
