// SPDX-License-Identifier: GPL-2.0
/* Readers in place, step by step, on a ring that stands still meanwhile. */
#include <poll.h>
#include "lib_still.h"

#define FRAME	128

static bool empty(void)
{
	START(4096);
	struct ringbuf_stats s;

	CHECK_EQ(0, ringbuf_next(r, &e));
	CHECK_EQ(0, ringbuf_read(r, &e));
	CHECK_EQ(0, ringbuf_arm(r));
	CHECK_EQ(0, ringbuf_reader_stats(r, &s));
	CHECK_EQ(0, s.lag_bytes | s.lag_records | s.lost_bytes |
		 s.lost_records | s.read_bytes | s.read_records | s.flags);
	put_many(f, 1);
	CHECK_EQ(1, ringbuf_arm(r));
	CHECK_EQ(1, ringbuf_read(r, &e));
	CHECK(host_record(&e, 0, W1));
	CHECK_EQ(0, ringbuf_read(r, &e));
	END();
}

static bool same_until_released(void)
{
	START(4096);
	const void *data;

	put_many(f, 2);
	CHECK_EQ(1, ringbuf_next(r, &e));
	data = e.data;
	CHECK_EQ(1, ringbuf_next(r, &e));
	CHECK(e.data == data && host_record(&e, 0, W1));
	CHECK_EQ(1, ringbuf_arm(r));
	CHECK_EQ(1, ringbuf_wait(r, 0));
	CHECK_EQ(1, ringbuf_next(r, &e));
	CHECK(e.data == data && ringbuf_intact(r) && ringbuf_release(r));
	CHECK_EQ(1, ringbuf_next(r, &e));
	CHECK(e.data != data && host_record(&e, 1, W1));
	END();
}

static bool wraps(void)
{
	START(4096);
	int i, crossed = 0;

	/* 120 does not divide 4096: frames lie across the end, too. */
	for (i = 0; i < 1000; i++) {
		feed_put(f, W1 - 1);
		CHECK_EQ(1, ringbuf_next(r, &e));
		CHECK(host_record(&e, i, W1 - 1));
		CHECK_EQ(0, e.lost | e.lost_bytes);
		crossed += (const unsigned char *)e.data + e.len >
			   feed_data(f) + 4096;
		CHECK(ringbuf_release(r));
	}
	CHECK(crossed > 10);
	END();
}

/* 4096 / 128: 32 records fit; the tail goes a stride of two ahead. */
static bool overrun_counts(void)
{
	START(4096);
	struct ringbuf_stats s;

	put_many(f, 132);
	CHECK_EQ(0, ringbuf_reader_stats(r, &s));
	CHECK_EQ(RINGBUF_STATS_OVERRUN, s.flags);
	CHECK_EQ(132, s.lost_records + s.lag_records);
	CHECK_EQ(132 * FRAME, s.lost_bytes + s.lag_bytes);
	CHECK_EQ(1, ringbuf_next(r, &e));
	CHECK(e.lost >= 100 && e.lost <= 102);
	CHECK_EQ(s.lost_records, e.lost);
	CHECK_EQ(e.lost * FRAME, e.lost_bytes);
	CHECK(host_record(&e, e.lost, W1));
	CHECK(ringbuf_release(r));
	CHECK_EQ(0, ringbuf_reader_stats(r, &s));
	CHECK_EQ(0, s.flags);
	CHECK_EQ(1, s.read_records);
	CHECK_EQ(e.lost, s.lost_records);
	CHECK_EQ(131 - e.lost, s.lag_records);
	CHECK_EQ((131 - e.lost) * FRAME, s.lag_bytes);
	CHECK_EQ(1, ringbuf_next(r, &e));
	CHECK_EQ(0, e.lost | e.lost_bytes);
	END();
}

static bool overrun_before_release(void)
{
	START(4096);
	struct ringbuf_stats s;
	uint64_t first;

	put_many(f, 5);
	CHECK_EQ(1, ringbuf_read(r, &e));
	CHECK_EQ(1, ringbuf_next(r, &e));
	CHECK(host_record(&e, 1, W1) && ringbuf_intact(r));
	put_many(f, 40);
	CHECK(!ringbuf_intact(r));
	CHECK(!ringbuf_release(r));
	CHECK(!ringbuf_release(r));
	CHECK_EQ(0, ringbuf_reader_stats(r, &s));
	CHECK_EQ(1, s.read_records);
	CHECK_EQ(45, s.read_records + s.lost_records + s.lag_records);
	CHECK_EQ(1, ringbuf_next(r, &e));
	first = e.seq;
	CHECK(host_record(&e, first, W1));
	CHECK(first >= 13 && first <= 15);
	CHECK_EQ(first - 1, e.lost);
	CHECK_EQ((first - 1) * FRAME, e.lost_bytes);
	CHECK_EQ(first - 1, s.lost_records);
	CHECK(ringbuf_release(r));
	END();
}

/* Who asks whether to sleep with a record in hand still has that one in hand. */
static bool arm_before_release(void)
{
	START(4096);
	uint64_t first;

	feed_put(f, 3);
	CHECK_EQ(1, ringbuf_next(r, &e));
	put_many(f, 40);
	CHECK_EQ(1, ringbuf_arm(r));
	CHECK_EQ(1, ringbuf_wait(r, 0));
	CHECK(!ringbuf_intact(r));
	CHECK(!ringbuf_release(r));
	CHECK_EQ(1, ringbuf_next(r, &e));
	first = e.seq;
	CHECK(host_record(&e, first, W1));
	CHECK_EQ(first, e.lost);
	CHECK_EQ(48 + (first - 1) * FRAME, e.lost_bytes);
	CHECK(ringbuf_release(r));
	END();
}

static bool release_nothing(void)
{
	START(4096);
	struct ringbuf_stats s;

	CHECK(!ringbuf_release(r));
	put_many(f, 2);
	CHECK(!ringbuf_release(r));
	CHECK_EQ(1, ringbuf_next(r, &e));
	CHECK(ringbuf_release(r));
	CHECK(!ringbuf_release(r));
	CHECK_EQ(1, ringbuf_next(r, &e));
	CHECK(host_record(&e, 1, W1));
	CHECK_EQ(0, e.lost);
	CHECK(ringbuf_release(r));
	CHECK_EQ(0, ringbuf_next(r, &e));
	CHECK(!ringbuf_release(r));
	CHECK_EQ(0, ringbuf_reader_stats(r, &s));
	CHECK_EQ(2, s.read_records);
	CHECK_EQ(0, s.lost_records | s.lag_records);
	END();
}

static bool gaps(void)
{
	START(4096);
	struct ringbuf_stats s;

	feed_gap(f, 3);
	CHECK_EQ(0, ringbuf_next(r, &e));
	put_many(f, 2);
	CHECK_EQ(1, ringbuf_read(r, &e));
	CHECK(host_record(&e, 3, W1));
	CHECK_EQ(3, e.lost);
	CHECK_EQ(0, e.lost_bytes);
	feed_gap(f, 5);
	put_many(f, 1);
	CHECK_EQ(1, ringbuf_read(r, &e));
	CHECK(host_record(&e, 4, W1));
	CHECK_EQ(0, e.lost);
	CHECK_EQ(0, ringbuf_reader_stats(r, &s));
	CHECK_EQ(3, s.lost_records);
	CHECK_EQ(6, s.lag_records);
	CHECK_EQ(FRAME, s.lag_bytes);
	CHECK_EQ(1, ringbuf_read(r, &e));
	CHECK(host_record(&e, 10, W1));
	CHECK_EQ(5, e.lost);
	CHECK_EQ(0, e.lost_bytes);
	/* A gap within what an overrun takes. */
	feed_gap(f, 7);
	put_many(f, 50);
	CHECK_EQ(1, ringbuf_read(r, &e));
	CHECK_EQ(e.seq - 11, e.lost);
	CHECK_EQ((e.seq - 18) * FRAME, e.lost_bytes);
	CHECK_EQ(0, ringbuf_reader_stats(r, &s));
	CHECK_EQ(68, s.read_records + s.lost_records + s.lag_records);
	CHECK_EQ(53 * FRAME, s.read_bytes + s.lost_bytes + s.lag_bytes);
	END();
}

static bool copies_stay(void)
{
	START(4096);

	put_many(f, 1);
	CHECK_EQ(1, ringbuf_read(r, &e));
	put_many(f, 100);
	CHECK(host_record(&e, 0, W1));
	CHECK((const unsigned char *)e.data < feed_data(f) ||
	      (const unsigned char *)e.data >= feed_data(f) + 8192);
	END();
}

static bool largest(void)
{
	START(4096);
	int i;

	for (i = 0; i < 10; i++) {
		feed_put(f, 125);
		CHECK_EQ(1, ringbuf_read(r, &e));
		CHECK(host_record(&e, i, 125));
	}
	END();
}

/* What a destroyed ring retains can be read; then there is an end. */
static bool dead(void)
{
	START(4096);

	put_many(f, 2);
	CHECK_EQ(1, ringbuf_read(r, &e));
	feed_page_rw(f)->flags |= RINGBUF_RING_DEAD;
	CHECK_EQ(1, ringbuf_arm(r));
	CHECK_EQ(1, ringbuf_read(r, &e));
	CHECK(host_record(&e, 1, W1));
	CHECK_EQ(-ENODEV, ringbuf_next(r, &e));
	CHECK_EQ(-ENODEV, ringbuf_read(r, &e));
	CHECK_EQ(-ENODEV, ringbuf_arm(r));
	CHECK_EQ(-ENODEV, ringbuf_wait(r, -1));
	/* One that a producer was in the middle of. */
	put_many(f, 1);
	CHECK_EQ(1, ringbuf_wait(r, -1));
	CHECK_EQ(1, ringbuf_read(r, &e));
	CHECK(host_record(&e, 2, W1));
	CHECK_EQ(-ENODEV, ringbuf_wait(r, -1));
	END();
}

#define CHECK_SET(_mask, _flags, _records) do {				\
	CHECK_EQ(sizeof(none_set), none_set.struct_size);		\
	CHECK_EQ(_mask, none_set.mask);					\
	CHECK_EQ(_flags, none_set.flags);				\
	CHECK_EQ(_records, none_set.wake_records);			\
	CHECK_EQ(0, none_set.reserved);					\
} while (0)

/* What somebody else sets meanwhile stays. */
static bool sets_what_it_names(void)
{
	START(4096);

	CHECK_EQ(0, ringbuf_reader_set_wake(r, 0, 7, 0));
	CHECK_SET(RINGBUF_CONSUMER_WAKE, 0, 7);
	CHECK_EQ(0, ringbuf_reader_set_reliable(r, true));
	CHECK_SET(RINGBUF_CONSUMER_RELIABLE, RINGBUF_CONSUMER_RELIABLE, 0);
	CHECK_EQ(0, ringbuf_reader_set_reliable(r, false));
	CHECK_SET(RINGBUF_CONSUMER_RELIABLE, 0, 0);
	CHECK_EQ(0, set_up(whole(r), RINGBUF_CONSUMER_FRAMED));
	CHECK_SET(RINGBUF_CONSUMER_FRAMED | RINGBUF_CONSUMER_EOF,
		  RINGBUF_CONSUMER_FRAMED, 0);
	whole(r)->flags = RINGBUF_READER_EOF | RINGBUF_READER_RELIABLE;
	CHECK_EQ(0, set_up(whole(r), 0));
	CHECK_SET(RINGBUF_CONSUMER_FRAMED | RINGBUF_CONSUMER_EOF |
		  RINGBUF_CONSUMER_RELIABLE,
		  RINGBUF_CONSUMER_EOF | RINGBUF_CONSUMER_RELIABLE, 0);
	/* As the file has it: nothing is set. */
	none_set.mask = 0;
	whole(r)->flags = 0;
	CHECK_EQ(0, set_up(whole(r), 0));
	CHECK_EQ(0, none_set.mask);
	(void)e;
	END();
}

/* No position that the kernel gave is beyond the head: such a head is not ours. */
static bool ahead_of_the_head(void)
{
	START(4096);
	struct ringbuf_reader *late;

	put_many(f, 2);
	late = host_reader(f, 2 * 128, 2);
	feed_head_rw(f)->head -= 128;
	CHECK_EQ(-EBADMSG, ringbuf_next(late, &e));
	feed_head_rw(f)->head += 128;
	CHECK_EQ(0, ringbuf_next(late, &e));
	put_many(f, 1);
	CHECK_EQ(1, ringbuf_read(late, &e));
	CHECK(host_record(&e, 2, W1));
	host_close(late);
	END();
}

/* A kernel that has the reader elsewhere than the page let it come. */
static bool refused(void)
{
	START(4096);
	int i;

	put_many(f, 20);
	for (i = 0; i < 16; i++)
		CHECK_EQ(1, ringbuf_read(r, &e));
	host_pos += 4096;
	CHECK_EQ(-EBADMSG, ringbuf_next(r, &e));
	host_pos -= 4096;
	CHECK_EQ(1, ringbuf_next(r, &e));
	CHECK(host_record(&e, 16, W1));
	END();
}

DEFINE_RINGBUF_TYPED_ID(word, uint64_t, 1);

static bool typed(void)
{
	START(4096);
	uint64_t got = 0;

	feed_put(f, 1);
	feed_put(f, 2);
	feed_put(f, 1);
	CHECK_EQ(1, word_next(r, &got));
	CHECK_EQ(feed_word(0, 0), got);
	CHECK_EQ(-EPROTO, word_next(r, &got));
	CHECK_EQ(1, word_next(r, &got));
	CHECK_EQ(feed_word(2, 0), got);
	CHECK_EQ(0, word_next(r, &got));
	(void)e;
	END();
}

static bool for_each_ends(void)
{
	START(65536);
	int n = 0;

	put_many(f, 100);
	ringbuf_for_each(r, &e) {
		CHECK(host_record(&e, n, W1));
		n++;
	}
	CHECK_EQ(100, n);
	END();
}

static bool errors_and_errno(void)
{
	struct ringbuf_reader *r = (void *)-1L;
	struct ringbuf_publisher *p = (void *)-1L;

	CHECK_EQ(-ENOENT, ringbuf_reader_open(&r, "none", 0));
	CHECK(!r);
	CHECK_EQ(-ENOENT, ringbuf_publisher_open(&p, "none", 0));
	CHECK(!p);
	r = (void *)-1L;
	p = (void *)-1L;
	CHECK_EQ(-EINVAL, ringbuf_reader_fdopen(&r, 0, ~0U));
	CHECK(!r);
	CHECK_EQ(-EINVAL, ringbuf_publisher_fdopen(&p, 0, 1));
	CHECK(!p);
	ringbuf_reader_close(NULL);
	CHECK_EQ(0, ringbuf_publisher_close(NULL));
	return true;
}

/* So many polls end by a signal. */
static int signals;

int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	if (!signals)
		return __real_poll(fds, count, timeout);
	signals--;
	errno = EINTR;
	return -1;
}

/* What does not sleep has no EINTR, with a mark and at the end of the stream. */
static bool arm_and_signals(void)
{
	START(4096);

	whole(r)->flags |= RINGBUF_READER_EOF;
	signals = 3;
	CHECK_EQ(0, ringbuf_arm(r));
	CHECK_EQ(0, signals);
	whole(r)->flags = 0;
	whole(r)->marked = true;
	signals = 3;
	CHECK_EQ(0, ringbuf_arm(r));
	CHECK_EQ(0, signals);
	signals = 1;
	whole(r)->marked = false;
	CHECK_EQ(-EINTR, ringbuf_wait(r, 0));
	(void)e;
	END();
}

/* lib_told.c, lib_model.c, lib_bad.c and lib_frames.c */
bool lossy_tells_quarters(void);
bool reliable_tells_sixteenths(void);
bool reliable_and_slow(void);
bool reliable_and_room(void);
bool reliable_from_here(void);
bool reliable_ahead_of_the_tail(void);
bool lossy_ahead_of_the_tail(void);
bool model_run(void);
bool model_wrap_32(void);
bool model_wrap_63(void);
bool model_wrap_64(void);
bool bad_attach(void);
bool bad_heads(void);
bool bad_lengths(void);
bool bad_seqs(void);
bool bad_then_good(void);
bool fuzz_still(void);
bool fuzz_moving(void);
bool stream_losses(void);
bool stream_partial(void);
bool fuzz_stream(void);

int main(void)
{
	static const struct host_test tests[] = {
#define T(name) { #name, name }
		T(empty), T(same_until_released), T(wraps), T(overrun_counts),
		T(overrun_before_release), T(arm_before_release),
		T(release_nothing), T(gaps), T(copies_stay), T(largest),
		T(typed), T(for_each_ends), T(errors_and_errno),
		T(lossy_tells_quarters), T(reliable_tells_sixteenths),
		T(reliable_and_slow), T(reliable_and_room),
		T(sets_what_it_names),
		T(reliable_from_here), T(reliable_ahead_of_the_tail),
		T(lossy_ahead_of_the_tail),
		T(ahead_of_the_head), T(refused), T(dead),
		T(arm_and_signals),
		T(model_run), T(model_wrap_32), T(model_wrap_63),
		T(model_wrap_64), T(bad_attach), T(bad_heads), T(bad_lengths),
		T(bad_seqs), T(bad_then_good), T(fuzz_still), T(fuzz_moving),
		T(stream_losses), T(stream_partial), T(fuzz_stream),
	};

	return host_run(tests, sizeof(tests) / sizeof(tests[0]));
}
