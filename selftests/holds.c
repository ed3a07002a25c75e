// SPDX-License-Identifier: GPL-2.0
/* When a reliable consumer begins to hold, when it lets go, and who is told. */
#include "reliable.h"

FIXTURE(ring) {
	struct rb_pair p;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096 reliable=1"));
}

FIXTURE_TEARDOWN(ring)
{
	rb_pair_close(&self->p);
}

/* Everything that lets a blocked writer go has to wake it. */
enum how { READ, READ_FRAMES, SEEK, ADVANCE, CLEAR, CLOSE, UNMAP, KILL };

FIXTURE(blocked) {
	struct rb_pair p;
	struct rb_op op;
	pid_t pid;
	void *map;
};

FIXTURE_VARIANT(blocked) {
	enum how how;
};

FIXTURE_VARIANT_ADD(blocked, read) { .how = READ };
FIXTURE_VARIANT_ADD(blocked, read_frames) { .how = READ_FRAMES };
FIXTURE_VARIANT_ADD(blocked, seek) { .how = SEEK };
FIXTURE_VARIANT_ADD(blocked, advance) { .how = ADVANCE };
FIXTURE_VARIANT_ADD(blocked, clear) { .how = CLEAR };
FIXTURE_VARIANT_ADD(blocked, close) { .how = CLOSE };
FIXTURE_VARIANT_ADD(blocked, unmap) { .how = UNMAP };
FIXTURE_VARIANT_ADD(blocked, kill) { .how = KILL };

/* A writer that waits for room for the largest record. */
FIXTURE_SETUP(blocked)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096 reliable=1"));
	if (variant->how == KILL) {
		self->pid = rb_fork_holder(0);
		ASSERT_LT(0, self->pid);
	} else {
		ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
	}
	if (variant->how == UNMAP) {
		self->map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->p.r, 0);
		ASSERT_NE(MAP_FAILED, self->map);
	}
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	rb_fill(rb_out, LARGEST, FITS);
	ASSERT_TRUE(rb_op_block(&self->op, SYS_write, self->p.w, rb_out, LARGEST));
}

FIXTURE_TEARDOWN(blocked)
{
	rb_pair_close(&self->p);
}

/* Lets go up to record @n, or altogether. */
static int let_go(enum how how, int r, pid_t pid, void *map, uint64_t n)
{
	uint64_t pos = n * FRAME;
	struct ringbuf_stats s;

	switch (how) {
	case READ:
		rb_stats(r, &s);
		return rb_get_many(r, s.seq, n - s.seq);
	case READ_FRAMES:
		rb_stats(r, &s);
		rb_set_consumer(r, RELIABLE | FRAMED);
		return RC(read(r, rb_in, pos - s.pos)) == (int)(pos - s.pos) ?
		       0 : -EIO;
	case SEEK:
		return lseek(r, n, SEEK_SET) == (off_t)n ? 0 : -errno;
	case ADVANCE:
		return rb_advance(r, pos);
	case CLEAR:
		return rb_set_consumer(r, 0);
	case CLOSE:
		return RC(close(r));
	case UNMAP:
		close(r);
		return RC(munmap(map, 4096));
	case KILL:
		return rb_kill(pid);
	}
	return -EINVAL;
}

TEST_F(blocked, letting_go_wakes_the_writer)
{
	struct ringbuf_info i;

	if (variant->how == UNMAP) {
		close(self->p.r);
		EXPECT_TRUE(rb_op_stays(&self->op));
	}
	ASSERT_EQ(0, let_go(variant->how, self->p.r, self->pid, self->map, 8));
	EXPECT_EQ(LARGEST, rb_op_wait(&self->op));
	ASSERT_EQ(0, rb_info(self->p.w, &i));
	EXPECT_EQ(FITS + 1, i.head_seq);
}

TEST_F(blocked, nothing_less_than_what_it_needs_wakes_the_writer)
{
	pid_t tid = atomic_load(&self->op.tid);
	int lossy = rb_open(O_RDONLY | O_NONBLOCK);
	int other = rb_open_reliable();
	long long before = rb_sleeps(tid);

	ASSERT_LE(0, before);
	/* Who does not hold may do what it likes. */
	ASSERT_EQ(0, rb_get_many(lossy, 0, FITS));
	ASSERT_EQ(0, rb_set_consumer(lossy, FRAMED));
	close(lossy);
	if (variant->how < CLEAR) {
		for (uint64_t n = 1; n < 8; n++) {
			ASSERT_EQ(0, let_go(variant->how, self->p.r, 0, NULL, n));
			usleep(1000);
		}
	}
	EXPECT_TRUE(rb_op_stays(&self->op));
	EXPECT_EQ(before, rb_sleeps(tid));
	/* The other one will do what is needed before: that may be asked for. */
	ASSERT_EQ(0, rb_get_many(other, 0, FITS));
	EXPECT_TRUE(rb_op_stays(&self->op));
	/* On RT it also sleeps on locks, which each read has for a moment. */
	EXPECT_GE(before + (rb_realtime() ? 4 : 1), rb_sleeps(tid));
	ASSERT_EQ(0, let_go(variant->how, self->p.r, self->pid, self->map, 8));
	EXPECT_EQ(LARGEST, rb_op_wait(&self->op));
	close(other);
}

/* They share a file; each has a need of its own. */
TEST_F(ring, writers_that_wait_for_more_and_for_less_are_both_woken)
{
	static uint8_t small[LEN], large[LARGEST];
	struct rb_op more, less;

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
	for (int n = 0; n < 20; n++) {
		uint64_t first = n * (FITS + 2);

		ASSERT_EQ(FITS, rb_write_until_held(self->p.w, first));
		rb_fill(small, LEN, first + FITS);
		rb_fill(large, LARGEST, first + FITS + 1);
		ASSERT_TRUE(rb_op_block(&more, SYS_write, self->p.w, large, LARGEST));
		ASSERT_TRUE(rb_op_block(&less, SYS_write, self->p.w, small, LEN));
		ASSERT_EQ(LEN, rb_get(self->p.r, first));
		ASSERT_EQ(LEN, rb_op_wait(&less));
		ASSERT_TRUE(rb_op_stays(&more));
		ASSERT_EQ(0, rb_get_many(self->p.r, first + 1, 8));
		ASSERT_EQ(LARGEST, rb_op_wait(&more));
		ASSERT_EQ(0, rb_get_many(self->p.r, first + 9, FITS + 2 - 9));
	}
}

TEST_F(ring, it_holds_from_its_cursor_on)
{
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 20, LEN));
	ASSERT_EQ(0, rb_get_many(self->p.r, 0, 10));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
	EXPECT_EQ(22, rb_write_until_held(self->p.w, 20));
	EXPECT_EQ(0, rb_get_many(self->p.r, 10, FITS));
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 0));
	EXPECT_TRUE(rb_adds_up(self->p.r));
}

TEST_F(ring, it_holds_from_the_tail_on_when_it_was_overrun)
{
	struct ringbuf_stats s;
	struct ringbuf_info i;
	uint64_t more;

	for (int round = 0; round < 100; round++) {
		int r = rb_open(O_RDONLY | O_NONBLOCK);

		ASSERT_EQ(0, rb_info(r, &i));
		more = i.head_seq;
		ASSERT_EQ(0, rb_put_many(self->p.w, more, 50 + round, LEN));
		ASSERT_EQ(0, rb_stats(r, &s));
		ASSERT_TRUE(s.flags & RINGBUF_STATS_OVERRUN);
		ASSERT_EQ(0, rb_set_consumer(r, RELIABLE));
		ASSERT_EQ(0, rb_info(r, &i));
		ASSERT_EQ(0, rb_stats(r, &s));
		EXPECT_EQ(0, s.flags);
		EXPECT_EQ(i.tail, s.pos);
		EXPECT_EQ(i.tail_seq, s.seq);
		EXPECT_EQ(i.head_seq - i.tail_seq, s.lag_records);
		ASSERT_GE(FITS, rb_write_until_held(self->p.w, i.head_seq));
		ASSERT_EQ(0, rb_stats(r, &s));
		EXPECT_EQ(FITS, s.lag_records);
		ASSERT_EQ(0, rb_get_many(r, s.seq, FITS));
		ASSERT_EQ(0, rb_stats(r, &s));
		EXPECT_EQ(FITS, s.read_records);
		close(r);
	}
	/* One that was there from the beginning: the sum is what was written. */
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
	EXPECT_TRUE(rb_adds_up(self->p.r));
	ASSERT_EQ(0, rb_info(self->p.r, &i));
	ASSERT_EQ(0, rb_get_many(self->p.r, i.tail_seq, 5));
	EXPECT_TRUE(rb_adds_up(self->p.r));
}

TEST_F(ring, joining_a_full_ring_holds_at_once)
{
	int late, later;

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RELIABLE));
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	late = rb_open_reliable();
	ASSERT_EQ(0, rb_get_many(self->p.r, 0, FITS));
	EXPECT_EQ(0, rb_write_until_held(self->p.w, FITS));
	ASSERT_EQ(0, rb_get_many(late, 0, 9));
	/* Between what the writer may overwrite, and what it has. */
	ASSERT_EQ(LEN, rb_put(self->p.w, FITS, LEN));
	later = rb_open_reliable();
	EXPECT_LE(1, rb_at(later));
	EXPECT_GE(9, rb_at(later));
	EXPECT_EQ(rb_at(later) - 1,
		  rb_write_until_held(self->p.w, FITS + 1));
	close(later);
	close(late);
}

TEST_F(ring, a_seek_back_holds_from_there)
{
	int r = self->p.r, w = self->p.w;
	long long tail;

	ASSERT_EQ(0, rb_set_consumer(r, RELIABLE));
	ASSERT_EQ(FITS, rb_write_until_held(w, 0));
	ASSERT_EQ(0, rb_get_many(r, 0, FITS));
	/* Nothing is gone yet. */
	ASSERT_EQ(0, lseek(r, 0, SEEK_SET));
	EXPECT_EQ(0, rb_write_until_held(w, FITS));
	ASSERT_EQ(FITS, lseek(r, 0, SEEK_END));
	ASSERT_EQ(LEN, rb_put(w, FITS, LEN));
	tail = lseek(r, 0, SEEK_SET);
	ASSERT_LT(0, tail);
	EXPECT_EQ(tail - 1, rb_write_until_held(w, FITS + 1));
	EXPECT_EQ(0, rb_get_many(r, tail, FITS));
}

/*
 * Who joins behind the tail, or seeks there, seems to hold for a moment. Nothing
 * else wakes the writer that has seen it.
 */
TEST_F_TIMEOUT(ring, who_seemed_to_hold_and_does_not_wakes_the_writer, 100)
{
	int fd = self->p.r, rounds = rb_quick() ? 300 : 3000;
	struct rb_op op;

	for (int n = 0; n < rounds; n++) {
		ASSERT_EQ(0, rb_put_many(self->p.w, 0, FITS + 8, LEN));
		if (n % 2) {
			ASSERT_EQ(0, rb_set_consumer(fd, FRAMED | RELIABLE));
		}
		while (n % 2 && read(fd, rb_in, RB_MAX) > 0)
			;
		ASSERT_EQ(0, rb_op_start(&op, SYS_write, self->p.w, rb_out, LEN));
		if (n % 2) {
			ASSERT_LE(0, lseek(fd, 0, SEEK_SET));
		} else {
			ASSERT_EQ(0, rb_set_consumer(fd, FRAMED | RELIABLE));
		}
		while (read(fd, rb_in, RB_MAX) > 0)
			;
		ASSERT_EQ(LEN, rb_op_wait(&op)) TH_LOG("round %d", n);
		ASSERT_EQ(0, rb_set_consumer(fd, 0));
	}
}

/* Nanoseconds per write, the best of some rounds; the clock may be a coarse one. */
static long long cost(int w)
{
	uint64_t best = -1ULL, t;

	for (int round = 0; round < 10; round++) {
		t = rb_now_ns();
		for (int n = 0; n < 4000; n++)
			if (write(w, rb_out, LEN) != LEN)
				return -1;
		t = rb_now_ns() - t;
		best = t < best ? t : best;
	}
	return best / 4000;
}

TEST_F(ring, those_who_left_cost_nothing_and_hold_nothing)
{
	struct rlimit limit = { 1100, 1100 };
	long long before, after;
	static int r[1000];

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	before = cost(self->p.w);
	ASSERT_LE(0, before);
	for (int round = 0; round < 3; round++) {
		for (int k = 0; k < 1000; k++) {
			r[k] = rb_open_reliable();
			ASSERT_LE(0, r[k]);
		}
		ASSERT_EQ(1000, rb_count_reliable(self->p.w));
		ASSERT_GE(FITS, rb_write_until_held(self->p.w, 0));
		for (int k = 0; k < 1000; k++)
			close(r[k * 7 % 1000]);
		ASSERT_EQ(0, rb_count_reliable(self->p.w));
	}
	after = cost(self->p.w);
	ASSERT_LE(0, after);
	TH_LOG("a write took %d ns before, %d ns after", (int)before, (int)after);
	EXPECT_GT(4 * before + 5000, after);
}

struct sharer {
	pthread_t thread;
	pthread_barrier_t *together;
	int r, w, rounds;
	atomic_bool stop;
};

static bool run_on(pthread_t thread, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !pthread_setaffinity_np(thread, sizeof(set), &set);
}

/* Comes in between, wherever that may be preempted, for as long as others need. */
static void *preempt(void *arg)
{
	const struct sched_param param = { .sched_priority = 1 };
	struct sharer *s = arg;
	unsigned int seed = 1;
	uint64_t end;

	if (pthread_setschedparam(pthread_self(), SCHED_FIFO, &param))
		perror("# SCHED_FIFO");
	while (!atomic_load(&s->stop)) {
		usleep(50 + rand_r(&seed) % 500);
		for (end = rb_now_ns() + 500000; rb_now_ns() < end;)
			;
	}
	return NULL;
}

/* Reads a record in each round. */
static void *read_along(void *arg)
{
	struct sharer *s = arg;

	for (int k = 0; k < s->rounds; k++) {
		pthread_barrier_wait(s->together);
		if (read(s->r, rb_in, RB_MAX) < 0 && errno != EAGAIN)
			perror("# read");
		pthread_barrier_wait(s->together);
	}
	return NULL;
}

/* What comes in between where this thread may be preempted. */
struct preempter {
	struct sharer s;
	cpu_set_t was;
};

static bool preempter_start(struct preempter *p)
{
	*p = (struct preempter){ 0 };
	return !pthread_getaffinity_np(pthread_self(), sizeof(p->was), &p->was) &&
	       !pthread_create(&p->s.thread, NULL, preempt, &p->s) &&
	       run_on(p->s.thread, 0) && run_on(pthread_self(), 0);
}

static int preempter_stop(struct preempter *p)
{
	atomic_store(&p->s.stop, true);
	pthread_setaffinity_np(pthread_self(), sizeof(p->was), &p->was);
	return rb_join(p->s.thread, "preempter");
}

/* Writes a record in each round, as soon as there is room. */
static void *write_along(void *arg)
{
	static char record[LEN];
	struct iovec iov = { record, LEN };
	struct sharer *s = arg;

	if (!run_on(pthread_self(), 1))
		perror("# CPU 1");
	for (int k = 0; k < s->rounds; k++) {
		pthread_barrier_wait(s->together);
		while (pwritev2(s->w, &iov, 1, -1, RWF_NOWAIT) < 0 && errno == EAGAIN)
			;
		pthread_barrier_wait(s->together);
	}
	return NULL;
}

/* A consumer is made a lossy one while somebody else is at it: the writer wakes. */
static void leave_while(struct __test_metadata *_metadata, int w, int rounds,
			void *(*others)(void *))
{
	pthread_barrier_t together;
	struct sharer s = { .together = &together, .w = w, .rounds = rounds };
	struct rb_op op;
	int dummy = 0;

	s.r = rb_open(O_RDONLY | O_NONBLOCK);
	pthread_barrier_init(&together, NULL, 2);
	ASSERT_EQ(0, pthread_create(&s.thread, NULL, others, &s));
	for (int k = 0; k < s.rounds; k++) {
		ASSERT_EQ(0, lseek(s.r, 0, SEEK_DATA) < 0);
		ASSERT_EQ(0, rb_set_consumer(s.r, RELIABLE));
		ASSERT_LE(0, rb_write_until_held(w, 0));
		ASSERT_TRUE(rb_op_block(&op, SYS_write, w, rb_out, LEN));
		pthread_barrier_wait(&together);
		for (int spin = k % 64 * 8; spin; spin--)
			__asm__ volatile("" : "+r"(dummy));
		ASSERT_EQ(0, rb_set_consumer(s.r, 0));
		ASSERT_EQ(LEN, rb_op_wait(&op)) TH_LOG("round %d", k);
		pthread_barrier_wait(&together);
	}
	EXPECT_EQ(0, rb_join(s.thread, "other"));
	close(s.r);
}

/*
 * One thread reads on, and another makes their consumer a lossy one in this very
 * moment: the first finds no hold any more, and the second none that mattered.
 */
TEST_F_TIMEOUT(ring, who_leaves_while_another_reads_wakes_the_writer, 100)
{
	leave_while(_metadata, self->p.w, rb_quick() ? 300 : 1000, read_along);
}

/*
 * Another writer may have moved the tail past what the first one waits for, if who
 * leaves is preempted once it holds no longer, and has woken nobody.
 */
TEST_F_TIMEOUT(ring, who_leaves_while_another_writes_wakes_the_writer, 100)
{
	struct preempter p;

	ASSERT_TRUE(preempter_start(&p));
	leave_while(_metadata, self->p.w, 300, write_along);
	EXPECT_EQ(0, preempter_stop(&p));
}

/* Reads and writes a record in each round, as soon as another one has been read. */
static void *go_on(void *arg)
{
	struct sharer *s = arg;
	struct ringbuf_stats stats;
	uint64_t seq;

	if (!run_on(pthread_self(), 1))
		perror("# CPU 1");
	for (int k = 0; k < s->rounds; k++) {
		if (rb_stats(s->r, &stats))
			perror("# GET_STATS");
		seq = stats.seq;
		pthread_barrier_wait(s->together);
		while (!rb_stats(s->r, &stats) && stats.seq == seq)
			;
		if (read(s->r, rb_in, RB_MAX) != LEN || write(s->w, rb_in, LEN) != LEN)
			perror("# read, write");
		pthread_barrier_wait(s->together);
	}
	return NULL;
}

/*
 * Two threads read on and make room, for who polls, and another record goes in. If
 * the first reader is preempted before it tells, it tells of less than is needed by
 * then; and the second one told of more than was.
 */
TEST_F_TIMEOUT(ring, two_who_make_room_wake_who_polls, 100)
{
	struct pollfd room = { .fd = self->p.w, .events = POLLOUT };
	static char mine[RB_MAX];
	pthread_barrier_t together;
	struct sharer s = { .together = &together, .w = self->p.w, .rounds = 300 };
	struct preempter p;
	struct rb_op op;

	s.r = rb_open_reliable();
	pthread_barrier_init(&together, NULL, 2);
	/* A record more than what leaves room for the largest one. */
	while (poll(&room, 1, 0) == 1)
		ASSERT_EQ(LEN, rb_put(self->p.w, 0, LEN));
	ASSERT_TRUE(preempter_start(&p));
	ASSERT_EQ(0, pthread_create(&s.thread, NULL, go_on, &s));
	for (int k = 0; k < s.rounds; k++) {
		ASSERT_TRUE(rb_op_block(&op, SYS_poll, (long)&room, (void *)1, -1));
		pthread_barrier_wait(&together);
		ASSERT_EQ(LEN, RC(read(s.r, mine, sizeof(mine))));
		ASSERT_EQ(1, rb_op_wait(&op)) TH_LOG("round %d", k);
		pthread_barrier_wait(&together);
		/* One was read more than written. */
		ASSERT_EQ(LEN, rb_put(self->p.w, 0, LEN));
		ASSERT_EQ(0, poll(&room, 1, 0));
	}
	EXPECT_EQ(0, rb_join(s.thread, "other"));
	EXPECT_EQ(0, preempter_stop(&p));
	close(s.r);
}

struct starter {
	pthread_t thread;
	pthread_barrier_t *together;
	int fd;
	long long first;
};

static void *start(void *arg)
{
	struct starter *s = arg;

	pthread_barrier_wait(s->together);
	s->fd = rb_open_reliable();
	s->first = rb_at(s->fd);
	pthread_barrier_wait(s->together);
	pthread_barrier_wait(s->together);
	close(s->fd);
	return NULL;
}

TEST_F_TIMEOUT(ring, consumers_made_at_the_same_moment_are_all_heard, 120)
{
	pthread_barrier_t together;
	struct ringbuf_info i;
	struct starter s[8];
	uint64_t n = 0;
	int ret;

	ASSERT_EQ(0, pthread_barrier_init(&together, NULL, 9));
	for (int round = 0; round < (rb_quick() ? 30 : 300); round++) {
		for (int k = 0; k < 8; k++) {
			s[k].together = &together;
			ASSERT_EQ(0, pthread_create(&s[k].thread, NULL, start, &s[k]));
		}
		pthread_barrier_wait(&together);
		/* Against a writer that is just making room. */
		ASSERT_EQ(0, fcntl(self->p.w, F_SETFL, O_NONBLOCK));
		while ((ret = rb_put(self->p.w, n, LEN)) == LEN && n % 64 != 63)
			n++;
		n += ret == LEN;
		pthread_barrier_wait(&together);
		ret = rb_write_until_held(self->p.w, n);
		ASSERT_LE(0, ret);
		n += ret;
		ASSERT_EQ(8, rb_count_reliable(self->p.w));
		ASSERT_EQ(0, rb_info(self->p.w, &i));
		for (int k = 0; k < 8; k++) {
			ASSERT_LE(0, s[k].fd);
			ASSERT_LE(i.tail_seq, s[k].first);
			ASSERT_EQ(0, rb_get_many(s[k].fd, s[k].first,
						 n - s[k].first));
		}
		pthread_barrier_wait(&together);
		for (int k = 0; k < 8; k++)
			ASSERT_EQ(0, rb_join(s[k].thread, "starter"));
		ASSERT_EQ(0, rb_count_reliable(self->p.w));
	}
}

TEST_HARNESS_MAIN
