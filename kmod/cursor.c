// SPDX-License-Identifier: GPL-2.0
/*
 * A consumer's cursor: where it is, and the account of what it read and lost.
 */

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/string.h>
#include "cursor.h"

/**
 * ringbuf_cursor_init() - A fresh cursor, at the oldest retained record
 * @cur: the cursor
 * @c: the ring
 *
 * Context: any.
 */
void ringbuf_cursor_init(struct ringbuf_cursor *cur,
			 const struct ringbuf_core *c)
{
	memset(cur, 0, sizeof(*cur));
	ringbuf_core_tail(c, &cur->at);
}

/**
 * ringbuf_cursor_settle() - Count as lost what the tail has passed
 * @cur: the cursor; not behind the tail afterwards
 * @c: the ring
 *
 * Context: any; the cursor's owner.
 */
void ringbuf_cursor_settle(struct ringbuf_cursor *cur,
			   const struct ringbuf_core *c)
{
	struct ringbuf_view v;

	if (ringbuf_core_peek(c, &cur->at, &v))
		ringbuf_cursor_lose(cur, &v);
}

/**
 * ringbuf_cursor_move() - Move where ringbuf_core_seek() found a record
 * @cur: the cursor, settled before the search
 * @to: the place
 * @wanted: the seq that was asked for; those from it to @to are lost
 * @from: the seq where the cursor was before it was settled: what was lost
 *	then is not lost again
 *
 * How many bytes were lost is known only of what lies behind the cursor.
 *
 * Context: any; the cursor's owner.
 */
void ringbuf_cursor_move(struct ringbuf_cursor *cur,
			 const struct ringbuf_mark *to, u64 wanted, u64 from)
{
	const u64 settled = cur->at.seq;
	u64 lost = to->seq - wanted;

	/* The gap goes from wanted to @to, and may hold from to settled. */
	if (ringbuf_before(wanted, settled) &&
	    !ringbuf_before(to->seq, settled)) {
		lost -= settled - (ringbuf_before(wanted, from) ? from : wanted);
		cur->lost_bytes += to->pos - cur->at.pos;
	}
	cur->lost_records += lost;
	ringbuf_cursor_place(cur, to);
}

/*
 * Move to the last milestone before @pos. A record begins there, and as many records
 * lie before it as there are seqs, if none was ever dropped. Otherwise, and when the
 * record at the cursor has been overwritten meanwhile, nothing moves.
 */
static bool walk_far(struct ringbuf_cursor *cur, const struct ringbuf_core *c,
		     u64 pos)
{
	struct ringbuf_mark to = cur->at;

	if (pos - to.pos < c->stride)
		return false;
	ringbuf_core_skip(c, &to, pos, to.seq + RINGBUF_FAR);
	/* Has one been dropped? Whoever sees the head behind a gap sees that, too. */
	if (to.pos == cur->at.pos || READ_ONCE(c->dropped) ||
	    !ringbuf_core_intact(c, cur->at.pos))
		return false;
	ringbuf_cursor_take(cur, to.pos - cur->at.pos, to.seq - cur->at.seq);
	return true;
}

/**
 * ringbuf_cursor_walk() - Move to a record whose position is known
 * @cur: the cursor
 * @c: the ring
 * @pos: the position, of a record or the head
 * @budget: records to pass over in one call
 *
 * Passes from record to record, since what lies in between may look like one.
 * What it passes over counts as read; what has been overwritten as lost, for
 * who can tell whether it was read in time. When that goes beyond @pos the
 * cursor is at the oldest record.
 *
 * Context: any; the cursor's owner. Call it again on -EAGAIN.
 *
 * Return: 0; -EINVAL when @pos is behind the cursor, beyond the head or where no
 * record begins, and @cur is anywhere; -EAGAIN when @budget is used up.
 */
int ringbuf_cursor_walk(struct ringbuf_cursor *cur,
			const struct ringbuf_core *c, u64 pos,
			unsigned int budget)
{
	struct ringbuf_view v;
	u64 limit, span, records;

	if (ringbuf_before(pos, cur->at.pos))
		return -EINVAL;
	while (budget) {
		if (!ringbuf_core_peek(c, &cur->at, &v))
			return cur->at.pos == pos ? 0 : -EINVAL;
		if (cur->at.pos == pos && v.at.pos == pos)
			return 0;
		if (v.lost_records)
			ringbuf_cursor_lose(cur, &v);
		if (!ringbuf_before(cur->at.pos, pos))
			return 0;
		if (walk_far(cur, c, pos))
			continue;
		/* No more than budget: each takes the smallest frame at least. */
		limit = ringbuf_frame_size(v.len) +
			(u64)(budget - 1) * RINGBUF_FRAME_SIZE(1);
		limit = min(limit, pos - v.at.pos);
		span = ringbuf_core_span(c, &v, limit, &records);
		if (!ringbuf_core_intact(c, v.at.pos)) {
			budget--;
			continue;
		}
		if (!span)
			return -EINVAL;
		ringbuf_cursor_take(cur, span, records);
		budget -= records;
	}
	return -EAGAIN;
}

/**
 * ringbuf_cursor_stats() - A cursor's account, up to this moment
 * @cur: the cursor
 * @c: the ring
 * @stats: all but struct_size is filled in
 *
 * A loss counts as soon as it has happened, whether reported yet or not.
 *
 * Context: any; the cursor must not move meanwhile.
 */
void ringbuf_cursor_stats(const struct ringbuf_cursor *cur,
			  const struct ringbuf_core *c,
			  struct ringbuf_stats *stats)
{
	struct ringbuf_mark from;
	struct ringbuf_mark head;
	struct ringbuf_view v;

	do {
		/* Behind a gap, too. */
		from = ringbuf_core_peek(c, &cur->at, &v) ? v.at : cur->at;
		ringbuf_core_head(c, &head);
		/* Else they would be further apart than the ring is large. */
	} while (!ringbuf_core_intact(c, from.pos));

	stats->flags = from.pos == cur->at.pos ? 0 : RINGBUF_STATS_OVERRUN;
	stats->pos = cur->at.pos;
	stats->seq = cur->at.seq;
	stats->lag_bytes = head.pos - from.pos;
	stats->lag_records = head.seq - from.seq;
	stats->lost_bytes = cur->lost_bytes + from.pos - cur->at.pos;
	stats->lost_records = cur->lost_records + from.seq - cur->at.seq;
	stats->read_bytes = cur->read_bytes;
	stats->read_records = cur->read_records;
	stats->max_lag_bytes = max(cur->max_lag_bytes, stats->lag_bytes);
	stats->max_lag_records = max(cur->max_lag_records, stats->lag_records);
}
