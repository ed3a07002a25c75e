// SPDX-License-Identifier: GPL-2.0
/*
 * What one write() of 64 bytes costs, by how many consumers there are and what
 * they do. The cases take turns; one process, one CPU, but for those who sleep.
 * A ring that was made with reliable=1 has other tables than one that was not.
 * Prints Markdown.  consumers [ROUNDS]
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/ringbuf.h>
#include "bench.h"

#define PAYLOAD		64
#define MOST		10000
#define HELD		50	/* writes to a full ring */
#define WAKES		16	/* writes that wake */
#define HOME		1	/* the CPU of who writes */

static char payload[PAYLOAD], in[PAYLOAD];
static int writer, readers[MOST];
static unsigned int records;	/* that make nearly a turn of the ring */
static __u32 reliable;		/* the flag, if the ring has it */

static void put(void)
{
	if (write(writer, payload, PAYLOAD) != PAYLOAD)
		err(1, "write");
}

static void to_end(int fd)
{
	if (lseek(fd, 0, SEEK_END) < 0)
		err(1, "lseek");
}

/* At the end of the ring; with a mark that is, with other values, far away. */
static int reader(__u32 wake_bytes, __u64 wake_ns)
{
	struct ringbuf_consumer c = {
		.struct_size = sizeof(c), .flags = reliable,
		.wake_bytes = wake_bytes, .wake_ns = wake_ns,
	};
	int fd = open("/dev/ringbuf", O_RDONLY);

	if (fd < 0)
		err(1, "/dev/ringbuf");
	to_end(fd);
	if (ioctl(fd, RINGBUF_IOC_SET_CONSUMER, &c))
		err(1, "RINGBUF_IOC_SET_CONSUMER");
	return fd;
}

/* Those who are there at all. */

static struct count {
	struct series mean, longest, held;
	unsigned int consumers;
} counts[] = {
	{ .mean.name = "no consumer", .consumers = 0 },
	{ .mean.name = "1 consumer", .consumers = 1 },
	{ .mean.name = "8 consumers", .consumers = 8 },
	{ .mean.name = "64 consumers", .consumers = 64 },
	{ .mean.name = "1,000 consumers", .consumers = 1000 },
	{ .mean.name = "10,000 consumers", .consumers = MOST },
};

#define COUNTS	(sizeof(counts) / sizeof(counts[0]))

/* All of them at the end. */
static void set_consumers(unsigned int n)
{
	static unsigned int open;
	unsigned int before = open;

	while (open < n)
		readers[open++] = reader(0, 0);
	while (open > n)
		close(readers[--open]);
	/* What the kernel does later for those that came or went. */
	if (open != before)
		usleep(20000);
	for (unsigned int i = 0; reliable && i < n; i++)
		to_end(readers[i]);
}

/* A turn, in which the reliable ones are looked at once, is part of the cost. */
static double mean(void)
{
	double start = now_ns();

	for (unsigned int i = 0; i < records; i++)
		put();
	return (now_ns() - start) / records;
}

static double longest(void)
{
	double start = now_ns(), end, most = 0;

	for (unsigned int i = 0; i < records; i++) {
		put();
		end = now_ns();
		if (end - start > most)
			most = end - start;
		start = end;
	}
	return most;
}

/* The ring is full, and the slowest makes room for one record at a time. */
static double held(void)
{
	double start, ns = 0;

	while (write(writer, payload, PAYLOAD) > 0)
		;
	for (unsigned int i = 0; i < HELD;) {
		if (read(readers[0], in, PAYLOAD) != PAYLOAD)
			err(1, "read");
		start = now_ns();
		/* The first ones may have to go two records further. */
		if (write(writer, payload, PAYLOAD) != PAYLOAD)
			continue;
		ns += now_ns() - start;
		i++;
	}
	return ns / HELD;
}

static void measure_count(struct count *c, unsigned int round)
{
	set_consumers(c->consumers);
	c->mean.ns[round] = mean();
	set_consumers(c->consumers);
	c->longest.ns[round] = longest();
	set_consumers(c->consumers);
	if (reliable && c->consumers) {
		/* All but one at the end of a ring that is full then. */
		for (unsigned int i = 0; i < records; i++)
			put();
		for (unsigned int i = 1; i < c->consumers; i++)
			to_end(readers[i]);
		c->held.ns[round] = held();
	}
}

static void by_count(unsigned int rounds)
{
	struct count *c;

	/* Up and down, or most of the time would go into opening them. */
	for (unsigned int r = 0; r < rounds; r++)
		for (unsigned int i = 0; i < COUNTS; i++)
			measure_count(&counts[r % 2 ? COUNTS - 1 - i : i], r);

	head_spread(reliable ? "write(), reliable consumers" :
	     "write(), idle lossy consumers", "to none");
	for (c = counts; c < counts + COUNTS; c++)
		row_spread(&c->mean, rounds, &counts[0].mean);
	head_spread("the longest in a turn of the ring", "to none");
	for (c = counts; c < counts + COUNTS; c++) {
		c->longest.name = c->mean.name;
		row_spread(&c->longest, rounds, &counts[0].longest);
	}
	if (!reliable)
		return;
	head_spread("write() to a full ring, one lags", "to 1");
	for (c = counts + 1; c < counts + COUNTS; c++) {
		c->held.name = c->mean.name;
		row_spread(&c->held, rounds, &counts[1].held);
	}
}

/* Those who sleep, each a process on the other CPU. */

enum how { NONE, READ, POLL, EPOLL, MARK_BYTES, MARK_NS, PIPES };

static struct sleep {
	struct series s;
	enum how how;
	unsigned int consumers;
} sleeps[] = {
	{ { .name = "no consumer" }, NONE, 0 },
	{ { .name = "1 in read()" }, READ, 1 },
	{ { .name = "8 in read()" }, READ, 8 },
	{ { .name = "64 in read()" }, READ, 64 },
	{ { .name = "1 in poll()" }, POLL, 1 },
	{ { .name = "8 in poll()" }, POLL, 8 },
	{ { .name = "64 in poll()" }, POLL, 64 },
	{ { .name = "one epoll_wait() for 1" }, EPOLL, 1 },
	{ { .name = "one epoll_wait() for 64" }, EPOLL, 64 },
	{ { .name = "one epoll_wait() for 1,000" }, EPOLL, 1000 },
	{ { .name = "1 with wake_bytes, not reached" }, MARK_BYTES, 1 },
	{ { .name = "64 with wake_bytes, not reached" }, MARK_BYTES, 64 },
	{ { .name = "1 with wake_ns, not due" }, MARK_NS, 1 },
	{ { .name = "64 with wake_ns, not due" }, MARK_NS, 64 },
	{ { .name = "write() to 1 pipe, 1 in read()" }, PIPES, 1 },
	{ { .name = "write() to 8 pipes, 8 in read()" }, PIPES, 8 },
	{ { .name = "write() to 64 pipes, 64 in read()" }, PIPES, 64 },
};

#define SLEEPS	(sizeof(sleeps) / sizeof(sleeps[0]))

static atomic_uint *asleep;	/* how often one was about to go to sleep */
static int pipes[64][2];

static void get(int fd)
{
	if (read(fd, in, PAYLOAD) != PAYLOAD)
		err(1, "read");
}

static void sleep_in_epoll(unsigned int n)
{
	static struct epoll_event ready[1000];
	int ep = epoll_create1(0);
	unsigned int got = 0;
	int ret;

	for (unsigned int i = 0; i < n; i++) {
		struct epoll_event e = { .events = EPOLLIN };

		e.data.fd = reader(0, 0);
		if (epoll_ctl(ep, EPOLL_CTL_ADD, e.data.fd, &e))
			err(1, "epoll_ctl");
	}
	for (;;) {
		/* Not before all have been read. */
		if (got % n == 0)
			atomic_fetch_add(asleep, 1);
		ret = epoll_wait(ep, ready, n, -1);
		if (ret < 0)
			err(1, "epoll_wait");
		for (int i = 0; i < ret; i++)
			get(ready[i].data.fd);
		got += ret;
	}
}

static void sleeper(const struct sleep *s, unsigned int i)
{
	struct pollfd p = { .events = POLLIN };

	pin(!HOME);
	if (s->how == EPOLL)
		sleep_in_epoll(s->consumers);
	if (s->how == PIPES)
		p.fd = pipes[i][0];
	else
		p.fd = reader(s->how == MARK_BYTES ? 1 << 18 : 0,
			      s->how == MARK_NS ? 1000000000000ULL : 0);
	for (;;) {
		atomic_fetch_add(asleep, 1);
		if (s->how == POLL && poll(&p, 1, -1) != 1)
			err(1, "poll");
		get(p.fd);
	}
}

static double one_write(const struct sleep *s)
{
	double start = now_ns();

	if (s->how != PIPES)
		put();
	for (unsigned int i = 0; s->how == PIPES && i < s->consumers; i++)
		if (write(pipes[i][1], payload, PAYLOAD) != PAYLOAD)
			err(1, "write to a pipe");
	return now_ns() - start;
}

/* The median of some writes, before each of which all have gone to sleep. */
static double writes(const struct sleep *s, unsigned int procs)
{
	int wakes = s->how != MARK_BYTES && s->how != MARK_NS;
	double ns[WAKES];

	for (unsigned int i = 0; i < WAKES; i++) {
		while (atomic_load(asleep) < procs * (wakes ? i + 1 : 1))
			usleep(100);
		/* They were about to. */
		usleep(500);
		ns[i] = one_write(s);
	}
	return quartiles_of(ns, WAKES).median;
}

static double measure_sleep(const struct sleep *s)
{
	unsigned int procs = s->how == EPOLL ? 1 : s->consumers;
	pid_t pids[64];
	double ns;

	atomic_store(asleep, 0);
	for (unsigned int i = 0; i < procs; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			err(1, "fork");
		if (!pids[i])
			sleeper(s, i);
	}
	ns = writes(s, procs);
	for (unsigned int i = 0; i < procs; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	return ns;
}

static void by_sleep(unsigned int rounds)
{
	asleep = mmap(NULL, sizeof(*asleep), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (asleep == MAP_FAILED)
		err(1, "mmap");
	for (int i = 0; i < 64; i++)
		if (pipe(pipes[i]))
			err(1, "pipe");
	for (unsigned int r = 0; r < rounds; r++)
		for (unsigned int i = 0; i < SLEEPS; i++)
			sleeps[i].s.ns[r] = measure_sleep(&sleeps[i]);
	head_spread("write(), consumers that sleep", "to none");
	for (unsigned int i = 0; i < SLEEPS; i++)
		row_spread(&sleeps[i].s, rounds, &sleeps[0].s);
}

static void look_at_ring(void)
{
	struct ringbuf_info info = { .struct_size = sizeof(info) };

	if (ioctl(writer, RINGBUF_IOC_GET_INFO, &info))
		err(1, "RINGBUF_IOC_GET_INFO");
	records = info.data_size / RINGBUF_FRAME_SIZE(PAYLOAD) * 15 / 16;
	if (info.flags & RINGBUF_RING_RELIABLE)
		reliable = RINGBUF_CONSUMER_RELIABLE;
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? atoi(argv[1]) : 51;
	const struct rlimit files = { MOST + 200, MOST + 200 };

	if (!rounds || rounds > MAX_ROUNDS)
		errx(1, "usage: consumers [ROUNDS]");
	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "RLIMIT_NOFILE");
	pin(HOME);
	writer = open("/dev/ringbuf", O_WRONLY | O_NONBLOCK);
	if (writer < 0)
		err(1, "/dev/ringbuf");
	look_at_ring();
	by_count(rounds);
	set_consumers(0);
	if (!reliable)
		by_sleep(rounds);
	printf("\nMedians of %u rounds, %u writes to a turn of the ring.\n",
	       rounds, records);
	return 0;
}
