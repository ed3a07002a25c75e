/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands that read a ring share: where to begin, how to wait. */
#ifndef RINGBUF_CLI_SOURCE_H
#define RINGBUF_CLI_SOURCE_H

#include <libringbuf.h>

/* The help text of the options below. */
#define SOURCE_FROM_HELP \
	"  -f, --from WHERE     begin at 'oldest' (the default), at 'newest': records to\n" \
	"                       come, at record number SEQ, or at the last N: -N\n"
#define SOURCE_UNTIL_HELP \
	"  -c, --count N        end after N records\n" \
	"  -e, --until-eof      end when all is read and nobody writes\n" \
	"  -n, --no-follow      end with the newest record there is now\n" \
	"  -t, --timeout SEC    end when no record came for SEC seconds\n"
#define SOURCE_HOW_HELP \
	"  -L, --reliable       lose nothing: the writer waits, if the ring allows that\n" \
	"  -B, --wake-bytes N   wake up not for each record, but for so many bytes,\n" \
	"  -N, --wake-records N so many records,\n" \
	"  -A, --wake-after TIME   or once one has waited for so long, such as 10ms;\n" \
	"                       whichever comes first. Half a ring wakes always.\n"

/**
 * struct source - A ring that is being read
 * @name: as on the command line, or NULL
 * @from: --from, or NULL
 * @count: --count: records left to read
 * @until_eof: --until-eof
 * @follow: not --no-follow
 * @timeout: --timeout in seconds, or a negative number
 * @reliable: --reliable
 * @wake_bytes: --wake-bytes
 * @wake_records: --wake-records
 * @wake_ns: --wake-after
 * @reader: the ring
 * @info: of it, when it was opened
 * @got: records since the last source_wait()
 * @last_at: when the last record came
 * @waiting: when it was last asked there was not enough to wake up for
 * @demoted: the writer has ceased to wait for it, and that has been said
 */
struct source {
	const char *name;
	const char *from;
	uint64_t count;
	bool until_eof;
	bool follow;
	double timeout;
	bool reliable;
	uint32_t wake_bytes;
	uint32_t wake_records;
	uint64_t wake_ns;
	struct ringbuf_reader *reader;
	struct ringbuf_info info;
	bool got;
	uint64_t last_at;
	bool waiting;
	bool demoted;
};

/* Records from @from on that are gone, and of which no entry will tell. */
struct source_gap {
	uint64_t from;
	uint64_t records;
};

#define SOURCE_INIT \
	{ .count = UINT64_MAX, .follow = true, .timeout = -1 }

/* For getopt_long() */
#define SOURCE_OPTIONS	"f:c:ent:LB:N:A:"
#define SOURCE_LONGS \
	{ "from", required_argument, NULL, 'f' }, \
	{ "count", required_argument, NULL, 'c' }, \
	{ "until-eof", no_argument, NULL, 'e' }, \
	{ "no-follow", no_argument, NULL, 'n' }, \
	{ "timeout", required_argument, NULL, 't' }, \
	{ "reliable", no_argument, NULL, 'L' }, \
	{ "wake-bytes", required_argument, NULL, 'B' }, \
	{ "wake-records", required_argument, NULL, 'N' }, \
	{ "wake-after", required_argument, NULL, 'A' }

/* 1: it was one of the above; 0: it was not; -1: said what is wrong with it. */
int source_option(struct source *source, const char *command, int option,
		  const char *value);

/* 0, or -1: said what is wrong. */
int source_open(struct source *source);
void source_close(struct source *source);

/* To --from. 0, or -1: said what is wrong. */
int source_begin(struct source *source, struct source_gap *gap);

/*
 * The next record, once it is there: 1; 0 at the end that was asked for; 2 when
 * there is none now, for source_wait(); or a negative errno.
 */
int source_next(struct source *source, struct ringbuf_entry *entry);

/*
 * Until there is more, for @ms at most if that is not negative: 2; 0 after
 * --timeout and at the end; -EPIPE when nobody reads @out any more; or another
 * negative errno.
 */
int source_wait(struct source *source, int out, int64_t ms);

/*
 * To be called when it is to be stopped, and then no more waited for: whether
 * there may be records that it was not woken for, which source_next() now gives.
 */
bool source_stop(struct source *source);

/* Has the writer ceased to wait for it? Asks the kernel, and says so once. */
bool source_demoted(struct source *source);

/* Says why there is no more. Returns the exit status. */
int source_failed(const struct source *source, int err);

/* Says on stderr what was lost before a record; of a gap the bytes are unknown. */
void source_lost(const struct ringbuf_entry *entry);
void source_gap(const struct source_gap *gap);

#endif /* RINGBUF_CLI_SOURCE_H */
