// SPDX-License-Identifier: GPL-2.0
/*
 * kmod/core.c as it is, as the producer. Readers are reliable, by the core's own
 * holds: nothing is lost, the producer waits for the slowest, as with queues.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "cursor.h"
#include "ring.h"

/* As in struct ringbuf of the kernel: the core, and a hold for each consumer. */
struct bench_core {
	struct ringbuf_core core;
	struct {
		struct ringbuf_hold hold ____cacheline_aligned;
	} readers[MAX_READERS];
};

static unsigned char *map_twice(uint64_t size)
{
	int fd = memfd_create("ring", 0);
	unsigned char *data;

	data = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fd < 0 || data == MAP_FAILED || ftruncate(fd, size))
		die("memory for a ring");
	for (int i = 0; i < 2; i++) {
		if (mmap(data + i * size, size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) == MAP_FAILED)
			die("mapping a ring");
	}
	close(fd);
	return data;
}

void bench_ring_open(struct bench_ring *ring, uint64_t size,
		     unsigned int readers)
{
	const struct ringbuf_mark start = {};
	struct ringbuf_cursor cur;
	struct ringbuf_hold *hold;
	struct ringbuf_core *core;

	ring->size = size;
	ring->page = shared_alloc(sizeof(*ring->page));
	ring->head_page = shared_alloc(sizeof(*ring->head_page));
	ring->core = shared_alloc(sizeof(*ring->core));
	ring->data = map_twice(size);
	core = &ring->core->core;
	ringbuf_core_init(core, ring->page, ring->head_page, ring->data, size,
			  &start);
	core->reliable = readers;
	for (unsigned int i = 0; i < readers; i++) {
		hold = &ring->core->readers[i].hold;
		ringbuf_cursor_init(&cur, core);
		ringbuf_hold_join(hold, core, &cur);
		ring->holds[i] = (uint64_t *)&hold->pos;
	}
}

void bench_ring_close(struct bench_ring *ring)
{
	munmap(ring->data, 2 * ring->size);
	shared_free(ring->page, sizeof(*ring->page));
	shared_free(ring->head_page, sizeof(*ring->head_page));
	shared_free(ring->core, sizeof(*ring->core));
}

/* As a write() that sleeps does: looks at the holds, and not at the ring. */
static void wait_for_room(struct bench_core *c, u64 size, const struct job *job)
{
	const u64 need = ringbuf_core_need(&c->core, c->core.head, size);
	unsigned int i = 0;

	while (i < job->readers) {
		if (ringbuf_before(READ_ONCE(c->readers[i].hold.pos), need))
			wait_turn(job);
		else
			i++;
	}
}

static inline void *reserve(struct bench_core *c, u32 len, const struct job *job)
{
	void *p;

	for (;;) {
		p = ringbuf_core_reserve(&c->core, len, 0);
		if (p)
			return p;
		wait_for_room(c, ringbuf_frame_size(len), job);
	}
}

static void produce_records(struct bench_core *c, const struct job *job)
{
	struct ringbuf_core *core = &c->core;
	const unsigned int batch = job->batch;
	const u64 records = job->records;
	u64 n = 0;

	while (n < records) {
		for (unsigned int i = 0; i < batch; i++, n++) {
			record_fill(reserve(c, sizeof(struct record), job), n);
			ringbuf_core_commit(core, 0);
		}
		ringbuf_core_publish(core);
	}
}

static void produce_numbers(struct bench_core *c, const struct job *job)
{
	struct ringbuf_core *core = &c->core;

	for (u64 n = 0; n < job->records; n++) {
		*(u64 *)reserve(c, sizeof(u64), job) = n;
		ringbuf_core_commit(core, 0);
		ringbuf_core_publish(core);
	}
}

void bench_ring_produce(const struct bench_ring *ring, struct job *job)
{
	shared_touch(ring->data, 2 * ring->size);
	shared_touch(ring->page, sizeof(*ring->page));
	shared_touch(ring->head_page, sizeof(*ring->head_page));
	shared_touch(ring->core, sizeof(*ring->core));
	job_start(job, producer_of(job));
	if (job->shape == BROADCAST)
		produce_records(ring->core, job);
	else
		produce_numbers(ring->core, job);
}

bool bench_ring_put(const struct bench_ring *ring, uint64_t n)
{
	struct ringbuf_core *core = &ring->core->core;
	u64 *p = ringbuf_core_reserve(core, sizeof(*p), 0);

	if (!p)
		return false;
	*p = n;
	ringbuf_core_commit(core, 0);
	ringbuf_core_publish(core);
	return true;
}
