// SPDX-License-Identifier: GPL-2.0
/*
 * What mapped readers cost, against FRAMED reads, and against as many pipes. One
 * process, one CPU: what is measured is the work, not the scheduler. The cases
 * take turns. Prints Markdown.  mapped [ROUNDS]
 */
#include <fcntl.h>
#include <libringbuf.h>
#include <unistd.h>
#include "bench.h"

#define PAYLOAD		64
#define BATCH		64
#define BACKLOG		8192	/* records; the ring holds them */
#define MAX_READERS	8
#define REPEATS		32

static struct ringbuf_publisher *writer;
static char payload[PAYLOAD];
static char buffer[BATCH * PAYLOAD];
static volatile uint64_t sink;

static void check(int ret, const char *what)
{
	errno = -ret;
	if (ret < 0)
		err(1, "%s", what);
}

static struct ringbuf_reader *reader(unsigned int flags)
{
	struct ringbuf_reader *r;

	check(ringbuf_reader_open(&r, NULL, flags), "/dev/ringbuf");
	check(ringbuf_reader_seek(r, 0, SEEK_END), "seek");
	if (ringbuf_reader_mapped(r) != !flags)
		errx(1, "the ring cannot be mapped");
	return r;
}

static void publish(unsigned int records)
{
	while (records--)
		check(ringbuf_put(writer, 0, payload, PAYLOAD), "put");
	check(ringbuf_flush(writer), "flush");
}

static uint64_t sum(const void *data)
{
	const uint64_t *word = data;

	return word[0] + word[1] + word[2] + word[3] + word[4] + word[5] +
	       word[6] + word[7];
}

static unsigned int consume(struct ringbuf_reader *r)
{
	struct ringbuf_entry e;
	unsigned int n = 0;
	uint64_t part;

	while (ringbuf_next(r, &e) > 0) {
		part = sum(e.data);
		if (!ringbuf_release(r))
			continue;
		sink += part;
		n++;
	}
	return n;
}

static double drain(struct ringbuf_reader *r)
{
	double start = now_ns();
	unsigned int n = consume(r);
	double ns = now_ns() - start;

	if (n != BACKLOG)
		errx(1, "read %u records, not %u", n, BACKLOG);
	return ns / n;
}

enum { PLAIN, MAPPED, FRAMED, WAYS };

static struct series ways[WAYS] = {
	[PLAIN] = { .name = "plain pass over as many bytes" },
	[MAPPED] = { .name = "mapped, in place" },
	[FRAMED] = { .name = "FRAMED read() of 64 KiB" },
};

static double plain(void)
{
	static char *memory;
	double start;

	if (!memory) {
		memory = malloc(BACKLOG * RINGBUF_FRAME_SIZE(PAYLOAD));
		memset(memory, 1, BACKLOG * RINGBUF_FRAME_SIZE(PAYLOAD));
	}
	start = now_ns();
	for (unsigned int i = 0; i < BACKLOG; i++)
		sink += sum(memory + i * RINGBUF_FRAME_SIZE(PAYLOAD));
	return (now_ns() - start) / BACKLOG;
}

static void lag(unsigned int rounds)
{
	struct ringbuf_reader *mapped = reader(0);
	struct ringbuf_reader *framed = reader(RINGBUF_READER_NO_MMAP);

	for (unsigned int i = 0; i < rounds; i++) {
		publish(BACKLOG);
		ways[PLAIN].ns[i] = plain();
		ways[MAPPED].ns[i] = drain(mapped);
		ways[FRAMED].ns[i] = drain(framed);
	}
	ringbuf_reader_close(mapped);
	ringbuf_reader_close(framed);
	head("per record, 8,192 are there", "to plain");
	for (unsigned int i = 0; i < WAYS; i++)
		row(&ways[i], rounds, &ways[PLAIN]);
	printf("\nA mapped reader takes %.3f of a FRAMED read() per record.\n",
	       ratio(&ways[MAPPED], &ways[FRAMED], rounds));
}

struct broadcast {
	struct series s;
	unsigned int readers;
	unsigned int batch;	/* records at once */
	bool pipes;
};

static struct ringbuf_reader *rings[MAX_READERS];
static int pipes[MAX_READERS][2];

static void through_ring(const struct broadcast *b)
{
	publish(b->batch);
	for (unsigned int i = 0; i < b->readers; i++)
		if (consume(rings[i]) != b->batch)
			errx(1, "a reader lacks records");
}

static void through_pipes(const struct broadcast *b)
{
	ssize_t size = b->batch * PAYLOAD;

	for (unsigned int i = 0; i < b->readers; i++)
		if (write(pipes[i][1], buffer, size) != size)
			err(1, "write to a pipe");
	for (unsigned int i = 0; i < b->readers; i++) {
		if (read(pipes[i][0], buffer, size) != size)
			err(1, "read from a pipe");
		for (unsigned int n = 0; n < b->batch; n++)
			sink += sum(buffer + n * PAYLOAD);
	}
}

static double broadcast(const struct broadcast *b)
{
	unsigned int repeats = b->batch > 1 ? REPEATS : REPEATS * 8;
	double start;

	for (unsigned int i = 0; !b->pipes && i < b->readers; i++)
		rings[i] = reader(0);
	start = now_ns();
	for (unsigned int i = 0; i < repeats; i++) {
		if (b->pipes)
			through_pipes(b);
		else
			through_ring(b);
	}
	start = (now_ns() - start) / repeats / b->batch;
	for (unsigned int i = 0; !b->pipes && i < b->readers; i++)
		ringbuf_reader_close(rings[i]);
	return start;
}

static void many(unsigned int rounds, unsigned int batch)
{
	static struct broadcast cases[8];
	static char names[8][48];
	struct broadcast *b;

	for (int i = 0; i < 8; i++) {
		b = &cases[i];
		b->readers = 1 << i / 2;
		b->batch = batch;
		b->pipes = i % 2 == 0;
		snprintf(names[i], sizeof(names[i]),
			 b->pipes ? "%u pipe%s" : "%u mapped reader%s",
			 b->readers, b->readers > 1 ? "s" : "");
		b->s.name = names[i];
	}
	for (unsigned int r = 0; r < rounds; r++)
		for (int i = 0; i < 8; i++)
			cases[i].s.ns[r] = broadcast(&cases[i]);
	head(batch > 1 ? "per record to all, 64 at once" :
	     "per record to all, one at once", "to pipes");
	for (int i = 0; i < 8; i++)
		row(&cases[i].s, rounds, &cases[i & ~1].s);
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? atoi(argv[1]) : 101;

	if (!rounds || rounds > MAX_ROUNDS)
		errx(1, "usage: mapped [ROUNDS]");
	pin(1);
	memset(payload, 1, sizeof(payload));
	memset(buffer, 1, sizeof(buffer));
	check(ringbuf_publisher_open(&writer, NULL, 0), "/dev/ringbuf");
	for (int i = 0; i < MAX_READERS; i++)
		if (pipe(pipes[i]))
			err(1, "pipe");
	lag(rounds);
	many(rounds, 1);
	many(rounds, BATCH);
	return 0;
}
