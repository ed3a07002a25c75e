// SPDX-License-Identifier: GPL-2.0
/* poll() of a writer that is held; who holds, and for how long. */
#include "reliable.h"

#include <sys/epoll.h>

#define STALL_MS	200

static int events(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI };
	int ret = RC(poll(&p, 1, 0));

	return ret < 0 ? ret : p.revents;
}

static int epolled(int ep, int ms)
{
	struct epoll_event e = { 0 };
	int ret = RC(epoll_wait(ep, &e, 1, ms));

	return ret < 0 ? ret : ret ? (int)e.events : 0;
}

static int watch(int fd, uint32_t what)
{
	struct epoll_event e = { .events = what };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	int ret = RC(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));

	return ret ? ret : ep;
}

/* The device for both, nonblocking, and a reliable consumer. */
FIXTURE(ring) {
	struct rb_pair p;
};

static int setup(struct rb_pair *p, const char *params)
{
	int ret = rb_pair_open(p, params);

	if (ret)
		return ret;
	close(p->w);
	p->w = rb_open(O_RDWR | O_NONBLOCK);
	return rb_set_consumer(p->r, RELIABLE);
}

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, setup(&self->p, "size=4096 reliable=1"));
}

FIXTURE_TEARDOWN(ring)
{
	rb_pair_close(&self->p);
}

TEST_F(ring, out_when_the_largest_record_would_not_block)
{
	int w = self->p.w;

	for (int n = 0; n < FITS; n++) {
		int out = (FITS - n) * FRAME >= LARGEST_FRAME ? POLLOUT : 0;

		EXPECT_EQ(out | (n ? POLLIN : 0), events(w)) TH_LOG("%d", n);
		EXPECT_EQ(n ? POLLIN : 0, events(self->p.r));
		ASSERT_EQ(LEN, rb_put(w, n, LEN));
	}
	EXPECT_EQ(POLLIN, events(w));
	ASSERT_EQ(0, rb_get_many(self->p.r, 0, 7));
	EXPECT_EQ(POLLIN, events(w));
	ASSERT_EQ(LEN, rb_get(self->p.r, 7));
	EXPECT_EQ(POLLIN | POLLOUT, events(w));
	/* That overruns the writer's own consumer. */
	ASSERT_EQ(LARGEST, rb_put(w, 0, LARGEST));
	EXPECT_EQ(POLLIN | POLLPRI, events(w));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, 0));
	EXPECT_EQ(POLLIN | POLLPRI | POLLOUT, events(w));
}

TEST_F(ring, a_sleeping_poll_is_woken_when_it_comes_true)
{
	struct pollfd p = { .fd = self->p.w, .events = POLLOUT };
	long long before;
	struct rb_op op;

	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	ASSERT_TRUE(rb_op_block(&op, SYS_poll, (long)&p, (void *)1, -1));
	before = rb_sleeps(atomic_load(&op.tid));
	for (int n = 0; n < 7; n++) {
		ASSERT_EQ(LEN, rb_get(self->p.r, n));
		usleep(1000);
	}
	EXPECT_TRUE(rb_op_stays(&op));
	EXPECT_EQ(before, rb_sleeps(atomic_load(&op.tid)));
	ASSERT_EQ(LEN, rb_get(self->p.r, 7));
	EXPECT_EQ(1, rb_op_wait(&op));
	EXPECT_EQ(POLLOUT, p.revents);
}

TEST_F(ring, a_sleeping_poll_is_woken_by_who_leaves)
{
	struct pollfd p = { .fd = self->p.w, .events = POLLOUT };
	struct rb_op op;

	for (int n = 0; n < 3; n++) {
		ASSERT_LE(0, rb_write_until_held(self->p.w, 0));
		ASSERT_TRUE(rb_op_block(&op, SYS_poll, (long)&p, (void *)1, -1));
		if (n < 2) {
			ASSERT_EQ(0, rb_set_consumer(self->p.r, 0));
			EXPECT_EQ(1, rb_op_wait(&op));
			ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
			continue;
		}
		close(self->p.r);
		EXPECT_EQ(1, rb_op_wait(&op));
	}
}

TEST_F(ring, level_triggered_epoll_tells_as_long_as_it_is_true)
{
	int ep = watch(self->p.w, EPOLLOUT);

	EXPECT_EQ(EPOLLOUT, epolled(ep, 0));
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	EXPECT_EQ(0, epolled(ep, 0));
	ASSERT_EQ(0, rb_get_many(self->p.r, 0, 8));
	EXPECT_EQ(EPOLLOUT, epolled(ep, RB_WAIT_MS));
	EXPECT_EQ(EPOLLOUT, epolled(ep, 0));
	close(ep);
}

/* Nobody looks at the writer between the write that fails and the edge. */
TEST_F(ring, edge_triggered_epoll_tells_after_each_refusal)
{
	int ep = watch(self->p.w, EPOLLOUT | EPOLLET);
	uint64_t n = 0, got = 0;

	EXPECT_EQ(EPOLLOUT, epolled(ep, 0));
	for (int round = 0; round < 100; round++) {
		n += rb_write_until_held(self->p.w, n);
		EXPECT_EQ(0, epolled(ep, 0));
		/* By turns at once and in steps, with and without a look. */
		for (int k = 0; k < 8 + round % 3; k++) {
			ASSERT_EQ(LEN, rb_get(self->p.r, got++));
			if (round % 2 && k < 7)
				ASSERT_EQ(0, epolled(ep, 0));
		}
		ASSERT_EQ(EPOLLOUT, epolled(ep, RB_WAIT_MS)) TH_LOG("%d", round);
	}
	close(ep);
}

TEST_F(ring, an_edge_that_was_asked_for_later_comes_too)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	int ep = watch(self->p.w, EPOLLIN);

	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_MOD, self->p.w, &e));
	EXPECT_EQ(EPOLLIN, epolled(ep, 0));
	EXPECT_EQ(0, epolled(ep, 0));
	ASSERT_EQ(0, rb_get_many(self->p.r, 0, 8));
	EXPECT_EQ(EPOLLIN | EPOLLOUT, epolled(ep, RB_WAIT_MS));
	close(ep);
}

/* A writer that waits in each way, and a reader that is now fast, now slow. */
enum waiter { BLOCKING, POLLED, LEVEL, EDGE };

FIXTURE(rally) {
	struct rb_pair p;
};

FIXTURE_VARIANT(rally) {
	enum waiter how;
};

FIXTURE_VARIANT_ADD(rally, write) { .how = BLOCKING };
FIXTURE_VARIANT_ADD(rally, poll) { .how = POLLED };
FIXTURE_VARIANT_ADD(rally, epoll_level) { .how = LEVEL };
FIXTURE_VARIANT_ADD(rally, epoll_edge) { .how = EDGE };

FIXTURE_SETUP(rally)
{
	ASSERT_EQ(0, setup(&self->p, "size=4096 reliable=1"));
}

FIXTURE_TEARDOWN(rally)
{
	rb_pair_close(&self->p);
}

struct writer {
	enum waiter how;
	int fd;
	uint64_t total;
	atomic_long n;
	int error;
};

static size_t length(uint64_t n)
{
	return 8 + n * 7 % 97 + (n % 50 ? 0 : 800);
}

static void *write_on(void *arg)
{
	struct writer *w = arg;
	struct pollfd p = { .fd = w->fd, .events = POLLOUT };
	int ep = watch(w->fd, w->how == EDGE ? EPOLLOUT | EPOLLET : EPOLLOUT);
	uint64_t n = 0;
	int ret;

	fcntl(w->fd, F_SETFL, w->how == BLOCKING ? 0 : O_NONBLOCK);
	while (n < w->total && !w->error) {
		ret = rb_put(w->fd, n, length(n));
		if (ret == (int)length(n))
			atomic_store(&w->n, ++n);
		else if (ret != -EAGAIN || w->how == BLOCKING)
			w->error = ret;
		else if (w->how == POLLED ? poll(&p, 1, RB_WAIT_MS) != 1 :
			 epolled(ep, RB_WAIT_MS) != EPOLLOUT)
			w->error = -ETIMEDOUT;
	}
	close(ep);
	return NULL;
}

TEST_F_TIMEOUT(rally, no_wakeup_is_missed, 120)
{
	struct writer w = {
		.how = variant->how, .fd = self->p.w,
		.total = rb_quick() ? 20000 : 200000,
	};
	struct pollfd p = { .fd = self->p.r, .events = POLLIN };
	uint64_t n = 0;
	pthread_t t;
	int ret;

	ASSERT_EQ(0, pthread_create(&t, NULL, write_on, &w));
	while (n < w.total) {
		ret = rb_get(self->p.r, n);
		if (ret == -EAGAIN) {
			ASSERT_EQ(1, poll(&p, 1, RB_WAIT_MS))
				TH_LOG("stuck at %d: wrote %ld, error %d", (int)n,
				       atomic_load(&w.n), w.error);
			continue;
		}
		ASSERT_EQ(length(n), ret) TH_LOG("record %d", (int)n);
		n++;
		if (n % 1000 < 50)
			sched_yield();
		if (n % 5000 == 0)
			usleep(2000);
	}
	ASSERT_EQ(0, rb_join(t, "writer"));
	EXPECT_EQ(0, w.error);
	EXPECT_TRUE(rb_adds_up(self->p.r));
}

FIXTURE(stall) {
	struct rb_pair p;
};

FIXTURE_SETUP(stall)
{
	ASSERT_EQ(0, setup(&self->p, "size=4096 reliable=1 stall_ms=200"));
	ASSERT_EQ(STALL_MS, rb_attr("stall_ms"));
}

FIXTURE_TEARDOWN(stall)
{
	rb_pair_close(&self->p);
}

static bool demoted(int fd)
{
	struct ringbuf_stats s;

	return !rb_stats(fd, &s) && s.flags & RINGBUF_STATS_DEMOTED &&
	       !(rb_flags(fd) & RELIABLE);
}

#define EXPECT_IN_TIME(began) do {					\
	long __took = rb_now_ms() - (began);				\
	EXPECT_LE(STALL_MS, __took);					\
	EXPECT_GE(STALL_MS + 500, __took);				\
} while (0)

TEST_F(stall, a_blocked_write_goes_on_by_itself)
{
	int r = self->p.r, w = self->p.w;
	struct ringbuf_stats s;
	struct rb_op op;
	long began;

	ASSERT_EQ(FITS, rb_write_until_held(w, 0));
	ASSERT_EQ(0, fcntl(w, F_SETFL, 0));
	/* The refused one began to wait, and full is not held. */
	ASSERT_EQ(LEN, rb_get(r, 0));
	ASSERT_EQ(LEN, rb_put(w, FITS, LEN));
	usleep(2 * STALL_MS * 1000);
	EXPECT_FALSE(demoted(r));
	began = rb_now_ms();
	ASSERT_TRUE(rb_op_block(&op, SYS_write, w, rb_out, LEN));
	EXPECT_EQ(LEN, rb_op_wait(&op));
	EXPECT_IN_TIME(began);
	EXPECT_TRUE(demoted(r));
	EXPECT_EQ(0, rb_count_reliable(w));
	EXPECT_EQ(0, rb_attr("reliable_consumers"));
	EXPECT_EQ(0, rb_attr("holder"));
	EXPECT_EQ(0, rb_fdinfo(r, "ringbuf_flags"));
	EXPECT_TRUE(rb_fdinfo(r, "ringbuf_stats_flags") & RINGBUF_STATS_DEMOTED);

	/* Lossy from now on. */
	ASSERT_EQ(0, rb_put_many(w, 0, 100, LEN));
	EXPECT_EQ(-EPIPE, rb_get(r, 0));
	EXPECT_TRUE(rb_adds_up(r));
	ASSERT_EQ(0, rb_set_consumer(r, RELIABLE));
	EXPECT_FALSE(demoted(r));
	EXPECT_EQ(RELIABLE, rb_flags(r));
	EXPECT_EQ(1, rb_count_reliable(w));
	ASSERT_EQ(0, rb_stats(r, &s));
	EXPECT_EQ(FITS - s.lag_records, rb_write_until_held(w, 0));
	EXPECT_TRUE(rb_adds_up(r));
}

/* Who reads on tells nobody of room who has not missed any. */
TEST_F(stall, there_is_no_edge_for_each_read)
{
	int ep = watch(self->p.w, EPOLLOUT | EPOLLET);

	ASSERT_EQ(EPOLLOUT, epolled(ep, 0));
	for (int n = 0; n < 10; n++) {
		ASSERT_EQ(LEN, rb_put(self->p.w, n, LEN));
		ASSERT_EQ(LEN, rb_get(self->p.r, n));
		EXPECT_EQ(0, epolled(ep, 0));
	}
	close(ep);
}

/* Somebody watches the writer's file, but not for room: nobody is held by the rest. */
TEST_F(stall, who_does_not_poll_for_room_is_not_held)
{
	int ep = watch(self->p.w, EPOLLIN);

	ASSERT_LE(0, ep);
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	ASSERT_EQ(LEN, rb_get(self->p.r, 0));
	ASSERT_EQ(LEN, rb_put(self->p.w, FITS, LEN));
	usleep(4 * STALL_MS * 1000);
	EXPECT_FALSE(demoted(self->p.r));
	close(ep);
}

TEST_F(stall, a_poll_goes_on_by_itself)
{
	struct pollfd p = { .fd = self->p.w, .events = POLLOUT };
	long began = rb_now_ms();

	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	EXPECT_EQ(1, poll(&p, 1, RB_WAIT_MS));
	EXPECT_EQ(POLLOUT, p.revents);
	EXPECT_IN_TIME(began);
	EXPECT_TRUE(demoted(self->p.r));
	EXPECT_EQ(LARGEST, rb_put(self->p.w, 0, LARGEST));
}

TEST_F(stall, an_edge_comes_by_itself)
{
	int ep = watch(self->p.w, EPOLLOUT | EPOLLET);
	long began;

	ASSERT_EQ(EPOLLOUT, epolled(ep, 0));
	began = rb_now_ms();
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	EXPECT_EQ(EPOLLOUT, epolled(ep, RB_WAIT_MS));
	EXPECT_IN_TIME(began);
	EXPECT_TRUE(demoted(self->p.r));
	close(ep);
}

TEST_F(stall, a_write_that_is_tried_again_succeeds_in_the_end)
{
	long began = rb_now_ms();
	int ret;

	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	while ((ret = rb_put(self->p.w, 0, LEN)) == -EAGAIN)
		usleep(5000);
	EXPECT_EQ(LEN, ret);
	EXPECT_IN_TIME(began);
	EXPECT_TRUE(demoted(self->p.r));
}

TEST_F(stall, who_does_not_hold_stays_reliable)
{
	int other = rb_open_reliable(), w = self->p.w, n;

	ASSERT_EQ(FITS, rb_write_until_held(w, 0));
	ASSERT_EQ(0, rb_get_many(other, 0, FITS));
	ASSERT_EQ(0, fcntl(w, F_SETFL, 0));
	ASSERT_EQ(LEN, rb_put(w, FITS, LEN));
	EXPECT_TRUE(demoted(self->p.r));
	EXPECT_FALSE(demoted(other));
	EXPECT_EQ(1, rb_count_reliable(w));
	n = FITS - 1;
	EXPECT_EQ(n, rb_write_until_held(w, FITS + 1));
	EXPECT_EQ(0, rb_get_many(other, FITS, FITS));
}

/* Each makes way in time, again and again. */
TEST_F(stall, the_time_begins_anew_when_it_makes_way)
{
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	for (int n = 0; n < 10; n++) {
		ASSERT_EQ(-EAGAIN, rb_put(self->p.w, 0, LEN));
		usleep(STALL_MS * 1000 * 2 / 5);
		ASSERT_EQ(LEN, rb_get(self->p.r, n));
		ASSERT_EQ(LEN, rb_put(self->p.w, n + FITS, LEN));
		ASSERT_FALSE(demoted(self->p.r)) TH_LOG("round %d", n);
	}
}

/* It made way for what it was asked for, and then more is asked for. */
TEST_F(stall, a_larger_record_is_another_matter)
{
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	ASSERT_EQ(LEN, rb_get(self->p.r, 0));
	usleep(STALL_MS * 1000 * 3 / 2);
	EXPECT_EQ(-EAGAIN, rb_put(self->p.w, 0, LARGEST));
	EXPECT_FALSE(demoted(self->p.r));
	usleep(STALL_MS * 1000 * 3 / 2);
	EXPECT_EQ(LARGEST, rb_put(self->p.w, 0, LARGEST));
	EXPECT_TRUE(demoted(self->p.r));
}

TEST_F(stall, a_seek_back_begins_anew)
{
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	ASSERT_EQ(0, rb_get_many(self->p.r, 0, FITS));
	usleep(STALL_MS * 1000 * 3 / 2);
	ASSERT_EQ(0, lseek(self->p.r, 0, SEEK_SET));
	EXPECT_EQ(-EAGAIN, rb_put(self->p.w, 0, LEN));
	EXPECT_FALSE(demoted(self->p.r));
}

/* On and back again, and never far enough. */
TEST_F(stall, going_back_buys_no_time)
{
	long end = rb_now_ms() + 10 * STALL_MS;
	int ret;

	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	ASSERT_EQ(LEN, rb_get(self->p.r, 0));
	EXPECT_EQ(-EAGAIN, rb_put(self->p.w, 0, LARGEST));
	do {
		ASSERT_EQ(0, lseek(self->p.r, 0, SEEK_SET));
		ASSERT_EQ(LEN, rb_get(self->p.r, 0));
		usleep(STALL_MS * 1000 / 10);
		ret = rb_put(self->p.w, 0, LARGEST);
	} while (ret == -EAGAIN && rb_now_ms() < end);
	EXPECT_EQ(LARGEST, ret);
	EXPECT_TRUE(demoted(self->p.r));
}

TEST_F(stall, who_polls_to_read_is_not_held)
{
	struct pollfd p = { .fd = self->p.w, .events = POLLIN };
	int other = rb_open(O_RDONLY);

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, FITS, LEN));
	for (int n = 0; n < 4; n++) {
		ASSERT_EQ(1, poll(&p, 1, 0));
		EXPECT_EQ(POLLIN, p.revents);
		usleep(STALL_MS * 1000 / 2);
	}
	EXPECT_FALSE(demoted(self->p.r));
	EXPECT_EQ(-EAGAIN, rb_put(self->p.w, 0, LEN));
	EXPECT_FALSE(demoted(self->p.r));
	close(other);
}

TEST_F(ring, without_a_limit_it_waits_for_ever)
{
	struct rb_op op;

	EXPECT_EQ(0, rb_attr("stall_ms"));
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	ASSERT_EQ(0, fcntl(self->p.w, F_SETFL, 0));
	ASSERT_TRUE(rb_op_block(&op, SYS_write, self->p.w, rb_out, LEN));
	sleep(1);
	EXPECT_TRUE(rb_op_stays(&op));
	EXPECT_FALSE(demoted(self->p.r));
	EXPECT_EQ(1, rb_count_reliable(self->p.r));
	ASSERT_EQ(LEN, rb_get(self->p.r, 0));
	EXPECT_EQ(LEN, rb_op_wait(&op));
}

TEST_F(ring, who_holds_is_told)
{
	pid_t slow, slower;

	EXPECT_EQ(0, rb_attr("holder"));
	close(self->p.r);
	slow = rb_fork_holder(0);
	ASSERT_LT(0, slow);
	EXPECT_EQ(0, rb_attr("holder"));
	ASSERT_EQ(20, rb_write_until_held(self->p.w, 0) - 12);
	EXPECT_EQ(slow, rb_attr("holder"));
	/* The first one is the slowest now. */
	slower = slow;
	slow = rb_fork_holder(10);
	ASSERT_LT(0, slow);
	EXPECT_EQ(slower, rb_attr("holder"));
	ASSERT_EQ(0, rb_kill(slower));
	EXPECT_EQ(0, rb_attr("holder"));
	EXPECT_EQ(10, rb_write_until_held(self->p.w, FITS));
	EXPECT_EQ(slow, rb_attr("holder"));
	ASSERT_EQ(0, rb_kill(slow));
	EXPECT_EQ(0, rb_attr("holder"));
	self->p.r = rb_open_reliable();
	ASSERT_LE(0, rb_write_until_held(self->p.w, 0));
	EXPECT_EQ(getpid(), rb_attr("holder"));
}

/* One that dies without a word lets go at once, whatever the time allowed. */
FIXTURE(dying) {
	struct rb_pair p;
};

FIXTURE_VARIANT(dying) {
	const char *params;
};

FIXTURE_VARIANT_ADD(dying, for_ever) { .params = "size=4096 reliable=1" };
FIXTURE_VARIANT_ADD(dying, in_an_hour) {
	.params = "size=4096 reliable=1 stall_ms=3600000",
};
FIXTURE_VARIANT_ADD(dying, in_weeks) {
	.params = "size=4096 reliable=1 stall_ms=4294967295",
};

FIXTURE_SETUP(dying)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, variant->params));
}

FIXTURE_TEARDOWN(dying)
{
	rb_pair_close(&self->p);
}

TEST_F(dying, a_consumer_that_dies_lets_the_writer_go)
{
	pid_t pid = rb_fork_holder(0);
	struct rb_op op;
	long began;

	ASSERT_LT(0, pid);
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	ASSERT_TRUE(rb_op_block(&op, SYS_write, self->p.w, rb_out, LEN));
	EXPECT_TRUE(rb_op_stays(&op));
	began = rb_now_ms();
	ASSERT_EQ(0, rb_kill(pid));
	EXPECT_EQ(LEN, rb_op_wait(&op));
	EXPECT_GE(1000, rb_now_ms() - began);
}

TEST_HARNESS_MAIN
