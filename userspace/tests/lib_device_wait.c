// SPDX-License-Identifier: GPL-2.0
/* Sleeping until there is something: timeouts, signals, ends, edges. */
#include <sys/epoll.h>
#include <sys/time.h>
#include "lib_guest.h"

static atomic_long signals;

static void on_signal(int sig)
{
	atomic_fetch_add(&signals, 1);
}

static void catch(int sig, int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	sigaction(sig, &sa, NULL);
}

TEST_F(lib, timeouts)
{
	long t;

	START("");
	t = rb_now_ms();
	EXPECT_EQ(0, ringbuf_wait(self->r, 0));
	EXPECT_EQ(0, ringbuf_wait(self->r, 50));
	t = rb_now_ms() - t;
	EXPECT_GE(t, 50);
	EXPECT_LT(t, 5000);
	ASSERT_EQ(0, publish(self->p, 0, 10));
	EXPECT_EQ(1, ringbuf_wait(self->r, 0));
	EXPECT_EQ(1, ringbuf_wait(self->r, 50));
	EXPECT_EQ(1, ringbuf_wait(self->r, -1));
	EXPECT_EQ(0, take(self->r, 0, 10));
	EXPECT_EQ(0, ringbuf_wait(self->r, 10));
}

struct sleeper {
	pthread_t thread;
	struct ringbuf_reader *r;
	atomic_int tid;
	int ret;
};

static void *sleeper_main(void *arg)
{
	struct sleeper *s = arg;

	atomic_store(&s->tid, syscall(SYS_gettid));
	s->ret = ringbuf_wait(s->r, -1);
	return NULL;
}

/* Starts a thread and sees it sleep in ringbuf_wait(). */
static bool sleeper_start(struct sleeper *s, struct ringbuf_reader *r)
{
	memset(s, 0, sizeof(*s));
	s->r = r;
	if (pthread_create(&s->thread, NULL, sleeper_main, s))
		return false;
	while (!atomic_load(&s->tid))
		sched_yield();
	return rb_wait_blocked(s->tid, SYS_poll);
}

TEST_F(lib, woken_by_a_record)
{
	struct sleeper s;
	int n;

	START("");
	for (n = 0; n < 3; n++) {
		ASSERT_TRUE(sleeper_start(&s, self->r));
		ASSERT_EQ(0, publish(self->p, n, 10));
		ASSERT_EQ(0, rb_join(s.thread, "sleeper"));
		EXPECT_EQ(1, s.ret);
		EXPECT_EQ(0, take(self->r, n, 10));
	}
}

TEST_F(lib, woken_by_a_signal)
{
	struct sleeper s;

	START("");
	/* poll() is not started again, whatever the handler. */
	catch(SIGUSR1, SA_RESTART);
	ASSERT_TRUE(sleeper_start(&s, self->r));
	pthread_kill(s.thread, SIGUSR1);
	ASSERT_EQ(0, rb_join(s.thread, "sleeper"));
	EXPECT_EQ(-EINTR, s.ret);
	EXPECT_EQ(1, signals);
	ASSERT_EQ(0, publish(self->p, 0, 10));
	EXPECT_EQ(0, take(self->r, 0, 10));
}

TEST_F(lib, end_of_stream)
{
	struct sleeper s;
	int n;

	START("");
	ringbuf_reader_close(self->r);
	ASSERT_EQ(0, ringbuf_reader_open(&self->r, NULL, variant->flags |
					 RINGBUF_READER_EOF));
	EXPECT_EQ(0, ringbuf_wait(self->r, 0));
	ASSERT_EQ(0, publish_many(self->p, 0, 3, 10));
	EXPECT_EQ(0, ringbuf_publisher_close(self->p));
	self->p = NULL;
	for (n = 0; n < 3; n++) {
		EXPECT_EQ(1, ringbuf_wait(self->r, 0));
		ASSERT_EQ(0, take(self->r, n, 10));
	}
	/* Who sleeps in an epoll of his own hears of it as well. */
	EXPECT_EQ(-ENODATA, ringbuf_arm(self->r));
	EXPECT_EQ(-ENODATA, ringbuf_wait(self->r, 0));
	EXPECT_EQ(-ENODATA, ringbuf_wait(self->r, -1));
	/* Not for ever: the next writer goes on. */
	ASSERT_EQ(0, ringbuf_publisher_open(&self->p, NULL, 0));
	EXPECT_EQ(0, ringbuf_wait(self->r, 0));
	ASSERT_TRUE(sleeper_start(&s, self->r));
	EXPECT_EQ(0, ringbuf_publisher_close(self->p));
	self->p = NULL;
	ASSERT_EQ(0, rb_join(s.thread, "sleeper"));
	EXPECT_EQ(-ENODATA, s.ret);
}

TEST_F(lib, no_end_unless_asked_for)
{
	START("");
	ASSERT_EQ(0, publish(self->p, 0, 10));
	EXPECT_EQ(0, ringbuf_publisher_close(self->p));
	self->p = NULL;
	EXPECT_EQ(0, take(self->r, 0, 10));
	EXPECT_EQ(0, ringbuf_wait(self->r, 20));
}

/* The file is readable when there is more than the reader has told of. */
TEST_F(lib, arm_and_poll)
{
	struct pollfd p = { .events = POLLIN };
	int n;

	START("");
	p.fd = ringbuf_reader_fd(self->r);
	EXPECT_EQ(0, ringbuf_arm(self->r));
	EXPECT_EQ(0, poll(&p, 1, 0));
	ASSERT_EQ(0, publish_many(self->p, 0, 10, 10));
	EXPECT_EQ(1, poll(&p, 1, 0));
	for (n = 0; n < 10; n++) {
		EXPECT_EQ(1, ringbuf_arm(self->r));
		ASSERT_EQ(0, take(self->r, n, 10));
	}
	EXPECT_EQ(0, ringbuf_arm(self->r));
	EXPECT_EQ(0, poll(&p, 1, 0));
	/* Overrun: readable, and the reader finds out. */
	ASSERT_EQ(0, publish_many(self->p, 10, 20000, 100));
	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_EQ(1, ringbuf_arm(self->r));
	ASSERT_EQ(1, ringbuf_read(self->r, &self->e));
	EXPECT_GT(self->e.lost, 0);
	EXPECT_EQ(10 + self->e.lost, self->e.seq);
}

/* One record at a time, and each is to wake the reader. */
struct game {
	struct ringbuf_publisher *p;
	atomic_long asked;
	long rounds;
	bool free_running;
	int ret;
};

static void *write_when_asked(void *arg)
{
	struct game *g = arg;
	long i, spin;

	for (i = 0; i < g->rounds && !g->ret; i++) {
		while (!g->free_running && atomic_load(&g->asked) < i)
			sched_yield();
		/* At any moment of the reader's way to its sleep. */
		for (spin = i * 7919 % 2048; spin; spin--)
			__asm__ volatile("" ::: "memory");
		g->ret = publish(g->p, i, 16);
	}
	return NULL;
}

static int play(struct ringbuf_reader *r, struct game *g, int epfd)
{
	struct epoll_event ev;
	struct ringbuf_entry e;
	long n = 0;
	int ret;

	while (n < g->rounds) {
		while ((ret = ringbuf_read(r, &e)) == 1) {
			if (e.lost || !is_record(&e, n, 16))
				return -EBADMSG;
			atomic_store(&g->asked, ++n);
		}
		ret = ret ? ret : ringbuf_arm(r);
		if (ret < 0)
			return ret;
		if (ret || n == g->rounds)
			continue;
		ret = RC(epoll_wait(epfd, &ev, 1, RB_WAIT_MS));
		if (ret != 1) {
			fprintf(stderr, "# round %ld: %d\n", n, ret);
			return ret ? ret : -ETIMEDOUT;
		}
	}
	return 0;
}

static void game(struct __test_metadata *_metadata, FIXTURE_DATA(lib) *self,
		 uint32_t events, bool free_running)
{
	struct game g = {
		.p = self->p, .free_running = free_running,
		.rounds = rb_quick() ? 1500 : 20000,
	};
	struct epoll_event ev = { .events = events };
	int epfd = epoll_create1(EPOLL_CLOEXEC);
	pthread_t thread;

	ASSERT_EQ(0, epoll_ctl(epfd, EPOLL_CTL_ADD, ringbuf_reader_fd(self->r),
			       &ev));
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_when_asked, &g));
	EXPECT_EQ(0, play(self->r, &g, epfd)) {
		_exit(1);
	}
	ASSERT_EQ(0, rb_join(thread, "writer"));
	EXPECT_EQ(0, g.ret);
	close(epfd);
}

TEST_F_TIMEOUT(lib, level_triggered, 120)
{
	START("size=4194304");
	game(_metadata, self, EPOLLIN, false);
}

TEST_F_TIMEOUT(lib, edge_triggered, 120)
{
	START("size=4194304");
	game(_metadata, self, EPOLLIN | EPOLLET, false);
}

TEST_F_TIMEOUT(lib, edge_triggered_free_running, 120)
{
	START("size=4194304");
	game(_metadata, self, EPOLLIN | EPOLLET, true);
}

static void storm(long us)
{
	struct itimerval t = {
		.it_interval.tv_usec = us, .it_value.tv_usec = us,
	};

	setitimer(ITIMER_REAL, &t, NULL);
}

/* Signals while writing: what failed is tried again, nothing is lost or twice. */
TEST_F(lib, writing_in_a_storm_of_signals)
{
	uint64_t n, from = 0, total = rb_quick() ? 20000 : 100000;
	size_t len;
	int ret;

	START("size=16777216");
	catch(SIGALRM, 0);
	storm(200);
	for (n = 0; n < total; n++) {
		len = n % 1000 ? 16 : 100000;
		rb_fill(rb_out, len, n);
		do {
			ret = n % 7 ? ringbuf_put(self->p, n, rb_out, len) :
				ringbuf_publish(self->p, n, rb_out, len);
		} while (ret == -EINTR);
		ASSERT_EQ(0, ret);
		if (n % 5000 && n + 1 < total)
			continue;
		while ((ret = ringbuf_flush(self->p)) == -EINTR)
			;
		ASSERT_EQ(0, ret);
		for (; from <= n; from++)
			ASSERT_EQ(0, take(self->r, from, from % 1000 ? 16 :
					  100000));
	}
	storm(0);
	EXPECT_GT(signals, 10);
}

TEST_F(lib, waiting_in_a_storm_of_signals)
{
	struct game g = { .rounds = 2000 };
	pthread_t thread;
	sigset_t set;
	long n = 0;
	int ret;

	START("size=4194304");
	g.p = self->p;
	/* The writer's thread has none of them. */
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	ASSERT_EQ(0, pthread_create(&thread, NULL, write_when_asked, &g));
	catch(SIGALRM, 0);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	storm(300);
	while (n < g.rounds) {
		ret = ringbuf_wait(self->r, RB_WAIT_MS);
		if (ret == -EINTR)
			continue;
		ASSERT_EQ(1, ret);
		ASSERT_EQ(0, take(self->r, n++, 16));
		atomic_store(&g.asked, n);
	}
	storm(0);
	EXPECT_EQ(0, rb_join(thread, "writer"));
	EXPECT_GT(signals, 10);
}

TEST_HARNESS_MAIN
