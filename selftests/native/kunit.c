// SPDX-License-Identifier: GPL-2.0
/* Runs the suites that have registered themselves. */

#include <kunit/test.h>
#include <string.h>

static struct kunit_suite *suites;

void kunit_register(struct kunit_suite *suite)
{
	suite->next = suites;
	suites = suite;
}

void *kunit_kzalloc(struct kunit *test, size_t size, int gfp)
{
	void *p = NULL;

	if (test->allocations == ARRAY_SIZE(test->allocated) ||
	    posix_memalign(&p, 64, size))
		return NULL;
	test->allocated[test->allocations++] = p;
	return memset(p, 0, size);
}

static bool run_case(struct kunit_suite *suite, struct kunit_case *test_case)
{
	static struct kunit test;

	memset(&test, 0, sizeof(test));
	if (suite->init(&test))
		return false;
	if (!setjmp(test.abort))
		test_case->run(&test);
	suite->exit(&test);
	while (test.allocations)
		free(test.allocated[--test.allocations]);
	return !test.failed;
}

int main(void)
{
	struct kunit_suite *suite;
	struct kunit_case *c;
	int n = 0, bad = 0;
	bool ok;

	printf("TAP version 13\n");
	for (suite = suites; suite; suite = suite->next) {
		for (c = suite->test_cases; c->name; c++) {
			ok = run_case(suite, c);
			bad += !ok;
			printf("%sok %d %s.%s\n", ok ? "" : "not ", ++n,
			       suite->name, c->name);
			fflush(stdout);
		}
	}
	printf("1..%d\n", n);
	return bad ? 1 : 0;
}
