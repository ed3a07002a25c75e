/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between kernel versions, and nothing else. */
#ifndef _RINGBUF_COMPAT_H
#define _RINGBUF_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/uio.h>
#include <linux/version.h>
#include <linux/workqueue.h>

/* 6.13 wants the namespace as a string. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define RINGBUF_NAMESPACE	"RINGBUF"
#else
#define RINGBUF_NAMESPACE	RINGBUF
#endif

/* 6.2 has a class's devnode() leave the device as it is. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define RINGBUF_DEVNODE_ARGS	const struct device *dev, umode_t *mode
#else
#define RINGBUF_DEVNODE_ARGS	struct device *dev, umode_t *mode
#endif

/* 6.3 hides the flags of a map behind accessors. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void vm_flags_mod(struct vm_area_struct *vma, vm_flags_t set,
				vm_flags_t clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#endif

/* 6.2 says what an iov_iter is for. */
#ifndef ITER_SOURCE
#define ITER_SOURCE	WRITE
#define ITER_DEST	READ
#endif

/* 6.17 renamed the workqueue whose works run on any CPU. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define ringbuf_unbound_wq	system_dfl_wq
#else
#define ringbuf_unbound_wq	system_unbound_wq
#endif

/* 6.5 renamed the splice helper for files that have a read_iter. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define copy_splice_read	generic_file_splice_read
#endif

/* 6.10 lets __assign_str() find the source itself. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define ringbuf_assign_name()	__assign_str(name)
#else
#define ringbuf_assign_name()	__assign_str(name, name)
#endif

/* 6.13 sets a timer up in one call. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define ringbuf_hrtimer_setup	hrtimer_setup
#else
static inline void
ringbuf_hrtimer_setup(struct hrtimer *timer,
		      enum hrtimer_restart (*fn)(struct hrtimer *timer),
		      clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}
#endif

/*
 * Does poll() put its caller on queues? Fixes before 6.14 killed poll_does_not_wait(),
 * and may reach older kernels; what it looked at is the same in all.
 */
static inline bool ringbuf_poll_waits(const poll_table *wait)
{
	return wait && wait->_qproc;
}

/* 6.16 tells the probe of sched_process_exit whether the last thread goes. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define RINGBUF_EXIT_PROBE_ARGS	struct task_struct *p, bool group_dead
#else
#define RINGBUF_EXIT_PROBE_ARGS	struct task_struct *p
#endif

#endif /* _RINGBUF_COMPAT_H */
