/* SPDX-License-Identifier: GPL-2.0 */
/* A fuzzer of the device's system calls: what its parts share. */
#ifndef FUZZ_H
#define FUZZ_H

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>
#include <linux/io_uring.h>
#include <linux/ringbuf.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PAGE		4096UL
#define MAX_PROCS	8
#define MAX_THREADS	8
#define MAX_ERRNO	140

/*
 * Each process has ring files in these, and nothing else, so that a call on one
 * of them is a call on a ring or on none.
 */
#define FIRST_SLOT	100
#define SLOTS		16
/* The first of them are for writers, of whom a ring has one. */
#define WRITER_SLOTS	2
#define SOCKET_FD	200	/* and the next: a pair */
#define EPOLL_FD	202
#define PIPE_FD		204	/* and the next */
#define MEM_FD		206	/* /proc/self/mem */
#define URING_FD	210	/* one for each thread */

/*
 * Nothing but rings is ever mapped in the window, and nothing ends up there that
 * was not asked for: it is far below what the kernel picks.
 */
#define WINDOW		((char *)0x100000000UL)
#define WINDOW_PAGES	256

/* Each thread's part of the memory that calls read and write. Then a guard. */
#define ARENA_PART	(256UL << 10)
#define ARENA_GUARD	(64UL << 20)

#define CALLS(X)							\
	X(open) X(close) X(dup) X(fcntl) X(read) X(readv) X(preadv2) X(pread)	\
	X(write) X(writev) X(pwritev2) X(pwrite) X(write_framed) X(lseek)	\
	X(get_info) X(set_consumer) X(get_consumer) X(get_stats) X(set_writer)	\
	X(advance) X(fionread) X(ioctl) X(ioctl32) X(poll) X(select)		\
	X(epoll_ctl) X(epoll_wait) X(mmap) X(munmap) X(mprotect) X(mremap)	\
	X(madvise) X(mlock) X(msync) X(mincore) X(remap_file_pages)		\
	X(load) X(store) X(mem_write) X(vm_writev) X(fork) X(kill) X(scm)	\
	X(splice_in) X(splice_out) X(sendfile) X(copy_range) X(fdinfo) X(stat)	\
	X(file_misc) X(uring_enter) X(uring_read) X(uring_write) X(uring_poll)	\
	X(uring_other)

#define ENUM(name) C_##name,
enum call { CALLS(ENUM) N_CALLS };
#undef ENUM

extern const char * const call_names[];

struct counts {
	atomic_ullong calls;
	atomic_ullong ok;
	atomic_ullong err[MAX_ERRNO];
};

/* What all processes see. */
struct shared {
	atomic_ullong calls;
	uint64_t limit;
	atomic_bool stop;
	atomic_int finding;	/* how many there are */
	char findings[16][128];
	_Atomic pid_t worker[MAX_PROCS];
	_Atomic uint64_t digest;
	struct counts counts[N_CALLS];
	/* What the watcher saw. */
	atomic_ullong watched;
	atomic_ullong watched_lost;
};

struct options {
	uint64_t seed;
	uint64_t calls;
	unsigned int seconds;
	unsigned int procs;
	unsigned int threads;
	int uid;
	bool verbose;
	const char *devices[4];
	unsigned int n_devices;
};

extern struct options options;
extern struct shared *shared;

struct uring {
	int fd;
	unsigned int *sq_head, *sq_tail, *sq_mask, *sq_array;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	unsigned int entries;
};

struct thread {
	uint64_t rng;
	unsigned int index;
	pthread_t thread;
	_Atomic pid_t tid;
	char *part;		/* of the arena */
	struct uring uring;
	sigjmp_buf fault;
	volatile sig_atomic_t touching;
	struct ringbuf_info info;
	struct ringbuf_stats stats;
	bool child;
};

extern __thread struct thread *self;
extern char *arena;
extern struct thread threads[MAX_THREADS];

/* Random numbers: splitmix64. */
static inline uint64_t rnd(struct thread *t)
{
	uint64_t z = (t->rng += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static inline unsigned int below(struct thread *t, unsigned int n)
{
	return rnd(t) % n;
}

static inline bool once_in(struct thread *t, unsigned int n)
{
	return !below(t, n);
}

#define PICK(t, array)	((array)[below(t, ARRAY_SIZE(array))])

/* The system call's result, or -errno; counted. */
#define CALL(which, call) ({						\
	long ret_ = (call);						\
	count_call(C_##which, ret_ < 0 ? -errno : ret_);		\
})

long count_call(enum call call, long ret);
void finding(const char *format, ...) __attribute__((format(printf, 1, 2)));

int any_fd(struct thread *t);
int any_slot(struct thread *t);
size_t any_len(struct thread *t);
char *any_buf(struct thread *t);
uint64_t any_u64(struct thread *t);
char *any_page(struct thread *t);
size_t any_pages(struct thread *t);
long any_seq(struct thread *t);
size_t make_frames(struct thread *t, char *buf, size_t size);
void one_call(struct thread *t);

void uring_setup(struct thread *t);
void fuzz_uring(struct thread *t);
void fuzz_map(struct thread *t);
void fuzz_touch(struct thread *t);
void fuzz_files(struct thread *t);

void watch(const char *device);
bool report(double seconds);

#endif /* FUZZ_H */
