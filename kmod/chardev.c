// SPDX-License-Identifier: GPL-2.0
/*
 * The ring as a character device: open, write, poll. consumer.c has reading, seek.c
 * seeking, splice.c splicing, map.c maps, ioctl.c the ioctls.
 */

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uidgid.h>
#include <linux/uio.h>
#include <linux/xarray.h>
#include "chardev.h"
#include "compat.h"
#include "copy.h"
#include "file.h"

/* Drop the open reservation: readers who map see what it holds. */
static void abandon(struct ringbuf_core *core)
{
	ringbuf_copy_zero(ringbuf_frame_at(core, core->head),
			  core->next - core->head);
	ringbuf_core_cancel(core);
}

/*
 * One call, one record. The caller holds the ring's write_lock. -EAGAIN when a
 * reliable consumer holds the space: @need is then where it has to go.
 */
static ssize_t write_message(struct ringbuf *rb, struct iov_iter *from, u64 *need)
{
	size_t len = iov_iter_count(from);
	void *payload;
	int ended;

	if (len > READ_ONCE(rb->core.max_record))
		return ringbuf_ring_refuses(rb, -EMSGSIZE);
	payload = ringbuf_core_reserve(&rb->core, len, 0);
	if (unlikely(!payload)) {
		*need = ringbuf_core_need(&rb->core, rb->core.head,
					  ringbuf_frame_size(len));
		ringbuf_core_refuse(&rb->core);
		return -EAGAIN;
	}
	if (unlikely(ringbuf_copy_in(rb, payload, len, from) < len)) {
		abandon(&rb->core);
		return ringbuf_copy_error();
	}
	/* Before the end or not at all: see ringbuf_ring_kill(). */
	rcu_read_lock_sched();
	ended = ringbuf_ring_refuses(rb, 0);
	if (likely(!ended)) {
		ringbuf_ring_commit(rb);
		ringbuf_ring_publish(rb);
	}
	rcu_read_unlock_sched();
	if (likely(!ended))
		return len;
	abandon(&rb->core);
	return ended;
}

/*
 * What the next frame of a run is: its bytes, or what is wrong with it. It is
 * looked at before the ring makes room for it; @from stays where it is.
 */
static ssize_t next_frame(struct ringbuf *rb, struct iov_iter *from, bool *lost)
{
	size_t left = iov_iter_count(from);
	struct ringbuf_record hdr;
	size_t n;

	if (left < sizeof(hdr))
		return -EINVAL;
	n = copy_from_iter(&hdr, sizeof(hdr), from);
	iov_iter_revert(from, n);
	if (n < sizeof(hdr))
		return -EFAULT;
	if (!hdr.len || RINGBUF_FRAME_SIZE(hdr.len) > left ||
	    (hdr.flags & ~RINGBUF_RECORD_LOST))
		return -EINVAL;
	*lost = hdr.flags & RINGBUF_RECORD_LOST;
	if (*lost && hdr.len != sizeof(struct ringbuf_lost))
		return -EINVAL;
	if (!*lost && hdr.len > READ_ONCE(rb->core.max_record))
		return ringbuf_ring_refuses(rb, -EMSGSIZE);
	return RINGBUF_FRAME_SIZE(hdr.len);
}

/*
 * The next frame, and as many more as make up a chunk, in one copy: they lie in
 * the ring as they come. Once there nobody can change them under the check.
 */
static ssize_t write_run(struct ringbuf *rb, struct iov_iter *from, size_t frame,
			 u64 *need)
{
	u64 chunk = min_t(u64, rb->core.size / 4, RINGBUF_COPY_CHUNK);
	size_t len = max_t(u64, frame, min_t(u64, chunk, iov_iter_count(from)));
	void *room = ringbuf_core_reserve_run(&rb->core, len);
	size_t copied, run;

	if (!room && len > frame) {
		len = frame;
		room = ringbuf_core_reserve_run(&rb->core, len);
	}
	if (!room) {
		*need = ringbuf_core_need(&rb->core, rb->core.head, frame);
		ringbuf_core_refuse(&rb->core);
		return -EAGAIN;
	}
	copied = ringbuf_copy_in(rb, room, len, from);
	/* As in write_message(): it takes no frames after the end. */
	rcu_read_lock();
	run = ringbuf_ring_commit_run(rb, copied);
	if (run)
		ringbuf_ring_publish(rb);
	rcu_read_unlock();
	/* What is no record, and what was never copied, is not to be seen. */
	ringbuf_copy_zero(room + run, len - run);
	iov_iter_revert(from, copied - run);
	if (run)
		return run;
	/* Or somebody has changed it since it was looked at. */
	return copied < len ? ringbuf_copy_error() :
			      ringbuf_ring_refuses(rb, -EINVAL);
}

/* A run of whole frames. As write_message(). */
static ssize_t write_frames(struct ringbuf *rb, struct iov_iter *from, u64 *need)
{
	ssize_t written = 0;
	ssize_t n = 0;
	bool lost;

	while (iov_iter_count(from)) {
		n = next_frame(rb, from, &lost);
		if (n > 0 && lost)
			iov_iter_advance(from, n);
		else if (n > 0)
			n = write_run(rb, from, n, need);
		if (n < 0)
			break;
		written += n;
		if (!iov_iter_count(from) || fatal_signal_pending(current))
			break;
		ringbuf_ring_wake(rb);
		cond_resched();
	}
	return written ?: n;
}

/*
 * Another thread has @write_lock. A write() that must not wait for that thread is
 * refused, and an edge-triggered poll() is told when the thread is done.
 */
static noinline bool try_again(struct ringbuf *rb)
{
	WRITE_ONCE(rb->contended, true);
	/* LMM(contended:A) pairs with LMM(wake:A) and LMM(full:A). */
	smp_mb();
	return mutex_trylock(&rb->write_lock);
}

/* What of @from there is room for; 0: try again. -EAGAIN as write_message(). */
static ssize_t write_some(struct ringbuf_file *rf, struct iov_iter *from,
			  bool nowait, u64 *need)
{
	struct ringbuf *rb = rf->ring;
	ssize_t ret;

	if (nowait) {
		if (!mutex_trylock(&rb->write_lock) && !try_again(rb))
			return -EAGAIN;
	} else if (mutex_lock_interruptible(&rb->write_lock)) {
		return -ERESTARTSYS;
	}
	if (READ_ONCE(rf->writer_flags) & RINGBUF_WRITER_FRAMED)
		ret = write_frames(rb, from, need);
	else
		ret = write_message(rb, from, need);
	mutex_unlock(&rb->write_lock);
	if (ret != -EAGAIN) {
		/* If it failed, it may have overwritten something first. */
		ringbuf_ring_wake(rb);
		/* Behind the barrier wake:A. */
		if (unlikely(READ_ONCE(rb->contended)))
			ringbuf_ring_wake_contended(rb);
		return ret;
	}
	WRITE_ONCE(rb->room_wanted, true);
	/* LMM(full:A) pairs with LMM(wake_for_room:A) and LMM(poll:A). */
	smp_mb();
	if (unlikely(READ_ONCE(rb->contended)))
		ringbuf_ring_wake_contended(rb);
	/* Consumers whose time is up hold no longer. */
	return ringbuf_ring_refused(rb, *need, nowait) ? -EAGAIN : 0;
}

/* @nowait: not even for another thread. */
static ssize_t write_all(struct file *file, struct iov_iter *from, bool nowait)
{
	struct ringbuf_file *rf = file->private_data;
	ssize_t written = 0;
	ssize_t ret = 0;
	u64 need;

	while (iov_iter_count(from)) {
		ret = write_some(rf, from, nowait, &need);
		if (ret > 0) {
			written += ret;
			if (!iov_iter_count(from))
				break;
		}
		if (ret == -EAGAIN && !nowait && !(file->f_flags & O_NONBLOCK))
			ret = ringbuf_ring_wait(rf->ring, need);
		if (ret < 0 || fatal_signal_pending(current))
			break;
		cond_resched();
	}
	return written ?: ret;
}

ssize_t ringbuf_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	return write_all(iocb->ki_filp, from, iocb->ki_flags & IOCB_NOWAIT);
}

/* As ringbuf_read_user(). */
static ssize_t ringbuf_write_user(struct file *file, const char __user *buf,
				  size_t len, loff_t *ppos)
{
	struct iov_iter from;

	iov_iter_ubuf(&from, ITER_SOURCE, (void __user *)buf, len);
	return write_all(file, &from, false);
}

static __poll_t ringbuf_poll(struct file *file, poll_table *wait)
{
	struct ringbuf_file *rf = file->private_data;
	struct ringbuf *rb = rf->ring;
	__poll_t events = 0;
	bool room;

	if (file->f_mode & FMODE_READ) {
		poll_wait(file, &rf->mark.wait, wait);
		if (ringbuf_poll_waits(wait))
			ringbuf_wake_listen(rf);
	}
	if (file->f_mode & FMODE_WRITE)
		poll_wait(file, &rb->writers, wait);
	/* A poll() that does not ask for room asks nobody to make way. */
	room = (file->f_mode & FMODE_WRITE) &&
	       (poll_requested_events(wait) & RINGBUF_POLL_WRITE);
	if (file->f_mode & FMODE_READ)
		events |= ringbuf_watermark_events(rf);
	/* select() takes no HUP for a reason to write: as of a pipe, ERR. */
	if (ringbuf_ring_dead(rb))
		events |= file->f_mode & FMODE_WRITE ? EPOLLHUP | EPOLLERR :
						       EPOLLHUP;
	else if (room && ringbuf_ring_poll_room(rb))
		events |= RINGBUF_POLL_WRITE;
	return events;
}

/* Place of the user who opened @file, whoever uses or closes the file later. */
static unsigned long user_of(const struct file *file)
{
	return __kuid_val(file->f_cred->uid);
}

/* One more consumer of the user who opens @file. */
static int count_user(struct ringbuf *rb, const struct file *file)
{
	unsigned long user = user_of(file), n;
	void *old = xa_load(&rb->users, user), *seen;

	for (;;) {
		n = old ? xa_to_value(old) : 0;
		if (n >= rb->config.max_consumers_per_user &&
		    !capable(CAP_SYS_RESOURCE))
			return -EUSERS;
		seen = xa_cmpxchg(&rb->users, user, old, xa_mk_value(n + 1),
				  GFP_KERNEL);
		if (xa_is_err(seen))
			return xa_err(seen);
		if (seen == old)
			return 0;
		old = seen;
	}
}

static void uncount_user(struct ringbuf *rb, const struct file *file)
{
	unsigned long user = user_of(file), n;
	void *old, *seen = xa_load(&rb->users, user);

	do {
		old = seen;
		n = xa_to_value(old) - 1;
		/* The place is there, so that takes no memory and cannot fail. */
		seen = xa_cmpxchg(&rb->users, user, old,
				  n ? xa_mk_value(n) : NULL, 0);
	} while (seen != old);
}

static int add_consumer(struct ringbuf_file *rf, const struct file *file)
{
	struct ringbuf *rb = rf->ring;
	/* Without a limit, one that is never met. */
	int limit = rb->config.max_consumers ?: -1;
	int ret;

	ret = count_user(rb, file);
	if (ret)
		return ret;
	if (!atomic_add_unless(&rb->consumers, 1, limit)) {
		uncount_user(rb, file);
		return -EUSERS;
	}
	ringbuf_cursor_init(&rf->cursor, &rb->core);
	return 0;
}

static void drop_consumer(struct ringbuf *rb, const struct file *file)
{
	atomic_dec(&rb->consumers);
	uncount_user(rb, file);
}

/* The caller has put a ring, of which it has a reference, into @file. */
static int ringbuf_open(struct inode *inode, struct file *file)
{
	struct ringbuf *rb = file->private_data;
	struct ringbuf_file *rf;
	int ret = -EINVAL;

	if (!(file->f_mode & (FMODE_READ | FMODE_WRITE)))
		return ret;
	rf = kzalloc(sizeof(*rf), GFP_KERNEL_ACCOUNT);
	if (!rf)
		return -ENOMEM;
	rf->ring = rb;
	kref_get(&rb->ref);
	spin_lock_init(&rf->lock);
	ringbuf_watermark_init(rf);

	if (file->f_mode & FMODE_READ) {
		ret = add_consumer(rf, file);
		if (ret)
			goto err_free;
	}
	if (file->f_mode & FMODE_WRITE) {
		ret = ringbuf_ring_claim(rb, file);
		if (ret)
			goto err_consumer;
	}
	/* A seq is no offset, and without a cursor there is nothing to seek. */
	file->f_mode |= FMODE_STREAM;
	file->f_mode &= ~(FMODE_PREAD | FMODE_PWRITE);
	if (!(file->f_mode & FMODE_READ))
		file->f_mode &= ~FMODE_LSEEK;
	file->f_mode |= FMODE_NOWAIT;
	file->private_data = rf;
	return 0;

err_consumer:
	if (file->f_mode & FMODE_READ)
		drop_consumer(rb, file);
err_free:
	ringbuf_ring_put(rb);
	kfree(rf);
	return ret;
}

static int ringbuf_release(struct inode *inode, struct file *file)
{
	struct ringbuf_file *rf = file->private_data;

	if (file->f_mode & FMODE_WRITE)
		ringbuf_ring_release(rf->ring);
	if (file->f_mode & FMODE_READ) {
		ringbuf_watermark_exit(rf);
		ringbuf_file_leave(rf);
		drop_consumer(rf->ring, file);
	}
	ringbuf_ring_put(rf->ring);
	kfree(rf);
	return 0;
}

static void ringbuf_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct ringbuf_file *rf = file->private_data;
	struct ringbuf_stats stats;

	/* The VFS has shown its own pos and flags before. */
	seq_printf(m, "ringbuf:\t%s\n", rf->ring->name);
	if (!(file->f_mode & FMODE_READ))
		return;
	ringbuf_file_stats(rf, &stats);
	seq_printf(m, "ringbuf_pos:\t%llu\n", stats.pos);
	seq_printf(m, "seq:\t%llu\n", stats.seq);
	seq_printf(m, "lag_records:\t%llu\n", stats.lag_records);
	seq_printf(m, "lag_bytes:\t%llu\n", stats.lag_bytes);
	seq_printf(m, "max_lag_records:\t%llu\n", stats.max_lag_records);
	seq_printf(m, "max_lag_bytes:\t%llu\n", stats.max_lag_bytes);
	seq_printf(m, "lost_records:\t%llu\n", stats.lost_records);
	seq_printf(m, "lost_bytes:\t%llu\n", stats.lost_bytes);
	seq_printf(m, "read_records:\t%llu\n", stats.read_records);
	seq_printf(m, "read_bytes:\t%llu\n", stats.read_bytes);
	seq_printf(m, "ringbuf_flags:\t%#x\n", ringbuf_file_flags(rf));
	seq_printf(m, "ringbuf_stats_flags:\t%#x\n", stats.flags);
}

const struct file_operations ringbuf_fops = {
	.owner		= THIS_MODULE,
	.open		= ringbuf_open,
	.release	= ringbuf_release,
	.llseek		= ringbuf_llseek,
	.read		= ringbuf_read_user,
	.read_iter	= ringbuf_read_iter,
	.write		= ringbuf_write_user,
	.write_iter	= ringbuf_write_iter,
	.splice_read	= copy_splice_read,
	.splice_write	= ringbuf_splice_write,
	.poll		= ringbuf_poll,
	.mmap		= ringbuf_mmap,
	.unlocked_ioctl	= ringbuf_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.show_fdinfo	= ringbuf_show_fdinfo,
};
