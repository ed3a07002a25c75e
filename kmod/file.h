/* SPDX-License-Identifier: GPL-2.0 */
/* An open file of a ring: shared by chardev.c and ioctl.c. */
#ifndef _RINGBUF_FILE_H
#define _RINGBUF_FILE_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include "ring.h"

/**
 * struct ringbuf_file - An open file description
 * @ring: the ring
 * @read_lock: whoever moves the cursor holds it from the look at the ring to
 *	the move, user memory being written in between; nobody sleeps for
 *	records with it
 * @lock: makes a move of @cursor one step for those who only look; taken for
 *	some lines at a time, inside @read_lock by those who move it
 * @cursor: where this consumer is; @cursor.at.pos alone may be read without
 *	a lock
 * @flags: RINGBUF_CONSUMER_*
 * @writer_flags: RINGBUF_WRITER_*
 */
struct ringbuf_file {
	struct ringbuf *ring;
	struct mutex read_lock;	/* who moves the cursor */
	spinlock_t lock;	/* one move is one step */
	struct ringbuf_cursor cursor;
	u32 flags;
	u32 writer_flags;
};

static inline bool ringbuf_file_ready(struct ringbuf_file *rf)
{
	return ringbuf_core_ready(&rf->ring->core,
				  READ_ONCE(rf->cursor.at.pos));
}

void ringbuf_file_stats(struct ringbuf_file *rf, struct ringbuf_stats *stats);
long ringbuf_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* _RINGBUF_FILE_H */
