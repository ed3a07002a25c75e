// SPDX-License-Identifier: GPL-2.0
/*
 * A BPF ring, by the functions that BPF programs call: not exported, so that
 * userspace says where they are (from /proc/kallsyms), called as the JIT's code
 * calls them.
 */

#include <linux/bpf.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/string.h>
#include "bench.h"

#ifdef CONFIG_BPF_SYSCALL

typedef u64 (*helper)(u64 r1, u64 r2, u64 r3, u64 r4, u64 r5);

static struct bpf_map *map;
static helper reserve, submit, output;

/* Who reads, run.c, has made room before. */
static int prepare_bpf(u32 len)
{
	return map ? 0 : -ENXIO;
}

static int run_reserve(u32 len, u32 count)
{
	void *payload;

	while (count--) {
		payload = (void *)reserve((unsigned long)map, len, 0, 0, 0);
		if (unlikely(!payload))
			return -ENOSPC;
		memcpy(payload, kbench_payload, len);
		submit((unsigned long)payload, 0, 0, 0, 0);
	}
	return 0;
}

static int run_output(u32 len, u32 count)
{
	while (count--) {
		if (unlikely(output((unsigned long)map,
				    (unsigned long)kbench_payload, len, 0, 0)))
			return -ENOSPC;
	}
	return 0;
}

#ifdef KBENCH_LIKE_SMP
/* The lock that a reserve takes; the xchg() of a submit locks in any case. */
static int run_like_smp(u32 len, u32 count)
{
	void *payload;

	while (count--) {
		payload = (void *)reserve((unsigned long)map, len, 0, 0, 0);
		if (unlikely(!payload))
			return -ENOSPC;
		kbench_locked();
		memcpy(payload, kbench_payload, len);
		submit((unsigned long)payload, 0, 0, 0, 0);
	}
	return 0;
}
#endif

int kbench_bpf_set(const struct kbench_bpf *bpf)
{
	struct bpf_map *new;

	if (!bpf->reserve || !bpf->submit || !bpf->output)
		return -EINVAL;
	new = bpf_map_get(bpf->fd);
	if (IS_ERR(new))
		return PTR_ERR(new);
	kbench_bpf_exit();
	map = new;
	reserve = (helper)bpf->reserve;
	submit = (helper)bpf->submit;
	output = (helper)bpf->output;
	return 0;
}

void kbench_bpf_exit(void)
{
	if (map)
		bpf_map_put(map);
	map = NULL;
}

const struct contender kbench_bpf[] = {
	{ .name = "BPF ringbuf reserve and submit", .prepare = prepare_bpf,
	  .run = run_reserve },
	{ .name = "BPF ringbuf output", .prepare = prepare_bpf,
	  .run = run_output },
#ifdef KBENCH_LIKE_SMP
	{ .name = "BPF ringbuf reserve and submit locks of SMP",
	  .prepare = prepare_bpf, .run = run_like_smp },
#endif
	{}
};

#else

const struct contender kbench_bpf[] = { {} };

int kbench_bpf_set(const struct kbench_bpf *bpf)
{
	return -EOPNOTSUPP;
}

void kbench_bpf_exit(void)
{
}

#endif
