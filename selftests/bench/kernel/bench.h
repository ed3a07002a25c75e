/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KBENCH_H
#define _KBENCH_H

#include <linux/compiler.h>
#include <linux/types.h>
#include "abi.h"

/* What there is to publish: as much as the largest record has. */
extern u8 kbench_payload[];

#define KBENCH_LEN_MAX	4096

/*
 * Each run() publishes count records of len bytes; nothing in it but that. The
 * loop is in there, so that calls are direct ones, as a user's are.
 */
struct contender {
	const char *name;
	u32 max_len;			/* 0: any */
	int (*prepare)(u32 len);	/* untimed, before each run(), or NULL */
	int (*run)(u32 len, u32 count);
};

/* Terminated by one without a name. */
extern const struct contender kbench_ours[];
extern const struct contender kbench_core[];
extern const struct contender kbench_peers[];
extern const struct contender kbench_bpf[];

int kbench_ours_init(void);
void kbench_ours_exit(void);
int kbench_core_init(void);
void kbench_core_exit(void);
int kbench_peers_init(void);
void kbench_peers_exit(void);
void kbench_bpf_exit(void);

int kbench_bpf_set(const struct kbench_bpf *bpf);
int kbench_read(struct kbench_read *r);

/*
 * What smp_mb() and locks have on x86 when there are more CPUs than one, for the
 * process kernel, which has one and leaves it out.
 */
#if defined(__x86_64__) && !defined(CONFIG_SMP)
#define KBENCH_LIKE_SMP
static inline void kbench_locked(void)
{
	asm volatile("lock; addl $0,-4(%%rsp)" : : : "memory", "cc");
}
#endif

/* Marks for who traces instructions: see trace.py. */
void kbench_mark_begin(void);
void kbench_mark_end(void);

#endif /* _KBENCH_H */
