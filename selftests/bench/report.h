/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All series that a report is of. Who includes this has said what one is: a struct
 * series, with ns[MAX_ROUNDS] in it.
 */
#ifndef RINGBUF_BENCH_REPORT_H
#define RINGBUF_BENCH_REPORT_H

#include <err.h>
#include "stats.h"

#define MAX_SERIES	512

static struct series *all[MAX_SERIES];
static unsigned int n_series, rounds;

/* As @key, but in no round yet. */
static struct series *series_new(const struct series *key)
{
	struct series *s;

	if (n_series == MAX_SERIES)
		errx(1, "too many series");
	s = malloc(sizeof(*s));
	if (!s)
		err(1, "malloc");
	*s = *key;
	for (unsigned int i = 0; i < MAX_ROUNDS; i++)
		s->ns[i] = NAN;
	all[n_series++] = s;
	return s;
}

static void series_put(struct series *s, unsigned int round, double ns)
{
	s->ns[round] = ns;
	rounds = round + 1 > rounds ? round + 1 : rounds;
}

#endif /* RINGBUF_BENCH_REPORT_H */
