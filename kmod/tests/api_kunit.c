// SPDX-License-Identifier: GPL-2.0
/*
 * The producer API of the loaded module, from every context, read back through
 * the device.
 */

#include <linux/completion.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <kunit/test.h>
#include "compat.h"
#include "ringbuf.h"

#if defined(CONFIG_X86_LOCAL_APIC) && defined(CONFIG_SMP)
#include <asm/apic.h>
#include <asm/nmi.h>
#define TEST_NMI
#endif

#define DEVICE	"/dev/ringbuf"
#define ROUNDS	400

struct api_test {
	struct ringbuf *rb;
	struct file *reader;
};

/* What a context is to run, and how the test learns that it has. */
struct job {
	void (*fn)(struct job *job);
	struct ringbuf *rb;
	u32 number;
	bool in_context;
	struct hrtimer timer;
	struct completion done;
};

struct context {
	const char *name;
	bool (*run)(struct job *job);
};

static bool run_task(struct job *job)
{
	job->in_context = in_task();
	job->fn(job);
	return true;
}

static enum hrtimer_restart timer_fn(struct hrtimer *timer)
{
	struct job *job = container_of(timer, struct job, timer);

	job->in_context = in_hardirq() || in_serving_softirq();
	job->fn(job);
	complete(&job->done);
	return HRTIMER_NORESTART;
}

static bool run_timer(struct job *job, enum hrtimer_mode mode)
{
	init_completion(&job->done);
	ringbuf_hrtimer_setup(&job->timer, timer_fn, CLOCK_MONOTONIC, mode);
	hrtimer_start(&job->timer, 0, mode);
	wait_for_completion(&job->done);
	hrtimer_cancel(&job->timer);
	return true;
}

static bool run_softirq(struct job *job)
{
	return run_timer(job, HRTIMER_MODE_REL_SOFT);
}

static bool run_hardirq(struct job *job)
{
	return run_timer(job, HRTIMER_MODE_REL_HARD);
}

#ifdef TEST_NMI
static struct job *nmi_job;

static int nmi_fn(unsigned int type, struct pt_regs *regs)
{
	struct job *job = xchg(&nmi_job, NULL);

	if (!job)
		return NMI_DONE;
	job->in_context = in_nmi();
	job->fn(job);
	/* No complete() in here. Pairs with the acquire in run_nmi(). */
	smp_store_release(&job->number, 0);
	return NMI_HANDLED;
}

static bool run_nmi(struct job *job)
{
	unsigned int tries;

	WRITE_ONCE(nmi_job, job);
	preempt_disable();
	__apic_send_IPI_mask(cpumask_of(smp_processor_id()), NMI_VECTOR);
	for (tries = 0; READ_ONCE(nmi_job) && tries < 1000000; tries++)
		cpu_relax();
	preempt_enable();
	/* Pairs with the release in nmi_fn(). */
	while (!READ_ONCE(nmi_job) && smp_load_acquire(&job->number))
		cpu_relax();
	return !xchg(&nmi_job, NULL);
}
#endif

static const struct context contexts[] = {
	{ "task", run_task },
	{ "softirq", run_softirq },
	{ "hardirq", run_hardirq },
#ifdef TEST_NMI
	{ "nmi", run_nmi },
#endif
};

static void context_name(const struct context *context, char *desc)
{
	strscpy(desc, context->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(context, contexts, context_name);

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
	t->reader = filp_open(DEVICE, O_RDONLY | O_NONBLOCK, 0);
	if (IS_ERR(t->reader))
		return PTR_ERR(t->reader);
	vfs_llseek(t->reader, 0, SEEK_END);
	t->rb = ringbuf_producer_get("ringbuf");
	if (IS_ERR(t->rb))
		return PTR_ERR(t->rb);
#ifdef TEST_NMI
	return register_nmi_handler(NMI_LOCAL, nmi_fn, 0, "ringbuf_kunit");
#else
	return 0;
#endif
}

static void api_exit(struct kunit *test)
{
	struct api_test *t = test->priv;

	if (!t)
		return;
#ifdef TEST_NMI
	unregister_nmi_handler(NMI_LOCAL, "ringbuf_kunit");
#endif
	if (!IS_ERR_OR_NULL(t->rb))
		ringbuf_producer_put(t->rb);
	if (!IS_ERR_OR_NULL(t->reader))
		fput(t->reader);
}

static ssize_t read_device(struct file *file, void *buf, size_t size)
{
	loff_t pos = 0;

	return kernel_read(file, buf, size, &pos);
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
	file = filp_open(DEVICE, O_WRONLY, 0);
	KUNIT_EXPECT_EQ(test, PTR_ERR(file), (long)-EBUSY);

	ringbuf_producer_put(t->rb);
	file = filp_open(DEVICE, O_WRONLY, 0);
	KUNIT_EXPECT_FALSE(test, IS_ERR(file));
	t->rb = ringbuf_producer_get("ringbuf");
	KUNIT_EXPECT_EQ(test, PTR_ERR(t->rb), (long)-EBUSY);
	if (!IS_ERR(file))
		fput(file);
	flush_delayed_fput();
	t->rb = ringbuf_producer_get("ringbuf");
	KUNIT_EXPECT_FALSE(test, IS_ERR(t->rb));
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

/* A thread that sleeps in read() for each record. */
struct sleeper {
	struct file *file;
	u32 got;
	ssize_t error;
	struct completion ready;
	struct completion done;
};

static int sleeper_fn(void *data)
{
	struct sleeper *s = data;
	ssize_t n;
	u32 number;

	complete(&s->ready);
	while (s->got < ROUNDS) {
		n = read_device(s->file, &number, sizeof(number));
		if (n != sizeof(number) || number != s->got + 1) {
			s->error = n;
			break;
		}
		/* Pairs with the acquire in wait_for_sleeper(). */
		smp_store_release(&s->got, number);
	}
	complete(&s->done);
	return 0;
}

/* Until the last record has arrived, and in every other round for the sleep. */
static bool wait_for_sleeper(struct sleeper *s, struct task_struct *task, u32 i)
{
	unsigned long end = jiffies + 10 * HZ;

	/* Pairs with the release in sleeper_fn(). */
	while (smp_load_acquire(&s->got) < i ||
	       (i % 2 && READ_ONCE(task->__state) != TASK_INTERRUPTIBLE)) {
		if (time_after(jiffies, end))
			return false;
		cond_resched();
	}
	return true;
}

static void sleeper_wakes_from_any_context(struct kunit *test)
{
	const struct context *context = test->param_value;
	struct job *job = new_job(test, write_number);
	struct sleeper s = {};
	struct task_struct *task;
	u32 i;

	init_completion(&s.ready);
	init_completion(&s.done);
	s.file = filp_open(DEVICE, O_RDONLY, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(s.file));
	vfs_llseek(s.file, 0, SEEK_END);
	task = kthread_create(sleeper_fn, &s, "rb-sleeper");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&s.ready);

	for (i = 0; i < ROUNDS; i++) {
		if (!wait_for_sleeper(&s, task, i)) {
			KUNIT_FAIL(test, "round %u: got %u, state %u", i, s.got,
				   READ_ONCE(task->__state));
			break;
		}
		job->number = i + 1;
		context->run(job);
	}
	/* Let it go, whatever happened. */
	while (i++ < ROUNDS) {
		job->number = 0;
		context->run(job);
	}
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&s.done, 30 * HZ),
			0UL);
	KUNIT_EXPECT_EQ(test, s.got, (u32)ROUNDS);
	KUNIT_EXPECT_EQ(test, s.error, (ssize_t)0);
	put_task_struct(task);
	fput(s.file);
}

static struct kunit_case api_cases[] = {
	KUNIT_CASE(slot_is_exclusive),
	KUNIT_CASE(write_says_what_is_wrong),
	KUNIT_CASE(deferred_until_flushed),
	KUNIT_CASE_PARAM(records_from_any_context, context_gen_params),
	KUNIT_CASE_PARAM(sleeper_wakes_from_any_context, context_gen_params),
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
