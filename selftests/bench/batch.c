// SPDX-License-Identifier: GPL-2.0
/*
 * What watermarks save: a writer at a steady rate of 64-byte records, and a
 * reader on the other CPU that reads all there is whenever it is woken. Each mark
 * in turn, for a while. Prints Markdown.  batch [ROUNDS [RATE [MILLISECONDS]]]
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/ringbuf.h>
#include "bench.h"

#define PAYLOAD		64
#define FRAME		RINGBUF_FRAME_SIZE(PAYLOAD)
#define HOME		1	/* the CPU of who writes */

enum { CPU, WRITE, SLEEPS, FIGURES };

static struct mark {
	const char *name;
	unsigned int bytes, ms;
	int naps;	/* sleeps by the clock, and does not wait */
	struct series s[FIGURES];
} marks[] = {
	{ .name = "no mark" },
	{ .name = "wake_bytes = 64 KiB", .bytes = 64 << 10 },
	{ .name = "wake_ns = 10 ms", .ms = 10 },
	{ .name = "both", .bytes = 64 << 10, .ms = 10 },
	{ .name = "no mark, naps of 10 ms instead", .ms = 10, .naps = 1 },
};

#define MARKS	(sizeof(marks) / sizeof(marks[0]))

/* What a reader has used up, as it tells the writer. */
static struct told {
	double cpu_ns;
	long sleeps;
	unsigned long bytes;
} *told;

static int reader(const struct mark *m)
{
	struct ringbuf_consumer c = {
		.struct_size = sizeof(c),
		.flags = RINGBUF_CONSUMER_FRAMED | RINGBUF_CONSUMER_EOF,
		.wake_bytes = m->naps ? 0 : m->bytes,
		.wake_ns = m->naps ? 0 : m->ms * 1000000ULL,
	};
	int fd = open("/dev/ringbuf", m->naps ? O_RDONLY | O_NONBLOCK : O_RDONLY);

	if (fd < 0 || lseek(fd, 0, SEEK_END) < 0)
		err(1, "/dev/ringbuf");
	if (ioctl(fd, RINGBUF_IOC_SET_CONSUMER, &c))
		err(1, "RINGBUF_IOC_SET_CONSUMER");
	return fd;
}

static double cpu_ns(const struct rusage *u)
{
	return (u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e9 +
	       (u->ru_utime.tv_usec + u->ru_stime.tv_usec) * 1e3;
}

/* Until the writer has gone. */
static void consume(const struct mark *m, int fd)
{
	static char buffer[256 << 10];
	struct rusage before, after;
	ssize_t n;

	pin(!HOME);
	memset(buffer, 0, sizeof(buffer));
	getrusage(RUSAGE_SELF, &before);
	while ((n = read(fd, buffer, sizeof(buffer)))) {
		if (n < 0 && errno != EAGAIN)
			err(1, "read");
		if (n > 0)
			told->bytes += n;
		if (m->naps)
			usleep(m->ms * 1000);
	}
	getrusage(RUSAGE_SELF, &after);
	told->cpu_ns = cpu_ns(&after) - cpu_ns(&before);
	told->sleeps = after.ru_nvcsw - before.ru_nvcsw;
	_exit(0);
}

static void sleep_until(double ns)
{
	struct timespec ts = {
		.tv_sec = ns / 1e9, .tv_nsec = ns - (long)(ns / 1e9) * 1e9,
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* At a rate; returns what all the calls have taken. */
static double produce(int fd, unsigned int records, double period)
{
	double next = now_ns(), start, ns = 0;
	char payload[PAYLOAD] = "";

	for (unsigned int i = 0; i < records; i++, next += period) {
		sleep_until(next);
		start = now_ns();
		if (write(fd, payload, PAYLOAD) != PAYLOAD)
			err(1, "write");
		ns += now_ns() - start;
	}
	return ns;
}

static void measure(struct mark *m, unsigned int round, unsigned int rate,
		    unsigned int records)
{
	int writer = open("/dev/ringbuf", O_WRONLY);
	double write_ns, took;
	int fd, status;
	pid_t pid;

	if (writer < 0)
		err(1, "/dev/ringbuf");
	memset(told, 0, sizeof(*told));
	fd = reader(m);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		close(writer);
		consume(m, fd);
	}
	close(fd);
	usleep(20000);	/* it has gone to sleep */
	took = now_ns();
	write_ns = produce(writer, records, 1e9 / rate);
	took = now_ns() - took;
	close(writer);
	if (waitpid(pid, &status, 0) != pid || status)
		errx(1, "the reader failed");
	if (told->bytes != records * FRAME)
		errx(1, "%s: %lu bytes read, not %llu", m->name,
		     told->bytes, (unsigned long long)records * FRAME);
	m->s[CPU].ns[round] = told->cpu_ns / records;
	m->s[WRITE].ns[round] = write_ns / records;
	/* The end of the stream wakes, too. */
	m->s[SLEEPS].ns[round] = (told->sleeps - 1) / (took / 1e9);
}

/* How often a mark is reached in a second, if the reader takes no time at all. */
static double wanted(const struct mark *m, unsigned int rate)
{
	double by_bytes = m->bytes ? rate / (double)((m->bytes - 1) / FRAME + 1) : 0;
	double by_time = m->ms ? 1 / (m->ms / 1e3 + (m->naps ? 0 : 1.0 / rate)) : 0;

	if (!m->bytes && !m->ms)
		return rate;
	return by_bytes > by_time ? by_bytes : by_time;
}

static void table(int figure, const char *what, unsigned int rounds)
{
	head_spread(what, "to none");
	for (struct mark *m = marks; m < marks + MARKS; m++) {
		m->s[figure].name = m->name;
		row_spread(&m->s[figure], rounds, &marks[0].s[figure]);
	}
}

static void often(unsigned int rounds, unsigned int rate)
{
	static struct series aim;

	head_spread("sleeps a second (not ns)", "to mark");
	for (struct mark *m = marks; m < marks + MARKS; m++) {
		for (unsigned int r = 0; r < rounds; r++)
			aim.ns[r] = wanted(m, rate);
		m->s[SLEEPS].name = m->name;
		row_spread(&m->s[SLEEPS], rounds, &aim);
	}
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? atoi(argv[1]) : 21;
	unsigned int rate = argc > 2 ? atoi(argv[2]) : 20000;
	unsigned int ms = argc > 3 ? atoi(argv[3]) : 500;

	if (!rounds || rounds > MAX_ROUNDS || !rate || !ms)
		errx(1, "usage: batch [ROUNDS [RATE [MILLISECONDS]]]");
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		err(1, "mmap");
	pin(HOME);
	/* Else it would sleep for a record's time longer. */
	prctl(PR_SET_TIMERSLACK, 1);
	for (unsigned int r = 0; r < rounds; r++)
		for (struct mark *m = marks; m < marks + MARKS; m++)
			measure(m, r, rate, (unsigned long)rate * ms / 1000);

	printf("\n%u records of 64 bytes a second, for %u ms; medians of %u rounds.\n",
	       rate, ms, rounds);
	table(CPU, "the reader's CPU time, per record", rounds);
	table(WRITE, "write(), per record", rounds);
	often(rounds, rate);
	return 0;
}
