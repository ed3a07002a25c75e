// SPDX-License-Identifier: GPL-2.0
/*
 * What profile.sh looks at: the same system calls for ever, each in a function of
 * its own, by whose name a trace knows which call it sees.
 *	profile CASE SECONDS
 */
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <libringbuf.h>

#define PAYLOAD	64
#define BATCH	64

struct frame {
	struct ringbuf_record hdr;
	char payload[PAYLOAD];
};

static int rfd, wfd;
static struct ringbuf_reader *mapped;
static size_t wlen = PAYLOAD;
static char out[64 << 10];
static char in[64 << 10];

/* In line: the library's own way to a system call is not part of the question. */
#define SYSCALL(nr, fd, buf, len) ({					\
	long ret_;							\
									\
	asm volatile("syscall" : "=a" (ret_)				\
		     : "0" ((long)(nr)), "D" ((long)(fd)), "S" (buf), "d" (len) \
		     : "rcx", "r11", "memory");				\
	ret_;								\
})

static void __attribute__((noinline)) in_write(void)
{
	if (SYSCALL(SYS_write, wfd, out, wlen) <= 0)
		errx(1, "write");
}

static void __attribute__((noinline)) in_read(void)
{
	if (SYSCALL(SYS_read, rfd, in, sizeof(in)) <= 0)
		errx(1, "read");
}

/* What entering the kernel and leaving it takes, without any work. */
static void __attribute__((noinline)) in_getppid(void)
{
	SYSCALL(SYS_getppid, 0, NULL, 0);
}

/* One record in place. */
static void __attribute__((noinline)) in_place(void)
{
	struct ringbuf_entry e;

	if (ringbuf_next(mapped, &e) != 1)
		errx(1, "nothing there");
	asm volatile("" : : "r" (*(const char *)e.data));
	if (!ringbuf_release(mapped))
		errx(1, "lapped");
}

static void pair_in_place(void)
{
	in_write();
	in_place();
}

static void pair(void)
{
	in_write();
	in_read();
}

/* The reader takes what 744 writes have put there: 64 KiB of frames. */
static void lagging(void)
{
	for (unsigned int i = 0; i < 744; i++)
		in_write();
	in_read();
}

/* A reader begins where there is nothing yet. */
static int ring(int flags)
{
	int fd = open("/dev/ringbuf", flags);

	if (fd < 0 || (flags == O_RDONLY && lseek(fd, 0, SEEK_END) < 0))
		err(1, "/dev/ringbuf");
	return fd;
}

static void framed_reader(void)
{
	struct ringbuf_consumer c = {
		.struct_size = sizeof(c), .flags = RINGBUF_CONSUMER_FRAMED,
	};

	if (ioctl(rfd, RINGBUF_IOC_SET_CONSUMER, &c))
		err(1, "RINGBUF_IOC_SET_CONSUMER");
}

static void open_ring(void)
{
	rfd = ring(O_RDONLY);
	wfd = ring(O_WRONLY);
}

static void open_mapped(void)
{
	wfd = ring(O_WRONLY);
	if (ringbuf_reader_open(&mapped, NULL, 0) ||
	    ringbuf_reader_seek(mapped, 0, SEEK_END) < 0)
		errx(1, "ringbuf_reader_open");
}

static void open_idle(void)
{
	open_ring();
	for (int i = 0; i < 64; i++)
		ring(O_RDONLY);
}

static void open_framed(void)
{
	open_ring();
	framed_reader();
}

static void open_batch(void)
{
	struct ringbuf_writer w = {
		.struct_size = sizeof(w), .flags = RINGBUF_WRITER_FRAMED,
	};
	struct frame *frames = (struct frame *)out;

	open_framed();
	if (ioctl(wfd, RINGBUF_IOC_SET_WRITER, &w))
		err(1, "RINGBUF_IOC_SET_WRITER");
	for (int i = 0; i < BATCH; i++)
		frames[i].hdr = (struct ringbuf_record){ .len = PAYLOAD };
	wlen = BATCH * sizeof(struct frame);
}

static void open_two(int ret, int fds[2])
{
	if (ret)
		err(1, "pipe or socketpair");
	rfd = fds[0];
	wfd = fds[1];
}

static void open_pipe(void)
{
	int fds[2];

	open_two(pipe(fds), fds);
}

static void open_pipe_batch(void)
{
	open_pipe();
	wlen = BATCH * PAYLOAD;
}

static void open_seqpacket(void)
{
	int fds[2];

	open_two(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), fds);
}

static void open_eventfd(void)
{
	rfd = eventfd(0, 0);
	wfd = rfd;
	wlen = 8;
	memset(out, 0, 8);
	out[0] = 1;
}

static void open_kmsg(void)
{
	rfd = open("/dev/kmsg", O_RDONLY);
	wfd = open("/dev/kmsg", O_WRONLY);
	if (rfd < 0 || wfd < 0 || lseek(rfd, 0, SEEK_END) < 0)
		err(1, "/dev/kmsg");
	out[PAYLOAD - 1] = '\n';
}

static void open_none(void)
{
}

static const struct {
	const char *name;
	void (*open)(void);
	void (*calls)(void);
} cases[] = {
	{ "ring", open_ring, pair },
	{ "ring-64-idle", open_idle, pair },
	{ "ring-mapped", open_mapped, pair_in_place },
	{ "ring-framed-64K", open_framed, lagging },
	{ "ring-batch", open_batch, pair },
	{ "pipe", open_pipe, pair },
	{ "pipe-batch", open_pipe_batch, pair },
	{ "seqpacket", open_seqpacket, pair },
	{ "eventfd", open_eventfd, pair },
	{ "kmsg", open_kmsg, pair },
	{ "getppid", open_none, in_getppid },
};

#define CASES	(sizeof(cases) / sizeof(cases[0]))

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc == 3 ? atoi(argv[2]) : 0);
	unsigned int i;
	cpu_set_t set;

	for (i = 0; argc == 3 && i < CASES; i++)
		if (!strcmp(argv[1], cases[i].name))
			break;
	if (argc != 3 || i == CASES) {
		fprintf(stderr, "usage: profile CASE SECONDS; cases:");
		for (i = 0; i < CASES; i++)
			fprintf(stderr, " %s", cases[i].name);
		errx(2, "%s", "");
	}
	CPU_ZERO(&set);
	CPU_SET(1, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "sched_setaffinity");
	memset(out, 'x', sizeof(out));
	cases[i].open();
	/* A ring that is full makes room for each record. */
	for (int n = cases[i].calls == lagging ? 30 : 20000; n > 0; n--)
		cases[i].calls();
	/* Now is the time to look. */
	printf("profile: start\n");
	fflush(stdout);
	while (time(NULL) < end)
		for (int n = 0; n < 10; n++)
			cases[i].calls();
	return 0;
}
