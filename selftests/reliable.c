// SPDX-License-Identifier: GPL-2.0
/* Reliable consumers: the writer waits for them, and for nobody else. */
#include "reliable.h"

static struct ringbuf_info info(int fd)
{
	struct ringbuf_info i;

	if (rb_info(fd, &i))
		abort();
	return i;
}

FIXTURE(lossy) {
	struct rb_pair p;
};

FIXTURE_SETUP(lossy)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096 stall_ms=5"));
}

FIXTURE_TEARDOWN(lossy)
{
	rb_pair_close(&self->p);
}

TEST_F(lossy, a_ring_that_was_not_made_for_it_has_none)
{
	EXPECT_EQ(-EPERM, rb_set_consumer(self->p.r, RELIABLE));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, FRAMED));
	EXPECT_EQ(-EPERM, rb_set_consumer(self->p.r, RELIABLE));
	EXPECT_EQ(-EPERM, rb_set_consumer(self->p.r, RELIABLE | FRAMED));
	EXPECT_EQ(FRAMED, rb_flags(self->p.r));
	EXPECT_FALSE(info(self->p.r).flags & RINGBUF_RING_RELIABLE);
	EXPECT_TRUE(info(self->p.r).features & RINGBUF_FEATURE_RELIABLE);
	EXPECT_EQ(0, rb_attr("reliable"));
	EXPECT_EQ(0, rb_attr("reliable_consumers"));
	EXPECT_EQ(0, rb_attr("holder"));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 1000, LEN));
}

FIXTURE(ring) {
	struct rb_pair p;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096 reliable=1"));
}

FIXTURE_TEARDOWN(ring)
{
	rb_pair_close(&self->p);
}

TEST_F(ring, it_is_set_and_cleared_at_any_time_and_seen)
{
	int r = self->p.r;

	EXPECT_TRUE(info(r).flags & RINGBUF_RING_RELIABLE);
	EXPECT_TRUE(info(r).features & RINGBUF_FEATURE_RELIABLE);
	EXPECT_EQ(1, rb_attr("reliable"));
	EXPECT_EQ(0, rb_flags(r));
	for (int n = 0; n < 100; n++) {
		EXPECT_EQ(0, rb_set_consumer(r, RELIABLE));
		EXPECT_EQ(RELIABLE, rb_flags(r));
		EXPECT_EQ(RELIABLE, rb_fdinfo(r, "ringbuf_flags"));
		EXPECT_EQ(0, rb_set_consumer(r, RELIABLE | FRAMED));
		EXPECT_EQ(RELIABLE | FRAMED, rb_flags(r));
		EXPECT_EQ(1, rb_count_reliable(r));
		EXPECT_EQ(1, rb_attr("reliable_consumers"));
		EXPECT_EQ(0, rb_set_consumer(r, n % 2 ? FRAMED : 0));
		EXPECT_EQ(n % 2 ? FRAMED : 0, rb_flags(r));
		EXPECT_EQ(0, rb_count_reliable(r));
		ASSERT_EQ(LEN, rb_put(self->p.w, n, LEN));
	}
	EXPECT_EQ(-EBADF, rb_set_consumer(self->p.w, RELIABLE));
	EXPECT_EQ(-EINVAL, rb_set_consumer(r, RELIABLE | 8));
	EXPECT_EQ(0, rb_count_reliable(r));
}

/* A handle that is removed twice, or by another than who added it. */
TEST_F(ring, they_are_counted_through_dup_fork_close_and_kill)
{
	int r = rb_open_reliable(), d = dup(r), w = self->p.w;
	pid_t pid;

	EXPECT_EQ(1, rb_count_reliable(w));
	EXPECT_EQ(0, rb_set_consumer(d, RELIABLE));
	EXPECT_EQ(1, rb_count_reliable(w));
	close(r);
	EXPECT_EQ(1, rb_count_reliable(w));
	pid = fork();
	if (!pid) {
		close(d);
		_exit(rb_open_reliable() >= 0 && rb_count_reliable(w) == 2 ? 0 : 1);
	}
	EXPECT_EQ(0, rb_reap(pid));
	EXPECT_EQ(1, rb_count_reliable(w));
	EXPECT_EQ(0, rb_set_consumer(d, 0));
	EXPECT_EQ(0, rb_set_consumer(d, 0));
	EXPECT_EQ(0, rb_count_reliable(w));
	close(d);
	EXPECT_EQ(0, rb_count_reliable(w));
	EXPECT_EQ(-EBADF, rb_set_consumer(d, 0));

	pid = rb_fork_holder(0);
	ASSERT_LT(0, pid);
	EXPECT_EQ(1, rb_count_reliable(w));
	ASSERT_EQ(0, rb_kill(pid));
	EXPECT_EQ(0, rb_count_reliable(w));
	EXPECT_EQ(-EOVERFLOW, rb_write_until_held(w, 0));
}

TEST_F(ring, a_full_ring_blocks_and_each_record_read_lets_one_through)
{
	struct rb_op op;

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	for (int n = 0; n < 3 * FITS; n++) {
		rb_fill(rb_out, LEN, n + FITS);
		ASSERT_TRUE(rb_op_block(&op, SYS_write, self->p.w, rb_out, LEN));
		ASSERT_EQ(LEN, rb_get(self->p.r, n));
		ASSERT_EQ(LEN, rb_op_wait(&op));
		ASSERT_EQ(0, rb_write_until_held(self->p.w, 0));
	}
	EXPECT_EQ(0, rb_get_many(self->p.r, 3 * FITS, FITS));
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 0));
	EXPECT_TRUE(rb_adds_up(self->p.r));
	EXPECT_EQ(0, info(self->p.w).dropped);
	EXPECT_EQ(FITS, rb_write_until_held(self->p.w, 0));
}

TEST_F(ring, nonblocking_writes_are_refused_and_change_nothing)
{
	struct iovec v = { rb_out, LEN };
	struct ringbuf_info i;

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	i = info(self->p.w);
	EXPECT_EQ(-EAGAIN, RC(pwritev2(self->p.w, &v, 1, -1, RWF_NOWAIT)));
	ASSERT_EQ(0, fcntl(self->p.w, F_SETFL, O_NONBLOCK));
	for (size_t len = 1; len <= LARGEST; len += 37)
		EXPECT_EQ(-EAGAIN, rb_put(self->p.w, 0, len));
	EXPECT_EQ(-EAGAIN, RC(writev(self->p.w, &v, 1)));
	EXPECT_EQ(-EMSGSIZE, rb_put(self->p.w, 0, LARGEST + 1));
	EXPECT_EQ(0, rb_put(self->p.w, 0, 0));
	EXPECT_EQ(i.head_seq, info(self->p.w).head_seq);
	EXPECT_EQ(i.head, info(self->p.w).head);
	EXPECT_EQ(0, info(self->p.w).tail);
	EXPECT_EQ(0, info(self->p.w).dropped);
	EXPECT_EQ(0, rb_get_many(self->p.r, 0, FITS));
}

TEST_F(ring, a_vector_waits_as_a_whole)
{
	struct iovec v[2];
	struct rb_op op;

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	rb_fill(rb_out, LARGEST, FITS);
	v[0] = (struct iovec){ rb_out, 1 };
	v[1] = (struct iovec){ rb_out + 1, LARGEST - 1 };
	ASSERT_TRUE(rb_op_block(&op, SYS_writev, self->p.w, v, 2));
	ASSERT_EQ(0, rb_get_many(self->p.r, 0, FITS));
	EXPECT_EQ(LARGEST, rb_op_wait(&op));
	EXPECT_EQ(LARGEST, rb_get(self->p.r, FITS));
}

/* Frames of @count records from number @n on, in @buf. */
static size_t frames(void *buf, uint64_t n, int count)
{
	size_t len = 0;

	for (int k = 0; k < count; k++)
		len += rb_frame((char *)buf + len, n + k, LEN, k);
	return len;
}

TEST_F(ring, a_run_goes_on_when_there_is_room_and_returns_its_length)
{
	uint64_t n = 0;
	struct rb_op op;
	size_t len;
	int ret;

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	len = frames(rb_out, 0, 10 * FITS);
	ASSERT_TRUE(rb_op_block(&op, SYS_write, self->p.w, rb_out, len));
	/* What there was room for is there. */
	EXPECT_EQ(FITS, info(self->p.w).head_seq);
	while (n < 10 * FITS) {
		struct pollfd p = { .fd = self->p.r, .events = POLLIN };

		ASSERT_EQ(1, poll(&p, 1, RB_WAIT_MS)) TH_LOG("at %d", (int)n);
		while ((ret = rb_get(self->p.r, n)) == LEN)
			n++;
		ASSERT_EQ(-EAGAIN, ret);
	}
	EXPECT_EQ(len, rb_op_wait(&op));
	EXPECT_TRUE(rb_adds_up(self->p.r));
}

TEST_F(ring, a_nonblocking_run_returns_what_was_published)
{
	size_t len = frames(rb_out, 0, FITS + 8);

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	ASSERT_EQ(0, fcntl(self->p.w, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(FITS * FRAME, RC(write(self->p.w, rb_out, len)));
	EXPECT_EQ(-EAGAIN, RC(write(self->p.w, rb_out, len)));
	ASSERT_EQ(0, rb_get_many(self->p.r, 0, 3));
	len = frames(rb_out, FITS, 8);
	EXPECT_EQ(3 * FRAME, RC(write(self->p.w, rb_out, len)));
	EXPECT_EQ(0, rb_get_many(self->p.r, 3, FITS));
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 0));
}

static void on_signal(int sig)
{
}

static void handle(int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	sigaction(SIGUSR1, &sa, NULL);
}

TEST_F(ring, a_signal_ends_the_wait)
{
	struct rb_op op;
	size_t len;

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	handle(0);
	ASSERT_TRUE(rb_op_block(&op, SYS_write, self->p.w, rb_out, LEN));
	pthread_kill(op.thread, SIGUSR1);
	EXPECT_EQ(-EINTR, rb_op_wait(&op));
	EXPECT_EQ(FITS, info(self->p.w).head_seq);

	handle(SA_RESTART);
	rb_fill(rb_out, LEN, FITS);
	ASSERT_TRUE(rb_op_block(&op, SYS_write, self->p.w, rb_out, LEN));
	pthread_kill(op.thread, SIGUSR1);
	EXPECT_TRUE(rb_op_stays(&op));
	ASSERT_EQ(0, rb_get_many(self->p.r, 0, 1));
	EXPECT_EQ(LEN, rb_op_wait(&op));

	/* A run that was published in part tells how far it came. */
	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	ASSERT_EQ(0, rb_get_many(self->p.r, 1, 5));
	len = frames(rb_out, FITS + 1, 8);
	ASSERT_TRUE(rb_op_block(&op, SYS_write, self->p.w, rb_out, len));
	pthread_kill(op.thread, SIGUSR1);
	EXPECT_EQ(5 * FRAME, rb_op_wait(&op));
	EXPECT_EQ(0, rb_get_many(self->p.r, 6, FITS));
}

TEST_F(ring, a_writer_that_is_killed_while_it_waits_leaves_the_slot)
{
	pid_t pid;

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
	close(self->p.w);
	pid = fork();
	if (!pid) {
		int w = rb_open(O_WRONLY);

		for (int n = 0;; n++)
			rb_put(w, n, LEN);
	}
	ASSERT_TRUE(rb_wait_blocked(pid, SYS_write));
	EXPECT_EQ(-EBUSY, rb_open(O_WRONLY));
	ASSERT_EQ(0, rb_kill(pid));
	self->p.w = rb_open(O_WRONLY);
	ASSERT_LE(0, self->p.w);
	EXPECT_EQ(0, rb_get_many(self->p.r, 0, FITS));
	EXPECT_EQ(LEN, rb_put(self->p.w, FITS, LEN));
	EXPECT_EQ(LEN, rb_get(self->p.r, FITS));
}

TEST_F(ring, one_file_may_hold_itself_back)
{
	int fd;

	rb_pair_close(&self->p);
	fd = self->p.w = rb_open(O_RDWR | O_NONBLOCK);
	self->p.r = -1;
	ASSERT_EQ(0, rb_set_consumer(fd, RELIABLE));
	ASSERT_EQ(FITS, rb_write_until_held(fd, 0));
	for (int n = 0; n < 2 * FITS; n++) {
		ASSERT_EQ(LEN, rb_get(fd, n));
		ASSERT_EQ(1, rb_write_until_held(fd, n + FITS));
	}
	ASSERT_EQ(0, rb_set_consumer(fd, 0));
	EXPECT_EQ(LEN, rb_put(fd, 0, LEN));
}

TEST_F(ring, lossy_neighbours_neither_hold_nor_are_helped)
{
	int r = rb_open_reliable();
	struct ringbuf_stats s;

	for (int n = 0; n < 10 * FITS; n += FITS) {
		ASSERT_EQ(FITS, rb_write_until_held(self->p.w, n));
		ASSERT_EQ(0, rb_get_many(r, n, FITS));
	}
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(RINGBUF_STATS_OVERRUN, s.flags);
	EXPECT_EQ(info(r).tail_seq, s.lost_records);
	EXPECT_EQ(-EPIPE, rb_get(self->p.r, 0));
	EXPECT_TRUE(rb_adds_up(self->p.r));
	EXPECT_TRUE(rb_adds_up(r));
	ASSERT_EQ(0, rb_stats(r, &s));
	EXPECT_EQ(0, s.lost_records);
	close(r);
}

TEST_F(ring, the_slowest_holds)
{
	int r[4], w = self->p.w;

	for (int k = 0; k < 4; k++)
		r[k] = rb_open_reliable();
	ASSERT_EQ(FITS, rb_write_until_held(w, 0));
	for (int k = 1; k < 4; k++)
		ASSERT_EQ(0, rb_get_many(r[k], 0, k * 5));
	EXPECT_EQ(0, rb_write_until_held(w, FITS));
	close(r[0]);
	EXPECT_EQ(5, rb_write_until_held(w, FITS));
	ASSERT_EQ(0, rb_set_consumer(r[1], 0));
	EXPECT_EQ(5, rb_write_until_held(w, FITS + 5));
	ASSERT_EQ(0, rb_get_many(r[2], 10, 3));
	EXPECT_EQ(3, rb_write_until_held(w, FITS + 10));
	ASSERT_EQ(0, rb_get_many(r[2], 13, 3));
	EXPECT_EQ(2, rb_write_until_held(w, FITS + 13));
	for (int k = 1; k < 4; k++)
		close(r[k]);
	EXPECT_EQ(-EOVERFLOW, rb_write_until_held(w, 0));
}

TEST_HARNESS_MAIN
