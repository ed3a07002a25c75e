/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Inside the library. */
#ifndef RINGBUF_LIB_H
#define RINGBUF_LIB_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libringbuf.h"

#define MIN_BUFFER	(64UL << 10)

/**
 * struct reader - A reader, whole
 * @pub: what the inline functions see; first
 * @fd: the device
 * @flags: RINGBUF_READER_*
 * @size: bytes of the ring's data area
 * @max_record: payload bytes of its largest record
 * @lost_bytes: lost so far, without the gap before @pub.at
 * @lost_records: the same in seqs
 * @first_pos: where it started; a seek moves it, so that what is between it and
 *	the reader's place is what was read and lost
 * @first_seq: the same in seqs
 * @page: the ring's page, mapped; NULL where frames come by read()
 * @head_page: the page where the producer tells its head, mapped
 * @data: the data area, mapped twice in a row
 * @advanced: position that the kernel knows of; ahead of the reader's place where it
 *	became reliable while that was being overwritten
 * @advanced_at: when it was told, in ns; of a reliable reader
 * @reliable: the writer waits for it, or did until it was demoted
 * @marked: it wakes for many records at once
 * @seen: of one that is mapped and marked: the head when it was last woken
 * @run: where the frames at hand begin, which stays: their tail
 * @buffer: frames that were read; of a mapped reader, the record that
 *	ringbuf_read() copied
 * @buffer_size: its bytes
 * @filled: bytes of frames in it
 * @skipped_bytes: lost behind the frames at hand, which no frame tells: it became
 *	reliable while its place in the kernel was being overwritten
 * @skipped_records: the same in seqs
 */
struct reader {
	struct ringbuf_reader pub;
	int fd;
	unsigned int flags;
	uint64_t size;
	uint32_t max_record;
	uint64_t lost_bytes;
	uint64_t lost_records;
	uint64_t first_pos;
	uint64_t first_seq;

	const struct ringbuf_page *page;
	const struct ringbuf_head *head_page;
	const unsigned char *data;
	uint64_t advanced;
	uint64_t advanced_at;
	bool reliable;
	bool marked;
	uint64_t seen;

	ringbuf_word_ run;
	unsigned char *buffer;
	size_t buffer_size;
	size_t filled;
	uint64_t skipped_bytes;
	uint64_t skipped_records;
};

static inline struct reader *whole(struct ringbuf_reader *r)
{
	return (struct reader *)r;
}

/* The reader's place: after the last record that was released. */
static inline uint64_t place(const struct reader *r)
{
	return r->pub.at - r->pub.gap_bytes;
}

static inline uint64_t place_seq(const struct reader *r)
{
	return r->pub.seq - r->pub.gap;
}

static inline bool before(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

/* name.c */
int open_ring(const char *name, int flags);
int get_info(int fd, struct ringbuf_info *info);
int get_stats(int fd, struct ringbuf_stats *stats);
int get_consumer(int fd, struct ringbuf_consumer *consumer);
int set_consumer(int fd, const struct ringbuf_consumer *consumer);
int set_pos(int fd, uint64_t pos);

/* reader.c */
int set_up(struct reader *r, uint32_t flags);

/* wait.c */
int end_of_stream(const struct reader *r);

/* map.c: records in place */
int map_attach(struct reader *r, const struct ringbuf_page *page,
	       const struct ringbuf_head *head_page, const unsigned char *data);
int map_open(struct reader *r, const struct ringbuf_info *info);
void map_close(struct reader *r);
int map_find(struct reader *r);
int map_advance(struct reader *r);
void map_see(struct reader *r);

/* stream.c: records by read() */
int stream_open(struct reader *r);
int stream_find(struct reader *r);
void stream_drop(struct reader *r);
bool stream_at_hand(const struct reader *r);
void stream_lost(const struct reader *r, uint64_t *bytes, uint64_t *records);

#endif /* RINGBUF_LIB_H */
