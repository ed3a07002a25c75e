// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Any number of rings in one thread by io_uring: a FRAMED read of each is always
 * in flight. One, not more: two reads of one cursor may complete in any order.
 *
 *	uring [DEVICE]...
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/ringbuf.h>

struct ring {
	const char *path;
	int fd;
	char *buf;
	size_t size;
};

static int open_ring(struct ring *ring, const char *path)
{
	struct ringbuf_info info = { .struct_size = sizeof(info) };
	struct ringbuf_consumer framed = {
		.struct_size = sizeof(framed),
		.flags = RINGBUF_CONSUMER_FRAMED,
		.mask = RINGBUF_CONSUMER_FRAMED,
	};

	ring->path = path;
	ring->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (ring->fd < 0 || ioctl(ring->fd, RINGBUF_IOC_GET_INFO, &info) ||
	    ioctl(ring->fd, RINGBUF_IOC_SET_CONSUMER, &framed))
		return -1;
	ring->size = RINGBUF_FRAME_SIZE(info.max_record);
	ring->buf = malloc(ring->size);
	return ring->buf ? 0 : -1;
}

/* There is an entry for each ring, so there is always a free one. */
static void queue_read(struct io_uring *u, struct ring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(u);

	/* Offset -1: where the cursor is. */
	io_uring_prep_read(sqe, ring->fd, ring->buf, ring->size, -1);
	io_uring_sqe_set_data(sqe, ring);
}

static void show(const struct ring *ring, size_t bytes)
{
	const struct ringbuf_record *rec;
	const struct ringbuf_lost *lost;
	const char *p;

	for (p = ring->buf; p < ring->buf + bytes;
	     p += RINGBUF_FRAME_SIZE(rec->len)) {
		rec = (const void *)p;
		lost = (const void *)(rec + 1);
		if (rec->flags & RINGBUF_RECORD_LOST)
			printf("%s lost %llu records\n", ring->path,
			       (unsigned long long)lost->records);
		else
			printf("%s %llu: %.*s\n", ring->path,
			       (unsigned long long)rec->seq, (int)rec->len,
			       (const char *)(rec + 1));
	}
}

int main(int argc, char **argv)
{
	char *by_default[] = { "/dev/ringbuf" };
	char **paths = argc > 1 ? argv + 1 : by_default;
	int i, ret, failed = 0, live = argc > 1 ? argc - 1 : 1;
	struct io_uring_cqe *cqe;
	struct ring *rings, *ring;
	struct io_uring u;

	ret = io_uring_queue_init(live, &u, 0);
	if (ret) {
		fprintf(stderr, "io_uring: %s\n", strerror(-ret));
		return 1;
	}
	rings = calloc(live, sizeof(*rings));
	for (i = 0; i < live; i++) {
		if (!rings || open_ring(&rings[i], paths[i])) {
			perror(paths[i]);
			return 1;
		}
		queue_read(&u, &rings[i]);
	}
	while (live) {
		ret = io_uring_submit_and_wait(&u, 1);
		if (ret < 0 && ret != -EINTR) {
			fprintf(stderr, "io_uring: %s\n", strerror(-ret));
			return 1;
		}
		while (!io_uring_peek_cqe(&u, &cqe)) {
			ring = io_uring_cqe_get_data(cqe);
			ret = cqe->res;
			io_uring_cqe_seen(&u, cqe);
			if (ret > 0) {
				show(ring, ret);
				queue_read(&u, ring);
				continue;
			}
			fprintf(stderr, "%s: %s\n", ring->path,
				ret ? strerror(-ret) : "the end");
			failed |= ret < 0;
			live--;
		}
		if (fflush(stdout)) {
			perror("stdout");
			return 1;
		}
	}
	return failed;
}
