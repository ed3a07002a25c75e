// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Names of rings, and what the device tells.
 */

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include "lib.h"

/*
 * A program's structure for ringbuf_reader_info(), ringbuf_publisher_info() and
 * ringbuf_reader_stats() has the size that it had when the program was compiled,
 * and these functions are not told that size. When a structure grows, the functions
 * of this symbol version must go on to fill in only as much as here, and functions
 * of a new version in libringbuf.map fill in the rest.
 */
_Static_assert(sizeof(struct ringbuf_info) == RINGBUF_INFO_SIZE_VER0,
	       "older programs bring no more room");
_Static_assert(sizeof(struct ringbuf_stats) == RINGBUF_STATS_SIZE_VER0,
	       "older programs bring no more room");

/*
 * NULL or "ringbuf" is /dev/ringbuf, "NAME" is /dev/ringbuf-NAME, and what has a
 * slash in it is a path.
 */
int open_ring(const char *name, int flags)
{
	char path[sizeof("/dev/ringbuf-") + RINGBUF_NAME_SIZE];
	int n, fd;

	if (!name || !strcmp(name, "ringbuf")) {
		name = "/dev/ringbuf";
	} else if (!strchr(name, '/')) {
		n = snprintf(path, sizeof(path), "/dev/ringbuf-%s", name);
		if (n >= (int)sizeof(path))
			return -ENAMETOOLONG;
		name = path;
	}
	fd = open(name, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int get_info(int fd, struct ringbuf_info *info)
{
	memset(info, 0, sizeof(*info));
	info->struct_size = sizeof(*info);
	return ioctl(fd, RINGBUF_IOC_GET_INFO, info) ? -errno : 0;
}

int get_stats(int fd, struct ringbuf_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	stats->struct_size = sizeof(*stats);
	return ioctl(fd, RINGBUF_IOC_GET_STATS, stats) ? -errno : 0;
}

int get_consumer(int fd, struct ringbuf_consumer *consumer)
{
	memset(consumer, 0, sizeof(*consumer));
	consumer->struct_size = sizeof(*consumer);
	return ioctl(fd, RINGBUF_IOC_GET_CONSUMER, consumer) ? -errno : 0;
}

int set_consumer(int fd, const struct ringbuf_consumer *consumer)
{
	return ioctl(fd, RINGBUF_IOC_SET_CONSUMER, consumer) ? -errno : 0;
}

int set_pos(int fd, uint64_t pos)
{
	const struct ringbuf_advance advance = {
		.struct_size = sizeof(advance),
		.pos = pos,
	};
	int ret;

	/* After a signal the next call goes on from where this one has come. */
	do {
		ret = ioctl(fd, RINGBUF_IOC_ADVANCE, &advance);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
}
