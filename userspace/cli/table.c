// SPDX-License-Identifier: GPL-2.0
/* Tables whose columns are as wide as what is in them. */

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "table.h"

#define MAX_COLUMNS	16
#define GAP		2
#define MAX_LINE	512

void table_cell(struct table *t, const char *format, ...)
{
	void *cells = t->cells;
	va_list args;

	if (t->count == t->room) {
		t->room = t->room ? 2 * t->room : 128;
		cells = realloc(t->cells, t->room * TABLE_CELL);
		if (!cells) {
			t->room = t->count;
			return;
		}
		t->cells = cells;
	}
	va_start(args, format);
	vsnprintf(t->cells[t->count++], TABLE_CELL, format, args);
	va_end(args);
}

void table_free(struct table *t)
{
	free(t->cells);
	memset(t, 0, sizeof(*t));
}

void table_line(struct out *out, size_t width, const char *format, ...)
{
	char text[MAX_LINE];
	va_list args;
	size_t len;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	len = strlen(text);
	if (width && len > width)
		len = width;
	while (len && text[len - 1] == ' ')
		len--;
	out_bytes(out, text, len);
	out_char(out, '\n');
}

static size_t max(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t measure(const struct table *t, size_t widths[])
{
	size_t i, sum = 0;

	for (i = 0; i < t->n_columns; i++)
		widths[i] = max(strlen(t->columns[i].head),
				t->columns[i].width);
	for (i = 0; i < t->count; i++)
		widths[i % t->n_columns] = max(widths[i % t->n_columns],
					       strlen(t->cells[i]));
	for (i = 0; i < t->n_columns; i++)
		sum += widths[i] + (i ? GAP : 0);
	return sum;
}

/* Give up columns until what is left is no wider than @width. */
static void fit(const struct table *t, size_t widths[], size_t sum,
		size_t width)
{
	size_t i, worst;

	while (width && sum > width) {
		worst = 0;
		for (i = 1; i < t->n_columns; i++)
			if (widths[i] && t->columns[i].drop >
			    (widths[worst] ? t->columns[worst].drop : 0))
				worst = i;
		if (!t->columns[worst].drop || !widths[worst])
			return;
		sum -= widths[worst] + GAP;
		widths[worst] = 0;
	}
}

static void print_row(const struct table *t, struct out *out, size_t width,
		      const size_t widths[], char (*cells)[TABLE_CELL])
{
	char line[MAX_COLUMNS * (TABLE_CELL + GAP) + 1];
	size_t i, at = 0;
	const char *cell;

	for (i = 0; i < t->n_columns; i++) {
		if (!widths[i])
			continue;
		cell = cells ? cells[i] : t->columns[i].head;
		if (at)
			at += sprintf(line + at, "%*s", GAP, "");
		at += sprintf(line + at, t->columns[i].left ? "%-*s" : "%*s",
			      (int)widths[i], cell);
	}
	table_line(out, width, "%s", line);
}

void table_print(struct table *t, struct out *out, size_t width)
{
	size_t widths[MAX_COLUMNS];
	size_t i;

	fit(t, widths, measure(t, widths), width);
	print_row(t, out, width, widths, NULL);
	for (i = 0; i + t->n_columns <= t->count; i += t->n_columns)
		print_row(t, out, width, widths, t->cells + i);
	t->count = 0;
}

int table_flush(struct out *out)
{
	struct pollfd p = { .fd = out->fd, .events = POLLOUT };
	size_t done = 0;
	ssize_t n;

	while (done < out->len && !out->error) {
		n = write(out->fd, out->data + done, out->len - done);
		if (n >= 0)
			done += n;
		else if (errno == EAGAIN)
			poll(&p, 1, -1);
		else if (errno != EINTR)
			out->error = -errno;
	}
	out->len = 0;
	return out->error;
}

const char *table_comm(char to[TABLE_CELL], const char *comm)
{
	size_t i;

	for (i = 0; comm[i] && i < TABLE_CELL - 1; i++)
		to[i] = comm[i] < ' ' || comm[i] > '~' ? '?' : comm[i];
	to[i] = '\0';
	return to;
}

void table_who(struct table *t, const char *comm, unsigned int shared)
{
	char buf[TABLE_CELL];

	if (shared > 1)
		table_cell(t, "%.20s +%u", table_comm(buf, comm), shared - 1);
	else
		table_cell(t, "%s", table_comm(buf, comm));
}
