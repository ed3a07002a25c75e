// SPDX-License-Identifier: GPL-2.0
/* Storage for the core's tests in the kernel. */

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "core_test.h"

int test_storage_alloc(struct test_ring *ring, u64 size)
{
	unsigned long i, n = size >> PAGE_SHIFT;
	struct page **pages;

	ring->size = size;
	pages = kvcalloc(2 * n, sizeof(*pages), GFP_KERNEL);
	ring->priv = pages;
	ring->page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!pages || !ring->page)
		return -ENOMEM;
	ring->head_page = (void *)ring->page + TEST_HEAD_OFFSET;
	for (i = 0; i < n; i++) {
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		pages[n + i] = pages[i];
		if (!pages[i])
			return -ENOMEM;
	}
	ring->data = vmap(pages, 2 * n, VM_MAP, PAGE_KERNEL);
	return ring->data ? 0 : -ENOMEM;
}

void test_storage_free(struct test_ring *ring)
{
	unsigned long i, n = ring->size >> PAGE_SHIFT;
	struct page **pages = ring->priv;

	vunmap(ring->data);
	for (i = 0; pages && i < n && pages[i]; i++)
		__free_page(pages[i]);
	kvfree(pages);
	free_page((unsigned long)ring->page);
}
