// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Writers. Records go to the kernel as frames, as many as possible in one call.
 */

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include "lib.h"

/**
 * struct ringbuf_publisher - A writer
 * @fd: the device
 * @max_record: payload bytes of the largest record
 * @begin: bytes of @buffer that have been written
 * @end: bytes of @buffer in use
 * @buffer: whole frames
 */
struct ringbuf_publisher {
	int fd;
	uint32_t max_record;
	size_t begin;
	size_t end;
	unsigned char buffer[MIN_BUFFER] __attribute__((aligned(RINGBUF_ALIGN)));
};

/**
 * ringbuf_publisher_fdopen() - Make a writer of an open file
 * @publisher: the writer
 * @fd: a ring, open for writing; the writer's from then on, if this succeeds
 * @flags: 0
 *
 * Return: 0; -EINVAL for unknown flags, -ENOTTY when @fd is no ring, -EBADF when
 * it is not open for writing, -ENOMEM.
 */
int ringbuf_publisher_fdopen(struct ringbuf_publisher **publisher, int fd,
			     unsigned int flags)
{
	struct ringbuf_writer framed = {
		.struct_size = sizeof(framed),
		.flags = RINGBUF_WRITER_FRAMED,
	};
	struct ringbuf_publisher *p;
	struct ringbuf_info info;
	int ret;

	*publisher = NULL;
	if (flags)
		return -EINVAL;
	ret = get_info(fd, &info);
	if (ret)
		return ret;
	p = malloc(sizeof(*p));
	if (!p)
		return -ENOMEM;
	if (ioctl(fd, RINGBUF_IOC_SET_WRITER, &framed)) {
		ret = -errno;
		free(p);
		return ret;
	}
	p->fd = fd;
	p->max_record = info.max_record;
	p->begin = 0;
	p->end = 0;
	*publisher = p;
	return 0;
}

/**
 * ringbuf_publisher_open() - Become the writer of a ring
 * @publisher: the writer, for ringbuf_publisher_close()
 * @name: NULL for /dev/ringbuf, NAME for /dev/ringbuf-NAME, or a path
 * @flags: 0
 *
 * Return: 0 or a negative errno: those of open(), -EBUSY when the ring has a
 * writer among them, and those of ringbuf_publisher_fdopen().
 */
int ringbuf_publisher_open(struct ringbuf_publisher **publisher,
			   const char *name, unsigned int flags)
{
	int ret, fd = open_ring(name, O_WRONLY);

	*publisher = NULL;
	if (fd < 0)
		return fd;
	ret = ringbuf_publisher_fdopen(publisher, fd, flags);
	if (ret)
		close(fd);
	return ret;
}

/**
 * ringbuf_publisher_close() - Flush, close a writer and its file
 * @publisher: the writer, or NULL; gone in any case
 *
 * Return: 0, or what ringbuf_flush() failed with: some records are lost then.
 */
int ringbuf_publisher_close(struct ringbuf_publisher *publisher)
{
	int ret;

	if (!publisher)
		return 0;
	ret = ringbuf_flush(publisher);
	close(publisher->fd);
	free(publisher);
	return ret;
}

/**
 * ringbuf_publisher_fd() - The writer's file, to poll
 * @publisher: the writer
 *
 * Return: the file, which stays the writer's.
 */
int ringbuf_publisher_fd(const struct ringbuf_publisher *publisher)
{
	return publisher->fd;
}

/**
 * ringbuf_publisher_info() - Describe the writer's ring
 * @publisher: the writer
 * @info: all is filled in
 *
 * Return: 0 or a negative errno.
 */
int ringbuf_publisher_info(const struct ringbuf_publisher *publisher,
			   struct ringbuf_info *info)
{
	return get_info(publisher->fd, info);
}

static int check(const struct ringbuf_publisher *p, size_t len)
{
	if (!len)
		return -EINVAL;
	return len > p->max_record ? -EMSGSIZE : 0;
}

static void append(struct ringbuf_publisher *p, uint16_t type,
		   const void *data, size_t len)
{
	const struct ringbuf_record rec = { .len = len, .type = type };
	unsigned char *frame = p->buffer + p->end;

	memcpy(frame, &rec, sizeof(rec));
	memcpy(frame + sizeof(rec), data, len);
	memset(frame + sizeof(rec) + len, 0,
	       RINGBUF_FRAME_SIZE(len) - sizeof(rec) - len);
	p->end += RINGBUF_FRAME_SIZE(len);
}

/* A record that is larger than the buffer, which is empty. */
static int publish_large(struct ringbuf_publisher *p, uint16_t type,
			 const void *data, size_t len)
{
	static const unsigned char zero[RINGBUF_ALIGN];
	struct ringbuf_record rec = { .len = len, .type = type };
	struct iovec iov[] = {
		{ .iov_base = &rec, .iov_len = sizeof(rec) },
		{ .iov_base = (void *)data, .iov_len = len },
		{ .iov_base = (void *)zero, .iov_len = -len % RINGBUF_ALIGN },
	};

	return writev(p->fd, iov, 3) < 0 ? -errno : 0;
}

/**
 * ringbuf_flush() - Publish what ringbuf_put() has gathered
 * @publisher: the writer
 *
 * Return: 0; -EAGAIN when the file does not block and there is no room, -EINTR
 * after a signal: what is left stays, for another call.
 */
int ringbuf_flush(struct ringbuf_publisher *publisher)
{
	struct ringbuf_publisher *p = publisher;
	ssize_t n;

	while (p->begin < p->end) {
		n = write(p->fd, p->buffer + p->begin, p->end - p->begin);
		if (n < 0)
			return -errno;
		p->begin += n;
	}
	p->begin = 0;
	p->end = 0;
	return 0;
}

/**
 * ringbuf_put() - Gather a record, to be published with others
 * @publisher: the writer
 * @type: of the record
 * @data: payload
 * @len: its bytes
 *
 * Publishes what has been gathered, 64 KiB at most, when there is no more room;
 * nothing else does but ringbuf_flush(). A record too large to be gathered is
 * published at once, after the others.
 *
 * Return: 0; -EINVAL when @len is 0, -EMSGSIZE when it is above the ring's
 * max_record; else as ringbuf_flush(), and the record has not been gathered.
 */
int ringbuf_put(struct ringbuf_publisher *publisher, uint16_t type,
		const void *data, size_t len)
{
	struct ringbuf_publisher *p = publisher;
	int ret = check(p, len);

	if (ret)
		return ret;
	if (RINGBUF_FRAME_SIZE(len) > sizeof(p->buffer) - p->end) {
		ret = ringbuf_flush(p);
		if (ret)
			return ret;
		if (RINGBUF_FRAME_SIZE(len) > sizeof(p->buffer))
			return publish_large(p, type, data, len);
	}
	append(p, type, data, len);
	return 0;
}

/**
 * ringbuf_publish() - Publish a record
 * @publisher: the writer
 * @type: of the record
 * @data: payload
 * @len: its bytes
 *
 * One system call, behind what has been gathered, which is published before by
 * another one.
 *
 * Return: as ringbuf_put(), and the record has not been published.
 */
int ringbuf_publish(struct ringbuf_publisher *publisher, uint16_t type,
		    const void *data, size_t len)
{
	struct ringbuf_publisher *p = publisher;
	int ret = check(p, len) ?: ringbuf_flush(p);

	if (ret)
		return ret;
	if (RINGBUF_FRAME_SIZE(len) > sizeof(p->buffer))
		return publish_large(p, type, data, len);
	append(p, type, data, len);
	ret = ringbuf_flush(p);
	/* A single frame: all or nothing. */
	if (ret) {
		p->begin = 0;
		p->end = 0;
	}
	return ret;
}
