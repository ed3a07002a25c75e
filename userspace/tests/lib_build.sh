#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The library as others build with it: the header alone, what it refuses to
# compile, what is installed, what is exported. TAP; on the host.
cd "$(dirname "$0")/../.." || exit
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
lib=userspace/lib
log=$work/log
n=0
failed=0

# result NAME, behind the command that tells
result()
{
	[ $? = 0 ] && ok=ok || ok='not ok'
	n=$((n + 1))
	[ "$ok" = ok ] || { failed=1; sed 's/^/# /' "$log"; }
	echo "$ok $n - $1"
	: >"$log"
}

skip()
{
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

flags=(-Wall -Wextra -Wshadow -Werror -O2 "-I$lib" -Iuapi -c -o "$work/out.o")

cat >"$work/all.c" <<'CODE'
#include <libringbuf.h>
struct event { int a; long b; };
DEFINE_RINGBUF_TYPED(event, struct event);
DEFINE_RINGBUF_TYPED_ID(number, int, 3);
int use(struct ringbuf_reader *r, struct ringbuf_publisher *p);
int use(struct ringbuf_reader *r, struct ringbuf_publisher *p)
{
	struct event ev = { 1, 2 };
	const struct event *cev = &ev;
	struct ringbuf_entry e;
	int n = 0;

	ringbuf_for_each(r, &e)
		n += (int)e.len;
	if (ringbuf_next(r, &e) == 1 && ringbuf_intact(r) && ringbuf_release(r))
		n++;
	return n + event_write(p, cev) + event_put(p, &ev) +
		event_next(r, &ev) + number_next(r, &n);
}
CODE

# What is it that a program is told, in each language that there is a compiler of?
languages()
{
	local c
	for c in gcc clang; do
		printf '%s\n' "$c -x c -std=gnu99" "$c -x c -std=c99" "$c -x c -std=c11" \
			"$c -x c -std=gnu11" "$c -x c -std=gnu17" "$c -m32 -x c -std=gnu11"
	done
	for c in g++ clang++; do
		printf '%s\n' "$c -Wpedantic -x c++ -std=c++11" "$c -Wpedantic -x c++ -std=c++17" \
			"$c -x c++ -std=gnu++20" "$c -m32 -x c++ -std=c++11"
	done
}

there()
{
	command -v "$1" >/dev/null && echo 'int main(void) { return 0; }' |
		"$@" -o "$work/there" - 2>/dev/null
}

# refused HOW CODE: it must not compile, and the type be the reason
refused()
{
	{ sed '/^int use(.*;$/,$d' "$work/all.c"; echo "$2"; } >"$work/bad.c"
	# shellcheck disable=SC2086 # words
	if $1 "${flags[@]}" -Wno-error "$work/bad.c" >"$log" 2>&1; then
		echo "compiles: $2" >>"$log"
		return 1
	fi
	grep -qE 'error: .*(incompatible type|cannot convert|no known conversion|no matching function|passing .* to parameter of incompatible|invalid conversion|discards|loses|conversion from)' "$log"
}

echo 'TAP version 13'

while read -r how; do
	# shellcheck disable=SC2086 # words
	if ! there $how; then
		skip "header: $how" "not installed"
		continue
	fi
	# shellcheck disable=SC2086 # words
	$how "${flags[@]}" "$work/all.c" >"$log" 2>&1
	result "header: $how"
	! nm -u "$work/out.o" | grep -v -E ' (ringbuf_|_GLOBAL_OFFSET_TABLE_|__stack_chk|__x86|memcpy$)' >"$log"
	result "needs nothing but the library: $how"
	refused "$how" 'int f(struct ringbuf_publisher *p, int *n) { return event_write(p, n); }' &&
	refused "$how" 'int f(struct ringbuf_publisher *p, struct event **e) { return event_put(p, e); }' &&
	refused "$how" 'int f(struct ringbuf_reader *r, int *n) { return event_next(r, n); }' &&
	refused "$how" 'int f(struct ringbuf_reader *r, struct event *e) { return number_next(r, e); }'
	result "wrong types are refused: $how"
done < <(languages)

# A 32-bit CPU that loads 64 bits in two pieces.
if there gcc -m32 -x c; then
	! gcc -m32 -march=i486 "${flags[@]}" -x c "$work/all.c" 2>"$log" &&
		grep -q 'error: .*wants 64-bit atomic loads' "$log"
	result 'a CPU without 64-bit loads is refused'
else
	skip 'a CPU without 64-bit loads is refused' "not installed"
fi

# Where loads are not in order by themselves; x86 would forgive all of it.
arm=(clang --target=aarch64-linux-gnu -isystem /usr/include/x86_64-linux-gnu -w -O2
	-D_GNU_SOURCE "-I$lib" -Iuapi -S -o -)
echo '#include <libringbuf.h>
bool intact(struct ringbuf_reader *r) { return ringbuf_intact(r); }' >"$work/intact.c"
if "${arm[@]}" "$work/intact.c" >"$work/intact.s" 2>"$log"; then
	grep -qE 'dmb[[:space:]]+ishld' "$work/intact.s"
	result 'a barrier before the tail is looked at again'
	"${arm[@]}" "$lib/map.c" >"$work/map.s" 2>"$log"
	[ "$(grep -c '[[:space:]]ldap*r[[:space:]]' "$work/map.s")" = 6 ]
	result 'tail, head and the end are loaded with acquire'
else
	skip 'a barrier before the tail is looked at again' "no clang for it"
	skip 'tail, head and the end are loaded with acquire' "no clang for it"
fi

# The header says all, and each of it is documented.
sed -n 's/^\(static inline \)\{0,1\}[a-z].*[ *]\(ringbuf_[a-z0-9_]*\)(.*/\2/p' "$lib/libringbuf.h" |
	grep -v 'ringbuf_load_$\|typed_$' | sort -u >"$work/header"
grep -oE '^	ringbuf_[a-z0-9_]+' "$lib/libringbuf.map" | tr -d '\t' | sort >"$work/map"
sed -n '/^static inline/{N;s/\n/ /;s/.*[ *]\(ringbuf_[a-z_]*\)(.*/\1/p}' "$lib/libringbuf.h" | sort -u >"$work/inline"
comm -23 "$work/header" "$work/inline" | diff - "$work/map" >"$log"
result 'the header and the map name the same functions'
[ "$(wc -l <"$work/map")" -ge 20 ]
result 'and that is a good many'
: >"$log"
while read -r f; do
	cat "$lib"/*.[ch] | grep -qF " * $f() - " || echo "$f() has no kernel-doc" >>"$log"
done < <(grep -v '_$' "$work/header"; echo DEFINE_RINGBUF_TYPED; echo ringbuf_for_each)
[ ! -s "$log" ]
result 'every function has kernel-doc'

make -C userspace O="$work/o" prefix=/usr DESTDIR="$work/root" CFLAGS='-O2 -g -Werror' \
	-j "$(nproc)" install >"$log" 2>&1
result 'builds and installs'
so=$work/root/usr/lib/libringbuf.so.1
awk '/^LIBRINGBUF_/ { version = $1 } /^\tringbuf_/ { sub(";", ""); print $1 "@@" version }' "$lib/libringbuf.map" |
	sort >"$work/versions"
nm -D --defined-only "$so" 2>>"$log" | sed -n 's/.* T //p' | sort | diff - "$work/versions" >>"$log"
result 'exported is what the map says, with its version'
# What programs were linked with stays what it was.
[ "$(grep -c '@@LIBRINGBUF_0\.3$' "$work/versions")" = 25 ]
result 'nothing was added to the first version'
! nm -D --defined-only "$so" 2>&1 | grep -v ' A LIBRINGBUF_\| T ringbuf_' >"$log"
result 'and nothing else'
readelf -d "$so" 2>"$log" | grep -qF 'Library soname: [libringbuf.so.1]'
result 'soname'
readelf -d "$so" | grep NEEDED >"$log"
[ "$(grep -c . "$log")" = 1 ] && grep -q 'libc\.so' "$log"
result 'needs the C library only'
! readelf -lW "$so" | grep -E 'GNU_STACK.* RWE|TEXTREL' >"$log"
result 'no executable stack, no text relocations'
for f in lib/libringbuf.so lib/libringbuf.a lib/pkgconfig/libringbuf.pc include/libringbuf.h \
	include/linux/ringbuf.h bin/ringbuf share/man/man1/ringbuf.1; do
	[ -e "$work/root/usr/$f" ] || echo "no $f" >>"$log"
done
[ ! -s "$log" ]
result 'all files are there'

cat >"$work/main.c" <<'CODE'
#include <libringbuf.h>
#include <errno.h>
int main(void)
{
	struct ringbuf_reader *r;
	struct ringbuf_publisher *p;

	/* Where there is no such ring. */
	return ringbuf_reader_open(&r, "/nonexistent/ring", 0) != -ENOENT ||
	       ringbuf_publisher_open(&p, "/nonexistent/ring", 0) != -ENOENT;
}
CODE
if command -v pkg-config >/dev/null; then
	export PKG_CONFIG_PATH='' PKG_CONFIG_LIBDIR=$work/root/usr/lib/pkgconfig
	export PKG_CONFIG_SYSROOT_DIR=$work/root
	export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
	[ "$(pkg-config --modversion libringbuf 2>"$log")" = "$(sed -n 's/^VERSION	*:= //p' userspace/Makefile)" ]
	result 'pkg-config knows the version'
	need=$(pkg-config --cflags --libs libringbuf 2>"$log")
	# shellcheck disable=SC2086 # words
	gcc -Wall -Werror -o "$work/shared" "$work/main.c" $need >>"$log" 2>&1 &&
		LD_LIBRARY_PATH=$work/root/usr/lib "$work/shared" >>"$log" 2>&1 &&
		readelf -d "$work/shared" | grep -q 'NEEDED.*libringbuf\.so\.1'
	result 'a program with the shared library, by pkg-config'
	need=$(pkg-config --static --cflags --libs libringbuf 2>"$log")
	# shellcheck disable=SC2086 # words
	gcc -Wall -Werror -static -o "$work/static" "$work/main.c" $need >>"$log" 2>&1 && "$work/static" >>"$log" 2>&1
	result 'a static program, by pkg-config'
else
	for t in 'pkg-config knows the version' 'a program with the shared library' 'a static program'; do
		skip "$t" "no pkg-config"
	done
fi
LD_LIBRARY_PATH=$work/root/usr/lib "$work/root/usr/bin/ringbuf" --help >"$log" 2>&1
result 'the command that was installed runs'

# Memory comes with the handles.
for f in "$lib"/*.c; do nm -A "$work/o/lib/$(basename "$f" .c).o"; done | sed -n 's/.*\/\([a-z]*\)\.o: .* U \(malloc\|calloc\|realloc\|strdup\|asprintf\)$/\1 \2/p' |
	sort | diff - <(printf '%s\n' 'publisher malloc' 'reader calloc') >"$log"
result 'what allocates: an open, once'

echo "1..$n"
exit $failed
