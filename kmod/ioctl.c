// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of the device, and what they tell.
 */

#include <linux/uaccess.h>
#include <asm/ioctls.h>
#include "chardev.h"
#include "file.h"

#define CONSUMER_FLAGS	(RINGBUF_CONSUMER_FRAMED | RINGBUF_CONSUMER_RELIABLE | \
			 RINGBUF_CONSUMER_EOF)
#define WRITER_FLAGS	(RINGBUF_WRITER_FRAMED | RINGBUF_WRITER_MAPPED)

static_assert(sizeof(struct ringbuf_record) == 24);
static_assert(sizeof(struct ringbuf_lost) == 16);
static_assert(sizeof(struct ringbuf_info) == RINGBUF_INFO_SIZE_VER0);
static_assert(sizeof(struct ringbuf_consumer) == RINGBUF_CONSUMER_SIZE_VER0);
static_assert(sizeof(struct ringbuf_stats) == RINGBUF_STATS_SIZE_VER0);
static_assert(sizeof(struct ringbuf_writer) == RINGBUF_WRITER_SIZE_VER0);
static_assert(sizeof(struct ringbuf_advance) == RINGBUF_ADVANCE_SIZE_VER0);
static_assert(sizeof(struct ringbuf_room) == RINGBUF_ROOM_SIZE_VER0);
static_assert(offsetof(struct ringbuf_page, tail) == 64);
static_assert(offsetof(struct ringbuf_page, wake_pos) == 128);
static_assert(sizeof(struct ringbuf_head) == 24);

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
 * Fill in a structure of the caller's size, which says afterwards how much of it
 * the kernel knows. The rest is zeroed.
 */
static int put_struct(void __user *arg, void *from, u32 size, u32 min)
{
	u32 user_size;
	int ret = get_struct_size(arg, min, &user_size);

	if (ret)
		return ret;
	if (user_size > size && clear_user(arg + size, user_size - size))
		return -EFAULT;
	size = min(size, user_size);
	*(u32 *)from = size;
	return copy_to_user(arg, from, size) ? -EFAULT : 0;
}

/* As clock_gettime() calls the ring's clock. */
static const s32 clockids[] = {
	[RINGBUF_CLOCK_BOOTTIME] = CLOCK_BOOTTIME,
	[RINGBUF_CLOCK_MONOTONIC] = CLOCK_MONOTONIC,
	[RINGBUF_CLOCK_REALTIME] = CLOCK_REALTIME,
	[RINGBUF_CLOCK_TAI] = CLOCK_TAI,
	[RINGBUF_CLOCK_OFF] = RINGBUF_CLOCK_NONE,
};

/**
 * ringbuf_get_info() - Describe a ring
 * @rb: the ring
 * @info: all but struct_size is filled in
 *
 * Context: task; may sleep.
 */
void ringbuf_get_info(struct ringbuf *rb, struct ringbuf_info *info)
{
	struct ringbuf_core *core = &rb->core;
	struct ringbuf_mark tail, head;
	u64 overwritten;

	do {
		ringbuf_core_tail(core, &tail);
		ringbuf_core_head(core, &head);
		/* A tail that has moved may be further away than the ring is large. */
	} while (!ringbuf_core_intact(core, tail.pos) ||
		 !ringbuf_core_overwritten(core, &tail, &overwritten));

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
	info->overwritten = overwritten;
	info->dropped = READ_ONCE(core->dropped);
	info->max_record = ringbuf_max_record(core->size);
	info->consumers = atomic_read(&rb->consumers);
	info->reliable_consumers = ringbuf_ring_reliable(rb);
	info->flags = READ_ONCE(core->page->flags);
	if (READ_ONCE(rb->producer))
		info->flags |= RINGBUF_RING_WRITER;
	strscpy(info->name, rb->name, sizeof(info->name));
	info->head_offset = core->page->head_offset;
	memcpy(info->id, core->page->id, sizeof(info->id));
	info->clockid = clockids[rb->config.clock];
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
	return put_struct(arg, &info, sizeof(info), RINGBUF_INFO_SIZE_VER0);
}

static int get_stats(struct ringbuf_file *rf, void __user *arg)
{
	struct ringbuf_stats stats;

	ringbuf_file_stats(rf, &stats);
	return put_struct(arg, &stats, sizeof(stats), RINGBUF_STATS_SIZE_VER0);
}

static int get_consumer(struct ringbuf_file *rf, void __user *arg)
{
	struct ringbuf_consumer consumer = {
		.flags = ringbuf_file_flags(rf),
		.wake_bytes = READ_ONCE(rf->mark.bytes),
		.wake_records = READ_ONCE(rf->mark.records),
		.wake_ns = READ_ONCE(rf->mark.ns),
	};

	return put_struct(arg, &consumer, sizeof(consumer), RINGBUF_CONSUMER_SIZE_VER0);
}

/* What @mask names of the flags; _RELIABLE is for ringbuf_file_join(). */
static void set_flags(struct ringbuf_file *rf, u32 flags, u32 mask)
{
	mask &= RINGBUF_CONSUMER_FRAMED | RINGBUF_CONSUMER_EOF;
	spin_lock(&rf->lock);
	WRITE_ONCE(rf->flags, (rf->flags & ~mask) | (flags & mask));
	/* Frames are whole: the record at the cursor comes from its start. */
	if (flags & mask & RINGBUF_CONSUMER_FRAMED)
		WRITE_ONCE(rf->cursor.part, 0);
	spin_unlock(&rf->lock);
}

static int set_consumer(struct ringbuf_file *rf, void __user *arg)
{
	struct ringbuf_consumer consumer;
	u32 mask;
	int ret;

	ret = get_struct(&consumer, sizeof(consumer), arg,
			 RINGBUF_CONSUMER_SIZE_VER0);
	if (ret)
		return ret;
	if ((consumer.flags & ~CONSUMER_FLAGS) || consumer.reserved ||
	    (consumer.mask & ~(CONSUMER_FLAGS | RINGBUF_CONSUMER_WAKE)))
		return -EINVAL;
	mask = consumer.mask ?: CONSUMER_FLAGS | RINGBUF_CONSUMER_WAKE;
	/* Whatever can fail comes first. */
	if (consumer.flags & mask & RINGBUF_CONSUMER_RELIABLE) {
		ret = ringbuf_file_join(rf);
		if (ret)
			return ret;
	} else if (mask & RINGBUF_CONSUMER_RELIABLE) {
		ringbuf_file_leave(rf);
	}
	set_flags(rf, consumer.flags, mask);
	/* A reader that sleeps may be at its mark or at the end now. */
	ringbuf_watermark_set(rf, mask & RINGBUF_CONSUMER_WAKE ? &consumer : NULL);
	return 0;
}

static int set_writer(struct ringbuf_file *rf, void __user *arg)
{
	struct ringbuf_writer writer;
	int ret;

	ret = get_struct(&writer, sizeof(writer), arg, RINGBUF_WRITER_SIZE_VER0);
	if (ret)
		return ret;
	if (writer.flags & ~WRITER_FLAGS)
		return -EINVAL;
	/* No ring is made for it yet. */
	if (writer.flags & RINGBUF_WRITER_MAPPED)
		return -EPERM;
	WRITE_ONCE(rf->writer_flags, writer.flags);
	return 0;
}

static int get_writer(struct ringbuf_file *rf, void __user *arg)
{
	struct ringbuf_writer writer = {
		.flags = READ_ONCE(rf->writer_flags),
	};

	return put_struct(arg, &writer, sizeof(writer), RINGBUF_WRITER_SIZE_VER0);
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
		return v.len - (v.lost_records ? 0 : min_t(u64, cur.part, v.len));
	if (v.lost_records)
		return RINGBUF_FRAME_SIZE(sizeof(struct ringbuf_lost));
	return RINGBUF_FRAME_SIZE(v.len);
}

static int advance(struct ringbuf_file *rf, const void __user *arg)
{
	struct ringbuf_advance advance;
	int ret;

	ret = get_struct(&advance, sizeof(advance), arg,
			 RINGBUF_ADVANCE_SIZE_VER0);
	if (ret)
		return ret;
	if (advance.flags)
		return -EINVAL;
	return ringbuf_file_advance(rf, advance.pos);
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
	case RINGBUF_IOC_GET_WRITER:
	case RINGBUF_IOC_MAKE_ROOM:
	case RINGBUF_IOC_WAKE:
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
 * position that is none to advance to, -E2BIG for a structure that is larger than
 * a page or asks for more than the kernel knows, -EPERM when the ring allows no
 * reliable consumers or no mapped writer, -ENOMEM,
 * -EINTR for a signal in a long advance, -ENOTTY for an unknown @cmd.
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
	case RINGBUF_IOC_GET_WRITER:
		return get_writer(rf, argp);
	case RINGBUF_IOC_ADVANCE:
		return advance(rf, argp);
	case RINGBUF_IOC_MAKE_ROOM:
	case RINGBUF_IOC_WAKE:
		/* For a mapped writer, which this file is not. */
		return -EPERM;
	case FIONREAD:
		return put_user(next_size(rf), (int __user *)argp);
	default:
		return -ENOTTY;
	}
}
