/* SPDX-License-Identifier: GPL-2.0 */
/* A ring as the kernel has it: the core, its storage, who waits for it. */
#ifndef _RINGBUF_RING_H
#define _RINGBUF_RING_H

#include <linux/atomic.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/timer.h>
#include <linux/wait.h>
#include "core.h"
#include "ringbuf.h"

/**
 * struct ringbuf_config - What a ring is made with
 * @name: of the ring and its device node
 * @size: bytes of the data area, a power of two, PAGE_SIZE to 1 GiB
 * @mode: permission bits of the node
 * @max_consumers: open consumers at a time, 0: no limit
 * @timestamps: records carry the time of their commit
 * @reliable: consumers may be reliable
 * @stall_ms: how long one may hold the writer, in ms; 0: for ever
 */
struct ringbuf_config {
	const char *name;
	unsigned long size;
	umode_t mode;
	unsigned int max_consumers;
	bool timestamps;
	bool reliable;
	unsigned int stall_ms;
};

/**
 * struct ringbuf - A ring
 * @core: positions and records
 * @readers: hooks of consumers that sleep or poll
 * @room: write() calls that wait for room
 * @writers: who polls for room
 * @need: position that the tail had to reach when a consumer last held it
 * @stall: wakes @room and @writers when a reliable consumer has had its time
 * @holds_lock: joining and leaving of reliable consumers
 * @wake: wakes @readers from contexts that must not
 * @write_lock: orders the write() calls of those who share the writer's file
 * @producer: the producer slot: the writer's file, the ring itself for a kernel
 *	producer, NULL when free
 * @consumers: open consumers
 * @unheard: a kernel producer has records that it has woken nobody for
 * @config: what it was made with; @config.name is @name
 * @name: of the ring
 * @pages: storage: the exported page, then the data area's pages, twice
 * @misc: the device node
 * @node: in the list of rings
 */
struct ringbuf {
	struct ringbuf_core core;
	wait_queue_head_t readers;
	wait_queue_head_t room;
	wait_queue_head_t writers;
	u64 need;
	struct timer_list stall;
	spinlock_t holds_lock;	/* joins and leaves */
	struct irq_work wake;
	struct mutex write_lock; /* one write() at a time */
	void *producer;
	atomic_t consumers;
	bool unheard;
	struct ringbuf_config config;
	char name[RINGBUF_NAME_SIZE];
	struct page **pages;
	struct miscdevice misc;
	struct list_head node;
};

/* Pages that a map can show: @pages. */
static inline unsigned long ringbuf_map_pages(const struct ringbuf *rb)
{
	return 1 + 2 * (rb->config.size >> PAGE_SHIFT);
}

/* What room wakes. */
#define RINGBUF_POLL_WRITE	(EPOLLOUT | EPOLLWRNORM)

struct ringbuf *ringbuf_ring_create(const struct ringbuf_config *config);
void ringbuf_ring_destroy(struct ringbuf *rb);
int ringbuf_ring_claim(struct ringbuf *rb, void *producer);
void ringbuf_ring_release(struct ringbuf *rb);
void ringbuf_ring_publish(struct ringbuf *rb);
void ringbuf_ring_wake_sleepers(struct ringbuf *rb);
u64 ringbuf_ring_held(struct ringbuf *rb, u64 need);
bool ringbuf_ring_no_room(struct ringbuf *rb, u64 need);
int ringbuf_ring_wait(struct ringbuf *rb, u64 need);
void ringbuf_ring_let_go(struct ringbuf *rb, u64 from, u64 to);
unsigned int ringbuf_ring_reliable(struct ringbuf *rb);
pid_t ringbuf_ring_holder(struct ringbuf *rb);

/* The clock for records: good in an NMI, too. */
static inline u64 ringbuf_ring_time(const struct ringbuf *rb)
{
	return rb->config.timestamps ? ktime_get_mono_fast_ns() : 0;
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
	return ringbuf_core_need(&rb->core, READ_ONCE(rb->core.page->head),
				 ringbuf_frame_size(rb->core.max_record));
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
