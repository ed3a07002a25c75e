// SPDX-License-Identifier: GPL-2.0
/* read() as a consumer starts out: the payload of one record per call; see pieces.c. */
#include "ringbuf_test.h"

FIXTURE(ring) {
	struct rb_pair p;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=65536"));
}

FIXTURE_TEARDOWN(ring)
{
	rb_pair_close(&self->p);
}

/* A ring so small that a few records go round it. */
FIXTURE(small) {
	struct rb_pair p;
};

FIXTURE_SETUP(small)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096"));
}

FIXTURE_TEARDOWN(small)
{
	rb_pair_close(&self->p);
}

TEST_F(ring, a_call_returns_one_record)
{
	static const int lens[] = { 1, 2, 7, 8, 9, 15, 16, 100, 4095, 4096 };
	int i, n = ARRAY_SIZE(lens);

	for (i = 0; i < n; i++)
		ASSERT_EQ(lens[i], rb_put(self->p.w, i, lens[i]));
	for (i = 0; i < n; i++)
		EXPECT_EQ(lens[i], rb_get(self->p.r, i));
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, n));
}

TEST_F(ring, only_the_payload_is_stored)
{
	ASSERT_EQ(10, rb_put(self->p.w, 0, 10));
	memset(rb_in, 0xee, 64);
	EXPECT_EQ(10, read(self->p.r, rb_in, 64));
	EXPECT_TRUE(rb_intact(rb_in, 10, 0));
	for (int i = 10; i < 64; i++)
		EXPECT_EQ(0xee, rb_in[i]);
}

/* Small ones are copied in another way than large ones. */
TEST_F(ring, any_length_passes_from_and_to_any_address)
{
	uint64_t n = 0;

	for (size_t len = 1; len < 300; len++) {
		for (size_t at = 0; at < 16; at++, n++) {
			uint8_t *from = rb_out + at, *to = rb_in + 16 - at;

			rb_fill(from, len, n);
			ASSERT_EQ(len, RC(write(self->p.w, from, len)));
			memset(rb_in, 0xa5, len + 32);
			ASSERT_EQ(len, RC(read(self->p.r, to, len)));
			ASSERT_TRUE(rb_intact(to, len, n));
			/* And not a byte besides. */
			ASSERT_EQ(0xa5, to[-1]);
			ASSERT_EQ(0xa5, to[len]);
		}
	}
}

TEST_F(ring, an_empty_ring_blocks_until_a_record_comes)
{
	int r = rb_open(O_RDONLY);
	struct rb_op op;

	ASSERT_TRUE(rb_op_block(&op, SYS_read, r, rb_in, RB_MAX));
	ASSERT_EQ(30, rb_put(self->p.w, 0, 30));
	EXPECT_EQ(30, rb_op_wait(&op));
	EXPECT_TRUE(rb_intact(rb_in, 30, 0));
}

TEST_F(ring, nonblock_may_change_while_open)
{
	int r = rb_open(O_RDONLY);
	struct rb_op op;

	ASSERT_EQ(0, fcntl(r, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, rb_get(r, 0));
	ASSERT_EQ(0, fcntl(r, F_SETFL, 0));
	ASSERT_TRUE(rb_op_block(&op, SYS_read, r, rb_in, RB_MAX));
	ASSERT_EQ(1, rb_put(self->p.w, 0, 1));
	EXPECT_EQ(1, rb_op_wait(&op));
}

TEST_F(small, a_read_of_nothing_changes_nothing)
{
	struct ringbuf_stats before, after;

	EXPECT_EQ(0, RC(read(self->p.r, rb_in, 0)));
	ASSERT_EQ(1, rb_put(self->p.w, 0, 1));
	EXPECT_EQ(0, RC(read(self->p.r, rb_in, 0)));
	EXPECT_EQ(1, rb_get(self->p.r, 0));
	ASSERT_EQ(0, rb_put_many(self->p.w, 1, 100, 100));
	ASSERT_EQ(0, rb_stats(self->p.r, &before));
	EXPECT_EQ(0, RC(read(self->p.r, rb_in, 0)));
	ASSERT_EQ(0, rb_stats(self->p.r, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	EXPECT_TRUE(after.flags & RINGBUF_STATS_OVERRUN);
	EXPECT_EQ(-EPIPE, rb_get(self->p.r, 0));
}

TEST_F(ring, consumers_do_not_take_records_from_each_other)
{
	int r[8];

	for (int i = 0; i < 8; i++)
		r[i] = rb_open(O_RDONLY | O_NONBLOCK);
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 50, 33));
	for (int i = 0; i < 8; i++) {
		for (int n = 0; n < 50; n++)
			ASSERT_EQ(33, rb_get(r[i], n));
		EXPECT_EQ(-EAGAIN, rb_get(r[i], 50));
	}
}

TEST_F(small, the_ring_holds_as_many_bytes_of_frames_as_it_has)
{
	for (int n = 0; n < 4; n++)
		ASSERT_EQ(1000, rb_put(self->p.w, n, 1000));
	for (int n = 0; n < 4; n++)
		EXPECT_EQ(1000, rb_get(self->p.r, n));
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 4));
}

TEST_F(small, an_overrun_is_seen_at_once_and_reported_once)
{
	struct ringbuf_stats s;
	struct ringbuf_info i;

	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	ASSERT_EQ(100, rb_get(self->p.r, 0));
	ASSERT_EQ(0, rb_put_many(self->p.w, 1, 100, 100));
	ASSERT_EQ(0, rb_info(self->p.r, &i));
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	ASSERT_LT(1, i.tail_seq);
	EXPECT_EQ(RINGBUF_STATS_OVERRUN, s.flags);
	EXPECT_EQ(1, s.seq);
	EXPECT_EQ(RINGBUF_FRAME_SIZE(100), s.pos);
	EXPECT_EQ(i.tail_seq - 1, s.lost_records);
	EXPECT_EQ(i.tail - s.pos, s.lost_bytes);
	EXPECT_EQ(i.head_seq - i.tail_seq, s.lag_records);
	EXPECT_EQ(i.head - i.tail, s.lag_bytes);

	EXPECT_EQ(-EPIPE, rb_get(self->p.r, 1));
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(0, s.flags);
	EXPECT_EQ(i.tail_seq, s.seq);
	EXPECT_EQ(i.tail, s.pos);
	EXPECT_EQ(i.tail_seq - 1, s.lost_records);
	for (uint64_t n = i.tail_seq; n < 101; n++)
		EXPECT_EQ(100, rb_get(self->p.r, n));
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 101));
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(i.tail_seq - 1, s.lost_records);
	EXPECT_EQ(i.tail - RINGBUF_FRAME_SIZE(100), s.lost_bytes);
	EXPECT_EQ(101 - s.lost_records, s.read_records);
}

TEST_F(small, a_blocking_read_reports_an_overrun_too)
{
	ASSERT_EQ(0, fcntl(self->p.r, F_SETFL, 0));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 100, 100));
	EXPECT_EQ(-EPIPE, rb_get(self->p.r, 0));
	EXPECT_LT(0, RC(read(self->p.r, rb_in, RB_MAX)));
}

TEST_F(small, a_second_overrun_is_reported_again)
{
	struct ringbuf_info i;

	for (int round = 0; round < 5; round++) {
		ASSERT_EQ(0, rb_put_many(self->p.w, round * 100, 100, 100));
		EXPECT_EQ(-EPIPE, rb_get(self->p.r, 0));
		ASSERT_EQ(0, rb_info(self->p.r, &i));
		EXPECT_EQ(100, rb_get(self->p.r, i.tail_seq));
	}
}

/* lost + read + lag is all that was ever published, whatever happens. */
static bool adds_up(int r)
{
	struct ringbuf_stats s;
	struct ringbuf_info i;

	if (rb_stats(r, &s) || rb_info(r, &i))
		return false;
	if (s.lost_records + s.read_records + s.lag_records == i.head_seq &&
	    s.lost_bytes + s.read_bytes + s.lag_bytes == i.head)
		return true;
	fprintf(stderr, "# lost %llu/%llu read %llu/%llu lag %llu/%llu of %llu/%llu\n",
		s.lost_records, s.lost_bytes, s.read_records, s.read_bytes,
		s.lag_records, s.lag_bytes, i.head_seq, i.head);
	return false;
}

TEST_F(small, lost_and_read_and_waiting_add_up_at_every_step)
{
	unsigned int seed = 1, steps, k;
	uint64_t n = 0;
	int ret;

	for (steps = 0; steps < 400; steps++) {
		k = rand_r(&seed) % 40;
		while (k--)
			ASSERT_LT(0, rb_put(self->p.w, n++,
					    1 + rand_r(&seed) % 300));
		ASSERT_TRUE(adds_up(self->p.r)) TH_LOG("after writing");
		for (k = rand_r(&seed) % 40; k; k--) {
			ret = RC(read(self->p.r, rb_in, RB_MAX));
			ASSERT_TRUE(ret > 0 || ret == -EPIPE || ret == -EAGAIN);
			ASSERT_TRUE(adds_up(self->p.r)) TH_LOG("after %d", ret);
		}
	}
	EXPECT_LT(1000, n);
}

TEST_F(small, every_length_survives_every_wrap)
{
	unsigned int seed = 7;
	int len, n;

	for (n = 0; n < 5000; n++) {
		len = n <= 1000 ? n + !n : 1 + rand_r(&seed) % 1000;
		ASSERT_EQ(len, rb_put(self->p.w, n, len));
		ASSERT_EQ(len, rb_get(self->p.r, n));
	}
}

TEST_F(ring, statistics_count_what_was_read)
{
	struct ringbuf_stats s;

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 5, 9));
	ASSERT_EQ(9, rb_get(self->p.r, 0));
	ASSERT_EQ(9, rb_get(self->p.r, 1));
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(sizeof(s), s.struct_size);
	EXPECT_EQ(0, s.flags);
	EXPECT_EQ(2, s.read_records);
	EXPECT_EQ(2 * 40, s.read_bytes);
	EXPECT_EQ(3, s.lag_records);
	EXPECT_EQ(3 * 40, s.lag_bytes);
	EXPECT_EQ(2, s.seq);
	EXPECT_EQ(2 * 40, s.pos);
	EXPECT_EQ(0, s.lost_records);
	EXPECT_EQ(0, s.lost_bytes);
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(2, s.read_records) TH_LOG("looking must not clear");
}

/* EOF consumers */

TEST_F(ring, eof_comes_when_all_is_read_and_the_writer_is_gone)
{
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_EOF));
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 0));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 2, 10));
	close(self->p.w);
	EXPECT_EQ(10, rb_get(self->p.r, 0));
	EXPECT_EQ(10, rb_get(self->p.r, 1));
	EXPECT_EQ(0, rb_get(self->p.r, 2));
	EXPECT_EQ(0, rb_get(self->p.r, 2));
	self->p.w = rb_open(O_WRONLY);
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 2));
	ASSERT_EQ(10, rb_put(self->p.w, 2, 10));
	EXPECT_EQ(10, rb_get(self->p.r, 2));
}

TEST_F(ring, eof_also_when_there_has_never_been_a_writer)
{
	int r;

	rb_pair_close(&self->p);
	ASSERT_EQ(0, rb_load(""));
	r = rb_open(O_RDONLY);
	ASSERT_EQ(0, rb_set_consumer(r, RINGBUF_CONSUMER_EOF));
	EXPECT_EQ(0, rb_get(r, 0));
	ASSERT_EQ(0, rb_set_consumer(r, RINGBUF_CONSUMER_EOF |
				     RINGBUF_CONSUMER_FRAMED));
	EXPECT_EQ(0, rb_get(r, 0));
	close(r);
	self->p.w = self->p.r = -1;
}

TEST_F(ring, a_blocked_eof_read_ends_when_the_writer_closes)
{
	int r = rb_open(O_RDONLY);
	struct rb_op op;

	ASSERT_EQ(0, rb_set_consumer(r, RINGBUF_CONSUMER_EOF));
	ASSERT_TRUE(rb_op_block(&op, SYS_read, r, rb_in, RB_MAX));
	close(self->p.w);
	EXPECT_EQ(0, rb_op_wait(&op));
}

TEST_F(ring, asking_for_eof_ends_a_read_that_waits_already)
{
	int r = rb_open(O_RDONLY);
	struct rb_op op;

	close(self->p.w);
	ASSERT_TRUE(rb_op_block(&op, SYS_read, r, rb_in, RB_MAX));
	ASSERT_EQ(0, rb_set_consumer(r, RINGBUF_CONSUMER_EOF));
	EXPECT_EQ(0, rb_op_wait(&op));
}

TEST_F(ring, other_consumers_wait_for_the_next_writer)
{
	int r = rb_open(O_RDONLY);
	struct rb_op op;

	close(self->p.w);
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 0));
	ASSERT_TRUE(rb_op_block(&op, SYS_read, r, rb_in, RB_MAX));
	self->p.w = rb_open(O_WRONLY);
	close(self->p.w);
	EXPECT_TRUE(rb_op_blocked(&op));
	self->p.w = rb_open(O_WRONLY);
	ASSERT_EQ(10, rb_put(self->p.w, 0, 10));
	EXPECT_EQ(10, rb_op_wait(&op));
}

TEST_F(ring, an_rdwr_file_is_its_own_writer_and_gets_no_eof)
{
	int fd;

	close(self->p.w);
	fd = rb_open(O_RDWR | O_NONBLOCK);
	ASSERT_EQ(0, rb_set_consumer(fd, RINGBUF_CONSUMER_EOF));
	EXPECT_EQ(-EAGAIN, rb_get(fd, 0));
	self->p.w = fd;
}

TEST_F(small, eof_comes_after_the_report_of_an_overrun)
{
	struct ringbuf_info i;
	uint64_t n;

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_EOF));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 100, 100));
	close(self->p.w);
	EXPECT_EQ(-EPIPE, rb_get(self->p.r, 0));
	ASSERT_EQ(0, rb_info(self->p.r, &i));
	for (n = i.tail_seq; n < 100; n++)
		EXPECT_EQ(100, rb_get(self->p.r, n));
	EXPECT_EQ(0, rb_get(self->p.r, 100));
}

TEST_F(ring, turning_eof_off_makes_the_consumer_wait_again)
{
	close(self->p.w);
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_EOF));
	EXPECT_EQ(0, rb_get(self->p.r, 0));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, 0));
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 0));
}

TEST_HARNESS_MAIN
