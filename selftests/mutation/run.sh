#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Bugs made on purpose, one by one, each in a copy of the tree: some test has to
# notice. Each *.patch here says above its diff what is wrong, and which suites are
# to be asked, the cheapest first:
#
#   Mutation: the writer wakes nobody
#   Suite: native PROGRAM | library PROGRAM | barriers | kunit [SUITE.CASE]
#   Suite: selftest PROGRAM[:TEST] [KERNEL] | userspace NAME
#   Model: MODEL REMOVED        what `make model` says of the same barrier
#
#   run.sh [PATTERN]...    those whose names match; all without one; NOVM=1: what
#                          would take a guest is left out
#   run.sh --check         do all patches apply?
#   run.sh --table         the last results, as they stand in the documentation
#   run.sh --doc           writes them there
# A suite that fails without the bug, too, tells nothing: that is looked at first.
set -euo pipefail
. "$(dirname "$0")/../vm/lib.sh"
cd "$TOP"

here=selftests/mutation
doc=Documentation/torture.rst
work=$TOP/build/${RINGBUF_MUTATION:-mutation}
tree=$work/tree
results=$work/results
passed=0 failed=0 limit=600

# field FILE NAME: the lines of that name above the diff
field()
{
	sed -n "/^diff /q; s/^$2: *//p" "$1"
}

check_patches()
{
	local p status=0
	for p in "$here"/*.patch; do
		git apply --check "$p" || { echo "$p does not apply"; status=1; }
		[ -n "$(field "$p" Mutation)" ] && [ -n "$(field "$p" Suite)" ] ||
			{ echo "$p does not say what it is, or who is to notice"; status=1; }
		grep -q "^   \* - $(basename "$p" .patch)\$" "$doc" ||
			{ echo "$p is not in the table of $doc"; status=1; }
	done
	return $status
}

# What git would take, as it lies there; what is built in the copy stays.
copy_tree()
{
	mkdir -p "$tree"
	git ls-files -co --exclude-standard | grep -v '^build/' >"$work/files"
	# In place and by content, so that make sees what has changed.
	while IFS= read -r f; do
		[ -e "$f" ] || continue
		cmp -s "$f" "$tree/$f" || {
			mkdir -p "$tree/$(dirname "$f")"
			cp -pPT "$f" "$tree/$f"
			touch -h "$tree/$f"
		}
	done <"$work/files"
	# What has left the tree leaves the copy.
	(cd "$tree" && find . -path ./build -prune -o -type f -print | sed 's,^\./,,' | sort) |
		comm -23 - <(sort "$work/files") | (cd "$tree" && xargs -r -d '\n' rm -f)
}

# The first thing that a log complains of; of one that has ended in the middle, after
# what.
complaint()
{
	local found
	found=$(complaints "$1" | head -n 1)
	[ -n "$found" ] || found="hung or died after $(sed -n 's/^ok [0-9]* *//p' "$1" | tail -n 1)"
	printf '%s\n' "$found"
}

complaints()
{
	sed -n -e 's/^ *not ok: kunit on [^:]*: \(.*\)$/\1/p' \
		-e 's/^ *not ok: \([^ ]*\): \(.*\)$/\1: \2/p' \
		-e 's/^not ok [0-9]* *\(- \)\{0,1\}\(.*\)$/\2/p' \
		-e 's/.*ERROR: \([A-Za-z]*Sanitizer: [^ ]*\).*/\1/p' \
		-e 's/.*WARNING: \(ThreadSanitizer: data race\).*/\1/p' \
		-e 's/.*: \(runtime error: .*\)/\1/p' -e 's/.*: \(does not hold: .*\)/\1/p' "$1"
}

# program DIR NAME: one of those built natively
program()
{
	local dir=$1 name=$2 out=$3
	make -s --no-print-directory -C "$tree/$dir" "$out/$name" >"$work/build.log" 2>&1 || return 125
	(cd "$tree/$dir" && setarch -R timeout "$limit" "$out/$name"; exit $?) >"$work/log" 2>&1
}

# ask SUITE…: 0: content; 1: has noticed; 125: does not build
ask()
{
	local status=0 env=()
	rm -f "$work/log" "$work/build.log"
	case "$1" in
	native) program selftests/native "$2" ../../build/native || status=$? ;;
	library) program userspace/tests "$2" ../../build/userspace-tests || status=$? ;;
	barriers) "$tree/$here/barriers.sh" >"$work/log" 2>&1 || status=$? ;;
	kunit | selftest | userspace)
		env=("T=${2:-}" "K=${3:-}")
		[ "$1 ${3:-}" != "kunit " ] || env=("T=${2:-}" K=debug)
		env "${env[@]}" V= "$tree/selftests/run.sh" "$1" >"$work/log" 2>&1 </dev/null || status=$?
		! grep -q 'do not build\|does not build' "$work/log" || status=125
		;;
	*) die "no suite '$*'" ;;
	esac
	[ "$status" = 0 ] || [ "$status" = 125 ] || status=1
	return $status
}

# content SUITE…: without the bug, asked once for each state of the tree. Sets limit:
# who takes ten times as long hangs.
content()
{
	local stamp began=$SECONDS state_then='' took=60
	stamp=$work/content/$(printf '%s\n' "$*" | tr ' /:' '...')
	[ ! -e "$stamp" ] || read -r state_then took <"$stamp"
	if [ "$state_then" != "$state" ]; then
		limit=600
		ask "$@" || return
		took=$((SECONDS - began))
		mkdir -p "$work/content"
		echo "$state $took" >"$stamp"
	fi
	limit=$((took < 6 ? 60 : took * 10))
}

# note NAME SUITE TEST: among the results, in the place of what was there
note()
{
	touch "$results"
	{
		grep -v "^$1	" "$results" || :
		printf '%s\t%s\t%s\n' "$@"
	} | sort >"$results.new"
	mv "$results.new" "$results"
}

# broken NAME TEXT: what the log says, and a failure
broken()
{
	failed=$((failed + 1))
	# One of them may not be there.
	{ tail -n 20 "$work/build.log" "$work/log" 2>/dev/null || :; } | sed 's/^/      | /'
	printf 'not ok %s: %s\n' "$1" "$2"
}

mutate()
{
	local patch=$1 name suite status began=$SECONDS asked=()
	name=$(basename "$patch" .patch)
	while read -r suite; do
		if [ -n "${NOVM:-}" ] && [[ $suite =~ ^(kunit|selftest|userspace) ]]; then
			echo "left out: $name: $suite"
			return
		fi
		# shellcheck disable=SC2086 # words
		content $suite || { broken "$name" "'$suite' fails without it"; return; }
		git apply --directory="${tree#"$TOP/"}" "$patch" ||
			{ broken "$name" "does not apply"; return; }
		status=0
		asked+=("$suite")
		# shellcheck disable=SC2086 # words
		ask $suite || status=$?
		git apply -R --directory="${tree#"$TOP/"}" "$patch"
		[ "$status" = 0 ] || break
	done < <(field "$patch" Suite)
	case "$status" in
	0) broken "$name" "nobody noticed (asked: ${asked[*]})" ;;
	125) broken "$name" "does not build" ;;
	*)
		passed=$((passed + 1))
		cp "$work/log" "$work/logs/$name.log"
		note "$name" "$suite" "$(complaint "$work/log")"
		printf 'ok %s: %s: %s (%d s)\n' "$name" "$suite" "$(complaint "$work/log")" \
			$((SECONDS - began))
		;;
	esac
}

table()
{
	local p name row model
	cat <<-'HEAD'
	.. list-table::
	   :header-rows: 1
	   :widths: 20 34 20 26

	   * - mutation
	     - what is wrong
	     - suite
	     - test that noticed
	HEAD
	for p in "$here"/*.patch; do
		name=$(basename "$p" .patch)
		row=$(grep "^$name	" "$results" || printf '%s\tnot run yet: %s\t-\n' "$name" \
			"$(field "$p" Suite | tail -n 1)")
		model=$(field "$p" Model)
		printf '   * - %s\n     - %s\n     - %s\n     - %s\n' "$name" "$(field "$p" Mutation)" \
			"$(cut -f 2 <<<"$row")${model:+; model ${model% *}}" \
			"$(cut -f 3 <<<"$row")${model:+; without ${model#* }}"
	done
}

# In the place of what stands between the two marks.
write_doc()
{
	table >"$work/table"
	awk -v TABLE="$work/table" '
		/^\.\. mutations: end/ { inside = 0; while ((getline line <TABLE) > 0) print line; print "" }
		!inside
		/^\.\. mutations: begin/ { inside = 1; print "" }' "$doc" >"$work/doc"
	cp "$work/doc" "$doc"
}

mkdir -p "$work/logs"
case "${1:-}" in
--check) check_patches; exit ;;
--table) table; exit ;;
--doc) write_doc; exit ;;
esac

selftests/vm/deps.sh
lock "$work/lock"
copy_tree
state=$(grep -Ev "^Documentation/|^selftests/mutation/|^selftests/bench/|\.(md|rst)$" "$work/files" | xargs -d "\n" sha256sum 2>/dev/null |
	sha256sum | cut -c 1-16)
[ $# -gt 0 ] || set -- '*'
for patch in "$here"/*.patch; do
	for pattern; do
		# shellcheck disable=SC2053 # a pattern
		[[ $(basename "$patch" .patch) == $pattern ]] || continue
		mutate "$patch"
		break
	done
done
[ $((passed + failed)) -gt 0 ] || die "no mutation is called $*"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
