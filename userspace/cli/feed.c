// SPDX-License-Identifier: GPL-2.0
/* What the commands that write a ring share: rate, progress, the account. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "cli.h"
#include "feed.h"

#define MS			1000000ULL

/* Progress is shown of what takes longer, and so often. */
#define PROGRESS_AFTER		(2000 * MS)
#define PROGRESS_EVERY		(250 * MS)

/* What is not worth a sleep: short ones take longer than they should. */
#define RATE_SLACK		(1 * MS)

/* Whoever is late, because there was no input, may catch up on so much. */
#define RATE_BURST		(10 * MS)

bool feed_rate(const char *text, double *rate)
{
	return cli_seconds(text, rate) && *rate >= FEED_SLOWEST;
}

int feed_open(struct feed *f)
{
	int ret = cli_check_ring(f->name);

	if (!ret)
		ret = ringbuf_publisher_open(&f->publisher, f->name, 0);
	if (!ret) {
		ret = ringbuf_publisher_info(f->publisher, &f->info);
		if (ret)
			ringbuf_publisher_close(f->publisher);
	}
	if (ret) {
		cli_open_failed(f->name, ret);
		return -1;
	}
	f->start = cli_now();
	f->due = f->start;
	f->progress = isatty(STDERR_FILENO);
	return 0;
}

static void show_progress(struct feed *f, uint64_t now)
{
	double seconds = (now - f->start) / 1e9;
	char count[16], rate[16], bytes[16], eta[16];

	fprintf(stderr, "\r%s records, %s, %s/s", cli_count(count, f->records),
		cli_bytes(bytes, f->bytes),
		cli_count(rate, f->records / seconds));
	if (f->size && f->done)
		fprintf(stderr, ", %.0f%%, ETA %s",
			100.0 * f->done / f->size,
			cli_time(eta, f->done >= f->size ? 0 :
				 seconds * (f->size - f->done) / f->done));
	fputs("\033[K", stderr);
	fflush(stderr);
	f->shown = now;
}

static void look_at_progress(struct feed *f, uint64_t now)
{
	if (f->progress && now - f->start >= PROGRESS_AFTER &&
	    now - f->shown >= PROGRESS_EVERY)
		show_progress(f, now);
}

void feed_clear(struct feed *f)
{
	if (f->shown)
		fputs("\r\033[K", stderr);
	f->shown = 0;
}

int feed_flush(struct feed *f)
{
	int ret;

	look_at_progress(f, cli_now());
	do {
		ret = ringbuf_flush(f->publisher);
	} while (ret == -EINTR && !cli_stopped);
	return ret;
}

int feed_sleep(struct feed *f, uint64_t when)
{
	uint64_t now = cli_now(), until;
	struct timespec ts;
	int ret = feed_flush(f);

	while (!ret && now < when) {
		if (cli_stopped)
			return -EINTR;
		until = when;
		if (f->progress && until - now > PROGRESS_EVERY)
			until = now + PROGRESS_EVERY;
		ts.tv_sec = until / 1000000000;
		ts.tv_nsec = until % 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		now = cli_now();
		look_at_progress(f, now);
	}
	return ret;
}

/* By a schedule, so that sleeps which are too long do not add up. */
static int pace(struct feed *f)
{
	uint64_t now = cli_now();
	int ret = 0;

	if (f->due > now + RATE_SLACK)
		ret = feed_sleep(f, f->due);
	else if (f->due + RATE_BURST < now)
		f->due = now - RATE_BURST;
	f->due += 1e9 / f->rate;
	return ret;
}

int feed_put(struct feed *f, uint16_t type, const void *data, size_t len)
{
	int ret = f->rate > 0 ? pace(f) : 0;

	if (ret)
		return ret;
	if (f->progress && !(f->records & 1023))
		look_at_progress(f, cli_now());
	do {
		ret = ringbuf_put(f->publisher, type, data, len);
	} while (ret == -EINTR && !cli_stopped);
	if (ret) {
		f->error = ret;
		return ret;
	}
	f->records++;
	f->bytes += len;
	return 0;
}

static void sum_up(const struct feed *f, uint64_t published)
{
	double seconds = (cli_now() - f->start) / 1e9;
	char bytes[16], time[16], rate[16];

	cli_error("published %" PRIu64 " records, %s, in %s (%s/s)", published,
		  cli_bytes(bytes, f->bytes), cli_time(time, seconds),
		  cli_count(rate, published / seconds));
}

/*
 * How many records have been published in the end. Closing tries to flush once
 * more, so the ring is asked afterwards, by a file that still keeps others from
 * writing.
 */
static uint64_t close_publisher(struct feed *f)
{
	int fd = dup(ringbuf_publisher_fd(f->publisher));
	struct ringbuf_info now = f->info;

	ringbuf_publisher_info(f->publisher, &now);
	ringbuf_publisher_close(f->publisher);
	if (fd >= 0 && !ringbuf_publisher_fdopen(&f->publisher, fd, 0)) {
		ringbuf_publisher_info(f->publisher, &now);
		ringbuf_publisher_close(f->publisher);
	} else if (fd >= 0) {
		close(fd);
	}
	return now.head_seq - f->info.head_seq;
}

int feed_close(struct feed *f, int status, bool verbose)
{
	uint64_t published;
	int ret = feed_flush(f);

	if (!ret)
		ret = f->error;
	feed_clear(f);
	published = close_publisher(f);
	if (ret == -ENODEV)
		cli_error("the ring '%s' has been destroyed", f->info.name);
	if (published < f->records || (ret && ret != -EINTR)) {
		cli_errno(ret ? ret : EIO,
			  "no more than %" PRIu64 " of %" PRIu64 " records could be published",
			  published, f->records + !!f->error);
		return EXIT_FAILED;
	}
	if (verbose)
		sum_up(f, published);
	return status;
}
