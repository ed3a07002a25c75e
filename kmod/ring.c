// SPDX-License-Identifier: GPL-2.0
/*
 * A ring in the kernel: storage, the producer slot, and publishing for
 * kernel producers.
 */

#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uuid.h>
#include <linux/vmalloc.h>
#include "compat.h"
#include "ring.h"

/* Positions are read and written in one go, and a page is mapped twice. */
#if !defined(CONFIG_64BIT) || defined(CONFIG_ARCH_HAS_CPU_CACHE_ALIASING) || \
	defined(CONFIG_MIPS) || defined(CONFIG_PARISC) || defined(CONFIG_SPARC)
#error ringbuf wants a 64-bit kernel without cache aliasing
#endif

#define CREATE_TRACE_POINTS
#include "trace.h"

/**
 * DOC: waiting for room
 *
 * A writer that a reliable consumer holds waits on @room, or polls, on
 * @writers. The consumer moves its hold and then looks whether somebody
 * waits who needed that; who polls needs room for the largest record behind the
 * head, and says in @room_wanted that there is none. An edge-triggered poll does not
 * look again before it was woken: for it the write() that finds no room does. Holds
 * are asked to make way for the largest record when a write was refused and somebody
 * polls, whichever comes second:
 *
 *	===================  =================  =============================
 *	barrier              pairs with         what it orders
 *	===================  =================  =============================
 *	wake_for_room:A mb   room:A   mb        the hold before the look at
 *	(in room.c)          poll:A   mb        @room, @room_wanted and the
 *	                     (in room.c)        head; against these before
 *	                     full:A   mb        the look at the holds
 *	                     (in chardev.c)
 *	contended:A mb       wake:A   mb        @contended before the second
 *	(in chardev.c)       full:A   mb        try for @write_lock; the lock
 *	                                        let go before the look at
 *	                                        @contended
 *	full:A   mb          poll:A   mb        the refusal before the look
 *	                                        for who polls; against the
 *	                                        poll before the look whether
 *	                                        a write was refused
 *	===================  =================  =============================
 */

/* Pages to allocate or free before others may run. */
#define PAGE_BUDGET	((64UL << 10) >> PAGE_SHIFT)

static void free_storage(struct ringbuf *rb)
{
	unsigned long i, n = rb->config.size >> PAGE_SHIFT;

	vunmap(rb->core.data);
	for (i = 0; rb->pages && i < RINGBUF_DATA_PAGE + n && rb->pages[i]; i++) {
		__free_page(rb->pages[i]);
		if (i % PAGE_BUDGET == 0)
			cond_resched();
	}
	kvfree(rb->pages);
}

/*
 * The data area's pages stand in @pages twice, one row after the other, for the
 * double mapping.
 */
static int alloc_storage(struct ringbuf *rb)
{
	/* Rather fail than have the OOM killer make room for a large ring. */
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_RETRY_MAYFAIL |
			  __GFP_NOWARN;
	const struct ringbuf_mark start = {};
	unsigned long i, n = rb->config.size >> PAGE_SHIFT;
	struct ringbuf_page *page;
	void *data;

	rb->pages = kvcalloc(ringbuf_map_pages(rb), sizeof(*rb->pages), gfp);
	if (!rb->pages)
		return -ENOMEM;
	for (i = 0; i < RINGBUF_DATA_PAGE + n; i++) {
		rb->pages[i] = alloc_page(gfp | __GFP_ZERO);
		if (!rb->pages[i])
			return -ENOMEM;
		if (i >= RINGBUF_DATA_PAGE)
			rb->pages[n + i] = rb->pages[i];
		if (i % PAGE_BUDGET)
			continue;
		cond_resched();
		/* A caller that is killed is not to finish a ring of a GiB first. */
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	data = vmap(rb->pages + RINGBUF_DATA_PAGE, 2 * n, VM_MAP, PAGE_KERNEL);
	if (!data)
		return -ENOMEM;

	page = page_address(rb->pages[0]);
	ringbuf_core_init(&rb->core, page,
			  page_address(rb->pages[RINGBUF_HEAD_PAGE]), data,
			  rb->config.size, &start);
	page->head_offset = RINGBUF_HEAD_PAGE * PAGE_SIZE;
	page->data_offset = RINGBUF_DATA_PAGE * PAGE_SIZE;
	generate_random_uuid(page->id);
	if (rb->config.clock != RINGBUF_CLOCK_OFF)
		page->flags |= RINGBUF_RING_TIMESTAMPS;
	if (rb->config.reliable)
		page->flags |= RINGBUF_RING_RELIABLE;
	rb->core.reliable = rb->config.reliable;
	return 0;
}

/**
 * ringbuf_ring_alloc() - Make a ring that nobody knows yet
 * @config: checked by the caller
 *
 * Its memory is accounted to who asks for it.
 *
 * Context: task; may sleep.
 *
 * Return: the ring, with one reference; ERR_PTR(-ENOMEM), ERR_PTR(-EINTR) when the
 * caller is killed.
 */
struct ringbuf *ringbuf_ring_alloc(const struct ringbuf_config *config)
{
	struct ringbuf *rb;
	int ret;

	rb = kzalloc(sizeof(*rb), GFP_KERNEL_ACCOUNT);
	if (!rb)
		return ERR_PTR(-ENOMEM);
	strscpy(rb->name, config->name, sizeof(rb->name));
	rb->config = *config;
	rb->config.name = rb->name;
	if (!rb->config.max_consumers_per_user)
		rb->config.max_consumers_per_user = RINGBUF_DEFAULT_PER_USER;
	/* The memory of an entry is accounted to the opener of the ring. */
	xa_init_flags(&rb->users, XA_FLAGS_ACCOUNT);
	kref_init(&rb->ref);
	ringbuf_wake_init(rb);
	ringbuf_ring_init_room(rb);
	mutex_init(&rb->write_lock);
	ret = alloc_storage(rb);
	if (ret) {
		ringbuf_ring_put(rb);
		return ERR_PTR(ret);
	}
	return rb;
}

static void free_ring(struct kref *ref)
{
	struct ringbuf *rb = container_of(ref, struct ringbuf, ref);

	ringbuf_wake_exit(rb);
	ringbuf_ring_exit_room(rb);
	mutex_destroy(&rb->write_lock);
	xa_destroy(&rb->users);
	free_storage(rb);
	kfree(rb);
}

/**
 * ringbuf_ring_put() - Give a reference back
 * @rb: the ring; the last reference frees it
 *
 * The registry has one, each open file, and a kernel producer.
 *
 * Context: task; may sleep.
 */
void ringbuf_ring_put(struct ringbuf *rb)
{
	kref_put(&rb->ref, free_ring);
}

/**
 * ringbuf_ring_kill() - End a ring: it takes no more records
 * @rb: the ring, which nobody can open any more
 *
 * What is retained can be read. Whoever sleeps or polls wakes. A write() publishes
 * before anyone can see that the ring is dead, or not at all, however long it takes
 * to get at its data; it looks for the end and publishes under RCU. A record that
 * a kernel producer has in hand may still appear.
 *
 * Context: task; may sleep.
 */
void ringbuf_ring_kill(struct ringbuf *rb)
{
	struct ringbuf_page *page = rb->core.page;

	/* Fails each reserve from now on, and costs the others nothing. */
	WRITE_ONCE(rb->core.max_record, 0);
	/* Who has not seen it has published. */
	synchronize_rcu_expedited();
	/* Pairs with the acquire in ringbuf_ring_dead(). */
	smp_store_release(&page->flags, page->flags | RINGBUF_RING_DEAD);
	/* Whoever is not on its queue yet looks after it has been. */
	ringbuf_ring_wake(rb);
	wake_up_all(&rb->room);
	/* For which everybody asks; there is no room. */
	ringbuf_wake_polls(&rb->writers, EPOLLHUP | EPOLLERR);
}

/**
 * ringbuf_ring_claim() - Take the producer slot
 * @rb: the ring
 * @producer: who takes it
 *
 * What the last producer did to the ring happened before.
 *
 * Context: any.
 *
 * Return: 0 or -EBUSY.
 */
int ringbuf_ring_claim(struct ringbuf *rb, void *producer)
{
	return cmpxchg(&rb->producer, NULL, producer) ? -EBUSY : 0;
}

/**
 * ringbuf_ring_release() - Give the producer slot back
 * @rb: the ring
 *
 * An open reservation is dropped, what was committed is published, and those
 * who wait for the end of the stream wake.
 *
 * Context: task; the producer.
 */
void ringbuf_ring_release(struct ringbuf *rb)
{
	ringbuf_core_discard(&rb->core);
	if (ringbuf_core_unpublished(&rb->core))
		ringbuf_ring_publish(rb);
	WRITE_ONCE(rb->polled, false);
	ringbuf_core_stop_waiting(&rb->core);
	/* For the next ringbuf_ring_claim(), and for readers at the end. */
	smp_store_release(&rb->producer, NULL);
	ringbuf_ring_wake(rb);
}

static __always_inline void publish(struct ringbuf *rb)
{
	ringbuf_core_publish(&rb->core);
	/* Else its arguments are fetched for nothing. */
	if (trace_ringbuf_publish_enabled())
		trace_ringbuf_publish(rb->name, rb->core.head,
				      rb->core.head_seq);
}

/**
 * ringbuf_ring_publish() - Let consumers see all committed records, wake nobody
 * @rb: the ring
 *
 * Context: any; the producer.
 */
void ringbuf_ring_publish(struct ringbuf *rb)
{
	publish(rb);
}

/* For a kernel producer, after publishing. */
static __always_inline void wake_later(struct ringbuf *rb)
{
	if (unlikely(rb->unheard))
		rb->unheard = false;
	/* LMM(wake:A) pairs with LMM(listen:B) and LMM(scan_work:A). */
	smp_mb();
	if (!list_empty(&rb->hooks))
		ringbuf_wake_later(rb);
}

/* Not in the plain case: room is to be made, or the record is dropped. */
static noinline void *reserve_room(struct ringbuf *rb, u32 len, u16 type)
{
	void *payload = ringbuf_core_reserve_room(&rb->core, len, type);
	u64 need;

	if (payload || !len || len > READ_ONCE(rb->core.max_record) ||
	    ringbuf_core_open(&rb->core))
		return payload;
	need = ringbuf_core_need(&rb->core, rb->core.head,
				 ringbuf_frame_size(len));
	ringbuf_core_refuse(&rb->core);
	ringbuf_core_drop(&rb->core);
	ringbuf_ring_refused_anywhere(rb, need);
	/* Whoever holds may sleep, and know nothing of what was deferred. */
	if (rb->unheard)
		ringbuf_flush(rb);
	return NULL;
}

/**
 * ringbuf_reserve() - Open the next record
 * @rb: the ring
 * @len: payload bytes, 1 to max_record
 * @type: the record's type
 *
 * The record is written in place, and is closed by ringbuf_commit() or
 * ringbuf_discard(). Lock-free; allocates nothing.
 *
 * Context: any, NMI included; the producer, which is not in another of these
 * calls on the same ring.
 *
 * Return: where to write @len bytes, aligned to 8; NULL when @len is out of
 * range, the last reservation is still open, the ring has been destroyed, or a
 * reliable consumer holds the space: that counts as dropped and uses a seq.
 */
void *ringbuf_reserve(struct ringbuf *rb, u32 len, u16 type)
{
	void *payload = ringbuf_core_reserve_plain(&rb->core, len, type);

	return likely(payload) ? payload : reserve_room(rb, len, type);
}
EXPORT_SYMBOL_NS_GPL(ringbuf_reserve, RINGBUF_NAMESPACE);

/**
 * ringbuf_flush() - Publish what was deferred, and wake who waits
 * @rb: the ring
 *
 * The waking itself is left to an irq_work.
 *
 * Context: any, NMI included; the producer.
 */
void ringbuf_flush(struct ringbuf *rb)
{
	if (ringbuf_core_unpublished(&rb->core))
		publish(rb);
	wake_later(rb);
}
EXPORT_SYMBOL_NS_GPL(ringbuf_flush, RINGBUF_NAMESPACE);

#define COMMIT_FLAGS	(RINGBUF_COMMIT_NOWAKE | RINGBUF_COMMIT_DEFER)

/**
 * ringbuf_commit() - Close the open reservation as a record
 * @rb: the ring
 * @flags: 0 to publish the record and wake consumers that wait,
 *	RINGBUF_COMMIT_NOWAKE to publish only, RINGBUF_COMMIT_DEFER to do
 *	neither; a burst defers all but its last, or ends with ringbuf_flush()
 *
 * A consumer that reads the record sees all that the producer wrote before.
 *
 * Context: any, NMI included; the producer.
 *
 * Return: 0; -EINVAL for unknown @flags, and the reservation stays open; -ENOENT
 * when no reservation is open: that is a bug of the producer, and the first time
 * the kernel warns of it (WARN_ON_ONCE()).
 */
int ringbuf_commit(struct ringbuf *rb, unsigned int flags)
{
	if (unlikely(flags & ~COMMIT_FLAGS))
		return -EINVAL;
	if (WARN_ON_ONCE(!ringbuf_core_open(&rb->core)))
		return -ENOENT;
	ringbuf_ring_commit(rb);
	if (flags & RINGBUF_COMMIT_DEFER) {
		rb->unheard = true;
		return 0;
	}
	publish(rb);
	if (flags)
		rb->unheard = true;
	else
		wake_later(rb);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(ringbuf_commit, RINGBUF_NAMESPACE);

/**
 * ringbuf_commit_len() - Close the open reservation as a shorter record
 * @rb: the ring
 * @len: payload bytes of the record, from 1 to what was reserved
 * @flags: as for ringbuf_commit()
 *
 * The record is the first @len bytes. The rest of the reservation is zeroed, and
 * the next record begins where this one ends.
 *
 * Context: any, NMI included; the producer.
 *
 * Return: as ringbuf_commit(), with the same warning; -EINVAL for a bad @len, too.
 * After -EINVAL the reservation is still open: commit or discard it.
 */
int ringbuf_commit_len(struct ringbuf *rb, u32 len, unsigned int flags)
{
	int ret;

	if (unlikely(flags & ~COMMIT_FLAGS))
		return -EINVAL;
	if (WARN_ON_ONCE(!ringbuf_core_open(&rb->core)))
		return -ENOENT;
	ret = ringbuf_core_trim(&rb->core, len);
	return ret ?: ringbuf_commit(rb, flags);
}
EXPORT_SYMBOL_NS_GPL(ringbuf_commit_len, RINGBUF_NAMESPACE);

/**
 * ringbuf_discard() - Drop the open reservation
 * @rb: the ring
 *
 * No record, and no seq used. Records that the reservation overwrote are gone, and
 * consumers that had not read them are woken. What was reserved is zeroed, so the
 * cost is that of its size.
 *
 * Context: any, NMI included; the producer.
 */
void ringbuf_discard(struct ringbuf *rb)
{
	ringbuf_core_discard(&rb->core);
	/* LMM(wake:A) pairs with LMM(listen:B): as a publish, here the tail. */
	smp_mb();
	if (!list_empty(&rb->hooks))
		ringbuf_wake_later(rb);
}
EXPORT_SYMBOL_NS_GPL(ringbuf_discard, RINGBUF_NAMESPACE);

/**
 * ringbuf_write() - Publish a record and wake who waits
 * @rb: the ring
 * @data: payload
 * @len: payload bytes, 1 to max_record
 * @type: the record's type
 *
 * Context: any, NMI included; the producer.
 *
 * Return: 0; -EINVAL when @len is 0, -EMSGSIZE when it is above max_record,
 * -ENODEV when the ring has been destroyed, -EBUSY when a reservation is open,
 * -ENOBUFS when a reliable consumer holds the space: the record has been dropped
 * and has used a seq.
 */
int ringbuf_write(struct ringbuf *rb, const void *data, u32 len, u16 type)
{
	void *payload;

	payload = ringbuf_core_reserve_plain(&rb->core, len, type);
	if (unlikely(!payload)) {
		if (!len)
			return -EINVAL;
		if (len > READ_ONCE(rb->core.max_record))
			return ringbuf_ring_refuses(rb, -EMSGSIZE);
		if (ringbuf_core_open(&rb->core))
			return -EBUSY;
		payload = reserve_room(rb, len, type);
	}
	if (unlikely(!payload))
		return ringbuf_ring_refuses(rb, -ENOBUFS);
	memcpy(payload, data, len);
	ringbuf_ring_commit(rb);
	publish(rb);
	wake_later(rb);
	return 0;
}
EXPORT_SYMBOL_NS_GPL(ringbuf_write, RINGBUF_NAMESPACE);
