/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One way to bring records from a producer to readers, each a process of its own.
 * All ways carry the same records and check them in the same manner.
 */
#ifndef RINGBUF_BENCH_PEER_H
#define RINGBUF_BENCH_PEER_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MAX_READERS	4
#define MAX_BATCH	64
#define CACHE_LINE	64

/* The same memory for all: a ring of so many bytes, queues of as many records. */
#define RING_BYTES	(256UL << 10)
#define QUEUE_RECORDS	(RING_BYTES / sizeof(struct record))

struct record {
	uint64_t word[8];
};

enum shape {
	BROADCAST,	/* 64-byte records to every reader */
	SEQUENTIAL,	/* one thread writes an integer and reads it, in turns */
	CONCURRENT,	/* integers, to one reader */
	SHAPES
};

/* What a reader found; in shared memory, one cache line each. */
struct result {
	uint64_t sum;
	uint64_t next;
	uint64_t bad;
	double end_ns;
	double cpu_ns;
} __attribute__((aligned(CACHE_LINE)));

/**
 * struct job - One measurement
 * @shape: what is carried
 * @readers: how many; all get every record
 * @batch: records that are handed over at once
 * @records: how many; a multiple of @batch
 * @yield: readers share a CPU: who has nothing to do lets the others run
 * @started: how many are ready
 * @start_ns: when the producer began
 * @took_ns: how long it took, if that is not from there to the last reader's end
 * @of: the readers' results; the producer's times are the last
 */
struct job {
	enum shape shape;
	unsigned int readers;
	unsigned int batch;
	uint64_t records;
	bool yield;
	unsigned int started;
	double start_ns;
	double took_ns;
	struct result of[MAX_READERS + 1];
};

/**
 * struct peer - A way to carry records
 * @name: for the table
 * @limit: what the machine can do: no transport, not to be compared with
 * @batches: it can hand over several records at once
 * @sleeps: waits in the kernel
 * @threads: has threads of its own: to be left to the scheduler
 * @shapes: a bit for each enum shape that it knows
 * @most: no more readers than that
 * @cost: about how many ns a record takes: how many fit into one measurement
 * @setup: before the processes are made
 * @produce: the producer: prepares, calls job_start(), and sends @records
 * @consume: a reader: prepares, calls job_start(), and checks all it gets
 * @alone: instead of both, in one process
 * @cleanup: after all
 */
struct peer {
	const char *name;
	bool limit;
	bool batches;
	bool sleeps;
	bool threads;
	unsigned int shapes;
	unsigned int most;
	unsigned int cost;
	void (*setup)(struct job *job);
	void (*produce)(struct job *job);
	void (*consume)(struct job *job, unsigned int reader);
	void (*alone)(struct job *job);
	void (*cleanup)(struct job *job);
	struct peer *next;
};

void peer_register(struct peer *peer);

#define PEER(p)								\
static void __attribute__((constructor)) register_##p(void)		\
{									\
	peer_register(&(p));						\
}

/* Says that this process is ready, and returns when all are. */
void job_start(struct job *job, unsigned int who);

/* Memory that all processes share, aligned to a page; all there. */
void *shared_alloc(size_t size);
void shared_free(void *mem, size_t size);
/* In each process that will use it: no page faults later. */
void shared_touch(void *mem, size_t size);

double now_ns(void);
void die(const char *what) __attribute__((noreturn));

static inline unsigned int producer_of(const struct job *job)
{
	return job->readers;
}

/* Nothing to do right now. */
static inline void wait_turn(const struct job *job)
{
	if (job->yield)
		sched_yield();
	else
		__builtin_ia32_pause();
}

/* In ascending order: compilers mix up stores, which lines of other CPUs mind. */
static inline void record_fill(struct record *rec, uint64_t n)
{
	volatile uint64_t *w = rec->word;

	w[0] = n;
	w[1] = n + 1;
	w[2] = n + 2;
	w[3] = n + 3;
	w[4] = n + 4;
	w[5] = n + 5;
	w[6] = n + 6;
	w[7] = n + 7;
}

/* Sums up every word, and sees to it that none is missing or comes twice. */
struct tally {
	uint64_t sum;
	uint64_t next;
	uint64_t bad;
};

static inline void tally_record(struct tally *t, const struct record *rec)
{
	const uint64_t *w = rec->word;

	t->bad |= w[0] ^ t->next++;
	t->sum += ((w[0] + w[1]) + (w[2] + w[3])) +
		  ((w[4] + w[5]) + (w[6] + w[7]));
}

static inline void tally_number(struct tally *t, uint64_t n)
{
	t->bad |= n ^ t->next++;
	t->sum += n;
}

void tally_end(const struct tally *t, struct job *job, unsigned int reader);

#ifdef __cplusplus
}
#endif

#endif /* RINGBUF_BENCH_PEER_H */
