// SPDX-License-Identifier: GPL-2.0
/*
 * Threads that seek to random records, and walk to random positions, while a writer
 * goes round the ring. By way of milestones they come to where a walk from record to
 * record comes, and their accounts are exact. In every other ring the writer drops
 * records, which leaves gaps in the seqs.
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core_test.h"

#define SEEKERS		3
#ifdef __SANITIZE_THREAD__
#define RECORDS		100000
#else
#define RECORDS		300000
#endif

static struct test_ring ring;
static u64 total;
/* Where each record begins, by seq; of a seq without a record, where the next does. */
static u64 *positions;
static bool finished;
static bool drops;
static u64 progress;

struct seeker {
	pthread_t thread;
	u64 random;
	u64 seeks;
	u64 skips;
	u64 walks;
	u64 far;
	u64 lost;
	u64 errors;
};

static u32 roll(u64 *random, u32 n)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*random >> 33) % n;
}

static bool is_place(const struct ringbuf_mark *at)
{
	return at->seq <= total && READ_ONCE(positions[at->seq]) == at->pos;
}

/* A seq that is retained, or was a moment ago. */
static u64 some_seq(struct seeker *s, struct ringbuf_mark *tail)
{
	struct ringbuf_mark head;

	ringbuf_core_tail(&ring.core, tail);
	ringbuf_core_head(&ring.core, &head);
	s->errors += !is_place(tail) || !is_place(&head);
	if (!ringbuf_before(tail->seq, head.seq))
		return head.seq;
	return tail->seq + roll(&s->random, head.seq - tail->seq + 1);
}

static void seek(struct seeker *s)
{
	struct ringbuf_mark tail, at;
	u64 seq = some_seq(s, &tail);
	int ret;

	at = tail;
	ringbuf_core_skip(&ring.core, &at, at.pos + RINGBUF_FAR, seq);
	s->errors += !is_place(&at) || ringbuf_before(seq, at.seq) ||
		     ringbuf_before(at.pos, tail.pos);
	s->skips += at.pos != tail.pos;
	do {
		ret = ringbuf_core_seek(&ring.core, &at, seq, 64);
	} while (ret == -EAGAIN);
	s->errors += ret || !is_place(&at) || ringbuf_before(at.seq, seq);
	/* Further than asked: for a gap, or since the tail has passed it. */
	if (at.pos != READ_ONCE(positions[seq]))
		s->errors += !ringbuf_core_overrun(&ring.core,
						   READ_ONCE(positions[seq]));
	s->seeks++;
}

static void walk(struct seeker *s)
{
	struct ringbuf_cursor cur;
	struct ringbuf_mark tail, from;
	u64 seq = some_seq(s, &tail), pos;
	int ret;

	ringbuf_cursor_init(&cur, &ring.core);
	from = cur.at;
	pos = READ_ONCE(positions[seq]);
	if (ringbuf_before(pos, from.pos))
		return;
	s->far += pos - from.pos > ring.size / 2;
	do {
		ret = ringbuf_cursor_walk(&cur, &ring.core, pos, 64);
	} while (ret == -EAGAIN);
	s->errors += ret || !is_place(&cur.at) ||
		     cur.read_records + cur.lost_records != cur.at.seq - from.seq ||
		     cur.read_bytes + cur.lost_bytes != cur.at.pos - from.pos;
	if (cur.at.pos != pos)
		s->errors += !ringbuf_core_overrun(&ring.core, pos);
	/* Losses with bytes were overwritten, those without were dropped. */
	s->errors += !drops && !cur.lost_bytes != !cur.lost_records;
	s->lost += cur.lost_records;
	s->walks++;
	/* Between two records there is none. */
	ringbuf_cursor_init(&cur, &ring.core);
	if (seq == total || ringbuf_before(pos + 8, cur.at.pos))
		return;
	do {
		ret = ringbuf_cursor_walk(&cur, &ring.core, pos + 8, 64);
	} while (ret == -EAGAIN);
	if (ret != -EINVAL)
		s->errors += !ringbuf_core_overrun(&ring.core, pos + 8);
}

static void *seek_main(void *arg)
{
	struct seeker *s = arg;

	while (!__atomic_load_n(&finished, __ATOMIC_RELAXED)) {
		seek(s);
		if (!roll(&s->random, 4))
			walk(s);
		__atomic_fetch_add(&progress, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void write_all(void)
{
	struct ringbuf_core *core = &ring.core;
	u64 random = ring.size, seq = 0;
	u32 len;
	u8 *payload;

	while (seq < total) {
		if (drops && !roll(&random, 1000)) {
			ringbuf_core_publish(core);
			WRITE_ONCE(positions[++seq], core->head);
			ringbuf_core_drop(core);
			continue;
		}
		len = 1 + roll(&random, roll(&random, 64) ? 100 : core->max_record);
		payload = ringbuf_core_reserve(core, len, 0);
		memset(payload, 0xff, len > 64 ? 64 : len);
		ringbuf_core_commit(core, 1);
		WRITE_ONCE(positions[++seq], core->head);
		if (seq % 5 || seq == total)
			ringbuf_core_publish(core);
		/* So that the writer does not get away, whatever the machine does. */
		while (seq % 256 == 0 && __atomic_load_n(&progress,
							 __ATOMIC_RELAXED) < seq / 32)
			sched_yield();
	}
}

static bool run(u64 size)
{
	static struct seeker seekers[SEEKERS];
	const struct ringbuf_mark start = {};
	u64 seeks = 0, skips = 0, walks = 0, far = 0, lost = 0, errors = 0;
	int i;

	memset(seekers, 0, sizeof(seekers));
	memset(positions, 0, (total + 1) * sizeof(*positions));
	finished = false;
	progress = 0;
	if (test_storage_alloc(&ring, size))
		return false;
	memset(ring.page, 0, TEST_PAGE_SIZE);
	ringbuf_core_init(&ring.core, ring.page, ring.head_page, ring.data,
			  size, &start);
	for (i = 0; i < SEEKERS; i++) {
		seekers[i].random = size + i;
		if (pthread_create(&seekers[i].thread, NULL, seek_main,
				   &seekers[i]))
			return false;
	}
	write_all();
	__atomic_store_n(&finished, true, __ATOMIC_RELAXED);
	for (i = 0; i < SEEKERS; i++) {
		pthread_join(seekers[i].thread, NULL);
		/* Once more, with nobody in the way. */
		seek(&seekers[i]);
		walk(&seekers[i]);
		seeks += seekers[i].seeks;
		skips += seekers[i].skips;
		walks += seekers[i].walks;
		far += seekers[i].far;
		lost += seekers[i].lost;
		errors += seekers[i].errors;
	}
	test_storage_free(&ring);
	printf("# seeks %llu skips %llu walks %llu far %llu lost %llu errors %llu\n",
	       seeks, skips, walks, far, lost, errors);
	return !errors && skips && walks && far;
}

int main(int argc, char **argv)
{
	/* With 16 milestones, with 64, and with 64 of several strides of 16 KiB. */
	static const u64 sizes[] = { 65536, 1 << 20, 4 << 20 };
	int i, bad = 0;
	bool ok;

	total = argc > 1 ? strtoull(argv[1], NULL, 0) : RECORDS;
	positions = calloc(total + 1, sizeof(*positions));
	if (!positions)
		return 1;
	printf("TAP version 13\n1..6\n");
	for (i = 0; i < 6; i++) {
		drops = i % 2;
		ok = run(sizes[i / 2]);
		bad += !ok;
		printf("%sok %d seeks and walks in a ring of %llu, %s gaps\n",
		       ok ? "" : "not ", i + 1, sizes[i / 2],
		       drops ? "with" : "without");
		fflush(stdout);
	}
	free(positions);
	return bad ? 1 : 0;
}
