// SPDX-License-Identifier: GPL-2.0
/* read() of a FRAMED consumer: whole frames, and losses in-band. */
#include "ringbuf_test.h"

#include <sys/timex.h>

#define F(len) ((int)RINGBUF_FRAME_SIZE(len))

FIXTURE(ring) {
	struct rb_pair p;
};

FIXTURE_VARIANT(ring) {
	const char *params;
};

FIXTURE_VARIANT_ADD(ring, roomy) {
	.params = "size=65536",
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, variant->params));
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

static const struct ringbuf_record *in(void)
{
	return (const void *)rb_in;
}

TEST_F(ring, all_that_fits_comes_in_one_call)
{
	static const int lens[] = { 1, 7, 8, 9, 100, 1000 };
	const struct ringbuf_record *rec = in();
	int i, total = 0;

	for (i = 0; i < 6; i++) {
		ASSERT_EQ(lens[i], rb_put(self->p.w, i, lens[i]));
		total += F(lens[i]);
	}
	memset(rb_in, 0xee, RB_MAX);
	EXPECT_EQ(total, read(self->p.r, rb_in, RB_MAX));
	for (i = 0; i < 6; i++) {
		EXPECT_TRUE(rb_frame_ok(rec, i, lens[i]));
		EXPECT_EQ(0, rec->type);
		rec = rb_next(rec);
	}
	EXPECT_EQ(0xee, rb_in[total]);
	EXPECT_EQ(-EAGAIN, RC(read(self->p.r, rb_in, RB_MAX)));
}

TEST_F(ring, only_whole_frames_are_returned)
{
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 10, 20));
	EXPECT_EQ(2 * F(20), read(self->p.r, rb_in, 3 * F(20) - 1));
	EXPECT_EQ(3 * F(20), read(self->p.r, rb_in, 3 * F(20)));
	EXPECT_TRUE(rb_frame_ok(in(), 2, 20));
	EXPECT_EQ(F(20), read(self->p.r, rb_in, F(20)));
	EXPECT_TRUE(rb_frame_ok(in(), 5, 20));
	EXPECT_EQ(4 * F(20), read(self->p.r, rb_in, RB_MAX));
	EXPECT_TRUE(rb_frame_ok(in(), 6, 20));
}

TEST_F(ring, a_buffer_below_one_frame_loses_nothing)
{
	struct ringbuf_stats before, after;

	ASSERT_EQ(20, rb_put(self->p.w, 0, 20));
	ASSERT_EQ(0, rb_stats(self->p.r, &before));
	EXPECT_EQ(-EMSGSIZE, RC(read(self->p.r, rb_in, 1)));
	EXPECT_EQ(-EMSGSIZE, RC(read(self->p.r, rb_in, RB_HEADER)));
	/* The padding belongs to the frame. */
	EXPECT_EQ(-EMSGSIZE, RC(read(self->p.r, rb_in, RB_HEADER + 20)));
	EXPECT_EQ(-EMSGSIZE, RC(read(self->p.r, rb_in, F(20) - 1)));
	ASSERT_EQ(0, rb_stats(self->p.r, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	EXPECT_EQ(F(20), read(self->p.r, rb_in, F(20)));
	EXPECT_TRUE(rb_frame_ok(in(), 0, 20));
}

TEST_F(ring, a_frame_that_does_not_fit_ends_the_call_before_it)
{
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	ASSERT_EQ(5000, rb_put(self->p.w, 1, 5000));
	ASSERT_EQ(8, rb_put(self->p.w, 2, 8));
	EXPECT_EQ(F(8), read(self->p.r, rb_in, 4096));
	EXPECT_EQ(-EMSGSIZE, RC(read(self->p.r, rb_in, 4096)));
	EXPECT_EQ(F(5000) + F(8), read(self->p.r, rb_in, RB_MAX));
	EXPECT_TRUE(rb_frame_ok(in(), 1, 5000));
	EXPECT_TRUE(rb_frame_ok(rb_next(in()), 2, 8));
}

TEST_F(ring, a_read_of_nothing_changes_nothing)
{
	EXPECT_EQ(0, RC(read(self->p.r, rb_in, 0)));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	EXPECT_EQ(0, RC(read(self->p.r, rb_in, 0)));
	EXPECT_EQ(F(8), read(self->p.r, rb_in, RB_MAX));
}

TEST_F(ring, an_empty_ring_blocks_until_a_record_comes)
{
	struct rb_op op;

	EXPECT_EQ(-EAGAIN, RC(read(self->p.r, rb_in, RB_MAX)));
	ASSERT_EQ(0, fcntl(self->p.r, F_SETFL, 0));
	ASSERT_TRUE(rb_op_block(&op, SYS_read, self->p.r, rb_in, RB_MAX));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	EXPECT_EQ(F(8), rb_op_wait(&op));
	EXPECT_TRUE(rb_frame_ok(in(), 0, 8));
}

TEST_F(ring, a_blocking_read_returns_what_there_is)
{
	ASSERT_EQ(0, fcntl(self->p.r, F_SETFL, 0));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 8));
	EXPECT_EQ(3 * F(8), read(self->p.r, rb_in, RB_MAX));
}

TEST_F(ring, time_is_monotonic_and_that_of_the_write)
{
	const struct ringbuf_record *rec = in();
	uint64_t before = rb_now_ns(), after;
	struct ringbuf_info i;

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 100, 8));
	after = rb_now_ns();
	ASSERT_EQ(0, rb_info(self->p.r, &i));
	EXPECT_TRUE(i.flags & RINGBUF_RING_TIMESTAMPS);
	EXPECT_EQ(100 * F(8), read(self->p.r, rb_in, RB_MAX));
	for (int n = 0; n < 100; n++, rec = rb_next(rec)) {
		/* The kernel's fast clock may lag by a tick's rounding. */
		EXPECT_LE(before, rec->time_ns + 1000);
		EXPECT_GE(after, rec->time_ns);
		before = rec->time_ns;
	}
}

/* Boottime and monotonic differ only after a suspend, which no guest here has. */
TEST_F(ring, time_is_that_of_the_ring_s_clock)
{
	static const struct {
		const char *name;
		clockid_t id;
	} clocks[] = {
		{ "boottime", CLOCK_BOOTTIME }, { "monotonic", CLOCK_MONOTONIC },
		{ "realtime", CLOCK_REALTIME }, { "tai", CLOCK_TAI },
	};
	struct timex tai = { .modes = ADJ_TAI, .constant = 37 }, old = { 0 };
	struct ringbuf_info i;
	uint64_t before, after;
	char param[32];

	/* Without leap seconds tai and realtime are the same. */
	ASSERT_LE(0, adjtimex(&old));
	ASSERT_LE(0, adjtimex(&tai));
	for (size_t k = 0; k < ARRAY_SIZE(clocks); k++) {
		rb_pair_close(&self->p);
		snprintf(param, sizeof(param), "clock=%s", clocks[k].name);
		ASSERT_EQ(0, rb_pair_open(&self->p, param));
		ASSERT_EQ(0, rb_info(self->p.r, &i));
		EXPECT_EQ(clocks[k].id, i.clockid);
		ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
		before = rb_clock_ns(clocks[k].id);
		ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
		after = rb_clock_ns(clocks[k].id);
		ASSERT_EQ(F(8), read(self->p.r, rb_in, RB_MAX));
		/* As above. */
		EXPECT_LE(before, in()->time_ns + 1000) TH_LOG("%s", param);
		EXPECT_GE(after, in()->time_ns) TH_LOG("%s", param);
	}
	tai.constant = old.tai;
	EXPECT_LE(0, adjtimex(&tai));
}

TEST_F(ring, without_a_clock_time_is_zero)
{
	struct ringbuf_info i;

	rb_pair_close(&self->p);
	ASSERT_EQ(0, rb_pair_open(&self->p, "clock=none"));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	ASSERT_EQ(F(8), read(self->p.r, rb_in, RB_MAX));
	EXPECT_TRUE(rb_frame_ok(in(), 0, 8));
	EXPECT_EQ(0, in()->time_ns);
	ASSERT_EQ(0, rb_info(self->p.r, &i));
	EXPECT_FALSE(i.flags & RINGBUF_RING_TIMESTAMPS);
	EXPECT_EQ(RINGBUF_CLOCK_NONE, i.clockid);
}

TEST_F(ring, changing_the_mode_keeps_the_cursor)
{
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 4, 8));
	EXPECT_EQ(F(8), read(self->p.r, rb_in, F(8)));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, 0));
	EXPECT_EQ(8, rb_get(self->p.r, 1));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	EXPECT_EQ(2 * F(8), read(self->p.r, rb_in, RB_MAX));
	EXPECT_TRUE(rb_frame_ok(in(), 2, 8));
}

TEST_F(small, a_loss_comes_as_a_frame_before_the_next_record)
{
	const struct ringbuf_lost *lost;
	const struct ringbuf_record *rec;
	struct ringbuf_stats s;
	struct ringbuf_info i;
	uint64_t n;

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 100));
	ASSERT_EQ(3 * F(100), read(self->p.r, rb_in, RB_MAX));
	ASSERT_EQ(0, rb_put_many(self->p.w, 3, 100, 100));
	ASSERT_EQ(0, rb_info(self->p.r, &i));
	EXPECT_EQ(RB_LOST_FRAME + i.head - i.tail,
		  read(self->p.r, rb_in, RB_MAX));
	lost = rb_lost(rb_in);
	ASSERT_NE(NULL, lost);
	EXPECT_EQ(3, in()->seq);
	EXPECT_EQ(i.tail_seq - 3, lost->records);
	EXPECT_EQ(i.tail - 3 * F(100), lost->bytes);
	rec = rb_next(in());
	for (n = i.tail_seq; n < 103; n++, rec = rb_next(rec))
		EXPECT_TRUE(rb_frame_ok(rec, n, 100));
	EXPECT_EQ(-EAGAIN, RC(read(self->p.r, rb_in, RB_MAX)));
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(0, s.flags);
	EXPECT_EQ(i.tail_seq - 3, s.lost_records);
	EXPECT_EQ(i.tail - 3 * F(100), s.lost_bytes);
	EXPECT_EQ(103 - s.lost_records, s.read_records);
	EXPECT_EQ(103 * F(100) - s.lost_bytes, s.read_bytes);
}

TEST_F(small, a_buffer_below_a_loss_frame_keeps_the_loss)
{
	struct ringbuf_stats before, after;
	struct ringbuf_info i;

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 100, 100));
	ASSERT_EQ(0, rb_stats(self->p.r, &before));
	EXPECT_EQ(-EMSGSIZE, RC(read(self->p.r, rb_in, RB_LOST_FRAME - 1)));
	ASSERT_EQ(0, rb_stats(self->p.r, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	EXPECT_TRUE(after.flags & RINGBUF_STATS_OVERRUN);

	ASSERT_EQ(0, rb_info(self->p.r, &i));
	EXPECT_EQ(RB_LOST_FRAME, read(self->p.r, rb_in, RB_LOST_FRAME));
	ASSERT_NE(NULL, rb_lost(rb_in));
	EXPECT_EQ(i.tail_seq, rb_lost(rb_in)->records);
	EXPECT_EQ(i.tail, rb_lost(rb_in)->bytes);
	ASSERT_EQ(0, rb_stats(self->p.r, &after));
	EXPECT_EQ(i.tail_seq, after.seq);
	EXPECT_EQ(0, after.flags);
	EXPECT_EQ(F(100), read(self->p.r, rb_in, F(100)));
	EXPECT_TRUE(rb_frame_ok(in(), i.tail_seq, 100));
}

TEST_F(small, losses_and_records_leave_no_gap_in_any_number)
{
	const struct ringbuf_record *rec;
	uint64_t n = 0, want = 0, bytes = 0;
	unsigned int seed = 3;
	struct ringbuf_stats s;
	int ret, losses = 0;

	for (int round = 0; round < 300; round++) {
		for (int k = rand_r(&seed) % 60; k; k--, n++)
			ASSERT_LT(0, rb_put(self->p.w, n, 1 + n * 7 % 200));
		ret = RC(read(self->p.r, rb_in, 300 + rand_r(&seed) % 3000));
		if (ret == -EAGAIN)
			continue;
		ASSERT_LT(0, ret);
		for (rec = in(); (uint8_t *)rec < rb_in + ret; rec = rb_next(rec)) {
			ASSERT_EQ(want, rec->seq);
			if (rb_lost(rec)) {
				/* Only ever the first frame of a call. */
				EXPECT_EQ((void *)rb_in, (void *)rec);
				want += rb_lost(rec)->records;
				bytes += rb_lost(rec)->bytes;
				losses++;
				continue;
			}
			ASSERT_TRUE(rb_frame_ok(rec, want, 1 + want * 7 % 200));
			bytes += RINGBUF_FRAME_SIZE(rec->len);
			want++;
		}
		ASSERT_EQ(0, rb_stats(self->p.r, &s));
		ASSERT_EQ(want, s.seq);
		ASSERT_EQ(bytes, s.pos);
	}
	EXPECT_LT(10, losses);
}

TEST_F(small, frames_survive_every_wrap)
{
	const struct ringbuf_record *rec;
	uint64_t n = 0, first;
	int want;

	while (n < 4000) {
		want = 0;
		for (first = n; n < first + 3; n++) {
			ASSERT_LT(0, rb_put(self->p.w, n, 1 + n * 13 % 900));
			want += F(1 + n * 13 % 900);
		}
		ASSERT_EQ(want, read(self->p.r, rb_in, RB_MAX));
		for (rec = in(); first < n; first++, rec = rb_next(rec))
			ASSERT_TRUE(rb_frame_ok(rec, first, 1 + first * 13 % 900));
	}
}

TEST_HARNESS_MAIN
