/* SPDX-License-Identifier: GPL-2.0 */
/* An epoll, by what it watches one file for. */
#ifndef RINGBUF_TEST_EPOLL_H
#define RINGBUF_TEST_EPOLL_H

#include "ringbuf_test.h"

#include <sys/epoll.h>

static __maybe_unused int watch(int ep, int fd, uint32_t what)
{
	struct epoll_event e = { .events = what, .data.fd = fd };

	return RC(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
}

/* The events of one file; 0: none came. */
static __maybe_unused int epolled(int ep, int ms)
{
	struct epoll_event e = { 0 };
	int ret = RC(epoll_wait(ep, &e, 1, ms));

	return ret > 0 ? (int)e.events : ret;
}

#endif /* RINGBUF_TEST_EPOLL_H */
