/* SPDX-License-Identifier: GPL-2.0 */
/* A ring that stands still while its reader is looked at, step by step. */
#ifndef LIB_STILL_H
#define LIB_STILL_H

#include "lib_host.h"

#define W1	13			/* words of a record of 128 bytes */

#define START(size)							\
	struct feed *f = feed_new(size, 0, 0);				\
	struct ringbuf_reader *r = host_reader(f, 0, 0);		\
	struct ringbuf_entry e

#define END() do {							\
	host_close(r);							\
	feed_free(f);							\
	return true;							\
} while (0)

static inline void put_many(struct feed *f, int n)
{
	while (n--)
		feed_put(f, W1);
}

#endif
