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
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/overflow.h>
#include <linux/types.h>
#include <uapi/linux/ringbuf.h>

struct ringbuf;

/* ringbuf_commit() flags: what to leave out. */
#define RINGBUF_COMMIT_NOWAKE	BIT(0) /* publish, wake nobody */
#define RINGBUF_COMMIT_DEFER	BIT(1) /* neither publish nor wake */

/* struct ringbuf_config::flags */
#define RINGBUF_CONFIG_PRODUCER	BIT(0) /* the caller holds the producer slot */

/**
 * enum ringbuf_clock - The clock that gives records their time
 * @RINGBUF_CLOCK_BOOTTIME: CLOCK_BOOTTIME; goes on while the machine is suspended
 * @RINGBUF_CLOCK_MONOTONIC: CLOCK_MONOTONIC
 * @RINGBUF_CLOCK_REALTIME: CLOCK_REALTIME; jumps when somebody sets the time
 * @RINGBUF_CLOCK_TAI: CLOCK_TAI
 * @RINGBUF_CLOCK_OFF: none: records carry the time 0
 */
enum ringbuf_clock {
	RINGBUF_CLOCK_BOOTTIME,
	RINGBUF_CLOCK_MONOTONIC,
	RINGBUF_CLOCK_REALTIME,
	RINGBUF_CLOCK_TAI,
	RINGBUF_CLOCK_OFF,
};

/**
 * struct ringbuf_config - What a ring is made with
 * @name: of the ring, whose node is /dev/ringbuf-NAME: 1 to 31 letters, digits,
 *	'_', '-' and '.', the last two not first
 * @size: bytes of the data area, a power of two, PAGE_SIZE to 1 GiB
 * @mode: permission bits of the node, 0: nobody's but root's
 * @max_consumers: open consumers at a time, 0: no limit
 * @max_consumers_per_user: the same of each user, 0: 1,024; INT_MAX: no limit.
 *	Does not apply to a process with CAP_SYS_RESOURCE.
 * @clock: records carry the time of their commit by this clock
 * @reliable: consumers may be reliable
 * @stall_ms: how long one may hold the writer, in ms; 0: for ever
 * @flags: RINGBUF_CONFIG_*
 *
 * Zeroed members are the defaults, but for @name and @size.
 */
struct ringbuf_config {
	const char *name;
	unsigned long size;
	umode_t mode;
	unsigned int max_consumers;
	unsigned int max_consumers_per_user;
	enum ringbuf_clock clock;
	bool reliable;
	unsigned int stall_ms;
	unsigned int flags;
};

struct ringbuf * __must_check ringbuf_create(const struct ringbuf_config *config);
void ringbuf_destroy(struct ringbuf *rb);

struct ringbuf * __must_check ringbuf_producer_get(const char *name);
void ringbuf_producer_put(struct ringbuf *rb);

void * __must_check ringbuf_reserve(struct ringbuf *rb, u32 len, u16 type);
int ringbuf_commit(struct ringbuf *rb, unsigned int flags);
int __must_check ringbuf_commit_len(struct ringbuf *rb, u32 len, unsigned int flags);
void ringbuf_discard(struct ringbuf *rb);
int ringbuf_write(struct ringbuf *rb, const void *data, u32 len, u16 type);
void ringbuf_flush(struct ringbuf *rb);

/**
 * DEFINE_RINGBUF_TYPED_ID() - Records that are structures of one type
 * @name: what the functions begin with
 * @type: of the payload, such as struct event; a flexible array may end it
 * @id: the records' type number
 *
 * Defines, and checks when it is compiled that pointers are to @type, and that a
 * record is aligned well enough for it:
 *
 * * ``type *name_reserve(struct ringbuf *rb)``: as ringbuf_reserve()
 * * ``type *name_reserve_tail(struct ringbuf *rb, u32 tail)``: the same with @tail
 *   bytes more, for the flexible array
 * * ``int name_write(struct ringbuf *rb, const type *record)``: as ringbuf_write();
 *   readers see all of @record, holes between its members included, and no
 *   flexible array
 *
 * ringbuf_commit() and ringbuf_discard() close what was reserved. What userspace's
 * macro of the same name reads. After kfifo's DEFINE_KFIFO().
 */
#define DEFINE_RINGBUF_TYPED_ID(name, type, id)				\
	enum { name##_type_id = (id) };					\
	static_assert(sizeof(type) > 0);				\
	static_assert(__alignof__(type) <= RINGBUF_ALIGN);		\
	static_assert(name##_type_id >= 0 && name##_type_id <= U16_MAX); \
									\
	static inline __maybe_unused type *				\
	name##_reserve_tail(struct ringbuf *rb, u32 tail)		\
	{								\
		u32 size = sizeof(type);				\
									\
		if (check_add_overflow(size, tail, &size))		\
			return NULL;					\
		return ringbuf_reserve(rb, size, name##_type_id);	\
	}								\
									\
	static inline __maybe_unused type *				\
	name##_reserve(struct ringbuf *rb)				\
	{								\
		return name##_reserve_tail(rb, 0);			\
	}								\
									\
	static inline __maybe_unused int				\
	name##_write(struct ringbuf *rb, const typeof(type) *record)	\
	{								\
		return ringbuf_write(rb, record, sizeof(*record),	\
				     name##_type_id);			\
	}								\
	struct name##_needs_a_semicolon

/**
 * DEFINE_RINGBUF_TYPED() - Records that are structures of one type
 * @name: what the functions begin with
 * @type: of the payload, such as struct event
 *
 * As DEFINE_RINGBUF_TYPED_ID() with the type number 0, that of a plain write().
 */
#define DEFINE_RINGBUF_TYPED(name, type) \
	DEFINE_RINGBUF_TYPED_ID(name, type, 0)

#endif /* _RINGBUF_H */
