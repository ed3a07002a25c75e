// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation and every copy that a call makes fails in turn: the first one,
 * then the second, until the call makes fewer. By /proc/thread-self/fail-nth, on a
 * kernel with FAULT_INJECTION. Each call is tried twice: where it passes through
 * the module, when its answer has to be the right one; and anywhere in the kernel.
 *	failnth [-q] [PATTERN]	-q: a part of what takes long
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/io_uring.h>
#include <linux/ringbuf.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEV	"/dev/ringbuf"
#define DIR	"/sys/kernel/config/ringbuf/fail"
#define MAX_N	4000
#define SIZE	(16 << 10)

#define RC(call) ({							\
	long rc_ = (call);						\
	rc_ < 0 ? -errno : rc_;						\
})

static bool quick;
static int fail_nth, kmsg;
static int w, r, other;	/* files of the call at hand */
static char *map;
static char buf[SIZE];

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool put(const char *path, const char *format, ...)
{
	char text[64];
	va_list args;
	int fd, n, ret;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ret = fd < 0 ? -1 : write(fd, text, n);
	close(fd);
	return ret == n;
}

static unsigned long get(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	close(fd);
	if (n <= 0)
		die(path);
	return strtoul(text, NULL, 0);
}

/* The injection */

static const char * const faults[] = { "failslab", "fail_page_alloc", "fail_usercopy" };

static void knob(const char *fault, const char *name, const char *format, unsigned long value)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", fault, name);
	if (!put(path, format, value))
		die(path);
}

/*
 * What kmemleak allocates for each object is its own: it has a pool for when it
 * cannot. Its functions lie in a row.
 */
static void not_within_kmemleak(void)
{
	static const char * const names[] = {
		"kmemleak_alloc", "kmemleak_vmalloc", "kmemleak_alloc_percpu",
		"kmemleak_free", "kmemleak_no_scan", "kmemleak_not_leak",
	};
	unsigned long address, start = -1UL, end = 0;
	char line[256], type, name[128];
	FILE *f = fopen("/proc/kallsyms", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx %c %127s", &address, &type, name) != 3)
			continue;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (strcmp(name, names[i]))
				continue;
			start = address < start ? address : start;
			end = address > end ? address : end;
		}
	}
	fclose(f);
	if (start > end)
		return;
	for (int i = 0; i < 3; i++) {
		knob(faults[i], "reject-start", "%lu", start);
		/* The last of them is not longer. */
		knob(faults[i], "reject-end", "%lu", end + 512);
	}
}

/* Only below a function between these addresses; 0 and -1: anywhere. */
static void only_within(unsigned long start, unsigned long end)
{
	for (int i = 0; i < 3; i++) {
		knob(faults[i], "require-start", "%lu", start);
		knob(faults[i], "require-end", "%lu", end);
	}
}

static void set_up_faults(void)
{
	for (int i = 0; i < 3; i++) {
		/* One line for each, no stack. */
		knob(faults[i], "verbose", "%lu", 1);
		knob(faults[i], "stacktrace-depth", "%lu", 32);
		knob(faults[i], "verbose_ratelimit_interval_ms", "%lu", 0);
	}
	knob("failslab", "ignore-gfp-wait", "%lu", 0);
	knob("fail_page_alloc", "ignore-gfp-wait", "%lu", 0);
	knob("fail_page_alloc", "ignore-gfp-highmem", "%lu", 0);
	knob("fail_page_alloc", "min-order", "%lu", 0);
	not_within_kmemleak();
}

static void arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(fail_nth, text, len, 0) != len)
		die("fail-nth");
}

/* Was the call made to fail? Reading may itself be what fails. */
static bool disarm(void)
{
	char text[16] = "";
	long n = pread(fail_nth, text, sizeof(text) - 1, 0);

	while (pwrite(fail_nth, "0", 1, 0) != 1)
		;
	return n > 0 && !atoi(text);
}

/* Was it a copy to or from user memory? Who asks for no warning tells nothing. */
static bool was_copy(void)
{
	static char line[8192];
	bool copy = false;
	long n;

	while ((n = read(kmsg, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		line[n > 0 ? n : 0] = 0;
		if (strstr(line, "name fail_usercopy"))
			copy = true;
	}
	return copy;
}

/* The calls: what each needs, does, and leaves behind */

static void need(bool there, const char *what)
{
	if (!there)
		die(what);
}

static void with_reader(void)
{
	r = open(DEV, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	need(r >= 0, "reader");
}

static void with_both(void)
{
	with_reader();
	w = open(DEV, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	need(w >= 0, "writer");
	lseek(r, 0, SEEK_END);
}

static void with_records(void)
{
	with_both();
	for (int i = 0; i < 3; i++)
		need(write(w, buf, 3000) == 3000, "record");
}

static void framed(int fd, bool writer)
{
	struct ringbuf_consumer c = { sizeof(c), RINGBUF_CONSUMER_FRAMED, 0, 0, 0 };
	struct ringbuf_writer f = { sizeof(f), RINGBUF_WRITER_FRAMED };

	need(!ioctl(fd, writer ? RINGBUF_IOC_SET_WRITER : RINGBUF_IOC_SET_CONSUMER,
		    writer ? (void *)&f : (void *)&c), "framed");
}

static void with_frames(void)
{
	with_records();
	framed(r, false);
}

static void with_loss(void)
{
	with_frames();
	for (int i = 0; i < 8; i++)
		need(write(w, buf, SIZE / 2) == SIZE / 2, "record");
}

static void with_framed_writer(void)
{
	const struct ringbuf_record rec = { .len = 1000 };

	with_both();
	framed(w, true);
	for (int i = 0; i < 4; i++)
		memcpy(buf + i * 1024, &rec, sizeof(rec));
}

static long call_open_reader(void)
{
	return r = RC(open(DEV, O_RDONLY | O_CLOEXEC));
}

static long call_open_writer(void)
{
	return w = RC(open(DEV, O_WRONLY | O_CLOEXEC));
}

static long call_open_both(void)
{
	return w = RC(open(DEV, O_RDWR | O_CLOEXEC));
}

static long call_read(void)
{
	return RC(read(r, buf, sizeof(buf)));
}

static long call_write(void)
{
	return RC(write(w, buf, 5000));
}

static long call_write_frames(void)
{
	return RC(write(w, buf, 4096));
}

static long call_lseek(void)
{
	return RC(lseek(r, 0, SEEK_DATA));
}

static long call_set_reliable(void)
{
	struct ringbuf_consumer c = { sizeof(c), RINGBUF_CONSUMER_RELIABLE, 0, 0, 0 };
	long ret = RC(ioctl(r, RINGBUF_IOC_SET_CONSUMER, &c));

	return ret;
}

static long call_get_info(void)
{
	struct ringbuf_info info = { .struct_size = sizeof(info) };

	return RC(ioctl(r, RINGBUF_IOC_GET_INFO, &info));
}

static long call_get_stats(void)
{
	struct ringbuf_stats stats = { .struct_size = sizeof(stats) };

	return RC(ioctl(r, RINGBUF_IOC_GET_STATS, &stats));
}

static long call_poll(void)
{
	struct pollfd p = { r, POLLIN, 0 };

	return RC(poll(&p, 1, 1));
}

static long call_epoll(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	long ret;

	other = RC(epoll_create1(EPOLL_CLOEXEC));
	if (other < 0)
		return other;
	ret = RC(epoll_ctl(other, EPOLL_CTL_ADD, r, &e));
	return ret ? ret : RC(epoll_wait(other, &e, 1, 0));
}

static long call_map(void)
{
	struct ringbuf_info info = { .struct_size = sizeof(info) };
	volatile char sum = 0;
	long ret;

	map = mmap(NULL, 4096 + 2 * 65536, PROT_READ, MAP_SHARED, r, 0);
	if (map == MAP_FAILED)
		return -errno;
	for (int i = 0; i < 4096 + 2 * 65536; i += 4096)
		sum += map[i];
	ret = RC(mprotect(map + 4096, 4096, PROT_NONE));
	return ret ? ret : RC(ioctl(r, RINGBUF_IOC_GET_INFO, &info));
}

static long call_fork(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(0);
	return waitpid(pid, &status, 0) == pid && !status ? 0 : -EIO;
}

static long call_splice(void)
{
	int fds[2];
	long ret;

	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC))
		return -errno;
	ret = RC(splice(r, NULL, fds[1], NULL, 3000, SPLICE_F_NONBLOCK));
	close(fds[0]);
	close(fds[1]);
	return ret;
}

/* Raw, as the rest of the tests: one read by the ring's first entry. */
static long call_uring(void)
{
	struct io_uring_params p = {};
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	char *rings;
	long ret;

	other = RC(syscall(SYS_io_uring_setup, 2, &p));
	if (other < 0)
		return other;
	rings = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
	sqe = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, other, IORING_OFF_SQES);
	if (rings == MAP_FAILED || (void *)sqe == MAP_FAILED) {
		ret = -errno;
		goto out;
	}
	*sqe = (struct io_uring_sqe){
		.opcode = IORING_OP_READ, .fd = r, .off = -1ULL,
		.addr = (uintptr_t)buf, .len = sizeof(buf),
	};
	*(unsigned int *)(rings + p.sq_off.array) = 0;
	*(unsigned int *)(rings + p.sq_off.tail) = 1;
	ret = RC(syscall(SYS_io_uring_enter, other, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	cqe = (void *)(rings + p.cq_off.cqes);
	if (ret >= 0)
		ret = ret && *(unsigned int *)(rings + p.cq_off.tail) ? cqe->res : -EAGAIN;
out:
	if (rings != MAP_FAILED)
		munmap(rings, 4096);
	if ((void *)sqe != MAP_FAILED)
		munmap(sqe, 4096);
	return ret;
}

static long read_file(const char *path)
{
	long ret;

	other = RC(open(path, O_RDONLY | O_CLOEXEC));
	if (other < 0)
		return other;
	ret = RC(read(other, buf, 1024));
	return ret;
}

static long call_fdinfo(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", r);
	return read_file(path);
}

static long call_sysfs(void)
{
	return read_file("/sys/class/misc/ringbuf/head");
}

static long write_file(const char *path, const char *text)
{
	other = RC(open(path, O_WRONLY | O_CLOEXEC));
	return other < 0 ? other : RC(write(other, text, strlen(text)));
}

static void with_dir(void)
{
	need(!mkdir(DIR, 0755) && put(DIR "/size", "8192"), DIR);
}

static void with_ring(void)
{
	with_dir();
	need(put(DIR "/live", "1"), DIR);
}

static long call_mkdir(void)
{
	return RC(mkdir(DIR, 0755));
}

static long call_live(void)
{
	return write_file(DIR "/live", "1");
}

static long call_dead(void)
{
	return write_file(DIR "/live", "0");
}

static long call_rmdir(void)
{
	return RC(rmdir(DIR));
}

static long call_close(void)
{
	long ret = RC(close(r));

	r = -1;
	return ret;
}

static void unloaded(void)
{
	need(!syscall(SYS_delete_module, "ringbuf", O_NONBLOCK), "rmmod");
}

static long load(const char *parameters)
{
	int fd = RC(open("/ringbuf.ko", O_RDONLY | O_CLOEXEC));
	long ret = fd < 0 ? fd : RC(syscall(SYS_finit_module, fd, parameters, 0));

	close(fd);
	return ret;
}

static long call_load(void)
{
	return load("reliable=1 size=4096");
}

static long call_unload(void)
{
	return RC(syscall(SYS_delete_module, "ringbuf", O_NONBLOCK));
}

static bool loaded(void)
{
	return !access("/sys/module/ringbuf", F_OK);
}

static void tidy(void)
{
	if (map && map != MAP_FAILED)
		munmap(map, 4096 + 2 * 65536);
	map = NULL;
	if (r >= 0)
		close(r);
	if (w >= 0)
		close(w);
	if (other >= 0)
		close(other);
	r = w = other = -1;
	rmdir(DIR);
	if (!loaded())
		need(!load("reliable=1 size=65536"), "insmod");
}

/* Nobody has the ring open: so it has to say, however the last call failed. */
static bool nobody_left(void)
{
	struct ringbuf_info info = { .struct_size = sizeof(info) };
	int fd = open(DEV, O_RDONLY | O_CLOEXEC);
	bool good = fd >= 0 && !ioctl(fd, RINGBUF_IOC_GET_INFO, &info) &&
		    info.consumers == 1 && !info.reliable_consumers &&
		    !(info.flags & RINGBUF_RING_WRITER);

	close(fd);
	if (!good)
		printf("# left: %u consumers, %u reliable, flags %#x\n", info.consumers,
		       info.reliable_consumers, info.flags);
	return good && access("/dev/ringbuf-fail", F_OK);
}

/* What a call that was made to fail may answer, besides what is right. */
#define PARTIAL		1	/* success: it did without, or did less */
#define ONLY_OURS	2	/* elsewhere it is the kernel's own business */
#define NO_FAULT	4	/* there is nothing in it that can fail in the module */
#define SLOW		8	/* a second each: some of them will do, unless asked for */

static const struct scenario {
	const char *name;
	void (*prepare)(void);
	long (*call)(void);
	int flags;
} scenarios[] = {
	{ "open to read", NULL, call_open_reader, 0 },
	{ "open to write", NULL, call_open_writer, 0 },
	{ "open to read and write", NULL, call_open_both, 0 },
	{ "close", with_both, call_close, NO_FAULT },
	{ "read", with_records, call_read, 0 },
	{ "read, FRAMED", with_frames, call_read, PARTIAL },
	{ "read of a loss, FRAMED", with_loss, call_read, PARTIAL },
	{ "write", with_both, call_write, 0 },
	{ "write, FRAMED", with_framed_writer, call_write_frames, PARTIAL },
	{ "lseek", with_records, call_lseek, NO_FAULT },
	{ "SET_CONSUMER, reliable", with_both, call_set_reliable, 0 },
	{ "GET_INFO", with_both, call_get_info, 0 },
	{ "GET_STATS", with_both, call_get_stats, 0 },
	{ "poll", with_both, call_poll, NO_FAULT },
	{ "epoll", with_records, call_epoll, 0 },
	{ "mmap, faults, mprotect", with_records, call_map, 0 },
	{ "fork of a map", with_records, call_fork, NO_FAULT },
	{ "splice", with_records, call_splice, PARTIAL | NO_FAULT },
	{ "io_uring read", with_records, call_uring, 0 },
	{ "fdinfo", with_both, call_fdinfo, NO_FAULT },
	{ "sysfs", with_both, call_sysfs, NO_FAULT },
	{ "configfs mkdir", NULL, call_mkdir, 0 },
	{ "configfs live=1", with_dir, call_live, PARTIAL },
	{ "configfs live=0", with_ring, call_dead, PARTIAL },
	{ "configfs rmdir", with_ring, call_rmdir, PARTIAL },
	{ "insmod", unloaded, call_load, PARTIAL | ONLY_OURS | SLOW },
	{ "rmmod", NULL, call_unload, PARTIAL | ONLY_OURS | NO_FAULT },
};

static bool right(const struct scenario *s, bool ours, long ret, bool copy)
{
	if (ret == (copy ? -EFAULT : -ENOMEM))
		return true;
	if (ret >= 0)
		return !ours || (s->flags & PARTIAL);
	/* Elsewhere some have reasons of their own. */
	return !ours && (ret == -ENOMEM || ret == -EFAULT || ret == -EAGAIN ||
			 ret == -ENOSPC || ret == -ENFILE);
}

static bool try_all(const struct scenario *s, bool ours)
{
	unsigned int n, failed = 0, ok = 0, copies = 0;
	bool good = true, injected = true, copy;
	long ret = 0;

	for (n = 1; injected && n < MAX_N && good;
	     n += s->flags & SLOW && quick ? 1 + n / 4 : 1) {
		if (s->prepare)
			s->prepare();
		was_copy();
		arm(n);
		ret = s->call();
		injected = disarm();
		copy = was_copy();
		if (injected && !right(s, ours, ret, copy)) {
			printf("# fault %u, %s: %ld\n", n,
			       copy ? "of a copy" : "of an allocation", ret);
			good = false;
		}
		if (!injected && ret < 0) {
			printf("# without a fault, after %u: %ld\n", n - 1, ret);
			good = false;
		}
		failed += injected && ret < 0;
		ok += injected && ret >= 0;
		copies += injected && copy;
		tidy();
		good = nobody_left() && good;
	}
	printf("# %u faults, %u of copies: %u times an error, %u times none\n",
	       failed + ok, copies, failed, ok);
	if (ours && !(s->flags & NO_FAULT) && !(failed + ok)) {
		/* The ioctls' structures are copied word by word in part. */
		printf("# nothing was made to fail\n");
		good = false;
	}
	return good && n < MAX_N;
}

int main(int argc, char **argv)
{
	const char *pattern;
	unsigned int i, count = 0, bad = 0;
	unsigned long text;

	setvbuf(stdout, NULL, _IOLBF, 0);
	quick = argc > 1 && !strcmp(argv[1], "-q");
	argc -= quick;
	argv += quick;
	pattern = argc > 1 ? argv[1] : "*";
	/* Else its pages would be among what can fail. */
	memset(buf, 1, sizeof(buf));
	r = w = other = -1;
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (kmsg < 0 || fail_nth < 0)
		die("this kernel cannot inject faults");
	lseek(kmsg, 0, SEEK_END);
	set_up_faults();
	if (!loaded())
		need(!load("reliable=1 size=65536"), "insmod");
	printf("TAP version 13\n");
	for (i = 0; i < 2 * sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		const struct scenario *s = &scenarios[i / 2];
		bool good, ours = i % 2 == 0;

		if (fnmatch(pattern, s->name, 0) || (!ours && (s->flags & ONLY_OURS)))
			continue;
		/* When it is loaded its addresses are not known before. */
		text = get("/sys/module/ringbuf/sections/.text");
		if (!ours)
			only_within(0, -1UL);
		else if (s->flags & ONLY_OURS)
			only_within(0xffffffffa0000000UL, 0xffffffffff000000UL);
		else
			only_within(text, text + get("/sys/module/ringbuf/coresize"));
		good = try_all(s, ours);
		printf("%sok %u %s, %s\n", good ? "" : "not ", ++count, s->name,
		       ours ? "in the module" : "anywhere");
		bad += !good;
	}
	printf("1..%u\n", count);
	return bad != 0;
}
