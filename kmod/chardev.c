// SPDX-License-Identifier: GPL-2.0
/*
 * The ring as a character device: open, read, write, seek, poll.
 */

#include <linux/file.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include "chardev.h"
#include "compat.h"
#include "file.h"
#include "ring.h"
#include "trace.h"

/*
 * Bytes that one copy to or from user memory moves at most: long enough to make
 * its fixed cost small, short enough to be done before a fast producer has gone
 * around the ring.
 */
#define COPY_CHUNK	(64UL << 10)

/* Records that a seek passes over before it lets others run. */
#define SEEK_BUDGET	1024

static bool nowait(const struct kiocb *iocb)
{
	return iocb->ki_flags & IOCB_NOWAIT;
}

/* May this call sleep until there is something to read, or room to write? */
static bool nonblocking(const struct kiocb *iocb)
{
	return nowait(iocb) || (iocb->ki_filp->f_flags & O_NONBLOCK);
}

static int lock_for(struct mutex *lock, const struct kiocb *iocb)
{
	if (nowait(iocb))
		return mutex_trylock(lock) ? 0 : -EAGAIN;
	return mutex_lock_interruptible(lock) ? -ERESTARTSYS : 0;
}

static void lose(struct ringbuf_file *rf, const struct ringbuf_view *v)
{
	trace_ringbuf_overrun(rf->ring->name, v->at.seq - v->lost_records,
			      v->lost_records, v->lost_bytes);
	spin_lock(&rf->lock);
	ringbuf_cursor_lose(&rf->cursor, v);
	spin_unlock(&rf->lock);
}

static void take(struct ringbuf_file *rf, u64 bytes, u64 records)
{
	spin_lock(&rf->lock);
	ringbuf_cursor_take(&rf->cursor, bytes, records);
	spin_unlock(&rf->lock);
}

/* One record's payload. The caller holds @rf->read_lock. */
static ssize_t read_message(struct ringbuf_file *rf, struct iov_iter *to)
{
	struct ringbuf_core *core = &rf->ring->core;
	struct ringbuf_view v;
	size_t len, n;

	for (;;) {
		if (!ringbuf_core_peek(core, &rf->cursor.at, &v))
			return -EAGAIN;
		if (v.lost_records) {
			lose(rf, &v);
			return -EPIPE;
		}
		len = v.hdr.len;
		if (len > iov_iter_count(to))
			return -EMSGSIZE;
		n = copy_to_iter(v.frame + sizeof(v.hdr), len, to);
		if (ringbuf_core_intact(core, v.at.pos))
			break;
		/* Overwritten under the copy: the next look finds the loss. */
		iov_iter_revert(to, n);
	}
	if (n < len) {
		iov_iter_revert(to, n);
		return -EFAULT;
	}
	take(rf, RINGBUF_FRAME_SIZE(len), 1);
	return len;
}

static ssize_t copy_lost_frame(const struct ringbuf_view *v,
			       struct iov_iter *to)
{
	const struct {
		struct ringbuf_record hdr;
		struct ringbuf_lost lost;
	} frame = {
		.hdr.len = sizeof(frame.lost),
		.hdr.flags = RINGBUF_RECORD_LOST,
		.hdr.seq = v->at.seq - v->lost_records,
		.lost.records = v->lost_records,
		.lost.bytes = v->lost_bytes,
	};
	size_t n;

	if (iov_iter_count(to) < sizeof(frame))
		return -EMSGSIZE;
	n = copy_to_iter(&frame, sizeof(frame), to);
	if (n == sizeof(frame))
		return n;
	iov_iter_revert(to, n);
	return -EFAULT;
}

/*
 * The frames at @v, as many as fit and are there, copied as they lie. Returns
 * the bytes by which the cursor has moved; fewer than there is room for, or
 * -EFAULT, when user memory faulted; 0 when they were overwritten meanwhile.
 */
static ssize_t copy_frames(struct ringbuf_file *rf,
			   const struct ringbuf_view *v, struct iov_iter *to)
{
	struct ringbuf_core *core = &rf->ring->core;
	u64 span, whole, records;
	size_t n;

	span = ringbuf_core_span(core, v,
				 min(iov_iter_count(to), COPY_CHUNK +
				     (size_t)RINGBUF_FRAME_SIZE(v->hdr.len)),
				 &records);
	if (!span)
		return -EMSGSIZE;
	n = copy_to_iter(v->frame, span, to);
	whole = n == span ? span : ringbuf_core_span(core, v, n, &records);
	if (!ringbuf_core_intact(core, v->at.pos)) {
		iov_iter_revert(to, n);
		return 0;
	}
	iov_iter_revert(to, n - whole);
	if (!whole)
		return -EFAULT;
	take(rf, whole, records);
	return whole;
}

/* As many whole frames as fit. The caller holds @rf->read_lock. */
static ssize_t read_frames(struct ringbuf_file *rf, struct iov_iter *to)
{
	struct ringbuf_view v;
	ssize_t copied = 0;
	ssize_t n = -EAGAIN;

	while (ringbuf_core_peek(&rf->ring->core, &rf->cursor.at, &v)) {
		if (v.lost_records) {
			n = copy_lost_frame(&v, to);
			if (n > 0)
				lose(rf, &v);
		} else {
			n = copy_frames(rf, &v, to);
		}
		if (n < 0 || (!n && copied))
			break;
		copied += n;
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	return copied ?: n;
}

/*
 * No writer, and all is read. The slot is looked at first: what its last holder
 * published is visible once it is seen empty.
 */
static bool at_eof(struct ringbuf_file *rf)
{
	return (READ_ONCE(rf->flags) & RINGBUF_CONSUMER_EOF) &&
	       !smp_load_acquire(&rf->ring->producer) &&
	       !ringbuf_file_ready(rf);
}

static ssize_t ringbuf_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct ringbuf_file *rf = iocb->ki_filp->private_data;
	ssize_t ret;

	if (!iov_iter_count(to))
		return 0;
	for (;;) {
		ret = lock_for(&rf->read_lock, iocb);
		if (ret)
			return ret;
		if (READ_ONCE(rf->flags) & RINGBUF_CONSUMER_FRAMED)
			ret = read_frames(rf, to);
		else
			ret = read_message(rf, to);
		mutex_unlock(&rf->read_lock);
		if (ret != -EAGAIN)
			return ret;

		if (at_eof(rf))
			return 0;
		if (nonblocking(iocb))
			return -EAGAIN;
		/* LMM(wait:A), in here, pairs with LMM(wake:A). */
		ret = wait_event_interruptible(rf->ring->readers,
					       ringbuf_file_ready(rf) ||
					       at_eof(rf));
		if (ret)
			return ret;
	}
}

/* One call, one record. The caller holds the ring's write_lock. */
static ssize_t write_message(struct ringbuf *rb, struct iov_iter *from)
{
	size_t len = iov_iter_count(from);
	void *payload;

	if (len > rb->core.max_record)
		return -EMSGSIZE;
	payload = ringbuf_core_reserve(&rb->core, len, 0);
	if (!copy_from_iter_full(payload, len, from)) {
		ringbuf_core_discard(&rb->core);
		return -EFAULT;
	}
	ringbuf_ring_commit(rb);
	return len;
}

/* One frame of a run; the bytes it took, or what is wrong with it. */
static ssize_t write_frame(struct ringbuf *rb, struct iov_iter *from)
{
	struct ringbuf_record hdr;
	size_t left = iov_iter_count(from);
	size_t frame;
	void *payload;

	if (left < sizeof(hdr))
		return -EINVAL;
	if (!copy_from_iter_full(&hdr, sizeof(hdr), from))
		return -EFAULT;
	frame = RINGBUF_FRAME_SIZE(hdr.len);
	if (!hdr.len || frame > left || (hdr.flags & ~RINGBUF_RECORD_LOST))
		return -EINVAL;
	if (hdr.flags & RINGBUF_RECORD_LOST) {
		iov_iter_advance(from, frame - sizeof(hdr));
		return frame;
	}
	if (hdr.len > rb->core.max_record)
		return -EMSGSIZE;
	payload = ringbuf_core_reserve(&rb->core, hdr.len, hdr.type);
	if (!copy_from_iter_full(payload, hdr.len, from)) {
		ringbuf_core_discard(&rb->core);
		return -EFAULT;
	}
	iov_iter_advance(from, frame - sizeof(hdr) - hdr.len);
	ringbuf_ring_commit(rb);
	return frame;
}

/* A run of whole frames. The caller holds the ring's write_lock. */
static ssize_t write_frames(struct ringbuf *rb, struct iov_iter *from)
{
	const u64 batch = min_t(u64, rb->core.size / 4, COPY_CHUNK);
	ssize_t written = 0;
	ssize_t n = 0;

	while (iov_iter_count(from)) {
		n = write_frame(rb, from);
		if (n < 0)
			break;
		written += n;
		if (ringbuf_core_unpublished(&rb->core) < batch)
			continue;
		ringbuf_ring_publish(rb);
		ringbuf_ring_wake(rb);
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	return written ?: n;
}

static ssize_t ringbuf_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct ringbuf_file *rf = iocb->ki_filp->private_data;
	struct ringbuf *rb = rf->ring;
	bool published;
	ssize_t ret;

	if (!iov_iter_count(from))
		return 0;
	ret = lock_for(&rb->write_lock, iocb);
	if (ret)
		return ret;
	if (READ_ONCE(rf->writer_flags) & RINGBUF_WRITER_FRAMED)
		ret = write_frames(rb, from);
	else
		ret = write_message(rb, from);
	published = ringbuf_core_unpublished(&rb->core);
	if (published)
		ringbuf_ring_publish(rb);
	mutex_unlock(&rb->write_lock);
	if (published)
		ringbuf_ring_wake(rb);
	return ret;
}

/* Where a seek goes, as a seq; a negative errno when it goes nowhere. */
static loff_t seek_target(struct ringbuf_file *rf, loff_t offset, int whence)
{
	struct ringbuf_mark base = {};

	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = rf->cursor.at;
		break;
	case SEEK_END:
		if (offset > 0)
			return -EINVAL;
		ringbuf_core_head(&rf->ring->core, &base);
		break;
	case SEEK_DATA:
		if (offset)
			return -EINVAL;
		ringbuf_core_tail(&rf->ring->core, &base);
		break;
	default:
		return -EINVAL;
	}
	if (check_add_overflow((loff_t)base.seq, offset, &offset) || offset < 0)
		return -EINVAL;
	return offset;
}

/* The caller holds @rf->read_lock. */
static loff_t seek(struct ringbuf_file *rf, loff_t offset, int whence)
{
	struct ringbuf_core *core = &rf->ring->core;
	struct ringbuf_mark to = rf->cursor.at;
	u64 seq;
	int ret;

	offset = seek_target(rf, offset, whence);
	if (offset < 0)
		return offset;
	seq = offset;
	if (ringbuf_before(seq, to.seq))
		ringbuf_core_tail(core, &to);
	do {
		ret = ringbuf_core_seek(core, &to, seq, SEEK_BUDGET);
		if (ret != -EAGAIN)
			break;
		cond_resched();
		if (signal_pending(current))
			ret = -ERESTARTSYS;
	} while (ret == -EAGAIN);
	if (ret)
		return ret;

	spin_lock(&rf->lock);
	/* What SEEK_DATA finds gone is no loss: it asks for what there is. */
	ringbuf_cursor_move(&rf->cursor, &to, whence == SEEK_DATA ? to.seq : seq);
	spin_unlock(&rf->lock);
	return to.seq;
}

static loff_t ringbuf_llseek(struct file *file, loff_t offset, int whence)
{
	struct ringbuf_file *rf = file->private_data;
	loff_t ret;

	if (mutex_lock_interruptible(&rf->read_lock))
		return -ERESTARTSYS;
	ret = seek(rf, offset, whence);
	mutex_unlock(&rf->read_lock);
	return ret;
}

static __poll_t ringbuf_poll(struct file *file, poll_table *wait)
{
	struct ringbuf_file *rf = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &rf->ring->readers, wait);
	/* LMM(poll:A) pairs with LMM(wake:A): on the queue, then look. */
	smp_mb();
	if (file->f_mode & FMODE_READ) {
		if (ringbuf_file_ready(rf))
			events |= EPOLLIN | EPOLLRDNORM;
		if (ringbuf_core_overrun(&rf->ring->core,
					 READ_ONCE(rf->cursor.at.pos)))
			events |= EPOLLPRI;
		if (at_eof(rf))
			events |= EPOLLHUP;
	}
	if (file->f_mode & FMODE_WRITE)
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

static int add_consumer(struct ringbuf_file *rf)
{
	struct ringbuf *rb = rf->ring;
	unsigned int limit = rb->config.max_consumers;
	unsigned int consumers = atomic_inc_return(&rb->consumers);

	if (limit && consumers > limit) {
		atomic_dec(&rb->consumers);
		return -EUSERS;
	}
	ringbuf_cursor_init(&rf->cursor, &rb->core);
	return 0;
}

static int ringbuf_open(struct inode *inode, struct file *file)
{
	struct miscdevice *misc = file->private_data;
	struct ringbuf *rb = container_of(misc, struct ringbuf, misc);
	struct ringbuf_file *rf;
	int ret = -EINVAL;

	if (!(file->f_mode & (FMODE_READ | FMODE_WRITE)))
		return ret;
	rf = kzalloc(sizeof(*rf), GFP_KERNEL_ACCOUNT);
	if (!rf)
		return -ENOMEM;
	rf->ring = rb;
	mutex_init(&rf->read_lock);
	spin_lock_init(&rf->lock);

	if (file->f_mode & FMODE_READ) {
		ret = add_consumer(rf);
		if (ret)
			goto err_free;
	}
	if (file->f_mode & FMODE_WRITE) {
		ret = ringbuf_ring_claim(rb, file);
		if (ret)
			goto err_consumer;
	}
	/* A seq is no offset, and without a cursor there is nothing to seek. */
	file->f_mode &= ~(FMODE_PREAD | FMODE_PWRITE);
	if (!(file->f_mode & FMODE_READ))
		file->f_mode &= ~FMODE_LSEEK;
	file->f_mode |= FMODE_NOWAIT;
	file->private_data = rf;
	return 0;

err_consumer:
	if (file->f_mode & FMODE_READ)
		atomic_dec(&rb->consumers);
err_free:
	kfree(rf);
	return ret;
}

static int ringbuf_release(struct inode *inode, struct file *file)
{
	struct ringbuf_file *rf = file->private_data;

	if (file->f_mode & FMODE_WRITE)
		ringbuf_ring_release(rf->ring);
	if (file->f_mode & FMODE_READ)
		atomic_dec(&rf->ring->consumers);
	mutex_destroy(&rf->read_lock);
	kfree(rf);
	return 0;
}

static void ringbuf_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct ringbuf_file *rf = file->private_data;
	struct ringbuf_stats stats;

	seq_printf(m, "ringbuf:\t%s\n", rf->ring->name);
	if (!(file->f_mode & FMODE_READ))
		return;
	ringbuf_file_stats(rf, &stats);
	seq_printf(m, "ringbuf_pos:\t%llu\n", stats.pos);
	seq_printf(m, "seq:\t%llu\n", stats.seq);
	seq_printf(m, "lag_records:\t%llu\n", stats.lag_records);
	seq_printf(m, "lag_bytes:\t%llu\n", stats.lag_bytes);
	seq_printf(m, "lost_records:\t%llu\n", stats.lost_records);
	seq_printf(m, "lost_bytes:\t%llu\n", stats.lost_bytes);
	seq_printf(m, "ringbuf_flags:\t%#x\n", READ_ONCE(rf->flags));
}

const struct file_operations ringbuf_fops = {
	.owner		= THIS_MODULE,
	.open		= ringbuf_open,
	.release	= ringbuf_release,
	.llseek		= ringbuf_llseek,
	.read_iter	= ringbuf_read_iter,
	.write_iter	= ringbuf_write_iter,
	.splice_read	= copy_splice_read,
	.poll		= ringbuf_poll,
	.unlocked_ioctl	= ringbuf_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.show_fdinfo	= ringbuf_show_fdinfo,
};
