/* SPDX-License-Identifier: GPL-2.0 */
/* Between the ring and user memory. */
#ifndef _RINGBUF_COPY_H
#define _RINGBUF_COPY_H

#include <linux/mm.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include "ring.h"

/*
 * Bytes of frames that are copied to or from user memory at once, about: enough
 * to make the fixed cost of a copy small, few enough to be done before a fast
 * producer has gone around the ring.
 */
#define RINGBUF_COPY_CHUNK	(64UL << 10)

/* Bytes up to which a record is copied word by word, in line. */
#define RINGBUF_COPY_SMALL	256

/* That is for a plain buffer, wherever it begins. */
static __always_inline bool ringbuf_copy_is_small(const struct iov_iter *iter,
						  size_t len)
{
	return IS_ENABLED(CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS) &&
	       len <= RINGBUF_COPY_SMALL && iter_is_ubuf(iter);
}

static __always_inline void ringbuf_copied_small(struct iov_iter *iter,
						 size_t len)
{
	iter->iov_offset += len;
	iter->count -= len;
}

/* At an offset; a record in the ring is aligned to words. */
#define RINGBUF_PUT(type, offset) do {					\
	size_t at_ = (offset);						\
									\
	unsafe_put_user(READ_ONCE(*(const type *)(from + at_)),		\
			(type __user *)(user + at_), fault);		\
} while (0)

#define RINGBUF_GET(type, offset) do {					\
	size_t at_ = (offset);						\
	type value_;							\
									\
	unsafe_get_user(value_, (const type __user *)(user + at_), fault); \
	WRITE_ONCE(*(type *)(to + at_), value_);			\
} while (0)

/*
 * When user memory faults @to stays where it was, and it is for the general way to
 * find out how far it gets.
 */
static __always_inline bool ringbuf_copy_small_out(const u8 *from, size_t len,
						   struct iov_iter *to)
{
	u8 __user *user = to->ubuf + to->iov_offset;
	const u8 *end = from + len;

	if (!user_write_access_begin(user, len))
		return false;
	for (; end - from >= 32; from += 32, user += 32) {
		RINGBUF_PUT(u64, 0);
		RINGBUF_PUT(u64, 8);
		RINGBUF_PUT(u64, 16);
		RINGBUF_PUT(u64, 24);
	}
	for (; end - from >= 8; from += 8, user += 8)
		RINGBUF_PUT(u64, 0);
	for (; from < end; from++, user++)
		RINGBUF_PUT(u8, 0);
	user_write_access_end();
	ringbuf_copied_small(to, len);
	return true;

fault:
	user_write_access_end();
	return false;
}

/* The other way. */
static __always_inline bool ringbuf_copy_small_in(u8 *to, size_t len,
						  struct iov_iter *from)
{
	const u8 __user *user = from->ubuf + from->iov_offset;
	const u8 *end = to + len;

	if (!user_read_access_begin(user, len))
		return false;
	for (; end - to >= 32; to += 32, user += 32) {
		RINGBUF_GET(u64, 0);
		RINGBUF_GET(u64, 8);
		RINGBUF_GET(u64, 16);
		RINGBUF_GET(u64, 24);
	}
	for (; end - to >= 8; to += 8, user += 8)
		RINGBUF_GET(u64, 0);
	for (; to < end; to++, user++)
		RINGBUF_GET(u8, 0);
	user_read_access_end();
	ringbuf_copied_small(from, len);
	return true;

fault:
	user_read_access_end();
	return false;
}

#undef RINGBUF_PUT
#undef RINGBUF_GET

size_t ringbuf_copy_out_pages(struct ringbuf *rb, const void *from, size_t len,
			      u64 pos, struct iov_iter *to);
size_t ringbuf_copy_in_pages(struct ringbuf *rb, void *to, size_t len,
			     struct iov_iter *from);
int ringbuf_copy_error(void);
void ringbuf_copy_zero(void *to, size_t len);

/**
 * ringbuf_copy_out() - Copy records to user memory
 * @rb: the ring
 * @from: where they lie in it, aligned to RINGBUF_ALIGN
 * @len: bytes
 * @pos: position of the first of them
 * @to: where to
 *
 * A long copy lets others run now and then, and ends early when what is copied has
 * been overwritten, or the caller is killed.
 *
 * Context: task; may sleep.
 *
 * Return: bytes that were copied; fewer than @len also when user memory faults.
 */
static __always_inline size_t ringbuf_copy_out(struct ringbuf *rb,
					       const void *from, size_t len,
					       u64 pos, struct iov_iter *to)
{
	if (ringbuf_copy_is_small(to, len) &&
	    ringbuf_copy_small_out(from, len, to))
		return len;
	/* To kernel memory. A call out of line costs more than the copy. */
	if (len <= RINGBUF_COPY_SMALL && !user_backed_iter(to))
		return copy_to_iter(from, len, to);
	return ringbuf_copy_out_pages(rb, from, len, pos, to);
}

/**
 * ringbuf_copy_in() - Copy user memory into a reservation
 * @rb: the ring
 * @to: where to, aligned to RINGBUF_ALIGN
 * @len: bytes
 * @from: where from
 *
 * A long copy lets others run now and then, and ends early when the caller is
 * killed.
 *
 * Context: task; may sleep.
 *
 * Return: bytes that were copied; fewer than @len also when user memory faults.
 */
static __always_inline size_t ringbuf_copy_in(struct ringbuf *rb, void *to,
					      size_t len, struct iov_iter *from)
{
	if (ringbuf_copy_is_small(from, len) &&
	    ringbuf_copy_small_in(to, len, from))
		return len;
	return ringbuf_copy_in_pages(rb, to, len, from);
}

#endif /* _RINGBUF_COPY_H */
