/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The records of producer.c, which typed.c reads: for kernel and userspace. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <linux/types.h>

struct sample {
	__u64	count;	/* samples before this one */
	__s64	value;
};

#endif /* SAMPLE_H */
