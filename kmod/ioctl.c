// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of the device, and what they tell.
 */

#include <linux/uaccess.h>
#include <asm/ioctls.h>
#include "chardev.h"
#include "file.h"

/* As first published, for good: what a caller must at least bring. */
#define INFO_SIZE_V1		128
#define CONSUMER_SIZE_V1	24
#define STATS_SIZE_V1		72
#define WRITER_SIZE_V1		8

#define CONSUMER_FLAGS	(RINGBUF_CONSUMER_FRAMED | RINGBUF_CONSUMER_RELIABLE | \
			 RINGBUF_CONSUMER_EOF)

static_assert(sizeof(struct ringbuf_record) == 24);
static_assert(sizeof(struct ringbuf_lost) == 16);
static_assert(sizeof(struct ringbuf_info) == INFO_SIZE_V1);
static_assert(sizeof(struct ringbuf_consumer) == CONSUMER_SIZE_V1);
static_assert(sizeof(struct ringbuf_stats) == STATS_SIZE_V1);
static_assert(sizeof(struct ringbuf_writer) == WRITER_SIZE_V1);
static_assert(sizeof(struct ringbuf_page) == 64);

/* The caller's struct_size, the first member of each structure. */
static int get_struct_size(const void __user *arg, u32 min, u32 *size)
{
	if (get_user(*size, (const u32 __user *)arg))
		return -EFAULT;
	if (*size < min)
		return -EINVAL;
	return *size > PAGE_SIZE ? -E2BIG : 0;
}

/* Fetch a structure of the caller's size. */
static int get_struct(void *to, u32 size, const void __user *arg, u32 min)
{
	u32 user_size;
	int ret = get_struct_size(arg, min, &user_size);

	return ret ?: copy_struct_from_user(to, size, arg, user_size);
}

/*
 * Fill in a structure of the caller's size, which says afterwards how much of
 * it we know. What we do not know has to be zero already: it stays so.
 */
static int put_struct(void __user *arg, void *from, u32 size, u32 min)
{
	u32 user_size;
	int ret = get_struct_size(arg, min, &user_size);

	if (ret)
		return ret;
	if (user_size > size) {
		ret = check_zeroed_user(arg + size, user_size - size);
		if (ret < 0)
			return ret;
		if (!ret)
			return -E2BIG;
	}
	size = min(size, user_size);
	*(u32 *)from = size;
	return copy_to_user(arg, from, size) ? -EFAULT : 0;
}

/**
 * ringbuf_get_info() - Describe a ring
 * @rb: the ring
 * @info: all but struct_size is filled in
 *
 * Context: any.
 */
void ringbuf_get_info(struct ringbuf *rb, struct ringbuf_info *info)
{
	struct ringbuf_core *core = &rb->core;
	struct ringbuf_mark tail, head;

	do {
		ringbuf_core_tail(core, &tail);
		ringbuf_core_head(core, &head);
		/* Else they would be further apart than the ring is large. */
	} while (!ringbuf_core_intact(core, tail.pos));

	memset(info, 0, sizeof(*info));
	info->abi = RINGBUF_ABI;
	info->features = RINGBUF_FEATURE_MMAP | RINGBUF_FEATURE_RELIABLE |
			 RINGBUF_FEATURE_WATERMARK | RINGBUF_FEATURE_NAMED;
	info->data_size = core->size;
	info->data_offset = core->page->data_offset;
	info->head = head.pos;
	info->tail = tail.pos;
	info->head_seq = head.seq;
	info->tail_seq = tail.seq;
	info->overwritten = READ_ONCE(core->overwritten);
	info->dropped = READ_ONCE(core->dropped);
	info->max_record = ringbuf_max_record(core->size);
	info->consumers = atomic_read(&rb->consumers);
	info->reliable_consumers = ringbuf_ring_reliable(rb);
	info->flags = READ_ONCE(core->page->flags);
	if (READ_ONCE(rb->producer))
		info->flags |= RINGBUF_RING_WRITER;
	strscpy(info->name, rb->name, sizeof(info->name));
}

/**
 * ringbuf_file_stats() - A consumer's account
 * @rf: its file
 * @stats: all but struct_size is filled in
 *
 * Context: task.
 */
void ringbuf_file_stats(struct ringbuf_file *rf, struct ringbuf_stats *stats)
{
	struct ringbuf_cursor cursor;

	ringbuf_file_cursor(rf, &cursor);
	ringbuf_cursor_stats(&cursor, &rf->ring->core, stats);
	spin_lock(&rf->lock);
	if (rf->hold && READ_ONCE(rf->hold->hold.demoted))
		stats->flags |= RINGBUF_STATS_DEMOTED;
	spin_unlock(&rf->lock);
}

static int get_info(struct ringbuf_file *rf, void __user *arg)
{
	struct ringbuf_info info;

	ringbuf_get_info(rf->ring, &info);
	return put_struct(arg, &info, sizeof(info), INFO_SIZE_V1);
}

static int get_stats(struct ringbuf_file *rf, void __user *arg)
{
	struct ringbuf_stats stats;

	ringbuf_file_stats(rf, &stats);
	return put_struct(arg, &stats, sizeof(stats), STATS_SIZE_V1);
}

static int get_consumer(struct ringbuf_file *rf, void __user *arg)
{
	struct ringbuf_consumer consumer = {
		.flags = ringbuf_file_flags(rf),
		.wake_bytes = READ_ONCE(rf->mark.bytes),
		.wake_records = READ_ONCE(rf->mark.records),
		.wake_ns = READ_ONCE(rf->mark.ns),
	};

	return put_struct(arg, &consumer, sizeof(consumer), CONSUMER_SIZE_V1);
}

static int set_consumer(struct ringbuf_file *rf, void __user *arg)
{
	struct ringbuf_consumer consumer;
	int ret;

	ret = get_struct(&consumer, sizeof(consumer), arg, CONSUMER_SIZE_V1);
	if (ret)
		return ret;
	if (consumer.flags & ~CONSUMER_FLAGS)
		return -EINVAL;
	/* Whatever can fail comes first. */
	if (consumer.flags & RINGBUF_CONSUMER_RELIABLE) {
		ret = ringbuf_file_join(rf);
		if (ret)
			return ret;
	} else {
		ringbuf_file_leave(rf);
	}
	WRITE_ONCE(rf->flags, consumer.flags & ~RINGBUF_CONSUMER_RELIABLE);
	/* A reader that sleeps may be at its mark or at the end now. */
	ringbuf_watermark_set(rf, &consumer);
	return 0;
}

static int set_writer(struct ringbuf_file *rf, void __user *arg)
{
	struct ringbuf_writer writer;
	int ret;

	ret = get_struct(&writer, sizeof(writer), arg, WRITER_SIZE_V1);
	if (ret)
		return ret;
	if (writer.flags & ~RINGBUF_WRITER_FRAMED)
		return -EINVAL;
	WRITE_ONCE(rf->writer_flags, writer.flags);
	return 0;
}

/* Bytes that the next read() that succeeds returns. */
static int next_size(struct ringbuf_file *rf)
{
	struct ringbuf_cursor cur;
	struct ringbuf_view v;

	ringbuf_file_cursor(rf, &cur);
	if (!ringbuf_core_peek(&rf->ring->core, &cur.at, &v))
		return 0;
	if (!(READ_ONCE(rf->flags) & RINGBUF_CONSUMER_FRAMED))
		return v.len;
	if (v.lost_records)
		return RINGBUF_FRAME_SIZE(sizeof(struct ringbuf_lost));
	return RINGBUF_FRAME_SIZE(v.len);
}

static int advance(struct ringbuf_file *rf, const void __user *arg)
{
	u64 pos;

	if (get_user(pos, (const u64 __user *)arg))
		return -EFAULT;
	return ringbuf_file_advance(rf, pos);
}

/* The mode that an ioctl asks of its file; 0: any. */
static fmode_t ioctl_mode(unsigned int cmd)
{
	switch (cmd) {
	case FIONREAD:
	case RINGBUF_IOC_SET_CONSUMER:
	case RINGBUF_IOC_GET_CONSUMER:
	case RINGBUF_IOC_GET_STATS:
	case RINGBUF_IOC_ADVANCE:
		return FMODE_READ;
	case RINGBUF_IOC_SET_WRITER:
		return FMODE_WRITE;
	default:
		return 0;
	}
}

/**
 * ringbuf_ioctl() - The device's ioctls
 * @file: the open file
 * @cmd: RINGBUF_IOC_* or FIONREAD
 * @arg: user pointer to the ioctl's structure
 *
 * Context: task; may sleep.
 *
 * Return: 0; -EBADF when the file is not open for what @cmd is about, -EFAULT,
 * -EINVAL for a structure that is too small, for unknown flags and for a
 * position that is none to advance to, -E2BIG for a structure that asks for more
 * than we know, -EPERM when the ring allows no reliable consumers, -ENOMEM,
 * -EINTR when killed, -ENOTTY for an unknown @cmd.
 */
long ringbuf_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct ringbuf_file *rf = file->private_data;
	void __user *argp = (void __user *)arg;
	fmode_t mode = ioctl_mode(cmd);

	if ((file->f_mode & mode) != mode)
		return -EBADF;
	switch (cmd) {
	case RINGBUF_IOC_GET_INFO:
		return get_info(rf, argp);
	case RINGBUF_IOC_SET_CONSUMER:
		return set_consumer(rf, argp);
	case RINGBUF_IOC_GET_CONSUMER:
		return get_consumer(rf, argp);
	case RINGBUF_IOC_GET_STATS:
		return get_stats(rf, argp);
	case RINGBUF_IOC_SET_WRITER:
		return set_writer(rf, argp);
	case RINGBUF_IOC_ADVANCE:
		return advance(rf, argp);
	case FIONREAD:
		return put_user(next_size(rf), (int __user *)argp);
	default:
		return -ENOTTY;
	}
}
