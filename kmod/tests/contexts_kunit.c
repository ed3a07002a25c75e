// SPDX-License-Identifier: GPL-2.0
/* The contexts as parameters of KUnit's cases. */

#include <linux/string.h>
#include <kunit/test.h>
#include "contexts.h"

const void *context_gen_params(const void *prev, char *desc)
{
	const struct context *next = prev ? (const struct context *)prev + 1 :
					    contexts;

	if (next == contexts + n_contexts)
		return NULL;
	strscpy(desc, next->name, KUNIT_PARAM_DESC_SIZE);
	return next;
}
