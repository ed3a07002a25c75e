// SPDX-License-Identifier: GPL-2.0
/*
 * A mapped reader that is written from the steps 1 to 5 of struct ringbuf_page alone,
 * and seeks to the end each time, against a writer at full speed. Where a call says
 * that the cursor is, the next record will be, or is: never one of a turn before.
 */
#include "ringbuf_test.h"
#include "map.h"

#define F(len)	RINGBUF_FRAME_SIZE(len)

/* Says its seq twice, so that one that is half overwritten shows. */
struct payload {
	uint64_t seq;
	uint64_t inverse;
};

FIXTURE(ring) {
	struct rb_pair p;
	struct rb_map m;
	pthread_t writer;
};

static atomic_long stop;
static const char *writer_error;

static void *write_main(void *arg)
{
	struct payload p = { 0 };

	for (; !atomic_load(&stop); p.seq++) {
		p.inverse = ~p.seq;
		if (write((long)arg, &p, sizeof(p)) != sizeof(p)) {
			writer_error = "no write";
			break;
		}
	}
	return NULL;
}

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=65536"));
	ASSERT_EQ(0, rb_map_fd(&self->m, self->p.r));
	ASSERT_EQ(0, pthread_create(&self->writer, NULL, write_main,
				    (void *)(long)self->p.w));
	/* From the second turn on there is something stale to be found. */
	while (rb_map_head(&self->m) < 4 * 65536)
		usleep(1000);
}

FIXTURE_TEARDOWN(ring)
{
	atomic_store(&stop, 1);
	EXPECT_EQ(0, rb_join(self->writer, "writer"));
	EXPECT_STREQ("ok", writer_error ? writer_error : "ok");
	rb_unmap(&self->m);
	rb_pair_close(&self->p);
}

enum { EMPTY, RECORD, VOID, WRONG };

/* What is at @pos, which the tail may have passed; @seq is what is to be there. */
static int look(const struct rb_map *m, uint64_t pos, uint64_t seq,
		const char **why)
{
	uint64_t tail = rb_map_tail(m), head = rb_map_head(m);	/* 1 */
	const volatile struct ringbuf_record *rec;
	const volatile struct payload *p;
	uint64_t at_seq, said, inverse;
	bool overrun = false;
	uint32_t len;

	*why = "the tail is beyond the head";
	if ((int64_t)(head - tail) < 0)
		return WRONG;
	*why = "the cursor is beyond the head";
	if ((int64_t)(head - pos) < 0)
		return WRONG;
	if ((int64_t)(pos - tail) < 0) {			/* 2 */
		pos = tail;
		overrun = true;
	}
	if (pos == head)					/* 3 */
		return EMPTY;
	rec = (const volatile void *)rb_map_at(m, pos);		/* 4 */
	p = (const volatile void *)(rec + 1);
	len = rec->len;
	at_seq = rec->seq;
	said = p->seq;
	inverse = p->inverse;
	if (!rb_map_intact(m, pos))				/* 5 */
		return VOID;
	*why = "a record of another length";
	if (len != sizeof(*p) || pos + F(len) > head)
		return WRONG;
	*why = "a record that is torn";
	if (said != at_seq || inverse != ~said)
		return WRONG;
	*why = "another record than the one at the cursor";
	if (overrun ? (int64_t)(at_seq - seq) <= 0 : at_seq != seq)
		return WRONG;
	return RECORD;
}

TEST_F_TIMEOUT(ring, a_reader_at_the_end_sees_no_stale_record, 600)
{
	long rounds = rb_quick() ? 50000 : 2000000, n, found[4] = { 0 };
	const char *why = NULL;
	struct ringbuf_stats s;
	int r = self->p.r;

	for (n = 0; n < rounds; n++) {
		ASSERT_LE(0, lseek(r, -(n % 3), SEEK_END));
		ASSERT_EQ(0, rb_stats(r, &s));
		found[look(&self->m, s.pos, s.seq, &why)]++;
		ASSERT_EQ(0, found[WRONG]) TH_LOG("round %ld: %s", n, why);
	}
	EXPECT_LT(0, found[RECORD]);
	TH_LOG("%ld records, %ld times none, %ld overwritten", found[RECORD],
	       found[EMPTY], found[VOID]);
}

TEST_F_TIMEOUT(ring, advancing_to_where_the_cursor_is_always_succeeds, 600)
{
	long rounds = rb_quick() ? 50000 : 200000, n;
	struct ringbuf_stats s;
	int r = self->p.r;

	for (n = 0; n < rounds; n++) {
		if (n % 4 == 0)
			ASSERT_LE(0, lseek(r, 0, SEEK_END));
		ASSERT_EQ(0, rb_stats(r, &s));
		ASSERT_EQ(0, rb_advance(r, s.pos)) TH_LOG("round %ld", n);
	}
}

/* And so does advancing to the head that the reader sees. */
TEST_F_TIMEOUT(ring, advancing_to_the_head_always_succeeds, 600)
{
	long rounds = rb_quick() ? 20000 : 100000, n;
	int r = self->p.r;

	for (n = 0; n < rounds; n++)
		ASSERT_EQ(0, rb_advance(r, rb_map_head(&self->m)))
			TH_LOG("round %ld", n);
}

/* No position that a call returns is beyond the head that is seen afterwards. */
TEST_F_TIMEOUT(ring, no_call_is_ahead_of_the_map, 600)
{
	long rounds = rb_quick() ? 20000 : 100000, n;
	struct ringbuf_stats s;
	struct ringbuf_info i;
	int r = self->p.r;

	for (n = 0; n < rounds; n++) {
		ASSERT_EQ(0, rb_info(r, &i));
		ASSERT_LE(i.head, rb_map_head(&self->m));
		ASSERT_LE(i.tail, rb_map_tail(&self->m));
		ASSERT_LE(i.tail, i.head);
		ASSERT_EQ(i.head, i.head_seq * F(sizeof(struct payload)));
		ASSERT_EQ(i.tail, i.tail_seq * F(sizeof(struct payload)));
		ASSERT_EQ(0, rb_stats(r, &s));
		ASSERT_LE(s.pos + s.lag_bytes, rb_map_head(&self->m));
	}
}

TEST_HARNESS_MAIN
