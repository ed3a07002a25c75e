// SPDX-License-Identifier: GPL-2.0
/*
 * What the machine itself takes, whoever transports: a copy of the bytes, a cache
 * line there and back, and a stream of words through the same memory as the
 * ring's, without headers and without a question asked.
 */

#include <string.h>
#include "peer.h"

/* Bytes of a record in the ring: its header, and 64. */
#define FRAME_BYTES	88

struct area {
	uint64_t head __attribute__((aligned(CACHE_LINE)));
	uint64_t done[MAX_READERS][8] __attribute__((aligned(CACHE_LINE)));
	uint64_t data[RING_BYTES / 8] __attribute__((aligned(CACHE_LINE)));
};

#define WORDS		(RING_BYTES / 8)

static struct area *area;

static void limit_setup(struct job *job)
{
	area = shared_alloc(sizeof(*area));
}

static void limit_cleanup(struct job *job)
{
	shared_free(area, sizeof(*area));
}

static uint64_t load(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void store(uint64_t *p, uint64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/* The checks are for records; here each does what it does, or never ends. */
static void done(struct job *job, unsigned int reader)
{
	struct tally t = {
		.next = job->records,
		.sum = 8 * (job->records * (job->records - 1) / 2) +
		       28 * job->records,
	};

	tally_end(&t, job, reader);
}

static void copy_alone(struct job *job)
{
	char *to = (char *)area->data;
	struct record recs[MAX_BATCH];
	size_t size = job->batch * sizeof(*recs);
	size_t at = 0;

	for (unsigned int i = 0; i < job->batch; i++)
		record_fill(&recs[i], i);
	job->start_ns = now_ns();
	for (uint64_t n = 0; n < job->records; n += job->batch) {
		memcpy(to + at, recs, size);
		/* So that it happens. */
		__asm__ volatile("" : : "r"(to) : "memory");
		at = at + 2 * size <= RING_BYTES ? at + size : 0;
	}
	done(job, 0);
}

static struct peer copy_limit = {
	.name = "memcpy on one CPU",
	.limit = true,
	.batches = true,
	.shapes = 1 << BROADCAST,
	.most = 1,
	.cost = 10,
	.setup = limit_setup,
	.alone = copy_alone,
	.cleanup = limit_cleanup,
};

PEER(copy_limit)

/*
 * A line there and a line back is two records' worth. For each size of
 * batch, for a virtual machine's CPUs may be near each other now and far apart then.
 */
static void hand_produce(struct job *job)
{
	shared_touch(area, sizeof(*area));
	job_start(job, producer_of(job));
	for (uint64_t n = 2; n <= job->records; n += 2) {
		store(&area->head, n);
		while (load(&area->done[0][0]) != n)
			__builtin_ia32_pause();
	}
}

static void hand_consume(struct job *job, unsigned int reader)
{
	shared_touch(area, sizeof(*area));
	job_start(job, reader);
	for (uint64_t n = 2; n <= job->records; n += 2) {
		while (load(&area->head) != n)
			__builtin_ia32_pause();
		store(&area->done[0][0], n);
	}
	done(job, reader);
}

static struct peer hand_limit = {
	.name = "cache line handed over and back (half)",
	.limit = true,
	.batches = true,
	.sleeps = true,
	.shapes = 1 << BROADCAST,
	.most = 1,
	.cost = 200,
	.setup = limit_setup,
	.produce = hand_produce,
	.consume = hand_consume,
	.cleanup = limit_cleanup,
};

PEER(hand_limit)

static uint64_t slowest(const struct job *job)
{
	uint64_t pos = load(&area->done[0][0]);

	for (unsigned int i = 1; i < job->readers; i++) {
		uint64_t other = load(&area->done[i][0]);

		pos = other < pos ? other : pos;
	}
	return pos;
}

static void write_words(uint64_t from, uint64_t to)
{
	for (; from < to; from++)
		area->data[from % WORDS] = from;
}

/* Words to a record; the position of the head is in words. */
static void stream(struct job *job, unsigned int words)
{
	uint64_t limit = WORDS, head = 0, next;

	shared_touch(area, sizeof(*area));
	job_start(job, producer_of(job));
	for (uint64_t n = 0; n < job->records; n += job->batch) {
		next = head + job->batch * words;
		while (limit < next) {
			limit = slowest(job) + WORDS;
			if (limit < next)
				wait_turn(job);
		}
		write_words(head, next);
		head = next;
		store(&area->head, head);
	}
}

static uint64_t sum_words(uint64_t from, uint64_t to)
{
	const uint64_t *data = area->data;
	uint64_t sum[4] = {};

	for (; from % 4 && from < to; from++)
		sum[0] += data[from % WORDS];
	for (; from + 4 <= to; from += 4)
		for (unsigned int i = 0; i < 4; i++)
			sum[i] += data[from % WORDS + i];
	for (; from < to; from++)
		sum[0] += data[from % WORDS];
	return sum[0] + sum[1] + sum[2] + sum[3];
}

static void drain(struct job *job, unsigned int reader, unsigned int words)
{
	uint64_t end = job->records * words, at = 0, sum = 0, head;

	shared_touch(area, sizeof(*area));
	job_start(job, reader);
	while (at < end) {
		head = load(&area->head);
		if (head == at) {
			wait_turn(job);
			continue;
		}
		if (head - at > WORDS / 4)
			head = at + WORDS / 4;
		sum += sum_words(at, head);
		at = head;
		store(&area->done[reader][0], at);
	}
	done(job, reader);
	if (sum != end * (end - 1) / 2)
		job->of[reader].bad = 1;
}

/* So many lines, dirtied by one and then read by the other, who takes the time. */
static void dirty_produce(struct job *job)
{
	unsigned int words = job->batch * FRAME_BYTES / 8;

	shared_touch(area, sizeof(*area));
	job_start(job, producer_of(job));
	for (uint64_t n = job->batch; n <= job->records; n += job->batch) {
		write_words(0, words);
		store(&area->head, n);
		while (load(&area->done[0][0]) != n)
			__builtin_ia32_pause();
	}
}

static void dirty_consume(struct job *job, unsigned int reader)
{
	unsigned int words = job->batch * FRAME_BYTES / 8;
	uint64_t sum = 0;
	double start;

	shared_touch(area, sizeof(*area));
	job_start(job, reader);
	for (uint64_t n = job->batch; n <= job->records; n += job->batch) {
		while (load(&area->head) != n)
			__builtin_ia32_pause();
		start = now_ns();
		sum += sum_words(0, words);
		job->took_ns += now_ns() - start;
		store(&area->done[0][0], n);
	}
	done(job, reader);
	if (sum != job->records / job->batch * (words * (words - 1UL) / 2))
		job->of[reader].bad = 1;
}

static struct peer dirty_limit = {
	.name = "dirty lines read (88 bytes per record)",
	.limit = true,
	.batches = true,
	.shapes = 1 << BROADCAST,
	.most = 1,
	.cost = 20,
	.setup = limit_setup,
	.produce = dirty_produce,
	.consume = dirty_consume,
	.cleanup = limit_cleanup,
};

PEER(dirty_limit)

#define STRING(text)	#text

/* A limit that streams so many bytes a record. */
#define STREAM_LIMIT(p, bytes)						\
static void p##_produce(struct job *job)				\
{									\
	stream(job, (bytes) / 8);					\
}									\
									\
static void p##_consume(struct job *job, unsigned int reader)		\
{									\
	drain(job, reader, (bytes) / 8);				\
}									\
									\
static struct peer p = {						\
	.name = "dirty lines streamed ("				\
		STRING(bytes) " bytes per record)",			\
	.limit = true,							\
	.batches = true,						\
	.shapes = 1 << BROADCAST,					\
	.most = MAX_READERS,						\
	.cost = 20,							\
	.setup = limit_setup,						\
	.produce = p##_produce,						\
	.consume = p##_consume,						\
	.cleanup = limit_cleanup,					\
};									\
									\
PEER(p)

/* As the ring has them, with their headers; and payloads alone. */
STREAM_LIMIT(frames_limit, FRAME_BYTES)
STREAM_LIMIT(lines_limit, 64)
