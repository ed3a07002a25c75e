// SPDX-License-Identifier: GPL-2.0
/*
 * Reliable consumers of the character device: they join, hold and leave. The ring's
 * holds_lock comes before a file's lock.
 */

#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include "file.h"

/* A hold that the producer waits for, or NULL. The caller has @rf->lock. */
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
 * Context: task, holding @rf->lock. To move back, the caller also has the ring's
 * holds_lock, and has called ringbuf_core_find_first().
 *
 * Return: false when the producer needs the place that it wants to go back to.
 */
bool ringbuf_file_move_hold(struct ringbuf_file *rf, u64 pos)
{
	struct ringbuf_hold *hold = live_hold(rf);

	if (!hold)
		return true;
	if (ringbuf_before(pos, hold->pos))
		return ringbuf_hold_back(hold, &rf->ring->core, pos);
	ringbuf_hold_move(hold, pos);
	return true;
}

static struct ringbuf_file_hold *alloc_hold(void)
{
	struct ringbuf_file_hold *hold = kzalloc(sizeof(*hold), GFP_KERNEL_ACCOUNT);

	/* Not its number, which another process may have later. */
	if (hold)
		hold->hold.owner = get_pid(task_tgid(current));
	return hold;
}

/* It is off the list. Only under holds_lock somebody asks for its owner. */
static void free_hold(struct ringbuf_file_hold *hold)
{
	put_pid(hold->hold.owner);
	kfree_rcu(hold, rcu);
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
	hold = alloc_hold();
	if (!hold)
		return -ENOMEM;

	mutex_lock(&rb->holds_lock);
	ringbuf_core_find_first(&rb->core);
	spin_lock(&rf->lock);
	if (live_hold(rf)) {
		spin_unlock(&rf->lock);
		mutex_unlock(&rb->holds_lock);
		free_hold(hold);
		return 0;
	}
	old = rf->hold;
	from = rf->cursor;
	ringbuf_hold_join(&hold->hold, &rb->core, &rf->cursor);
	to = rf->cursor;
	WRITE_ONCE(rf->hold, hold);
	spin_unlock(&rf->lock);
	mutex_unlock(&rb->holds_lock);
	/* Behind the tail it may have been seen to hold. */
	ringbuf_ring_wake_for_room(rb, from.at.pos, to.at.pos);
	ringbuf_file_trace_loss(rf, &from, &to);
	if (old)
		free_hold(old);
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

	if (!READ_ONCE(rf->hold))
		return;
	mutex_lock(&rb->holds_lock);
	spin_lock(&rf->lock);
	hold = rf->hold;
	WRITE_ONCE(rf->hold, NULL);
	if (hold)
		ringbuf_hold_leave(&hold->hold, &rb->core);
	spin_unlock(&rf->lock);
	mutex_unlock(&rb->holds_lock);
	if (!hold)
		return;
	ringbuf_ring_wake_all_for_room(rb);
	free_hold(hold);
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
