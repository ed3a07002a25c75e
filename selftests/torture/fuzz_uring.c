// SPDX-License-Identifier: GPL-2.0
/* The same calls by io_uring: each thread has one, of raw system calls. */
#include "fuzz.h"

#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define ENTRIES		16
/* What a completion was: in its user data. */
#define TAG(call)	((uint64_t)C_##call + 1)

void uring_setup(struct thread *t)
{
	struct uring *u = &t->uring;
	struct io_uring_params p = {};
	size_t sq, cq;
	char *sqr, *cqr;
	int fd;

	fd = syscall(SYS_io_uring_setup, ENTRIES, &p);
	if (fd < 0)
		return;
	syscall(SYS_dup3, fd, URING_FD + t->index, 0);
	syscall(SYS_close, fd);
	fd = URING_FD + t->index;
	sq = p.sq_off.array + p.sq_entries * 4;
	cq = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	sqr = mmap(NULL, sq, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
		   IORING_OFF_SQ_RING);
	cqr = mmap(NULL, cq, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
		   IORING_OFF_CQ_RING);
	u->sqes = mmap(NULL, p.sq_entries * sizeof(struct io_uring_sqe),
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
		       IORING_OFF_SQES);
	if (sqr == MAP_FAILED || cqr == MAP_FAILED || (void *)u->sqes == MAP_FAILED)
		return;
	u->sq_head = (void *)(sqr + p.sq_off.head);
	u->sq_tail = (void *)(sqr + p.sq_off.tail);
	u->sq_mask = (void *)(sqr + p.sq_off.ring_mask);
	u->sq_array = (void *)(sqr + p.sq_off.array);
	u->cq_head = (void *)(cqr + p.cq_off.head);
	u->cq_tail = (void *)(cqr + p.cq_off.tail);
	u->cq_mask = (void *)(cqr + p.cq_off.ring_mask);
	u->cqes = (void *)(cqr + p.cq_off.cqes);
	u->entries = p.sq_entries;
	u->fd = fd;
}

static void fill(struct thread *t, struct io_uring_sqe *sqe)
{
	struct iovec *iov = (void *)(t->part + ARENA_PART / 2 + 16384);
	unsigned int i;

	memset(sqe, 0, sizeof(*sqe));
	sqe->fd = any_fd(t);
	sqe->off = once_in(t, 16) ? any_u64(t) : -1ULL;
	sqe->addr = (uintptr_t)any_buf(t);
	sqe->len = any_len(t);
	switch (below(t, 12)) {
	case 0 ... 2:
		sqe->opcode = IORING_OP_READ;
		sqe->len = once_in(t, 8) ? sqe->len : ARENA_PART / 2;
		sqe->user_data = TAG(uring_read);
		break;
	case 3:
		for (i = 0; i < 4; i++)
			iov[i] = (struct iovec){ any_buf(t), below(t, 200) };
		sqe->opcode = once_in(t, 2) ? IORING_OP_READV : IORING_OP_WRITEV;
		sqe->addr = (uintptr_t)iov;
		sqe->len = below(t, 5);
		sqe->user_data = sqe->opcode == IORING_OP_READV ? TAG(uring_read) :
								   TAG(uring_write);
		break;
	case 4 ... 6:
		sqe->opcode = IORING_OP_WRITE;
		sqe->fd = FIRST_SLOT + below(t, WRITER_SLOTS);
		sqe->user_data = TAG(uring_write);
		break;
	case 7 ... 8:
		sqe->opcode = IORING_OP_POLL_ADD;
		sqe->poll32_events = rnd(t);
		sqe->addr = 0;
		sqe->len = once_in(t, 2);	/* multishot */
		sqe->off = 0;
		sqe->user_data = TAG(uring_poll);
		break;
	case 9:
		sqe->opcode = IORING_OP_ASYNC_CANCEL;
		sqe->addr = once_in(t, 2) ? TAG(uring_read) : TAG(uring_poll);
		sqe->len = 0;
		sqe->off = 0;
		sqe->cancel_flags = once_in(t, 2) ? IORING_ASYNC_CANCEL_ALL :
				    once_in(t, 2) ? IORING_ASYNC_CANCEL_ANY : 0;
		sqe->user_data = TAG(uring_other);
		break;
	case 10:
		sqe->opcode = IORING_OP_POLL_REMOVE;
		sqe->addr = TAG(uring_poll);
		sqe->len = 0;
		sqe->off = 0;
		sqe->user_data = TAG(uring_other);
		break;
	default:
		sqe->opcode = IORING_OP_FADVISE;
		sqe->off = 0;
		sqe->addr = 0;
		sqe->user_data = TAG(uring_other);
	}
	if (once_in(t, 8))
		sqe->flags = IOSQE_ASYNC;
	else if (once_in(t, 12))
		sqe->flags = IOSQE_IO_LINK;
}

static void reap(struct uring *u)
{
	unsigned int head = *u->cq_head;
	unsigned int tail = __atomic_load_n(u->cq_tail, __ATOMIC_ACQUIRE);

	for (; head != tail; head++) {
		struct io_uring_cqe *cqe = &u->cqes[head & *u->cq_mask];

		if (cqe->user_data && cqe->user_data <= N_CALLS)
			count_call(cqe->user_data - 1, cqe->res);
	}
	__atomic_store_n(u->cq_head, head, __ATOMIC_RELEASE);
}

void fuzz_uring(struct thread *t)
{
	struct uring *u = &t->uring;
	unsigned int i, n = 1 + below(t, 4), wait = once_in(t, 8);
	struct io_uring_sqe sqe;
	unsigned int tail;

	for (i = 0; i < n; i++) {
		fill(t, &sqe);
		/* A child shares its parent's memory, and is not to meddle with it. */
		if (!u->entries || t->child)
			continue;
		tail = *u->sq_tail;
		u->sqes[tail & *u->sq_mask] = sqe;
		u->sq_array[tail & *u->sq_mask] = tail & *u->sq_mask;
		__atomic_store_n(u->sq_tail, tail + 1, __ATOMIC_RELEASE);
	}
	if (!u->entries || t->child)
		return;
	/* Who waits is interrupted in the end. */
	CALL(uring_enter, syscall(SYS_io_uring_enter, u->fd, n, wait,
				  IORING_ENTER_GETEVENTS, NULL, 0));
	/* What was not taken is not kept. */
	__atomic_store_n(u->sq_tail, __atomic_load_n(u->sq_head, __ATOMIC_ACQUIRE),
			 __ATOMIC_RELEASE);
	reap(u);
}
