// SPDX-License-Identifier: GPL-2.0
/* Addresses that fault: at once, in the middle of a batch, or slowly. */
#include "ringbuf_test.h"
#include "uffd.h"

#define F(len) ((int)RINGBUF_FRAME_SIZE(len))

FIXTURE(ring) {
	struct rb_pair p;
	char *guard;	/* what lies before it can be touched */
	size_t page;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096"));
	self->guard = rb_guarded(&self->page) + getpagesize();
}

FIXTURE_TEARDOWN(ring)
{
	rb_pair_close(&self->p);
}

static int framed(struct rb_pair *p)
{
	int ret = rb_set_consumer(p->r, RINGBUF_CONSUMER_FRAMED);

	return ret ? ret : rb_set_writer(p->w, RINGBUF_WRITER_FRAMED);
}

TEST_F(ring, a_write_from_a_bad_address_is_no_record_and_uses_no_seq)
{
	struct ringbuf_info before, after;
	void *bad[] = {
		NULL, (void *)8, self->guard, self->guard - 1, self->guard - 99,
		(void *)-4096L, (void *)(1UL << (sizeof(long) * 8 - 1)),
	};

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 100));
	ASSERT_EQ(0, rb_info(self->p.w, &before));
	for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
		EXPECT_EQ(-EFAULT, RC(write(self->p.w, bad[k], 100)));
		ASSERT_EQ(0, rb_info(self->p.w, &after));
		EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)))
			TH_LOG("address %p", bad[k]);
	}
	ASSERT_EQ(100, rb_put(self->p.w, 3, 100));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(4 * F(100), RC(read(self->p.r, rb_in, RB_MAX)));
	EXPECT_TRUE(rb_frame_ok((void *)(rb_in + 3 * F(100)), 3, 100));
}

TEST_F(ring, who_polls_for_a_loss_hears_of_one_by_a_write_that_faults)
{
	struct pollfd loss = { .fd = self->p.r, .events = POLLPRI };
	struct rb_op op;

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 4096 / F(104), 104));
	ASSERT_TRUE(rb_op_block(&op, SYS_poll, (long)&loss, (void *)1, -1));
	EXPECT_EQ(-EFAULT, RC(write(self->p.w, self->guard - 8, 900)));
	EXPECT_EQ(1, rb_op_wait(&op));
	EXPECT_EQ(POLLPRI, loss.revents);
}

TEST_F(ring, a_faulting_write_to_a_full_ring_leaves_no_record)
{
	struct ringbuf_info i;
	uint64_t n;

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 100, 100));
	for (int k = 0; k < 50; k++)
		ASSERT_EQ(-EFAULT, RC(write(self->p.w, self->guard - 500, 900)));
	ASSERT_EQ(0, rb_info(self->p.w, &i));
	EXPECT_EQ(100, i.head_seq);
	EXPECT_EQ(100 * F(100), i.head);
	EXPECT_EQ(i.tail_seq * F(100), i.tail);
	ASSERT_EQ(100, rb_put(self->p.w, 100, 100));
	ASSERT_EQ(-EPIPE, rb_get(self->p.r, 0));
	ASSERT_EQ(0, rb_info(self->p.w, &i));
	for (n = i.tail_seq; n < 101; n++)
		EXPECT_EQ(100, rb_get(self->p.r, n));
}

TEST_F(ring, a_framed_write_that_faults_at_once_publishes_nothing)
{
	struct ringbuf_info i;

	ASSERT_EQ(0, framed(&self->p));
	EXPECT_EQ(-EFAULT, RC(write(self->p.w, NULL, 32)));
	EXPECT_EQ(-EFAULT, RC(write(self->p.w, self->guard, 32)));
	/* In the first header; in the first payload. */
	rb_frame(self->guard - 64, 0, 40, 0);
	EXPECT_EQ(-EFAULT, RC(write(self->p.w, self->guard - 8, 32)));
	memmove(self->guard - 32, self->guard - 64, 32);
	EXPECT_EQ(-EFAULT, RC(write(self->p.w, self->guard - 32, 64)));
	ASSERT_EQ(0, rb_info(self->p.w, &i));
	EXPECT_EQ(0, i.head_seq);
	EXPECT_EQ(0, i.head);
	EXPECT_EQ(0, i.dropped);
}

TEST_F(ring, a_framed_write_that_faults_later_publishes_what_came_before)
{
	struct ringbuf_info i;
	char *at;

	ASSERT_EQ(0, framed(&self->p));
	/* Two frames, then a header without its payload. */
	at = self->guard - 2 * F(50) - RB_HEADER;
	rb_frame(at, 0, 50, 1);
	rb_frame(at + F(50), 1, 50, 1);
	((struct ringbuf_record *)(at + 2 * F(50)))->len = 50;
	EXPECT_EQ(2 * F(50), RC(write(self->p.w, at, 3 * F(50))));
	/* Two frames, then part of a header. */
	at = self->guard - 2 * F(50) - 8;
	rb_frame(at, 2, 50, 1);
	rb_frame(at + F(50), 3, 50, 1);
	EXPECT_EQ(2 * F(50), RC(write(self->p.w, at, 3 * F(50))));
	ASSERT_EQ(0, rb_info(self->p.w, &i));
	EXPECT_EQ(4, i.head_seq);
	EXPECT_EQ(4 * F(50), i.head);
	ASSERT_EQ(4 * F(50), RC(read(self->p.r, rb_in, RB_MAX)));
	for (int n = 0; n < 4; n++)
		EXPECT_TRUE(rb_frame_ok((void *)(rb_in + n * F(50)), n, 50));
}

TEST_F(ring, a_read_to_a_bad_address_loses_nothing)
{
	struct ringbuf_stats before, after;

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 2, 100));
	ASSERT_EQ(0, rb_stats(self->p.r, &before));
	EXPECT_EQ(-EFAULT, RC(read(self->p.r, NULL, 100)));
	EXPECT_EQ(-EFAULT, RC(read(self->p.r, self->guard, 100)));
	EXPECT_EQ(-EFAULT, RC(read(self->p.r, self->guard - 99, 100)));
	EXPECT_EQ(-EFAULT, RC(read(self->p.r, self->guard - 1, 4096)));
	EXPECT_EQ(-EFAULT, RC(read(self->p.r, (void *)-4096L, 100)));
	ASSERT_EQ(0, rb_stats(self->p.r, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	EXPECT_EQ(100, rb_get(self->p.r, 0));
	/* The buffer may run on; the record ends before the guard. */
	EXPECT_EQ(100, RC(read(self->p.r, self->guard - 100, 4000)));
	EXPECT_TRUE(rb_intact(self->guard - 100, 100, 1));
}

TEST_F(ring, a_read_to_read_only_memory_loses_nothing)
{
	char *ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);

	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	EXPECT_EQ(-EFAULT, RC(read(self->p.r, ro, 4096)));
	EXPECT_EQ(100, rb_get(self->p.r, 0));
}

TEST_F(ring, a_framed_read_that_faults_returns_whole_frames_before)
{
	struct ringbuf_stats s;
	char *at;

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 5, 50));
	ASSERT_EQ(0, framed(&self->p));
	/* The third frame's payload faults. */
	at = self->guard - 2 * F(50) - RB_HEADER - 10;
	EXPECT_EQ(2 * F(50), RC(read(self->p.r, at, 5 * F(50))));
	EXPECT_TRUE(rb_frame_ok((void *)at, 0, 50));
	EXPECT_TRUE(rb_frame_ok((void *)(at + F(50)), 1, 50));
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(2, s.seq);
	EXPECT_EQ(2 * F(50), s.pos);
	EXPECT_EQ(2, s.read_records);
	EXPECT_EQ(2 * F(50), s.read_bytes);
	/* The third one's header faults, then its last padding. */
	at = self->guard - F(50) - 8;
	EXPECT_EQ(F(50), RC(read(self->p.r, at, 3 * F(50))));
	EXPECT_TRUE(rb_frame_ok((void *)at, 2, 50));
	at = self->guard - 2 * F(50) + 1;
	EXPECT_EQ(F(50), RC(read(self->p.r, at, 2 * F(50))));
	ASSERT_EQ(F(50), RC(read(self->p.r, rb_in, RB_MAX)));
	EXPECT_TRUE(rb_frame_ok((void *)rb_in, 4, 50));
}

TEST_F(ring, a_framed_read_that_faults_at_once_loses_nothing)
{
	struct ringbuf_stats before, after;

	ASSERT_EQ(50, rb_put(self->p.w, 0, 50));
	ASSERT_EQ(0, framed(&self->p));
	ASSERT_EQ(0, rb_stats(self->p.r, &before));
	EXPECT_EQ(-EFAULT, RC(read(self->p.r, NULL, 500)));
	EXPECT_EQ(-EFAULT, RC(read(self->p.r, self->guard, 500)));
	EXPECT_EQ(-EFAULT, RC(read(self->p.r, self->guard - 8, 500)));
	EXPECT_EQ(-EFAULT, RC(read(self->p.r, self->guard - F(50) + 1, 500)));
	ASSERT_EQ(0, rb_stats(self->p.r, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	ASSERT_EQ(F(50), RC(read(self->p.r, rb_in, RB_MAX)));
	EXPECT_TRUE(rb_frame_ok((void *)rb_in, 0, 50));
}

TEST_F(ring, a_loss_frame_that_faults_is_reported_later)
{
	struct ringbuf_stats s;
	struct ringbuf_info i;
	char *at;

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 100, 100));
	ASSERT_EQ(0, framed(&self->p));
	ASSERT_EQ(0, rb_info(self->p.r, &i));
	EXPECT_EQ(-EFAULT, RC(read(self->p.r, self->guard, 4096)));
	EXPECT_EQ(-EFAULT, RC(read(self->p.r, self->guard - 39, 4096)));
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(RINGBUF_STATS_OVERRUN, s.flags);
	EXPECT_EQ(0, s.seq);
	/* Room for the loss, but not for the record behind it. */
	at = self->guard - RB_LOST_FRAME - 30;
	EXPECT_EQ(RB_LOST_FRAME, RC(read(self->p.r, at, 4096)));
	ASSERT_NE(NULL, rb_lost(at));
	EXPECT_EQ(i.tail_seq, rb_lost(at)->records);
	EXPECT_EQ(i.tail, rb_lost(at)->bytes);
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(i.tail_seq, s.seq);
	EXPECT_EQ(i.tail_seq, s.lost_records);
	EXPECT_EQ(0, s.read_records);
	EXPECT_EQ(F(100), RC(read(self->p.r, rb_in, F(100))));
	EXPECT_TRUE(rb_frame_ok((void *)rb_in, i.tail_seq, 100));
}

/* Pages that come late, by userfaultfd. */
FIXTURE(slow) {
	struct rb_pair p;
	struct rb_uffd u;
	struct rb_op op;
};

FIXTURE_SETUP(slow)
{
	int ret;

	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096"));
	ret = rb_uffd_open(&self->u);
	if (ret == -ENOSYS)
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, ret);
}

FIXTURE_TEARDOWN(slow)
{
	rb_pair_close(&self->p);
}

TEST_F(slow, a_write_from_a_late_page_is_one_whole_record)
{
	static char page[65536];
	struct ringbuf_info i;
	char *at = self->u.mem + self->u.page - 100;

	rb_fill(rb_out, 300, 0);
	memcpy(at, rb_out, 100);
	memcpy(page, rb_out + 100, 200);
	ASSERT_EQ(0, rb_op_start(&self->op, SYS_write, self->p.w, at, 300));
	ASSERT_EQ(0, rb_uffd_wait(&self->u));
	ASSERT_EQ(0, rb_info(self->p.r, &i));
	EXPECT_EQ(0, i.head_seq);
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 0));
	ASSERT_EQ(0, rb_uffd_fill(&self->u, page));
	EXPECT_EQ(300, rb_op_wait(&self->op));
	EXPECT_EQ(300, rb_get(self->p.r, 0));
}

TEST_F(slow, a_read_to_a_late_page_gets_the_record)
{
	static char page[65536];
	char *at = self->u.mem + self->u.page - 100;

	ASSERT_EQ(300, rb_put(self->p.w, 0, 300));
	ASSERT_EQ(0, rb_op_start(&self->op, SYS_read, self->p.r, at, 300));
	ASSERT_EQ(0, rb_uffd_wait(&self->u));
	ASSERT_EQ(0, rb_uffd_fill(&self->u, page));
	EXPECT_EQ(300, rb_op_wait(&self->op));
	EXPECT_TRUE(rb_intact(at, 300, 0));
}

TEST_F(slow, a_stalled_reader_does_not_stall_the_writer_or_other_readers)
{
	static char page[65536];
	struct rb_op writer;
	int r = rb_open(O_RDONLY | O_NONBLOCK);
	char *at = self->u.mem + self->u.page - 100;

	ASSERT_EQ(300, rb_put(self->p.w, 0, 300));
	ASSERT_EQ(0, rb_op_start(&self->op, SYS_read, self->p.r, at, 300));
	ASSERT_EQ(0, rb_uffd_wait(&self->u));
	rb_fill(rb_out, 300, 1);
	ASSERT_EQ(0, rb_op_start(&writer, SYS_write, self->p.w, rb_out, 300));
	EXPECT_EQ(300, rb_op_wait(&writer));
	EXPECT_EQ(300, rb_get(r, 0));
	EXPECT_EQ(300, rb_get(r, 1));
	ASSERT_EQ(0, rb_uffd_fill(&self->u, page));
	EXPECT_EQ(300, rb_op_wait(&self->op));
	EXPECT_TRUE(rb_intact(at, 300, 0));
	close(r);
}

TEST_F(slow, a_record_overwritten_under_a_stalled_read_is_never_returned)
{
	static char page[65536];
	char *at = self->u.mem + self->u.page - 100;
	struct ringbuf_stats s;
	struct ringbuf_info i;
	int ret;

	ASSERT_EQ(300, rb_put(self->p.w, 0, 300));
	ASSERT_EQ(0, rb_op_start(&self->op, SYS_read, self->p.r, at, 300));
	ASSERT_EQ(0, rb_uffd_wait(&self->u));
	ASSERT_EQ(0, rb_put_many(self->p.w, 1, 100, 300));
	ASSERT_EQ(0, rb_info(self->p.w, &i));
	ASSERT_EQ(0, rb_uffd_fill(&self->u, page));
	/* Its copy may have been made before it was overwritten. */
	ret = rb_op_wait(&self->op);
	if (ret == 300) {
		EXPECT_TRUE(rb_intact(at, 300, 0));
		EXPECT_EQ(-EPIPE, rb_get(self->p.r, 0));
	} else {
		EXPECT_EQ(-EPIPE, ret);
	}
	EXPECT_EQ(300, rb_get(self->p.r, i.tail_seq));
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(i.tail_seq + 1, s.lost_records + s.read_records);
}

TEST_F(slow, frames_overwritten_under_a_stalled_read_are_never_returned)
{
	static char page[65536];
	const struct ringbuf_record *rec;
	char *at = self->u.mem + self->u.page - F(300) - 100;
	uint64_t want = 0;
	int ret;

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 300));
	ASSERT_EQ(0, rb_op_start(&self->op, SYS_read, self->p.r, at, 3 * F(300)));
	ASSERT_EQ(0, rb_uffd_wait(&self->u));
	ASSERT_EQ(0, rb_put_many(self->p.w, 3, 100, 300));
	ASSERT_EQ(0, rb_uffd_fill(&self->u, page));
	ret = rb_op_wait(&self->op);
	ASSERT_LT(0, ret);
	memcpy(rb_in, at, ret);
	do {
		for (rec = (void *)rb_in; (uint8_t *)rec < rb_in + ret;
		     rec = rb_next(rec)) {
			ASSERT_EQ(want, rec->seq);
			if (rb_lost(rec)) {
				want += rb_lost(rec)->records;
				continue;
			}
			ASSERT_TRUE(rb_frame_ok(rec, want, 300));
			want++;
		}
		ret = RC(read(self->p.r, rb_in, RB_MAX));
	} while (ret > 0);
	EXPECT_EQ(-EAGAIN, ret);
	EXPECT_EQ(103, want);
}

TEST_HARNESS_MAIN
