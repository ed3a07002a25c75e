// SPDX-License-Identifier: GPL-2.0
/*
 * Consumers of the character device: their cursors, and reading. seek.c has seeking.
 */

#include <linux/sched/signal.h>
#include <linux/uio.h>
#include "compat.h"
#include "copy.h"
#include "file.h"
#include "trace.h"

/**
 * DOC: threads that share a consumer
 *
 * A thread that reads notes where the cursor is, copies what lies there to user
 * memory, and then takes the file's lock and moves the cursor, if the cursor is
 * still where it was. If another thread has moved the cursor meanwhile, the thread
 * starts over. So each record, and each piece of a record, goes to one of them, a
 * call that fails leaves the cursor alone, and no thread waits for one whose copy
 * is stuck in a page fault.
 *
 * A plain read() notes position, seq and part without the lock, one by one. They
 * may then belong to different moments. That does no harm: the thread moves the
 * cursor only if all three are, under the lock, what it noted.
 */

/**
 * ringbuf_file_cursor() - A copy of a file's cursor
 * @rf: the file
 * @cur: the copy
 *
 * Context: task.
 */
void ringbuf_file_cursor(struct ringbuf_file *rf, struct ringbuf_cursor *cur)
{
	spin_lock(&rf->lock);
	*cur = rf->cursor;
	spin_unlock(&rf->lock);
}

static struct ringbuf_mark ringbuf_file_at(struct ringbuf_file *rf)
{
	struct ringbuf_cursor cur;

	ringbuf_file_cursor(rf, &cur);
	return cur.at;
}

/* Move the hold with the cursor. The caller holds @rf->lock. */
static inline bool move_hold(struct ringbuf_file *rf, u64 pos)
{
	return likely(!rf->hold) || ringbuf_file_move_hold(rf, pos);
}

/* After a move, without @rf->lock. */
static inline void let_go(struct ringbuf_file *rf, u64 from, u64 to)
{
	if (READ_ONCE(rf->hold))
		ringbuf_ring_wake_for_room(rf->ring, from, to);
}

/**
 * ringbuf_file_eof() - Is this the end of the stream for a consumer?
 * @rf: its file
 *
 * The slot is looked at first: what its last holder published is visible once
 * it is seen empty.
 *
 * Context: task.
 *
 * Return: true when it asked for an end, there is no writer, and all is read.
 */
bool ringbuf_file_eof(struct ringbuf_file *rf)
{
	if (!(READ_ONCE(rf->flags) & RINGBUF_CONSUMER_EOF))
		return false;
	/* Pairs with the release in ringbuf_ring_release(). */
	return !smp_load_acquire(&rf->ring->producer) &&
	       !ringbuf_file_ready(rf);
}

/*
 * The cursor has moved; without @rf->lock. A writer may go on. If it was the last
 * record of a stream that has ended, poll() has more to tell, and nobody else
 * would wake who sleeps in it.
 */
static inline void moved(struct ringbuf_file *rf, u64 from, u64 to)
{
	let_go(rf, from, to);
	if (likely(!(READ_ONCE(rf->flags) & RINGBUF_CONSUMER_EOF)))
		return;
	/* LMM(moved:A) pairs with LMM(wake:A): the cursor, then the slot. */
	smp_mb();
	if (ringbuf_file_eof(rf))
		ringbuf_watermark_wake(rf);
}

/**
 * ringbuf_file_trace_loss() - Trace what a cursor lost by a move
 * @rf: the file
 * @from: what the cursor was
 * @to: what it became
 *
 * Context: task.
 */
void ringbuf_file_trace_loss(struct ringbuf_file *rf,
			     const struct ringbuf_cursor *from,
			     const struct ringbuf_cursor *to)
{
	if (to->lost_records != from->lost_records)
		trace_ringbuf_overrun(rf->ring->name, from->at.seq,
				      to->lost_records - from->lost_records,
				      to->lost_bytes - from->lost_bytes);
}

/* Before the cursor moves. The caller holds @rf->lock. */
static void note_lag(struct ringbuf_file *rf)
{
	const struct ringbuf_page *page = rf->ring->core.page;
	struct ringbuf_mark from = rf->cursor.at;

	if (ringbuf_core_overrun(&rf->ring->core, from.pos)) {
		from.pos = READ_ONCE(page->tail);
		from.seq = READ_ONCE(page->tail_seq);
	}
	ringbuf_cursor_note_lag(&rf->cursor, &rf->ring->core, &from);
}

/**
 * ringbuf_file_move() - Move a file's cursor
 * @rf: the file
 * @from: what the cursor was when the caller copied it
 * @to: what it is to become
 *
 * Context: task.
 *
 * Return: false when it is not @from any more, or the producer needs the place
 * that a reliable consumer wants to go back to; it has not been moved then.
 */
bool ringbuf_file_move(struct ringbuf_file *rf,
		       const struct ringbuf_cursor *from,
		       const struct ringbuf_cursor *to)
{
	struct ringbuf_cursor *cur = &rf->cursor;
	struct ringbuf *rb = rf->ring;
	bool back = ringbuf_before(to->at.pos, from->at.pos);
	bool same;

	if (back) {
		mutex_lock(&rb->holds_lock);
		ringbuf_core_find_first(&rb->core);
	}
	spin_lock(&rf->lock);
	same = !memcmp(cur, from, sizeof(*from)) && move_hold(rf, to->at.pos);
	if (same) {
		note_lag(rf);
		ringbuf_cursor_place(cur, &to->at);
		cur->lost_bytes = to->lost_bytes;
		cur->lost_records = to->lost_records;
		cur->read_bytes = to->read_bytes;
		cur->read_records = to->read_records;
	}
	spin_unlock(&rf->lock);
	if (back)
		mutex_unlock(&rb->holds_lock);
	if (!same) {
		/* On the way back it may have been seen to hold. */
		let_go(rf, to->at.pos, from->at.pos);
		return false;
	}
	moved(rf, from->at.pos, to->at.pos);
	/* Going back is as good as publishing, for who waits at the head. */
	if (back) {
		/* LMM(back:A) pairs with LMM(wake:A): the cursor, then head. */
		smp_mb();
		ringbuf_watermark_wake(rf);
	}
	ringbuf_file_trace_loss(rf, from, to);
	return true;
}

/* The caller holds @rf->lock. */
static inline bool still_at(const struct ringbuf_file *rf,
			    struct ringbuf_mark at)
{
	return rf->cursor.at.pos == at.pos && rf->cursor.at.seq == at.seq;
}

/* Move the cursor from @at to the record at @v. */
static bool lose(struct ringbuf_file *rf, struct ringbuf_mark *at,
		 const struct ringbuf_view *v)
{
	bool same;

	spin_lock(&rf->lock);
	same = still_at(rf, *at);
	if (same) {
		ringbuf_cursor_note_lag(&rf->cursor, &rf->ring->core, &v->at);
		ringbuf_cursor_lose(&rf->cursor, v);
		move_hold(rf, v->at.pos);
	}
	spin_unlock(&rf->lock);
	if (!same)
		return false;
	trace_ringbuf_overrun(rf->ring->name, at->seq, v->lost_records,
			      v->lost_bytes);
	*at = v->at;
	return true;
}

/* What take() takes for @part when that does not matter. */
#define ANY_PART	(~0ULL)

/*
 * Move the cursor over records that were read, if it is still at @at and @part
 * bytes of the record there have been returned.
 */
static __always_inline bool take(struct ringbuf_file *rf,
				 struct ringbuf_mark at, u64 part, u64 bytes,
				 u64 records)
{
	bool same;

	spin_lock(&rf->lock);
	same = still_at(rf, at) &&
	       (part == ANY_PART || rf->cursor.part == part);
	if (same) {
		ringbuf_cursor_note_lag(&rf->cursor, &rf->ring->core, &at);
		ringbuf_cursor_take(&rf->cursor, bytes, records);
		move_hold(rf, at.pos + bytes);
	}
	spin_unlock(&rf->lock);
	if (same)
		moved(rf, at.pos, at.pos + bytes);
	return same;
}

/* As take(), of @bytes more of the record at @at, which are not its last. */
static bool take_piece(struct ringbuf_file *rf, struct ringbuf_mark at,
		       u64 part, u64 bytes)
{
	bool same;

	spin_lock(&rf->lock);
	same = still_at(rf, at) && rf->cursor.part == part;
	if (same)
		WRITE_ONCE(rf->cursor.part, part + bytes);
	spin_unlock(&rf->lock);
	return same;
}

/*
 * As copy_message(), when @to is too small for what is left of the record, or
 * @part bytes of it have been returned before.
 */
static noinline ssize_t copy_piece(struct ringbuf_file *rf,
				   struct ringbuf_mark at, u64 part,
				   const u8 *frame, size_t len,
				   struct iov_iter *to)
{
	const u64 bytes = RINGBUF_FRAME_SIZE(len);
	size_t left, want, n;

	if (part >= len) {
		/* Of another moment; if not, the record is done. */
		take(rf, at, part, bytes, 1);
		return 0;
	}
	left = len - part;
	want = min(left, iov_iter_count(to));
	n = ringbuf_copy_out_pages(rf->ring,
				   frame + sizeof(struct ringbuf_record) + part,
				   want, at.pos, to);
	if (ringbuf_core_intact(&rf->ring->core, at.pos)) {
		if (n < want) {
			iov_iter_revert(to, n);
			return ringbuf_copy_error();
		}
		if (want < left ? take_piece(rf, at, part, want) :
				  take(rf, at, part, bytes, 1))
			return want;
	}
	iov_iter_revert(to, n);
	return 0;
}

/* The payload of the record at @at; 0 when it is to be tried again. */
static inline ssize_t copy_message(struct ringbuf_file *rf,
				   struct ringbuf_mark at, const u8 *frame,
				   size_t len, struct iov_iter *to)
{
	u64 part = READ_ONCE(rf->cursor.part);
	size_t n;

	if (unlikely(part || len > iov_iter_count(to)))
		return copy_piece(rf, at, part, frame, len, to);
	n = ringbuf_copy_out(rf->ring, frame + sizeof(struct ringbuf_record),
			     len, at.pos, to);
	/* Overwritten under the copy, or read by another thread: once more. */
	if (ringbuf_core_intact(&rf->ring->core, at.pos)) {
		if (n == len &&
		    take(rf, at, 0, RINGBUF_FRAME_SIZE(len), 1))
			return len;
		if (n < len) {
			iov_iter_revert(to, n);
			return ringbuf_copy_error();
		}
	}
	iov_iter_revert(to, n);
	return 0;
}

/* No record in the plain way: none at all, or a loss; 0 when it was neither. */
static noinline ssize_t no_message(struct ringbuf_file *rf)
{
	struct ringbuf_mark at = ringbuf_file_at(rf);
	struct ringbuf_view v;

	if (!ringbuf_core_peek(&rf->ring->core, &at, &v))
		return -EAGAIN;
	return v.lost_records && lose(rf, &at, &v) ? -EPIPE : 0;
}

/* One record's payload. */
static inline ssize_t read_message(struct ringbuf_file *rf, struct iov_iter *to)
{
	struct ringbuf_mark at;
	const u8 *frame;
	ssize_t n;
	u32 len;

	for (;;) {
		/* Perhaps not of one moment: then take() takes nothing. */
		at = ringbuf_file_glance(rf);
		frame = ringbuf_core_plain(&rf->ring->core, &at, &len);
		if (likely(frame))
			n = copy_message(rf, at, frame, len, to);
		else
			n = no_message(rf);
		if (n)
			return n;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
}

/*
 * A loss as a frame. As copy_frames() it returns the bytes by which @to has
 * moved, and has moved the cursor; or 0 when it is to be tried again.
 */
static ssize_t copy_lost(struct ringbuf_file *rf, struct ringbuf_mark *at,
			 const struct ringbuf_view *v, struct iov_iter *to)
{
	const struct {
		struct ringbuf_record hdr;
		struct ringbuf_lost lost;
	} frame = {
		.hdr.len = sizeof(frame.lost),
		.hdr.flags = RINGBUF_RECORD_LOST,
		.hdr.seq = at->seq,
		.lost.records = v->lost_records,
		.lost.bytes = v->lost_bytes,
	};
	size_t n;

	if (iov_iter_count(to) < sizeof(frame))
		return -EMSGSIZE;
	n = copy_to_iter(&frame, sizeof(frame), to);
	if (n == sizeof(frame) && lose(rf, at, v))
		return n;
	iov_iter_revert(to, n);
	return n == sizeof(frame) ? 0 : -EFAULT;
}

/*
 * The frames at @v, as many as fit and are there, copied as they lie: all of
 * them, or the whole ones before the place where user memory faulted.
 */
static ssize_t copy_frames(struct ringbuf_file *rf, struct ringbuf_mark *at,
			   const struct ringbuf_view *v, struct iov_iter *to)
{
	struct ringbuf_core *core = &rf->ring->core;
	u64 limit = RINGBUF_FRAME_SIZE(v->len) + RINGBUF_COPY_CHUNK;
	u64 span, whole, records;
	size_t n;

	limit = min_t(u64, limit, iov_iter_count(to));
	span = ringbuf_core_span(core, v, limit, &records);
	if (!span)
		return -EMSGSIZE;
	n = ringbuf_copy_out(rf->ring, v->frame, span, v->at.pos, to);
	whole = n == span ? span : ringbuf_core_span(core, v, n, &records);
	if (!ringbuf_core_intact(core, v->at.pos)) {
		iov_iter_revert(to, n);
		return 0;
	}
	if (whole && !take(rf, *at, ANY_PART, whole, records)) {
		iov_iter_revert(to, n);
		return 0;
	}
	at->pos += whole;
	at->seq += whole ? records : 0;
	iov_iter_revert(to, n - whole);
	return whole ?: ringbuf_copy_error();
}

/* As many whole frames as fit. */
static noinline ssize_t read_frames(struct ringbuf_file *rf, struct iov_iter *to)
{
	struct ringbuf_mark at = ringbuf_file_at(rf);
	struct ringbuf_view v;
	ssize_t copied = 0;
	ssize_t n;

	while (ringbuf_core_peek(&rf->ring->core, &at, &v)) {
		if (v.lost_records)
			n = copy_lost(rf, &at, &v, to);
		else
			n = copy_frames(rf, &at, &v, to);
		if (n < 0)
			return copied ?: n;
		copied += n;
		/* Overwritten, or taken by somebody else. */
		if (!n && copied)
			return copied;
		if (!n)
			at = ringbuf_file_at(rf);
		if (fatal_signal_pending(current))
			return copied ?: -EINTR;
		cond_resched();
	}
	return copied ?: -EAGAIN;
}

static ssize_t read_some(struct file *file, struct iov_iter *to, bool nowait)
{
	struct ringbuf_file *rf = file->private_data;
	ssize_t ret;

	if (!iov_iter_count(to))
		return 0;
	for (;;) {
		if (READ_ONCE(rf->flags) & RINGBUF_CONSUMER_FRAMED)
			ret = read_frames(rf, to);
		else
			ret = read_message(rf, to);
		if (ret != -EAGAIN)
			return ret;

		if (ringbuf_file_eof(rf))
			return 0;
		/* Then look once more: a record may have been the last. */
		if (ringbuf_ring_dead(rf->ring) && !ringbuf_file_ready(rf))
			return READ_ONCE(rf->flags) & RINGBUF_CONSUMER_EOF ?
				       0 : -ENODEV;
		if (nowait || (file->f_flags & O_NONBLOCK))
			return -EAGAIN;
		ret = ringbuf_watermark_wait(rf);
		if (ret)
			return ret;
	}
}

ssize_t ringbuf_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	return read_some(iocb->ki_filp, to, iocb->ki_flags & IOCB_NOWAIT);
}

/*
 * A plain read(), by the short way: to have the VFS make a kiocb takes longer than
 * to read a small record. (/dev/null has both, too.)
 */
ssize_t ringbuf_read_user(struct file *file, char __user *buf, size_t len,
			  loff_t *ppos)
{
	struct iov_iter to;

	iov_iter_ubuf(&to, ITER_DEST, buf, len);
	return read_some(file, &to, false);
}
