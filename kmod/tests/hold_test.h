/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of reliable consumers share: records of 8 bytes, and holds. */
#ifndef _RINGBUF_HOLD_TEST_H
#define _RINGBUF_HOLD_TEST_H

#include <linux/string.h>
#include "core_test.h"

#define FRAME	32ULL	/* of a record of 8 bytes */

static inline int reliable_init(struct kunit *test)
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
static inline u64 write_until_held(struct test_ring *ring, u64 max)
{
	u64 n;

	for (n = 0; n < max && test_write(ring, 8, 0); n++)
		;
	return n;
}

/* At the oldest record. */
static inline void join(struct test_ring *ring, struct ringbuf_hold *hold,
			struct ringbuf_cursor *cur)
{
	memset(hold, 0, sizeof(*hold));
	ringbuf_cursor_init(cur, &ring->core);
	ringbuf_core_find_first(&ring->core);
	ringbuf_hold_join(hold, &ring->core, cur);
}

static inline bool go_back(struct test_ring *ring, struct ringbuf_hold *hold,
			   u64 pos)
{
	ringbuf_core_find_first(&ring->core);
	return ringbuf_hold_back(hold, &ring->core, pos);
}

/* Reads the next record, and lets go of it. */
static inline void read_one(struct kunit *test, struct ringbuf_hold *hold,
			    struct ringbuf_cursor *cur)
{
	test_expect_record(test, cur, cur->at.seq, 8, 0);
	ringbuf_hold_move(hold, cur->at.pos);
}

#endif /* _RINGBUF_HOLD_TEST_H */
