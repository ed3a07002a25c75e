// SPDX-License-Identifier: GPL-2.0
/*
 * How long waking takes: 64 bytes go from one process to another that sleeps,
 * and back, through two rings, and through two of what else there is. Half of
 * such a round trip is a sleeper's latency: write, wakeup, switch, read.
 *
 * With the other process on another CPU, as it is in earnest; and on the same
 * one, where no interrupt has to get through to an idle CPU: in an emulator that
 * is most of the time, and hides the work.
 *
 * pingpong [ROUNDS [CALLS]]: the way back is a pipe when there is no second ring
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"

#define RING1		"/dev/ringbuf"
#define RING2		"/dev/ringbuf-b"
#define PAYLOAD		64
#define MAX_CALLS	2000
#define HOME		1	/* the CPU of who measures */

enum { PIPE, EVENTFD, RING, PIPE_POLL, RING_POLL, KINDS };

static const struct kind {
	const char *name;
	int len;
	int poll;	/* sleeps in poll(), not in read() */
} kinds[KINDS] = {
	[PIPE] = { "pipes, read()", PAYLOAD, 0 },
	[EVENTFD] = { "eventfds, 8 bytes, read()", 8, 0 },
	[RING] = { "rings, read()", PAYLOAD, 0 },
	[PIPE_POLL] = { "pipes, poll()", PAYLOAD, 1 },
	[RING_POLL] = { "rings, poll()", PAYLOAD, 1 },
};

/* Read from [0], write to [1]. */
struct way {
	const struct kind *kind;
	int there[2], back[2];
};

static char out[PAYLOAD];
static double half[MAX_CALLS];
static struct series p50[KINDS], p99[KINDS];

static void await(const struct way *w, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char in[PAYLOAD];

	if (w->kind->poll && poll(&p, 1, -1) != 1)
		err(1, "poll");
	if (read(fd, in, sizeof(in)) != w->kind->len)
		err(1, "read: %s", w->kind->name);
}

static void send(const struct way *w, int fd)
{
	if (write(fd, out, w->kind->len) != w->kind->len)
		err(1, "write: %s", w->kind->name);
}

static int ring(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd < 0 || (flags == O_RDONLY && lseek(fd, 0, SEEK_END) < 0))
		err(1, "%s", path);
	return fd;
}

static void open_one(const struct kind *kind, const char *path, int fds[2])
{
	if (kind == &kinds[EVENTFD]) {
		fds[0] = eventfd(0, 0);
		fds[1] = dup(fds[0]);
		if (fds[1] < 0)
			err(1, "eventfd");
	} else if ((kind == &kinds[RING] || kind == &kinds[RING_POLL]) &&
		   !access(path, F_OK)) {
		fds[0] = ring(path, O_RDONLY);
		fds[1] = ring(path, O_WRONLY);
	} else if (pipe(fds)) {
		err(1, "pipe");
	}
}

static void close_both(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

/* The other process; at the end it is killed in its sleep. */
static pid_t echo(const struct way *w, int cpu)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (pid)
		return pid;
	pin(cpu);
	for (;;) {
		await(w, w->there[0]);
		send(w, w->back[1]);
	}
}

static void round_trips(const struct way *w, unsigned int calls)
{
	double start = now_ns(), end;

	for (unsigned int i = 0; i < calls; i++) {
		send(w, w->there[1]);
		await(w, w->back[0]);
		end = now_ns();
		half[i] = (end - start) / 2;
		start = end;
	}
}

static void measure(int k, int cpu, unsigned int round, unsigned int calls)
{
	struct way w = { .kind = &kinds[k] };
	pid_t pid;

	open_one(w.kind, RING1, w.there);
	open_one(w.kind, RING2, w.back);
	pid = echo(&w, cpu);
	round_trips(&w, calls / 4);	/* to warm up */
	round_trips(&w, calls);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close_both(w.there);
	close_both(w.back);

	sort_into(half, half, calls);
	p50[k].ns[round] = half[calls / 2];
	p99[k].ns[round] = half[calls * 99 / 100];
}

static void table(const char *what, struct series *s, unsigned int rounds)
{
	head_spread(what, "to pipe");
	for (int k = 0; k < KINDS; k++) {
		s[k].name = kinds[k].name;
		row_spread(&s[k], rounds, &s[kinds[k].poll ? PIPE_POLL : PIPE]);
	}
}

static void both_tables(int cpu, unsigned int rounds, unsigned int calls)
{
	for (unsigned int r = 0; r < rounds; r++)
		for (int k = 0; k < KINDS; k++)
			measure(k, cpu, r, calls);
	table(cpu == HOME ? "half a round trip, 1 CPU, median" :
	      "half a round trip, 2 CPUs, median", p50, rounds);
	table(cpu == HOME ? "half a round trip, 1 CPU, p99" :
	      "half a round trip, 2 CPUs, p99", p99, rounds);
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? atoi(argv[1]) : 101;
	unsigned int calls = argc > 2 ? atoi(argv[2]) : 200;

	if (!rounds || rounds > MAX_ROUNDS || calls < 100 || calls > MAX_CALLS)
		errx(1, "usage: pingpong [ROUNDS [CALLS]]");
	pin(HOME);
	memset(out, 1, sizeof(out));
	if (access(RING2, F_OK))
		printf("\nOne ring only: of \"rings\" the way back is a pipe.\n");
	both_tables(!HOME, rounds, calls);
	both_tables(HOME, rounds, calls);
	printf("\nMedians of %u rounds of %u round trips.\n", rounds, calls);
	return 0;
}
