// SPDX-License-Identifier: GPL-2.0
/* Options, and what was probably meant by those that do not exist. */

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include "options.h"

#define LONGEST	32

static int min3(int a, int b, int c)
{
	int m = a < b ? a : b;

	return m < c ? m : c;
}

/* How many letters to add, drop or change; those beyond @LONGEST do not count. */
static int distance(const char *a, const char *b)
{
	int la = strnlen(a, LONGEST), lb = strnlen(b, LONGEST);
	int row[LONGEST + 1];
	int i, j, above, left;

	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		above = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			left = row[j];
			row[j] = min3(above + (a[i - 1] != b[j - 1]),
				      row[j] + 1, row[j - 1] + 1);
			above = left;
		}
	}
	return row[lb];
}

void nearest_consider(struct nearest *n, const char *name)
{
	int d = distance(n->wanted, name);

	/* What it is the beginning of, is nearer than its length tells. */
	if (d > 1 && *n->wanted &&
	    !strncmp(n->wanted, name, strlen(n->wanted)))
		d = 1;
	/* Not more than every second letter wrong. */
	if (d > 3 || 2 * d > (int)strlen(name))
		return;
	if (!n->name || d < n->distance) {
		n->name = name;
		n->distance = d;
	}
}

static void unknown_long(const char *command, const char *arg,
			 const struct option *longs)
{
	char wanted[LONGEST + 1];
	struct nearest near = { .wanted = wanted };

	snprintf(wanted, sizeof(wanted), "%.*s", (int)strcspn(arg + 2, "="),
		 arg + 2);
	for (; longs->name; longs++)
		nearest_consider(&near, longs->name);
	if (near.name)
		cli_usage(command, "%s: no option '%s'; did you mean --%s?",
			  command, arg, near.name);
	else
		cli_usage(command, "%s: no option '%s'", command, arg);
}

/* A long one that was given a value; of a letter there would be no such option. */
static bool is_letter_of(const struct option *longs, int letter)
{
	for (; longs->name; longs++)
		if (longs->val == letter)
			return true;
	return false;
}

int cli_getopt(int argc, char **argv, const char *options,
	       const struct option *longs)
{
	const char *arg;
	int opt;

	opterr = 0;
	opt = getopt_long(argc, argv, options, longs, NULL);
	if (opt != '?' && opt != ':')
		return opt;
	/* Of a letter that has others behind it that is the word before. */
	arg = argv[optind - 1];
	if (opt == ':')
		cli_usage(argv[0], "%s: option '%s' needs a value", argv[0],
			  arg);
	else if (optopt && is_letter_of(longs, optopt))
		cli_usage(argv[0], "%s: option '%.*s' takes no value", argv[0],
			  (int)strcspn(arg, "="), arg);
	else if (optopt)
		cli_usage(argv[0], "%s: no option '-%c'", argv[0], optopt);
	else
		unknown_long(argv[0], arg, longs);
	return '?';
}

int cli_json(int argc, char **argv, const char *help, bool *json)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	int opt;

	while ((opt = cli_getopt(argc, argv, ":jh", longs)) != -1) {
		if (opt == 'h')
			return cli_help(argv[0], help);
		if (opt != 'j')
			return EXIT_USAGE;
		*json = true;
	}
	return -1;
}
