/* SPDX-License-Identifier: GPL-2.0 */
/* A ring as the kernel has it: the core, its storage, who waits for it. */
#ifndef _RINGBUF_RING_H
#define _RINGBUF_RING_H

#include <linux/atomic.h>
#include <linux/irq_work.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include "core.h"
#include "ringbuf.h"

/* What struct ringbuf_config::max_consumers_per_user means by 0. */
#define RINGBUF_DEFAULT_PER_USER	1024

/**
 * struct ringbuf_hook - An entry of a ring's list of hooks
 * @node: in struct ringbuf::hooks, or empty
 * @place: not a consumer's: it keeps the place of a walk over the hooks
 */
struct ringbuf_hook {
	struct list_head node;
	bool place;
};

/**
 * struct ringbuf - A ring
 * @core: positions and records
 * @hooks: of consumers that have waiters, see wake.c
 * @unheard: a kernel producer has records that it has woken nobody for
 * @config: what it was made with; @config.name is @name
 * @ref: the registry's, each open file's, the kernel producer's
 * @room: write() calls that wait for room
 * @waiting: how many they are
 * @writers: poll() calls for room
 * @polled: this producer has polled for room
 * @room_wanted: poll() calls are to be woken when there is room
 * @contended: a write() was refused because another thread had @write_lock
 * @refused_need: position that the tail had to reach for the last write that had no
 *	room
 * @served_seen: @core.served when holds were last asked; under @holds_lock
 * @wait_over: holds were asked in a wait that is over; under @holds_lock
 * @stall: asks reliable consumers to make way, and demotes those whose time is up
 * @refusal: starts @stall from contexts that must not
 * @holds_lock: the holds of reliable consumers, but for moving forward
 * @hooks_lock: changes of @hooks and of @unfinished
 * @crowd: so many publishes wake fewer, since one could not wake all itself; under
 *	@hooks_lock
 * @wake: wakes consumers from contexts that must not
 * @scan: whether the worker is to wake consumers, or does
 * @scan_work: the worker
 * @scan_rest: until when the worker is to let others have the CPU, ns
 * @wake_cpu: where the producer was that left the waking to it
 * @unfinished: consumers that the worker has woken in part
 * @write_lock: orders the write() calls of those who share the writer's file
 * @producer: the producer slot: the writer's file, the ring itself for a kernel
 *	producer, NULL when free
 * @consumers: open consumers
 * @users: how many of them each user has opened, by uid
 * @name: of the ring
 * @pages: storage, as a map shows it: the exported page, that of the head, then the
 *	data area's pages, twice
 * @dev: the device
 * @minor: its minor number
 */
struct ringbuf {
	struct ringbuf_core core;
	/* All that a publish looks at besides. */
	struct list_head hooks ____cacheline_aligned;
	bool unheard;
	struct ringbuf_config config;

	struct kref ref;
	wait_queue_head_t room;
	atomic_t waiting;
	wait_queue_head_t writers;
	bool polled;
	bool room_wanted;
	bool contended;
	u64 refused_need;
	u64 served_seen;
	bool wait_over;
	struct delayed_work stall;
	struct irq_work refusal;
	struct mutex holds_lock; /* holds come, go back, are asked, and go */
	spinlock_t hooks_lock;	/* hooks come and go */
	unsigned int crowd;
	struct irq_work wake;
	atomic_t scan;
	struct work_struct scan_work;
	u64 scan_rest;
	int wake_cpu;
	struct list_head unfinished;
	struct mutex write_lock; /* one write() at a time */
	void *producer;
	atomic_t consumers;
	struct xarray users;
	char name[RINGBUF_NAME_SIZE];
	struct page **pages;
	struct device *dev;
	u32 minor;
};

/* Places in @pages. */
#define RINGBUF_HEAD_PAGE	1
#define RINGBUF_DATA_PAGE	2

/* Pages that a map can show: @pages. */
static inline unsigned long ringbuf_map_pages(const struct ringbuf *rb)
{
	return RINGBUF_DATA_PAGE + 2 * (rb->config.size >> PAGE_SHIFT);
}

/* What room wakes. */
#define RINGBUF_POLL_WRITE	(EPOLLOUT | EPOLLWRNORM)

struct ringbuf *ringbuf_ring_alloc(const struct ringbuf_config *config);
void ringbuf_ring_put(struct ringbuf *rb);
void ringbuf_ring_kill(struct ringbuf *rb);
int ringbuf_ring_claim(struct ringbuf *rb, void *producer);
void ringbuf_ring_release(struct ringbuf *rb);
void ringbuf_ring_publish(struct ringbuf *rb);
bool ringbuf_ring_refused(struct ringbuf *rb, u64 need, bool nowait);
void ringbuf_ring_refused_anywhere(struct ringbuf *rb, u64 need);
bool ringbuf_ring_poll_room(struct ringbuf *rb);
int ringbuf_ring_wait(struct ringbuf *rb, u64 need);
void ringbuf_ring_wake_for_room(struct ringbuf *rb, u64 from, u64 to);
void ringbuf_ring_wake_all_for_room(struct ringbuf *rb);
void ringbuf_ring_wake_contended(struct ringbuf *rb);
void ringbuf_ring_init_room(struct ringbuf *rb);
void ringbuf_ring_exit_room(struct ringbuf *rb);
unsigned int ringbuf_ring_reliable(struct ringbuf *rb);
pid_t ringbuf_ring_holder(struct ringbuf *rb);
int ringbuf_wake_start(void);
void ringbuf_wake_stop(void);
void ringbuf_wake_init(struct ringbuf *rb);
void ringbuf_wake_exit(struct ringbuf *rb);
void ringbuf_wake_now(struct ringbuf *rb);
void ringbuf_wake_later(struct ringbuf *rb);

/**
 * ringbuf_ring_dead() - Has the ring been destroyed?
 * @rb: the ring
 *
 * All that write() published is visible to who finds it so.
 *
 * Context: any.
 *
 * Return: true when no more records come, but for the one that a kernel producer
 * may have in hand.
 */
static inline bool ringbuf_ring_dead(const struct ringbuf *rb)
{
	/* Pairs with the release in ringbuf_ring_kill(). */
	return smp_load_acquire(&rb->core.page->flags) & RINGBUF_RING_DEAD;
}

/*
 * Why a record is above max_record: @ret, or the ring takes no more. It is so a
 * moment before the ring is dead, see ringbuf_ring_kill().
 */
static inline int ringbuf_ring_refuses(const struct ringbuf *rb, int ret)
{
	return READ_ONCE(rb->core.max_record) ? ret : -ENODEV;
}

/* The clock for records, in ns. All of these clocks can be read in an NMI. */
static inline u64 ringbuf_ring_time(const struct ringbuf *rb)
{
	enum ringbuf_clock clock = rb->config.clock;

	/* The cheapest first, then the default. */
	if (clock == RINGBUF_CLOCK_OFF)
		return 0;
	if (likely(clock == RINGBUF_CLOCK_BOOTTIME))
		return ktime_get_boot_fast_ns();
	if (clock == RINGBUF_CLOCK_MONOTONIC)
		return ktime_get_mono_fast_ns();
	return clock == RINGBUF_CLOCK_REALTIME ? ktime_get_real_fast_ns() :
						 ktime_get_tai_fast_ns();
}

/* All who poll for what may never come again, exclusive waiters included. */
static inline void ringbuf_wake_polls(wait_queue_head_t *wait, __poll_t events)
{
	__wake_up(wait, TASK_NORMAL, 0, poll_to_key(events));
}

/**
 * ringbuf_ring_commit() - Close the open reservation as a record, unpublished
 * @rb: the ring
 *
 * Context: any; the producer.
 */
static inline void ringbuf_ring_commit(struct ringbuf *rb)
{
	ringbuf_core_commit(&rb->core, ringbuf_ring_time(rb));
}

/**
 * ringbuf_ring_commit_run() - Make records of a run of frames, unpublished
 * @rb: the ring
 * @len: bytes that were written into the run
 *
 * Context: any; the producer.
 *
 * Return: bytes of the frames that became records, from the first one on.
 */
static inline u32 ringbuf_ring_commit_run(struct ringbuf *rb, u32 len)
{
	return ringbuf_core_commit_run(&rb->core, len, ringbuf_ring_time(rb));
}

/**
 * ringbuf_ring_wake() - Wake those who sleep or poll, after publishing
 * @rb: the ring
 *
 * Context: task, holding no lock that a wakeup could want.
 */
static inline void ringbuf_ring_wake(struct ringbuf *rb)
{
	/* LMM(wake:A) pairs with LMM(listen:B) and LMM(scan_work:A). */
	smp_mb();
	if (!list_empty(&rb->hooks))
		ringbuf_wake_now(rb);
}

#endif /* _RINGBUF_RING_H */
