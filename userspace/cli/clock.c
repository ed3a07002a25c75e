// SPDX-License-Identifier: GPL-2.0
/* The clocks of rings, by name, as the library and as the kernel number them. */

#include <stddef.h>
#include <string.h>
#include <time.h>
#include <libringbuf.h>
#include "clock.h"

static const struct {
	const char *name;
	int id;
} clocks[] = {
	[RINGBUF_CLOCK_BOOTTIME] = { "boottime", CLOCK_BOOTTIME },
	[RINGBUF_CLOCK_MONOTONIC] = { "monotonic", CLOCK_MONOTONIC },
	[RINGBUF_CLOCK_REALTIME] = { "realtime", CLOCK_REALTIME },
	[RINGBUF_CLOCK_TAI] = { "tai", CLOCK_TAI },
	[RINGBUF_CLOCK_OFF] = { "none", RINGBUF_CLOCK_NONE },
};

#define N_CLOCKS	(sizeof(clocks) / sizeof(*clocks))

int clock_find(const char *name)
{
	size_t i;

	for (i = 0; i < N_CLOCKS; i++)
		if (!strcmp(clocks[i].name, name))
			return i;
	return -1;
}

int clock_id(const char *name)
{
	int clock = clock_find(name);

	return clock < 0 ? RINGBUF_CLOCK_NONE : clocks[clock].id;
}

const char *clock_name(int id)
{
	size_t i;

	for (i = 0; i < N_CLOCKS; i++)
		if (clocks[i].id == id)
			return clocks[i].name;
	return "unknown";
}
