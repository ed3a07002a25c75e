/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading the records of the ringbuf_proc module: many per read(), each with
 * its header (RINGBUF_CONSUMER_FRAMED), until the module is removed.
 */
#ifndef PROCS_H
#define PROCS_H

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/ringbuf.h>
#include "ringbuf_proc.h"

struct reader {
	int fd;
	__u64 next_seq;		/* of the record to come */
	__u64 read_records;
	__u64 lost_records;
	size_t len;		/* bytes in buf */
	size_t pos;		/* of which handled */
	__u64 buf[8192];	/* frames are multiples of 8 bytes */
};

static inline void reader_open(struct reader *r)
{
	struct ringbuf_consumer consumer = {
		.struct_size = sizeof(consumer),
		.flags = RINGBUF_CONSUMER_FRAMED | RINGBUF_CONSUMER_EOF,
	};

	r->fd = open("/dev/ringbuf", O_RDONLY);
	if (r->fd < 0)
		err(1, "/dev/ringbuf");
	if (ioctl(r->fd, RINGBUF_IOC_SET_CONSUMER, &consumer))
		err(1, "RINGBUF_IOC_SET_CONSUMER");
}

/*
 * The next frame, NULL at the end of the stream. A loss comes as a frame with
 * RINGBUF_RECORD_LOST. Sequence numbers prove that nothing else is missing.
 */
static inline const struct ringbuf_record *reader_next(struct reader *r)
{
	const struct ringbuf_record *rec;
	const struct ringbuf_lost *lost;
	ssize_t len;

	if (r->pos == r->len) {
		len = read(r->fd, r->buf, sizeof(r->buf));
		if (len < 0)
			err(1, "read");
		if (len == 0)
			return NULL;
		r->len = len;
		r->pos = 0;
	}
	rec = (const void *)((char *)r->buf + r->pos);
	r->pos += RINGBUF_FRAME_SIZE(rec->len);
	if (rec->seq != r->next_seq)
		errx(1, "record %llu where %llu should be", rec->seq, r->next_seq);
	if (rec->flags & RINGBUF_RECORD_LOST) {
		lost = (const void *)(rec + 1);
		r->next_seq += lost->records;
		r->lost_records += lost->records;
	} else {
		r->next_seq++;
		r->read_records++;
	}
	return rec;
}

/* What the reader counted has to be what the kernel counted. */
static inline void reader_report(const struct reader *r)
{
	struct ringbuf_stats stats = { .struct_size = sizeof(stats) };

	if (ioctl(r->fd, RINGBUF_IOC_GET_STATS, &stats))
		err(1, "RINGBUF_IOC_GET_STATS");
	if (stats.read_records != r->read_records ||
	    stats.lost_records != r->lost_records)
		errx(1, "read %llu, lost %llu; the kernel says %llu and %llu",
		     r->read_records, r->lost_records, stats.read_records,
		     stats.lost_records);
	fprintf(stderr, "%llu %llu\n", r->read_records, r->lost_records);
}

/* A record as a line of text. */
static inline void print_event(FILE *out, const struct ringbuf_record *rec)
{
	const struct ringbuf_proc_task *task = (const void *)(rec + 1);
	const struct ringbuf_proc_exec *exec = (const void *)task;
	const struct ringbuf_proc_exit *exit = (const void *)task;
	static const char *const names[] = {
		[RINGBUF_PROC_FORK] = "fork",
		[RINGBUF_PROC_EXEC] = "exec",
		[RINGBUF_PROC_EXIT] = "exit",
	};

	if (rec->type < RINGBUF_PROC_FORK || rec->type > RINGBUF_PROC_EXIT)
		return;		/* of a later version */

	fprintf(out, "%6llu %8llu.%03llu  %s %6u %6u %5u  %-15s",
		rec->seq, rec->time_ns / 1000000000,
		rec->time_ns / 1000000 % 1000, names[rec->type],
		task->pid, task->ppid, task->uid, task->comm);
	if (rec->type == RINGBUF_PROC_EXEC)
		fprintf(out, " %s", exec->name);
	else if (rec->type == RINGBUF_PROC_EXIT && WIFSIGNALED(exit->status))
		fprintf(out, " signal %d", WTERMSIG(exit->status));
	else if (rec->type == RINGBUF_PROC_EXIT)
		fprintf(out, " status %d", WEXITSTATUS(exit->status));
	fputc('\n', out);
}

#endif /* PROCS_H */
