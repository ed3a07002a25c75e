// SPDX-License-Identifier: GPL-2.0
/* What a 32-bit program sees; the Makefile builds this as compat32, too. */
#include "ringbuf_test.h"
#include "map.h"

#include <assert.h>

static_assert(sizeof(struct ringbuf_record) == 24, "record");
static_assert(sizeof(struct ringbuf_lost) == 16, "lost");
static_assert(sizeof(struct ringbuf_info) == 160, "info");
static_assert(sizeof(struct ringbuf_consumer) == 32, "consumer");
static_assert(sizeof(struct ringbuf_stats) == 88, "stats");
static_assert(sizeof(struct ringbuf_writer) == 8, "writer");
static_assert(sizeof(struct ringbuf_page) == 136, "page");
static_assert(RINGBUF_IOC_ADVANCE == 0x4010bc05, "ADVANCE");
static_assert(RINGBUF_IOC_GET_INFO == 0xc0a0bc00, "GET_INFO");
static_assert(RINGBUF_IOC_GET_STATS == 0xc058bc03, "GET_STATS");

#define F(len) ((int)RINGBUF_FRAME_SIZE(len))

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

TEST_F(ring, every_ioctl_works)
{
	struct ringbuf_consumer c = {
		.struct_size = sizeof(c), .flags = RINGBUF_CONSUMER_EOF,
	};
	struct ringbuf_stats s;
	struct ringbuf_info i;

	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	ASSERT_EQ(0, rb_info(self->p.r, &i));
	EXPECT_EQ(160, i.struct_size);
	EXPECT_EQ(RINGBUF_ABI, i.abi);
	EXPECT_EQ(4096, i.data_size);
	EXPECT_EQ(128, i.head);
	EXPECT_EQ(1, i.head_seq);
	EXPECT_EQ(1000, i.max_record);
	EXPECT_EQ(1, i.consumers);
	ASSERT_EQ(0, RC(ioctl(self->p.r, RINGBUF_IOC_SET_CONSUMER, &c)));
	memset(&c, 0xff, sizeof(c));
	c.struct_size = sizeof(c);
	ASSERT_EQ(0, RC(ioctl(self->p.r, RINGBUF_IOC_GET_CONSUMER, &c)));
	EXPECT_EQ(RINGBUF_CONSUMER_EOF, c.flags);
	EXPECT_EQ(0, c.wake_ns);
	ASSERT_EQ(100, rb_get(self->p.r, 0));
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(1, s.read_records);
	EXPECT_EQ(128, s.read_bytes);
	EXPECT_EQ(128, s.pos);
	EXPECT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	EXPECT_EQ(0, rb_fionread(self->p.r));
}

TEST_F(ring, errors_are_the_same)
{
	struct ringbuf_stats s;
	struct ringbuf_info i;
	uint64_t pos = 1;

	EXPECT_EQ(-EINVAL, rb_advance(self->p.r, pos));
	EXPECT_EQ(-EBADF, rb_advance(self->p.w, pos));
	EXPECT_EQ(-EFAULT, RC(ioctl(self->p.r, RINGBUF_IOC_ADVANCE, NULL)));
	EXPECT_EQ(-EFAULT, RC(ioctl(self->p.r, RINGBUF_IOC_ADVANCE, -8L)));
	EXPECT_EQ(-ENOTTY, RC(ioctl(self->p.r, _IO(RINGBUF_IOC_TYPE, 20), &pos)));
	EXPECT_EQ(-EFAULT, RC(ioctl(self->p.r, RINGBUF_IOC_GET_INFO, NULL)));
	EXPECT_EQ(-EFAULT, RC(ioctl(self->p.r, RINGBUF_IOC_GET_INFO, -8L)));
	i.struct_size = 159;
	EXPECT_EQ(-EINVAL, RC(ioctl(self->p.r, RINGBUF_IOC_GET_INFO, &i)));
	i.struct_size = -1U;
	EXPECT_EQ(-E2BIG, RC(ioctl(self->p.r, RINGBUF_IOC_GET_INFO, &i)));
	EXPECT_EQ(-EINVAL, rb_set_consumer(self->p.r, 1U << 30));
	EXPECT_EQ(-EBADF, rb_stats(self->p.w, &s));
	EXPECT_EQ(-EBADF, rb_set_writer(self->p.r, 0));
}

TEST_F(ring, advance_takes_all_64_bits)
{
	struct ringbuf_stats s;
	uint64_t pos;

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 100));
	/* The end of the second record, if it were cut to 32 bits. */
	pos = (1ULL << 32) + 2 * F(100);
	EXPECT_EQ(-EINVAL, rb_advance(self->p.r, pos));
	EXPECT_EQ(-EINVAL, rb_advance(self->p.r, 1ULL << 63 | 2 * F(100)));
	EXPECT_EQ(0, rb_advance(self->p.r, 2 * F(100)));
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(2, s.read_records);
	EXPECT_EQ(2 * F(100), s.read_bytes);
	EXPECT_EQ(100, rb_get(self->p.r, 2));
}

TEST_F(ring, the_map_is_the_same)
{
	struct ringbuf_info i;
	struct rb_map m;

	ASSERT_EQ(0, rb_map_fd(&m, self->p.r));
	EXPECT_EQ(RINGBUF_PAGE_MAGIC, m.page->magic);
	EXPECT_EQ(sizeof(*m.page), m.page->struct_size);
	EXPECT_EQ(2 * getpagesize(), m.page->data_offset);
	EXPECT_EQ(4096, m.page->data_size);
	/* Some of them lie across the end. */
	for (int n = 0; n < 100; n++) {
		uint64_t at = rb_map_head(&m);

		ASSERT_EQ(100, rb_put(self->p.w, n, 100));
		ASSERT_EQ(at + F(100), rb_map_head(&m));
		ASSERT_TRUE(rb_frame_ok(rb_map_at(&m, at), n, 100));
	}
	ASSERT_EQ(0, rb_info(self->p.r, &i));
	EXPECT_EQ(i.tail, rb_map_tail(&m));
	EXPECT_EQ(i.tail_seq, rb_map_at(&m, i.tail)->seq);
	EXPECT_EQ(-EACCES, RC(mprotect((void *)m.page, m.len,
				       PROT_READ | PROT_WRITE)));
	/* A 32-bit caller gives its offsets in pages. */
	EXPECT_EQ(-EINVAL, rb_try_map(self->p.r, PROT_READ, MAP_SHARED,
				      4 * getpagesize(), getpagesize()));
	EXPECT_EQ(-EINVAL, rb_try_map(self->p.r, PROT_READ, MAP_SHARED,
				      1LL << 43, getpagesize()));
	EXPECT_EQ(0, rb_unmap(&m));
}

TEST_F(ring, records_and_frames_pass)
{
	struct iovec v[2] = { { rb_in, 30 }, { rb_in + 30, 1000 } };
	size_t len = 0;

	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	EXPECT_EQ(100, RC(readv(self->p.r, v, 2)));
	EXPECT_TRUE(rb_intact(rb_in, 100, 0));
	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	for (int n = 1; n < 5; n++)
		len += rb_frame(rb_out + len, n, 50 + n, n);
	EXPECT_EQ(len, RC(write(self->p.w, rb_out, len)));
	EXPECT_EQ(len, RC(read(self->p.r, rb_in, RB_MAX)));
	EXPECT_TRUE(rb_frame_ok((void *)rb_in, 1, 51));
	EXPECT_EQ(-EAGAIN, RC(read(self->p.r, rb_in, RB_MAX)));
}

TEST_F(ring, a_record_may_come_in_pieces)
{
	struct iovec v[2] = { { rb_in + 30, 10 }, { rb_in + 40, 20 } };

	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	EXPECT_EQ(30, RC(read(self->p.r, rb_in, 30)));
	EXPECT_EQ(70, rb_fionread(self->p.r));
	EXPECT_EQ(30, RC(readv(self->p.r, v, 2)));
	EXPECT_EQ(40, RC(read(self->p.r, rb_in + 60, 1000)));
	EXPECT_TRUE(rb_intact(rb_in, 100, 0));
	EXPECT_EQ(1, rb_at(self->p.r));
}

TEST_F(ring, losses_are_exact)
{
	struct ringbuf_info i;

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 100, 100));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(0, rb_info(self->p.r, &i));
	EXPECT_EQ(RB_LOST_FRAME, rb_fionread(self->p.r));
	EXPECT_EQ(RB_LOST_FRAME + F(100), RC(read(self->p.r, rb_in, 200)));
	ASSERT_NE(NULL, rb_lost(rb_in));
	EXPECT_EQ(i.tail_seq, rb_lost(rb_in)->records);
	EXPECT_EQ(i.tail, rb_lost(rb_in)->bytes);
}

TEST_F(ring, sequence_numbers_are_64_bits_in_lseek)
{
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 10, 8));
	EXPECT_EQ(7, lseek(self->p.r, 7, SEEK_SET));
	EXPECT_EQ(8, rb_get(self->p.r, 7));
	/* None of these may be cut to 32 bits. */
	EXPECT_EQ(-EINVAL, RC(lseek(self->p.r, (1LL << 32) + 3, SEEK_SET)));
	EXPECT_EQ(-EINVAL, RC(lseek(self->p.r, 1LL << 31, SEEK_SET)));
	EXPECT_EQ(0, lseek(self->p.r, -(1LL << 32), SEEK_END));
	EXPECT_EQ(0, lseek(self->p.r, -(1LL << 32) - 1, SEEK_END));
	EXPECT_EQ(-ESPIPE, RC(lseek(self->p.r, 1LL << 32, SEEK_CUR)));
	EXPECT_EQ(8, lseek(self->p.r, 8, SEEK_SET));
	EXPECT_EQ(8, rb_at(self->p.r));
	EXPECT_EQ(9, lseek(self->p.r, -1, SEEK_END));
	EXPECT_EQ(0, lseek(self->p.r, 0, SEEK_DATA));
	EXPECT_EQ(8, rb_get(self->p.r, 0));
}

TEST_F(ring, blocking_and_poll_work)
{
	struct pollfd p = { .fd = self->p.r, .events = POLLIN };
	int r = rb_open(O_RDONLY);
	struct rb_op op;

	ASSERT_TRUE(rb_op_block(&op, SYS_read, r, rb_in, 64));
	EXPECT_EQ(0, poll(&p, 1, 0));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	EXPECT_EQ(8, rb_op_wait(&op));
	EXPECT_EQ(1, poll(&p, 1, 0));
	close(r);
}

TEST_HARNESS_MAIN
