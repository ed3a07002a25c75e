// SPDX-License-Identifier: GPL-2.0
/*
 * ringbuf top: rings and their consumers, live. Between two looks nothing of a
 * ring is held, so modules come and go under it.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "cli.h"
#include "describe.h"
#include "look.h"
#include "screen.h"
#include "table.h"

/* The first rates come soon. */
#define FIRST_NS	300000000ULL

static const char help[] =
"\n"
"Watch rings: the writer's rate, and each consumer's, its lag and its loss.\n"
"Without RING, all there are. Only root sees everybody's processes.\n"
"\n"
"  -i, --interval S     seconds between two looks (default 1)\n"
"  -n, --iterations N   end after so many\n"
"  -s, --sort KEY       lag, rate or loss (default lag)\n"
"  -h, --help\n"
"\n"
"Keys: l by lag, r by rate, x by loss, space pauses, enter looks now, q quits.\n"
"A '!' marks who loses records right now. Of a consumer that has its ring mapped\n"
"('map') the kernel knows what it was told last; a reader of libringbuf tells it\n"
"every quarter of the ring, others as they please.\n"
"Where the output is no terminal, tables follow each other, 80 columns wide, or\n"
"as COLUMNS says.\n";

static const char *const orders[] = { "lag", "rate", "loss" };

static struct options {
	char **names;
	int n_names;
	uint64_t interval;
	uint64_t iterations;
	enum order order;
} options;

static struct look last, now;
static bool paused;

static int look(void)
{
	return look_at(&now, &last, options.names, options.n_names);
}

static const struct column columns[] = {
	{ .head = "" },
	{ .head = "PID", .width = 6 },
	{ .head = "COMMAND", .left = true },
	{ .head = "FD", .drop = 1 },
	{ .head = "RATE/s", .width = 7 },
	{ .head = "BYTES/s", .width = 9, .drop = 3 },
	{ .head = "LAG", .width = 7 },
	{ .head = "LAG BYTES", .drop = 4 },
	{ .head = "LAG%" },
	{ .head = "LOST", .width = 7 },
	{ .head = "LOST/s", .width = 7 },
	{ .head = "SEQ", .drop = 5 },
	{ .head = "FLAGS", .left = true, .drop = 2 },
};

static void rate_cell(struct table *t, const struct row *r, double n,
		      const char *(*text)(char *, double))
{
	char buf[16];

	table_cell(t, "%s", r->rated ? text(buf, n) : "-");
}

static const char *count_text(char *buf, double n)
{
	return cli_count(buf, n);
}

static const char *bytes_text(char *buf, double n)
{
	return cli_bytes(buf, n);
}

static const char *row_flags(char buf[TABLE_CELL], const struct holder *h)
{
	const char *how = h->demoted ? "demoted " : "";

	if (h->flags & RINGBUF_CONSUMER_RELIABLE)
		how = "reliable ";
	snprintf(buf, TABLE_CELL, "%s%s%s%s", h->writer ? "writer " : "", how,
		 h->mapped ? "map " : "", h->fd < 0 ? "closed" : "");
	return buf;
}

static void put_row(struct table *t, const struct row *r,
		    const struct ring *ring)
{
	const struct holder *h = &r->who;
	char buf[TABLE_CELL];

	table_cell(t, "%s", r->loss_rate > 0 ? "!" : "");
	table_cell(t, "%d", h->pid);
	table_who(t, h->comm, h->shared);
	if (h->fd < 0)
		table_cell(t, "-");
	else
		table_cell(t, "%d", h->fd);
	rate_cell(t, r, r->rate, count_text);
	rate_cell(t, r, r->byte_rate, bytes_text);
	table_cell(t, "%s", h->fd < 0 ? "-" : cli_count(buf, h->lag_records));
	table_cell(t, "%s", h->fd < 0 ? "-" : cli_bytes(buf, h->lag_bytes));
	if (h->fd < 0)
		table_cell(t, "-");
	else
		table_cell(t, "%.0f%%", ring->size ?
			   100.0 * h->lag_bytes / ring->size : 0);
	table_cell(t, "%s", h->fd < 0 ? "-" : cli_count(buf, h->lost_records));
	rate_cell(t, r, r->loss_rate, count_text);
	table_cell(t, "%" PRIu64, h->seq);
	table_cell(t, "%s", row_flags(buf, h));
}

static const struct ring *ring_before(const struct ring *ring)
{
	size_t i;

	for (i = 0; i < last.n_rings; i++)
		if (last.rings[i].there &&
		    !strcmp(last.rings[i].name, ring->name) &&
		    /* Else it was removed, and is another one now. */
		    last.rings[i].head <= ring->head)
			return &last.rings[i];
	return NULL;
}

static void put_writer(struct out *out, const struct ring *r, size_t width)
{
	const struct holder *w = ring_writer(r, &now.holders);
	const struct ring *was = ring_before(r);
	double seconds = (now.time - last.time) / 1e9;
	char who[TABLE_CELL], comm[TABLE_CELL], rates[64] = "";
	char a[16], b[16], c[16];

	if (w)
		snprintf(who, sizeof(who), "writer %d (%.15s)", w->pid,
			 table_comm(comm, w->comm));
	else if (!r->writer)
		snprintf(who, sizeof(who), "no writer");
	else
		snprintf(who, sizeof(who), "writer: %s",
			 ring_all_seen(r, &now.holders) ? "kernel" : "not seen");
	if (was)
		snprintf(rates, sizeof(rates),
			 ", %s records/s, %s/s, overwrites %s/s",
			 cli_count(a, (r->head_seq - was->head_seq) / seconds),
			 cli_bytes(b, (r->head - was->head) / seconds),
			 cli_count(c, (r->overwritten - was->overwritten) /
				   seconds));
	table_line(out, width, "  %s%s", who, rates);
	if (!r->holder)
		return;
	describe_holder(who, sizeof(who), r, &now.holders);
	table_line(out, width, "  the writer waits for %s", who);
}

static void put_ring(struct out *out, size_t ring, size_t width)
{
	const struct ring *r = &now.rings[ring];
	char size[16], records[16], dropped[16];

	if (!r->there) {
		table_line(out, width, "%.200s: %s", r->path, ring_is_gone(r) ?
			   "not there; waiting for it" : strerror(r->error));
		return;
	}
	if (r->dead) {
		table_line(out, width, "%.200s: destroyed, and still open",
			   r->path);
		return;
	}
	table_line(out, width, "%.200s  %s, %.0f%% full, %s records%s%s", r->path,
		   cli_bytes(size, r->size),
		   r->size ? 100.0 * (r->head - r->tail) / r->size : 0,
		   cli_count(records, r->head_seq - r->tail_seq),
		   r->dropped ? ", dropped " : "",
		   r->dropped ? cli_count(dropped, r->dropped) : "");
	put_writer(out, r, width);
}

static void put_consumers(struct out *out, size_t ring, size_t width)
{
	const struct ring *r = &now.rings[ring];
	struct table t = {
		.columns = columns,
		.n_columns = sizeof(columns) / sizeof(*columns),
	};
	size_t i, seen = ring_consumers(r, &now.holders);

	if (!r->there)
		return;
	for (i = 0; i < now.n_rows; i++)
		if (now.rows[i].ring == ring)
			put_row(&t, &now.rows[i], r);
	if (t.count)
		table_print(&t, out, width);
	table_free(&t);
	if (seen < r->consumers)
		table_line(out, width, "  %" PRIu64 " consumer%s not seen%s",
			   r->consumers - seen,
			   r->consumers - seen > 1 ? "s" : "",
			   geteuid() ? ": ask as root" : "");
	else if (!r->consumers)
		table_line(out, width, "  nobody reads it");
}

static size_t count_there(void)
{
	size_t i, n = 0;

	for (i = 0; i < now.n_rings; i++)
		n += now.rings[i].there;
	return n;
}

static void put_heading(struct out *out, size_t width, bool live)
{
	time_t seconds = time(NULL);
	char clock[16], interval[16];

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&seconds));
	table_line(out, width, "ringbuf top  %s  every %s, by %s%s", clock,
		   cli_time(interval, options.interval / 1e9),
		   orders[options.order], paused ? ", PAUSED" : "");
	if (live)
		table_line(out, width,
			   "l by lag  r by rate  x by loss  space pauses  enter looks now  q quits");
}

static void put_frame(struct out *out, size_t width, bool live)
{
	size_t i;

	look_sort(&now, options.order);
	put_heading(out, width, live);
	if (!now.n_rings)
		table_line(out, width,
			   "\nno ring: is the module loaded? try: modprobe ringbuf%s",
			   live ? "\nWaiting for one." : "");
	for (i = 0; i < now.n_rings; i++) {
		out_char(out, '\n');
		put_ring(out, i, width);
		put_consumers(out, i, width);
	}
	if (!live)
		out_char(out, '\n');
}

/* What does not fit is told of in the last line that does. */
static void cut(struct out *out, size_t rows, size_t width)
{
	size_t i, lines = 0, at = 0;

	for (i = 0; i < out->len; i++) {
		if (out->data[i] != '\n')
			continue;
		if (++lines == rows - 1)
			at = i + 1;
	}
	if (lines <= rows || !at)
		return;
	out->len = at;
	table_line(out, width, "... %zu more lines: make the window taller",
		   lines - rows + 1);
}

static int draw(struct out *out)
{
	size_t rows, width;

	screen_size(&rows, &width);
	put_frame(out, width, true);
	cut(out, rows, width);
	return screen_show(out);
}

/* Returns whether to go on; @refresh: look now. */
static bool key(int c, bool *refresh)
{
	switch (c) {
	case 'l':
		options.order = BY_LAG;
		break;
	case 'r':
		options.order = BY_RATE;
		break;
	case 'x':
		options.order = BY_LOSS;
		break;
	case ' ':
		paused = !paused;
		*refresh = !paused;
		break;
	case '\n':
	case '\r':
		*refresh = true;
		break;
	case 'q':
	case 'Q':
	case 4:		/* ^D */
		return false;
	}
	return true;
}

/* Draw and take keys until it is time to look again. False: to end. */
static bool attend(struct out *out, uint64_t until, int *error)
{
	bool refresh = false;
	int c;

	for (;;) {
		*error = -draw(out);
		if (*error)
			return false;
		if (refresh)
			return true;
		c = screen_wait(paused ? UINT64_MAX / 2 : until);
		if (c == SCREEN_END)
			return false;
		if (c == SCREEN_TIMEOUT)
			return true;
		if (c >= 0 && !key(c, &refresh))
			return false;
	}
}

static int run_live(struct out *out)
{
	uint64_t first = options.interval < FIRST_NS ? options.interval :
			 FIRST_NS;
	uint64_t n = 0;
	int error = look();

	if (!error && attend(out, now.time + first, &error)) {
		do {
			error = look();
		} while (!error && ++n != options.iterations &&
			 attend(out, now.time + options.interval, &error));
		if (!error && n == options.iterations)
			error = -draw(out);
	}
	return error;
}

static void sleep_until(uint64_t until)
{
	struct timespec ts = {
		.tv_sec = until / 1000000000,
		.tv_nsec = until % 1000000000,
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL))
		;
}

static size_t plain_width(void)
{
	const char *columns = getenv("COLUMNS");
	uint64_t width;

	return columns && cli_u64(columns, &width) && width >= 20 &&
	       width <= 400 ? width : 80;
}

/* Signals are left to do what they do: there is nothing to put back. */
static int run_plain(struct out *out)
{
	size_t width = plain_width();
	uint64_t n = 0;
	int error = look();

	while (!error) {
		sleep_until(now.time + options.interval);
		error = look();
		if (error)
			break;
		put_frame(out, width, false);
		error = -table_flush(out);
		if (++n == options.iterations)
			break;
	}
	return error;
}

static int finish(int error, bool live)
{
	size_t there = count_there();

	screen_close();
	look_free(&now);
	look_free(&last);
	if (error == EPIPE)
		return cli_broken_pipe();
	if (error) {
		cli_errno(error, "top");
		return EXIT_FAILED;
	}
	if (live && screen_signal())
		return cli_end_by(screen_signal());
	return there || live ? EXIT_OK : EXIT_FAILED;
}

static int check_names(void)
{
	struct ring ring;
	int i, ret;

	for (i = 0; i < options.n_names; i++) {
		ret = ring_named(&ring, options.names[i]);
		if (ret)
			return cli_open_failed(options.names[i], ret);
	}
	return EXIT_OK;
}

static bool parse_order(const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
		if (strcmp(orders[i], text))
			continue;
		options.order = i;
		return true;
	}
	return false;
}

/* Returns EXIT_OK to go on, -1 when all is said. */
static int parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "iterations", required_argument, NULL, 'n' },
		{ "sort", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	double seconds = 1;
	int opt;

	while ((opt = cli_getopt(argc, argv, ":i:n:s:h", longs)) != -1) {
		switch (opt) {
		case 'i':
			if (!cli_seconds(optarg, &seconds) || seconds < 0.05 ||
			    seconds > 86400)
				return cli_usage("top", "top: --interval wants seconds, 0.05 to 86400, not '%s'",
						 optarg);
			break;
		case 'n':
			if (!cli_u64(optarg, &options.iterations) ||
			    !options.iterations)
				return cli_usage("top", "top: --iterations wants a number from 1, not '%s'",
						 optarg);
			break;
		case 's':
			if (!parse_order(optarg))
				return cli_usage("top", "top: --sort wants lag, rate or loss, not '%s'",
						 optarg);
			break;
		case 'h':
			cli_help("top", help);
			return -1;
		default:
			return EXIT_USAGE;
		}
	}
	options.interval = seconds * 1e9;
	options.names = argv + optind;
	options.n_names = argc - optind;
	return EXIT_OK;
}

int cmd_top(int argc, char **argv)
{
	struct out out = { .fd = STDOUT_FILENO };
	int error, ret = parse(argc, argv);
	bool live;

	if (ret)
		return ret < 0 ? EXIT_OK : ret;
	ret = check_names();
	if (ret)
		return ret;
	live = screen_open();
	error = live ? run_live(&out) : run_plain(&out);
	out_free(&out);
	return finish(error, live);
}
