// SPDX-License-Identifier: GPL-2.0
/*
 * records KIND [PID]: writes records of this kind to stdout, one with each write(). With
 * PID, of a program whose fd 0 is a consumer of the ring, it writes each record only
 * when the program has read the one before.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONGEST	200000

static char buf[LONGEST + 1];

/* @len bytes of line @n, the last one a newline if @end. */
static size_t line(int n, size_t len, int end)
{
	size_t at;

	for (at = 0; at < len; at++)
		buf[at] = "abcdefghijklm nopqrstuvwxyz"[(at / 7 + at + n) % 27];
	/* So that no two are the same. */
	memcpy(buf, "record ", 7);
	buf[7] = '0' + n;
	buf[8] = ' ';
	if (end)
		buf[len - 1] = '\n';
	return len;
}

/* @lines lines of 80 bytes each. */
static size_t lines(int n, int count)
{
	int i;

	for (i = 0; i < count; i++)
		snprintf(buf + i * 80, 81, "record %d, line %6d%58s\n", n, i, ".");
	return count * 80;
}

static size_t text(const char *s)
{
	strcpy(buf, s);
	return strlen(s);
}

static size_t one(int n)
{
	return n < 5 ? sprintf(buf, "line %d\n", n) : 0;
}

static size_t two(int n)
{
	return n < 5 ? sprintf(buf, "a %d\nb %d\n", n, n) : 0;
}

static size_t unterminated(int n)
{
	return n < 5 ? sprintf(buf, "part %d; ", n) : 0;
}

static size_t empty(int n)
{
	return n < 5 ? text("\n") : 0;
}

static size_t six_hundred(int n)
{
	return n < 4 ? line(n, 600, 1) : 0;
}

static size_t two_hundred_thousand(int n)
{
	return n < 2 ? line(n, LONGEST, 1) : 0;
}

static size_t mixed(int n)
{
	switch (n) {
	case 0:
		return text("first\n");
	case 1:
	case 6:
		return text("\n");
	case 2:
		return text("two\nlines\n");
	case 3:
		return text("no end, ");
	case 4:
		return line(n, 600, 0);
	case 5:
		return text("\n\n");
	case 7:
		return lines(n, 1000);
	case 8:
		return line(n, 70000, 1);
	case 9:
		return text("x");
	case 10:
		return text("\nlast\n");
	default:
		return 0;
	}
}

/* JSON: a value, two values, a value in two records, none, and long ones. */
static size_t json(int n)
{
	size_t len;

	switch (n) {
	case 0:
		return text("{\"n\":0}\n");
	case 1:
		return text("{\"n\":1}\n[\"n\",1]\n");
	case 2:
		return text("{\"n\":[2,");
	case 3:
		return text("3]}");
	case 4:
		return text("\n");
	case 5:
	case 6:
		len = line(n, n == 5 ? 600 : LONGEST, 1);
		buf[0] = '"';
		buf[len - 2] = '"';
		return len;
	case 7:
		return text("7");
	default:
		return 0;
	}
}

static const struct kind {
	const char *name;
	size_t (*record)(int n);
} kinds[] = {
	{ "one", one },
	{ "two", two },
	{ "unterminated", unterminated },
	{ "empty", empty },
	{ "600", six_hundred },
	{ "200000", two_hundred_thousand },
	{ "mixed", mixed },
	{ "json", json },
	{}
};

/* Has what @path tells of read all there is? */
static int drained(const char *path)
{
	char text[80];
	int ret = 0;
	FILE *f;

	f = fopen(path, "r");
	if (!f) {
		perror(path);
		exit(1);
	}
	while (fgets(text, sizeof(text), f))
		if (!strcmp(text, "lag_records:\t0\n"))
			ret = 1;
	fclose(f);
	return ret;
}

int main(int argc, char **argv)
{
	const struct kind *k = kinds;
	char path[80];
	size_t len;
	int n;

	while (argc > 1 && k->name && strcmp(argv[1], k->name))
		k++;
	if (argc < 2 || !k->name) {
		fprintf(stderr, "usage: records KIND [PID]\n");
		return 2;
	}
	if (argc > 2)
		snprintf(path, sizeof(path), "/proc/%s/fdinfo/0", argv[2]);
	for (n = 0; (len = k->record(n)); n++) {
		while (argc > 2 && !drained(path))
			usleep(2000);
		if (write(1, buf, len) != (ssize_t)len) {
			perror("write");
			return 1;
		}
	}
	return 0;
}
