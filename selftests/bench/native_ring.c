// SPDX-License-Identifier: GPL-2.0

#include <stdlib.h>
#include <string.h>
#include "core_test.h"
#include "native_ring.h"

struct native_ring {
	struct test_ring ring;
};

struct native_ring *native_ring_open(uint64_t size)
{
	const struct ringbuf_mark start = {};
	struct native_ring *n = aligned_alloc(64, (sizeof(*n) + 63) & ~63UL);

	if (!n)
		return NULL;
	memset(n, 0, sizeof(*n));
	if (test_storage_alloc(&n->ring, size))
		return NULL;
	memset(n->ring.page, 0, TEST_PAGE_SIZE);
	ringbuf_core_init(&n->ring.core, n->ring.page, n->ring.head_page,
			  n->ring.data, size, &start);
	return n;
}

const struct ringbuf_page *native_ring_page(const struct native_ring *ring)
{
	return ring->ring.page;
}

const struct ringbuf_head *native_ring_head(const struct native_ring *ring)
{
	return ring->ring.head_page;
}

const void *native_ring_data(const struct native_ring *ring)
{
	return ring->ring.data;
}

void native_ring_write(struct native_ring *ring, const void *data, size_t len)
{
	struct ringbuf_core *core = &ring->ring.core;

	memcpy(ringbuf_core_reserve(core, len, 0), data, len);
	ringbuf_core_commit(core, 0);
	ringbuf_core_publish(core);
}
