// SPDX-License-Identifier: GPL-2.0
/*
 * The module: its parameters, and the default ring.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include "rings.h"

static unsigned long size = RINGBUF_DEFAULT_SIZE;
module_param(size, ulong, 0444);
MODULE_PARM_DESC(size, "bytes of the default ring, a power of two, page size to 1 GiB (default 1 MiB)");

static char *clock = "boottime";
module_param(clock, charp, 0444);
MODULE_PARM_DESC(clock, "clock of the records' time: boottime, monotonic, realtime, tai or none (default boottime)");

static ushort mode = RINGBUF_DEFAULT_MODE;
module_param(mode, ushort, 0444);
MODULE_PARM_DESC(mode, "permissions of /dev/ringbuf, octal with a leading 0 (default 0600)");

static uint max_consumers;
module_param(max_consumers, uint, 0444);
MODULE_PARM_DESC(max_consumers, "open consumers at a time, 0: no limit (default 0)");

static uint max_consumers_per_user = RINGBUF_DEFAULT_PER_USER;
module_param(max_consumers_per_user, uint, 0444);
MODULE_PARM_DESC(max_consumers_per_user, "the same of each user who lacks CAP_SYS_RESOURCE (default 1024)");

static bool reliable;
module_param(reliable, bool, 0444);
MODULE_PARM_DESC(reliable, "allow consumers that the writer waits for (default N)");

static uint stall_ms;
module_param(stall_ms, uint, 0444);
MODULE_PARM_DESC(stall_ms, "wait for a reliable consumer so long at most, 0: for ever (default 0)");

static struct ringbuf *default_ring;

static int check_parameters(void)
{
	if (!ringbuf_valid_size(size)) {
		pr_err("size=%lu: want a power of two from %lu to %d\n",
		       size, PAGE_SIZE, SZ_1G);
		return -EINVAL;
	}
	if (ringbuf_clock_parse(clock) < 0) {
		pr_err("clock=%s: want boottime, monotonic, realtime, tai or none\n",
		       clock);
		return -EINVAL;
	}
	if (!ringbuf_valid_mode(mode)) {
		pr_err("mode=%#o: want read and write permissions only, such as 0640\n",
		       mode);
		return -EINVAL;
	}
	if (!ringbuf_valid_consumers(max_consumers)) {
		pr_err("max_consumers=%u: want at most %d\n", max_consumers,
		       INT_MAX);
		return -EINVAL;
	}
	if (!ringbuf_valid_consumers(max_consumers_per_user)) {
		pr_err("max_consumers_per_user=%u: want at most %d\n",
		       max_consumers_per_user, INT_MAX);
		return -EINVAL;
	}
	return 0;
}

static int add_default_ring(void)
{
	const struct ringbuf_config config = {
		.name = RINGBUF_DEFAULT_NAME,
		.size = size,
		.mode = mode,
		.max_consumers = max_consumers,
		.max_consumers_per_user = max_consumers_per_user,
		.clock = ringbuf_clock_parse(clock),
		.reliable = reliable,
		.stall_ms = stall_ms,
	};
	int ret;

	default_ring = ringbuf_ring_add(&config);
	ret = PTR_ERR_OR_ZERO(default_ring);
	if (ret == -ENOMEM)
		pr_err("size=%lu: no memory for the ring\n", size);
	else if (ret)
		pr_err("cannot make the device node: %d\n", ret);
	return ret;
}

/* Built in, it is there before drivers that make rings. */
static int __init ringbuf_init(void)
{
	int ret;

	ret = check_parameters();
	if (ret)
		return ret;
	ret = ringbuf_wake_start();
	if (ret)
		return ret;
	ret = ringbuf_rings_init();
	if (ret) {
		pr_err("no device numbers: %d\n", ret);
		goto err_wake;
	}
	ret = add_default_ring();
	if (ret)
		goto err_rings;
	ringbuf_configfs_init();
	return 0;

err_rings:
	ringbuf_rings_exit();
err_wake:
	ringbuf_wake_stop();
	return ret;
}
subsys_initcall(ringbuf_init);

static void __exit ringbuf_exit(void)
{
	ringbuf_configfs_exit();
	ringbuf_ring_remove(default_ring);
	ringbuf_rings_exit();
	ringbuf_wake_stop();
}
module_exit(ringbuf_exit);

MODULE_AUTHOR("The ringbuf developers");
MODULE_DESCRIPTION("Single-producer, multi-consumer ring on /dev/ringbuf");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.3.0");
