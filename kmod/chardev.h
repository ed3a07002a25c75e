/* SPDX-License-Identifier: GPL-2.0 */
/* The ring as a character device. */
#ifndef _RINGBUF_CHARDEV_H
#define _RINGBUF_CHARDEV_H

#include <linux/fs.h>

struct ringbuf;
struct ringbuf_info;

extern const struct file_operations ringbuf_fops;

void ringbuf_get_info(struct ringbuf *rb, struct ringbuf_info *info);

#endif /* _RINGBUF_CHARDEV_H */
