/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between kernel versions, and nothing else. */
#ifndef _RINGBUF_COMPAT_H
#define _RINGBUF_COMPAT_H

#include <linux/version.h>

/* 6.13 wants the namespace as a string. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define RINGBUF_NAMESPACE	"RINGBUF"
#else
#define RINGBUF_NAMESPACE	RINGBUF
#endif

/* 6.5 renamed the splice helper for files that have a read_iter. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define copy_splice_read	generic_file_splice_read
#endif

/* 6.10 lets __assign_str() find the source itself. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define ringbuf_assign_str(dst, src)	__assign_str(dst)
#else
#define ringbuf_assign_str(dst, src)	__assign_str(dst, src)
#endif

/* 6.13 sets a timer up in one call. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define ringbuf_hrtimer_setup	hrtimer_setup
#else
#define ringbuf_hrtimer_setup(timer, fn, clock, mode)	\
	do {						\
		hrtimer_init(timer, clock, mode);	\
		(timer)->function = fn;			\
	} while (0)
#endif

#endif /* _RINGBUF_COMPAT_H */
