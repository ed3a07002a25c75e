// SPDX-License-Identifier: GPL-2.0
/* ringbuf metrics: rings and consumers in the text format of Prometheus. */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli.h"
#include "clock.h"
#include "describe.h"
#include "table.h"
#include "text.h"

static const char help[] =
"\n"
"Prints rings and who reads them as metrics, in the text format that Prometheus\n"
"and its agents read. Without RING, all rings there are.\n"
"\n"
"  -t, --textfile FILE   to FILE, which is replaced as a whole, for the textfile\n"
"                        collector of the node exporter\n"
"  -h, --help\n"
"\n"
"There are counters and gauges, and no rates: those are for who scrapes, such as\n"
"rate(ringbuf_consumer_lost_records_total[5m]). As root it opens nothing, so it\n"
"disturbs nobody; and only root sees everybody's processes. Others have to be\n"
"allowed to read the rings. A ring that is asked for and not there has ringbuf_up 0,\n"
"which is no failure.\n";

/* Values of a ring, as the metrics below want them. */
struct ring_values {
	uint64_t up, size, bytes, records, overwritten, dropped;
	uint64_t kept_bytes, kept_records, max_record;
	uint64_t consumers, not_seen, reliable, reliable_consumers;
	uint64_t stall_ms, writer, held;
};

struct consumer_values {
	uint64_t lag_bytes, lag_records, lost_bytes, lost_records;
	uint64_t max_lag_bytes, max_lag_records;
	uint64_t read_bytes, read_records;
	uint64_t reliable, demoted, mapped, holds;
};

/* Which samples there are. */
enum which {
	ALWAYS,
	THERE,		/* of rings that are there */
	OPEN,		/* of consumers whose file is open */
	TOLD,		/* of those of which the kernel tells it */
	TOLD_MAX,	/* and also the largest lag */
};

/**
 * struct metric - What is told of a ring or a consumer
 * @name: behind "ringbuf_"; a counter's ends in "_total"
 * @help: what it is
 * @at: offset of a value in one of the structures above
 * @which: samples there are
 * @milli: the value is to be divided by 1000
 */
struct metric {
	const char *name;
	const char *help;
	size_t at;
	enum which which;
	bool milli;
};

#define OF_RING(_name, _member, _help)					\
	{ .name = _name, .help = _help, .which = THERE,			\
	  .at = offsetof(struct ring_values, _member) }
#define OF_CONSUMER(_name, _member, _which, _help)			\
	{ .name = _name, .help = _help, .which = _which,		\
	  .at = offsetof(struct consumer_values, _member) }

static const struct metric ring_metrics[] = {
	{ "up", "Is the ring there?", offsetof(struct ring_values, up),
	  .which = ALWAYS },
	OF_RING("size_bytes", size, "Size of the ring."),
	OF_RING("records_total", records,
		"Records numbered so far: published, or dropped."),
	OF_RING("published_bytes_total", bytes,
		"Bytes of frames published: payloads, headers and padding."),
	OF_RING("overwritten_records_total", overwritten,
		"Records that made room for newer ones."),
	OF_RING("dropped_records_total", dropped,
		"Records that the producer could not publish."),
	OF_RING("retained_records", kept_records, "Records in the ring."),
	OF_RING("retained_bytes", kept_bytes, "Bytes of frames in the ring."),
	OF_RING("max_record_bytes", max_record,
		"Payload of the largest record that can be published."),
	OF_RING("consumers", consumers, "Consumers that have the ring open."),
	OF_RING("consumers_not_seen", not_seen,
		"Consumers without samples here, by lack of privilege or in other PID namespaces."),
	OF_RING("reliable_allowed", reliable,
		"May there be consumers that the writer waits for?"),
	OF_RING("reliable_consumers", reliable_consumers,
		"Consumers that the writer waits for."),
	{ "stall_limit_seconds",
	  "The writer waits for a consumer so long at most; 0: for ever.",
	  offsetof(struct ring_values, stall_ms), THERE, true },
	OF_RING("writer", writer, "Has the ring a writer?"),
	OF_RING("writer_held", held,
		"Does a reliable consumer hold the writer back right now?"),
};

static const struct metric consumer_metrics[] = {
	OF_CONSUMER("consumer_lag_records", lag_records, OPEN,
		    "Records that wait for the consumer."),
	OF_CONSUMER("consumer_lag_bytes", lag_bytes, OPEN,
		    "Bytes of frames that wait for the consumer."),
	OF_CONSUMER("consumer_max_lag_records", max_lag_records, TOLD_MAX,
		    "The most records that have waited for the consumer."),
	OF_CONSUMER("consumer_max_lag_bytes", max_lag_bytes, TOLD_MAX,
		    "The most bytes of frames that have waited for the consumer."),
	OF_CONSUMER("consumer_lost_records_total", lost_records, OPEN,
		    "Records that the consumer has lost."),
	OF_CONSUMER("consumer_lost_bytes_total", lost_bytes, OPEN,
		    "Bytes of frames that the consumer has lost."),
	OF_CONSUMER("consumer_read_records_total", read_records, TOLD,
		    "Records that the consumer has read."),
	OF_CONSUMER("consumer_read_bytes_total", read_bytes, TOLD,
		    "Bytes of frames that the consumer has read."),
	OF_CONSUMER("consumer_reliable", reliable, OPEN,
		    "Does the writer wait for the consumer?"),
	OF_CONSUMER("consumer_demoted", demoted, OPEN,
		    "Has the writer ceased to wait for the consumer?"),
	OF_CONSUMER("consumer_holds_writer", holds, OPEN,
		    "Does the consumer's process hold the writer back right now?"),
	OF_CONSUMER("consumer_mapped", mapped, ALWAYS,
		    "Does the consumer's process map the ring?"),
};

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

static void take_ring(struct ring_values *v, const struct ring *r,
		      const struct holders *all)
{
	size_t seen = ring_consumers(r, all);

	*v = (struct ring_values){
		.up = r->there,
		.size = r->size,
		.bytes = r->head,
		.records = r->head_seq,
		.overwritten = r->overwritten,
		.dropped = r->dropped,
		.kept_bytes = r->head - r->tail,
		.kept_records = r->head_seq - r->tail_seq,
		.max_record = r->max_record,
		.consumers = r->consumers,
		.not_seen = r->consumers > seen ? r->consumers - seen : 0,
		.reliable = r->reliable,
		.reliable_consumers = r->reliable_consumers,
		.stall_ms = r->stall_ms,
		.writer = r->writer,
		.held = !!r->holder,
	};
}

static void take_consumer(struct consumer_values *v, const struct holder *h,
			  const struct ring *r)
{
	*v = (struct consumer_values){
		.lag_bytes = h->lag_bytes,
		.lag_records = h->lag_records,
		.max_lag_bytes = h->max_lag_bytes,
		.max_lag_records = h->max_lag_records,
		.lost_bytes = h->lost_bytes,
		.lost_records = h->lost_records,
		.read_bytes = h->read_bytes,
		.read_records = h->read_records,
		.reliable = !!(h->flags & RINGBUF_CONSUMER_RELIABLE),
		.demoted = h->demoted,
		.mapped = h->mapped,
		.holds = r->holder && h->pid == (pid_t)r->holder,
	};
}

/* A label's value is UTF-8; what a terminal would obey is nothing to look at. */
static const char *label(char buf[TABLE_CELL], const char *text)
{
	if (text_is_utf8(text, strlen(text)) && !text_has_control(text))
		return text;
	return table_comm(buf, text);
}

static void put_label(struct out *out, const char *text)
{
	char buf[TABLE_CELL];

	for (text = label(buf, text); *text; text++) {
		if (*text == '"' || *text == '\\')
			out_char(out, '\\');
		out_char(out, *text);
	}
}

static bool is_counter(const struct metric *m)
{
	size_t len = strlen(m->name);

	return len > 6 && !strcmp(m->name + len - 6, "_total");
}

/* Before the first sample of it. */
static void put_head(struct out *out, const struct metric *m, bool *done)
{
	if (*done)
		return;
	*done = true;
	out_format(out, "# HELP ringbuf_%s %s\n# TYPE ringbuf_%s %s\n",
		   m->name, m->help, m->name,
		   is_counter(m) ? "counter" : "gauge");
}

static void put_value(struct out *out, const struct metric *m,
		      const void *values)
{
	uint64_t value = *(const uint64_t *)((const char *)values + m->at);

	if (m->milli)
		out_format(out, "} %" PRIu64 ".%03" PRIu64 "\n", value / 1000,
			   value % 1000);
	else
		out_format(out, "} %" PRIu64 "\n", value);
}

static void put_rings(struct out *out, const struct metric *m,
		      const struct ring *rings, size_t count,
		      const struct holders *all)
{
	struct ring_values v;
	bool head = false;
	size_t i;

	for (i = 0; i < count; i++) {
		if (m->which == THERE && !rings[i].there)
			continue;
		take_ring(&v, &rings[i], all);
		put_head(out, m, &head);
		out_format(out, "ringbuf_%s{ring=\"", m->name);
		put_label(out, ring_short_name(&rings[i]));
		out_char(out, '"');
		put_value(out, m, &v);
	}
}

static bool has_sample(const struct metric *m, const struct holder *h)
{
	if (h->fd < 0)
		return m->which == ALWAYS;
	if (m->which == TOLD_MAX)
		return h->tells_max;
	return m->which != TOLD || h->tells_read;
}

static void put_consumers(struct out *out, const struct metric *m,
			  const struct ring *r, const struct holders *all,
			  bool *head)
{
	struct consumer_values v;
	const struct holder *h;
	size_t i;

	for (i = 0; i < all->count; i++) {
		h = &all->list[i];
		/* Who shares a file description is one consumer. */
		if (h->first != i || !(h->reader || h->fd < 0) ||
		    !ring_is(r, h) || !has_sample(m, h))
			continue;
		take_consumer(&v, h, r);
		put_head(out, m, head);
		out_format(out, "ringbuf_%s{ring=\"", m->name);
		put_label(out, ring_short_name(r));
		out_format(out, "\",pid=\"%d\",comm=\"", h->pid);
		put_label(out, h->comm);
		out_string(out, "\",fd=\"");
		if (h->fd >= 0)
			out_format(out, "%d", h->fd);
		out_char(out, '"');
		put_value(out, m, &v);
	}
}

/* What a ring is, for others to be joined with. */
static void put_identity(struct out *out, const struct ring *rings, size_t count)
{
	static const struct metric metric = {
		.name = "ring_info",
		.help = "What the ring is; always 1.",
	};
	bool head = false;
	size_t i;

	for (i = 0; i < count; i++) {
		if (!rings[i].there)
			continue;
		put_head(out, &metric, &head);
		out_format(out, "ringbuf_%s{ring=\"", metric.name);
		put_label(out, ring_short_name(&rings[i]));
		out_format(out, "\",id=\"%s\",clock=\"%s\"} 1\n", rings[i].id,
			   clock_name(rings[i].clockid));
	}
}

static void put_all(struct out *out, const struct ring *rings, size_t count,
		    const struct holders *all)
{
	size_t i, j, there = 0;
	bool head;

	for (i = 0; i < count; i++)
		there += rings[i].there;
	out_format(out, "# HELP ringbuf_rings Rings looked at that are there.\n"
		   "# TYPE ringbuf_rings gauge\nringbuf_rings %zu\n", there);
	put_identity(out, rings, count);
	for (i = 0; i < COUNT(ring_metrics); i++)
		put_rings(out, &ring_metrics[i], rings, count, all);
	for (i = 0; i < COUNT(consumer_metrics); i++) {
		head = false;
		for (j = 0; j < count; j++)
			if (rings[j].there)
				put_consumers(out, &consumer_metrics[i],
					      &rings[j], all, &head);
	}
}

/* Who reads @path sees the file of before or this one, never a part. */
static int write_file(struct out *out, const char *path)
{
	char temp[PATH_MAX];
	int err;

	/* Collectors look at what ends in .prom, so that is not at its end. */
	if (snprintf(temp, sizeof(temp), "%s.%d", path, getpid()) >=
	    (int)sizeof(temp))
		return -ENAMETOOLONG;
	out->fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW |
		       O_CLOEXEC, 0666);
	if (out->fd < 0)
		return -errno;
	err = table_flush(out);
	if (close(out->fd) && !err)
		err = -errno;
	if (!err && rename(temp, path))
		err = -errno;
	if (err)
		unlink(temp);
	return err;
}

static int write_out(struct out *out, const char *path)
{
	struct stat st;
	int err;

	if (path && !lstat(path, &st) && !S_ISREG(st.st_mode)) {
		cli_error("%s: is no regular file, so it cannot be replaced",
			  path);
		return EXIT_FAILED;
	}
	if (path) {
		err = write_file(out, path);
		return err ? cli_output_failed(path, err) : EXIT_OK;
	}
	out->fd = STDOUT_FILENO;
	err = table_flush(out);
	return err ? cli_stdout_failed(err) : EXIT_OK;
}

static int show(const struct ring *rings, size_t count, const char *path)
{
	struct holders all = {};
	struct out out = {};
	int status;

	holders_scan(&all, rings, count);
	put_all(&out, rings, count, &all);
	status = write_out(&out, path);
	out_free(&out);
	holders_free(&all);
	return status;
}

/*
 * By whatever names: two samples of one name and labels would spoil the rest. Of
 * two rings the one that is there.
 */
static bool is_there_twice(struct ring *rings, size_t last)
{
	char buf[TABLE_CELL], other[TABLE_CELL];
	const char *name = label(buf, ring_short_name(&rings[last]));
	size_t i;

	for (i = 0; i < last; i++) {
		if (strcmp(label(other, ring_short_name(&rings[i])), name))
			continue;
		if (rings[last].there && !rings[i].there)
			rings[i] = rings[last];
		return true;
	}
	return false;
}

static int show_named(char **names, int count, const char *path)
{
	struct ring *rings = calloc(count, sizeof(*rings));
	int i, ret, status = EXIT_OK;
	size_t good = 0;

	if (!rings) {
		cli_error("out of memory");
		return EXIT_FAILED;
	}
	for (i = 0; i < count; i++) {
		rings[good].error = ring_named(&rings[good], names[i]);
		if (!rings[good].error)
			ring_look(&rings[good]);
		ret = rings[good].error;
		if (rings[good].name[0] && is_there_twice(rings, good))
			continue;
		if (ret && !ring_is_gone(&rings[good]))
			status = cli_open_failed(names[i], ret);
		else
			good += rings[good].name[0] != '\0';
	}
	ret = show(rings, good, path);
	free(rings);
	return status ? status : ret;
}

static int show_all(const char *path)
{
	struct ring *rings;
	size_t i, good = 0, count = rings_find(&rings);
	int ret, status = EXIT_OK;

	for (i = 0; i < count; i++) {
		if (rings[i].there)
			rings[good++] = rings[i];
		else
			status = cli_open_failed(rings[i].path, rings[i].error);
	}
	ret = show(rings, good, path);
	free(rings);
	return status ? status : ret;
}

int cmd_metrics(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "textfile", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	const char *path = NULL;
	int opt;

	while ((opt = cli_getopt(argc, argv, ":t:h", longs)) != -1) {
		switch (opt) {
		case 't':
			path = optarg;
			break;
		case 'h':
			return cli_help("metrics", help);
		default:
			return EXIT_USAGE;
		}
	}
	if (path && !*path)
		return cli_usage("metrics", "metrics: --textfile wants a file");
	if (optind < argc)
		return show_named(argv + optind, argc - optind, path);
	return show_all(path);
}
