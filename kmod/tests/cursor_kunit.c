// SPDX-License-Identifier: GPL-2.0
/*
 * Cursors: seeking, walking, and what they count. As core_kunit.c it runs in the
 * kernel and in userspace.
 */

#include <linux/string.h>
#include "core_test.h"

static int seek(struct test_ring *ring, struct ringbuf_mark *at, u64 seq)
{
	at->pos = ring->page->tail;
	at->seq = 0;
	return ringbuf_core_seek(&ring->core, at, seq, U32_MAX);
}

static void seek_finds_each_record(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_mark at, tail;
	u64 i, total = 300;

	KUNIT_EXPECT_EQ(test, seek(ring, &at, 0), 0);
	test_expect_mark(test, at, 0, 0);
	KUNIT_EXPECT_EQ(test, seek(ring, &at, 1), -EINVAL);
	for (i = 0; i < total; i++)
		KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	ringbuf_core_tail(&ring->core, &tail);
	KUNIT_ASSERT_GT(test, tail.seq, 0ULL);
	for (i = 0; i < tail.seq; i++) {
		KUNIT_EXPECT_EQ(test, seek(ring, &at, i), 0);
		test_expect_mark(test, at, tail.pos, tail.seq);
	}
	for (; i <= total; i++) {
		KUNIT_EXPECT_EQ(test, seek(ring, &at, i), 0);
		test_expect_mark(test, at, i * 32, i);
	}
	KUNIT_EXPECT_EQ(test, seek(ring, &at, total + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, seek(ring, &at, 1ULL << 62), -EINVAL);
}

static void seek_keeps_to_its_budget(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_mark at = {};
	int i, calls = 0, ret;

	for (i = 0; i < 100; i++)
		KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	do {
		ret = ringbuf_core_seek(&ring->core, &at, 99, 10);
		calls++;
	} while (ret == -EAGAIN);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, calls, 10);
	test_expect_mark(test, at, 99 * 32, 99);
}

/* 8 records to a stride: the milestones are records 0, 8, 16 and so on. */
static void skip_goes_to_the_last_milestone(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	const u64 per_stride = ring->core.stride / 32;
	struct ringbuf_mark at, tail;
	u64 i, milestone, total = 300;

	for (i = 0; i < total; i++)
		KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	ringbuf_core_tail(&ring->core, &tail);
	KUNIT_ASSERT_GT(test, tail.seq, 0ULL);
	for (i = tail.seq; i < total; i++) {
		milestone = max(i / per_stride * per_stride, tail.seq);
		at = tail;
		ringbuf_core_skip(&ring->core, &at, RINGBUF_FAR, i);
		test_expect_mark(test, at, milestone * 32, milestone);
		/* The same by the position. */
		at = tail;
		ringbuf_core_skip(&ring->core, &at, i * 32 + 31, RINGBUF_FAR);
		test_expect_mark(test, at, milestone * 32, milestone);
	}
	/* Never back, nor to what is gone, nor to where no record is yet. */
	at.pos = tail.pos + 8 * 32 + 32;
	at.seq = tail.seq + 8 + 1;
	ringbuf_core_skip(&ring->core, &at, RINGBUF_FAR, tail.seq + 8);
	test_expect_mark(test, at, tail.pos + 8 * 32 + 32, tail.seq + 8 + 1);
	at.pos = 0;
	at.seq = 0;
	ringbuf_core_skip(&ring->core, &at, tail.pos - 32, tail.seq - 1);
	test_expect_mark(test, at, 0, 0);
	while (ring->core.head % ring->core.stride)
		KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	at = tail;
	i = ring->core.head_seq - per_stride;
	ringbuf_core_skip(&ring->core, &at, RINGBUF_FAR, RINGBUF_FAR);
	test_expect_mark(test, at, i * 32, i);
}

static void seek_counts_the_gap(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur;
	struct ringbuf_mark at;
	u64 i;

	ringbuf_cursor_init(&cur, &ring->core);
	for (i = 0; i < 300; i++)
		KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	/* From where the cursor was, so the bytes are known too. */
	ringbuf_cursor_settle(&cur, &ring->core);
	KUNIT_ASSERT_EQ(test, seek(ring, &at, 0), 0);
	ringbuf_cursor_move(&cur, &at, 0, 0);
	KUNIT_EXPECT_EQ(test, cur.lost_records, ring->page->tail_seq);
	KUNIT_EXPECT_EQ(test, cur.lost_bytes, ring->page->tail);
	/* Back to something else that is gone: records only. */
	ringbuf_cursor_move(&cur, &at, at.seq - 3, at.seq);
	KUNIT_EXPECT_EQ(test, cur.lost_records, ring->page->tail_seq + 3);
	KUNIT_EXPECT_EQ(test, cur.lost_bytes, ring->page->tail);
	test_expect_mark(test, cur.at, ring->page->tail, ring->page->tail_seq);
}

/* Seqs 5 to 7 used by records that could not be published. */
static void gap_in_the_seqs(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_mark at = {};
	struct ringbuf_cursor cur;
	struct ringbuf_view v;
	u64 i, n;

	ringbuf_cursor_init(&cur, &ring->core);
	for (i = 0; i < 5; i++)
		KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	ring->core.head_seq += 3;
	ringbuf_core_publish(&ring->core);
	/* Nothing behind it yet: the head is what comes next. */
	KUNIT_EXPECT_EQ(test, seek(ring, &at, 6), 0);
	test_expect_mark(test, at, 160, 8);

	KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	KUNIT_EXPECT_EQ(test, seek(ring, &at, 6), 0);
	test_expect_mark(test, at, 160, 8);
	/* A loss of records without bytes, where a span ends. */
	KUNIT_ASSERT_TRUE(test, ringbuf_core_peek(&ring->core, &cur.at, &v));
	KUNIT_EXPECT_EQ(test, ringbuf_core_span(&ring->core, &v, U64_MAX, &n),
			160ULL);
	ringbuf_cursor_take(&cur, 160, n);
	KUNIT_ASSERT_TRUE(test, ringbuf_core_peek(&ring->core, &cur.at, &v));
	ringbuf_cursor_lose(&cur, &v);
	KUNIT_EXPECT_EQ(test, cur.lost_records, 3ULL);
	KUNIT_EXPECT_EQ(test, cur.lost_bytes, 0ULL);
	test_expect_record(test, &cur, 8, 8, 0);
	/* Back into the gap: it counts once more, and takes no bytes. */
	KUNIT_EXPECT_EQ(test, seek(ring, &at, 6), 0);
	ringbuf_cursor_move(&cur, &at, 6, cur.at.seq);
	KUNIT_EXPECT_EQ(test, cur.lost_records, 5ULL);
	KUNIT_EXPECT_EQ(test, cur.lost_bytes, 0ULL);
	test_expect_mark(test, cur.at, 160, 8);
}

/* Records 0 to 19, of 8 to 160 bytes; @pos[n] is where record n begins. */
static void write_twenty(struct kunit *test, u64 *pos)
{
	struct test_ring *ring = test->priv;
	u32 n;

	for (n = 0; n < 20; n++) {
		pos[n] = ring->core.head;
		KUNIT_ASSERT_TRUE(test, test_write(ring, 8 * n + 8, n));
	}
	pos[n] = ring->core.head;
}

static void walk_stops_at_records_only(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur, to;
	u64 pos[21], at;
	u32 n;

	ringbuf_cursor_init(&cur, &ring->core);
	KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&cur, &ring->core, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&cur, &ring->core, 8, 1),
			-EINVAL);
	write_twenty(test, pos);
	for (n = 0, at = 0; at <= pos[20] + 64; at++) {
		to = cur;
		if (at != pos[n]) {
			KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&to, &ring->core,
								  at, 100), -EINVAL);
			continue;
		}
		KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&to, &ring->core, at,
							  100), 0);
		test_expect_mark(test, to.at, pos[n], n);
		KUNIT_EXPECT_EQ(test, to.read_records, (u64)n);
		KUNIT_EXPECT_EQ(test, to.read_bytes, pos[n]);
		KUNIT_EXPECT_EQ(test, to.lost_records, 0ULL);
		if (n < 20)
			n++;
	}
	KUNIT_EXPECT_EQ(test, n, 20U);
	/* Not back. */
	KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&cur, &ring->core, pos[7],
						  100), 0);
	to = cur;
	KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&to, &ring->core, pos[6],
						  100), -EINVAL);
	to = cur;
	KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&to, &ring->core,
						  cur.at.pos + (1ULL << 63),
						  100), -EINVAL);
}

/* A payload that is a row of headers, with seqs and lengths that would fit. */
static void walk_takes_no_payload_for_a_record(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur;
	struct ringbuf_record *forged;
	u64 at;
	u32 n;

	KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	forged = ringbuf_core_reserve(&ring->core, 20 * 32, 0);
	KUNIT_ASSERT_NOT_NULL(test, forged);
	memset(forged, 0, 20 * 32);
	for (n = 0; n < 20; n++) {
		forged = (void *)(ring->data + 56 + 32 * n);
		forged->len = 8;
		forged->seq = 1 + n;
	}
	ringbuf_core_commit(&ring->core, 0);
	ringbuf_core_publish(&ring->core);
	KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	for (at = 32 + 8; at < ring->core.head - 32; at += 8) {
		ringbuf_cursor_init(&cur, &ring->core);
		KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&cur, &ring->core, at,
							  100), -EINVAL);
	}
	ringbuf_cursor_init(&cur, &ring->core);
	KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&cur, &ring->core, at, 100), 0);
	test_expect_mark(test, cur.at, at, 2);
}

static void walk_counts_what_is_gone_as_lost(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur, to;
	u64 tail, tail_seq;
	u32 n;

	ringbuf_cursor_init(&cur, &ring->core);
	for (n = 0; n < 300; n++)
		KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	tail = ring->page->tail;
	tail_seq = ring->page->tail_seq;
	KUNIT_ASSERT_GT(test, tail, 64ULL);

	to = cur;
	KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&to, &ring->core, 300 * 32,
						  1000), 0);
	test_expect_mark(test, to.at, 300 * 32, 300);
	KUNIT_EXPECT_EQ(test, to.lost_bytes, tail);
	KUNIT_EXPECT_EQ(test, to.lost_records, tail_seq);
	KUNIT_EXPECT_EQ(test, to.read_bytes, 300 * 32 - tail);
	KUNIT_EXPECT_EQ(test, to.read_records, 300 - tail_seq);

	/* To what is gone itself, a record or not: to the oldest one. */
	for (n = 8; n <= tail; n += 8) {
		to = cur;
		KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&to, &ring->core, n,
							  1000), 0);
		test_expect_mark(test, to.at, tail, tail_seq);
		KUNIT_EXPECT_EQ(test, to.lost_records, tail_seq);
		KUNIT_EXPECT_EQ(test, to.read_records, 0ULL);
	}
	to = cur;
	KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&to, &ring->core, tail + 8,
						  1000), -EINVAL);
	/* It goes nowhere, and has been overrun there. */
	to = cur;
	KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&to, &ring->core, 0, 1000), 0);
	test_expect_mark(test, to.at, tail, tail_seq);
	KUNIT_EXPECT_EQ(test, to.lost_records, tail_seq);
	KUNIT_EXPECT_EQ(test, to.lost_bytes, tail);
}

static void walk_keeps_to_its_budget(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur;
	int i, calls = 0, ret;

	ringbuf_cursor_init(&cur, &ring->core);
	for (i = 0; i < 100; i++)
		KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	/* Less than a stride: from record to record. */
	do {
		ret = ringbuf_cursor_walk(&cur, &ring->core, 7 * 32, 3);
		calls++;
	} while (ret == -EAGAIN);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, calls, 3);
	test_expect_mark(test, cur.at, 7 * 32, 7);
	KUNIT_EXPECT_EQ(test, cur.read_records, 7ULL);
}

static void walk_over_a_gap(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur;

	ringbuf_cursor_init(&cur, &ring->core);
	KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	ring->core.head_seq += 3;
	KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	/* To where the gap is: read() is still to tell of it. */
	KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&cur, &ring->core, 32, 10), 0);
	test_expect_mark(test, cur.at, 32, 1);
	KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&cur, &ring->core, 32, 10), 0);
	KUNIT_EXPECT_EQ(test, cur.lost_records, 0ULL);
	KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&cur, &ring->core, 64, 10), 0);
	test_expect_mark(test, cur.at, 64, 5);
	KUNIT_EXPECT_EQ(test, cur.read_records, 2ULL);
	KUNIT_EXPECT_EQ(test, cur.lost_records, 3ULL);
	KUNIT_EXPECT_EQ(test, cur.lost_bytes, 0ULL);
}

/* By way of milestones a gap is no record that was read, either. */
static void walk_far_over_a_gap(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur, to;
	u32 n;

	for (n = 0; n < 100; n++)
		KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	/* From where the cursor is, without a gap. */
	ringbuf_cursor_init(&cur, &ring->core);
	to = cur;
	KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&to, &ring->core, 99 * 32,
						  20), 0);
	test_expect_mark(test, to.at, 99 * 32, 99);
	KUNIT_EXPECT_EQ(test, to.read_records, 99ULL);
	KUNIT_EXPECT_EQ(test, to.read_bytes, 99ULL * 32);
	to = cur;
	KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&to, &ring->core, 99 * 32 + 8,
						  20), -EINVAL);

	ringbuf_core_drop(&ring->core);
	for (n = 0; n < 20; n++)
		KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	to = cur;
	KUNIT_EXPECT_EQ(test, ringbuf_cursor_walk(&to, &ring->core, 120 * 32,
						  1000), 0);
	test_expect_mark(test, to.at, 120 * 32, 121);
	KUNIT_EXPECT_EQ(test, to.read_records, 120ULL);
	KUNIT_EXPECT_EQ(test, to.lost_records, 1ULL);
	KUNIT_EXPECT_EQ(test, to.lost_bytes, 0ULL);
}

static struct kunit_case cursor_cases[] = {
	KUNIT_CASE(seek_finds_each_record),
	KUNIT_CASE(seek_keeps_to_its_budget),
	KUNIT_CASE(skip_goes_to_the_last_milestone),
	KUNIT_CASE(seek_counts_the_gap),
	KUNIT_CASE(gap_in_the_seqs),
	KUNIT_CASE(walk_stops_at_records_only),
	KUNIT_CASE(walk_takes_no_payload_for_a_record),
	KUNIT_CASE(walk_counts_what_is_gone_as_lost),
	KUNIT_CASE(walk_keeps_to_its_budget),
	KUNIT_CASE(walk_over_a_gap),
	KUNIT_CASE(walk_far_over_a_gap),
	{}
};

static struct kunit_suite cursor_suite = {
	.name = "ringbuf_cursor",
	.init = test_ring_init,
	.exit = test_ring_exit,
	.test_cases = cursor_cases,
};

kunit_test_suite(cursor_suite);
