// SPDX-License-Identifier: GPL-2.0
/* Concurrency Kit's ck_ring of 64-byte elements, SPSC, one for each reader. */

#include <ck_ring.h>
#include "peer.h"

struct ring {
	struct ck_ring ring;
	struct record recs[QUEUE_RECORDS] __attribute__((aligned(CACHE_LINE)));
};

CK_RING_PROTOTYPE(rec, record)

static struct ring *rings[MAX_READERS];

static void ck_setup(struct job *job)
{
	for (unsigned int i = 0; i < job->readers; i++) {
		rings[i] = shared_alloc(sizeof(struct ring));
		ck_ring_init(&rings[i]->ring, QUEUE_RECORDS);
	}
}

static void ck_cleanup(struct job *job)
{
	for (unsigned int i = 0; i < job->readers; i++)
		shared_free(rings[i], sizeof(struct ring));
}

static void ck_produce(struct job *job)
{
	struct record rec;

	for (unsigned int i = 0; i < job->readers; i++)
		shared_touch(rings[i], sizeof(struct ring));
	job_start(job, producer_of(job));
	for (uint64_t n = 0; n < job->records; n++) {
		record_fill(&rec, n);
		for (unsigned int i = 0; i < job->readers; i++) {
			struct ring *r = rings[i];

			while (!CK_RING_ENQUEUE_SPSC(rec, &r->ring, r->recs, &rec))
				wait_turn(job);
		}
	}
}

static void ck_consume(struct job *job, unsigned int reader)
{
	struct ring *r = rings[reader];
	struct tally t = {};
	struct record rec;

	shared_touch(r, sizeof(*r));
	job_start(job, reader);
	while (t.next < job->records) {
		if (CK_RING_DEQUEUE_SPSC(rec, &r->ring, r->recs, &rec))
			tally_record(&t, &rec);
		else
			wait_turn(job);
	}
	tally_end(&t, job, reader);
}

static struct peer ck_peer = {
	.name = "ck_ring",
	.shapes = 1 << BROADCAST,
	.most = MAX_READERS,
	.cost = 50,
	.setup = ck_setup,
	.produce = ck_produce,
	.consume = ck_consume,
	.cleanup = ck_cleanup,
};

PEER(ck_peer)
