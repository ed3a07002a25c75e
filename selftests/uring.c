// SPDX-License-Identifier: GPL-2.0
/* io_uring, by raw system calls: nothing is punted when it need not be. */
#include "uring.h"
#include "reliable.h"

FIXTURE(ring) {
	struct rb_pair p;
	struct uring u;
	int r;	/* blocking */
};

FIXTURE_SETUP(ring)
{
	int ret;

	ASSERT_EQ(0, rb_pair_open(&self->p, "size=65536"));
	self->r = rb_open(O_RDONLY);
	ASSERT_LE(0, self->r);
	ret = uring_open(&self->u);
	if (ret == -ENOSYS || ret == -EPERM)
		SKIP(return, "io_uring is off");
	ASSERT_EQ(0, ret);
}

FIXTURE_TEARDOWN(ring)
{
	close(self->u.fd);
	close(self->r);
	rb_pair_close(&self->p);
}

TEST_F(ring, a_read_of_what_is_there_completes_at_once)
{
	struct io_uring_cqe cqe;

	for (int n = 0; n < 500; n++) {
		ASSERT_EQ(100, rb_put(self->p.w, n, 100));
		queue(&self->u, IORING_OP_READ, self->r, rb_in, RB_MAX, n);
		ASSERT_EQ(1, submit(&self->u));
		ASSERT_TRUE(completed(&self->u, &cqe));
		ASSERT_EQ(n, cqe.user_data);
		ASSERT_EQ(100, cqe.res);
		ASSERT_TRUE(rb_intact(rb_in, 100, n));
	}
	EXPECT_EQ(0, workers());
}

TEST_F(ring, a_write_completes_at_once)
{
	struct io_uring_cqe cqe;

	for (int n = 0; n < 500; n++) {
		rb_fill(rb_out, 100, n);
		queue(&self->u, IORING_OP_WRITE, self->p.w, rb_out, 100, n);
		ASSERT_EQ(1, submit(&self->u));
		ASSERT_TRUE(completed(&self->u, &cqe));
		ASSERT_EQ(100, cqe.res);
		ASSERT_EQ(100, rb_get(self->r, n));
	}
	EXPECT_EQ(0, workers());
}

TEST_F(ring, a_read_of_an_empty_ring_waits_without_a_worker)
{
	struct io_uring_cqe cqe;

	for (int n = 0; n < 100; n++) {
		queue(&self->u, IORING_OP_READ, self->r, rb_in, RB_MAX, n);
		ASSERT_EQ(1, submit(&self->u));
		ASSERT_FALSE(completed(&self->u, &cqe));
		ASSERT_EQ(0, workers());
		ASSERT_EQ(30, rb_put(self->p.w, n, 30));
		ASSERT_TRUE(complete(&self->u, &cqe));
		ASSERT_EQ(30, cqe.res);
		ASSERT_TRUE(rb_intact(rb_in, 30, n));
	}
	EXPECT_EQ(0, workers());
}

TEST_F(ring, results_are_those_of_read_and_write)
{
	struct uring *u = &self->u;
	struct io_uring_cqe cqe;
	char *guard;
	size_t page;

	guard = rb_guarded(&page) + getpagesize();
	queue(u, IORING_OP_READ, self->r, rb_in, RB_MAX, 1)->rw_flags =
		RWF_NOWAIT;
	ASSERT_EQ(1, submit(u));
	ASSERT_TRUE(complete(u, &cqe));
	EXPECT_EQ(-EAGAIN, cqe.res);
	EXPECT_EQ(-EMSGSIZE, run(u, IORING_OP_WRITE, self->p.w, rb_out, 65536));
	EXPECT_EQ(-EFAULT, run(u, IORING_OP_WRITE, self->p.w, guard - 8, 100));
	EXPECT_EQ(0, run(u, IORING_OP_WRITE, self->p.w, rb_out, 0));
	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	EXPECT_EQ(30, run(u, IORING_OP_READ, self->r, rb_in, 30));
	EXPECT_EQ(-EFAULT, run(u, IORING_OP_READ, self->r, guard - 8, 100));
	EXPECT_EQ(-EBADF, run(u, IORING_OP_READ, self->p.w, rb_in, 100));
	EXPECT_EQ(70, run(u, IORING_OP_READ, self->r, rb_in + 30, 100));
	EXPECT_TRUE(rb_intact(rb_in, 100, 0));
	ASSERT_EQ(0, rb_put_many(self->p.w, 1, 1000, 100));
	EXPECT_EQ(-EPIPE, run(u, IORING_OP_READ, self->r, rb_in, 100));
	EXPECT_EQ(100, run(u, IORING_OP_READ, self->r, rb_in, 100));
}

/* Reads that wait share the record that comes: each has a piece, in some order. */
TEST_F(ring, waiting_reads_get_a_piece_each)
{
	static uint8_t buf[10][10];
	struct io_uring_cqe cqe;
	uint32_t seen = 0;
	int k;

	for (k = 0; k < 10; k++)
		queue(&self->u, IORING_OP_READ, self->r, buf[k], 10, k);
	ASSERT_EQ(10, submit(&self->u));
	ASSERT_FALSE(completed(&self->u, &cqe));
	for (k = 0; k < 100; k++)
		rb_out[k] = k;
	ASSERT_EQ(100, write(self->p.w, rb_out, 100));
	for (k = 0; k < 10; k++) {
		ASSERT_TRUE(complete(&self->u, &cqe));
		ASSERT_EQ(10, cqe.res);
		for (int i = 0; i < 10; i++)
			EXPECT_EQ(buf[cqe.user_data][0] + i,
				  buf[cqe.user_data][i]);
		seen |= 1 << buf[cqe.user_data][0] / 10;
	}
	EXPECT_EQ(1023, seen);
	EXPECT_EQ(0, rb_fionread(self->r));
	EXPECT_EQ(0, workers());
}

TEST_F(ring, framed_reads_and_writes_batch)
{
	size_t len = 0;

	ASSERT_EQ(0, rb_set_consumer(self->r, RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	for (int n = 0; n < 10; n++)
		len += rb_frame(rb_out + len, n, 50, n);
	EXPECT_EQ(len, run(&self->u, IORING_OP_WRITE, self->p.w, rb_out, len));
	EXPECT_EQ(len, run(&self->u, IORING_OP_READ, self->r, rb_in, RB_MAX));
	EXPECT_TRUE(rb_frame_ok((void *)(rb_in + len - len / 10), 9, 50));
	EXPECT_EQ(0, workers());
}

TEST_F(ring, vectors_and_registered_buffers_work)
{
	struct iovec v[2] = { { rb_in, 30 }, { rb_in + 30, 70 } };
	struct iovec fixed[2] = { { rb_in, 4096 }, { rb_out, 4096 } };
	struct io_uring_cqe cqe;

	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	EXPECT_EQ(100, run(&self->u, IORING_OP_READV, self->r, v, 2));
	EXPECT_TRUE(rb_intact(rb_in, 100, 0));
	ASSERT_EQ(0, RC(syscall(SYS_io_uring_register, self->u.fd,
				IORING_REGISTER_BUFFERS, fixed, 2)));
	rb_fill(rb_out, 100, 1);
	queue(&self->u, IORING_OP_WRITE_FIXED, self->p.w, rb_out, 100, 1)
		->buf_index = 1;
	ASSERT_EQ(1, submit(&self->u));
	ASSERT_TRUE(complete(&self->u, &cqe));
	EXPECT_EQ(100, cqe.res);
	EXPECT_EQ(100, run(&self->u, IORING_OP_READ_FIXED, self->r, rb_in, 4096));
	EXPECT_TRUE(rb_intact(rb_in, 100, 1));
}

TEST_F(ring, a_read_forced_to_a_worker_gets_its_record)
{
	struct io_uring_cqe cqe;

	queue(&self->u, IORING_OP_READ, self->r, rb_in, RB_MAX, 1)->flags =
		IOSQE_ASYNC;
	ASSERT_EQ(1, submit(&self->u));
	ASSERT_EQ(30, rb_put(self->p.w, 0, 30));
	ASSERT_TRUE(complete(&self->u, &cqe));
	EXPECT_EQ(30, cqe.res);
	EXPECT_TRUE(rb_intact(rb_in, 30, 0));
}

TEST_F(ring, a_waiting_read_can_be_cancelled_and_takes_nothing)
{
	struct io_uring_cqe cqe;
	int seen = 0;

	queue(&self->u, IORING_OP_READ, self->r, rb_in, RB_MAX, 1);
	ASSERT_EQ(1, submit(&self->u));
	queue(&self->u, IORING_OP_ASYNC_CANCEL, -1, (void *)1, 0, 2);
	ASSERT_EQ(1, submit(&self->u));
	for (int k = 0; k < 2; k++) {
		ASSERT_TRUE(complete(&self->u, &cqe));
		EXPECT_EQ(cqe.user_data == 1 ? -ECANCELED : 0, cqe.res);
		seen |= cqe.user_data;
	}
	EXPECT_EQ(3, seen);
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	EXPECT_EQ(8, rb_get(self->r, 0));
}

TEST_F(ring, waiting_reads_of_one_consumer_get_a_record_each)
{
	static char buf[64][16];
	struct io_uring_cqe cqe;
	uint64_t seen = 0;

	for (int n = 0; n < 64; n++)
		queue(&self->u, IORING_OP_READ, self->r, buf[n], 16, n);
	ASSERT_EQ(64, submit(&self->u));
	for (uint64_t n = 0; n < 64; n++)
		ASSERT_EQ(8, write(self->p.w, &n, 8));
	for (int k = 0; k < 64; k++) {
		ASSERT_TRUE(complete(&self->u, &cqe));
		ASSERT_EQ(8, cqe.res);
		seen ^= 1ULL << *(uint64_t *)buf[cqe.user_data];
	}
	EXPECT_EQ(-1ULL, seen);
	EXPECT_EQ(0, workers());
	EXPECT_EQ(0, rb_fionread(self->r));
}

TEST_F(ring, a_waiting_read_ends_at_eof)
{
	struct io_uring_cqe cqe;

	ASSERT_EQ(0, rb_set_consumer(self->r, RINGBUF_CONSUMER_EOF));
	queue(&self->u, IORING_OP_READ, self->r, rb_in, RB_MAX, 1);
	ASSERT_EQ(1, submit(&self->u));
	ASSERT_FALSE(completed(&self->u, &cqe));
	close(self->p.w);
	ASSERT_TRUE(complete(&self->u, &cqe));
	EXPECT_EQ(0, cqe.res);
}

TEST_F(ring, poll_requests_see_records)
{
	struct io_uring_cqe cqe;

	queue(&self->u, IORING_OP_POLL_ADD, self->r, NULL, 0, 1)
		->poll32_events = poll32(POLLIN);
	ASSERT_EQ(1, submit(&self->u));
	ASSERT_FALSE(completed(&self->u, &cqe));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	ASSERT_TRUE(complete(&self->u, &cqe));
	EXPECT_EQ(POLLIN, cqe.res);
}

TEST_F(ring, a_waiting_read_completes_at_its_mark)
{
	struct io_uring_cqe cqe;
	int len = 3 * RINGBUF_FRAME_SIZE(8);

	ASSERT_EQ(0, rb_set_mark(self->r, RINGBUF_CONSUMER_FRAMED, 0, 3, 0));
	for (int n = 0; n < 100; n++) {
		queue(&self->u, IORING_OP_READ, self->r, rb_in, RB_MAX, n);
		ASSERT_EQ(1, submit(&self->u));
		ASSERT_EQ(0, rb_put_many(self->p.w, 0, 2, 8));
		/* Lets it do what it would do. */
		ASSERT_EQ(0, submit(&self->u));
		ASSERT_FALSE(completed(&self->u, &cqe));
		ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
		ASSERT_TRUE(complete(&self->u, &cqe));
		ASSERT_EQ(len, cqe.res);
	}
	ASSERT_EQ(0, rb_set_mark(self->r, RINGBUF_CONSUMER_FRAMED, 0, 3, 20000000));
	queue(&self->u, IORING_OP_READ, self->r, rb_in, RB_MAX, 1);
	ASSERT_EQ(1, submit(&self->u));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	ASSERT_TRUE(complete(&self->u, &cqe));
	EXPECT_EQ(len / 3, cqe.res);
	/* What is there it takes, however little. */
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	EXPECT_EQ(len / 3, run(&self->u, IORING_OP_READ, self->r, rb_in, RB_MAX));
	EXPECT_EQ(0, workers());
}

TEST_F(ring, poll_requests_wait_for_the_mark)
{
	struct io_uring_cqe cqe;

	queue(&self->u, IORING_OP_POLL_ADD, self->r, NULL, 0, 1)
		->poll32_events = poll32(POLLIN);
	ASSERT_EQ(1, submit(&self->u));
	ASSERT_EQ(0, rb_set_mark(self->r, 0, 2 * RINGBUF_FRAME_SIZE(8), 0, 0));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	ASSERT_EQ(0, submit(&self->u));
	ASSERT_FALSE(completed(&self->u, &cqe));
	ASSERT_EQ(8, rb_put(self->p.w, 1, 8));
	ASSERT_TRUE(complete(&self->u, &cqe));
	EXPECT_EQ(POLLIN, cqe.res);

	ASSERT_EQ(8, rb_get(self->r, 0));
	ASSERT_EQ(0, rb_set_mark(self->r, 0, -1U, 0, 20000000));
	queue(&self->u, IORING_OP_POLL_ADD, self->r, NULL, 0, 2)
		->poll32_events = poll32(POLLIN);
	ASSERT_EQ(1, submit(&self->u));
	ASSERT_TRUE(complete(&self->u, &cqe));
	EXPECT_EQ(POLLIN, cqe.res);
}

/* A wakeup tells io_uring what has come about; it does not ask again. */
TEST_F(ring, poll_requests_are_told_what_is_true_of_their_consumer)
{
	struct io_uring_cqe cqe;

	queue(&self->u, IORING_OP_POLL_ADD, self->r, NULL, 0, 1)
		->poll32_events = poll32(POLLIN);
	ASSERT_EQ(1, submit(&self->u));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_EOF));
	ASSERT_EQ(0, submit(&self->u));
	EXPECT_FALSE(completed(&self->u, &cqe));
	close(self->p.w);
	self->p.w = rb_open(O_WRONLY);
	ASSERT_EQ(0, submit(&self->u));
	EXPECT_FALSE(completed(&self->u, &cqe));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	ASSERT_TRUE(complete(&self->u, &cqe));
	EXPECT_EQ(POLLIN, cqe.res);
}

/* One of two that hold lets go: no room yet, and no completion. */
TEST_F(ring, poll_requests_for_room_see_whoever_holds)
{
	struct io_uring_cqe cqe;
	int a, b;

	rb_pair_close(&self->p);
	close(self->r);
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096 reliable=1"));
	self->r = rb_open(O_RDONLY);
	a = rb_open_reliable();
	b = rb_open_reliable();
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	queue(&self->u, IORING_OP_POLL_ADD, self->p.w, NULL, 0, 1)->
		poll32_events = poll32(POLLOUT);
	ASSERT_EQ(1, submit(&self->u));
	ASSERT_FALSE(completed(&self->u, &cqe));
	ASSERT_EQ(0, rb_get_many(a, 0, FITS));
	usleep(20000);
	/* Completions may wait for the next call. */
	submit(&self->u);
	EXPECT_FALSE(completed(&self->u, &cqe));
	ASSERT_EQ(0, rb_get_many(b, 0, FITS));
	ASSERT_TRUE(complete(&self->u, &cqe));
	EXPECT_EQ(POLLOUT, cqe.res & POLLOUT);
	close(a);
	close(b);
}

TEST_F(ring, waiting_reads_do_not_outlive_their_process)
{
	int ready[2];
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid) {
		struct uring u = { 0 };

		if (uring_open(&u))
			_exit(1);
		queue(&u, IORING_OP_READ, rb_open(O_RDONLY), rb_in, 64, 1);
		c = submit(&u) == 1;
		if (write(ready[1], &c, 1) != 1)
			_exit(2);
		pause();
	}
	ASSERT_EQ(1, read(ready[0], &c, 1));
	EXPECT_EQ(1, c);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(-SIGKILL, rb_reap(pid));
	rb_pair_close(&self->p);
	close(self->r);
	close(self->u.fd);
	EXPECT_EQ(0, rb_remove_wait());
	self->p.w = self->p.r = self->r = self->u.fd = -1;
}

TEST_HARNESS_MAIN
