// SPDX-License-Identifier: GPL-2.0
/* wake_bytes, wake_records, wake_ns: when a consumer is woken, and when not. */
#include "epoll.h"

#define FRAMED		RINGBUF_CONSUMER_FRAMED
#define ENDS		RINGBUF_CONSUMER_EOF
#define READY		(POLLIN | POLLRDNORM)
#define RING		65536
#define MS		1000000ULL
#define FRAME8		32	/* bytes of the frame of 8 bytes */
/* What a machine that emulates, and is busy, may take for its timers. */
#define SLACK_NS	(3000 * MS)

static bool is_set(int fd, uint32_t flags, uint32_t bytes, uint32_t records, uint64_t ns)
{
	struct ringbuf_consumer c = { .struct_size = sizeof(c) };

	return !ioctl(fd, RINGBUF_IOC_GET_CONSUMER, &c) && c.flags == flags &&
	       c.wake_bytes == bytes && c.wake_records == records &&
	       c.wake_ns == ns;
}

static int events(int fd)
{
	struct pollfd p = { .fd = fd, .events = READY | POLLPRI };
	int ret = RC(poll(&p, 1, 0));

	return ret < 0 ? ret : p.revents;
}

/* How often a thread has gone to sleep. */
static long sleeps(pid_t tid)
{
	char path[64], line[128];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "voluntary_ctxt_switches: %ld", &n);
	if (f)
		fclose(f);
	return n;
}

/* All the ways of waiting for one consumer. */
enum how { BY_READ, BY_FRAMED, BY_POLL, BY_LEVEL, BY_EDGE, BY_EXCLUSIVE };

FIXTURE(wait) {
	struct rb_pair p;	/* p.r blocks */
	int ep;
	uint32_t flags;
	struct rb_op op;
	struct pollfd pfd;
	struct epoll_event event;
	long slept;
	uint64_t next;		/* number of the next record */
	char buf[RING];
};

FIXTURE_VARIANT(wait) {
	enum how how;
	bool early;		/* already waiting when the mark is set */
};

FIXTURE_VARIANT_ADD(wait, read) { .how = BY_READ };
FIXTURE_VARIANT_ADD(wait, framed) { .how = BY_FRAMED };
FIXTURE_VARIANT_ADD(wait, poll) { .how = BY_POLL };
FIXTURE_VARIANT_ADD(wait, level) { .how = BY_LEVEL };
FIXTURE_VARIANT_ADD(wait, edge) { .how = BY_EDGE };
FIXTURE_VARIANT_ADD(wait, exclusive) { .how = BY_EXCLUSIVE };
FIXTURE_VARIANT_ADD(wait, read_early) { .how = BY_READ, .early = true };
FIXTURE_VARIANT_ADD(wait, poll_early) { .how = BY_POLL, .early = true };
FIXTURE_VARIANT_ADD(wait, level_early) { .how = BY_LEVEL, .early = true };
FIXTURE_VARIANT_ADD(wait, edge_early) { .how = BY_EDGE, .early = true };

typedef struct _test_data_wait wait_t;

static bool start(wait_t *w, enum how how)
{
	bool blocked;

	w->pfd = (struct pollfd) { .fd = w->p.r, .events = POLLIN };
	if (how == BY_READ || how == BY_FRAMED)
		blocked = rb_op_block(&w->op, SYS_read, w->p.r, w->buf, RING);
	else if (how == BY_POLL)
		blocked = rb_op_block(&w->op, SYS_poll, (long)&w->pfd,
				      (void *)1, -1);
	else
		blocked = rb_op_block(&w->op, SYS_epoll_wait, w->ep, &w->event, 1);
	w->slept = sleeps(w->op.tid);
	return blocked;
}

/* Sets a mark and waits, in the one order or the other. */
static bool start_with(wait_t *w, const FIXTURE_VARIANT(wait) *v, uint32_t bytes,
		       uint32_t records, uint64_t ns)
{
	uint32_t what = EPOLLIN | (v->how == BY_EDGE ? EPOLLET : 0) |
			(v->how == BY_EXCLUSIVE ? EPOLLEXCLUSIVE : 0);
	bool epoll = v->how >= BY_LEVEL;

	w->flags |= v->how == BY_FRAMED ? FRAMED : 0;
	if (!v->early && rb_set_mark(w->p.r, w->flags, bytes, records, ns))
		return false;
	if (epoll && watch(w->ep, w->p.r, what))
		return false;
	if (!v->early)
		return start(w, v->how);
	if (!start(w, v->how) || rb_set_mark(w->p.r, w->flags, bytes, records, ns))
		return false;
	/* It may have looked at the new mark, and sleeps again. */
	usleep(2000);
	if (!rb_op_blocked(&w->op))
		return false;
	w->slept = sleeps(w->op.tid);
	return true;
}

/* Writes records; then the one that waits has not even looked. */
static bool sleeps_on(wait_t *w, int records, size_t len)
{
	if (rb_put_many(w->p.w, w->next, records, len))
		return false;
	w->next += records;
	usleep(2000);
	return rb_op_blocked(&w->op) && sleeps(w->op.tid) == w->slept;
}

/* Its wait has ended, with records. */
static bool woken(wait_t *w, enum how how)
{
	int ret = rb_op_wait(&w->op);

	if (how == BY_READ || how == BY_FRAMED)
		return ret > 0;
	if (how == BY_POLL)
		return ret == 1 && w->pfd.revents == POLLIN;
	return ret == 1 && w->event.events == EPOLLIN;
}

static void drain(wait_t *w)
{
	while (rb_fionread(w->p.r) > 0)
		if (read(w->p.r, rb_in, RB_MAX) < 0)
			break;
}

FIXTURE_SETUP(wait)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=65536"));
	ASSERT_EQ(0, fcntl(self->p.r, F_SETFL, 0));
	self->ep = epoll_create1(0);
}

FIXTURE_TEARDOWN(wait)
{
	close(self->ep);
	rb_pair_close(&self->p);
}

TEST_F(wait, wakes_at_the_nth_record)
{
	ASSERT_TRUE(start_with(self, variant, 0, 5, 0));
	for (int round = 0; round < 3; round++) {
		for (int k = 0; k < 4; k++)
			ASSERT_TRUE(sleeps_on(self, 1, 8 + k));
		ASSERT_EQ(8, rb_put(self->p.w, self->next++, 8));
		ASSERT_TRUE(woken(self, variant->how));
		drain(self);
		ASSERT_TRUE(start(self, variant->how));
	}
	ASSERT_TRUE(sleeps_on(self, 4, 8));
	ASSERT_EQ(0, rb_put_many(self->p.w, self->next, 1, 8));
	ASSERT_TRUE(woken(self, variant->how));
}

TEST_F(wait, wakes_at_the_byte)
{
	ASSERT_TRUE(start_with(self, variant, 3 * FRAME8, 0, 0));
	ASSERT_TRUE(sleeps_on(self, 2, 8));
	ASSERT_EQ(8, rb_put(self->p.w, self->next++, 8));
	ASSERT_TRUE(woken(self, variant->how));
	drain(self);
	ASSERT_EQ(0, rb_set_mark(self->p.r, self->flags, 3 * FRAME8 + 1, 0, 0));
	ASSERT_TRUE(start(self, variant->how));
	ASSERT_TRUE(sleeps_on(self, 3, 8));
	ASSERT_EQ(1, rb_put(self->p.w, self->next++, 1));
	ASSERT_TRUE(woken(self, variant->how));
}

TEST_F(wait, wakes_for_whichever_comes_first)
{
	ASSERT_TRUE(start_with(self, variant, 1024, 4, 3600000 * MS));
	ASSERT_TRUE(sleeps_on(self, 3, 8));
	ASSERT_EQ(8, rb_put(self->p.w, self->next++, 8));
	ASSERT_TRUE(woken(self, variant->how));
	drain(self);
	ASSERT_TRUE(start(self, variant->how));
	ASSERT_TRUE(sleeps_on(self, 1, 8));
	ASSERT_EQ(1000, rb_put(self->p.w, self->next++, 1000));
	ASSERT_TRUE(woken(self, variant->how));
	drain(self);
	ASSERT_EQ(0, rb_set_mark(self->p.r, self->flags, 1024, 4, MS));
	ASSERT_TRUE(start(self, variant->how));
	ASSERT_EQ(8, rb_put(self->p.w, self->next++, 8));
	ASSERT_TRUE(woken(self, variant->how));
}

TEST_F(wait, time_wakes_and_counts_from_the_first_unread)
{
	uint64_t ns = 100 * MS, from, took, worst = 0;

	ASSERT_TRUE(start_with(self, variant, 0, 0, ns));
	for (int round = 0; round < 3; round++) {
		from = rb_now_ns();
		ASSERT_EQ(8, rb_put(self->p.w, self->next++, 8));
		ASSERT_TRUE(woken(self, variant->how));
		took = rb_now_ns() - from;
		/* Too early is wrong on any machine. */
		ASSERT_LE(ns, took);
		ASSERT_GE(ns + SLACK_NS, took);
		worst = took - ns > worst ? took - ns : worst;
		drain(self);
		/* Time without a record does not count. */
		usleep(ns / 1000);
		ASSERT_TRUE(start(self, variant->how));
	}
	/* Were each record to start it again, this would not end. */
	from = rb_now_ns();
	do {
		ASSERT_EQ(8, rb_put(self->p.w, self->next++, 8));
		usleep(ns / 8000);
		ASSERT_GE(ns + SLACK_NS, rb_now_ns() - from);
	} while (rb_in_syscall(self->op.tid, self->op.nr));
	EXPECT_LE(ns, rb_now_ns() - from);
	ASSERT_TRUE(woken(self, variant->how));
	TH_LOG("late by %llu us at most", (unsigned long long)worst / 1000);
}

TEST_F(wait, time_wakes_once_for_many)
{
	uint64_t from;
	bool asleep;

	ASSERT_TRUE(start_with(self, variant, 0, 0, 1000 * MS));
	from = rb_now_ns();
	for (int k = 0; k < 10; k++) {
		asleep = sleeps_on(self, 1, 8);
		/* Not if it took us that long. */
		ASSERT_TRUE(asleep || rb_now_ns() - from > 1000 * MS);
	}
	ASSERT_TRUE(woken(self, variant->how));
}

TEST_F(wait, a_new_mark_holds_for_who_sleeps)
{
	ASSERT_TRUE(start_with(self, variant, 0, 100, 3600000 * MS));
	ASSERT_TRUE(sleeps_on(self, 2, 8));
	ASSERT_EQ(0, rb_set_mark(self->p.r, self->flags, 0, 3, 0));
	ASSERT_TRUE(rb_op_blocked(&self->op));
	ASSERT_EQ(8, rb_put(self->p.w, self->next++, 8));
	ASSERT_TRUE(woken(self, variant->how));

	drain(self);
	ASSERT_EQ(0, rb_set_mark(self->p.r, self->flags, 1U << 20, 0, 0));
	ASSERT_TRUE(start(self, variant->how));
	ASSERT_TRUE(sleeps_on(self, 2, 8));
	ASSERT_EQ(0, rb_set_mark(self->p.r, self->flags, 0, 2, 0));
	ASSERT_TRUE(woken(self, variant->how));

	drain(self);
	ASSERT_EQ(0, rb_set_mark(self->p.r, self->flags, 0, 0, 3600000 * MS));
	ASSERT_TRUE(start(self, variant->how));
	ASSERT_TRUE(sleeps_on(self, 2, 8));
	ASSERT_EQ(0, rb_set_mark(self->p.r, self->flags, 0, 0, 10 * MS));
	ASSERT_TRUE(woken(self, variant->how));

	drain(self);
	ASSERT_EQ(0, rb_set_mark(self->p.r, self->flags, 0, 7, 0));
	ASSERT_TRUE(start(self, variant->how));
	ASSERT_TRUE(sleeps_on(self, 2, 8));
	ASSERT_EQ(0, rb_set_mark(self->p.r, self->flags, 0, 0, 0));
	ASSERT_TRUE(woken(self, variant->how));
}

TEST_F(wait, half_a_ring_and_no_more_is_waited_for)
{
	ASSERT_TRUE(start_with(self, variant, -1U, -1U, -1ULL));
	ASSERT_TRUE(sleeps_on(self, RING / 2 / 1024 - 1, 1000));
	ASSERT_EQ(1000, rb_put(self->p.w, self->next++, 1000));
	ASSERT_TRUE(woken(self, variant->how));
}

TEST_F(wait, the_end_wakes_below_the_mark)
{
	self->flags = ENDS;
	ASSERT_TRUE(start_with(self, variant, 0, 100, 0));
	ASSERT_TRUE(sleeps_on(self, 2, 8));
	close(self->p.w);
	ASSERT_TRUE(woken(self, variant->how));
	EXPECT_EQ(variant->how == BY_FRAMED ? 0 : READY, events(self->p.r) & READY);
	drain(self);
	EXPECT_EQ(0, RC(read(self->p.r, rb_in, RB_MAX)));
	EXPECT_EQ(POLLHUP, events(self->p.r));
	self->p.w = rb_open(O_WRONLY);
	EXPECT_EQ(0, events(self->p.r));
}

TEST_F(wait, the_end_wakes_who_has_read_all)
{
	int ret;

	self->flags = ENDS;
	ASSERT_TRUE(start_with(self, variant, 0, 100, 3600000 * MS));
	close(self->p.w);
	ret = rb_op_wait(&self->op);
	EXPECT_EQ(variant->how >= BY_POLL, ret);
}

/* What needs one way of waiting only. */
FIXTURE(ring) {
	struct rb_pair p;
	int ep;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=65536"));
	self->ep = epoll_create1(0);
}

FIXTURE_TEARDOWN(ring)
{
	close(self->ep);
	rb_pair_close(&self->p);
}

TEST_F(ring, marks_are_what_was_set)
{
	static const uint64_t v[][3] = {
		{ 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 }, { 1, 1, 1 }, { 7, 8, 9 },
		{ -1U, -1U, -1ULL }, { 0, 0, 1ULL << 63 }, { 0, 0, 0 },
	};
	int r = self->p.r, d = dup(r), other = rb_open(O_RDONLY);
	struct ringbuf_info i;

	ASSERT_EQ(0, rb_info(r, &i));
	EXPECT_TRUE(i.features & RINGBUF_FEATURE_WATERMARK);
	EXPECT_TRUE(is_set(r, 0, 0, 0, 0));
	for (int k = 0; k < ARRAY_SIZE(v); k++) {
		ASSERT_EQ(0, rb_set_mark(r, FRAMED, v[k][0], v[k][1], v[k][2]));
		EXPECT_TRUE(is_set(d, FRAMED, v[k][0], v[k][1], v[k][2]));
		EXPECT_TRUE(is_set(other, 0, 0, 0, 0));
	}
	ASSERT_EQ(0, rb_set_mark(r, 0, 4, 5, 6));
	EXPECT_EQ(-EINVAL, rb_set_mark(r, 1U << 31, 1, 2, 3));
	EXPECT_EQ(-EPERM, rb_set_mark(r, RINGBUF_CONSUMER_RELIABLE, 1, 2, 3));
	EXPECT_EQ(-EBADF, rb_set_mark(self->p.w, 0, 1, 2, 3));
	EXPECT_TRUE(is_set(r, 0, 4, 5, 6));
	close(d);
	close(other);
}

TEST_F(ring, a_read_that_finds_records_does_not_sleep)
{
	ASSERT_EQ(0, rb_set_mark(self->p.r, 0, 0, 100, 3600000 * MS));
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 0));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 8));
	EXPECT_EQ(8, rb_get(self->p.r, 0));
	ASSERT_EQ(0, fcntl(self->p.r, F_SETFL, 0));
	EXPECT_EQ(8, rb_get(self->p.r, 1));
	EXPECT_EQ(8, rb_fionread(self->p.r));
	ASSERT_EQ(0, rb_set_mark(self->p.r, FRAMED, 0, 100, 3600000 * MS));
	EXPECT_EQ(FRAME8, RC(read(self->p.r, rb_in, RB_MAX)));
}

TEST_F(ring, poll_is_silent_below_the_mark)
{
	ASSERT_EQ(0, watch(self->ep, self->p.r, EPOLLIN));
	ASSERT_EQ(0, rb_set_mark(self->p.r, 0, 0, 3, 0));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 2, 8));
	EXPECT_EQ(0, events(self->p.r));
	EXPECT_EQ(0, epolled(self->ep, 0));
	ASSERT_EQ(8, rb_put(self->p.w, 2, 8));
	for (int k = 0; k < 2; k++) {
		EXPECT_EQ(READY, events(self->p.r));
		EXPECT_EQ(EPOLLIN, epolled(self->ep, 0));
	}
	ASSERT_EQ(8, rb_get(self->p.r, 0));
	EXPECT_EQ(0, events(self->p.r));
	EXPECT_EQ(0, epolled(self->ep, 0));
	ASSERT_EQ(2, lseek(self->p.r, 2, SEEK_SET));
	EXPECT_EQ(0, events(self->p.r));
	ASSERT_EQ(0, lseek(self->p.r, 0, SEEK_SET));
	EXPECT_EQ(READY, events(self->p.r));
}

/* The timer ran out while the consumer was elsewhere, and is not to be relied on. */
TEST_F(ring, time_counts_again_after_a_seek_back)
{
	struct pollfd p = { .fd = self->p.r, .events = POLLIN };

	ASSERT_EQ(0, rb_set_mark(self->p.r, 0, 0, 100, 1000 * MS));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	ASSERT_EQ(0, poll(&p, 1, 0));
	ASSERT_EQ(8, rb_get(self->p.r, 0));
	usleep(1200000);
	ASSERT_EQ(0, lseek(self->p.r, 0, SEEK_SET));
	EXPECT_EQ(1, poll(&p, 1, RB_WAIT_MS));
	EXPECT_EQ(8, rb_get(self->p.r, 0));
}

TEST_F(ring, a_loss_is_urgent_whatever_the_mark)
{
	ASSERT_EQ(0, rb_set_mark(self->p.r, 0, -1U, -1U, -1ULL));
	ASSERT_EQ(0, watch(self->ep, self->p.r, EPOLLIN | EPOLLPRI | EPOLLET));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 100, 1000));
	EXPECT_EQ(READY | POLLPRI, events(self->p.r));
	EXPECT_EQ(EPOLLIN | EPOLLPRI, epolled(self->ep, RB_WAIT_MS));
	EXPECT_EQ(-EPIPE, RC(read(self->p.r, rb_in, RB_MAX)));
	EXPECT_EQ(READY, events(self->p.r));
}

TEST_F(ring, a_mapped_consumer_waits_for_its_mark)
{
	struct ringbuf_head *head = mmap(NULL, getpagesize(), PROT_READ,
					 MAP_SHARED, self->p.r, getpagesize());
	uint64_t from;

	ASSERT_NE(MAP_FAILED, head);
	ASSERT_EQ(0, watch(self->ep, self->p.r, EPOLLIN | EPOLLET));
	ASSERT_EQ(0, rb_set_mark(self->p.r, 0, 0, 3, 50 * MS));
	for (int round = 0; round < 5; round++) {
		EXPECT_EQ(0, events(self->p.r));
		from = rb_now_ns();
		ASSERT_EQ(0, rb_put_many(self->p.w, 0, 1, 8));
		EXPECT_EQ(EPOLLIN, epolled(self->ep, RB_WAIT_MS));
		EXPECT_LE(50 * MS, rb_now_ns() - from);
		EXPECT_EQ(READY, events(self->p.r));
		ASSERT_EQ(0, rb_put_many(self->p.w, 0, 2, 8));
		EXPECT_EQ(EPOLLIN, epolled(self->ep, RB_WAIT_MS));
		ASSERT_EQ(0, rb_advance(self->p.r, head->head));
	}
	munmap(head, getpagesize());
}

TEST_F(ring, what_is_left_unread_is_waited_for_anew)
{
	uint64_t from;

	ASSERT_EQ(0, rb_set_mark(self->p.r, 0, 0, 0, 50 * MS));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 8));
	ASSERT_EQ(0, watch(self->ep, self->p.r, EPOLLIN));
	for (int n = 0; n < 3; n++) {
		from = rb_now_ns();
		EXPECT_EQ(EPOLLIN, epolled(self->ep, RB_WAIT_MS));
		EXPECT_TRUE(!n || rb_now_ns() - from >= 50 * MS);
		ASSERT_EQ(8, rb_get(self->p.r, n));
	}
	EXPECT_EQ(0, epolled(self->ep, 100));
}

/* An edge that a reader, busy elsewhere, has not asked for again. */
TEST_F(ring, time_runs_on_behind_a_reader_that_stopped_half_way)
{
	ASSERT_EQ(0, rb_set_mark(self->p.r, 0, 0, 0, 50 * MS));
	ASSERT_EQ(0, watch(self->ep, self->p.r, EPOLLIN | EPOLLET));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 8));
	ASSERT_EQ(8, rb_get(self->p.r, 0));
	EXPECT_EQ(EPOLLIN, epolled(self->ep, RB_WAIT_MS));
}

TEST_HARNESS_MAIN
