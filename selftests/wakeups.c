// SPDX-License-Identifier: GPL-2.0
/*
 * Consumers with a watermark at work: how often they wake, how late, that their
 * timers run only when they have to, and that nothing of them stays behind.
 */
#include "epoll.h"

#define MS		1000000ULL
/* What a machine that emulates, and is busy, may take for its timers. */
#define SLACK_NS	(3000 * MS)

enum how { BY_READ, BY_POLL, BY_LEVEL, BY_EDGE };

static int events(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int ret = RC(poll(&p, 1, 0));

	return ret < 0 ? ret : p.revents;
}

/* Readers in threads, until the end of the stream. */
struct reader {
	enum how how;
	uint32_t bytes, records;
	uint64_t ns;
	int fd;
	pthread_t thread;
	long got, lost, wakes, switches;
	uint64_t worst;		/* ns by which a wakeup was late */
	const char *error;
};

static const char *take(struct reader *r, uint64_t *seq, uint64_t slept)
{
	const struct ringbuf_record *rec = (void *)rb_in;
	uint64_t now = rb_now_ns(), from;
	int len = RC(read(r->fd, rb_in, RB_MAX));

	if (len <= 0)
		return len == 0 ? "end" : len == -EAGAIN ? "empty" : "read";
	from = rec->time_ns > slept ? rec->time_ns : slept;
	if (slept && r->ns && !rec->flags && now > from + r->ns && now - from - r->ns > r->worst)
		r->worst = now - from - r->ns;
	for (; (uint8_t *)rec < rb_in + len; rec = rb_next(rec)) {
		if (rec->seq != *seq)
			return "a gap";
		if (rec->flags) {
			*seq += rb_lost(rec)->records;
			r->lost += rb_lost(rec)->records;
			continue;
		}
		if (!rb_intact(rec + 1, rec->len, rec->seq))
			return "another record";
		++*seq;
		r->got++;
	}
	return NULL;
}

static void *read_all(void *arg)
{
	struct pollfd p = { .events = POLLIN };
	struct rusage before, after;
	struct reader *r = arg;
	uint64_t seq = 0, slept;
	int ep = epoll_create1(0), ret;

	p.fd = r->fd;
	watch(ep, r->fd, r->how == BY_EDGE ? EPOLLIN | EPOLLET : EPOLLIN);
	getrusage(RUSAGE_THREAD, &before);
	while (!r->error) {
		slept = rb_now_ns();
		if (r->how == BY_POLL)
			ret = poll(&p, 1, RB_WAIT_MS);
		else
			ret = r->how == BY_READ ? 1 : !!epolled(ep, RB_WAIT_MS);
		if (ret != 1)
			r->error = "a wakeup was missed";
		r->wakes++;
		if (r->how == BY_READ) {
			/* That it slept is not known. */
			r->error = take(r, &seq, 0);
			continue;
		}
		for (; !r->error; slept = 0)
			r->error = take(r, &seq, slept);
		if (!strcmp(r->error, "empty"))
			r->error = NULL;
	}
	getrusage(RUSAGE_THREAD, &after);
	r->switches = after.ru_nvcsw - before.ru_nvcsw;
	if (!strcmp(r->error, "end"))
		r->error = NULL;
	close(ep);
	return NULL;
}

static int start_reader(struct reader *r, uint32_t flags)
{
	int ret;

	r->fd = rb_open(O_RDONLY | (r->how == BY_READ ? 0 : O_NONBLOCK));
	ret = rb_set_mark(r->fd, flags | RINGBUF_CONSUMER_FRAMED |
			  RINGBUF_CONSUMER_EOF, r->bytes, r->records, r->ns);
	return ret ?: pthread_create(&r->thread, NULL, read_all, r);
}

static int end_reader(struct reader *r)
{
	int ret = rb_join(r->thread, "reader");

	if (r->error)
		fprintf(stderr, "# reader %d: %s after %ld and %ld\n", r->how,
			r->error, r->got, r->lost);
	close(r->fd);
	return ret ? ret : r->error ? -EIO : 0;
}

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

TEST_F(ring, a_mark_on_a_reliable_consumer_does_not_lock_up)
{
	struct reader r = { .how = BY_READ, .bytes = -1U, .records = 1000 };

	rb_pair_close(&self->p);
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=65536 reliable=1"));
	ASSERT_EQ(0, start_reader(&r, RINGBUF_CONSUMER_RELIABLE));
	/* The writer waits for the reader, who waits for the writer. */
	for (int n = 0; n < 2000; n++)
		ASSERT_EQ(n % 8 ? 8 : 16000, rb_put(self->p.w, n, n % 8 ? 8 : 16000));
	close(self->p.w);
	EXPECT_EQ(0, end_reader(&r));
	EXPECT_EQ(2000, r.got);
	self->p.w = -1;
}

FIXTURE(batch) {
	struct rb_pair p;
};

FIXTURE_VARIANT(batch) {
	enum how how;
};

FIXTURE_VARIANT_ADD(batch, read) { .how = BY_READ };
FIXTURE_VARIANT_ADD(batch, poll) { .how = BY_POLL };
FIXTURE_VARIANT_ADD(batch, level) { .how = BY_LEVEL };
FIXTURE_VARIANT_ADD(batch, edge) { .how = BY_EDGE };

FIXTURE_SETUP(batch)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=1048576"));
}

FIXTURE_TEARDOWN(batch)
{
	rb_pair_close(&self->p);
}

/* 64 bytes at a time for two seconds, and how often the readers wake. */
TEST_F(batch, wakes_that_often_and_no_oftener)
{
	struct reader r[] = {
		{ .how = variant->how },
		{ .how = variant->how, .bytes = 65536, .ns = 10 * MS },
		{ .how = variant->how, .bytes = 65536 },
		{ .how = variant->how, .records = 64 },
	};
	const char *names[] = { "no mark", "64 KiB or 10 ms", "64 KiB", "64 records" };
	uint64_t from = rb_now_ns(), took;
	long n, most[4];

	for (int k = 0; k < 4; k++)
		ASSERT_EQ(0, start_reader(&r[k], 0));
	for (n = 0; rb_now_ns() - from < 2000 * MS; n++) {
		ASSERT_EQ(64, rb_put(self->p.w, n, 64));
		usleep(150);
	}
	took = rb_now_ns() - from;
	close(self->p.w);
	self->p.w = -1;
	most[0] = n;
	most[2] = n * RINGBUF_FRAME_SIZE(64) / 65536;
	most[1] = took / (10 * MS) + most[2];
	most[3] = n / 64;
	for (int k = 0; k < 4; k++) {
		ASSERT_EQ(0, end_reader(&r[k]));
		EXPECT_EQ(n, r[k].got + r[k].lost);
		TH_LOG("%s: %ld records, %ld wakeups, %ld switches; late by %llu us",
		       names[k], n, r[k].wakes, r[k].switches,
		       (unsigned long long)r[k].worst / 1000);
		/* It sleeps for other reasons, too; on RT on locks as well. */
		EXPECT_GE((most[k] + most[k] / 5 + 20) * (rb_realtime() ? 3 : 1),
			  r[k].switches);
		if (variant->how != BY_READ)
			EXPECT_GE(most[k] + most[k] / 5 + 4, r[k].wakes);
	}
	EXPECT_LT(most[1] / 10, r[1].wakes);
	EXPECT_LT(most[2] / 10, r[2].wakes);
	/* What it is all for. */
	EXPECT_LT(r[1].switches, r[0].switches);
	EXPECT_LT(r[2].switches, r[1].switches);
}

/*
 * The timers of watermarks that run now, by the kernel's own list of all timers;
 * @at: when one of them expires, ns. (Tracing their start would be exact, too, but
 * has the kernel patch its text as it runs, which qemu gets wrong, see testing.rst.)
 */
static int timers(unsigned long long *at)
{
	FILE *f = fopen("/proc/timer_list", "r");
	char line[256];
	int n = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (!strstr(line, ", watermark_timer,") && !strstr(line, ", watermark_timer "))
			continue;
		n++;
		if (!fgets(line, sizeof(line), f) ||
		    sscanf(line, " # expires at %llu", at) != 1)
			n = -1000;
	}
	if (f)
		fclose(f);
	return f ? n : -1;
}

/* Has the only timer that ran at @at gone off, and no other one come? */
static bool no_timer_after(unsigned long long at)
{
	unsigned long long other = at;
	uint64_t end = rb_now_ns() + SLACK_NS;
	int n;

	while ((n = timers(&other)) == 1 && other == at && rb_now_ns() < end + 2000 * MS)
		usleep(20000);
	return n == 0;
}

TEST_F(ring, no_timer_runs_but_for_who_asked_while_records_wait)
{
	unsigned long long first, at;
	int fd[4];

	for (int k = 0; k < 4; k++) {
		fd[k] = rb_open(O_RDONLY | O_NONBLOCK);
		ASSERT_EQ(0, watch(self->ep, fd[k], EPOLLIN | EPOLLET));
	}
	ASSERT_EQ(0, rb_set_mark(fd[1], 0, 1000, 0, 0));
	ASSERT_EQ(0, rb_set_mark(fd[2], 0, 0, 1000, 0));
	ASSERT_EQ(0, rb_set_mark(fd[3], 0, 0, 0, 3600000 * MS));
	ASSERT_EQ(0, rb_set_mark(fd[3], 0, 0, 0, 0));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 10, 8));
	while (epolled(self->ep, 20))
		;
	EXPECT_EQ(0, timers(&at));

	/* Asked, but all is read. */
	for (int k = 0; k < 10; k++)
		ASSERT_EQ(8, rb_get(fd[3], k));
	ASSERT_EQ(0, rb_set_mark(fd[3], 0, 0, 0, 2000 * MS));
	EXPECT_EQ(0, events(fd[3]));
	EXPECT_EQ(-EAGAIN, rb_get(fd[3], 0));
	EXPECT_EQ(0, timers(&at));
	/* One for the first of ten, that the others leave as it is. */
	ASSERT_EQ(8, rb_put(self->p.w, 10, 8));
	ASSERT_EQ(1, timers(&first));
	ASSERT_EQ(0, rb_put_many(self->p.w, 11, 9, 8));
	EXPECT_EQ(1, timers(&at));
	EXPECT_EQ(first, at);
	EXPECT_TRUE(no_timer_after(first));
	/* Nobody asks for what is left: one more is due, and no other. */
	ASSERT_EQ(8, rb_get(fd[3], 10));
	EXPECT_EQ(0, events(fd[3]));
	ASSERT_EQ(1, timers(&at));
	EXPECT_LT(first, at);
	EXPECT_TRUE(no_timer_after(at));
	for (int k = 11; k < 20; k++)
		ASSERT_EQ(8, rb_get(fd[3], k));
	EXPECT_EQ(0, events(fd[3]));
	EXPECT_EQ(0, timers(&at));
	for (int k = 0; k < 4; k++)
		close(fd[k]);
}

TEST_F(ring, files_close_at_any_moment)
{
	int rounds = rb_quick() ? 300 : 1000;
	struct pollfd p = { .events = POLLIN };

	for (int n = 0; n < rounds; n++) {
		int r = rb_open(O_RDONLY), d = n % 3 ? -1 : dup(r);

		ASSERT_EQ(n, lseek(r, 0, SEEK_END));
		ASSERT_EQ(0, rb_set_mark(r, 0, n & 4 ? 0 : 100, n & 8 ? 0 : 100,
				 n & 1 ? n % 7 * 50000 + 1 : 3600000 * MS));
		if (n & 16)
			ASSERT_EQ(0, watch(self->ep, r, EPOLLIN | EPOLLET));
		ASSERT_EQ(8, rb_put(self->p.w, n, 8));
		p.fd = r;
		if (n & 2)
			poll(&p, 1, 0);
		if (n % 5 == 0)
			usleep(n % 11 * 30);
		if (n % 50 == 0) {
			pid_t pid = fork();

			if (!pid) {
				p.fd = r;
				poll(&p, 1, -1);
				pause();
			}
			close(r);
			usleep(n % 100 * 20);
			ASSERT_EQ(0, kill(pid, SIGKILL));
			EXPECT_EQ(-SIGKILL, rb_reap(pid));
		} else {
			close(r);
		}
		if (d >= 0)
			close(d);
	}
	rb_pair_close(&self->p);
	EXPECT_EQ(0, rb_remove_wait());
	self->p.w = self->p.r = -1;
}

/* Two threads poll and read what is one consumer's; a record goes to one. */
struct sharer {
	int fd;
	long want;
	atomic_long *got;
	bool missed;
};

static void *share(void *arg)
{
	struct sharer *s = arg;
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	char buf[64];

	while (atomic_load(s->got) < s->want && !s->missed) {
		if (poll(&p, 1, RB_WAIT_MS) != 1)
			s->missed = atomic_load(s->got) < s->want;
		while (read(s->fd, buf, 64) == 8)
			atomic_fetch_add(s->got, 1);
	}
	/* For the other one. */
	rb_set_mark(s->fd, 0, 0, 0, 1);
	return NULL;
}

TEST_F(ring, threads_that_share_a_consumer_miss_nothing)
{
	atomic_long got = 0;
	struct sharer s = { self->p.r, rb_quick() ? 2000 : 20000, &got, false };
	pthread_t t[3];

	ASSERT_EQ(0, rb_set_mark(s.fd, 0, 0, 3, 2 * MS));
	for (int k = 0; k < 3; k++)
		ASSERT_EQ(0, pthread_create(&t[k], NULL, share, &s));
	for (long n = 0; n < s.want; n++) {
		ASSERT_EQ(8, rb_put(self->p.w, n, 8));
		/* Not more than the ring holds, and to the last one now and then. */
		for (long end = rb_now_ms() + RB_WAIT_MS;
		     atomic_load(&got) < n - (n % 16 ? 500 : 0) && rb_now_ms() < end;)
			sched_yield();
		if (n % 8 == 0)
			rb_set_mark(s.fd, 0, 0, n % 3 + 1, n % 5 * 100000 + 1);
	}
	/* What wakes them at the end is a record. */
	for (int k = 0; k < 3; k++) {
		usleep(5000);
		rb_put(self->p.w, 0, 8);
	}
	for (int k = 0; k < 3; k++)
		EXPECT_EQ(0, rb_join(t[k], "sharer"));
	EXPECT_FALSE(s.missed);
}

TEST_F_TIMEOUT(ring, stress, 120)
{
	struct reader r[] = {
		{ .how = BY_READ, .records = 1, .ns = 1 },
		{ .how = BY_READ, .bytes = 20000, .ns = 3 * MS },
		{ .how = BY_POLL, .ns = 10 * MS },
		{ .how = BY_POLL, .records = 50, .ns = MS },
		{ .how = BY_LEVEL, .bytes = -1U, .ns = 20 * MS },
		{ .how = BY_LEVEL, .ns = MS / 10 },
		{ .how = BY_EDGE, .records = 20, .ns = 5 * MS },
		{ .how = BY_EDGE, .ns = 2 * MS },
	};
	uint64_t end = rb_now_ns() + (rb_quick() ? 3000 : 10000) * MS;
	unsigned int seed = 1;
	long n = 0;

	for (int k = 0; k < ARRAY_SIZE(r); k++)
		ASSERT_EQ(0, start_reader(&r[k], 0));
	while (rb_now_ns() < end) {
		long burst = rand_r(&seed) % (rand_r(&seed) % 50 ? 20 : 1500);

		for (; burst--; n++)
			ASSERT_LT(0, rb_put(self->p.w, n, 1 + n % 100));
		usleep(rand_r(&seed) % (rand_r(&seed) % 20 ? 500 : 30000));
	}
	close(self->p.w);
	self->p.w = -1;
	for (int k = 0; k < ARRAY_SIZE(r); k++) {
		EXPECT_EQ(0, end_reader(&r[k]));
		EXPECT_EQ(n, r[k].got + r[k].lost);
		TH_LOG("reader %d: %ld read, %ld lost, %ld wakeups; late by %llu us at most",
		       k, r[k].got, r[k].lost, r[k].wakes,
		       (unsigned long long)r[k].worst / 1000);
		EXPECT_GE(SLACK_NS, r[k].worst);
	}
}

TEST_HARNESS_MAIN
