// SPDX-License-Identifier: GPL-2.0
/*
 * A writer that reliable consumers hold back: who they are, waiting for them, and
 * being woken when they make way. The barriers are in the table of ring.c.
 */

#include <linux/rculist.h>
#include <linux/sched/signal.h>
#include "ring.h"
#include "trace.h"

/* The slowest of those that hold the writer back, or NULL. Under RCU. */
static struct ringbuf_hold *slowest_holder(struct ringbuf *rb, u64 need)
{
	struct ringbuf_hold *hold, *slowest = NULL;

	list_for_each_entry_rcu(hold, &rb->core.holds, node) {
		if (READ_ONCE(hold->demoted))
			continue;
		if (ringbuf_before(READ_ONCE(hold->pos), need)) {
			slowest = hold;
			need = READ_ONCE(hold->pos);
		}
	}
	return slowest;
}

/**
 * ringbuf_ring_held() - Does a reliable consumer hold the writer back?
 * @rb: the ring
 * @need: position that the tail has to reach
 *
 * Those that have done so for stall_ms are not waited for any more.
 *
 * Context: any in which RCU watches.
 *
 * Return: 0 when nobody does; else ns until it is to be asked again, U64_MAX:
 * not before one has moved.
 */
u64 ringbuf_ring_held(struct ringbuf *rb, u64 need)
{
	u64 stall = (u64)rb->config.stall_ms * NSEC_PER_MSEC;
	struct ringbuf_hold *hold;
	u64 left;

	if (!rb->config.reliable)
		return 0;
	left = ringbuf_core_held(&rb->core, need, ktime_get_mono_fast_ns(),
				 stall);
	if (!left)
		return 0;
	/* Where those can see it who ask who holds. */
	WRITE_ONCE(rb->need, need);
	if (!trace_ringbuf_held_enabled())
		return left;
	rcu_read_lock();
	hold = slowest_holder(rb, need);
	if (hold)
		trace_ringbuf_held(rb->name, hold->owner, READ_ONCE(hold->pos),
				   need);
	rcu_read_unlock();
	return left;
}

/**
 * ringbuf_ring_no_room() - As ringbuf_ring_held(), for who goes to sleep on it
 * @rb: the ring
 * @need: position that the tail has to reach
 *
 * Context: task or softirq.
 *
 * Return: true when somebody does.
 */
bool ringbuf_ring_no_room(struct ringbuf *rb, u64 need)
{
	u64 left = ringbuf_ring_held(rb, need);

	if (left && left != U64_MAX)
		timer_reduce(&rb->stall, jiffies + nsecs_to_jiffies(left) + 1);
	return left;
}

/**
 * ringbuf_ring_poll_room() - Is there room for the largest record?
 * @rb: the ring, on whose @writers the caller is
 *
 * Who is told that there is none is woken when there is; who is told that there is,
 * when he has written, and been refused.
 *
 * Context: task.
 *
 * Return: true when there is.
 */
bool ringbuf_ring_poll_room(struct ringbuf *rb)
{
	WRITE_ONCE(rb->polled, true);
	if (!ringbuf_ring_no_room(rb, ringbuf_ring_poll_need(rb)))
		return true;
	WRITE_ONCE(rb->wanted, true);
	/* LMM(poll:A) pairs with LMM(let_go:A) and LMM(stall:A). */
	smp_mb();
	return !ringbuf_ring_no_room(rb, ringbuf_ring_poll_need(rb));
}

/* A move of a hold. */
struct step {
	u64 from;
	u64 to;
};

static bool crosses(const struct step *step, u64 need)
{
	return ringbuf_before(step->from, need) &&
	       !ringbuf_before(step->to, need);
}

/* Each write() that waits for room has a need of its own. */
struct room_wait {
	struct wait_queue_entry entry;
	u64 need;
};

static int wake_for_room(struct wait_queue_entry *entry, unsigned int mode,
			 int sync, void *step)
{
	struct room_wait *wait = container_of(entry, struct room_wait, entry);

	if (step && !crosses(step, wait->need))
		return 0;
	return default_wake_function(entry, mode, sync, NULL);
}

/**
 * ringbuf_ring_wait() - Sleep until there is room
 * @rb: the ring
 * @need: position that the tail has to reach
 *
 * Context: task.
 *
 * Return: 0 or -ERESTARTSYS.
 */
int ringbuf_ring_wait(struct ringbuf *rb, u64 need)
{
	struct room_wait wait = { .need = need };
	int ret = 0;

	init_wait(&wait.entry);
	wait.entry.func = wake_for_room;
	for (;;) {
		/* LMM(room:A), in here, pairs with LMM(let_go:A). */
		prepare_to_wait(&rb->room, &wait.entry, TASK_INTERRUPTIBLE);
		if (ringbuf_ring_dead(rb) || !ringbuf_ring_no_room(rb, need))
			break;
		if (signal_pending(current)) {
			ret = -ERESTARTSYS;
			break;
		}
		schedule();
	}
	finish_wait(&rb->room, &wait.entry);
	return ret;
}

/**
 * ringbuf_ring_wake_writers() - Wake those who poll for room, of which there is some
 * @rb: the ring
 *
 * There was a moment ago, for io_uring takes the key at its word. Of a ring that has
 * ended they have been told.
 *
 * Context: task or softirq, holding no lock that a wakeup could want.
 */
void ringbuf_ring_wake_writers(struct ringbuf *rb)
{
	if (ringbuf_ring_dead(rb))
		return;
	/* First: who asks again after that is woken, for he is on the queue. */
	WRITE_ONCE(rb->wanted, false);
	ringbuf_wake_polls(&rb->writers, RINGBUF_POLL_WRITE);
}

/*
 * For who polls. Where a hold was before is no matter: two threads may tell of their
 * moves in the other order, and the head, by which it would be judged, moves as well.
 * Whoever holds yet tells when he lets go.
 */
static bool is_room(struct ringbuf *rb)
{
	bool held;

	rcu_read_lock();
	held = slowest_holder(rb, ringbuf_ring_poll_need(rb));
	rcu_read_unlock();
	return !held;
}

/**
 * ringbuf_ring_let_go() - Wake a writer that waited for this
 * @rb: the ring
 * @from: where a hold was
 * @to: where it is now
 *
 * Context: task, holding no lock that a wakeup could want.
 */
void ringbuf_ring_let_go(struct ringbuf *rb, u64 from, u64 to)
{
	const struct step step = { from, to };

	/* LMM(let_go:A) pairs with LMM(room:A), LMM(poll:A) and LMM(full:A). */
	if (wq_has_sleeper(&rb->room))
		__wake_up(&rb->room, TASK_INTERRUPTIBLE, 0, (void *)&step);
	/* Behind the same barrier. */
	if (waitqueue_active(&rb->writers) && READ_ONCE(rb->wanted) &&
	    is_room(rb))
		ringbuf_ring_wake_writers(rb);
}

/**
 * ringbuf_ring_reliable() - How many reliable consumers are there?
 * @rb: the ring
 *
 * Context: any in which RCU watches.
 *
 * Return: how many, those that were demoted not among them.
 */
unsigned int ringbuf_ring_reliable(struct ringbuf *rb)
{
	struct ringbuf_hold *hold;
	unsigned int n = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(hold, &rb->core.holds, node)
		n += !READ_ONCE(hold->demoted);
	rcu_read_unlock();
	return n;
}

/**
 * ringbuf_ring_holder() - Who holds the writer back?
 * @rb: the ring
 *
 * Context: any in which RCU watches.
 *
 * Return: the process whose consumer does most, 0: nobody does.
 */
pid_t ringbuf_ring_holder(struct ringbuf *rb)
{
	struct ringbuf_hold *hold;
	pid_t owner;

	rcu_read_lock();
	hold = slowest_holder(rb, READ_ONCE(rb->need));
	owner = hold ? hold->owner : 0;
	rcu_read_unlock();
	return owner;
}
