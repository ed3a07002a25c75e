// SPDX-License-Identifier: GPL-2.0
/*
 * Consumers that are reliable for good, and records that are written and read by
 * plain accesses. Nothing but the acquires and releases of the core keeps the two
 * apart, so TSan sees a race as soon as one of them is missing: head, peek, the
 * move of a hold, and the scan.
 */

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include "core_test.h"

#define READERS		4
#define RECORDS		60000ULL
#define RING		4096ULL

static struct test_ring ring;

struct reader {
	struct ringbuf_hold hold;
	struct ringbuf_cursor cursor;
	bool plain;
	u64 errors;
	pthread_t thread;
};

static u32 record_len(u64 seq)
{
	return 1 + seq * 37 % 300;
}

/* The next record, found the short way or the long one; NULL: none yet. */
static const struct ringbuf_record *next_record(struct reader *r, u32 *len)
{
	struct ringbuf_view v;

	if (r->plain)
		return (const void *)ringbuf_core_plain(&ring.core,
							&r->cursor.at, len);
	if (!ringbuf_core_peek(&ring.core, &r->cursor.at, &v))
		return NULL;
	r->errors += v.lost_records;
	*len = v.len;
	return v.frame;
}

static void *read_all(void *arg)
{
	struct reader *r = arg;
	const struct ringbuf_record *rec;
	u64 seq;
	u32 len;

	while ((seq = r->cursor.at.seq) < RECORDS) {
		rec = next_record(r, &len);
		if (!rec) {
			sched_yield();
			continue;
		}
		r->errors += len != record_len(seq) ||
			     !test_matches(rec + 1, len, seq);
		ringbuf_cursor_take(&r->cursor, RINGBUF_FRAME_SIZE(len), 1);
		ringbuf_hold_move(&r->hold, r->cursor.at.pos);
	}
	return NULL;
}

static void write_all(void)
{
	u64 seq;
	void *payload;

	for (seq = 0; seq < RECORDS; seq++) {
		while (!(payload = ringbuf_core_reserve(&ring.core,
							record_len(seq), 0)))
			sched_yield();
		test_fill(payload, record_len(seq), seq);
		ringbuf_core_commit(&ring.core, 0);
		/* The last one of a burst is published by make_room(). */
		if (seq % 7 || seq + 1 == RECORDS)
			ringbuf_core_publish(&ring.core);
	}
}

int main(void)
{
	static struct reader readers[READERS];
	const struct ringbuf_mark start = {};
	bool ok = true;
	int i;

	printf("TAP version 13\n1..1\n");
	if (test_storage_alloc(&ring, RING))
		return 1;
	memset(ring.page, 0, TEST_PAGE_SIZE);
	ringbuf_core_init(&ring.core, ring.page, ring.head_page, ring.data,
			  RING, &start);
	ring.core.reliable = true;
	for (i = 0; i < READERS; i++) {
		ringbuf_cursor_init(&readers[i].cursor, &ring.core);
		readers[i].plain = i % 2;
		ringbuf_hold_join(&readers[i].hold, &ring.core,
				  &readers[i].cursor);
	}
	for (i = 0; i < READERS; i++)
		if (pthread_create(&readers[i].thread, NULL, read_all,
				   &readers[i]))
			return 1;
	write_all();
	for (i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		ok &= !readers[i].errors &&
		      readers[i].cursor.read_records == RECORDS &&
		      readers[i].cursor.read_bytes == ring.core.head;
	}
	test_storage_free(&ring);
	printf("%sok 1 %d reliable readers of plainly written records\n",
	       ok ? "" : "not ", READERS);
	return !ok;
}
