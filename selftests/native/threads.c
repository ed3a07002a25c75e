// SPDX-License-Identifier: GPL-2.0
/* One writer against readers at full speed, in threads. */

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include "stress.h"

#define READERS		6
#define RECORDS		1000000ULL

static void pause_thread(void)
{
	sched_yield();
}

static pthread_mutex_t holds_lock = PTHREAD_MUTEX_INITIALIZER;

/*
 * There is no RCU: what was on the list is freed by the end of the process, and
 * known until then, so that it is no leak.
 */
static struct ringbuf_hold *gone[1 << 22];
static unsigned int n_gone;

static struct ringbuf_hold *join_hold(struct stress *s,
				      struct ringbuf_cursor *cur)
{
	struct ringbuf_hold *hold = calloc(1, sizeof(*hold));

	if (!hold)
		abort();
	pthread_mutex_lock(&holds_lock);
	ringbuf_core_find_first(&s->ring->core);
	ringbuf_hold_join(hold, &s->ring->core, cur);
	pthread_mutex_unlock(&holds_lock);
	return hold;
}

static void leave_hold(struct stress *s, struct ringbuf_hold *hold)
{
	pthread_mutex_lock(&holds_lock);
	ringbuf_hold_leave(hold, &s->ring->core);
	gone[n_gone++ % (1 << 22)] = hold;
	pthread_mutex_unlock(&holds_lock);
}

static void *reader_fn(void *reader)
{
	stress_read(reader);
	return NULL;
}

static bool check(struct stress_reader *r, int i)
{
	struct ringbuf_cursor *cur = &r->cursor;

	printf("# reader %d: read %llu lost %llu discarded %llu errors %llu joins %llu\n",
	       i, cur->read_records, cur->lost_records, r->discarded,
	       r->errors, r->joins);
	return !r->errors &&
	       cur->read_records + cur->lost_records == RECORDS &&
	       cur->read_bytes + cur->lost_bytes == r->stress->ring->core.head;
}

static bool run(u64 size, bool reliable)
{
	static const u64 batches[READERS] = { 0, 256, 4096, 0, 0, 1024 };
	static const unsigned int lazy[READERS] = { 0, 0, 0, 3, 0, 0 };
	static const unsigned int stay[READERS] = { 0, 1, 7, 2, 1, 3 };
	static struct test_ring ring;
	struct stress s = {
		&ring, RECORDS, pause_thread, join_hold, leave_hold,
	};
	struct stress_reader readers[READERS] = {};
	const struct ringbuf_mark start = {};
	pthread_t threads[READERS];
	u64 lost = 0, read = 0;
	bool ok = true;
	int i;

	if (test_storage_alloc(&ring, size))
		return false;
	memset(ring.page, 0, TEST_PAGE_SIZE);
	ringbuf_core_init(&ring.core, ring.page, ring.head_page, ring.data,
			  size, &start);
	ring.core.reliable = reliable;
	for (i = 0; i < READERS; i++) {
		readers[i].stress = &s;
		readers[i].batch = batches[i];
		readers[i].lazy = lazy[i];
		readers[i].stay = reliable ? stay[i] : 0;
		readers[i].copy = calloc(1, 8192);
		ringbuf_cursor_init(&readers[i].cursor, &ring.core);
		if (!readers[i].copy ||
		    pthread_create(&threads[i], NULL, reader_fn, &readers[i]))
			return false;
	}
	stress_write(&s);
	for (i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
		ok &= check(&readers[i], i);
		lost += readers[i].cursor.lost_records;
		read += readers[i].cursor.read_records;
		free(readers[i].copy);
	}
	test_storage_free(&ring);
	/* Else one side was never put to the test. */
	return ok && lost && read;
}

int main(void)
{
	static const u64 sizes[] = { 4096, 65536 };
	int i, bad = 0;
	bool ok;

	printf("TAP version 13\n1..4\n");
	for (i = 0; i < 4; i++) {
		ok = run(sizes[i % 2], i / 2);
		bad += !ok;
		printf("%sok %d writer against %d readers%s, ring of %llu\n",
		       ok ? "" : "not ", i + 1, READERS,
		       i / 2 ? ", some reliable now and then" : "",
		       sizes[i % 2]);
		fflush(stdout);
	}
	return bad ? 1 : 0;
}
