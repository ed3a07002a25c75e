// SPDX-License-Identifier: GPL-2.0
/* What a reader says it read, lost and has before it; seeking. */
#include "lib_guest.h"

/* All records there ever were: where they ended. */
#define MAX	200000
static uint64_t ends[MAX];
static uint64_t written, head;

static uint32_t length(uint64_t n)
{
	uint64_t h = n * 0x9e3779b97f4a7c15ULL >> 40;

	return 1 + (h % 16 ? h % 200 : h % 1000);
}

static int write_some(struct ringbuf_publisher *p, int n)
{
	int ret = 0;

	while (n-- && written < MAX && !ret) {
		uint32_t len = length(written);

		rb_fill(rb_out, len, written);
		ret = ringbuf_put(p, written & 0xffff, rb_out, len);
		head += F(len);
		ends[written++] = head;
	}
	return ret ? ret : ringbuf_flush(p);
}

static uint64_t begin_of(uint64_t n)
{
	return n ? ends[n - 1] : 0;
}

/* A reader's account, as the test keeps it. */
struct account {
	uint64_t seq, read, read_bytes, lost, lost_bytes;
};

static bool same(struct ringbuf_reader *r, const struct account *a,
		 struct ringbuf_stats *s)
{
	int ret = ringbuf_reader_stats(r, s);

	if (!ret && s->seq == a->seq && s->pos == begin_of(a->seq) &&
	    s->read_records == a->read && s->read_bytes == a->read_bytes &&
	    s->lost_records >= a->lost && s->lost_bytes >= a->lost_bytes &&
	    s->read_records + s->lost_records + s->lag_records == written &&
	    s->read_bytes + s->lost_bytes + s->lag_bytes == head)
		return true;
	fprintf(stderr, "# %d: seq %llu/%llu read %llu/%llu lost %llu/%llu lag %llu of %llu\n",
		ret, s->seq, (unsigned long long)a->seq, s->read_records,
		(unsigned long long)a->read, s->lost_records,
		(unsigned long long)a->lost, s->lag_records,
		(unsigned long long)written);
	return false;
}

/* Is this the one that comes next, its loss right? */
static bool right(const struct ringbuf_entry *e, const struct account *a)
{
	return is_record(e, a->seq + e->lost, length(e->seq)) &&
	       e->lost_bytes == begin_of(e->seq) - begin_of(a->seq);
}

static void took(struct account *a, const struct ringbuf_entry *e)
{
	a->lost += e->lost;
	a->lost_bytes += e->lost_bytes;
	a->read++;
	a->read_bytes += F(e->len);
	a->seq = e->seq + 1;
}

static void account_steps(struct __test_metadata *_metadata,
			  FIXTURE_DATA(lib) *self, unsigned int flags,
			  uint64_t size, int steps)
{
	struct account a = {};
	struct ringbuf_entry *e = &self->e;
	unsigned int x = 1;
	bool shown = false;
	uint64_t left;
	int i, ret;

	for (i = 0; i < steps; i++) {
		x = x * 1103515245 + 12345;
		switch (x >> 20 & 15) {
		case 0 ... 2:
			ASSERT_EQ(0, write_some(self->p, x >> 25));
			break;
		case 3:
			/* Around the whole ring. */
			ASSERT_EQ(0, write_some(self->p, size / 64));
			break;
		case 4 ... 7:
			ret = ringbuf_next(self->r, e);
			shown = ret == 1;
			ASSERT_EQ(shown, ret);
			ASSERT_TRUE(!shown || right(e, &a));
			break;
		case 8 ... 10:
			/* A copy does not go away. */
			ret = ringbuf_release(self->r);
			ASSERT_TRUE(shown ? ret || !flags : !ret);
			if (ret)
				took(&a, e);
			shown = false;
			break;
		case 11:
			ret = ringbuf_arm(self->r);
			ASSERT_EQ(a.seq + self->s.lost_records - a.lost <
				  written, ret);
			break;
		case 12:
			/* What is left is what the account says, exactly. */
			ASSERT_TRUE(same(self->r, &a, &self->s));
			left = self->s.lag_records;
			while (ringbuf_read(self->r, e) == 1) {
				ASSERT_TRUE(right(e, &a));
				took(&a, e);
				left--;
			}
			ASSERT_EQ(0, left);
			ASSERT_EQ(self->s.lost_records, a.lost);
			ASSERT_EQ(self->s.lost_bytes, a.lost_bytes);
			shown = false;
			break;
		default:
			if (ringbuf_read(self->r, e) == 1) {
				ASSERT_TRUE(right(e, &a));
				took(&a, e);
			}
			shown = false;
		}
		ASSERT_TRUE(same(self->r, &a, &self->s)) {
			TH_LOG("step %d", i);
		}
	}
	EXPECT_GT(a.lost, 1000);
	EXPECT_GT(a.read, 1000);
}

TEST_F(lib, exact_in_4_kib)
{
	START("size=4096");
	account_steps(_metadata, self, variant->flags, 4096, 6000);
}

TEST_F(lib, exact_in_64_kib)
{
	START("size=65536");
	account_steps(_metadata, self, variant->flags, 65536, 2000);
}

TEST_F(lib, exact_in_1_mib)
{
	START("size=1048576");
	account_steps(_metadata, self, variant->flags, 1048576, 300);
}

TEST_F(lib, overrun_before_release)
{
	START("size=4096");
	ASSERT_EQ(0, publish_many(self->p, 0, 5, 100));
	ASSERT_EQ(0, take(self->r, 0, 100));
	ASSERT_EQ(1, ringbuf_next(self->r, &self->e));
	ASSERT_EQ(0, publish_many(self->p, 5, 60, 100));
	/* A copy stays what it is; the ring does not. */
	EXPECT_EQ(!!variant->flags, ringbuf_intact(self->r));
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &self->s));
	EXPECT_EQ(1, self->s.read_records);
	EXPECT_EQ(65, 1 + self->s.lost_records + self->s.lag_records);
	EXPECT_EQ(65 * F(100), F(100) + self->s.lost_bytes + self->s.lag_bytes);
	/* To ask whether to sleep changes nothing about what is shown. */
	EXPECT_EQ(1, ringbuf_wait(self->r, 0));
	EXPECT_EQ(!!variant->flags, ringbuf_release(self->r));
	ASSERT_EQ(1, ringbuf_next(self->r, &self->e));
	if (variant->flags) {
		EXPECT_TRUE(is_record(&self->e, 2, 100));
	} else {
		EXPECT_EQ(self->s.lost_records, self->e.lost);
		EXPECT_EQ(self->s.lost_bytes, self->e.lost_bytes);
		EXPECT_TRUE(is_record(&self->e, 1 + self->e.lost, 100));
	}
}

/* The kernel's account of a mapped reader, once it has been told. */
TEST_F(lib, kernel_agrees)
{
	struct ringbuf_stats s;
	int n;

	START("size=65536");
	ASSERT_EQ(0, publish_many(self->p, 0, 100, 100));
	while (ringbuf_read(self->r, &self->e) == 1)
		;
	EXPECT_EQ(0, ringbuf_arm(self->r));
	ASSERT_EQ(0, rb_stats(ringbuf_reader_fd(self->r), &s));
	EXPECT_EQ(100, s.read_records);
	EXPECT_EQ(100 * F(100), s.read_bytes);
	EXPECT_EQ(0, s.lag_records | s.lost_records);
	EXPECT_EQ(0, rb_fionread(ringbuf_reader_fd(self->r)));
	/* Who keeps up and never sleeps tells it now and then. */
	for (n = 100; n < 10000; n++) {
		ASSERT_EQ(0, publish(self->p, n, 100));
		ASSERT_EQ(0, take(self->r, n, 100));
	}
	ASSERT_EQ(0, rb_stats(ringbuf_reader_fd(self->r), &s));
	EXPECT_EQ(0, s.lost_records);
	EXPECT_LE(s.lag_bytes, 65536 / 4 + F(100));
}

static const int whences[] = { SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA };

/* The same seek by the library and by lseek(): same place, same account. */
static bool seek_both(struct ringbuf_reader *r, int fd, int64_t offset,
		      int whence)
{
	struct ringbuf_stats a, b;
	int64_t got = ringbuf_reader_seek(r, offset, whence), want;

	/* The device does not seek from where the cursor is. */
	if (whence == SEEK_CUR) {
		if (rb_stats(fd, &b))
			return false;
		whence = SEEK_SET;
		offset += b.seq;
	}
	want = lseek(fd, offset, whence);
	/* What was read ahead cannot be lost as long as it stays there. */
	if (want < 0)
		return got == -errno;
	if (ringbuf_reader_stats(r, &a) || rb_stats(fd, &b))
		return false;
	if (got == want && a.pos == b.pos && a.seq == b.seq &&
	    a.lag_bytes == b.lag_bytes && a.lag_records == b.lag_records &&
	    a.lost_bytes == b.lost_bytes && a.lost_records == b.lost_records &&
	    a.read_records == b.read_records && a.read_bytes == b.read_bytes)
		return true;
	fprintf(stderr, "# seek %lld, %d: %lld/%lld seq %llu/%llu lost %llu/%llu (%llu/%llu) read %llu/%llu\n",
		(long long)offset, whence, (long long)got, (long long)want,
		a.seq, b.seq, a.lost_records, b.lost_records, a.lost_bytes,
		b.lost_bytes, a.read_records, b.read_records);
	return false;
}

TEST_F(lib, seeks_as_lseek)
{
	unsigned int x = 7;
	int fd, i, n, k, whence;
	int64_t offset;

	START("size=4096");
	fd = rb_open(O_RDONLY | O_NONBLOCK);
	ASSERT_TRUE(seek_both(self->r, fd, 0, SEEK_SET));
	ASSERT_TRUE(seek_both(self->r, fd, 1, SEEK_SET));
	for (i = n = 0; i < 4000; i++) {
		x = x * 1103515245 + 12345;
		k = x >> 20 & 7 ? x >> 25 & 7 : x >> 24;
		ASSERT_EQ(0, publish_many(self->p, n, k, 100));
		n += k;
		whence = whences[x >> 18 & 3];
		x = x * 1103515245 + 12345;
		offset = whence == SEEK_SET ? n - (int)(x >> 16 & 63) :
			 whence == SEEK_DATA ? !(x >> 16 & 15) :
			 (int)(x >> 16 & 63) - (whence == SEEK_END ? 62 : 32);
		ASSERT_TRUE(seek_both(self->r, fd, offset, whence)) {
			TH_LOG("round %d", i);
		}
		/* Where it failed they still are behind the tail, perhaps. */
		ASSERT_TRUE(seek_both(self->r, fd, 0, SEEK_CUR));
		/* The ring stands still: both can read what there is. */
		for (k = x >> 24 & 7; k; k--) {
			if (ringbuf_read(self->r, &self->e) != 1)
				break;
			/* Nothing else is lost but what the seek has told. */
			ASSERT_EQ(0, self->e.lost);
			ASSERT_TRUE(is_record(&self->e, self->e.seq, 100));
			ASSERT_EQ(100, rb_get(fd, self->e.seq));
		}
	}
	EXPECT_EQ(-EINVAL, ringbuf_reader_seek(self->r, 0, 99));
	EXPECT_EQ(-EINVAL, ringbuf_reader_seek(self->r, INT64_MAX, SEEK_CUR));
	EXPECT_EQ(-EINVAL, ringbuf_reader_seek(self->r, INT64_MIN, SEEK_CUR));
	EXPECT_EQ(-EINVAL, ringbuf_reader_seek(self->r, -1, SEEK_SET));
	EXPECT_EQ(-EINVAL, ringbuf_reader_seek(self->r, 1, SEEK_END));
	close(fd);
}

/* Further back than there are records: to the oldest one, and nothing is lost. */
TEST_F(lib, seek_back_too_far)
{
	struct ringbuf_stats s;
	uint64_t lost;

	START("size=4096");
	EXPECT_EQ(0, ringbuf_reader_seek(self->r, -5, SEEK_END));
	ASSERT_EQ(0, publish_many(self->p, 0, 3, 100));
	EXPECT_EQ(0, ringbuf_reader_seek(self->r, -5, SEEK_END));
	EXPECT_EQ(0, take(self->r, 0, 100));
	/* So many that the first ones are overwritten. */
	ASSERT_EQ(0, publish_many(self->p, 3, 97, 100));
	ASSERT_EQ(100, ringbuf_reader_seek(self->r, 0, SEEK_END));
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &s));
	ASSERT_LT(0, ringbuf_reader_seek(self->r, -100, SEEK_END));
	ASSERT_EQ(1, ringbuf_read(self->r, &self->e));
	EXPECT_EQ(0, self->e.lost);
	EXPECT_LT(0, ringbuf_reader_seek(self->r, INT64_MIN + 1, SEEK_END));
	lost = s.lost_records;
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &s));
	EXPECT_EQ(lost, s.lost_records);
}

/* The largest lag stays. What a mapped reader has read and not told counts. */
TEST_F(lib, max_lag)
{
	bool mapped = !(variant->flags & RINGBUF_READER_NO_MMAP);
	struct ringbuf_stats s;
	int n;

	START("size=65536");
	ASSERT_EQ(0, publish_many(self->p, 0, 10, 100));
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &s));
	EXPECT_EQ(10, s.max_lag_records);
	EXPECT_EQ(10 * F(100), s.max_lag_bytes);
	for (n = 0; n < 4; n++)
		ASSERT_EQ(0, take(self->r, n, 100));
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &s));
	EXPECT_EQ(6, s.lag_records);
	EXPECT_EQ(10, s.max_lag_records);
	ASSERT_EQ(0, publish_many(self->p, 10, 8, 100));
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &s));
	EXPECT_EQ(14, s.lag_records);
	EXPECT_EQ(mapped ? 18 : 10, s.max_lag_records);
	for (; n < 18; n++)
		ASSERT_EQ(0, take(self->r, n, 100));
	EXPECT_EQ(0, ringbuf_arm(self->r));
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &s));
	EXPECT_EQ(0, s.lag_records);
	EXPECT_EQ(mapped ? 18 : 10, s.max_lag_records);
	EXPECT_EQ((mapped ? 18 : 10) * F(100), s.max_lag_bytes);
}

/* What was shown is no more once the reader has gone elsewhere. */
TEST_F(lib, seek_between_next_and_release)
{
	int n;

	START("size=65536");
	ASSERT_EQ(0, publish_many(self->p, 0, 20, 100));
	ASSERT_EQ(1, ringbuf_next(self->r, &self->e));
	ASSERT_EQ(10, ringbuf_reader_seek(self->r, 10, SEEK_SET));
	EXPECT_FALSE(ringbuf_release(self->r));
	EXPECT_EQ(0, take(self->r, 10, 100));
	ASSERT_EQ(11, ringbuf_reader_seek(self->r, 0, SEEK_CUR));
	ASSERT_EQ(5, ringbuf_reader_seek(self->r, -6, SEEK_CUR));
	/* What was read ahead before is not what comes now. */
	for (n = 5; n < 20; n++)
		ASSERT_EQ(0, take(self->r, n, 100));
	EXPECT_EQ(-EAGAIN, take(self->r, 20, 100));
	ASSERT_EQ(20, ringbuf_reader_seek(self->r, 0, SEEK_END));
	EXPECT_EQ(-EAGAIN, take(self->r, 20, 100));
	ASSERT_EQ(0, ringbuf_reader_seek(self->r, 0, SEEK_DATA));
	EXPECT_EQ(0, take(self->r, 0, 100));
}

/* A writer at full speed; losses come at any place, within a buffer, too. */
struct runner {
	pthread_t thread;
	struct ringbuf_reader *r;
	bool copy;
	int ret;
	uint64_t total, read, lost;
};

static void *run_reader(void *arg)
{
	struct runner *run = arg;
	struct ringbuf_reader *r = run->r;
	struct ringbuf_stats s;
	struct ringbuf_entry e;
	uint64_t seq = 0;
	bool good;
	int ret = 0;

	while (!ret && seq < run->total) {
		ret = ringbuf_wait(r, RB_WAIT_MS);
		if (ret != 1) {
			ret = ret ? ret : -ETIMEDOUT;
			break;
		}
		ret = run->copy ? ringbuf_read(r, &e) : ringbuf_next(r, &e);
		if (ret < 0)
			break;
		good = is_record(&e, seq + e.lost, length(e.seq));
		if (!run->copy && !ringbuf_release(r)) {
			ret = 0;
			continue;
		}
		ret = good ? 0 : -EIO;
		run->lost += e.lost;
		run->read++;
		seq = e.seq + 1;
	}
	if (!ret)
		ret = ringbuf_reader_stats(r, &s);
	if (!ret && (s.lost_records != run->lost || s.lag_records ||
		     s.read_records != run->read ||
		     run->read + run->lost != run->total))
		ret = -ERANGE;
	run->ret = ret;
	return NULL;
}

TEST_F(lib, while_writing)
{
	struct runner runs[2] = { { .copy = true }, { .copy = false } };
	uint64_t i, total = rb_quick() ? 20000 : 200000;
	int k;

	START("size=65536");
	for (k = 0; k < 2; k++) {
		runs[k].total = total;
		ASSERT_EQ(0, ringbuf_reader_open(&runs[k].r, NULL,
						 variant->flags));
		ASSERT_EQ(0, pthread_create(&runs[k].thread, NULL, run_reader,
					    &runs[k]));
	}
	for (i = 0; i < total; i++) {
		ASSERT_EQ(0, publish(self->p, i, length(i)));
		if (i % 512 == 0)
			usleep(1000);
	}
	for (k = 0; k < 2; k++) {
		ASSERT_EQ(0, pthread_join(runs[k].thread, NULL));
		TH_LOG("read %llu lost %llu", (unsigned long long)runs[k].read,
		       (unsigned long long)runs[k].lost);
		EXPECT_EQ(0, runs[k].ret);
		EXPECT_GT(runs[k].read, 0);
		ringbuf_reader_close(runs[k].r);
	}
}

TEST_HARNESS_MAIN
