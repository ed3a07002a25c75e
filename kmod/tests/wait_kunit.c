// SPDX-License-Identifier: GPL-2.0
/*
 * A producer that waits for reliable consumers: whom it asks to make way, and who is
 * demoted when. As core_kunit.c it runs in the kernel and in userspace.
 */

#include <linux/rculist.h>
#include "hold_test.h"

#define STALL	100ULL	/* ns */

static u64 wait_for(struct test_ring *ring, u64 need, u64 now)
{
	return ringbuf_core_wait_for_holds(&ring->core, need, now, STALL);
}

static u64 still_held(struct test_ring *ring, u64 need, u64 now)
{
	return ringbuf_core_still_held(&ring->core, need, now, STALL);
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

	KUNIT_EXPECT_EQ(test, wait_for(ring, need - FRAME, 5), 0ULL);
	KUNIT_EXPECT_EQ(test, ringbuf_core_wait_for_holds(&ring->core, need, 10,
							  0), U64_MAX);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 10), 100ULL);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 109), 1ULL);
	KUNIT_EXPECT_FALSE(test, slow.demoted);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 110), 0ULL);
	KUNIT_EXPECT_TRUE(test, slow.demoted);
	KUNIT_EXPECT_FALSE(test, other.demoted);
	/* Nobody has to look at it any more. */
	KUNIT_EXPECT_EQ(test, ring->core.nr_holds, 1U);
	KUNIT_EXPECT_TRUE(test, ring->core.holds.next == &other.node &&
			  other.node.next == &ring->core.holds);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), 1ULL);
	/* It has lost nothing yet, and may come back. */
	ringbuf_hold_leave(&slow, &ring->core);
	ringbuf_hold_leave(&other, &ring->core);
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
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 10), 100ULL);
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
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 500), 100ULL);
	KUNIT_EXPECT_FALSE(test, hold.demoted);
	ringbuf_hold_leave(&hold, &ring->core);
}

/* Two consumers that take turns hold the producer for no longer than one. */
static void latecomers_share_the_time(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold, late, prompt;
	struct ringbuf_cursor cur, late_cur, prompt_cur;
	u64 need;

	need = hold_at_ten(test, &hold, &cur);
	join(ring, &late, &late_cur);
	join(ring, &prompt, &prompt_cur);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 60), 50ULL);
	read_one(test, &prompt, &prompt_cur);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 110), 0ULL);
	KUNIT_EXPECT_TRUE(test, hold.demoted);
	KUNIT_EXPECT_TRUE(test, late.demoted);
	KUNIT_EXPECT_FALSE(test, prompt.demoted);
	/* Nobody is left whose time it could share. */
	ringbuf_hold_leave(&late, &ring->core);
	join(ring, &late, &late_cur);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 200), 100ULL);
	ringbuf_hold_leave(&hold, &ring->core);
	ringbuf_hold_leave(&late, &ring->core);
	ringbuf_hold_leave(&prompt, &ring->core);
}

/* Nor do they by going to and fro. */
static void seeks_back_share_the_time(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold, other;
	struct ringbuf_cursor cur, other_cur;
	u64 need;

	need = hold_at_ten(test, &hold, &cur);
	join(ring, &other, &other_cur);
	read_one(test, &other, &other_cur);
	KUNIT_EXPECT_TRUE(test, go_back(ring, &other, 0));
	read_one(test, &hold, &cur);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 60), 50ULL);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 110), 0ULL);
	KUNIT_EXPECT_TRUE(test, other.demoted);
	KUNIT_EXPECT_FALSE(test, hold.demoted);
	ringbuf_hold_leave(&hold, &ring->core);
	ringbuf_hold_leave(&other, &ring->core);
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
	KUNIT_EXPECT_EQ(test, wait_for(ring, need + 2 * FRAME, 20), 90ULL);
	read_one(test, &hold, &cur);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need + 2 * FRAME, 500), 100ULL);
	/* On the way it makes no difference. */
	read_one(test, &hold, &cur);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need + 2 * FRAME, 550), 50ULL);
	/* A hold that has not made way gains nothing by going back. */
	KUNIT_EXPECT_TRUE(test, go_back(ring, &hold, 0));
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 590), 10ULL);
	/* The clock of another CPU. */
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 499), 101ULL);
	KUNIT_EXPECT_FALSE(test, hold.demoted);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 600), 0ULL);
	KUNIT_EXPECT_TRUE(test, hold.demoted);
	ringbuf_hold_leave(&hold, &ring->core);
}

/* It made way, and then went back: that is another matter. */
static void holds_anew(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold;
	struct ringbuf_cursor cur;
	u64 need = hold_at_ten(test, &hold, &cur);

	read_one(test, &hold, &cur);
	KUNIT_EXPECT_TRUE(test, go_back(ring, &hold, 0));
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 500), 100ULL);
	KUNIT_EXPECT_FALSE(test, hold.demoted);
	ringbuf_hold_leave(&hold, &ring->core);
}

/* Of several that were asked the one that was asked first gives its time. */
static void latecomers_have_the_time_of_the_first(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold first, second, late[3];
	struct ringbuf_cursor first_cur, second_cur, late_cur[3];
	u64 need;

	need = hold_at_ten(test, &first, &first_cur);
	join(ring, &second, &second_cur);
	read_one(test, &second, &second_cur);
	/* More is asked for: of the second one now, of the first one already. */
	KUNIT_EXPECT_EQ(test, wait_for(ring, need + FRAME, 50), 60ULL);
	join(ring, &late[0], &late_cur[0]);
	KUNIT_EXPECT_EQ(test, late[0].since, 10ULL);
	/* One that is beyond what was asked for is not in the way. */
	join(ring, &late[1], &late_cur[1]);
	read_one(test, &late[1], &late_cur[1]);
	read_one(test, &late[1], &late_cur[1]);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need + 2 * FRAME, 90), 20ULL);
	KUNIT_EXPECT_EQ(test, late[1].since, 90ULL);
	/* The first one leaves, but not the late one, which has its time. */
	ringbuf_hold_leave(&first, &ring->core);
	join(ring, &late[2], &late_cur[2]);
	KUNIT_EXPECT_EQ(test, late[2].since, 10ULL);
	/* Now the second one was asked first. */
	ringbuf_hold_leave(&late[2], &ring->core);
	ringbuf_hold_leave(&late[0], &ring->core);
	join(ring, &late[2], &late_cur[2]);
	KUNIT_EXPECT_EQ(test, late[2].since, 50ULL);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need + 2 * FRAME, 150), 40ULL);
	KUNIT_EXPECT_TRUE(test, second.demoted);
	KUNIT_EXPECT_TRUE(test, late[2].demoted);
	KUNIT_EXPECT_FALSE(test, late[1].demoted);
	ringbuf_hold_leave(&second, &ring->core);
	ringbuf_hold_leave(&late[1], &ring->core);
	ringbuf_hold_leave(&late[2], &ring->core);
}

/* It made way, and nobody else was asked: the next one has its full time. */
static void latecomers_have_their_time_when_all_made_way(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold, late;
	struct ringbuf_cursor cur, late_cur;
	u64 need;

	need = hold_at_ten(test, &hold, &cur);
	read_one(test, &hold, &cur);
	join(ring, &late, &late_cur);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 500), STALL);
	/* And before anybody was asked. */
	ringbuf_hold_leave(&hold, &ring->core);
	join(ring, &hold, &cur);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 550), 50ULL);
	ringbuf_hold_leave(&hold, &ring->core);
	ringbuf_hold_leave(&late, &ring->core);
}

/* What was asked in a wait that is over does not count. */
static void a_new_wait_begins_anew(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold, late;
	struct ringbuf_cursor cur, late_cur;
	u64 need;

	need = hold_at_ten(test, &hold, &cur);
	ringbuf_core_new_wait(&ring->core);
	join(ring, &late, &late_cur);
	KUNIT_EXPECT_EQ(test, still_held(ring, need, 300), 0ULL);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 300), STALL);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 390), 10ULL);
	KUNIT_EXPECT_FALSE(test, hold.demoted);
	ringbuf_hold_leave(&hold, &ring->core);
	ringbuf_hold_leave(&late, &ring->core);
}

/* Without a look at all of them, as long as one that was asked is in the way. */
static void is_still_held(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_hold hold, other;
	struct ringbuf_cursor cur, other_cur;
	u64 need;

	join(ring, &other, &other_cur);
	KUNIT_EXPECT_EQ(test, still_held(ring, FRAME, 5), 0ULL);
	need = hold_at_ten(test, &hold, &cur);
	KUNIT_EXPECT_EQ(test, still_held(ring, need, 10), STALL);
	KUNIT_EXPECT_EQ(test, still_held(ring, need, 109), 1ULL);
	KUNIT_EXPECT_EQ(test, still_held(ring, need, 9), STALL + 1);
	/* Its time is up; more is wanted; nobody has a time. */
	KUNIT_EXPECT_EQ(test, still_held(ring, need, 110), 0ULL);
	KUNIT_EXPECT_EQ(test, still_held(ring, need + FRAME, 20), 0ULL);
	KUNIT_EXPECT_EQ(test, ringbuf_core_still_held(&ring->core, need + FRAME,
						      20, 0), U64_MAX);
	/* The one that was looked at makes way, and the other one does not. */
	read_one(test, &hold, &cur);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 20), 90ULL);
	KUNIT_EXPECT_EQ(test, still_held(ring, need, 30), 80ULL);
	read_one(test, &other, &other_cur);
	KUNIT_EXPECT_EQ(test, still_held(ring, need, 30), 0ULL);
	KUNIT_EXPECT_EQ(test, ringbuf_core_still_held(&ring->core, need, 30, 0),
			0ULL);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need, 30), 0ULL);
	ringbuf_hold_leave(&hold, &ring->core);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need + FRAME, 30), STALL);
	ringbuf_hold_leave(&other, &ring->core);
	KUNIT_EXPECT_EQ(test, still_held(ring, need + FRAME, 30), 0ULL);
	KUNIT_EXPECT_EQ(test, wait_for(ring, need + FRAME, 30), 0ULL);
}

static void the_holder_is_the_slowest(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_core *core = &ring->core;
	struct ringbuf_hold hold[3];
	struct ringbuf_cursor cur[3];
	int i;

	KUNIT_EXPECT_NULL(test, ringbuf_core_holder(core, FRAME));
	for (i = 0; i < 3; i++)
		join(ring, &hold[i], &cur[i]);
	write_until_held(ring, 1000);
	for (i = 0; i < 6; i++)
		read_one(test, &hold[i / 2], &cur[i / 2]);
	read_one(test, &hold[2], &cur[2]);
	read_one(test, &hold[1], &cur[1]);
	/* At 2, 3 and 3. */
	KUNIT_EXPECT_PTR_EQ(test, ringbuf_core_holder(core, 3 * FRAME), &hold[0]);
	KUNIT_EXPECT_NULL(test, ringbuf_core_holder(core, 2 * FRAME));
	for (i = 0; i < 2; i++)
		read_one(test, &hold[0], &cur[0]);
	KUNIT_EXPECT_NULL(test, ringbuf_core_holder(core, 3 * FRAME));
	read_one(test, &hold[1], &cur[1]);
	KUNIT_EXPECT_PTR_EQ(test, ringbuf_core_holder(core, 5 * FRAME), &hold[2]);
	KUNIT_EXPECT_TRUE(test, go_back(ring, &hold[1], FRAME));
	KUNIT_EXPECT_PTR_EQ(test, ringbuf_core_holder(core, 5 * FRAME), &hold[1]);
	ringbuf_hold_leave(&hold[1], core);
	KUNIT_EXPECT_PTR_EQ(test, ringbuf_core_holder(core, 5 * FRAME), &hold[2]);
	/* Nobody was asked for anything. */
	KUNIT_EXPECT_EQ(test, wait_for(ring, 5 * FRAME, 500), STALL);
	ringbuf_hold_leave(&hold[0], core);
	ringbuf_hold_leave(&hold[2], core);
	KUNIT_EXPECT_NULL(test, ringbuf_core_holder(core, 5 * FRAME));
}

/* A refused write and a success say whether the producer waits. */
static void a_refusal_is_over_with_a_reserve(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_core *core = &ring->core;
	struct ringbuf_hold hold;
	struct ringbuf_cursor cur;
	int i;

	join(ring, &hold, &cur);
	write_until_held(ring, 1000);
	KUNIT_EXPECT_FALSE(test, core->refused);
	for (i = 1; i < 5; i++) {
		ringbuf_core_refuse(core);
		KUNIT_EXPECT_EQ(test, write_until_held(ring, 1), 0ULL);
		KUNIT_EXPECT_TRUE(test, core->refused);
		read_one(test, &hold, &cur);
		KUNIT_EXPECT_TRUE(test, core->refused);
		KUNIT_EXPECT_EQ(test, write_until_held(ring, 1000), 1ULL);
		KUNIT_EXPECT_FALSE(test, core->refused);
		KUNIT_EXPECT_EQ(test, core->served, (u64)i);
	}
	/* A smaller record has room at once: it overwrites nothing. */
	read_one(test, &hold, &cur);
	read_one(test, &hold, &cur);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1), 1ULL);
	KUNIT_EXPECT_FALSE(test, test_write(ring, core->max_record, 0));
	ringbuf_core_refuse(core);
	KUNIT_EXPECT_EQ(test, write_until_held(ring, 1), 1ULL);
	KUNIT_EXPECT_FALSE(test, core->refused);
	KUNIT_EXPECT_EQ(test, core->served, 5ULL);
	/* The producer goes. */
	ringbuf_core_refuse(core);
	ringbuf_core_stop_waiting(core);
	KUNIT_EXPECT_FALSE(test, core->refused);
	KUNIT_EXPECT_EQ(test, core->served, 6ULL);
	ringbuf_hold_leave(&hold, core);
}

static struct kunit_case wait_cases[] = {
	KUNIT_CASE(is_demoted_in_time),
	KUNIT_CASE(time_begins_anew),
	KUNIT_CASE(latecomers_share_the_time),
	KUNIT_CASE(seeks_back_share_the_time),
	KUNIT_CASE(is_asked_for_more),
	KUNIT_CASE(holds_anew),
	KUNIT_CASE(latecomers_have_the_time_of_the_first),
	KUNIT_CASE(latecomers_have_their_time_when_all_made_way),
	KUNIT_CASE(a_new_wait_begins_anew),
	KUNIT_CASE(is_still_held),
	KUNIT_CASE(the_holder_is_the_slowest),
	KUNIT_CASE(a_refusal_is_over_with_a_reserve),
	{}
};

static struct kunit_suite wait_suite = {
	.name = "ringbuf_wait",
	.init = reliable_init,
	.exit = test_ring_exit,
	.test_cases = wait_cases,
};

kunit_test_suite(wait_suite);
