// SPDX-License-Identifier: GPL-2.0
/*
 * No wakeup is lost, whatever context the record comes from and however its reader
 * sleeps. A round: the reader has read all and goes to sleep again; at some moment
 * of that a kernel producer publishes (ringbuf_poke.ko), and the reader has to come
 * back with the record. One that is not back in time has been forgotten.
 *	contexts ROUNDS [CONTEXT [SLEEP]]	rounds of each pair; patterns
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/ringbuf.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "kmod/poke.h"

/* Long for a guest whose host is busy, too. */
#define TIMEOUT_S	20

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

struct reader {
	int fd;
	int epoll;
	/* Returns when there is something, or 0 is to be tried again. */
	void (*sleep)(struct reader *r);
	/*
	 * Records that it takes to wake it: who does not look before is not woken
	 * in between. (read() does, so it is of no use here.)
	 */
	unsigned int burst;
	atomic_uint got;
	atomic_bool stop;
	const char *error;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* read() itself sleeps. */
static void sleep_read(struct reader *r)
{
}

static void sleep_poll(struct reader *r)
{
	struct pollfd p = { r->fd, POLLIN, 0 };

	poll(&p, 1, -1);
}

static void sleep_epoll(struct reader *r)
{
	struct epoll_event e;

	epoll_wait(r->epoll, &e, 1, -1);
}

static void watch(struct reader *r, uint32_t events)
{
	struct epoll_event e = { .events = EPOLLIN | events };

	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->fd, &e))
		r->error = "epoll_ctl";
}

static void set_mark(struct reader *r, uint32_t records, uint64_t ns)
{
	struct ringbuf_consumer c = {
		.struct_size = sizeof(c), .wake_records = records, .wake_ns = ns,
	};

	if (ioctl(r->fd, RINGBUF_IOC_SET_CONSUMER, &c))
		r->error = "SET_CONSUMER";
}

static void set_level(struct reader *r)
{
	watch(r, 0);
}

static void set_edge(struct reader *r)
{
	watch(r, EPOLLET);
}

static void set_oneshot_mark(struct reader *r)
{
	watch(r, EPOLLET);
	set_mark(r, 3, 0);
}

static void set_three(struct reader *r)
{
	set_mark(r, 3, 0);
}

static void set_time(struct reader *r)
{
	set_mark(r, 1000, 100000);
}

static const struct {
	const char *name;
	bool block;
	void (*sleep)(struct reader *r);
	void (*set)(struct reader *r);
	unsigned int burst;
} sleeps[] = {
	{ "read", true, sleep_read, NULL, 1 },
	{ "poll", false, sleep_poll, NULL, 1 },
	{ "epoll", false, sleep_epoll, set_level, 1 },
	{ "epoll, edge", false, sleep_epoll, set_edge, 1 },
	{ "poll, three records", false, sleep_poll, set_three, 3 },
	{ "epoll, edge, three records", false, sleep_epoll, set_oneshot_mark, 3 },
	{ "poll, 100 us", false, sleep_poll, set_time, 1 },
};

/* Reads all there is; the numbers go up by one. */
static bool take_all(struct reader *r, uint32_t *next, bool block)
{
	uint32_t number;
	ssize_t n;

	for (;;) {
		n = read(r->fd, &number, sizeof(number));
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n != sizeof(number) || number != *next) {
			r->error = n == sizeof(number) ? "a wrong record" : strerror(errno);
			return false;
		}
		++*next;
		if (block)
			return true;
	}
}

static void *reader_main(void *arg)
{
	struct reader *r = arg;
	bool block = r->sleep == sleep_read;
	uint32_t next = 1;

	while (!atomic_load(&r->stop)) {
		r->sleep(r);
		if (!take_all(r, &next, block))
			break;
		atomic_store(&r->got, next - 1);
	}
	return NULL;
}

/* Until the reader is back with all that there is. */
static bool wait_for(struct reader *r, unsigned int number)
{
	double end = 0;
	unsigned int i;

	for (i = 0; atomic_load(&r->got) < number && !r->error; i++) {
		if (i % 64)
			continue;
		if (!end)
			end = now() + TIMEOUT_S;
		else if (now() > end)
			return false;
		sched_yield();
	}
	return !r->error;
}

/* From somewhere on its way to sleep to after it is asleep. */
static void linger(uint64_t *random)
{
	unsigned int i, n;

	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	n = *random >> 33;
	/* Now and then until it sleeps for certain. */
	if (n % 61 == 0)
		usleep(200);
	else
		for (i = n >> 8 & ((1U << n % 12) - 1); i; i--)
			asm volatile("pause");
}

static unsigned int play(struct reader *r, int poke, struct poke *p, unsigned int rounds,
			 const char **error)
{
	uint64_t random = 1;
	unsigned int i, k;

	for (i = 0; i < rounds; i++) {
		if (!wait_for(r, i * r->burst)) {
			*error = r->error ? r->error : "a wakeup was lost";
			return i;
		}
		linger(&random);
		for (k = 1; k <= r->burst; k++) {
			p->number = i * r->burst + k;
			/* On the reader's CPU as often as not. */
			p->elsewhere = i & 1;
			if (ioctl(poke, POKE, p)) {
				*error = strerror(errno);
				return i;
			}
		}
	}
	if (!wait_for(r, rounds * r->burst))
		*error = r->error ? r->error : "the last wakeup was lost";
	return i;
}

static bool pair(int poke, struct poke *p, unsigned int how, unsigned int rounds)
{
	struct reader r = { .sleep = sleeps[how].sleep, .burst = sleeps[how].burst };
	const char *error = NULL;
	pthread_t thread;
	double began = now();
	unsigned int done = 0, k;

	r.fd = open("/dev/ringbuf", O_RDONLY | O_CLOEXEC |
		    (sleeps[how].block ? 0 : O_NONBLOCK));
	r.epoll = -1;
	lseek(r.fd, 0, SEEK_END);
	if (sleeps[how].set)
		sleeps[how].set(&r);
	if (r.fd < 0 || r.error || pthread_create(&thread, NULL, reader_main, &r)) {
		printf("# cannot start: %s\n", strerror(errno));
		return false;
	}
	done = play(&r, poke, p, rounds, &error);
	printf("# %u rounds, %.0f a second\n", done, done / (now() - began));
	if (error)
		printf("# round %u: %s; got %u\n", done, error, atomic_load(&r.got));
	/* It goes with what comes next, from where no wakeup is in doubt. */
	atomic_store(&r.stop, true);
	for (k = 1; k <= 3 * r.burst; k++) {
		p->number = done * r.burst + k;
		p->elsewhere = 0;
		ioctl(poke, POKE, p);
	}
	pthread_join(thread, NULL);
	close(r.fd);
	if (r.epoll >= 0)
		close(r.epoll);
	return !error;
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000;
	const char *contexts = argc > 2 ? argv[2] : "*";
	const char *how = argc > 3 ? argv[3] : "*";
	unsigned int count = 0, bad = 0, i;
	struct poke p = {};
	int poke;

	setvbuf(stdout, NULL, _IOLBF, 0);
	poke = open("/dev/ringbuf-poke", O_RDWR | O_CLOEXEC);
	if (poke < 0) {
		printf("Bail out! /dev/ringbuf-poke: %s\n", strerror(errno));
		return 1;
	}
	printf("TAP version 13\n");
	for (p.context = 0; p.number = 0, !ioctl(poke, POKE, &p); p.context++) {
		for (i = 0; i < ARRAY_SIZE(sleeps); i++) {
			bool good;

			if (fnmatch(contexts, p.name, 0) || fnmatch(how, sleeps[i].name, 0))
				continue;
			good = pair(poke, &p, i, rounds);
			printf("%sok %u %s wakes %s\n", good ? "" : "not ", ++count,
			       p.name, sleeps[i].name);
			bad += !good;
		}
	}
	printf("1..%u\n", count);
	return bad || !count;
}
