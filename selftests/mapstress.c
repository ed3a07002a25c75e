// SPDX-License-Identifier: GPL-2.0
/*
 * One writer at full speed and eight readers in their maps, overrun all the time,
 * since the ring is small. What a reader makes of a record while the writer may be
 * overwriting it counts only if the tail says so afterwards, and then has to be
 * right to the last byte; what it did not see has to be exactly what it lost.
 */
#include "ringbuf_test.h"
#include "stress.h"
#include "map.h"

#include <sys/epoll.h>

#define READERS		8
#define WAIT_MS		60000	/* for a wakeup, on a machine that is busy */

enum {
	SPIN = 0,	/* never calls the kernel */
	POLLED = 1,	/* ADVANCE and poll() when there is nothing */
	EDGE = 2,	/* the same with edge-triggered epoll */
	COPY = 4,	/* takes a copy, then looks at that */
	SLEEPY = 8,	/* is late on purpose */
	KEEN = 16,	/* ADVANCEs without need, too */
};

static const int kinds[READERS] = {
	SPIN, SPIN | COPY, SPIN | SLEEPY, POLLED, POLLED | COPY | KEEN,
	POLLED | SLEEPY | KEEN, EDGE, EDGE | COPY | SLEEPY,
};

struct reader {
	int kind;
	int fd;
	int ep;
	struct rb_map m;
	pthread_t thread;
	uint64_t at, seq;	/* where it is: position and number */
	uint64_t read_records, read_bytes, lost_records, lost_bytes;
	long overruns;		/* found behind the tail before looking */
	long rejected;		/* overwritten while looking */
	long torn;		/* so much so that one could see it */
	long waits;
	bool behind;
	atomic_long progress;
	atomic_long waiting;
	const char *error;
};

static struct reader readers[READERS];

/* The tail passed this reader and shows the record @seq at @at now. */
static const char *lose(struct reader *r, uint64_t at, uint64_t seq)
{
	if (seq <= r->seq || seq >= total)
		return "a loss of none or of too many";
	if (at != pos(seq))
		return "after a loss, position and seq do not belong together";
	r->lost_records += seq - r->seq;
	r->lost_bytes += at - r->at;
	r->at = at;
	r->seq = seq;
	r->behind = false;
	return NULL;
}

/*
 * Looks at the record at @at, which may be overwritten meanwhile: each word is
 * read once. *seq is what its header says.
 */
static bool look(struct reader *r, uint64_t at, uint64_t head, uint64_t *seq,
		 uint32_t *frame)
{
	const volatile struct ringbuf_record *rec = rb_map_at(&r->m, at);
	const void *p = (const void *)(rec + 1);
	uint32_t len = rec->len;
	uint64_t copy[sizeof(struct payload) / 8];
	uint16_t type = rec->type, flags = rec->flags;

	*seq = rec->seq;
	*frame = RINGBUF_FRAME_SIZE(len);
	if (len < HEAD || len > sizeof(struct payload) || at + *frame > head)
		return false;
	if (r->kind & COPY)
		p = memcpy(copy, p, (len + 7) & ~7);
	/* Half of them have a type, those from a batch. */
	return is_record(p, len, *seq) && !flags &&
	       (!type || type == (uint16_t)*seq);
}

/* The next record, or the one at the tail; *empty when there is none. */
static const char *step(struct reader *r, bool *empty)
{
	uint64_t tail = rb_map_tail(&r->m), head = rb_map_head(&r->m), at, seq;
	uint32_t frame;
	bool good;

	*empty = false;
	/* In this order the head is not older; newer by any amount. */
	if (head < tail)
		return "the tail is ahead of the head";
	at = r->at;
	if (at < tail) {
		at = tail;
		r->overruns += !r->behind;
		r->behind = true;
	}
	if (at == head) {
		*empty = true;
		return NULL;
	}
	if (at > head)
		return "the head is behind this reader";
	good = look(r, at, head, &seq, &frame);
	if (!rb_map_intact(&r->m, at)) {
		r->rejected++;
		r->torn += !good;
		return NULL;
	}
	if (!good)
		return "a torn record was accepted";
	if (r->behind) {
		const char *error = lose(r, at, seq);

		if (error)
			return error;
	}
	if (seq != r->seq || at != pos(seq))
		return "this is another record";
	r->read_records++;
	r->read_bytes += frame;
	r->at += frame;
	r->seq++;
	return NULL;
}

static const char *await(struct reader *r)
{
	struct pollfd p = { .fd = r->fd, .events = POLLIN };
	struct epoll_event e;
	int ret = rb_advance(r->fd, r->at);

	if (ret)
		return "ADVANCE to the head was refused";
	r->waits++;
	atomic_store(&r->waiting, 1);
	if (r->kind & EDGE)
		ret = RC(epoll_wait(r->ep, &e, 1, WAIT_MS));
	else
		ret = RC(poll(&p, 1, WAIT_MS));
	atomic_store(&r->waiting, 0);
	return ret == 1 ? NULL : "a wakeup was missed";
}

static void *reader_main(void *arg)
{
	struct reader *r = arg;
	bool empty;
	long steps = 0;

	while (!r->error && r->seq < total) {
		r->error = step(r, &empty);
		if (r->error)
			break;
		if (++steps % 64 == 0 || empty)
			atomic_store(&r->progress, r->seq);
		if (empty && r->kind & (POLLED | EDGE))
			r->error = await(r);
		else if (r->kind & KEEN && steps % 100 == 0 &&
			 rb_advance(r->fd, r->at))
			r->error = "ADVANCE was refused";
		/* Not to wait for something, but to be late. */
		if (r->kind & SLEEPY && steps % 512 == 0)
			usleep(10000);
	}
	atomic_store(&r->progress, r->seq);
	return NULL;
}

static int reader_start(struct reader *r, int kind)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	int ret;

	memset(r, 0, sizeof(*r));
	r->kind = kind;
	r->fd = rb_open(O_RDONLY | O_NONBLOCK);
	r->ep = epoll_create1(0);
	ret = rb_map_fd(&r->m, r->fd);
	if (!ret && kind & EDGE)
		ret = RC(epoll_ctl(r->ep, EPOLL_CTL_ADD, r->fd, &e));
	return ret ? ret : -pthread_create(&r->thread, NULL, reader_main, r);
}

static void show_readers(const char *what)
{
	const struct rb_map *m = &readers[0].m;

	fprintf(stderr, "# %s: tail %llu, head %llu, %llu records to come\n", what,
		(long long)rb_map_tail(m), (long long)rb_map_head(m),
		(long long)(total - m->head->head_seq));
	for (int k = 0; k < READERS; k++)
		fprintf(stderr, "#   reader %d, kind %d: record %ld%s: %s\n", k,
			readers[k].kind, atomic_load(&readers[k].progress),
			atomic_load(&readers[k].waiting) ? ", waits" : "",
			readers[k].error ? readers[k].error : "no complaint");
}

/* Ends the process, rather than a test that nobody hears of. */
static void *watchdog_main(void *arg)
{
	long end = rb_now_ms() + (rb_quick() ? 100000 : 270000);

	while (rb_now_ms() < end)
		usleep(100000);
	show_readers("not done in time");
	fflush(stderr);
	_exit(1);
}

/* All that it read and lost, and what the kernel made of it; NULL or why not. */
static const char *books(struct reader *r)
{
	struct ringbuf_stats s;

	if (r->error)
		return r->error;
	if (r->seq != total || r->at != pos(total))
		return "it is not at the end";
	if (r->read_records + r->lost_records != total ||
	    r->read_bytes + r->lost_bytes != pos(total))
		return "read + lost is not what was written";
	if (!r->read_records)
		return "nothing was read";
	if (rb_advance(r->fd, r->at) || rb_stats(r->fd, &s))
		return "no ADVANCE to the end";
	if (s.seq != total || s.pos != pos(total) || s.lag_records ||
	    s.lag_bytes || s.flags)
		return "the cursor is not at the end";
	if (s.read_records + s.lost_records != total ||
	    s.read_bytes + s.lost_bytes != pos(total))
		return "the kernel's read + lost is not what was written";
	/* It may have counted as lost what was read in time, never less. */
	if (s.lost_records < r->lost_records)
		return "the kernel knows of fewer losses";
	return NULL;
}

static uint64_t how_many(void)
{
	if (rb_quick())
		return 200000;
	return sysconf(_SC_NPROCESSORS_ONLN) < 4 ? 1000000 : 10000000;
}

FIXTURE(ring) {
	int w;
};

FIXTURE_SETUP(ring)
{
	plan(how_many());
	ASSERT_EQ(0, rb_load("size=65536"));
	self->w = rb_open(O_WRONLY);
	ASSERT_LE(0, self->w);
}

FIXTURE_TEARDOWN(ring)
{
	close(self->w);
}

TEST_F_TIMEOUT(ring, no_torn_record_is_accepted_and_every_loss_is_counted, 290)
{
	long overruns = 0, rejected = 0, torn = 0, waits = 0, began = rb_now_ms();
	struct ringbuf_info i;
	pthread_t dog;

	for (int k = 0; k < READERS; k++)
		ASSERT_EQ(0, reader_start(&readers[k], kinds[k]));
	ASSERT_EQ(0, pthread_create(&dog, NULL, watchdog_main, NULL));
	/* The readers outnumber the CPUs, and it is the writer that has to be fast. */
	setpriority(PRIO_PROCESS, syscall(SYS_gettid), -15);
	ASSERT_EQ(0, write_all(self->w, 64, 8, BATCH));
	TH_LOG("%ld records written in %ld ms", (long)total, rb_now_ms() - began);
	for (int k = 0; k < READERS; k++)
		ASSERT_EQ(0, pthread_join(readers[k].thread, NULL));
	ASSERT_EQ(0, rb_info(self->w, &i));
	EXPECT_EQ(total, i.head_seq);
	EXPECT_EQ(pos(total), i.head);
	for (int k = 0; k < READERS; k++) {
		struct reader *r = &readers[k];
		const char *error = books(r);

		EXPECT_STREQ("ok", error ? error : "ok") {
			show_readers("failed");
		}
		TH_LOG("kind %2d: %llu read, %llu lost, %ld overruns, %ld rejected, %ld torn, %ld waits",
		       r->kind, (long long)r->read_records,
		       (long long)r->lost_records, r->overruns, r->rejected,
		       r->torn, r->waits);
		EXPECT_TRUE(r->lost_records || !(r->kind & SLEEPY));
		overruns += r->overruns;
		rejected += r->rejected;
		torn += r->torn;
		waits += r->waits;
	}
	EXPECT_LT(0, overruns);
	EXPECT_LT(0, waits);
	TH_LOG("%ld overruns, %ld records rejected, %ld of them torn; %ld ms",
	       overruns, rejected, torn, rb_now_ms() - began);
}

/*
 * Missed wakeups. The writer publishes the next record only when the reader has
 * taken the last one from its map, so that the reader advances and goes to sleep
 * just as the record comes; when a wakeup is missed both wait.
 */
FIXTURE(pingpong) {
	int w;
};

FIXTURE_VARIANT(pingpong) {
	int kind;
};

FIXTURE_VARIANT_ADD(pingpong, poll) { .kind = POLLED };
FIXTURE_VARIANT_ADD(pingpong, epoll_edge) { .kind = EDGE };

FIXTURE_SETUP(pingpong)
{
	plan(rb_quick() ? 3000 : 20000);
	ASSERT_EQ(0, rb_load("size=4096"));
	self->w = rb_open(O_WRONLY);
	ASSERT_LE(0, self->w);
}

FIXTURE_TEARDOWN(pingpong)
{
	close(self->w);
}

TEST_F_TIMEOUT(pingpong, no_wakeup_is_missed, 120)
{
	static struct reader r;
	long end;

	ASSERT_EQ(0, reader_start(&r, variant->kind));
	for (uint64_t n = 0; n < total; n++) {
		end = rb_now_ms() + RB_WAIT_MS;
		ASSERT_EQ(0, write_single(self->w, n));
		/* Now and then close to, now and then far from the sleep. */
		for (int spin = 0; atomic_load(&r.progress) <= (long)n; spin++) {
			if (spin < 500)
				continue;
			ASSERT_GT(end, rb_now_ms())
				TH_LOG("wakeup %ld missed: %s", (long)n,
				       r.error ? r.error : "no complaint");
			sched_yield();
		}
	}
	ASSERT_EQ(0, rb_join(r.thread, "reader"));
	EXPECT_STREQ("ok", books(&r) ? books(&r) : "ok");
	EXPECT_LT(0, r.waits);
}

TEST_HARNESS_MAIN
