// SPDX-License-Identifier: GPL-2.0
/*
 * What a record costs through ringbuf and through what else there is: one
 * process, one CPU, so what is measured is the work, not the scheduler.
 *
 * Every round runs each case once, in turn, so that what disturbs the machine
 * disturbs all alike. Prints Markdown.  syscalls [ROUNDS [CALLS]]
 */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/ringbuf.h>
#include "bench.h"

#define PAYLOAD		64
#define BATCH		64
#define MAX_READERS	64

struct frame {
	struct ringbuf_record hdr;
	char payload[PAYLOAD];
};

struct bench {
	struct series s;
	void (*run)(const struct bench *b, unsigned int calls);
	int arg;		/* bytes to write, or idle readers */
	unsigned int records;	/* per call */
	unsigned int slower;	/* one call takes about so many others' time */
	int wfd, rfd;
};

static char out[BATCH * sizeof(struct frame)];
static char in[64 << 10];
static int ring_writer;

static void put(int fd, const void *data, size_t len)
{
	if (write(fd, data, len) != (ssize_t)len)
		err(1, "write of %zu bytes", len);
}

/* Some sources add a header to what was written. */
static void get(int fd, size_t len)
{
	ssize_t n = read(fd, in, sizeof(in));

	if (n < (ssize_t)len)
		err(1, "read: %zd, not %zu", n, len);
}

static void run_pair(const struct bench *b, unsigned int calls)
{
	while (calls--) {
		put(b->wfd, out, b->arg);
		get(b->rfd, b->arg);
	}
}

/* A ring's writer has one mode at a time, and its readers may have been lapped. */
static void ring_mode(const struct bench *b, unsigned int flags)
{
	struct ringbuf_writer w = { .struct_size = sizeof(w), .flags = flags };

	if (ioctl(ring_writer, RINGBUF_IOC_SET_WRITER, &w))
		err(1, "RINGBUF_IOC_SET_WRITER");
	if (b->rfd >= 0 && lseek(b->rfd, 0, SEEK_END) < 0)
		err(1, "lseek");
}

static int ring_reader(unsigned int flags)
{
	struct ringbuf_consumer c = { .struct_size = sizeof(c), .flags = flags };
	int fd = open("/dev/ringbuf", O_RDONLY);

	if (fd < 0)
		err(1, "/dev/ringbuf");
	if (ioctl(fd, RINGBUF_IOC_SET_CONSUMER, &c))
		err(1, "RINGBUF_IOC_SET_CONSUMER");
	return fd;
}

/* Nanoseconds per record; the first calls only warm up. */
static double timed(const struct bench *b, unsigned int calls)
{
	double start;

	b->run(b, 16);
	start = now_ns();
	b->run(b, calls);
	return (now_ns() - start) / calls / b->records;
}

static void run_write(const struct bench *b, unsigned int calls)
{
	while (calls--)
		put(ring_writer, out, PAYLOAD);
	(void)b;
}

static double time_ring(const struct bench *b, unsigned int calls)
{
	ring_mode(b, b->records > 1 ? RINGBUF_WRITER_FRAMED : 0);
	return timed(b, calls);
}

static double time_readers(const struct bench *b, unsigned int calls)
{
	int fds[MAX_READERS];
	double ns;
	int i;

	for (i = 0; i < b->arg; i++)
		fds[i] = ring_reader(0);
	ns = time_ring(b, calls);
	while (i--)
		close(fds[i]);
	return ns;
}

static double measure(const struct bench *b, unsigned int calls)
{
	if (b->run == run_write)
		return time_readers(b, calls);
	if (b->wfd == ring_writer)
		return time_ring(b, calls);
	return timed(b, calls);
}

enum {
	PIPE, SEQPACKET, EVENTFD, KMSG, RING,
	PIPE_BATCH, RING_BATCH,
	READERS_0, READERS_1, READERS_8, READERS_64,
	BENCHES
};

static struct bench benches[BENCHES] = {
	[PIPE] = { { .name = "pipe" }, run_pair, PAYLOAD, 1, 1 },
	[SEQPACKET] = { { .name = "SOCK_SEQPACKET" }, run_pair, PAYLOAD, 1, 1 },
	[EVENTFD] = { { .name = "eventfd, 8 bytes" }, run_pair, 8, 1, 1 },
	[KMSG] = { { .name = "/dev/kmsg" }, run_pair, PAYLOAD, 1, 8 },
	[RING] = { { .name = "ringbuf" }, run_pair, PAYLOAD, 1, 1 },
	[PIPE_BATCH] = { { .name = "pipe, 64 x 64 bytes in one call" }, run_pair,
			 BATCH * PAYLOAD, BATCH, 1 },
	[RING_BATCH] = { { .name = "ringbuf, 64 records in one call" }, run_pair,
			 sizeof(out), BATCH, 4 },
	[READERS_0] = { { .name = "no reader" }, run_write, 0, 1, 1 },
	[READERS_1] = { { .name = "1 idle reader" }, run_write, 1, 1, 1 },
	[READERS_8] = { { .name = "8 idle readers" }, run_write, 8, 1, 1 },
	[READERS_64] = { { .name = "64 idle readers" }, run_write, 64, 1, 1 },
};

static void set_fds(struct bench *b, int rfd, int wfd)
{
	b->rfd = rfd;
	b->wfd = wfd;
}

static void open_all(void)
{
	int fds[2];
	int i;

	for (i = 0; i < BENCHES; i++)
		set_fds(&benches[i], -1, -1);

	if (pipe(fds))
		err(1, "pipe");
	set_fds(&benches[PIPE], fds[0], fds[1]);
	if (pipe(fds))
		err(1, "pipe");
	set_fds(&benches[PIPE_BATCH], fds[0], fds[1]);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds))
		err(1, "socketpair");
	set_fds(&benches[SEQPACKET], fds[0], fds[1]);
	fds[0] = eventfd(0, 0);
	if (fds[0] < 0)
		err(1, "eventfd");
	set_fds(&benches[EVENTFD], fds[0], fds[0]);

	fds[0] = open("/dev/kmsg", O_RDONLY);
	fds[1] = open("/dev/kmsg", O_WRONLY);
	if (fds[0] < 0 || fds[1] < 0)
		err(1, "/dev/kmsg");
	set_fds(&benches[KMSG], fds[0], fds[1]);

	ring_writer = open("/dev/ringbuf", O_WRONLY);
	if (ring_writer < 0)
		err(1, "/dev/ringbuf");
	set_fds(&benches[RING], ring_reader(0), ring_writer);
	set_fds(&benches[RING_BATCH], ring_reader(RINGBUF_CONSUMER_FRAMED),
		ring_writer);
}

/* Text for /dev/kmsg, frames for a framed write; the others do not mind. */
static void fill(int b)
{
	struct frame *frames = (struct frame *)out;
	int i;

	memset(out, 'x', sizeof(out));
	/* Without its newline a line in the kernel log is not complete. */
	if (b == KMSG)
		out[PAYLOAD - 1] = '\n';
	if (b == EVENTFD)
		memcpy(out, &(__u64){ 1 }, 8);
	if (b != RING_BATCH)
		return;
	memset(out, 0, sizeof(out));
	for (i = 0; i < BATCH; i++)
		frames[i].hdr.len = PAYLOAD;
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? atoi(argv[1]) : 401;
	unsigned int calls = argc > 2 ? atoi(argv[2]) : 250;
	unsigned int r;
	int i;

	if (!rounds || rounds > MAX_ROUNDS || calls < 8)
		errx(1, "usage: syscalls [ROUNDS [CALLS]]");
	pin(1);
	open_all();
	for (r = 0; r < rounds; r++) {
		for (i = 0; i < BENCHES; i++) {
			fill(i);
			if (i == KMSG && lseek(benches[i].rfd, 0, SEEK_END) < 0)
				err(1, "lseek in /dev/kmsg");
			benches[i].s.ns[r] = measure(&benches[i],
						   calls / benches[i].slower);
		}
	}

	head("write + read of 64 bytes", "to pipe");
	for (i = PIPE; i <= RING; i++)
		row(&benches[i].s, rounds, &benches[PIPE].s);
	head("per record, 64 records at once", "to pipe");
	row(&benches[PIPE].s, rounds, &benches[PIPE].s);
	row(&benches[PIPE_BATCH].s, rounds, &benches[PIPE].s);
	row(&benches[RING_BATCH].s, rounds, &benches[PIPE].s);
	head("write of 64 bytes to ringbuf", "to none");
	for (i = READERS_0; i <= READERS_64; i++)
		row(&benches[i].s, rounds, &benches[READERS_0].s);

	printf("\nringbuf is %.3f of /dev/kmsg. Medians of %u rounds of %u calls.\n",
	       ratio(&benches[RING].s, &benches[KMSG].s, rounds), rounds, calls);
	return 0;
}
