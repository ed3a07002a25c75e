// SPDX-License-Identifier: GPL-2.0
/* Readers that the writer waits for, and readers that wake for many records. */
#include "lib_guest.h"

/* A frame of 128 bytes: 512 of them in the ring. */
#define LEN	104
#define RELIABLE_RING	"size=65536 reliable=1"
#define FIT	512

/* As START(), and the reader is reliable. */
#define START_RELIABLE(params) do {					\
	START(params);							\
	ringbuf_reader_close(self->r);					\
	ASSERT_EQ(0, ringbuf_reader_open(&self->r, NULL, variant->flags | \
					 RINGBUF_READER_RELIABLE));	\
} while (0)

static void do_not_wait(struct ringbuf_publisher *p)
{
	int fd = ringbuf_publisher_fd(p);

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* Publishes from record @n on until there is no room; how many. */
static int fill(struct ringbuf_publisher *p, uint64_t n)
{
	int count = 0, ret;

	do {
		ret = publish(p, n + count, LEN);
	} while (!ret && ++count < 2 * FIT);
	return ret == -EAGAIN ? count : -1;
}

TEST_F(lib, the_writer_waits)
{
	int n;

	START_RELIABLE(RELIABLE_RING);
	do_not_wait(self->p);
	n = fill(self->p, 0);
	EXPECT_GE(FIT, n);
	EXPECT_LT(FIT - 64, n);
	for (int i = 0; i < n; i++)
		ASSERT_EQ(0, take(self->r, i, LEN));
	EXPECT_EQ(0, ringbuf_read(self->r, &self->e));
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &self->s));
	EXPECT_EQ(0, self->s.flags | self->s.lost_records);
}

/* Who has read all holds nothing, whatever he does then. */
TEST_F(lib, all_read_all_room)
{
	int n = 0, more;

	START_RELIABLE(RELIABLE_RING);
	do_not_wait(self->p);
	ASSERT_EQ(0, publish_many(self->p, 0, 20, LEN));
	for (; n < 20; n++)
		ASSERT_EQ(0, take(self->r, n, LEN));
	EXPECT_EQ(0, ringbuf_next(self->r, &self->e));
	more = fill(self->p, n);
	EXPECT_LT(FIT - 33, more);
}

/* A slow one gives way with each record. */
TEST_F(lib, slow_but_sure)
{
	int n, i;

	START_RELIABLE(RELIABLE_RING);
	do_not_wait(self->p);
	n = fill(self->p, 0);
	ASSERT_LT(0, n);
	for (i = 0; i < 20; i++, n++) {
		ASSERT_EQ(0, take(self->r, i, LEN));
		usleep(20000);
		ASSERT_EQ(1, ringbuf_next(self->r, &self->e));
		ASSERT_EQ(0, publish(self->p, n, LEN));
	}
}

struct flood {
	struct ringbuf_publisher *p;
	uint64_t count;
	int ret;
};

static void *flood_main(void *arg)
{
	struct flood *f = arg;

	f->ret = publish_many(f->p, 0, f->count, LEN);
	return NULL;
}

/* Faster, slower, in turn; nothing is lost, and the writer is never forgotten. */
TEST_F(lib, nothing_is_lost)
{
	struct flood f = { .count = 20000 };
	pthread_t thread;
	uint64_t n;

	START_RELIABLE(RELIABLE_RING);
	f.p = self->p;
	ASSERT_EQ(0, pthread_create(&thread, NULL, flood_main, &f));
	for (n = 0; n < f.count; n++) {
		ASSERT_EQ(1, ringbuf_wait(self->r, 10000));
		ASSERT_EQ(0, take(self->r, n, LEN));
		if (!(n % 1000))
			usleep(10000);
	}
	ASSERT_EQ(0, rb_join(thread, "writer"));
	EXPECT_EQ(0, f.ret);
}

TEST_F(lib, not_allowed)
{
	struct ringbuf_reader *r;

	START("");
	EXPECT_EQ(-EPERM, ringbuf_reader_open(&r, NULL, variant->flags |
					      RINGBUF_READER_RELIABLE));
	EXPECT_EQ(NULL, r);
	EXPECT_EQ(-EPERM, ringbuf_reader_set_reliable(self->r, true));
	EXPECT_EQ(0, ringbuf_reader_set_reliable(self->r, false));
	ASSERT_EQ(0, publish(self->p, 0, LEN));
	EXPECT_EQ(0, take(self->r, 0, LEN));
}

static int reliable_consumers(struct ringbuf_reader *r)
{
	struct ringbuf_info info;

	return ringbuf_reader_info(r, &info) ?: (int)info.reliable_consumers;
}

TEST_F(lib, on_and_off)
{
	int n;

	START(RELIABLE_RING);
	do_not_wait(self->p);
	ASSERT_EQ(0, publish_many(self->p, 0, 100, LEN));
	for (n = 0; n < 10; n++)
		ASSERT_EQ(0, take(self->r, n, LEN));
	ASSERT_EQ(0, ringbuf_reader_set_reliable(self->r, true));
	EXPECT_EQ(1, reliable_consumers(self->r));
	/* From where it is, not from where it began. */
	n = 100 + fill(self->p, 100);
	EXPECT_LT(FIT - 33 + 10, n);
	ASSERT_EQ(0, ringbuf_reader_set_reliable(self->r, false));
	EXPECT_EQ(0, reliable_consumers(self->r));
	ASSERT_EQ(0, publish_many(self->p, n, 2 * FIT, LEN));
}

TEST_F(lib, demoted)
{
	START_RELIABLE(RELIABLE_RING " stall_ms=100");
	ASSERT_EQ(0, publish_many(self->p, 0, 2 * FIT, LEN));
	EXPECT_EQ(0, reliable_consumers(self->r));
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &self->s));
	EXPECT_TRUE(self->s.flags & RINGBUF_STATS_DEMOTED);
	/* Marks change nothing about that. */
	ASSERT_EQ(0, ringbuf_reader_set_wake(self->r, 0, 2, 0));
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &self->s));
	EXPECT_TRUE(self->s.flags & RINGBUF_STATS_DEMOTED);
	while (ringbuf_read(self->r, &self->e) > 0)
		;
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &self->s));
	EXPECT_LT(0, self->s.lost_records);
	ASSERT_EQ(0, ringbuf_reader_set_reliable(self->r, true));
	EXPECT_EQ(1, reliable_consumers(self->r));
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &self->s));
	EXPECT_EQ(0, self->s.flags);
}

/* What was overwritten before is lost, in records and in bytes. */
TEST_F(lib, reliable_after_an_overrun)
{
	const int n = 3 * FIT;
	int lost;

	START(RELIABLE_RING);
	ASSERT_EQ(0, publish_many(self->p, 0, 20, LEN));
	for (int i = 0; i < 5; i++)
		ASSERT_EQ(0, take(self->r, i, LEN));
	ASSERT_EQ(0, publish_many(self->p, 20, n - 20, LEN));
	ASSERT_EQ(0, ringbuf_reader_set_reliable(self->r, true));
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &self->s));
	EXPECT_EQ(5, self->s.read_records);
	EXPECT_EQ(n - 5, self->s.lost_records + self->s.lag_records);
	EXPECT_EQ(self->s.lost_records * F(LEN), self->s.lost_bytes);
	EXPECT_EQ(self->s.lag_records * F(LEN), self->s.lag_bytes);
	lost = self->s.lost_records;
	EXPECT_LE(n - FIT - 20, lost);
	/* Those that were read with the first five have not been lost. */
	for (int i = 5; !ringbuf_reader_mapped(self->r) && i < 20; i++)
		ASSERT_EQ(0, take(self->r, i, LEN));
	ASSERT_EQ(1, ringbuf_next(self->r, &self->e));
	EXPECT_EQ(lost, self->e.lost);
	EXPECT_EQ(lost * F(LEN), self->e.lost_bytes);
	while (ringbuf_read(self->r, &self->e) > 0)
		;
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &self->s));
	EXPECT_EQ(n - lost, self->s.read_records);
	EXPECT_EQ((n - lost) * F(LEN), self->s.read_bytes);
	EXPECT_EQ(lost, self->s.lost_records);
	EXPECT_EQ(lost * F(LEN), self->s.lost_bytes);
	EXPECT_EQ(0, self->s.lag_records | self->s.lag_bytes);
}

TEST_F(lib, wakes_for_records)
{
	int n;

	START("");
	ASSERT_EQ(0, ringbuf_reader_set_wake(self->r, 0, 5, 0));
	ASSERT_EQ(0, publish_many(self->p, 0, 4, LEN));
	EXPECT_EQ(0, ringbuf_arm(self->r));
	EXPECT_EQ(0, ringbuf_wait(self->r, 20));
	ASSERT_EQ(0, publish(self->p, 4, LEN));
	EXPECT_EQ(1, ringbuf_arm(self->r));
	/* None of the five is waited for again. */
	for (n = 0; n < 5; n++) {
		ASSERT_EQ(1, ringbuf_wait(self->r, 0));
		ASSERT_EQ(0, take(self->r, n, LEN));
	}
	ASSERT_EQ(0, publish(self->p, 5, LEN));
	EXPECT_EQ(0, ringbuf_wait(self->r, 0));
	/* Who asks for it gets it. */
	EXPECT_EQ(0, take(self->r, 5, LEN));
	ASSERT_EQ(0, publish(self->p, 6, LEN));
	ASSERT_EQ(0, ringbuf_reader_set_wake(self->r, 0, 0, 0));
	EXPECT_EQ(1, ringbuf_wait(self->r, 0));
}

TEST_F(lib, wakes_for_bytes)
{
	START("");
	ASSERT_EQ(0, ringbuf_reader_set_wake(self->r, 2 * F(LEN), 0, 0));
	ASSERT_EQ(0, publish(self->p, 0, LEN));
	EXPECT_EQ(0, ringbuf_wait(self->r, 0));
	ASSERT_EQ(0, publish(self->p, 1, LEN));
	EXPECT_EQ(1, ringbuf_wait(self->r, 0));
}

TEST_F(lib, wakes_after_a_time)
{
	long t;

	START("");
	ASSERT_EQ(0, ringbuf_reader_set_wake(self->r, 0, 100, 200000000));
	t = rb_now_ms();
	ASSERT_EQ(0, publish(self->p, 0, LEN));
	EXPECT_EQ(0, ringbuf_wait(self->r, 0));
	EXPECT_EQ(1, ringbuf_wait(self->r, 10000));
	EXPECT_LE(200, rb_now_ms() - t);
	EXPECT_GT(5000, rb_now_ms() - t);
	EXPECT_EQ(0, take(self->r, 0, LEN));
}

static void *wait_main(void *r)
{
	return (void *)(long)ringbuf_wait(r, 10000);
}

TEST_F(lib, sleeps_until_there_are_enough)
{
	pthread_t thread;
	void *ret;
	int n;

	START("");
	ASSERT_EQ(0, ringbuf_reader_set_wake(self->r, 0, 3, 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_main, self->r));
	for (n = 0; n < 3; n++) {
		usleep(50000);
		EXPECT_EQ(EBUSY, pthread_tryjoin_np(thread, &ret));
		ASSERT_EQ(0, publish(self->p, n, LEN));
	}
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(1, (long)ret);
	for (n = 0; n < 3; n++)
		ASSERT_EQ(0, take(self->r, n, LEN));
}

/* A file that has marks of its own, or is reliable, stays so. */
TEST_F(lib, of_an_open_file)
{
	struct ringbuf_reader *r;
	int fd;

	START(RELIABLE_RING);
	fd = rb_open(O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, rb_set_mark(fd, RINGBUF_CONSUMER_RELIABLE, 0, 2, 0));
	ASSERT_EQ(0, ringbuf_reader_fdopen(&r, fd, variant->flags));
	EXPECT_EQ(1, reliable_consumers(r));
	ASSERT_EQ(0, publish(self->p, 0, LEN));
	EXPECT_EQ(0, ringbuf_wait(r, 0));
	ASSERT_EQ(0, publish(self->p, 1, LEN));
	EXPECT_EQ(1, ringbuf_wait(r, 0));
	EXPECT_EQ(0, take(r, 0, LEN));
	EXPECT_EQ(0, take(r, 1, LEN));
	EXPECT_EQ(0, ringbuf_next(r, &self->e));
	do_not_wait(self->p);
	EXPECT_LT(FIT - 33, fill(self->p, 2));
	ringbuf_reader_close(r);
}

TEST_HARNESS_MAIN
