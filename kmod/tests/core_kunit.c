// SPDX-License-Identifier: GPL-2.0
/*
 * The core, one thing at a time. Runs in the kernel and, by the shims of
 * selftests/native, in userspace.
 */

#include <linux/slab.h>
#include <linux/string.h>
#include "core_test.h"

#define RING_SIZE	4096ULL

void test_ring_start(struct test_ring *ring, u64 pos, u64 seq)
{
	const struct ringbuf_mark start = { .pos = pos, .seq = seq };

	memset(ring->page, 0, TEST_PAGE_SIZE);
	ringbuf_core_init(&ring->core, ring->page, ring->head_page, ring->data,
			  ring->size, &start);
}

int test_ring_init(struct kunit *test)
{
	struct test_ring *ring = kunit_kzalloc(test, sizeof(*ring), GFP_KERNEL);
	int ret;

	if (!ring)
		return -ENOMEM;
	test->priv = ring;
	ret = test_storage_alloc(ring, RING_SIZE);
	if (!ret)
		test_ring_start(ring, 0, 0);
	return ret;
}

void test_ring_exit(struct kunit *test)
{
	if (test->priv)
		test_storage_free(test->priv);
}

bool test_commit(struct test_ring *ring, u32 len, u16 type)
{
	u64 seq = ring->core.head_seq;
	void *payload = ringbuf_core_reserve(&ring->core, len, type);

	if (!payload)
		return false;
	test_fill(payload, len, seq);
	ringbuf_core_commit(&ring->core, seq + 1);
	return true;
}

bool test_write(struct test_ring *ring, u32 len, u16 type)
{
	if (!test_commit(ring, len, type))
		return false;
	ringbuf_core_publish(&ring->core);
	return true;
}

/* Read one record and check all that it is supposed to be. */
void test_expect_record(struct kunit *test, struct ringbuf_cursor *cur, u64 seq,
			u32 len, u16 type)
{
	struct test_ring *ring = test->priv;
	const struct ringbuf_record *rec;
	struct ringbuf_view v;
	const u8 *frame;
	u64 i;

	KUNIT_ASSERT_TRUE(test, ringbuf_core_peek(&ring->core, &cur->at, &v));
	KUNIT_EXPECT_EQ(test, v.lost_records, 0ULL);
	KUNIT_EXPECT_EQ(test, v.lost_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, v.at.seq, seq);
	KUNIT_ASSERT_EQ(test, v.len, len);
	rec = v.frame;
	KUNIT_EXPECT_EQ(test, rec->seq, seq);
	KUNIT_EXPECT_EQ(test, rec->time_ns, seq + 1);
	KUNIT_EXPECT_EQ(test, rec->type, type);
	KUNIT_EXPECT_EQ(test, rec->flags, 0);
	KUNIT_EXPECT_EQ(test, rec->len, len);
	frame = v.frame;
	KUNIT_EXPECT_TRUE(test, test_matches(rec + 1, len, seq));
	for (i = sizeof(*rec) + len; i < RINGBUF_FRAME_SIZE(len); i++)
		KUNIT_EXPECT_EQ(test, frame[i], 0);
	KUNIT_EXPECT_TRUE(test, ringbuf_core_intact(&ring->core, v.at.pos));
	ringbuf_cursor_take(cur, RINGBUF_FRAME_SIZE(len), 1);
}

static void expect_empty(struct kunit *test, struct ringbuf_cursor *cur)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_view v;

	KUNIT_EXPECT_FALSE(test, ringbuf_core_peek(&ring->core, &cur->at, &v));
	KUNIT_EXPECT_FALSE(test, ringbuf_core_ready(&ring->core, cur->at.pos));
}

void test_expect_mark(struct kunit *test, struct ringbuf_mark m, u64 pos,
		      u64 seq)
{
	KUNIT_EXPECT_EQ(test, m.pos, pos);
	KUNIT_EXPECT_EQ(test, m.seq, seq);
}

u64 test_overwritten(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_mark tail;
	u64 records;

	ringbuf_core_tail(&ring->core, &tail);
	KUNIT_EXPECT_TRUE(test, ringbuf_core_overwritten(&ring->core, &tail,
							 &records));
	return records;
}

static void empty_ring(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur;
	struct ringbuf_mark m;

	KUNIT_EXPECT_EQ(test, ring->page->magic, RINGBUF_PAGE_MAGIC);
	KUNIT_EXPECT_EQ(test, ring->page->abi, (u32)RINGBUF_ABI);
	KUNIT_EXPECT_EQ(test, ring->page->data_size, RING_SIZE);
	ringbuf_core_head(&ring->core, &m);
	test_expect_mark(test, m, 0, 0);
	ringbuf_core_tail(&ring->core, &m);
	test_expect_mark(test, m, 0, 0);
	ringbuf_cursor_init(&cur, &ring->core);
	test_expect_mark(test, cur.at, 0, 0);
	expect_empty(test, &cur);
	KUNIT_EXPECT_FALSE(test, ringbuf_core_overrun(&ring->core, 0));
	KUNIT_EXPECT_TRUE(test, ringbuf_core_intact(&ring->core, 0));
}

static void one_record(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur;
	struct ringbuf_mark m;

	ringbuf_cursor_init(&cur, &ring->core);
	KUNIT_ASSERT_TRUE(test, test_write(ring, 5, 7));
	KUNIT_EXPECT_TRUE(test, ringbuf_core_ready(&ring->core, cur.at.pos));
	test_expect_record(test, &cur, 0, 5, 7);
	expect_empty(test, &cur);
	test_expect_mark(test, cur.at, 32, 1);
	ringbuf_core_head(&ring->core, &m);
	test_expect_mark(test, m, 32, 1);
	KUNIT_EXPECT_EQ(test, cur.read_records, 1ULL);
	KUNIT_EXPECT_EQ(test, cur.read_bytes, 32ULL);
}

static void sizes(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	const u32 max = ring->core.max_record;
	struct ringbuf_cursor cur;

	KUNIT_EXPECT_EQ(test, RINGBUF_FRAME_SIZE(max), RING_SIZE / 4);
	KUNIT_EXPECT_NULL(test, ringbuf_core_reserve(&ring->core, 0, 0));
	KUNIT_EXPECT_NULL(test, ringbuf_core_reserve(&ring->core, max + 1, 0));
	KUNIT_EXPECT_NULL(test, ringbuf_core_reserve(&ring->core, U32_MAX, 0));
	KUNIT_EXPECT_NULL(test, ringbuf_core_reserve(&ring->core,
						     U32_MAX - 30, 0));
	ringbuf_cursor_init(&cur, &ring->core);
	KUNIT_ASSERT_TRUE(test, test_write(ring, 1, 0));
	KUNIT_ASSERT_TRUE(test, test_write(ring, max, U16_MAX));
	KUNIT_ASSERT_TRUE(test, test_write(ring, 1, 0));
	test_expect_record(test, &cur, 0, 1, 0);
	test_expect_record(test, &cur, 1, max, U16_MAX);
	test_expect_record(test, &cur, 2, 1, 0);
	expect_empty(test, &cur);
}

static void one_reservation_at_a_time(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	void *payload = ringbuf_core_reserve(&ring->core, 8, 1);

	KUNIT_ASSERT_NOT_NULL(test, payload);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)payload,
					   RINGBUF_ALIGN));
	KUNIT_EXPECT_NULL(test, ringbuf_core_reserve(&ring->core, 8, 1));
	ringbuf_core_discard(&ring->core);
	KUNIT_EXPECT_PTR_EQ(test, ringbuf_core_reserve(&ring->core, 8, 1),
			    payload);
}

static void discard_leaves_no_trace(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur;
	struct ringbuf_mark m;
	void *payload;

	ringbuf_cursor_init(&cur, &ring->core);
	payload = ringbuf_core_reserve(&ring->core, 100, 1);
	KUNIT_ASSERT_NOT_NULL(test, payload);
	memset(payload, 0xff, 100);
	ringbuf_core_discard(&ring->core);
	ringbuf_core_publish(&ring->core);
	expect_empty(test, &cur);
	ringbuf_core_head(&ring->core, &m);
	test_expect_mark(test, m, 0, 0);
	/* Its bytes do not show through the padding of the next one. */
	KUNIT_ASSERT_TRUE(test, test_write(ring, 33, 2));
	test_expect_record(test, &cur, 0, 33, 2);
}

static void unseen_until_published(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur;
	u64 i;

	ringbuf_cursor_init(&cur, &ring->core);
	for (i = 0; i < 5; i++) {
		KUNIT_ASSERT_TRUE(test, test_commit(ring, 8, i));
		expect_empty(test, &cur);
	}
	KUNIT_EXPECT_EQ(test, ringbuf_core_unpublished(&ring->core), 160ULL);
	ringbuf_core_publish(&ring->core);
	KUNIT_EXPECT_EQ(test, ringbuf_core_unpublished(&ring->core), 0ULL);
	for (i = 0; i < 5; i++)
		test_expect_record(test, &cur, i, 8, i);
	expect_empty(test, &cur);
}

/* More than a ring of records that nobody has published makes room all the same. */
static void unpublished_beyond_the_ring(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur;
	struct ringbuf_view v;
	u64 i;

	for (i = 0; i < 1000; i++)
		KUNIT_ASSERT_TRUE(test, test_commit(ring, 8, 0));
	ringbuf_core_publish(&ring->core);
	ringbuf_cursor_init(&cur, &ring->core);
	KUNIT_ASSERT_TRUE(test, ringbuf_core_peek(&ring->core, &cur.at, &v));
	KUNIT_EXPECT_EQ(test, v.at.pos, v.at.seq * 32);
	for (i = v.at.seq; i < 1000; i++)
		test_expect_record(test, &cur, i, 8, 0);
	expect_empty(test, &cur);
}

/* Records of odd sizes over some laps, from every possible place on. */
static void every_alignment(struct kunit *test)
{
	static const u32 lens[] = { 1, 8, 1000, 9, 16, 500, 7, 333, 64 };
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur;
	u64 start, i;
	u32 len;

	for (start = 0; start < RING_SIZE; start += RINGBUF_ALIGN) {
		test_ring_start(ring, start, start);
		ringbuf_cursor_init(&cur, &ring->core);
		for (i = 0; ring->core.head < start + 3 * RING_SIZE; i++) {
			len = lens[i % ARRAY_SIZE(lens)];
			KUNIT_ASSERT_TRUE(test, test_write(ring, len, i));
			test_expect_record(test, &cur, start + i, len, i);
		}
		expect_empty(test, &cur);
		KUNIT_EXPECT_EQ(test, cur.read_bytes, ring->core.head - start);
		KUNIT_EXPECT_EQ(test, cur.lost_records, 0ULL);
	}
}

/* Positions and seqs pass 2^32 and 2^63 and 2^64 unharmed. */
static void counters_cross(struct kunit *test)
{
	static const u64 edges[] = { 1ULL << 32, 1ULL << 63, 0 };
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur, slow;
	struct ringbuf_stats stats;
	u64 i, e;

	for (e = 0; e < ARRAY_SIZE(edges); e++) {
		test_ring_start(ring, edges[e] - 20 * 32, edges[e] - 10);
		ringbuf_cursor_init(&cur, &ring->core);
		slow = cur;
		for (i = 0; i < 400; i++) {
			KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 3));
			test_expect_record(test, &cur, edges[e] - 10 + i, 8, 3);
			expect_empty(test, &cur);
			ringbuf_cursor_stats(&slow, &ring->core, &stats);
			KUNIT_EXPECT_EQ(test, stats.lost_records +
					stats.lag_records, i + 1);
			KUNIT_EXPECT_EQ(test, stats.lost_bytes +
					stats.lag_bytes, (i + 1) * 32);
		}
		KUNIT_EXPECT_EQ(test, cur.lost_records, 0ULL);
	}
}

/* How much a ring keeps, and that it overwrites no earlier than it must. */
static void retention(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_mark tail;
	u64 i, kept;

	for (i = 0; i < RING_SIZE / 32; i++)
		KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	/* Full to the last byte. */
	ringbuf_core_tail(&ring->core, &tail);
	test_expect_mark(test, tail, 0, 0);
	KUNIT_EXPECT_EQ(test, test_overwritten(test), 0ULL);
	for (; i < 5000; i++) {
		KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
		ringbuf_core_tail(&ring->core, &tail);
		kept = ring->core.head - tail.pos;
		KUNIT_EXPECT_LE(test, kept, RING_SIZE);
		KUNIT_EXPECT_GE(test, kept, RING_SIZE - ring->core.stride);
		KUNIT_EXPECT_EQ(test, tail.pos, tail.seq * 32);
		KUNIT_EXPECT_EQ(test, test_overwritten(test), tail.seq);
		KUNIT_EXPECT_EQ(test, ring->page->tail_seq, tail.seq);
	}
}

/* There is a milestone for each stride of a ring. */
static void strides(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	const struct ringbuf_mark start = {};
	u64 size, stride;

	for (size = 4096; size <= 1UL << 30; size *= 2) {
		memset(ring->page, 0, TEST_PAGE_SIZE);
		ringbuf_core_init(&ring->core, ring->page, ring->head_page,
				  ring->data, size, &start);
		stride = ring->core.stride;
		KUNIT_EXPECT_EQ(test, stride & (stride - 1), 0ULL);
		KUNIT_EXPECT_LE(test, size, stride * RINGBUF_MILESTONES);
		KUNIT_EXPECT_GE(test, size, stride * 16);
	}
}

/* The slowest cursor loses exactly what the tail has passed. */
static void overrun(struct kunit *test, u64 extra)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur;
	struct ringbuf_stats stats;
	struct ringbuf_view v;
	u64 total, i;

	ringbuf_cursor_init(&cur, &ring->core);
	for (total = 0; total < RING_SIZE / 32; total++)
		KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	KUNIT_EXPECT_FALSE(test, ringbuf_core_overrun(&ring->core, cur.at.pos));
	for (i = 0; i < extra; i++, total++)
		KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	KUNIT_EXPECT_TRUE(test, ringbuf_core_overrun(&ring->core, cur.at.pos));
	KUNIT_EXPECT_FALSE(test, ringbuf_core_intact(&ring->core, cur.at.pos));

	ringbuf_cursor_stats(&cur, &ring->core, &stats);
	KUNIT_EXPECT_EQ(test, stats.flags, RINGBUF_STATS_OVERRUN);
	KUNIT_EXPECT_EQ(test, stats.pos, 0ULL);
	KUNIT_EXPECT_EQ(test, stats.lost_records, test_overwritten(test));
	KUNIT_EXPECT_EQ(test, stats.lost_bytes, ring->page->tail);

	KUNIT_ASSERT_TRUE(test, ringbuf_core_peek(&ring->core, &cur.at, &v));
	KUNIT_EXPECT_EQ(test, v.at.pos, ring->page->tail);
	KUNIT_EXPECT_GE(test, v.lost_records, extra);
	ringbuf_cursor_lose(&cur, &v);
	KUNIT_EXPECT_EQ(test, cur.lost_records, test_overwritten(test));
	KUNIT_EXPECT_EQ(test, cur.lost_bytes, cur.lost_records * 32);

	for (i = cur.at.seq; i < total; i++)
		test_expect_record(test, &cur, i, 8, 0);
	expect_empty(test, &cur);
	KUNIT_EXPECT_EQ(test, cur.lost_records + cur.read_records, total);
	KUNIT_EXPECT_EQ(test, cur.lost_bytes + cur.read_bytes, total * 32);
	ringbuf_cursor_stats(&cur, &ring->core, &stats);
	KUNIT_EXPECT_EQ(test, stats.flags, 0U);
	KUNIT_EXPECT_EQ(test, stats.lag_records, 0ULL);
}

static void overrun_by_one(struct kunit *test)
{
	overrun(test, 1);
}

static void overrun_by_many(struct kunit *test)
{
	overrun(test, 12345);
}

static void span_takes_whole_frames(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_mark at = {};
	struct ringbuf_view v;
	u64 i, limit, n, span;

	/* Frames of 32, 40, 48, … bytes: 32 + 8 i each. */
	for (i = 0; i < 10; i++)
		KUNIT_ASSERT_TRUE(test, test_write(ring, 8 + 8 * i, 0));
	KUNIT_ASSERT_TRUE(test, ringbuf_core_peek(&ring->core, &at, &v));
	for (limit = 0; limit < 1000; limit++) {
		u64 want = 0, count = 0;

		while (count < 10 && want + 32 + 8 * count <= limit)
			want += 32 + 8 * count++;
		span = ringbuf_core_span(&ring->core, &v, limit, &n);
		KUNIT_EXPECT_EQ(test, span, want);
		KUNIT_EXPECT_EQ(test, n, count);
	}
	/* Not past the head that the view has seen. */
	KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	span = ringbuf_core_span(&ring->core, &v, U64_MAX, &n);
	KUNIT_EXPECT_EQ(test, span, v.head);
	KUNIT_EXPECT_EQ(test, n, 10ULL);
}

static void span_survives_garbage(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_record *second;
	struct ringbuf_mark at = {};
	struct ringbuf_view v;
	u64 n;

	KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	KUNIT_ASSERT_TRUE(test, test_write(ring, 8, 0));
	KUNIT_ASSERT_TRUE(test, ringbuf_core_peek(&ring->core, &at, &v));
	second = ring->data + 32;
	second->len = U32_MAX;
	KUNIT_EXPECT_EQ(test, ringbuf_core_span(&ring->core, &v, 4096, &n),
			32ULL);
	second->len = 8;
	second->seq = 77;
	KUNIT_EXPECT_EQ(test, ringbuf_core_span(&ring->core, &v, 4096, &n),
			32ULL);
	KUNIT_EXPECT_EQ(test, n, 1ULL);
}

/* Frames as somebody else has put them together. */
static u32 put_frame(void *at, u32 len, u16 type, u16 flags, u64 seq)
{
	const struct ringbuf_record hdr = {
		.len = len, .type = type, .flags = flags,
		.seq = 0x5e45e4, .time_ns = 0x71e,
	};

	memset(at, 0xff, RINGBUF_FRAME_SIZE(len));
	memcpy(at, &hdr, sizeof(hdr));
	test_fill(at + sizeof(hdr), len, seq);
	return RINGBUF_FRAME_SIZE(len);
}

static void run_becomes_records(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_cursor cur;
	u32 i, len = 0;
	void *room;

	ringbuf_cursor_init(&cur, &ring->core);
	room = ringbuf_core_reserve_run(&ring->core, RING_SIZE / 4);
	for (i = 0; i < 5; i++)
		len += put_frame(room + len, 1 + 9 * i, i, 0, i);
	KUNIT_EXPECT_EQ(test, ringbuf_core_commit_run(&ring->core, len, 1), len);
	expect_empty(test, &cur);
	ringbuf_core_publish(&ring->core);
	for (i = 0; i < 5; i++) {
		struct ringbuf_record *rec = room;

		KUNIT_EXPECT_EQ(test, rec->time_ns, 1ULL);
		rec->time_ns = i + 1;
		room += RINGBUF_FRAME_SIZE(rec->len);
		test_expect_record(test, &cur, i, 1 + 9 * i, i);
	}
	expect_empty(test, &cur);
}

/* What a run's second frame has to be like to end it before that frame. */
static void run_ends_before_what_is_no_record(struct kunit *test)
{
	static const struct {
		u32 len;
		u16 flags;
		u32 cut;
	} bad[] = {
		{ 0, 0, 0 },
		{ 16, RINGBUF_RECORD_LOST, 0 },
		{ 8, 2, 0 },
		{ 8, 0, 1 },
		{ 8, 0, 9 },
		{ 8, 0, 31 },
		{ 1001, 0, 0 },
	};
	struct test_ring *ring = test->priv;
	struct ringbuf_record *second;
	u32 i, len;
	void *room;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		test_ring_start(ring, 0, 0);
		room = ringbuf_core_reserve_run(&ring->core, RING_SIZE / 4);
		len = put_frame(room, 8, 0, 0, 0);
		second = room + len;
		len += put_frame(second, min_t(u32, bad[i].len, 100), 0,
				 bad[i].flags, 1);
		second->len = bad[i].len;
		len -= bad[i].cut;
		KUNIT_EXPECT_EQ(test, ringbuf_core_commit_run(&ring->core, len,
							      0), 32U);
		KUNIT_EXPECT_EQ(test, ring->core.head, 32ULL);
		KUNIT_EXPECT_EQ(test, ring->core.head_seq, 1ULL);
		KUNIT_EXPECT_FALSE(test, ringbuf_core_open(&ring->core));
	}
}

static void run_of_huge_length(struct kunit *test)
{
	struct test_ring *ring = test->priv;
	struct ringbuf_record *rec;

	rec = ringbuf_core_reserve_run(&ring->core, RING_SIZE / 4);
	put_frame(rec, 8, 0, 0, 0);
	rec->len = U32_MAX;
	KUNIT_EXPECT_EQ(test, ringbuf_core_commit_run(&ring->core, 1024, 0), 0U);
	rec->len = U32_MAX - sizeof(*rec) - 6;
	KUNIT_EXPECT_EQ(test, ringbuf_core_commit_run(&ring->core, 1024, 0), 0U);
}

static struct kunit_case core_cases[] = {
	KUNIT_CASE(empty_ring),
	KUNIT_CASE(one_record),
	KUNIT_CASE(sizes),
	KUNIT_CASE(one_reservation_at_a_time),
	KUNIT_CASE(discard_leaves_no_trace),
	KUNIT_CASE(unseen_until_published),
	KUNIT_CASE(unpublished_beyond_the_ring),
	KUNIT_CASE(every_alignment),
	KUNIT_CASE(counters_cross),
	KUNIT_CASE(retention),
	KUNIT_CASE(strides),
	KUNIT_CASE(overrun_by_one),
	KUNIT_CASE(overrun_by_many),
	KUNIT_CASE(span_takes_whole_frames),
	KUNIT_CASE(span_survives_garbage),
	KUNIT_CASE(run_becomes_records),
	KUNIT_CASE(run_ends_before_what_is_no_record),
	KUNIT_CASE(run_of_huge_length),
	{}
};

static struct kunit_suite core_suite = {
	.name = "ringbuf_core",
	.init = test_ring_init,
	.exit = test_ring_exit,
	.test_cases = core_cases,
};

kunit_test_suite(core_suite);

MODULE_DESCRIPTION("KUnit tests of ringbuf");
MODULE_LICENSE("GPL");
