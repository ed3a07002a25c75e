// SPDX-License-Identifier: GPL-2.0
/*
 * What reliable consumers cost, by how many there are:
 *	holds join      becoming one, on an idle ring and on one that is full
 *	holds full      a write() that one of them holds, and one that gets through
 *			when that one reads a record
 *	holds demoted   a write() after all have been demoted
 * For a module that was loaded with reliable=1, and for demoted stall_ms=100; for
 * the others, stall_ms of an hour.  holds WHAT [ROUNDS]
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <linux/ringbuf.h>
#include "bench.h"

#define MANY	1000
#define JOINS	30000
#define WRITES	1000
#define LEN	8

static int fd[JOINS];

static int open_or_die(int flags)
{
	int ret = open("/dev/ringbuf", flags | O_CLOEXEC);

	if (ret < 0)
		err(1, "/dev/ringbuf");
	return ret;
}

static void set_flags(int consumer, unsigned int flags)
{
	struct ringbuf_consumer c = { .struct_size = sizeof(c), .flags = flags };

	if (ioctl(consumer, RINGBUF_IOC_SET_CONSUMER, &c))
		err(1, "SET_CONSUMER");
}

/* Consumers at the oldest record. */
static void open_many(int n, unsigned int flags)
{
	for (int i = 0; i < n; i++) {
		fd[i] = open_or_die(O_RDONLY | O_NONBLOCK);
		set_flags(fd[i], flags);
	}
}

static void close_many(int n)
{
	for (int i = 0; i < n; i++)
		close(fd[i]);
}

static void fill(int w)
{
	static const char buf[LEN];

	while (write(w, buf, LEN) == LEN)
		;
	if (errno != EAGAIN)
		err(1, "write");
}

/* ns for each of @n consumers to become reliable. */
static double joins(int n)
{
	double start;

	open_many(n, 0);
	start = now_ns();
	for (int i = 0; i < n; i++)
		set_flags(fd[i], RINGBUF_CONSUMER_RELIABLE);
	start = (now_ns() - start) / n;
	close_many(n);
	return start;
}

static void measure_joins(int rounds)
{
	static struct series s[2][3];
	static const int many[] = { 1000, 10000, JOINS };
	static char name[2][3][40];
	int w, holder;

	for (int r = 0; r < rounds; r++) {
		for (int i = 0; i < 3; i++)
			s[0][i].ns[r] = joins(many[i]);
		w = open_or_die(O_WRONLY | O_NONBLOCK);
		holder = open_or_die(O_RDONLY);
		set_flags(holder, RINGBUF_CONSUMER_RELIABLE);
		fill(w);
		for (int i = 0; i < 3; i++)
			s[1][i].ns[r] = joins(many[i]);
		close(holder);
		close(w);
	}
	head("becoming reliable", "to 1000");
	for (int full = 0; full < 2; full++) {
		for (int i = 0; i < 3; i++) {
			snprintf(name[full][i], sizeof(name[full][i]), "%d, ring %s",
				 many[i], full ? "full" : "idle");
			s[full][i].name = name[full][i];
			row(&s[full][i], rounds, &s[0][0]);
		}
	}
}

/* ns of a write() that is refused. */
static double refused(int w)
{
	static const char buf[LEN];
	double start = now_ns();

	for (int i = 0; i < WRITES; i++)
		if (write(w, buf, LEN) >= 0 || errno != EAGAIN)
			errx(1, "a write was not refused");
	return (now_ns() - start) / WRITES;
}

/* ns of a write() for which one consumer makes room first, and of its read(). */
static double by_turns(int w, int consumer)
{
	static char buf[LEN];
	double start = now_ns();

	for (int i = 0; i < WRITES; i++)
		if (read(consumer, buf, LEN) != LEN || write(w, buf, LEN) != LEN)
			err(1, "read, write");
	return (now_ns() - start) / WRITES;
}

static void measure_full(int rounds)
{
	static struct series s[] = {
		{ .name = "refused, 1 consumer" },
		{ .name = "refused, 1000 consumers" },
		{ .name = "refused, 1000, the last one holds" },
		{ .name = "read and write, 1 consumer" },
		{ .name = "read and write, 1000 consumers" },
	};
	int w = open_or_die(O_WRONLY | O_NONBLOCK);

	for (int r = 0; r < rounds; r++) {
		open_many(1, RINGBUF_CONSUMER_RELIABLE);
		fill(w);
		s[0].ns[r] = refused(w);
		s[3].ns[r] = by_turns(w, fd[0]);
		close_many(1);

		open_many(MANY, RINGBUF_CONSUMER_RELIABLE);
		fill(w);
		s[1].ns[r] = refused(w);
		for (int i = 0; i < MANY - 1; i++)
			if (lseek(fd[i], 0, SEEK_END) < 0)
				err(1, "lseek");
		s[2].ns[r] = refused(w);
		s[4].ns[r] = by_turns(w, fd[MANY - 1]);
		close_many(MANY);
	}
	close(w);
	head("write of 8 bytes, ring full", "to first");
	for (int i = 0; i < 3; i++)
		row(&s[i], rounds, &s[0]);
	for (int i = 3; i < 5; i++)
		row(&s[i], rounds, &s[3]);
}

static double writes(int w)
{
	static const char buf[LEN];
	double start = now_ns();

	for (int i = 0; i < WRITES; i++)
		if (write(w, buf, LEN) != LEN)
			err(1, "write");
	return (now_ns() - start) / WRITES;
}

static void measure_demoted(int rounds)
{
	static struct series s[] = {
		{ .name = "no consumer" },
		{ .name = "1000 lossy" },
		{ .name = "1000 demoted" },
	};
	int w = open_or_die(O_WRONLY | O_NONBLOCK);
	static const char buf[LEN];

	for (int r = 0; r < rounds; r++) {
		s[0].ns[r] = writes(w);
		open_many(MANY, 0);
		s[1].ns[r] = writes(w);
		close_many(MANY);
		open_many(MANY, RINGBUF_CONSUMER_RELIABLE);
		fill(w);
		while (write(w, buf, LEN) < 0)
			usleep(10000);
		s[2].ns[r] = writes(w);
		close_many(MANY);
	}
	close(w);
	head("write of 8 bytes", "to none");
	for (int i = 0; i < 3; i++)
		row(&s[i], rounds, &s[0]);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int rounds = argc > 2 ? atoi(argv[2]) : 5;
	struct rlimit limit = { JOINS + 100, JOINS + 100 };

	if (rounds < 1 || rounds > MAX_ROUNDS)
		errx(2, "usage: holds join|full|demoted [ROUNDS]");
	if (setrlimit(RLIMIT_NOFILE, &limit))
		err(1, "setrlimit");
	pin(0);
	if (!strcmp(what, "join"))
		measure_joins(rounds);
	else if (!strcmp(what, "full"))
		measure_full(rounds);
	else if (!strcmp(what, "demoted"))
		measure_demoted(rounds);
	else
		errx(2, "usage: holds join|full|demoted [ROUNDS]");
	return 0;
}
