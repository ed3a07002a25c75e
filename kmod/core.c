// SPDX-License-Identifier: GPL-2.0
/*
 * The ring: one producer that never waits for a lossy consumer, any number of
 * consumers, each with its own cursor.
 */

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <asm/barrier.h>
#include "core.h"

/**
 * DOC: ringbuf core overview
 *
 * Data structure
 * --------------
 * The data area holds frames, one after the other, each a header and a
 * payload. A position counts the bytes ever written and never wraps; a frame
 * lies at position & (size - 1). The area is mapped twice in a row, so that a
 * frame that crosses its end is contiguous (as in the BPF ring buffer).
 *
 *	tail          cursors (one per consumer)        head
 *	 |  retained   |          |                      |  being written
 *	 v  records    v          v                      v
 *	-+-------------+----------+----------------------+---------->
 *
 * Only the producer writes any of it. Consumers change nothing that the
 * producer reads: a lossy consumer cannot slow it, let alone harm it.
 *
 * Publishing
 * ----------
 * The producer writes a frame behind head, where no consumer looks, and then
 * moves head over it. Frames may be committed one by one and published
 * together.
 *
 * Overwriting
 * -----------
 * Before the producer writes where retained records lie it moves tail over
 * them, in strides of several records, so that this is rare. It need not go
 * from one to the next: a milestone says where the first record of a stride
 * begins, noted down when the head was there. A consumer reads
 * first and then looks whether the tail has passed the place it read from
 * (the reader's half of a seqlock, with the tail as the sequence). What it
 * read counts only if not; until then a length is a number like any other.
 * Frames are at most a quarter of the ring and a stride a sixteenth, so once
 * something is published the tail never catches up with the head.
 *
 * Pairs of position and seq
 * -------------------------
 * A retained record carries its own seq, so the pair of any position up to
 * head is read from the record there. Only at head itself there is no record
 * yet. The producer stores the seq, then the head, then the seq once more, all
 * three in one cache line. A reader loads them in the opposite order. If both
 * seqs are the same the head between them belongs to that seq: a newer head
 * comes with a newer first seq, an older head with an older second one. The
 * stores do not wait for anybody; a reader repeats while they are under way.
 *
 * Memory barriers
 * ---------------
 * Labels are function:letter. On x86 all of these only stop the compiler.
 *
 *	======================  ======================  ========================
 *	barrier                 pairs with              what it orders
 *	======================  ======================  ========================
 *	publish:B   release     peek:B     acquire      frames before head
 *	publish:B   release     head:B     acquire      the first seq before head
 *	publish:A   release     head:A     acquire      head before the second seq
 *	make_room:A release     peek:A     acquire      head before a tail that
 *	                        seek:A     acquire      needs it
 *	make_room:B wmb         intact:A   rmb          tail before the bytes that
 *	                                                overwrite what it passed
 *	======================  ======================  ========================
 *
 * The store buffering between publishing and going to sleep is the business of
 * the wait queues' owner, see ring.c.
 */

/**
 * ringbuf_core_init() - Start an empty ring
 * @c: the ring
 * @page: its exported page, zeroed; offsets, id and flags are the caller's
 * @head_page: where its head is exported, zeroed
 * @data: its data area, mapped twice in a row
 * @size: bytes of the data area, a power of two and at least 4096
 * @start: position (a multiple of RINGBUF_ALIGN) and seq of the first record
 *
 * Nobody else may know the ring yet.
 */
void ringbuf_core_init(struct ringbuf_core *c, struct ringbuf_page *page,
		       struct ringbuf_head *head_page, void *data, u64 size,
		       const struct ringbuf_mark *start)
{
	memset(c, 0, sizeof(*c));
	c->page = page;
	c->head_page = head_page;
	c->data = data;
	c->size = size;
	c->stride = max(min_t(u64, size / 16, 16384), size / RINGBUF_MILESTONES);
	c->max_record = ringbuf_max_record(size);
	c->head = start->pos;
	c->head_seq = start->seq;
	c->next = start->pos;
	c->limit = start->pos + size;
	c->milestone = (start->pos & ~(u64)(c->stride - 1)) + c->stride;
	c->bound = start->pos;
	c->aim = start->pos;
	c->asked = start->pos;
	INIT_LIST_HEAD(&c->holds);
	c->start = *start;

	page->magic = RINGBUF_PAGE_MAGIC;
	page->abi = RINGBUF_ABI;
	page->struct_size = sizeof(*page);
	page->data_size = size;
	page->tail = start->pos;
	page->tail_seq = start->seq;
	page->wake_pos = RINGBUF_WAKE_NONE;
	head_page->head = start->pos;
	head_page->head_seq = start->seq;
	head_page->head_seq_again = start->seq;
}

static unsigned int milestone_of(const struct ringbuf_core *c, u64 pos)
{
	return (pos / c->stride) % RINGBUF_MILESTONES;
}

/**
 * ringbuf_core_pass() - The head has come to a multiple of the stride, or more
 * @c: the ring
 *
 * Remembers the record that will be there, for when the tail comes by: to find
 * it then would mean to go from record to record, whose cache lines are cold.
 *
 * Context: any; producer only.
 */
void ringbuf_core_pass(struct ringbuf_core *c)
{
	const struct ringbuf_milestone *last;
	struct ringbuf_milestone *m;

	do {
		m = &c->milestones[milestone_of(c, c->milestone)];
		last = &c->milestones[milestone_of(c, c->milestone - c->stride)];
		WRITE_ONCE(m->gaps, c->dropped - last->dropped);
		WRITE_ONCE(m->pos, c->head);
		WRITE_ONCE(m->records, c->head_seq - c->start.seq - c->dropped);
		WRITE_ONCE(m->dropped, c->dropped);
		c->milestone += c->stride;
	} while (!ringbuf_before(c->head, c->milestone));
}

/* The first record at or after the next multiple of the stride. */
static u64 next_stride(const struct ringbuf_core *c, u64 pos)
{
	return c->milestones[milestone_of(c, pos + c->stride - 1)].pos;
}

/*
 * Where the tail may go: to the milestone at @want, or to the slowest hold if that
 * is nearer, but at least to @need. A record begins at either. Consumers that join
 * meanwhile see where the tail is about to go, or are seen here.
 */
static bool find_tail(struct ringbuf_core *c, u64 need, u64 want, u64 *tail)
{
	*tail = want;
	if (!c->reliable)
		return true;
	while (!ringbuf_before(c->bound, need) || ringbuf_core_scan(c, need)) {
		*tail = ringbuf_before(c->bound, want) ? c->bound : want;
		WRITE_ONCE(c->aim, *tail);
		/* LMM(find_tail:A) pairs with LMM(hold_join:A). */
		smp_mb();
		if (READ_ONCE(c->joins) == c->joins_seen)
			return true;
		if (!ringbuf_core_scan(c, need))
			break;
		/* A consumer that joined after the barrier has seen the aim. */
		if (!ringbuf_before(c->bound, *tail))
			return true;
	}
	WRITE_ONCE(c->aim, c->page->tail);
	return false;
}

/**
 * ringbuf_core_refuse() - The producer gives up a reserve that has no room
 * @c: the ring
 *
 * The producer waits from now on, until it reserves something. Each reserve looks
 * for room first, so that the others need not look whether the wait is over.
 *
 * Context: any; producer only.
 */
void ringbuf_core_refuse(struct ringbuf_core *c)
{
	WRITE_ONCE(c->refused, true);
	c->limit = c->head;
}

/**
 * ringbuf_core_stop_waiting() - The producer has room, or goes
 * @c: the ring
 *
 * Context: any; producer only.
 */
void ringbuf_core_stop_waiting(struct ringbuf_core *c)
{
	c->limit = c->page->tail + c->size;
	if (!c->refused)
		return;
	WRITE_ONCE(c->served, c->served + 1);
	WRITE_ONCE(c->refused, false);
}

/**
 * ringbuf_core_make_room() - Move the tail out of the way
 * @c: the ring
 * @end: position up to which frames are to overwrite nothing retained
 *
 * Moves the tail to the next stride if it may, so that this is rare.
 *
 * Context: any; producer only. Constant time, but for ringbuf_core_scan().
 *
 * Return: false when a reliable consumer holds the space, and nothing has moved.
 */
bool ringbuf_core_make_room(struct ringbuf_core *c, u64 end)
{
	u64 need = end - c->size;
	u64 tail;

	/* After a refusal the limit is lower than it need be. */
	if (!ringbuf_before(c->page->tail, need)) {
		ringbuf_core_stop_waiting(c);
		return true;
	}
	/* The tail stays behind the head that consumers know. */
	ringbuf_core_publish(c);
	if (!find_tail(c, need, next_stride(c, need), &tail))
		return false;

	WRITE_ONCE(c->page->tail_seq, ringbuf_frame_at(c, tail)->seq);
	/* LMM(make_room:A) pairs with LMM(peek:A): tail <= head for all. */
	smp_store_release(&c->page->tail, tail);
	/*
	 * LMM(make_room:B) pairs with LMM(intact:A): whoever sees a byte that
	 * overwrites a record sees the tail that has passed it.
	 */
	smp_wmb();
	ringbuf_core_stop_waiting(c);
	return true;
}

/**
 * ringbuf_core_reserve_room() - The rest of ringbuf_core_reserve()
 * @c: the ring
 * @len: payload bytes
 * @type: the record's type
 *
 * Context: any; producer only.
 *
 * Return: as ringbuf_core_reserve().
 */
void *ringbuf_core_reserve_room(struct ringbuf_core *c, u32 len, u16 type)
{
	if (!len || len > READ_ONCE(c->max_record) || ringbuf_core_open(c))
		return NULL;
	if (!ringbuf_core_make_room(c, c->head + ringbuf_frame_size(len)))
		return NULL;
	return ringbuf_core_reserve_plain(c, len, type);
}

/**
 * ringbuf_core_reserve_run() - Make room for a run of frames
 * @c: the ring
 * @len: bytes, at most a quarter of the ring
 *
 * Context: any; producer only, without an open reservation.
 *
 * Return: where to write up to @len bytes of frames, for
 * ringbuf_core_commit_run(); NULL when a reliable consumer holds the space.
 */
void *ringbuf_core_reserve_run(struct ringbuf_core *c, u32 len)
{
	if (ringbuf_before(c->limit, c->head + len) &&
	    !ringbuf_core_make_room(c, c->head + len))
		return NULL;
	return ringbuf_frame_at(c, c->head);
}

/**
 * ringbuf_core_trim() - Shorten the open reservation
 * @c: the ring, with an open reservation
 * @len: payload bytes that it keeps, from 1 to what it has
 *
 * What it gives back is zeroed, since mapped readers see it.
 *
 * Context: any; producer only.
 *
 * Return: 0; -EINVAL when @len is 0 or more than was reserved, and nothing has
 * changed.
 */
int ringbuf_core_trim(struct ringbuf_core *c, u32 len)
{
	struct ringbuf_record *rec = ringbuf_frame_at(c, c->head);
	u8 *end = (u8 *)(rec + 1) + len;

	if (!len || len > rec->len)
		return -EINVAL;
	memset(end, 0, (u8 *)rec + (c->next - c->head) - end);
	WRITE_ONCE(*(u64 *)rec, ringbuf_first_word(len, rec->type));
	c->next = c->head + ringbuf_frame_size(len);
	return 0;
}

/**
 * ringbuf_core_commit_run() - Make records of the frames of a run
 * @c: the ring
 * @len: bytes that were written
 * @time_ns: the records' time
 *
 * Of the headers only len and type count, and flags have to be 0. Ends before
 * the first frame that is no record, too large or not all there. The caller zeroes
 * what is left of the run, since mapped readers see it.
 *
 * Context: any; producer only.
 *
 * Return: bytes of the frames that became records.
 */
u32 ringbuf_core_commit_run(struct ringbuf_core *c, u32 len, u64 time_ns)
{
	struct ringbuf_record *rec;
	u32 done = 0;
	u64 frame;

	while (len - done >= sizeof(*rec)) {
		rec = ringbuf_frame_at(c, c->head);
		frame = ringbuf_frame_size(rec->len);
		if (!rec->len || rec->len > READ_ONCE(c->max_record) ||
		    rec->flags || frame > len - done)
			break;
		memset((u8 *)(rec + 1) + rec->len, 0,
		       frame - sizeof(*rec) - rec->len);
		WRITE_ONCE(rec->seq, c->head_seq);
		WRITE_ONCE(rec->time_ns, time_ns);
		c->next = c->head + frame;
		ringbuf_core_commit(c, 0);
		done += frame;
	}
	return done;
}

/**
 * ringbuf_core_drop() - Use a seq for a record that could not be published
 * @c: the ring
 *
 * Consumers see the gap.
 *
 * Context: any; producer only, without an open reservation.
 */
void ringbuf_core_drop(struct ringbuf_core *c)
{
	c->head_seq++;
	WRITE_ONCE(c->dropped, c->dropped + 1);
	/* Else it is published with what waits to be. */
	if (!ringbuf_core_unpublished(c))
		ringbuf_core_publish(c);
}

/**
 * ringbuf_core_head() - The head and the seq of the next record, as a pair
 * @c: the ring
 * @m: the pair
 *
 * Not older than any record that the caller has seen, and not newer than what
 * is exported.
 *
 * Context: any. Lock-free: repeats only when the producer published meanwhile.
 */
void ringbuf_core_head(const struct ringbuf_core *c, struct ringbuf_mark *m)
{
	const struct ringbuf_head *end = c->head_page;

	do {
		/* LMM(head:A) pairs with LMM(publish:A). */
		m->seq = smp_load_acquire(&end->head_seq_again);
		/* LMM(head:B) pairs with LMM(publish:B). */
		m->pos = smp_load_acquire(&end->head);
	} while (READ_ONCE(end->head_seq) != m->seq);
}

/**
 * ringbuf_core_tail() - The oldest retained record's position and seq, as a pair
 * @c: the ring
 * @m: the pair; where the first record will be when there is none yet
 *
 * Context: any. Lock-free: repeats only when the tail moved meanwhile.
 */
void ringbuf_core_tail(const struct ringbuf_core *c, struct ringbuf_mark *m)
{
	struct ringbuf_view v;

	m->pos = READ_ONCE(c->page->tail);
	/* Nothing but an unused ring is empty. */
	*m = ringbuf_core_peek(c, m, &v) ? v.at : c->start;
}

/**
 * ringbuf_core_overwritten() - How many records lie before the tail
 * @c: the ring
 * @tail: a tail, as ringbuf_core_tail() gave it
 * @records: how many lie before it
 *
 * The seqs before the tail are records and seqs that were dropped. How many were
 * dropped the next milestone tells, unless some were dropped within its stride:
 * then the records up to the milestone are counted one by one.
 *
 * Context: task; may sleep.
 *
 * Return: false when the tail has overtaken the count: @tail is too old.
 */
bool ringbuf_core_overwritten(const struct ringbuf_core *c,
			      const struct ringbuf_mark *tail, u64 *records)
{
	const struct ringbuf_milestone *m;
	u64 end, pos = tail->pos;
	u32 len, n = 0;

	*records = 0;
	if (pos == c->start.pos)
		return true;
	m = &c->milestones[milestone_of(c, pos + c->stride)];
	end = READ_ONCE(m->pos);
	*records = READ_ONCE(m->records);
	if (!READ_ONCE(m->gaps)) {
		*records = tail->seq - c->start.seq - READ_ONCE(m->dropped);
		end = pos;
	}
	/* The place of the milestone is not used again before the tail is there. */
	if (!ringbuf_core_intact(c, pos))
		return false;
	for (; ringbuf_before(pos, end); pos += ringbuf_frame_size(len)) {
		len = READ_ONCE(ringbuf_frame_at(c, pos)->len);
		if (!ringbuf_core_intact(c, pos))
			return false;
		--*records;
		if (!(++n % 1024))
			cond_resched();
	}
	return true;
}

/**
 * ringbuf_core_span() - How many whole frames lie in a row
 * @c: the ring
 * @v: the first of them
 * @limit: bytes that they may take
 * @records: how many there are
 *
 * Stops at a gap in the seqs. The lengths it goes by are read without a check
 * and bounded by @limit and the head: the answer, like the frames themselves,
 * counts only if ringbuf_core_intact() says so afterwards.
 *
 * Context: any.
 *
 * Return: bytes, 0 when the first frame is larger than @limit.
 */
u64 ringbuf_core_span(const struct ringbuf_core *c,
		      const struct ringbuf_view *v, u64 limit, u64 *records)
{
	const struct ringbuf_record *rec;
	u64 frame = ringbuf_frame_size(v->len);
	u64 end = v->head - v->at.pos;
	u64 span = 0;
	u64 n = 0;

	if (end > limit)
		end = limit;
	while (frame <= end - span) {
		span += frame;
		n++;
		if (span == end)
			break;
		rec = ringbuf_frame_at(c, v->at.pos + span);
		if (READ_ONCE(rec->seq) != v->at.seq + n)
			break;
		frame = ringbuf_frame_size(READ_ONCE(rec->len));
	}
	*records = n;
	return span;
}

/**
 * ringbuf_core_skip() - Go on to the last milestone before a place
 * @c: the ring
 * @at: in: a record; out: the last milestone between it and the place, if there is
 *	one, or the same record
 * @pos: the place is not beyond this position
 * @seq: nor beyond the record with this seq
 *
 * The producer writes the position of a milestone when the head comes there, before
 * it writes the record, and orders nothing by it: a consumer sees the milestone of
 * this turn of the ring or the one of an earlier turn, and both are places where a
 * record begins. That there is a record now, the head says, and afterwards the tail.
 *
 * Context: any. At most RINGBUF_MILESTONES steps.
 */
void ringbuf_core_skip(const struct ringbuf_core *c, struct ringbuf_mark *at,
		       u64 pos, u64 seq)
{
	/* LMM(peek:B) pairs with LMM(publish:B). */
	const u64 head = smp_load_acquire(&c->head_page->head);
	const u64 end = ringbuf_before(pos, head) ? pos : head;
	struct ringbuf_mark m;
	u64 i = end / c->stride;
	int n;

	for (n = 0; n < RINGBUF_MILESTONES &&
	     ringbuf_before(at->pos, i * c->stride); n++, i--) {
		m.pos = READ_ONCE(c->milestones[i % RINGBUF_MILESTONES].pos);
		if (!ringbuf_before(at->pos, m.pos) || m.pos == head ||
		    ringbuf_before(end, m.pos))
			continue;
		m.seq = READ_ONCE(ringbuf_frame_at(c, m.pos)->seq);
		if (!ringbuf_core_intact(c, m.pos))
			return;
		if (!ringbuf_before(seq, m.seq)) {
			*at = m;
			return;
		}
	}
}

/**
 * ringbuf_core_seek() - Find the record with a seq
 * @c: the ring
 * @at: in: where to start, at or before the record; out: the record, or the
 *	one after a gap in which @seq lies, or how far the search came
 * @seq: the seq; that of the next record finds the head
 * @budget: records to pass over in one call
 *
 * Context: any. A walk from record to record; call it again on -EAGAIN, with a
 * pause in between where there may be one.
 *
 * Return: 0, -EINVAL when @seq is beyond the head, -EAGAIN when @budget is
 * used up.
 */
int ringbuf_core_seek(const struct ringbuf_core *c, struct ringbuf_mark *at,
		      u64 seq, unsigned int budget)
{
	struct ringbuf_mark head;
	struct ringbuf_view v;

	ringbuf_core_head(c, &head);
	if (ringbuf_before(head.seq, seq))
		return -EINVAL;
	if (head.seq == seq) {
		*at = head;
		return 0;
	}
	for (; budget; budget--) {
		/* LMM(seek:A) pairs with LMM(make_room:A). */
		u64 tail = smp_load_acquire(&c->page->tail);

		ringbuf_core_head(c, &head);
		v.head = head.pos;
		if (!ringbuf_core_look(c, at, tail, &v)) {
			/* Nothing but seqs without records is left. */
			if (at->pos == head.pos) {
				*at = head;
				return 0;
			}
			continue;
		}
		*at = v.at;
		if (!ringbuf_before(at->seq, seq))
			return 0;
		at->pos += ringbuf_frame_size(v.len);
		at->seq++;
	}
	return -EAGAIN;
}
