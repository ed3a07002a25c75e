// SPDX-License-Identifier: GPL-2.0
/* Rings: each way has one of its own, of 1 MiB, for all its readers. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <libringbuf.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "way.h"

struct frame {
	struct ringbuf_record hdr;
	char payload[PAYLOAD];
};

static void check(int ret, const char *what)
{
	errno = -ret;
	if (ret < 0)
		err(1, "%s", what);
}

static int open_node(const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/ringbuf-%s", name);
	fd = open(path, flags);
	if (fd < 0 || (flags == O_RDONLY && lseek(fd, 0, SEEK_END) < 0))
		err(1, "%s", path);
	return fd;
}

static void set_writer(const struct way *w, unsigned int flags)
{
	struct ringbuf_writer mode = {
		.struct_size = sizeof(mode), .flags = flags,
	};

	if (ioctl(w->wfd[0], RINGBUF_IOC_SET_WRITER, &mode))
		err(1, "RINGBUF_IOC_SET_WRITER");
}

/* More than fits: from now on each record makes room for itself. */
static void fill_ring(const struct way *w, const struct frame *frames)
{
	const ssize_t len = MAX_BATCH * sizeof(*frames);

	for (int i = 0; i < 200; i++)
		if (write(w->wfd[0], frames, len) != len)
			err(1, "write to a ring");
}

static void open_ring(struct way *w, char name[16])
{
	static struct frame frames[MAX_BATCH];
	static unsigned int rings;

	for (int i = 0; i < MAX_BATCH; i++)
		frames[i].hdr.len = PAYLOAD;
	snprintf(name, 16, "%d-%u", getpid(), rings++);
	check(ringbuf_create(name, NULL), "ringbuf_create");
	w->wfd[0] = open_node(name, O_WRONLY);
	set_writer(w, RINGBUF_WRITER_FRAMED);
	fill_ring(w, frames);
	for (unsigned int i = 0; i < w->idle; i++)
		open_node(name, O_RDONLY);
	if (w->batch == 1)
		set_writer(w, 0);
	else
		memcpy(w->out, frames, sizeof(frames));
}

/* One message, or a run of frames. */
static void write_ring(struct way *w, unsigned int n)
{
	size_t len = w->batch == 1 ? PAYLOAD : n * sizeof(struct frame);

	if (write(w->wfd[0], w->out, len) != (ssize_t)len)
		err(1, "write to a ring");
}

static bool open_read(struct way *w)
{
	char name[16];

	open_ring(w, name);
	for (unsigned int i = 0; i < w->readers; i++)
		w->rfd[i] = open_node(name, O_RDONLY);
	return true;
}

static void read_messages(struct way *w, unsigned int i, unsigned int n)
{
	while (n--) {
		way_wait(w, w->rfd[i]);
		if (read(w->rfd[i], w->in, BUFFER) != PAYLOAD)
			err(1, "read from a ring");
		look(w->in, 1);
	}
}

const struct kind way_ring = {
	"ringbuf read()", 0, open_read, write_ring, read_messages, NULL
};

static bool open_framed(struct way *w)
{
	struct ringbuf_consumer c = {
		.struct_size = sizeof(c), .flags = RINGBUF_CONSUMER_FRAMED,
	};

	open_read(w);
	for (unsigned int i = 0; i < w->readers; i++)
		if (ioctl(w->rfd[i], RINGBUF_IOC_SET_CONSUMER, &c))
			err(1, "RINGBUF_IOC_SET_CONSUMER");
	return true;
}

/* Each frame's header is looked at, too: a reader has to. */
static unsigned int look_at_frames(const char *p, const char *end)
{
	const struct ringbuf_record *rec;
	unsigned int n = 0;

	for (; p < end; p += RINGBUF_FRAME_SIZE(rec->len)) {
		rec = (const void *)p;
		if (rec->flags & RINGBUF_RECORD_LOST)
			errx(1, "a reader has been lapped");
		look(rec + 1, 1);
		n++;
	}
	return n;
}

static void read_frames(struct way *w, unsigned int i, unsigned int n)
{
	unsigned int got;
	ssize_t len;

	while (n) {
		way_wait(w, w->rfd[i]);
		len = read(w->rfd[i], w->in, BUFFER);
		if (len <= 0)
			err(1, "read of frames");
		got = look_at_frames(w->in, w->in + len);
		if (got > n)
			errx(1, "more records than there are");
		n -= got;
	}
}

const struct kind way_framed = {
	"ringbuf FRAMED read()", 0, open_framed, write_ring, read_frames, NULL
};

static bool open_mapped(struct way *w)
{
	struct ringbuf_reader **r = calloc(MAX_READERS, sizeof(struct ringbuf_reader *));
	char name[16];

	if (!r)
		err(1, "%s", w->kind->name);
	open_ring(w, name);
	for (unsigned int i = 0; i < w->readers; i++) {
		check(ringbuf_reader_open(&r[i], name, 0), "ringbuf_reader_open");
		check(ringbuf_reader_seek(r[i], 0, SEEK_END), "ringbuf_reader_seek");
		if (!ringbuf_reader_mapped(r[i]))
			errx(1, "the ring cannot be mapped");
	}
	w->own = r;
	return true;
}

static void read_mapped(struct way *w, unsigned int i, unsigned int n)
{
	struct ringbuf_reader **all = w->own, *r = all[i];
	struct ringbuf_entry e;
	int ret;

	while (n) {
		ret = ringbuf_next(r, &e);
		if (!ret)
			ret = ringbuf_wait(r, -1) < 0 ? -1 : 0;
		if (ret < 0)
			errx(1, "a mapped reader failed");
		if (!ret)
			continue;
		look(e.data, 1);
		if (!ringbuf_release(r) || e.lost)
			errx(1, "a reader has been lapped");
		n--;
	}
}

static void seek_mapped(struct way *w)
{
	struct ringbuf_reader **all = w->own;

	for (unsigned int i = 0; i < w->readers; i++)
		check(ringbuf_reader_seek(all[i], 0, SEEK_END), "ringbuf_reader_seek");
}

const struct kind way_mapped = {
	"ringbuf mapped", 0, open_mapped, write_ring, read_mapped, seek_mapped
};
