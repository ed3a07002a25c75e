// SPDX-License-Identifier: GPL-2.0
/* Pipes, sockets, eventfds, message queues, the kernel's log. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "way.h"

volatile uint64_t way_sink;

bool way_open(struct way *w)
{
	w->out = aligned_alloc(4096, BUFFER);
	w->in = aligned_alloc(4096, BUFFER);
	if (!w->out || !w->in)
		err(1, "%s", w->kind->name);
	memset(w->out, 'x', BUFFER);
	memset(w->in, 0, BUFFER);
	return w->kind->open(w);
}

void way_wait(const struct way *w, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (w->poll && poll(&p, 1, -1) != 1)
		err(1, "poll: %s", w->kind->name);
}

/* One pair of files for each reader. */
static bool open_pairs(struct way *w, int (*open_pair)(int fds[2]))
{
	int fds[2];

	for (unsigned int i = 0; i < w->readers; i++) {
		if (open_pair(fds))
			err(1, "%s", w->kind->name);
		w->rfd[i] = fds[0];
		w->wfd[i] = fds[1];
	}
	return true;
}

static void put(const struct way *w, int fd, size_t len)
{
	if (write(fd, w->out, len) != (ssize_t)len)
		err(1, "write: %s", w->kind->name);
}

static void get(const struct way *w, int fd, size_t len, size_t size)
{
	way_wait(w, fd);
	if (read(fd, w->in, size) != (ssize_t)len)
		err(1, "read: %s", w->kind->name);
}

static void write_bytes(struct way *w, unsigned int n)
{
	for (unsigned int i = 0; i < w->readers; i++)
		put(w, w->wfd[i], n * PAYLOAD);
}

static void read_bytes(struct way *w, unsigned int i, unsigned int n)
{
	get(w, w->rfd[i], n * PAYLOAD, BUFFER);
	look(w->in, n);
}

static void read_each(struct way *w, unsigned int i, unsigned int n)
{
	while (n--) {
		get(w, w->rfd[i], PAYLOAD, PAYLOAD);
		look(w->in, 1);
	}
}

static bool open_pipe(struct way *w)
{
	return open_pairs(w, pipe);
}

const struct kind way_pipe = {
	"pipe", 0, open_pipe, write_bytes, read_bytes, NULL
};

const struct kind way_pipe_each = {
	"pipe", 0, open_pipe, write_bytes, read_each, NULL
};

static int packet_pipe(int fds[2])
{
	return pipe2(fds, O_DIRECT);
}

static bool open_packets(struct way *w)
{
	return open_pairs(w, packet_pipe);
}

static void write_each(struct way *w, unsigned int n)
{
	for (unsigned int i = 0; i < w->readers; i++)
		for (unsigned int j = 0; j < n; j++)
			put(w, w->wfd[i], PAYLOAD);
}

const struct kind way_packets = {
	"pipe O_DIRECT", 0, open_packets, write_each, read_each, NULL
};

static int seqpacket(int fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds);
}

/* Messages for sendmmsg() and recvmmsg(), over the records in the buffers. */
struct messages {
	struct mmsghdr out[MAX_BATCH], in[MAX_BATCH];
	struct iovec iov_out[MAX_BATCH], iov_in[MAX_BATCH];
};

static void fill_messages(struct mmsghdr *msg, struct iovec *iov, char *buffer)
{
	for (int i = 0; i < MAX_BATCH; i++) {
		iov[i] = (struct iovec){ buffer + i * PAYLOAD, PAYLOAD };
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
}

static bool open_seqpacket(struct way *w)
{
	struct messages *m = calloc(1, sizeof(*m));

	if (!m)
		err(1, "%s", w->kind->name);
	fill_messages(m->out, m->iov_out, w->out);
	fill_messages(m->in, m->iov_in, w->in);
	w->own = m;
	return open_pairs(w, seqpacket);
}

static void write_messages(struct way *w, unsigned int n)
{
	struct messages *m = w->own;

	for (unsigned int i = 0; i < w->readers; i++) {
		if (n == 1)
			put(w, w->wfd[i], PAYLOAD);
		else if (sendmmsg(w->wfd[i], m->out, n, 0) != (int)n)
			err(1, "sendmmsg");
	}
}

static void read_messages(struct way *w, unsigned int i, unsigned int n)
{
	struct messages *m = w->own;

	if (n == 1)
		get(w, w->rfd[i], PAYLOAD, BUFFER);
	else if (recvmmsg(w->rfd[i], m->in, n, 0, NULL) != (int)n)
		err(1, "recvmmsg");
	look(w->in, n);
}

const struct kind way_seqpacket = {
	"SOCK_SEQPACKET", 0, open_seqpacket, write_messages, read_messages, NULL
};

/* A number: 8 bytes, the least there is. */
static bool open_eventfd(struct way *w)
{
	memcpy(w->out, &(uint64_t){ 1 }, 8);
	for (unsigned int i = 0; i < w->readers; i++) {
		w->rfd[i] = eventfd(0, 0);
		w->wfd[i] = w->rfd[i];
		if (w->rfd[i] < 0)
			err(1, "eventfd");
	}
	return true;
}

static void write_eventfd(struct way *w, unsigned int n)
{
	for (unsigned int i = 0; i < w->readers; i++)
		put(w, w->wfd[i], 8);
	(void)n;
}

static void read_eventfd(struct way *w, unsigned int i, unsigned int n)
{
	get(w, w->rfd[i], 8, 8);
	(void)n;
}

const struct kind way_eventfd = {
	"eventfd (8 bytes)", 8, open_eventfd, write_eventfd, read_eventfd, NULL
};

static bool open_kmsg(struct way *w)
{
	/* Without its newline a line in the kernel's log is not complete. */
	w->out[PAYLOAD - 1] = '\n';
	w->wfd[0] = open("/dev/kmsg", O_WRONLY);
	if (w->wfd[0] < 0)
		err(1, "/dev/kmsg");
	for (unsigned int i = 0; i < w->readers; i++) {
		w->rfd[i] = open("/dev/kmsg", O_RDONLY);
		if (w->rfd[i] < 0)
			err(1, "/dev/kmsg");
	}
	return true;
}

static void write_kmsg(struct way *w, unsigned int n)
{
	while (n--)
		put(w, w->wfd[0], PAYLOAD);
}

static void seek_kmsg(struct way *w)
{
	for (unsigned int i = 0; i < w->readers; i++)
		if (lseek(w->rfd[i], 0, SEEK_END) < 0)
			err(1, "lseek in /dev/kmsg");
}

/* It adds a header to what was written, and the kernel itself writes to it, too. */
static void read_kmsg(struct way *w, unsigned int i, unsigned int n)
{
	ssize_t len;
	char *text;

	while (n) {
		len = read(w->rfd[i], w->in, BUFFER);
		if (len < 0)
			err(1, "read: /dev/kmsg");
		text = memchr(w->in, ';', len);
		if (!text || text[1] != 'x')
			continue;
		look(w->in, 1);
		n--;
	}
}

const struct kind way_kmsg = {
	"/dev/kmsg", 0, open_kmsg, write_kmsg, read_kmsg, seek_kmsg
};

static bool open_mq(struct way *w)
{
	struct mq_attr attr = {
		.mq_maxmsg = w->batch > 10 ? w->batch : 10,
		.mq_msgsize = PAYLOAD,
	};
	char name[32];

	for (unsigned int i = 0; i < w->readers; i++) {
		snprintf(name, sizeof(name), "/ringbuf-bench-%u", i);
		w->wfd[i] = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
		if (w->wfd[i] < 0) {
			warn("POSIX mq, left out");
			return false;
		}
		w->rfd[i] = w->wfd[i];
		mq_unlink(name);
	}
	return true;
}

static void write_mq(struct way *w, unsigned int n)
{
	for (unsigned int i = 0; i < w->readers; i++)
		for (unsigned int j = 0; j < n; j++)
			if (mq_send(w->wfd[i], w->out, PAYLOAD, 0))
				err(1, "mq_send");
}

static void read_mq(struct way *w, unsigned int i, unsigned int n)
{
	while (n--) {
		way_wait(w, w->rfd[i]);
		if (mq_receive(w->rfd[i], w->in, PAYLOAD, NULL) != PAYLOAD)
			err(1, "mq_receive");
		look(w->in, 1);
	}
}

const struct kind way_mq = {
	"POSIX mq", 0, open_mq, write_mq, read_mq, NULL
};
