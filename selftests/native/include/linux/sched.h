/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _NATIVE_SCHED_H
#define _NATIVE_SCHED_H

#define cond_resched()		((void)0)

#endif
