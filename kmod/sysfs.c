// SPDX-License-Identifier: GPL-2.0
/*
 * What a ring tells in sysfs, below its device.
 */

#include <linux/device.h>
#include <linux/sysfs.h>
#include "chardev.h"
#include "rings.h"

static struct ringbuf *ring_of(struct device *dev)
{
	return dev_get_drvdata(dev);
}

static struct ringbuf_info info_of(struct device *dev)
{
	struct ringbuf_info info;

	ringbuf_get_info(ring_of(dev), &info);
	return info;
}

/*
 * One attribute, one member of what RINGBUF_IOC_GET_INFO tells. Everybody may know
 * how a ring was made. What happens in it is for root alone: whoever could poll
 * that would learn when each record is written, and how large the record is.
 */
#define RING_ATTR(_name, _mode, _value)					\
static ssize_t _name##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	struct ringbuf_info info = info_of(dev);			\
									\
	return sysfs_emit(buf, "%llu\n", (u64)(_value));		\
}									\
static struct device_attribute dev_attr_ring_##_name =			\
	__ATTR(_name, _mode, _name##_show, NULL)

RING_ATTR(size, 0444, info.data_size);
RING_ATTR(head, 0400, info.head);
RING_ATTR(tail, 0400, info.tail);
RING_ATTR(head_seq, 0400, info.head_seq);
RING_ATTR(tail_seq, 0400, info.tail_seq);
RING_ATTR(overwritten, 0400, info.overwritten);
RING_ATTR(dropped, 0400, info.dropped);
RING_ATTR(max_record, 0444, info.max_record);
RING_ATTR(consumers, 0400, info.consumers);
RING_ATTR(writer, 0400, !!(info.flags & RINGBUF_RING_WRITER));
RING_ATTR(reliable, 0444, !!(info.flags & RINGBUF_RING_RELIABLE));
RING_ATTR(reliable_consumers, 0400, info.reliable_consumers);

static ssize_t clock_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  ringbuf_clock_name(ring_of(dev)->config.clock));
}
static DEVICE_ATTR_RO(clock);

/* As a UUID is written. */
static ssize_t id_show(struct device *dev, struct device_attribute *attr,
		       char *buf)
{
	return sysfs_emit(buf, "%pUb\n", ring_of(dev)->core.page->id);
}
static DEVICE_ATTR_RO(id);

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
static DEVICE_ATTR_ADMIN_RO(holder);

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
	&dev_attr_clock.attr,
	&dev_attr_id.attr,
	&dev_attr_ring_reliable.attr,
	&dev_attr_ring_reliable_consumers.attr,
	&dev_attr_stall_ms.attr,
	&dev_attr_holder.attr,
	NULL
};

static const struct attribute_group ring_group = {
	.attrs = ring_attrs,
};

const struct attribute_group *ringbuf_ring_groups[] = {
	&ring_group,
	NULL
};
