// SPDX-License-Identifier: GPL-2.0
/* The producer API of kmod/ringbuf.h, as another module's, whole and in parts. */

#include <linux/err.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <asm/barrier.h>
#include "ringbuf.h"
#include "bench.h"

static struct ringbuf *plain, *stamped;

static __always_inline int publish(struct ringbuf *rb, u32 len, u32 count,
				   unsigned int flags)
{
	void *payload;

	while (count--) {
		payload = ringbuf_reserve(rb, len, 1);
		if (unlikely(!payload))
			return -ENOSPC;
		memcpy(payload, kbench_payload, len);
		ringbuf_commit(rb, flags);
	}
	return 0;
}

/*
 * What is written over costs, too, by how many records it is: they are to be as
 * large as those that are written.
 */
static int fill(struct ringbuf *rb, u32 *filled, u32 len)
{
	if (*filled == len)
		return 0;
	*filled = len;
	return publish(rb, len, KBENCH_BUFFER / len, 0);
}

static int prepare_plain(u32 len)
{
	static u32 filled;

	return fill(plain, &filled, len);
}

static int prepare_stamped(u32 len)
{
	static u32 filled;

	return fill(stamped, &filled, len);
}

static int run_plain(u32 len, u32 count)
{
	return publish(plain, len, count, 0);
}

static int run_stamped(u32 len, u32 count)
{
	return publish(stamped, len, count, 0);
}

static int run_nowake(u32 len, u32 count)
{
	return publish(plain, len, count, RINGBUF_COMMIT_NOWAKE);
}

/* Published in sixteens. */
static int run_deferred(u32 len, u32 count)
{
	int ret;

	do {
		ret = publish(plain, len, 1,
			      --count % 16 ? RINGBUF_COMMIT_DEFER : 0);
	} while (count && !ret);
	return ret;
}

static int run_write(u32 len, u32 count)
{
	int ret = 0;

	while (count-- && !ret)
		ret = ringbuf_write(plain, kbench_payload, len, 1);
	return ret;
}

/* Where the time goes: what a publish consists of, alone. */
static int run_clock(u32 len, u32 count)
{
	u64 sum = 0;

	while (count--)
		sum += ktime_get_mono_fast_ns();
	OPTIMIZER_HIDE_VAR(sum);
	return 0;
}

static int run_mb(u32 len, u32 count)
{
	while (count--) {
		/* Orders nothing: what is wanted is what it costs. */
		smp_mb();
	}
	return 0;
}

#ifdef KBENCH_LIKE_SMP
static int run_locked(u32 len, u32 count)
{
	while (count--)
		kbench_locked();
	return 0;
}

/* The barrier before the look for sleepers. */
static int run_like_smp(u32 len, u32 count)
{
	int ret = 0;

	while (count-- && !ret) {
		ret = publish(plain, len, 1, 0);
		kbench_locked();
	}
	return ret;
}
#endif

static int run_memcpy(u32 len, u32 count)
{
	static u8 to[KBENCH_LEN_MAX] __aligned(64);

	while (count--) {
		memcpy(to, kbench_payload, len);
		barrier_data(to);
	}
	return 0;
}

const struct contender kbench_ours[] = {
	{ .name = "ringbuf", .prepare = prepare_plain, .run = run_plain },
	{ .name = "ringbuf with timestamps", .prepare = prepare_stamped,
	  .run = run_stamped },
	{ .name = "ringbuf_write()", .prepare = prepare_plain,
	  .run = run_write },
	{ .name = "ringbuf 16 at once", .prepare = prepare_plain,
	  .run = run_deferred },
	{ .name = "ringbuf that wakes nobody", .prepare = prepare_plain,
	  .run = run_nowake },
#ifdef KBENCH_LIKE_SMP
	{ .name = "ringbuf with the barrier of SMP", .prepare = prepare_plain,
	  .run = run_like_smp },
	{ .name = "part: locked instruction", .run = run_locked },
#endif
	{ .name = "part: clock", .run = run_clock },
	{ .name = "part: full barrier", .run = run_mb },
	{ .name = "part: memcpy in the cache", .run = run_memcpy },
	{}
};

static struct ringbuf *create(const char *name, enum ringbuf_clock clock)
{
	const struct ringbuf_config config = {
		.name = name,
		.size = KBENCH_BUFFER,
		.mode = 0600,
		.clock = clock,
	};

	return ringbuf_create(&config);
}

int kbench_ours_init(void)
{
	plain = create(KBENCH_RING, RINGBUF_CLOCK_OFF);
	if (IS_ERR(plain))
		return PTR_ERR(plain);
	stamped = create(KBENCH_RING_TS, RINGBUF_CLOCK_BOOTTIME);
	return PTR_ERR_OR_ZERO(stamped);
}

void kbench_ours_exit(void)
{
	if (!IS_ERR_OR_NULL(stamped))
		ringbuf_destroy(stamped);
	if (!IS_ERR_OR_NULL(plain))
		ringbuf_destroy(plain);
}
