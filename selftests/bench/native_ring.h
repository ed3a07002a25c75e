/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A ring made by the kernel's own core, in this process. Apart from who reads
 * it, for the core's header and the library's share names.
 */
#ifndef NATIVE_RING_H
#define NATIVE_RING_H

#include <stddef.h>
#include <stdint.h>

struct native_ring;
struct ringbuf_page;
struct ringbuf_head;

/* NULL when there is no memory. */
struct native_ring *native_ring_open(uint64_t size);
const struct ringbuf_page *native_ring_page(const struct native_ring *ring);
const struct ringbuf_head *native_ring_head(const struct native_ring *ring);
const void *native_ring_data(const struct native_ring *ring);
void native_ring_write(struct native_ring *ring, const void *data, size_t len);

#endif /* NATIVE_RING_H */
