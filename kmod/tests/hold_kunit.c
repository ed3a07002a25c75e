// SPDX-License-Identifier: GPL-2.0
/*
 * Reliable consumers: what they hold, and what a producer does that is held. As
 * core_kunit.c it runs in the kernel and in userspace.
 */

#include <linux/rculist.h>
#include <linux/slab.h>
#include "hold_test.h"

static void nobody_holds(struct kunit *test)
{
	struct test_ring *ring = test->priv;

	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), 1000ULL);
}

static void all_of_the_ring_can_be_held(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold;
	struct ringbuf_cursor cur;
	u64 n, fits = ring->size / FRAME;

	join(ring, &hold, &cur);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), fits);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1), 0ULL);
	KUNIT_EXPECT_EQ(test, ring->page->tail, 0ULL);
	KUNIT_EXPECT_EQ(test, ring->core.aim, 0ULL);
	/* Each record that is read makes room for one. */
	for (n = 0; n < 3 * fits; n++) {
		read_one(test, &hold, &cur);
		KUNIT_EXPECT_EQ(test, write_until_held(ring, 2), 1ULL);
	}
	KUNIT_EXPECT_EQ(test, cur.lost_records, 0ULL);
	ringbuf_hold_leave(&hold, &ring->core);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), 1000ULL);
}

static void the_slowest_holds(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold[3];
	struct ringbuf_cursor cur[3];
	int i;

	for (i = 0; i < 3; i++)
		join(ring, &hold[i], &cur[i]);
	write_until_held(ring, 1000);
	for (i = 0; i < 10; i++)
		read_one(test, &hold[0], &cur[0]);
	for (i = 0; i < 5; i++)
		read_one(test, &hold[1], &cur[1]);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), 0ULL);
	ringbuf_hold_leave(&hold[2], &ring->core);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), 5ULL);
	ringbuf_hold_leave(&hold[1], &ring->core);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), 5ULL);
	ringbuf_hold_leave(&hold[0], &ring->core);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), 1000ULL);
}

/* What a held producer wanted has not happened: nothing moved, nothing is gone. */
static void held_changes_nothing(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold;
	struct ringbuf_cursor cur, lossy;
	u64 head, seq, i;

	join(ring, &hold, &cur);
	ringbuf_cursor_init(&lossy, &ring->core);
	write_until_held(ring, 1000);
	head = ring->core.head;
	seq = ring->core.head_seq;
	for (i = 8; i <= ring->core.max_record; i += 100) {
		KUNIT_EXPECT_NULL(test, ringbuf_core_reserve(&ring->core, i, 0));
		KUNIT_EXPECT_NULL(test, ringbuf_core_reserve_run(&ring->core, i));
	}
	KUNIT_EXPECT_EQ(test, ring->core.head, head);
	KUNIT_EXPECT_EQ(test, ring->core.head_seq, seq);
	KUNIT_EXPECT_EQ(test, test_overwritten(test), 0ULL);
	for (i = 0; i < seq; i++)
		test_expect_record(test, &lossy, i, 8, 0);
	ringbuf_hold_leave(&hold, &ring->core);
}

/* A drop uses a seq, which everybody sees. */
static void drops_leave_a_gap(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold;
	struct ringbuf_cursor cur;
	struct ringbuf_stats stats;
	struct ringbuf_mark head;
	struct ringbuf_view v;
	u64 fits = ring->size / FRAME;
	u64 n;

	join(ring, &hold, &cur);
	write_until_held(ring, 1000);
	for (n = 1; n <= 5; n++) {
		ringbuf_core_drop(&ring->core);
		ringbuf_core_head(&ring->core, &head);
		test_expect_mark(test, head, fits * FRAME, fits + n);
	}
	KUNIT_EXPECT_EQ(test, ring->core.dropped, 5ULL);
	for (n = 0; n < fits; n++)
		read_one(test, &hold, &cur);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1), 1ULL);
	KUNIT_ASSERT_TRUE(test, ringbuf_core_peek(&ring->core, &cur.at, &v));
	KUNIT_EXPECT_EQ(test, v.lost_records, 5ULL);
	KUNIT_EXPECT_EQ(test, v.lost_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, v.at.seq, fits + 5);
	/* What the next read will report counts already. */
	ringbuf_cursor_stats(&cur, &ring->core, &stats);
	KUNIT_EXPECT_EQ(test, stats.flags, 0U);
	KUNIT_EXPECT_EQ(test, stats.lost_records, 5ULL);
	KUNIT_EXPECT_EQ(test, stats.lag_records, 1ULL);
	KUNIT_EXPECT_EQ(test, stats.lag_bytes, (u64)FRAME);
	ringbuf_hold_leave(&hold, &ring->core);
}

/* Seqs that drops used are no records that were overwritten. */
static void drops_are_not_overwritten(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold;
	struct ringbuf_cursor cur;
	struct ringbuf_mark tail;
	u64 written;

	join(ring, &hold, &cur);
	written = write_until_held(ring, 1000);
	ringbuf_core_drop(&ring->core);
	ringbuf_core_drop(&ring->core);
	ringbuf_hold_leave(&hold, &ring->core);
	written += write_until_held(ring, 1000);
	ringbuf_core_tail(&ring->core, &tail);
	KUNIT_EXPECT_EQ(test, tail.seq, tail.pos / FRAME + 2);
	KUNIT_EXPECT_EQ(test, test_overwritten(test), tail.pos / FRAME);
	KUNIT_EXPECT_EQ(test, ring->core.head, written * FRAME);
}

static void joins_after_an_overrun(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold = {};
	struct ringbuf_cursor cur;
	u64 joins, tail;

	ringbuf_cursor_init(&cur, &ring->core);
	write_until_held(ring, 1000);
	tail = ring->page->tail;
	KUNIT_ASSERT_GT(test, tail, 0ULL);
	joins = ring->core.joins;
	ringbuf_hold_join(&hold, &ring->core, &cur);
	/* It never was where the tail had been. */
	KUNIT_EXPECT_EQ(test, ring->core.joins, joins + 1);
	test_expect_mark(test, cur.at, tail, tail / FRAME);
	KUNIT_EXPECT_EQ(test, cur.lost_records, tail / FRAME);
	KUNIT_EXPECT_EQ(test, cur.lost_bytes, tail);
	KUNIT_EXPECT_EQ(test, hold.pos, tail);
	write_until_held(ring, 1000);
	KUNIT_EXPECT_EQ(test, ring->page->tail, tail);
	ringbuf_hold_leave(&hold, &ring->core);
}

/* Below the bound that the producer remembers: it must look again. */
static void joins_behind_others(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold fast, slow = {};
	struct ringbuf_cursor fast_cur, slow_cur;
	u64 n;

	join(ring, &fast, &fast_cur);
	ringbuf_cursor_init(&slow_cur, &ring->core);
	write_until_held(ring, 1000);
	for (n = 0; n < 64; n++)
		read_one(test, &fast, &fast_cur);
	/* Now it remembers that it may go as far as to 64. */
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1), 1ULL);
	KUNIT_EXPECT_EQ(test, ring->core.bound, 64 * FRAME);
	n = ring->page->tail;
	KUNIT_ASSERT_TRUE(test, n < 64 * FRAME);
	ringbuf_hold_join(&slow, &ring->core, &slow_cur);
	KUNIT_EXPECT_EQ(test, slow_cur.at.pos, n);
	write_until_held(ring, 1000);
	KUNIT_EXPECT_EQ(test, ring->page->tail, n);
	/* And remembers that. */
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1), 0ULL);
	ringbuf_hold_leave(&slow, &ring->core);
	ringbuf_hold_leave(&fast, &ring->core);
}

static void moves_back(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold;
	struct ringbuf_cursor cur;
	u64 joins, n;

	join(ring, &hold, &cur);
	write_until_held(ring, 1000);
	for (n = 0; n < 64; n++)
		read_one(test, &hold, &cur);
	/* Nothing has gone yet: all the way back. */
	KUNIT_EXPECT_TRUE(test, go_back(ring, &hold, 0));
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), 0ULL);
	ringbuf_hold_move(&hold, cur.at.pos);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1), 1ULL);
	joins = ring->core.joins;
	KUNIT_EXPECT_FALSE(test, go_back(ring, &hold, 0));
	/* Nor was it seen to try. */
	KUNIT_EXPECT_EQ(test, ring->core.joins, joins);
	KUNIT_EXPECT_EQ(test, hold.pos, cur.at.pos);
	KUNIT_EXPECT_TRUE(test, go_back(ring, &hold, ring->page->tail));
	n = ring->page->tail;
	write_until_held(ring, 1000);
	KUNIT_EXPECT_EQ(test, ring->page->tail, n);
	ringbuf_hold_leave(&hold, &ring->core);
}

/* The tail goes to where the slowest one is, wherever that is, and no record by record. */
static void the_tail_follows_the_slowest(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold slow, fast;
	struct ringbuf_cursor slow_cur, fast_cur;
	u64 fits = ring->size / FRAME;
	u64 n;

	join(ring, &slow, &slow_cur);
	join(ring, &fast, &fast_cur);
	write_until_held(ring, 1000);
	for (n = 0; n < 5 * fits; n++) {
		if (n % fits == 0)
			while (fast_cur.at.pos != ring->core.head)
				read_one(test, &fast, &fast_cur);
		/* As a producer that is refused does. */
		ringbuf_core_wait_for_holds(&ring->core, ring->page->tail + FRAME,
					    n, 0);
		read_one(test, &slow, &slow_cur);
		KUNIT_EXPECT_EQ(test, write_until_held(ring, 2), 1ULL);
		KUNIT_EXPECT_EQ(test, ring->page->tail, slow_cur.at.pos);
		KUNIT_EXPECT_EQ(test, ring->page->tail_seq, slow_cur.at.seq);
		KUNIT_EXPECT_EQ(test, test_overwritten(test), n + 1);
	}
	ringbuf_hold_leave(&slow, &ring->core);
	ringbuf_hold_leave(&fast, &ring->core);
}

/* Where each record of the ring begins, and how many were before it. */
struct counts {
	u64 before[512];
	u64 records;
	u64 random;
};

static u32 roll(struct counts *counts, u32 n)
{
	counts->random = counts->random * 6364136223846793005ULL +
			 1442695040888963407ULL;
	return (counts->random >> 33) % n;
}

static u64 *counts_at(struct counts *counts, u64 pos)
{
	return &counts->before[pos / RINGBUF_ALIGN % ARRAY_SIZE(counts->before)];
}

static void read_or_lose(struct test_ring *ring, struct ringbuf_hold *hold,
			 struct ringbuf_cursor *cur)
{
	struct ringbuf_view v;

	if (!ringbuf_core_peek(&ring->core, &cur->at, &v))
		return;
	ringbuf_cursor_lose(cur, &v);
	ringbuf_cursor_take(cur, ringbuf_frame_size(v.len), 1);
	ringbuf_hold_move(hold, cur->at.pos);
}

/* Overwritten, retained and dropped make up all seqs, wherever the drops are. */
static void drops_anywhere_are_told_apart(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct counts *counts = kunit_kzalloc(test, sizeof(*counts), GFP_KERNEL);
	struct ringbuf_core *core = &ring->core;
	struct ringbuf_hold hold;
	struct ringbuf_cursor cur;
	u32 i, often;
	u64 at;

	KUNIT_ASSERT_NOT_NULL(test, counts);
	join(ring, &hold, &cur);
	for (i = 0; i < 30000; i++) {
		/* Now many, now few. */
		often = 2 << (i / 1000 % 8);
		at = core->head;
		if (!roll(counts, often))
			ringbuf_core_drop(core);
		if (roll(counts, 2))
			read_or_lose(ring, &hold, &cur);
		else if (test_write(ring, 1 + roll(counts, roll(counts, 9) ? 90 : 900), 0))
			*counts_at(counts, at) = counts->records++;
		else
			ringbuf_core_drop(core);
		if (ring->page->tail == core->head)
			continue;
		at = *counts_at(counts, ring->page->tail);
		KUNIT_ASSERT_EQ(test, test_overwritten(test), at);
		KUNIT_ASSERT_EQ(test, counts->records + core->dropped,
				core->head_seq);
	}
	KUNIT_EXPECT_GT(test, test_overwritten(test), 5000ULL);
	KUNIT_EXPECT_GT(test, core->dropped, 1000ULL);
	ringbuf_hold_leave(&hold, core);
}

/* Positions and seqs cross what 32 bits, a sign and 64 bits can hold. */
static void counters_cross(struct kunit *test)
{
	static const u64 bounds[] = { 1ULL << 31, 1ULL << 32, 1ULL << 63, 0 };
	struct test_ring *ring = test->priv;
	struct ringbuf_hold first, second;
	struct ringbuf_cursor first_cur, second_cur;
	u64 fits = ring->size / FRAME;
	u64 i, n, pos, seq;

	for (i = 0; i < ARRAY_SIZE(bounds); i++) {
		pos = bounds[i] - 2 * ring->size;
		seq = bounds[i] - 3 * fits;
		test_ring_start(ring, pos, seq);
		ring->core.reliable = true;
		join(ring, &first, &first_cur);
		join(ring, &second, &second_cur);
		KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), fits);
		for (n = 0; n < 6 * fits; n++) {
			/* Now the one is the slowest, now the other. */
			if (n % 100 < 50) {
				read_one(test, &first, &first_cur);
				KUNIT_ASSERT_EQ(test, write_until_held(ring, 1),
						0ULL);
				read_one(test, &second, &second_cur);
			} else {
				read_one(test, &second, &second_cur);
				KUNIT_ASSERT_EQ(test, write_until_held(ring, 1),
						0ULL);
				read_one(test, &first, &first_cur);
			}
			KUNIT_ASSERT_EQ(test, write_until_held(ring, 2), 1ULL);
			KUNIT_ASSERT_EQ(test, first_cur.at.seq, seq + n + 1);
			KUNIT_ASSERT_EQ(test, first_cur.at.pos,
					pos + (n + 1) * FRAME);
			if (n % 32)
				continue;
			/* Away for a moment; back where it was. */
			ringbuf_hold_leave(&second, &ring->core);
			ringbuf_hold_join(&second, &ring->core, &second_cur);
		}
		KUNIT_EXPECT_EQ(test, first_cur.lost_records, 0ULL);
		KUNIT_EXPECT_EQ(test, second_cur.lost_records, 0ULL);
		KUNIT_EXPECT_EQ(test, second_cur.read_records, 6 * fits);
		ringbuf_core_drop(&ring->core);
		ringbuf_hold_leave(&first, &ring->core);
		ringbuf_hold_leave(&second, &ring->core);
		KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), 1000ULL);
		ringbuf_hold_join(&first, &ring->core, &first_cur);
		KUNIT_EXPECT_EQ(test, first_cur.at.pos, ring->page->tail);
		KUNIT_EXPECT_EQ(test, first_cur.lost_bytes + first_cur.read_bytes,
				ring->page->tail - pos);
		KUNIT_EXPECT_EQ(test, first_cur.lost_records +
				first_cur.read_records,
				ring->page->tail_seq - seq);
		ringbuf_hold_leave(&first, &ring->core);
	}
}

static struct kunit_case hold_cases[] = {
	KUNIT_CASE(nobody_holds),
	KUNIT_CASE(all_of_the_ring_can_be_held),
	KUNIT_CASE(the_slowest_holds),
	KUNIT_CASE(held_changes_nothing),
	KUNIT_CASE(drops_leave_a_gap),
	KUNIT_CASE(drops_are_not_overwritten),
	KUNIT_CASE(joins_after_an_overrun),
	KUNIT_CASE(joins_behind_others),
	KUNIT_CASE(moves_back),
	KUNIT_CASE(the_tail_follows_the_slowest),
	KUNIT_CASE(drops_anywhere_are_told_apart),
	KUNIT_CASE(counters_cross),
	{}
};

static struct kunit_suite hold_suite = {
	.name = "ringbuf_hold",
	.init = reliable_init,
	.exit = test_ring_exit,
	.test_cases = hold_cases,
};

kunit_test_suite(hold_suite);
