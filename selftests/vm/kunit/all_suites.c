// SPDX-License-Identifier: GPL-2.0
/*
 * Linked into the module that has the tests. suites.h has a line SUITE(NAME) for each
 * kunit_test_suite(NAME) of its sources; kunit.sh writes it.
 */
#define SUITE(name) extern struct kunit_suite *const shim_##name;
#include "suites.h"
#undef SUITE

static int __init run_suites(void)
{
#define SUITE(name) shim_##name,
	struct kunit_suite *const suites[] = {
#include "suites.h"
	};

	return shim_run_suites(suites, ARRAY_SIZE(suites));
}
module_init(run_suites);

static void __exit end_suites(void)
{
	shim_end_suites();
}
module_exit(end_suites);
