// SPDX-License-Identifier: GPL-2.0
/* ringbuf cat: records on standard output, as they come. */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "decode.h"
#include "out.h"
#include "resume.h"
#include "source.h"
#include "text.h"

/* The resume file is at most so old while records come. */
#define SAVE_NS		1000000000ULL

static const char help[] =
	"\n"
	"Prints the records of a ring, and waits for more. Each record ends with a\n"
	"newline; one is added where there is none. On a terminal, control characters\n"
	"are shown as \\xNN. What was lost is said on standard error.\n\n"
	SOURCE_FROM_HELP
	SOURCE_UNTIL_HELP
	SOURCE_HOW_HELP
	"  -w, --follow         wait for more, which is the default\n"
	"  -R, --resume FILE    go on after the last record that a run with this FILE\n"
	"                       wrote; --from counts only if there is no FILE yet\n\n"
	"  -j, --json           an object per line: seq, type, time_ns, len, and data, or\n"
	"                       data_hex if that is no UTF-8; for a loss, lost, lost_bytes\n"
	"                       (null if unknown) and seq, the first one lost\n"
	"  -x, --hex            a line about each record, and a dump of it\n"
	"  -r, --raw            payloads and nothing else\n"
	"  -d, --decode NAME    as events of a known producer, also with --json;\n"
	"                       'help' lists them\n"
	"  -v, --verbose        seq, time (by the ring's clock) and type before each record\n"
	"  -E, --escape         control characters as on a terminal, always\n"
	"  -h, --help\n\n"
	"FILE is saved about once a second and at the end, be that a signal or a\n"
	"closed pipe: then no record is missed or doubled. After kill -9, what was\n"
	"written in the last second may come a second time. Of a pipe whose reader\n"
	"ended before cat did, what the reader has not taken comes again. What it has\n"
	"taken counts, and what lies in a pipe when cat ends: if the reader dies then,\n"
	"that is lost. Write to a file, or let it keep the number itself, for --from.\n";

enum format { TEXT, JSON, HEX, RAW };

struct cat {
	struct source source;
	struct out out;
	enum format format;
	const struct decoder *decoder;
	bool verbose;
	bool escape;
	const char *resume_path;
	struct resume resume;
};

static void put_time(struct out *out, uint64_t ns)
{
	out_format(out, "%" PRIu64 ".%06u", ns / 1000000000,
		   (unsigned int)(ns / 1000 % 1000000));
}

static void put_json(struct cat *c, const struct ringbuf_entry *e)
{
	struct out *out = &c->out;

	out_format(out, "{\"seq\":%" PRIu64 ",\"type\":%u,\"time_ns\":%" PRIu64
		   ",\"len\":%u", e->seq, e->type, e->time_ns, e->len);
	if (c->decoder && c->decoder->decode(out, e, true)) {
		;
	} else if (text_is_utf8(e->data, e->len)) {
		out_string(out, ",\"data\":");
		text_json(out, e->data, e->len);
	} else {
		out_string(out, ",\"data_hex\":\"");
		text_digits(out, e->data, e->len);
		out_char(out, '"');
	}
	out_string(out, "}\n");
}

static void put_head(struct cat *c, const struct ringbuf_entry *e)
{
	out_format(&c->out, "%" PRIu64 " [", e->seq);
	put_time(&c->out, e->time_ns);
	out_format(&c->out, "] type %u: ", e->type);
}

static void put_hex(struct cat *c, const struct ringbuf_entry *e)
{
	out_format(&c->out, "record %" PRIu64 " time ", e->seq);
	put_time(&c->out, e->time_ns);
	out_format(&c->out, " type %u len %u\n", e->type, e->len);
	text_hex(&c->out, e->data, e->len);
}

static void put_text(struct cat *c, const struct ringbuf_entry *e)
{
	const char *data = e->data;

	if (c->decoder) {
		if (!c->decoder->decode(&c->out, e, false))
			put_hex(c, e);
		return;
	}
	if (c->verbose)
		put_head(c, e);
	if (c->escape)
		text_escaped(&c->out, data, e->len);
	else
		out_bytes(&c->out, data, e->len);
	if (data[e->len - 1] != '\n')
		out_char(&c->out, '\n');
}

static void put_record(struct cat *c, const struct ringbuf_entry *e)
{
	switch (c->format) {
	case TEXT:
		put_text(c, e);
		break;
	case JSON:
		put_json(c, e);
		break;
	case HEX:
		put_hex(c, e);
		break;
	case RAW:
		out_bytes(&c->out, e->data, e->len);
		break;
	}
	out_record(&c->out, e->seq + 1);
}

static int put_lost(struct cat *c, const struct ringbuf_entry *e)
{
	/* On a terminal both should be seen in their order. */
	int ret = out_flush(&c->out);

	source_demoted(&c->source);
	source_lost(e);
	if (c->format == JSON)
		out_format(&c->out, "{\"lost\":%" PRIu64 ",\"lost_bytes\":%" PRIu64
			   ",\"seq\":%" PRIu64 "}\n", e->lost, e->lost_bytes,
			   e->seq - e->lost);
	out_record(&c->out, e->seq);
	return ret;
}

static void put_gap(struct cat *c, const struct source_gap *gap)
{
	if (!gap->records)
		return;
	source_gap(gap);
	if (c->format == JSON)
		out_format(&c->out, "{\"lost\":%" PRIu64
			   ",\"lost_bytes\":null,\"seq\":%" PRIu64 "}\n",
			   gap->records, gap->from);
	out_record(&c->out, gap->from + gap->records);
}

static int save(struct cat *c)
{
	const struct out *out = &c->out;

	if (!c->resume_path || (c->resume.saved_at &&
				out->next == c->resume.seq))
		return 0;
	return resume_save(&c->resume, out->next);
}

/* When the resume file is to be saved, in ms from now; -1: it is up to date. */
static int64_t save_due(const struct cat *c)
{
	uint64_t due = c->resume.saved_at + SAVE_NS, now = cli_now();

	if (!c->resume_path || c->out.next == c->resume.seq)
		return -1;
	return now < due ? (due - now) / 1000000 + 1 : 0;
}

static int flush(struct cat *c)
{
	int ret = out_flush(&c->out);

	/* A failure to save has been told. */
	if (!ret && !save_due(c) && save(c))
		ret = -ECANCELED;
	return ret;
}

/* Until the end, 0, or a failure. */
static int stream(struct cat *c)
{
	struct ringbuf_entry e;
	int ret;

	while (!cli_stopped) {
		ret = source_next(&c->source, &e);
		if (ret == 2) {
			ret = flush(c);
			if (!ret)
				ret = source_wait(&c->source, c->out.fd,
						  save_due(c));
			if (ret == 2 || ret == -EINTR)
				continue;
		}
		if (ret <= 0)
			return ret;
		ret = e.lost ? put_lost(c, &e) : 0;
		put_record(c, &e);
		if (!ret && c->out.len >= OUT_FULL)
			ret = flush(c);
		if (ret)
			return ret;
	}
	return 0;
}

static int start(struct cat *c)
{
	struct source_gap gap;
	int loaded = 0, ret;

	if (c->resume_path)
		loaded = resume_load(&c->resume, c->resume_path,
				     &c->source.info);
	if (loaded < 0)
		return -1;
	if (loaded) {
		ret = resume_seek(&c->resume, c->source.reader, &gap);
		if (ret) {
			cli_errno(ret, "%s: cannot resume", c->resume_path);
			return -1;
		}
	} else if (source_begin(&c->source, &gap)) {
		return -1;
	}
	/* What counts as handled as yet. */
	c->out.next = c->source.reader->seq - gap.records;
	if (c->resume_path)
		out_keep(&c->out);
	put_gap(c, &gap);
	return save(c);
}

/* @ret is what stream() ended with: the exit status of that. */
static int finish(struct cat *c, int ret)
{
	int flushed = out_flush(&c->out);
	int saved, status = EXIT_OK;

	out_settle(&c->out);
	saved = ret == -ECANCELED ? 0 : save(c);
	if (flushed == -EPIPE || ret == -EPIPE)
		return cli_broken_pipe();
	if (c->out.torn)
		cli_error("warning: the output ends within record %" PRIu64,
			  c->out.next);
	if (flushed && flushed != -EINTR)
		return cli_output_failed("standard output", flushed);
	if (source_demoted(&c->source) || saved || ret == -ECANCELED)
		status = EXIT_FAILED;
	if (ret == -EINTR || (!ret && !saved && cli_stopped))
		return cli_end_by(cli_stopped);
	if (ret && ret != -ECANCELED && source_failed(&c->source, ret))
		status = EXIT_FAILED;
	return status;
}

static int run(struct cat *c)
{
	int status = EXIT_FAILED;

	/* It may be closed: better now than when there is a record. */
	if (write(c->out.fd, "", 0) < 0)
		return cli_output_failed("standard output", -errno);
	if (source_open(&c->source))
		return EXIT_FAILED;
	if (cli_same_device(ringbuf_reader_fd(c->source.reader), c->out.fd,
			    NULL)) {
		cli_error("standard output is the ring that is to be read: each record would come again and again");
		source_close(&c->source);
		return EXIT_FAILED;
	}
	cli_signals();
	if (!start(c)) {
		if (c->decoder && c->format == TEXT && isatty(c->out.fd))
			out_string(&c->out, c->decoder->head);
		status = finish(c, stream(c));
	}
	source_close(&c->source);
	resume_free(&c->resume);
	out_free(&c->out);
	return status;
}

static const struct option longs[] = {
	SOURCE_LONGS,
	{ "follow", no_argument, NULL, 'w' },
	{ "resume", required_argument, NULL, 'R' },
	{ "json", no_argument, NULL, 'j' },
	{ "hex", no_argument, NULL, 'x' },
	{ "raw", no_argument, NULL, 'r' },
	{ "decode", required_argument, NULL, 'd' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "escape", no_argument, NULL, 'E' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

/* -1, or the exit status. */
static int set_format(struct cat *c, enum format format)
{
	if (c->format != TEXT && c->format != format)
		return cli_usage("cat", "cat: --json, --hex and --raw exclude each other");
	c->format = format;
	return -1;
}

static int set_decoder(struct cat *c, const char *name)
{
	if (!strcmp(name, "help")) {
		decoder_list();
		return EXIT_OK;
	}
	c->decoder = decoder_find(name);
	if (!c->decoder)
		return cli_usage("cat", "cat: no decoder '%s'; 'ringbuf cat --decode help' lists them",
				 name);
	return -1;
}

static int parse_option(struct cat *c, int opt)
{
	int ret = source_option(&c->source, "cat", opt, optarg);

	if (ret)
		return ret < 0 ? EXIT_USAGE : -1;
	switch (opt) {
	case 'w':
		c->source.follow = true;
		return -1;
	case 'R':
		c->resume_path = optarg;
		return -1;
	case 'j':
		return set_format(c, JSON);
	case 'x':
		return set_format(c, HEX);
	case 'r':
		return set_format(c, RAW);
	case 'd':
		return set_decoder(c, optarg);
	case 'v':
		c->verbose = true;
		return -1;
	case 'E':
		c->escape = true;
		return -1;
	case 'h':
		return cli_help("cat", help);
	}
	return EXIT_USAGE;
}

int cmd_cat(int argc, char **argv)
{
	struct cat c = { .source = SOURCE_INIT, .out.fd = STDOUT_FILENO };
	int opt, ret;

	c.escape = isatty(STDOUT_FILENO);
	while ((opt = cli_getopt(argc, argv, ":" SOURCE_OPTIONS "wR:jxrd:vEh",
				 longs)) != -1) {
		ret = parse_option(&c, opt);
		if (ret >= 0)
			return ret;
	}
	if (argc - optind > 1)
		return cli_usage("cat", "cat: one ring at a time");
	if (c.decoder && c.format != TEXT && c.format != JSON)
		return cli_usage("cat", "cat: --decode does not go with --hex and --raw");
	c.source.name = argv[optind];
	return run(&c);
}
