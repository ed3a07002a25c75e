// SPDX-License-Identifier: GPL-2.0
/*
 * How long waking takes: 64 bytes go from one process to another that sleeps, and
 * back. Half of such a round trip is a sleeper's latency: write, wakeup, switch,
 * read. With the other process on another CPU, as it is in earnest; and on the same
 * one, where nothing has to get through to an idle CPU, which hides the work.
 *
 * Tells percentiles of each round, as CSV: case,contender,round,ns
 *	wake ROUNDS SECONDS [CALLS]	whichever is reached first
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../bench.h"
#include "way.h"

#define HOME		1	/* the CPU of who measures */
#define MAX_CALLS	10000

static const struct contest {
	const struct kind *kind;
	const char *name;
	unsigned int idle;
	bool poll;
} contests[] = {
	{ &way_pipe, "pipe", 0, false },
	{ &way_seqpacket, "SOCK_SEQPACKET", 0, false },
	{ &way_eventfd, "eventfd (8 bytes)", 0, false },
	{ &way_mq, "POSIX mq", 0, false },
	{ &way_bpf, "BPF ringbuf", 0, false },
	{ &way_ring, "ringbuf read()", 0, false },
	{ &way_ring, "ringbuf read() + 64 idle", IDLE, false },
	{ &way_mapped, "ringbuf mapped", 0, false },
	{ &way_pipe, "pipe poll()", 0, true },
	{ &way_ring, "ringbuf poll()", 0, true },
};

#define CONTESTS (sizeof(contests) / sizeof(contests[0]))

/* Both ways. */
struct pair {
	struct way there, back;
	bool here;
};

static struct pair pairs[CONTESTS];
static double half[MAX_CALLS];

static bool open_pair(struct pair *p, const struct contest *c)
{
	struct way w = {
		.kind = c->kind, .readers = 1, .batch = 1, .idle = c->idle,
		.poll = c->poll,
	};

	p->there = w;
	p->back = w;
	return way_open(&p->there) && way_open(&p->back);
}

/* The other process; at the end it is killed in its sleep. */
static pid_t echo(struct pair *p, int cpu)
{
	pid_t pid;

	if (p->there.kind->begin)
		p->there.kind->begin(&p->there);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	pin(cpu);
	for (;;) {
		p->there.kind->read(&p->there, 0, 1);
		p->back.kind->write(&p->back, 1);
	}
}

static void round_trips(struct pair *p, unsigned int calls)
{
	double start = now_ns(), end;

	for (unsigned int i = 0; i < calls; i++) {
		p->there.kind->write(&p->there, 1);
		p->back.kind->read(&p->back, 0, 1);
		end = now_ns();
		half[i] = (end - start) / 2;
		start = end;
	}
}

static void measure(unsigned int k, int cpu, int round, unsigned int calls)
{
	static const struct {
		const char *name;
		double part;
	} tell[] = { { "p50", 0.5 }, { "p99", 0.99 }, { "p99.9", 0.999 } };
	pid_t pid = echo(&pairs[k], cpu);

	round_trips(&pairs[k], calls / 10 + 1);	/* to warm up */
	round_trips(&pairs[k], calls);
	/* It has answered all, so nothing is left on either way. */
	kill(pid, SIGKILL);
	if (waitpid(pid, NULL, 0) != pid)
		err(1, "waitpid");
	qsort(half, calls, sizeof(half[0]), compare_doubles);
	for (unsigned int i = 0; round >= 0 && i < 3; i++)
		printf("wake: %s %s,%s,%d,%.2f\n", cpu == HOME ? "1 CPU" : "2 CPUs",
		       tell[i].name, contests[k].name, round,
		       half[(unsigned int)(calls * tell[i].part)]);
}

int main(int argc, char **argv)
{
	int rounds = argc >= 3 ? atoi(argv[1]) : 0;
	double end = argc >= 3 ? now_ns() + atof(argv[2]) * 1e9 : 0;
	unsigned int calls = argc == 4 ? atoi(argv[3]) : 1000;

	if (rounds < 1 || calls < 1 || calls > MAX_CALLS)
		errx(2, "usage: wake ROUNDS SECONDS [CALLS]");
	setvbuf(stdout, NULL, _IOFBF, 1 << 20);
	pin(HOME);
	for (unsigned int k = 0; k < CONTESTS; k++) {
		pairs[k].here = open_pair(&pairs[k], &contests[k]);
		if (!pairs[k].here)
			fprintf(stderr, "%s: not here, left out\n", contests[k].name);
	}
	for (int r = -1; r < rounds && (r < 3 || now_ns() < end); r++) {
		/* Begin with another one each time. */
		for (unsigned int i = 0; i < CONTESTS * 2; i++) {
			unsigned int k = (i / 2 + r + 1) % CONTESTS;

			fflush(stdout);
			if (pairs[k].here)
				measure(k, i % 2 ? HOME : !HOME, r, calls);
		}
	}
	return 0;
}
