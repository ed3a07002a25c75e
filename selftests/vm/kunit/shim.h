/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included first in each file of KUnit and of its tests, where the kernel was configured
 * without KUnit.
 *
 * The layout of struct module and of struct task_struct is that of such a kernel, so
 * their headers come before CONFIG_KUNIT is defined.
 */
#ifndef KUNIT_SHIM_H
#define KUNIT_SHIM_H

#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/kthread.h>
#include <linux/device.h>
#include <linux/debugfs.h>
#include <linux/slab.h>
#include <linux/mm.h>

#define CONFIG_KUNIT_MODULE 1
#define CONFIG_KUNIT_DEBUGFS 1
#define CONFIG_KUNIT_DEFAULT_ENABLED 1

/*
 * The field of a task that is missing: one that only file systems use stands in for it.
 * In the copy of test.c the field's name is replaced, as this one has no type.
 */
#define shim_current_test (*(struct kunit **)&current->journal_info)
#define kunit_test journal_info
#include <kunit/test.h>
#include <kunit/test-bug.h>
#undef kunit_test

/* The suite, where all_suites.c can refer to it. */
#undef kunit_test_suites
#undef kunit_test_suite
#define kunit_test_suite(suite)					\
	extern struct kunit_suite *const shim_##suite;		\
	struct kunit_suite *const shim_##suite = &(suite)

int shim_run_suites(struct kunit_suite *const *suites, size_t count);
void shim_end_suites(void);

#ifdef SHIM_NO_MODULES
#undef CONFIG_MODULES
#endif

#endif
