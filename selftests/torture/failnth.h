/* SPDX-License-Identifier: GPL-2.0 */
/* Calls that are made to fail: what failnth.c runs, and failnth_calls.c has. */
#ifndef FAILNTH_H
#define FAILNTH_H

#include <stdbool.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define DEV		"/dev/ringbuf"

/* What a call that was made to fail may answer, besides what is right. */
#define PARTIAL		1	/* success: it did without, or did less */
#define ONLY_OURS	2	/* elsewhere it is the kernel's own business */
#define NO_FAULT	4	/* there is nothing in it that can fail in the module */
#define SLOW		8	/* a second each: some of them will do, unless asked for */

struct scenario {
	const char *name;
	void (*prepare)(void);
	long (*call)(void);
	int flags;
};

extern const struct scenario scenarios[];
extern const unsigned int n_scenarios;

void die(const char *what);
bool put(const char *path, const char *format, ...);
bool loaded(void);

/* The module with a ring for most calls; a buffer; nothing is open. */
void set_up_calls(void);
/* Whatever the last call left behind goes. */
void tidy(void);

#endif /* FAILNTH_H */
