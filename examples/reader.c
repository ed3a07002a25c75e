// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The smallest reader: whole frames by read(), losses among them. No library.
 *
 *	reader [DEVICE]
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/ringbuf.h>

static void show(const struct ringbuf_record *rec)
{
	const struct ringbuf_lost *lost = (const void *)(rec + 1);

	if (rec->flags & RINGBUF_RECORD_LOST)
		printf("lost %llu records\n", (unsigned long long)lost->records);
	else
		printf("%llu: %.*s\n", (unsigned long long)rec->seq,
		       (int)rec->len, (const char *)(rec + 1));
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/dev/ringbuf";
	struct ringbuf_info info = { .struct_size = sizeof(info) };
	struct ringbuf_consumer framed = {
		.struct_size = sizeof(framed),
		.flags = RINGBUF_CONSUMER_FRAMED,
		.mask = RINGBUF_CONSUMER_FRAMED,
	};
	struct ringbuf_record *rec;
	char *buf, *p;
	size_t size;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, RINGBUF_IOC_GET_INFO, &info) ||
	    ioctl(fd, RINGBUF_IOC_SET_CONSUMER, &framed)) {
		perror(path);
		return 1;
	}
	/* A frame that does not fit would be EMSGSIZE. */
	size = RINGBUF_FRAME_SIZE(info.max_record);
	buf = malloc(size);
	if (!buf) {
		perror("malloc");
		return 1;
	}
	while ((n = read(fd, buf, size)) > 0) {
		for (p = buf; p < buf + n; p += RINGBUF_FRAME_SIZE(rec->len)) {
			rec = (void *)p;
			show(rec);
		}
		if (fflush(stdout)) {
			perror("stdout");
			return 1;
		}
	}
	if (n < 0)
		perror(path);
	free(buf);
	close(fd);
	return n < 0;
}
