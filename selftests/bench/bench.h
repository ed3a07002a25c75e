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
#include "stats.h"

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

static inline struct quartiles quartiles(const double *v, unsigned int n)
{
	static double sorted[MAX_ROUNDS];

	memcpy(sorted, v, n * sizeof(*v));
	return quartiles_of(sorted, n);
}

/*
 * Of the ratios within a round: the machine may be slower in one round than in
 * another, but hardly so for one case only.
 */
static inline struct quartiles ratios(const struct series *s,
				      const struct series *base,
				      unsigned int rounds)
{
	static double v[MAX_ROUNDS];
	unsigned int i;

	for (i = 0; i < rounds; i++)
		v[i] = s->ns[i] / base->ns[i];
	return quartiles(v, rounds);
}

static inline double ratio(const struct series *s, const struct series *base,
			   unsigned int rounds)
{
	return ratios(s, base, rounds).median;
}

/* The table that rows are of, for raw_csv(). */
static const char *table_name;

/* All there is, for other tools, into the file that $BENCH_CSV names. */
static inline void raw_csv(const struct series *s, unsigned int rounds)
{
	const char *path = getenv("BENCH_CSV");
	FILE *f = path && *path ? fopen(path, "a") : NULL;
	unsigned int i;

	if (!path || !*path)
		return;
	if (!f)
		err(1, "%s", path);
	for (i = 0; i < rounds; i++)
		fprintf(f, "\"%s\",\"%s\",%u,%.3f\n", table_name, s->name, i,
			s->ns[i]);
	fclose(f);
}

static inline void row(const struct series *s, unsigned int rounds,
		       const struct series *base)
{
	struct quartiles q = quartiles(s->ns, rounds);
	int digits = q.median < 100 ? 2 : 0;

	printf("| %-33s | %7.3f | %7.*f | %5.*f - %5.*f |\n", s->name,
	       ratio(s, base, rounds), digits, q.median, digits, q.low, digits,
	       q.high);
	raw_csv(s, rounds);
}

static inline void head(const char *what, const char *base)
{
	printf("\n| %-33s | %7s | %7s | %13s |\n", what, base, "ns", "middle half");
	printf("| :-------------------------------- | ------: | ------: | ------------: |\n");
	table_name = what;
}

/* The same, telling how far the ratio is to be trusted. */
static inline void row_spread(const struct series *s, unsigned int rounds,
			      const struct series *base)
{
	struct quartiles r = ratios(s, base, rounds);
	struct quartiles q = quartiles(s->ns, rounds);

	printf("| %-33s | %7.3f | %6.3f - %6.3f | %8.0f | %7.0f - %8.0f |\n",
	       s->name, r.median, r.low, r.high, q.median, q.low, q.high);
	raw_csv(s, rounds);
}

static inline void head_spread(const char *what, const char *base)
{
	printf("\n| %-33s | %7s | %15s | %8s | %18s |\n", what, base,
	       "middle half", "ns", "middle half");
	printf("| :-------------------------------- | ------: | --------------: | -------: | -----------------: |\n");
	table_name = what;
}

#endif /* RINGBUF_BENCH_H */
