// SPDX-License-Identifier: GPL-2.0
/* The end of a ring, for those who wait: all are told, at once, and of what is. */
#include "ringend.h"
#include "uring.h"

#include <sys/select.h>

#define LEN	104
#define FITS	32	/* records of LEN in the ring */
#define IN	(POLLIN | POLLRDNORM)
#define HOUR	3600000000000ULL

TEST_F(ring, poll_tells_of_the_records_and_the_end_then_of_the_end)
{
	struct pollfd p = { .fd = self->r };

	EXPECT_EQ(0, all_events(self->r));
	ASSERT_EQ(0, rb_put_many(self->w, 0, 3, LEN));
	EXPECT_EQ(IN, all_events(self->r));
	END();
	for (int n = 0; n < 3; n++) {
		EXPECT_EQ(IN | POLLHUP, all_events(self->r));
		/* HUP also for who asks for nothing. */
		ASSERT_EQ(1, poll(&p, 1, 0));
		EXPECT_EQ(POLLHUP, p.revents);
		ASSERT_EQ(LEN, rb_get(self->r, n));
	}
	EXPECT_EQ(POLLHUP, all_events(self->r));
	EXPECT_EQ(-ENODEV, rb_get(self->r, 3));
	EXPECT_EQ(POLLHUP, all_events(self->r));
	/* Back to a record, and there is one again. */
	ASSERT_EQ(2, lseek(self->r, 2, SEEK_SET));
	EXPECT_EQ(IN | POLLHUP, all_events(self->r));
	/* No room; an error, as of a pipe that nobody reads, or select() slept. */
	EXPECT_EQ(POLLHUP | POLLERR, all_events(self->w));
}

TEST_F(ring, both_ends_in_one_file)
{
	int fd;

	close(self->w);
	self->w = fd = ring_open(NAME, O_RDWR | O_NONBLOCK);
	ASSERT_EQ(LEN, rb_put(fd, 0, LEN));
	EXPECT_EQ(IN | POLLOUT | POLLWRNORM, all_events(fd));
	ASSERT_EQ(0, watch(self->ep, fd, EPOLLIN | EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLIN | EPOLLOUT, epolled(self->ep, 0));
	END();
	EXPECT_EQ(EPOLLIN | EPOLLHUP | EPOLLERR, epolled(self->ep, RB_WAIT_MS));
	EXPECT_EQ(0, epolled(self->ep, 0));
	EXPECT_EQ(IN | POLLHUP | POLLERR, all_events(fd));
	EXPECT_EQ(LEN, rb_get(fd, 0));
	EXPECT_EQ(POLLHUP | POLLERR, all_events(fd));
}

TEST_F(ring, who_asked_for_an_end_is_told_hup)
{
	ASSERT_EQ(0, rb_set_consumer(self->r, ENDS));
	ASSERT_EQ(LEN, rb_put(self->w, 0, LEN));
	END();
	EXPECT_EQ(IN | POLLHUP, all_events(self->r));
	ASSERT_EQ(LEN, rb_get(self->r, 0));
	EXPECT_EQ(POLLHUP, all_events(self->r));
	close(self->w);
	self->w = -1;
	EXPECT_EQ(POLLHUP, all_events(self->r));
}

TEST_F(ring, an_edge_is_seen)
{
	int empty = ring_open(NAME, O_RDONLY | O_NONBLOCK), ep = epoll_create1(0);

	ASSERT_EQ(0, rb_put_many(self->w, 0, 3, LEN));
	ASSERT_EQ(3, lseek(empty, 0, SEEK_END));
	ASSERT_EQ(0, watch(self->ep, self->r, EPOLLIN | EPOLLET));
	ASSERT_EQ(0, watch(ep, empty, EPOLLIN | EPOLLET));
	/* One has been told of its records, and leaves them. */
	ASSERT_EQ(EPOLLIN, epolled(self->ep, 0));
	ASSERT_EQ(0, epolled(self->ep, 0));
	ASSERT_EQ(0, epolled(ep, 0));
	END();
	EXPECT_EQ(EPOLLIN | EPOLLHUP, epolled(self->ep, RB_WAIT_MS));
	EXPECT_EQ(EPOLLHUP, epolled(ep, RB_WAIT_MS));
	EXPECT_EQ(0, epolled(self->ep, 0));
	EXPECT_EQ(0, epolled(ep, 0));
	/* Who comes later is told, too. */
	close(ep);
	ep = epoll_create1(0);
	ASSERT_EQ(0, watch(ep, empty, EPOLLET));
	EXPECT_EQ(EPOLLHUP, epolled(ep, 0));
	close(ep);
	close(empty);
}

/* Once per one-shot, however late it is armed. */
TEST_F(ring, one_shots_are_told_once)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLONESHOT };

	ASSERT_EQ(0, watch(self->ep, self->r, EPOLLIN | EPOLLONESHOT));
	END();
	EXPECT_EQ(EPOLLHUP, epolled(self->ep, RB_WAIT_MS));
	EXPECT_EQ(0, epolled(self->ep, 0));
	ASSERT_EQ(0, RC(epoll_ctl(self->ep, EPOLL_CTL_MOD, self->r, &e)));
	EXPECT_EQ(EPOLLHUP, epolled(self->ep, 0));
}

/* A call that sleeps on a file of its own, and what it is to return. */
struct sleeper {
	const char *what;
	uint32_t flags;
	uint32_t records;	/* mark */
	uint64_t ns;
	int skip;		/* records to go over first */
	int want;
	int fd;
	long nr;
	struct rb_op op;
	struct pollfd poll;
	struct epoll_event event;
	int ep;
	char buf[8192];
};

static bool start(struct sleeper *s)
{
	s->fd = ring_open(NAME, O_RDONLY);
	if (s->fd < 0 || rb_set_mark(s->fd, s->flags, 0, s->records, s->ns) ||
	    lseek(s->fd, s->skip, SEEK_SET) != s->skip)
		return false;
	s->poll = (struct pollfd){ .fd = s->fd, .events = POLLIN };
	s->ep = -1;
	if (s->nr == SYS_read)
		return rb_op_block(&s->op, s->nr, s->fd, s->buf, sizeof(s->buf));
	if (s->nr == SYS_poll)
		return rb_op_block(&s->op, s->nr, (long)&s->poll, (void *)1, -1);
	s->ep = epoll_create1(EPOLL_CLOEXEC);
	return !watch(s->ep, s->fd, EPOLLIN | (s->records ? 0 : EPOLLET)) &&
	       rb_op_block(&s->op, SYS_epoll_wait, s->ep, &s->event, 1);
}

TEST_F(ring, all_sleepers_wake_at_once)
{
	int all = RINGBUF_FRAME_SIZE(LEN);
	struct sleeper s[] = {
		{ "read, empty", .skip = 3, .want = -ENODEV, .nr = SYS_read },
		{ "framed read, empty", FRAMED, .skip = 3, .want = -ENODEV,
		  .nr = SYS_read },
		{ "reliable read, empty", RELIABLE, .skip = 3, .want = -ENODEV,
		  .nr = SYS_read },
		{ "read, for an end, with a writer", ENDS, .skip = 3,
		  .want = 0, .nr = SYS_read },
		{ "read, mark, empty", 0, 10, .skip = 3, .want = -ENODEV,
		  .nr = SYS_read },
		{ "framed read, timer, empty", FRAMED, 10, HOUR, 3, -ENODEV,
		  .nr = SYS_read },
		{ "poll, empty", .skip = 3, .want = POLLHUP, .nr = SYS_poll },
		{ "poll, mark, empty", 0, 10, .skip = 3, .want = POLLHUP,
		  .nr = SYS_poll },
		{ "poll, mark, two", 0, 10, .skip = 1, .want = POLLHUP | POLLIN,
		  .nr = SYS_poll },
		{ "poll, timer, two", 0, 0, HOUR, 1, POLLHUP | POLLIN,
		  .nr = SYS_poll },
		{ "epoll, edge, empty", .skip = 3, .want = EPOLLHUP,
		  .nr = SYS_epoll_wait },
		{ "epoll, mark, three", 0, 10, 0, 0, EPOLLHUP | EPOLLIN,
		  .nr = SYS_epoll_wait },
		{ "epoll, mark or hour, one", 0, 10, HOUR, 2, EPOLLHUP | EPOLLIN,
		  .nr = SYS_epoll_wait },
	};
	long began;

	ASSERT_EQ(0, rb_put_many(self->w, 0, 3, LEN));
	for (int k = 0; k < ARRAY_SIZE(s); k++) {
		ASSERT_TRUE(start(&s[k])) TH_LOG("%s", s[k].what);
	}
	began = rb_now_ms();
	END();
	for (int k = 0; k < ARRAY_SIZE(s); k++) {
		int ret = rb_op_wait(&s[k].op);

		if (s[k].nr == SYS_poll && ret == 1)
			ret = s[k].poll.revents;
		if (s[k].nr == SYS_epoll_wait && ret == 1)
			ret = s[k].event.events;
		EXPECT_EQ(s[k].want, ret) TH_LOG("%s", s[k].what);
		/* What is there is to be had, whatever the mark. */
		if (s[k].want & POLLIN && s[k].want > 0) {
			EXPECT_EQ(s[k].flags & FRAMED ? all : LEN,
				  rb_get(s[k].fd, s[k].skip));
		}
		close(s[k].fd);
		close(s[k].ep);
	}
	TH_LOG("all awake after %ld ms", rb_now_ms() - began);
	EXPECT_GT(RB_WAIT_MS / 2, rb_now_ms() - began);
}

/* A mark is missed by what comes while it sleeps, and the end comes. */
TEST_F(ring, a_marked_reader_gets_the_few_that_came)
{
	static const char * const kinds[] = { "records", "bytes", "ns", "all" };
	char buf[4][4096];
	struct rb_op op[4];
	int fd[4];

	for (int k = 0; k < 4; k++) {
		fd[k] = ring_open(NAME, O_RDONLY);
		ASSERT_EQ(0, rb_set_mark(fd[k], FRAMED, k & 1 ? 1000 : 0,
					 k == 0 || k == 3 ? 10 : 0,
					 k >= 2 ? HOUR : 0));
		ASSERT_TRUE(rb_op_block(&op[k], SYS_read, fd[k], buf[k], 4096));
	}
	ASSERT_EQ(0, rb_put_many(self->w, 0, 3, LEN));
	usleep(20000);
	for (int k = 0; k < 4; k++)
		EXPECT_TRUE(rb_in_syscall(atomic_load(&op[k].tid), SYS_read));
	END();
	for (int k = 0; k < 4; k++) {
		EXPECT_EQ(3 * RINGBUF_FRAME_SIZE(LEN), rb_op_wait(&op[k]))
			TH_LOG("%s", kinds[k]);
		EXPECT_EQ(-ENODEV, RC(read(fd[k], rb_in, RB_MAX)));
		close(fd[k]);
	}
}

struct selector {
	pthread_t thread;
	int fd;
	bool writes;
	int ret;
	bool ready;
};

static void *select_main(void *arg)
{
	struct timeval tv = { .tv_sec = RB_WAIT_MS / 1000 };
	struct selector *s = arg;
	fd_set set;

	FD_ZERO(&set);
	FD_SET(s->fd, &set);
	s->ret = RC(select(s->fd + 1, s->writes ? NULL : &set,
			   s->writes ? &set : NULL, NULL, &tv));
	s->ready = FD_ISSET(s->fd, &set);
	return NULL;
}

TEST_F(ring, a_reader_and_a_writer_in_select_wake)
{
	struct selector s[2] = {
		{ .fd = self->r }, { .fd = self->w, .writes = true },
	};
	int full = ring_open(NAME, O_RDONLY);

	ASSERT_EQ(0, rb_set_consumer(full, RELIABLE));
	ASSERT_EQ(0, rb_put_many(self->w, 0, FITS, LEN));
	ASSERT_EQ(FITS, lseek(self->r, 0, SEEK_END));
	for (int k = 0; k < 2; k++)
		ASSERT_EQ(0, pthread_create(&s[k].thread, NULL, select_main,
					    &s[k]));
	usleep(20000);
	END();
	for (int k = 0; k < 2; k++) {
		EXPECT_EQ(0, rb_join(s[k].thread, "select()"));
		EXPECT_EQ(1, s[k].ret);
		EXPECT_TRUE(s[k].ready);
	}
	close(full);
}

/* Each of them, though one wakeup would do for who waits exclusively. */
TEST_F(ring, every_exclusive_poller_for_room_is_told_hup)
{
	struct epoll_event e[3];
	struct rb_op op[3];
	int ep[3];

	ASSERT_EQ(0, rb_set_consumer(self->r, RELIABLE));
	ASSERT_EQ(0, rb_put_many(self->w, 0, FITS, LEN));
	for (int k = 0; k < 3; k++) {
		ep[k] = epoll_create1(0);
		ASSERT_EQ(0, watch(ep[k], self->w, EPOLLOUT | EPOLLEXCLUSIVE));
		ASSERT_TRUE(rb_op_block(&op[k], SYS_epoll_wait, ep[k], &e[k], 1));
	}
	END();
	for (int k = 0; k < 3; k++) {
		EXPECT_EQ(1, rb_op_wait(&op[k]));
		EXPECT_EQ(EPOLLHUP | EPOLLERR, e[k].events);
		close(ep[k]);
	}
}

TEST_F(ring, who_polls_for_room_is_told_hup_and_no_room)
{
	struct pollfd p = { .fd = self->w, .events = POLLOUT };
	int edge = epoll_create1(0);
	struct epoll_event e;
	struct rb_op op[2];

	ASSERT_EQ(0, rb_set_consumer(self->r, RELIABLE));
	ASSERT_EQ(0, rb_put_many(self->w, 0, FITS, LEN));
	ASSERT_EQ(0, watch(self->ep, self->w, EPOLLOUT));
	ASSERT_EQ(0, watch(edge, self->w, EPOLLOUT | EPOLLET));
	ASSERT_EQ(0, epolled(self->ep, 0));
	ASSERT_EQ(0, epolled(edge, 0));
	ASSERT_TRUE(rb_op_block(&op[0], SYS_poll, (long)&p, (void *)1, -1));
	ASSERT_TRUE(rb_op_block(&op[1], SYS_epoll_wait, self->ep, &e, 1));
	END();
	EXPECT_EQ(1, rb_op_wait(&op[0]));
	EXPECT_EQ(POLLHUP | POLLERR, p.revents);
	EXPECT_EQ(1, rb_op_wait(&op[1]));
	EXPECT_EQ(EPOLLHUP | EPOLLERR, e.events);
	EXPECT_EQ(EPOLLHUP | EPOLLERR, epolled(edge, RB_WAIT_MS));
	EXPECT_EQ(0, epolled(edge, 0));
	/* Room that comes later is of no use. */
	for (int n = 0; n < FITS; n++)
		ASSERT_EQ(LEN, rb_get(self->r, n));
	EXPECT_EQ(POLLHUP | POLLERR, all_events(self->w));
	EXPECT_EQ(0, epolled(edge, 0));
	close(edge);
}

TEST_F(ring, io_uring_is_told)
{
	struct io_uring_cqe cqe;
	struct uring u;
	int seen = 0, ret, r, m, want;

	ret = uring_open(&u);
	if (ret == -ENOSYS || ret == -EPERM)
		SKIP(return, "io_uring is off");
	ASSERT_EQ(0, ret);
	r = ring_open(NAME, O_RDONLY);
	m = ring_open(NAME, O_RDONLY);
	ASSERT_EQ(0, rb_set_consumer(self->r, RELIABLE));
	ASSERT_EQ(0, rb_put_many(self->w, 0, FITS, LEN));
	ASSERT_EQ(FITS, lseek(r, 0, SEEK_END));
	ASSERT_EQ(FITS - 2, lseek(m, -2, SEEK_END));
	ASSERT_EQ(0, rb_set_mark(m, 0, 0, 10, 0));
	queue(&u, IORING_OP_READ, r, rb_in, 4096, 0);
	queue(&u, IORING_OP_POLL_ADD, r, NULL, 0, 1)->poll32_events = poll32(POLLIN);
	queue(&u, IORING_OP_POLL_ADD, m, NULL, 0, 2)->poll32_events = poll32(POLLIN);
	queue(&u, IORING_OP_WRITE, self->w, rb_out, LEN, 3);
	queue(&u, IORING_OP_POLL_ADD, self->w, NULL, 0, 4)->poll32_events = poll32(POLLOUT);
	ASSERT_EQ(5, submit(&u));
	ASSERT_FALSE(completed(&u, &cqe));
	END();
	for (int k = 0; k < 5; k++) {
		ASSERT_TRUE(complete(&u, &cqe));
		want = cqe.user_data == 0 || cqe.user_data == 3 ? -ENODEV :
		       cqe.user_data == 2 ? POLLIN | POLLHUP :
		       cqe.user_data == 4 ? POLLHUP | POLLERR : POLLHUP;
		EXPECT_EQ(want, cqe.res) TH_LOG("request %d", (int)cqe.user_data);
		seen |= 1 << cqe.user_data;
	}
	EXPECT_EQ(31, seen);
	EXPECT_EQ(-ENODEV, run(&u, IORING_OP_READ, r, rb_in, 4096));
	EXPECT_EQ(LEN, run(&u, IORING_OP_READ, m, rb_in, 4096));
	EXPECT_EQ(-ENODEV, run(&u, IORING_OP_WRITE, self->w, rb_out, LEN));
	close(u.fd);
	close(r);
	close(m);
}

/* Who is just about to sleep. */
struct about {
	int r[2], w;
	int how;
	atomic_long ready, ended;
};

static void *about_to(void *arg)
{
	struct about *a = arg;
	struct pollfd p = { .fd = a->r[0], .events = POLLIN };
	struct epoll_event e;
	int ep = -1, ret;

	if (a->how == 3) {
		ep = epoll_create1(0);
		watch(ep, a->r[0], EPOLLIN | EPOLLET);
	}
	atomic_fetch_add(&a->ready, 1);
	switch (a->how) {
	case 0:
		ret = RC(read(a->r[0], rb_in, RB_MAX)) == -ENODEV;
		break;
	case 1:
		ret = RC(poll(&p, 1, -1)) == 1 && p.revents == POLLHUP;
		break;
	case 2:
		ret = RC(write(a->w, rb_out, LEN)) == -ENODEV;
		break;
	default:
		ret = RC(epoll_wait(ep, &e, 1, -1)) == 1 && e.events == EPOLLHUP;
		close(ep);
	}
	atomic_fetch_add(&a->ended, ret);
	return NULL;
}

TEST_F_TIMEOUT(ring, nobody_who_is_about_to_sleep_sleeps_through_it, 240)
{
	int rounds = rb_quick() ? 100 : 1000;
	unsigned int seed = 1;
	pthread_t t[4];

	for (int n = 0; n < rounds; n++) {
		struct about a[4] = { 0 };
		int hold, w, fd;

		ASSERT_EQ(0, ring_new("race", "size=4096 reliable=1"));
		w = ring_open("race", O_WRONLY);
		hold = ring_open("race", O_RDONLY);
		ASSERT_EQ(0, rb_set_consumer(hold, RELIABLE));
		ASSERT_EQ(0, rb_put_many(w, 0, FITS, LEN));
		fd = ring_open("race", O_RDONLY);
		ASSERT_EQ(FITS, lseek(fd, 0, SEEK_END));
		if (n % 2)
			rb_set_mark(fd, 0, 0, 10, n % 4 ? 0 : HOUR);
		for (int k = 0; k < 4; k++) {
			a[k].how = k;
			a[k].r[0] = fd;
			a[k].w = w;
			ASSERT_EQ(0, pthread_create(&t[k], NULL, about_to, &a[k]));
		}
		for (int k = 0; k < 4; k++)
			while (!atomic_load(&a[k].ready))
				sched_yield();
		for (int k = rand_r(&seed) % 3000; k; k--)
			__asm__ volatile("" ::: "memory");
		if (variant->by_rmdir) {
			ASSERT_EQ(0, ring_rmdir("race"));
		} else {
			ASSERT_EQ(0, ring_set("race", "live", "0"));
			ASSERT_EQ(0, ring_rmdir("race"));
		}
		for (int k = 0; k < 4; k++) {
			ASSERT_EQ(0, rb_join(t[k], "sleeper")) TH_LOG("%d in round %d", k, n);
			EXPECT_EQ(1, atomic_load(&a[k].ended)) TH_LOG("%d in round %d", k, n);
		}
		close(fd);
		close(hold);
		close(w);
	}
}

TEST_HARNESS_MAIN
