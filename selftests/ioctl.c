// SPDX-License-Identifier: GPL-2.0
/* ioctl(): sizes that differ, pointers that are bad, flags that are unknown. */
#include "ringbuf_test.h"

#include <assert.h>
#include <stddef.h>
#include <termios.h>

static_assert(sizeof(struct ringbuf_record) == 24, "record");
static_assert(sizeof(struct ringbuf_lost) == 16, "lost");
static_assert(sizeof(struct ringbuf_info) == 128, "info");
static_assert(sizeof(struct ringbuf_consumer) == 24, "consumer");
static_assert(sizeof(struct ringbuf_stats) == 72, "stats");
static_assert(sizeof(struct ringbuf_writer) == 8, "writer");
static_assert(sizeof(struct ringbuf_page) == 64, "page");
static_assert(offsetof(struct ringbuf_info, name) == 96, "info.name");
static_assert(offsetof(struct ringbuf_info, max_record) == 80, "max_record");
static_assert(offsetof(struct ringbuf_stats, read_records) == 64, "stats end");
static_assert(offsetof(struct ringbuf_consumer, wake_ns) == 16, "wake_ns");
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
	.nr = RINGBUF_IOC_GET_INFO, .size = 128, .get = true,
};

FIXTURE_VARIANT_ADD(sized, get_consumer) {
	.nr = RINGBUF_IOC_GET_CONSUMER, .size = 24, .get = true,
};

FIXTURE_VARIANT_ADD(sized, set_consumer) {
	.nr = RINGBUF_IOC_SET_CONSUMER, .size = 24,
};

FIXTURE_VARIANT_ADD(sized, get_stats) {
	.nr = RINGBUF_IOC_GET_STATS, .size = 72, .get = true,
};

FIXTURE_VARIANT_ADD(sized, set_writer) {
	.nr = RINGBUF_IOC_SET_WRITER, .size = 8, .writer = true,
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

TEST_F(sized, a_larger_structure_with_a_tail_in_use_is_too_big)
{
	static const uint32_t at[] = { 0, 1, 7, 99 };

	for (int i = 0; i < 4; i++) {
		memset(self->mem, 0, self->page);
		self->mem[variant->size + at[i]] = 1;
		EXPECT_EQ(-E2BIG, call(self->fd, variant->nr, self->mem,
				       variant->size + 100));
	}
	/* What lies behind the structure is not the kernel's business. */
	EXPECT_EQ(0, call(self->fd, variant->nr, self->mem,
			  variant->size + 99));
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
	EXPECT_EQ(-ENOTTY, call(self->fd, _IO(0xbb, nr), self->mem,
				variant->size));
}

TEST_F(ring, unknown_calls_are_enotty)
{
	int fds[] = { self->p.r, self->p.w }, n;
	uint64_t pos = 0;

	for (int i = 0; i < 2; i++) {
		for (n = 5; n < 256; n++)
			EXPECT_EQ(-ENOTTY, RC(ioctl(fds[i],
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
	uint64_t pos = 0;

	EXPECT_EQ(-EBADF, RC(ioctl(self->p.w, RINGBUF_IOC_SET_CONSUMER, &c)));
	EXPECT_EQ(-EBADF, RC(ioctl(self->p.w, RINGBUF_IOC_GET_CONSUMER, &c)));
	EXPECT_EQ(-EBADF, rb_stats(self->p.w, &s));
	EXPECT_EQ(-EBADF, RC(ioctl(self->p.w, RINGBUF_IOC_ADVANCE, &pos)));
	/* Whatever the pointer: who may not ask learns nothing. */
	EXPECT_EQ(-EBADF, RC(ioctl(self->p.w, RINGBUF_IOC_ADVANCE, NULL)));
	EXPECT_EQ(-EBADF, rb_fionread(self->p.w));
	EXPECT_EQ(-EBADF, rb_set_writer(self->p.r, 0));
	EXPECT_EQ(0, rb_info(self->p.w, &i));
	EXPECT_EQ(0, rb_info(self->p.r, &i));
}

TEST_F(ring, an_rdwr_file_takes_every_call)
{
	struct ringbuf_stats s;
	uint64_t pos = 0;
	int fd;

	close(self->p.w);
	fd = rb_open(O_RDWR);
	EXPECT_EQ(0, rb_set_consumer(fd, FRAMED));
	EXPECT_EQ(0, rb_set_writer(fd, RINGBUF_WRITER_FRAMED));
	EXPECT_EQ(0, rb_stats(fd, &s));
	EXPECT_EQ(0, RC(ioctl(fd, RINGBUF_IOC_ADVANCE, &pos)));
	EXPECT_EQ(0, rb_fionread(fd));
	self->p.w = fd;
}

static int flags(int fd)
{
	struct ringbuf_consumer c = { .struct_size = sizeof(c) };
	int ret = RC(ioctl(fd, RINGBUF_IOC_GET_CONSUMER, &c));

	if (c.wake_bytes || c.wake_records || c.wake_ns)
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
	for (int bit = 1; bit < 32; bit++)
		EXPECT_EQ(-EINVAL, rb_set_writer(self->p.w, 1U << bit));
	/* Still plain: eight bytes are a record. */
	EXPECT_EQ(8, rb_put(self->p.w, 0, 8));
}

TEST_F(ring, info_describes_the_ring)
{
	struct ringbuf_info i;

	memset(&i, 0xff, sizeof(i));
	i.struct_size = sizeof(i);
	ASSERT_EQ(0, RC(ioctl(self->p.r, RINGBUF_IOC_GET_INFO, &i)));
	EXPECT_EQ(128, i.struct_size);
	EXPECT_EQ(RINGBUF_ABI, i.abi);
	EXPECT_EQ(4096, i.data_size);
	EXPECT_EQ(getpagesize(), i.data_offset);
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

TEST_F(ring, advance_wants_a_good_pointer)
{
	size_t page;
	char *guard = rb_guarded(&page) + getpagesize();
	void *bad[] = {
		NULL, (void *)1, guard, guard - 1, guard - 7,
		(void *)-1L, (void *)-8L, (void *)-4096L,
	};

	for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
		EXPECT_EQ(-EFAULT, RC(ioctl(self->p.r, RINGBUF_IOC_ADVANCE,
					    bad[k])))
			TH_LOG("address %p", bad[k]);
	}
	/* Only read, and neither aligned nor more than eight bytes. */
	EXPECT_EQ(0, RC(ioctl(self->p.r, RINGBUF_IOC_ADVANCE, guard - 8)));
	EXPECT_EQ(0, RC(ioctl(self->p.r, RINGBUF_IOC_ADVANCE, guard - 9)));
	ASSERT_EQ(0, mprotect(guard - page, page, PROT_READ));
	EXPECT_EQ(0, RC(ioctl(self->p.r, RINGBUF_IOC_ADVANCE, guard - 8)));
}

TEST_F(ring, advance_is_known_by_its_whole_number)
{
	uint64_t pos = 0;

	EXPECT_EQ(-ENOTTY, RC(ioctl(self->p.r, _IO(RINGBUF_IOC_TYPE, 5), &pos)));
	EXPECT_EQ(-ENOTTY, RC(ioctl(self->p.r,
				    _IOR(RINGBUF_IOC_TYPE, 5, uint64_t), &pos)));
	EXPECT_EQ(-ENOTTY, RC(ioctl(self->p.r,
				    _IOW(RINGBUF_IOC_TYPE, 5, uint32_t), &pos)));
}

TEST_F(ring, fionbio_switches_blocking)
{
	int r = rb_open(O_RDONLY), on = 1;

	ASSERT_EQ(0, ioctl(r, FIONBIO, &on));
	EXPECT_EQ(-EAGAIN, rb_get(r, 0));
	close(r);
}

TEST_HARNESS_MAIN
