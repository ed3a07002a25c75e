// SPDX-License-Identifier: GPL-2.0
/* ringbuf pub: standard input or files into a ring. */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "feed.h"
#include "frames.h"
#include "input.h"

static const char help[] =
	"\n"
	"Publishes standard input, or FILEs ('-' is standard input), a record for each\n"
	"line, without its newline. A line is published as soon as no more input waits\n"
	"behind it. Records cannot be empty: what would be one is skipped, and counted.\n\n"
	"  -W, --whole          a record for each file\n"
	"  -F, --frames         frames, as 'ringbuf record' writes them; as 'replay'\n"
	"  -L, --length-prefixed\n"
	"                       records behind their length, 32 bits, little endian\n"
	"  -T, --type N         type of the records, 0 to 65535; default 0\n"
	"  -r, --rate N[/s]     N records per second at most\n"
	"  -s, --split          cut lines that are too long for a record; else such a\n"
	"                       line ends the command, after those before it\n"
	"  -v, --verbose        say at the end what was published\n"
	"  -h, --help\n\n"
	"RING comes first if there are FILEs; 'ringbuf' is /dev/ringbuf. On a terminal,\n"
	"what takes longer than two seconds shows its progress.\n";

enum mode { LINES, WHOLE, FRAMES, PREFIXED };

struct pub {
	struct feed feed;
	struct frames frames;
	struct input input;
	enum mode mode;
	uint16_t type;
	bool has_type;
	bool split;
	bool verbose;
	uint64_t empty;
	uint64_t line;
};

static int idle(void *feed)
{
	return feed_flush(feed);
}

static int put(struct pub *p, size_t len)
{
	if (!len) {
		p->empty++;
		return 0;
	}
	return feed_put(&p->feed, p->type, input_data(&p->input), len);
}

static void use(struct pub *p, size_t len)
{
	input_use(&p->input, len);
	p->feed.done += len;
}

/* Of the input, and told. */
static int failed(struct pub *p, int err)
{
	if (err != -EINTR) {
		feed_clear(&p->feed);
		cli_errno(err, "%s", p->input.name);
	}
	return err;
}

static int too_long(struct pub *p, const char *what)
{
	feed_clear(&p->feed);
	cli_error("%s: %s is longer than a record can be, %u bytes%s",
		  p->input.name, what, p->feed.info.max_record,
		  p->mode == LINES ? "; see --split" : "");
	return -EMSGSIZE;
}

static int line_too_long(struct pub *p)
{
	char what[40];

	snprintf(what, sizeof(what), "line %" PRIu64, p->line + 1);
	return too_long(p, what);
}

/* A line of @len bytes, or the rest of one that was split. */
static int put_line(struct pub *p, size_t len, bool newline)
{
	int ret;

	if (len > p->feed.info.max_record && !p->split)
		return line_too_long(p);
	while (len > p->feed.info.max_record) {
		ret = put(p, p->feed.info.max_record);
		if (ret)
			return ret;
		use(p, p->feed.info.max_record);
		len -= p->feed.info.max_record;
	}
	ret = put(p, len);
	if (ret)
		return ret;
	use(p, len + newline);
	p->line++;
	return 0;
}

/* The whole lines that have been read, and what is too long for one. */
static int put_lines(struct pub *p, size_t *seen)
{
	struct input *in = &p->input;
	const size_t max = p->feed.info.max_record;
	const char *nl;
	int ret;

	for (;;) {
		nl = memchr(input_data(in) + *seen, '\n',
			    input_left(in) - *seen);
		if (nl) {
			*seen = 0;
			ret = put_line(p, nl - input_data(in), true);
		} else if (input_left(in) > max) {
			if (!p->split)
				return line_too_long(p);
			ret = put(p, max);
			if (!ret)
				use(p, max);
			*seen = 0;
		} else {
			*seen = input_left(in);
			return 0;
		}
		if (ret)
			return ret;
		if (cli_stopped)
			return -EINTR;
	}
}

static int publish_lines(struct pub *p)
{
	struct input *in = &p->input;
	size_t seen = 0;
	int ret;

	p->line = 0;
	while ((ret = input_fill(in)) > 0) {
		ret = put_lines(p, &seen);
		if (ret)
			return ret;
	}
	if (ret)
		return failed(p, ret);
	return input_left(in) ? put_line(p, input_left(in), false) : 0;
}

static int publish_whole(struct pub *p)
{
	struct input *in = &p->input;
	int ret = input_need(in, (size_t)p->feed.info.max_record + 1);

	if (ret < 0)
		return failed(p, ret);
	if (ret)
		return too_long(p, "the file");
	ret = put(p, input_left(in));
	if (!ret)
		use(p, input_left(in));
	return ret;
}

static int truncated(struct pub *p)
{
	feed_clear(&p->feed);
	cli_error("%s: ends within the record at byte %" PRIu64, p->input.name,
		  p->input.offset);
	return -EBADMSG;
}

/* 1: a record was published; 0: the end; or a negative errno. */
static int put_prefixed(struct pub *p)
{
	struct input *in = &p->input;
	const unsigned char *s;
	char what[48];
	uint32_t len;
	int ret;

	ret = input_need(in, 4);
	if (ret < 0)
		return failed(p, ret);
	if (!ret)
		return input_left(in) ? truncated(p) : 0;
	s = (const unsigned char *)input_data(in);
	len = s[0] | s[1] << 8 | s[2] << 16 | (uint32_t)s[3] << 24;
	if (len > p->feed.info.max_record) {
		snprintf(what, sizeof(what), "the record at byte %" PRIu64,
			 in->offset);
		return too_long(p, what);
	}
	ret = input_need(in, 4 + (size_t)len);
	if (ret <= 0)
		return ret ? failed(p, ret) : truncated(p);
	use(p, 4);
	ret = put(p, len);
	if (ret)
		return ret;
	use(p, len);
	return 1;
}

static int publish_prefixed(struct pub *p)
{
	int ret;

	while ((ret = put_prefixed(p)) > 0)
		if (cli_stopped)
			return -EINTR;
	return ret;
}

static int publish_file(struct pub *p, const char *name)
{
	int ret = input_open(&p->input, name);

	if (ret) {
		cli_errno(ret, "%s", name);
		return ret;
	}
	/* It would get in the way of who is typing. */
	if (isatty(p->input.fd))
		p->feed.progress = false;
	switch (p->mode) {
	case LINES:
		ret = publish_lines(p);
		break;
	case WHOLE:
		ret = publish_whole(p);
		break;
	case FRAMES:
		ret = frames_publish(&p->frames, &p->feed, &p->input);
		break;
	case PREFIXED:
		ret = publish_prefixed(p);
		break;
	}
	input_close(&p->input);
	return ret;
}

static void add_sizes(struct pub *p, char **files, int count)
{
	struct input in = {};
	int i;

	for (i = 0; i < count; i++) {
		/* A FIFO would wait for who writes it. */
		if (cli_is_regular(files[i]) && !input_open(&in, files[i])) {
			p->feed.size += input_size(&in);
			input_close(&in);
		}
	}
}

static void say_skipped(const struct pub *p)
{
	static const char *const what[] = {
		[LINES] = "line",
		[WHOLE] = "file",
		[PREFIXED] = "record",
	};

	if (p->empty)
		cli_error("%" PRIu64 " empty %s%s skipped: a record has a byte at least",
			  p->empty, what[p->mode], p->empty == 1 ? "" : "s");
	frames_say_lost(&p->frames);
}

static int run(struct pub *p, char **files, int count)
{
	static char *standard_input[] = { "-" };
	int status, ret = 0, i;

	if (!count) {
		files = standard_input;
		count = 1;
	}
	if (feed_open(&p->feed))
		return EXIT_FAILED;
	for (i = 0; i < count; i++)
		if (input_is_ring(files[i], p->feed.publisher))
			return feed_close(&p->feed, EXIT_FAILED, false);
	cli_signals();
	p->input.idle = idle;
	p->input.context = &p->feed;
	add_sizes(p, files, count);
	for (i = 0; i < count && !ret; i++)
		ret = publish_file(p, files[i]);
	status = feed_close(&p->feed, ret && ret != -EINTR ? EXIT_FAILED : EXIT_OK,
			    p->verbose);
	say_skipped(p);
	return cli_stopped ? cli_end_by(cli_stopped) : status;
}

static const struct option longs[] = {
	{ "whole", no_argument, NULL, 'W' },
	{ "frames", no_argument, NULL, 'F' },
	{ "length-prefixed", no_argument, NULL, 'L' },
	{ "type", required_argument, NULL, 'T' },
	{ "rate", required_argument, NULL, 'r' },
	{ "split", no_argument, NULL, 's' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

/* -1, or the exit status; so those below. */
static int set_mode(struct pub *p, enum mode mode)
{
	if (p->mode != LINES && p->mode != mode)
		return cli_usage("pub", "pub: --whole, --frames and --length-prefixed exclude each other");
	p->mode = mode;
	return -1;
}

static int set_type(struct pub *p, const char *text)
{
	uint64_t type;

	if (!cli_u64(text, &type) || type > UINT16_MAX)
		return cli_usage("pub", "pub: --type wants a number from 0 to 65535, not '%s'",
				 text);
	p->type = type;
	p->has_type = true;
	return -1;
}

static int set_rate(struct pub *p, const char *text)
{
	char *number = strdup(text);
	size_t len = strlen(text);
	bool good = false;

	if (number) {
		if (len > 2 && !strcmp(text + len - 2, "/s"))
			number[len - 2] = '\0';
		good = feed_rate(number, &p->feed.rate);
		free(number);
	}
	if (!good)
		return cli_usage("pub", "pub: --rate wants records per second, 0.000001 or more, not '%s'",
				 text);
	return -1;
}

static int parse_option(struct pub *p, int opt)
{
	switch (opt) {
	case 'W':
		return set_mode(p, WHOLE);
	case 'F':
		return set_mode(p, FRAMES);
	case 'L':
		return set_mode(p, PREFIXED);
	case 'T':
		return set_type(p, optarg);
	case 'r':
		return set_rate(p, optarg);
	case 's':
		p->split = true;
		return -1;
	case 'v':
		p->verbose = true;
		return -1;
	case 'h':
		return cli_help("pub", help);
	}
	return EXIT_USAGE;
}

int cmd_pub(int argc, char **argv)
{
	struct pub p = {};
	int opt, ret;

	while ((opt = cli_getopt(argc, argv, ":WFLT:r:svh", longs)) != -1) {
		ret = parse_option(&p, opt);
		if (ret >= 0)
			return ret;
	}
	if (p.has_type && p.mode == FRAMES)
		return cli_usage("pub", "pub: frames have types of their own, --type does not go with --frames");
	if (p.split && p.mode != LINES)
		return cli_usage("pub", "pub: --split is for lines");
	p.feed.name = argv[optind];
	if (optind < argc)
		optind++;
	return run(&p, argv + optind, argc - optind);
}
