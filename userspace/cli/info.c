// SPDX-License-Identifier: GPL-2.0
/* ringbuf info: what a ring is, what is in it, and who has it open. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "clock.h"
#include "describe.h"
#include "procs.h"
#include "table.h"

static const char help[] =
"\n"
"Describe rings: what is in them, who writes, who reads. Without RING, all.\n"
"\n"
"  -j, --json   as JSON\n"
"  -h, --help\n"
"\n"
"As root it opens nothing, so it disturbs nobody. Others have to be allowed to read\n"
"the ring: for a moment the command is a consumer, which it does not count. Only\n"
"root sees everybody's processes. Of a consumer that has its ring mapped the\n"
"kernel knows what it was told last; a reader of libringbuf tells it every quarter\n"
"of the ring, others as they please. MAX LAG is the most records that have waited\n"
"for the consumer since it opened the ring.\n";

static const struct column columns[] = {
	{ .head = "PID" },
	{ .head = "COMMAND", .left = true },
	{ .head = "FD" },
	{ .head = "MAP" },
	{ .head = "SEQ", .drop = 1 },
	{ .head = "LAG RECORDS" },
	{ .head = "LAG BYTES", .drop = 2 },
	{ .head = "LAG" },
	{ .head = "MAX LAG", .drop = 3 },
	{ .head = "LOST" },
	{ .head = "FLAGS", .left = true },
};

static void add_flag(char buf[TABLE_CELL], const char *name)
{
	size_t at = strlen(buf);

	snprintf(buf + at, TABLE_CELL - at, "%s%s", at ? "," : "", name);
}

/* "framed,eof" */
static const char *flag_names(char buf[TABLE_CELL], const struct holder *h)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{ RINGBUF_CONSUMER_FRAMED, "framed" },
		{ RINGBUF_CONSUMER_RELIABLE, "reliable" },
		{ RINGBUF_CONSUMER_EOF, "eof" },
	};
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (h->flags & names[i].flag)
			add_flag(buf, names[i].name);
	if (h->demoted)
		add_flag(buf, "demoted");
	if (h->writer)
		add_flag(buf, "writer");
	return buf;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * part / whole : 0;
}

static void put_reliable(struct out *out, const struct ring *r)
{
	char most[32] = "for ever";

	if (!r->reliable) {
		out_string(out, "  reliable     no\n");
		return;
	}
	if (r->stall_ms)
		snprintf(most, sizeof(most), "%" PRIu64 " ms at most",
			 r->stall_ms);
	out_format(out, "  reliable     %" PRIu64 " consumer%s; the writer waits %s\n",
		   r->reliable_consumers, r->reliable_consumers == 1 ? "" : "s",
		   most);
}

static void put_ring(struct out *out, const struct ring *r,
		     const struct holders *all)
{
	char size[16], writer[128];

	describe_writer(writer, sizeof(writer), r, all);
	out_format(out, "%.200s\n", r->path);
	if (r->dead) {
		out_string(out, "  destroyed, and freed when these are done with it\n");
		out_format(out, "  writer       %s\n", writer);
		return;
	}
	out_format(out, "  size         %" PRIu64 " bytes (%s), largest record %"
		   PRIu64 "\n", r->size, cli_bytes(size, r->size),
		   r->max_record);
	out_format(out, "  holds        %" PRIu64 " records, %" PRIu64
		   " bytes, %.1f%% full\n", r->head_seq - r->tail_seq,
		   r->head - r->tail, percent(r->head - r->tail, r->size));
	out_format(out, "  head         next seq %" PRIu64 ", position %" PRIu64
		   "\n", r->head_seq, r->head);
	out_format(out, "  tail         oldest seq %" PRIu64 ", position %"
		   PRIu64 "\n", r->tail_seq, r->tail);
	out_format(out, "  overwritten  %" PRIu64 " records\n", r->overwritten);
	out_format(out, "  dropped      %" PRIu64 " records\n", r->dropped);
	out_format(out, "  clock        %s\n", clock_name(r->clockid));
	if (r->id[0])
		out_format(out, "  id           %s\n", r->id);
	put_reliable(out, r);
	out_format(out, "  writer       %s\n", writer);
	if (!r->holder)
		return;
	describe_holder(writer, sizeof(writer), r, all);
	out_format(out, "  waits for    %s\n", writer);
}

static void put_row(struct table *t, const struct ring *r,
		    const struct holder *h)
{
	char buf[TABLE_CELL];

	table_cell(t, "%d", h->pid);
	table_who(t, h->comm, h->shared);
	if (h->fd < 0) {
		table_cell(t, "-");
		table_cell(t, "yes");
		table_cell(t, "-");
		table_cell(t, "-");
		table_cell(t, "-");
		table_cell(t, "-");
		table_cell(t, "-");
		table_cell(t, "-");
		table_cell(t, "closed");
		return;
	}
	table_cell(t, "%d", h->fd);
	table_cell(t, "%s", h->mapped ? "yes" : "no");
	table_cell(t, "%" PRIu64, h->seq);
	table_cell(t, "%" PRIu64, h->lag_records);
	table_cell(t, "%" PRIu64, h->lag_bytes);
	table_cell(t, "%.0f%%", percent(h->lag_bytes, r->size));
	if (h->tells_max)
		table_cell(t, "%" PRIu64, h->max_lag_records);
	else
		table_cell(t, "-");
	table_cell(t, "%" PRIu64, h->lost_records);
	table_cell(t, "%s", flag_names(buf, h));
}

static bool is_row(const struct ring *r, const struct holders *all, size_t i)
{
	const struct holder *h = &all->list[i];

	return h->first == i && (h->reader || h->fd < 0) && ring_is(r, h);
}

static void put_consumers(struct out *out, const struct ring *r,
			  const struct holders *all, size_t width)
{
	struct table t = {
		.columns = columns,
		.n_columns = sizeof(columns) / sizeof(*columns),
	};
	size_t i, seen = ring_consumers(r, all);

	out_format(out, "  consumers    %" PRIu64, r->consumers);
	if (seen < r->consumers)
		out_format(out, ", %" PRIu64 " of them not seen%s",
			   r->consumers - seen,
			   geteuid() ? ": ask as root" : "");
	else if (seen > r->consumers)
		out_format(out, ", by %zu descriptors (without kcmp(2) nobody can tell which belong together)",
			   seen);
	out_string(out, "\n");
	for (i = 0; i < all->count; i++)
		if (is_row(r, all, i))
			put_row(&t, r, &all->list[i]);
	if (t.count) {
		out_string(out, "\n");
		table_print(&t, out, width);
	}
	table_free(&t);
}

static void json_consumer(struct out *out, const struct ring *r,
			  const struct holders *all, size_t first)
{
	const struct holder *h = &all->list[first];
	size_t i;

	out_string(out, "\n      {\"processes\": [");
	for (i = first; i < all->count && all->list[i].first == first; i++) {
		out_string(out, i > first ? ", " : "");
		json_process(out, &all->list[i]);
	}
	out_format(out, "], \"mapped\": %s", json_bool(h->mapped));
	if (h->fd >= 0) {
		out_string(out, ", ");
		json_field(out, "seq", h->seq);
		json_field(out, "pos", h->pos);
		json_field(out, "lag_records", h->lag_records);
		json_field(out, "lag_bytes", h->lag_bytes);
		out_format(out, "\"lag_percent\": %.1f, ",
			   percent(h->lag_bytes, r->size));
		if (h->tells_max) {
			json_field(out, "max_lag_records", h->max_lag_records);
			json_field(out, "max_lag_bytes", h->max_lag_bytes);
		}
		json_field(out, "lost_records", h->lost_records);
		json_field(out, "lost_bytes", h->lost_bytes);
		out_format(out, "\"framed\": %s, \"reliable\": %s, \"eof\": %s, \"demoted\": %s",
			   json_bool(h->flags & RINGBUF_CONSUMER_FRAMED),
			   json_bool(h->flags & RINGBUF_CONSUMER_RELIABLE),
			   json_bool(h->flags & RINGBUF_CONSUMER_EOF),
			   json_bool(h->demoted));
	}
	out_string(out, "}");
}

static void json_holder(struct out *out, const struct ring *r,
			const struct holders *all)
{
	if ((int64_t)r->holder < 0)
		out_string(out, "\"waits_for\": \"not seen\", ");
	else if (r->holder)
		json_field(out, "waits_for", r->holder);
	else
		out_string(out, "\"waits_for\": null, ");
	out_format(out, "\"waits_for_itself\": %s, ",
		   json_bool(ring_holds_itself(r, all)));
}

static void json_identity(struct out *out, const struct ring *r)
{
	if (r->dead)
		return;
	if (r->id[0])
		out_format(out, "\"id\": \"%s\", ", r->id);
	out_format(out, "\"clock\": \"%s\", \"clockid\": %d, ",
		   clock_name(r->clockid), r->clockid);
}

static void json_ring(struct out *out, const struct ring *r,
		      const struct holders *all)
{
	size_t i, rows = 0;

	out_string(out, "\n    {");
	json_names(out, r);
	out_format(out, "\"destroyed\": %s, ", json_bool(r->dead));
	json_identity(out, r);
	json_field(out, "size", r->size);
	json_field(out, "max_record", r->max_record);
	json_field(out, "records", r->head_seq - r->tail_seq);
	json_field(out, "bytes", r->head - r->tail);
	out_format(out, "\"fill_percent\": %.1f, ",
		   percent(r->head - r->tail, r->size));
	json_field(out, "head", r->head);
	json_field(out, "tail", r->tail);
	json_field(out, "head_seq", r->head_seq);
	json_field(out, "tail_seq", r->tail_seq);
	json_field(out, "overwritten", r->overwritten);
	json_field(out, "dropped", r->dropped);
	out_format(out, "\"reliable\": %s, ", json_bool(r->reliable));
	json_field(out, "reliable_consumers", r->reliable_consumers);
	json_field(out, "stall_ms", r->stall_ms);
	json_holder(out, r, all);
	json_writer(out, r, all);
	json_field(out, "consumers", r->consumers);
	json_field(out, "consumers_not_seen", r->consumers > ring_consumers(r, all) ?
		   r->consumers - ring_consumers(r, all) : 0);
	out_string(out, "\"seen\": [");
	for (i = 0; i < all->count; i++) {
		if (!is_row(r, all, i))
			continue;
		out_string(out, rows++ ? "," : "");
		json_consumer(out, r, all, i);
	}
	out_string(out, "]}");
}

/* @all: not only those that somebody asks for. */
static int show(struct ring **list, size_t count, bool all_rings, bool json)
{
	struct out out = { .fd = STDOUT_FILENO };
	struct holders all = {};
	int ret, status = EXIT_OK;
	size_t i, shown = 0;
	struct ring *rings;

	holders_scan(&all, *list, count);
	count = rings_add_dead(list, count, &all, all_rings);
	rings = *list;
	if (!count && all_rings)
		status = cli_open_failed(NULL, ENOENT);
	out_string(&out, json ? "{\"rings\": [" : "");
	for (i = 0; i < count; i++) {
		if (!rings[i].there) {
			status = cli_open_failed(rings[i].path, rings[i].error);
			continue;
		}
		if (shown++)
			out_string(&out, json ? "," : "\n");
		if (json) {
			json_ring(&out, &rings[i], &all);
			continue;
		}
		put_ring(&out, &rings[i], &all);
		put_consumers(&out, &rings[i], &all, describe_width());
	}
	out_string(&out, json ? "]}\n" : "");
	ret = table_flush(&out);
	if (ret)
		status = cli_stdout_failed(ret);
	out_free(&out);
	holders_free(&all);
	return status;
}

static int show_named(char **names, int count, bool json)
{
	struct ring *rings = calloc(count, sizeof(*rings));
	int i, ret, status = EXIT_OK;
	size_t good = 0;

	if (!rings) {
		cli_error("out of memory");
		return EXIT_FAILED;
	}
	for (i = 0; i < count; i++) {
		ret = ring_named(&rings[good], names[i]);
		if (ret) {
			status = cli_open_failed(names[i], ret);
			continue;
		}
		ring_look(&rings[good++]);
	}
	ret = show(&rings, good, false, json);
	free(rings);
	return status ? status : ret;
}

static int show_all(bool json)
{
	struct ring *rings;
	size_t count = rings_find(&rings);
	int status;

	/* Where there is no sysfs, it may be there all the same. */
	if (!count && !access("/dev/ringbuf", F_OK))
		return show_named((char *[]){ "ringbuf" }, 1, json);
	status = show(&rings, count, true, json);
	free(rings);
	return status;
}

int cmd_info(int argc, char **argv)
{
	bool json = false;
	int status = cli_json(argc, argv, help, &json);

	if (status >= 0)
		return status;
	if (optind < argc)
		return show_named(argv + optind, argc - optind, json);
	return show_all(json);
}
