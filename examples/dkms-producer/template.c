// SPDX-License-Identifier: GPL-2.0
/*
 * A ring of its own, /dev/ringbuf-template, and every period_ms a sample in it,
 * from a timer: that is, from an interrupt.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/timer.h>
#include <linux/version.h>
#include "ringbuf.h"

struct template_sample {
	u64 count;
	u64 jiffies;
};

DEFINE_RINGBUF_TYPED(template, struct template_sample);

static unsigned int period_ms = 1000;
module_param(period_ms, uint, 0444);
MODULE_PARM_DESC(period_ms, "time between samples, in ms (default 1000)");

static struct ringbuf *ring;
static u64 count;

static void publish(struct timer_list *timer)
{
	struct template_sample *sample = template_reserve(ring);

	/* NULL: no room. The ring has counted it, and readers see the gap. */
	if (sample) {
		sample->count = count;
		sample->jiffies = get_jiffies_64();
		ringbuf_commit(ring, 0);
	}
	count++;
	mod_timer(timer, jiffies + msecs_to_jiffies(period_ms));
}

static DEFINE_TIMER(publish_timer, publish);

static int __init template_init(void)
{
	/* 0640: the group ringbuf may read, by the udev rule of that package. */
	const struct ringbuf_config config = {
		.name = "template",
		.size = 64 * 1024,
		.mode = 0640,
		.flags = RINGBUF_CONFIG_PRODUCER,
	};

	if (!period_ms) {
		pr_err("period_ms must not be 0\n");
		return -EINVAL;
	}
	ring = ringbuf_create(&config);
	if (IS_ERR(ring)) {
		pr_err("no ring '%s': %pe\n", config.name, ring);
		return PTR_ERR(ring);
	}
	mod_timer(&publish_timer, jiffies);
	return 0;
}
module_init(template_init);

static void __exit template_exit(void)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	timer_shutdown_sync(&publish_timer);
#else
	del_timer_sync(&publish_timer);
#endif
	ringbuf_producer_put(ring);
	ringbuf_destroy(ring);
}
module_exit(template_exit);

MODULE_DESCRIPTION("Template of a module that publishes in a ring of its own");
MODULE_LICENSE("GPL");
MODULE_VERSION("1.0");
/* MODULE_IMPORT_NS(), whose argument has got quotes in Linux 6.13. */
MODULE_INFO(import_ns, "RINGBUF");
