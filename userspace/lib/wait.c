// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Readers that sleep until there is something, or enough of it.
 */

#include <poll.h>
#include <time.h>
#include "lib.h"

/* Nothing is left to come: why? */
int end_of_stream(const struct reader *r)
{
	struct ringbuf_info info;
	int ret = get_info(r->fd, &info);

	if (ret)
		return ret;
	return info.flags & RINGBUF_RING_DEAD ? -ENODEV : -ENODATA;
}

/* Is there something that the reader was woken for, and has not taken yet? */
static bool at_hand(const struct reader *r)
{
	return r->page ? before(place(r), r->seen) : stream_at_hand(r);
}

/* What does not sleep is not for a signal to end. */
static int poll_now(struct pollfd *p)
{
	int ret;

	do {
		ret = poll(p, 1, 0);
	} while (ret < 0 && errno == EINTR);
	return ret < 0 ? -errno : ret;
}

/* Is there as much as the reader wants to be woken for? 1, 0 or a negative errno. */
static int ask_mark(struct reader *r)
{
	struct pollfd p = { .fd = r->fd, .events = POLLIN };
	int ret = r->page ? map_advance(r) : 0;

	if (ret)
		return ret;
	ret = poll_now(&p);
	if (ret <= 0)
		return ret;
	if (r->page)
		map_see(r);
	return 1;
}

/**
 * ringbuf_arm() - Is it right to sleep?
 * @reader: the reader
 *
 * For who sleeps in an epoll or poll() of his own: tells the kernel how far the
 * reader is, so that its file is readable when there is something new.
 *
 * Return: 1 when there is a record, or as many as ringbuf_reader_set_wake() asks
 * for: do not sleep; 0: wait for POLLIN; -ENODATA at the end of the stream
 * (RINGBUF_READER_EOF), -ENODEV when the ring is gone; else as ringbuf_next().
 */
int ringbuf_arm(struct ringbuf_reader *reader)
{
	struct reader *r = whole(reader);
	struct pollfd p = { .fd = r->fd };
	int ret;

	/* One is shown: that stays where it is. */
	if (reader->frame)
		return 1;
	if (r->marked && !at_hand(r)) {
		ret = ask_mark(r);
		if (ret <= 0)
			return ret;
	}
	ret = ringbuf_find_(reader);
	if (ret || !r->page)
		return ret;
	ret = map_advance(r);
	/* Who waits for an edge may have had it already. */
	ret = ret ?: ringbuf_find_(reader);
	if (ret || !(r->flags & RINGBUF_READER_EOF))
		return ret;
	/* A map does not tell that nobody writes any more. */
	ret = poll_now(&p);
	if (ret < 0)
		return ret;
	if (!(p.revents & POLLHUP))
		return 0;
	return ringbuf_find_(reader) ?: end_of_stream(r);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/**
 * ringbuf_wait() - Sleep until there is a record
 * @reader: the reader
 * @timeout_ms: at most so many ms; -1: for ever, 0: not at all
 *
 * Or as many as ringbuf_reader_set_wake() asks for; what that woke for and has not
 * been taken is not waited for again.
 *
 * Return: 1 when there is one, 0 after @timeout_ms; -EINTR after a signal,
 * -ENODATA at the end of the stream (RINGBUF_READER_EOF), -ENODEV when the ring
 * is gone and all is read, -EBADMSG when it makes no sense.
 */
int ringbuf_wait(struct ringbuf_reader *reader, int timeout_ms)
{
	struct reader *r = whole(reader);
	struct pollfd p = { .fd = r->fd, .events = POLLIN };
	int64_t end = timeout_ms > 0 ? now_ms() + timeout_ms : 0;
	int64_t left = timeout_ms;
	int ret;

	for (;;) {
		ret = ringbuf_arm(reader);
		if (ret)
			return ret;
		if (p.revents & POLLHUP)
			return end_of_stream(r);
		if (timeout_ms > 0) {
			left = end - now_ms();
			left = left < 0 ? 0 : left;
		}
		ret = poll(&p, 1, left);
		if (ret < 0)
			return -errno;
		if (!ret)
			return 0;
		/* Of a file that writes, too, the end of the ring is an error. */
		if (p.revents & POLLNVAL || (p.revents & (POLLERR | POLLHUP)) == POLLERR)
			return -EBADF;
	}
}
