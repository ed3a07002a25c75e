// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Runs a command whose stdin is a ring, and ends there when all records are read and
 * there is no writer: for programs that read to the end of a file. No library.
 *
 *	until_end COMMAND [ARGUMENT]... < DEVICE
 */
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/ringbuf.h>

int main(int argc, char **argv)
{
	/* The mask leaves the other settings alone. */
	struct ringbuf_consumer eof = {
		.struct_size = sizeof(eof),
		.flags = RINGBUF_CONSUMER_EOF,
		.mask = RINGBUF_CONSUMER_EOF,
	};

	if (argc < 2) {
		fprintf(stderr, "usage: until_end COMMAND [ARGUMENT]... < DEVICE\n");
		return 2;
	}
	if (ioctl(STDIN_FILENO, RINGBUF_IOC_SET_CONSUMER, &eof)) {
		perror("until_end: stdin");
		return 1;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
