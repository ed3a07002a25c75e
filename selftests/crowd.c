// SPDX-License-Identifier: GPL-2.0
/*
 * Crowds that wait. The writer wakes a few of them itself and leaves the others to
 * the ring's worker; each waiter is woken by each record all the same.
 */
#include "epoll.h"

#define MOST	10000

/* make selftest T=crowd:every_descriptor_is_woken_by_every_record ROUNDS=10000 */
static const char *rounds_asked(void)
{
	return getenv("RINGBUF_TEST_ROUNDS");
}

static int rounds_or(int quick, int full)
{
	return rounds_asked() ? atoi(rounds_asked()) : rb_quick() ? quick : full;
}

static int crowd_size(void)
{
	return rounds_asked() ? MOST : rb_quick() ? 1000 : 4000;
}

FIXTURE(ring) {
	struct rb_pair p;
	int *fds;
	int n;
};

FIXTURE_SETUP(ring)
{
	struct rlimit limit = { MOST + 100, MOST + 100 };

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=65536"));
	self->fds = calloc(MOST, sizeof(int));
	ASSERT_NE(NULL, self->fds);
}

FIXTURE_TEARDOWN(ring)
{
	for (int k = 0; k < self->n; k++)
		close(self->fds[k]);
	free(self->fds);
	rb_pair_close(&self->p);
}

/*
 * The members of a crowd, each of which has to be heard of. One with a descriptor reads
 * the record then, so that it is heard of again only with the next record.
 */
struct roll {
	uint32_t *heard;	/* the last round that each was heard of in */
	const int *fds;		/* NULL: they read nothing */
	int n;
};

/* Wait until each has been heard of in this round. Return how many have not been. */
static int call_the_roll(struct roll *roll, int ep, uint32_t round)
{
	static struct epoll_event e[1024];
	int left = roll->n, ret;

	while (left) {
		ret = RC(epoll_wait(ep, e, 1024, RB_WAIT_MS));
		if (ret <= 0)
			break;
		while (ret--) {
			if (roll->heard[e[ret].data.u32] == round)
				continue;
			roll->heard[e[ret].data.u32] = round;
			if (!roll->fds || rb_get(roll->fds[e[ret].data.u32], round) == 8)
				left--;
		}
	}
	return left;
}

static int watch_as(int ep, int fd, uint32_t number, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.u32 = number };

	return RC(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
}

TEST_F_TIMEOUT(ring, every_descriptor_is_woken_by_every_record, 20000)
{
	int crowd = crowd_size(), rounds = rounds_or(200, 200);
	struct roll roll = { calloc(crowd, 4), self->fds, crowd };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	for (; self->n < crowd; self->n++) {
		self->fds[self->n] = rb_open(O_RDONLY | O_NONBLOCK);
		ASSERT_LE(0, self->fds[self->n]);
		ASSERT_EQ(0, watch_as(ep, self->fds[self->n], self->n, EPOLLIN | EPOLLET));
	}
	for (int round = 1; round <= rounds; round++) {
		ASSERT_EQ(8, rb_put(self->p.w, round, 8));
		ASSERT_EQ(0, call_the_roll(&roll, ep, round)) TH_LOG("round %d", round);
	}
	close(ep);
	free(roll.heard);
}

/* The waiters of one consumer are woken by turns. */
TEST_F_TIMEOUT(ring, every_waiter_of_one_consumer_is_woken_by_every_record, 20000)
{
	/* Epoll's limit for epolls that watch one file and are watched themselves. */
	int crowd = 500, rounds = rounds_or(100, 1000);
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct roll roll = { calloc(crowd, 4), NULL, crowd };

	for (; self->n < crowd; self->n++) {
		self->fds[self->n] = epoll_create1(EPOLL_CLOEXEC);
		ASSERT_LE(0, self->fds[self->n]);
		ASSERT_EQ(0, watch_as(self->fds[self->n], self->p.r, 0, EPOLLIN | EPOLLET));
		ASSERT_EQ(0, watch_as(ep, self->fds[self->n], self->n, EPOLLIN | EPOLLET));
	}
	for (int round = 1; round <= rounds; round++) {
		struct epoll_event e;

		ASSERT_EQ(8, rb_put(self->p.w, round, 8));
		ASSERT_EQ(0, call_the_roll(&roll, ep, round)) TH_LOG("round %d", round);
		/* An inner epoll that stayed ready would not be heard of again. */
		for (int k = 0; k < crowd; k++)
			ASSERT_EQ(1, epoll_wait(self->fds[k], &e, 1, 0));
		/* Nothing is ready before the next record. */
		ASSERT_EQ(8, rb_get(self->p.r, round));
	}
	close(ep);
	free(roll.heard);
}

/* Threads in read() */

struct sleeper {
	pthread_t thread;
	int fd;
	uint64_t rounds;
	const char *error;
};

static atomic_uint awake;

static void *read_each(void *arg)
{
	struct sleeper *s = arg;
	uint64_t got;

	for (uint64_t n = 0; n < s->rounds && !s->error; n++) {
		if (read(s->fd, &got, sizeof(got)) != sizeof(got))
			s->error = "read";
		else if (got != n)
			s->error = "another record";
		atomic_fetch_add(&awake, 1);
	}
	return NULL;
}

TEST_F_TIMEOUT(ring, every_thread_is_woken_by_every_record, 600)
{
	int crowd = rb_quick() ? 200 : 1000, rounds = rounds_or(100, 200);
	struct sleeper *s = calloc(crowd, sizeof(*s));
	pthread_attr_t attr;
	long until;

	atomic_store(&awake, 0);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 2 << 20);
	for (; self->n < crowd; self->n++) {
		struct sleeper *one = &s[self->n];

		self->fds[self->n] = one->fd = rb_open(O_RDONLY);
		one->rounds = rounds;
		ASSERT_LE(0, one->fd);
		ASSERT_EQ(0, pthread_create(&one->thread, &attr, read_each, one));
	}
	for (uint64_t n = 0; n < (uint64_t)rounds; n++) {
		ASSERT_EQ(8, write(self->p.w, &n, sizeof(n)));
		until = rb_now_ms() + RB_WAIT_MS;
		while (atomic_load(&awake) < (n + 1) * crowd && rb_now_ms() < until)
			sched_yield();
		ASSERT_EQ((n + 1) * crowd, atomic_load(&awake)) TH_LOG("record %d", (int)n);
	}
	for (int k = 0; k < crowd; k++) {
		ASSERT_EQ(0, rb_join(s[k].thread, "reader"));
		EXPECT_EQ(NULL, s[k].error) TH_LOG("%d: %s", k, s[k].error);
	}
	free(s);
}

/* Files that close while the worker walks over them */

struct closer {
	pthread_t thread;
	int ep;
	atomic_bool stop;
	atomic_long closed;
	int error;
};

/* fds[0] has many waiters, and is closed while the worker has yet to wake some. */
static void *open_and_close(void *arg)
{
	enum { EACH = 40 };
	struct closer *c = arg;
	int fds[EACH], eps[EACH];

	while (!atomic_load(&c->stop) && !c->error) {
		for (int k = 0; k < EACH; k++) {
			fds[k] = rb_open(O_RDONLY | O_NONBLOCK);
			eps[k] = epoll_create1(EPOLL_CLOEXEC);
			if (fds[k] < 0 || eps[k] < 0 || watch_as(eps[k], fds[0], 0, EPOLLIN) ||
			    watch_as(c->ep, fds[k], UINT32_MAX, EPOLLIN | EPOLLET))
				c->error = errno ?: EINVAL;
		}
		for (int k = 0; k < EACH; k++)
			close(fds[k]);
		for (int k = 0; k < EACH; k++)
			close(eps[k]);
		atomic_fetch_add(&c->closed, EACH);
	}
	return NULL;
}

TEST_F_TIMEOUT(ring, those_who_stay_are_woken_while_others_close, 600)
{
	int crowd = 300, rounds = rounds_or(300, 1000);
	struct roll roll = { calloc(crowd, 4), self->fds, crowd };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct closer c[2] = {
		{ .ep = epoll_create1(EPOLL_CLOEXEC) }, { .ep = epoll_create1(EPOLL_CLOEXEC) },
	};

	for (; self->n < crowd; self->n++) {
		self->fds[self->n] = rb_open(O_RDONLY | O_NONBLOCK);
		ASSERT_LE(0, self->fds[self->n]);
		ASSERT_EQ(0, watch_as(ep, self->fds[self->n], self->n, EPOLLIN | EPOLLET));
	}
	for (int k = 0; k < 2; k++)
		ASSERT_EQ(0, pthread_create(&c[k].thread, NULL, open_and_close, &c[k]));
	for (int round = 1; round <= rounds; round++) {
		ASSERT_EQ(8, rb_put(self->p.w, round, 8));
		ASSERT_EQ(0, call_the_roll(&roll, ep, round)) TH_LOG("round %d", round);
	}
	for (int k = 0; k < 2; k++) {
		atomic_store(&c[k].stop, true);
		ASSERT_EQ(0, rb_join(c[k].thread, "closer"));
		EXPECT_EQ(0, c[k].error);
		EXPECT_LT(0, atomic_load(&c[k].closed));
		close(c[k].ep);
	}
	close(ep);
	free(roll.heard);
}

/* Consumers with a time mark and no waiter: the time counts from poll(). */
TEST_F(ring, a_crowd_without_waiters_is_ready_in_time)
{
	int crowd = rb_quick() ? 300 : 3000;
	struct pollfd p = { .events = POLLIN };

	for (; self->n < crowd; self->n++) {
		self->fds[self->n] = rb_open(O_RDONLY | O_NONBLOCK);
		ASSERT_LE(0, self->fds[self->n]);
		ASSERT_EQ(0, rb_set_mark(self->fds[self->n], 0, 0, 100, 1000000));
	}
	for (int n = 0; n < 50; n++)
		ASSERT_EQ(8, rb_put(self->p.w, n, 8));
	for (int k = 0; k < crowd; k++) {
		p.fd = self->fds[k];
		ASSERT_EQ(1, poll(&p, 1, RB_WAIT_MS));
		ASSERT_EQ(8, rb_get(self->fds[k], 0));
	}
}

TEST_HARNESS_MAIN
