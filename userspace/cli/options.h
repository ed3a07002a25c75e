/* SPDX-License-Identifier: GPL-2.0 */
/* What was probably meant by a name that does not exist. */
#ifndef RINGBUF_CLI_OPTIONS_H
#define RINGBUF_CLI_OPTIONS_H

#include "cli.h"

struct nearest {
	const char *wanted;
	const char *name;	/* the nearest so far, NULL when none is near */
	int distance;
};

void nearest_consider(struct nearest *nearest, const char *name);

#endif /* RINGBUF_CLI_OPTIONS_H */
