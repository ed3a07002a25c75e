// SPDX-License-Identifier: GPL-2.0
/* User memory that faults anywhere, and what others do while it is touched. */
#include "fuzz.h"
#include "shim_test.h"
#include "chardev.h"
#include "file.h"
#include "file_shadow.h"
#include "file_user.h"

/* What the other file does meanwhile. */
static u8 others_way;

struct opened *other;
bool disturbed;
bool direct;

/* User memory of @n bytes, good up to some byte. */
u8 *user_memory(struct input *in, size_t n)
{
	u8 how = input_u8(in);

	shim_user = malloc(n ? n : 1);
	HOLDS(shim_user);
	memset(shim_user, 0x5a, n);
	shim_fault = shim_user + n;
	if (how % 4 == 0)
		shim_fault = shim_user + input_u16(in) % (n + 1);
	return shim_user;
}

void user_end(void)
{
	free(shim_user);
	shim_user = NULL;
	shim_fault = NULL;
}

/* The producer goes on, whoever it is. */
static void write_meanwhile(void)
{
	u64 pos = rb->core.head_page->head, seq = rb->core.head_page->head_seq;
	u32 i, len = 1 + others_way * 4;
	void *payload;

	for (i = 0; i < 1 + others_way / 4U; i++) {
		payload = ringbuf_core_reserve(&rb->core, len, i);
		if (!payload)
			break;
		memset(payload, i, len);
		ringbuf_ring_commit(rb);
		ringbuf_ring_publish(rb);
		/* The shadows are fewer than what may go by. */
		remember(pos, seq);
		pos = rb->core.head_page->head;
		seq = rb->core.head_page->head_seq;
	}
}

/* A thread that shares the file, or another consumer, reads. */
static void read_meanwhile(void)
{
	u8 *user = shim_user, *fault = shim_fault, buf[600];
	struct iov_iter iter = {
		.ubuf = buf, .count = sizeof(buf), .is_ubuf = true,
		.user_backed = true,
	};
	struct kiocb iocb = {
		.ki_filp = &other->file, .ki_flags = IOCB_NOWAIT,
	};

	shim_user = buf;
	shim_fault = buf + sizeof(buf);
	ringbuf_fops.read_iter(&iocb, &iter);
	shim_user = user;
	shim_fault = fault;
}

static void meanwhile(void)
{
	disturbed = true;
	switch (others_way % 4) {
	case 0:
		if (!ringbuf_ring_dead(rb))
			ringbuf_ring_kill(rb);
		break;
	case 1:
		if (other->open && other->file.f_mode & FMODE_READ)
			read_meanwhile();
		break;
	default:
		/* Nobody else does, while a writer writes. */
		if (!rb->write_lock.held && !ringbuf_ring_dead(rb) &&
		    !ringbuf_core_open(&rb->core))
			write_meanwhile();
	}
}

/* Does something happen while user memory is touched? */
void disturb(struct input *in)
{
	u8 how = input_u8(in);

	disturbed = false;
	if (how % 4)
		return;
	other = &files[how / 4 % FILES];
	others_way = input_u8(in);
	shim_meanwhile = meanwhile;
}

struct iov_iter user_iter(struct input *in, size_t n)
{
	u8 how = input_u8(in);

	direct = how >= 192;
	return (struct iov_iter) {
		.ubuf = shim_user, .count = n,
		.is_ubuf = how % 4, .user_backed = how % 16,
	};
}
