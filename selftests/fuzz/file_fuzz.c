// SPDX-License-Identifier: GPL-2.0
/*
 * The character device, all of it but the device: files that are opened, written,
 * read, sought, polled, mapped and closed in any order, with user memory that faults
 * anywhere, frames and structures that are anything, and allocations that fail. What
 * is read has to be what was written, each account exact, and nothing may be left.
 */
#include "fuzz.h"
#include "shim_test.h"
#include "chardev.h"
#include "file.h"
#include "file_shadow.h"
#include "file_user.h"

#define STEPS		200

struct ringbuf *rb;
struct opened files[FILES];
static bool kernel_producer;

static struct kiocb call_of(struct opened *o, struct input *in)
{
	/* Nobody sleeps here. */
	o->file.f_flags = O_NONBLOCK;
	return (struct kiocb) {
		.ki_filp = &o->file,
		.ki_flags = input_u8(in) & 1 ? IOCB_NOWAIT : 0,
	};
}

/* Frames, good ones and others. */
static size_t make_frames(struct input *in, u8 *to, size_t n)
{
	struct ringbuf_record rec;
	size_t at = 0, frame;
	u8 how;

	while (at + sizeof(rec) < n && in->left) {
		how = input_u8(in);
		memset(&rec, how, sizeof(rec));
		rec.len = input_u8(in) + (how % 8 == 7 ? input_u16(in) : 0);
		rec.flags = how % 8 == 6 ? input_u8(in) : 0;
		frame = RINGBUF_FRAME_SIZE(rec.len);
		memcpy(to + at, &rec, sizeof(rec));
		if (frame > n - at)
			break;
		memset(to + at + sizeof(rec), how, frame - sizeof(rec));
		at += frame;
	}
	return input_u8(in) & 1 ? at : n;
}

static void check_write(ssize_t ret, size_t n, size_t good, bool framed, u64 seq)
{
	u64 records = rb->core.head_page->head_seq - seq;
	ssize_t want;

	HOLDS(ret <= (ssize_t)n && (ret > 0 || !records || !framed));
	if (ringbuf_ring_dead(rb)) {
		HOLDS(!records || (disturbed && ret > 0));
		return;
	}
	if (framed)
		want = run_result(shim_user, n, good);
	else if (n > ringbuf_max_record(rb->core.size))
		want = -EMSGSIZE;
	else
		want = good < n ? -EFAULT : (ssize_t)n;
	/* Who waits for room gets less, but never something else. */
	if (rb->config.reliable && (ret == -EAGAIN || (ret > 0 && ret < want)))
		return;
	HOLDS(ret == want);
	if (!framed)
		HOLDS(records == (ret > 0));
}

static void step_write(struct opened *o, struct input *in)
{
	size_t n = input_u16(in) % 5000, good;
	u64 pos = rb->core.head_page->head, seq = rb->core.head_page->head_seq;
	struct kiocb iocb = call_of(o, in);
	struct ringbuf_file *rf = o->file.private_data;
	struct iov_iter iter;
	bool framed = rf->writer_flags;
	ssize_t ret;
	u8 *p;

	p = user_memory(in, n);
	if (framed)
		n = make_frames(in, p, n);
	else
		memset(p, input_u8(in), n);
	if (shim_fault > p + n)
		shim_fault = p + n;
	good = shim_fault - p;
	iter = user_iter(in, n);
	disturb(in);
	if (direct)
		ret = ringbuf_fops.write(&o->file, (char *)p, n, NULL);
	else
		ret = ringbuf_fops.write_iter(&iocb, &iter);
	shim_meanwhile = NULL;
	if (ret > 0 && !direct)
		HOLDS(iter.iov_offset == (size_t)ret && iter.count == n - ret);
	check_write(ret, n, good, framed, seq);
	remember(pos, seq);
	user_end();
}

/* A piece of a record, or the whole of it, and the cursor has moved by just that. */
static void check_piece(struct ringbuf_file *rf, struct ringbuf_mark at, u64 part,
			const u8 *p, u32 n)
{
	bool last = part + n == length_of(at.seq);

	HOLDS(was_part(at.seq, part, p, n));
	HOLDS(rf->cursor.at.seq == at.seq + last);
	HOLDS(rf->cursor.part == (last ? 0 : part + n));
}

/* The same while others wrote: it ends where the cursor is now. */
static void check_some_piece(struct ringbuf_file *rf, const u8 *p, u32 n)
{
	u64 seq = rf->cursor.at.seq, end = rf->cursor.part;

	if (!end)
		end = length_of(--seq);
	HOLDS(n <= end && was_part(seq, end - n, p, n));
}

static void step_read(struct opened *o, struct input *in)
{
	size_t n = input_u16(in) % 9000;
	struct kiocb iocb = call_of(o, in);
	struct ringbuf_file *rf = o->file.private_data;
	bool framed = rf->flags & RINGBUF_CONSUMER_FRAMED;
	struct ringbuf_mark at = rf->cursor.at;
	u64 part = rf->cursor.part;
	struct iov_iter iter;
	int next = -1, *where;
	bool shared;
	ssize_t ret;
	u8 *p = user_memory(in, sizeof(int));

	where = (int *)p;
	shim_fault = p + sizeof(int);
	HOLDS(!ringbuf_fops.unlocked_ioctl(&o->file, FIONREAD, (long)where));
	next = *where;
	user_end();
	p = user_memory(in, n);
	iter = user_iter(in, n);
	disturb(in);
	if (direct)
		ret = ringbuf_fops.read(&o->file, (char *)p, n, NULL);
	else
		ret = ringbuf_fops.read_iter(&iocb, &iter);
	shim_meanwhile = NULL;
	shared = disturbed && other == o;
	HOLDS(direct || iter.iov_offset == (size_t)(ret > 0 ? ret : 0));
	HOLDS(ret <= (ssize_t)n);
	if (disturbed) {
		/* Nothing torn, and nothing twice: the account says the rest. */
		if (ret > 0 && framed)
			check_frames(p, ret, ((struct ringbuf_record *)p)->seq,
				     shared);
		else if (ret > 0 && !shared)
			check_some_piece(rf, p, ret);
	} else if (ret > 0 && framed) {
		check_frames(p, ret, at.seq, false);
		HOLDS(ret >= next);
	} else if (ret > 0) {
		HOLDS(ret == min((int)n, next));
		check_piece(rf, at, part, p, ret);
	} else if (ret == -EPIPE) {
		HOLDS(!framed && ringbuf_before(at.seq, rf->cursor.at.seq));
		HOLDS(!rf->cursor.part);
	} else {
		HOLDS(ret == 0 || ret == -EAGAIN || ret == -EMSGSIZE ||
		      ret == -EFAULT || ret == -ENODEV);
		HOLDS(rf->cursor.at.seq == at.seq && rf->cursor.part == part);
		if (ret == -EMSGSIZE)
			HOLDS(framed && ((int)n < next || n < 40));
		if (ret == -EAGAIN || ret == -ENODEV)
			HOLDS(!next || !n);
	}
	user_end();
}

static void step_ioctl(struct opened *o, struct input *in)
{
	u8 how = input_u8(in);
	unsigned int cmd = how % 8 == 7 ? input_u32(in) : known_ioctl(how % 8);
	size_t n = how & 16 ? input_u16(in) % 4200 : input_u8(in);
	struct ringbuf_file *rf = o->file.private_data;
	u8 *p = user_memory(in, n), *was = malloc(n + 1);
	long ret, want;
	u32 size;

	HOLDS(was);
	memset(p, 0, n);
	input_bytes(in, p, n < 40 ? n : 40);
	if (how & 8 && n >= sizeof(size)) {
		size = n;
		memcpy(p, &size, sizeof(size));
	}
	if (cmd == RINGBUF_IOC_ADVANCE && how & 32 && n >= 16) {
		struct ringbuf_advance advance = {
			.struct_size = sizeof(advance),
			.pos = rf->cursor.at.pos + input_u8(in) * 8,
		};

		memcpy(p, &advance, sizeof(advance));
	}
	memcpy(was, p, n);
	ret = ringbuf_fops.unlocked_ioctl(&o->file, cmd, (unsigned long)p);
	HOLDS(ret <= 0);
	if (ret && ret != -EFAULT)
		HOLDS(!memcmp(p, was, n));
	/* Nothing is written behind what the caller has said that there is. */
	memcpy(&size, was, n < 4 ? n : 4);
	if (!ret && cmd != FIONREAD && size < n)
		HOLDS(!memcmp(p + size, was + size, n - size));
	want = ioctl_result(o->file.f_mode, cmd, was, shim_fault - shim_user);
	HOLDS(want ? ret == want : ret != -ENOTTY && ret != -EBADF && ret != -E2BIG);
	free(was);
	user_end();
}

/* The structures as they ought to be: what is chosen by them is what counts. */
static void step_set(struct opened *o, struct input *in)
{
	u8 how = input_u8(in), mark = input_u8(in);
	struct ringbuf_consumer consumer = {
		.struct_size = sizeof(consumer), .flags = how % 8,
		.wake_bytes = mark & 1 ? input_u16(in) : 0,
		.wake_records = mark & 2 ? input_u8(in) : 0,
		.wake_ns = mark & 4 ? input_u32(in) : 0,
	};
	struct ringbuf_writer writer = {
		.struct_size = sizeof(writer), .flags = how / 8 % 2,
	};
	unsigned long arg = (unsigned long)user_memory(in, sizeof(consumer));
	long ret;

	shim_fault = shim_user + sizeof(consumer);
	if (o->file.f_mode & FMODE_READ) {
		memcpy(shim_user, &consumer, sizeof(consumer));
		ret = ringbuf_fops.unlocked_ioctl(&o->file,
						  RINGBUF_IOC_SET_CONSUMER, arg);
		HOLDS(!ret || ret == -ENOMEM || (ret == -EPERM &&
		      !rb->config.reliable));
	}
	if (o->file.f_mode & FMODE_WRITE) {
		memcpy(shim_user, &writer, sizeof(writer));
		HOLDS(!ringbuf_fops.unlocked_ioctl(&o->file,
						   RINGBUF_IOC_SET_WRITER, arg));
	}
	user_end();
}

static void step_seek(struct opened *o, struct input *in)
{
	u8 how = input_u8(in);
	loff_t offset = how & 16 ? (loff_t)input_u64(in) : (s64)input_u8(in) - 100;
	struct ringbuf_file *rf = o->file.private_data;
	struct ringbuf_cursor was = rf->cursor;
	int whence = how % 5;
	loff_t ret;

	if (!(o->file.f_mode & FMODE_LSEEK))
		return;
	ret = ringbuf_fops.llseek(&o->file, offset, whence);
	HOLDS(ret == (whence == SEEK_CUR ? -ESPIPE : -EINVAL) || ret >= 0);
	o->sought |= ret >= 0;
	if (ret >= 0)
		HOLDS(rf->cursor.at.seq == (u64)ret && !rf->cursor.part);
	else
		HOLDS(!memcmp(&was, &rf->cursor, sizeof(was)));
	if (whence == SEEK_END)
		HOLDS(offset > 0 ? ret < 0 : ret >= 0);
}

static void step_map(struct opened *o, struct input *in)
{
	struct vm_area_struct vma = {
		.vm_pgoff = input_u8(in) & 1 ? input_u64(in) : input_u8(in) % 8,
		.vm_flags = input_u8(in),
		.vm_start = PAGE_SIZE, .vm_file = &o->file,
	};
	struct vm_fault fault = { .vma = &vma };
	unsigned long i, pages = input_u8(in) & 1 ? input_u32(in) : input_u8(in) % 8;

	vma.vm_end = vma.vm_start + (pages + 1) * PAGE_SIZE;
	if (!(o->file.f_mode & FMODE_READ) || ringbuf_fops.mmap(&o->file, &vma))
		return;
	HOLDS(vma.vm_flags & VM_MAYSHARE);
	HOLDS(!(vma.vm_flags & (VM_WRITE | VM_EXEC | VM_MAYWRITE | VM_MAYEXEC)));
	HOLDS(vma.vm_pgoff + pages < ringbuf_map_pages(rb));
	for (i = 0; i <= pages; i++) {
		fault.pgoff = vma.vm_pgoff + i;
		HOLDS(!vma.vm_ops->fault(&fault) && fault.page->references);
		fault.page->references--;
	}
	fault.pgoff = ringbuf_map_pages(rb) + input_u8(in);
	HOLDS(vma.vm_ops->fault(&fault) == VM_FAULT_SIGBUS);
}

static void step_poll(struct opened *o, struct input *in)
{
	poll_table table = { .events = input_u32(in), ._qproc = &table };
	struct ringbuf_file *rf = o->file.private_data;
	__poll_t events;

	events = ringbuf_fops.poll(&o->file, input_u8(in) & 1 ? &table : NULL);
	ringbuf_fops.show_fdinfo(NULL, &o->file);
	if (o->file.f_mode & FMODE_READ && events & EPOLLIN)
		HOLDS(ringbuf_file_ready(rf));
	HOLDS(!(events & EPOLLERR) || ringbuf_ring_dead(rb));
	/* Time goes by. */
	if (input_u8(in) & 1 && rf->mark.timer.queued) {
		rf->mark.timer.queued = false;
		rf->mark.timer.function(&rf->mark.timer);
	}
	shim_now += input_u8(in) * 1000000ULL;
	if (rb->stall.queued) {
		rb->stall.queued = false;
		rb->stall.work.func(&rb->stall.work);
	}
}

/* A kernel producer in the slot, if it is free. */
static void step_kernel(struct input *in)
{
	u64 pos = rb->core.head_page->head, seq = rb->core.head_page->head_seq;
	u8 how = input_u8(in), data[300];
	u32 len = input_u16(in) % 300;
	void *payload;

	memset(data, how, sizeof(data));
	if (!kernel_producer)
		kernel_producer = !ringbuf_ring_claim(rb, rb);
	if (!kernel_producer)
		return;
	/* A gap has no record, so what was deferred is made visible before. */
	switch (how % 5) {
	case 0:
		ringbuf_ring_release(rb);
		kernel_producer = false;
		break;
	case 1:
		ringbuf_write(rb, data, len, how);
		break;
	case 2:
		payload = ringbuf_reserve(rb, len, how);
		if (!payload)
			break;
		HOLDS(!ringbuf_reserve(rb, len, how));
		memset(payload, how, len);
		if (how & 128)
			ringbuf_discard(rb);
		else
			ringbuf_commit(rb, how / 5 % 4);
		break;
	default:
		ringbuf_flush(rb);
	}
	ringbuf_flush(rb);
	/* Dropped: a seq and no record. */
	if (pos == rb->core.head_page->head)
		return;
	seq = ((struct ringbuf_record *)ringbuf_frame_at(&rb->core, pos))->seq;
	remember(pos, seq);
}

static void step_open(struct opened *o, struct input *in)
{
	static const struct cred creds[] = { { 0 }, { 1 }, { 2 }, { 3 } };
	u8 how = input_u8(in), mode = how % 4;
	struct ringbuf_file *rf;
	int ret;

	memset(o, 0, sizeof(*o));
	/* What all files have that seek. */
	o->file.f_mode = mode | FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	o->file.private_data = rb;
	o->file.f_cred = &creds[how / 4 % ARRAY_SIZE(creds)];
	shim_capable = how & 16;
	ret = ringbuf_fops.open(NULL, &o->file);
	HOLDS(ret == 0 || ret == -EINVAL || ret == -ENOMEM || ret == -EBUSY ||
	      ret == -EUSERS);
	HOLDS(mode || ret == -EINVAL);
	o->open = !ret;
	if (ret)
		return;
	rf = o->file.private_data;
	o->first_seq = rf->cursor.at.seq;
	o->first_pos = rf->cursor.at.pos;
}

static void check_account(struct opened *o)
{
	struct ringbuf_file *rf = o->file.private_data;
	struct ringbuf_stats s;

	if (!(o->file.f_mode & FMODE_READ))
		return;
	ringbuf_file_stats(rf, &s);
	HOLDS(s.lag_bytes <= rb->core.size);
	if (o->sought)
		return;
	HOLDS(s.read_records + s.lost_records + s.lag_records ==
	      rb->core.head_page->head_seq - o->first_seq);
	HOLDS(s.read_bytes + s.lost_bytes + s.lag_bytes ==
	      rb->core.head_page->head - o->first_pos);
}

static void step_close(struct opened *o)
{
	check_account(o);
	o->open = false;
	ringbuf_fops.release(NULL, &o->file);
}

static void step(struct input *in)
{
	u8 what = input_u8(in);
	struct opened *o = &files[what / 16 % FILES];
	bool reads, writes;

	if (!o->open) {
		if (what % 16 == 15)
			step_kernel(in);
		else
			step_open(o, in);
		return;
	}
	reads = o->file.f_mode & FMODE_READ;
	writes = o->file.f_mode & FMODE_WRITE;
	switch (what % 16) {
	case 0:
		step_close(o);
		break;
	case 1 ... 2:
		step_ioctl(o, in);
		break;
	case 3:
		step_seek(o, in);
		break;
	case 4:
		step_poll(o, in);
		break;
	case 5:
		step_map(o, in);
		break;
	case 6:
		if (!ringbuf_ring_dead(rb) && input_u8(in) % 8 == 0)
			ringbuf_ring_kill(rb);
		break;
	case 7:
		step_set(o, in);
		break;
	case 15:
		step_kernel(in);
		break;
	default:
		if (writes && (!reads || what & 1))
			step_write(o, in);
		else
			step_read(o, in);
	}
}

static bool make_ring(struct input *in)
{
	u8 how = input_u8(in), fail = input_u8(in);
	struct ringbuf_config config = {
		.name = "fuzz", .size = how & 1 ? 4096 : 16384,
		.reliable = how & 2, .clock = how & 4 ? RINGBUF_CLOCK_BOOTTIME : RINGBUF_CLOCK_OFF,
		.stall_ms = how & 8 ? 5 : 0,
		.max_consumers = how & 16 ? 2 : 0,
		.max_consumers_per_user = how & 32 ? 1 : 0,
	};

	shim_now = 1000000000;
	shim_fail_after = fail % 4 ? 0 : fail / 4;
	rb = ringbuf_ring_alloc(&config);
	return !IS_ERR(rb);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input in = { bytes, size };
	int i;

	forget();
	memset(files, 0, sizeof(files));
	kernel_producer = false;
	if (!make_ring(&in)) {
		HOLDS(!shim_pages);
		return 0;
	}
	for (i = 0; in.left && i < STEPS; i++)
		step(&in);
	for (i = 0; i < FILES; i++)
		if (files[i].open)
			step_close(&files[i]);
	HOLDS(!atomic_read(&rb->consumers));
	HOLDS(xa_empty(&rb->users));
	HOLDS(!shim_process.references);
	HOLDS(!rb->producer || kernel_producer);
	HOLDS(list_empty(&rb->hooks) && list_empty(&rb->core.holds));
	if (kernel_producer)
		ringbuf_ring_release(rb);
	HOLDS(rb->ref.count == 1);
	ringbuf_ring_kill(rb);
	ringbuf_ring_put(rb);
	HOLDS(!shim_pages);
	return 0;
}
