// SPDX-License-Identifier: GPL-2.0
/* Output that knows which records of it have been written. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli.h"
#include "out.h"

/*
 * Ticks of cli_signals(), 2 s: what a stopped command grants who reads it, in
 * write_all() and once more in out_settle().
 */
#define PATIENCE	40

void out_free(struct out *out)
{
	free(out->data);
	free(out->marks);
	free(out->past);
}

/* Room for @more bytes; NULL when there is none. */
static char *reserve(struct out *out, size_t more)
{
	size_t size = out->size ? out->size : 2 * OUT_FULL;
	char *data;

	if (out->error)
		return NULL;
	if (more <= out->size - out->len)
		return out->data + out->len;
	while (size - out->len < more)
		size *= 2;
	data = realloc(out->data, size);
	if (!data) {
		out->error = -ENOMEM;
		return NULL;
	}
	out->data = data;
	out->size = size;
	return data + out->len;
}

void out_bytes(struct out *out, const void *data, size_t len)
{
	char *to = reserve(out, len);

	if (!to)
		return;
	memcpy(to, data, len);
	out->len += len;
}

void out_char(struct out *out, char c)
{
	out_bytes(out, &c, 1);
}

void out_string(struct out *out, const char *text)
{
	out_bytes(out, text, strlen(text));
}

void out_format(struct out *out, const char *format, ...)
{
	char text[512];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len >= (int)sizeof(text))
		len = sizeof(text) - 1;
	out_bytes(out, text, len);
}

void out_record(struct out *out, uint64_t next)
{
	size_t max = out->max_marks ? 2 * out->max_marks : 1024;
	struct out_mark *marks = out->marks;

	if (out->error)
		return;
	if (out->n_marks == out->max_marks) {
		marks = realloc(marks, max * sizeof(*marks));
		if (!marks) {
			out->error = -ENOMEM;
			return;
		}
		out->marks = marks;
		out->max_marks = max;
	}
	marks[out->n_marks++] = (struct out_mark){
		.end = out->len,
		.next = next,
	};
}

/* The end of the record that byte @done belongs to. */
static size_t record_end(const struct out *out, size_t done)
{
	size_t i;

	for (i = 0; i < out->n_marks; i++)
		if (out->marks[i].end >= done)
			return out->marks[i].end;
	return out->len;
}

/* Is writing to go on after it failed? */
static bool again(const struct out *out, int err, int *patience)
{
	struct pollfd p = { .fd = out->fd, .events = POLLOUT };

	if (err == EAGAIN) {
		/* Not our doing: it has been left so by somebody else. */
		poll(&p, 1, cli_stopped ? 50 : -1);
		return !cli_stopped || --*patience > 0;
	}
	return err == EINTR && (!cli_stopped || --*patience > 0);
}

/* Returns the bytes written, all or with an error. */
static size_t write_all(struct out *out)
{
	int patience = PATIENCE;
	size_t goal = out->len, done = 0;
	bool stuck = false;
	ssize_t n;

	while (done < goal) {
		n = write(out->fd, out->data + done, goal - done);
		if (n >= 0) {
			done += n;
			if (!stuck)
				continue;
		} else if (!again(out, errno, &patience)) {
			out->error = -errno;
			break;
		}
		/* Whoever reads does not: no more than the record it is in. */
		if (cli_stopped) {
			stuck = true;
			goal = record_end(out, done);
		}
	}
	if (!out->error && done < out->len)
		out->error = -EINTR;
	return done;
}

/* Forget what cannot lie in the pipe any more, but for the last such record. */
static void forget(struct out *out)
{
	int size = fcntl(out->fd, F_GETPIPE_SZ);
	uint64_t written = out->past[out->n_past - 1].end;
	size_t first = 0;

	while (size > 0 && first + 1 < out->n_past &&
	       out->past[first + 1].end + size <= written)
		first++;
	out->n_past -= first;
	memmove(out->past, out->past + first, out->n_past * sizeof(*out->past));
}

static void keep(struct out *out, const struct out_mark *mark)
{
	size_t max = out->max_past ? 2 * out->max_past : 1024;
	bool grow = !out->max_past;
	struct out_mark *past;

	if (out->n_past && out->n_past == out->max_past) {
		forget(out);
		/* Else it would soon be full again. */
		grow = out->n_past > out->max_past / 2;
	}
	if (grow) {
		past = realloc(out->past, max * sizeof(*past));
		if (!past) {
			out->error = -ENOMEM;
			return;
		}
		out->past = past;
		out->max_past = max;
	}
	out->past[out->n_past++] = *mark;
}

void out_keep(struct out *out)
{
	const struct out_mark start = {
		.next = out->next,
	};
	struct stat st;

	out->keeps = !fstat(out->fd, &st) && S_ISFIFO(st.st_mode);
	if (out->keeps)
		keep(out, &start);
}

/* Of what nobody reads any more @left bytes lie in the pipe. */
static void take_back(struct out *out, int left)
{
	const struct out_mark *mark = &out->past[out->n_past - 1];
	int64_t taken = out->bytes + out->part - left;

	/* More than all that was written: others write it, too. */
	while (mark > out->past && (int64_t)mark->end > taken)
		mark--;
	out->next = mark->next;
}

void out_settle(struct out *out)
{
	struct pollfd p = { .fd = out->fd };
	int left, patience = 5 * PATIENCE;

	/* What stopped us may end whoever reads as well, in a moment. */
	while (out->n_past && !ioctl(out->fd, FIONREAD, &left) && left > 0) {
		if (poll(&p, 1, cli_stopped ? 10 : 0) > 0) {
			take_back(out, left);
			return;
		}
		if (!cli_stopped || !--patience)
			return;
	}
}

int out_flush(struct out *out)
{
	size_t done, whole = 0, i;
	struct out_mark mark;

	if (!out->n_marks || (out->error && out->error != -ENOMEM))
		return out->error;
	/* Without memory it is cut, after the last whole record. */
	out->len = out->marks[out->n_marks - 1].end;
	done = write_all(out);
	for (i = 0; i < out->n_marks && out->marks[i].end <= done; i++) {
		if (out->keeps) {
			mark = out->marks[i];
			mark.end += out->bytes;
			keep(out, &mark);
		}
		out->next = out->marks[i].next;
		whole = out->marks[i].end;
	}
	out->bytes += whole;
	out->torn = done > whole;
	out->part = done - whole;
	out->len = 0;
	out->n_marks = 0;
	return out->error;
}
