/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of KUnit as the suites of the core use, telling KTAP on stdout. A
 * failed assertion ends its test by a jump, as KUnit ends the test's thread.
 */
#ifndef _NATIVE_KUNIT_H
#define _NATIVE_KUNIT_H

#include <errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <setjmp.h>
#include <stdio.h>

struct kunit {
	void *priv;
	bool failed;
	jmp_buf abort;
	void *allocated[8];
	unsigned int allocations;
};

struct kunit_case {
	const char *name;
	void (*run)(struct kunit *test);
};

struct kunit_suite {
	const char *name;
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
	struct kunit_suite *next;
};

void *kunit_kzalloc(struct kunit *test, size_t size, int gfp);
void kunit_register(struct kunit_suite *suite);

#define KUNIT_CASE(fn)		{ #fn, fn }
#define KUNIT_CASE_SLOW(fn)	{ #fn, fn }
#define kunit_test_suite(suite)						\
static void __attribute__((constructor)) register_suite(void)		\
{									\
	kunit_register(&(suite));					\
}

#define KUNIT_FAIL(test, text)						\
do {									\
	printf("# %s:%d: %s\n", __FILE__, __LINE__, text);		\
	(test)->failed = true;						\
} while (0)

#define KUNIT_CHECK(test, ok, text, end)				\
do {									\
	if (!(ok)) {							\
		KUNIT_FAIL(test, text);					\
		end;							\
	}								\
} while (0)

#define KUNIT_EXPECT(test, ok, text)	KUNIT_CHECK(test, ok, text, (void)0)
#define KUNIT_ASSERT(test, ok, text) \
	KUNIT_CHECK(test, ok, text, longjmp((test)->abort, 1))

#define KUNIT_EXPECT_EQ(t, a, b)	KUNIT_EXPECT(t, (a) == (b), #a " == " #b)
#define KUNIT_EXPECT_GT(t, a, b)	KUNIT_EXPECT(t, (a) > (b), #a " > " #b)
#define KUNIT_EXPECT_GE(t, a, b)	KUNIT_EXPECT(t, (a) >= (b), #a " >= " #b)
#define KUNIT_EXPECT_LE(t, a, b)	KUNIT_EXPECT(t, (a) <= (b), #a " <= " #b)
#define KUNIT_EXPECT_PTR_EQ(t, a, b)	KUNIT_EXPECT_EQ(t, a, b)
#define KUNIT_EXPECT_TRUE(t, a)		KUNIT_EXPECT(t, a, #a)
#define KUNIT_EXPECT_FALSE(t, a)	KUNIT_EXPECT(t, !(a), "!" #a)
#define KUNIT_EXPECT_NULL(t, a)		KUNIT_EXPECT(t, !(a), "!" #a)
#define KUNIT_ASSERT_EQ(t, a, b)	KUNIT_ASSERT(t, (a) == (b), #a " == " #b)
#define KUNIT_ASSERT_GT(t, a, b)	KUNIT_ASSERT(t, (a) > (b), #a " > " #b)
#define KUNIT_ASSERT_TRUE(t, a)		KUNIT_ASSERT(t, a, #a)
#define KUNIT_ASSERT_NOT_NULL(t, a)	KUNIT_ASSERT(t, a, #a)

#define cond_resched()			((void)0)
#define MODULE_DESCRIPTION(text)	struct kunit_unused
#define MODULE_LICENSE(text)		struct kunit_unused

#endif
