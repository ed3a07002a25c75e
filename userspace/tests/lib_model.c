// SPDX-License-Identifier: GPL-2.0
/*
 * A mapped reader against a list of all records: what it sees and what it counts
 * has to be exact after each step, whatever the steps.
 */
#include "lib_host.h"

#define MAX_RECORDS	60000
#define STEPS		50000

static struct {
	uint64_t seq;
	uint64_t pos;
	uint32_t words;
} list[MAX_RECORDS];

struct model {
	struct feed *f;
	struct ringbuf_reader *r;
	struct ringbuf_info start;
	int count;		/* records in the list */
	int next;		/* the first that was neither read nor lost */
	uint64_t pos, seq;	/* after the last one read */
	uint64_t read, read_bytes;
	bool shown;
};

static bool put(struct model *m, int n)
{
	struct ringbuf_info info;

	while (n-- && m->count < MAX_RECORDS) {
		feed_info(m->f, &info);
		list[m->count].seq = info.head_seq;
		list[m->count].pos = info.head;
		list[m->count].words = 1 + host_random() %
			(host_random() % 8 ? 16 : info.max_record / 8);
		feed_put(m->f, list[m->count].words);
		m->count++;
	}
	return true;
}

/* The oldest record that can be had; the loss up to there. */
static int oldest(struct model *m, uint64_t *lost, uint64_t *lost_bytes)
{
	struct ringbuf_info info;
	int i = m->next;

	feed_info(m->f, &info);
	while (i < m->count && (int64_t)(list[i].pos - info.tail) < 0)
		i++;
	if (i < m->count) {
		*lost = list[i].seq - m->seq;
		*lost_bytes = list[i].pos - m->pos;
	}
	return i;
}

static bool look(struct model *m, bool copy)
{
	uint64_t lost = 0, lost_bytes = 0;
	struct ringbuf_entry e;
	int i = oldest(m, &lost, &lost_bytes);
	int ret = copy ? ringbuf_read(m->r, &e) : ringbuf_next(m->r, &e);

	CHECK_EQ(i < m->count, ret);
	m->shown = false;
	if (!ret)
		return true;
	CHECK(host_record(&e, list[i].seq, list[i].words));
	CHECK_EQ(lost, e.lost);
	CHECK_EQ(lost_bytes, e.lost_bytes);
	m->next = i;
	m->shown = !copy;
	return true;
}

static void took(struct model *m)
{
	uint64_t frame = RINGBUF_FRAME_SIZE(list[m->next].words * 8);

	m->read++;
	m->read_bytes += frame;
	m->pos = list[m->next].pos + frame;
	m->seq = list[m->next].seq + 1;
	m->next++;
	m->shown = false;
}

static bool release(struct model *m)
{
	struct ringbuf_info info;
	bool good;

	feed_info(m->f, &info);
	good = m->shown && (int64_t)(list[m->next].pos - info.tail) >= 0;
	CHECK_EQ(good, ringbuf_release(m->r));
	if (good)
		took(m);
	m->shown = false;
	return true;
}

static bool account(struct model *m)
{
	struct ringbuf_info info;
	struct ringbuf_stats s;
	uint64_t lost, bytes;

	feed_info(m->f, &info);
	CHECK_EQ(0, ringbuf_reader_stats(m->r, &s));
	CHECK_EQ(m->pos, s.pos);
	CHECK_EQ(m->seq, s.seq);
	CHECK_EQ(m->read, s.read_records);
	CHECK_EQ(m->read_bytes, s.read_bytes);
	/* All that went by, and was not read. */
	lost = m->seq - m->start.head_seq - m->read;
	bytes = m->pos - m->start.head - m->read_bytes;
	CHECK_EQ((int64_t)(m->pos - info.tail) < 0,
		 s.flags == RINGBUF_STATS_OVERRUN);
	if (s.flags) {
		lost += info.tail_seq - m->seq;
		bytes += info.tail - m->pos;
	}
	CHECK_EQ(lost, s.lost_records);
	CHECK_EQ(bytes, s.lost_bytes);
	CHECK_EQ(info.head_seq - m->start.head_seq,
		 s.read_records + s.lost_records + s.lag_records);
	CHECK_EQ(info.head - m->start.head,
		 s.read_bytes + s.lost_bytes + s.lag_bytes);
	return true;
}

static bool step(struct model *m)
{
	int dice = host_random() % 64;

	if (dice < 8)
		return put(m, host_random() % 4);
	if (dice == 8)
		return put(m, host_random() % 80);
	if (dice == 9)
		feed_gap(m->f, host_random() % 5);
	else if (dice == 10)
		CHECK_EQ(m->shown || m->next < m->count, ringbuf_arm(m->r));
	else if (dice < 36)
		return look(m, false);
	else if (dice < 54)
		return release(m);
	if (!look(m, true))
		return false;
	if (m->next < m->count)
		took(m);
	return true;
}

static bool run(uint64_t size, uint64_t pos, uint64_t seq)
{
	struct model m = { .f = feed_new(size, pos, seq) };
	int i;

	m.r = host_reader(m.f, pos, seq);
	feed_info(m.f, &m.start);
	m.pos = pos;
	m.seq = seq;
	for (i = 0; i < STEPS; i++) {
		if (!step(&m) || !account(&m)) {
			printf("# step %d, ring of %llu at %#llx\n", i,
			       (unsigned long long)size,
			       (unsigned long long)pos);
			return false;
		}
	}
	CHECK(m.read > 1000 && m.seq - seq - m.read > 1000);
	host_close(m.r);
	feed_free(m.f);
	return true;
}

static bool model_at(uint64_t pos, uint64_t seq)
{
	return run(4096, pos, seq) && run(16384, pos, seq);
}

bool model_run(void)
{
	return model_at(0, 0);
}

bool model_wrap_32(void)
{
	return model_at((1ULL << 32) - 1024, (1ULL << 32) - 20);
}

bool model_wrap_63(void)
{
	return model_at((1ULL << 63) - 1024, (1ULL << 63) - 20);
}

bool model_wrap_64(void)
{
	return model_at(-1024ULL, -20ULL);
}
