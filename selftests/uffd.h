/* SPDX-License-Identifier: GPL-2.0 */
/* A page that comes late, by userfaultfd: it stops a call in the middle of its copy. */
#ifndef RINGBUF_TEST_UFFD_H
#define RINGBUF_TEST_UFFD_H

#include "ringbuf_test.h"

#include <linux/userfaultfd.h>

/* Two pages, of which the second is missing until the test provides it. */
struct rb_uffd {
	int fd;
	size_t page;
	char *mem;
};

static __maybe_unused int rb_uffd_open(struct rb_uffd *u)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int ret;

	u->page = getpagesize();
	u->mem = mmap(NULL, 2 * u->page, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (u->mem == MAP_FAILED)
		return -errno;
	/* What is copied of it must not look like what the ring zeroes. */
	memset(u->mem, 0xa5, u->page);
	u->fd = RC(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK));
	if (u->fd < 0)
		return u->fd;
	ret = RC(ioctl(u->fd, UFFDIO_API, &api));
	if (ret)
		return ret;
	reg.range.start = (unsigned long)u->mem + u->page;
	reg.range.len = u->page;
	return RC(ioctl(u->fd, UFFDIO_REGISTER, &reg));
}

/* Waits until somebody stalls on the missing page. */
static __maybe_unused int rb_uffd_wait(struct rb_uffd *u)
{
	struct pollfd p = { .fd = u->fd, .events = POLLIN };
	struct uffd_msg msg;

	if (RC(poll(&p, 1, RB_WAIT_MS)) != 1) {
		fprintf(stderr, "# nobody touches the missing page\n");
		return -ETIMEDOUT;
	}
	return RC(read(u->fd, &msg, sizeof(msg))) == sizeof(msg) ? 0 : -EIO;
}

/* Provides the page, as a copy of @src. */
static __maybe_unused int rb_uffd_fill(struct rb_uffd *u, const void *src)
{
	struct uffdio_copy copy = {
		.dst = (unsigned long)u->mem + u->page,
		.src = (unsigned long)src,
		.len = u->page,
	};

	return RC(ioctl(u->fd, UFFDIO_COPY, &copy));
}

#endif /* RINGBUF_TEST_UFFD_H */
