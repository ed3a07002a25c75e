/* SPDX-License-Identifier: GPL-2.0 */
/* The loaded module's ring, as suites of the producer API have it. */
#ifndef _RINGBUF_TEST_DEVICE_H
#define _RINGBUF_TEST_DEVICE_H

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <kunit/test.h>
#include "compat.h"
#include "contexts.h"
#include "ringbuf.h"

#define DEVICE	"/dev/ringbuf"

/* After 6.18 a kthread, in which tests run, has no root to find files from. */
#ifndef scoped_with_init_fs
#define scoped_with_init_fs()
#endif

static inline struct file *open_path(const char *path, int flags)
{
	struct file *file = NULL;

	scoped_with_init_fs()
		file = filp_open(path, flags, 0);
	return file;
}

/* Not kernel_read(), which is for files without a read() of their own. */
static inline ssize_t read_device(struct file *file, void *buf, size_t size)
{
	struct kvec vec = { .iov_base = buf, .iov_len = size };
	struct iov_iter to;
	loff_t pos = 0;

	iov_iter_kvec(&to, ITER_DEST, &vec, 1, size);
	return vfs_iter_read(file, &to, &pos, 0);
}

/* For KUNIT_ARRAY_PARAM(), whose functions differ between kernels. */
static inline void test_context_name(const struct context *context, char *desc)
{
	strscpy(desc, context->name, KUNIT_PARAM_DESC_SIZE);
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
