/* SPDX-License-Identifier: GPL-2.0 */
/* Every context that a producer may be in, to run a job in. */
#ifndef _RINGBUF_CONTEXTS_H
#define _RINGBUF_CONTEXTS_H

#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/types.h>

#if defined(CONFIG_X86_LOCAL_APIC) && defined(CONFIG_SMP)
#define TEST_NMI
#endif

#ifdef TEST_NMI
#define TEST_CONTEXTS	7
#else
#define TEST_CONTEXTS	6
#endif

struct ringbuf;

/* What a context is to run, and how the test learns that it has. */
struct job {
	void (*fn)(struct job *job);
	struct ringbuf *rb;
	u32 number;
	int result;
	bool in_context;
	bool elsewhere; /* on another CPU, if the context can be had there */
	struct hrtimer timer;
	struct tasklet_struct tasklet;
	struct irq_work work;
	struct completion done;
};

struct context {
	const char *name;
	bool (*run)(struct job *job);
};

extern const struct context test_contexts[TEST_CONTEXTS];

/* Around all that runs. */
int contexts_init(void);
void contexts_exit(void);

#endif /* _RINGBUF_CONTEXTS_H */
