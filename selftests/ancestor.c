// SPDX-License-Identifier: GPL-2.0
/*
 * The ways in which the ancestor, a ring for goroutines, fails, each by its name.
 * Those that are not here are elsewhere:
 *
 * - counters that wrap: KUnit, ringbuf_core.counters_cross;
 * - a join that races the writer: relstress, KUnit ringbuf_threads, native threads;
 * - consumers made at the same moment, and slots of the dead: holds;
 * - a copied handle: share; size 0: life; a consumer that dies: stall, holds;
 * - no close that wakes: ringend.
 */
#include "reliable.h"

/* Some time in which nothing happens, and the CPU time that may go by in it. */
#define IDLE_MS		400
#define IDLE_CPU_MS	20

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

/* Closed, made lossy and closed again: the next owner of the number holds on. */
TEST_F(ring, a_consumer_removed_twice_disables_nobody_else)
{
	int old, fd, copy;

	old = rb_open_reliable();
	ASSERT_LE(0, old);
	copy = dup(old);
	ASSERT_EQ(0, rb_set_consumer(old, 0));
	ASSERT_EQ(0, rb_set_consumer(copy, 0));
	close(old);
	fd = rb_open_reliable();
	ASSERT_EQ(old, fd);
	/* The copy is still the old one. */
	EXPECT_EQ(0, rb_set_consumer(copy, RELIABLE));
	EXPECT_EQ(2, rb_count_reliable(fd));
	EXPECT_EQ(0, rb_set_consumer(copy, 0));
	close(copy);
	EXPECT_EQ(-EBADF, RC(close(copy)));
	EXPECT_EQ(1, rb_count_reliable(fd));

	EXPECT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	EXPECT_EQ(0, rb_get_many(fd, 0, FITS));
	EXPECT_TRUE(rb_adds_up(fd));
	close(fd);
}

TEST_F(ring, a_read_after_removal_steals_nothing)
{
	struct rb_op op;
	int fd, other;

	fd = rb_open(O_RDONLY);
	other = rb_open(O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, other);
	ASSERT_TRUE(rb_op_block(&op, SYS_read, fd, rb_in, sizeof(rb_in)));
	/* While it sleeps there. */
	close(fd);
	EXPECT_EQ(-EBADF, RC(read(fd, rb_in, sizeof(rb_in))));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, LEN));
	EXPECT_EQ(LEN, rb_op_wait(&op));
	EXPECT_EQ(-EBADF, RC(read(fd, rb_in, sizeof(rb_in))));
	/* It took the first record from nobody, and has gone with its cursor. */
	EXPECT_EQ(0, rb_get_many(other, 0, 3));
	EXPECT_EQ(0, rb_get_many(self->p.r, 0, 3));
	close(other);
}

/* A second handle on the writer is no second head. */
TEST_F(ring, a_copied_writer_forks_no_head)
{
	struct ringbuf_info i;
	int copy = dup(self->p.w);
	pid_t pid;

	ASSERT_LE(0, copy);
	EXPECT_EQ(LEN, rb_put(self->p.w, 0, LEN));
	EXPECT_EQ(LEN, rb_put(copy, 1, LEN));
	pid = fork();
	if (!pid)
		_exit(rb_put(copy, 2, LEN) != LEN);
	EXPECT_EQ(0, rb_reap(pid));
	EXPECT_EQ(LEN, rb_put(self->p.w, 3, LEN));
	EXPECT_EQ(0, rb_get_many(self->p.r, 0, 4));
	EXPECT_EQ(0, rb_info(copy, &i));
	EXPECT_EQ(4, i.head_seq);
	close(copy);
}

/* There is a try, a timeout, and a way to end a wait. */
TEST_F(ring, a_wait_can_be_tried_limited_and_ended)
{
	struct pollfd p = { .fd = self->p.r, .events = POLLIN };
	struct rb_op op;
	long before;
	int fd;

	EXPECT_EQ(-EAGAIN, RC(read(self->p.r, rb_in, sizeof(rb_in))));
	before = rb_now_ms();
	EXPECT_EQ(0, RC(poll(&p, 1, 50)));
	EXPECT_LE(50, rb_now_ms() - before);

	fd = rb_open(O_RDONLY);
	ASSERT_TRUE(rb_op_block(&op, SYS_read, fd, rb_in, sizeof(rb_in)));
	ASSERT_EQ(0, rb_set_consumer(fd, RINGBUF_CONSUMER_EOF));
	close(self->p.w);
	EXPECT_EQ(0, rb_op_wait(&op));
	close(fd);
}

/* CPU time of a thread of this process, in ms. */
static long long cpu_ms(const struct rb_op *op)
{
	struct timespec ts;
	clockid_t clock;

	if (pthread_getcpuclockid(op->thread, &clock) ||
	    clock_gettime(clock, &ts))
		return -1;
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* What a call that waits costs while nothing happens; -1: cannot tell. */
static long long idle_cost(const struct rb_op *op)
{
	long long before = cpu_ms(op), sleeps;
	pid_t tid = atomic_load(&op->tid);

	sleeps = rb_sleeps(tid);
	usleep(IDLE_MS * 1000);
	if (before < 0 || !rb_in_syscall(tid, op->nr))
		return -1;
	/* It has not been up for a moment, either. */
	if (rb_sleeps(tid) != sleeps)
		return IDLE_MS;
	return cpu_ms(op) - before;
}

TEST_F(ring, an_idle_reader_burns_no_cpu)
{
	struct pollfd p = { .events = POLLIN };
	struct rb_op reader, poller;
	long long cost;
	int fd;

	/* Of a consumer each, or one takes the other's record. */
	p.fd = rb_open(O_RDONLY);
	fd = rb_open(O_RDONLY);
	ASSERT_TRUE(rb_op_block(&reader, SYS_read, fd, rb_in, 1024));
	ASSERT_TRUE(rb_op_block(&poller, SYS_poll, (long)&p, (void *)1, -1));
	cost = idle_cost(&reader);
	EXPECT_LE(0, cost);
	EXPECT_GE(IDLE_CPU_MS, cost);
	cost = idle_cost(&poller);
	EXPECT_LE(0, cost);
	EXPECT_GE(IDLE_CPU_MS, cost);
	ASSERT_EQ(LEN, rb_put(self->p.w, 0, LEN));
	EXPECT_EQ(LEN, rb_op_wait(&reader));
	EXPECT_EQ(1, rb_op_wait(&poller));
	close(p.fd);
	close(fd);
}

TEST_F(ring, a_writer_that_is_held_burns_no_cpu)
{
	static uint8_t rec[LEN];
	struct rb_op writer;
	long long cost;

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	rb_fill(rec, LEN, FITS);
	ASSERT_TRUE(rb_op_block(&writer, SYS_write, self->p.w, rec, LEN));
	cost = idle_cost(&writer);
	EXPECT_LE(0, cost);
	EXPECT_GE(IDLE_CPU_MS, cost);
	EXPECT_EQ(0, rb_get_many(self->p.r, 0, FITS));
	EXPECT_EQ(LEN, rb_op_wait(&writer));
	EXPECT_EQ(LEN, rb_get(self->p.r, FITS));
}

TEST_HARNESS_MAIN
