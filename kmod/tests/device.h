/* SPDX-License-Identifier: GPL-2.0 */
/* The loaded module's ring, as suites of the producer API have it. */
#ifndef _RINGBUF_TEST_DEVICE_H
#define _RINGBUF_TEST_DEVICE_H

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include "contexts.h"
#include "ringbuf.h"

#define DEVICE	"/dev/ringbuf"

static inline ssize_t read_device(struct file *file, void *buf, size_t size)
{
	loff_t pos = 0;

	return kernel_read(file, buf, size, &pos);
}

/* Either may never have been there. */
static inline void device_exit(struct ringbuf *rb, struct file *reader)
{
	contexts_exit();
	if (!IS_ERR_OR_NULL(rb))
		ringbuf_producer_put(rb);
	if (!IS_ERR_OR_NULL(reader))
		fput(reader);
}

#endif /* _RINGBUF_TEST_DEVICE_H */
