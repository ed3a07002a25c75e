#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the documentation says, as TAP: each command in it runs, in a copy of the tree or
# in a guest (docs.py says how they are marked), its programs compile, its pages are
# sound, the messages it explains exist, and all of the module's are explained.
set -euo pipefail
# shellcheck source=tap_lib.sh disable=SC2317 # what check() calls
. "$(dirname "$0")/tap_lib.sh"
unset T K V DESTDIR

tests=$TOP/userspace/tests
workdir docs

# passed: numbers what a script of docs.py's tells
passed()
{
	local line
	while IFS= read -r line; do
		case "$line" in
		"ok "*) count=$((count + 1)); echo "ok $count - ${line#ok }" ;;
		"not ok "*) count=$((count + 1)); failed=1; echo "not ok $count - ${line#not ok }" ;;
		"# "*) echo "$line" ;;
		esac
	done
}

paths=$(selftests/vm/kernel.sh $KERNEL)
eval "$paths"
export KDIR

check "the pages' commands are understood" "$tests/docs.py" "$work"
check "each command is run, or docs.skip says why not" test ! -s "$work/broken"
[ -s "$work/broken" ] && sed 's/^/# /' "$work/broken"

# Of this test itself: what is neither run nor excused, and what fails, shows.
own()
{
	local at=$work/own
	mkdir -p "$at/tree"
	mkdir -p "$at/tree/Documentation"
	printf '%s\n' Page:: '' '	frobnicate --later' >"$at/tree/Documentation/page.rst"
	printf '%s\n' Text. '' '    frobnicate --now' '' '<!-- run: host -->' '' '    true' '    false' \
		'    sleep 100         # until ^C' >"$at/tree/README.md"
	"$tests/docs.py" "$at" "$at/tree"
	grep -q 'neither run nor in docs.skip: README.md:3: frobnicate --now' "$at/broken"
	grep -q 'neither run nor in docs.skip: Documentation/page.rst:1: frobnicate --later' "$at/broken"
	bash -c "home=$at; reset() { :; }; . $tests/docs_lib.sh; . $at/host.sh" >"$at/out"
	grep -qx 'ok README.md:7: true' "$at/out"
	grep -qx 'not ok README.md:7: false' "$at/out"
	grep -qx 'ok README.md:7: sleep 100' "$at/out"
	sed -i 's/sleep 100 /sleep 0.1/' "$at/tree/README.md"
	"$tests/docs.py" "$at" "$at/tree"
	bash -c "home=$at; reset() { :; }; . $tests/docs_lib.sh; . $at/host.sh" >"$at/out"
	grep -q 'not ok README.md:7: sleep 0.1' "$at/out"
}
check "this test fails where it should" own

# --- pages
check "messages" "$tests/doc_messages.py" Documentation/operators.rst

sound()
{
	# The roles are Sphinx's, by which the kernel makes its documentation.
	/usr/bin/python3 - "$1" >"$work/rst" 2>&1 <<-'PY'
		import sys
		from docutils import core, nodes
		from docutils.parsers.rst import roles
		for role in ("doc", "ref", "c:func"):
		    roles.register_generic_role(role, nodes.emphasis)
		core.publish_file(source_path=sys.argv[1], destination_path="/dev/null",
		                  settings_overrides={"report_level": 2, "halt_level": 5})
	PY
	! grep -v '^ *$' "$work/rst"
}
for page in Documentation/*.rst; do
	if /usr/bin/python3 -c 'import docutils, pygments' 2>/dev/null; then
		check "$page is sound" sound "$page"
	else
		count=$((count + 1))
		echo "ok $count - $page is sound # SKIP no python3-docutils, python3-pygments"
	fi
done

# Links to files of ours, in Markdown; names of ours, in the rest
links()
{
	local page target status=0
	for page in *.md Documentation/*.rst examples/*.md; do
		while IFS= read -r target; do
			[ -e "$(dirname "$page")/$target" ] || [ -e "$target" ] ||
				[ -e "Documentation/$target" ] || {
				echo "$page: no $target"
				status=1
			}
		done < <(grep -o '](\([^):#]*\))' "$page" | sed 's/](\(.*\))/\1/'
			grep -oE '\b(kmod|userspace|examples|recipes|selftests|uapi)/[A-Za-z0-9_./-]*[a-z0-9]' "$page" |
				grep -E '\.(c|h|sh|conf|yaml|py|service|timer)$')
	done
	return $status
}
check "what the pages point to is there" links

# `make TARGET` in the text, and in blocks
targets()
{
	local name status=0 known
	known=$(sed -nE 's/^([a-z][a-z_ -]*):([^=].*)?$/\1/p' Makefile)
	for name in $(cat ./*.md Documentation/*.rst | grep -ohE '(`|^ +)make [a-z][a-z-]*' | sed 's/.*make //' | sort -u); do
		grep -qw -e "$name" <<<"$known" || { echo "no target $name"; status=1; }
	done
	return $status
}
check "the targets that the pages name are there" targets

functions()
{
	local name status=0
	for name in $(cat ./*.md Documentation/*.rst | grep -oE '\bringbuf_[a-z_]+\(\)' | sort -u); do
		grep -rqwF "${name%()}" kmod userspace/lib || { echo "no function $name"; status=1; }
	done
	return $status
}
check "the functions that the pages name are there" functions

# Single tests that the pages name: T=PROGRAM:TEST, T=SUITE.CASE, T=PROGRAM
names()
{
	local name status=0
	while IFS= read -r name; do
		grep -q "^TEST.*(.*\b${name#*:})" "selftests/${name%%:*}.c" || { echo "no test $name"; status=1; }
	done < <(grep -ho 'make selftest T=[a-z]*:[a-z_0-9]*' ./*.md Documentation/*.rst | sed 's/.*T=//')
	while IFS= read -r name; do
		grep -rq "\.name = \"$name\"" kmod/tests || { echo "no suite $name"; status=1; }
	done < <(grep -ho 'make kunit T=[a-z_]*' ./*.md Documentation/*.rst | sed 's/.*T=//')
	while IFS= read -r name; do
		[ -e "selftests/$name.c" ] || [ -e "userspace/tests/$name.sh" ] || { echo "no program $name"; status=1; }
	done < <(grep -hoE 'make (selftest|userspace) T=[a-z_]*' ./*.md Documentation/*.rst | sed 's/.*T=//')
	return $status
}
check "the tests that the pages name are there" names

# --- a copy of the tree, in which host blocks run
tree=$work/tree
mkdir "$tree"
tar -cf - --exclude=./build --exclude=./.git --exclude='*.o' --exclude='*.ko' --exclude='*.mod*' \
	--exclude='.*.cmd' --exclude=Module.symvers --exclude=modules.order . | tar -C "$tree" -xf -
mkdir "$tree/docs"
cp "$work"/c/*.c "$tree/docs/"

cat >"$work/host" <<SH
home=$tree
DESTDIR=$work/dest
export DESTDIR
reset() { :; }
. "$tests/docs_lib.sh"
killall() { :; }
SH
if [ -s "$work/host.sh" ]; then
	: >"$work/host.log"
	bash -c '. "$1"; . "$2"' docs "$work/host" "$work/host.sh" 2>"$work/host.err" </dev/null >"$work/host.out"
	passed <"$work/host.out"
fi

# --- programs: what the guest runs is static
programs()
{
	local c
	make -C "$tree/userspace" O=../build/userspace ../build/userspace/libringbuf.a
	mkdir "$work/bin"
	for c in "$work"/c/*.c; do
		! grep -q linux/module.h "$c" || continue
		gcc -std=gnu11 -O2 -Wall -Wextra -Werror -static -I"$tree/uapi" -I"$tree/userspace/lib" \
			-o "$work/bin/$(basename "$c" .c)" "$c" "$tree/build/userspace/libringbuf.a"
	done
	[ "$(ls "$work/bin" | wc -l)" -ge 4 ]
}
check "the programs compile" programs

# As the kernel's build would have it
module()
{
	local dir=$work/module c
	mkdir "$dir"
	for c in "$work"/c/*.c; do
		grep -q linux/module.h "$c" || continue
		cp "$c" "$dir/"
		echo "obj-m += $(basename "$c" .c).o" >>"$dir/Kbuild"
	done
	echo "ccflags-y := -Wall -Wextra -Wno-unused-parameter -Werror -I$tree/kmod -I$tree" >>"$dir/Kbuild"
	make -C "$KDIR" M="$dir" W=1 KBUILD_EXTRA_SYMBOLS="$tree/Module.symvers" modules
}
check "the modules compile, with all warnings" module

# --- the guest
# into DIRECTORY FILE…: programs, with the libraries that they need
into()
{
	local dir=$1 file
	shift
	for file; do
		mkdir -p "$dir/bin" "$dir/lib"
		cp -L "$file" "$dir/bin/"
		# One that is static has none.
		{ LD_LIBRARY_PATH=$tools/usr/lib/x86_64-linux-gnu ldd "$file" 2>/dev/null || :; } |
			sed -nE 's,^(.* )?[[:space:]]*(/[^ ]*) \(0x.*,\2,p' | xargs -r cp -uL -t "$dir/lib"
	done
}

tools=$("$tests/tools.sh" 2>"$work/log") || {
	sed 's/^/# /' "$work/log"
	tools=/none
}
extra=$work/extra
mkdir -p "$extra/bin" "$extra/lib"
for p in kcat rsyslogd logger jq prometheus-node-exporter; do
	p=$(PATH=$PATH:/usr/sbin command -v "$p" || find "$tools"/usr/*bin -name "$p" 2>/dev/null) || :
	[ -z "$p" ] || into "$extra" "$p"
done
files=()
for p in "$extra"/bin/*; do
	[ ! -e "$p" ] || files+=(--file "$p:/bin/$(basename "$p")")
done
for p in "$extra"/lib/*; do
	case "$p" in
	*/ld-linux*) files+=(--file "$p:/lib64/$(basename "$p")") ;;
	*) [ ! -e "$p" ] || files+=(--file "$p:/lib/x86_64-linux-gnu/$(basename "$p")") ;;
	esac
done
for p in {,"$tools"}/usr/lib/x86_64-linux-gnu/rsyslog; do
	[ ! -e "$p" ] || files+=(--file "$p:/usr/lib/x86_64-linux-gnu/rsyslog")
done

cat >"$work/guest" <<'SH'
home=/docs
reset()
{
	killall rsyslogd kcat prometheus-node-exporter ringbuf 2>/dev/null
	rm -rf /docs/*.at /docs/at /docs/out /var/lib/agent /var/log
	for _ in $(seq 50); do
		rmdir /sys/kernel/config/ringbuf/* 2>/dev/null
		rmmod smallest 2>/dev/null
		rmmod ringbuf_proc 2>/dev/null
		[ -e /sys/module/ringbuf ] || break
		rmmod ringbuf 2>/dev/null || sleep 0.1
	done
	if [ -e /sys/module/ringbuf ]; then
		lsmod
		ringbuf info
		return 1
	fi
	[ "$1" = guest-bare ] || modprobe ringbuf
}
. /tests/docs_lib.sh
# What the pages call so, and somebody has.
printf '#!/bin/sh\nexec cat\n' >/bin/agent
chmod +x /bin/agent
SH
printf 'extra/ringbuf.ko:\n' >"$work/modules.dep"
files+=(--file "$work/guest:/tests/guest" --file "$work/guest.sh:/tests/guest.sh"
	--file "$tests/docs_lib.sh:/tests/docs_lib.sh" --file recipes:/docs/recipes
	--file "$work/modules.dep:/lib/modules/$RELEASE/modules.dep"
	--file "$tree/kmod/ringbuf.ko:/lib/modules/$RELEASE/extra/ringbuf.ko"
	--file "$tree/kmod/ringbuf.ko:/docs/kmod/ringbuf.ko"
	--file "$tree/kmod/samples/ringbuf_proc.ko:/docs/kmod/samples/ringbuf_proc.ko"
	--file "$tree/smallest.ko:/docs/smallest.ko")
for p in "$work"/bin/*; do
	files+=(--file "$p:/docs/$(basename "$p")")
done
check "the command" make -C "$tree/userspace" O=../build/userspace static
files+=(--file "$tree/build/userspace/ringbuf-static:/bin/ringbuf")

if [ -s "$work/guest.sh" ]; then
	status=0
	selftests/vm/run.sh --quiet --kernel $KERNEL --timeout 1800 --modprobe configfs \
		--keep-log "$TOP/build/logs/docs.log" "${files[@]}" -- \
		'. /tests/guest; . /tests/guest.sh; reset guest-bare; echo end' \
		>"$work/guest.out" 2>"$work/log" </dev/null || status=$?
	passed <"$work/guest.out"
	[ "$(tail -n 1 "$work/guest.out")" = end ] || { status=1; tail -n 5 "$work/guest.out" >>"$work/log"; }
	result $status "the guest got to the end, its kernel without a complaint"
fi
echo "1..$count"
exit $failed
