// SPDX-License-Identifier: GPL-2.0
/*
 * ZeroMQ over ipc://, an XPUB that waits instead of dropping, and a SUB for each
 * reader: its own broadcast. It batches by itself, in threads of its own.
 */

#include <stdio.h>
#include <unistd.h>
#include <zmq.h>
#include "peer.h"

static char address[64];

static void zmq_job_setup(struct job *job)
{
	static unsigned int runs;

	snprintf(address, sizeof(address), "ipc://@ringbuf-bench-%d-%u",
		 getpid(), runs++);
}

static void set(void *sock, int option, int value)
{
	if (zmq_setsockopt(sock, option, &value, sizeof(value)))
		die("zmq_setsockopt");
}

static void zmq_produce(struct job *job)
{
	void *context = zmq_ctx_new();
	void *sock = zmq_socket(context, ZMQ_XPUB);
	struct record rec;
	char subscription[8];

	set(sock, ZMQ_XPUB_NODROP, 1);
	/* Else only the first of equal subscriptions is told of. */
	set(sock, ZMQ_XPUB_VERBOSE, 1);
	set(sock, ZMQ_SNDHWM, QUEUE_RECORDS);
	if (zmq_bind(sock, address))
		die("zmq_bind");
	for (unsigned int i = 0; i < job->readers; i++) {
		if (zmq_recv(sock, subscription, sizeof(subscription), 0) < 0)
			die("a subscription");
	}
	job_start(job, producer_of(job));
	for (uint64_t n = 0; n < job->records; n++) {
		record_fill(&rec, n);
		if (zmq_send(sock, &rec, sizeof(rec), 0) != sizeof(rec))
			die("zmq_send");
	}
	zmq_close(sock);
	zmq_ctx_term(context);
}

static void zmq_consume(struct job *job, unsigned int reader)
{
	void *context = zmq_ctx_new();
	void *sock = zmq_socket(context, ZMQ_SUB);
	struct tally t = {};
	struct record rec;

	set(sock, ZMQ_RCVHWM, QUEUE_RECORDS);
	set(sock, ZMQ_RECONNECT_IVL, 1);
	if (zmq_connect(sock, address) ||
	    zmq_setsockopt(sock, ZMQ_SUBSCRIBE, "", 0))
		die("zmq_connect");
	job_start(job, reader);
	while (t.next < job->records) {
		if (zmq_recv(sock, &rec, sizeof(rec), 0) != sizeof(rec))
			die("zmq_recv");
		tally_record(&t, &rec);
	}
	tally_end(&t, job, reader);
	zmq_close(sock);
	zmq_ctx_term(context);
}

static struct peer zmq_peer = {
	.name = "ZeroMQ ipc",
	.threads = true,
	.shapes = 1 << BROADCAST,
	.most = MAX_READERS,
	.cost = 1000,
	.setup = zmq_job_setup,
	.produce = zmq_produce,
	.consume = zmq_consume,
};

PEER(zmq_peer)
