// SPDX-License-Identifier: GPL-2.0
/*
 * Waking consumers: a few by the producer itself, a crowd by a worker.
 */

#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/ktime.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/workqueue.h>
#include "file.h"
#include "trace.h"

/**
 * DOC: sleeping and waking
 *
 * A waiter is a thread in read() or poll(), an epoll or a request of io_uring. It is
 * on the wait queue of its consumer. A consumer that has waiters has a hook in the
 * ring's list @hooks. The producer moves the head and then looks at @hooks. A waiter
 * gets on the queue, sees to the hook and then looks at the head. Each side stores
 * first and loads second, so each side has a full barrier in between. Without one of
 * the two, both sides could miss each other:
 *
 *	==================  ====================  ===========================
 *	barrier             pairs with            what it orders
 *	==================  ====================  ===========================
 *	wake:A     mb       listen:B   mb         head (or the empty producer
 *	                                          slot) before the look at
 *	                                          @hooks; against @hooks before
 *	                                          the look at head
 *	wake:A     mb       scan_work:A mb        head before the look at @scan;
 *	                                          against @scan before the look
 *	                                          at head
 *	wake:A     mb       moved:A    mb         the empty slot before the look
 *	                    (in consumer.c)       at a cursor; against a cursor
 *	                                          before the look at the slot
 *	wake:A     mb       back:A     mb         head before the look at a
 *	                    (in consumer.c)       cursor; against a cursor that
 *	                                          goes back before the look at
 *	                                          head
 *	listen:A   mb       unhook:A   mb         the waiter on the queue before
 *	                                          the look at @hooked; against
 *	                                          @hooked before the look at
 *	                                          the queue
 *	==================  ====================  ===========================
 *
 * Waking walks over @hooks. watermark.c tells for what a consumer is to be woken, if
 * it is. The hook of a consumer without waiters is removed. The hook of a consumer
 * that is woken stays: its waiters usually come back, and need not take the lock
 * then.
 *
 * The producer wakes WAKE_BUDGET waiters, or CROWD_BUDGET if that was not enough
 * lately, and leaves the others to the ring's worker, which walks over all hooks. That
 * is a scan. @scan is
 *
 *	SCAN_IDLE	no scan is asked for
 *	SCAN_AGAIN	a scan is asked for and has not begun
 *	SCAN_BUSY	a scan is under way, and no other one is asked for
 *
 * To ask for a scan is to set SCAN_AGAIN, and to queue the work if @scan was
 * SCAN_IDLE. The worker sets SCAN_BUSY and then looks at the ring. At the end of a
 * scan it goes from SCAN_BUSY to SCAN_IDLE, or scans again if it was asked to. A
 * producer that finds SCAN_AGAIN does nothing: the scan will see what it published.
 * A producer that finds SCAN_BUSY asks for another scan, since the one that is under
 * way may have passed consumers that have something new to read.
 *
 * All walks let go of @hooks_lock after a batch of waiters, since interrupts are off
 * under it. The producer's walk is the exception: it wakes up to WAKE_BUDGET waiters of
 * one consumer in one batch. A hook on the walker's stack, that of no consumer, keeps
 * the place in @hooks. New hooks come to the front. So a walk ends, and the waiter whose
 * hook comes behind a walk's back looks at the head later than the walk did.
 *
 * A consumer may have any number of waiters. The scan wakes a batch of them, and puts
 * the consumer on @unfinished: it must not delay the other consumers. The waiters
 * that were woken go to the end of the queue, behind the entry @end. After the walk
 * the worker takes turns with the consumers on @unfinished, until it finds @end at
 * the front of their queues. If it is asked for another scan, that comes first.
 *
 * A write() wakes directly. A kernel producer may be anywhere, in an NMI or
 * under a scheduler lock, so it leaves the waking to an irq_work, which on
 * PREEMPT_RT runs in a thread; that costs nothing when nobody waits.
 */

/* Waiters that a publish wakes itself. A consumer that is not to be woken counts. */
#define WAKE_BUDGET	32U

/*
 * If WAKE_BUDGET was not enough there is a crowd, and the worker has to come anyway.
 * The next CROWD_MEMORY publishes wake CROWD_BUDGET waiters each. Then WAKE_BUDGET is
 * tried again, since the crowd may have become smaller.
 */
#define CROWD_BUDGET	8U
#define CROWD_MEMORY	8U

/*
 * So many of them before interrupts are let in. To wake a waiter takes about as long
 * as to find two consumers that are not to be woken.
 */
#define WAKE_BATCH	4U

/* ns that the worker, whose priority is high, has the CPU at a time. */
#define SCAN_SLICE_NS	(100 * NSEC_PER_USEC)

/* struct ringbuf::scan */
enum {
	SCAN_IDLE,
	SCAN_BUSY,
	SCAN_AGAIN,
};

static struct workqueue_struct *scan_queue;

static struct ringbuf_file *file_of(struct ringbuf_watermark *mark)
{
	return container_of(mark, struct ringbuf_file, mark);
}

static bool has_waiters(struct ringbuf_watermark *mark)
{
	/* After wake:A or scan_work:A, and once more after unhook:A. */
	return waitqueue_active(&mark->wait);
}

/*
 * Remove the hook of a consumer without waiters, unless one comes. The consumer's
 * timer starts, if it has one. The caller holds @hooks_lock.
 */
static noinline bool unhook(struct ringbuf_watermark *mark)
{
	WRITE_ONCE(mark->hooked, false);
	/* LMM(unhook:A) pairs with LMM(listen:A). */
	smp_mb();
	if (has_waiters(mark)) {
		WRITE_ONCE(mark->hooked, true);
		return false;
	}
	list_del_init(&mark->hook.node);
	ringbuf_watermark_events(file_of(mark));
	return true;
}

/*
 * The consumer of a hook, if it is to be woken, and for what; else NULL. The caller
 * holds @hooks_lock.
 */
static __always_inline struct ringbuf_watermark *
consumer_to_wake(struct ringbuf_hook *hook, __poll_t *events)
{
	struct ringbuf_watermark *mark;

	if (hook->place)
		return NULL;
	mark = container_of(hook, struct ringbuf_watermark, hook);
	if (!has_waiters(mark) && unhook(mark))
		return NULL;
	*events = ringbuf_watermark_events(file_of(mark));
	return *events ? mark : NULL;
}

/*
 * Wake the first @budget waiters of a consumer, but none behind @mark->end. If those
 * who are woken want the CPU there is no more budget. Return the entry that comes
 * next; NULL: there is none. The caller holds the lock of @mark->wait.
 */
static __always_inline wait_queue_entry_t *
wake_waiters(struct ringbuf_watermark *mark, __poll_t events,
	     unsigned int *budget)
{
	wait_queue_entry_t *entry, *next;

	list_for_each_entry_safe(entry, next, &mark->wait.head, entry) {
		if (!*budget)
			return entry;
		--*budget;
		if (entry == &mark->end)
			return entry;
		/* It may be gone afterwards. */
		entry->func(entry, TASK_INTERRUPTIBLE, 0, poll_to_key(events));
		if (*budget % WAKE_BATCH == 0 && need_resched())
			*budget = 0;
	}
	return NULL;
}

/*
 * Let go of @hooks_lock for a moment, before the hook at @at. return_to_hooks() gives
 * the hook that comes next then.
 */
static void leave_hooks(struct ringbuf *rb, struct ringbuf_hook *place,
			struct list_head *at, unsigned long flags)
	__releases(&rb->hooks_lock)
{
	place->place = true;
	list_add_tail(&place->node, at);
	spin_unlock_irqrestore(&rb->hooks_lock, flags);
}

static struct list_head *return_to_hooks(struct ringbuf *rb,
					 struct ringbuf_hook *place,
					 unsigned long *flags)
	__acquires(&rb->hooks_lock)
{
	struct list_head *at;

	spin_lock_irqsave(&rb->hooks_lock, *flags);
	at = place->node.next;
	list_del(&place->node);
	return at;
}

/*
 * Wake those who come first. Return false if some are left: the budget was not
 * enough, or the CPU is wanted for something else.
 */
static bool wake_some(struct ringbuf *rb)
{
	struct ringbuf_watermark *mark;
	struct ringbuf_hook *hook, place;
	int batch = 2 * WAKE_BATCH;
	unsigned int budget, before;
	struct list_head *at;
	unsigned long flags;
	__poll_t events;
	bool all = true;

	spin_lock_irqsave(&rb->hooks_lock, flags);
	budget = rb->crowd ? CROWD_BUDGET : WAKE_BUDGET;
	for (at = rb->hooks.next; at != &rb->hooks;) {
		if (!budget || (batch <= 0 && need_resched())) {
			all = false;
			break;
		}
		if (batch <= 0) {
			leave_hooks(rb, &place, at, flags);
			batch = 2 * WAKE_BATCH;
			at = return_to_hooks(rb, &place, &flags);
			continue;
		}
		hook = list_entry(at, struct ringbuf_hook, node);
		at = at->next;
		mark = consumer_to_wake(hook, &events);
		if (!mark) {
			budget--;
			batch--;
			continue;
		}
		before = budget;
		spin_lock(&mark->wait.lock);
		if (wake_waiters(mark, events, &budget))
			all = false;
		spin_unlock(&mark->wait.lock);
		batch -= 2 * (before - budget);
	}
	if (all)
		rb->crowd = 0;
	else if (rb->crowd)
		rb->crowd--;
	else if (!need_resched()) /* else the CPU was wanted, and 32 may be enough */
		rb->crowd = CROWD_MEMORY;
	spin_unlock_irqrestore(&rb->hooks_lock, flags);
	return all;
}

/* Have the worker wake all that are to be woken. Any context but NMI. */
static void ask_for_scan(struct ringbuf *rb)
{
	if (atomic_xchg(&rb->scan, SCAN_AGAIN) == SCAN_IDLE)
		queue_work(scan_queue, &rb->scan_work);
}

/* Wake, or see to it that the worker does. Behind wake:A; any context but NMI. */
static void wake_all(struct ringbuf *rb)
{
	int scan = atomic_read(&rb->scan);

	if (scan == SCAN_AGAIN || (scan == SCAN_IDLE && wake_some(rb)))
		return;
	WRITE_ONCE(rb->wake_cpu, raw_smp_processor_id());
	ask_for_scan(rb);
}

static bool at_producer(struct ringbuf *rb)
{
	return raw_smp_processor_id() == READ_ONCE(rb->wake_cpu);
}

/*
 * Between two batches of the worker, of which the last one began at @since: let
 * others have the CPU for as long as the worker had it, and for three times as long
 * if the CPU is the producer's. So much is @scan_rest ahead of the time; the worker
 * makes up for it once that is a slice.
 */
static void take_turns(struct ringbuf *rb, u64 *since)
{
	u64 now = ktime_get_ns();
	/* The worker may have been off its CPU for a long time. */
	u64 ran = min_t(u64, now - *since, 10 * SCAN_SLICE_NS);
	u64 us;

	rb->scan_rest = max(rb->scan_rest, *since) +
			ran * (at_producer(rb) ? 4 : 2);
	if (rb->scan_rest < now + SCAN_SLICE_NS) {
		cond_resched();
		*since = now;
		return;
	}
	us = (rb->scan_rest - now) / NSEC_PER_USEC;
	usleep_range(us, us + us / 4);
	*since = ktime_get_ns();
}

/*
 * A turn of a consumer in a scan, its first one if @begin. The caller holds
 * @hooks_lock.
 */
static void scan_consumer(struct ringbuf_watermark *mark, __poll_t events,
			  unsigned int *budget, bool begin)
{
	wait_queue_entry_t *next = NULL;
	struct ringbuf *rb = file_of(mark)->ring;
	struct list_head *queue = &mark->wait.head;

	spin_lock(&mark->wait.lock);
	if (begin && !list_empty(&mark->end.entry))
		list_move_tail(&mark->end.entry, queue);
	if (events)
		next = wake_waiters(mark, events, budget);
	if (next && next != &mark->end) {
		if (list_empty(&mark->end.entry))
			list_add_tail(&mark->end.entry, queue);
		list_rotate_to_front(&next->entry, queue);
		list_move_tail(&mark->unfinished, &rb->unfinished);
	} else if (!list_empty(&mark->end.entry)) {
		list_del_init(&mark->end.entry);
		list_del_init(&mark->unfinished);
	}
	spin_unlock(&mark->wait.lock);
}

static void scan_hooks(struct ringbuf *rb, u64 *since)
{
	unsigned int budget = WAKE_BATCH;
	struct ringbuf_watermark *mark;
	struct ringbuf_hook *hook, place;
	struct list_head *at;
	unsigned long flags;
	__poll_t events;

	spin_lock_irqsave(&rb->hooks_lock, flags);
	for (at = rb->hooks.next; at != &rb->hooks;) {
		if (!budget) {
			leave_hooks(rb, &place, at, flags);
			take_turns(rb, since);
			budget = WAKE_BATCH;
			at = return_to_hooks(rb, &place, &flags);
			continue;
		}
		hook = list_entry(at, struct ringbuf_hook, node);
		at = at->next;
		mark = consumer_to_wake(hook, &events);
		if (mark)
			scan_consumer(mark, events, &budget, true);
		else
			budget--;
	}
	spin_unlock_irqrestore(&rb->hooks_lock, flags);
}

/* A turn of the next unfinished consumer, if there is one. */
static void scan_unfinished(struct ringbuf *rb)
{
	unsigned int budget = WAKE_BATCH;
	struct ringbuf_watermark *mark;
	unsigned long flags;

	spin_lock_irqsave(&rb->hooks_lock, flags);
	mark = list_first_entry_or_null(&rb->unfinished,
					struct ringbuf_watermark, unfinished);
	if (mark)
		scan_consumer(mark, ringbuf_watermark_events(file_of(mark)),
			      &budget, false);
	spin_unlock_irqrestore(&rb->hooks_lock, flags);
}

static void scan_work(struct work_struct *work)
{
	struct ringbuf *rb = container_of(work, struct ringbuf, scan_work);
	u64 since = ktime_get_ns();

	/* Let the producer finish its call first. */
	if (at_producer(rb))
		rb->scan_rest = max(rb->scan_rest, since + SCAN_SLICE_NS);
	do {
		take_turns(rb, &since);
		atomic_set(&rb->scan, SCAN_BUSY);
		/* LMM(scan_work:A) pairs with LMM(wake:A). */
		smp_mb();
		scan_hooks(rb, &since);
		while (atomic_read(&rb->scan) == SCAN_BUSY &&
		       !list_empty(&rb->unfinished)) {
			take_turns(rb, &since);
			scan_unfinished(rb);
		}
	} while (atomic_cmpxchg(&rb->scan, SCAN_BUSY, SCAN_IDLE) != SCAN_BUSY);
}

static void wake_work(struct irq_work *work)
{
	wake_all(container_of(work, struct ringbuf, wake));
}

/**
 * ringbuf_wake_now() - The rest of ringbuf_ring_wake()
 * @rb: the ring, which has hooks
 *
 * The caller has issued a full barrier since it published.
 *
 * Context: any but NMI, holding no lock that a wakeup could want.
 */
void ringbuf_wake_now(struct ringbuf *rb)
{
	trace_ringbuf_wakeup(rb->name, rb->core.head_page->head);
	wake_all(rb);
}

/**
 * ringbuf_wake_later() - As ringbuf_wake_now(), for callers that must wake nobody
 * @rb: the ring, which has hooks
 *
 * Context: any, NMI included.
 */
void ringbuf_wake_later(struct ringbuf *rb)
{
	trace_ringbuf_wakeup(rb->name, rb->core.head_page->head);
	/* As in wake_all(): then that would do nothing. */
	if (atomic_read(&rb->scan) != SCAN_AGAIN)
		irq_work_queue(&rb->wake);
}

/**
 * ringbuf_wake_consumer() - Wake the waiters of one consumer
 * @rf: its file
 * @events: EPOLL*, what is true of it: io_uring takes the key at its word
 *
 * Context: any but NMI, holding no lock that a wakeup could want.
 */
void ringbuf_wake_consumer(struct ringbuf_file *rf, __poll_t events)
{
	wait_queue_head_t *wait = &rf->mark.wait;
	unsigned int budget = WAKE_BUDGET;
	unsigned long flags;
	bool left;

	spin_lock_irqsave(&wait->lock, flags);
	left = wake_waiters(&rf->mark, events, &budget);
	spin_unlock_irqrestore(&wait->lock, flags);
	/* A waiter without a hook looks for itself, once it has one. */
	if (left)
		ask_for_scan(rf->ring);
}

/**
 * ringbuf_wake_listen() - From now on what is published wakes @rf->mark.wait
 * @rf: the file, on whose @mark.wait the caller is already
 *
 * The caller looks at the head afterwards.
 *
 * Context: task.
 */
void ringbuf_wake_listen(struct ringbuf_file *rf)
{
	struct ringbuf_watermark *mark = &rf->mark;
	struct ringbuf *rb = rf->ring;
	unsigned long flags;

	/* LMM(listen:A) pairs with LMM(unhook:A). */
	smp_mb();
	if (!READ_ONCE(mark->hooked)) {
		spin_lock_irqsave(&rb->hooks_lock, flags);
		if (!mark->hooked) {
			list_add(&mark->hook.node, &rb->hooks);
			/* Who sees it may rely on the hook, after listen:B. */
			smp_store_release(&mark->hooked, true);
		}
		spin_unlock_irqrestore(&rb->hooks_lock, flags);
	}
	/* LMM(listen:B) pairs with LMM(wake:A). */
	smp_mb();
}

/**
 * ringbuf_wake_forget() - Nobody wakes a consumer any more
 * @rf: its file, which nobody uses any more
 *
 * Context: task.
 */
void ringbuf_wake_forget(struct ringbuf_file *rf)
{
	struct ringbuf *rb = rf->ring;
	unsigned long flags;

	spin_lock_irqsave(&rb->hooks_lock, flags);
	list_del_init(&rf->mark.hook.node);
	list_del_init(&rf->mark.unfinished);
	spin_unlock_irqrestore(&rb->hooks_lock, flags);
}

/* The function of @end, which is no waiter. */
static int no_waiter(wait_queue_entry_t *entry, unsigned int mode, int flags,
		     void *key)
{
	return 0;
}

/**
 * ringbuf_wake_init_consumer() - Make a consumer without waiters
 * @mark: its watermark
 */
void ringbuf_wake_init_consumer(struct ringbuf_watermark *mark)
{
	init_waitqueue_head(&mark->wait);
	INIT_LIST_HEAD(&mark->hook.node);
	init_waitqueue_func_entry(&mark->end, no_waiter);
	INIT_LIST_HEAD(&mark->end.entry);
	INIT_LIST_HEAD(&mark->unfinished);
}

/**
 * ringbuf_wake_init() - Make a ring without waiters
 * @rb: the ring
 */
void ringbuf_wake_init(struct ringbuf *rb)
{
	INIT_LIST_HEAD(&rb->hooks);
	spin_lock_init(&rb->hooks_lock);
	init_irq_work(&rb->wake, wake_work);
	INIT_WORK(&rb->scan_work, scan_work);
	INIT_LIST_HEAD(&rb->unfinished);
}

/**
 * ringbuf_wake_exit() - Nothing runs for a ring any more
 * @rb: the ring, which has no consumers and no producer any more
 *
 * Context: task; may sleep.
 */
void ringbuf_wake_exit(struct ringbuf *rb)
{
	/* First, for it may ask for a scan. */
	irq_work_sync(&rb->wake);
	cancel_work_sync(&rb->scan_work);
}

/**
 * ringbuf_wake_start() - Before there is any ring
 *
 * Context: task; may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int ringbuf_wake_start(void)
{
	scan_queue = alloc_workqueue("ringbuf", WQ_UNBOUND | WQ_HIGHPRI, 0);
	return scan_queue ? 0 : -ENOMEM;
}

/**
 * ringbuf_wake_stop() - After the last ring has been freed
 *
 * Context: task; may sleep.
 */
void ringbuf_wake_stop(void)
{
	destroy_workqueue(scan_queue);
}
