// SPDX-License-Identifier: GPL-2.0
/*
 * A writer that reliable consumers hold back: asking them to make way, waiting for
 * them, and being woken when they do. The barriers are in the table of ring.c.
 */

#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include "compat.h"
#include "ring.h"
#include "trace.h"

/**
 * DOC: waiting for room
 *
 * A write that finds no room is refused, or waits. From then on, until something is
 * reserved, the writer waits for room; so does a writer that polls after its write
 * was refused. Only while the writer waits are holds asked to make way: those in the
 * way of the record that had no room, and, if somebody polls, those in the way of the
 * largest record. A poll() without a refused write asks nobody.
 *
 * A write() that sleeps looks again when the time of a hold is up. For those who do
 * not sleep in a write(), a kernel producer among them, the work @stall does that.
 */

static u64 stall_ns(const struct ringbuf *rb)
{
	return (u64)rb->config.stall_ms * NSEC_PER_MSEC;
}

/* For a little longer, not less. */
static unsigned long ns_to_jiffies(u64 ns)
{
	if (ns == U64_MAX)
		return MAX_SCHEDULE_TIMEOUT;
	return min_t(u64, nsecs_to_jiffies(ns) + 1, MAX_SCHEDULE_TIMEOUT);
}

/* Does the writer wait for room? */
static bool is_waiting(struct ringbuf *rb)
{
	return READ_ONCE(rb->core.refused) || atomic_read(&rb->waiting);
}

/* Does somebody poll for room? */
static bool is_polled(struct ringbuf *rb)
{
	/* A refused write looks behind full:A; a poll that is later asks itself. */
	return READ_ONCE(rb->polled) && waitqueue_active(&rb->writers);
}

/* poll() tells of room for a record of max size after what is published. */
static u64 poll_need(const struct ringbuf *rb)
{
	u32 max = ringbuf_max_record(rb->core.size);

	return ringbuf_core_need(&rb->core, READ_ONCE(rb->core.head_page->head),
				 ringbuf_frame_size(max));
}

/* Where the tail has to go for a writer that waits. */
static u64 wait_need(struct ringbuf *rb)
{
	u64 need = READ_ONCE(rb->refused_need);
	u64 polled = poll_need(rb);

	if (is_waiting(rb) && is_polled(rb) && ringbuf_before(need, polled))
		return polled;
	return need;
}

/*
 * As ringbuf_core_still_held(); 0, too, when holds were asked in another wait than
 * this one.
 */
static u64 still_held(struct ringbuf *rb, u64 need)
{
	if (rb->config.stall_ms &&
	    (READ_ONCE(rb->served_seen) != READ_ONCE(rb->core.served) ||
	     (READ_ONCE(rb->wait_over) && !atomic_read(&rb->waiting))))
		return 0;
	return ringbuf_core_still_held(&rb->core, need,
				       ktime_get_mono_fast_ns(), stall_ns(rb));
}

/*
 * A wait is over when something was reserved. While a write() sleeps it is not: that
 * one has been waiting all the time. The caller has @holds_lock.
 */
static void look_at_wait(struct ringbuf *rb)
{
	u64 served = READ_ONCE(rb->core.served);

	if (rb->served_seen != served) {
		WRITE_ONCE(rb->served_seen, served);
		WRITE_ONCE(rb->wait_over, true);
	}
	if (rb->wait_over && !atomic_read(&rb->waiting)) {
		WRITE_ONCE(rb->wait_over, false);
		ringbuf_core_new_wait(&rb->core);
	}
}

static void trace_held(struct ringbuf *rb, u64 need)
{
	struct ringbuf_hold *hold;

	if (!trace_ringbuf_held_enabled())
		return;
	mutex_lock(&rb->holds_lock);
	hold = ringbuf_core_holder(&rb->core, need);
	if (hold)
		trace_ringbuf_held(rb->name, pid_nr(hold->owner),
				   READ_ONCE(hold->pos), need);
	mutex_unlock(&rb->holds_lock);
}

static void look_again_in(struct ringbuf *rb, u64 ns)
{
	if (ns && ns != U64_MAX)
		queue_delayed_work(ringbuf_unbound_wq, &rb->stall,
				   ns_to_jiffies(ns));
}

/*
 * Ask the reliable consumers that are in the way to make way, and demote those that
 * have had stall_ms for it; in a task that waits for room. If @nowait, which must not
 * sleep, somebody else may do that.
 *
 * 0 when none is in the way; else ns until one that is has had its time, U64_MAX: not
 * before one has moved.
 */
static u64 wait_for_holds(struct ringbuf *rb, u64 need, bool nowait)
{
	u64 left = still_held(rb, need);
	unsigned int holds;

	if (left || !rb->config.reliable)
		return left;
	if (!nowait) {
		mutex_lock(&rb->holds_lock);
	} else if (!mutex_trylock(&rb->holds_lock)) {
		mod_delayed_work(ringbuf_unbound_wq, &rb->stall, 0);
		return U64_MAX;
	}
	look_at_wait(rb);
	holds = rb->core.nr_holds;
	left = ringbuf_core_wait_for_holds(&rb->core, need,
					   ktime_get_mono_fast_ns(),
					   stall_ns(rb));
	holds -= rb->core.nr_holds;
	mutex_unlock(&rb->holds_lock);
	look_again_in(rb, left);
	/* Some were demoted, for whom others may wait. */
	if (holds)
		ringbuf_ring_wake_all_for_room(rb);
	return left;
}

/**
 * ringbuf_ring_refused() - A write() has found no room
 * @rb: the ring, with @room_wanted set and a full barrier behind that
 * @need: position that the tail has to reach
 * @nowait: do not sleep
 *
 * The reliable consumers that are in the way are asked to make way.
 *
 * Context: task; may sleep unless @nowait.
 *
 * Return: false when there may be room now.
 */
bool ringbuf_ring_refused(struct ringbuf *rb, u64 need, bool nowait)
{
	WRITE_ONCE(rb->refused_need, need);
	if (!wait_for_holds(rb, need, nowait))
		return false;
	/* A poll() from before the write has asked nobody. */
	if (is_polled(rb))
		wait_for_holds(rb, poll_need(rb), nowait);
	if (!nowait)
		trace_held(rb, need);
	return true;
}

/**
 * ringbuf_ring_refused_anywhere() - A kernel producer has found no room
 * @rb: the ring
 * @need: position that the tail has to reach
 *
 * The work @stall asks those that are in the way, and demotes them.
 *
 * Context: any, NMI included; the producer.
 */
void ringbuf_ring_refused_anywhere(struct ringbuf *rb, u64 need)
{
	WRITE_ONCE(rb->refused_need, need);
	if (!still_held(rb, need))
		irq_work_queue(&rb->refusal);
}

static void refusal_irq_work(struct irq_work *work)
{
	struct ringbuf *rb = container_of(work, struct ringbuf, refusal);

	mod_delayed_work(ringbuf_unbound_wq, &rb->stall, 0);
}

/*
 * A full barrier in the workqueue's code is between this work, not pending any more,
 * and what it reads: whoever finds it pending is seen here.
 */
static void stall_work(struct work_struct *work)
{
	struct ringbuf *rb = container_of(to_delayed_work(work), struct ringbuf,
					  stall);
	u64 left, need = wait_need(rb);

	if (ringbuf_ring_dead(rb) || !is_waiting(rb))
		return;
	/*
	 * A write() that must not sleep may have been refused because it did not get
	 * @holds_lock, after the consumer in its way had made way.
	 */
	left = wait_for_holds(rb, need, false);
	if (left)
		look_again_in(rb, left);
	else
		ringbuf_ring_wake_all_for_room(rb);
	trace_held(rb, need);
}

/* Is there room? Asks nobody for anything. */
static bool has_room(struct ringbuf *rb, u64 need)
{
	bool held;

	if (!rb->config.reliable ||
	    !ringbuf_before(READ_ONCE(rb->core.page->tail), need))
		return true;
	/* Whatever anybody was asked. */
	if (ringbuf_core_still_held(&rb->core, need, 0, 0))
		return false;
	mutex_lock(&rb->holds_lock);
	held = ringbuf_core_holder(&rb->core, need);
	mutex_unlock(&rb->holds_lock);
	return !held;
}

/**
 * ringbuf_ring_poll_room() - Is there room for the largest record?
 * @rb: the ring, on whose @writers the caller is
 *
 * A writer that is told "no room" is woken when there is room. A writer that is told
 * "room" may have its write refused; the refused write then arranges the wakeup.
 *
 * Context: task; may sleep.
 *
 * Return: true when there is.
 */
bool ringbuf_ring_poll_room(struct ringbuf *rb)
{
	WRITE_ONCE(rb->polled, true);
	if (has_room(rb, poll_need(rb)))
		return true;
	WRITE_ONCE(rb->room_wanted, true);
	/*
	 * LMM(poll:A) pairs with LMM(wake_for_room:A), and with LMM(full:A): this
	 * sees that a write was refused, or that one sees the poll.
	 */
	smp_mb();
	if (is_waiting(rb))
		return !wait_for_holds(rb, poll_need(rb), false);
	return has_room(rb, poll_need(rb));
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

static int wake_room_wait(struct wait_queue_entry *entry, unsigned int mode,
			  int sync, void *step)
{
	struct room_wait *wait = container_of(entry, struct room_wait, entry);

	if (step && !crosses(step, wait->need))
		return 0;
	return woken_wake_function(entry, mode, sync, NULL);
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
	u64 left;

	init_wait(&wait.entry);
	wait.entry.func = wake_room_wait;
	atomic_inc(&rb->waiting);
	add_wait_queue(&rb->room, &wait.entry);
	/* LMM(room:A) pairs with LMM(wake_for_room:A). */
	smp_mb();
	for (;;) {
		if (ringbuf_ring_dead(rb))
			break;
		left = wait_for_holds(rb, need, false);
		if (!left)
			break;
		if (signal_pending(current)) {
			ret = -ERESTARTSYS;
			break;
		}
		wait_woken(&wait.entry, TASK_INTERRUPTIBLE, ns_to_jiffies(left));
	}
	remove_wait_queue(&rb->room, &wait.entry);
	atomic_dec(&rb->waiting);
	return ret;
}

/*
 * Wake those who poll for room, of which there is some. There was a moment ago, for
 * io_uring takes the key at its word. Of a ring that has ended they have been told.
 */
static void wake_pollers(struct ringbuf *rb)
{
	if (ringbuf_ring_dead(rb))
		return;
	/* First: a poll() that asks again after that is on the queue. */
	WRITE_ONCE(rb->room_wanted, false);
	ringbuf_wake_polls(&rb->writers, RINGBUF_POLL_WRITE);
}

static void wake_for_room(struct ringbuf *rb, const struct step *step)
{
	/*
	 * LMM(wake_for_room:A) pairs with LMM(room:A) and LMM(poll:A), and with
	 * full:A of chardev.c.
	 */
	if (wq_has_sleeper(&rb->room))
		__wake_up(&rb->room, TASK_INTERRUPTIBLE, 0, (void *)step);
	/*
	 * Behind the same barrier. For who polls it is no matter where a hold was
	 * before: two threads may tell of their moves in the other order, and the
	 * head, by which the moves would be judged, moves as well. A hold that is
	 * still in the way tells when it makes way.
	 */
	if (waitqueue_active(&rb->writers) && READ_ONCE(rb->room_wanted) &&
	    has_room(rb, poll_need(rb)))
		wake_pollers(rb);
}

/**
 * ringbuf_ring_wake_for_room() - Wake writers that waited for a hold to move
 * @rb: the ring
 * @from: where the hold was
 * @to: where it is now
 *
 * Context: task, holding no lock that a wakeup could want; may sleep.
 */
void ringbuf_ring_wake_for_room(struct ringbuf *rb, u64 from, u64 to)
{
	const struct step step = { from, to };

	wake_for_room(rb, &step);
}

/**
 * ringbuf_ring_wake_all_for_room() - Wake writers that waited for a hold, now gone
 * @rb: the ring
 *
 * Whatever they need. Where the hold was does not tell: another thread may have moved
 * it, and find it gone before it wakes anybody. Nor does the tail: another writer may
 * have moved that, now that it can.
 *
 * Context: task, holding no lock that a wakeup could want; may sleep.
 */
void ringbuf_ring_wake_all_for_room(struct ringbuf *rb)
{
	wake_for_room(rb, NULL);
}

/**
 * ringbuf_ring_wake_contended() - Wake a writer that was refused for another thread
 * @rb: the ring, whose @write_lock the caller has let go of
 *
 * Context: task, holding no lock that a wakeup could want; may sleep.
 */
void ringbuf_ring_wake_contended(struct ringbuf *rb)
{
	WRITE_ONCE(rb->contended, false);
	WRITE_ONCE(rb->room_wanted, true);
	wake_for_room(rb, NULL);
}

/**
 * ringbuf_ring_reliable() - How many reliable consumers are there?
 * @rb: the ring
 *
 * Context: any.
 *
 * Return: how many, those that were demoted not among them.
 */
unsigned int ringbuf_ring_reliable(struct ringbuf *rb)
{
	return READ_ONCE(rb->core.nr_holds);
}

/* The number of a process for the caller, -1: none. */
static pid_t process_number(struct pid *pid)
{
	pid_t number = -1;

	rcu_read_lock();
	/* Once the process has ended, its number may be that of another one. */
	if (pid_task(pid, PIDTYPE_TGID))
		number = pid_vnr(pid) ?: -1;
	rcu_read_unlock();
	return number;
}

/**
 * ringbuf_ring_holder() - Who holds the writer back?
 * @rb: the ring
 *
 * Context: task; may sleep.
 *
 * Return: the process whose consumer does most, as the caller's PID namespace
 * numbers it; -1 when it has no number there, or has ended and left its consumer to
 * another process; 0: nobody does.
 */
pid_t ringbuf_ring_holder(struct ringbuf *rb)
{
	struct ringbuf_hold *hold;
	pid_t owner = 0;

	mutex_lock(&rb->holds_lock);
	hold = ringbuf_core_holder(&rb->core, wait_need(rb));
	if (hold)
		owner = process_number(hold->owner);
	mutex_unlock(&rb->holds_lock);
	return owner;
}

/**
 * ringbuf_ring_init_room() - A ring for which nobody waits
 * @rb: the ring
 */
void ringbuf_ring_init_room(struct ringbuf *rb)
{
	init_waitqueue_head(&rb->room);
	init_waitqueue_head(&rb->writers);
	mutex_init(&rb->holds_lock);
	INIT_DELAYED_WORK(&rb->stall, stall_work);
	init_irq_work(&rb->refusal, refusal_irq_work);
}

/**
 * ringbuf_ring_exit_room() - Nothing runs for those who wait any more
 * @rb: the ring, which nobody uses any more
 *
 * Context: task; may sleep.
 */
void ringbuf_ring_exit_room(struct ringbuf *rb)
{
	/* It queues the work. */
	irq_work_sync(&rb->refusal);
	cancel_delayed_work_sync(&rb->stall);
	mutex_destroy(&rb->holds_lock);
}
