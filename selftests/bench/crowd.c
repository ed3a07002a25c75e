// SPDX-License-Identifier: GPL-2.0
/*
 * What a crowd that waits costs the writer and its CPU. For each crowd: the mean
 * cost of a write() of 8 bytes in a burst; that of a write() for which the crowd has
 * come to rest again; and by how much a SCHED_FIFO thread on the writer's CPU is
 * late, which sleeps for a millisecond at a time. The crowd is a process on the other
 * CPU, if there are two. The cases take turns. Prints Markdown.
 *	crowd [ROUNDS [CROWD]]		those whose name begins so, and nobody
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/ringbuf.h>
#include "bench.h"

#define PAYLOAD		8
#define MOST		10000
#define BURST_NS	1e9	/* of writes without a pause */
#define RESTED		16	/* writes to a crowd at rest */
#define TICK_NS		1000000

enum how { NOBODY, IN_EPOLL, EPOLLS, READ, READ_ONE, MARK_IDLE, MARK_EPOLL };

static struct crowd {
	const char *name;
	enum how how;
	unsigned int n;
	struct series burst, rested, late, latest;
} crowds[] = {
	{ .name = "nobody", .how = NOBODY, .n = 0 },
	{ .name = "32 descriptors in an epoll", .how = IN_EPOLL, .n = 32 },
	{ .name = "10,000 descriptors in an epoll", .how = IN_EPOLL, .n = MOST },
	{ .name = "32 epolls on one descriptor", .how = EPOLLS, .n = 32 },
	{ .name = "10,000 epolls on one descriptor", .how = EPOLLS, .n = MOST },
	{ .name = "32 threads in read()", .how = READ, .n = 32 },
	{ .name = "1,000 threads in read()", .how = READ, .n = 1000 },
	{ .name = "32 threads in read() of one file", .how = READ_ONE, .n = 32 },
	{ .name = "1,000 threads in read() of one file", .how = READ_ONE, .n = 1000 },
	{ .name = "32 with wake_ns, nobody waits", .how = MARK_IDLE, .n = 32 },
	{ .name = "10,000 with wake_ns, nobody waits", .how = MARK_IDLE, .n = MOST },
	{ .name = "32 with wake_ns in an epoll", .how = MARK_EPOLL, .n = 32 },
	{ .name = "10,000 with wake_ns in an epoll", .how = MARK_EPOLL, .n = MOST },
};

#define CROWDS	(sizeof(crowds) / sizeof(crowds[0]))

static int writer;
static int home;		/* the CPU of the writer */
/* Of the crowd: threads that are about to sleep, counted again for each time. */
static struct shared { atomic_uint ready, asleep; } *shared;

static void put(void)
{
	static const char payload[PAYLOAD];

	if (write(writer, payload, PAYLOAD) != PAYLOAD)
		err(1, "write");
}

/* The crowd */

static int reader(__u64 wake_ns)
{
	struct ringbuf_consumer c = {
		.struct_size = sizeof(c), .wake_ns = wake_ns,
	};
	int fd = open("/dev/ringbuf", O_RDONLY);

	if (fd < 0)
		err(1, "/dev/ringbuf");
	if (lseek(fd, 0, SEEK_END) < 0)
		err(1, "lseek");
	if (ioctl(fd, RINGBUF_IOC_SET_CONSUMER, &c))
		err(1, "RINGBUF_IOC_SET_CONSUMER");
	return fd;
}

static int new_epoll(void)
{
	int ep = epoll_create1(0);

	if (ep < 0)
		err(1, "epoll_create1");
	return ep;
}

static void watch(int ep, int fd)
{
	struct epoll_event e = { .events = EPOLLIN };

	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e))
		err(1, "epoll_ctl");
}

static void *read_on(void *fd)
{
	char in[PAYLOAD];

	for (;;) {
		atomic_fetch_add(&shared->asleep, 1);
		/* A loss counts, too. */
		if (read((long)fd, in, sizeof(in)) < 0 && errno != EPIPE)
			err(1, "read");
	}
	return NULL;
}

static void start_threads(unsigned int n, bool one_file)
{
	int fd = reader(0);
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (unsigned int i = 0; i < n; i++) {
		if (!one_file && i)
			fd = reader(0);
		errno = pthread_create(&t, &attr, read_on, (void *)(long)fd);
		if (errno)
			err(1, "pthread_create");
	}
}

static void crowd_process(const struct crowd *c)
{
	const __u64 hour = 3600000000000ULL;
	bool mark = c->how == MARK_IDLE || c->how == MARK_EPOLL;
	int ep = new_epoll();
	int fd = reader(0);

	pin(0);
	for (unsigned int i = 0; i < c->n; i++) {
		if (c->how == EPOLLS)
			watch(new_epoll(), fd);
		else if (c->how == IN_EPOLL || mark)
			fd = reader(mark ? hour : 0);
		if (c->how == IN_EPOLL || c->how == MARK_EPOLL)
			watch(ep, fd);
	}
	if (c->how == READ || c->how == READ_ONE)
		start_threads(c->n, c->how == READ_ONE);
	else
		atomic_fetch_add(&shared->asleep, 1);
	atomic_store(&shared->ready, 1);
	for (;;)
		pause();
}

static pid_t start_crowd(const struct crowd *c)
{
	pid_t pid;

	atomic_store(&shared->ready, 0);
	atomic_store(&shared->asleep, 0);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		const struct sched_param other = { 0 };

		sched_setscheduler(0, SCHED_OTHER, &other);
		crowd_process(c);
	}
	while (!atomic_load(&shared->ready))
		usleep(1000);
	return pid;
}

/* All sleep again; what the kernel still does for them has been done. */
static void rest(const struct crowd *c, unsigned int writes)
{
	unsigned int each = c->how == READ ? writes + 1 : 1;
	unsigned int n = c->how == READ ? c->n :
			 c->how == READ_ONE ? c->n + writes : 1;

	while (atomic_load(&shared->asleep) < each * n)
		usleep(1000);
	usleep(30000);
}

/* The thread that is to be on time */

static struct late {
	atomic_bool stop;
	double sum, most;
	unsigned int n;
} late;

static void *be_on_time(void *unused)
{
	const struct sched_param fifo = { .sched_priority = 50 };
	struct timespec ts;
	double due, by;

	pin(home);
	if (sched_setscheduler(0, SCHED_FIFO, &fifo))
		err(1, "SCHED_FIFO");
	due = now_ns() + TICK_NS;
	while (!atomic_load(&late.stop)) {
		ts.tv_sec = due / 1e9;
		ts.tv_nsec = due - ts.tv_sec * 1e9;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		by = now_ns() - due;
		late.sum += by;
		late.n++;
		if (by > late.most)
			late.most = by;
		/* Not at the same moment of each tick. */
		due = now_ns() + TICK_NS + rand() % (TICK_NS / 4);
	}
	return NULL;
}

/* The writer */

static double burst(void)
{
	double start = now_ns(), end;
	unsigned int n = 0;

	do {
		put();
		n++;
		end = now_ns();
	} while (end < start + BURST_NS);
	return (end - start) / n;
}

static double rested(const struct crowd *c)
{
	double ns[RESTED], start;

	for (unsigned int i = 0; i < RESTED; i++) {
		rest(c, i);
		start = now_ns();
		put();
		ns[i] = now_ns() - start;
	}
	return quartiles_of(ns, RESTED).median;
}

static void measure(struct crowd *c, unsigned int round)
{
	pid_t pid = start_crowd(c);
	pthread_t t;

	c->rested.ns[round] = rested(c);
	c->burst.ns[round] = burst();
	late.sum = late.most = late.n = 0;
	atomic_store(&late.stop, false);
	errno = pthread_create(&t, NULL, be_on_time, NULL);
	if (errno)
		err(1, "pthread_create");
	burst();
	atomic_store(&late.stop, true);
	pthread_join(t, NULL);
	c->late.ns[round] = late.sum / late.n;
	c->latest.ns[round] = late.most;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	/* What the kernel does later for those that went. */
	usleep(50000);
}

static const char *wanted = "";

static bool is_wanted(const struct crowd *c)
{
	return c->how == NOBODY || !strncmp(c->name, wanted, strlen(wanted));
}

static void table(const char *what, size_t series, unsigned int rounds)
{
	struct series *base = (void *)crowds + series;

	head_spread(what, "to none");
	for (struct crowd *c = crowds; c < crowds + CROWDS; c++) {
		struct series *s = (void *)c + series;

		s->name = c->name;
		if (is_wanted(c))
			row_spread(s, rounds, base);
	}
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? atoi(argv[1]) : 5;
	const struct rlimit files = { MOST + 200, MOST + 200 };

	if (argc > 2)
		wanted = argv[2];
	if (!rounds || rounds > MAX_ROUNDS)
		errx(1, "usage: crowd [ROUNDS [CROWD]]");
	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "RLIMIT_NOFILE");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	home = sysconf(_SC_NPROCESSORS_ONLN) > 1;
	pin(home);
	writer = open("/dev/ringbuf", O_WRONLY | O_NONBLOCK);
	if (writer < 0)
		err(1, "/dev/ringbuf");
	for (unsigned int r = 0; r < rounds; r++)
		for (unsigned int i = 0; i < CROWDS; i++)
			if (is_wanted(&crowds[i]))
				measure(&crowds[i], r);
	table("write(), of a burst", offsetof(struct crowd, burst), rounds);
	table("write() to a crowd at rest", offsetof(struct crowd, rested), rounds);
	table("a SCHED_FIFO thread is late by", offsetof(struct crowd, late), rounds);
	table("by at most", offsetof(struct crowd, latest), rounds);
	printf("\nMedians of %u rounds.\n", rounds);
	return 0;
}
