// SPDX-License-Identifier: GPL-2.0
/*
 * From CSV (setting,case,contender,round,ns) to Markdown: ratios first, which are
 * taken within a round, medians and the middle half of all.  report [-q] <CSV
 * With -q to CSV again: quartiles instead of rounds.
 */
#include <err.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ROUNDS	5001
#define NAME		64

struct series {
	char setting[NAME], where[NAME], name[NAME];
	double ns[MAX_ROUNDS];		/* NAN: not in this round */
};

#include "../report.h"

static struct series *find(const char *setting, const char *where,
			   const char *name)
{
	for (unsigned int i = 0; i < n_series; i++) {
		struct series *s = all[i];

		if (!strcmp(s->setting, setting) && !strcmp(s->where, where) &&
		    !strcmp(s->name, name))
			return s;
	}
	return NULL;
}

static struct series *series_of(const struct series *key)
{
	struct series *s = find(key->setting, key->where, key->name);

	return s ?: series_new(key);
}

static void read_csv(void)
{
	static struct series key;
	char line[512];
	unsigned int round;
	double ns;

	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "setting,case,contender,round,ns\n"))
			continue;
		if (sscanf(line, "%63[^,],%63[^,],%63[^,],%u,%lf", key.setting,
			   key.where, key.name, &round, &ns) != 5 ||
		    round >= MAX_ROUNDS)
			errx(1, "not a line of ours: %s", line);
		series_put(series_of(&key), round, ns);
	}
	if (!n_series)
		errx(1, "nothing to report");
}

/* Of @s, or of the ratios to @base within a round. */
static struct quartiles quartiles(const struct series *s,
				  const struct series *base)
{
	static double v[MAX_ROUNDS];
	unsigned int n = 0;

	for (unsigned int i = 0; i < rounds; i++) {
		double x = base ? s->ns[i] / base->ns[i] : s->ns[i];

		if (!isnan(x))
			v[n++] = x;
	}
	return quartiles_of(v, n);
}

static bool is_part(const struct series *s)
{
	return !strncmp(s->name, "part: ", 6);
}

/* Contenders by their medians, parts behind them. */
static int compare_series(const void *a, const void *b)
{
	const struct series *s = *(struct series **)a, *t = *(struct series **)b;
	double x, y;

	if (is_part(s) != is_part(t))
		return is_part(s) - is_part(t);
	x = quartiles(s, NULL).median;
	y = quartiles(t, NULL).median;
	return (x > y) - (x < y);
}

static void row(const struct series *s, const struct series *ours)
{
	struct quartiles r = quartiles(ours, s), q = quartiles(s, NULL);
	char name[NAME + 2];

	snprintf(name, sizeof(name), is_part(s) ? "*%s*" : "%s",
		 is_part(s) ? s->name + 6 : s->name);
	printf("| %-44s | %7.3f | %7.3f - %7.3f | %8.1f | %8.1f - %8.1f |\n",
	       name, r.median, r.low, r.high, q.median, q.low, q.high);
}

/* The first of ours in a case is what the others are compared with. */
static struct series *ours_in(const struct series *first)
{
	static const char *const names[] = { "ringbuf", "ringbuf FRAMED 64 KiB" };
	struct series *ours = NULL;

	for (unsigned int i = 0; !ours && i < 2; i++)
		ours = find(first->setting, first->where, names[i]);
	return ours;
}

static bool same_case(const struct series *a, const struct series *b)
{
	return !strcmp(a->setting, b->setting) && !strcmp(a->where, b->where);
}

static void table(const struct series *first)
{
	struct series *in[MAX_SERIES], *ours = ours_in(first);
	unsigned int n = 0;
	char title[2 * NAME + 8];

	if (!ours)
		return;
	for (unsigned int i = 0; i < n_series; i++) {
		if (same_case(all[i], first))
			in[n++] = all[i];
	}
	qsort(in, n, sizeof(*in), compare_series);
	snprintf(title, sizeof(title), "%s: %s", first->setting, first->where);
	printf("\n| %-44s | ringbuf | %17s | %8s | %19s |\n", title,
	       "middle half", "ns", "middle half");
	printf("| :------------------------------------------- | ------: | ----------------: | -------: | ------------------: |\n");
	for (unsigned int i = 0; i < n; i++)
		row(in[i], ours);
}

static const struct target {
	const char *where, *ours, *of;
	double at_most;
} targets[] = {
	{ "publish-64", "ringbuf", "ftrace ring_buffer", 0.5 },
	{ "publish-64", "ringbuf with timestamps", "ftrace ring_buffer", 0.5 },
	{ "publish-64", "ringbuf", "BPF ringbuf reserve and submit", 0.5 },
	{ "publish-64", "ringbuf", "BPF ringbuf output", 0.5 },
	{ "publish-64", "ringbuf", "memcpy and a release store", 2 },
	{ "publish-64", "ringbuf with 64 idle consumers", "ringbuf", 1.05 },
	{ "read-64-user", "ringbuf FRAMED 64 KiB", "pipe 64 bytes", 0.1 },
	{ "read-64-user", "ringbuf FRAMED 64 KiB with 64 idle consumers",
	  "ringbuf FRAMED 64 KiB", 1.05 },
	{ "read-64-kernel", "ringbuf FRAMED 64 KiB with 64 idle consumers",
	  "ringbuf FRAMED 64 KiB", 1.05 },
};

/* Ratios of the medians of one run. */
static void print_targets(const char *setting)
{
	printf("\n| %-10s | %-44s | %-30s | %4s | %7s | %15s | %-3s |\n", setting,
	       "ringbuf", "of", "goal", "ratio", "middle half", "met");
	printf("| :--------- | :------------------------------------------- | :----------------------------- | ---: | ------: | --------------: | :-- |\n");
	for (unsigned int i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		const struct target *t = &targets[i];
		struct series *ours = find(setting, t->where, t->ours);
		struct series *of = find(setting, t->where, t->of);
		struct quartiles q;
		double ratio;

		if (!ours || !of)
			continue;
		q = quartiles(ours, of);
		ratio = quartiles(ours, NULL).median / quartiles(of, NULL).median;
		printf("| %-10s | %-44s | %-30s | %4.2f | %7.3f | %6.3f - %6.3f | %-3s |\n",
		       strncmp(t->where, "read-64-", 8) ? t->where : t->where + 8,
		       t->ours, t->of, t->at_most, ratio, q.low, q.high,
		       ratio <= t->at_most ? "yes" : "no");
	}
}

static void tables(const char *setting)
{
	static const char *const cases[] = {
		"publish-16", "publish-64", "publish-256", "publish-1024",
		"publish-4096", "read-64-user", "read-64-kernel",
	};

	for (unsigned int c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		unsigned int i = 0;

		while (i < n_series && (strcmp(all[i]->setting, setting) ||
					strcmp(all[i]->where, cases[c])))
			i++;
		if (i < n_series)
			table(all[i]);
	}
}

static bool measured(const char *setting)
{
	for (unsigned int i = 0; i < n_series; i++) {
		if (!strcmp(all[i]->setting, setting))
			return true;
	}
	return false;
}

static void print_quartiles(void)
{
	printf("setting,case,contender,low,median,high\n");
	for (unsigned int i = 0; i < n_series; i++) {
		const struct series *s = all[i];
		struct quartiles q = quartiles(s, NULL);

		printf("%s,%s,%s,%.3f,%.3f,%.3f\n", s->setting, s->where,
		       s->name, q.low, q.median, q.high);
	}
}

int main(int argc, char **argv)
{
	static const char *const settings[] = { "uml", "vm", "icount" };

	read_csv();
	if (argc > 1 && !strcmp(argv[1], "-q")) {
		print_quartiles();
		return 0;
	}
	for (unsigned int i = 0; i < 3; i++) {
		if (measured(settings[i]))
			print_targets(settings[i]);
	}
	printf("\nMedians, ns per record. The column *ringbuf*: its time in parts of the row's, in\nthe same round. *Italics*: no contenders, but what costs what.\n");
	for (unsigned int i = 0; i < 3; i++)
		tables(settings[i]);
	return 0;
}
