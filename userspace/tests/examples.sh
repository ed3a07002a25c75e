#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The programs in examples/, as TAP: they build without a warning, against this
# tree and against an installed library, and each does in a guest what it says.
# Needs gcc, liburing-dev, pkg-config, Debian's python3; see selftests/vm/deps.sh.
set -euo pipefail
# shellcheck source=tap_lib.sh disable=SC2317 # what check() calls
. "$(dirname "$0")/tap_lib.sh"

PYTHON=/usr/bin/python3
programs=(reader mapped_raw until_end mapped writer typed uring)
strict="-O2 -g -Wall -Wextra -Werror"
workdir examples

# A copy of the tree, so that nobody else's build meets this one.
tree=$work/tree
prefix=$work/prefix
mkdir -p "$tree" "$prefix"/{lib/pkgconfig,include/linux}
tar -cf - --exclude='*.o' --exclude='*.ko' --exclude='*.mod*' --exclude='.*.cmd' \
	examples uapi userspace | tar -C "$tree" -xf -
for p in "${programs[@]}"; do
	rm -f "$tree/examples/$p"
done

# A pkg-config to which no libringbuf is installed.
cat >"$work/no-libringbuf" <<'SH'
#!/bin/sh
case "$*" in *libringbuf*) exit 1 ;; esac
exec pkg-config "$@"
SH
chmod +x "$work/no-libringbuf"

built()
{
	local p
	for p in "${programs[@]}"; do
		[ -x "$1/$p" ] || { echo "no $p"; return 1; }
	done
}

build_tree()
{
	make -C "$tree/examples" PKG_CONFIG="$work/no-libringbuf" CFLAGS="$strict" LDFLAGS=-static
	built "$tree/examples"
}

# `make install` would want the command and the man pages as well.
build_installed()
{
	local o=../build/userspace copy=$work/copy
	make -C "$tree/userspace" O="$o" prefix="$prefix" "$o/libringbuf.pc" "$o/libringbuf.so.1"
	cp -P "$tree"/build/userspace/libringbuf.so* "$prefix/lib/"
	cp "$tree/build/userspace/libringbuf.pc" "$prefix/lib/pkgconfig/"
	cp userspace/lib/libringbuf.h "$prefix/include/"
	cp uapi/linux/ringbuf.h "$prefix/include/linux/"
	mkdir "$copy"
	(cd examples && cp -- *.[ch] Makefile "$copy")
	PKG_CONFIG_PATH="$prefix/lib/pkgconfig" make -C "$copy" CFLAGS="$strict"
	built "$copy"
	readelf -d "$copy/mapped" | grep -q 'NEEDED.*libringbuf.so.1'
	! readelf -d "$copy/reader" | grep libringbuf
}

# With a pointer to something else.
refuses_untyped()
{
	sed 's/sample_put(p, &s)/sample_put(p, values)/' examples/typed.c >"$work/untyped.c"
	! cmp "$work/untyped.c" examples/typed.c
	! gcc -Iuapi -Iuserspace/lib -Iexamples -fsyntax-only "$work/untyped.c"
}

build_producer()
{
	local paths
	paths=$(selftests/vm/kernel.sh $KERNEL)
	eval "$paths"
	make -C "$tree/examples" module RINGBUF="$1" KDIR="$KDIR" W=1 KCFLAGS=-Werror
}

# An interpreter, its libraries, and the modules that reader.py imports.
python_files()
{
	"$PYTHON" -I -S -c 'import fcntl, os, struct, sys
for m in list(sys.modules.values()):
    if getattr(m, "__file__", None): print(m.__file__)
print(os.path.realpath(sys.executable))'
	ldd "$(readlink -f "$PYTHON")" | grep -o '/[^ ]*'
}

# What runs in the guest, on busybox: prints "ok NAME" and "not ok NAME", and "end"
# when it got there.
cat >"$work/guest.sh" <<'GUEST'
cd /examples
python=$1
readers="reader reader.py mapped mapped_raw uring"

# result STATUS NAME: with /tmp/why
result()
{
	if [ "$1" = 0 ]; then
		echo "ok $2"
	else
		sed 's/^/# /' /tmp/why
		echo "not ok $2"
	fi
}

# run NAME ARGUMENT…
run()
{
	case $1 in
	*.py) shift; exec "$python" -S reader.py "$@" ;;
	*) exec "./$@" ;;
	esac
}

# start FILE NAME ARGUMENT…: what it prints goes to FILE
start()
{
	local file=$1
	shift
	run "$@" >/tmp/$file 2>/tmp/$file.err </dev/null &
	echo $! >/tmp/$file.pid
}

sig()
{
	kill -$1 "$(cat /tmp/$2.pid)"
}

stop()
{
	sig TERM $1
	wait "$(cat /tmp/$1.pid)"
}

pause()
{
	sig STOP $1
	until grep -q '^State:.T' "/proc/$(cat /tmp/$1.pid)/status"; do sleep 0.1; done
}

# has LINES FILE: wait until it has so many
has()
{
	local i=0
	until [ "$(wc -l </tmp/$2)" -ge $1 ]; do
		[ $((i += 1)) -le 100 ] || return 1
		sleep 0.1
	done
}

# ended PATTERN TIMES FILE: wait until so many of its lines match
ended()
{
	local i=0
	until [ "$(grep -c -- "$1" /tmp/$3)" -ge $2 ]; do
		[ $((i += 1)) -le 100 ] || return 1
		sleep 0.1
	done
}

# fails TEXT NAME ARGUMENT…: status 1, and TEXT in the last line it prints
fails()
{
	local text=$1 status
	shift
	(run "$@") >/tmp/why 2>&1 </dev/null
	status=$?
	echo "status $status" >>/tmp/why
	[ $status = 1 ] && tail -n 2 /tmp/why | grep -q "$text"
	result $? "$1: $text"
}

# same NAME FILE WANTED
same()
{
	diff -u $3 $2 >/tmp/why 2>&1
	set -- $? "$1" "$2"
	cat $3.err >>/tmp/why 2>&1
	result $1 "$2"
}

# The two readers in uring's output tell the same: every line's second time.
twice()
{
	sed 's,^/dev/ringbuf ,,' /tmp/uring | awk 'seen[$0]++'
}

for p in $readers writer typed; do
	fails 'No such file or directory' $p
done
fails 'Inappropriate ioctl' reader /dev/null
fails 'Inappropriate ioctl' reader.py /dev/null
fails 'Inappropriate ioctl' mapped x /dev/null
fails 'Inappropriate ioctl' mapped_raw /dev/null
fails 'Inappropriate ioctl' uring /dev/null
fails 'Inappropriate ioctl' writer /dev/null
fails 'Inappropriate ioctl' until_end cat

insmod /ringbuf.ko size=4096 || exit 1

# All of them see all of it, while it comes. A record here has 1000 bytes at most.
for p in $readers; do
	case $p in
	uring) start $p uring /dev/ringbuf /dev/ringbuf ;;
	*) start $p $p ;;
	esac
done
start some mapped x
x=$(head -c 1000 /dev/zero | tr '\0' x)
y=$(head -c 300 /dev/zero | tr '\0' x)
(printf 'alpha\nbeta\n\ngamma\n'; sleep 0.3; printf "$x$x$y") | ./writer >/tmp/why 2>&1
result $? "writer: lines, and a long one in pieces"
printf '%s\n' '0: alpha' '1: beta' '2: gamma' "3: $x" "4: $x" "5: $y" >/tmp/wanted
cut -c 1-259 /tmp/wanted >/tmp/wanted-cut
for p in $readers; do
	case $p in
	mapped*) has 6 $p; same "$p: all records" /tmp/$p /tmp/wanted-cut ;;
	uring) has 12 $p; twice >/tmp/twice; same "$p: all records, twice" /tmp/twice /tmp/wanted ;;
	*) has 6 $p; same "$p: all records" /tmp/$p /tmp/wanted ;;
	esac
done
(run until_end cat) </dev/ringbuf >/tmp/until_end 2>/tmp/wanted-bytes.err
printf 'alphabetagamma%s' "$x$x$y" >/tmp/wanted-bytes
same "until_end: all bytes, and the end" /tmp/until_end /tmp/wanted-bytes
has 3 some
stop some
{ tail -n 3 /tmp/wanted-cut; echo "read 6, lost 0, waiting 0"; } >/tmp/wanted-some
same "mapped: those that begin with a word, and its account" /tmp/some /tmp/wanted-some

# They stop while 1000 records pass, and tell how many they lost.
for p in $readers; do pause $p; done
seq 0 999 | sed 's/^/line /' | ./writer
for p in $readers; do sig CONT $p; done
for p in $readers; do
	case $p in
	uring) ended '1005: line 999$' 2 $p; twice ;;
	*) ended '1005: line 999$' 1 $p; cat /tmp/$p ;;
	esac | tail -n +7 >/tmp/lossy
	awk 'NR == 1 {
			lost = $2
			bad = $0 !~ /^lost [0-9]+ records$/ || lost < 800 || lost > 990
		}
		NR > 1 && $0 != (NR + 4 + lost) ": line " (NR - 2 + lost) { bad = 1 }
		END { exit bad || NR != 1001 - lost }' /tmp/lossy
	ret=$?
	{ head -n 3 /tmp/lossy; cat /tmp/$p.err; } >/tmp/why
	result $ret "$p: tells its exact loss"
done
for p in $readers; do stop $p; done

# One writer.
mkfifo /tmp/fifo
./writer </tmp/fifo &
exec 5>/tmp/fifo
until ls -l /proc/$!/fd | grep -q /dev/ringbuf; do sleep 0.1; done
fails 'Device or resource busy' writer
exec 5>&-
wait $!

rmmod ringbuf
result $? "nothing is left open"
insmod /ringbuf.ko size=2097152 || exit 1

# One that is busy, here with its output, tells the kernel where it is.
sleep 30 </tmp/fifo &
echo $! >/tmp/sleep.pid
./mapped_raw >/tmp/fifo &
echo $! >/tmp/busy.pid
until grep -qs ringbuf_pos /proc/$!/fdinfo/*; do sleep 0.1; done
pause busy
yes "$(head -c 4000 /dev/zero | tr '\0' x)" | head -n 384 | ./writer
sig CONT busy
sleep 1
cat /proc/$(cat /tmp/busy.pid)/fdinfo/* >/tmp/why
awk '/^seq:/ { seq = $2 } END { exit seq < 128 || seq >= 384 }' /tmp/why
result $? "mapped_raw: tells where it is every quarter of the ring"
sig TERM busy
sig TERM sleep
wait
rmmod ringbuf
insmod /ringbuf.ko || exit 1

# Samples, from a process and from the kernel.
start typed typed
(run typed 21 -5) >/tmp/why 2>&1
result $? "typed: publishes"
has 2 typed
printf '%s\n' '0: 21' '1: -5' >/tmp/wanted
same "typed: reads" /tmp/typed /tmp/wanted
insmod producer.ko period_ms=0 2>/tmp/why && rmmod producer
[ ! -e /sys/module/producer ]
result $? "producer.ko: refuses to load with period_ms=0"
insmod producer.ko period_ms=10
fails 'Device or resource busy' writer
fails 'Device or resource busy' typed 1
has 22 typed
rmmod producer
awk -v total="$(awk '/MemTotal/ { print $2 }' /proc/meminfo)" '
	NR > 2 && ($1 != NR - 3 ":" || $2 < 1024 || $2 > total) { bad = 1 }
	END { exit bad || NR < 22 }' /tmp/typed
ret=$?
cat /tmp/typed /tmp/typed.err >/tmp/why
result $ret "producer.ko: samples, which typed reads"
echo back | ./writer && ended '^not a sample$' 1 typed
result $? "typed: passes over what is no sample"
stop typed
rmmod ringbuf
result $? "nothing is left open, nor held"
echo end
GUEST

modules=$TOP/build/$KERNEL
check "modules for the guest" selftests/vm/build.sh $KERNEL
check "programs build against the tree, static" build_tree
check "programs build against an installed library" build_installed
check "typed.c takes no other type, without any warning switched on" refuses_untyped
check "producer.ko builds" build_producer "$modules"

if [ $failed = 0 ]; then
	files=(--file "$work/guest.sh" --file "$modules/kmod/ringbuf.ko")
	for p in "${programs[@]}" producer.ko reader.py; do
		files+=(--file "$tree/examples/$p:/examples/$p")
	done
	for p in $(python_files); do
		files+=(--file "$p:$p")
	done
	python=$(readlink -f "$PYTHON")
	: >"$work/log"
	status=0
	selftests/vm/run.sh --quiet --kernel $KERNEL --timeout 600 "${files[@]}" -- \
		"sh /guest.sh $python" >"$work/guest" 2>"$work/err" </dev/null || status=$?
	while IFS= read -r line; do
		case "$line" in
		"ok "*) result 0 "${line#ok }" ;;
		"not ok "*) result 1 "${line#not ok }" ;;
		"# "*) echo "$line" ;;
		end) ;;
		*) echo "# $line" ;;
		esac
	done <"$work/guest"
	[ "$(tail -n 1 "$work/guest")" = end ] || status=1
	mv "$work/err" "$work/log"
	result $status "the guest got to the end, its kernel without a complaint"
fi
echo "1..$count"
exit $failed
