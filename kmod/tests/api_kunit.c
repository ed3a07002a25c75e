// SPDX-License-Identifier: GPL-2.0
/*
 * The producer API of the loaded module, from every context, read back through
 * the device.
 */

#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <kunit/test.h>
#include "compat.h"
#include "ring.h"
#include "device.h"
#include "sleeper.h"

#define ROUNDS	400

struct api_test {
	struct ringbuf *rb;
	struct file *reader;
};

static void write_number(struct job *job)
{
	ringbuf_write(job->rb, &job->number, sizeof(job->number), 1);
}

/* A record of 64 bytes in place, and one that is thought better of. */
static void reserve_number(struct job *job)
{
	u32 *payload = ringbuf_reserve(job->rb, 64, 2);

	if (!payload)
		return;
	payload[0] = 0;
	ringbuf_discard(job->rb);
	payload = ringbuf_reserve(job->rb, 64, 2);
	if (!payload)
		return;
	memset(payload, 0, 64);
	payload[0] = job->number;
	ringbuf_commit(job->rb, 0);
}

static int api_init(struct kunit *test)
{
	struct api_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	if (!t)
		return -ENOMEM;
	test->priv = t;
	t->reader = open_path(DEVICE, O_RDONLY | O_NONBLOCK);
	if (IS_ERR(t->reader))
		return PTR_ERR(t->reader);
	vfs_llseek(t->reader, 0, SEEK_END);
	t->rb = ringbuf_producer_get("ringbuf");
	if (IS_ERR(t->rb))
		return PTR_ERR(t->rb);
	return contexts_init();
}

static void api_exit(struct kunit *test)
{
	struct api_test *t = test->priv;

	if (!t)
		return;
	device_exit(t->rb, t->reader);
}

static void slot_is_exclusive(struct kunit *test)
{
	struct api_test *t = test->priv;
	struct ringbuf *other;
	struct file *file;

	other = ringbuf_producer_get("ringbuf");
	KUNIT_EXPECT_EQ(test, PTR_ERR(other), (long)-EBUSY);
	other = ringbuf_producer_get("no-such-ring");
	KUNIT_EXPECT_EQ(test, PTR_ERR(other), (long)-ENODEV);
	file = open_path(DEVICE, O_WRONLY);
	KUNIT_EXPECT_EQ(test, PTR_ERR(file), (long)-EBUSY);

	ringbuf_producer_put(t->rb);
	file = open_path(DEVICE, O_WRONLY);
	KUNIT_EXPECT_FALSE(test, IS_ERR(file));
	t->rb = ringbuf_producer_get("ringbuf");
	KUNIT_EXPECT_EQ(test, PTR_ERR(t->rb), (long)-EBUSY);
	if (!IS_ERR(file))
		fput(file);
	flush_delayed_fput();
	t->rb = ringbuf_producer_get("ringbuf");
	KUNIT_EXPECT_FALSE(test, IS_ERR(t->rb));
}

/* A reservation that is open when the slot is given back leaves nothing to see. */
static void what_was_reserved_is_zeroed(struct kunit *test)
{
	struct api_test *t = test->priv;
	u8 *payload = ringbuf_reserve(t->rb, 200, 3);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, payload);
	memset(payload, 0xa5, 200);
	ringbuf_producer_put(t->rb);
	t->rb = ringbuf_producer_get("ringbuf");
	KUNIT_ASSERT_FALSE(test, IS_ERR(t->rb));
	for (i = 0; i < 200; i++)
		KUNIT_EXPECT_EQ(test, payload[i], 0);
}

static void write_says_what_is_wrong(struct kunit *test)
{
	struct api_test *t = test->priv;
	char buf[16];

	KUNIT_EXPECT_EQ(test, ringbuf_write(t->rb, buf, 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, ringbuf_write(t->rb, buf, U32_MAX, 0), -EMSGSIZE);
	KUNIT_EXPECT_NULL(test, ringbuf_reserve(t->rb, 0, 0));
	KUNIT_EXPECT_NULL(test, ringbuf_reserve(t->rb, U32_MAX, 0));
	KUNIT_ASSERT_NOT_NULL(test, ringbuf_reserve(t->rb, 1, 0));
	KUNIT_EXPECT_EQ(test, ringbuf_write(t->rb, buf, 1, 0), -EBUSY);
	ringbuf_discard(t->rb);
	KUNIT_EXPECT_EQ(test, read_device(t->reader, buf, sizeof(buf)),
			(ssize_t)-EAGAIN);
}

static void deferred_until_flushed(struct kunit *test)
{
	struct api_test *t = test->priv;
	u64 word = 1;

	memcpy(ringbuf_reserve(t->rb, 8, 1), &word, 8);
	ringbuf_commit(t->rb, RINGBUF_COMMIT_DEFER);
	KUNIT_EXPECT_EQ(test, read_device(t->reader, &word, 8),
			(ssize_t)-EAGAIN);
	ringbuf_flush(t->rb);
	KUNIT_EXPECT_EQ(test, read_device(t->reader, &word, 8), (ssize_t)8);

	memcpy(ringbuf_reserve(t->rb, 8, 1), &word, 8);
	ringbuf_commit(t->rb, RINGBUF_COMMIT_NOWAKE);
	KUNIT_EXPECT_EQ(test, read_device(t->reader, &word, 8), (ssize_t)8);
}

/* Flags that nobody knows are refused, and the reservation stays open. */
static void unknown_flags_are_refused(struct kunit *test)
{
	struct api_test *t = test->priv;
	u64 word = 5, *payload = ringbuf_reserve(t->rb, 8, 1);

	KUNIT_ASSERT_NOT_NULL(test, payload);
	*payload = word;
	KUNIT_EXPECT_EQ(test, ringbuf_commit(t->rb, BIT(2)), -EINVAL);
	KUNIT_EXPECT_EQ(test, ringbuf_commit_len(t->rb, 8, BIT(31)), -EINVAL);
	KUNIT_EXPECT_EQ(test, read_device(t->reader, &word, 8),
			(ssize_t)-EAGAIN);
	KUNIT_EXPECT_EQ(test, ringbuf_commit(t->rb, 0), 0);
	KUNIT_EXPECT_EQ(test, read_device(t->reader, &word, 8), (ssize_t)8);
}

static void a_record_may_be_shorter_than_reserved(struct kunit *test)
{
	struct api_test *t = test->priv;
	u8 *payload = ringbuf_reserve(t->rb, 100, 1);
	u8 buf[16];

	KUNIT_ASSERT_NOT_NULL(test, payload);
	memset(payload, 0x77, 100);
	KUNIT_EXPECT_EQ(test, ringbuf_commit_len(t->rb, 101, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, ringbuf_commit_len(t->rb, 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, ringbuf_commit_len(t->rb, 5, 0), 0);
	KUNIT_EXPECT_TRUE(test, !memchr_inv(payload + 5, 0, 95));
	KUNIT_EXPECT_EQ(test, ringbuf_write(t->rb, "next", 4, 1), 0);
	KUNIT_EXPECT_EQ(test, read_device(t->reader, buf, sizeof(buf)),
			(ssize_t)5);
	KUNIT_EXPECT_TRUE(test, !memchr_inv(buf, 0x77, 5));
	KUNIT_EXPECT_EQ(test, read_device(t->reader, buf, sizeof(buf)),
			(ssize_t)4);
	KUNIT_EXPECT_EQ(test, memcmp(buf, "next", 4), 0);
}

/* Not on the stack: object debugging wants to know of timers there. */
static struct job *new_job(struct kunit *test, void (*fn)(struct job *job))
{
	struct api_test *t = test->priv;
	struct job *job = kunit_kzalloc(test, sizeof(*job), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, job);
	job->rb = t->rb;
	job->fn = fn;
	return job;
}

static void records_from_any_context(struct kunit *test)
{
	const struct context *context = test->param_value;
	struct api_test *t = test->priv;
	struct job *job = new_job(test, write_number);
	u32 i, payload[16];
	ssize_t n;

	for (i = 0; i < ROUNDS; i++) {
		job->fn = i % 2 ? reserve_number : write_number;
		job->number = i + 1;
		job->in_context = false;
		KUNIT_ASSERT_TRUE(test, context->run(job));
		KUNIT_ASSERT_TRUE(test, job->in_context);
	}
	for (i = 0; i < ROUNDS; i++) {
		n = read_device(t->reader, payload, sizeof(payload));
		KUNIT_ASSERT_EQ(test, n, i % 2 ? (ssize_t)64 : (ssize_t)4);
		KUNIT_ASSERT_EQ(test, payload[0], i + 1);
	}
	n = read_device(t->reader, payload, sizeof(payload));
	KUNIT_EXPECT_EQ(test, n, (ssize_t)-EAGAIN);
}

/* Every other record comes when it sleeps indeed. */
static void sleeper_wakes_from_any_context(struct kunit *test)
{
	const struct context *context = test->param_value;
	struct job *job = new_job(test, write_number);
	u32 *number = kunit_kzalloc(test, sizeof(*number), GFP_KERNEL);
	struct file *file = open_path(DEVICE, O_RDONLY);
	struct sleeper *s;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, number);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	vfs_llseek(file, 0, SEEK_END);
	s = sleeper_start(test, file, number, sizeof(*number), ROUNDS);

	for (i = 0; i < ROUNDS; i++) {
		if (!sleeper_has(s, i, i % 2) || *number != i) {
			KUNIT_FAIL(test, "round %u: got %u, number %u, state %u",
				   i, s->got, *number,
				   READ_ONCE(s->task->__state));
			break;
		}
		job->number = i + 1;
		context->run(job);
	}
	/* Let it go, whatever happened. */
	if (i < ROUNDS)
		WRITE_ONCE(s->want, 0);
	while (i++ < ROUNDS) {
		job->number = 0;
		context->run(job);
	}
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&s->done, 30 * HZ),
			0UL);
	KUNIT_EXPECT_EQ(test, s->got, (u32)ROUNDS);
	KUNIT_EXPECT_EQ(test, *number, (u32)ROUNDS);
	KUNIT_EXPECT_EQ(test, s->last, (ssize_t)sizeof(*number));
	put_task_struct(s->task);
	fput(file);
}

/* Waiters that count how often they are woken. */

#define CROWD		100
#define CROWD_ROUNDS	20

struct crowd {
	struct poll_table_struct table;
	struct waiter {
		wait_queue_entry_t entry;
		struct file *file;
		wait_queue_head_t *queue;
		atomic_t woken;
		bool wants_the_cpu;
	} waiters[CROWD], *next;
	unsigned int n;
};

static int count_wakeup(wait_queue_entry_t *entry, unsigned int mode, int flags,
			void *key)
{
	struct waiter *w = container_of(entry, struct waiter, entry);

	atomic_inc(&w->woken);
	if (w->wants_the_cpu) {
		set_tsk_need_resched(current);
		set_preempt_need_resched();
	}
	return 1;
}

static void join_queue(struct file *file, wait_queue_head_t *queue,
		       struct poll_table_struct *table)
{
	struct waiter *w = container_of(table, struct crowd, table)->next;

	w->queue = queue;
	init_waitqueue_func_entry(&w->entry, count_wakeup);
	add_wait_queue(queue, &w->entry);
}

/* Make @n waiters; each @each of them wait on one consumer. */
static struct crowd *crowd_gather(struct kunit *test, unsigned int n, unsigned int each)
{
	struct crowd *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	init_poll_funcptr(&c->table, join_queue);
	for (; c->n < n; c->n++) {
		c->next = &c->waiters[c->n];
		c->next->file = c->n % each ? get_file(c->waiters[c->n - 1].file) :
				open_path(DEVICE, O_RDONLY | O_NONBLOCK);
		if (IS_ERR(c->next->file))
			break;
		vfs_poll(c->next->file, &c->table);
	}
	KUNIT_EXPECT_EQ(test, c->n, n);
	return c;
}

static void crowd_leave(struct crowd *c)
{
	while (c->n--) {
		if (c->waiters[c->n].queue)
			remove_wait_queue(c->waiters[c->n].queue,
					  &c->waiters[c->n].entry);
		fput(c->waiters[c->n].file);
	}
	/* Else their hooks would be there in the next test. */
	flush_delayed_fput();
}

static unsigned int count_woken(struct crowd *c, int times)
{
	unsigned int n = 0, i;

	for (i = 0; i < c->n; i++)
		n += atomic_read(&c->waiters[i].woken) >= times;
	return n;
}

/* Wait until each has been woken so often. */
static void expect_all_woken(struct kunit *test, struct crowd *c, int times)
{
	unsigned long end = jiffies + 10 * HZ;

	while (count_woken(c, times) < c->n && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, count_woken(c, times), c->n);
}

/* More than a publish wakes itself: the ring's worker has to wake the others. */
static void crowd_wakes_from_any_context(struct kunit *test)
{
	const struct context *context = test->param_value;
	struct job *job = new_job(test, write_number);
	struct crowd *c = crowd_gather(test, CROWD, 2);
	u32 i;

	for (i = 1; c->n == CROWD && i <= CROWD_ROUNDS; i++) {
		job->number = i;
		context->run(job);
		expect_all_woken(test, c, i);
	}
	crowd_leave(c);
}

/* A publish stops because the CPU is wanted. That tells nothing of the number of waiters. */
static void few_waiters_are_no_crowd(struct kunit *test)
{
	struct crowd *c = crowd_gather(test, 20, 1);
	struct api_test *t = test->priv;
	struct ringbuf *rb = t->rb;
	u32 i;

	c->waiters[10].wants_the_cpu = true;
	for (i = 1; c->n == 20 && i <= CROWD_ROUNDS; i++) {
		KUNIT_EXPECT_EQ(test, ringbuf_write(rb, &i, sizeof(i), 0), 0);
		expect_all_woken(test, c, i);
		/* The crowd of the test before is forgotten by then. */
		if (i > CROWD_ROUNDS / 2)
			KUNIT_EXPECT_EQ(test, READ_ONCE(rb->crowd), 0U);
	}
	crowd_leave(c);
}

/* The opposite: that many are one, and no longer when they have left. */
static void many_waiters_are_a_crowd(struct kunit *test)
{
	struct crowd *c = crowd_gather(test, CROWD, 1);
	struct api_test *t = test->priv;
	struct ringbuf *rb = t->rb;
	u32 i = 0;

	/* A publish that stops because a tick wants the CPU sees no crowd. */
	do {
		i++;
		KUNIT_EXPECT_EQ(test, ringbuf_write(rb, &i, sizeof(i), 0), 0);
		expect_all_woken(test, c, i);
	} while (!READ_ONCE(rb->crowd) && i < CROWD_ROUNDS);
	KUNIT_EXPECT_GT(test, READ_ONCE(rb->crowd), 0U);
	crowd_leave(c);

	c = crowd_gather(test, 1, 1);
	KUNIT_EXPECT_EQ(test, ringbuf_write(rb, &i, sizeof(i), 0), 0);
	expect_all_woken(test, c, 1);
	crowd_leave(c);
	/* On PREEMPT_RT a thread wakes, which may not have come to its end yet. */
	for (i = 0; READ_ONCE(rb->crowd) && i < HZ; i++)
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_EQ(test, READ_ONCE(rb->crowd), 0U);
}

KUNIT_ARRAY_PARAM(context, test_contexts, test_context_name);

static struct kunit_case api_cases[] = {
	KUNIT_CASE(slot_is_exclusive),
	KUNIT_CASE(what_was_reserved_is_zeroed),
	KUNIT_CASE(write_says_what_is_wrong),
	KUNIT_CASE(deferred_until_flushed),
	KUNIT_CASE(unknown_flags_are_refused),
	KUNIT_CASE(a_record_may_be_shorter_than_reserved),
	KUNIT_CASE_PARAM(records_from_any_context, context_gen_params),
	KUNIT_CASE_PARAM(sleeper_wakes_from_any_context, context_gen_params),
	KUNIT_CASE_PARAM(crowd_wakes_from_any_context, context_gen_params),
	KUNIT_CASE(few_waiters_are_no_crowd),
	KUNIT_CASE(many_waiters_are_a_crowd),
	{}
};

static struct kunit_suite api_suite = {
	.name = "ringbuf_api",
	.init = api_init,
	.exit = api_exit,
	.test_cases = api_cases,
};

kunit_test_suite(api_suite);

MODULE_IMPORT_NS(RINGBUF_NAMESPACE);
