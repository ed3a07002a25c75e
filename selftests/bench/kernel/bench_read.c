// SPDX-License-Identifier: GPL-2.0
/*
 * Reading without the system call around it, into memory of the kernel: the way of
 * readv(), since kernel_read() takes no file that has another one for read().
 */

#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/uio.h>
#include "bench.h"

static ssize_t read_once(struct file *file, void *buf, u32 size)
{
	struct kvec vec = { .iov_base = buf, .iov_len = size };
	struct iov_iter iter;
	loff_t pos = 0;

	iov_iter_kvec(&iter, ITER_DEST, &vec, 1, size);
	return vfs_iter_read(file, &iter, &pos, 0);
}

static int read_all(struct file *file, void *buf, struct kbench_read *r)
{
	ssize_t n;
	u32 i;
	u64 start = ktime_get_ns();

	r->bytes = 0;
	for (i = 0; i < r->calls; i++) {
		n = read_once(file, buf, r->size);
		if (n <= 0)
			return n ?: -ENODATA;
		r->bytes += n;
	}
	r->ns = ktime_get_ns() - start;
	return 0;
}

int kbench_read(struct kbench_read *r)
{
	static u8 buf[SZ_64K] __aligned(PAGE_SIZE);
	struct file *file;
	int ret;

	if (!r->size || r->size > sizeof(buf))
		return -EINVAL;
	file = fget(r->fd);
	if (!file)
		return -EBADF;
	/* There, and as warm as a reader's that is used again and again. */
	memset(buf, 0, r->size);
	ret = read_all(file, buf, r);
	fput(file);
	return ret;
}
