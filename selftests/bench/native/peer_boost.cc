// SPDX-License-Identifier: GPL-2.0
/* boost::lockfree::spsc_queue, one for each reader, in shared memory. */

#include <new>
#include <boost/lockfree/spsc_queue.hpp>
#include "peer.h"

typedef boost::lockfree::spsc_queue<struct record,
	boost::lockfree::capacity<QUEUE_RECORDS>> queue;

static queue *queues[MAX_READERS];

static void boost_setup(struct job *job)
{
	for (unsigned int i = 0; i < job->readers; i++)
		queues[i] = new (shared_alloc(sizeof(queue))) queue;
}

static void boost_cleanup(struct job *job)
{
	for (unsigned int i = 0; i < job->readers; i++)
		shared_free(queues[i], sizeof(queue));
}

static void push(queue *q, const struct record *recs, size_t n,
		 const struct job *job)
{
	size_t done = 0;

	for (;;) {
		done += q->push(recs + done, n - done);
		if (done == n)
			return;
		wait_turn(job);
	}
}

static void boost_produce(struct job *job)
{
	struct record recs[MAX_BATCH];
	uint64_t n = 0;

	for (unsigned int i = 0; i < job->readers; i++)
		shared_touch(queues[i], sizeof(queue));
	job_start(job, producer_of(job));
	while (n < job->records) {
		for (unsigned int i = 0; i < job->batch; i++)
			record_fill(&recs[i], n++);
		for (unsigned int i = 0; i < job->readers; i++) {
			if (job->batch > 1) {
				push(queues[i], recs, job->batch, job);
				continue;
			}
			while (!queues[i]->push(recs[0]))
				wait_turn(job);
		}
	}
}

/* In batches: in place, all there are. One by one: as most would. */
static void boost_consume(struct job *job, unsigned int reader)
{
	queue *q = queues[reader];
	struct tally t = {};
	struct record rec;

	shared_touch(q, sizeof(*q));
	job_start(job, reader);
	while (t.next < job->records) {
		if (job->batch > 1) {
			if (!q->consume_all([&t](const struct record &r) {
				tally_record(&t, &r); }))
				wait_turn(job);
			continue;
		}
		if (q->pop(rec))
			tally_record(&t, &rec);
		else
			wait_turn(job);
	}
	tally_end(&t, job, reader);
}

static struct peer boost_peer = {
	"boost spsc_queue", false, true, false, false, 1 << BROADCAST, MAX_READERS, 50,
	boost_setup, boost_produce, boost_consume, NULL, boost_cleanup, NULL,
};

PEER(boost_peer)
