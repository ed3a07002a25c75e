// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Lines of stdin to the ring, a record each. What one read() brings goes out by
 * one write(), so batches are as large as the input is fast, and nothing waits.
 * There are no empty records, so empty lines are left out; what is longer than
 * the largest record is cut.
 *
 *	writer [RING]
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <libringbuf.h>

static char buf[65536];

/* Gathers the lines in @buf; how many of its bytes that were, or an error. */
static ssize_t put_lines(struct ringbuf_publisher *p, size_t have, size_t max,
			 bool eof)
{
	size_t done = 0;

	while (done < have) {
		const char *line = buf + done;
		const char *end = memchr(line, '\n', have - done);
		size_t len = end ? (size_t)(end - line) : have - done;
		int ret;

		if (len >= max) {
			len = max;
			end = NULL;
		} else if (!end && !eof) {
			break;
		}
		ret = len ? ringbuf_put(p, 0, line, len) : 0;
		if (ret)
			return ret;
		done += len + !!end;
	}
	return done;
}

static int copy(struct ringbuf_publisher *p)
{
	struct ringbuf_info info;
	size_t have = 0, max;
	ssize_t n, done;
	int ret;

	ret = ringbuf_publisher_info(p, &info);
	if (ret)
		return ret;
	max = info.max_record < sizeof(buf) ? info.max_record : sizeof(buf);
	do {
		n = read(STDIN_FILENO, buf + have, sizeof(buf) - have);
		if (n < 0)
			return -errno;
		have += n;
		done = put_lines(p, have, max, !n);
		if (done < 0)
			return done;
		ret = ringbuf_flush(p);
		if (ret)
			return ret;
		have -= done;
		memmove(buf, buf + done, have);
	} while (n);
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	struct ringbuf_publisher *p;
	int ret, err;

	ret = ringbuf_publisher_open(&p, name, 0);
	if (!ret) {
		ret = copy(p);
		err = ringbuf_publisher_close(p);
		ret = ret ? ret : err;
	}
	if (ret)
		fprintf(stderr, "%s: %s\n", name ? name : "ringbuf", strerror(-ret));
	return ret != 0;
}
