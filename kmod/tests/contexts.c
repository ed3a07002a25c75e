// SPDX-License-Identifier: GPL-2.0
/* Every context that a producer may be in. */

#include <linux/cpumask.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include "compat.h"
#include "contexts.h"

#ifdef TEST_NMI
#include <asm/apic.h>
#include <asm/nmi.h>
#endif

/* Where the job is to run; the caller may not move. */
static unsigned int target(const struct job *job)
{
	unsigned int cpu = smp_processor_id();

	if (job->elsewhere) {
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
	}
	return cpu;
}

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

static void tasklet_fn(struct tasklet_struct *tasklet)
{
	struct job *job = container_of(tasklet, struct job, tasklet);

	/* On PREEMPT_RT that is a thread. */
	job->in_context = in_serving_softirq();
	job->fn(job);
	complete(&job->done);
}

static bool run_tasklet(struct job *job)
{
	init_completion(&job->done);
	tasklet_setup(&job->tasklet, tasklet_fn);
	tasklet_schedule(&job->tasklet);
	wait_for_completion(&job->done);
	tasklet_kill(&job->tasklet);
	return true;
}

static void irq_work_fn(struct irq_work *work)
{
	struct job *job = container_of(work, struct job, work);

	job->in_context = in_hardirq();
	job->fn(job);
	complete(&job->done);
}

static bool run_irq_work(struct job *job)
{
	init_completion(&job->done);
	job->work = IRQ_WORK_INIT_HARD(irq_work_fn);
	irq_work_queue(&job->work);
	wait_for_completion(&job->done);
	irq_work_sync(&job->work);
	return true;
}

static void ipi_fn(void *data)
{
	struct job *job = data;

	job->in_context = irqs_disabled();
	job->fn(job);
}

/* In the middle of what the other CPU does. */
static bool run_ipi(struct job *job)
{
	int ret;

	preempt_disable();
	ret = smp_call_function_single(target(job), ipi_fn, job, true);
	preempt_enable();
	return !ret;
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
	__apic_send_IPI_mask(cpumask_of(target(job)), NMI_VECTOR);
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
	{ "tasklet", run_tasklet },
	{ "hardirq", run_hardirq },
	{ "irq_work", run_irq_work },
	{ "ipi", run_ipi },
#ifdef TEST_NMI
	{ "nmi", run_nmi },
#endif
};

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
