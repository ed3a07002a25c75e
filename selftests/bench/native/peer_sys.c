// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel has: a pipe, a SEQPACKET socket, a POSIX message queue, one for
 * each reader. Readers sleep in the kernel; batches are one call where there is
 * such a call.
 */

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "peer.h"

static int fds[MAX_READERS][2];

static void fds_cleanup(struct job *job)
{
	for (unsigned int i = 0; i < job->readers; i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
}

static void pipe_setup(struct job *job)
{
	for (unsigned int i = 0; i < job->readers; i++) {
		if (pipe(fds[i]) || fcntl(fds[i][1], F_SETPIPE_SZ, RING_BYTES) < 0)
			die("pipe");
	}
}

typedef void (*send_fn)(int fd, struct record *recs, unsigned int n);
typedef unsigned int (*receive_fn)(int fd, struct record *recs, unsigned int n);

static void produce(struct job *job, send_fn send)
{
	struct record recs[MAX_BATCH];
	uint64_t n = 0;

	job_start(job, producer_of(job));
	while (n < job->records) {
		for (unsigned int i = 0; i < job->batch; i++)
			record_fill(&recs[i], n++);
		for (unsigned int i = 0; i < job->readers; i++)
			send(fds[i][1], recs, job->batch);
	}
}

static void consume(struct job *job, unsigned int reader, receive_fn receive)
{
	struct record recs[MAX_BATCH];
	struct tally t = {};
	unsigned int got;

	job_start(job, reader);
	while (t.next < job->records) {
		got = receive(fds[reader][0], recs, job->batch);
		for (unsigned int i = 0; i < got; i++)
			tally_record(&t, &recs[i]);
	}
	tally_end(&t, job, reader);
}

/* Up to PIPE_BUF, which is what a batch has at most, all or nothing. */
static void pipe_send(int fd, struct record *recs, unsigned int n)
{
	if (write(fd, recs, n * sizeof(*recs)) != (ssize_t)(n * sizeof(*recs)))
		die("write to a pipe");
}

static unsigned int pipe_receive(int fd, struct record *recs, unsigned int n)
{
	ssize_t got = read(fd, recs, n * sizeof(*recs));

	if (got <= 0 || got % sizeof(*recs))
		die("read from a pipe");
	return got / sizeof(*recs);
}

static void pipe_produce(struct job *job)
{
	produce(job, pipe_send);
}

static void pipe_consume(struct job *job, unsigned int reader)
{
	consume(job, reader, pipe_receive);
}

static struct peer pipe_peer = {
	.name = "pipe",
	.batches = true,
	.sleeps = true,
	.shapes = 1 << BROADCAST,
	.most = MAX_READERS,
	.cost = 600,
	.setup = pipe_setup,
	.produce = pipe_produce,
	.consume = pipe_consume,
	.cleanup = fds_cleanup,
};

PEER(pipe_peer)

static void socket_setup(struct job *job)
{
	for (unsigned int i = 0; i < job->readers; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds[i]))
			die("socketpair");
	}
}

static void messages(struct mmsghdr *msgs, struct iovec *iov,
		     struct record *recs, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		iov[i] = (struct iovec){ &recs[i], sizeof(*recs) };
		msgs[i] = (struct mmsghdr){
			.msg_hdr = { .msg_iov = &iov[i], .msg_iovlen = 1 },
		};
	}
}

static void socket_send(int fd, struct record *recs, unsigned int n)
{
	struct mmsghdr msgs[MAX_BATCH];
	struct iovec iov[MAX_BATCH];
	unsigned int done = 0;
	int ret;

	if (n == 1) {
		if (send(fd, recs, sizeof(*recs), 0) != sizeof(*recs))
			die("send");
		return;
	}
	messages(msgs, iov, recs, n);
	while (done < n) {
		ret = sendmmsg(fd, msgs + done, n - done, 0);
		if (ret < 0)
			die("sendmmsg");
		done += ret;
	}
}

static unsigned int socket_receive(int fd, struct record *recs, unsigned int n)
{
	struct mmsghdr msgs[MAX_BATCH];
	struct iovec iov[MAX_BATCH];
	int ret;

	if (n == 1) {
		if (recv(fd, recs, sizeof(*recs), 0) != sizeof(*recs))
			die("recv");
		return 1;
	}
	messages(msgs, iov, recs, n);
	ret = recvmmsg(fd, msgs, n, MSG_WAITFORONE, NULL);
	if (ret <= 0)
		die("recvmmsg");
	return ret;
}

static void socket_produce(struct job *job)
{
	produce(job, socket_send);
}

static void socket_consume(struct job *job, unsigned int reader)
{
	consume(job, reader, socket_receive);
}

static struct peer socket_peer = {
	.name = "SOCK_SEQPACKET",
	.batches = true,
	.sleeps = true,
	.shapes = 1 << BROADCAST,
	.most = MAX_READERS,
	.cost = 2000,
	.setup = socket_setup,
	.produce = socket_produce,
	.consume = socket_consume,
	.cleanup = fds_cleanup,
};

PEER(socket_peer)

#define MQ_RECORDS	10	/* what everybody may have, by default */

static void mq_setup(struct job *job)
{
	struct mq_attr attr = {
		.mq_maxmsg = MQ_RECORDS,
		.mq_msgsize = sizeof(struct record),
	};
	char name[64];

	for (unsigned int i = 0; i < job->readers; i++) {
		snprintf(name, sizeof(name), "/ringbuf-bench-%d-%u", getpid(), i);
		fds[i][1] = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
		if (fds[i][1] < 0)
			die("mq_open");
		mq_unlink(name);
		fds[i][0] = dup(fds[i][1]);
	}
}

static void mq_send_one(int fd, struct record *recs, unsigned int n)
{
	if (mq_send(fd, (char *)recs, sizeof(*recs), 0))
		die("mq_send");
}

static unsigned int mq_receive_one(int fd, struct record *recs, unsigned int n)
{
	if (mq_receive(fd, (char *)recs, sizeof(*recs), NULL) != sizeof(*recs))
		die("mq_receive");
	return 1;
}

static void mq_produce(struct job *job)
{
	produce(job, mq_send_one);
}

static void mq_consume(struct job *job, unsigned int reader)
{
	consume(job, reader, mq_receive_one);
}

static struct peer mq_peer = {
	.name = "POSIX mq",
	.sleeps = true,
	.shapes = 1 << BROADCAST,
	.most = MAX_READERS,
	.cost = 3000,
	.setup = mq_setup,
	.produce = mq_produce,
	.consume = mq_consume,
	.cleanup = fds_cleanup,
};

PEER(mq_peer)
