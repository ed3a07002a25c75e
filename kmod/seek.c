// SPDX-License-Identifier: GPL-2.0
/*
 * Consumers of the character device: seeking to a record, and advancing to where a
 * mapped consumer has read.
 */

#include <linux/sched/signal.h>
#include "compat.h"
#include "file.h"

/* Records to pass over before others may run. */
#define WALK_BUDGET	1024

/*
 * Where a seek goes, as a seq; a negative errno when it goes nowhere. There is no
 * SEEK_CUR: programs that do not know us count bytes with it, and would go to some
 * record or other. They take the device for the stream that it is.
 */
static loff_t seek_target(struct ringbuf *rb, loff_t offset, int whence)
{
	struct ringbuf_mark head, tail;
	u64 back;

	switch (whence) {
	case SEEK_SET:
		return offset < 0 ? -EINVAL : offset;
	case SEEK_CUR:
		return -ESPIPE;
	case SEEK_END:
		if (offset > 0)
			return -EINVAL;
		back = -(u64)offset;
		ringbuf_core_head(&rb->core, &head);
		ringbuf_core_tail(&rb->core, &tail);
		return max(head.seq - min(back, head.seq), tail.seq);
	case SEEK_DATA:
		if (offset)
			return -EINVAL;
		ringbuf_core_tail(&rb->core, &tail);
		return tail.seq;
	default:
		return -EINVAL;
	}
}

/* Go to @seq from @to on; a pause now and then. */
static int seek_walk(struct ringbuf_core *core, struct ringbuf_mark *to, u64 seq)
{
	int ret;

	if (ringbuf_before(seq, to->seq))
		ringbuf_core_tail(core, to);
	ringbuf_core_skip(core, to, to->pos + RINGBUF_FAR, seq);
	for (;;) {
		ret = ringbuf_core_seek(core, to, seq, WALK_BUDGET);
		if (ret != -EAGAIN)
			return ret;
		/* EINTR for a signal that has a handler. */
		if (signal_pending(current))
			return -ERESTARTNOHAND;
		cond_resched();
	}
}

/**
 * ringbuf_llseek() - lseek(): the offset is a sequence number
 * @file: the open file
 * @offset: the seq, or how many before the head
 * @whence: SEEK_SET, SEEK_END or SEEK_DATA
 *
 * What a plain read() has returned of the record at the cursor comes once more if
 * the seek goes there.
 *
 * Context: task; may sleep.
 *
 * Return: the seq of the record that the cursor is at; -EINVAL for an offset that is
 * negative or beyond the head, or an unknown @whence, -ESPIPE for SEEK_CUR, -EINTR
 * for a signal.
 */
loff_t ringbuf_llseek(struct file *file, loff_t offset, int whence)
{
	struct ringbuf_file *rf = file->private_data;
	struct ringbuf_cursor from, cur;
	struct ringbuf_mark to;
	unsigned int tries = 0;
	loff_t seq;
	int ret;

	for (;;) {
		ringbuf_file_cursor(rf, &from);
		seq = seek_target(rf->ring, offset, whence);
		if (seq < 0)
			return seq;
		cur = from;
		ringbuf_cursor_settle(&cur, &rf->ring->core);
		to = cur.at;
		ret = seek_walk(&rf->ring->core, &to, seq);
		if (ret)
			return ret;
		/* Only SEEK_SET names a record; the others ask for what is there. */
		if (whence != SEEK_SET)
			seq = to.seq;
		ringbuf_cursor_move(&cur, &to, seq, from.at.seq);
		if (ringbuf_file_move(rf, &from, &cur))
			break;
		/* Threads that share the cursor read on, which may never end. */
		if (signal_pending(current))
			return -ERESTARTNOHAND;
		/* A writer that makes room for itself may be of lower priority. */
		if (++tries % 16 == 0)
			schedule_timeout_interruptible(1);
		cond_resched();
	}
	return to.seq;
}

/**
 * ringbuf_file_advance() - Move the cursor to where a mapped consumer has read
 * @rf: its file
 * @pos: the position after what it is done with
 *
 * What a plain read() has returned of the record at the cursor comes once more if
 * @pos is there.
 *
 * A signal ends a long walk. The cursor is then moved to the record that the walk has
 * come to, and the next call goes on from there: a program that gets signals all the
 * time, say from a profiler, comes to @pos nevertheless.
 *
 * Context: task; may sleep.
 *
 * Return: 0; -EINVAL as ringbuf_cursor_walk(), -ERESTARTNOHAND for a signal, which a
 * program with a handler sees as EINTR.
 */
int ringbuf_file_advance(struct ringbuf_file *rf, u64 pos)
{
	struct ringbuf_core *core = &rf->ring->core;
	struct ringbuf_cursor from, to;
	int ret;

	/* The walk would go after a head that runs away. */
	if (ringbuf_before(READ_ONCE(core->head_page->head), pos))
		return -EINVAL;
	for (;;) {
		ringbuf_file_cursor(rf, &from);
		to = from;
		for (;;) {
			ret = ringbuf_cursor_walk(&to, core, pos, WALK_BUDGET);
			if (ret != -EAGAIN || signal_pending(current))
				break;
			cond_resched();
		}
		if (ret && ret != -EAGAIN)
			return ret;
		if (ringbuf_file_move(rf, &from, &to) && !ret)
			return 0;
		if (signal_pending(current))
			return -ERESTARTNOHAND;
		cond_resched();
	}
}
