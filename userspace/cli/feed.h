/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands that write a ring share: rate, progress, the account. */
#ifndef RINGBUF_CLI_FEED_H
#define RINGBUF_CLI_FEED_H

#include <libringbuf.h>

/**
 * struct feed - A ring that is being written
 * @name: as on the command line, or NULL
 * @rate: records per second at most, 0: any
 * @publisher: the ring
 * @info: of it, when it was opened
 * @start: when that was
 * @due: when the next record may go, for @rate
 * @error: of a record that could not be put
 * @records: records put
 * @bytes: bytes of their payloads
 * @size: bytes of input to come in all, 0: unknown
 * @done: bytes of input so far
 * @progress: stderr is a terminal
 * @shown: when progress was shown last, 0: never
 */
struct feed {
	const char *name;
	double rate;
	struct ringbuf_publisher *publisher;
	struct ringbuf_info info;
	uint64_t start;
	uint64_t due;
	int error;
	uint64_t records;
	uint64_t bytes;
	uint64_t size;
	uint64_t done;
	bool progress;
	uint64_t shown;
};

/* A rate or a speed: FEED_SLOWEST at least, so that no time is out of range. */
#define FEED_SLOWEST	0.000001
bool feed_rate(const char *text, double *rate);

/* 0, or -1: said what is wrong. */
int feed_open(struct feed *feed);

/* 0 or a negative errno: -EINTR when cli_stopped. */
int feed_put(struct feed *feed, uint16_t type, const void *data, size_t len);
int feed_flush(struct feed *feed);

/* Publishes what there is, and sleeps until cli_now() is @when. The same. */
int feed_sleep(struct feed *feed, uint64_t when);

/* Removes the line of the progress, before something is said. */
void feed_clear(struct feed *feed);

/*
 * Ends it. @status is what the command would end with; returns that, or
 * EXIT_FAILED, said why, if some records could not be published.
 */
int feed_close(struct feed *feed, int status, bool verbose);

#endif /* RINGBUF_CLI_FEED_H */
