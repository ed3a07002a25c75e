// SPDX-License-Identifier: GPL-2.0
/*
 * From the CSV of run to Markdown: ratios first, medians and the middle half of
 * all rounds.  report <CSV
 */

#include <err.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ROUNDS	1001
#define NAME		64

struct series {
	char shape[NAME], peer[NAME];
	unsigned int readers, batch;
	unsigned long long records;
	bool limit;
	double ns[MAX_ROUNDS];		/* NAN: not in this round */
};

#include "../report.h"

static bool same_case(const struct series *a, const struct series *b)
{
	return !strcmp(a->shape, b->shape) && a->readers == b->readers &&
	       a->batch == b->batch && a->records == b->records;
}

static struct series *find(const char *shape, unsigned int readers,
			   unsigned int batch, unsigned long long records,
			   const char *peer)
{
	for (unsigned int i = 0; i < n_series; i++) {
		struct series *s = all[i];

		if (!strcmp(s->shape, shape) && s->readers == readers &&
		    s->batch == batch && s->records == records &&
		    !strcmp(s->peer, peer))
			return s;
	}
	return NULL;
}

static struct series *series_of(const struct series *key)
{
	struct series *s = find(key->shape, key->readers, key->batch,
				key->records, key->peer);

	return s ?: series_new(key);
}

static void read_csv(void)
{
	static struct series key;
	char line[512], kind[NAME];
	unsigned int round;
	double ns;

	if (!fgets(line, sizeof(line), stdin))
		errx(1, "nothing to report");
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%u,%63[^,],%u,%u,%llu,%63[^,],%63[^,],%lf",
			   &round, key.shape, &key.readers, &key.batch,
			   &key.records, key.peer, kind, &ns) != 8 ||
		    round >= MAX_ROUNDS)
			errx(1, "not a line of ours: %s", line);
		key.limit = !strcmp(kind, "limit");
		series_put(series_of(&key), round, ns);
	}
}

/*
 * How far the two CPUs were from each other, by the time that a cache line took.
 * A host moves the CPUs of a virtual machine about, and that changes all.
 */
static const struct distance {
	const char *name;
	double from, to;
} distances[] = {
	{ "all rounds", 0, INFINITY },
	{ "near (as threads of one core: a cache line takes less than 32 ns)", 0, 32 },
	{ "middling (as cores that share a cache: 32 to 100 ns)", 32, 100 },
	{ "far (as cores that share none: more than 100 ns)", 100, INFINITY },
};

#define DISTANCES	(sizeof(distances) / sizeof(distances[0]))

static const struct distance *wanted = &distances[0];

static bool is_wanted(const struct series *s, unsigned int round)
{
	const struct series *line;

	if (wanted == &distances[0])
		return true;
	line = find("broadcast", 1, s->batch, 0,
		    "cache line handed over and back (half)");
	return line && line->ns[round] >= wanted->from &&
	       line->ns[round] < wanted->to;
}

/* Of @s, or of the ratios to @base within a round. */
static struct quartiles quartiles(const struct series *s,
				  const struct series *base)
{
	static double v[MAX_ROUNDS];
	unsigned int n = 0;

	for (unsigned int i = 0; i < rounds; i++) {
		double x = base ? s->ns[i] / base->ns[i] : s->ns[i];

		if (!isnan(x) && is_wanted(s, i) && (!base || is_wanted(base, i)))
			v[n++] = x;
	}
	return quartiles_of(v, n);
}

static int compare_series(const void *a, const void *b)
{
	double x = quartiles(*(struct series **)a, NULL).median;
	double y = quartiles(*(struct series **)b, NULL).median;

	return (x > y) - (x < y);
}

static const char *ns_text(double ns)
{
	static char text[4][32];
	static unsigned int i;
	char *t = text[i++ % 4];

	snprintf(t, sizeof(text[0]), ns < 100 ? "%.1f" : "%.0f", ns);
	return t;
}

static void row(const struct series *s, const struct series *ours)
{
	struct quartiles r = quartiles(ours, s), q = quartiles(s, NULL);
	char name[NAME + 16];

	snprintf(name, sizeof(name), s->limit ? "*%s*" : "%s", s->peer);
	printf("| %-42s | %7.3f | %7.3f - %7.3f | %8s | %7s - %7s |\n", name,
	       r.median, r.low, r.high, ns_text(q.median), ns_text(q.low),
	       ns_text(q.high));
}

static void title(const struct series *s)
{
	char text[128];

	if (s->records)
		snprintf(text, sizeof(text), "%s, %llu integers", s->shape,
			 s->records);
	else
		snprintf(text, sizeof(text), "to %u reader%s, %u at once",
			 s->readers, s->readers > 1 ? "s" : "", s->batch);
	printf("\n| %-42s | ringbuf | %17s | %8s | %17s |\n", text,
	       "middle half", "ns", "middle half");
	printf("| :----------------------------------------- | ------: | ----------------: | -------: | ----------------: |\n");
}

/* All that have been measured as @first was. */
static void table(const struct series *first)
{
	struct series *in[MAX_SERIES], *ours;
	unsigned int n = 0;

	ours = find(first->shape, first->readers, first->batch, first->records,
		    "ringbuf");
	if (!ours)
		return;
	for (unsigned int i = 0; i < n_series; i++) {
		if (same_case(all[i], first))
			in[n++] = all[i];
	}
	qsort(in, n, sizeof(*in), compare_series);
	title(first);
	for (unsigned int i = 0; i < n; i++)
		row(in[i], ours);
}

static void tables(void)
{
	for (unsigned int i = 0; i < n_series; i++) {
		unsigned int before = 0;

		while (!same_case(all[before], all[i]))
			before++;
		if (before == i)
			table(all[i]);
	}
}

/* The fastest of all in the broadcast that is no limit, nor ours. */
static struct series *best_peer(unsigned int readers, unsigned int batch)
{
	struct series *best = NULL;

	for (unsigned int i = 0; i < n_series; i++) {
		struct series *s = all[i];

		if (strcmp(s->shape, "broadcast") || s->readers != readers ||
		    s->batch != batch || s->limit ||
		    !strncmp(s->peer, "ringbuf", strlen("ringbuf")))
			continue;
		if (!best || compare_series(&s, &best) < 0)
			best = s;
	}
	return best;
}

static void target(unsigned int readers, unsigned int batch, double at_most,
		   const struct series *base)
{
	const struct series *ours = find("broadcast", readers, batch, 0,
					 "ringbuf");
	struct quartiles q;

	if (!ours || !base)
		return;
	q = quartiles(ours, base);
	if (!q.n)
		return;
	printf("| %u reader%s, %2u at once | %-42s | %4.2f | %7.3f | %5.3f - %5.3f | %-3s |\n",
	       readers, readers > 1 ? "s" : "", batch, base->peer, at_most,
	       q.median, q.low, q.high, q.median <= at_most ? "yes" : "no");
}

static void target_of(unsigned int readers, unsigned int batch, double at_most,
		      unsigned int peer_batch, const char *peer)
{
	target(readers, batch, at_most,
	       find("broadcast", readers, peer_batch, 0, peer));
}

/* Who has no batches is taken one by one. */
static void targets(void)
{
	const struct series *any = find("broadcast", 1, 1, 0, "ringbuf");
	unsigned int n = any ? quartiles(any, NULL).n : 0;

	if (!n)
		return;
	printf("\nThe CPUs: %s; %u round%s.\n", wanted->name, n,
	       n > 1 ? "s" : "");
	printf("\n| %-20s | %-42s | %4s | %7s | %13s | %-3s |\n", "ringbuf",
	       "of", "goal", "median", "middle half", "met");
	printf("| :------------------- | :----------------------------------------- | ---: | ------: | ------------: | :-- |\n");
	target_of(1, 1, 0.25, 1, "the ancestor");
	target_of(1, 1, 0.4, 1, "boost spsc_queue");
	target_of(1, 1, 0.5, 1, "ck_ring");
	target_of(1, 16, 0.1, 1, "the ancestor");
	target(1, 16, 0.7, best_peer(1, 16));
	target_of(1, 64, 1.3, 64, "dirty lines streamed (88 bytes per record)");
	target_of(1, 64, 1.3, 64, "dirty lines read (88 bytes per record)");
	target_of(4, 16, 0.15, 1, "the ancestor");
	target(4, 16, 0.7, best_peer(4, 16));
}

int main(void)
{
	read_csv();
	printf("\nMedians of %u rounds, ns per record to all readers. The column *ringbuf*: its time\nin parts of the row's, in the same round. *Italics*: not transports, but limits.\n",
	       rounds);
	for (unsigned int i = 0; i < DISTANCES; i++) {
		wanted = &distances[i];
		targets();
	}
	wanted = &distances[0];
	tables();
	return 0;
}
