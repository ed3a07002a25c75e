// SPDX-License-Identifier: GPL-2.0
/* poll(), select() and epoll: what is ready, and that no wakeup is missed. */
#include "epoll.h"

#include <sys/select.h>

#define ASKED	(POLLIN | POLLRDNORM | POLLPRI | POLLOUT | POLLWRNORM | \
		 POLLRDHUP)
#define READY	(POLLIN | POLLRDNORM)

FIXTURE(ring) {
	struct rb_pair p;
	int ep;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096"));
	self->ep = epoll_create1(0);
	ASSERT_LE(0, self->ep);
}

FIXTURE_TEARDOWN(ring)
{
	close(self->ep);
	rb_pair_close(&self->p);
}

/* What poll() says now. */
static int events(int fd)
{
	struct pollfd p = { .fd = fd, .events = ASKED };
	int ret = RC(poll(&p, 1, 0));

	return ret < 0 ? ret : p.revents;
}

TEST_F(ring, a_reader_is_ready_while_a_record_waits)
{
	EXPECT_EQ(0, events(self->p.r));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 2, 8));
	EXPECT_EQ(READY, events(self->p.r));
	ASSERT_EQ(8, rb_get(self->p.r, 0));
	EXPECT_EQ(READY, events(self->p.r));
	ASSERT_EQ(8, rb_get(self->p.r, 1));
	EXPECT_EQ(0, events(self->p.r));
}

TEST_F(ring, a_writer_is_always_ready_and_only_to_write)
{
	EXPECT_EQ(POLLOUT, events(self->p.w) & ~POLLWRNORM);
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 200, 100));
	EXPECT_EQ(POLLOUT, events(self->p.w) & ~POLLWRNORM);
}

TEST_F(ring, an_rdwr_file_is_ready_for_both)
{
	int fd;

	close(self->p.w);
	fd = rb_open(O_RDWR);
	EXPECT_EQ(POLLOUT, events(fd) & ~POLLWRNORM);
	ASSERT_EQ(8, rb_put(fd, 0, 8));
	EXPECT_EQ(POLLOUT | READY, events(fd) & ~POLLWRNORM);
	self->p.w = fd;
}

TEST_F(ring, an_overrun_is_urgent_and_never_an_error)
{
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 100, 100));
	EXPECT_EQ(READY | POLLPRI, events(self->p.r));
	EXPECT_EQ(READY | POLLPRI, events(self->p.r));
	ASSERT_EQ(-EPIPE, rb_get(self->p.r, 0));
	EXPECT_EQ(READY, events(self->p.r));
}

TEST_F(ring, a_framed_overrun_is_urgent_until_it_was_read)
{
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 100, 100));
	EXPECT_EQ(READY | POLLPRI, events(self->p.r));
	ASSERT_EQ(RB_LOST_FRAME, RC(read(self->p.r, rb_in, RB_LOST_FRAME)));
	EXPECT_EQ(READY, events(self->p.r));
}

TEST_F(ring, seeking_changes_what_is_ready)
{
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 4, 8));
	ASSERT_EQ(4, lseek(self->p.r, 0, SEEK_END));
	EXPECT_EQ(0, events(self->p.r));
	ASSERT_EQ(3, lseek(self->p.r, 3, SEEK_SET));
	EXPECT_EQ(READY, events(self->p.r));
}

/* To who waits at the head a seek back is as good as a record. */
TEST_F(ring, a_seek_back_wakes)
{
	struct epoll_event e = { .events = EPOLLIN };
	int level = epoll_create1(0), edge = epoll_create1(0);
	struct rb_op op;
	int r = rb_open(O_RDONLY);

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 2, 8));
	ASSERT_EQ(0, epoll_ctl(level, EPOLL_CTL_ADD, self->p.r, &e));
	e.events |= EPOLLET;
	ASSERT_EQ(0, epoll_ctl(edge, EPOLL_CTL_ADD, self->p.r, &e));
	ASSERT_EQ(1, epoll_wait(level, &e, 1, 0));
	ASSERT_EQ(1, epoll_wait(edge, &e, 1, 0));
	ASSERT_EQ(8, rb_get(self->p.r, 0));
	ASSERT_EQ(8, rb_get(self->p.r, 1));
	ASSERT_EQ(0, epoll_wait(level, &e, 1, 0));
	ASSERT_EQ(0, epoll_wait(edge, &e, 1, 0));
	ASSERT_EQ(1, lseek(self->p.r, 1, SEEK_SET));
	EXPECT_EQ(1, epoll_wait(level, &e, 1, RB_WAIT_MS));
	EXPECT_EQ(1, epoll_wait(edge, &e, 1, RB_WAIT_MS));
	close(level);
	close(edge);

	/* A thread that shares the consumer, asleep. */
	ASSERT_EQ(2, lseek(r, 0, SEEK_END));
	ASSERT_TRUE(rb_op_block(&op, SYS_read, r, rb_in, RB_MAX));
	ASSERT_EQ(1, lseek(r, 1, SEEK_SET));
	EXPECT_EQ(8, rb_op_wait(&op));
	close(r);
}

TEST_F(ring, hup_only_for_eof_consumers_that_read_all_without_a_writer)
{
	int plain = rb_open(O_RDONLY | O_NONBLOCK);

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_EOF));
	EXPECT_EQ(0, events(self->p.r));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	close(self->p.w);
	EXPECT_EQ(READY, events(self->p.r));
	ASSERT_EQ(8, rb_get(self->p.r, 0));
	EXPECT_EQ(POLLHUP, events(self->p.r) & ~(READY | POLLRDHUP));
	ASSERT_EQ(8, rb_get(plain, 0));
	EXPECT_EQ(0, events(plain));
	self->p.w = rb_open(O_WRONLY);
	EXPECT_EQ(0, events(self->p.r));
}

TEST_F(ring, hup_also_when_there_has_never_been_a_writer)
{
	rb_pair_close(&self->p);
	ASSERT_EQ(0, rb_load(""));
	self->p.r = rb_open(O_RDONLY);
	self->p.w = -1;
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_EOF));
	EXPECT_EQ(POLLHUP, events(self->p.r) & ~(READY | POLLRDHUP));
}

TEST_F(ring, a_blocked_poll_ends_with_a_record)
{
	struct pollfd p = { .fd = self->p.r, .events = POLLIN };
	struct rb_op op;

	ASSERT_TRUE(rb_op_block(&op, SYS_poll, (long)&p, (void *)1, -1));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	EXPECT_EQ(1, rb_op_wait(&op));
	EXPECT_EQ(POLLIN, p.revents);
}

TEST_F(ring, a_blocked_poll_ends_when_the_writer_closes)
{
	struct pollfd p = { .fd = self->p.r, .events = POLLIN };
	struct rb_op op;

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_EOF));
	ASSERT_TRUE(rb_op_block(&op, SYS_poll, (long)&p, (void *)1, -1));
	close(self->p.w);
	EXPECT_EQ(1, rb_op_wait(&op));
	EXPECT_TRUE(p.revents & POLLHUP);
}

TEST_F(ring, one_record_wakes_every_poller)
{
	struct pollfd p[16];
	struct rb_op op[16];

	for (int i = 0; i < 16; i++) {
		p[i].fd = rb_open(O_RDONLY);
		p[i].events = POLLIN;
		ASSERT_TRUE(rb_op_block(&op[i], SYS_poll, (long)&p[i],
					(void *)1, -1));
	}
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	for (int i = 0; i < 16; i++)
		EXPECT_EQ(1, rb_op_wait(&op[i]));
}

/* Each of them is another consumer, so an exclusive wait excludes nobody. */
TEST_F(ring, one_record_wakes_every_exclusive_poller)
{
	struct epoll_event e[4];
	struct rb_op op[4];

	for (int i = 0; i < 4; i++) {
		int ep = epoll_create1(0);

		ASSERT_EQ(0, watch(ep, rb_open(O_RDONLY),
				   EPOLLIN | EPOLLEXCLUSIVE));
		ASSERT_TRUE(rb_op_block(&op[i], SYS_epoll_wait, ep, &e[i], 1));
	}
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(1, rb_op_wait(&op[i]));
}

TEST_F(ring, one_record_wakes_every_blocked_reader)
{
	static char buf[16][64];
	struct rb_op op[16];

	for (int i = 0; i < 16; i++)
		ASSERT_TRUE(rb_op_block(&op[i], SYS_read, rb_open(O_RDONLY),
					buf[i], sizeof(buf[i])));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	for (int i = 0; i < 16; i++) {
		EXPECT_EQ(8, rb_op_wait(&op[i]));
		EXPECT_TRUE(rb_intact(buf[i], 8, 0));
	}
}

TEST_F(ring, select_sees_the_same)
{
	struct timeval none = { 0, 0 };
	int r = self->p.r, w = self->p.w;
	fd_set in, out, urgent;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&urgent);
	FD_SET(r, &in);
	FD_SET(r, &urgent);
	FD_SET(w, &out);
	EXPECT_EQ(1, select((r > w ? r : w) + 1, &in, &out, &urgent, &none));
	EXPECT_TRUE(FD_ISSET(w, &out));

	ASSERT_EQ(0, rb_put_many(w, 0, 100, 100));
	FD_SET(r, &in);
	FD_SET(r, &urgent);
	EXPECT_EQ(2, select(r + 1, &in, NULL, &urgent, &none));
	EXPECT_TRUE(FD_ISSET(r, &in));
	EXPECT_TRUE(FD_ISSET(r, &urgent));
}

TEST_F(ring, level_triggered_epoll_reports_as_long_as_it_holds)
{
	ASSERT_EQ(0, watch(self->ep, self->p.r, EPOLLIN));
	EXPECT_EQ(0, epolled(self->ep, 0));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	EXPECT_EQ(EPOLLIN, epolled(self->ep, 0));
	EXPECT_EQ(EPOLLIN, epolled(self->ep, 0));
	ASSERT_EQ(8, rb_get(self->p.r, 0));
	EXPECT_EQ(0, epolled(self->ep, 0));
}

TEST_F(ring, edge_triggered_epoll_reports_each_record_that_arrives)
{
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	ASSERT_EQ(0, watch(self->ep, self->p.r, EPOLLIN | EPOLLET));
	EXPECT_EQ(EPOLLIN, epolled(self->ep, 0));
	EXPECT_EQ(0, epolled(self->ep, 0));
	/* Not read yet: a new record is news all the same. */
	ASSERT_EQ(8, rb_put(self->p.w, 1, 8));
	EXPECT_EQ(EPOLLIN, epolled(self->ep, RB_WAIT_MS));
	EXPECT_EQ(0, epolled(self->ep, 0));
	ASSERT_EQ(8, rb_get(self->p.r, 0));
	EXPECT_EQ(0, epolled(self->ep, 0));
	ASSERT_EQ(8, rb_get(self->p.r, 1));
	ASSERT_EQ(8, rb_put(self->p.w, 2, 8));
	EXPECT_EQ(EPOLLIN, epolled(self->ep, RB_WAIT_MS));
}

TEST_F(ring, edge_triggered_epoll_reports_overrun_and_end)
{
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_EOF));
	ASSERT_EQ(0, watch(self->ep, self->p.r, EPOLLIN | EPOLLPRI | EPOLLET));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 100, 100));
	EXPECT_EQ(EPOLLIN | EPOLLPRI, epolled(self->ep, RB_WAIT_MS));
	while (read(self->p.r, rb_in, RB_MAX) > 0 || errno == EPIPE)
		;
	EXPECT_EQ(0, epolled(self->ep, 0));
	close(self->p.w);
	EXPECT_TRUE(epolled(self->ep, RB_WAIT_MS) & EPOLLHUP);
}

TEST_F(ring, the_writers_edge_watch_is_ready_once)
{
	ASSERT_EQ(0, watch(self->ep, self->p.w, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, epolled(self->ep, 0));
	EXPECT_EQ(0, epolled(self->ep, 0));
}

/*
 * Missed wakeups. The writer publishes a record only when the reader has taken
 * the last one, so the reader goes to sleep just as the next record comes; a
 * wakeup that is missed leaves both waiting, and the reader's wait times out.
 */
enum waiter { BY_READ, BY_POLL, BY_SELECT, BY_LEVEL, BY_EDGE };

FIXTURE(pingpong) {
	struct rb_pair p;
};

FIXTURE_VARIANT(pingpong) {
	enum waiter how;
};

FIXTURE_VARIANT_ADD(pingpong, read) { .how = BY_READ };
FIXTURE_VARIANT_ADD(pingpong, poll) { .how = BY_POLL };
FIXTURE_VARIANT_ADD(pingpong, select) { .how = BY_SELECT };
FIXTURE_VARIANT_ADD(pingpong, epoll_level) { .how = BY_LEVEL };
FIXTURE_VARIANT_ADD(pingpong, epoll_edge) { .how = BY_EDGE };

FIXTURE_SETUP(pingpong)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096"));
}

FIXTURE_TEARDOWN(pingpong)
{
	rb_pair_close(&self->p);
}

struct player {
	enum waiter how;
	int fd;
	long rounds;
	atomic_long taken;
	int error;
};

/* Waits until @fd is ready; false after RB_WAIT_MS. */
static bool wait_ready(enum waiter how, int fd, int ep)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timeval tv = { .tv_sec = RB_WAIT_MS / 1000 };
	fd_set in;

	switch (how) {
	case BY_READ:
		return true;
	case BY_POLL:
		return poll(&p, 1, RB_WAIT_MS) == 1;
	case BY_SELECT:
		FD_ZERO(&in);
		FD_SET(fd, &in);
		return select(fd + 1, &in, NULL, NULL, &tv) == 1;
	default:
		return epolled(ep, RB_WAIT_MS) == EPOLLIN;
	}
}

static void *play(void *arg)
{
	struct player *p = arg;
	int ep = epoll_create1(0), ret = 0;
	long n = 0;

	watch(ep, p->fd, p->how == BY_EDGE ? EPOLLIN | EPOLLET : EPOLLIN);
	while (n < p->rounds && !p->error) {
		if (!wait_ready(p->how, p->fd, ep)) {
			p->error = -ETIMEDOUT;
			break;
		}
		do {
			ret = rb_get(p->fd, n);
			if (ret == 8)
				atomic_store(&p->taken, ++n);
		} while (ret == 8 && p->how != BY_READ && n < p->rounds);
		if (ret != 8 && ret != -EAGAIN)
			p->error = ret;
	}
	close(ep);
	return NULL;
}

TEST_F_TIMEOUT(pingpong, no_wakeup_is_missed, 120)
{
	struct player p = {
		.how = variant->how, .fd = self->p.r,
		.rounds = rb_quick() ? 3000 : 8000,
	};
	pthread_t thread;
	long n, end;

	if (p.how == BY_READ)
		ASSERT_EQ(0, fcntl(p.fd, F_SETFL, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, play, &p));
	end = rb_now_ms() + RB_WAIT_MS;
	for (n = 0; n < p.rounds; n++) {
		ASSERT_EQ(8, rb_put(self->p.w, n, 8));
		/* Now and then close to, now and then far from the sleep. */
		for (int spin = 0; atomic_load(&p.taken) <= n; spin++) {
			if (spin < 500)
				continue;
			ASSERT_GT(end, rb_now_ms())
				TH_LOG("wakeup %ld missed: %d", n, p.error);
			sched_yield();
		}
		end = rb_now_ms() + RB_WAIT_MS;
	}
	ASSERT_EQ(0, rb_join(thread, "reader"));
	EXPECT_EQ(0, p.error);
	EXPECT_EQ(p.rounds, atomic_load(&p.taken));
}

TEST_HARNESS_MAIN
