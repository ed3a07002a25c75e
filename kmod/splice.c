// SPDX-License-Identifier: GPL-2.0
/*
 * splice() into a ring. What a pipe holds has no ends but those of its buffers, so
 * each of them becomes a record: a write() into a pipe with O_DIRECT has one to
 * itself, other pipes fill pages. A run of frames goes on from buffer to buffer.
 */

#include <linux/bvec.h>
#include <linux/pipe_fs_i.h>
#include <linux/splice.h>
#include "compat.h"
#include "file.h"

static int splice_buffer(struct pipe_inode_info *pipe, struct pipe_buffer *buf,
			 struct splice_desc *sd)
{
	struct bio_vec bvec = {
		.bv_page = buf->page,
		.bv_offset = buf->offset,
		.bv_len = sd->len,
	};
	struct iov_iter from;
	struct kiocb kiocb;

	iov_iter_bvec(&from, ITER_SOURCE, &bvec, 1, sd->len);
	init_sync_kiocb(&kiocb, sd->u.file);
	return ringbuf_write_iter(&kiocb, &from);
}

/**
 * ringbuf_splice_write() - splice() from a pipe into a ring
 * @pipe: the pipe
 * @out: the writer's file
 * @ppos: not used
 * @len: bytes, at most
 * @flags: SPLICE_F_*
 *
 * A writer that waits for a reliable consumer keeps the pipe locked meanwhile, as
 * splicing to any file does.
 *
 * Context: task; may sleep.
 *
 * Return: bytes that became records; an errno as for write(), if none did.
 */
ssize_t ringbuf_splice_write(struct pipe_inode_info *pipe, struct file *out,
			     loff_t *ppos, size_t len, unsigned int flags)
{
	struct ringbuf_file *rf = out->private_data;
	struct splice_desc sd = {
		.total_len = len,
		.flags = flags,
		.u.file = out,
	};
	ssize_t ret;

	if (READ_ONCE(rf->writer_flags) & RINGBUF_WRITER_FRAMED)
		return iter_file_splice_write(pipe, out, ppos, len, flags);
	pipe_lock(pipe);
	ret = __splice_from_pipe(pipe, &sd, splice_buffer);
	pipe_unlock(pipe);
	return ret;
}
