/* SPDX-License-Identifier: GPL-2.0 */
/* An open file of a ring: shared by chardev.c, consumer.c and ioctl.c. */
#ifndef _RINGBUF_FILE_H
#define _RINGBUF_FILE_H

#include <linux/fs.h>
#include <linux/spinlock.h>
#include <linux/uio.h>
#include "ring.h"

/**
 * struct ringbuf_file - An open file description
 * @ring: the ring
 * @lock: makes a move of @cursor one step; held for some lines at a time, never
 *	while user memory is touched
 * @cursor: where this consumer is; changed by ringbuf_file_move() only.
 *	@cursor.at.pos alone may be read without @lock
 * @flags: RINGBUF_CONSUMER_*
 * @writer_flags: RINGBUF_WRITER_*
 */
struct ringbuf_file {
	struct ringbuf *ring;
	spinlock_t lock;	/* a move is one step */
	struct ringbuf_cursor cursor;
	u32 flags;
	u32 writer_flags;
};

/*
 * Bytes that one copy to or from user memory moves at most: long enough to make
 * its fixed cost small, short enough to be done before a fast producer has gone
 * around the ring.
 */
#define RINGBUF_COPY_CHUNK	(64UL << 10)

static inline bool ringbuf_file_ready(struct ringbuf_file *rf)
{
	return ringbuf_core_ready(&rf->ring->core,
				  READ_ONCE(rf->cursor.at.pos));
}

/*
 * Between the ring and user memory. The range has been checked: it is frames
 * that the core found between tail and head, or room that it reserved. So this
 * goes by the copy_to_iter() that would have usercopy hardening look it up
 * among all vmalloc areas, which costs more than copying a small record.
 */
static inline size_t ringbuf_copy_out(const void *from, size_t len,
				      struct iov_iter *to)
{
	return _copy_to_iter(from, len, to);
}

static inline size_t ringbuf_copy_in(void *to, size_t len,
				     struct iov_iter *from)
{
	return _copy_from_iter(to, len, from);
}

void ringbuf_file_cursor(struct ringbuf_file *rf, struct ringbuf_cursor *cur);
bool ringbuf_file_move(struct ringbuf_file *rf,
		       const struct ringbuf_cursor *from,
		       const struct ringbuf_cursor *to);
bool ringbuf_file_eof(struct ringbuf_file *rf);
void ringbuf_file_stats(struct ringbuf_file *rf, struct ringbuf_stats *stats);
ssize_t ringbuf_read_iter(struct kiocb *iocb, struct iov_iter *to);
loff_t ringbuf_llseek(struct file *file, loff_t offset, int whence);
long ringbuf_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* _RINGBUF_FILE_H */
