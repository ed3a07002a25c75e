// SPDX-License-Identifier: GPL-2.0
/*
 * Reliable consumers: what they hold, and what a producer does that is held. As
 * core_kunit.c it runs in the kernel and in userspace.
 */

#include <linux/rculist.h>
#include <linux/string.h>
#include "core_test.h"

#define FRAME	32ULL	/* of a record of 8 bytes */

static int reliable_init(struct kunit *test)
{
	struct test_ring *ring;
	int ret = test_ring_init(test);

	if (ret)
		return ret;
	ring = test->priv;
	ring->core.reliable = true;
	return 0;
}

/* Writes until held, at most @max records; how many it were. */
static u64 write_until_held(struct test_ring *ring, u64 max)
{
	u64 n;

	for (n = 0; n < max && test_write(ring, 8, 0); n++)
		;
	return n;
}

static void join(struct test_ring *ring, struct ringbuf_hold *hold,
		 struct ringbuf_cursor *cur)
{
	memset(hold, 0, sizeof(*hold));
	ringbuf_cursor_init(cur, &ring->core);
	ringbuf_hold_join(hold, &ring->core, cur);
}

/* Reads the next record, and lets go of it. */
static void read_one(struct kunit *test, struct ringbuf_hold *hold,
		     struct ringbuf_cursor *cur)
{
	test_expect_record(test, cur, cur->at.seq, 8, 0);
	ringbuf_hold_move(hold, cur->at.pos);
}

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
	ringbuf_hold_leave(&hold);
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
	ringbuf_hold_leave(&hold[2]);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), 5ULL);
	ringbuf_hold_leave(&hold[1]);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), 5ULL);
	ringbuf_hold_leave(&hold[0]);
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
	KUNIT_EXPECT_EQ(test, ring->core.overwritten, 0ULL);
	for (i = 0; i < seq; i++)
		test_expect_record(test, &lossy, i, 8, 0);
	ringbuf_hold_leave(&hold);
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
	ringbuf_hold_leave(&hold);
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
	ringbuf_hold_leave(&hold);
	written += write_until_held(ring, 1000);
	ringbuf_core_tail(&ring->core, &tail);
	KUNIT_EXPECT_EQ(test, tail.seq, tail.pos / FRAME + 2);
	KUNIT_EXPECT_EQ(test, ring->core.overwritten, tail.pos / FRAME);
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
	ringbuf_hold_leave(&hold);
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
	ringbuf_hold_leave(&slow);
	ringbuf_hold_leave(&fast);
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
	KUNIT_EXPECT_TRUE(test, ringbuf_hold_back(&hold, &ring->core, 0));
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), 0ULL);
	ringbuf_hold_move(&hold, cur.at.pos);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1), 1ULL);
	joins = ring->core.joins;
	KUNIT_EXPECT_FALSE(test, ringbuf_hold_back(&hold, &ring->core, 0));
	/* Nor was it seen to try. */
	KUNIT_EXPECT_EQ(test, ring->core.joins, joins);
	KUNIT_EXPECT_EQ(test, hold.pos, cur.at.pos);
	KUNIT_EXPECT_TRUE(test, ringbuf_hold_back(&hold, &ring->core,
						  ring->page->tail));
	n = ring->page->tail;
	write_until_held(ring, 1000);
	KUNIT_EXPECT_EQ(test, ring->page->tail, n);
	ringbuf_hold_leave(&hold);
}

static void is_demoted_in_time(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold slow, other;
	struct ringbuf_cursor slow_cur, other_cur;
	u64 need;

	join(ring, &slow, &slow_cur);
	join(ring, &other, &other_cur);
	write_until_held(ring, 1000);
	need = ring->core.head + FRAME - ring->size;
	read_one(test, &other, &other_cur);

	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need - FRAME, 5,
						100), 0ULL);
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need, 10, 0),
			U64_MAX);
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need, 10, 100),
			100ULL);
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need, 109, 100),
			1ULL);
	KUNIT_EXPECT_FALSE(test, slow.demoted);
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need, 110, 100),
			0ULL);
	KUNIT_EXPECT_TRUE(test, slow.demoted);
	KUNIT_EXPECT_FALSE(test, other.demoted);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), 1ULL);
	/* It has lost nothing yet, and may come back. */
	ringbuf_hold_leave(&slow);
	ringbuf_hold_leave(&other);
}

/* Holds a producer since the time 10; it wants the tail at what is returned. */
static u64 hold_at_ten(struct kunit *test, struct ringbuf_hold *hold,
		       struct ringbuf_cursor *cur)
{
	struct test_ring *ring = test->priv;
	u64 need;

	join(ring, hold, cur);
	write_until_held(ring, 1000);
	need = ring->core.head + FRAME - ring->size;
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need, 10, 100),
			100ULL);
	return need;
}

/* The time that one holds the producer ends when it does. */
static void time_begins_anew(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold;
	struct ringbuf_cursor cur;
	u64 need;

	need = hold_at_ten(test, &hold, &cur);
	read_one(test, &hold, &cur);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), 1ULL);
	need += FRAME;
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need, 500, 100),
			100ULL);
	KUNIT_EXPECT_FALSE(test, hold.demoted);
	ringbuf_hold_leave(&hold);
}

/* Two that take turns do not hold the producer for longer than one. */
static void latecomers_share_the_time(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold, late, prompt;
	struct ringbuf_cursor cur, late_cur, prompt_cur;
	u64 need;

	need = hold_at_ten(test, &hold, &cur);
	join(ring, &late, &late_cur);
	join(ring, &prompt, &prompt_cur);
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need, 60, 100),
			50ULL);
	read_one(test, &prompt, &prompt_cur);
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need, 110, 100),
			0ULL);
	KUNIT_EXPECT_TRUE(test, hold.demoted);
	KUNIT_EXPECT_TRUE(test, late.demoted);
	KUNIT_EXPECT_FALSE(test, prompt.demoted);
	/* Nobody is left whose time it could share. */
	ringbuf_hold_leave(&late);
	join(ring, &late, &late_cur);
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need, 200, 100),
			100ULL);
	ringbuf_hold_leave(&hold);
	ringbuf_hold_leave(&late);
	ringbuf_hold_leave(&prompt);
}

/* Nor by going to and fro. */
static void seeks_back_share_the_time(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold, other;
	struct ringbuf_cursor cur, other_cur;
	u64 need;

	need = hold_at_ten(test, &hold, &cur);
	join(ring, &other, &other_cur);
	read_one(test, &other, &other_cur);
	KUNIT_EXPECT_TRUE(test, ringbuf_hold_back(&other, &ring->core, 0));
	read_one(test, &hold, &cur);
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need, 60, 100),
			50ULL);
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need, 110, 100),
			0ULL);
	KUNIT_EXPECT_TRUE(test, other.demoted);
	KUNIT_EXPECT_FALSE(test, hold.demoted);
	ringbuf_hold_leave(&hold);
	ringbuf_hold_leave(&other);
}

/* It made way for what it was asked for, though nobody looked; then more. */
static void is_asked_for_more(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold;
	struct ringbuf_cursor cur;
	u64 need;

	need = hold_at_ten(test, &hold, &cur);
	/* More at the same time is no reason to begin anew. */
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need + 2 * FRAME,
						20, 100), 90ULL);
	read_one(test, &hold, &cur);
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need + 2 * FRAME,
						500, 100), 100ULL);
	/* On the way it makes no difference. */
	read_one(test, &hold, &cur);
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need + 2 * FRAME,
						550, 100), 50ULL);
	/* Nor does it to go back, for who has not made way. */
	KUNIT_EXPECT_TRUE(test, ringbuf_hold_back(&hold, &ring->core, 0));
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need, 590, 100),
			10ULL);
	/* The clock of another CPU. */
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need, 499, 100),
			101ULL);
	KUNIT_EXPECT_FALSE(test, hold.demoted);
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need, 600, 100),
			0ULL);
	KUNIT_EXPECT_TRUE(test, hold.demoted);
	ringbuf_hold_leave(&hold);
}

/* It made way, and then went back: that is another matter. */
static void holds_anew(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold;
	struct ringbuf_cursor cur;
	u64 need = hold_at_ten(test, &hold, &cur);

	read_one(test, &hold, &cur);
	KUNIT_EXPECT_TRUE(test, ringbuf_hold_back(&hold, &ring->core, 0));
	KUNIT_EXPECT_EQ(test, ringbuf_core_held(&ring->core, need, 500, 100),
			100ULL);
	KUNIT_EXPECT_FALSE(test, hold.demoted);
	ringbuf_hold_leave(&hold);
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
			ringbuf_hold_leave(&second);
			ringbuf_hold_join(&second, &ring->core, &second_cur);
		}
		KUNIT_EXPECT_EQ(test, first_cur.lost_records, 0ULL);
		KUNIT_EXPECT_EQ(test, second_cur.lost_records, 0ULL);
		KUNIT_EXPECT_EQ(test, second_cur.read_records, 6 * fits);
		ringbuf_core_drop(&ring->core);
		ringbuf_hold_leave(&first);
		ringbuf_hold_leave(&second);
		KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), 1000ULL);
		ringbuf_hold_join(&first, &ring->core, &first_cur);
		KUNIT_EXPECT_EQ(test, first_cur.at.pos, ring->page->tail);
		KUNIT_EXPECT_EQ(test, first_cur.lost_bytes + first_cur.read_bytes,
				ring->page->tail - pos);
		KUNIT_EXPECT_EQ(test, first_cur.lost_records +
				first_cur.read_records,
				ring->page->tail_seq - seq);
		ringbuf_hold_leave(&first);
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
	KUNIT_CASE(is_demoted_in_time),
	KUNIT_CASE(time_begins_anew),
	KUNIT_CASE(latecomers_share_the_time),
	KUNIT_CASE(seeks_back_share_the_time),
	KUNIT_CASE(is_asked_for_more),
	KUNIT_CASE(holds_anew),
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
