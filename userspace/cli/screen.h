/* SPDX-License-Identifier: GPL-2.0 */
/* A terminal, all of it, for as long as a command runs. */
#ifndef RINGBUF_CLI_SCREEN_H
#define RINGBUF_CLI_SCREEN_H

#include "out.h"

/* What screen_wait() returns besides keys. */
enum {
	SCREEN_TIMEOUT = -1,
	SCREEN_REDRAW = -2,	/* another size, or back from a stop */
	SCREEN_END = -3,	/* by the signal that screen_signal() tells */
};

/* False when standard output is no terminal that could do it. */
bool screen_open(void);
void screen_close(void);

void screen_size(size_t *rows, size_t *columns);

/* Shows the lines of @frame, as many as fit, and empties it. */
int screen_show(struct out *frame);

/* Waits for a key, at most until @until on the clock of cli_now(). */
int screen_wait(uint64_t until);
int screen_signal(void);

#endif /* RINGBUF_CLI_SCREEN_H */
