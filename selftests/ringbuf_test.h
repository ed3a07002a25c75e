/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every test of /dev/ringbuf needs: loading the module, system calls that
 * return -errno, payloads that can be checked, and waits that have an end.
 */
#ifndef RINGBUF_TEST_H
#define RINGBUF_TEST_H

#include "kselftest_harness.h"

/* Seconds after which a test is taken for hung: no machine is so busy. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 100

#include <fcntl.h>
#include <limits.h>
#include <linux/ringbuf.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>

#define RB_DEV		"/dev/ringbuf"
#define RB_HEADER	((int)sizeof(struct ringbuf_record))
#define RB_LOST_FRAME	((int)RINGBUF_FRAME_SIZE(sizeof(struct ringbuf_lost)))
#define RB_WAIT_MS	30000
#define RB_MAX		(1 << 18)

/* Not every test needs every helper. */
#define __maybe_unused	__attribute__((__unused__))

/* The result of a system call, or -errno. */
#define RC(call) ({							\
	long __rc = (call);						\
	(int)(__rc < 0 ? -errno : __rc);				\
})

static __maybe_unused long rb_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000L + ts.tv_nsec / 1000000;
}

static __maybe_unused uint64_t rb_clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static __maybe_unused uint64_t rb_now_ns(void)
{
	return rb_clock_ns(CLOCK_MONOTONIC);
}

/* The module */

/* Shared with the process of each test: the module must be put back. */
static bool *rb_reloaded;

static __maybe_unused int rb_insert(const char *params)
{
	const char *ko = getenv("RINGBUF_KO");
	int fd, ret;

	fd = RC(open(ko ? ko : "/ringbuf.ko", O_RDONLY | O_CLOEXEC));
	if (fd < 0)
		return fd;
	ret = RC(syscall(SYS_finit_module, fd, params, 0));
	close(fd);
	return ret;
}

static __maybe_unused int rb_remove(void)
{
	return RC(syscall(SYS_delete_module, "ringbuf", O_NONBLOCK));
}

/* A process that was killed a moment ago may still be closing its files. */
static __maybe_unused int rb_remove_wait(void)
{
	long end = rb_now_ms() + RB_WAIT_MS;
	int ret;

	while ((ret = rb_remove()) == -EWOULDBLOCK && rb_now_ms() < end)
		usleep(1000);
	if (ret == -EWOULDBLOCK)
		fprintf(stderr, "# the module is in use and stays so\n");
	return ret == -ENOENT ? 0 : ret;
}

/* A fresh ring: the first record is number 0 at position 0. */
static __maybe_unused int rb_load(const char *params)
{
	int ret = rb_remove_wait();

	*rb_reloaded = true;
	return ret ? ret : rb_insert(params);
}

static __maybe_unused void rb_restore(void)
{
	int ret;

	if (!*rb_reloaded)
		return;
	ret = rb_load("");
	if (ret)
		fprintf(stderr, "# cannot load the module again: %d\n", ret);
}

__attribute__((constructor)) static void rb_init(void)
{
	rb_reloaded = mmap(NULL, sizeof(*rb_reloaded), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/*
	 * Only the process that runs the tests exits by exit(), whatever
	 * happened to those that it started.
	 */
	atexit(rb_restore);
}

/* Where a spinlock is something to sleep on. */
static __maybe_unused bool rb_realtime(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.version, "PREEMPT_RT");
}

static __maybe_unused bool rb_linux_since(int major, int minor)
{
	struct utsname name;
	int a, b;

	return !uname(&name) && sscanf(name.release, "%d.%d", &a, &b) == 2 &&
	       (a > major || (a == major && b >= minor));
}

/* The device */

static __maybe_unused int rb_open(int flags)
{
	return RC(open(RB_DEV, flags | O_CLOEXEC));
}

static __maybe_unused int rb_info(int fd, struct ringbuf_info *info)
{
	memset(info, 0, sizeof(*info));
	info->struct_size = sizeof(*info);
	return RC(ioctl(fd, RINGBUF_IOC_GET_INFO, info));
}

static __maybe_unused int rb_stats(int fd, struct ringbuf_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->struct_size = sizeof(*stats);
	return RC(ioctl(fd, RINGBUF_IOC_GET_STATS, stats));
}

/* Where the cursor is: the seq of the next record, or -errno. */
static __maybe_unused long long rb_at(int fd)
{
	struct ringbuf_stats stats;
	int ret = rb_stats(fd, &stats);

	return ret ? ret : (long long)stats.seq;
}

static __maybe_unused int rb_set_consumer(int fd, uint32_t flags)
{
	struct ringbuf_consumer c = {
		.struct_size = sizeof(c), .flags = flags,
	};

	return RC(ioctl(fd, RINGBUF_IOC_SET_CONSUMER, &c));
}

static __maybe_unused int rb_set_mark(int fd, uint32_t flags, uint32_t bytes,
				      uint32_t records, uint64_t ns)
{
	struct ringbuf_consumer c = {
		.struct_size = sizeof(c), .flags = flags,
		.wake_bytes = bytes, .wake_records = records, .wake_ns = ns,
	};

	return RC(ioctl(fd, RINGBUF_IOC_SET_CONSUMER, &c));
}

static __maybe_unused int rb_set_writer(int fd, uint32_t flags)
{
	struct ringbuf_writer w = { .struct_size = sizeof(w), .flags = flags };

	return RC(ioctl(fd, RINGBUF_IOC_SET_WRITER, &w));
}

/* As rb_set_consumer(), but only what @mask names. */
static __maybe_unused int rb_set_masked(int fd, uint32_t flags, uint32_t mask)
{
	struct ringbuf_consumer c = {
		.struct_size = sizeof(c), .flags = flags, .mask = mask,
	};

	return RC(ioctl(fd, RINGBUF_IOC_SET_CONSUMER, &c));
}

static __maybe_unused int rb_advance(int fd, uint64_t pos)
{
	struct ringbuf_advance a = { .struct_size = sizeof(a), .pos = pos };

	return RC(ioctl(fd, RINGBUF_IOC_ADVANCE, &a));
}

static __maybe_unused int rb_fionread(int fd)
{
	int n = -1, ret = RC(ioctl(fd, FIONREAD, &n));

	return ret ? ret : n;
}

/* Most tests want a writer and a reader that does not block. */
struct rb_pair {
	int w;
	int r;
};

static __maybe_unused int rb_pair_open(struct rb_pair *p, const char *params)
{
	int ret = rb_load(params);

	if (ret)
		return ret;
	p->w = rb_open(O_WRONLY);
	p->r = rb_open(O_RDONLY | O_NONBLOCK);
	return p->w < 0 ? p->w : p->r < 0 ? p->r : 0;
}

static __maybe_unused void rb_pair_close(struct rb_pair *p)
{
	close(p->w);
	close(p->r);
}

/*
 * Payloads: every byte depends on the record's number and on its place; eight
 * of them tell all numbers apart.
 */

static __maybe_unused uint8_t rb_byte(uint64_t n, size_t i)
{
	return (n * 0x9e3779b97f4a7c15ULL >> i % 8 * 8) ^ (i * 11 + (i >> 8));
}

static __maybe_unused void rb_fill(void *buf, size_t len, uint64_t n)
{
	uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = rb_byte(n, i);
}

static __maybe_unused bool rb_intact(const void *buf, size_t len, uint64_t n)
{
	const uint8_t *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != rb_byte(n, i))
			return false;
	return true;
}

static __thread uint8_t rb_out[RB_MAX], rb_in[RB_MAX];

/* Writes record number @n; returns what write() did. */
static __maybe_unused int rb_put(int fd, uint64_t n, size_t len)
{
	rb_fill(rb_out, len, n);
	return RC(write(fd, rb_out, len));
}

/* Writes records @from .. @from + @count - 1. */
static __maybe_unused int rb_put_many(int fd, uint64_t from, uint64_t count, size_t len)
{
	uint64_t n;
	int ret;

	for (n = from; n < from + count; n++) {
		ret = rb_put(fd, n, len);
		if (ret != (int)len)
			return ret < 0 ? ret : -EIO;
	}
	return 0;
}

/*
 * Reads one record: its length when it is record @n, intact; -EBADMSG when it
 * is not; or -errno.
 */
static __maybe_unused int rb_get(int fd, uint64_t n)
{
	int ret = RC(read(fd, rb_in, sizeof(rb_in)));

	if (ret <= 0)
		return ret;
	return rb_intact(rb_in, ret, n) ? ret : -EBADMSG;
}

/* Builds the frame of record number @n in @dst; returns its size. */
static __maybe_unused size_t rb_frame(void *dst, uint64_t n, uint32_t len, uint16_t type)
{
	struct ringbuf_record rec = { .len = len, .type = type };
	size_t size = RINGBUF_FRAME_SIZE(len);

	memset(dst, 0, size);
	memcpy(dst, &rec, sizeof(rec));
	rb_fill((char *)dst + sizeof(rec), len, n);
	return size;
}

static __maybe_unused const struct ringbuf_record *rb_next(const struct ringbuf_record *rec)
{
	return (const void *)((const char *)rec + RINGBUF_FRAME_SIZE(rec->len));
}

/* Is @rec the frame of record @n with @len bytes, sequence number @n? */
static __maybe_unused bool rb_frame_ok(const struct ringbuf_record *rec, uint64_t n,
		      uint32_t len)
{
	const uint8_t *p = (const uint8_t *)(rec + 1);
	size_t i;

	if (rec->len != len || rec->flags || rec->seq != n)
		return false;
	for (i = len; i < RINGBUF_FRAME_SIZE(len) - sizeof(*rec); i++)
		if (p[i])
			return false;
	return rb_intact(p, len, n);
}

static __maybe_unused const struct ringbuf_lost *rb_lost(const void *frame)
{
	const struct ringbuf_record *rec = frame;

	if (rec->flags != RINGBUF_RECORD_LOST ||
	    rec->len != sizeof(struct ringbuf_lost))
		return NULL;
	return (const void *)(rec + 1);
}

/* Waits */

static __maybe_unused void rb_show_task(pid_t tid, const char *what)
{
	static const char * const files[] = { "stat", "wchan", "syscall" };
	char path[64], buf[256];
	size_t i;
	int fd, n;

	fprintf(stderr, "# %s: task %d\n", what, tid);
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", tid, files[i]);
		fd = open(path, O_RDONLY);
		n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
		if (n > 0)
			fprintf(stderr, "#   %s: %.*s\n", files[i], n, buf);
		if (fd >= 0)
			close(fd);
	}
}

/* The file says "running" unless the task sleeps in that system call. */
static __maybe_unused bool rb_in_syscall(pid_t tid, long nr)
{
	char path[64], buf[32] = "", *end;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/syscall", tid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	if (read(fd, buf, sizeof(buf) - 1) < 0)
		buf[0] = 0;
	close(fd);
	return strtol(buf, &end, 10) == nr && end != buf;
}

/* Waits until task @tid sleeps in system call @nr. */
static __maybe_unused bool rb_wait_blocked(pid_t tid, long nr)
{
	long end = rb_now_ms() + RB_WAIT_MS;

	while (!rb_in_syscall(tid, nr)) {
		if (rb_now_ms() > end) {
			rb_show_task(tid, "does not sleep in the call");
			return false;
		}
		usleep(500);
	}
	return true;
}

/* Waits until *@v is @want. */
static __maybe_unused bool rb_wait_value(atomic_long *v, long want, const char *what)
{
	long end = rb_now_ms() + RB_WAIT_MS;

	while (atomic_load(v) != want) {
		if (rb_now_ms() > end) {
			fprintf(stderr, "# %s: %ld, not %ld\n", what,
				atomic_load(v), want);
			return false;
		}
		usleep(500);
	}
	return true;
}

/* Waits for a thread to end. */
static __maybe_unused int rb_join(pthread_t thread, const char *what)
{
	struct timespec ts;
	int ret;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += RB_WAIT_MS / 1000;
	ret = pthread_timedjoin_np(thread, NULL, &ts);
	if (ret)
		fprintf(stderr, "# %s does not end\n", what);
	return -ret;
}

/* Newer architectures have only the more general calls. */
#ifndef SYS_poll
#define SYS_poll SYS_ppoll
#endif
#ifndef SYS_epoll_wait
#define SYS_epoll_wait SYS_epoll_pwait
#endif

/* A system call in a thread of its own, to see whether it blocks. */
struct rb_op {
	pthread_t thread;
	long nr;
	long arg[3];
	atomic_int tid;
	int ret;
};

static __maybe_unused void *rb_op_main(void *arg)
{
	struct rb_op *op = arg;

	atomic_store(&op->tid, syscall(SYS_gettid));
	if (op->nr == SYS_ppoll)
		op->ret = RC(syscall(op->nr, op->arg[0], op->arg[1], NULL, NULL, 0L));
	else /* A fourth argument would be a timeout: none. */
		op->ret = RC(syscall(op->nr, op->arg[0], op->arg[1], op->arg[2], -1L,
				     NULL, 0L));
	return NULL;
}

static __maybe_unused int rb_op_start(struct rb_op *op, long nr, long a, void *b, long c)
{
	int ret;

	op->nr = nr;
	op->arg[0] = a;
	op->arg[1] = (long)b;
	op->arg[2] = c;
	atomic_store(&op->tid, 0);
	ret = pthread_create(&op->thread, NULL, rb_op_main, op);
	while (!ret && !atomic_load(&op->tid))
		sched_yield();
	return -ret;
}

static __maybe_unused bool rb_op_blocked(struct rb_op *op)
{
	return rb_wait_blocked(atomic_load(&op->tid), op->nr);
}

/* Starts the call and sees it block. */
static __maybe_unused bool rb_op_block(struct rb_op *op, long nr, long a, void *b, long c)
{
	return !rb_op_start(op, nr, a, b, c) && rb_op_blocked(op);
}

/* What the call returned, or -ETIMEDOUT. */
static __maybe_unused int rb_op_wait(struct rb_op *op)
{
	int ret = rb_join(op->thread, "system call");

	if (ret)
		rb_show_task(atomic_load(&op->tid), "still in the call");
	return ret ? ret : op->ret;
}

/* Two pages, of which the second cannot be touched. */
static __maybe_unused char *rb_guarded(size_t *page)
{
	char *mem;

	*page = getpagesize();
	mem = mmap(NULL, 2 * *page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED || mprotect(mem + *page, *page, PROT_NONE))
		abort();
	return mem;
}

static __maybe_unused bool rb_quick(void)
{
	const char *level = getenv("RINGBUF_TEST_LEVEL");

	return !level || strcmp(level, "full");
}

/* Waits for a child; its exit code, or -signal. */
static __maybe_unused int rb_reap(pid_t pid)
{
	long end = rb_now_ms() + RB_WAIT_MS;
	int status, ret;

	while ((ret = RC(waitpid(pid, &status, WNOHANG))) == 0) {
		if (rb_now_ms() > end) {
			rb_show_task(pid, "child does not end");
			kill(pid, SIGKILL);
			return -ETIMEDOUT;
		}
		usleep(500);
	}
	if (ret < 0)
		return ret;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#endif /* RINGBUF_TEST_H */
