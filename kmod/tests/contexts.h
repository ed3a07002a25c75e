/* SPDX-License-Identifier: GPL-2.0 */
/* Every context that a producer may be in, to run a job in. */
#ifndef _RINGBUF_CONTEXTS_H
#define _RINGBUF_CONTEXTS_H

#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <kunit/test.h>

#if defined(CONFIG_X86_LOCAL_APIC) && defined(CONFIG_SMP)
#define TEST_NMI
#endif

#ifdef TEST_NMI
#define TEST_CONTEXTS	4
#else
#define TEST_CONTEXTS	3
#endif

struct ringbuf;

/* What a context is to run, and how the test learns that it has. */
struct job {
	void (*fn)(struct job *job);
	struct ringbuf *rb;
	u32 number;
	int result;
	bool in_context;
	struct hrtimer timer;
	struct completion done;
};

struct context {
	const char *name;
	bool (*run)(struct job *job);
};

/* Around all that runs. */
int contexts_init(void);
void contexts_exit(void);

/* For KUNIT_ARRAY_PARAM(), whose functions differ between kernels. */
extern const struct context test_contexts[TEST_CONTEXTS];
void test_context_name(const struct context *context, char *desc);

#endif /* _RINGBUF_CONTEXTS_H */
