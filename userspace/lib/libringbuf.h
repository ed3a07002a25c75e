/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR MIT */
/*
 * libringbuf: consumers and writers of /dev/ringbuf, and rings like it.
 *
 *	struct ringbuf_reader *r;
 *	struct ringbuf_entry e;
 *	int ret = ringbuf_reader_open(&r, NULL, 0);
 *
 *	while (!ret && (ret = ringbuf_wait(r, -1)) > 0) {
 *		ringbuf_for_each(r, &e)
 *			handle(e.data, e.len);
 *		ret = 0;
 *	}
 *
 * Functions return 0 or a count, and a negative errno when they fail; errno
 * itself then says nothing. After an open nothing allocates memory.
 *
 * A handle is used by one thread at a time; different handles need nothing of
 * each other, even those of one ring. A reader has its open file description to
 * itself: who shares one, say after fork(), uses it in one process only.
 */
#ifndef LIBRINGBUF_H
#define LIBRINGBUF_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/ringbuf.h>

/*
 * A reader in place loads 64-bit positions, which another CPU changes meanwhile. A
 * 32-bit CPU that cannot load 64 bits in one piece would see halves of two positions.
 */
#if __SIZEOF_POINTER__ < 8 && !defined(__GCC_HAVE_SYNC_COMPARE_AND_SWAP_8)
#error "libringbuf wants 64-bit atomic loads: i586 or later, ARMv7-A or later"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct ringbuf_entry - A record as a reader sees it
 * @data: payload
 * @len: its bytes
 * @type: the producer's own
 * @flags: 0
 * @seq: sequence number
 * @time_ns: the ring's clock (struct ringbuf_info::clockid) when it was published,
 *	in ns, or 0 if the ring has no clock
 * @lost: records lost between the reader's last one and this one
 * @lost_bytes: bytes of their frames
 */
struct ringbuf_entry {
	const void *data;
	uint32_t len;
	uint16_t type;
	uint16_t flags;
	uint64_t seq;
	uint64_t time_ns;
	uint64_t lost;
	uint64_t lost_bytes;
};

/* The ring's words are aligned for atomic loads, even where a u64 need not be. */
typedef __u64 ringbuf_word_ __attribute__((__aligned__(RINGBUF_ALIGN)));

static inline uint64_t ringbuf_load_(const void *word)
{
	return __atomic_load_n((const ringbuf_word_ *)word, __ATOMIC_RELAXED);
}

/*
 * The same value, which the compiler does not know. Where the next record is
 * depends on this one's length, and a CPU cannot look there before that has come
 * from memory; unless it is only compared with a guess, which is nearly always
 * right, and the compiler does not see that the two are equal then.
 */
static inline uint64_t ringbuf_hidden_(uint64_t value)
{
	__asm__("" : "+r"(value));
	return value;
}

/*
 * What the inline functions below know of a reader: private to them. Handles
 * come from ringbuf_reader_open(), so what follows in the library may grow.
 */
struct ringbuf_reader {
	const ringbuf_word_ *tail; /* records before it may be overwritten */
	uintptr_t base;		/* where position 0 would be */
	uint64_t mask;
	uint64_t at;		/* position of the next record */
	uint64_t seq;		/* its sequence number */
	uint64_t end;		/* look no further without ringbuf_find_() */
	uint64_t frame;		/* bytes of the frame that is shown, or 0 */
	uint64_t gap;		/* records lost right before it */
	uint64_t gap_bytes;
	uint64_t guess;		/* @frame of the last one that was not as guessed */
	const ringbuf_word_ *head; /* @end may be loaded from there, or NULL, */
	uint64_t due;		/* if it is not beyond this */
};

/* Flags of ringbuf_reader_open() */
#define RINGBUF_READER_EOF	(1U << 0) /* without a writer, end when all is read */
#define RINGBUF_READER_NO_MMAP	(1U << 1) /* by read(), even where mmap() works */
#define RINGBUF_READER_RELIABLE	(1U << 2) /* the writer waits, it loses nothing */

/* struct ringbuf_config::flags */
#define RINGBUF_CONFIG_RELIABLE		(1U << 0) /* readers may be reliable */

/* struct ringbuf_config::clock, as in the kernel's API */
enum ringbuf_clock {
	RINGBUF_CLOCK_BOOTTIME,	/* goes on while the machine is suspended */
	RINGBUF_CLOCK_MONOTONIC,
	RINGBUF_CLOCK_REALTIME,	/* jumps when somebody sets the time */
	RINGBUF_CLOCK_TAI,
	RINGBUF_CLOCK_OFF,	/* records carry no time */
};

/**
 * struct ringbuf_config - What a new ring is to be
 * @struct_size: sizeof(struct ringbuf_config)
 * @flags: RINGBUF_CONFIG_*
 * @size: bytes, a power of two from the page size to 1 GiB; 0: 1 MiB
 * @stall_ms: wait for a reliable reader so long at most; 0: for ever
 * @mode: permissions of its node; 0: 0600
 * @max_consumers: readers at a time; 0: no limit
 * @clock: gives records their time, enum ringbuf_clock
 * @max_consumers_per_user: readers at a time of each user; 0: 1,024
 * @reserved: 0
 */
struct ringbuf_config {
	uint32_t struct_size;
	uint32_t flags;
	uint64_t size;
	uint32_t stall_ms;
	uint32_t mode;
	uint32_t max_consumers;
	uint32_t clock;
	uint32_t max_consumers_per_user;
	uint32_t reserved;
};

/* Rings */
int ringbuf_create(const char *name, const struct ringbuf_config *config);
int ringbuf_destroy(const char *name);

/* Readers */
int ringbuf_reader_open(struct ringbuf_reader **reader, const char *name,
			unsigned int flags);
int ringbuf_reader_fdopen(struct ringbuf_reader **reader, int fd,
			  unsigned int flags);
void ringbuf_reader_close(struct ringbuf_reader *reader);
int ringbuf_reader_fd(const struct ringbuf_reader *reader);
bool ringbuf_reader_mapped(const struct ringbuf_reader *reader);
int ringbuf_reader_info(const struct ringbuf_reader *reader,
			struct ringbuf_info *info);
int ringbuf_reader_stats(const struct ringbuf_reader *reader,
			 struct ringbuf_stats *stats);
int ringbuf_reader_set_reliable(struct ringbuf_reader *reader, bool reliable);
int ringbuf_reader_set_wake(struct ringbuf_reader *reader, uint32_t bytes,
			    uint32_t records, uint64_t ns);
int64_t ringbuf_reader_seek(struct ringbuf_reader *reader, int64_t offset,
			    int whence);
int ringbuf_arm(struct ringbuf_reader *reader);
int ringbuf_wait(struct ringbuf_reader *reader, int timeout_ms);
int ringbuf_read(struct ringbuf_reader *reader, struct ringbuf_entry *entry);

/* Writers */
struct ringbuf_publisher;

int ringbuf_publisher_open(struct ringbuf_publisher **publisher,
			   const char *name, unsigned int flags);
int ringbuf_publisher_fdopen(struct ringbuf_publisher **publisher, int fd,
			     unsigned int flags);
int ringbuf_publisher_close(struct ringbuf_publisher *publisher);
int ringbuf_publisher_fd(const struct ringbuf_publisher *publisher);
int ringbuf_publisher_info(const struct ringbuf_publisher *publisher,
			   struct ringbuf_info *info);
int ringbuf_publish(struct ringbuf_publisher *publisher, uint16_t type,
		    const void *data, size_t len);
int ringbuf_put(struct ringbuf_publisher *publisher, uint16_t type,
		const void *data, size_t len);
int ringbuf_flush(struct ringbuf_publisher *publisher);

/*
 * For the inline functions: find a record (1, 0 or a negative errno), and count
 * the gap before it as lost.
 */
int ringbuf_find_(struct ringbuf_reader *reader);
void ringbuf_lose_(struct ringbuf_reader *reader);

/**
 * ringbuf_intact() - Is what ringbuf_next() showed still what it was?
 * @r: the reader
 *
 * To be asked after looking at an entry in place, and before acting on it.
 *
 * Return: false when the record has been overwritten meanwhile: whatever was
 * made of it is void.
 */
static inline bool ringbuf_intact(const struct ringbuf_reader *r)
{
	/* What was read before was read before the tail is. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return (int64_t)(r->at - ringbuf_load_(r->tail)) >= 0;
}

/*
 * At the end of what was known: how much is there now, or 0, which says nothing.
 * A head that makes no sense is none of ours.
 */
static inline uint64_t ringbuf_more_(struct ringbuf_reader *r)
{
	uint64_t end = __atomic_load_n(r->head, __ATOMIC_ACQUIRE);
	uint64_t left = end - r->at;

	if (left - 1 >= r->mask / 4 || (int64_t)(r->due - end) < 0)
		return 0;
	r->end = end;
	return left;
}

/**
 * ringbuf_next() - The next record in place, without a copy
 * @r: the reader
 * @e: the record; all but what @e->data points to is a copy, and good
 *
 * The same record again until ringbuf_release(). A writer that goes around the
 * ring may overwrite the payload at any time: use it, ask ringbuf_intact(), and
 * only then act on it. While there are records there is one system call for each
 * quarter of the ring, to tell the kernel how far this reader is; of one that is
 * reliable more, so that the writer waits for what it has not released only.
 *
 * Return: 1, 0 when there is no record now, -ENODEV when the ring has been
 * destroyed and all is read, -EBADMSG when this is no ring, or what read() fails
 * with where the ring is not mapped: -ENODATA at the end of the stream.
 */
static inline int ringbuf_next(struct ringbuf_reader *r,
			       struct ringbuf_entry *e)
{
	for (;;) {
		const struct ringbuf_record *rec;
		uint64_t left = r->end - r->at;
		uint64_t frame, guess;
		int ret;

		if (!left && r->head)
			left = ringbuf_more_(r);
		if (left) {
			rec = (const struct ringbuf_record *)(uintptr_t)
				(r->base + (r->at & r->mask));
			e->len = __atomic_load_n(&rec->len, __ATOMIC_RELAXED);
			e->type = __atomic_load_n(&rec->type, __ATOMIC_RELAXED);
			e->seq = ringbuf_load_(&rec->seq);
			e->time_ns = ringbuf_load_(&rec->time_ns);
			/* RINGBUF_FRAME_SIZE(), and too much for no payload. */
			frame = ((uint64_t)(uint32_t)(e->len - 1) |
				 (RINGBUF_ALIGN - 1)) + 1 + sizeof(*rec);
			guess = r->guess;
			if (frame != ringbuf_hidden_(guess)) {
				guess = ringbuf_hidden_(frame);
				r->guess = guess;
			}
			if (e->seq == r->seq && frame <= left &&
			    ringbuf_intact(r)) {
				r->frame = guess;
				e->data = rec + 1;
				e->flags = 0;
				e->lost = r->gap;
				e->lost_bytes = r->gap_bytes;
				return 1;
			}
		}
		r->frame = 0;
		ret = ringbuf_find_(r);
		if (ret <= 0)
			return ret;
	}
}

/**
 * ringbuf_release() - Be done with the record that ringbuf_next() showed
 * @r: the reader
 *
 * Return: false as ringbuf_intact(); the record then counts as lost, and the
 * next one says so. False, too, when there is none to be done with.
 */
static inline bool ringbuf_release(struct ringbuf_reader *r)
{
	uint64_t frame = r->frame;

	r->frame = 0;
	if (!frame || !ringbuf_intact(r))
		return false;
	if (r->gap)
		ringbuf_lose_(r);
	r->at += frame;
	r->seq++;
	return true;
}

/**
 * ringbuf_for_each() - All records there are now
 * @r: the reader
 * @e: pointer to a struct ringbuf_entry
 *
 * Each is a copy, checked, and stays until the next round: nothing to forget.
 * Ends when there is no record, or with an error, which ringbuf_wait() tells.
 */
#define ringbuf_for_each(r, e)	while (ringbuf_read(r, e) > 0)

/*
 * In C a pointer to another type would only be a warning before GCC 14; to a
 * union of one pointer it is an error.
 */
#ifdef __cplusplus
#define RINGBUF_TYPED_ARG_(name, type)	typedef const type *name##_arg_;
#define RINGBUF_TYPED_PTR_(arg)		(arg)
#else
#define RINGBUF_TYPED_ARG_(name, type)					\
	typedef union {							\
		const type *ptr;					\
	} name##_arg_ __attribute__((__transparent_union__));
#define RINGBUF_TYPED_PTR_(arg)		((arg).ptr)
#endif

/**
 * DEFINE_RINGBUF_TYPED_ID() - Records that are structures of one type
 * @name: what the functions begin with
 * @type: of the payload, such as struct event
 * @id: the records' type number
 *
 * Defines, and checks when it is compiled that pointers are to @type:
 *
 * * ``int name_write(struct ringbuf_publisher *, const type *)``: as
 *   ringbuf_publish()
 * * ``int name_put(struct ringbuf_publisher *, const type *)``: as ringbuf_put()
 * * ``int name_next(struct ringbuf_reader *, type *)``: the next record, copied
 *   and checked. As ringbuf_read(); -EPROTO for a record of another type or size,
 *   which is passed over.
 */
#define DEFINE_RINGBUF_TYPED_ID(name, type, id)				\
	RINGBUF_TYPED_ARG_(name, type)					\
	static inline __attribute__((__unused__)) int			\
	name##_write(struct ringbuf_publisher *p, name##_arg_ arg)	\
	{								\
		return ringbuf_publish(p, (id), RINGBUF_TYPED_PTR_(arg), \
				       sizeof(type));			\
	}								\
	static inline __attribute__((__unused__)) int			\
	name##_put(struct ringbuf_publisher *p, name##_arg_ arg)	\
	{								\
		return ringbuf_put(p, (id), RINGBUF_TYPED_PTR_(arg),	\
				   sizeof(type));			\
	}								\
	RINGBUF_TYPED_OUT_(name, type)					\
	static inline __attribute__((__unused__)) int			\
	name##_next(struct ringbuf_reader *r, name##_out_ arg)		\
	{								\
		return ringbuf_next_typed_(r, (id),			\
					   RINGBUF_TYPED_PTR_(arg),	\
					   sizeof(type));		\
	}								\
	struct name##_needs_a_semicolon_

#ifdef __cplusplus
#define RINGBUF_TYPED_OUT_(name, type)	typedef type *name##_out_;
#else
#define RINGBUF_TYPED_OUT_(name, type)					\
	typedef union {							\
		type *ptr;						\
	} name##_out_ __attribute__((__transparent_union__));
#endif

/**
 * DEFINE_RINGBUF_TYPED() - Records that are structures of one type
 * @name: what the functions begin with
 * @type: of the payload, such as struct event
 *
 * As DEFINE_RINGBUF_TYPED_ID() with the type number 0, that of a plain write().
 */
#define DEFINE_RINGBUF_TYPED(name, type) \
	DEFINE_RINGBUF_TYPED_ID(name, type, 0)

/* For the typed wrappers. */
static inline int ringbuf_next_typed_(struct ringbuf_reader *r, uint16_t type,
				      void *to, uint32_t size)
{
	struct ringbuf_entry e;
	int ret;

	do {
		ret = ringbuf_next(r, &e);
		if (ret <= 0)
			return ret;
		if (e.type == type && e.len == size)
			__builtin_memcpy(to, e.data, size);
		else
			ret = -EPROTO;
	} while (!ringbuf_release(r));
	return ret;
}

#ifdef __cplusplus
}
#endif

#endif /* LIBRINGBUF_H */
