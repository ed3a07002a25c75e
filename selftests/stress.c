// SPDX-License-Identifier: GPL-2.0
/* One writer and many readers at full speed, by read(). */
#include "ringbuf_test.h"
#include "stress.h"

#include <sys/epoll.h>

#define READERS		16
#define JOIN_MS		240000

/* Readers */
enum {
	BLOCKING = 0, POLLED = 1, EDGE = 2,
	FRAMED = 4, SLEEPY = 8, LATE = 16,
};

static const struct kind {
	int flags;
	int size;	/* of the buffer; longer than any frame */
} kinds[READERS] = {
	{ BLOCKING, 256 }, { POLLED, 256 }, { EDGE, 256 },
	{ BLOCKING | SLEEPY | LATE, 256 }, { POLLED | SLEEPY, 256 },
	{ BLOCKING | FRAMED, 200 }, { BLOCKING | FRAMED, 1000 },
	{ BLOCKING | FRAMED, 4096 }, { BLOCKING | FRAMED, 65536 },
	{ POLLED | FRAMED, 4096 }, { EDGE | FRAMED, 65536 },
	{ EDGE | FRAMED, 333 }, { BLOCKING | FRAMED | SLEEPY | LATE, 4096 },
	{ POLLED | FRAMED | SLEEPY, 65536 }, { EDGE | FRAMED | SLEEPY, 777 },
	{ BLOCKING | FRAMED | SLEEPY, 65536 },
};

struct reader {
	const struct kind *kind;
	pthread_t thread;
	int fd;
	int ep;
	uint64_t want;
	uint64_t read_records, read_bytes, lost_records, lost_bytes;
	bool overrun;
	atomic_long progress;
	const char *error;
};

static bool lose(struct reader *r, uint64_t to)
{
	if (to <= r->want || to > total)
		return false;
	r->lost_records += to - r->want;
	r->lost_bytes += pos(to) - pos(r->want);
	r->want = to;
	return true;
}

static void take(struct reader *r)
{
	r->read_records++;
	r->read_bytes += pos(r->want + 1) - pos(r->want);
	r->want++;
}

static const char *take_message(struct reader *r, const uint8_t *buf, int len)
{
	struct payload p = { 0 };
	bool gap;

	memcpy(&p, buf, len < (int)sizeof(p) ? len : (int)sizeof(p));
	if (len > (int)sizeof(p) || !good_record(&p, len))
		return "a record is not intact";
	gap = p.n != r->want;
	if (gap && !r->overrun)
		return "a gap without EPIPE";
	if (!gap && r->overrun)
		return "EPIPE without a gap";
	if (gap && !lose(r, p.n))
		return "a record came twice or out of order";
	r->overrun = false;
	take(r);
	return NULL;
}

static const char *take_frame(struct reader *r, const struct ringbuf_record *rec)
{
	const struct ringbuf_lost *lost = rb_lost(rec);
	struct payload p = { 0 };

	if (rec->seq != r->want)
		return "a frame has the wrong number";
	if (lost) {
		uint64_t from = r->want;

		if (!lose(r, from + lost->records))
			return "a loss of none or of too many";
		if (lost->bytes != pos(r->want) - pos(from))
			return "a loss has the wrong size";
		return NULL;
	}
	memcpy(&p, rec + 1, rec->len < sizeof(p) ? rec->len : sizeof(p));
	if (rec->flags || rec->len > sizeof(p) || !good_record(&p, rec->len))
		return "a frame is not intact";
	if (p.n != rec->seq)
		return "a frame has another record's contents";
	if (rec->type && rec->type != (uint16_t)p.n)
		return "a frame has the wrong type";
	take(r);
	return NULL;
}

static const char *take_frames(struct reader *r, const uint8_t *buf, int len)
{
	const struct ringbuf_record *rec = (const void *)buf;
	const char *error = NULL;

	while ((uint8_t *)rec < buf + len && !error) {
		if (buf + len - (uint8_t *)rec < RB_HEADER ||
		    RINGBUF_FRAME_SIZE(rec->len) >
		    (uint64_t)(buf + len - (uint8_t *)rec))
			return "part of a frame";
		error = take_frame(r, rec);
		rec = rb_next(rec);
	}
	return error;
}

static const char *await(struct reader *r)
{
	struct pollfd p = { .fd = r->fd, .events = POLLIN };
	struct epoll_event e;
	int ret;

	if (r->kind->flags & EDGE)
		ret = RC(epoll_wait(r->ep, &e, 1, 6 * RB_WAIT_MS));
	else
		ret = RC(poll(&p, 1, 6 * RB_WAIT_MS));
	return ret == 1 ? NULL : "a wakeup was missed";
}

static const char *step(struct reader *r, uint8_t *buf, bool *end)
{
	int ret = RC(read(r->fd, buf, r->kind->size));

	*end = ret == 0;
	if (ret > 0 && r->kind->flags & FRAMED)
		return take_frames(r, buf, ret);
	if (ret > 0)
		return take_message(r, buf, ret);
	if (ret == -EAGAIN && r->kind->flags & (POLLED | EDGE))
		return await(r);
	if (ret == -EPIPE && !(r->kind->flags & FRAMED)) {
		r->overrun = true;
		return NULL;
	}
	return ret ? "read() failed" : NULL;
}

/* Until the first record is gone, or all are there. */
static const char *be_late(struct reader *r)
{
	struct ringbuf_info i;

	do {
		usleep(1000);
		if (rb_info(r->fd, &i))
			return "GET_INFO failed";
	} while (!i.tail_seq && i.head_seq < total);
	return NULL;
}

static void *reader_main(void *arg)
{
	struct reader *r = arg;
	uint8_t *buf = malloc(r->kind->size);
	bool end = false;
	long steps = 0;

	if (r->kind->flags & LATE)
		r->error = be_late(r);
	while (!end && !r->error) {
		r->error = step(r, buf, &end);
		atomic_store(&r->progress, r->want);
		/* Not to wait for something, but to be late. */
		if (r->kind->flags & SLEEPY && ++steps % 256 == 0)
			usleep(20000);
	}
	if (!r->error && r->want != total)
		r->error = "the end came too early";
	free(buf);
	return NULL;
}

static int reader_start(struct reader *r, const struct kind *kind)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLPRI | EPOLLET };
	bool block = !(kind->flags & (POLLED | EDGE));
	int ret;

	memset(r, 0, sizeof(*r));
	r->kind = kind;
	r->fd = rb_open(O_RDONLY | (block ? 0 : O_NONBLOCK));
	r->ep = epoll_create1(0);
	ret = rb_set_consumer(r->fd, RINGBUF_CONSUMER_EOF |
			      (kind->flags & FRAMED ?
			       RINGBUF_CONSUMER_FRAMED : 0));
	ret |= RC(epoll_ctl(r->ep, EPOLL_CTL_ADD, r->fd, &e));
	return ret ? ret : -pthread_create(&r->thread, NULL, reader_main, r);
}

static bool reader_ends(struct reader *r)
{
	long end = rb_now_ms() + JOIN_MS;

	while (pthread_tryjoin_np(r->thread, NULL)) {
		if (rb_now_ms() > end) {
			fprintf(stderr, "# stuck at %ld of %ld\n",
				atomic_load(&r->progress), (long)total);
			return false;
		}
		usleep(1000);
	}
	return true;
}

static const char *books(struct reader *r)
{
	struct ringbuf_stats s;

	if (r->error)
		return r->error;
	if (rb_stats(r->fd, &s))
		return "no statistics";
	if (s.lag_records || s.lag_bytes || s.flags)
		return "something is left";
	if (s.seq != total || s.pos != pos(total))
		return "the cursor is not at the end";
	if (s.read_records != r->read_records ||
	    s.lost_records != r->lost_records)
		return "records read and lost differ from the statistics";
	if (s.read_bytes != r->read_bytes || s.lost_bytes != r->lost_bytes)
		return "bytes read and lost differ from the statistics";
	if (s.read_records + s.lost_records != total ||
	    s.read_bytes + s.lost_bytes != pos(total))
		return "read + lost is not what was written";
	return r->read_records ? NULL : "nothing was read";
}

FIXTURE(ring) {
	int w;
};

FIXTURE_VARIANT(ring) {
	const char *params;
	bool must_lose;
	long records;	/* in thousands, when full */
};

/* 16 KiB hold some 140 records; 16 MiB all of them. */
FIXTURE_VARIANT_ADD(ring, small) {
	.params = "size=16384", .must_lose = true, .records = 1000,
};

FIXTURE_VARIANT_ADD(ring, large) {
	.params = "size=16777216", .records = 100,
};

FIXTURE_SETUP(ring)
{
	long n = variant->records * 1000;

	plan(rb_quick() ? n / 10 : n);
	ASSERT_EQ(0, rb_load(variant->params));
	self->w = rb_open(O_WRONLY);
	ASSERT_LE(0, self->w);
}

FIXTURE_TEARDOWN(ring)
{
	if (self->w >= 0)
		close(self->w);
}

TEST_F_TIMEOUT(ring, every_record_is_read_intact_or_counted_as_lost, 300)
{
	static struct reader r[READERS];
	uint64_t lost = 0, got = 0;
	struct ringbuf_info i;

	for (int k = 0; k < READERS; k++)
		ASSERT_EQ(0, reader_start(&r[k], &kinds[k]));
	ASSERT_EQ(0, write_all(self->w, 64, 2, 32));
	ASSERT_EQ(0, rb_info(self->w, &i));
	close(self->w);
	self->w = -1;
	EXPECT_EQ(total, i.head_seq);
	EXPECT_EQ(pos(total), i.head);
	EXPECT_EQ(0, i.dropped);
	for (int k = 0; k < READERS; k++) {
		ASSERT_TRUE(reader_ends(&r[k])) TH_LOG("reader %d", k);
		EXPECT_STREQ("ok", books(&r[k]) ? books(&r[k]) : "ok")
			TH_LOG("reader %d at %llu", k,
			       (unsigned long long)r[k].want);
		/* On RT each of the others has its turn between two records. */
		if (variant->must_lose && kinds[k].flags & LATE)
			EXPECT_LT(0, r[k].lost_records) TH_LOG("reader %d", k);
		got += r[k].read_records;
		lost += r[k].lost_records;
	}
	TH_LOG("%llu records read, %llu lost", (unsigned long long)got,
	       (unsigned long long)lost);
}

/* Pairs of (position, number), seen while they move. */
static atomic_long stop;

static const char *check_info(const struct ringbuf_info *i,
			      const struct ringbuf_info *last)
{
	if (i->head_seq > total || i->tail_seq > i->head_seq)
		return "numbers out of range";
	if (i->head != pos(i->head_seq))
		return "head and head_seq do not belong together";
	if (i->tail != pos(i->tail_seq))
		return "tail and tail_seq do not belong together";
	if (i->head - i->tail > i->data_size)
		return "more than the ring can hold";
	if (i->head_seq < last->head_seq || i->tail_seq < last->tail_seq)
		return "going backwards";
	return NULL;
}

static void *info_main(void *arg)
{
	struct ringbuf_info i, last = { 0 };
	struct reader *r = arg;

	while (!atomic_load(&stop) && !r->error) {
		if (rb_info(r->fd, &i))
			r->error = "GET_INFO failed";
		else
			r->error = check_info(&i, &last);
		last = i;
		atomic_fetch_add(&r->progress, 1);
	}
	return NULL;
}

/* Two threads share this consumer: one reads, this one looks. */
static void *stats_main(void *arg)
{
	struct reader *r = arg;
	struct ringbuf_stats s;

	while (!atomic_load(&stop) && !r->error) {
		if (rb_stats(r->fd, &s))
			r->error = "GET_STATS failed";
		else if (s.seq > total || s.pos != pos(s.seq))
			r->error = "pos and seq do not belong together";
		else if (s.read_bytes + s.lost_bytes + s.lag_bytes !=
			 pos(s.read_records + s.lost_records + s.lag_records))
			r->error = "records and bytes do not belong together";
		atomic_fetch_add(&r->progress, 1);
	}
	return NULL;
}

static void *any_reader_main(void *arg)
{
	struct reader *r = arg;
	struct payload p;
	int ret;

	while (!atomic_load(&stop) && !r->error) {
		ret = RC(read(r->fd, &p, sizeof(p)));
		if (ret > 0 && !good_record(&p, ret))
			r->error = "a record is not intact";
		else if (ret <= 0 && ret != -EAGAIN && ret != -EPIPE)
			r->error = "read() failed";
		atomic_fetch_add(&r->progress, 1);
	}
	return NULL;
}

static const char *seek_somewhere(struct reader *r, unsigned int *seed)
{
	struct ringbuf_info i;
	struct payload p;
	long long to, at;
	int ret;

	if (rb_info(r->fd, &i))
		return "GET_INFO failed";
	to = i.tail_seq + rand_r(seed) % (i.head_seq - i.tail_seq + 1);
	at = lseek(r->fd, to, SEEK_SET);
	if (at < to)
		return "lseek() went elsewhere";
	ret = RC(read(r->fd, &p, sizeof(p)));
	if (ret == -EPIPE || ret == -EAGAIN)
		return NULL;
	if (ret <= 0 || !good_record(&p, ret))
		return "a record is not intact";
	return p.n == (uint64_t)at ? NULL : "another record than lseek() said";
}

static void *seek_main(void *arg)
{
	struct reader *r = arg;
	unsigned int seed = 1;

	while (!atomic_load(&stop) && !r->error) {
		r->error = seek_somewhere(r, &seed);
		atomic_fetch_add(&r->progress, 1);
	}
	return NULL;
}

static void *churn_main(void *arg)
{
	struct reader *r = arg;
	struct payload p;
	int fd, ret;

	while (!atomic_load(&stop) && !r->error) {
		fd = rb_open(O_RDONLY | O_NONBLOCK);
		ret = RC(read(fd, &p, sizeof(p)));
		if (ret > 0 && !good_record(&p, ret))
			r->error = "a record is not intact";
		else if (ret <= 0 && ret != -EAGAIN && ret != -EPIPE)
			r->error = "read() failed";
		close(fd);
		atomic_fetch_add(&r->progress, 1);
	}
	return NULL;
}

FIXTURE(observed) {
	int w;
};

FIXTURE_SETUP(observed)
{
	plan(rb_quick() ? 50000 : 200000);
	ASSERT_EQ(0, rb_load("size=4096"));
	self->w = rb_open(O_WRONLY);
	ASSERT_LE(0, self->w);
}

FIXTURE_TEARDOWN(observed)
{
	close(self->w);
}

TEST_F_TIMEOUT(observed, nothing_is_ever_seen_torn, 120)
{
	static void *(*const jobs[])(void *) = {
		info_main, any_reader_main, stats_main, seek_main, churn_main,
	};
	struct reader r[ARRAY_SIZE(jobs)] = { 0 };
	int n = ARRAY_SIZE(jobs), ret;
	struct ringbuf_info i;

	for (int k = 0; k < n; k++) {
		/* The one that looks shares with the one that reads. */
		r[k].fd = jobs[k] == stats_main ? r[k - 1].fd :
			  rb_open(O_RDONLY | O_NONBLOCK);
		ASSERT_EQ(0, pthread_create(&r[k].thread, NULL, jobs[k], &r[k]));
	}
	ret = write_all(self->w, 64, 2, 32);
	atomic_store(&stop, 1);
	EXPECT_EQ(0, ret);
	for (int k = 0; k < n; k++) {
		ASSERT_EQ(0, rb_join(r[k].thread, "observer"));
		EXPECT_STREQ("ok", r[k].error ? r[k].error : "ok")
			TH_LOG("observer %d", k);
		EXPECT_LT(0, atomic_load(&r[k].progress));
	}
	ASSERT_EQ(0, rb_info(self->w, &i));
	EXPECT_EQ(n - 1, i.consumers);
	EXPECT_EQ(pos(total), i.head);
}

#define CROWD	10000

TEST_F_TIMEOUT(observed, ten_thousand_consumers_each_get_every_record, 120)
{
	struct rlimit limit = { CROWD + 100, CROWD + 100 };
	static struct pollfd p[CROWD];
	struct ringbuf_info i;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (int k = 0; k < CROWD; k++) {
		p[k].fd = rb_open(O_RDONLY | O_NONBLOCK);
		p[k].events = POLLIN;
		ASSERT_LE(0, p[k].fd) TH_LOG("consumer %d", k);
	}
	ASSERT_EQ(0, rb_info(self->w, &i));
	EXPECT_EQ(CROWD, i.consumers);
	EXPECT_EQ(0, poll(p, CROWD, 0));
	ASSERT_EQ(0, rb_put_many(self->w, 0, 2, 20));
	EXPECT_EQ(CROWD, poll(p, CROWD, 0));
	for (int k = 0; k < CROWD; k++) {
		ASSERT_EQ(20, rb_get(p[k].fd, 0));
		ASSERT_EQ(20, rb_get(p[k].fd, 1));
		ASSERT_EQ(-EAGAIN, rb_get(p[k].fd, 2));
	}
	for (int k = 0; k < CROWD; k++)
		close(p[k].fd);
	ASSERT_EQ(0, rb_info(self->w, &i));
	EXPECT_EQ(0, i.consumers);
}

TEST_HARNESS_MAIN
