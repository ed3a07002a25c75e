/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Publishing records into a ringbuf from the kernel.
 *
 * One producer per ring: whoever holds the slot makes one call at a time, and
 * orders its calls itself when they come from several CPUs or contexts (a
 * raw spinlock taken with interrupts off will do).
 *
 * A module that uses this says MODULE_IMPORT_NS(RINGBUF) (with the name quoted
 * from Linux 6.13 on).
 */
#ifndef _RINGBUF_H
#define _RINGBUF_H

#include <linux/bits.h>
#include <linux/types.h>
#include <uapi/linux/ringbuf.h>

struct ringbuf;

/* ringbuf_commit() flags: what to leave out. */
#define RINGBUF_COMMIT_NOWAKE	BIT(0) /* publish, wake nobody */
#define RINGBUF_COMMIT_DEFER	BIT(1) /* neither publish nor wake */

/**
 * struct ringbuf_config - What a ring is made with
 * @name: of the ring, whose node is /dev/ringbuf-NAME: 1 to 31 letters, digits,
 *	'_', '-' and '.', the last two not first
 * @size: bytes of the data area, a power of two, PAGE_SIZE to 1 GiB
 * @mode: permission bits of the node, 0: nobody's but root's
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

struct ringbuf *ringbuf_create(const struct ringbuf_config *config);
void ringbuf_destroy(struct ringbuf *rb);

struct ringbuf *ringbuf_producer_get(const char *name);
void ringbuf_producer_put(struct ringbuf *rb);

void *ringbuf_reserve(struct ringbuf *rb, u32 len, u16 type);
void ringbuf_commit(struct ringbuf *rb, unsigned int flags);
void ringbuf_discard(struct ringbuf *rb);
int ringbuf_write(struct ringbuf *rb, const void *data, u32 len, u16 type);
void ringbuf_flush(struct ringbuf *rb);

#endif /* _RINGBUF_H */
