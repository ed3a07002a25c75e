// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel producer: every period_ms a struct sample, with the memory that is
 * available, in KiB. typed.c reads it.
 *
 *	insmod producer.ko [ring=NAME] [period_ms=N]
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/workqueue.h>
#include "ringbuf.h"
#include "sample.h"

static char *ring = "ringbuf";
module_param(ring, charp, 0444);
MODULE_PARM_DESC(ring, "name of the ring to publish in");

static unsigned int period_ms = 1000;
module_param(period_ms, uint, 0444);
MODULE_PARM_DESC(period_ms, "time between samples, in ms");

static struct ringbuf *rb;

/* Defines sample_reserve() and sample_write(). */
DEFINE_RINGBUF_TYPED(sample, struct sample);
static u64 count;

static void publish(struct work_struct *work);
static DECLARE_DELAYED_WORK(publish_work, publish);

/*
 * This may sleep, but sample_reserve() and ringbuf_commit() do not: a timer or an
 * interrupt would do as well. What matters is one call at a time for each ring,
 * as a work item has it.
 */
static void publish(struct work_struct *work)
{
	struct sample *sample = sample_reserve(rb);

	/* NULL: no room. The ring has counted it, and readers see the gap. */
	if (sample) {
		/* It lies in the ring: what is not set here is old data. */
		sample->count = count;
		sample->value = si_mem_available() << (PAGE_SHIFT - 10);
		ringbuf_commit(rb, 0);
	}
	count++;
	schedule_delayed_work(&publish_work, msecs_to_jiffies(period_ms));
}

static int __init producer_init(void)
{
	if (!period_ms) {
		pr_err("period_ms must not be 0\n");
		return -EINVAL;
	}
	rb = ringbuf_producer_get(ring);
	if (IS_ERR(rb)) {
		pr_err("no slot in ring '%s': %pe\n", ring, rb);
		return PTR_ERR(rb);
	}
	schedule_delayed_work(&publish_work, 0);
	return 0;
}
module_init(producer_init);

static void __exit producer_exit(void)
{
	cancel_delayed_work_sync(&publish_work);
	ringbuf_producer_put(rb);
}
module_exit(producer_exit);

MODULE_DESCRIPTION("Samples of the available memory in a ringbuf");
MODULE_LICENSE("GPL");
/* MODULE_IMPORT_NS(), whose argument has got quotes in Linux 6.13. */
MODULE_INFO(import_ns, "RINGBUF");
