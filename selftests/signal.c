// SPDX-License-Identifier: GPL-2.0
/* Signals that find a consumer asleep. */
#include "ringbuf_test.h"

static atomic_long handled;

static void handler(int sig)
{
	atomic_fetch_add(&handled, 1);
}

static void catch_usr1(int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };

	sigaction(SIGUSR1, &sa, NULL);
}

FIXTURE(ring) {
	struct rb_pair p;
	int r;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096"));
	self->r = rb_open(O_RDONLY);
	ASSERT_LE(0, self->r);
}

FIXTURE_TEARDOWN(ring)
{
	close(self->r);
	rb_pair_close(&self->p);
}

TEST_F(ring, a_signal_ends_a_blocked_read_with_eintr)
{
	struct rb_op op;

	catch_usr1(0);
	ASSERT_TRUE(rb_op_block(&op, SYS_read, self->r, rb_in, RB_MAX));
	ASSERT_EQ(0, pthread_kill(op.thread, SIGUSR1));
	EXPECT_EQ(-EINTR, rb_op_wait(&op));
	EXPECT_EQ(1, atomic_load(&handled));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	EXPECT_EQ(8, rb_get(self->r, 0));
}

TEST_F(ring, a_framed_read_is_interrupted_as_well)
{
	struct rb_op op;

	catch_usr1(0);
	ASSERT_EQ(0, rb_set_consumer(self->r, RINGBUF_CONSUMER_FRAMED));
	ASSERT_TRUE(rb_op_block(&op, SYS_read, self->r, rb_in, RB_MAX));
	ASSERT_EQ(0, pthread_kill(op.thread, SIGUSR1));
	EXPECT_EQ(-EINTR, rb_op_wait(&op));
}

TEST_F(ring, with_sa_restart_the_read_goes_on)
{
	struct rb_op op;

	catch_usr1(SA_RESTART);
	ASSERT_TRUE(rb_op_block(&op, SYS_read, self->r, rb_in, RB_MAX));
	for (int i = 1; i <= 5; i++) {
		ASSERT_EQ(0, pthread_kill(op.thread, SIGUSR1));
		ASSERT_TRUE(rb_wait_value(&handled, i, "signals handled"));
		ASSERT_TRUE(rb_op_blocked(&op));
	}
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	EXPECT_EQ(8, rb_op_wait(&op));
	EXPECT_TRUE(rb_intact(rb_in, 8, 0));
}

TEST_F(ring, a_signal_ends_a_blocked_poll_with_eintr)
{
	struct pollfd p = { .fd = self->r, .events = POLLIN };
	struct rb_op op;

	catch_usr1(SA_RESTART);
	ASSERT_TRUE(rb_op_block(&op, SYS_poll, (long)&p, (void *)1, -1));
	ASSERT_EQ(0, pthread_kill(op.thread, SIGUSR1));
	EXPECT_EQ(-EINTR, rb_op_wait(&op));
}

TEST_F(ring, a_pending_signal_does_not_hide_a_record_that_is_there)
{
	sigset_t set;

	catch_usr1(0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	raise(SIGUSR1);
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	EXPECT_EQ(8, rb_get(self->r, 0));
	/* A blocked signal does not wake; a nonblocking read says EAGAIN. */
	EXPECT_EQ(8, rb_get(self->p.r, 0));
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 1));
	EXPECT_EQ(0, atomic_load(&handled));
}

static pid_t blocked_reader(int r)
{
	pid_t pid = fork();

	if (!pid)
		_exit(rb_get(r, 0) == 8 ? 0 : 1);
	return pid;
}

TEST_F(ring, a_killed_reader_goes_and_its_cursor_with_it)
{
	struct ringbuf_info i;
	pid_t pid = fork();

	if (!pid)
		_exit(rb_get(rb_open(O_RDONLY), 0) == 8 ? 0 : 1);
	ASSERT_TRUE(rb_wait_blocked(pid, SYS_read));
	ASSERT_EQ(0, rb_info(self->p.w, &i));
	EXPECT_EQ(3, i.consumers);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(-SIGKILL, rb_reap(pid));
	ASSERT_EQ(0, rb_info(self->p.w, &i));
	EXPECT_EQ(2, i.consumers);
}

TEST_F(ring, a_killed_sharer_leaves_the_cursor_to_the_others)
{
	pid_t pid = blocked_reader(self->r);

	ASSERT_TRUE(rb_wait_blocked(pid, SYS_read));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(-SIGKILL, rb_reap(pid));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	EXPECT_EQ(8, rb_get(self->r, 0));
}

TEST_F(ring, a_stopped_reader_goes_on_where_it_was)
{
	pid_t pid = blocked_reader(self->r);
	int status;

	ASSERT_TRUE(rb_wait_blocked(pid, SYS_read));
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_TRUE(WIFSTOPPED(status));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	ASSERT_EQ(pid, waitpid(pid, &status, WCONTINUED));
	ASSERT_TRUE(rb_wait_blocked(pid, SYS_read));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	EXPECT_EQ(0, rb_reap(pid));
}

TEST_F(ring, a_record_published_while_stopped_is_found)
{
	pid_t pid = blocked_reader(self->r);
	int status;

	ASSERT_TRUE(rb_wait_blocked(pid, SYS_read));
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_EQ(pid, waitpid(pid, &status, WUNTRACED));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_EQ(0, rb_reap(pid));
}

/* A storm of signals must neither lose nor repeat a record. */
#define STORM	3000

struct storm {
	int fd;
	atomic_long got;
	int error;
};

static void *storm_reader(void *arg)
{
	struct storm *s = arg;
	long n = 0;
	int ret;

	while (n < STORM) {
		ret = rb_get(s->fd, n);
		if (ret == 8)
			atomic_store(&s->got, ++n);
		else if (ret != -EINTR)
			break;
	}
	s->error = n == STORM ? 0 : ret;
	return NULL;
}

TEST_F(ring, a_storm_of_signals_neither_loses_nor_repeats)
{
	struct storm s = { .fd = self->r };
	long end = rb_now_ms() + 2 * RB_WAIT_MS;
	pthread_t t;

	catch_usr1(0);
	ASSERT_EQ(0, pthread_create(&t, NULL, storm_reader, &s));
	for (long n = 0; n < STORM; n++) {
		/* 32-byte frames; keep clear of an overrun. */
		while (n - atomic_load(&s.got) > 64) {
			ASSERT_GT(end, rb_now_ms())
				TH_LOG("stuck at %ld", atomic_load(&s.got));
			sched_yield();
		}
		ASSERT_EQ(8, rb_put(self->p.w, n, 8));
		pthread_kill(t, SIGUSR1);
	}
	ASSERT_EQ(0, rb_join(t, "reader"));
	EXPECT_EQ(0, s.error);
	EXPECT_LT(0, atomic_load(&handled));
}

TEST_HARNESS_MAIN
