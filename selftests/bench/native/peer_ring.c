// SPDX-License-Identifier: GPL-2.0
/*
 * ringbuf: the core as producer (ring.c), and here libringbuf's mapped reader,
 * with the ring's memory read-only. What a reader of the device tells the kernel
 * each quarter of the ring, by an ioctl, it stores into its hold here.
 */

#include <sys/mman.h>
#include "lib.h"
#include "ring.h"

static struct bench_ring ring;

static void ring_setup(struct job *job)
{
	bench_ring_open(&ring, RING_BYTES, job->readers);
}

static void ring_cleanup(struct job *job)
{
	bench_ring_close(&ring);
}

static void ring_produce(struct job *job)
{
	bench_ring_produce(&ring, job);
}

static void attach(struct reader *r)
{
	memset(r, 0, sizeof(*r));
	r->fd = -1;
	r->size = ring.size;
	r->max_record = ring.size / 4;
	r->pub.at = ring.page->tail;
	r->pub.seq = ring.page->tail_seq;
	if (map_attach(r, ring.page, ring.head_page, ring.data))
		die("the library takes it for no ring");
}

/* There is no file to tell it to. */
static inline void let_go(struct reader *r, uint64_t *hold)
{
	r->advanced = r->pub.at;
	__atomic_store_n(hold, r->pub.at, __ATOMIC_RELEASE);
}

/* All that is there now, or a quarter of the ring. False when there is nothing. */
static bool read_records(struct reader *r, struct tally *sum)
{
	struct ringbuf_entry e;
	uint64_t stop = r->pub.at + ring.size / 4;
	struct tally t = *sum;
	uint64_t first = t.next;

	while (r->pub.at < stop && ringbuf_next(&r->pub, &e) > 0) {
		tally_record(&t, e.data);
		/* Cannot be: the producer waits for us. */
		if (!ringbuf_release(&r->pub))
			t.bad = 1;
	}
	*sum = t;
	return t.next != first;
}

static bool read_numbers(struct reader *r, struct tally *sum)
{
	struct ringbuf_entry e;
	uint64_t stop = r->pub.at + ring.size / 4;
	struct tally t = *sum;
	uint64_t first = t.next;

	while (r->pub.at < stop && ringbuf_next(&r->pub, &e) > 0) {
		tally_number(&t, *(const uint64_t *)e.data);
		if (!ringbuf_release(&r->pub))
			t.bad = 1;
	}
	*sum = t;
	return t.next != first;
}

static void ring_consume(struct job *job, unsigned int reader)
{
	uint64_t *hold = ring.holds[reader];
	struct tally t = {};
	struct reader r;
	bool some;

	shared_touch(ring.data, 2 * ring.size);
	if (mprotect(ring.data, 2 * ring.size, PROT_READ) ||
	    mprotect(ring.page, 4096, PROT_READ))
		die("mprotect");
	attach(&r);
	job_start(job, reader);
	while (t.next < job->records) {
		if (job->shape == BROADCAST)
			some = read_records(&r, &t);
		else
			some = read_numbers(&r, &t);
		if (some)
			let_go(&r, hold);
		else
			wait_turn(job);
	}
	tally_end(&t, job, reader);
}

/* The ancestor's sequential shape: write one, read one. */
static void ring_alone(struct job *job)
{
	struct ringbuf_entry e;
	struct tally t = {};
	struct reader r;

	attach(&r);
	job->start_ns = now_ns();
	for (uint64_t n = 0; n < job->records; n++) {
		if (r.pub.at - r.advanced >= ring.size / 8)
			let_go(&r, ring.holds[0]);
		if (!bench_ring_put(&ring, n))
			t.bad = 1;
		if (ringbuf_next(&r.pub, &e) > 0)
			tally_number(&t, *(const uint64_t *)e.data);
		if (!ringbuf_release(&r.pub))
			t.bad = 1;
	}
	tally_end(&t, job, 0);
}

static struct peer ring_peer = {
	.name = "ringbuf",
	.batches = true,
	.shapes = 1 << BROADCAST | 1 << SEQUENTIAL | 1 << CONCURRENT,
	.most = MAX_READERS,
	.cost = 20,
	.setup = ring_setup,
	.produce = ring_produce,
	.consume = ring_consume,
	.alone = ring_alone,
	.cleanup = ring_cleanup,
};

PEER(ring_peer)
