/* SPDX-License-Identifier: GPL-2.0 */
/* Threads of a process are preempted all the same: readers repeat a little longer. */
#ifndef _NATIVE_PREEMPT_H
#define _NATIVE_PREEMPT_H

static inline void preempt_disable_notrace(void)
{
}

static inline void preempt_enable_notrace(void)
{
}

#endif
