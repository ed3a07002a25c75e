/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Output that knows which records of it have been written: a record counts as
 * handled once its last byte has been taken by write(), and has not been left
 * in a pipe by a reader that is gone.
 */
#ifndef RINGBUF_CLI_OUT_H
#define RINGBUF_CLI_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Flush when so many bytes wait. */
#define OUT_FULL	(64U << 10)

/**
 * struct out_mark - The end of a record in the buffer
 * @end: offset after its last byte
 * @next: number of the record after it
 */
struct out_mark {
	uint64_t end;
	uint64_t next;
};

/**
 * struct out - A buffer before a file
 * @fd: the file
 * @error: of the first call that failed, negative; later ones do nothing
 * @data: what waits
 * @len: its bytes
 * @size: bytes of room
 * @marks: ends of records in it
 * @n_marks: how many
 * @max_marks: room for so many
 * @bytes: bytes written, of whole records
 * @next: number of the record after the last one written
 * @torn: a part of record @next has been written
 * @part: the bytes of that part
 * @keeps: a pipe, of which @past is kept
 * @past: ends of records that have been written and may lie in the pipe still,
 *	by bytes written in all, and one before them
 * @n_past: how many
 * @max_past: room for so many
 */
struct out {
	int fd;
	int error;
	char *data;
	size_t len;
	size_t size;
	struct out_mark *marks;
	size_t n_marks;
	size_t max_marks;
	uint64_t bytes;
	uint64_t next;
	bool torn;
	size_t part;
	bool keeps;
	struct out_mark *past;
	size_t n_past;
	size_t max_past;
};

void out_free(struct out *out);
void out_bytes(struct out *out, const void *data, size_t len);
void out_char(struct out *out, char c);
void out_string(struct out *out, const char *text);
void out_format(struct out *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * What was put since the last call is a record, or tells of a loss; the record
 * after it is @next.
 */
void out_record(struct out *out, uint64_t next);

/* Returns 0 or a negative errno; -EINTR when cli_stopped and the file is stuck. */
int out_flush(struct out *out);

/*
 * For a command that is to know what a pipe's reader has taken: out_keep() once
 * @next is set, before anything is written; and out_settle() at the end, which goes
 * back to what was taken if nobody reads any more.
 */
void out_keep(struct out *out);
void out_settle(struct out *out);

#endif /* RINGBUF_CLI_OUT_H */
