// SPDX-License-Identifier: GPL-2.0
/* Random arguments, and the calls that a reader or a writer makes. */
#include "fuzz.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <sys/wait.h>

int any_fd(struct thread *t)
{
	static const int wild[] = { -1, 1023, 1 << 20, 0x7fffffff };

	return once_in(t, 256) ? PICK(t, wild) : any_slot(t);
}

int any_slot(struct thread *t)
{
	return FIRST_SLOT + below(t, SLOTS);
}

/* One that may have a writer, mostly. */
static int writer_fd(struct thread *t)
{
	return once_in(t, 16) ? any_fd(t) : FIRST_SLOT + (int)below(t, WRITER_SLOTS);
}

size_t any_len(struct thread *t)
{
	static const size_t edges[] = {
		0, 1, 7, 8, 9, 23, 24, 25, 40, 255, 256, 257, 1000, 1024 - 24,
		1024 - 23, 4095, 4096, 4097, 16384 - 24, 16384 - 23, 65535, 65536,
		65537, 262144 - 24, 262144, 1 << 20, 0x7fffffff, 0x80000000UL,
		(size_t)SSIZE_MAX, (size_t)-1,
	};

	switch (below(t, 8)) {
	case 0:
		return PICK(t, edges);
	case 1:
		return below(t, 70000);
	default:
		return 1 + below(t, 300);
	}
}

uint64_t any_u64(struct thread *t)
{
	switch (below(t, 4)) {
	case 0:
		return 1ULL << below(t, 64);
	case 1:
		return (1ULL << below(t, 64)) - 1;
	case 2:
		return -(uint64_t)below(t, 4096);
	default:
		return rnd(t) >> below(t, 64);
	}
}

/* Memory that is there, mostly; nothing that this program itself needs. */
char *any_buf(struct thread *t)
{
	static const uintptr_t wild[] = {
		0, 1, 8, 4095, 0x7fffffffe000, 0x7fffffffefff, 0x7ffffffff000,
		0x800000000000, 0xffff800000000000, 0xffff888000000000,
		0xffffffff80000000, 0xffffffffa0000000, -4096UL, -1UL,
	};
	unsigned int other = below(t, options.threads);
	unsigned int how = below(t, 32);
	uint64_t offset = rnd(t);

	switch (how) {
	case 0:
		return (char *)PICK(t, wild);
	case 1:	/* the end of what is there */
		return arena + options.threads * ARENA_PART - offset % 512;
	case 2:	/* a ring, which nobody can write */
		return WINDOW + offset % (WINDOW_PAGES * PAGE);
	case 3:	/* another thread's */
		return arena + other * ARENA_PART + offset % ARENA_PART;
	case 4:
		return t->part + offset % ARENA_PART;
	default:
		return t->part + offset % (ARENA_PART / 2) / 8 * 8;
	}
}

/* Where a record may be: what the last look at the ring told, more or less. */
long any_seq(struct thread *t)
{
	uint64_t pick[] = {
		0, t->info.head_seq, t->info.tail_seq, t->stats.seq, any_u64(t),
		t->info.tail_seq + (t->info.head_seq - t->info.tail_seq) / 2,
	};
	uint64_t seq = PICK(t, pick);

	return once_in(t, 2) ? seq : seq + below(t, 64) - 32;
}

/* Frames that make sense, mostly. */
size_t make_frames(struct thread *t, char *buf, size_t size)
{
	unsigned int n = 1 + below(t, 12);
	size_t used = 0;

	while (n--) {
		struct ringbuf_record rec = {
			.len = once_in(t, 12) ? any_len(t) : 1 + below(t, 200),
			.type = rnd(t),
			.flags = once_in(t, 40) ? rnd(t) :
				 once_in(t, 8) ? RINGBUF_RECORD_LOST : 0,
			.seq = rnd(t), .time_ns = rnd(t),
		};
		size_t frame = RINGBUF_FRAME_SIZE(rec.len);

		if (used + sizeof(rec) > size)
			break;
		memcpy(buf + used, &rec, sizeof(rec));
		if (frame > size - used)
			break;
		used += frame;
	}
	/* Not always to the end of a frame. */
	return once_in(t, 10) ? used - below(t, 30) : used;
}

static void open_ring(struct thread *t, int flags, int slot)
{
	static const int more[] = {
		O_APPEND, O_DIRECT, O_TRUNC, O_PATH, O_SYNC, O_NOATIME, O_DIRECTORY,
		O_CREAT, O_CREAT | O_EXCL, O_TMPFILE, FASYNC, 3, -1,
	};
	const char *device = options.devices[below(t, options.n_devices)];
	long fd;

	if (!once_in(t, 8))
		flags |= O_NONBLOCK;
	if (once_in(t, 2))
		flags |= O_CLOEXEC;
	if (once_in(t, 12))
		flags |= PICK(t, more);
	fd = CALL(open, syscall(SYS_openat, AT_FDCWD, device, flags, 0));
	if (fd < 0)
		return;
	syscall(SYS_dup3, fd, slot, 0);
	syscall(SYS_close, fd);
}

static void fuzz_open(struct thread *t)
{
	if (once_in(t, 3))
		open_ring(t, once_in(t, 3) ? O_RDWR : O_WRONLY,
			  FIRST_SLOT + below(t, WRITER_SLOTS));
	else
		open_ring(t, O_RDONLY,
			  FIRST_SLOT + WRITER_SLOTS + below(t, SLOTS - WRITER_SLOTS));
}

static void fuzz_close(struct thread *t)
{
	CALL(close, syscall(SYS_close, any_slot(t)));
}

static void fuzz_dup(struct thread *t)
{
	CALL(dup, syscall(SYS_dup3, any_fd(t), any_slot(t),
			  once_in(t, 16) ? rnd(t) : 0));
}

static int make_iov(struct thread *t, struct iovec *iov)
{
	int i, n = below(t, 9);

	for (i = 0; i < n; i++) {
		iov[i].iov_base = any_buf(t);
		iov[i].iov_len = once_in(t, 4) ? any_len(t) : below(t, 80);
	}
	return once_in(t, 64) ? (int)rnd(t) : n;
}

static void fuzz_read(struct thread *t)
{
	int n, fd = any_fd(t);
	struct iovec iov[8];

	switch (below(t, 10)) {
	case 0:
		n = make_iov(t, iov);
		CALL(readv, syscall(SYS_readv, fd, once_in(t, 64) ?
				    (void *)any_buf(t) : iov, n));
		break;
	case 1:
		n = make_iov(t, iov);
		CALL(preadv2, syscall(SYS_preadv2, fd, iov, n, -1L, -1L,
				      once_in(t, 4) ? rnd(t) : 0x8 /* NOWAIT */));
		break;
	case 2:
		CALL(pread, syscall(SYS_pread64, fd, any_buf(t), any_len(t),
				    any_u64(t)));
		break;
	case 3:
		CALL(read, syscall(SYS_read, fd, any_buf(t), any_len(t)));
		break;
	default:
		CALL(read, syscall(SYS_read, fd, any_buf(t), ARENA_PART / 2));
	}
}

static void fuzz_write(struct thread *t)
{
	int n, fd = writer_fd(t);
	struct iovec iov[8];
	char *buf;
	size_t len;

	switch (below(t, 10)) {
	case 0:
		n = make_iov(t, iov);
		CALL(writev, syscall(SYS_writev, fd, once_in(t, 64) ?
				     (void *)any_buf(t) : iov, n));
		break;
	case 1:
		n = make_iov(t, iov);
		CALL(pwritev2, syscall(SYS_pwritev2, fd, iov, n, -1L, -1L,
				       once_in(t, 4) ? rnd(t) : 0x8));
		break;
	case 2:
		CALL(pwrite, syscall(SYS_pwrite64, fd, any_buf(t), any_len(t),
				     any_u64(t)));
		break;
	case 3 ... 5:
		buf = t->part + ARENA_PART / 2;
		len = make_frames(t, buf, 8192);
		CALL(write_framed, syscall(SYS_write, fd, buf, len));
		break;
	default:
		CALL(write, syscall(SYS_write, fd, any_buf(t), any_len(t)));
	}
}

static void fuzz_lseek(struct thread *t)
{
	static const int whences[] = { SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA };
	int whence = once_in(t, 32) ? (int)any_u64(t) : PICK(t, whences);
	long offset;

	if (whence == SEEK_SET || once_in(t, 16))
		offset = any_seq(t);
	else if (whence == SEEK_DATA)
		offset = 0;
	else
		offset = -(long)below(t, 100);
	CALL(lseek, syscall(SYS_lseek, any_fd(t), offset, whence));
}

static uint32_t any_size(struct thread *t, uint32_t right)
{
	return once_in(t, 12) ? below(t, 2 * right) :
	       once_in(t, 64) ? any_u64(t) : right;
}

/* The ioctl by int 0x80, as a 32-bit program calls: its memory is below 4 GiB. */
static long ioctl32(int fd, unsigned int cmd, void *arg)
{
	long ret;

	asm volatile("int $0x80" : "=a"(ret) : "a"(54), "b"(fd), "c"(cmd), "d"(arg)
		     : "memory", "r8", "r9", "r10", "r11");
	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	return ret;
}

static void fuzz_set_consumer(struct thread *t, int fd, void *arg)
{
	static const uint32_t marks[] = { 0, 0, 0, 0, 1, 64, 5000, -1U };
	static const uint64_t times[] = { 0, 0, 0, 0, 1, 1000, 1000000, -1ULL };
	struct ringbuf_consumer c = {
		.struct_size = any_size(t, sizeof(c)),
		.flags = once_in(t, 16) ? rnd(t) : below(t, 8),
		.wake_bytes = PICK(t, marks), .wake_records = PICK(t, marks),
		.wake_ns = PICK(t, times),
		.mask = once_in(t, 4) ? rnd(t) & 0x80000007 : once_in(t, 32) ? rnd(t) : 0,
	};

	memcpy(t->part, &c, sizeof(c));
	CALL(set_consumer, syscall(SYS_ioctl, fd, RINGBUF_IOC_SET_CONSUMER, arg));
}

static void fuzz_ioctl(struct thread *t)
{
	static const unsigned int others[] = {
		FIONBIO, FIOCLEX, FIONCLEX, FIOASYNC, TCGETS, 0x5401, 0x801c581f,
		0xc0185879, 0x5460, RINGBUF_IOC_GET_INFO + 20, RINGBUF_IOC_GET_INFO + 255,
	};
	static const unsigned int ours[] = {
		RINGBUF_IOC_GET_INFO, RINGBUF_IOC_SET_CONSUMER, RINGBUF_IOC_GET_STATS,
		RINGBUF_IOC_GET_CONSUMER, RINGBUF_IOC_SET_WRITER, RINGBUF_IOC_ADVANCE,
		RINGBUF_IOC_GET_WRITER, RINGBUF_IOC_MAKE_ROOM, RINGBUF_IOC_WAKE,
		FIONREAD, 0xbc10,
	};
	int fd = any_fd(t);
	/* Where the structure is put, mostly. */
	char *arg = once_in(t, 16) ? any_buf(t) : t->part;
	uint64_t pos;

	unsigned int what = below(t, 12);

	if (what == 6)
		fd = writer_fd(t);
	memset(t->part, 0, 256);
	switch (what) {
	case 0:
		t->info.struct_size = any_size(t, sizeof(t->info));
		memcpy(t->part, &t->info, 4);
		if (!CALL(get_info, syscall(SYS_ioctl, fd, RINGBUF_IOC_GET_INFO, arg)))
			memcpy(&t->info, t->part, sizeof(t->info));
		break;
	case 1:
		t->stats.struct_size = any_size(t, sizeof(t->stats));
		memcpy(t->part, &t->stats, 4);
		if (!CALL(get_stats, syscall(SYS_ioctl, fd, RINGBUF_IOC_GET_STATS, arg)))
			memcpy(&t->stats, t->part, sizeof(t->stats));
		break;
	case 2 ... 4:
		fuzz_set_consumer(t, fd, arg);
		break;
	case 5:
		*(uint32_t *)t->part = any_size(t, sizeof(struct ringbuf_consumer));
		CALL(get_consumer, syscall(SYS_ioctl, fd, RINGBUF_IOC_GET_CONSUMER, arg));
		break;
	case 6:
		*(uint32_t *)t->part = any_size(t, sizeof(struct ringbuf_writer));
		((uint32_t *)t->part)[1] = once_in(t, 16) ? rnd(t) : below(t, 2);
		CALL(set_writer, syscall(SYS_ioctl, fd, RINGBUF_IOC_SET_WRITER, arg));
		break;
	case 7:
	case 8: {
		uint64_t pick[] = { t->info.head, t->info.tail, t->stats.pos, any_u64(t) };

		pos = PICK(t, pick) + (once_in(t, 4) ? 8 * below(t, 64) - 256 : 0);
		*(uint32_t *)t->part = any_size(t, sizeof(struct ringbuf_advance));
		memcpy(t->part + offsetof(struct ringbuf_advance, pos), &pos, 8);
		CALL(advance, syscall(SYS_ioctl, fd, RINGBUF_IOC_ADVANCE, arg));
		break;
	}
	case 9:
		CALL(fionread, syscall(SYS_ioctl, fd, FIONREAD, arg));
		break;
	case 10:
		*(uint32_t *)t->part = any_size(t, sizeof(struct ringbuf_info));
		CALL(ioctl32, ioctl32(fd, PICK(t, ours), arg));
		break;
	default:
		pos = rnd(t);
		CALL(ioctl, syscall(SYS_ioctl, fd, once_in(t, 2) ? PICK(t, others) :
				    0xbc00 + (pos & 0xff) + (once_in(t, 2) ? pos : 0),
				    arg));
	}
}

static int any_timeout(struct thread *t)
{
	static const int timeouts[] = { 0, 0, 0, 0, 0, 0, 1, 2, 5, -1 };

	return PICK(t, timeouts);
}

static void fuzz_poll(struct thread *t)
{
	struct pollfd p[4];
	unsigned int i, n = 1 + below(t, 4);

	for (i = 0; i < n; i++)
		p[i] = (struct pollfd){ any_fd(t), rnd(t), 0 };
	CALL(poll, syscall(SYS_poll, p, n, any_timeout(t)));
}

static void fuzz_select(struct thread *t)
{
	struct timeval tv = { 0, 1000 * (any_timeout(t) & 7) };
	fd_set in, out, except;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&except);
	FD_SET(any_slot(t), &in);
	FD_SET(any_slot(t), &out);
	FD_SET(any_slot(t), &except);
	CALL(select, syscall(SYS_select, FIRST_SLOT + SLOTS, &in, &out, &except, &tv));
}

static void fuzz_epoll(struct thread *t)
{
	static const int ops[] = { EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL };
	struct epoll_event e = { .events = rnd(t) }, got[8];

	/* That one keeps a system from sleeping; that one has rules of its own. */
	e.events &= ~EPOLLWAKEUP;
	if (!once_in(t, 8))
		e.events &= ~EPOLLEXCLUSIVE;
	if (once_in(t, 3))
		CALL(epoll_wait, syscall(SYS_epoll_wait, EPOLL_FD, got,
					 1 + below(t, 8), any_timeout(t)));
	else
		CALL(epoll_ctl, syscall(SYS_epoll_ctl, EPOLL_FD, PICK(t, ops),
					any_fd(t), &e));
}

/* In a child all other threads are gone, and nobody interrupts what blocks. */
static void fuzz_fork(struct thread *t)
{
	uint64_t seed = rnd(t);
	unsigned int n = 1 + below(t, 8);
	long pid;

	if (t->child)
		return;
	pid = CALL(fork, syscall(SYS_fork));
	if (pid < 0)
		return;
	if (pid) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return;
	}
	t->child = true;
	t->rng = seed;
	ualarm(30000, 0);
	while (n--)
		one_call(t);
	_exit(0);
}

static void fuzz_kill(struct thread *t)
{
	unsigned int i = below(t, options.threads);
	pid_t pid = atomic_load(&shared->worker[below(t, options.procs)]);
	pid_t tid = atomic_load(&threads[i].tid);

	/* One of the other processes goes in the middle of its calls. */
	if (once_in(t, 64) && options.procs > 1) {
		if (pid > 0)
			CALL(kill, syscall(SYS_kill, pid, SIGKILL));
		return;
	}
	/* One that has not begun, or has ended, has none. */
	if (tid > 0)
		CALL(kill, syscall(SYS_tgkill, getpid(), tid, SIGUSR1));
}

/* How often each of them is called. */
static const struct {
	void (*fn)(struct thread *t);
	unsigned int weight;
} mix[] = {
	{ fuzz_read, 600 }, { fuzz_write, 600 }, { fuzz_lseek, 150 },
	{ fuzz_ioctl, 500 }, { fuzz_poll, 120 }, { fuzz_select, 20 },
	{ fuzz_epoll, 80 }, { fuzz_open, 60 }, { fuzz_close, 10 },
	{ fuzz_dup, 15 }, { fuzz_map, 40 }, { fuzz_touch, 20 },
	{ fuzz_files, 60 }, { fuzz_uring, 60 }, { fuzz_kill, 4 },
	{ fuzz_fork, 1 },
};

/* One random call. */
void one_call(struct thread *t)
{
	unsigned int i, pick, sum = 0;

	for (i = 0; i < ARRAY_SIZE(mix); i++)
		sum += mix[i].weight;
	pick = below(t, sum);
	for (i = 0; pick >= mix[i].weight; i++)
		pick -= mix[i].weight;
	mix[i].fn(t);
}
