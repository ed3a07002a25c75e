/* SPDX-License-Identifier: GPL-2.0 */
/* What was written, and what a reader may be shown of it. */
#ifndef RINGBUF_FILE_SHADOW_H
#define RINGBUF_FILE_SHADOW_H

#include "shim.h"

extern struct ringbuf *rb;

void forget(void);
void remember(u64 pos, u64 seq);
bool was_written(u64 seq, const u8 *payload, u32 len);
bool was_part(u64 seq, u64 at, const u8 *piece, u32 len);
u32 length_of(u64 seq);
ssize_t run_result(const u8 *p, size_t n, size_t good);
void check_frames(const u8 *p, size_t n, u64 seq, bool gaps);
unsigned int known_ioctl(unsigned int i);
long ioctl_result(fmode_t mode, unsigned int cmd, const u8 *p, size_t good);

#endif
