/* SPDX-License-Identifier: GPL-2.0 */
/* Input that is read ahead, and knows when that would mean to wait. */
#ifndef RINGBUF_CLI_INPUT_H
#define RINGBUF_CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libringbuf.h>

/**
 * struct input - A file that is being read
 * @fd: the file
 * @name: for messages
 * @data: what has been read
 * @pos: offset in @data of what is not used yet
 * @len: bytes in @data
 * @room: bytes of room
 * @offset: of @data[@pos] in the file
 * @eof: there is no more to read
 * @idle: called before a read that may have to wait; fails as read() does
 * @context: for @idle
 */
struct input {
	int fd;
	const char *name;
	char *data;
	size_t pos;
	size_t len;
	size_t room;
	uint64_t offset;
	bool eof;
	int (*idle)(void *context);
	void *context;
};

/* "-" is standard input. 0, or a negative errno. */
int input_open(struct input *in, const char *name);
void input_close(struct input *in);

/* Says so if the input of that name is the ring that is to be written. */
bool input_is_ring(const char *name, const struct ringbuf_publisher *ring);

/* Bytes left in a regular file, else 0. */
uint64_t input_size(const struct input *in);

static inline const char *input_data(const struct input *in)
{
	return in->data + in->pos;
}

static inline size_t input_left(const struct input *in)
{
	return in->len - in->pos;
}

void input_use(struct input *in, size_t n);

/* Some more: 1, 0 at the end, or a negative errno: -EINTR when cli_stopped. */
int input_fill(struct input *in);

/* Until @n bytes are there; the same. */
int input_need(struct input *in, size_t n);

#endif /* RINGBUF_CLI_INPUT_H */
