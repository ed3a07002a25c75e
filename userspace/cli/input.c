// SPDX-License-Identifier: GPL-2.0
/* Input that is read ahead, and knows when that would mean to wait. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli.h"
#include "input.h"

#define CHUNK	(64U << 10)

int input_open(struct input *in, const char *name)
{
	in->pos = 0;
	in->len = 0;
	in->offset = 0;
	in->eof = false;
	if (!strcmp(name, "-")) {
		in->name = "standard input";
		in->fd = STDIN_FILENO;
		return 0;
	}
	in->name = name;
	in->fd = open(name, O_RDONLY | O_CLOEXEC);
	return in->fd < 0 ? -errno : 0;
}

void input_close(struct input *in)
{
	if (in->fd > STDERR_FILENO)
		close(in->fd);
	free(in->data);
	in->data = NULL;
	in->room = 0;
}

bool input_is_ring(const char *name, const struct ringbuf_publisher *ring)
{
	const char *path = strcmp(name, "-") ? name : NULL;

	if (!cli_same_device(ringbuf_publisher_fd(ring), STDIN_FILENO, path))
		return false;
	cli_error("%s is the ring that is to be written: each record would come again and again",
		  path ? path : "standard input");
	return true;
}

uint64_t input_size(const struct input *in)
{
	struct stat st;
	off_t at = lseek(in->fd, 0, SEEK_CUR);

	if (fstat(in->fd, &st) || !S_ISREG(st.st_mode) || at < 0 ||
	    at > st.st_size)
		return 0;
	return st.st_size - at;
}

void input_use(struct input *in, size_t n)
{
	in->pos += n;
	in->offset += n;
}

static int make_room(struct input *in)
{
	char *data;

	if (in->pos && in->room - in->len < CHUNK) {
		in->len -= in->pos;
		memmove(in->data, in->data + in->pos, in->len);
		in->pos = 0;
	}
	if (in->room - in->len >= CHUNK)
		return 0;
	data = realloc(in->data, 2 * in->room + 2 * CHUNK);
	if (!data)
		return -ENOMEM;
	in->data = data;
	in->room = 2 * in->room + 2 * CHUNK;
	return 0;
}

/* As long as it takes until there is something, or cli_stopped. */
static int await(struct input *in)
{
	struct pollfd p = { .fd = in->fd, .events = POLLIN };
	int ret;

	if (poll(&p, 1, 0) > 0)
		return 0;
	ret = in->idle ? in->idle(in->context) : 0;
	if (ret)
		return ret;
	while (!cli_stopped)
		if (poll(&p, 1, -1) > 0)
			return 0;
	return -EINTR;
}

int input_fill(struct input *in)
{
	ssize_t n;
	int ret;

	if (in->eof)
		return 0;
	ret = make_room(in);
	do {
		if (!ret)
			ret = cli_stopped ? -EINTR : await(in);
		if (ret)
			return ret;
		n = read(in->fd, in->data + in->len, in->room - in->len);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n < 0)
		return -errno;
	in->len += n;
	in->eof = !n;
	return n > 0;
}

int input_need(struct input *in, size_t n)
{
	int ret;

	while (input_left(in) < n) {
		ret = input_fill(in);
		if (ret <= 0)
			return ret;
	}
	return 1;
}
