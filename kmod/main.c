// SPDX-License-Identifier: GPL-2.0
/*
 * The module: parameters, the default ring, its device node and attributes.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/log2.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/sysfs.h>
#include "chardev.h"
#include "ring.h"

#define DEFAULT_NAME	"ringbuf"

static unsigned long size = SZ_1M;
module_param(size, ulong, 0444);
MODULE_PARM_DESC(size, "bytes of the default ring, a power of two, page size to 1 GiB (default 1 MiB)");

static bool timestamps = true;
module_param(timestamps, bool, 0444);
MODULE_PARM_DESC(timestamps, "stamp records with CLOCK_MONOTONIC (default Y)");

static ushort mode = 0600;
module_param(mode, ushort, 0444);
MODULE_PARM_DESC(mode, "permissions of /dev/ringbuf, octal with a leading 0 (default 0600)");

static uint max_consumers;
module_param(max_consumers, uint, 0444);
MODULE_PARM_DESC(max_consumers, "open consumers at a time, 0: no limit (default 0)");

static bool reliable;
module_param(reliable, bool, 0444);
MODULE_PARM_DESC(reliable, "allow consumers that the writer waits for (default N)");

static uint stall_ms;
module_param(stall_ms, uint, 0444);
MODULE_PARM_DESC(stall_ms, "wait for a reliable consumer so long at most, 0: for ever (default 0)");

static struct ringbuf *default_ring;

static struct ringbuf *ring_of(struct device *dev)
{
	struct miscdevice *misc = dev_get_drvdata(dev);

	return container_of(misc, struct ringbuf, misc);
}

static struct ringbuf_info info_of(struct device *dev)
{
	struct ringbuf_info info;

	ringbuf_get_info(ring_of(dev), &info);
	return info;
}

/* One attribute, one member of what RINGBUF_IOC_GET_INFO tells. */
#define RING_ATTR(_name, _value)					\
static ssize_t _name##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	struct ringbuf_info info = info_of(dev);			\
									\
	return sysfs_emit(buf, "%llu\n", (u64)(_value));		\
}									\
static struct device_attribute dev_attr_ring_##_name =			\
	__ATTR(_name, 0444, _name##_show, NULL)

RING_ATTR(size, info.data_size);
RING_ATTR(head, info.head);
RING_ATTR(tail, info.tail);
RING_ATTR(head_seq, info.head_seq);
RING_ATTR(tail_seq, info.tail_seq);
RING_ATTR(overwritten, info.overwritten);
RING_ATTR(dropped, info.dropped);
RING_ATTR(max_record, info.max_record);
RING_ATTR(consumers, info.consumers);
RING_ATTR(writer, !!(info.flags & RINGBUF_RING_WRITER));
RING_ATTR(timestamps, !!(info.flags & RINGBUF_RING_TIMESTAMPS));
RING_ATTR(reliable, !!(info.flags & RINGBUF_RING_RELIABLE));
RING_ATTR(reliable_consumers, info.reliable_consumers);

static ssize_t stall_ms_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "%u\n", ring_of(dev)->config.stall_ms);
}
static DEVICE_ATTR_RO(stall_ms);

/* The process whose consumer holds the writer back, 0: none does. */
static ssize_t holder_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%d\n", ringbuf_ring_holder(ring_of(dev)));
}
static DEVICE_ATTR_RO(holder);

static struct attribute *ring_attrs[] = {
	&dev_attr_ring_size.attr,
	&dev_attr_ring_head.attr,
	&dev_attr_ring_tail.attr,
	&dev_attr_ring_head_seq.attr,
	&dev_attr_ring_tail_seq.attr,
	&dev_attr_ring_overwritten.attr,
	&dev_attr_ring_dropped.attr,
	&dev_attr_ring_max_record.attr,
	&dev_attr_ring_consumers.attr,
	&dev_attr_ring_writer.attr,
	&dev_attr_ring_timestamps.attr,
	&dev_attr_ring_reliable.attr,
	&dev_attr_ring_reliable_consumers.attr,
	&dev_attr_stall_ms.attr,
	&dev_attr_holder.attr,
	NULL
};
ATTRIBUTE_GROUPS(ring);

static int check_parameters(void)
{
	if (!is_power_of_2(size) || size < PAGE_SIZE || size > SZ_1G) {
		pr_err("size=%lu: want a power of two from %lu to %d\n",
		       size, PAGE_SIZE, SZ_1G);
		return -EINVAL;
	}
	if (mode & ~0666) {
		pr_err("mode=%#o: want read and write permissions only, such as 0640\n",
		       mode);
		return -EINVAL;
	}
	if (max_consumers > INT_MAX) {
		pr_err("max_consumers=%u: want at most %d\n", max_consumers,
		       INT_MAX);
		return -EINVAL;
	}
	return 0;
}

static int __init ringbuf_init(void)
{
	struct ringbuf_config config;
	struct ringbuf *rb;
	int ret;

	ret = check_parameters();
	if (ret)
		return ret;
	config = (struct ringbuf_config){
		.name = DEFAULT_NAME,
		.size = size,
		.mode = mode,
		.max_consumers = max_consumers,
		.timestamps = timestamps,
		.reliable = reliable,
		.stall_ms = stall_ms,
	};
	rb = ringbuf_ring_create(&config);
	if (IS_ERR(rb)) {
		pr_err("size=%lu: no memory for the ring\n", size);
		return PTR_ERR(rb);
	}
	rb->misc = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR,
		.name = rb->name,
		.fops = &ringbuf_fops,
		.mode = rb->config.mode,
		.groups = ring_groups,
	};
	/* A mode of 0 would mean the default one. */
	if (!rb->misc.mode)
		rb->misc.mode = S_IFCHR;
	ret = misc_register(&rb->misc);
	if (ret) {
		pr_err("cannot make the device node: %d\n", ret);
		ringbuf_ring_destroy(rb);
		return ret;
	}
	default_ring = rb;
	return 0;
}
module_init(ringbuf_init);

static void __exit ringbuf_exit(void)
{
	misc_deregister(&default_ring->misc);
	ringbuf_ring_destroy(default_ring);
}
module_exit(ringbuf_exit);

MODULE_AUTHOR("The ringbuf developers");
MODULE_DESCRIPTION("Single-producer, multi-consumer ring on /dev/ringbuf");
MODULE_LICENSE("GPL");
