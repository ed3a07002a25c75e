// SPDX-License-Identifier: GPL-2.0
/* Which process holds the writer: never one that has only got its number. */
#include "reliable.h"

#include <linux/sched.h>

FIXTURE(holder) {
	struct rb_pair p;
};

FIXTURE_SETUP(holder)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096 reliable=1"));
}

FIXTURE_TEARDOWN(holder)
{
	rb_pair_close(&self->p);
}

/* A process that makes @fd reliable, tells so, and ends once @go is closed. */
static pid_t fork_joiner(int fd, int go[2])
{
	int ready[2];
	pid_t pid;
	char c = 0;

	if (pipe(ready) || pipe(go))
		return -errno;
	pid = fork();
	if (!pid) {
		close(go[1]);
		c = !rb_set_consumer(fd, RELIABLE);
		_exit(write(ready[1], &c, 1) != 1 || read(go[0], &c, 1));
	}
	close(go[0]);
	if (pid > 0 && (read(ready[0], &c, 1) != 1 || !c))
		pid = -EIO;
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* A process with this number, which waits until @go is closed. */
static pid_t fork_as(pid_t number, int go[2])
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&number,
		.set_tid_size = 1,
	};
	pid_t pid;
	char c;

	if (pipe(go))
		return -errno;
	pid = RC(syscall(SYS_clone3, &args, sizeof(args)));
	if (!pid) {
		close(go[1]);
		_exit(read(go[0], &c, 1));
	}
	close(go[0]);
	return pid;
}

TEST_F(holder, a_process_that_has_ended_is_not_named)
{
	pid_t pid, other;
	int go[2];

	pid = fork_joiner(self->p.r, go);
	ASSERT_LT(0, pid);
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	EXPECT_EQ(pid, rb_attr("holder"));
	/* It leaves its consumer to this process. */
	close(go[1]);
	ASSERT_EQ(0, rb_reap(pid));
	EXPECT_EQ(1, rb_count_reliable(self->p.r));
	EXPECT_EQ(-1, rb_attr("holder"));
	other = fork_as(pid, go);
	ASSERT_EQ(pid, other);
	EXPECT_EQ(-1, rb_attr("holder"));
	/* The consumer can be made anew: then it is this process's. */
	ASSERT_EQ(0, rb_set_consumer(self->p.r, 0));
	EXPECT_EQ(0, rb_attr("holder"));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
	ASSERT_LE(0, rb_write_until_held(self->p.w, FITS));
	EXPECT_EQ(getpid(), rb_attr("holder"));
	close(go[1]);
	ASSERT_EQ(0, rb_reap(other));
}

/* What a process that is number 1 of a PID namespace sees. */
static int inside(int r, int w)
{
	int own = rb_open_reliable();
	char c;

	/* The other one is outside. */
	if (rb_attr("holder") != -1)
		return 1;
	if (own < 0 || rb_set_consumer(r, 0) || rb_write_until_held(w, 1000) < 0)
		return 2;
	if (rb_attr("holder") != 1)
		return 3;
	/* Now those outside look. */
	c = 0;
	return write(STDOUT_FILENO, &c, 1) == 1 && read(STDIN_FILENO, &c, 1) == 0 ? 0 : 4;
}

/* Runs inside() as number 1 of a new namespace, with pipes to its parent. */
static int namespace_main(int r, int w, int to[2], int from[2], int number)
{
	pid_t pid;

	if (unshare(CLONE_NEWPID))
		return errno == EINVAL ? 99 : 98;
	pid = fork();
	if (!pid) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		close(to[1]);
		close(from[0]);
		_exit(inside(r, w));
	}
	if (write(number, &pid, sizeof(pid)) != sizeof(pid))
		return 97;
	close(to[1]);
	return rb_reap(pid);
}

TEST_F(holder, each_namespace_has_numbers_of_its_own)
{
	int to[2], from[2], numbers[2];
	pid_t pid, number;
	char c;

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	EXPECT_EQ(getpid(), rb_attr("holder"));
	ASSERT_EQ(0, pipe(to));
	ASSERT_EQ(0, pipe(from));
	ASSERT_EQ(0, pipe(numbers));
	pid = fork();
	if (!pid)
		_exit(namespace_main(self->p.r, self->p.w, to, from, numbers[1]));
	close(from[1]);
	close(to[0]);
	close(numbers[1]);
	if (read(numbers[0], &number, sizeof(number)) != sizeof(number)) {
		ASSERT_EQ(99, rb_reap(pid));
		SKIP(return, "no PID namespaces");
	}
	ASSERT_EQ(1, read(from[0], &c, 1));
	EXPECT_EQ(number, rb_attr("holder"));
	close(to[1]);
	EXPECT_EQ(0, rb_reap(pid));
	EXPECT_EQ(0, rb_attr("holder"));
	close(from[0]);
	close(numbers[0]);
}

/* A thread is not named, but its process. */
static void *join_in_thread(void *arg)
{
	return (void *)(long)rb_set_consumer(*(int *)arg, RELIABLE);
}

TEST_F(holder, a_thread_holds_for_its_process)
{
	pthread_t thread;
	void *ret;

	ASSERT_EQ(0, pthread_create(&thread, NULL, join_in_thread, &self->p.r));
	ASSERT_EQ(0, pthread_join(thread, &ret));
	ASSERT_EQ(NULL, ret);
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	EXPECT_EQ(getpid(), rb_attr("holder"));
}

TEST_HARNESS_MAIN
