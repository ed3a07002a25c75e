// SPDX-License-Identifier: GPL-2.0
/* write(): one record per call, or a run of frames. */
#include "ringbuf_test.h"

#define F(len) ((int)RINGBUF_FRAME_SIZE(len))

FIXTURE(ring) {
	struct rb_pair p;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=65536"));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
}

FIXTURE_TEARDOWN(ring)
{
	rb_pair_close(&self->p);
}

FIXTURE(small) {
	struct rb_pair p;
};

FIXTURE_SETUP(small)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096"));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
}

FIXTURE_TEARDOWN(small)
{
	rb_pair_close(&self->p);
}

static uint64_t head_seq(int fd)
{
	struct ringbuf_info i;

	return rb_info(fd, &i) ? -1 : i.head_seq;
}

static const struct ringbuf_record *in(void)
{
	return (const void *)rb_in;
}

TEST_F(ring, a_call_publishes_one_record)
{
	struct ringbuf_info i;
	uint64_t head = 0;

	for (int n = 0; n < 20; n++) {
		ASSERT_EQ(1 + n, rb_put(self->p.w, n, 1 + n));
		head += F(1 + n);
		ASSERT_EQ(0, rb_info(self->p.w, &i));
		EXPECT_EQ(n + 1, i.head_seq);
		EXPECT_EQ(head, i.head);
		EXPECT_EQ(0, i.tail);
		EXPECT_EQ(0, i.tail_seq);
	}
	ASSERT_EQ(head, read(self->p.r, rb_in, RB_MAX));
	EXPECT_TRUE(rb_frame_ok(in(), 0, 1));
	EXPECT_EQ(0, in()->type);
}

TEST_F(ring, a_write_of_nothing_is_no_record)
{
	EXPECT_EQ(0, RC(write(self->p.w, rb_out, 0)));
	EXPECT_EQ(0, RC(write(self->p.w, NULL, 0)));
	EXPECT_EQ(0, head_seq(self->p.w));
	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	EXPECT_EQ(0, RC(write(self->p.w, rb_out, 0)));
	EXPECT_EQ(0, head_seq(self->p.w));
	EXPECT_EQ(-EAGAIN, RC(read(self->p.r, rb_in, RB_MAX)));
}

TEST_F(small, max_record_is_the_largest)
{
	struct ringbuf_info i;

	ASSERT_EQ(0, rb_info(self->p.w, &i));
	EXPECT_EQ(4096 / 4 - 24, i.max_record);
	EXPECT_EQ(-EMSGSIZE, rb_put(self->p.w, 0, i.max_record + 1));
	EXPECT_EQ(-EMSGSIZE, rb_put(self->p.w, 0, 4096));
	EXPECT_EQ(-EMSGSIZE, rb_put(self->p.w, 0, RB_MAX));
	EXPECT_EQ(0, head_seq(self->p.w));
	EXPECT_EQ(i.max_record, rb_put(self->p.w, 0, i.max_record));
	EXPECT_EQ(F(i.max_record), read(self->p.r, rb_in, RB_MAX));
	EXPECT_TRUE(rb_frame_ok(in(), 0, i.max_record));
}

TEST_F(ring, a_length_beyond_31_bits_is_too_large)
{
	volatile size_t len = INT_MAX;

	EXPECT_EQ(-EMSGSIZE, RC(write(self->p.w, rb_out, len)));
	len = 1UL << 31;
	EXPECT_EQ(-EMSGSIZE, RC(write(self->p.w, rb_out, len)));
	EXPECT_EQ(0, head_seq(self->p.w));
}

TEST_F(small, a_writer_never_waits_for_lossy_consumers)
{
	struct ringbuf_info i;

	ASSERT_EQ(0, fcntl(self->p.w, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 5000, 100));
	ASSERT_EQ(0, rb_info(self->p.w, &i));
	EXPECT_EQ(5000, i.head_seq);
	EXPECT_EQ(5000 * F(100), i.head);
	EXPECT_EQ(i.tail_seq, i.overwritten);
	EXPECT_EQ(i.tail_seq * F(100), i.tail);
	EXPECT_GE(4096, i.head - i.tail);
	/* Room is made for a few records at a time, not for half the ring. */
	EXPECT_LE(2048, i.head - i.tail);
	EXPECT_EQ(0, i.dropped);
}

TEST_F(ring, a_run_of_frames_becomes_records_with_their_types)
{
	const struct ringbuf_record *rec = in();
	uint64_t before;
	size_t len = 0;

	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	for (int n = 0; n < 20; n++)
		len += rb_frame(rb_out + len, n, 1 + 3 * n, 1000 * n);
	before = rb_now_ns();
	EXPECT_EQ(len, RC(write(self->p.w, rb_out, len)));
	EXPECT_EQ(len, read(self->p.r, rb_in, RB_MAX));
	for (int n = 0; n < 20; n++, rec = rb_next(rec)) {
		EXPECT_TRUE(rb_frame_ok(rec, n, 1 + 3 * n));
		EXPECT_EQ(1000 * n, rec->type);
		EXPECT_LE(before, rec->time_ns + 1000);
	}
}

TEST_F(ring, seq_and_time_are_the_kernels_and_padding_is_zero)
{
	struct ringbuf_record *rec = (void *)rb_out;

	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	memset(rb_out, 0xff, 64);
	*rec = (struct ringbuf_record){
		.len = 3, .type = 0xffff, .seq = 77, .time_ns = 1,
	};
	rb_fill(rec + 1, 3, 0);
	EXPECT_EQ(F(3), RC(write(self->p.w, rb_out, F(3))));
	EXPECT_EQ(F(3), read(self->p.r, rb_in, RB_MAX));
	EXPECT_TRUE(rb_frame_ok(in(), 0, 3));
	EXPECT_EQ(0xffff, in()->type);
	EXPECT_NE(1, in()->time_ns);
}

/* A good frame's header with one thing wrong, in a call of @bytes. */
static const struct bad_frame {
	struct ringbuf_record rec;
	int bytes;
	int error;
	const char *what;
} bad_frames[] = {
	{ { .len = 8 }, 1, -EINVAL, "one byte" },
	{ { .len = 8 }, 23, -EINVAL, "part of a header" },
	{ { .len = 8 }, 24, -EINVAL, "a header alone" },
	{ { .len = 8 }, 31, -EINVAL, "part of a payload" },
	{ { .len = 5 }, 29, -EINVAL, "no padding" },
	{ { .len = 0 }, 24, -EINVAL, "an empty record" },
	{ { .len = 0 }, 64, -EINVAL, "an empty record and more" },
	{ { .len = 1000 }, 64, -EINVAL, "more than the call has" },
	{ { .len = 0x7fffffff }, 64, -EINVAL, "a 31-bit length" },
	{ { .len = 0xffffffff }, 64, -EINVAL, "a length that wraps" },
	{ { .len = 0xffffffe8 }, 64, -EINVAL, "a frame size that wraps" },
	{ { .len = 8, .flags = 2 }, 32, -EINVAL, "an unknown flag" },
	{ { .len = 8, .flags = 0x8000 }, 32, -EINVAL, "the last flag" },
	{ { .len = 16, .flags = 3 }, 40, -EINVAL, "LOST and an unknown flag" },
	{ { .len = 16, .flags = 1 }, 39, -EINVAL, "part of a LOST frame" },
	{ { .len = 8, .flags = 1 }, 32, -EINVAL, "a LOST frame of one count" },
	{ { .len = 24, .flags = 1 }, 48, -EINVAL, "a LOST frame of three" },
	{ { .len = 16361 }, F(16361), -EMSGSIZE, "above max_record" },
	{ { .len = 30000 }, F(30000), -EMSGSIZE, "far above max_record" },
};

TEST_F(ring, a_malformed_first_frame_is_an_error)
{
	const struct bad_frame *b;

	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	for (b = bad_frames; b < bad_frames + ARRAY_SIZE(bad_frames); b++) {
		memset(rb_out, 0, RB_MAX);
		memcpy(rb_out, &b->rec, sizeof(b->rec));
		EXPECT_EQ(b->error, RC(write(self->p.w, rb_out, b->bytes)))
			TH_LOG("%s", b->what);
		EXPECT_EQ(0, head_seq(self->p.w)) TH_LOG("%s", b->what);
	}
	EXPECT_EQ(-EAGAIN, RC(read(self->p.r, rb_in, RB_MAX)));
}

TEST_F(ring, a_malformed_later_frame_ends_the_run_before_it)
{
	const struct bad_frame *b;
	uint64_t n = 0;
	size_t len;

	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	for (b = bad_frames; b < bad_frames + ARRAY_SIZE(bad_frames); b++) {
		memset(rb_out, 0, RB_MAX);
		len = rb_frame(rb_out, n, 11, 1);
		len += rb_frame(rb_out + len, n + 1, 12, 2);
		memcpy(rb_out + len, &b->rec, sizeof(b->rec));
		EXPECT_EQ(len, RC(write(self->p.w, rb_out, len + b->bytes)))
			TH_LOG("%s", b->what);
		n += 2;
		EXPECT_EQ(n, head_seq(self->p.w)) TH_LOG("%s", b->what);
		EXPECT_EQ(len, RC(read(self->p.r, rb_in, RB_MAX)));
		EXPECT_TRUE(rb_frame_ok(in(), n - 2, 11));
		EXPECT_TRUE(rb_frame_ok(rb_next(in()), n - 1, 12));
	}
}

static size_t lost_frame(void *dst)
{
	size_t size = rb_frame(dst, 0, sizeof(struct ringbuf_lost), 0);

	((struct ringbuf_record *)dst)->flags = RINGBUF_RECORD_LOST;
	return size;
}

TEST_F(ring, loss_frames_are_skipped_and_counted_as_written)
{
	size_t len, kept;

	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	len = lost_frame(rb_out);
	EXPECT_EQ(len, RC(write(self->p.w, rb_out, len)));
	EXPECT_EQ(0, head_seq(self->p.w));

	kept = rb_frame(rb_out + len, 0, 5, 1);
	len += kept;
	len += lost_frame(rb_out + len);
	kept += rb_frame(rb_out + len, 1, 6, 2);
	len += F(6);
	len += lost_frame(rb_out + len);
	EXPECT_EQ(len, RC(write(self->p.w, rb_out, len)));
	EXPECT_EQ(2, head_seq(self->p.w));
	EXPECT_EQ(kept, RC(read(self->p.r, rb_in, RB_MAX)));
	EXPECT_TRUE(rb_frame_ok(in(), 0, 5));
	EXPECT_TRUE(rb_frame_ok(rb_next(in()), 1, 6));
	EXPECT_EQ(-EAGAIN, RC(read(self->p.r, rb_in, RB_MAX)));
}

TEST_F(small, what_a_read_returned_can_be_written_back)
{
	struct ringbuf_info i;
	const struct ringbuf_record *rec;
	uint64_t first, n;
	int len, again;

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 100, 20));
	ASSERT_EQ(0, rb_info(self->p.w, &i));
	first = i.tail_seq;
	len = read(self->p.r, rb_in, 1000);
	ASSERT_LT(RB_LOST_FRAME, len);
	ASSERT_NE(NULL, rb_lost(rb_in));
	while (read(self->p.r, rb_out, RB_MAX) > 0)
		;
	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	ASSERT_EQ(len, RC(write(self->p.w, rb_in, len)));
	again = read(self->p.r, rb_in, RB_MAX);
	EXPECT_EQ(len - RB_LOST_FRAME, again);
	rec = in();
	for (n = 0; n < again / F(20); n++, rec = rb_next(rec)) {
		EXPECT_EQ(100 + n, rec->seq);
		EXPECT_EQ(20, rec->len);
		EXPECT_TRUE(rb_intact(rec + 1, 20, first + n));
	}
}

TEST_F(small, a_run_longer_than_the_ring_is_published_whole)
{
	struct ringbuf_info i;
	size_t len = 0;

	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	for (int n = 0; n < 500; n++)
		len += rb_frame(rb_out + len, n, 100, 1);
	EXPECT_EQ(len, RC(write(self->p.w, rb_out, len)));
	ASSERT_EQ(0, rb_info(self->p.w, &i));
	EXPECT_EQ(500, i.head_seq);
	EXPECT_EQ(len, i.head);
	len = read(self->p.r, rb_in, RB_MAX);
	ASSERT_NE(NULL, rb_lost(rb_in));
	EXPECT_EQ(i.tail_seq, rb_lost(rb_in)->records);
	EXPECT_EQ(RB_LOST_FRAME + i.head - i.tail, len);
	EXPECT_TRUE(rb_frame_ok(rb_next(in()), i.tail_seq, 100));
}

TEST_F(ring, the_writer_may_go_back_to_plain_records)
{
	size_t len = rb_frame(rb_out, 0, 8, 5);

	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	ASSERT_EQ(len, RC(write(self->p.w, rb_out, len)));
	ASSERT_EQ(0, rb_set_writer(self->p.w, 0));
	ASSERT_EQ(len, RC(write(self->p.w, rb_out, len)));
	EXPECT_EQ(2, head_seq(self->p.w));
	EXPECT_EQ(F(8) + F(F(8)), read(self->p.r, rb_in, RB_MAX));
	EXPECT_EQ(0, rb_next(in())->type);
	EXPECT_EQ(0, memcmp(rb_next(in()) + 1, rb_out, len));
}

TEST_F(ring, a_new_writer_starts_plain_and_goes_on_counting)
{
	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	ASSERT_EQ(F(8), RC(write(self->p.w, rb_out, rb_frame(rb_out, 0, 8, 0))));
	close(self->p.w);
	self->p.w = rb_open(O_WRONLY);
	ASSERT_EQ(9, rb_put(self->p.w, 1, 9));
	EXPECT_EQ(F(8) + F(9), read(self->p.r, rb_in, RB_MAX));
	EXPECT_TRUE(rb_frame_ok(in(), 0, 8));
	EXPECT_TRUE(rb_frame_ok(rb_next(in()), 1, 9));
}

TEST_F(ring, append_makes_no_difference)
{
	close(self->p.w);
	self->p.w = rb_open(O_WRONLY | O_APPEND);
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 8));
	EXPECT_EQ(3 * F(8), read(self->p.r, rb_in, RB_MAX));
}

TEST_F(small, a_refused_frame_costs_no_older_record)
{
	static const struct ringbuf_record bad[] = {
		{ .len = 0 },
		{ .len = 8, .flags = 2 },
		{ .len = 1001 },
		{ .len = 8, .flags = RINGBUF_RECORD_LOST },
	};
	struct ringbuf_info i;

	/* Full to the last byte. */
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 128, 8));
	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	for (size_t n = 0; n < ARRAY_SIZE(bad); n++) {
		memset(rb_out, 0, 2048);
		memcpy(rb_out, &bad[n], sizeof(bad[n]));
		EXPECT_NE(0, RC(write(self->p.w, rb_out, 2048)));
		ASSERT_EQ(0, rb_info(self->p.r, &i));
		EXPECT_EQ(0, i.overwritten);
		EXPECT_EQ(128, i.head_seq);
	}
}

TEST_HARNESS_MAIN
