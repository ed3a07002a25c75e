// SPDX-License-Identifier: GPL-2.0
/*
 * Copies between the ring and user memory that are not small. A record may have
 * a quarter of a GiB, so they go in chunks, between which others may run, and a
 * caller that is killed leaves.
 */

#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include "compat.h"
#include "copy.h"

/* Go on with the next chunk? */
static bool next_chunk(void)
{
	cond_resched();
	return !fatal_signal_pending(current);
}

/*
 * One chunk, page by page: the vmalloc address of all of them would have usercopy
 * hardening look for it among all vmalloc areas, which costs more than copying a
 * small record.
 */
static __always_inline size_t
copy_chunk(struct ringbuf *rb, const void *frame, size_t len,
	   struct iov_iter *iter,
	   size_t (*move)(struct page *page, size_t offset, size_t bytes,
			  struct iov_iter *iter))
{
	size_t at = (const u8 *)frame - rb->core.data;
	size_t offset, part, n, done = 0;

	do {
		offset = offset_in_page(at + done);
		part = min_t(size_t, len - done, PAGE_SIZE - offset);
		n = move(rb->pages[RINGBUF_DATA_PAGE +
				   ((at + done) >> PAGE_SHIFT)],
			 offset, part, iter);
		done += n;
	} while (n == part && done < len);
	return done;
}

/**
 * ringbuf_copy_out_pages() - ringbuf_copy_out() of anything, from anywhere
 * @rb: the ring
 * @from: where it lies in the ring
 * @len: bytes
 * @pos: position of what must not be overwritten meanwhile
 * @to: where to
 *
 * Context: task; may sleep.
 *
 * Return: as ringbuf_copy_out().
 */
size_t ringbuf_copy_out_pages(struct ringbuf *rb, const void *from, size_t len,
			      u64 pos, struct iov_iter *to)
{
	size_t part, n, done = 0;

	for (;;) {
		part = min_t(size_t, len - done, RINGBUF_COPY_CHUNK);
		/* Splicing would link the page itself into the pipe (before 6.5). */
		if (likely(user_backed_iter(to)))
			n = copy_chunk(rb, from + done, part, to,
				       copy_page_to_iter);
		else
			n = copy_to_iter(from + done, part, to);
		done += n;
		if (n < part || done == len)
			return done;
		if (!ringbuf_core_intact(&rb->core, pos) || !next_chunk())
			return done;
	}
}

/**
 * ringbuf_copy_in_pages() - ringbuf_copy_in() of anything
 * @rb: the ring
 * @to: where to
 * @len: bytes
 * @from: where from
 *
 * Context: task; may sleep.
 *
 * Return: as ringbuf_copy_in().
 */
size_t ringbuf_copy_in_pages(struct ringbuf *rb, void *to, size_t len,
			     struct iov_iter *from)
{
	size_t part, n, done = 0;

	for (;;) {
		part = min_t(size_t, len - done, RINGBUF_COPY_CHUNK);
		n = copy_chunk(rb, to + done, part, from, copy_page_from_iter);
		done += n;
		if (n < part || done == len || !next_chunk())
			return done;
	}
}

/**
 * ringbuf_copy_error() - Why a copy got no further
 *
 * Context: task.
 *
 * Return: -EINTR when the caller is killed, else -EFAULT.
 */
int ringbuf_copy_error(void)
{
	return fatal_signal_pending(current) ? -EINTR : -EFAULT;
}

/**
 * ringbuf_copy_zero() - Wipe what a write has reserved and does not publish
 * @to: where it lies in the ring
 * @len: bytes
 *
 * Also for a caller that is killed: it lets others run, and goes on to the end.
 *
 * Context: task; may sleep.
 */
void ringbuf_copy_zero(void *to, size_t len)
{
	size_t part;

	for (; len; to += part, len -= part) {
		part = min_t(size_t, len, RINGBUF_COPY_CHUNK);
		memset(to, 0, part);
		cond_resched();
	}
}
