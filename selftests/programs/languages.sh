# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016,SC2154 # what interpreters are given; what run.sh has
# Perl and Python.

for package in perl-base python3; do
	echo "# $(version $package)"
done

copies "perl: while (<STDIN>)" perl -e 'while (<STDIN>) { print }'
copies "perl: all at once" perl -e 'local $/; print <STDIN>'
copies "perl: sysread" perl -e 'print $b while sysread STDIN, $b, 4096'
KINDS=$few copies "perl: read, 7 bytes" perl -e 'print $b while read STDIN, $b, 7'
KINDS=$few copies "perl: eof and getc" perl -e 'print getc STDIN until eof STDIN'
KINDS=$few copies "perl: open /dev/fd/0" perl -e 'open $f, "<&=", 0 or die; print while <$f>'
KINDS=$few agrees "perl -ne" perl -ne 'END { print "$.\n" }'
stops "perl: open, tell" perl -e 'open $f, "<", $ARGV[0] or die; $_ = <$f>; print; tell $f; $_ = <$f>; print'
shares "perl: <STDIN>, then cat" 'line 0\nline 1\nline 2\nline 3\nline 4\n' one \
	'perl -e "\$_ = <STDIN>; print"; cat'
KINDS=one copies "perl: system() after each line" perl -e '$| = 1; while (<STDIN>) { print; system "true" }'
# Before it runs a program, and at its end, Perl seeks to what it has not used of what it
# has read, by SEEK_SET and in bytes: byte 4, which is record 4 of a ring.
shares "perl: <STDIN>, then cat" 'a 0\na 4\nb 4\n' two 'perl -e "\$_ = <STDIN>; print"; cat'

run='import sys, os
out = sys.stdout.buffer
'
copies "python: sys.stdin.buffer.read()" python3 -c "$run"'out.write(sys.stdin.buffer.read())'
KINDS=$few copies "python: read(1000)" python3 -c "$run"'
while part := sys.stdin.buffer.read(1000): out.write(part)'
copies "python: lines of bytes" python3 -c "$run"'
for line in sys.stdin.buffer: out.write(line)'
copies "python: lines of text" python3 -c "$run"'
for line in sys.stdin: sys.stdout.write(line)'
KINDS=$few copies "python: sys.stdin.read()" python3 -c "$run"'sys.stdout.write(sys.stdin.read())'
KINDS=$few prints lines "python: input()" python3 -c "$run"'
try:
    while True: print(input())
except EOFError: pass'
copies "python: open(buffering=0)" python3 -c "$run"'
raw = open(0, "rb", buffering=0)
while part := raw.read(100): out.write(part)'
KINDS=$few copies "python: readall()" python3 -c "$run"'out.write(open(0, "rb", buffering=0).readall())'
KINDS=$few copies "python: readinto()" python3 -c "$run"'
raw, buf = open(0, "rb", buffering=0), bytearray(512)
while n := raw.readinto(buf): out.write(buf[:n])'
copies "python: os.read" python3 -c "$run"'
while part := os.read(0, 65536): out.write(part)'
KINDS=$few copies "python: shutil" python3 -c "$run"'
import shutil
shutil.copyfileobj(sys.stdin.buffer, out)'
KINDS=$few copies "python: selectors, O_NONBLOCK" python3 -c "$run"'
import selectors
os.set_blocking(0, False)
s = selectors.DefaultSelector()
s.register(0, selectors.EVENT_READ)
while s.select():
    part = os.read(0, 4096)
    if not part: break
    out.write(part)'
KINDS=$few copies "python: asyncio" python3 -c "$run"'
import asyncio
async def main():
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while part := await reader.read(4096): out.write(part)
asyncio.run(main())'
stops "python: open(), readline()" python3 -c '
import sys
with open(sys.argv[1]) as f: sys.stdout.write(f.readline() + f.readline())'
stops "python: open(rb), read(10)" python3 -c '
import sys
with open(sys.argv[1], "rb") as f: sys.stdout.buffer.write(f.read(10) + f.read(3))'
KINDS='one two' stops "python: open(r+b) wants to seek, but buffering=0" python3 -c '
import io, sys
try:
    open(sys.argv[1], "r+b").close()
except io.UnsupportedOperation: pass
else:
    if sys.argv[1].startswith("/dev"): sys.exit("seekable?")
with open(sys.argv[1], "r+b", buffering=0) as f: sys.stdout.buffer.write(f.read(5))'
tells='import sys
f = open(sys.argv[1], "rb")
try:
    f.tell()
    sys.exit("has a position")
except OSError as e: print(e.strerror)
print(f.seekable(), f.readline().decode(), end="")'
timeout "$limit" python3 -c "$tells" /dev/ringbuf-one >out 2>err
status=$?
printf 'Illegal seek\nFalse line 0\n' >want
same "python: tell()" $status
