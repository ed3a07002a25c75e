/* SPDX-License-Identifier: GPL-2.0 */
/* The clocks of rings, by name, as the library and as the kernel number them. */
#ifndef RINGBUF_CLI_CLOCK_H
#define RINGBUF_CLI_CLOCK_H

/* Words of --clock, for messages. */
#define CLOCK_NAMES	"boottime, monotonic, realtime, tai or none"

/* enum ringbuf_clock of a name, or -1. */
int clock_find(const char *name);

/* struct ringbuf_info::clockid of a name; that of no clock for an unknown one. */
int clock_id(const char *name);

/* The name of a clockid. */
const char *clock_name(int id);

#endif /* RINGBUF_CLI_CLOCK_H */
