// SPDX-License-Identifier: GPL-2.0
/* ioctl(): sizes that differ, pointers that are bad, flags that are unknown. */
#include "ringbuf_test.h"

#include <assert.h>
#include <stddef.h>
#include <termios.h>

static_assert(sizeof(struct ringbuf_record) == 24, "record");
static_assert(sizeof(struct ringbuf_lost) == 16, "lost");
static_assert(sizeof(struct ringbuf_info) == 160, "info");
static_assert(sizeof(struct ringbuf_consumer) == 32, "consumer");
static_assert(sizeof(struct ringbuf_stats) == 88, "stats");
static_assert(sizeof(struct ringbuf_writer) == 8, "writer");
static_assert(sizeof(struct ringbuf_advance) == 16, "advance");
static_assert(sizeof(struct ringbuf_room) == 24, "room");
static_assert(sizeof(struct ringbuf_page) == 136, "page");
static_assert(offsetof(struct ringbuf_page, head_offset) == 32, "head_offset");
static_assert(offsetof(struct ringbuf_page, id) == 40, "page.id");
static_assert(offsetof(struct ringbuf_page, tail) == 64, "tail");
static_assert(offsetof(struct ringbuf_page, wake_pos) == 128, "wake_pos");
static_assert(sizeof(struct ringbuf_head) == 24, "head");
static_assert(offsetof(struct ringbuf_head, head) == 8, "head.head");
static_assert(offsetof(struct ringbuf_info, name) == 96, "info.name");
static_assert(offsetof(struct ringbuf_info, max_record) == 80, "max_record");
static_assert(offsetof(struct ringbuf_info, head_offset) == 128, "info.head_offset");
static_assert(offsetof(struct ringbuf_info, id) == 136, "info.id");
static_assert(offsetof(struct ringbuf_info, clockid) == 152, "clockid");
static_assert(offsetof(struct ringbuf_stats, read_records) == 64, "stats end");
static_assert(offsetof(struct ringbuf_consumer, wake_ns) == 16, "wake_ns");
static_assert(offsetof(struct ringbuf_consumer, mask) == 24, "mask");
static_assert(offsetof(struct ringbuf_record, time_ns) == 16, "time_ns");

#define FRAMED	RINGBUF_CONSUMER_FRAMED
#define ENDS	RINGBUF_CONSUMER_EOF

FIXTURE(ring) {
	struct rb_pair p;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096"));
}

FIXTURE_TEARDOWN(ring)
{
	rb_pair_close(&self->p);
}

/* Every ioctl that takes a structure, on a file that allows it. */
FIXTURE(sized) {
	struct rb_pair p;
	int fd;
	char *mem;	/* two pages, the second of which faults */
	size_t page;
};

FIXTURE_VARIANT(sized) {
	unsigned long nr;
	uint32_t size;
	bool writer;
	bool get;
};

FIXTURE_VARIANT_ADD(sized, get_info) {
	.nr = RINGBUF_IOC_GET_INFO, .size = 160, .get = true,
};

FIXTURE_VARIANT_ADD(sized, get_consumer) {
	.nr = RINGBUF_IOC_GET_CONSUMER, .size = 32, .get = true,
};

FIXTURE_VARIANT_ADD(sized, set_consumer) {
	.nr = RINGBUF_IOC_SET_CONSUMER, .size = 32,
};

FIXTURE_VARIANT_ADD(sized, get_stats) {
	.nr = RINGBUF_IOC_GET_STATS, .size = 88, .get = true,
};

FIXTURE_VARIANT_ADD(sized, set_writer) {
	.nr = RINGBUF_IOC_SET_WRITER, .size = 8, .writer = true,
};

FIXTURE_VARIANT_ADD(sized, get_writer) {
	.nr = RINGBUF_IOC_GET_WRITER, .size = 8, .writer = true, .get = true,
};

FIXTURE_VARIANT_ADD(sized, advance) {
	.nr = RINGBUF_IOC_ADVANCE, .size = 16,
};

FIXTURE_SETUP(sized)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096"));
	self->fd = variant->writer ? self->p.w : self->p.r;
	self->mem = rb_guarded(&self->page);
}

FIXTURE_TEARDOWN(sized)
{
	rb_pair_close(&self->p);
}

/* Calls it with zeros but for struct_size. */
static int call(int fd, unsigned long nr, void *arg, uint32_t size)
{
	memcpy(arg, &size, sizeof(size));
	return RC(ioctl(fd, nr, arg));
}

TEST_F(sized, the_published_size_works)
{
	EXPECT_EQ(0, call(self->fd, variant->nr, self->mem, variant->size));
	EXPECT_EQ(variant->size, *(uint32_t *)self->mem);
}

TEST_F(sized, the_structure_may_end_at_the_end_of_memory)
{
	char *at = self->mem + self->page - variant->size;

	EXPECT_EQ(0, call(self->fd, variant->nr, at, variant->size));
}

TEST_F(sized, a_smaller_structure_is_refused)
{
	for (uint32_t size = 0; size < variant->size; size++)
		EXPECT_EQ(-EINVAL,
			  call(self->fd, variant->nr, self->mem, size));
}

TEST_F(sized, a_larger_structure_with_a_zero_tail_works)
{
	static const uint32_t more[] = { 1, 4, 8, 100 };

	for (int i = 0; i < 4; i++) {
		memset(self->mem, 0, self->page);
		EXPECT_EQ(0, call(self->fd, variant->nr, self->mem,
				  variant->size + more[i]));
		/* Only what the kernel knows was filled in. */
		if (variant->get)
			EXPECT_EQ(variant->size, *(uint32_t *)self->mem);
		for (uint32_t k = 0; k < more[i]; k++)
			EXPECT_EQ(0, self->mem[variant->size + k]);
	}
	memset(self->mem, 0, self->page);
	EXPECT_EQ(0, call(self->fd, variant->nr, self->mem, self->page));
}

TEST_F(sized, a_larger_structure_with_a_tail_in_use)
{
	static const uint32_t at[] = { 0, 1, 7, 99 };

	for (int i = 0; i < 4; i++) {
		memset(self->mem, 0, self->page);
		self->mem[variant->size + at[i]] = 1;
		/* The kernel zeroes what it is to fill in, and refuses the rest. */
		EXPECT_EQ(variant->get ? 0 : -E2BIG,
			  call(self->fd, variant->nr, self->mem,
			       variant->size + 100));
		EXPECT_EQ(!variant->get, self->mem[variant->size + at[i]]);
	}
	/* What lies behind the structure is not the kernel's business. */
	self->mem[variant->size + 99] = 1;
	EXPECT_EQ(0, call(self->fd, variant->nr, self->mem,
			  variant->size + 99));
	EXPECT_EQ(1, self->mem[variant->size + 99]);
}

TEST_F(sized, a_page_that_was_not_cleared)
{
	memset(self->mem, 0xa5, self->page);
	memset(self->mem, 0, variant->size);
	EXPECT_EQ(variant->get ? 0 : -E2BIG,
		  call(self->fd, variant->nr, self->mem, self->page));
	for (uint32_t k = variant->size; k < self->page; k++)
		ASSERT_EQ(variant->get ? 0 : 0xa5, (uint8_t)self->mem[k]);
}

/* Tools that do not know ringbuf go by the number. */
TEST_F(sized, the_number_tells_direction_and_first_size)
{
	EXPECT_EQ(variant->get ? _IOC_READ | _IOC_WRITE : _IOC_WRITE,
		  _IOC_DIR(variant->nr));
	EXPECT_EQ(variant->size, _IOC_SIZE(variant->nr));
	EXPECT_EQ(RINGBUF_IOC_TYPE, _IOC_TYPE(variant->nr));
}

TEST_F(sized, more_than_a_page_is_too_big)
{
	static const uint32_t sizes[] = { 1 << 20, INT32_MAX, 1U << 31, -1U };

	memset(self->mem, 0, self->page);
	EXPECT_EQ(-E2BIG, call(self->fd, variant->nr, self->mem,
			       self->page + 1));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(-E2BIG, call(self->fd, variant->nr, self->mem,
				       sizes[i]));
}

TEST_F(sized, bad_pointers_fault)
{
	char *guard = self->mem + self->page;

	EXPECT_EQ(-EFAULT, RC(ioctl(self->fd, variant->nr, NULL)));
	EXPECT_EQ(-EFAULT, RC(ioctl(self->fd, variant->nr, 1)));
	EXPECT_EQ(-EFAULT, RC(ioctl(self->fd, variant->nr, -1L)));
	EXPECT_EQ(-EFAULT, RC(ioctl(self->fd, variant->nr, -4096L)));
	EXPECT_EQ(-EFAULT, RC(ioctl(self->fd, variant->nr, guard)));
	EXPECT_EQ(-EFAULT, RC(ioctl(self->fd, variant->nr, guard - 2)));
	/* struct_size alone is there. */
	EXPECT_EQ(-EFAULT, call(self->fd, variant->nr, guard - 4,
				variant->size));
	EXPECT_EQ(-EFAULT, call(self->fd, variant->nr,
				guard - variant->size + 4, variant->size));
	/* All that the kernel knows is there, the tail is not. */
	EXPECT_EQ(-EFAULT, call(self->fd, variant->nr,
				guard - variant->size, variant->size + 8));
}

TEST_F(sized, only_what_is_filled_in_must_be_writable)
{
	memcpy(self->mem, &variant->size, 4);
	ASSERT_EQ(0, mprotect(self->mem, self->page, PROT_READ));
	EXPECT_EQ(variant->get ? -EFAULT : 0,
		  RC(ioctl(self->fd, variant->nr, self->mem)));
}

TEST_F(sized, garbage_matters_only_where_the_kernel_reads)
{
	memset(self->mem, 0xff, variant->size);
	EXPECT_EQ(variant->get ? 0 : -EINVAL,
		  call(self->fd, variant->nr, self->mem, variant->size));
}

TEST_F(sized, the_number_without_its_encoding_is_unknown)
{
	unsigned long nr = variant->nr & 0xff;

	EXPECT_EQ(-ENOTTY, call(self->fd, _IOC(_IOC_READ, RINGBUF_IOC_TYPE, nr,
				variant->size), self->mem, variant->size));
	EXPECT_EQ(-ENOTTY, call(self->fd, _IOC(_IOC_DIR(variant->nr),
				RINGBUF_IOC_TYPE, nr, variant->size + 8),
				self->mem, variant->size));
	EXPECT_EQ(-ENOTTY, call(self->fd, _IO(RINGBUF_IOC_TYPE, nr), self->mem,
				variant->size));
	EXPECT_EQ(-ENOTTY, call(self->fd, _IO(0xbb, nr), self->mem,
				variant->size));
}

TEST_F(ring, unknown_calls_are_enotty)
{
	int fds[] = { self->p.r, self->p.w }, n;
	uint64_t pos = 0;

	for (int i = 0; i < 2; i++) {
		for (n = 0; n < 256; n++)
			EXPECT_EQ(n == _IOC_NR(RINGBUF_IOC_WAKE) ?
				  i ? -EPERM : -EBADF : -ENOTTY, RC(ioctl(fds[i],
						    _IO(RINGBUF_IOC_TYPE, n),
						    &pos)));
		EXPECT_EQ(-ENOTTY, RC(ioctl(fds[i], TCGETS, &pos)));
		EXPECT_EQ(-ENOTTY, RC(ioctl(fds[i], TIOCGWINSZ, &pos)));
		EXPECT_EQ(-ENOTTY, RC(ioctl(fds[i], 0, &pos)));
		EXPECT_EQ(-ENOTTY, RC(ioctl(fds[i], 0xffffffff, &pos)));
	}
}

TEST_F(ring, features_tell_what_there_is)
{
	struct ringbuf_info i;

	ASSERT_EQ(0, rb_info(self->p.r, &i));
	EXPECT_EQ(RINGBUF_FEATURE_MMAP | RINGBUF_FEATURE_RELIABLE |
		  RINGBUF_FEATURE_WATERMARK | RINGBUF_FEATURE_NAMED, i.features);
	EXPECT_EQ(-EPERM, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_RELIABLE));
}

TEST_F(ring, each_call_wants_the_right_kind_of_file)
{
	struct ringbuf_consumer c = { .struct_size = sizeof(c) };
	struct ringbuf_stats s;
	struct ringbuf_info i;
	struct ringbuf_writer w = { .struct_size = sizeof(w) };
	struct ringbuf_room room = { .struct_size = sizeof(room) };

	EXPECT_EQ(-EBADF, RC(ioctl(self->p.w, RINGBUF_IOC_SET_CONSUMER, &c)));
	EXPECT_EQ(-EBADF, RC(ioctl(self->p.w, RINGBUF_IOC_GET_CONSUMER, &c)));
	EXPECT_EQ(-EBADF, rb_stats(self->p.w, &s));
	EXPECT_EQ(-EBADF, rb_advance(self->p.w, 0));
	/* Whatever the pointer: who may not ask learns nothing. */
	EXPECT_EQ(-EBADF, RC(ioctl(self->p.w, RINGBUF_IOC_ADVANCE, NULL)));
	EXPECT_EQ(-EBADF, rb_fionread(self->p.w));
	EXPECT_EQ(-EBADF, rb_set_writer(self->p.r, 0));
	EXPECT_EQ(-EBADF, RC(ioctl(self->p.r, RINGBUF_IOC_GET_WRITER, &w)));
	EXPECT_EQ(-EBADF, RC(ioctl(self->p.r, RINGBUF_IOC_MAKE_ROOM, &room)));
	EXPECT_EQ(-EBADF, RC(ioctl(self->p.r, RINGBUF_IOC_WAKE)));
	EXPECT_EQ(0, rb_info(self->p.w, &i));
	EXPECT_EQ(0, rb_info(self->p.r, &i));
}

TEST_F(ring, an_rdwr_file_takes_every_call)
{
	struct ringbuf_writer w = { .struct_size = sizeof(w) };
	struct ringbuf_stats s;
	int fd;

	close(self->p.w);
	fd = rb_open(O_RDWR);
	EXPECT_EQ(0, rb_set_consumer(fd, FRAMED));
	EXPECT_EQ(0, rb_set_writer(fd, RINGBUF_WRITER_FRAMED));
	EXPECT_EQ(0, rb_stats(fd, &s));
	EXPECT_EQ(0, rb_advance(fd, 0));
	EXPECT_EQ(0, RC(ioctl(fd, RINGBUF_IOC_GET_WRITER, &w)));
	EXPECT_EQ(RINGBUF_WRITER_FRAMED, w.flags);
	EXPECT_EQ(0, rb_fionread(fd));
	self->p.w = fd;
}

static int flags(int fd)
{
	struct ringbuf_consumer c = { .struct_size = sizeof(c) };
	int ret = RC(ioctl(fd, RINGBUF_IOC_GET_CONSUMER, &c));

	if (c.wake_bytes || c.wake_records || c.wake_ns || c.mask || c.reserved)
		return -EBADMSG;
	return ret ? ret : (int)c.flags;
}

TEST_F(ring, a_consumer_has_the_flags_that_were_set)
{
	EXPECT_EQ(0, flags(self->p.r));
	EXPECT_EQ(0, rb_set_consumer(self->p.r, FRAMED));
	EXPECT_EQ(FRAMED, flags(self->p.r));
	EXPECT_EQ(0, rb_set_consumer(self->p.r, FRAMED | ENDS));
	EXPECT_EQ(FRAMED | ENDS, flags(self->p.r));
	EXPECT_EQ(0, rb_set_consumer(self->p.r, ENDS));
	EXPECT_EQ(ENDS, flags(self->p.r));
	EXPECT_EQ(0, rb_set_consumer(self->p.r, 0));
	EXPECT_EQ(0, flags(self->p.r));
}

TEST_F(ring, unknown_flags_are_refused_and_change_nothing)
{
	ASSERT_EQ(0, rb_set_consumer(self->p.r, ENDS));
	for (int bit = 3; bit < 32; bit++)
		EXPECT_EQ(-EINVAL, rb_set_consumer(self->p.r, 1U << bit));
	EXPECT_EQ(-EINVAL, rb_set_consumer(self->p.r, FRAMED | 1U << 31));
	EXPECT_EQ(-EPERM, rb_set_consumer(self->p.r, FRAMED |
					  RINGBUF_CONSUMER_RELIABLE));
	EXPECT_EQ(ENDS, flags(self->p.r));
	for (int bit = 2; bit < 32; bit++)
		EXPECT_EQ(-EINVAL, rb_set_writer(self->p.w, 1U << bit));
	/* A ring has to be made for it. */
	EXPECT_EQ(-EPERM, rb_set_writer(self->p.w, RINGBUF_WRITER_MAPPED));
	/* Still plain: eight bytes are a record. */
	EXPECT_EQ(8, rb_put(self->p.w, 0, 8));
}

/* Two threads that set one thing each do not undo the other's. */
TEST_F(ring, a_mask_changes_what_it_names)
{
	struct ringbuf_consumer c = { .struct_size = sizeof(c) };

	ASSERT_EQ(0, rb_set_mark(self->p.r, FRAMED, 100, 3, 7));
	EXPECT_EQ(0, rb_set_masked(self->p.r, ENDS, ENDS));
	ASSERT_EQ(0, RC(ioctl(self->p.r, RINGBUF_IOC_GET_CONSUMER, &c)));
	EXPECT_EQ(FRAMED | ENDS, c.flags);
	EXPECT_EQ(100, c.wake_bytes);
	EXPECT_EQ(3, c.wake_records);
	EXPECT_EQ(7, c.wake_ns);
	/* A flag that the mask does not name is left alone. */
	EXPECT_EQ(0, rb_set_masked(self->p.r, ENDS, FRAMED));
	ASSERT_EQ(0, RC(ioctl(self->p.r, RINGBUF_IOC_GET_CONSUMER, &c)));
	EXPECT_EQ(ENDS, c.flags);
	EXPECT_EQ(0, rb_set_masked(self->p.r, RINGBUF_CONSUMER_RELIABLE, FRAMED));
	EXPECT_EQ(-EPERM, rb_set_masked(self->p.r, RINGBUF_CONSUMER_RELIABLE,
					RINGBUF_CONSUMER_RELIABLE));
	/* The three marks are one. */
	c = (struct ringbuf_consumer){ .struct_size = sizeof(c),
		.wake_records = 9, .mask = RINGBUF_CONSUMER_WAKE };
	EXPECT_EQ(0, RC(ioctl(self->p.r, RINGBUF_IOC_SET_CONSUMER, &c)));
	ASSERT_EQ(0, RC(ioctl(self->p.r, RINGBUF_IOC_GET_CONSUMER, &c)));
	EXPECT_EQ(ENDS, c.flags);
	EXPECT_EQ(0, c.wake_bytes);
	EXPECT_EQ(9, c.wake_records);
	EXPECT_EQ(0, c.wake_ns);
	/* What GET gives SET takes. */
	EXPECT_EQ(0, c.mask);
	EXPECT_EQ(0, RC(ioctl(self->p.r, RINGBUF_IOC_SET_CONSUMER, &c)));
	for (int bit = 3; bit < 31; bit++)
		EXPECT_EQ(-EINVAL, rb_set_masked(self->p.r, 0, 1U << bit));
	c.reserved = 1;
	EXPECT_EQ(-EINVAL, RC(ioctl(self->p.r, RINGBUF_IOC_SET_CONSUMER, &c)));
	EXPECT_EQ(0, rb_set_consumer(self->p.r, 0));
	EXPECT_EQ(0, flags(self->p.r));
}

TEST_F(ring, mapped_writer_calls_are_for_mapped_writers)
{
	struct ringbuf_room room = { .struct_size = sizeof(room) };

	EXPECT_EQ(-EPERM, RC(ioctl(self->p.w, RINGBUF_IOC_MAKE_ROOM, &room)));
	EXPECT_EQ(-EPERM, RC(ioctl(self->p.w, RINGBUF_IOC_WAKE)));
}

TEST_F(ring, the_largest_lag_leaves_a_trace)
{
	struct ringbuf_stats s;

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 7, 100));
	for (int n = 0; n < 7; n++)
		ASSERT_EQ(100, rb_get(self->p.r, n));
	ASSERT_EQ(0, rb_put_many(self->p.w, 7, 2, 100));
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(2, s.lag_records);
	EXPECT_EQ(7, s.max_lag_records);
	EXPECT_EQ(7 * 128, s.max_lag_bytes);
	/* It counts while it lasts, too. */
	ASSERT_EQ(0, rb_put_many(self->p.w, 9, 10, 100));
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(12, s.max_lag_records);
	EXPECT_EQ(12 * 128, s.max_lag_bytes);
	/* Once overrun, from the tail: never more than the ring holds. */
	ASSERT_EQ(0, rb_put_many(self->p.w, 19, 100, 100));
	EXPECT_EQ(-EPIPE, rb_get(self->p.r, 0));
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(s.lag_records, s.max_lag_records);
	EXPECT_EQ(s.lag_bytes, s.max_lag_bytes);
	EXPECT_GE(4096, s.max_lag_bytes);
	/* A seek and ADVANCE are moves as well. */
	EXPECT_LE(0, RC(lseek(self->p.r, 0, SEEK_END)));
	ASSERT_EQ(0, rb_put_many(self->p.w, 119, 1, 8));
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(1, s.lag_records);
	EXPECT_LT(1, s.max_lag_records);
}

TEST_F(ring, info_describes_the_ring)
{
	static const uint8_t none[RINGBUF_ID_SIZE];
	struct ringbuf_info i;

	memset(&i, 0xff, sizeof(i));
	i.struct_size = sizeof(i);
	ASSERT_EQ(0, RC(ioctl(self->p.r, RINGBUF_IOC_GET_INFO, &i)));
	EXPECT_EQ(160, i.struct_size);
	EXPECT_EQ(RINGBUF_ABI, i.abi);
	EXPECT_EQ(4096, i.data_size);
	EXPECT_EQ(getpagesize(), i.head_offset);
	EXPECT_EQ(2 * getpagesize(), i.data_offset);
	EXPECT_EQ(CLOCK_BOOTTIME, i.clockid);
	EXPECT_EQ(0, i.reserved);
	EXPECT_NE(0, memcmp(i.id, none, sizeof(none)));
	EXPECT_EQ(0, i.head);
	EXPECT_EQ(0, i.tail);
	EXPECT_EQ(0, i.head_seq);
	EXPECT_EQ(0, i.tail_seq);
	EXPECT_EQ(0, i.overwritten);
	EXPECT_EQ(0, i.dropped);
	EXPECT_EQ(1000, i.max_record);
	EXPECT_EQ(1, i.consumers);
	EXPECT_EQ(0, i.reliable_consumers);
	EXPECT_EQ(RINGBUF_RING_TIMESTAMPS | RINGBUF_RING_WRITER, i.flags);
	EXPECT_NE(NULL, memchr(i.name, 0, sizeof(i.name)));
	/* Nothing of the kernel's stack behind the name's end. */
	for (size_t k = strlen(i.name); k < sizeof(i.name); k++)
		EXPECT_EQ(0, i.name[k]);
}

TEST_F(ring, fionread_is_the_size_of_the_next_read)
{
	EXPECT_EQ(0, rb_fionread(self->p.r));
	ASSERT_EQ(13, rb_put(self->p.w, 0, 13));
	ASSERT_EQ(100, rb_put(self->p.w, 1, 100));
	EXPECT_EQ(13, rb_fionread(self->p.r));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, FRAMED));
	EXPECT_EQ(40, rb_fionread(self->p.r));
	ASSERT_EQ(40, RC(read(self->p.r, rb_in, 40)));
	EXPECT_EQ(128, rb_fionread(self->p.r));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, 0));
	EXPECT_EQ(100, rb_fionread(self->p.r));
	ASSERT_EQ(100, rb_get(self->p.r, 1));
	EXPECT_EQ(0, rb_fionread(self->p.r));
}

TEST_F(ring, fionread_of_an_overrun_consumer)
{
	struct ringbuf_info i;

	for (int n = 0; n < 200; n++)
		ASSERT_EQ(1 + n, rb_put(self->p.w, n, 1 + n));
	ASSERT_EQ(0, rb_info(self->p.r, &i));
	EXPECT_EQ(1 + i.tail_seq, rb_fionread(self->p.r));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, FRAMED));
	EXPECT_EQ(RB_LOST_FRAME, rb_fionread(self->p.r));
	ASSERT_EQ(RB_LOST_FRAME, RC(read(self->p.r, rb_in, RB_LOST_FRAME)));
	EXPECT_EQ(RINGBUF_FRAME_SIZE(1 + i.tail_seq), rb_fionread(self->p.r));
}

TEST_F(ring, fionread_wants_a_good_pointer)
{
	EXPECT_EQ(-EFAULT, RC(ioctl(self->p.r, FIONREAD, NULL)));
}

TEST_F(ring, advance_refuses_unknown_flags)
{
	struct ringbuf_advance a = { .struct_size = sizeof(a) };

	for (int bit = 0; bit < 32; bit++) {
		a.flags = 1U << bit;
		EXPECT_EQ(-EINVAL, RC(ioctl(self->p.r, RINGBUF_IOC_ADVANCE, &a)));
	}
	EXPECT_EQ(0, rb_advance(self->p.r, 0));
}

TEST_F(ring, fionbio_switches_blocking)
{
	int r = rb_open(O_RDONLY), on = 1;

	ASSERT_EQ(0, ioctl(r, FIONBIO, &on));
	EXPECT_EQ(-EAGAIN, rb_get(r, 0));
	close(r);
}

TEST_HARNESS_MAIN
