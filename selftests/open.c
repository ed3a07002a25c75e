// SPDX-License-Identifier: GPL-2.0
/* open(): who gets in, where a cursor starts, and who holds the writer slot. */
#include "ringbuf_test.h"
#include "uffd.h"

FIXTURE(dev) {
	int fd[4];
};

FIXTURE_SETUP(dev)
{
	ASSERT_EQ(0, rb_load("size=4096"));
}

FIXTURE_TEARDOWN(dev)
{
}

TEST_F(dev, first_reader_of_a_new_ring_starts_at_zero)
{
	struct ringbuf_stats s;
	int r = rb_open(O_RDONLY | O_NONBLOCK);
	int w = rb_open(O_WRONLY);

	ASSERT_LE(0, r);
	ASSERT_LE(0, w);
	EXPECT_EQ(-EAGAIN, rb_get(r, 0));
	ASSERT_EQ(0, rb_stats(r, &s));
	EXPECT_EQ(0, s.pos);
	EXPECT_EQ(0, s.seq);
	EXPECT_EQ(8, rb_put(w, 0, 8));
	EXPECT_EQ(8, rb_get(r, 0));
}

TEST_F(dev, a_reader_starts_at_the_oldest_retained_record)
{
	struct ringbuf_info info;
	struct ringbuf_stats s;
	int w = rb_open(O_WRONLY), r;

	ASSERT_LE(0, w);
	ASSERT_EQ(0, rb_put_many(w, 0, 100, 100));
	r = rb_open(O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, r);
	ASSERT_EQ(0, rb_info(r, &info));
	ASSERT_EQ(0, rb_stats(r, &s));
	EXPECT_LT(0, info.tail_seq);
	EXPECT_EQ(info.tail, s.pos);
	EXPECT_EQ(info.tail_seq, s.seq);
	EXPECT_EQ(0, s.flags);
	EXPECT_EQ(0, s.lost_records);
	EXPECT_EQ(0, s.lost_bytes);
	EXPECT_EQ(100 - info.tail_seq, s.lag_records);
	EXPECT_EQ(info.head - info.tail, s.lag_bytes);
	EXPECT_EQ(100, rb_get(r, info.tail_seq));
}

TEST_F(dev, a_second_writer_is_refused)
{
	int w = rb_open(O_WRONLY);

	ASSERT_LE(0, w);
	EXPECT_EQ(-EBUSY, rb_open(O_WRONLY));
	EXPECT_EQ(-EBUSY, rb_open(O_RDWR));
	EXPECT_EQ(-EBUSY, rb_open(O_RDWR | O_NONBLOCK));
	EXPECT_LE(0, rb_open(O_RDONLY));
	close(w);
	w = rb_open(O_RDWR);
	EXPECT_LE(0, w);
	EXPECT_EQ(-EBUSY, rb_open(O_WRONLY));
}

TEST_F(dev, rdwr_is_a_writer_and_a_consumer)
{
	struct ringbuf_info info;
	int fd = rb_open(O_RDWR | O_NONBLOCK);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, rb_info(fd, &info));
	EXPECT_EQ(1, info.consumers);
	EXPECT_TRUE(info.flags & RINGBUF_RING_WRITER);
	EXPECT_EQ(50, rb_put(fd, 0, 50));
	EXPECT_EQ(50, rb_get(fd, 0));
	EXPECT_EQ(-EAGAIN, rb_get(fd, 1));
}

TEST_F(dev, consumers_and_the_writer_are_counted)
{
	struct ringbuf_info info;
	int w = rb_open(O_WRONLY), a, b;

	ASSERT_EQ(0, rb_info(w, &info));
	EXPECT_EQ(0, info.consumers);
	EXPECT_TRUE(info.flags & RINGBUF_RING_WRITER);
	a = rb_open(O_RDONLY);
	b = rb_open(O_RDONLY);
	ASSERT_EQ(0, rb_info(w, &info));
	EXPECT_EQ(2, info.consumers);
	EXPECT_EQ(0, info.reliable_consumers);
	close(a);
	ASSERT_EQ(0, rb_info(w, &info));
	EXPECT_EQ(1, info.consumers);
	close(w);
	ASSERT_EQ(0, rb_info(b, &info));
	EXPECT_FALSE(info.flags & RINGBUF_RING_WRITER);
}

TEST_F(dev, a_refused_open_leaves_nothing_behind)
{
	struct ringbuf_info info;
	int w = rb_open(O_WRONLY);

	ASSERT_LE(0, w);
	EXPECT_EQ(-EBUSY, rb_open(O_RDWR));
	ASSERT_EQ(0, rb_info(w, &info));
	EXPECT_EQ(0, info.consumers);
	close(w);
	EXPECT_EQ(0, rb_remove());
}

TEST_F(dev, the_access_mode_decides_who_may_read_and_write)
{
	int r = rb_open(O_RDONLY), w = rb_open(O_WRONLY);
	char c = 0;

	EXPECT_EQ(-EBADF, RC(write(r, &c, 1)));
	EXPECT_EQ(-EBADF, RC(read(w, &c, 1)));
}

TEST_F(dev, the_slot_is_released_at_the_last_close_of_a_dup)
{
	int w = rb_open(O_WRONLY), d;

	ASSERT_LE(0, w);
	d = dup(w);
	close(w);
	EXPECT_EQ(-EBUSY, rb_open(O_WRONLY));
	EXPECT_EQ(8, rb_put(d, 0, 8));
	close(d);
	EXPECT_LE(0, rb_open(O_WRONLY));
}

TEST_F(dev, the_slot_is_released_when_the_last_process_exits)
{
	int w = rb_open(O_WRONLY), go[2];
	pid_t pid;
	char c;

	ASSERT_LE(0, w);
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	if (!pid) {
		close(go[1]);
		_exit(read(go[0], &c, 1) == 0 ? 0 : 1);
	}
	ASSERT_LT(0, pid);
	close(w);
	EXPECT_EQ(-EBUSY, rb_open(O_WRONLY));
	close(go[1]);
	EXPECT_EQ(0, rb_reap(pid));
	EXPECT_LE(0, rb_open(O_WRONLY));
}

TEST_F(dev, the_slot_is_released_when_the_writer_is_killed)
{
	int ready[2];
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid) {
		c = rb_open(O_WRONLY) >= 0;
		if (write(ready[1], &c, 1) != 1)
			_exit(1);
		pause();
	}
	ASSERT_LT(0, pid);
	ASSERT_EQ(1, read(ready[0], &c, 1));
	ASSERT_EQ(1, c);
	EXPECT_EQ(-EBUSY, rb_open(O_WRONLY));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(-SIGKILL, rb_reap(pid));
	EXPECT_LE(0, rb_open(O_WRONLY));
}

/* The child's write() stalls on a page that is never provided. */
static pid_t stalled_writer(uint64_t records, bool framed)
{
	struct ringbuf_record *next;
	struct rb_uffd u;
	char *from;
	int w;
	pid_t pid = fork();

	if (pid)
		return pid;
	w = rb_open(O_WRONLY);
	if (w < 0 || rb_uffd_open(&u) || rb_put_many(w, 0, records, 100))
		_exit(1);
	if (framed && rb_set_writer(w, RINGBUF_WRITER_FRAMED))
		_exit(2);
	/* One whole frame, and one whose payload runs into the page. */
	from = u.mem + u.page - 256;
	next = (void *)(from + rb_frame(from, records, 64, 1));
	next->len = 160;
	_exit(write(w, from, 88 + 184) == 88 + 184 ? 3 : 4);
}

FIXTURE(midwrite) {
	pid_t pid;
	int r;
};

FIXTURE_SETUP(midwrite)
{
	ASSERT_EQ(0, rb_load("size=65536"));
	self->r = rb_open(O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, self->r);
}

FIXTURE_TEARDOWN(midwrite)
{
	if (self->pid > 0)
		kill(self->pid, SIGKILL);
	close(self->r);
}

TEST_F(midwrite, a_stalled_writer_holds_no_reader_up)
{
	struct pollfd p = { .fd = self->r, .events = POLLIN };
	struct ringbuf_info info;
	int r;

	self->pid = stalled_writer(3, false);
	ASSERT_TRUE(rb_wait_blocked(self->pid, SYS_write));
	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_EQ(100, rb_get(self->r, 0));
	EXPECT_EQ(100, rb_get(self->r, 1));
	EXPECT_EQ(100, rb_get(self->r, 2));
	EXPECT_EQ(-EAGAIN, rb_get(self->r, 3));
	EXPECT_EQ(0, poll(&p, 1, 0));
	ASSERT_EQ(0, rb_info(self->r, &info));
	EXPECT_EQ(3, info.head_seq);
	EXPECT_EQ(-EBUSY, rb_open(O_WRONLY));
	r = rb_open(O_RDONLY | O_NONBLOCK);
	EXPECT_EQ(100, rb_get(r, 0));
	close(r);
}

TEST_F(midwrite, a_writer_killed_in_mid_write_leaves_no_record_and_no_gap)
{
	struct ringbuf_info info;
	int w;

	self->pid = stalled_writer(3, false);
	ASSERT_TRUE(rb_wait_blocked(self->pid, SYS_write));
	ASSERT_EQ(0, kill(self->pid, SIGKILL));
	EXPECT_EQ(-SIGKILL, rb_reap(self->pid));
	self->pid = 0;
	ASSERT_EQ(0, rb_info(self->r, &info));
	EXPECT_EQ(3, info.head_seq);
	EXPECT_EQ(3 * RINGBUF_FRAME_SIZE(100), info.head);
	EXPECT_EQ(0, info.dropped);
	EXPECT_FALSE(info.flags & RINGBUF_RING_WRITER);
	w = rb_open(O_WRONLY);
	ASSERT_LE(0, w);
	/* A few times round the ring: what was reserved is free again. */
	ASSERT_EQ(0, rb_set_consumer(self->r, RINGBUF_CONSUMER_FRAMED));
	EXPECT_EQ(3 * RINGBUF_FRAME_SIZE(100), read(self->r, rb_in, RB_MAX));
	for (uint64_t n = 3; n < 2000; n++) {
		ASSERT_EQ(100, rb_put(w, n, 100));
		ASSERT_EQ(RINGBUF_FRAME_SIZE(100), read(self->r, rb_in, RB_MAX));
		ASSERT_TRUE(rb_frame_ok((void *)rb_in, n, 100));
	}
	close(w);
}

TEST_F(midwrite, a_batch_killed_in_the_middle_keeps_its_whole_records)
{
	struct ringbuf_info info;

	self->pid = stalled_writer(3, true);
	ASSERT_TRUE(rb_wait_blocked(self->pid, SYS_write));
	ASSERT_EQ(0, kill(self->pid, SIGKILL));
	EXPECT_EQ(-SIGKILL, rb_reap(self->pid));
	self->pid = 0;
	ASSERT_EQ(0, rb_info(self->r, &info));
	/* The kernel may have published the whole frame, or not yet. */
	EXPECT_LE(3, info.head_seq);
	EXPECT_GE(4, info.head_seq);
	EXPECT_EQ(3 * RINGBUF_FRAME_SIZE(100) +
		  (info.head_seq - 3) * RINGBUF_FRAME_SIZE(64), info.head);
	EXPECT_LE(0, rb_open(O_WRONLY));
}

TEST_F(dev, max_consumers_limits_consumers_only)
{
	struct ringbuf_info info;
	int a, b, w;

	ASSERT_EQ(0, rb_load("max_consumers=2"));
	a = rb_open(O_RDONLY);
	b = rb_open(O_RDONLY);
	ASSERT_LE(0, a);
	ASSERT_LE(0, b);
	EXPECT_EQ(-EUSERS, rb_open(O_RDONLY));
	EXPECT_EQ(-EUSERS, rb_open(O_RDWR));
	w = rb_open(O_WRONLY);
	EXPECT_LE(0, w) TH_LOG("the refused O_RDWR kept the slot, or counts");
	ASSERT_EQ(0, rb_info(w, &info));
	EXPECT_EQ(2, info.consumers);
	close(a);
	a = rb_open(O_RDONLY);
	EXPECT_LE(0, a);
	EXPECT_EQ(-EUSERS, rb_open(O_RDONLY));
}

/* Opens as an ordinary user; exit code: 0, or errno. */
static int open_as_user(int flags)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return rb_reap(pid);
	if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		_exit(255);
	fd = rb_open(flags);
	_exit(fd < 0 ? -fd : 0);
}

/* Open consumers, of whichever user this thread is at the time. */
struct crowd {
	int fd[1100];
	int n;
};

/* Goes on opening up to @want consumers; what stops it. */
static int crowd_open(struct crowd *c, int want)
{
	int fd;

	while (c->n < want) {
		fd = rb_open(O_RDONLY);
		if (fd < 0)
			return fd;
		c->fd[c->n++] = fd;
	}
	return 0;
}

static void crowd_close(struct crowd *c, int leave)
{
	while (c->n > leave)
		close(c->fd[--c->n]);
}

/* Real and effective user; the saved one stays root, so that all can be undone. */
static int become(uid_t real, uid_t effective)
{
	return RC(setresuid(-1, 0, -1)) ?: RC(setresuid(real, effective, 0));
}

FIXTURE(users) {
	struct crowd c;
};

FIXTURE_SETUP(users)
{
	const struct rlimit many = { 4096, 4096 };

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &many));
	self->c.n = 0;
}

FIXTURE_TEARDOWN(users)
{
	EXPECT_EQ(0, become(0, 0));
	crowd_close(&self->c, 0);
}

TEST_F(users, a_user_has_1024_consumers_of_a_ring)
{
	struct crowd *c = &self->c;
	struct ringbuf_info info;
	int fd;

	ASSERT_EQ(0, rb_load("size=4096 mode=0666"));
	ASSERT_EQ(0, become(1000, 1000));
	EXPECT_EQ(-EUSERS, crowd_open(c, 1025));
	EXPECT_EQ(1024, c->n);
	EXPECT_EQ(-EUSERS, rb_open(O_RDWR));
	/* That is no consumer, and the refused one has left the slot free. */
	fd = rb_open(O_WRONLY);
	EXPECT_LE(0, fd);
	ASSERT_EQ(0, rb_info(fd, &info));
	EXPECT_EQ(1024, info.consumers);
	close(fd);
	/* Others are not kept out. */
	ASSERT_EQ(0, become(1001, 1001));
	fd = rb_open(O_RDONLY);
	EXPECT_LE(0, fd);
	close(fd);
	ASSERT_EQ(0, become(0, 0));
	fd = rb_open(O_RDONLY);
	EXPECT_LE(0, fd);
	close(fd);
	/* What is closed can be opened again. */
	ASSERT_EQ(0, become(1000, 1000));
	crowd_close(c, 1000);
	EXPECT_EQ(-EUSERS, crowd_open(c, 1025));
	EXPECT_EQ(1024, c->n);
	crowd_close(c, 0);
	EXPECT_EQ(0, crowd_open(c, 1024));
}

TEST_F(users, root_has_as_many_as_it_likes)
{
	struct crowd *c = &self->c;

	ASSERT_EQ(0, rb_load("size=4096 mode=0666"));
	EXPECT_EQ(0, crowd_open(c, 1100));
	/* Root without its capabilities is a user as others are. */
	ASSERT_EQ(0, become(0, 1000));
	EXPECT_EQ(-EUSERS, rb_open(O_RDONLY));
	ASSERT_EQ(0, become(0, 0));
	crowd_close(c, 1023);
	ASSERT_EQ(0, become(0, 1000));
	EXPECT_EQ(0, crowd_open(c, 1024));
	EXPECT_EQ(-EUSERS, rb_open(O_RDONLY));
}

TEST_F(users, a_consumer_counts_for_the_real_user_that_opened_it)
{
	struct crowd *c = &self->c;
	int fd;

	ASSERT_EQ(0, rb_load("size=4096 mode=0666 max_consumers_per_user=3"));
	ASSERT_EQ(0, become(1000, 1001));
	ASSERT_EQ(0, crowd_open(c, 3));
	EXPECT_EQ(-EUSERS, rb_open(O_RDONLY));
	/* The effective user does not matter. */
	ASSERT_EQ(0, become(1000, 1002));
	EXPECT_EQ(-EUSERS, rb_open(O_RDONLY));
	ASSERT_EQ(0, become(1001, 1001));
	fd = rb_open(O_RDONLY);
	EXPECT_LE(0, fd);
	close(fd);
	/* It is the user's until it is closed, by whomever. */
	fd = dup(c->fd[0]);
	crowd_close(c, 0);
	ASSERT_EQ(0, become(1000, 1000));
	EXPECT_EQ(-EUSERS, crowd_open(c, 3));
	EXPECT_EQ(2, c->n);
	ASSERT_EQ(0, become(1001, 1001));
	close(fd);
	ASSERT_EQ(0, become(1000, 1000));
	EXPECT_EQ(0, crowd_open(c, 3));
	EXPECT_EQ(-EUSERS, rb_open(O_RDONLY));
}

TEST_F(users, both_limits_hold_and_what_they_refuse_counts_for_nothing)
{
	struct crowd *c = &self->c;

	ASSERT_EQ(0, rb_load("size=4096 mode=0666 max_consumers=4 max_consumers_per_user=2"));
	ASSERT_EQ(0, become(1000, 1000));
	EXPECT_EQ(-EUSERS, crowd_open(c, 3));
	EXPECT_EQ(2, c->n);
	ASSERT_EQ(0, become(0, 0));
	ASSERT_EQ(0, crowd_open(c, 4));
	/* The ring is full: each of these is refused, and counts for nobody. */
	ASSERT_EQ(0, become(1001, 1001));
	for (int k = 0; k < 5; k++)
		EXPECT_EQ(-EUSERS, rb_open(O_RDONLY));
	crowd_close(c, 2);
	EXPECT_EQ(-EUSERS, crowd_open(c, 5));
	EXPECT_EQ(4, c->n);
}

TEST_F(users, a_refused_writer_counts_for_nobody)
{
	struct crowd *c = &self->c;
	int w;

	ASSERT_EQ(0, rb_load("size=4096 mode=0666 max_consumers_per_user=2"));
	ASSERT_EQ(0, become(1000, 1000));
	w = rb_open(O_WRONLY);
	ASSERT_LE(0, w);
	for (int k = 0; k < 5; k++)
		EXPECT_EQ(-EBUSY, rb_open(O_RDWR));
	EXPECT_EQ(0, crowd_open(c, 2));
	EXPECT_EQ(-EUSERS, rb_open(O_RDONLY));
	close(w);
}

TEST_F(users, without_a_limit)
{
	ASSERT_EQ(0, rb_load("size=4096 mode=0666 max_consumers_per_user=2147483647"));
	ASSERT_EQ(0, become(1000, 1000));
	EXPECT_EQ(0, crowd_open(&self->c, 1100));
	/* 0 is the default. */
	ASSERT_EQ(0, become(0, 0));
	crowd_close(&self->c, 0);
	ASSERT_EQ(0, rb_load("size=4096 mode=0666 max_consumers_per_user=0"));
	ASSERT_EQ(0, become(1000, 1000));
	EXPECT_EQ(-EUSERS, crowd_open(&self->c, 1100));
	EXPECT_EQ(1024, self->c.n);
}

/* Opens and closes consumers, as one of two users. */
static void *come_and_go(void *arg)
{
	long number = (long)arg;
	uid_t user = 2000 + number % 2;
	int fd[3];

	/* Of this thread alone: the C library would change all of them. */
	if (syscall(SYS_setresuid, user, user, 0))
		return (void *)-1L;
	for (int k = 0; k < (rb_quick() ? 300 : 3000); k++) {
		for (int n = 0; n < 3; n++)
			fd[n] = rb_open(O_RDONLY);
		for (int n = 0; n < 3; n++)
			if (fd[n] >= 0)
				close(fd[n]);
			else if (fd[n] != -EUSERS)
				return (void *)-2L;
	}
	return NULL;
}

TEST_F(users, opening_and_closing_in_many_threads_keeps_the_count)
{
	struct crowd *c = &self->c;
	pthread_t threads[4];
	void *ret;

	ASSERT_EQ(0, rb_load("size=4096 mode=0666 max_consumers_per_user=4"));
	for (long k = 0; k < 4; k++)
		ASSERT_EQ(0, pthread_create(&threads[k], NULL, come_and_go, (void *)k));
	for (int k = 0; k < 4; k++) {
		ASSERT_EQ(0, pthread_join(threads[k], &ret));
		EXPECT_EQ(NULL, ret);
	}
	for (uid_t user = 2000; user < 2002; user++) {
		ASSERT_EQ(0, become(user, user));
		EXPECT_EQ(-EUSERS, crowd_open(c, 5));
		EXPECT_EQ(4, c->n);
		crowd_close(c, 0);
	}
}

TEST_F(dev, by_default_only_the_owner_gets_in)
{
	struct stat st;

	ASSERT_EQ(0, stat(RB_DEV, &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0600, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(EACCES, open_as_user(O_RDONLY));
	EXPECT_EQ(EACCES, open_as_user(O_WRONLY));
	EXPECT_EQ(EACCES, open_as_user(O_RDWR));
}

TEST_F(dev, mode_lets_others_in)
{
	struct stat st;

	ASSERT_EQ(0, rb_load("mode=0644"));
	ASSERT_EQ(0, stat(RB_DEV, &st));
	EXPECT_EQ(0644, st.st_mode & 07777);
	EXPECT_EQ(0, open_as_user(O_RDONLY));
	EXPECT_EQ(EACCES, open_as_user(O_WRONLY));
	ASSERT_EQ(0, rb_load("mode=0666"));
	EXPECT_EQ(0, open_as_user(O_RDONLY));
	EXPECT_EQ(0, open_as_user(O_WRONLY));
	EXPECT_EQ(0, open_as_user(O_RDWR));
	ASSERT_EQ(0, rb_load("mode=0"));
	ASSERT_EQ(0, stat(RB_DEV, &st));
	EXPECT_EQ(0, st.st_mode & 07777);
}

TEST_HARNESS_MAIN
