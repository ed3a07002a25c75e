// SPDX-License-Identifier: GPL-2.0
/* What the commands that read a ring share: where to begin, how to wait. */

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli.h"
#include "source.h"

static bool from_is_valid(const char *from)
{
	uint64_t n;

	return !strcmp(from, "oldest") || !strcmp(from, "newest") ||
	       (cli_u64(from + (*from == '-'), &n) && n <= INT64_MAX);
}

static int wake_option(const char *command, const char *option,
		       const char *value, uint32_t *to)
{
	uint64_t n;

	if (!cli_u64(value, &n) || n > UINT32_MAX) {
		cli_usage(command, "%s: --%s wants a number, not '%s'", command,
			  option, value);
		return -1;
	}
	*to = n;
	return 1;
}

int source_option(struct source *s, const char *command, int option,
		  const char *value)
{
	switch (option) {
	case 'f':
		s->from = value;
		if (from_is_valid(value))
			return 1;
		cli_usage(command, "%s: --from wants oldest, newest, a record's number, or -N, not '%s'",
			  command, value);
		return -1;
	case 'c':
		if (cli_u64(value, &s->count))
			return 1;
		cli_usage(command, "%s: --count wants a number, not '%s'",
			  command, value);
		return -1;
	case 't':
		if (cli_seconds(value, &s->timeout))
			return 1;
		cli_usage(command, "%s: --timeout wants seconds, not '%s'",
			  command, value);
		return -1;
	case 'B':
		return wake_option(command, "wake-bytes", value,
				   &s->wake_bytes);
	case 'N':
		return wake_option(command, "wake-records", value,
				   &s->wake_records);
	case 'A':
		if (cli_duration(value, &s->wake_ns))
			return 1;
		cli_usage(command, "%s: --wake-after wants a time, such as 10ms or 0.5s, not '%s'",
			  command, value);
		return -1;
	case 'L':
		s->reliable = true;
		return 1;
	case 'e':
		s->until_eof = true;
		return 1;
	case 'n':
		s->follow = false;
		return 1;
	}
	return 0;
}

static bool is_marked(const struct source *s)
{
	return s->wake_bytes || s->wake_records || s->wake_ns;
}

/* The ring's description, and when to wake. */
static int set_up(struct source *s)
{
	int ret = ringbuf_reader_info(s->reader, &s->info);

	/* There will be no more than that to wake up for. */
	if (s->wake_records > s->count)
		s->wake_records = s->count;
	if (!ret && is_marked(s))
		ret = ringbuf_reader_set_wake(s->reader, s->wake_bytes,
					      s->wake_records, s->wake_ns);
	return ret;
}

static void open_failed(const struct source *s, int err)
{
	if (s->reliable && err == -EPERM)
		cli_error("the ring '%s' allows no reliable readers; see --reliable of ringbuf create, and reliable=1 of the module for the default ring",
			  s->name ? s->name : "ringbuf");
	else
		cli_open_failed(s->name, err);
}

int source_open(struct source *s)
{
	unsigned int flags = (s->until_eof ? RINGBUF_READER_EOF : 0) |
			     (s->reliable ? RINGBUF_READER_RELIABLE : 0);
	int ret;

	ret = cli_check_ring(s->name);
	if (!ret)
		ret = ringbuf_reader_open(&s->reader, s->name, flags);
	if (!ret) {
		ret = set_up(s);
		if (ret)
			source_close(s);
	}
	if (ret) {
		open_failed(s, ret);
		return -1;
	}
	s->last_at = cli_now();
	return 0;
}

void source_close(struct source *s)
{
	ringbuf_reader_close(s->reader);
	s->reader = NULL;
}

static int seek_failed(const struct source *s, int err)
{
	if (err == -EINVAL)
		cli_error("there is no record %s yet; the next one will be %" PRIu64,
			  s->from, (uint64_t)s->info.head_seq);
	else
		cli_errno(err, "cannot go to record %s", s->from);
	return -1;
}

int source_begin(struct source *s, struct source_gap *gap)
{
	const char *from = s->from ? s->from : "oldest";
	uint64_t n = 0;
	int64_t at;

	memset(gap, 0, sizeof(*gap));
	if (!strcmp(from, "oldest"))
		return 0;
	if (!strcmp(from, "newest")) {
		at = ringbuf_reader_seek(s->reader, 0, SEEK_END);
		return at < 0 ? seek_failed(s, at) : 0;
	}
	cli_u64(from + (*from == '-'), &n);
	if (*from == '-') {
		/* If there are fewer, that is no loss. */
		at = ringbuf_reader_seek(s->reader, -(int64_t)n, SEEK_END);
		return at < 0 ? seek_failed(s, at) : 0;
	}
	at = ringbuf_reader_seek(s->reader, n, SEEK_SET);
	if (at < 0)
		return seek_failed(s, at);
	gap->from = n;
	gap->records = at - n;
	return 0;
}

int source_next(struct source *s, struct ringbuf_entry *e)
{
	int ret;

	if (!s->count || (!s->follow && s->reader->seq >= s->info.head_seq))
		return 0;
	/* What woke us was not that there is enough. */
	if (s->waiting && s->follow && !ringbuf_arm(s->reader))
		return 2;
	s->waiting = false;
	ret = ringbuf_read(s->reader, e);
	if (!ret)
		return s->follow ? 2 : 0;
	if (ret == -ENODATA)
		return 0;
	if (ret < 0)
		return ret;
	s->count--;
	s->got = true;
	return 1;
}

static int64_t left_ms(const struct source *s)
{
	double left;

	if (s->timeout < 0)
		return -1;
	left = s->timeout - (cli_now() - s->last_at) / 1e9;
	return left > 0 ? left * 1000 + 1 : 0;
}

/* Too little to wake up for is not to be left behind. */
static int timed_out(struct source *s)
{
	struct ringbuf_entry e;

	s->waiting = false;
	return ringbuf_next(s->reader, &e) > 0 ? 2 : 0;
}

int source_wait(struct source *s, int out, int64_t ms)
{
	struct pollfd fds[] = {
		{ .fd = ringbuf_reader_fd(s->reader), .events = POLLIN },
		/* POLLERR when nobody reads what we write. */
		{ .fd = out },
	};
	int ret = ringbuf_arm(s->reader);
	int64_t left;

	source_demoted(s);
	s->waiting = !ret;
	if (s->got)
		s->last_at = cli_now();
	s->got = false;
	left = left_ms(s);
	if (!ret) {
		if (left >= 0 && (ms < 0 || left < ms))
			ms = left;
		ret = poll(fds, 2, ms > 1000000 ? 1000000 : (int)ms);
		if (ret < 0)
			return -errno;
		if (ret && fds[1].revents)
			return -EPIPE;
		if (ret)
			ret = ringbuf_wait(s->reader, 0);
	}
	if (ret == -ENODATA)
		return 0;
	if (ret < 0)
		return ret;
	s->waiting = !ret;
	if (!ret && s->timeout >= 0 && !left_ms(s))
		return timed_out(s);
	return 2;
}

bool source_stop(struct source *s)
{
	if (!is_marked(s) || !s->follow ||
	    ringbuf_reader_info(s->reader, &s->info))
		return false;
	s->follow = false;
	return true;
}

bool source_demoted(struct source *s)
{
	struct ringbuf_stats stats;

	if (!s->reliable || s->demoted ||
	    ringbuf_reader_stats(s->reader, &stats) ||
	    !(stats.flags & RINGBUF_STATS_DEMOTED))
		return s->demoted;
	s->demoted = true;
	cli_error("this reader has held the writer of the ring '%s' for too long: it waits no more, and records may be lost",
		  s->info.name);
	return true;
}

int source_failed(const struct source *s, int err)
{
	if (err != -ENODEV) {
		cli_errno(err, "reading the ring '%s' failed", s->info.name);
		return EXIT_FAILED;
	}
	cli_error("the ring '%s' has been destroyed", s->info.name);
	/* That is an end, too. */
	return s->until_eof ? EXIT_OK : EXIT_FAILED;
}

void source_lost(const struct ringbuf_entry *e)
{
	cli_error("lost %" PRIu64 " record%s (%" PRIu64 " bytes) before %" PRIu64,
		  e->lost, e->lost == 1 ? "" : "s", e->lost_bytes, e->seq);
}

void source_gap(const struct source_gap *gap)
{
	cli_error("lost %" PRIu64 " record%s before %" PRIu64, gap->records,
		  gap->records == 1 ? "" : "s", gap->from + gap->records);
}
