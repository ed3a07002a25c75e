// SPDX-License-Identifier: GPL-2.0
/*
 * Process lifecycle in a ring: a record for every process of the machine that
 * starts, runs a program or ends. See ringbuf_proc.h for the records.
 *
 *	insmod ringbuf_proc.ko [ring=NAME]
 *
 * The producer slot is taken as long as the module is loaded.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/binfmts.h>
#include <linux/bitmap.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/threads.h>
#include <linux/tracepoint.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include "compat.h"
#include "ringbuf.h"
#include "ringbuf_proc.h"

static char *ring = "ringbuf";
module_param(ring, charp, 0444);
MODULE_PARM_DESC(ring, "name of the ring to publish in");

static struct ringbuf *rb;

DEFINE_RINGBUF_TYPED_ID(proc_fork, struct ringbuf_proc_fork, RINGBUF_PROC_FORK);
DEFINE_RINGBUF_TYPED_ID(proc_exec, struct ringbuf_proc_exec, RINGBUF_PROC_EXEC);
DEFINE_RINGBUF_TYPED_ID(proc_exit, struct ringbuf_proc_exit, RINGBUF_PROC_EXIT);

/*
 * The probes run on every CPU, with preemption disabled; a ring has one
 * producer. A raw lock, since on PREEMPT_RT others sleep, and without
 * interrupts, so that no CPU holds it for longer than a record takes.
 */
static DEFINE_RAW_SPINLOCK(lock);

/* Processes whose end has been published; under @lock. See probe_exit(). */
static DECLARE_BITMAP(ended, PID_MAX_LIMIT);

static void fill_task(struct ringbuf_proc_task *task, struct task_struct *p)
{
	task->pid = task_tgid_nr(p);
	task->ppid = task_ppid_nr(p);
	task->uid = from_kuid(&init_user_ns, task_uid(p));
	/* get_task_comm() would take a lock that sleeps on PREEMPT_RT. */
	strscpy_pad(task->comm, p->comm, sizeof(task->comm));
}

static void probe_fork(void *data, struct task_struct *parent,
		       struct task_struct *child)
{
	struct ringbuf_proc_fork *rec;
	unsigned long flags;

	if (!thread_group_leader(child))
		return;

	raw_spin_lock_irqsave(&lock, flags);
	/* A new process under an old one's number. */
	__clear_bit(task_tgid_nr(child), ended);
	rec = proc_fork_reserve(rb);
	if (rec) {
		fill_task(&rec->task, child);
		ringbuf_commit(rb, 0);
	}
	raw_spin_unlock_irqrestore(&lock, flags);
}

static void probe_exec(void *data, struct task_struct *p, pid_t old_pid,
		       struct linux_binprm *bprm)
{
	size_t len = strlen(bprm->filename);
	size_t size = min_t(size_t, len + 1, RINGBUF_PROC_NAME_SIZE);
	struct ringbuf_proc_exec *rec;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	rec = proc_exec_reserve_tail(rb, size);
	if (rec) {
		fill_task(&rec->task, p);
		rec->name_len = len;
		memcpy(rec->name, bprm->filename, size - 1);
		rec->name[size - 1] = '\0';
		ringbuf_commit(rb, 0);
	}
	raw_spin_unlock_irqrestore(&lock, flags);
}

/*
 * Each thread counts itself out of signal->live before it gets here, so the
 * last one finds 0, and sees the status of the whole process. When several end
 * at once all of these may find 0: the first of them speaks for the process.
 * Its number is not used again before a fork under that number.
 */
static void probe_exit(void *data, RINGBUF_EXIT_PROBE_ARGS)
{
	struct ringbuf_proc_exit *rec;
	unsigned long flags;

	if (atomic_read(&p->signal->live))
		return;

	raw_spin_lock_irqsave(&lock, flags);
	if (!__test_and_set_bit(task_tgid_nr(p), ended)) {
		rec = proc_exit_reserve(rb);
		if (rec) {
			fill_task(&rec->task, p);
			rec->status = p->signal->group_exit_code;
			ringbuf_commit(rb, 0);
		}
	}
	raw_spin_unlock_irqrestore(&lock, flags);
}

/*
 * These tracepoints are not exported to modules by symbol. One who did not see
 * a process end may take a new one under the same number for the old one, so
 * the probe for forks comes first, and goes last.
 */
static struct probe {
	const char *name;
	void *func;
	struct tracepoint *tp;
} probes[] = {
	{ .name = "sched_process_fork", .func = probe_fork },
	{ .name = "sched_process_exec", .func = probe_exec },
	{ .name = "sched_process_exit", .func = probe_exit },
};

static void find_tracepoint(struct tracepoint *tp, void *unused)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (!strcmp(tp->name, probes[i].name))
			probes[i].tp = tp;
}

/* Detach the first @n probes; none of them runs any more afterwards. */
static void detach(unsigned int n)
{
	while (n--)
		tracepoint_probe_unregister(probes[n].tp, probes[n].func, NULL);
	tracepoint_synchronize_unregister();
}

static int attach(void)
{
	unsigned int i;
	int ret;

	for_each_kernel_tracepoint(find_tracepoint, NULL);
	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		ret = -ENOENT;
		if (probes[i].tp)
			ret = tracepoint_probe_register(probes[i].tp,
							probes[i].func, NULL);
		if (ret) {
			pr_err("no probe on %s: %d\n", probes[i].name, ret);
			detach(i);
			return ret;
		}
	}
	return 0;
}

static int __init ringbuf_proc_init(void)
{
	int ret;

	rb = ringbuf_producer_get(ring);
	if (IS_ERR(rb)) {
		ret = PTR_ERR(rb);
		pr_err("ring=%s: no producer slot: %d\n", ring, ret);
		return ret;
	}
	ret = attach();
	if (ret)
		ringbuf_producer_put(rb);
	return ret;
}
module_init(ringbuf_proc_init);

static void __exit ringbuf_proc_exit(void)
{
	detach(ARRAY_SIZE(probes));
	ringbuf_producer_put(rb);
}
module_exit(ringbuf_proc_exit);

MODULE_DESCRIPTION("Process lifecycle as records in a ringbuf");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(RINGBUF_NAMESPACE);
