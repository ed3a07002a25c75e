/* SPDX-License-Identifier: GPL-2.0 */
/* One writer against readers at full speed: what each of them does. */
#ifndef _RINGBUF_STRESS_H
#define _RINGBUF_STRESS_H

#include "core_test.h"

/**
 * struct stress - What a writer and its readers share
 * @ring: the ring
 * @total: records to write
 * @pause: called by a reader that finds nothing, by slow ones, and by a writer
 *	that is held
 * @join: make a reader reliable, with a hold of its own
 * @leave: give that back
 */
struct stress {
	struct test_ring *ring;
	u64 total;
	void (*pause)(void);
	struct ringbuf_hold *(*join)(struct stress *s, struct ringbuf_cursor *cur);
	void (*leave)(struct stress *s, struct ringbuf_hold *hold);
};

/**
 * struct stress_reader - One reader
 * @stress: what is shared
 * @batch: bytes that it reads at once; 0: one record
 * @lazy: pauses once in so many reads; 0: never
 * @stay: is reliable for so many reads, then lossy for as many; 0: never
 * @joins: how often it became reliable
 * @cursor: its cursor
 * @discarded: reads thrown away because the tail had passed them
 * @errors: records that were not what they claimed to be
 * @copy: room for a batch, or for the largest record
 */
struct stress_reader {
	struct stress *stress;
	u64 batch;
	unsigned int lazy;
	unsigned int stay;
	u64 joins;
	struct ringbuf_cursor cursor;
	u64 discarded;
	u64 errors;
	void *copy;
};

void stress_write(struct stress *s);
void stress_read(struct stress_reader *r);

#endif /* _RINGBUF_STRESS_H */
