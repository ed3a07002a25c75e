// SPDX-License-Identifier: GPL-2.0
/*
 * The core against a naive model: an array of all records ever written, an
 * index of the oldest that is retained, and the same rules in plain words.
 */

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "core_test.h"

#define STEPS		1000000
#define CURSORS		4

struct model_record {
	u64 pos;
	u32 len;
	u16 type;
};

/* Records by index: seq - base.seq. */
struct model {
	struct kunit *test;
	struct test_ring *ring;
	struct model_record *records;
	struct ringbuf_mark base;
	u64 committed;
	u64 published;
	u64 tail;
	u64 random;
	struct {
		struct ringbuf_cursor cur;
		u64 next;
		u64 read;
		u64 lost;
	} cursors[CURSORS];
};

static u32 roll(struct model *m, u32 n)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return (m->random >> 32) % n;
}

static u64 pos_of(struct model *m, u64 index)
{
	return m->records[index].pos;
}

static u32 random_len(struct model *m)
{
	switch (roll(m, 16)) {
	case 0:
		return 1 + roll(m, m->ring->core.max_record);
	case 1:
		return m->ring->core.max_record - roll(m, 9);
	default:
		return 1 + roll(m, 100);
	}
}

/* What room for @bytes does to the oldest records. */
static void model_room(struct model *m, u64 bytes)
{
	struct ringbuf_core *core = &m->ring->core;
	u64 need = pos_of(m, m->committed) + bytes - core->size;

	if (!ringbuf_before(pos_of(m, m->tail), need))
		return;
	m->published = m->committed;
	/* To the next multiple of the stride. */
	need = (need + core->stride - 1) & ~(u64)(core->stride - 1);
	while (ringbuf_before(pos_of(m, m->tail), need))
		m->tail++;
}

static void model_add(struct model *m, u32 len, u16 type)
{
	struct model_record *rec = &m->records[m->committed];

	rec->len = len;
	rec->type = type;
	rec[1].pos = rec->pos + RINGBUF_FRAME_SIZE(len);
	m->committed++;
}

static void step_write(struct model *m)
{
	u32 len = random_len(m);
	u16 type = roll(m, 65536);

	model_room(m, RINGBUF_FRAME_SIZE(len));
	KUNIT_ASSERT_TRUE(m->test, test_commit(m->ring, len, type));
	model_add(m, len, type);
	if (roll(m, 4)) {
		ringbuf_core_publish(&m->ring->core);
		m->published = m->committed;
	}
}

/* A run of up to three frames, of which the last may be cut off. */
static void step_run(struct model *m)
{
	u64 size = m->ring->core.size / 4;
	u32 used = 0, n = 1 + roll(m, 3), cut = roll(m, 2) ? 0 : roll(m, 200);
	struct ringbuf_record *rec;
	void *room;

	model_room(m, size);
	room = ringbuf_core_reserve_run(&m->ring->core, size);
	for (; n; n--) {
		rec = room + used;
		rec->len = 1 + roll(m, 100);
		rec->type = roll(m, 65536);
		rec->flags = 0;
		if (n == 1 && cut && cut < RINGBUF_FRAME_SIZE(rec->len)) {
			size = used + cut;
			break;
		}
		test_fill(rec + 1, rec->len, m->base.seq + m->committed);
		used += RINGBUF_FRAME_SIZE(rec->len);
		size = used;
		model_add(m, rec->len, rec->type);
	}
	KUNIT_ASSERT_EQ(m->test, ringbuf_core_commit_run(&m->ring->core, size,
							 1), used);
	ringbuf_core_publish(&m->ring->core);
	m->published = m->committed;
}

static void step_discard(struct model *m)
{
	u32 len = random_len(m);
	void *payload;

	model_room(m, RINGBUF_FRAME_SIZE(len));
	payload = ringbuf_core_reserve(&m->ring->core, len, 0);
	KUNIT_ASSERT_NOT_NULL(m->test, payload);
	memset(payload, 0xdb, len);
	ringbuf_core_discard(&m->ring->core);
}

/* Look, and check what is there; account a loss. False: nothing there. */
static bool step_look(struct model *m, unsigned int i, struct ringbuf_view *v)
{
	struct ringbuf_cursor *cur = &m->cursors[i].cur;
	u64 next = max(m->cursors[i].next, m->tail);
	u64 lost = next - m->cursors[i].next;
	bool found = ringbuf_core_peek(&m->ring->core, &cur->at, v);

	KUNIT_ASSERT_EQ(m->test, found, next < m->published);
	if (!found)
		return false;
	KUNIT_ASSERT_EQ(m->test, v->at.pos, pos_of(m, next));
	KUNIT_ASSERT_EQ(m->test, v->at.seq, m->base.seq + next);
	KUNIT_ASSERT_EQ(m->test, v->lost_records, lost);
	KUNIT_ASSERT_EQ(m->test, v->lost_bytes,
			pos_of(m, next) - pos_of(m, m->cursors[i].next));
	if (lost)
		ringbuf_cursor_lose(cur, v);
	m->cursors[i].lost += lost;
	m->cursors[i].next = next;
	return true;
}

static void check_frame(struct model *m, const void *frame, u64 index)
{
	const struct ringbuf_record *rec = frame;

	KUNIT_ASSERT_EQ(m->test, rec->seq, m->base.seq + index);
	KUNIT_ASSERT_EQ(m->test, rec->len, m->records[index].len);
	KUNIT_ASSERT_EQ(m->test, rec->type, m->records[index].type);
	KUNIT_ASSERT_TRUE(m->test, test_matches(rec + 1, rec->len, rec->seq));
}

static void step_read(struct model *m, unsigned int i, u64 limit)
{
	struct ringbuf_view v;
	u64 span, n, bytes = 0;
	u64 *next = &m->cursors[i].next;

	if (!step_look(m, i, &v))
		return;
	span = ringbuf_core_span(&m->ring->core, &v, limit, &n);
	if (!span)
		KUNIT_ASSERT_GT(m->test,
				RINGBUF_FRAME_SIZE(m->records[*next].len),
				limit);
	ringbuf_cursor_take(&m->cursors[i].cur, span, n);
	for (; n; n--, ++*next) {
		check_frame(m, v.frame + bytes, *next);
		bytes += RINGBUF_FRAME_SIZE(m->records[*next].len);
		m->cursors[i].read++;
	}
	KUNIT_ASSERT_EQ(m->test, bytes, span);
	/* As many as fit. */
	if (*next < m->published)
		KUNIT_ASSERT_GT(m->test, span +
				RINGBUF_FRAME_SIZE(m->records[*next].len),
				limit);
}

/* Seqs from @a to @b that are not among those from @c to @d. */
static u64 model_without(u64 a, u64 b, u64 c, u64 d)
{
	u64 n = 0;

	for (; a < b; a++)
		n += a < c || a >= d;
	return n;
}

/* No further than the record, and no less than the stride before allows. */
static void step_skip(struct model *m, struct ringbuf_mark *at, u64 seq)
{
	struct ringbuf_core *core = &m->ring->core;
	const u64 wanted = pos_of(m, seq - m->base.seq);
	const struct ringbuf_mark from = *at;

	ringbuf_core_skip(core, at, at->pos + RINGBUF_FAR, seq);
	KUNIT_ASSERT_EQ(m->test, at->pos, pos_of(m, at->seq - m->base.seq));
	KUNIT_ASSERT_TRUE(m->test, !ringbuf_before(at->pos, from.pos));
	KUNIT_ASSERT_TRUE(m->test, at->pos == from.pos ||
			  !ringbuf_before(wanted, at->pos));
	KUNIT_ASSERT_TRUE(m->test, ringbuf_before(wanted - at->pos, core->stride +
						  ringbuf_frame_size(core->max_record)) ||
			  at->pos == from.pos);
}

static void step_seek(struct model *m, unsigned int i)
{
	struct ringbuf_cursor *cur = &m->cursors[i].cur;
	u64 back = min_t(u64, roll(m, 400), m->published);
	u64 index = m->published - back;
	u64 seq = m->base.seq + index;
	u64 from = m->cursors[i].next;
	u64 settled = max(from, m->tail);
	u64 found = max(index, m->tail);
	struct ringbuf_mark at;
	int ret;

	ringbuf_cursor_settle(cur, &m->ring->core);
	at = cur->at;
	if (ringbuf_before(seq, at.seq))
		ringbuf_core_tail(&m->ring->core, &at);
	/* By way of a milestone, or from record to record. */
	if (roll(m, 2))
		step_skip(m, &at, seq);
	do {
		ret = ringbuf_core_seek(&m->ring->core, &at, seq, 1 + roll(m, 50));
	} while (ret == -EAGAIN);
	KUNIT_ASSERT_EQ(m->test, ret, 0);
	KUNIT_ASSERT_EQ(m->test, at.seq, m->base.seq + found);
	KUNIT_ASSERT_EQ(m->test, at.pos, pos_of(m, found));
	ringbuf_cursor_move(cur, &at, seq, m->base.seq + from);
	m->cursors[i].next = found;
	m->cursors[i].lost += settled - from +
			      model_without(index, found, from, settled);
	at = cur->at;
	KUNIT_ASSERT_EQ(m->test, ringbuf_core_seek(&m->ring->core, &at,
						   m->base.seq + m->published + 1,
						   1), -EINVAL);
}

/* ADVANCE: to a record that was read, or not, or to the head. */
static void step_walk(struct model *m, unsigned int i)
{
	struct ringbuf_cursor *cur = &m->cursors[i].cur;
	u64 from = m->cursors[i].next;
	u64 to = from + roll(m, m->published - from + 1);
	u64 settled = max(from, m->tail);
	int ret;

	do {
		ret = ringbuf_cursor_walk(cur, &m->ring->core, pos_of(m, to),
					  1 + roll(m, 50));
	} while (ret == -EAGAIN);
	KUNIT_ASSERT_EQ(m->test, ret, 0);
	to = max(to, settled);
	m->cursors[i].next = to;
	m->cursors[i].lost += settled - from;
	m->cursors[i].read += to - settled;
	test_expect_mark(m->test, cur->at, pos_of(m, to), m->base.seq + to);
	KUNIT_ASSERT_EQ(m->test, cur->read_records, m->cursors[i].read);
	KUNIT_ASSERT_EQ(m->test, cur->lost_records, m->cursors[i].lost);
}

static void step_check(struct model *m, unsigned int i)
{
	struct ringbuf_core *core = &m->ring->core;
	u64 next = m->cursors[i].next;
	u64 from = max(next, m->tail);
	struct ringbuf_mark head, tail;
	struct ringbuf_stats stats;

	ringbuf_core_head(core, &head);
	ringbuf_core_tail(core, &tail);
	KUNIT_ASSERT_EQ(m->test, head.pos, pos_of(m, m->published));
	KUNIT_ASSERT_EQ(m->test, head.seq, m->base.seq + m->published);
	KUNIT_ASSERT_EQ(m->test, tail.pos, pos_of(m, m->tail));
	KUNIT_ASSERT_EQ(m->test, tail.seq, m->base.seq + m->tail);
	KUNIT_ASSERT_EQ(m->test, test_overwritten(m->test), m->tail);

	ringbuf_cursor_stats(&m->cursors[i].cur, core, &stats);
	KUNIT_ASSERT_EQ(m->test, stats.read_records, m->cursors[i].read);
	KUNIT_ASSERT_EQ(m->test, stats.lost_records,
			m->cursors[i].lost + from - next);
	KUNIT_ASSERT_EQ(m->test, stats.lag_records, m->published - from);
	KUNIT_ASSERT_EQ(m->test, stats.lag_bytes, head.pos - pos_of(m, from));
	KUNIT_ASSERT_EQ(m->test, !!(stats.flags & RINGBUF_STATS_OVERRUN),
			next < m->tail);
}

static void step(struct model *m)
{
	unsigned int i = roll(m, CURSORS);

	switch (roll(m, 16)) {
	case 0:
		return step_discard(m);
	case 1:
		return step_check(m, i);
	case 2:
		/* The others never seek: their counts have to add up. */
		return step_seek(m, 0);
	case 3:
		return step_run(m);
	case 4:
		return roll(m, 1 + i * i) ? step_write(m) : step_walk(m, i);
	case 5:
		/* The higher the number, the rarer it reads. */
		return roll(m, 1 + i * i) ? step_write(m) :
					    step_read(m, i, roll(m, 5000));
	case 6:
	case 7:
		return step_read(m, i % 2, U64_MAX);
	default:
		return step_write(m);
	}
}

static void run_model(struct kunit *test, u64 pos, u64 seq, int steps)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct model_record *records;
	int i;

	records = kvmalloc_array(3 * (u64)steps + 1, sizeof(*records), GFP_KERNEL);
	if (!m || !records) {
		kvfree(records);
		KUNIT_FAIL(test, "no memory");
		return;
	}
	m->test = test;
	m->ring = test->priv;
	m->records = records;
	m->records[0].pos = pos;
	m->base = (struct ringbuf_mark){ .pos = pos, .seq = seq };
	m->random = 0x9E3779B97F4A7C15ULL + seq;
	test_ring_start(m->ring, pos, seq);
	for (i = 0; i < CURSORS; i++)
		ringbuf_cursor_init(&m->cursors[i].cur, &m->ring->core);

	for (i = 0; i < steps; i++) {
		step(m);
		if (!(i % 1024))
			cond_resched();
	}
	for (i = 1; i < CURSORS; i++) {
		step_read(m, i, U64_MAX);
		KUNIT_EXPECT_EQ(test, m->cursors[i].cur.read_records +
				m->cursors[i].cur.lost_records, m->published);
		KUNIT_EXPECT_EQ(test, m->cursors[i].cur.read_bytes +
				m->cursors[i].cur.lost_bytes,
				pos_of(m, m->published) - pos);
	}
	/* A run that lost nothing, or all, would have tested little. */
	KUNIT_EXPECT_GT(test, m->tail, 1000ULL);
	KUNIT_EXPECT_GT(test, m->cursors[CURSORS - 1].lost, 1000ULL);
	KUNIT_EXPECT_GT(test, m->cursors[CURSORS - 1].read, 1000ULL);
	kvfree(records);
}

static void model_from_zero(struct kunit *test)
{
	run_model(test, 0, 0, STEPS);
}

static void model_across_32_bits(struct kunit *test)
{
	run_model(test, (1ULL << 32) - 80000, (1ULL << 32) - 1000, STEPS / 10);
}

static void model_across_63_bits(struct kunit *test)
{
	run_model(test, (1ULL << 63) - 80000, (1ULL << 63) - 1000, STEPS / 10);
}

static struct kunit_case model_cases[] = {
	KUNIT_CASE_SLOW(model_from_zero),
	KUNIT_CASE(model_across_32_bits),
	KUNIT_CASE(model_across_63_bits),
	{}
};

static struct kunit_suite model_suite = {
	.name = "ringbuf_model",
	.init = test_ring_init,
	.exit = test_ring_exit,
	.test_cases = model_cases,
};

kunit_test_suite(model_suite);
