// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Records by read(), where the ring cannot be mapped. Frames come into a buffer
 * of ours, and the inline functions find them there as they would in a map: at
 * base + position. Nothing overwrites them.
 */

#include <sys/uio.h>
#include "lib.h"

int stream_open(struct reader *r)
{
	int ret = set_up(r, RINGBUF_CONSUMER_FRAMED);

	if (ret)
		return ret;
	r->pub.mask = ~0ULL;
	r->pub.tail = &r->run;
	stream_drop(r);
	return 0;
}

/* The buffer is empty, and the kernel's cursor at @r->pub.at. */
void stream_drop(struct reader *r)
{
	r->filled = 0;
	r->run = r->pub.at;
	r->pub.end = r->pub.at;
	r->pub.base = (uintptr_t)r->buffer - r->pub.at;
}

/* The frames at hand are used up: on to where the kernel's cursor is. */
static void go_on(struct reader *r)
{
	r->pub.at += r->skipped_bytes;
	r->pub.gap_bytes += r->skipped_bytes;
	r->pub.seq += r->skipped_records;
	r->pub.gap += r->skipped_records;
	r->skipped_bytes = 0;
	r->skipped_records = 0;
	stream_drop(r);
}

/* Does not wait, whatever the file's own flags are. */
static int fill(struct reader *r)
{
	struct iovec iov = { .iov_base = r->buffer, .iov_len = MIN_BUFFER };
	ssize_t n;

	n = preadv2(r->fd, &iov, 1, -1, RWF_NOWAIT);
	if (n < 0 && errno == EMSGSIZE) {
		iov.iov_len = r->buffer_size;
		n = preadv2(r->fd, &iov, 1, -1, RWF_NOWAIT);
	}
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (!n)
		return end_of_stream(r);
	r->filled = n;
	return 1;
}

/* Bytes of the whole frames from @offset to the next LOST one, or the end. */
static size_t run_length(const struct reader *r, size_t offset)
{
	const struct ringbuf_record *rec;
	size_t left = r->filled - offset;
	size_t length = 0;

	while (left - length >= sizeof(*rec)) {
		rec = (const void *)(r->buffer + offset + length);
		if (rec->flags & RINGBUF_RECORD_LOST ||
		    RINGBUF_FRAME_SIZE(rec->len) > left - length)
			break;
		length += RINGBUF_FRAME_SIZE(rec->len);
	}
	return length;
}

/*
 * Finds the record after the reader's place among the frames at hand, or reads
 * some more. LOST frames make a gap: positions and seqs go on behind it.
 */
int stream_find(struct reader *r)
{
	struct ringbuf_reader *pub = &r->pub;
	const struct ringbuf_record *rec;
	const struct ringbuf_lost *lost;
	size_t offset = pub->at + pub->base - (uintptr_t)r->buffer;
	uint64_t seq = place_seq(r);
	uint64_t frame;
	int ret;

	for (;;) {
		if (offset >= r->filled) {
			go_on(r);
			offset = 0;
			ret = fill(r);
			if (ret <= 0)
				return ret;
		}
		rec = (const void *)(r->buffer + offset);
		lost = (const void *)(rec + 1);
		if (r->filled - offset < sizeof(*rec) || !rec->len)
			return -EBADMSG;
		frame = RINGBUF_FRAME_SIZE(rec->len);
		if (frame > r->filled - offset)
			return -EBADMSG;
		if (!(rec->flags & RINGBUF_RECORD_LOST))
			break;
		if (rec->len != sizeof(*lost))
			return -EBADMSG;
		offset += frame;
		pub->at += lost->bytes;
		pub->gap_bytes += lost->bytes;
		pub->seq = rec->seq + lost->records;
		pub->gap = pub->seq - seq;
		pub->base = (uintptr_t)r->buffer + offset - pub->at;
		/* If what follows is bad there is nothing before it. */
		pub->end = pub->at;
	}
	if (before(rec->seq, seq))
		return -EBADMSG;
	pub->seq = rec->seq;
	pub->gap = pub->seq - seq;
	pub->end = pub->at + run_length(r, offset);
	r->run = pub->at;
	return 1;
}

/* Frames that have been read and not yet shown. */
bool stream_at_hand(const struct reader *r)
{
	/* Of as many bits as a pointer has. */
	size_t offset = r->pub.at + r->pub.base - (uintptr_t)r->buffer;

	return offset < r->filled;
}

/* Losses that are known and not yet told: those among the frames at hand and next. */
void stream_lost(const struct reader *r, uint64_t *bytes, uint64_t *records)
{
	size_t offset = r->pub.at + r->pub.base - (uintptr_t)r->buffer;
	const struct ringbuf_record *rec;
	const struct ringbuf_lost *lost;
	uint64_t frame;

	*bytes = r->pub.gap_bytes + r->skipped_bytes;
	*records = r->pub.gap + r->skipped_records;
	for (; offset < r->filled; offset += frame) {
		rec = (const void *)(r->buffer + offset);
		lost = (const void *)(rec + 1);
		if (r->filled - offset < sizeof(*rec))
			return;
		frame = RINGBUF_FRAME_SIZE(rec->len);
		if (frame > r->filled - offset)
			return;
		if (!(rec->flags & RINGBUF_RECORD_LOST))
			continue;
		if (rec->len != sizeof(*lost))
			return;
		*bytes += lost->bytes;
		*records += lost->records;
	}
}
