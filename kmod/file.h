/* SPDX-License-Identifier: GPL-2.0 */
/* An open file of a ring. */
#ifndef _RINGBUF_FILE_H
#define _RINGBUF_FILE_H

#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/uio.h>
#include "cursor.h"
#include "ring.h"

/**
 * struct ringbuf_watermark - When a consumer wants to be woken
 * @bytes: once so many bytes of frames wait for it
 * @records: once so many records do
 * @ns: once they have waited so long
 * @wait: its waiters: who sleeps in read(), polls, an epoll
 * @hook: in the ring's @hooks while there is somebody on @wait
 * @hooked: @hook is there; changes under the ring's @hooks_lock
 * @end: on @wait, where the worker is to stop, while @unfinished is in its list
 * @unfinished: in the ring's list of consumers that the worker has woken in part
 * @lock: changes of @bytes, @records and @ns, and all below
 * @timer: runs when records wait, and @ns is not 0
 * @pos: where the cursor was when @timer was started
 * @due: @timer has run out for the record at @pos
 */
struct ringbuf_watermark {
	u32 bytes;
	u32 records;
	u64 ns;
	wait_queue_head_t wait;
	struct ringbuf_hook hook;
	bool hooked;
	wait_queue_entry_t end;
	struct list_head unfinished;
	spinlock_t lock;	/* the mark and its timer are one */
	struct hrtimer timer;
	u64 pos;
	bool due;
};

/* A hold that the producer may be looking at when it goes. */
struct ringbuf_file_hold {
	struct ringbuf_hold hold;
	struct rcu_head rcu;
};

/**
 * struct ringbuf_file - An open file description
 * @ring: the ring
 * @lock: makes a move of @cursor one step; held for some lines at a time, never
 *	while user memory is touched
 * @cursor: where this consumer is; without @lock its position, seq and part may be
 *	read with READ_ONCE(), each for itself
 * @hold: of a reliable consumer, under @lock; stays when it was demoted
 * @flags: RINGBUF_CONSUMER_*, but for _RELIABLE, which is for @hold to tell
 * @writer_flags: RINGBUF_WRITER_*
 * @mark: when the consumer wakes, and where it waits for that
 */
struct ringbuf_file {
	struct ringbuf *ring;
	spinlock_t lock;	/* a move is one step */
	struct ringbuf_cursor cursor;
	struct ringbuf_file_hold *hold;
	u32 flags;
	u32 writer_flags;
	struct ringbuf_watermark mark;
};

/* Where the cursor is, without the lock: perhaps the pos of one moment and the seq of another. */
static inline struct ringbuf_mark ringbuf_file_glance(const struct ringbuf_file *rf)
{
	return (struct ringbuf_mark){
		.pos = READ_ONCE(rf->cursor.at.pos),
		.seq = READ_ONCE(rf->cursor.at.seq),
	};
}

/* Is there a record? */
static inline bool ringbuf_file_ready(struct ringbuf_file *rf)
{
	return ringbuf_core_ready(&rf->ring->core,
				  READ_ONCE(rf->cursor.at.pos));
}

void ringbuf_file_cursor(struct ringbuf_file *rf, struct ringbuf_cursor *cur);
bool ringbuf_file_move(struct ringbuf_file *rf,
		       const struct ringbuf_cursor *from,
		       const struct ringbuf_cursor *to);
void ringbuf_file_trace_loss(struct ringbuf_file *rf,
			     const struct ringbuf_cursor *from,
			     const struct ringbuf_cursor *to);
bool ringbuf_file_move_hold(struct ringbuf_file *rf, u64 pos);
int ringbuf_file_join(struct ringbuf_file *rf);
void ringbuf_file_leave(struct ringbuf_file *rf);
u32 ringbuf_file_flags(struct ringbuf_file *rf);
int ringbuf_file_advance(struct ringbuf_file *rf, u64 pos);
bool ringbuf_file_eof(struct ringbuf_file *rf);
void ringbuf_file_stats(struct ringbuf_file *rf, struct ringbuf_stats *stats);
void ringbuf_watermark_init(struct ringbuf_file *rf);
__poll_t ringbuf_watermark_events(struct ringbuf_file *rf);
void ringbuf_watermark_wake(struct ringbuf_file *rf);
int ringbuf_watermark_wait(struct ringbuf_file *rf);
void ringbuf_watermark_set(struct ringbuf_file *rf,
			   const struct ringbuf_consumer *consumer);
void ringbuf_watermark_exit(struct ringbuf_file *rf);
void ringbuf_wake_init_consumer(struct ringbuf_watermark *mark);
void ringbuf_wake_consumer(struct ringbuf_file *rf, __poll_t events);
void ringbuf_wake_listen(struct ringbuf_file *rf);
void ringbuf_wake_forget(struct ringbuf_file *rf);
ssize_t ringbuf_read_user(struct file *file, char __user *buf, size_t len,
			  loff_t *ppos);
ssize_t ringbuf_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t ringbuf_write_iter(struct kiocb *iocb, struct iov_iter *from);
ssize_t ringbuf_splice_write(struct pipe_inode_info *pipe, struct file *out,
			     loff_t *ppos, size_t len, unsigned int flags);
loff_t ringbuf_llseek(struct file *file, loff_t offset, int whence);
int ringbuf_mmap(struct file *file, struct vm_area_struct *vma);
long ringbuf_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* _RINGBUF_FILE_H */
