// SPDX-License-Identifier: GPL-2.0
/*
 * When a consumer wakes: for each record, or for many at once.
 */

#include <linux/ktime.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include "compat.h"
#include "file.h"

/* Where no record begins. */
#define NOWHERE		(~0ULL)

/**
 * DOC: watermarks
 *
 * A consumer's waiters are on a queue of its own, from open() on: whoever waits
 * there, an epoll for years perhaps, is held to the mark that is set now, not to
 * the one of the day it came. Whoever is to wake a consumer (wake.c) asks here
 * whether its mark is reached. If it is not, the timer is seen to run. So the
 * producer knows nothing of marks, and nobody is woken to find that there is too
 * little.
 *
 * The timer runs while records wait, for those who asked for one. When it runs
 * out for a record that has been read meanwhile, it begins again for those that
 * are left, if any.
 */

static struct ringbuf_file *file_of(struct ringbuf_watermark *mark)
{
	return container_of(mark, struct ringbuf_file, mark);
}

/*
 * Have records waited for long enough? If there are some, and the timer does not
 * run for them, it does now. The caller holds @mark->lock, under which nobody
 * sees an older cursor than the last one did.
 */
static bool waited(struct ringbuf_file *rf)
{
	struct ringbuf_watermark *mark = &rf->mark;
	u64 pos = READ_ONCE(rf->cursor.at.pos);

	if (!mark->ns || !ringbuf_core_ready(&rf->ring->core, pos))
		return false;
	if (mark->pos != pos) {
		mark->pos = pos;
		mark->due = false;
		hrtimer_start(&mark->timer,
			      ns_to_ktime(min_t(u64, mark->ns, KTIME_MAX)),
			      HRTIMER_MODE_REL_SOFT);
	}
	return mark->due;
}

/*
 * Is there enough for a consumer to be woken? If there is something, but not
 * enough, its timer runs afterwards.
 */
static bool reached(struct ringbuf_file *rf)
{
	const struct ringbuf_core *core = &rf->ring->core;
	struct ringbuf_watermark *mark = &rf->mark;
	u32 bytes = READ_ONCE(mark->bytes);
	u32 records = READ_ONCE(mark->records);
	u64 ns = READ_ONCE(mark->ns);
	u64 head = READ_ONCE(core->head_page->head);
	u64 head_seq = READ_ONCE(core->head_page->head_seq);
	struct ringbuf_mark at;
	unsigned long flags;
	bool ret;

	/* Torn only while another thread reads on, which will look again. */
	at = ringbuf_file_glance(rf);
	if (!ringbuf_before(at.pos, head))
		return false;
	if ((!bytes && !records && !ns) ||
	    (bytes && head - at.pos >= bytes) ||
	    (records && (s64)(head_seq - at.seq) >= records) ||
	    head - at.pos >= core->size / 2)
		return true;
	/* No more will come. */
	if (READ_ONCE(rf->flags) & RINGBUF_CONSUMER_EOF &&
	    !READ_ONCE(rf->ring->producer))
		return true;
	if (ringbuf_ring_dead(rf->ring))
		return true;
	if (!ns)
		return false;
	spin_lock_irqsave(&mark->lock, flags);
	ret = waited(rf);
	spin_unlock_irqrestore(&mark->lock, flags);
	return ret;
}

/**
 * ringbuf_watermark_events() - What a consumer is to be woken for
 * @rf: its file
 *
 * Context: any but NMI. Orders nothing.
 *
 * Return: EPOLL*; 0 when it is not to be woken.
 */
__poll_t ringbuf_watermark_events(struct ringbuf_file *rf)
{
	__poll_t events = 0;

	if (reached(rf))
		events |= EPOLLIN | EPOLLRDNORM;
	if (ringbuf_core_overrun(&rf->ring->core, READ_ONCE(rf->cursor.at.pos)))
		events |= EPOLLPRI;
	/* The flag is looked at here, too: a publish asks this of each waiter. */
	if ((READ_ONCE(rf->flags) & RINGBUF_CONSUMER_EOF &&
	     ringbuf_file_eof(rf)) || ringbuf_ring_dead(rf->ring))
		events |= EPOLLHUP;
	return events;
}

/**
 * ringbuf_watermark_wake() - Wake a consumer if it is to be woken
 * @rf: its file
 *
 * Context: any but NMI, holding no lock that a wakeup could want.
 */
void ringbuf_watermark_wake(struct ringbuf_file *rf)
{
	__poll_t events = ringbuf_watermark_events(rf);

	if (events)
		ringbuf_wake_consumer(rf, events);
}

static enum hrtimer_restart watermark_timer(struct hrtimer *timer)
{
	struct ringbuf_watermark *mark =
		container_of(timer, struct ringbuf_watermark, timer);
	struct ringbuf_file *rf = file_of(mark);
	unsigned long flags;
	bool due = false;

	spin_lock_irqsave(&mark->lock, flags);
	/* Else it has been started again meanwhile. */
	if (!hrtimer_is_queued(timer)) {
		mark->due = mark->pos == READ_ONCE(rf->cursor.at.pos);
		/* Who comes back there later begins anew. */
		if (!mark->due)
			mark->pos = NOWHERE;
		due = waited(rf);
	}
	spin_unlock_irqrestore(&mark->lock, flags);
	if (due)
		ringbuf_watermark_wake(rf);
	return HRTIMER_NORESTART;
}

/**
 * ringbuf_watermark_wait() - Sleep until a consumer is woken
 * @rf: its file, whose caller has just found nothing to read
 *
 * Who is woken has a reason, and looks for himself what it was.
 *
 * Context: task.
 *
 * Return: 0 or -ERESTARTSYS.
 */
int ringbuf_watermark_wait(struct ringbuf_file *rf)
{
	DEFINE_WAIT(wait);
	int ret = 0;

	do {
		prepare_to_wait(&rf->mark.wait, &wait, TASK_INTERRUPTIBLE);
		ringbuf_wake_listen(rf);
		if (ringbuf_watermark_events(rf))
			break;
		if (signal_pending(current)) {
			ret = -ERESTARTSYS;
			break;
		}
		schedule();
		/* Off the queue: it was no signal. */
	} while (!list_empty_careful(&wait.entry));
	finish_wait(&rf->mark.wait, &wait);
	return ret;
}

/**
 * ringbuf_watermark_set() - Set a consumer's watermark
 * @rf: its file, whose flags have been set
 * @consumer: what it asks for; NULL: the watermark that it has
 *
 * Context: task.
 */
void ringbuf_watermark_set(struct ringbuf_file *rf,
			   const struct ringbuf_consumer *consumer)
{
	struct ringbuf_watermark *mark = &rf->mark;
	unsigned long flags;

	if (consumer) {
		spin_lock_irqsave(&mark->lock, flags);
		WRITE_ONCE(mark->bytes, consumer->wake_bytes);
		WRITE_ONCE(mark->records, consumer->wake_records);
		WRITE_ONCE(mark->ns, consumer->wake_ns);
		mark->pos = NOWHERE;
		hrtimer_try_to_cancel(&mark->timer);
		spin_unlock_irqrestore(&mark->lock, flags);
	}
	/* For who waits, to whom no wakeup comes, or an older mark's did not. */
	ringbuf_wake_listen(rf);
	ringbuf_watermark_wake(rf);
}

/**
 * ringbuf_watermark_init() - Make a consumer that wakes for each record
 * @rf: its file
 */
void ringbuf_watermark_init(struct ringbuf_file *rf)
{
	struct ringbuf_watermark *mark = &rf->mark;

	mark->pos = NOWHERE;
	spin_lock_init(&mark->lock);
	ringbuf_wake_init_consumer(mark);
	ringbuf_hrtimer_setup(&mark->timer, watermark_timer, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_SOFT);
}

/**
 * ringbuf_watermark_exit() - Nothing runs for a consumer any more
 * @rf: its file, which nobody uses any more
 *
 * Context: task; may sleep.
 */
void ringbuf_watermark_exit(struct ringbuf_file *rf)
{
	/* The hook first, for it may start the timer. */
	ringbuf_wake_forget(rf);
	hrtimer_cancel(&rf->mark.timer);
}
