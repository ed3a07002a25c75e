// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel producer that a reliable consumer holds. For a module that was loaded
 * with reliable=1, and stall_ms of some seconds.
 */

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <kunit/test.h>
#include <uapi/linux/ringbuf.h>
#include "compat.h"
#include "device.h"
#include "sleeper.h"

#define FITS	16	/* records of this size, in a ring of any size */

/* Of the process that loads the suite: an ioctl wants user memory. */
static struct mm_struct *user_mm;
static void __user *user;

struct held_test {
	struct ringbuf *rb;
	struct file *reader;
	u32 len;
	u8 *buf;
};

static int held_suite_init(struct kunit_suite *suite)
{
	unsigned long addr = vm_mmap(NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, 0);

	if (IS_ERR_VALUE(addr))
		return addr;
	user = (void __user *)addr;
	user_mm = current->mm;
	mmget(user_mm);
	return 0;
}

static void held_suite_exit(struct kunit_suite *suite)
{
	if (user_mm)
		mmput(user_mm);
	user_mm = NULL;
}

/* An ioctl with a structure, from a kernel thread. */
static long call_ioctl(struct file *file, unsigned int cmd, void *arg, size_t size)
{
	long ret = -EFAULT;

	kthread_use_mm(user_mm);
	if (!copy_to_user(user, arg, size))
		ret = file->f_op->unlocked_ioctl(file, cmd, (unsigned long)user);
	if (copy_from_user(arg, user, size))
		ret = -EFAULT;
	kthread_unuse_mm(user_mm);
	return ret;
}

static long set_consumer(struct file *file, u32 flags)
{
	struct ringbuf_consumer consumer = {
		.struct_size = sizeof(consumer), .flags = flags,
	};

	return call_ioctl(file, RINGBUF_IOC_SET_CONSUMER, &consumer,
			  sizeof(consumer));
}

static struct ringbuf_info get_info(struct kunit *test)
{
	struct ringbuf_info info = { .struct_size = sizeof(info) };
	struct held_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, call_ioctl(t->reader, RINGBUF_IOC_GET_INFO, &info,
					 sizeof(info)), 0L);
	return info;
}

static struct ringbuf_stats get_stats(struct kunit *test)
{
	struct ringbuf_stats stats = { .struct_size = sizeof(stats) };
	struct held_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, call_ioctl(t->reader, RINGBUF_IOC_GET_STATS,
					 &stats, sizeof(stats)), 0L);
	return stats;
}

static int held_init(struct kunit *test)
{
	struct held_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct ringbuf_info info;
	int ret;

	if (!t)
		return -ENOMEM;
	test->priv = t;
	t->reader = open_path(DEVICE, O_RDONLY | O_NONBLOCK);
	if (IS_ERR(t->reader))
		return PTR_ERR(t->reader);
	vfs_llseek(t->reader, 0, SEEK_END);
	info = get_info(test);
	t->len = info.data_size / FITS - sizeof(struct ringbuf_record);
	t->buf = kunit_kzalloc(test, info.data_size / FITS + 64, GFP_KERNEL);
	if (!t->buf)
		return -ENOMEM;
	t->rb = ringbuf_producer_get("ringbuf");
	if (IS_ERR(t->rb))
		return PTR_ERR(t->rb);
	ret = contexts_init();
	return ret ?: set_consumer(t->reader, RINGBUF_CONSUMER_RELIABLE);
}

static void held_exit(struct kunit *test)
{
	struct held_test *t = test->priv;

	if (!t)
		return;
	device_exit(t->rb, t->reader);
	flush_delayed_fput();
}

/* Until a reliable consumer holds all of the ring. */
static void fill(struct kunit *test)
{
	struct held_test *t = test->priv;
	u32 i;

	for (i = 0; i < FITS; i++) {
		memcpy(t->buf, &i, sizeof(i));
		KUNIT_ASSERT_EQ(test, ringbuf_write(t->rb, t->buf, t->len, 7), 0);
	}
}

static void read_number(struct kunit *test, u32 number, ssize_t len)
{
	struct held_test *t = test->priv;

	KUNIT_ASSERT_EQ(test, read_device(t->reader, t->buf, t->len), len);
	KUNIT_EXPECT_EQ(test, *(u32 *)t->buf, number);
}

static void reserve_job(struct job *job)
{
	job->result = ringbuf_reserve(job->rb, job->number, 3) ? 0 : -ENOBUFS;
}

static void write_job(struct job *job)
{
	job->result = ringbuf_write(job->rb, &job->number, sizeof(job->number), 3);
}

static int run_job(struct kunit *test, struct job *job, u32 number,
		   void (*fn)(struct job *job))
{
	const struct context *context = test->param_value;

	job->fn = fn;
	job->number = number;
	job->result = 1;
	job->in_context = false;
	KUNIT_EXPECT_TRUE(test, context->run(job));
	KUNIT_EXPECT_TRUE(test, job->in_context);
	return job->result;
}

static void refused_at_once_in_any_context(struct kunit *test)
{
	struct held_test *t = test->priv;
	struct job *job = kunit_kzalloc(test, sizeof(*job), GFP_KERNEL);
	struct ringbuf_info before, after;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, job);
	job->rb = t->rb;
	fill(test);
	before = get_info(test);
	for (i = 1; i <= 10; i++) {
		KUNIT_ASSERT_EQ(test, run_job(test, job, 8 * i, reserve_job),
				-ENOBUFS);
		KUNIT_ASSERT_EQ(test, run_job(test, job, i, write_job), -ENOBUFS);
	}
	after = get_info(test);
	KUNIT_EXPECT_EQ(test, after.dropped, before.dropped + 20);
	KUNIT_EXPECT_EQ(test, after.head_seq, before.head_seq + 20);
	KUNIT_EXPECT_EQ(test, after.head, before.head);
	KUNIT_EXPECT_EQ(test, after.tail, before.tail);
	KUNIT_EXPECT_EQ(test, after.tail_seq, before.tail_seq);

	/* All is there, and then a gap. */
	read_number(test, 0, t->len);
	KUNIT_EXPECT_EQ(test, run_job(test, job, 77, write_job), 0);
	for (i = 1; i < FITS; i++)
		read_number(test, i, t->len);
	KUNIT_EXPECT_EQ(test, read_device(t->reader, t->buf, t->len),
			(ssize_t)-EPIPE);
	read_number(test, 77, 4);
	KUNIT_EXPECT_EQ(test, get_stats(test).lost_records, 20ULL);
	KUNIT_EXPECT_EQ(test, get_stats(test).lost_bytes, 0ULL);
	KUNIT_EXPECT_EQ(test, get_stats(test).read_records, FITS + 1ULL);
}

static void a_drop_is_a_loss_of_no_bytes(struct kunit *test)
{
	struct held_test *t = test->priv;
	struct ringbuf_record *rec;
	struct ringbuf_lost *lost;
	u64 seq;
	u32 i;

	fill(test);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, ringbuf_write(t->rb, &i, 4, 1), -ENOBUFS);
	seq = get_info(test).head_seq;
	for (i = 0; i < FITS; i++)
		read_number(test, i, t->len);
	KUNIT_EXPECT_EQ(test, ringbuf_write(t->rb, &i, 4, 1), 0);
	KUNIT_ASSERT_EQ(test, set_consumer(t->reader, RINGBUF_CONSUMER_RELIABLE |
					   RINGBUF_CONSUMER_FRAMED), 0L);
	KUNIT_ASSERT_EQ(test, read_device(t->reader, t->buf, t->len),
			(ssize_t)(RINGBUF_FRAME_SIZE(16) + RINGBUF_FRAME_SIZE(4)));
	rec = (void *)t->buf;
	lost = (void *)(rec + 1);
	KUNIT_EXPECT_EQ(test, rec->flags, RINGBUF_RECORD_LOST);
	KUNIT_EXPECT_EQ(test, rec->seq, seq - 3);
	KUNIT_EXPECT_EQ(test, lost->records, 3ULL);
	KUNIT_EXPECT_EQ(test, lost->bytes, 0ULL);
	rec = (void *)(lost + 1);
	KUNIT_EXPECT_EQ(test, rec->seq, seq);
	KUNIT_EXPECT_EQ(test, rec->flags, 0);
}

/* A record that is read makes room for one. */
static void goes_on_with_each_record_read(struct kunit *test)
{
	struct held_test *t = test->priv;
	u32 i;

	fill(test);
	for (i = 0; i < 5 * FITS; i++) {
		read_number(test, i, t->len);
		*(u32 *)t->buf = i + FITS;
		KUNIT_ASSERT_EQ(test, ringbuf_write(t->rb, t->buf, t->len, 1), 0);
	}
	KUNIT_EXPECT_EQ(test, get_stats(test).lost_records, 0ULL);
	KUNIT_EXPECT_NULL(test, ringbuf_reserve(t->rb, t->len, 1));
	KUNIT_EXPECT_EQ(test, set_consumer(t->reader, 0), 0L);
	KUNIT_EXPECT_EQ(test, ringbuf_write(t->rb, t->buf, t->len, 1), 0);
}

/* Bad arguments and an open reservation are no drops. */
static void mistakes_are_no_drops(struct kunit *test)
{
	struct held_test *t = test->priv;
	struct ringbuf_info before = get_info(test), after;

	KUNIT_EXPECT_NULL(test, ringbuf_reserve(t->rb, 0, 1));
	KUNIT_EXPECT_NULL(test, ringbuf_reserve(t->rb, U32_MAX, 1));
	KUNIT_ASSERT_NOT_NULL(test, ringbuf_reserve(t->rb, 8, 1));
	KUNIT_EXPECT_NULL(test, ringbuf_reserve(t->rb, 8, 1));
	KUNIT_EXPECT_EQ(test, ringbuf_write(t->rb, t->buf, 8, 1), -EBUSY);
	ringbuf_discard(t->rb);
	after = get_info(test);
	KUNIT_EXPECT_EQ(test, after.dropped, before.dropped);
	KUNIT_EXPECT_EQ(test, after.head_seq, before.head_seq);
}

/* The consumer sleeps: it knows nothing of what was deferred, and holds it all. */
static void who_holds_is_told_of_what_was_deferred(struct kunit *test)
{
	struct held_test *t = test->priv;
	struct sleeper *s;
	bool woken;
	u32 i;

	t->reader->f_flags &= ~O_NONBLOCK;
	s = sleeper_start(test, t->reader, t->buf, t->len, FITS);
	KUNIT_EXPECT_TRUE(test, sleeper_has(s, 0, true));
	for (i = 0; i < FITS; i++) {
		memset(ringbuf_reserve(t->rb, t->len, 1), 0, t->len);
		ringbuf_commit(t->rb, i % 2 ? RINGBUF_COMMIT_DEFER :
					      RINGBUF_COMMIT_NOWAKE);
	}
	KUNIT_EXPECT_NULL(test, ringbuf_reserve(t->rb, 8, 1));
	woken = wait_for_completion_timeout(&s->done, 10 * HZ);
	KUNIT_EXPECT_TRUE(test, woken);
	if (!woken) {
		ringbuf_flush(t->rb);
		wait_for_completion(&s->done);
	}
	KUNIT_EXPECT_EQ(test, s->got, (u32)FITS);
	put_task_struct(s->task);
	t->reader->f_flags |= O_NONBLOCK;
	KUNIT_EXPECT_EQ(test, ringbuf_write(t->rb, t->buf, 8, 1), 0);
}

static unsigned int ring_stall(void)
{
	char buf[16] = "";
	unsigned int ms = 0;
	struct file *file;

	file = open_path("/sys/class/ringbuf/ringbuf/stall_ms", O_RDONLY);
	if (IS_ERR(file))
		return 0;
	read_device(file, buf, sizeof(buf) - 1);
	fput(file);
	return kstrtouint(strim(buf), 10, &ms) ? 0 : ms;
}

static void has_its_time(struct kunit *test)
{
	struct held_test *t = test->priv;
	unsigned int ms = ring_stall();
	ktime_t began;

	if (!ms)
		kunit_skip(test, "without stall_ms");
	fill(test);
	began = ktime_get();
	KUNIT_EXPECT_EQ(test, ringbuf_write(t->rb, t->buf, 8, 1), -ENOBUFS);
	while (ringbuf_write(t->rb, t->buf, 8, 1) == -ENOBUFS &&
	       ktime_ms_delta(ktime_get(), began) < 10LL * ms)
		msleep(20);
	KUNIT_EXPECT_GE(test, ktime_ms_delta(ktime_get(), began), (s64)ms - 1);
	KUNIT_EXPECT_LE(test, ktime_ms_delta(ktime_get(), began), (s64)ms + 1000);
	KUNIT_EXPECT_TRUE(test, get_stats(test).flags & RINGBUF_STATS_DEMOTED);
	KUNIT_EXPECT_EQ(test, get_info(test).reliable_consumers, 0U);
	KUNIT_EXPECT_EQ(test, ringbuf_write(t->rb, t->buf, t->len, 1), 0);
}

KUNIT_ARRAY_PARAM(context, test_contexts, test_context_name);

static struct kunit_case held_cases[] = {
	KUNIT_CASE_PARAM(refused_at_once_in_any_context, context_gen_params),
	KUNIT_CASE(a_drop_is_a_loss_of_no_bytes),
	KUNIT_CASE(goes_on_with_each_record_read),
	KUNIT_CASE(mistakes_are_no_drops),
	KUNIT_CASE(who_holds_is_told_of_what_was_deferred),
	KUNIT_CASE_SLOW(has_its_time),
	{}
};

static struct kunit_suite held_suite = {
	.name = "ringbuf_held",
	.suite_init = held_suite_init,
	.suite_exit = held_suite_exit,
	.init = held_init,
	.exit = held_exit,
	.test_cases = held_cases,
};

kunit_test_suite(held_suite);
