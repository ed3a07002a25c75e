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
 * A consumer sleeps and polls on a queue of its own, from open() on: whoever
 * waits there, an epoll for years perhaps, is held to the mark that is set now,
 * not to the one of the day it came. In the consumer's stead a hook is on the
 * ring's @readers: what wakes those runs the hook, which wakes the consumer if
 * its mark is reached, and else sees to it that its timer runs. So the producer
 * knows nothing of marks, and nobody is woken to find that there is too little.
 *
 * The hook is there while somebody waits, or time is to count. It goes when it
 * is run for nobody; who begins to wait brings it back. Each side stores first
 * and loads second:
 *
 *	===================  ====================  =============================
 *	barrier              pairs with            what it orders
 *	===================  ====================  =============================
 *	listen:A     mb      unhook:A     mb       @wait (or @ns) before the
 *	                                           look at @hooked; @hooked
 *	                                           before the look at @wait
 *	listen:B     mb      wake:A       mb       the hook (by whomever)
 *	                     (in ring.c)           before the look at head
 *	===================  ====================  =============================
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
	    (records && head_seq - at.seq >= records) ||
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
	if (ringbuf_file_eof(rf) || ringbuf_ring_dead(rf->ring))
		events |= EPOLLHUP;
	return events;
}

/**
 * ringbuf_watermark_wake() - Wake a consumer if it is to be woken
 * @rf: its file
 *
 * With what is true of it: io_uring takes the key at its word.
 *
 * Context: any but NMI, holding no lock that a wakeup could want.
 */
void ringbuf_watermark_wake(struct ringbuf_file *rf)
{
	__poll_t events = ringbuf_watermark_events(rf);

	if (events)
		__wake_up(&rf->mark.wait, TASK_INTERRUPTIBLE, 0,
			  poll_to_key(events));
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

static bool wanted(struct ringbuf_watermark *mark)
{
	/* After wake:A, and once more after unhook:A. */
	return READ_ONCE(mark->ns) || waitqueue_active(&mark->wait);
}

/* Take the hook off, unless somebody comes. */
static bool unhook(struct ringbuf_watermark *mark)
{
	WRITE_ONCE(mark->hooked, false);
	/* LMM(unhook:A) pairs with LMM(listen:A). */
	smp_mb();
	if (wanted(mark)) {
		WRITE_ONCE(mark->hooked, true);
		return false;
	}
	list_del_init(&mark->hook.entry);
	return true;
}

/*
 * Runs in the place of the consumer's own wakeup, under the lock of @readers. It
 * stays for who is woken here: he will be back, and spare himself the lock.
 */
static int watermark_hook(wait_queue_entry_t *entry, unsigned int mode,
			  int flags, void *key)
{
	struct ringbuf_watermark *mark =
		container_of(entry, struct ringbuf_watermark, hook);

	if (wanted(mark) || !unhook(mark))
		ringbuf_watermark_wake(file_of(mark));
	return 0;
}

/**
 * ringbuf_watermark_listen() - From now on what is published wakes @mark.wait
 * @rf: the file, on whose @mark.wait the caller is already
 *
 * The caller looks at the head afterwards.
 *
 * Context: task.
 */
void ringbuf_watermark_listen(struct ringbuf_file *rf)
{
	struct ringbuf_watermark *mark = &rf->mark;
	struct ringbuf *rb = rf->ring;
	unsigned long flags;

	/* LMM(listen:A) pairs with LMM(unhook:A). */
	smp_mb();
	if (!READ_ONCE(mark->hooked)) {
		spin_lock_irqsave(&rb->readers.lock, flags);
		if (!mark->hooked) {
			__add_wait_queue(&rb->readers, &mark->hook);
			/* Who sees it may rely on the hook, after listen:B. */
			smp_store_release(&mark->hooked, true);
		}
		spin_unlock_irqrestore(&rb->readers.lock, flags);
	}
	/* LMM(listen:B) pairs with LMM(wake:A). */
	smp_mb();
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
		ringbuf_watermark_listen(rf);
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
	ringbuf_watermark_listen(rf);
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
	init_waitqueue_head(&mark->wait);
	init_waitqueue_func_entry(&mark->hook, watermark_hook);
	INIT_LIST_HEAD(&mark->hook.entry);
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
	remove_wait_queue(&rf->ring->readers, &rf->mark.hook);
	hrtimer_cancel(&rf->mark.timer);
}
