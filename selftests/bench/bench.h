/* SPDX-License-Identifier: GPL-2.0 */
/* Series of measurements, their medians and ratios, as Markdown tables. */
#ifndef RINGBUF_BENCH_H
#define RINGBUF_BENCH_H

#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_ROUNDS	2001

/* Nanoseconds per record, one value for each round. */
struct series {
	const char *name;
	double ns[MAX_ROUNDS];
};

static inline double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static inline void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "sched_setaffinity");
}

static inline int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static inline void sort_into(double *sorted, const double *v, unsigned int n)
{
	memmove(sorted, v, n * sizeof(*v));
	qsort(sorted, n, sizeof(*v), compare_doubles);
}

/*
 * Median of the ratios within a round: the machine may be slower in one round
 * than in another, but hardly so for one case only.
 */
static inline double ratio(const struct series *s, const struct series *base,
			   unsigned int rounds)
{
	static double v[MAX_ROUNDS];
	unsigned int i;

	for (i = 0; i < rounds; i++)
		v[i] = s->ns[i] / base->ns[i];
	sort_into(v, v, rounds);
	return v[rounds / 2];
}

static inline void row(const struct series *s, unsigned int rounds,
		       const struct series *base)
{
	static double v[MAX_ROUNDS];
	int digits;

	sort_into(v, s->ns, rounds);
	digits = v[rounds / 2] < 100 ? 2 : 0;
	printf("| %-33s | %7.3f | %7.*f | %5.*f - %5.*f |\n", s->name,
	       ratio(s, base, rounds), digits, v[rounds / 2], digits,
	       v[rounds / 4], digits, v[rounds * 3 / 4]);
}

static inline void head(const char *what, const char *base)
{
	printf("\n| %-33s | %7s | %7s | %13s |\n", what, base, "ns", "middle half");
	printf("| :-------------------------------- | ------: | ------: | ------------: |\n");
}

#endif /* RINGBUF_BENCH_H */
