// SPDX-License-Identifier: GPL-2.0
/* RINGBUF_IOC_ADVANCE: where a cursor can be moved to, and what that counts. */
#include "ringbuf_test.h"
#include "map.h"

#include <sys/epoll.h>

#define F(len)	((int)RINGBUF_FRAME_SIZE(len))

FIXTURE(ring) {
	struct rb_pair p;
	struct ringbuf_stats s;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096"));
}

FIXTURE_TEARDOWN(ring)
{
	rb_pair_close(&self->p);
}

/* Record n's payload, and where it begins: nothing that repeats early. */
static uint32_t length(uint64_t n)
{
	return 1 + n * 29 % 97;
}

static uint64_t start(uint64_t n)
{
	static const uint64_t period = 97;
	uint64_t all = 0, part = 0, k;

	for (k = 0; k < period; k++) {
		if (k < n % period)
			part += F(length(k));
		all += F(length(k));
	}
	return n / period * all + part;
}

/* Writes records @from to @to - 1, of their lengths. */
static int put(int w, uint64_t from, uint64_t to)
{
	int ret = 0;

	for (; from < to && ret >= 0; from++)
		ret = rb_put(w, from, length(from));
	return ret < 0 ? ret : 0;
}

static int ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLPRI };
	int ret = RC(poll(&p, 1, 0));

	return ret < 0 ? ret : p.revents;
}

/* The account of a consumer that began with record 0 of @written: NULL or why not. */
static const char *account(int fd, uint64_t written, uint64_t seq,
			   uint64_t records)
{
	struct ringbuf_stats s;

	if (rb_stats(fd, &s))
		return "no statistics";
	if (s.seq != seq || s.pos != start(seq))
		return "the cursor is elsewhere";
	if (s.read_records != records)
		return "another number of records read";
	if (s.read_records + s.lost_records + s.lag_records != written)
		return "records do not add up";
	if (s.read_bytes + s.lost_bytes + s.lag_bytes != start(written))
		return "bytes do not add up";
	return NULL;
}

#define EXPECT_ACCOUNT(written, seq, records) do {			\
	const char *__why = account(self->p.r, written, seq, records);	\
									\
	EXPECT_STREQ("ok", __why ? __why : "ok");			\
} while (0)

TEST_F(ring, to_each_record_and_to_the_head)
{
	ASSERT_EQ(0, put(self->p.w, 0, 20));
	for (int n = 0; n <= 20; n++) {
		ASSERT_EQ(0, rb_advance(self->p.r, start(n))) TH_LOG("%d", n);
		EXPECT_ACCOUNT(20, n, n);
		/* Where it is already. */
		ASSERT_EQ(0, rb_advance(self->p.r, start(n)));
		EXPECT_ACCOUNT(20, n, n);
	}
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 20));
	ASSERT_EQ(0, put(self->p.w, 20, 21));
	EXPECT_EQ(length(20), rb_get(self->p.r, 20));
}

TEST_F(ring, over_several_records_at_once)
{
	ASSERT_EQ(0, put(self->p.w, 0, 20));
	ASSERT_EQ(0, rb_advance(self->p.r, start(7)));
	EXPECT_ACCOUNT(20, 7, 7);
	ASSERT_EQ(0, rb_stats(self->p.r, &self->s));
	EXPECT_EQ(start(7), self->s.read_bytes);
	EXPECT_EQ(0, self->s.lost_records);
	EXPECT_EQ(0, self->s.flags);
	EXPECT_EQ(length(7), rb_fionread(self->p.r));
	EXPECT_EQ(length(7), rb_get(self->p.r, 7));
	ASSERT_EQ(0, rb_advance(self->p.r, start(20)));
	EXPECT_ACCOUNT(20, 20, 20);
	EXPECT_EQ(0, rb_fionread(self->p.r));
}

TEST_F(ring, an_empty_ring_has_one_place)
{
	EXPECT_EQ(0, rb_advance(self->p.r, 0));
	EXPECT_EQ(-EINVAL, rb_advance(self->p.r, 8));
	EXPECT_EQ(-EINVAL, rb_advance(self->p.r, 1));
	EXPECT_EQ(-EINVAL, rb_advance(self->p.r, -8ULL));
	EXPECT_ACCOUNT(0, 0, 0);
}

TEST_F(ring, nowhere_else_and_nothing_moves)
{
	uint64_t head, at, bad[] = {
		8, 16, 1ULL << 31, 1ULL << 32, 1ULL << 62, (1ULL << 63) - 8,
		1ULL << 63, (1ULL << 63) + 8, -4096ULL, -8ULL, -1ULL,
	};

	ASSERT_EQ(0, put(self->p.w, 0, 20));
	head = start(20);
	ASSERT_EQ(0, rb_advance(self->p.r, start(5)));
	at = start(5);
	/* Behind it, even where a record begins that is still there. */
	for (int n = 0; n < 5; n++)
		EXPECT_EQ(-EINVAL, rb_advance(self->p.r, start(n)));
	for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
		EXPECT_EQ(-EINVAL, rb_advance(self->p.r, head + bad[k]))
			TH_LOG("head + %#llx", (long long)bad[k]);
		EXPECT_EQ(-EINVAL, rb_advance(self->p.r, at - bad[k]))
			TH_LOG("cursor - %#llx", (long long)bad[k]);
	}
	EXPECT_EQ(-EINVAL, rb_advance(self->p.r, head + 4096));
	EXPECT_EQ(-EINVAL, rb_advance(self->p.r, at + 4096));
	EXPECT_EQ(-EINVAL, rb_advance(self->p.r, at + (1ULL << 32)));
	EXPECT_EQ(-EINVAL, rb_advance(self->p.r, -1ULL));
	/* Every byte up to the head and beyond. */
	for (uint64_t pos = at + 1, n = 6; pos < head + 64; pos++) {
		if (pos == start(n) && n <= 20) {
			n++;
			continue;
		}
		ASSERT_EQ(-EINVAL, rb_advance(self->p.r, pos))
			TH_LOG("position %llu", (long long)pos);
	}
	EXPECT_ACCOUNT(20, 5, 5);
	EXPECT_EQ(length(5), rb_get(self->p.r, 5));
}

/* Payloads full of headers that look like those of the records to come. */
static int put_forged(int w, uint64_t n, uint32_t len)
{
	struct ringbuf_record *rec = (void *)rb_out;
	uint32_t at;

	for (at = 0; at + sizeof(*rec) <= len; at += sizeof(*rec)) {
		/* Each claims to reach to this record's end, or to the next. */
		rec->len = at / 24 % 2 ? 24 : len - at - sizeof(*rec);
		rec->len = rec->len ? rec->len : 8;
		rec->type = 0;
		rec->flags = 0;
		rec->seq = n + at / 24 % 3;
		rec->time_ns = rb_now_ns();
		rec++;
	}
	return RC(write(w, rb_out, len));
}

TEST_F(ring, what_looks_like_a_record_is_none)
{
	struct ringbuf_stats before, after;
	int len = 20 * RB_HEADER;

	/* The second time across the ring's end. */
	for (uint64_t n = 0; n < 14; n += 2) {
		uint64_t at = n * F(len), to;

		ASSERT_EQ(len, put_forged(self->p.w, n, len));
		ASSERT_EQ(len, put_forged(self->p.w, n + 1, len));
		ASSERT_EQ(0, rb_stats(self->p.r, &before));
		for (to = at + 8; to < at + 2 * F(len); to += 8) {
			if (to == at + F(len))
				continue;
			ASSERT_EQ(-EINVAL, rb_advance(self->p.r, to))
				TH_LOG("%d in record %d", (int)(to - at), (int)n);
		}
		ASSERT_EQ(0, rb_stats(self->p.r, &after));
		EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
		ASSERT_EQ(0, rb_advance(self->p.r, at + F(len)));
		ASSERT_EQ(0, rb_advance(self->p.r, at + 2 * F(len)));
		ASSERT_EQ(0, rb_stats(self->p.r, &after));
		EXPECT_EQ(n + 2, after.seq);
		EXPECT_EQ(n + 2, after.read_records);
		EXPECT_EQ(0, after.lost_records);
	}
}

TEST_F(ring, read_goes_on_from_there)
{
	size_t len;

	ASSERT_EQ(0, put(self->p.w, 0, 20));
	EXPECT_EQ(length(0), rb_get(self->p.r, 0));
	ASSERT_EQ(0, rb_advance(self->p.r, start(4)));
	EXPECT_EQ(length(4), rb_get(self->p.r, 4));
	EXPECT_EQ(length(5), rb_get(self->p.r, 5));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(0, rb_advance(self->p.r, start(10)));
	len = start(20) - start(10);
	EXPECT_EQ(len, RC(read(self->p.r, rb_in, RB_MAX)));
	EXPECT_TRUE(rb_frame_ok((void *)rb_in, 10, length(10)));
	EXPECT_ACCOUNT(20, 20, 20);
	/* And so does lseek(). */
	EXPECT_EQ(20, rb_at(self->p.r));
	EXPECT_EQ(3, lseek(self->p.r, 3, SEEK_SET));
	ASSERT_EQ(0, rb_advance(self->p.r, start(9)));
	EXPECT_EQ(9, rb_at(self->p.r));
}

TEST_F(ring, an_rdwr_file_advances_too)
{
	int fd;

	close(self->p.w);
	fd = self->p.w = rb_open(O_RDWR | O_NONBLOCK);
	ASSERT_EQ(0, put(fd, 0, 5));
	EXPECT_EQ(0, rb_advance(fd, start(3)));
	EXPECT_EQ(length(3), rb_get(fd, 3));
	EXPECT_EQ(0, rb_advance(fd, start(5)));
	EXPECT_EQ(-EAGAIN, rb_get(fd, 5));
}

TEST_F(ring, each_consumer_has_its_own_cursor)
{
	int other = rb_open(O_RDONLY | O_NONBLOCK), same = dup(self->p.r);

	ASSERT_EQ(0, put(self->p.w, 0, 5));
	ASSERT_EQ(0, rb_advance(same, start(3)));
	EXPECT_EQ(length(3), rb_get(self->p.r, 3));
	EXPECT_EQ(length(0), rb_get(other, 0));
	close(other);
	close(same);
}

/* How the tail lies when @written records were: the seq that it has. */
static uint64_t tail_seq(int fd)
{
	struct ringbuf_info i;

	return rb_info(fd, &i) || i.tail != start(i.tail_seq) ? -1ULL :
							       i.tail_seq;
}

TEST_F(ring, what_was_overwritten_counts_as_lost)
{
	uint64_t tail;

	ASSERT_EQ(0, put(self->p.w, 0, 10));
	ASSERT_EQ(0, rb_advance(self->p.r, start(4)));
	ASSERT_EQ(0, put(self->p.w, 10, 300));
	tail = tail_seq(self->p.r);
	ASSERT_LT(10, tail);
	ASSERT_GT(300, tail + 5);
	EXPECT_ACCOUNT(300, 4, 4);
	EXPECT_EQ(POLLIN | POLLPRI, ready(self->p.r));
	ASSERT_EQ(0, rb_advance(self->p.r, start(tail + 5)));
	EXPECT_ACCOUNT(300, tail + 5, 4 + 5);
	ASSERT_EQ(0, rb_stats(self->p.r, &self->s));
	EXPECT_EQ(tail - 4, self->s.lost_records);
	EXPECT_EQ(start(tail) - start(4), self->s.lost_bytes);
	EXPECT_EQ(0, self->s.flags);
	EXPECT_EQ(POLLIN, ready(self->p.r));
	/* Known already, and not told again. */
	EXPECT_EQ(length(tail + 5), rb_get(self->p.r, tail + 5));
	EXPECT_ACCOUNT(300, tail + 6, 4 + 6);
}

TEST_F(ring, to_what_is_gone_is_to_the_oldest)
{
	uint64_t tail;

	ASSERT_EQ(0, put(self->p.w, 0, 300));
	tail = tail_seq(self->p.r);
	ASSERT_EQ(0, rb_advance(self->p.r, start(tail / 2)));
	EXPECT_ACCOUNT(300, tail, 0);
	ASSERT_EQ(0, rb_stats(self->p.r, &self->s));
	EXPECT_EQ(tail, self->s.lost_records);
	EXPECT_EQ(0, self->s.flags);
	EXPECT_EQ(length(tail), rb_get(self->p.r, tail));
}

TEST_F(ring, to_the_oldest_itself_and_to_the_head_when_overrun)
{
	uint64_t tail;

	ASSERT_EQ(0, put(self->p.w, 0, 300));
	tail = tail_seq(self->p.r);
	ASSERT_EQ(0, rb_advance(self->p.r, start(tail)));
	EXPECT_ACCOUNT(300, tail, 0);
	ASSERT_EQ(0, put(self->p.w, 300, 600));
	ASSERT_EQ(0, rb_advance(self->p.r, start(600)));
	EXPECT_ACCOUNT(600, 600, 600 - tail_seq(self->p.r));
	EXPECT_EQ(0, ready(self->p.r));
}

/* Where the cursor is, and that has been overwritten as any other place. */
TEST_F(ring, to_the_cursor_when_overrun_is_to_the_oldest)
{
	uint64_t tail;

	ASSERT_EQ(0, put(self->p.w, 0, 10));
	ASSERT_EQ(0, rb_advance(self->p.r, start(10)));
	ASSERT_EQ(0, put(self->p.w, 10, 300));
	tail = tail_seq(self->p.r);
	ASSERT_EQ(0, rb_advance(self->p.r, start(10)));
	EXPECT_ACCOUNT(300, tail, 10);
	EXPECT_EQ(POLLIN, ready(self->p.r));
}

TEST_F(ring, a_refusal_leaves_the_overrun_as_it_was)
{
	struct ringbuf_stats before;
	uint64_t tail;

	ASSERT_EQ(0, put(self->p.w, 0, 300));
	tail = tail_seq(self->p.r);
	ASSERT_EQ(0, rb_stats(self->p.r, &before));
	EXPECT_EQ(RINGBUF_STATS_OVERRUN, before.flags);
	for (uint64_t pos = start(tail) + 1; pos < start(tail + 1); pos++)
		EXPECT_EQ(-EINVAL, rb_advance(self->p.r, pos));
	EXPECT_EQ(-EINVAL, rb_advance(self->p.r, start(300) + 8));
	EXPECT_EQ(-EINVAL, rb_advance(self->p.r, start(300) + (1ULL << 62)));
	ASSERT_EQ(0, rb_stats(self->p.r, &self->s));
	EXPECT_EQ(0, memcmp(&before, &self->s, sizeof(before)));
	EXPECT_EQ(-EPIPE, rb_get(self->p.r, 0));
}

TEST_F(ring, a_framed_consumer_hears_of_a_loss_once)
{
	uint64_t tail;

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(0, put(self->p.w, 0, 300));
	tail = tail_seq(self->p.r);
	ASSERT_EQ(0, rb_advance(self->p.r, start(tail + 1)));
	ASSERT_EQ(F(length(tail + 1)),
		  RC(read(self->p.r, rb_in, F(length(tail + 1)))));
	EXPECT_TRUE(rb_frame_ok((void *)rb_in, tail + 1, length(tail + 1)));
	ASSERT_EQ(0, put(self->p.w, 300, 900));
	ASSERT_EQ(RB_LOST_FRAME, RC(read(self->p.r, rb_in, RB_LOST_FRAME)));
	ASSERT_NE(NULL, rb_lost(rb_in));
	EXPECT_EQ(tail + 2, ((struct ringbuf_record *)rb_in)->seq);
	EXPECT_EQ(tail_seq(self->p.r) - tail - 2, rb_lost(rb_in)->records);
}

TEST_F(ring, nothing_is_ready_at_the_head_until_a_record_comes)
{
	struct pollfd p = { .fd = self->p.r, .events = POLLIN };
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(0);
	struct rb_op op;

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->p.r, &e));
	for (int n = 0; n < 100; n++) {
		ASSERT_EQ(0, put(self->p.w, n, n + 1));
		ASSERT_EQ(POLLIN, ready(self->p.r));
		ASSERT_EQ(1, epoll_wait(ep, &e, 1, RB_WAIT_MS));
		ASSERT_EQ(0, rb_advance(self->p.r, start(n + 1)));
		ASSERT_EQ(0, ready(self->p.r));
		ASSERT_EQ(0, epoll_wait(ep, &e, 1, 0));
	}
	ASSERT_TRUE(rb_op_block(&op, SYS_poll, (long)&p, (void *)1, -1));
	ASSERT_EQ(0, put(self->p.w, 100, 101));
	EXPECT_EQ(1, rb_op_wait(&op));
	EXPECT_EQ(POLLIN, p.revents);
	ASSERT_EQ(0, rb_advance(self->p.r, start(101)));
	ASSERT_EQ(0, epoll_wait(ep, &e, 1, 0));
	ASSERT_TRUE(rb_op_block(&op, SYS_epoll_wait, ep, &e, 1));
	ASSERT_EQ(0, put(self->p.w, 101, 102));
	EXPECT_EQ(1, rb_op_wait(&op));
	close(ep);
}

TEST_F(ring, the_end_is_where_the_writer_left)
{
	struct pollfd p = { .fd = self->p.r, .events = POLLIN };

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_EOF));
	ASSERT_EQ(0, put(self->p.w, 0, 5));
	close(self->p.w);
	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_FALSE(p.revents & POLLHUP);
	ASSERT_EQ(0, rb_advance(self->p.r, start(5)));
	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_TRUE(p.revents & POLLHUP);
	EXPECT_EQ(0, rb_get(self->p.r, 5));
	self->p.w = rb_open(O_WRONLY);
}

/* Nobody but who moves the cursor can tell those who sleep on it. */
TEST_F(ring, the_end_is_an_edge)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(0);
	struct rb_op op;

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->p.r, &e));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_EOF));
	ASSERT_EQ(0, put(self->p.w, 0, 5));
	close(self->p.w);
	ASSERT_EQ(1, epoll_wait(ep, &e, 1, RB_WAIT_MS));
	EXPECT_FALSE(e.events & EPOLLHUP);
	ASSERT_TRUE(rb_op_block(&op, SYS_epoll_wait, ep, &e, 1));
	ASSERT_EQ(0, rb_advance(self->p.r, start(5)));
	EXPECT_EQ(1, rb_op_wait(&op));
	EXPECT_TRUE(e.events & EPOLLHUP);

	/* By read() and lseek(), too. */
	ASSERT_EQ(0, RC(lseek(self->p.r, 4, SEEK_SET)) - 4);
	ASSERT_EQ(1, epoll_wait(ep, &e, 1, RB_WAIT_MS));
	ASSERT_TRUE(rb_op_block(&op, SYS_epoll_wait, ep, &e, 1));
	EXPECT_GT(rb_get(self->p.r, 4), 0);
	EXPECT_EQ(1, rb_op_wait(&op));
	EXPECT_TRUE(e.events & EPOLLHUP);
	self->p.w = rb_open(O_WRONLY);
	close(ep);
}

/*
 * Threads that share a consumer: two advance it, to wherever a record begins in
 * their map, two read, one looks at the account. All add up at the end.
 */
struct sharer {
	pthread_t thread;
	int fd;
	struct rb_map m;
	atomic_long moves;
	const char *error;
};

static atomic_long stop;

/* On a slow machine some take long to get a turn. */
static bool all_moved(const struct sharer *a, size_t count)
{
	for (size_t k = 0; k < count; k++)
		if (!atomic_load(&a[k].moves) && !a[k].error)
			return false;
	return true;
}

static void *advance_main(void *arg)
{
	struct sharer *a = arg;
	struct ringbuf_stats s;
	uint64_t at;
	uint32_t len;
	int ret;

	while (!atomic_load(&stop) && !a->error) {
		if (rb_stats(a->fd, &s))
			a->error = "no statistics";
		/* A few records on, of those that the map shows. */
		for (at = s.pos; at < s.pos + 500; at += F(len)) {
			if (at == rb_map_head(&a->m))
				break;
			len = __atomic_load_n(&rb_map_at(&a->m, at)->len,
					      __ATOMIC_RELAXED);
			if (!rb_map_intact(&a->m, at))
				break;
		}
		ret = rb_advance(a->fd, at);
		/* Another one may have gone further. */
		if (ret && ret != -EINVAL)
			a->error = "no advance";
		a->moves += !ret && at != s.pos;
	}
	return NULL;
}

static void *read_main(void *arg)
{
	struct sharer *a = arg;
	static __thread char buf[128];
	int ret;

	while (!atomic_load(&stop) && !a->error) {
		ret = RC(read(a->fd, buf, sizeof(buf)));
		a->moves += ret > 0;
		if (ret <= 0 && ret != -EAGAIN && ret != -EPIPE)
			a->error = "no read";
		usleep(100);
	}
	return NULL;
}

static void *look_main(void *arg)
{
	struct sharer *a = arg;
	struct ringbuf_stats s, last = { 0 };

	while (!atomic_load(&stop) && !a->error) {
		if (rb_stats(a->fd, &s))
			a->error = "no statistics";
		else if (s.pos != start(s.seq))
			a->error = "pos and seq do not belong together";
		else if (s.read_bytes + s.lost_bytes + s.lag_bytes !=
			 start(s.read_records + s.lost_records + s.lag_records))
			a->error = "records and bytes do not belong together";
		/*
		 * A loss is told as soon as the tail has passed the cursor,
		 * but who was faster may still count those records as read.
		 */
		else if (s.seq < last.seq || s.read_records < last.read_records)
			a->error = "going backwards";
		last = s;
		a->moves++;
	}
	return NULL;
}

TEST_F_TIMEOUT(ring, those_who_share_a_cursor_count_each_record_once, 90)
{
	static void *(*const jobs[])(void *) = {
		advance_main, advance_main, read_main, read_main, look_main,
	};
	struct sharer a[ARRAY_SIZE(jobs)] = { 0 };
	uint64_t total = rb_quick() ? 20000 : 100000, n;
	long end = rb_now_ms() + 3 * RB_WAIT_MS;

	for (size_t k = 0; k < ARRAY_SIZE(jobs); k++) {
		a[k].fd = self->p.r;
		ASSERT_EQ(0, rb_map_fd(&a[k].m, self->p.r));
		ASSERT_EQ(0, pthread_create(&a[k].thread, NULL, jobs[k], &a[k]));
	}
	for (n = 0; n < total || (!all_moved(a, ARRAY_SIZE(jobs)) &&
				  rb_now_ms() < end); n += 20) {
		ASSERT_EQ(0, put(self->p.w, n, n + 20));
		/* So that not all is overwritten before anyone looks. */
		if (n % 400 == 0)
			usleep(1000);
	}
	total = n;
	usleep(100000);
	atomic_store(&stop, 1);
	for (size_t k = 0; k < ARRAY_SIZE(jobs); k++) {
		ASSERT_EQ(0, rb_join(a[k].thread, "sharer"));
		EXPECT_STREQ("ok", a[k].error ? a[k].error : "ok");
		EXPECT_LT(0, atomic_load(&a[k].moves)) TH_LOG("thread %d", (int)k);
	}
	ASSERT_EQ(0, rb_advance(self->p.r, start(total)));
	ASSERT_EQ(0, rb_stats(self->p.r, &self->s));
	EXPECT_ACCOUNT(total, total, self->s.read_records);
	EXPECT_LT(0, self->s.read_records);
	EXPECT_LT(0, self->s.lost_records);
	TH_LOG("%llu passed, %llu lost", (long long)self->s.read_records,
	       (long long)self->s.lost_records);
}

/* More than the kernel passes over in one go. */
TEST_F(ring, a_long_way_is_no_other)
{
	rb_pair_close(&self->p);
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4194304"));
	ASSERT_EQ(0, put(self->p.w, 0, 30000));
	EXPECT_EQ(-EINVAL, rb_advance(self->p.r, start(29999) + 8));
	EXPECT_ACCOUNT(30000, 0, 0);
	ASSERT_EQ(0, rb_advance(self->p.r, start(1024)));
	EXPECT_ACCOUNT(30000, 1024, 1024);
	ASSERT_EQ(0, rb_advance(self->p.r, start(30000)));
	EXPECT_ACCOUNT(30000, 30000, 30000);
}

TEST_HARNESS_MAIN
