/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/ringbuf-poke: publishes a record, in a context of one's choice. */
#ifndef POKE_H
#define POKE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct poke - What to publish
 * @context: number of the context, from 0 on
 * @elsewhere: on another CPU, if the context can be had there
 * @number: payload of the record, 4 bytes; 0: none, but say @name
 * @name: out: of the context
 *
 * ENOENT: no such context. EIO: it could not be entered, or was another one.
 */
struct poke {
	__u32	context;
	__u32	elsewhere;
	__u32	number;
	char	name[20];
};

#define POKE	_IOWR(0xBC, 0x80, struct poke)

#endif /* POKE_H */
