// SPDX-License-Identifier: GPL-2.0
/*
 * When a reliable consumer is asked to make way: when a write was refused or waits,
 * and for what the writer polls for from then on; never by a poll alone.
 */
#include "epoll.h"
#include "reliable.h"
#include "uring.h"

#include <sys/select.h>

#define STALL_MS	200

static bool demoted(int fd)
{
	struct ringbuf_stats s;

	return !rb_stats(fd, &s) && s.flags & RINGBUF_STATS_DEMOTED &&
	       !(rb_flags(fd) & RELIABLE);
}

/* Within RB_WAIT_MS, but not before STALL_MS from @since on. */
static bool demoted_in_time(int fd, long since)
{
	while (!demoted(fd)) {
		if (rb_now_ms() - since > RB_WAIT_MS)
			return false;
		usleep(1000);
	}
	return rb_now_ms() - since >= STALL_MS;
}

/* The machine stood still: what was to be done before is too late. */
static bool too_late(long since)
{
	return rb_now_ms() - since >= STALL_MS;
}

/* Reliable again, with nothing to read; then the ring is full, and a write refused. */
static int fill_anew(struct rb_pair *p, int len)
{
	int ret = rb_set_consumer(p->r, 0);

	if (ret || lseek(p->r, 0, SEEK_END) < 0)
		return ret ? ret : -errno;
	ret = rb_set_consumer(p->r, RELIABLE);
	if (ret)
		return ret;
	while ((ret = rb_put(p->w, 0, len)) == len)
		;
	return ret == -EAGAIN ? 0 : ret;
}

/* A writer that does not block, and a reliable consumer. */
FIXTURE(ring) {
	struct rb_pair p;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096 reliable=1 stall_ms=200"));
	close(self->p.w);
	self->p.w = rb_open(O_WRONLY | O_NONBLOCK);
	ASSERT_LE(0, self->p.w);
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
}

FIXTURE_TEARDOWN(ring)
{
	rb_pair_close(&self->p);
}

/* Ways to ask whether there is room for the largest record. */
enum how { POLL, SELECT, LEVEL, EDGE, URING };

FIXTURE(polled) {
	struct rb_pair p;
	int ep;
	struct uring u;
};

FIXTURE_VARIANT(polled) {
	enum how how;
};

FIXTURE_VARIANT_ADD(polled, poll) { .how = POLL };
FIXTURE_VARIANT_ADD(polled, select) { .how = SELECT };
FIXTURE_VARIANT_ADD(polled, epoll_level) { .how = LEVEL };
FIXTURE_VARIANT_ADD(polled, epoll_edge) { .how = EDGE };
FIXTURE_VARIANT_ADD(polled, io_uring) { .how = URING };

FIXTURE_SETUP(polled)
{
	int ret;

	self->u.fd = self->ep = -1;
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=65536 reliable=1 stall_ms=200"));
	close(self->p.w);
	self->p.w = rb_open(O_WRONLY | O_NONBLOCK);
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
	if (variant->how == LEVEL || variant->how == EDGE) {
		self->ep = epoll_create1(EPOLL_CLOEXEC);
		ASSERT_EQ(0, watch(self->ep, self->p.w, variant->how == EDGE ?
				   EPOLLOUT | EPOLLET : EPOLLOUT));
	}
	if (variant->how != URING)
		return;
	ret = uring_open(&self->u);
	if (ret == -ENOSYS || ret == -EPERM)
		SKIP(return, "io_uring is off");
	ASSERT_EQ(0, ret);
}

FIXTURE_TEARDOWN(polled)
{
	close(self->u.fd);
	close(self->ep);
	rb_pair_close(&self->p);
}

/* Is there room? Waits for it for up to @ms. */
static bool room(enum how how, int w, int ep, struct uring *u, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
	struct pollfd p = { .fd = w, .events = POLLOUT };
	struct io_uring_cqe cqe = { 0 };
	fd_set out;
	long end;

	switch (how) {
	case POLL:
		return poll(&p, 1, ms) == 1;
	case SELECT:
		FD_ZERO(&out);
		FD_SET(w, &out);
		return select(w + 1, NULL, &out, NULL, &tv) == 1;
	case LEVEL:
	case EDGE:
		return epolled(ep, ms) == EPOLLOUT;
	case URING:
		break;
	}
	queue(u, IORING_OP_POLL_ADD, w, NULL, 0, 1)->poll32_events = poll32(POLLOUT);
	if (submit(u) != 1)
		return false;
	for (end = rb_now_ms() + ms; !completed(u, &cqe); usleep(1000)) {
		if (rb_now_ms() < end) {
			submit(u);
			continue;
		}
		queue(u, IORING_OP_ASYNC_CANCEL, 0, (void *)1, 0, 2);
		submit(u);
		/* Both of them. */
		return complete(u, &cqe) && complete(u, &cqe) && false;
	}
	return cqe.res & POLLOUT;
}

/* What a program does that looks before it writes: nobody holds it. */
TEST_F(polled, a_poll_asks_nobody)
{
	uint64_t n = 0;

	/* The consumer lags by 80 % of the ring. */
	while (n < 65536 * 8 / 10 / 32)
		ASSERT_EQ(8, rb_put(self->p.w, n++, 8));
	for (int k = 0; k < 10; k++) {
		EXPECT_FALSE(room(variant->how, self->p.w, self->ep, &self->u,
				  STALL_MS / 4));
		ASSERT_EQ(8, rb_put(self->p.w, n++, 8));
	}
	usleep(2 * STALL_MS * 1000);
	EXPECT_FALSE(demoted(self->p.r));
	EXPECT_EQ(1, rb_count_reliable(self->p.r));
	EXPECT_EQ(0, rb_attr("holder"));
	/* It did not come too late for the first write that is refused, either. */
	while (rb_put(self->p.w, n, 8) == 8)
		n++;
	ASSERT_EQ(65536 / 32, n);
	EXPECT_EQ(0, rb_get_many(self->p.r, 0, n));
}

/* The record that was refused has room by then, and the largest has not. */
TEST_F(polled, a_poll_goes_on_with_the_wait_of_a_refused_write)
{
	uint64_t n = 0;
	long since;

	if (variant->how == EDGE)
		EXPECT_TRUE(room(variant->how, self->p.w, self->ep, &self->u, 0));
	while (rb_put(self->p.w, n, 8) == 8)
		n++;
	since = rb_now_ms();
	for (int k = 0; k < 20; k++)
		ASSERT_EQ(8, rb_get(self->p.r, k));
	EXPECT_TRUE(room(variant->how, self->p.w, self->ep, &self->u, RB_WAIT_MS));
	EXPECT_LE(STALL_MS, rb_now_ms() - since);
	EXPECT_TRUE(demoted(self->p.r));
	EXPECT_EQ(8, rb_put(self->p.w, n, 8));
}

/* A write that succeeds ends the wait, and the time that holds have for it. */
TEST_F(polled, a_poll_after_a_write_asks_nobody)
{
	long since;

	do {
		since = rb_now_ms();
		ASSERT_EQ(0, fill_anew(&self->p, 8));
		room(variant->how, self->p.w, self->ep, &self->u, 0);
		ASSERT_EQ(8, read(self->p.r, rb_in, RB_MAX));
		ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	} while (too_late(since));
	for (int k = 0; k < 4; k++)
		EXPECT_FALSE(room(variant->how, self->p.w, self->ep, &self->u,
				  STALL_MS / 2));
	usleep(STALL_MS * 1000);
	EXPECT_FALSE(demoted(self->p.r));
	EXPECT_EQ(0, rb_attr("holder"));
}

/* The poll comes first, and another thread's write is refused. */
TEST_F(ring, a_refused_write_goes_for_those_who_poll_already)
{
	struct pollfd p = { .fd = self->p.w, .events = POLLOUT };
	struct rb_op op;
	long since;

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, FITS, LEN));
	ASSERT_TRUE(rb_op_block(&op, SYS_poll, (long)&p, (void *)1, -1));
	usleep(2 * STALL_MS * 1000);
	EXPECT_FALSE(demoted(self->p.r));
	EXPECT_TRUE(rb_op_stays(&op));
	since = rb_now_ms();
	EXPECT_EQ(-EAGAIN, rb_put(self->p.w, 0, LEN));
	/* It makes way for that one, and not for what is polled for. */
	ASSERT_EQ(0, rb_get_many(self->p.r, 0, 2));
	EXPECT_EQ(1, rb_op_wait(&op));
	EXPECT_EQ(POLLOUT, p.revents);
	EXPECT_LE(STALL_MS, rb_now_ms() - since);
	EXPECT_TRUE(demoted(self->p.r));
}

/* Nobody waits in a call: the time runs all the same, and nobody has to write again. */
TEST_F(ring, a_refused_write_waits_though_it_has_returned)
{
	long since = rb_now_ms();

	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	EXPECT_TRUE(demoted_in_time(self->p.r, since));
	EXPECT_EQ(LEN, rb_put(self->p.w, FITS, LEN));
}

/* What was asked for a record that is forgotten, since another one was written. */
TEST_F(ring, a_write_that_succeeds_ends_the_wait)
{
	long since;

	do {
		since = rb_now_ms();
		ASSERT_EQ(0, fill_anew(&self->p, LEN));
		EXPECT_EQ(-EAGAIN, rb_put(self->p.w, 0, LARGEST));
		ASSERT_EQ(LEN, read(self->p.r, rb_in, RB_MAX));
		ASSERT_EQ(LEN, rb_put(self->p.w, 0, LEN));
	} while (too_late(since));
	usleep(2 * STALL_MS * 1000);
	EXPECT_FALSE(demoted(self->p.r));
	since = rb_now_ms();
	EXPECT_EQ(-EAGAIN, rb_put(self->p.w, 0, LARGEST));
	EXPECT_TRUE(demoted_in_time(self->p.r, since));
}

/* Others write meanwhile, and the one that sleeps has been waiting all the time. */
TEST_F(ring, a_write_that_sleeps_waits_though_others_write)
{
	uint64_t n = FITS, read = 0;
	struct rb_op op;
	long since;

	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	ASSERT_EQ(0, fcntl(self->p.w, F_SETFL, 0));
	since = rb_now_ms();
	ASSERT_TRUE(rb_op_block(&op, SYS_write, self->p.w, rb_out, LARGEST));
	ASSERT_EQ(0, fcntl(self->p.w, F_SETFL, O_NONBLOCK));
	/* Each makes room for one, which is refused before; not for all 8. */
	for (int k = 0; k < 7 && !demoted(self->p.r); k++) {
		ASSERT_EQ(LEN, rb_get(self->p.r, read++));
		if (rb_put(self->p.w, n, LEN) == LEN)
			n++;
		rb_put(self->p.w, n, LEN);
		usleep(STALL_MS * 1000 / 4);
	}
	EXPECT_TRUE(demoted_in_time(self->p.r, since));
	EXPECT_EQ(LARGEST, rb_op_wait(&op));
}

/* io_uring waits in the place of the caller: as a write() that was refused. */
TEST_F(ring, a_write_of_io_uring_waits)
{
	struct io_uring_cqe cqe;
	struct uring u;
	long since;
	int ret = uring_open(&u);

	if (ret == -ENOSYS || ret == -EPERM)
		SKIP(return, "io_uring is off");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, fcntl(self->p.w, F_SETFL, 0));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, FITS, LEN));
	usleep(2 * STALL_MS * 1000);
	EXPECT_FALSE(demoted(self->p.r));
	since = rb_now_ms();
	queue(&u, IORING_OP_WRITE, self->p.w, rb_out, LEN, 1);
	ASSERT_EQ(1, submit(&u));
	ASSERT_TRUE(complete(&u, &cqe));
	EXPECT_EQ(LEN, cqe.res);
	EXPECT_LE(STALL_MS, rb_now_ms() - since);
	EXPECT_TRUE(demoted(self->p.r));
	close(u.fd);
}

/* The next writer has nothing to do with what the last one waited for. */
TEST_F(ring, a_writer_that_goes_waits_no_more)
{
	long since;

	do {
		since = rb_now_ms();
		ASSERT_EQ(0, fill_anew(&self->p, LEN));
		close(self->p.w);
		self->p.w = rb_open(O_WRONLY | O_NONBLOCK);
		ASSERT_LE(0, self->p.w);
	} while (too_late(since));
	usleep(2 * STALL_MS * 1000);
	EXPECT_FALSE(demoted(self->p.r));
	for (int k = 0; k < FITS; k++)
		EXPECT_EQ(LEN, read(self->p.r, rb_in, RB_MAX));
}

/*
 * Consumers come by turns, each while another one holds: the writer is held no longer
 * than by one.
 */
TEST_F(ring, taking_turns_buys_no_time)
{
	long since = rb_now_ms();
	int fd[2] = { self->p.r, -1 };
	int ret, k = 1;

	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	while ((ret = rb_put(self->p.w, 0, LEN)) == -EAGAIN &&
	       rb_now_ms() - since < 20 * STALL_MS) {
		fd[k] = rb_open_reliable();
		ASSERT_LE(0, fd[k]);
		k = !k;
		close(fd[k]);
		usleep(1000);
	}
	EXPECT_EQ(LEN, ret);
	EXPECT_LE(STALL_MS, rb_now_ms() - since);
	self->p.r = fd[!k];
	EXPECT_TRUE(demoted(self->p.r));
}

/* Hundreds that hold, in any order: each has its time, and no one a second one. */
TEST_F(ring, many_are_demoted_at_once)
{
	static int fd[500];
	struct rlimit limit = { 600, 600 };
	long since;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (int k = 0; k < 500; k++) {
		fd[k] = rb_open_reliable();
		ASSERT_LE(0, fd[k]);
	}
	since = rb_now_ms();
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	/* Each fifth makes way. */
	for (int k = 0; k < 500; k += 5)
		ASSERT_EQ(0, rb_get_many(fd[k], 0, 3));
	EXPECT_TRUE(demoted_in_time(self->p.r, since));
	EXPECT_EQ(LEN, rb_put(self->p.w, FITS, LEN));
	EXPECT_EQ(100, rb_count_reliable(self->p.w));
	for (int k = 0; k < 500; k++)
		EXPECT_EQ(k % 5 > 0, demoted(fd[k]));
	/* Those that were demoted come back, or leave. */
	for (int k = 1; k < 500; k += 5)
		EXPECT_EQ(0, rb_set_consumer(fd[k], RELIABLE));
	EXPECT_EQ(200, rb_count_reliable(self->p.w));
	for (int k = 0; k < 500; k++)
		close(fd[k]);
	EXPECT_EQ(0, rb_count_reliable(self->p.w));
	EXPECT_EQ(-EOVERFLOW, rb_write_until_held(self->p.w, 0));
}

TEST_HARNESS_MAIN
