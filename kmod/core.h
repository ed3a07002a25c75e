/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring itself: layout, reserve and commit, cursors, loss.
 *
 * Knows no files, no user memory and no wait queues; storage, time and
 * serialisation come from the caller. Builds in userspace with the shims of
 * selftests/native. The algorithm, and the table of its barriers, are in core.c;
 * what runs for each record is in here, to be inlined.
 */
#ifndef _RINGBUF_CORE_H
#define _RINGBUF_CORE_H

#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/preempt.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/barrier.h>
#include <uapi/linux/ringbuf.h>

/* A place in the stream: a position and the seq of the record there. */
struct ringbuf_mark {
	u64 pos;
	u64 seq;
};

/**
 * struct ringbuf_milestone - A place in the stream
 * @pos: position
 * @records: how many records lie before it
 * @dropped: seqs that were dropped before the head came there
 * @gaps: how many of those were dropped since the milestone before
 */
struct ringbuf_milestone {
	u64 pos;
	u64 records;
	u64 dropped;
	u64 gaps;
};

#define RINGBUF_MILESTONES	64

/**
 * struct ringbuf_core - One ring
 * @page: exported tail and constants
 * @head_page: exported head and its seq, written by the producer only
 * @data: data area, @size bytes, mapped twice in a row
 * @size: bytes of the data area, a power of two
 * @stride: the tail goes from one multiple of this to another, so that it moves
 *	rarely; a power of two, at least a RINGBUF_MILESTONES-th of the ring
 * @max_record: payload bytes of the largest record; 0 once there are to be none
 * @start: where the first record was or will be
 * @head: producer's own: after the newest committed record
 * @head_seq: producer's own: seq of the next record
 * @next: producer's own: after the open reservation; @head when there is none
 * @limit: producer's own: frames up to here overwrite nothing retained; not beyond
 *	@head after a refusal, so that the next reserve looks for room
 * @milestone: producer's own: the multiple of @stride that @head passes next
 * @bound: producer's own: no hold was before this at the last scan
 * @joins_seen: producer's own: @joins at the last scan
 * @left_out: producer's own: @slowest at the last scan; to be compared only
 * @rest: producer's own: no hold but @left_out was before this at the last scan
 * @reliable: there may be holds
 * @refused: the producer waits for reliable consumers, or has given up what they
 *	had no room for; written by the producer
 * @served: how often a reserve had room after one was refused; written by the
 *	producer
 * @aim: where the tail is about to go, if not held; written by the producer
 * @joins: how often a hold came or moved back
 * @holds: the reliable consumers' (struct ringbuf_hold). Under the holds' lock, as
 *	all that follows up to @wait; the producer walks the list under RCU
 * @nr_holds: how many there are; anyone may read it
 * @slowest: the hold that was the slowest when somebody looked last, NULL: not
 *	known; anyone may follow it under RCU
 * @beyond: no hold but @slowest is before this
 * @first: of the holds that were asked to make way and have not, the one that was
 *	asked first; NULL: there is none; anyone may follow it under RCU
 * @first_gone: @first is NULL because that hold left; there may be others
 * @asked: each hold before this was asked to make way
 * @wait: number of the producer's wait; what a hold was asked in another one does
 *	not count
 * @dropped: seqs used by records that could not be published
 * @milestones: for each multiple of @stride in the ring the first record that
 *	begins there or later; written by the producer. Consumers read the
 *	positions, see ringbuf_core_skip()
 */
struct ringbuf_core {
	struct ringbuf_page *page;
	struct ringbuf_head *head_page;
	u8 *data;
	u64 size;
	u32 stride;
	u32 max_record;
	struct ringbuf_mark start;

	u64 head ____cacheline_aligned;
	u64 head_seq;
	u64 next;
	u64 limit;
	u64 milestone;
	u64 bound;
	u64 joins_seen;
	bool reliable;
	bool refused;

	const struct ringbuf_hold *left_out ____cacheline_aligned;
	u64 rest;
	u64 served;
	u64 dropped;
	u64 aim;

	u64 joins ____cacheline_aligned;
	struct list_head holds;
	unsigned int nr_holds;
	struct ringbuf_hold __rcu *slowest;
	u64 beyond;
	struct ringbuf_hold __rcu *first;
	bool first_gone;
	u64 asked;
	u64 wait;

	struct ringbuf_milestone milestones[RINGBUF_MILESTONES];
};

struct ringbuf_cursor;

/**
 * struct ringbuf_hold - What a reliable consumer has over the producer
 * @node: in the ring's holds
 * @pos: the tail does not pass it; written by the consumer
 * @need: where the tail wanted to go when the hold was asked to make way
 * @since: when that was, in ns
 * @wait: in which of the producer's waits that was
 * @demoted: the producer waits for it no more, and it is off the list
 * @owner: the process that holds; opaque here
 *
 * Its owner frees it a grace period after ringbuf_hold_leave().
 */
struct ringbuf_hold {
	struct list_head node;
	u64 pos;
	u64 need;
	u64 since;
	u64 wait;
	bool demoted;
	void *owner;
};

/**
 * struct ringbuf_view - A record looked at in place
 * @at: where it is
 * @head: a head that was seen to be after it
 * @frame: its header and payload; intact only as long as ringbuf_core_intact()
 *	says so afterwards
 * @len: its payload bytes, known to be right, as is @at.seq
 * @lost_bytes: bytes between the cursor and this record that were overwritten
 * @lost_records: seqs between the cursor and this record
 */
struct ringbuf_view {
	struct ringbuf_mark at;
	u64 head;
	const void *frame;
	u32 len;
	u64 lost_bytes;
	u64 lost_records;
};

/* What is so far behind a position or a seq is behind all there are. */
#define RINGBUF_FAR	(U64_MAX / 4)

/* Positions and seqs only grow; the sign of a difference orders them. */
static inline bool ringbuf_before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

/**
 * ringbuf_max_record() - Largest payload of a ring
 * @size: bytes of its data area
 *
 * Return: payload bytes; the frame is a quarter of the ring.
 */
static inline u32 ringbuf_max_record(u64 size)
{
	return size / 4 - sizeof(struct ringbuf_record);
}

static inline u64 ringbuf_frame_size(u32 len)
{
	return RINGBUF_FRAME_SIZE(len);
}

/* Where the tail has to be for a frame of @size bytes at @pos to fit. */
static inline u64 ringbuf_core_need(const struct ringbuf_core *c, u64 pos,
				    u64 size)
{
	return pos + size - c->size;
}

static inline struct ringbuf_record *
ringbuf_frame_at(const struct ringbuf_core *c, u64 pos)
{
	return (struct ringbuf_record *)(c->data + (pos & (c->size - 1)));
}

void ringbuf_core_pass(struct ringbuf_core *c);

/**
 * ringbuf_core_commit() - Close the open reservation as a record
 * @c: the ring
 * @time_ns: the record's time
 *
 * Consumers see it only after ringbuf_core_publish().
 *
 * Context: any; producer only.
 */
static inline void ringbuf_core_commit(struct ringbuf_core *c, u64 time_ns)
{
	/* See ringbuf_core_reserve(): without a time nothing is left to write. */
	if (time_ns)
		WRITE_ONCE(ringbuf_frame_at(c, c->head)->time_ns, time_ns);
	c->head_seq++;
	c->head = c->next;
	if (unlikely(!ringbuf_before(c->head, c->milestone)))
		ringbuf_core_pass(c);
}

/**
 * ringbuf_core_cancel() - Drop the open reservation, which the caller has zeroed
 * @c: the ring
 *
 * No record, no seq. Older records may have made room for it all the same.
 *
 * Context: any; producer only.
 */
static inline void ringbuf_core_cancel(struct ringbuf_core *c)
{
	c->next = c->head;
}

/**
 * ringbuf_core_discard() - Drop the open reservation, if there is one
 * @c: the ring
 *
 * As ringbuf_core_cancel(). What was reserved is zeroed, since mapped readers see
 * it; so the cost is that of its size.
 *
 * Context: any; producer only.
 */
static inline void ringbuf_core_discard(struct ringbuf_core *c)
{
	memset(ringbuf_frame_at(c, c->head), 0, c->next - c->head);
	ringbuf_core_cancel(c);
}

/**
 * ringbuf_core_open() - Is there an open reservation?
 * @c: the ring
 *
 * Context: any; producer only.
 *
 * Return: true when there is.
 */
static inline bool ringbuf_core_open(const struct ringbuf_core *c)
{
	return c->next != c->head;
}

/**
 * ringbuf_core_unpublished() - Bytes committed and not yet published
 * @c: the ring
 *
 * Context: any; producer only.
 *
 * Return: bytes of frames.
 */
static inline u64 ringbuf_core_unpublished(const struct ringbuf_core *c)
{
	return c->head - c->head_page->head;
}

/**
 * ringbuf_core_intact() - Was what was read from a position on intact?
 * @c: the ring
 * @pos: where the reading began
 *
 * Context: any, after the reading.
 *
 * Return: true when nothing at or after @pos had been overwritten.
 */
static inline bool ringbuf_core_intact(const struct ringbuf_core *c, u64 pos)
{
	/* LMM(intact:A) pairs with LMM(make_room:B). */
	smp_rmb();
	return !ringbuf_before(pos, READ_ONCE(c->page->tail));
}

/**
 * ringbuf_core_overrun() - Has the tail passed a position?
 * @c: the ring
 * @pos: the position
 *
 * Context: any. Orders nothing.
 *
 * Return: true when what was there has been overwritten.
 */
static inline bool ringbuf_core_overrun(const struct ringbuf_core *c, u64 pos)
{
	return ringbuf_before(pos, READ_ONCE(c->page->tail));
}

/**
 * ringbuf_core_ready() - Is there a record at or after a position?
 * @c: the ring
 * @pos: the position
 *
 * Context: any. Orders nothing: who sleeps on the answer brings the barrier.
 *
 * Return: true when there is.
 */
static inline bool ringbuf_core_ready(const struct ringbuf_core *c, u64 pos)
{
	return ringbuf_before(pos, READ_ONCE(c->head_page->head));
}

void ringbuf_core_init(struct ringbuf_core *c, struct ringbuf_page *page,
		       struct ringbuf_head *head_page, void *data, u64 size,
		       const struct ringbuf_mark *start);

/* The producer's side: one caller at a time. */
bool ringbuf_core_make_room(struct ringbuf_core *c, u64 end);
void *ringbuf_core_reserve_room(struct ringbuf_core *c, u32 len, u16 type);
void *ringbuf_core_reserve_run(struct ringbuf_core *c, u32 len);
int ringbuf_core_trim(struct ringbuf_core *c, u32 len);
u32 ringbuf_core_commit_run(struct ringbuf_core *c, u32 len, u64 time_ns);

/* The consumers' side: anyone, at any time. */
void ringbuf_core_head(const struct ringbuf_core *c, struct ringbuf_mark *m);
void ringbuf_core_tail(const struct ringbuf_core *c, struct ringbuf_mark *m);
bool ringbuf_core_overwritten(const struct ringbuf_core *c,
			      const struct ringbuf_mark *tail, u64 *records);
u64 ringbuf_core_span(const struct ringbuf_core *c,
		      const struct ringbuf_view *v, u64 limit, u64 *records);
void ringbuf_core_skip(const struct ringbuf_core *c, struct ringbuf_mark *at,
		       u64 pos, u64 seq);
int ringbuf_core_seek(const struct ringbuf_core *c, struct ringbuf_mark *at,
		      u64 seq, unsigned int budget);

/* A record's len, type and flags, in one store. */
static inline u64 ringbuf_first_word(u32 len, u16 type)
{
	const struct {
		u32 len;
		u16 type;
		u16 flags;
	} first = { .len = len, .type = type };
	u64 word;

	memcpy(&word, &first, sizeof(word));
	return word;
}

/**
 * ringbuf_core_reserve_plain() - Open the next record, in the plain case
 * @c: the ring
 * @len: payload bytes, 1 to max_record
 * @type: the record's type
 *
 * Context: any; producer only.
 *
 * Return: as ringbuf_core_reserve(); NULL, too, when room has to be made.
 */
static inline void *ringbuf_core_reserve_plain(struct ringbuf_core *c, u32 len,
					       u16 type)
{
	const u64 frame = ringbuf_frame_size(len);
	const u64 head = c->head;
	struct ringbuf_record *rec;

	/* 0 is too large, too. */
	if (unlikely(len - 1 >= READ_ONCE(c->max_record) || ringbuf_core_open(c)))
		return NULL;
	if (unlikely(ringbuf_before(c->limit, head + frame)))
		return NULL;

	/*
	 * From one end to the other, as the payload will be: the cache lines come
	 * from readers' CPUs, and going back and forth between them costs.
	 */
	c->next = head + frame;
	rec = ringbuf_frame_at(c, head);
	WRITE_ONCE(*(u64 *)rec, ringbuf_first_word(len, type));
	WRITE_ONCE(rec->seq, c->head_seq);
	WRITE_ONCE(rec->time_ns, 0);
	/* The padding, and payload that the caller will overwrite. */
	if (len % RINGBUF_ALIGN)
		WRITE_ONCE(*(u64 *)((u8 *)rec + frame - RINGBUF_ALIGN), 0);
	return rec + 1;
}

/**
 * ringbuf_core_reserve() - Open the next record
 * @c: the ring
 * @len: payload bytes, 1 to max_record
 * @type: the record's type
 *
 * Context: any; producer only. Takes no lock and allocates nothing. Constant
 * time, but for a look at all holds once for each turn of the ring.
 *
 * Return: where to write @len bytes, aligned to RINGBUF_ALIGN; NULL when @len
 * is out of range, a reservation is open already, or a reliable consumer holds
 * the space.
 */
static inline void *ringbuf_core_reserve(struct ringbuf_core *c, u32 len,
					 u16 type)
{
	void *payload = ringbuf_core_reserve_plain(c, len, type);

	return likely(payload) ? payload :
				 ringbuf_core_reserve_room(c, len, type);
}

/**
 * ringbuf_core_publish() - Let consumers see all committed records
 * @c: the ring
 *
 * All that the producer wrote before is visible to a consumer that sees the
 * new head. Three stores, two of them releases, however many records.
 *
 * ringbuf_core_head() repeats while the three stores are under way. Preemption is
 * off meanwhile, so that a reader of higher priority does not wait for the
 * producer that it keeps from running.
 *
 * Context: any; producer only.
 */
static inline void ringbuf_core_publish(struct ringbuf_core *c)
{
	struct ringbuf_head *out = c->head_page;
	const u64 head = c->head, seq = c->head_seq;

	preempt_disable_notrace();
	WRITE_ONCE(out->head_seq, seq);
	/* LMM(publish:B) pairs with LMM(peek:B) and LMM(head:B). */
	smp_store_release(&out->head, head);
	/* LMM(publish:A) pairs with LMM(head:A). */
	smp_store_release(&out->head_seq_again, seq);
	preempt_enable_notrace();
}

/**
 * ringbuf_core_look() - Look at a record in place, once
 * @c: the ring
 * @at: where to look
 * @tail: the tail, which counts if it is later
 * @v: @head set; all else is filled in
 *
 * Context: any.
 *
 * Return: false when there is no record before the head, @v's frame being NULL
 * then, or it was overwritten meanwhile.
 */
static inline bool ringbuf_core_look(const struct ringbuf_core *c,
				     const struct ringbuf_mark *at, u64 tail,
				     struct ringbuf_view *v)
{
	const struct ringbuf_record *rec;

	v->frame = NULL;
	v->at.pos = ringbuf_before(at->pos, tail) ? tail : at->pos;
	if (!ringbuf_before(v->at.pos, v->head))
		return false;

	rec = ringbuf_frame_at(c, v->at.pos);
	v->frame = rec;
	v->len = READ_ONCE(rec->len);
	v->at.seq = READ_ONCE(rec->seq);
	v->lost_bytes = v->at.pos - at->pos;
	v->lost_records = v->at.seq - at->seq;
	return ringbuf_core_intact(c, v->at.pos);
}

/**
 * ringbuf_core_peek() - Look at the next record in place
 * @c: the ring
 * @at: where to look; if the tail has passed it, @v is the tail's record
 * @v: what was found
 *
 * Context: any. Lock-free: repeats only when the tail passed the record
 * meanwhile.
 *
 * Return: false when there is no record at or after @at.
 */
static inline bool ringbuf_core_peek(const struct ringbuf_core *c,
				     const struct ringbuf_mark *at,
				     struct ringbuf_view *v)
{
	u64 tail;

	do {
		/* LMM(peek:A) pairs with LMM(make_room:A). */
		tail = smp_load_acquire(&c->page->tail);
		/* LMM(peek:B) pairs with LMM(publish:B). */
		v->head = smp_load_acquire(&c->head_page->head);
		if (ringbuf_core_look(c, at, tail, v))
			return true;
	} while (v->frame);
	return false;
}

/**
 * ringbuf_core_plain() - Look at the next record in place, in the plain case
 * @c: the ring
 * @at: where it is, and its seq
 * @len: its payload bytes, known to be right
 *
 * What ringbuf_core_peek() finds nearly always, in fewer steps: the tail has not
 * to be known before, since a record that it has passed is none here.
 *
 * Context: any. Lock-free.
 *
 * Return: its frame, intact only as long as ringbuf_core_intact() says so
 * afterwards; NULL when there is no record, some have been lost, or @at is no
 * place of a record.
 */
static inline const u8 *ringbuf_core_plain(const struct ringbuf_core *c,
					   const struct ringbuf_mark *at,
					   u32 *len)
{
	const struct ringbuf_record *rec;
	u64 seq;

	/* LMM(peek:B) pairs with LMM(publish:B). */
	if (!ringbuf_before(at->pos, smp_load_acquire(&c->head_page->head)))
		return NULL;
	rec = ringbuf_frame_at(c, at->pos);
	*len = READ_ONCE(rec->len);
	seq = READ_ONCE(rec->seq);
	if (unlikely(!ringbuf_core_intact(c, at->pos) || seq != at->seq))
		return NULL;
	return (const u8 *)rec;
}

/* Reliable consumers. */
bool ringbuf_core_scan(struct ringbuf_core *c, u64 need);
void ringbuf_core_drop(struct ringbuf_core *c);
void ringbuf_core_refuse(struct ringbuf_core *c);
void ringbuf_core_stop_waiting(struct ringbuf_core *c);
void ringbuf_core_find_first(struct ringbuf_core *c);
void ringbuf_hold_join(struct ringbuf_hold *hold, struct ringbuf_core *c,
		       struct ringbuf_cursor *cur);
bool ringbuf_hold_back(struct ringbuf_hold *hold, struct ringbuf_core *c,
		       u64 pos);
void ringbuf_hold_leave(struct ringbuf_hold *hold, struct ringbuf_core *c);
struct ringbuf_hold *ringbuf_core_holder(struct ringbuf_core *c, u64 need);
u64 ringbuf_core_wait_for_holds(struct ringbuf_core *c, u64 need, u64 now,
				u64 stall);
u64 ringbuf_core_still_held(const struct ringbuf_core *c, u64 need, u64 now,
			    u64 stall);
void ringbuf_core_new_wait(struct ringbuf_core *c);

/**
 * ringbuf_hold_move() - A reliable consumer is done with what is before
 * @hold: its hold
 * @pos: not before where the hold was
 *
 * All that the consumer read before was read before it is overwritten.
 *
 * Context: any; the hold's owner.
 */
static inline void ringbuf_hold_move(struct ringbuf_hold *hold, u64 pos)
{
	/* LMM(hold_move:A) pairs with LMM(scan:B). */
	smp_store_release(&hold->pos, pos);
}

#endif /* _RINGBUF_CORE_H */
