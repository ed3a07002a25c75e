// SPDX-License-Identifier: GPL-2.0
/* lseek(): offsets are sequence numbers. */
#include "ringbuf_test.h"

#define LEN 100		/* so a small ring holds 32 records */

FIXTURE(ring) {
	struct rb_pair p;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=65536"));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 20, LEN));
}

FIXTURE_TEARDOWN(ring)
{
	rb_pair_close(&self->p);
}

FIXTURE(overrun) {
	struct rb_pair p;
	struct ringbuf_info i;
};

FIXTURE_SETUP(overrun)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096"));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 100, LEN));
	ASSERT_EQ(0, rb_info(self->p.r, &self->i));
	ASSERT_LT(10, self->i.tail_seq);
}

FIXTURE_TEARDOWN(overrun)
{
	rb_pair_close(&self->p);
}

static uint64_t lost(int r)
{
	struct ringbuf_stats s;

	return rb_stats(r, &s) ? -1 : s.lost_records;
}

TEST_F(ring, set_goes_to_that_record)
{
	EXPECT_EQ(7, RC(lseek(self->p.r, 7, SEEK_SET)));
	EXPECT_EQ(LEN, rb_get(self->p.r, 7));
	EXPECT_EQ(19, RC(lseek(self->p.r, 19, SEEK_SET)));
	EXPECT_EQ(LEN, rb_get(self->p.r, 19));
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 20));
	EXPECT_EQ(0, RC(lseek(self->p.r, 0, SEEK_SET)));
	EXPECT_EQ(LEN, rb_get(self->p.r, 0));
	EXPECT_EQ(0, lost(self->p.r));
}

TEST_F(ring, set_to_the_head_waits_for_the_next_record)
{
	EXPECT_EQ(20, RC(lseek(self->p.r, 20, SEEK_SET)));
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 20));
	ASSERT_EQ(LEN, rb_put(self->p.w, 20, LEN));
	EXPECT_EQ(LEN, rb_get(self->p.r, 20));
}

/* As of a pipe: programs count bytes with it, and would go elsewhere. */
TEST_F(ring, there_is_no_current_offset)
{
	static const long long offsets[] = {
		0, 1, -1, 5, -6, 1LL << 40, INT64_MAX, INT64_MIN,
	};
	struct ringbuf_stats before, after;

	ASSERT_EQ(5, RC(lseek(self->p.r, 5, SEEK_SET)));
	ASSERT_EQ(0, rb_stats(self->p.r, &before));
	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++)
		EXPECT_EQ(-ESPIPE, RC(lseek(self->p.r, offsets[i], SEEK_CUR)));
	ASSERT_EQ(0, rb_stats(self->p.r, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	EXPECT_EQ(LEN, rb_get(self->p.r, 5));
}

TEST_F(overrun, asking_for_the_offset_keeps_the_report_of_a_loss)
{
	struct ringbuf_stats before, after;

	ASSERT_EQ(0, rb_stats(self->p.r, &before));
	EXPECT_EQ(-ESPIPE, RC(lseek(self->p.r, 0, SEEK_CUR)));
	ASSERT_EQ(0, rb_stats(self->p.r, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	EXPECT_EQ(-EPIPE, rb_get(self->p.r, 0));
}

TEST_F(ring, stdio_takes_it_for_a_stream)
{
	FILE *f = fdopen(dup(self->p.r), "r");
	char buf[2 * LEN];

	ASSERT_NE(NULL, f);
	EXPECT_EQ(-1, ftell(f));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(2 * LEN, fread(buf, 1, 2 * LEN, f));
	EXPECT_TRUE(rb_intact(buf, LEN, 0));
	EXPECT_TRUE(rb_intact(buf + LEN, LEN, 1));
	/* What it has read ahead does not come again, to it or others. */
	fflush(f);
	EXPECT_EQ(LEN, fread(buf, 1, LEN, f));
	EXPECT_TRUE(rb_intact(buf, LEN, 2));
	fclose(f);
}

TEST_F(ring, end_counts_from_the_head)
{
	EXPECT_EQ(20, RC(lseek(self->p.r, 0, SEEK_END)));
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 20));
	EXPECT_EQ(19, RC(lseek(self->p.r, -1, SEEK_END)));
	EXPECT_EQ(LEN, rb_get(self->p.r, 19));
	EXPECT_EQ(0, RC(lseek(self->p.r, -20, SEEK_END)));
	EXPECT_EQ(LEN, rb_get(self->p.r, 0));
}

static const long long far_back[] = {
	-101, -1000, -(1LL << 32), -INT64_MAX, INT64_MIN,
};

TEST_F(ring, the_last_n_are_all_when_there_are_fewer)
{
	EXPECT_EQ(0, RC(lseek(self->p.r, -21, SEEK_END)));
	for (size_t i = 0; i < ARRAY_SIZE(far_back); i++) {
		EXPECT_EQ(0, RC(lseek(self->p.r, far_back[i], SEEK_END)));
		EXPECT_EQ(LEN, rb_get(self->p.r, 0));
		EXPECT_EQ(0, lost(self->p.r));
	}
}

/* SEEK_END asks for what is there, so it counts no loss. */
TEST_F(overrun, the_last_n_count_no_loss)
{
	long long there = self->i.head_seq - self->i.tail_seq;
	int r = rb_open(O_RDONLY | O_NONBLOCK);

	for (long long n = there - 3; n < there + 50; n++) {
		uint64_t to = self->i.head_seq - (n < there ? n : there);

		EXPECT_EQ(to, RC(lseek(r, -n, SEEK_END)));
		EXPECT_EQ(0, lost(r));
		EXPECT_EQ(LEN, rb_get(r, to));
	}
	for (size_t i = 0; i < ARRAY_SIZE(far_back); i++)
		EXPECT_EQ(self->i.tail_seq, RC(lseek(r, far_back[i], SEEK_END)));
	EXPECT_EQ(0, lost(r));
	/* What the tail had passed before counts all the same. */
	EXPECT_EQ(self->i.tail_seq, RC(lseek(self->p.r, -1000, SEEK_END)));
	EXPECT_EQ(self->i.tail_seq, lost(self->p.r));
	close(r);
}

TEST_F(ring, an_empty_ring_has_only_its_head)
{
	rb_pair_close(&self->p);
	ASSERT_EQ(0, rb_pair_open(&self->p, ""));
	EXPECT_EQ(0, RC(lseek(self->p.r, 0, SEEK_SET)));
	EXPECT_EQ(0, RC(lseek(self->p.r, 0, SEEK_END)));
	EXPECT_EQ(0, RC(lseek(self->p.r, -1, SEEK_END)));
	EXPECT_EQ(0, RC(lseek(self->p.r, 0, SEEK_DATA)));
	EXPECT_EQ(-EINVAL, RC(lseek(self->p.r, 1, SEEK_SET)));
	EXPECT_EQ(-ESPIPE, RC(lseek(self->p.r, 0, SEEK_CUR)));
}

TEST_F(ring, bad_places_are_refused_and_the_cursor_stays)
{
	static const struct {
		long long off;
		int whence;
	} bad[] = {
		{ -1, SEEK_SET }, { 21, SEEK_SET }, { 1LL << 32, SEEK_SET },
		{ INT64_MAX, SEEK_SET }, { INT64_MIN, SEEK_SET },
		{ 1, SEEK_END }, { INT64_MAX, SEEK_END }, { 1, SEEK_DATA }, { -1, SEEK_DATA }, { 0, SEEK_HOLE },
		{ 0, 5 }, { 0, 99 }, { 0, -1 },
	};

	ASSERT_EQ(5, RC(lseek(self->p.r, 5, SEEK_SET)));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL,
			  RC(lseek(self->p.r, bad[i].off, bad[i].whence)))
			TH_LOG("%lld from %d", bad[i].off, bad[i].whence);
		EXPECT_EQ(5, rb_at(self->p.r))
			TH_LOG("%lld from %d", bad[i].off, bad[i].whence);
	}
	EXPECT_EQ(LEN, rb_get(self->p.r, 5));
}

TEST_F(ring, a_seek_skips_or_repeats_but_loses_nothing)
{
	struct ringbuf_stats s;

	for (int n = 0; n < 3; n++)
		ASSERT_EQ(LEN, rb_get(self->p.r, n));
	EXPECT_EQ(0, RC(lseek(self->p.r, 0, SEEK_SET)));
	EXPECT_EQ(LEN, rb_get(self->p.r, 0));
	EXPECT_EQ(20, RC(lseek(self->p.r, 0, SEEK_END)));
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(4, s.read_records);
	EXPECT_EQ(0, s.lost_records);
	EXPECT_EQ(0, s.lag_records);
	EXPECT_EQ(20, s.seq);
	EXPECT_EQ(20 * RINGBUF_FRAME_SIZE(LEN), s.pos);
}

TEST_F(overrun, data_is_the_oldest_retained_record)
{
	EXPECT_EQ(self->i.tail_seq, RC(lseek(self->p.r, 0, SEEK_DATA)));
	EXPECT_EQ(LEN, rb_get(self->p.r, self->i.tail_seq));
}

TEST_F(overrun, older_than_the_tail_clamps_and_counts_the_gap)
{
	int r = rb_open(O_RDONLY | O_NONBLOCK);
	struct ringbuf_stats s;

	EXPECT_EQ(0, lost(r));
	EXPECT_EQ(self->i.tail_seq, RC(lseek(r, 4, SEEK_SET)));
	EXPECT_EQ(self->i.tail_seq - 4, lost(r));
	ASSERT_EQ(0, rb_stats(r, &s));
	EXPECT_EQ(self->i.tail_seq, s.seq);
	EXPECT_EQ(self->i.tail, s.pos);
	EXPECT_EQ(0, s.flags);
	EXPECT_EQ(LEN, rb_get(r, self->i.tail_seq));
	EXPECT_EQ(self->i.tail_seq - 4, lost(r));
	close(r);
}

TEST_F(overrun, a_clamped_seek_is_not_reported_again_when_framed)
{
	const struct ringbuf_record *rec = (void *)rb_in;

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	EXPECT_EQ(self->i.tail_seq, RC(lseek(self->p.r, 0, SEEK_SET)));
	EXPECT_EQ(self->i.head - self->i.tail,
		  RC(read(self->p.r, rb_in, RB_MAX)));
	EXPECT_TRUE(rb_frame_ok(rec, self->i.tail_seq, LEN));
}

TEST_F(overrun, seeking_where_an_overrun_cursor_stands_counts_it_once)
{
	EXPECT_EQ(self->i.tail_seq, lost(self->p.r));
	EXPECT_EQ(self->i.tail_seq, RC(lseek(self->p.r, 0, SEEK_SET)));
	EXPECT_EQ(self->i.tail_seq, lost(self->p.r));
	EXPECT_EQ(LEN, rb_get(self->p.r, self->i.tail_seq));
	EXPECT_EQ(self->i.tail_seq, lost(self->p.r));
}

/* Counters are cumulative: what they have shown they never take back. */
TEST_F(overrun, no_seek_takes_back_a_loss_that_was_shown)
{
	static const struct {
		int off;
		int whence;
	} to[] = {
		{ 0, SEEK_END }, { -3, SEEK_END }, { 0, SEEK_DATA },
		{ 5, SEEK_SET }, { -1000, SEEK_END }, { 98, SEEK_SET },
		{ 0, SEEK_SET },
	};
	struct ringbuf_stats before, after;
	int r = self->p.r;

	for (size_t k = 0; k < ARRAY_SIZE(to); k++) {
		/* Ahead of the ring's oldest record, then overrun again. */
		ASSERT_LT(0, lseek(r, 0, SEEK_END));
		ASSERT_EQ(0, rb_put_many(self->p.w, 100 + k * 50, 50, LEN));
		ASSERT_EQ(0, rb_stats(r, &before));
		ASSERT_TRUE(before.flags & RINGBUF_STATS_OVERRUN);
		ASSERT_LE(0, lseek(r, to[k].off, to[k].whence));
		ASSERT_EQ(0, rb_stats(r, &after));
		EXPECT_LE(before.lost_records, after.lost_records)
			TH_LOG("%d from %d", to[k].off, to[k].whence);
		EXPECT_LE(before.lost_bytes, after.lost_bytes)
			TH_LOG("%d from %d", to[k].off, to[k].whence);
	}
}

TEST_F(overrun, every_retained_record_can_be_reached)
{
	unsigned int seed = 5;
	uint64_t n;

	for (int k = 0; k < 200; k++) {
		n = self->i.tail_seq + rand_r(&seed) %
		    (self->i.head_seq - self->i.tail_seq);
		ASSERT_EQ(n, RC(lseek(self->p.r, n, SEEK_SET)));
		ASSERT_EQ(LEN, rb_get(self->p.r, n));
	}
}

TEST_F(overrun, records_of_any_length_can_be_reached)
{
	struct ringbuf_info i;
	uint64_t n;

	for (n = 100; n < 400; n++)
		ASSERT_EQ(1 + n % 60, rb_put(self->p.w, n, 1 + n % 60));
	ASSERT_EQ(0, rb_info(self->p.r, &i));
	for (n = i.head_seq; n-- > i.tail_seq;) {
		ASSERT_EQ(n, RC(lseek(self->p.r, n, SEEK_SET)));
		ASSERT_EQ(1 + n % 60, rb_get(self->p.r, n));
	}
}

TEST_F(ring, an_agent_resumes_after_the_last_record_it_handled)
{
	ASSERT_EQ(LEN, rb_get(self->p.r, 0));
	ASSERT_EQ(LEN, rb_get(self->p.r, 1));
	close(self->p.r);
	ASSERT_EQ(0, rb_put_many(self->p.w, 20, 20, LEN));
	self->p.r = rb_open(O_RDONLY | O_NONBLOCK);
	EXPECT_EQ(2, RC(lseek(self->p.r, 2, SEEK_SET)));
	for (int n = 2; n < 40; n++)
		EXPECT_EQ(LEN, rb_get(self->p.r, n));
	EXPECT_EQ(0, lost(self->p.r));
}

TEST_F(ring, positions_have_no_meaning_for_pread_and_pwrite)
{
	struct iovec v = { rb_in, 8 };

	EXPECT_EQ(-ESPIPE, RC(pread(self->p.r, rb_in, RB_MAX, 0)));
	EXPECT_EQ(-ESPIPE, RC(pread(self->p.r, rb_in, RB_MAX, 5)));
	EXPECT_EQ(-ESPIPE, RC(preadv(self->p.r, &v, 1, 0)));
	EXPECT_EQ(-ESPIPE, RC(pwrite(self->p.w, rb_out, 8, 0)));
	EXPECT_EQ(-ESPIPE, RC(pwritev(self->p.w, &v, 1, 0)));
	EXPECT_EQ(LEN, rb_get(self->p.r, 0));
}

TEST_F(ring, a_write_only_file_has_no_cursor_to_seek)
{
	EXPECT_EQ(-ESPIPE, RC(lseek(self->p.w, 0, SEEK_SET)));
	EXPECT_EQ(-ESPIPE, RC(lseek(self->p.w, 0, SEEK_CUR)));
	EXPECT_EQ(-ESPIPE, RC(lseek(self->p.w, 0, SEEK_END)));
}

TEST_F(ring, reads_and_writes_of_one_rdwr_file_do_not_disturb_each_other)
{
	int fd;

	close(self->p.w);
	fd = rb_open(O_RDWR | O_NONBLOCK);
	ASSERT_LE(0, fd);
	EXPECT_EQ(10, RC(lseek(fd, 10, SEEK_SET)));
	ASSERT_EQ(LEN, rb_put(fd, 20, LEN));
	EXPECT_EQ(10, rb_at(fd));
	EXPECT_EQ(LEN, rb_get(fd, 10));
	self->p.w = fd;
}

TEST_HARNESS_MAIN
