// SPDX-License-Identifier: GPL-2.0
/*
 * Everything at once, for as long as one likes: writers and readers of all kinds
 * that come, go and are killed, rings that are made and destroyed under them, and
 * after some seconds of that the module goes, and a new one comes. What they use of
 * memory is the same in the end.
 *	soak SECONDS [SEED]
 */
#include "soak.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define RINGS		4	/* the default one is number 0 */
#define CHILDREN	16
#define DIR		"/sys/kernel/config/ringbuf"

struct soak *soak;

static uint64_t seed;
static pid_t children[CHILDREN];
static bool live[RINGS];
static unsigned int cycles, kills, made;

void found(const char *format, ...)
{
	int n = atomic_fetch_add(&soak->found, 1);
	va_list args;

	if (n >= (int)ARRAY_SIZE(soak->text))
		return;
	va_start(args, format);
	vsnprintf(soak->text[n], sizeof(soak->text[n]), format, args);
	va_end(args);
}

static bool put(const char *text, const char *format, ...)
{
	char path[128];
	va_list args;
	int fd;
	ssize_t n;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

static bool load(void)
{
	static const char * const sizes[] = { "4096", "65536", "1048576" };
	char params[128];
	int fd = open("/ringbuf.ko", O_RDONLY | O_CLOEXEC);
	long ret;

	snprintf(params, sizeof(params), "mode=0666 reliable=1 stall_ms=%u size=%s",
		 (unsigned int)(20 + rnd(&seed) % 100), sizes[rnd(&seed) % 3]);
	ret = syscall(SYS_finit_module, fd, params, 0);
	if (ret)
		found("insmod %s: %s", params, strerror(errno));
	close(fd);
	live[0] = !ret;
	return !ret;
}

static void unload(void)
{
	double end = now() + 20;
	long ret;

	/* Who was killed a moment ago may be closing its files. */
	while ((ret = syscall(SYS_delete_module, "ringbuf", O_NONBLOCK)) &&
	       (errno == EWOULDBLOCK || errno == EBUSY) && now() < end)
		usleep(10000);
	if (ret)
		found("rmmod: %s", strerror(errno));
	live[0] = false;
}

static void make_ring(unsigned int i)
{
	static const char * const sizes[] = { "4096", "16384", "262144" };
	char path[64];

	snprintf(path, sizeof(path), DIR "/s%u", i);
	if (mkdir(path, 0755) && errno != EEXIST) {
		found("mkdir %s: %s", path, strerror(errno));
		return;
	}
	if (!put(sizes[rnd(&seed) % 3], "%s/size", path) || !put("1", "%s/reliable", path) ||
	    !put("25", "%s/stall_ms", path) || !put("1", "%s/live", path)) {
		found("making ring %u: %s", i, strerror(errno));
		return;
	}
	live[i] = true;
	made++;
}

static void end_ring(unsigned int i)
{
	char path[64];

	snprintf(path, sizeof(path), DIR "/s%u", i);
	live[i] = false;
	/* By either way. */
	if (rnd(&seed) % 2 ? !put("0", "%s/live", path) : rmdir(path) != 0)
		found("ending ring %u: %s", i, strerror(errno));
}

static const char *device(unsigned int ring)
{
	static char name[64];

	snprintf(name, sizeof(name), ring ? "/dev/ringbuf-s%u" : "/dev/ringbuf", ring);
	return name;
}

static void start(unsigned int i)
{
	/* One writer and some readers for each ring. */
	unsigned int ring = i % RINGS;
	uint64_t own = rnd(&seed);
	pid_t pid;

	if (!live[ring])
		return;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (i < RINGS)
			soak_write(device(ring), own);
		else
			soak_read(device(ring), own);
		_exit(0);
	}
	children[i] = pid;
}

static void reap(bool again)
{
	unsigned int i;
	int status;

	for (i = 0; i < CHILDREN; i++) {
		if (children[i] && waitpid(children[i], &status, WNOHANG) == children[i]) {
			if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
				found("child died of signal %d", WTERMSIG(status));
			children[i] = 0;
		}
		if (!children[i] && again)
			start(i);
	}
}

/* None sleeps for ever, so all end when they are told to. */
static void stop_all(void)
{
	double end = now() + 30;
	bool any = true;
	unsigned int i;

	atomic_store(&soak->stop, true);
	while (any && now() < end) {
		reap(false);
		any = false;
		for (i = 0; i < CHILDREN; i++)
			any |= children[i] != 0;
		usleep(5000);
	}
	for (i = 0; i < CHILDREN; i++) {
		if (!children[i])
			continue;
		found("child %u does not end", i);
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
		children[i] = 0;
	}
	atomic_store(&soak->stop, false);
}

static void stir(void)
{
	unsigned int i;

	reap(true);
	if (rnd(&seed) % 8 == 0) {
		i = rnd(&seed) % CHILDREN;
		if (children[i] && !kill(children[i], SIGKILL))
			kills++;
	}
	if (rnd(&seed) % 30 == 0) {
		i = 1 + rnd(&seed) % (RINGS - 1);
		if (live[i])
			end_ring(i);
		else
			make_ring(i);
	}
	usleep(20000);
}

static void cycle(double seconds)
{
	double end = now() + seconds;
	char path[64];
	unsigned int i;

	if (!load())
		return;
	for (i = 1; i < RINGS; i++)
		make_ring(i);
	while (now() < end && !atomic_load(&soak->found))
		stir();
	/* Half of the time the rings go first. */
	if (rnd(&seed) % 2)
		stop_all();
	for (i = 1; i < RINGS; i++) {
		snprintf(path, sizeof(path), DIR "/s%u", i);
		if (rmdir(path) && errno != ENOENT)
			found("rmdir %s: %s", path, strerror(errno));
		live[i] = false;
	}
	stop_all();
	unload();
	cycles++;
}

/* Memory */

struct memory {
	long slab;
	long vmalloc;
	long used;
	long rings;	/* areas of vmalloc that are ours */
};

static long count_areas(void)
{
	char line[256];
	FILE *f = fopen("/proc/vmallocinfo", "r");
	long n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += !!strstr(line, "[ringbuf]");
	if (f)
		fclose(f);
	return n;
}

static struct memory look(void)
{
	struct memory m = { 0 };
	long value, total = 0, spare = 0;
	char line[256], name[64];
	FILE *f;

	/* What is only kept for a next time is no leak. */
	sync();
	put("3", "/proc/sys/vm/drop_caches");
	usleep(300000);
	f = fopen("/proc/meminfo", "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63[^:]: %ld", name, &value) != 2)
			continue;
		if (!strcmp(name, "SUnreclaim"))
			m.slab = value;
		else if (!strcmp(name, "VmallocUsed"))
			m.vmalloc = value;
		else if (!strcmp(name, "MemTotal"))
			total = value;
		else if (!strcmp(name, "MemFree") || !strcmp(name, "Buffers") ||
			 !strcmp(name, "Cached") || !strcmp(name, "SReclaimable"))
			spare += value;
	}
	if (f)
		fclose(f);
	m.used = total - spare;
	m.rings = count_areas();
	return m;
}

static bool tell(bool good, const char *name)
{
	static unsigned int count;

	printf("%sok %u %s\n", good ? "" : "not ", ++count, name);
	return good;
}

/* KiB that may come and go: caches of each CPU, the quarantine of KASAN. */
#define SLACK_SLAB	2048
#define SLACK_USED	8192

static bool report(const struct memory *a, const struct memory *b, double seconds)
{
	bool good = true;
	int i;

	printf("# %.0f s, %u loads, %u rings, %u kills\n", seconds, cycles, made, kills);
	printf("# written %llu, read %llu, lost %llu; accounts %llu, %llu of them to the end; %llu demoted\n",
	       (unsigned long long)soak->written, (unsigned long long)soak->read,
	       (unsigned long long)soak->lost, (unsigned long long)soak->accounts,
	       (unsigned long long)soak->ends, (unsigned long long)soak->demoted);
	printf("# KiB: slab %ld -> %ld, vmalloc %ld -> %ld, used %ld -> %ld\n",
	       a->slab, b->slab, a->vmalloc, b->vmalloc, a->used, b->used);
	for (i = 0; i < atomic_load(&soak->found) && i < (int)ARRAY_SIZE(soak->text); i++)
		printf("# %s\n", soak->text[i]);
	good &= tell(!atomic_load(&soak->found), "records, accounts, loads");
	good &= tell(soak->written && soak->read && soak->lost && soak->ends && made > RINGS &&
		     kills, "all of it happened");
	good &= tell(b->slab - a->slab < SLACK_SLAB, "slab is flat");
	good &= tell(!b->rings && b->vmalloc - a->vmalloc < 256, "vmalloc is flat");
	good &= tell(b->used - a->used < SLACK_USED, "memory is flat");
	return good;
}

int main(int argc, char **argv)
{
	unsigned int seconds = argc > 1 ? strtoul(argv[1], NULL, 0) : 60;
	double began = now(), next = began + 30;
	struct memory first, last;

	setvbuf(stdout, NULL, _IOLBF, 0);
	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	soak = mmap(NULL, sizeof(*soak), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (soak == MAP_FAILED)
		return 1;
	printf("TAP version 13\n1..5\n# seed %llu\n", (unsigned long long)seed);
	/* The first ones fill what is kept. */
	cycle(3);
	cycle(3);
	first = look();
	do {
		cycle(2 + rnd(&seed) % 8);
		if (now() < next)
			continue;
		next = now() + 30;
		last = look();
		/* What was freed stays in KASAN's quarantine until that is full. */
		if (now() - began < seconds / 5.0)
			first = last;
		printf("# %4.0f s: written %llu; KiB: slab %ld, vmalloc %ld, used %ld\n",
		       now() - began, (unsigned long long)soak->written, last.slab,
		       last.vmalloc, last.used);
	} while (now() - began < seconds && !atomic_load(&soak->found));
	last = look();
	return !report(&first, &last, now() - began);
}
