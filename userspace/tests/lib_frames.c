// SPDX-License-Identifier: GPL-2.0
/* Readers that have frames from a pipe, which can tell them anything. */
#include <fcntl.h>
#include <unistd.h>
#include "lib_host.h"

static struct feed *f;
static struct ringbuf_reader *r;
static int fds[2];

/* The ring behind it knows of 1000 records of 32 bytes. */
static bool start(void)
{
	int i;

	f = feed_new(65536, 0, 0);
	for (i = 0; i < 1000; i++)
		feed_put(f, 1);
	CHECK_EQ(0, pipe(fds));
	r = host_stream(f, fds[0]);
	return true;
}

static bool stop(void)
{
	host_close(r);
	feed_free(f);
	close(fds[0]);
	close(fds[1]);
	return true;
}

static size_t record(void *to, uint64_t seq)
{
	struct ringbuf_record rec = {
		.len = 8, .type = 1, .seq = seq, .time_ns = seq + 1,
	};
	uint64_t word = feed_word(seq, 0);

	memcpy(to, &rec, sizeof(rec));
	memcpy((char *)to + sizeof(rec), &word, 8);
	return 32;
}

static size_t loss(void *to, uint64_t seq, uint64_t records, uint64_t bytes)
{
	struct {
		struct ringbuf_record rec;
		struct ringbuf_lost lost;
	} frame = {
		.rec.len = sizeof(frame.lost), .rec.seq = seq,
		.rec.flags = RINGBUF_RECORD_LOST,
		.lost.records = records, .lost.bytes = bytes,
	};

	memcpy(to, &frame, sizeof(frame));
	return sizeof(frame);
}

static bool counts(uint64_t read, uint64_t lost, uint64_t lost_bytes)
{
	struct ringbuf_stats s;

	CHECK_EQ(0, ringbuf_reader_stats(r, &s));
	CHECK_EQ(read, s.read_records);
	CHECK_EQ(read * 32, s.read_bytes);
	CHECK_EQ(lost, s.lost_records);
	CHECK_EQ(lost_bytes, s.lost_bytes);
	CHECK_EQ(1000 - read - lost, s.lag_records);
	CHECK_EQ(32000 - read * 32 - lost_bytes, s.lag_bytes);
	return true;
}

static bool get(uint64_t seq, uint64_t lost, uint64_t lost_bytes)
{
	struct ringbuf_entry e;

	CHECK_EQ(1, ringbuf_next(r, &e));
	CHECK(host_record(&e, seq, 1));
	CHECK_EQ(lost, e.lost);
	CHECK_EQ(lost_bytes, e.lost_bytes);
	CHECK(ringbuf_intact(r));
	CHECK(ringbuf_release(r));
	return true;
}

bool stream_losses(void)
{
	struct ringbuf_entry e;
	char b[1024];
	size_t n = 0;

	if (!start())
		return false;
	CHECK_EQ(0, ringbuf_next(r, &e));
	/* First, in the middle, twice in a row, of seqs only, and last. */
	n += loss(b + n, 0, 5, 160);
	n += record(b + n, 5);
	n += record(b + n, 6);
	n += loss(b + n, 7, 3, 96);
	n += loss(b + n, 10, 2, 64);
	n += record(b + n, 12);
	n += loss(b + n, 13, 4, 0);
	n += record(b + n, 17);
	n += loss(b + n, 18, 10, 320);
	CHECK_EQ(n, write(fds[1], b, n));
	/* The feed's own tail is at 0: all else is told by the frames. */
	CHECK(counts(0, 0, 0));
	CHECK_EQ(1, ringbuf_next(r, &e));
	CHECK(counts(0, 24, 640));
	CHECK(get(5, 5, 160) && counts(1, 24, 640));
	CHECK(get(6, 0, 0) && counts(2, 24, 640));
	CHECK(get(12, 5, 160) && counts(3, 24, 640));
	CHECK(get(17, 4, 0) && counts(4, 24, 640));
	CHECK_EQ(0, ringbuf_next(r, &e));
	CHECK(counts(4, 24, 640));
	n = record(b, 28);
	CHECK_EQ(n, write(fds[1], b, n));
	CHECK_EQ(1, ringbuf_arm(r));
	CHECK(get(28, 10, 320) && counts(5, 24, 640));
	/* A LOST frame alone in a buffer, then one more. */
	n = loss(b, 29, 1, 32);
	CHECK_EQ(n, write(fds[1], b, n));
	CHECK_EQ(0, ringbuf_next(r, &e));
	CHECK(counts(5, 25, 672));
	n = loss(b, 30, 1, 32);
	CHECK_EQ(n, write(fds[1], b, n));
	CHECK_EQ(0, ringbuf_arm(r));
	CHECK(counts(5, 26, 704));
	n = record(b, 31);
	CHECK_EQ(n, write(fds[1], b, n));
	CHECK(get(31, 2, 64) && counts(6, 26, 704));
	return stop();
}

/* Frames that are not whole, or none at all. */
static bool is_bad(const void *frames, size_t n)
{
	struct ringbuf_entry e;
	int i;

	if (!start())
		return false;
	CHECK_EQ(n, write(fds[1], frames, n));
	for (i = 0; i < 3; i++) {
		CHECK_EQ(-EBADMSG, ringbuf_next(r, &e));
		CHECK_EQ(-EBADMSG, ringbuf_read(r, &e));
		CHECK(!ringbuf_release(r));
	}
	CHECK(counts(0, 0, 0));
	return stop();
}

bool stream_partial(void)
{
	struct ringbuf_record *rec;
	struct ringbuf_entry e;
	_Alignas(8) char b[128];

	record(b, 0);
	CHECK(is_bad(b, 31) && is_bad(b, 24) && is_bad(b, 23) && is_bad(b, 1));
	rec = (void *)b;
	rec->len = 0;
	CHECK(is_bad(b, 32));
	rec->len = 0xffffffff;
	CHECK(is_bad(b, 32));
	loss(b, 0, 1, 32);
	rec->len = 8;
	CHECK(is_bad(b, 40));
	/* Behind a whole one; the writer's end closed: the end. */
	CHECK(start());
	record(b, 0);
	record(b + 32, 1);
	CHECK_EQ(40, write(fds[1], b, 40));
	CHECK(get(0, 0, 0));
	CHECK_EQ(-EBADMSG, ringbuf_next(r, &e));
	stop();
	/* Not in order. */
	CHECK(start());
	record(b, 5);
	record(b + 32, 3);
	CHECK_EQ(64, write(fds[1], b, 64));
	CHECK(get(5, 5, 0));
	CHECK_EQ(-EBADMSG, ringbuf_next(r, &e));
	stop();
	CHECK(start());
	record(b, 0);
	record(b + 32, 1);
	CHECK_EQ(64, write(fds[1], b, 64));
	close(fds[1]);
	CHECK(get(0, 0, 0) && get(1, 0, 0));
	CHECK_EQ(-ENODATA, ringbuf_next(r, &e));
	CHECK_EQ(-ENODATA, ringbuf_wait(r, -1));
	CHECK(counts(2, 0, 0));
	return stop();
}

bool fuzz_stream(void)
{
	struct ringbuf_stats s;
	struct ringbuf_entry e;
	_Alignas(8) char b[4096];
	size_t n, seq;
	int i, k, ret, got = 0;

	for (i = 0; i < 5000; i++) {
		if (!start())
			return false;
		for (n = seq = 0; n < 3000; seq++)
			n += host_random() % 4 ? record(b + n, seq) :
				loss(b + n, seq, host_random() % 3,
				     host_random() % 3 * 32);
		for (k = host_random() % 8; k; k--)
			b[host_random() % n] = host_random();
		n = host_random() % n;
		if (write(fds[1], b, n) != (ssize_t)n)
			return false;
		for (k = 0; k < 200; k++) {
			ret = host_random() % 2 ? ringbuf_next(r, &e) :
						  ringbuf_read(r, &e);
			CHECK(ret == 1 || ret == 0 || ret == -EBADMSG);
			CHECK_EQ(0, ringbuf_reader_stats(r, &s));
			if (ret <= 0)
				break;
			CHECK(e.len <= n);
			got += *((const unsigned char *)e.data + e.len - 1) > 0;
			ringbuf_release(r);
		}
		stop();
	}
	CHECK(got > 10000);
	return true;
}
