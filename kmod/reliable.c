// SPDX-License-Identifier: GPL-2.0
/*
 * Reliable consumers of the character device: they join, hold and leave.
 */

#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "file.h"

/* A hold that the producer waits for, or NULL. The caller holds @rf->lock. */
static struct ringbuf_hold *live_hold(const struct ringbuf_file *rf)
{
	if (!rf->hold || READ_ONCE(rf->hold->hold.demoted))
		return NULL;
	return &rf->hold->hold;
}

/**
 * ringbuf_file_move_hold() - Move a reliable consumer's hold with its cursor
 * @rf: its file
 * @pos: where the cursor is to be
 *
 * Context: task, holding @rf->lock.
 *
 * Return: false when the producer needs the place that it wants to go back to.
 */
bool ringbuf_file_move_hold(struct ringbuf_file *rf, u64 pos)
{
	struct ringbuf_hold *hold = live_hold(rf);
	bool moved;

	if (!hold)
		return true;
	if (!ringbuf_before(pos, hold->pos)) {
		ringbuf_hold_move(hold, pos);
		return true;
	}
	spin_lock(&rf->ring->holds_lock);
	moved = ringbuf_hold_back(hold, &rf->ring->core, pos);
	spin_unlock(&rf->ring->holds_lock);
	return moved;
}

/**
 * ringbuf_file_join() - Make a consumer reliable, from where its cursor is
 * @rf: its file
 *
 * What the tail has passed is lost; the cursor is then at the oldest record.
 *
 * Context: task; may sleep.
 *
 * Return: 0, also when it is reliable already; -EPERM when the ring does not
 * allow it, -ENOMEM.
 */
int ringbuf_file_join(struct ringbuf_file *rf)
{
	struct ringbuf *rb = rf->ring;
	struct ringbuf_file_hold *hold, *old = NULL;
	struct ringbuf_cursor from, to;

	if (!rb->config.reliable)
		return -EPERM;
	/* What needs no memory does not fail for want of it. */
	if (ringbuf_file_flags(rf) & RINGBUF_CONSUMER_RELIABLE)
		return 0;
	hold = kzalloc(sizeof(*hold), GFP_KERNEL_ACCOUNT);
	if (!hold)
		return -ENOMEM;
	hold->hold.owner = task_tgid_nr(current);

	spin_lock(&rf->lock);
	if (live_hold(rf)) {
		spin_unlock(&rf->lock);
		kfree(hold);
		return 0;
	}
	spin_lock(&rb->holds_lock);
	old = rf->hold;
	if (old)
		ringbuf_hold_leave(&old->hold);
	from = rf->cursor;
	ringbuf_hold_join(&hold->hold, &rb->core, &rf->cursor);
	to = rf->cursor;
	spin_unlock(&rb->holds_lock);
	WRITE_ONCE(rf->hold, hold);
	spin_unlock(&rf->lock);
	/* Behind the tail it may have been seen to hold. */
	ringbuf_ring_let_go(rb, from.at.pos, to.at.pos);
	ringbuf_file_trace_loss(rf, &from, &to);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

/**
 * ringbuf_file_leave() - Make a consumer lossy
 * @rf: its file
 *
 * Context: task.
 */
void ringbuf_file_leave(struct ringbuf_file *rf)
{
	struct ringbuf *rb = rf->ring;
	struct ringbuf_file_hold *hold;
	u64 pos;

	spin_lock(&rf->lock);
	hold = rf->hold;
	WRITE_ONCE(rf->hold, NULL);
	if (hold) {
		spin_lock(&rb->holds_lock);
		ringbuf_hold_leave(&hold->hold);
		spin_unlock(&rb->holds_lock);
	}
	spin_unlock(&rf->lock);
	if (!hold)
		return;
	/*
	 * Whatever a writer needs: all positions. Not from where the hold was:
	 * another thread may have moved it, and find it gone before it tells. Nor
	 * from the tail: another writer may have moved that, now that it can.
	 */
	pos = hold->hold.pos;
	ringbuf_ring_let_go(rb, pos - S64_MAX / 2, pos + S64_MAX / 2);
	kfree_rcu(hold, rcu);
}

/**
 * ringbuf_file_flags() - A consumer's flags
 * @rf: its file
 *
 * Context: task.
 *
 * Return: RINGBUF_CONSUMER_*; _RELIABLE only while the writer waits for it.
 */
u32 ringbuf_file_flags(struct ringbuf_file *rf)
{
	u32 flags = READ_ONCE(rf->flags);

	spin_lock(&rf->lock);
	if (live_hold(rf))
		flags |= RINGBUF_CONSUMER_RELIABLE;
	spin_unlock(&rf->lock);
	return flags;
}
