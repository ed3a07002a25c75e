// SPDX-License-Identifier: GPL-2.0
/* Every context that a producer may be in. */

#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/string.h>
#include "compat.h"
#include "contexts.h"

#ifdef TEST_NMI
#include <asm/apic.h>
#include <asm/nmi.h>
#endif

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

const struct context test_contexts[TEST_CONTEXTS] = {
	{ "task", run_task },
	{ "softirq", run_softirq },
	{ "hardirq", run_hardirq },
#ifdef TEST_NMI
	{ "nmi", run_nmi },
#endif
};

void test_context_name(const struct context *context, char *desc)
{
	strscpy(desc, context->name, KUNIT_PARAM_DESC_SIZE);
}

int contexts_init(void)
{
#ifdef TEST_NMI
	return register_nmi_handler(NMI_LOCAL, nmi_fn, 0, "ringbuf_kunit");
#else
	return 0;
#endif
}

void contexts_exit(void)
{
#ifdef TEST_NMI
	unregister_nmi_handler(NMI_LOCAL, "ringbuf_kunit");
#endif
}
