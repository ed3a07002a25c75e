// SPDX-License-Identifier: GPL-2.0
/* One writer against readers at full speed, in kernel threads. */

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "stress.h"

#define READERS		5
#define RECORDS		2000000

struct stress_thread {
	struct stress_reader reader;
	struct completion done;
};

static void stress_pause(void)
{
	cond_resched();
	if (num_online_cpus() == 1)
		schedule_timeout_interruptible(1);
}

static int reader_fn(void *data)
{
	struct stress_thread *t = data;

	stress_read(&t->reader);
	complete(&t->done);
	return 0;
}

/*
 * Waits without a limit: a reader that never sees the last record would use
 * memory that a test which gave up has freed. The guest's watchdog ends it.
 */
static void writer_against_readers(struct kunit *test)
{
	static const u64 batches[READERS] = { 0, 256, 2048, 0, 1024 };
	static const unsigned int lazy[READERS] = { 0, 0, 0, 3, 10 };
	struct test_ring *ring = test->priv;
	struct stress s = {
		.ring = ring,
		.total = RECORDS,
		.pause = stress_pause,
	};
	struct stress_thread *t, *threads;
	struct task_struct *task;
	u64 lost = 0;
	int i, started;

	threads = kunit_kcalloc(test, READERS, sizeof(*threads), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, threads);
	test_ring_start(ring, 0, 0);
	for (i = 0; i < READERS; i++) {
		t = &threads[i];
		init_completion(&t->done);
		t->reader.stress = &s;
		t->reader.batch = batches[i];
		t->reader.lazy = lazy[i];
		t->reader.copy = kunit_kzalloc(test, 4096, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, t->reader.copy);
		ringbuf_cursor_init(&t->reader.cursor, &ring->core);
	}
	for (started = 0; started < READERS; started++) {
		task = kthread_run(reader_fn, &threads[started], "rb-reader/%d",
				   started);
		if (IS_ERR(task))
			break;
	}
	KUNIT_EXPECT_EQ(test, started, READERS);
	stress_write(&s);
	for (i = 0; i < started; i++) {
		t = &threads[i];
		wait_for_completion(&t->done);
		KUNIT_EXPECT_EQ(test, t->reader.errors, 0ULL);
		KUNIT_EXPECT_EQ(test, t->reader.cursor.read_records +
				t->reader.cursor.lost_records, s.total);
		KUNIT_EXPECT_EQ(test, t->reader.cursor.read_bytes +
				t->reader.cursor.lost_bytes, ring->core.head);
		kunit_info(test, "reader %d: read %llu lost %llu discarded %llu",
			   i, t->reader.cursor.read_records,
			   t->reader.cursor.lost_records, t->reader.discarded);
		lost += t->reader.cursor.lost_records;
	}
	/* Else nobody was ever overrun. */
	KUNIT_EXPECT_GT(test, lost, 0ULL);
}

static struct kunit_case threads_cases[] = {
	KUNIT_CASE_SLOW(writer_against_readers),
	{}
};

static struct kunit_suite threads_suite = {
	.name = "ringbuf_threads",
	.init = test_ring_init,
	.exit = test_ring_exit,
	.test_cases = threads_cases,
};

kunit_test_suite(threads_suite);
