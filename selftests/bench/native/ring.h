/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's core as a producer for other processes. Apart from who reads it,
 * for the core's header and the library's share names.
 */
#ifndef RINGBUF_BENCH_RING_H
#define RINGBUF_BENCH_RING_H

#include "peer.h"

struct ringbuf_page;
struct ringbuf_head;

/* A ring in shared memory, as the module makes it for reliable=1. */
struct bench_ring {
	uint64_t size;
	struct ringbuf_page *page;
	struct ringbuf_head *head_page;
	unsigned char *data;		/* mapped twice in a row */
	struct bench_core *core;
	/* How far each reader is: what RINGBUF_IOC_ADVANCE tells the kernel. */
	uint64_t *holds[MAX_READERS];
};

void bench_ring_open(struct bench_ring *ring, uint64_t size,
		     unsigned int readers);
void bench_ring_close(struct bench_ring *ring);
void bench_ring_produce(const struct bench_ring *ring, struct job *job);
/* One record of one integer, published; false when a reader holds the space. */
bool bench_ring_put(const struct bench_ring *ring, uint64_t n);

#endif /* RINGBUF_BENCH_RING_H */
