/* SPDX-License-Identifier: GPL-2.0 */
/* io_uring by raw system calls. */
#ifndef RINGBUF_TEST_URING_H
#define RINGBUF_TEST_URING_H

#include "ringbuf_test.h"

#include <dirent.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>

#define ENTRIES	128

/* What io_uring takes for @events: its halves are swapped on big-endian machines. */
static __maybe_unused uint32_t poll32(uint32_t events)
{
	return __BYTE_ORDER == __BIG_ENDIAN ? events << 16 | events >> 16 : events;
}

struct uring {
	int fd;
	unsigned int *sq_tail, *sq_mask, *sq_array;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	unsigned int queued;
};

static __maybe_unused int uring_open(struct uring *u)
{
	struct io_uring_params p = { 0 };
	size_t sq, cq;
	char *m;

	u->fd = RC(syscall(SYS_io_uring_setup, ENTRIES, &p));
	if (u->fd < 0)
		return u->fd;
	sq = p.sq_off.array + p.sq_entries * sizeof(int);
	cq = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	/* IORING_FEAT_SINGLE_MMAP: as old as 5.4. */
	m = mmap(NULL, sq > cq ? sq : cq, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_POPULATE, u->fd, IORING_OFF_SQ_RING);
	u->sqes = mmap(NULL, p.sq_entries * sizeof(*u->sqes),
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		       u->fd, IORING_OFF_SQES);
	if (m == MAP_FAILED || u->sqes == MAP_FAILED)
		return -errno;
	u->sq_tail = (void *)(m + p.sq_off.tail);
	u->sq_mask = (void *)(m + p.sq_off.ring_mask);
	u->sq_array = (void *)(m + p.sq_off.array);
	u->cq_head = (void *)(m + p.cq_off.head);
	u->cq_tail = (void *)(m + p.cq_off.tail);
	u->cq_mask = (void *)(m + p.cq_off.ring_mask);
	u->cqes = (void *)(m + p.cq_off.cqes);
	return 0;
}

static __maybe_unused struct io_uring_sqe *
queue(struct uring *u, int op, int fd, void *addr, unsigned int len, uint64_t data)
{
	unsigned int tail = *u->sq_tail, i = tail & *u->sq_mask;
	struct io_uring_sqe *sqe = &u->sqes[i];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = op;
	sqe->fd = fd;
	sqe->addr = (unsigned long)addr;
	sqe->len = len;
	sqe->off = op == IORING_OP_ASYNC_CANCEL || op == IORING_OP_POLL_ADD ?
		   0 : -1ULL;
	sqe->user_data = data;
	u->sq_array[i] = i;
	__atomic_store_n(u->sq_tail, tail + 1, __ATOMIC_RELEASE);
	u->queued++;
	return sqe;
}

static __maybe_unused int submit(struct uring *u)
{
	unsigned int n = u->queued;

	u->queued = 0;
	return RC(syscall(SYS_io_uring_enter, u->fd, n, 0, 0, NULL, 0));
}

/* A completion that is there already. */
static __maybe_unused bool completed(struct uring *u, struct io_uring_cqe *cqe)
{
	unsigned int head = *u->cq_head;

	if (head == __atomic_load_n(u->cq_tail, __ATOMIC_ACQUIRE))
		return false;
	*cqe = u->cqes[head & *u->cq_mask];
	__atomic_store_n(u->cq_head, head + 1, __ATOMIC_RELEASE);
	return true;
}

/* Waits for one; false when none comes. */
static __maybe_unused bool complete(struct uring *u, struct io_uring_cqe *cqe)
{
	struct __kernel_timespec ts = { .tv_sec = RB_WAIT_MS / 1000 };
	struct io_uring_getevents_arg arg = { .ts = (unsigned long)&ts };
	int ret;

	while (!completed(u, cqe)) {
		ret = RC(syscall(SYS_io_uring_enter, u->fd, 0, 1,
				 IORING_ENTER_GETEVENTS |
				 IORING_ENTER_EXT_ARG, &arg, sizeof(arg)));
		if (ret < 0 && ret != -EINTR) {
			fprintf(stderr, "# no completion: %d\n", ret);
			return false;
		}
	}
	return true;
}

/* One request from start to end; its result. */
static __maybe_unused int run(struct uring *u, int op, int fd, void *addr, unsigned int len)
{
	struct io_uring_cqe cqe;

	queue(u, op, fd, addr, len, 99);
	if (submit(u) != 1 || !complete(u, &cqe) || cqe.user_data != 99)
		return -EPROTO;
	return cqe.res;
}

/* Threads that io_uring started because a request would not do at once. */
static __maybe_unused int workers(void)
{
	DIR *dir = opendir("/proc/self/task");
	char path[300], comm[32] = "";
	struct dirent *d;
	int n = 0, fd;

	while ((d = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			 d->d_name);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		if (read(fd, comm, sizeof(comm) - 1) > 0 &&
		    !strncmp(comm, "iou-wrk", 7))
			n++;
		close(fd);
	}
	closedir(dir);
	return n;
}

#endif /* RINGBUF_TEST_URING_H */
