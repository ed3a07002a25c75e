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
#include <linux/timer.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include "core.h"
#include "ringbuf.h"

/* What struct ringbuf_config::max_consumers_per_user means by 0. */
#define RINGBUF_DEFAULT_PER_USER	1024

/**
 * struct ringbuf - A ring
 * @core: positions and records
 * @readers: hooks of consumers that sleep or poll
 * @unheard: a kernel producer has records that it has woken nobody for
 * @config: what it was made with; @config.name is @name
 * @ref: the registry's, each open file's, the kernel producer's
 * @room: write() calls that wait for room
 * @writers: who polls for room
 * @polled: this producer has polled for room
 * @wanted: whoever did is to be woken when there is some
 * @need: position that the tail had to reach when a consumer last held it
 * @stall: wakes @room and @writers when a reliable consumer has had its time
 * @holds_lock: joining and leaving of reliable consumers
 * @wake: wakes @readers from contexts that must not
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
	wait_queue_head_t readers ____cacheline_aligned;
	bool unheard;
	struct ringbuf_config config;

	struct kref ref;
	wait_queue_head_t room;
	wait_queue_head_t writers;
	bool polled;
	bool wanted;
	u64 need;
	struct timer_list stall;
	spinlock_t holds_lock;	/* joins and leaves */
	struct irq_work wake;
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
void ringbuf_ring_wake_sleepers(struct ringbuf *rb);
u64 ringbuf_ring_held(struct ringbuf *rb, u64 need);
bool ringbuf_ring_no_room(struct ringbuf *rb, u64 need);
bool ringbuf_ring_poll_room(struct ringbuf *rb);
int ringbuf_ring_wait(struct ringbuf *rb, u64 need);
void ringbuf_ring_wake_writers(struct ringbuf *rb);
void ringbuf_ring_let_go(struct ringbuf *rb, u64 from, u64 to);
unsigned int ringbuf_ring_reliable(struct ringbuf *rb);
pid_t ringbuf_ring_holder(struct ringbuf *rb);

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
	switch (rb->config.clock) {
	case RINGBUF_CLOCK_BOOTTIME:
		return ktime_get_boot_fast_ns();
	case RINGBUF_CLOCK_MONOTONIC:
		return ktime_get_mono_fast_ns();
	case RINGBUF_CLOCK_REALTIME:
		return ktime_get_real_fast_ns();
	case RINGBUF_CLOCK_TAI:
		return ktime_get_tai_fast_ns();
	default:
		return 0;
	}
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

/* What poll() tells of: room for a record of max size after what is published. */
static inline u64 ringbuf_ring_poll_need(const struct ringbuf *rb)
{
	return ringbuf_core_need(&rb->core, READ_ONCE(rb->core.head_page->head),
				 ringbuf_frame_size(ringbuf_max_record(rb->core.size)));
}

/**
 * ringbuf_ring_wake() - Wake those who sleep or poll, after publishing
 * @rb: the ring
 *
 * Context: task, holding no lock that a wakeup could want.
 */
static inline void ringbuf_ring_wake(struct ringbuf *rb)
{
	/* LMM(wake:A) pairs with LMM(listen:B). */
	if (wq_has_sleeper(&rb->readers))
		ringbuf_ring_wake_sleepers(rb);
}

#endif /* _RINGBUF_RING_H */
