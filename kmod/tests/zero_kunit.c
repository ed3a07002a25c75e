// SPDX-License-Identifier: GPL-2.0
/*
 * What a producer wrote in place and took back is zeroed: mapped readers see all
 * pages. A trimmed record keeps what it is to keep.
 */

#include <linux/string.h>
#include "core_test.h"

#define RESERVED	200

static u8 *reserve(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	u8 *payload = ringbuf_core_reserve(&ring->core, RESERVED, 9);

	KUNIT_ASSERT_NOT_NULL(test, payload);
	test_fill(payload, RESERVED, ring->core.head_seq);
	return payload;
}

/* Is there nothing from @from on, to the end of what was reserved? */
static bool nothing_left(struct test_ring *ring, u64 from)
{
	const u8 *at = ring->data;
	u64 pos;

	for (pos = from; pos < from + ringbuf_frame_size(RESERVED); pos++)
		if (at[pos & (ring->size - 1)])
			return false;
	return true;
}

static void what_is_discarded(struct kunit *test)
{
	struct test_ring *ring = test->priv;

	KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 1));
	reserve(test);
	KUNIT_EXPECT_FALSE(test, nothing_left(ring, ring->core.head));
	ringbuf_core_discard(&ring->core);
	KUNIT_EXPECT_TRUE(test, nothing_left(ring, ring->core.head));
	/* Without a reservation nothing happens. */
	ringbuf_core_discard(&ring->core);
	KUNIT_EXPECT_EQ(test, ring->core.head, 32ULL);
}

static void what_is_trimmed(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur;
	u32 len;

	ringbuf_cursor_init(&cur, &ring->core);
	for (len = 1; len <= RESERVED; len++) {
		reserve(test);
		KUNIT_ASSERT_EQ(test, ringbuf_core_trim(&ring->core, len), 0);
		ringbuf_core_commit(&ring->core, ring->core.head_seq + 1);
		ringbuf_core_publish(&ring->core);
		/* Checks the padding, too. */
		test_expect_record(test, &cur, len - 1, len, 9);
		KUNIT_EXPECT_EQ(test, ring->core.head, cur.at.pos);
		KUNIT_EXPECT_FALSE(test, ringbuf_core_open(&ring->core));
	}
}

static void what_is_behind_a_trimmed_record(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	u32 len;

	for (len = 1; len <= RESERVED; len += 13) {
		test_ring_start(ring, 0, 0);
		memset(ring->data, 0, ring->size);
		reserve(test);
		KUNIT_ASSERT_EQ(test, ringbuf_core_trim(&ring->core, len), 0);
		ringbuf_core_commit(&ring->core, 0);
		KUNIT_EXPECT_TRUE(test, nothing_left(ring, ring->core.head));
	}
}

static void a_record_is_not_trimmed_to_what_it_is_not(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur;

	ringbuf_cursor_init(&cur, &ring->core);
	reserve(test);
	KUNIT_EXPECT_EQ(test, ringbuf_core_trim(&ring->core, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, ringbuf_core_trim(&ring->core, RESERVED + 1),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, ringbuf_core_trim(&ring->core, U32_MAX), -EINVAL);
	/* It is as it was, and may be trimmed twice. */
	KUNIT_EXPECT_EQ(test, ringbuf_core_trim(&ring->core, 100), 0);
	KUNIT_EXPECT_EQ(test, ringbuf_core_trim(&ring->core, 101), -EINVAL);
	KUNIT_EXPECT_EQ(test, ringbuf_core_trim(&ring->core, 50), 0);
	ringbuf_core_commit(&ring->core, 1);
	ringbuf_core_publish(&ring->core);
	test_expect_record(test, &cur, 0, 50, 9);
}

static struct kunit_case zero_cases[] = {
	KUNIT_CASE(what_is_discarded),
	KUNIT_CASE(what_is_trimmed),
	KUNIT_CASE(what_is_behind_a_trimmed_record),
	KUNIT_CASE(a_record_is_not_trimmed_to_what_it_is_not),
	{}
};

static struct kunit_suite zero_suite = {
	.name = "ringbuf_zero",
	.init = test_ring_init,
	.exit = test_ring_exit,
	.test_cases = zero_cases,
};

kunit_test_suite(zero_suite);
