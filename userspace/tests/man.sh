#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The manual: is it sound, do its examples compile, does it know every option and
# every function? TAP; on the host.
cd "$(dirname "$0")/.." || exit
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cc=${CC:-cc}
n=0
failed=0

# result NAME, behind the command that tells
result()
{
	[ $? = 0 ] && ok=ok || ok='not ok'
	n=$((n + 1))
	[ "$ok" = ok ] || { failed=1; sed 's/^/# /' "$work/log"; }
	echo "$ok $n - $1"
	: >"$work/log"
}

skip()
{
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

echo 'TAP version 13'
: >"$work/log"

for page in man/*.[1-9]; do
	name=${page##*/}
	# Another name for a page.
	if target=$(sed -n '1s/^\.so man[0-9]\///p' "$page") && [ -n "$target" ]; then
		{ [ -e "man/$target" ] && grep -q "^\.Nm ${name%.*} " "man/$target"; } 2>"$work/log"
		result "alias_$name"
		continue
	fi
	if command -v mandoc >/dev/null; then
		# What pages are installed here is not the page's fault.
		mandoc -T lint -W style "$page" 2>&1 |
			grep -v -e 'outdated mandoc.db' -e 'referenced manual not found' >"$work/log"
		[ ! -s "$work/log" ]
		result "lint_$name"
	else
		skip "lint_$name" 'no mandoc'
	fi
	if command -v groff >/dev/null; then
		groff -mandoc -ww -Tutf8 -z "$page" >"$work/log" 2>&1
		[ ! -s "$work/log" ]
		result "groff_$name"
	else
		skip "groff_$name" 'no groff'
	fi
	# "example: NAME" before a display: a program, or functions
	awk -v dir="$work" -v page="$name" '
		/^\.\\" example: / { file = dir "/" page "-" $3; next }
		/^\.Ed/ { if (on) close(file); on = 0; file = "" }
		on { gsub(/\\&/, ""); gsub(/\\-/, "-"); gsub(/\\e/, "\\"); print >file }
		/^\.Bd/ && file != "" { on = 1 }' "$page"
done

examples=0
for source in "$work"/*.c; do
	[ -e "$source" ] || continue
	examples=$((examples + 1))
	"$cc" -std=gnu11 -O2 -Wall -Wextra -Werror -I../uapi -Ilib -c -o "$source.o" "$source" >"$work/log" 2>&1
	result "compiles_${source##*/}"
done
[ "$examples" -ge 7 ] || echo "only $examples examples" >"$work/log"
[ "$examples" -ge 7 ]
result examples_found

# The page's text, in which a font has no width: a word is a word.
if command -v mandoc >/dev/null; then
	for page in ringbuf.1 libringbuf.3 ringbuf.4; do
		mandoc -T utf8 "man/$page" | sed "s/.$(printf '\b')//g" >"$work/$page.txt"
	done
	# know PAGE WORD...
	know()
	{
		page=$1
		shift
		for word; do
			grep -qF -e "$word" "$work/$page.txt" || echo "$page has no $word"
		done >"$work/log"
		[ ! -s "$work/log" ]
	}
	# shellcheck disable=SC2046 # words
	know libringbuf.3 $(sed -n 's/^\tringbuf_\(.*[^_]\);$/ringbuf_\1/p' lib/libringbuf.map) \
		$(sed -n 's/^#define \(RINGBUF_READER_[A-Z_]*\).*/\1/p; s/^#define \(DEFINE_[A-Z_]*\)(.*/\1/p' lib/libringbuf.h)
	result knows_functions
	# shellcheck disable=SC2046
	know ringbuf.4 $(sed -n 's/^#define \(RINGBUF_IOC_[A-Z_]*\).*/\1/p' ../uapi/linux/ringbuf.h | grep -v TYPE) \
		$(sed -n 's/^RING_ATTR(\([a-z_]*\),.*/\1/p; s/^module_param(\([a-z_]*\),.*/\1/p' ../kmod/main.c ../kmod/sysfs.c |
			grep -vx -e reliable -e stall_ms)
	result knows_device
	# shellcheck disable=SC2046
	know ringbuf.1 $(cat cli/*.c | sed -n 's/^\t*{ "\([a-z-]*\)", \(no\|required\|optional\)_argument.*/--\1/p' | sort -u) \
		$(sed -n 's/^\t{ "\([a-z]*\)", ".*/ringbuf \1/p' cli/main.c)
	result knows_options
else
	skip knows_functions 'no mandoc'
	skip knows_device 'no mandoc'
	skip knows_options 'no mandoc'
fi

echo "1..$n"
exit $failed
