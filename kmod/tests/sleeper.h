/* SPDX-License-Identifier: GPL-2.0 */
/* A thread that sleeps in read(). */
#ifndef _RINGBUF_TEST_SLEEPER_H
#define _RINGBUF_TEST_SLEEPER_H

#include <linux/completion.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched/task.h>
#include <kunit/test.h>
#include "device.h"

struct sleeper {
	struct file *file;
	void *buf;
	size_t len;	/* of each record */
	u32 want;	/* it ends after so many, or after one that is not @len */
	u32 got;
	ssize_t last;	/* what read() gave */
	struct task_struct *task;
	struct completion done;
};

static inline int sleeper_fn(void *data)
{
	struct sleeper *s = data;

	do {
		s->last = read_device(s->file, s->buf, s->len);
		if (s->last != (ssize_t)s->len)
			break;
		/* Pairs with the acquire in sleeper_has(). */
		smp_store_release(&s->got, s->got + 1);
	} while (s->got < READ_ONCE(s->want));
	complete(&s->done);
	return 0;
}

/* Its task is to be put after @done. */
static inline struct sleeper *sleeper_start(struct kunit *test, struct file *file,
					    void *buf, size_t len, u32 want)
{
	struct sleeper *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	s->file = file;
	s->buf = buf;
	s->len = len;
	s->want = want;
	init_completion(&s->done);
	s->task = kthread_create(sleeper_fn, s, "rb-sleeper");
	KUNIT_ASSERT_FALSE(test, IS_ERR(s->task));
	get_task_struct(s->task);
	wake_up_process(s->task);
	return s;
}

/* Until it has so many records, and if @asleep until it sleeps for the next. */
static inline bool sleeper_has(struct sleeper *s, u32 got, bool asleep)
{
	unsigned long end = jiffies + 10 * HZ;

	/* Pairs with the release in sleeper_fn(). */
	while (smp_load_acquire(&s->got) < got ||
	       (asleep && READ_ONCE(s->task->__state) != TASK_INTERRUPTIBLE)) {
		if (time_after(jiffies, end))
			return false;
		cond_resched();
	}
	return true;
}

#endif /* _RINGBUF_TEST_SLEEPER_H */
