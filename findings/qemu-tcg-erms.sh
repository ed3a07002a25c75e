#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# QEMU's TCG offers ERMS with -cpu max ("rep movsb is fast"), and runs rep movsb one
# byte at a time. A guest kernel that believes the flag copies by the byte, at about an
# eighth of the speed of rep movsq. With -cpu max,erms=off it copies by words.
#
# Seen with qemu-user 7.2 (Debian 12): erms=1; rep movsb takes 6 to 11 times as long
# as rep movsq for the same bytes. This script unpacks that package in a temporary
# folder, runs some lines of C in it, and fails when either is no longer so.
set -euo pipefail

package=qemu-user version=7.2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

apt-get download "$package" >/dev/null 2>&1
dpkg -x "$package"_*.deb root
qemu=$work/root/usr/bin/qemu-x86_64
[[ $("$qemu" --version | head -n 1) == *"version $version"* ]] ||
	{ echo "not qemu $version: $("$qemu" --version | head -n 1)"; exit 1; }

cat >t.c <<'C'
#include <cpuid.h>
#include <stdio.h>
#include <time.h>

static char from[1 << 20], to[1 << 20];

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static double copy(int bytes)
{
	double best = 1e9, t;

	for (int i = 0; i < 20; i++) {
		void *d = to, *s = from;
		long n = bytes ? sizeof(to) : sizeof(to) / 8;

		t = now();
		if (bytes)
			__asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
		else
			__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
		t = now() - t;
		best = t < best ? t : best;
	}
	return best;
}

int main(void)
{
	unsigned int a, b, c, d;

	__cpuid_count(7, 0, a, b, c, d);
	printf("%u %.2f\n", b >> 9 & 1, copy(1) / copy(0));
	return 0;
}
C
gcc -O2 -static -o t t.c
read -r erms ratio < <("$qemu" -cpu max ./t)
echo "qemu $version, -cpu max: erms=$erms, rep movsb / rep movsq = $ratio"
[ "$erms" = 1 ] && awk "BEGIN { exit !($ratio > 4) }" || {
	echo "changed: TCG no longer offers ERMS, or rep movsb is no longer slow"
	exit 1
}
