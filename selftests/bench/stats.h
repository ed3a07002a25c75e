/* SPDX-License-Identifier: GPL-2.0 */
/* Medians and quartiles. */
#ifndef RINGBUF_BENCH_STATS_H
#define RINGBUF_BENCH_STATS_H

#include <math.h>
#include <stdlib.h>

struct quartiles {
	double low, median, high;
	unsigned int n;		/* of so many */
};

static inline int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts @v; of nothing they are NAN. */
static inline struct quartiles quartiles_of(double *v, unsigned int n)
{
	if (!n)
		return (struct quartiles){ NAN, NAN, NAN, 0 };
	qsort(v, n, sizeof(*v), compare_doubles);
	return (struct quartiles){ v[n / 4], v[n / 2], v[n * 3 / 4], n };
}

#endif /* RINGBUF_BENCH_STATS_H */
