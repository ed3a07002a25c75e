/* SPDX-License-Identifier: GPL-2.0 */
/* A ring as the kernel has it: the core, its storage, who waits for it. */
#ifndef _RINGBUF_RING_H
#define _RINGBUF_RING_H

#include <linux/atomic.h>
#include <linux/eventpoll.h>
#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/timekeeping.h>
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
 */
struct ringbuf_config {
	const char *name;
	unsigned long size;
	umode_t mode;
	unsigned int max_consumers;
	bool timestamps;
};

/**
 * struct ringbuf - A ring
 * @core: positions and records
 * @readers: consumers that sleep or poll
 * @wake: wakes @readers from contexts that must not
 * @write_lock: orders the write() calls of those who share the writer's file
 * @producer: the producer slot: the writer's file, the ring itself for a kernel
 *	producer, NULL when free
 * @consumers: open consumers
 * @config: what it was made with; @config.name is @name
 * @name: of the ring
 * @pages: storage: the exported page, then the data area's pages, twice
 * @misc: the device node
 * @node: in the list of rings
 */
struct ringbuf {
	struct ringbuf_core core;
	wait_queue_head_t readers;
	struct irq_work wake;
	struct mutex write_lock; /* one write() at a time */
	void *producer;
	atomic_t consumers;
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

/* What publishing wakes: readers, pollers, and those who wait for a loss. */
#define RINGBUF_POLL_READ	(EPOLLIN | EPOLLRDNORM | EPOLLPRI)

struct ringbuf *ringbuf_ring_create(const struct ringbuf_config *config);
void ringbuf_ring_destroy(struct ringbuf *rb);
int ringbuf_ring_claim(struct ringbuf *rb, void *producer);
void ringbuf_ring_release(struct ringbuf *rb);
void ringbuf_ring_publish(struct ringbuf *rb);
void ringbuf_ring_wake_all(struct ringbuf *rb, __poll_t events);
void ringbuf_ring_wake_sleepers(struct ringbuf *rb);

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

/**
 * ringbuf_ring_wake() - Wake those who sleep or poll, after publishing
 * @rb: the ring
 *
 * Context: task, holding no lock that a wakeup could want.
 */
static inline void ringbuf_ring_wake(struct ringbuf *rb)
{
	/* LMM(wake:A) pairs with LMM(wait:A) and LMM(poll:A). */
	if (wq_has_sleeper(&rb->readers))
		ringbuf_ring_wake_sleepers(rb);
}

#endif /* _RINGBUF_RING_H */
