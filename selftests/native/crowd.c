// SPDX-License-Identifier: GPL-2.0
/*
 * Many consumers that become reliable, seek back, sleep too long, are demoted and
 * come back, against a writer that waits for them, and another thread that asks who
 * holds, as poll() does. Each record can tell whether it is intact, and each
 * account has to be exact.
 */

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include "core_test.h"

#define READERS		16
#define STALL_NS	2000000ULL
#ifdef __SANITIZE_THREAD__
#define RECORDS		100000
#else
#define RECORDS		500000
#endif

static struct test_ring ring;
static u64 total;
/* Where each record begins, by seq. */
static u64 *positions;
static bool finished;
static pthread_mutex_t holds_lock = PTHREAD_MUTEX_INITIALIZER;

/* There is no RCU: what was on the list is freed at the end. */
struct crowd_hold {
	struct ringbuf_hold hold;
	struct crowd_hold *next;
};

struct reader {
	struct ringbuf_cursor cursor;
	struct crowd_hold *hold;
	struct crowd_hold *gone;
	u64 random;
	u64 again_records;
	u64 again_bytes;
	u64 demoted;
	u64 joins;
	u64 backs;
	u64 errors;
	u64 copy[64];
	pthread_t thread;
};

static u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static u32 roll(struct reader *r, u32 n)
{
	r->random = r->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (r->random >> 33) % n;
}

static u64 word_of(u64 seq, u32 i)
{
	return (seq + 1) * 0x9E3779B97F4A7C15ULL + i * 0xD1B54A32D192ED03ULL;
}

static u32 words_of(u64 seq)
{
	return 1 + (word_of(seq, 7) >> 32) % 24;
}

static void join(struct reader *r)
{
	struct crowd_hold *hold = calloc(1, sizeof(*hold));

	if (!hold)
		abort();
	pthread_mutex_lock(&holds_lock);
	ringbuf_core_find_first(&ring.core);
	ringbuf_hold_join(&hold->hold, &ring.core, &r->cursor);
	pthread_mutex_unlock(&holds_lock);
	r->hold = hold;
	r->joins++;
}

static void leave(struct reader *r)
{
	pthread_mutex_lock(&holds_lock);
	ringbuf_hold_leave(&r->hold->hold, &ring.core);
	pthread_mutex_unlock(&holds_lock);
	r->hold->next = r->gone;
	r->gone = r->hold;
	r->hold = NULL;
}

/* Some records back, if they are there and the tail does not want to go there. */
static void go_back(struct reader *r)
{
	u64 n = roll(r, 20), seq = r->cursor.at.seq;
	struct ringbuf_mark to = r->cursor.at;
	bool moved;

	if (seq < n)
		return;
	ringbuf_core_tail(&ring.core, &to);
	if (to.seq > seq - n ||
	    ringbuf_core_seek(&ring.core, &to, seq - n, U32_MAX) ||
	    to.seq > seq)
		return;
	pthread_mutex_lock(&holds_lock);
	ringbuf_core_find_first(&ring.core);
	/* It may have been demoted in this moment. */
	moved = !r->hold->hold.demoted &&
		ringbuf_hold_back(&r->hold->hold, &ring.core, to.pos);
	pthread_mutex_unlock(&holds_lock);
	if (!moved)
		return;
	r->again_records += seq - to.seq;
	r->again_bytes += r->cursor.at.pos - to.pos;
	ringbuf_cursor_move(&r->cursor, &to, to.seq, seq);
	r->backs++;
}

static bool is_right(struct reader *r, u32 words, u64 seq)
{
	const struct ringbuf_record *rec = (const void *)r->copy;
	const u64 *payload = r->copy + sizeof(*rec) / 8;
	u32 i;

	if (rec->len != words * 8 || rec->type != words || rec->flags ||
	    rec->seq != seq || rec->time_ns != seq + 1 ||
	    words != words_of(seq))
		return false;
	for (i = 0; i < words; i++)
		if (payload[i] != word_of(seq, i))
			return false;
	return true;
}

static bool is_held(struct reader *r)
{
	if (!r->hold)
		return false;
	if (!READ_ONCE(r->hold->hold.demoted))
		return true;
	r->demoted++;
	leave(r);
	return false;
}

static void read_one(struct reader *r)
{
	struct ringbuf_view v;
	bool intact;
	u64 i;

	if (!ringbuf_core_peek(&ring.core, &r->cursor.at, &v)) {
		sched_yield();
		return;
	}
	/* Demoted comes before overrun, for who sees the tail. */
	if (v.lost_records && is_held(r))
		r->errors++;
	if (v.lost_records)
		ringbuf_cursor_lose(&r->cursor, &v);
	for (i = 0; i < RINGBUF_FRAME_SIZE(v.len) / 8 && i < 64; i++)
		r->copy[i] = READ_ONCE(((const u64 *)v.frame)[i]);
	intact = ringbuf_core_intact(&ring.core, v.at.pos);
	if (!intact && is_held(r))
		r->errors++;
	if (!intact)
		return;
	if (!is_right(r, v.len / 8, v.at.seq))
		r->errors++;
	ringbuf_cursor_take(&r->cursor, RINGBUF_FRAME_SIZE(v.len), 1);
	if (r->hold)
		ringbuf_hold_move(&r->hold->hold, r->cursor.at.pos);
}

static void *read_all(void *arg)
{
	const struct timespec nap = { .tv_nsec = 2 * STALL_NS };
	struct reader *r = arg;

	/* So that the writer does not get away. */
	if (r->random % 2)
		join(r);
	while (r->cursor.at.seq < total) {
		read_one(r);
		switch (roll(r, 4096)) {
		case 0 ... 15:
			if (!is_held(r))
				join(r);
			break;
		case 16 ... 19:
			if (is_held(r))
				leave(r);
			break;
		case 20 ... 35:
			if (is_held(r))
				go_back(r);
			break;
		case 36:
			nanosleep(&nap, NULL);
		}
	}
	if (r->hold)
		leave(r);
	return NULL;
}

struct asked {
	u64 held;
	u64 pairs;
	u64 errors;
};

/* Position and seq of head and tail are of one moment each, and make an account. */
static void look(struct asked *asked)
{
	struct ringbuf_cursor cur = {};
	struct ringbuf_stats stats;
	struct ringbuf_mark m;

	ringbuf_core_head(&ring.core, &m);
	asked->errors += READ_ONCE(positions[m.seq]) != m.pos;
	ringbuf_core_tail(&ring.core, &m);
	asked->errors += READ_ONCE(positions[m.seq]) != m.pos;
	ringbuf_cursor_stats(&cur, &ring.core, &stats);
	m.seq = stats.lost_records + stats.lag_records;
	asked->errors += stats.lag_bytes > ring.size || m.seq > total ||
		READ_ONCE(positions[m.seq]) != stats.lost_bytes + stats.lag_bytes;
	asked->pairs++;
}

/* Asks the holds that are before @need, if they were not asked, as a write() does. */
static bool wait_for_holds(u64 need)
{
	u64 left = ringbuf_core_still_held(&ring.core, need, now_ns(), STALL_NS);

	if (left)
		return true;
	pthread_mutex_lock(&holds_lock);
	left = ringbuf_core_wait_for_holds(&ring.core, need, now_ns(), STALL_NS);
	pthread_mutex_unlock(&holds_lock);
	return left;
}

/* As poll() does: is there room for the largest record behind the head? */
static void *ask(void *arg)
{
	u64 frame = RINGBUF_FRAME_SIZE(ringbuf_max_record(ring.size));
	struct asked *asked = arg;
	u64 need;
	int i;

	while (!__atomic_load_n(&finished, __ATOMIC_RELAXED)) {
		for (i = 0; i < 200; i++)
			look(asked);
		need = READ_ONCE(ring.head_page->head) + frame - ring.size;
		asked->held += wait_for_holds(need);
		sched_yield();
	}
	return NULL;
}

static u64 write_all(void)
{
	struct ringbuf_core *core = &ring.core;
	u64 seq, *payload, need, held = 0;
	u32 i, words;

	for (seq = 0; seq < total; seq++) {
		words = words_of(seq);
		while (!(payload = ringbuf_core_reserve(core, words * 8, words))) {
			need = ringbuf_core_need(core, core->head,
						 RINGBUF_FRAME_SIZE(words * 8));
			held += wait_for_holds(need);
			sched_yield();
		}
		for (i = 0; i < words; i++)
			WRITE_ONCE(payload[i], word_of(seq, i));
		ringbuf_core_commit(core, seq + 1);
		WRITE_ONCE(positions[seq + 1], core->head);
		if (seq % 5 || seq + 1 == total)
			ringbuf_core_publish(core);
	}
	return held;
}

static void forget(struct reader *r)
{
	struct crowd_hold *hold;

	while ((hold = r->gone)) {
		r->gone = hold->next;
		free(hold);
	}
}

static bool check(struct reader *r, int i)
{
	struct ringbuf_cursor *cur = &r->cursor;
	bool ok = !r->errors &&
		  cur->read_records + cur->lost_records ==
			total + r->again_records &&
		  cur->read_bytes + cur->lost_bytes ==
			ring.core.head + r->again_bytes;

	if (!ok)
		printf("# reader %d: read %llu lost %llu again %llu errors %llu\n",
		       i, cur->read_records, cur->lost_records,
		       r->again_records, r->errors);
	return ok;
}

static bool run(u64 size)
{
	static struct reader readers[READERS];
	const struct ringbuf_mark start = {};
	struct asked asked = {};
	u64 held, joins = 0, demoted = 0, backs = 0, lost = 0;
	pthread_t asker;
	bool ok = true;
	int i;

	memset(readers, 0, sizeof(readers));
	finished = false;
	if (test_storage_alloc(&ring, size))
		return false;
	memset(ring.page, 0, TEST_PAGE_SIZE);
	ringbuf_core_init(&ring.core, ring.page, ring.head_page, ring.data,
			  size, &start);
	ring.core.reliable = true;
	if (pthread_create(&asker, NULL, ask, &asked))
		return false;
	for (i = 0; i < READERS; i++) {
		readers[i].random = size + i;
		ringbuf_cursor_init(&readers[i].cursor, &ring.core);
		if (pthread_create(&readers[i].thread, NULL, read_all,
				   &readers[i]))
			return false;
	}
	held = write_all();
	for (i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		ok &= check(&readers[i], i);
		joins += readers[i].joins;
		demoted += readers[i].demoted;
		backs += readers[i].backs;
		lost += readers[i].cursor.lost_records;
	}
	__atomic_store_n(&finished, true, __ATOMIC_RELAXED);
	pthread_join(asker, NULL);
	for (i = 0; i < READERS; i++)
		forget(&readers[i]);
	test_storage_free(&ring);
	printf("# joins %llu demoted %llu back %llu lost %llu held %llu asked %llu pairs %llu errors %llu\n",
	       joins, demoted, backs, lost, held, asked.held, asked.pairs,
	       asked.errors);
	/* Else something was never put to the test. */
	return ok && !asked.errors && asked.pairs && joins && demoted &&
	       backs && lost && held;
}

int main(int argc, char **argv)
{
	static const u64 sizes[] = { 4096, 65536 };
	int i, bad = 0;
	bool ok;

	total = argc > 1 ? strtoull(argv[1], NULL, 0) : RECORDS;
	positions = calloc(total + 1, sizeof(*positions));
	if (!positions)
		return 1;
	printf("TAP version 13\n1..2\n");
	for (i = 0; i < 2; i++) {
		ok = run(sizes[i]);
		bad += !ok;
		printf("%sok %d %d readers, reliable now and then, ring of %llu\n",
		       ok ? "" : "not ", i + 1, READERS, sizes[i]);
		fflush(stdout);
	}
	free(positions);
	return bad ? 1 : 0;
}
