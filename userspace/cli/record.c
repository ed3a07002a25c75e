// SPDX-License-Identifier: GPL-2.0
/* ringbuf record: a ring's records in a file, as frames. */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli.h"
#include "out.h"
#include "procs.h"
#include "source.h"

static const char help[] =
	"\n"
	"Writes the records of a ring to FILE ('-' is standard output) as frames: what\n"
	"a read() of the device with RINGBUF_CONSUMER_FRAMED returns. Each is a struct\n"
	"ringbuf_record, the payload, and zeros up to a multiple of 8 bytes. A loss is\n"
	"a frame, too, and said on standard error. Goes on until it is stopped, by\n"
	"Ctrl-C say, and then exits with 0; the file ends with a whole frame, also when\n"
	"the disk is full.\n\n"
	SOURCE_FROM_HELP
	SOURCE_UNTIL_HELP
	SOURCE_HOW_HELP
	"  -v, --verbose        say at the end what was recorded\n"
	"  -h, --help\n";

struct recorder {
	struct source source;
	struct out out;
	const char *path;
	bool verbose;
	uint64_t records;
	uint64_t lost;
};

static void put_frame(struct recorder *r, const struct ringbuf_record *rec,
		      const void *data, uint64_t next)
{
	static const char zero[RINGBUF_ALIGN];

	out_bytes(&r->out, rec, sizeof(*rec));
	out_bytes(&r->out, data, rec->len);
	out_bytes(&r->out, zero, -rec->len % RINGBUF_ALIGN);
	out_record(&r->out, next);
}

static void put_lost(struct recorder *r, uint64_t seq, uint64_t records,
		     uint64_t bytes)
{
	const struct ringbuf_lost lost = { .records = records, .bytes = bytes };
	const struct ringbuf_record rec = {
		.len = sizeof(lost),
		.flags = RINGBUF_RECORD_LOST,
		.seq = seq,
	};

	r->lost += records;
	put_frame(r, &rec, &lost, seq + records);
}

static void put_record(struct recorder *r, const struct ringbuf_entry *e)
{
	const struct ringbuf_record rec = {
		.len = e->len,
		.type = e->type,
		.seq = e->seq,
		.time_ns = e->time_ns,
	};

	if (e->lost) {
		source_demoted(&r->source);
		source_lost(e);
		put_lost(r, e->seq - e->lost, e->lost, e->lost_bytes);
	}
	put_frame(r, &rec, e->data, e->seq + 1);
	r->records++;
}

/* Until the end, 0, or a failure. */
static int stream(struct recorder *r)
{
	struct ringbuf_entry e;
	bool last = false;
	int ret;

	for (;;) {
		/* What came before that is recorded. */
		if (cli_stopped && !last) {
			if (!source_stop(&r->source))
				return 0;
			last = true;
		}
		ret = source_next(&r->source, &e);
		if (ret == 2) {
			ret = out_flush(&r->out);
			if (!ret)
				ret = source_wait(&r->source, r->out.fd, -1);
			if (ret == 2 || ret == -EINTR)
				continue;
		}
		if (ret <= 0)
			return ret;
		put_record(r, &e);
		ret = r->out.len >= OUT_FULL ? out_flush(&r->out) : 0;
		if (ret)
			return ret;
	}
}

static void say_sum(const struct recorder *r)
{
	char bytes[16];

	if (r->verbose)
		cli_error("%s: %" PRIu64 " records, %s; %" PRIu64 " lost",
			  r->path, r->records, cli_bytes(bytes, r->out.bytes),
			  r->lost);
}

/* -1, or the exit status. */
static int open_file(struct recorder *r)
{
	if (!strcmp(r->path, "-")) {
		r->path = "standard output";
		r->out.fd = STDOUT_FILENO;
		if (isatty(STDOUT_FILENO))
			return cli_usage("record", "record: frames are nothing for a terminal");
	} else {
		r->out.fd = open(r->path,
				 O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	}
	/* A FIFO waits for who reads it. */
	if (r->out.fd < 0 && errno == EINTR && cli_stopped) {
		say_sum(r);
		return EXIT_OK;
	}
	/* Standard output may be closed. */
	if (r->out.fd < 0 || write(r->out.fd, "", 0) < 0) {
		cli_errno(errno, "%s", r->path);
		return EXIT_FAILED;
	}
	return -1;
}

/* A part of a frame, at the end, makes it a file that nobody can read on. */
static void cut_torn(struct recorder *r)
{
	off_t at = lseek(r->out.fd, 0, SEEK_CUR);
	struct stat st;

	if (!r->out.torn)
		return;
	if (at >= 0 && !fstat(r->out.fd, &st) && S_ISREG(st.st_mode) &&
	    !ftruncate(r->out.fd, at - r->out.part))
		return;
	cli_error("warning: %s ends within the frame of record %" PRIu64,
		  r->path, r->out.next);
}

static int output_failed(const struct recorder *r, int err)
{
	if (err == -EPIPE && r->out.fd == STDOUT_FILENO)
		return cli_broken_pipe();
	cli_output_failed(r->path, err);
	cli_error("%s ends before record %" PRIu64, r->path, r->out.next);
	return EXIT_FAILED;
}

static int finish(struct recorder *r, int ret)
{
	int flushed = out_flush(&r->out);
	int status = EXIT_OK;

	cut_torn(r);
	if (r->out.fd != STDOUT_FILENO && close(r->out.fd) && !flushed)
		flushed = -errno;
	if ((flushed && flushed != -EINTR) || ret == -EPIPE)
		return output_failed(r, flushed ? flushed : ret);
	if (ret && ret != -EINTR)
		status = source_failed(&r->source, ret);
	say_sum(r);
	/* A signal is how it is meant to end. */
	return source_demoted(&r->source) ? EXIT_FAILED : status;
}

/* Who forgot the file would record the ring into itself. */
static bool is_ring(const struct recorder *r)
{
	const char *path = strcmp(r->path, "-") ? r->path : NULL;
	struct stat st;

	if (cli_same_device(ringbuf_reader_fd(r->source.reader), STDOUT_FILENO,
			    path))
		return true;
	return !(path ? stat(path, &st) : fstat(STDOUT_FILENO, &st)) &&
	       is_ring_node(&st);
}

static bool is_fifo(const char *path)
{
	struct stat st;

	return strcmp(path, "-") && !stat(path, &st) && S_ISFIFO(st.st_mode);
}

/* What comes meanwhile would be lost, or hold the writer: no ring is open yet. */
static int open_fifo(struct recorder *r)
{
	cli_signals();
	return open_file(r);
}

static int begin(struct recorder *r, struct source_gap *gap)
{
	if (source_begin(&r->source, gap))
		return EXIT_FAILED;
	return r->out.fd < 0 ? open_file(r) : -1;
}

static int run(struct recorder *r)
{
	int status = is_fifo(r->path) ? open_fifo(r) : -1;
	struct source_gap gap;

	if (status >= 0)
		return status;
	if (source_open(&r->source))
		return EXIT_FAILED;
	if (is_ring(r)) {
		source_close(&r->source);
		return cli_usage("record", "record: %s is a ring, not a file; record wants RING FILE",
				 strcmp(r->path, "-") ? r->path :
				 "standard output");
	}
	cli_signals();
	status = begin(r, &gap);
	if (status < 0) {
		r->out.next = r->source.reader->seq - gap.records;
		if (gap.records) {
			source_gap(&gap);
			put_lost(r, gap.from, gap.records, 0);
		}
		status = finish(r, stream(r));
	}
	source_close(&r->source);
	out_free(&r->out);
	return status;
}

static const struct option longs[] = {
	SOURCE_LONGS,
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

int cmd_record(int argc, char **argv)
{
	struct recorder r = { .source = SOURCE_INIT, .out.fd = -1 };
	int opt, ret;

	while ((opt = cli_getopt(argc, argv, ":" SOURCE_OPTIONS "vh",
				 longs)) != -1) {
		ret = source_option(&r.source, "record", opt, optarg);
		if (ret < 0)
			return EXIT_USAGE;
		if (opt == 'h')
			return cli_help("record", help);
		if (opt == 'v')
			r.verbose = true;
		else if (!ret)
			return EXIT_USAGE;
	}
	if (argc - optind < 1 || argc - optind > 2)
		return cli_usage("record", "record: wants a file, or a ring and a file");
	if (argc - optind == 2)
		r.source.name = argv[optind++];
	r.path = argv[optind];
	return run(&r);
}
