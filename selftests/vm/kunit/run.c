// SPDX-License-Identifier: GPL-2.0
/* A module hands over its suites; elsewhere the kernel finds them in a section of it. */
static struct kunit_suite_set running;

/**
 * shim_run_suites() - run those that match the parameters of kunit.ko
 * @suites: all suites of the module
 * @count: how many
 *
 * The results go to the kernel's log.
 *
 * Return: 0; what was wrong with a filter.
 */
int shim_run_suites(struct kunit_suite *const *suites, size_t count)
{
	struct kunit_suite_set all = { suites, suites + count };
	int err = 0;

	running = kunit_filter_suites(&all, kunit_filter_glob() ?: "*.*", kunit_filter(),
				      kunit_filter_action(), &err);
	if (err)
		return err;
	kunit_exec_run_tests(&running, false);
	return 0;
}
EXPORT_SYMBOL_GPL(shim_run_suites);

/** shim_end_suites() - before the module that has them goes */
void shim_end_suites(void)
{
	__kunit_test_suites_exit((struct kunit_suite **)running.start,
				 running.end - running.start);
	kunit_free_suite_set(running);
}
EXPORT_SYMBOL_GPL(shim_end_suites);
