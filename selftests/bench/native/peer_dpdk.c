// SPDX-License-Identifier: GPL-2.0
/* DPDK's rte_ring of 64-byte elements, SPSC, one for each reader. */

#include <rte_ring.h>
#include <rte_ring_elem.h>
#include "peer.h"

static struct rte_ring *rings[MAX_READERS];
static size_t size;

static void dpdk_setup(struct job *job)
{
	size = rte_ring_get_memsize_elem(sizeof(struct record), QUEUE_RECORDS);
	for (unsigned int i = 0; i < job->readers; i++) {
		rings[i] = shared_alloc(size);
		if (rte_ring_init(rings[i], "bench", QUEUE_RECORDS,
				  RING_F_SP_ENQ | RING_F_SC_DEQ))
			die("rte_ring_init");
	}
}

static void dpdk_cleanup(struct job *job)
{
	for (unsigned int i = 0; i < job->readers; i++)
		shared_free(rings[i], size);
}

static void enqueue(struct rte_ring *r, const struct record *recs,
		    unsigned int n, const struct job *job)
{
	unsigned int done = 0;

	for (;;) {
		done += rte_ring_sp_enqueue_burst_elem(r, recs + done,
						       sizeof(*recs),
						       n - done, NULL);
		if (done == n)
			return;
		wait_turn(job);
	}
}

static void dpdk_produce(struct job *job)
{
	struct record recs[MAX_BATCH];
	uint64_t n = 0;

	for (unsigned int i = 0; i < job->readers; i++)
		shared_touch(rings[i], size);
	job_start(job, producer_of(job));
	while (n < job->records) {
		for (unsigned int i = 0; i < job->batch; i++)
			record_fill(&recs[i], n++);
		for (unsigned int i = 0; i < job->readers; i++)
			enqueue(rings[i], recs, job->batch, job);
	}
}

static void dpdk_consume(struct job *job, unsigned int reader)
{
	struct rte_ring *r = rings[reader];
	struct record recs[MAX_BATCH];
	struct tally t = {};
	unsigned int got;

	shared_touch(r, size);
	job_start(job, reader);
	while (t.next < job->records) {
		got = rte_ring_sc_dequeue_burst_elem(r, recs, sizeof(*recs),
						     job->batch, NULL);
		for (unsigned int i = 0; i < got; i++)
			tally_record(&t, &recs[i]);
		if (!got)
			wait_turn(job);
	}
	tally_end(&t, job, reader);
}

static struct peer dpdk_peer = {
	.name = "DPDK rte_ring",
	.batches = true,
	.shapes = 1 << BROADCAST,
	.most = MAX_READERS,
	.cost = 60,
	.setup = dpdk_setup,
	.produce = dpdk_produce,
	.consume = dpdk_consume,
	.cleanup = dpdk_cleanup,
};

PEER(dpdk_peer)
