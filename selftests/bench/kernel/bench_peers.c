// SPDX-License-Identifier: GPL-2.0
/* What the kernel has: kfifo, ftrace's ring_buffer, relay, the log. */

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/kfifo.h>
#include <linux/printk.h>
#include <linux/relay.h>
#include <linux/ring_buffer.h>
#include <linux/string.h>
#include "bench.h"

static struct kfifo_rec_ptr_2 fifo;

/* It overwrites nothing: somebody has read what is in it. */
static int prepare_kfifo(u32 len)
{
	kfifo_reset_out(&fifo);
	return 0;
}

static int run_kfifo(u32 len, u32 count)
{
	while (count--) {
		if (unlikely(kfifo_in(&fifo, kbench_payload, len) != len))
			return -ENOSPC;
	}
	return 0;
}

#ifdef CONFIG_RING_BUFFER
static struct trace_buffer *ftrace;

/* A record has to fit a page of it. */
#define FTRACE_LEN_MAX	4000

static int run_ftrace(u32 len, u32 count)
{
	struct ring_buffer_event *event;

	while (count--) {
		event = ring_buffer_lock_reserve(ftrace, len);
		if (unlikely(!event))
			return -ENOSPC;
		memcpy(ring_buffer_event_data(event), kbench_payload, len);
		ring_buffer_unlock_commit(ftrace);
	}
	return 0;
}

static int ftrace_init(void)
{
	ftrace = ring_buffer_alloc(KBENCH_BUFFER, RB_FL_OVERWRITE);
	return ftrace ? 0 : -ENOMEM;
}

static void ftrace_exit(void)
{
	if (ftrace)
		ring_buffer_free(ftrace);
}
#else
static int ftrace_init(void)
{
	return 0;
}

static void ftrace_exit(void)
{
}
#endif

#ifdef CONFIG_RELAY
static struct rchan *relay;

/* Overwrite, as a flight recorder does. */
static int relay_next(struct rchan_buf *buf, void *subbuf, void *prev_subbuf,
		      size_t prev_padding)
{
	return 1;
}

static struct dentry *relay_create(const char *name, struct dentry *parent,
				   umode_t mode, struct rchan_buf *buf,
				   int *is_global)
{
	return debugfs_create_file(name, mode, parent, buf,
				   &relay_file_operations);
}

static int relay_remove(struct dentry *dentry)
{
	debugfs_remove(dentry);
	return 0;
}

static const struct rchan_callbacks relay_callbacks = {
	.subbuf_start = relay_next,
	.create_buf_file = relay_create,
	.remove_buf_file = relay_remove,
};

static int run_relay(u32 len, u32 count)
{
	while (count--)
		relay_write(relay, kbench_payload, len);
	return 0;
}

static int bench_relay_init(void)
{
	relay = relay_open("ringbuf-kbench", NULL, KBENCH_BUFFER / 8, 8,
			   &relay_callbacks, NULL);
	return relay ? 0 : -ENOMEM;
}

static void bench_relay_exit(void)
{
	if (relay)
		relay_close(relay);
}
#else
static int bench_relay_init(void)
{
	return 0;
}

static void bench_relay_exit(void)
{
}
#endif

/* The console is quiet; a record of the log has 1024 bytes at most. */
static int run_printk(u32 len, u32 count)
{
	while (count--)
		pr_info("%.*s\n", len, (const char *)kbench_payload);
	return 0;
}

const struct contender kbench_peers[] = {
	{ .name = "kfifo of records", .prepare = prepare_kfifo, .run = run_kfifo },
#ifdef CONFIG_RING_BUFFER
	{ .name = "ftrace ring_buffer", .max_len = FTRACE_LEN_MAX,
	  .run = run_ftrace },
#endif
#ifdef CONFIG_RELAY
	{ .name = "relay", .run = run_relay },
#endif
	{ .name = "printk", .max_len = 1000, .run = run_printk },
	{}
};

int kbench_peers_init(void)
{
	int ret = kfifo_alloc(&fifo, KBENCH_BUFFER, GFP_KERNEL);

	if (!ret)
		ret = ftrace_init();
	if (!ret)
		ret = bench_relay_init();
	return ret;
}

void kbench_peers_exit(void)
{
	bench_relay_exit();
	ftrace_exit();
	kfifo_free(&fifo);
}
