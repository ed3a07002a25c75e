// SPDX-License-Identifier: GPL-2.0
/*
 * Every allocation and every copy that a call makes fails in turn: the first one,
 * then the second, until the call makes fewer. By /proc/thread-self/fail-nth, on a
 * kernel with FAULT_INJECTION. Each call is tried twice: where it passes through
 * the module, when its answer has to be the right one; and anywhere in the kernel.
 *	failnth [-q] [PATTERN]	-q: a part of what takes long
 */
#include "failnth.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/ringbuf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MAX_N	4000

static bool quick;
static int fail_nth, kmsg;

void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

bool put(const char *path, const char *format, ...)
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
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
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

/*
 * What was made to fail, by the kernel's log. It says nothing of an allocation with
 * __GFP_NOWARN, and such are those that the kernel can do without: the larger slab,
 * when a cache has no object left, before the smaller one; where a stack is noted for
 * KASAN. They come when they are due, in whatever call that is. (The pages of a ring
 * are such, too.)
 */
enum fault { UNTOLD, ALLOCATION, COPY };

static const char * const fault_names[] = {
	"of what can be done without", "of an allocation", "of a copy",
};

static enum fault what_failed(void)
{
	static char line[8192];
	enum fault fault = UNTOLD;
	long n;

	while ((n = read(kmsg, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		line[n > 0 ? n : 0] = 0;
		if (strstr(line, "name fail_usercopy"))
			fault = COPY;
		else if (strstr(line, "name failslab") || strstr(line, "name fail_page_alloc"))
			fault = ALLOCATION;
	}
	return fault;
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

static bool right(const struct scenario *s, bool ours, long ret, enum fault fault)
{
	if (ret == (fault == COPY ? -EFAULT : -ENOMEM))
		return true;
	if (ret >= 0)
		return !ours || fault == UNTOLD || (s->flags & PARTIAL);
	/* Elsewhere some have reasons of their own. */
	return !ours && (ret == -ENOMEM || ret == -EFAULT || ret == -EAGAIN ||
			 ret == -ENOSPC || ret == -ENFILE);
}

static bool try_all(const struct scenario *s, bool ours)
{
	unsigned int n, failed = 0, ok = 0, copies = 0, untold = 0;
	bool good = true, injected = true;
	enum fault fault;
	long ret = 0;

	for (n = 1; injected && n < MAX_N && good;
	     n += s->flags & SLOW && quick ? 1 + n / 4 : 1) {
		if (s->prepare)
			s->prepare();
		what_failed();
		arm(n);
		ret = s->call();
		injected = disarm();
		fault = what_failed();
		if (injected && !right(s, ours, ret, fault)) {
			printf("# fault %u, %s: %ld\n", n, fault_names[fault], ret);
			good = false;
		}
		if (!injected && ret < 0) {
			printf("# without a fault, after %u: %ld\n", n - 1, ret);
			good = false;
		}
		failed += injected && ret < 0;
		ok += injected && ret >= 0;
		copies += injected && fault == COPY;
		untold += injected && fault == UNTOLD;
		tidy();
		good = nobody_left() && good;
	}
	printf("# %u faults, %u of copies, %u untold: %u times an error, %u times none\n",
	       failed + ok, copies, untold, failed, ok);
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
	/*
	 * The kernel kills who cannot be told which CPU it is on, and that is a copy
	 * to user memory. Who does not want to know is spared.
	 */
	if (!getenv("GLIBC_TUNABLES")) {
		setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1);
		execv("/proc/self/exe", argv);
		die("/proc/self/exe");
	}
	quick = argc > 1 && !strcmp(argv[1], "-q");
	argc -= quick;
	argv += quick;
	pattern = argc > 1 ? argv[1] : "*";
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (kmsg < 0 || fail_nth < 0)
		die("this kernel cannot inject faults");
	lseek(kmsg, 0, SEEK_END);
	set_up_faults();
	set_up_calls();
	printf("TAP version 13\n");
	for (i = 0; i < 2 * n_scenarios; i++) {
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
