/* SPDX-License-Identifier: GPL-2.0 */
/* A consumer's cursor: where it is, and the account of what it read and lost. */
#ifndef _RINGBUF_CURSOR_H
#define _RINGBUF_CURSOR_H

#include "core.h"

/**
 * struct ringbuf_cursor - One consumer's place in the ring, and its account
 * @at: the next frame's position and the next record's seq
 * @part: payload bytes of the record at @at that a plain read has returned
 * @lost_bytes: bytes of frames that went by unread
 * @lost_records: the same in seqs
 * @read_bytes: bytes of frames consumed
 * @read_records: the same in records
 * @max_lag_bytes: the most bytes of frames that have waited for it
 * @max_lag_records: the same in seqs
 *
 * The owner writes @at and @part in one piece each (WRITE_ONCE), so anyone may read
 * each of these words at any time; the words may then belong to different moments.
 * All else is for the owner, and for whom the owner lets in. There are no holes, so
 * two cursors can be compared with memcmp().
 */
struct ringbuf_cursor {
	struct ringbuf_mark at;
	u64 part;
	u64 lost_bytes;
	u64 lost_records;
	u64 read_bytes;
	u64 read_records;
	u64 max_lag_bytes;
	u64 max_lag_records;
};

/**
 * ringbuf_cursor_note_lag() - Remember how far behind a cursor has been
 * @cur: the cursor, which is about to move
 * @c: the ring
 * @from: where its lag begins: the cursor, or the tail once that has passed it
 *
 * The lag only grows between two moves, so the moment before a move is when it is
 * largest. A record that is being published at this moment may not count yet.
 *
 * Context: any; the cursor's owner.
 */
static inline void ringbuf_cursor_note_lag(struct ringbuf_cursor *cur,
					   const struct ringbuf_core *c,
					   const struct ringbuf_mark *from)
{
	const struct ringbuf_head *end = c->head_page;
	u64 bytes = READ_ONCE(end->head) - from->pos;
	u64 records = READ_ONCE(end->head_seq_again) - from->seq;

	/* The seq may be one of before: then the difference is negative. */
	if ((s64)bytes > (s64)cur->max_lag_bytes)
		cur->max_lag_bytes = bytes;
	if ((s64)records > (s64)cur->max_lag_records)
		cur->max_lag_records = records;
}

/**
 * ringbuf_cursor_place() - Move to the start of a record, whatever lies between
 * @cur: the cursor
 * @at: the record
 *
 * Context: any; the cursor's owner.
 */
static inline void ringbuf_cursor_place(struct ringbuf_cursor *cur,
					const struct ringbuf_mark *at)
{
	WRITE_ONCE(cur->part, 0);
	WRITE_ONCE(cur->at.seq, at->seq);
	WRITE_ONCE(cur->at.pos, at->pos);
}

/**
 * ringbuf_cursor_lose() - Move to a record, counting what lies before it as lost
 * @cur: the cursor
 * @v: the record, found from where the cursor is
 *
 * Context: any; the cursor's owner.
 */
static inline void ringbuf_cursor_lose(struct ringbuf_cursor *cur,
				       const struct ringbuf_view *v)
{
	cur->lost_bytes += v->lost_bytes;
	cur->lost_records += v->lost_records;
	ringbuf_cursor_place(cur, &v->at);
}

/**
 * ringbuf_cursor_take() - Move over records that were read intact
 * @cur: the cursor
 * @bytes: bytes of their frames
 * @records: how many
 *
 * Context: any; the cursor's owner.
 */
static inline void ringbuf_cursor_take(struct ringbuf_cursor *cur, u64 bytes,
				       u64 records)
{
	cur->read_bytes += bytes;
	cur->read_records += records;
	WRITE_ONCE(cur->part, 0);
	WRITE_ONCE(cur->at.seq, cur->at.seq + records);
	WRITE_ONCE(cur->at.pos, cur->at.pos + bytes);
}

/* A cursor's account: its owner only. */
void ringbuf_cursor_init(struct ringbuf_cursor *cur,
			 const struct ringbuf_core *c);
void ringbuf_cursor_settle(struct ringbuf_cursor *cur,
			   const struct ringbuf_core *c);
void ringbuf_cursor_move(struct ringbuf_cursor *cur,
			 const struct ringbuf_mark *to, u64 wanted, u64 from);
int ringbuf_cursor_walk(struct ringbuf_cursor *cur,
			const struct ringbuf_core *c, u64 pos,
			unsigned int budget);
void ringbuf_cursor_stats(const struct ringbuf_cursor *cur,
			  const struct ringbuf_core *c,
			  struct ringbuf_stats *stats);

#endif /* _RINGBUF_CURSOR_H */
