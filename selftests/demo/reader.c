// SPDX-License-Identifier: GPL-2.0
/*
 * The smallest reader: copies every record's payload to stdout until the
 * writer is gone and all is read. It may start before, while or after the
 * writer runs; it begins at the oldest record that the ring still has.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/ringbuf.h>

int main(void)
{
	struct ringbuf_consumer consumer = {
		.struct_size = sizeof(consumer),
		.flags = RINGBUF_CONSUMER_EOF,
	};
	static char record[1 << 20];
	ssize_t len;
	int fd;

	fd = open("/dev/ringbuf", O_RDONLY);
	if (fd < 0)
		err(1, "/dev/ringbuf");
	if (ioctl(fd, RINGBUF_IOC_SET_CONSUMER, &consumer))
		err(1, "RINGBUF_IOC_SET_CONSUMER");

	/* One record per read(). EPIPE would mean: too slow, records lost. */
	while ((len = read(fd, record, sizeof(record))) > 0)
		fwrite(record, 1, len, stdout);
	if (len < 0)
		err(1, "read");
	if (fflush(stdout))
		err(1, "stdout");
	return 0;
}
