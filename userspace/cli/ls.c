// SPDX-License-Identifier: GPL-2.0
/* ringbuf ls: the rings there are. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "describe.h"
#include "table.h"

static const char help[] =
"\n"
"Lists the rings there are: a line each, with the name that the other commands\n"
"take. RELIABLE: how many consumers the writer waits for, or '-' where none may\n"
"be. 'ringbuf info' tells more of each. Of a ring that you may not open only root\n"
"learns more than its size.\n"
"\n"
"  -j, --json   as JSON\n"
"  -h, --help\n";

static const struct column columns[] = {
	{ .head = "NAME", .left = true },
	{ .head = "SIZE" },
	{ .head = "RECORDS", .drop = 1 },
	{ .head = "CONSUMERS" },
	{ .head = "RELIABLE" },
	{ .head = "WRITER", .left = true },
};

static void put_writer(struct table *t, const struct ring *r,
		       const struct holders *all)
{
	const struct holder *w = ring_writer(r, all);
	char comm[TABLE_CELL];

	if (w)
		table_cell(t, "%d (%.16s)", w->pid, table_comm(comm, w->comm));
	else if (!r->writer)
		table_cell(t, "-");
	else
		table_cell(t, "%s", ring_all_seen(r, all) ? "kernel" :
			   "not seen");
}

static void put_row(struct table *t, const struct ring *r,
		    const struct holders *all)
{
	char size[16];

	table_cell(t, "%.31s", ring_short_name(r));
	table_cell(t, "%s", r->size ? cli_bytes(size, r->size) : "?");
	if (!r->there) {
		table_cell(t, "?");
		table_cell(t, "?");
		table_cell(t, "?");
		table_cell(t, "%.40s", strerror(r->error));
		return;
	}
	table_cell(t, "%" PRIu64, r->head_seq - r->tail_seq);
	table_cell(t, "%" PRIu64, r->consumers);
	if (r->reliable)
		table_cell(t, "%" PRIu64, r->reliable_consumers);
	else
		table_cell(t, "-");
	put_writer(t, r, all);
}

static void json_ring(struct out *out, const struct ring *r,
		      const struct holders *all)
{
	out_string(out, "\n    {");
	json_names(out, r);
	json_field(out, "size", r->size);
	if (!r->there) {
		out_format(out, "\"error\": \"%s\"}", strerror(r->error));
		return;
	}
	json_field(out, "records", r->head_seq - r->tail_seq);
	json_writer(out, r, all);
	json_field(out, "consumers", r->consumers);
	json_field(out, "reliable_consumers", r->reliable_consumers);
	out_format(out, "\"reliable\": %s}", json_bool(r->reliable));
}

static void put_json(struct out *out, const struct ring *rings, size_t count,
		     const struct holders *all)
{
	size_t i;

	out_string(out, "{\"rings\": [");
	for (i = 0; i < count; i++) {
		out_string(out, i ? "," : "");
		json_ring(out, &rings[i], all);
	}
	out_string(out, "]}\n");
}

static void put_table(struct out *out, const struct ring *rings, size_t count,
		      const struct holders *all)
{
	struct table t = {
		.columns = columns,
		.n_columns = sizeof(columns) / sizeof(*columns),
	};
	size_t i;

	for (i = 0; i < count; i++)
		put_row(&t, &rings[i], all);
	if (count)
		table_print(&t, out, describe_width());
	table_free(&t);
}

static int show(bool json)
{
	struct out out = { .fd = STDOUT_FILENO };
	struct holders all = {};
	struct ring *rings;
	size_t count = rings_find(&rings);
	int ret;

	holders_scan(&all, rings, count);
	if (json)
		put_json(&out, rings, count, &all);
	else
		put_table(&out, rings, count, &all);
	ret = table_flush(&out);
	out_free(&out);
	holders_free(&all);
	free(rings);
	if (ret)
		return cli_stdout_failed(ret);
	/* As ls(1) of an empty directory; but that may not be what it is. */
	if (!count && !json)
		cli_error("no ring: is the module loaded? try: modprobe ringbuf");
	return EXIT_OK;
}

int cmd_ls(int argc, char **argv)
{
	bool json = false;
	int status = cli_json(argc, argv, help, &json);

	if (status >= 0)
		return status;
	if (optind < argc)
		return cli_usage("ls", "ls: takes no ring; 'ringbuf info %s' describes one",
				 argv[optind]);
	return show(json);
}
