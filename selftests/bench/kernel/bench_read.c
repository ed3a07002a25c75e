// SPDX-License-Identifier: GPL-2.0
/* read() without the system call around it. */

#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>
#include "bench.h"

static int read_all(struct file *file, void *buf, struct kbench_read *r)
{
	loff_t pos = 0;
	ssize_t n;
	u32 i;
	u64 start = ktime_get_ns();

	r->bytes = 0;
	for (i = 0; i < r->calls; i++) {
		n = kernel_read(file, buf, r->size, &pos);
		if (n <= 0)
			return n ?: -ENODATA;
		r->bytes += n;
	}
	r->ns = ktime_get_ns() - start;
	return 0;
}

int kbench_read(struct kbench_read *r)
{
	struct file *file;
	void *buf;
	int ret;

	if (!r->size || r->size > SZ_1M)
		return -EINVAL;
	buf = vmalloc(r->size);
	if (!buf)
		return -ENOMEM;
	file = fget(r->fd);
	ret = file ? read_all(file, buf, r) : -EBADF;
	if (file)
		fput(file);
	vfree(buf);
	return ret;
}
