// SPDX-License-Identifier: GPL-2.0
/*
 * The core alone, with a copy of it in line: no call into ringbuf.ko, no look for
 * sleepers, no tracepoint. And what cannot be done without: a copy and a release.
 */

#include <linux/mm.h>
#include <linux/vmalloc.h>
#include "core.c"
#include "cursor.c"
#include "hold.c"
#include "bench.h"

#define PAGES	(KBENCH_BUFFER >> PAGE_SHIFT)

static struct page *pages[2 * PAGES];
static struct ringbuf_page *exported;
static struct ringbuf_head *exported_head;
static void *area;
static struct ringbuf_core core;

static __always_inline int publish(u32 len, u32 count, u32 batch)
{
	void *payload;
	u32 i;

	for (i = 1; i <= count; i++) {
		payload = ringbuf_core_reserve(&core, len, 1);
		if (unlikely(!payload))
			return -ENOSPC;
		memcpy(payload, kbench_payload, len);
		ringbuf_core_commit(&core, 0);
		if (i % batch == 0)
			ringbuf_core_publish(&core);
	}
	return 0;
}

/* See fill() in bench_ours.c. */
static int prepare_core(u32 len)
{
	static u32 filled;

	if (filled == len)
		return 0;
	filled = len;
	return publish(len, KBENCH_BUFFER / len, 1);
}

static int run_core(u32 len, u32 count)
{
	return publish(len, count, 1);
}

static int run_core_16(u32 len, u32 count)
{
	return publish(len, count, 16);
}

/* In a buffer like the others', behind a position, as records without a header. */
static __always_inline int release(u32 len, u32 frame, u32 count)
{
	static u64 pos ____cacheline_aligned;

	while (count--) {
		memcpy(core.data + (pos & (KBENCH_BUFFER - 1)), kbench_payload,
		       len);
		/* Nobody reads it: what is wanted is what it costs. */
		smp_store_release(&pos, pos + frame);
	}
	return 0;
}

static int run_release(u32 len, u32 count)
{
	return release(len, ALIGN(len, 8), count);
}

/* As many bytes as a record has with its header. */
static int run_release_frame(u32 len, u32 count)
{
	u32 frame = RINGBUF_FRAME_SIZE(len);

	len = min_t(u32, frame, KBENCH_LEN_MAX);
	/* A bound that the compiler knew would be another memcpy(). */
	OPTIMIZER_HIDE_VAR(len);
	return release(len, frame, count);
}

const struct contender kbench_core[] = {
	{ .name = "memcpy and a release store", .run = run_release },
	{ .name = "part: memcpy of the frame and a release store",
	  .run = run_release_frame },
	{ .name = "part: core alone in line", .prepare = prepare_core,
	  .run = run_core },
	{ .name = "part: core alone in line 16 at once", .prepare = prepare_core,
	  .run = run_core_16 },
	{}
};

int kbench_core_init(void)
{
	const struct ringbuf_mark start = {};
	unsigned int i;

	exported = (void *)get_zeroed_page(GFP_KERNEL);
	exported_head = (void *)get_zeroed_page(GFP_KERNEL);
	if (!exported)
		return -ENOMEM;
	for (i = 0; i < PAGES; i++) {
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!pages[i])
			return -ENOMEM;
		pages[PAGES + i] = pages[i];
	}
	area = vmap(pages, 2 * PAGES, VM_MAP, PAGE_KERNEL);
	if (!area)
		return -ENOMEM;
	ringbuf_core_init(&core, exported, exported_head, area, KBENCH_BUFFER,
			  &start);
	return 0;
}

void kbench_core_exit(void)
{
	unsigned int i;

	vunmap(area);
	for (i = 0; i < PAGES && pages[i]; i++)
		__free_page(pages[i]);
	free_page((unsigned long)exported);
	free_page((unsigned long)exported_head);
}
