// SPDX-License-Identifier: GPL-2.0
/*
 * The rings there are: by name and by device number. Making and destroying them,
 * opening their nodes, and the producer slot for kernel producers.
 */

#include <linux/ctype.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/xarray.h>
#include "chardev.h"
#include "compat.h"
#include "rings.h"

/**
 * DOC: devices
 *
 * All rings share a major number and one cdev, which lives as long as the module
 * does. A ring has a minor number while it has a device. Minor numbers are given
 * out in a circle that begins at a random number: a number comes again only after
 * a million others, so a node that somebody kept from a destroyed ring does not
 * open the next ring.
 *
 * @rings_lock orders the making and destroying of rings. It is the outermost lock
 * of ours, except for that of a directory in configfs. It is held while a device is
 * registered or removed: when no ring in @rings has a name, no device has it.
 *
 * Looking for a ring takes only the spinlock of @rings. So a driver may call
 * ringbuf_producer_get() from its open(), whatever lock its subsystem holds there.
 *
 * A minor number is only reserved until the device is registered, because nobody
 * may open a ring whose registration then fails. A process can open the node a
 * moment too early. The process finds no ring, waits for @rings_lock, and looks
 * again.
 */
static DEFINE_MUTEX(rings_lock);
static DEFINE_XARRAY_ALLOC(rings);

#define MINORS	(MINORMASK + 1)

static unsigned int major;
static u32 next_minor;

/**
 * ringbuf_valid_name() - Can a ring be called so?
 * @name: the name
 *
 * It is a part of a file's name, and an argument of commands.
 *
 * Context: any.
 *
 * Return: true if so.
 */
bool ringbuf_valid_name(const char *name)
{
	const char *c;

	if (*name == '.' || *name == '-')
		return false;
	for (c = name; *c; c++)
		if (!isascii(*c) || (!isalnum(*c) && !strchr("_-.", *c)))
			return false;
	return c > name && c - name < RINGBUF_NAME_SIZE;
}

static const char * const clock_names[] = {
	[RINGBUF_CLOCK_BOOTTIME] = "boottime",
	[RINGBUF_CLOCK_MONOTONIC] = "monotonic",
	[RINGBUF_CLOCK_REALTIME] = "realtime",
	[RINGBUF_CLOCK_TAI] = "tai",
	[RINGBUF_CLOCK_OFF] = "none",
};

/**
 * ringbuf_clock_parse() - Find a clock by its name
 * @name: the name; a newline may end it
 *
 * Context: any.
 *
 * Return: enum ringbuf_clock; -EINVAL when there is no clock of that name.
 */
int ringbuf_clock_parse(const char *name)
{
	return sysfs_match_string(clock_names, name);
}

/**
 * ringbuf_clock_name() - The name of a clock
 * @clock: the clock
 *
 * Context: any.
 *
 * Return: the name that ringbuf_clock_parse() takes.
 */
const char *ringbuf_clock_name(enum ringbuf_clock clock)
{
	return clock_names[clock];
}

/* The caller holds rings_lock, or the lock of the array. */
static struct ringbuf *find_ring(const char *name)
{
	unsigned long minor;
	struct ringbuf *rb;

	xa_for_each(&rings, minor, rb)
		if (!strcmp(rb->name, name))
			return rb;
	return NULL;
}

/* The ring with this minor number, with a reference; NULL: there is none. */
static struct ringbuf *get_ring(unsigned int minor)
{
	struct ringbuf *rb;

	xa_lock(&rings);
	rb = xa_load(&rings, minor);
	if (rb)
		kref_get(&rb->ref);
	xa_unlock(&rings);
	return rb;
}

static int open_device(struct inode *inode, struct file *file)
{
	struct ringbuf *rb = get_ring(iminor(inode));
	int ret;

	if (!rb) {
		/* Its registration may be under way. */
		mutex_lock(&rings_lock);
		rb = get_ring(iminor(inode));
		mutex_unlock(&rings_lock);
	}
	if (!rb)
		return -ENXIO;
	/* Of the same owner: the reference to the module stays as it is. */
	file->f_op = &ringbuf_fops;
	file->private_data = rb;
	ret = file->f_op->open(inode, file);
	/* The open file has a reference of its own. */
	ringbuf_ring_put(rb);
	return ret;
}

static const struct file_operations device_fops = {
	.owner	= THIS_MODULE,
	.open	= open_device,
	.llseek	= noop_llseek,
};

static char *device_node(RINGBUF_DEVNODE_ARGS)
{
	const struct ringbuf *rb = dev_get_drvdata(dev);

	/* 0 would mean the default mode, 0600. */
	if (mode)
		*mode = rb->config.mode ?: S_IFCHR;
	return NULL;
}

static struct class ring_class = {
	.name		= KBUILD_MODNAME,
	.devnode	= device_node,
	.dev_groups	= ringbuf_ring_groups,
};

/* The caller holds rings_lock. */
static int add_device(struct ringbuf *rb)
{
	const char *prefix = "";
	struct device *dev;
	int ret;

	ret = xa_alloc_cyclic(&rings, &rb->minor, NULL, XA_LIMIT(0, MINORMASK),
			      &next_minor, GFP_KERNEL);
	if (ret < 0)
		return ret;
	if (strcmp(rb->name, RINGBUF_DEFAULT_NAME))
		prefix = "ringbuf-";
	dev = device_create(&ring_class, NULL, MKDEV(major, rb->minor), rb,
			    "%s%s", prefix, rb->name);
	if (IS_ERR(dev)) {
		xa_erase(&rings, rb->minor);
		return PTR_ERR(dev);
	}
	rb->dev = dev;
	/* The place is reserved, so that takes no memory and cannot fail. */
	xa_store(&rings, rb->minor, rb, 0);
	return 0;
}

/* A kernel producer has taken the slot: it holds the ring and this module. */
static void hold_for_producer(struct ringbuf *rb)
{
	kref_get(&rb->ref);
	/* Not all callers depend on this module by its symbols. */
	__module_get(THIS_MODULE);
}

/**
 * ringbuf_ring_add() - Make a ring and its device
 * @config: checked by the caller
 *
 * Context: task; may sleep.
 *
 * Return: the ring; ERR_PTR(-ENOMEM), ERR_PTR(-EEXIST) when there is a ring of
 * that name, or why there can be no device, ERR_PTR(-EBUSY) when there are too
 * many.
 */
struct ringbuf *ringbuf_ring_add(const struct ringbuf_config *config)
{
	struct ringbuf *rb = ringbuf_ring_alloc(config);
	int ret;

	if (IS_ERR(rb))
		return rb;
	/* Nobody knows the ring yet, so the slot is free. */
	if (config->flags & RINGBUF_CONFIG_PRODUCER && !ringbuf_ring_claim(rb, rb))
		hold_for_producer(rb);
	mutex_lock(&rings_lock);
	ret = find_ring(rb->name) ? -EEXIST : add_device(rb);
	mutex_unlock(&rings_lock);
	if (ret) {
		if (config->flags & RINGBUF_CONFIG_PRODUCER)
			ringbuf_producer_put(rb);
		ringbuf_ring_put(rb);
		return ERR_PTR(ret);
	}
	return rb;
}

/**
 * ringbuf_ring_remove() - Destroy a ring; those who have it open keep it
 * @rb: what ringbuf_ring_add() gave
 *
 * Its name is free at once. See ringbuf_destroy().
 *
 * Context: task; may sleep.
 */
void ringbuf_ring_remove(struct ringbuf *rb)
{
	mutex_lock(&rings_lock);
	/* First, or the node could be opened until the device is gone. */
	xa_erase(&rings, rb->minor);
	device_unregister(rb->dev);
	mutex_unlock(&rings_lock);
	ringbuf_ring_kill(rb);
	ringbuf_ring_put(rb);
}

/**
 * ringbuf_create() - Make a ring with a device of its own
 * @config: what it is to be; not needed afterwards
 *
 * Processes can open /dev/ringbuf-NAME at once. With RINGBUF_CONFIG_PRODUCER the
 * caller holds the producer slot from the start, as if by
 * ringbuf_producer_get(), and gives it back with ringbuf_producer_put(). Without
 * that flag a process may take the slot first. The memory is accounted to the
 * calling task.
 *
 * Context: task; may sleep.
 *
 * Return: the ring; ERR_PTR(-EINVAL) for a bad @config, ERR_PTR(-EEXIST) when
 * there is a ring of that name, ERR_PTR(-ENOMEM), or why there can be no device,
 * ERR_PTR(-EBUSY) when there are too many.
 */
struct ringbuf *ringbuf_create(const struct ringbuf_config *config)
{
	struct ringbuf *rb;

	if (!ringbuf_valid_name(config->name) ||
	    !ringbuf_valid_size(config->size) ||
	    !ringbuf_valid_mode(config->mode) ||
	    !ringbuf_valid_consumers(config->max_consumers) ||
	    !ringbuf_valid_consumers(config->max_consumers_per_user) ||
	    (unsigned int)config->clock >= ARRAY_SIZE(clock_names) ||
	    config->flags & ~RINGBUF_CONFIG_PRODUCER)
		return ERR_PTR(-EINVAL);
	rb = ringbuf_ring_add(config);
	/* Not all callers depend on this module by its symbols. */
	if (!IS_ERR(rb))
		__module_get(THIS_MODULE);
	return rb;
}
EXPORT_SYMBOL_NS_GPL(ringbuf_create, RINGBUF_NAMESPACE);

/**
 * ringbuf_destroy() - Destroy a ring
 * @rb: what ringbuf_create() gave
 *
 * Its device and its name go at once. Who has it open can read what is retained,
 * and is then told ENODEV; writing is ENODEV from now on; poll() tells HUP. All
 * who sleep wake. Maps stay as they are. A kernel producer's reserve fails, and it
 * gives its slot back when it likes. The memory is freed with the last of them.
 *
 * Context: task; may sleep.
 */
void ringbuf_destroy(struct ringbuf *rb)
{
	ringbuf_ring_remove(rb);
	module_put(THIS_MODULE);
}
EXPORT_SYMBOL_NS_GPL(ringbuf_destroy, RINGBUF_NAMESPACE);

/**
 * ringbuf_producer_get() - Take a ring's producer slot for a kernel producer
 * @name: of the ring, "ringbuf" for the default one
 *
 * While it is taken no process can open the device for writing. The ring may be
 * destroyed meanwhile, but not freed.
 *
 * Context: task.
 *
 * Return: the ring; ERR_PTR(-ENODEV) when there is none of that name,
 * ERR_PTR(-EBUSY) when it has a producer or a writer.
 */
struct ringbuf *ringbuf_producer_get(const char *name)
{
	struct ringbuf *rb;
	int ret = -ENODEV;

	xa_lock(&rings);
	rb = find_ring(name);
	if (rb)
		ret = ringbuf_ring_claim(rb, rb);
	if (!ret)
		hold_for_producer(rb);
	xa_unlock(&rings);
	return ret ? ERR_PTR(ret) : rb;
}
EXPORT_SYMBOL_NS_GPL(ringbuf_producer_get, RINGBUF_NAMESPACE);

/**
 * ringbuf_producer_put() - Give a kernel producer's slot back
 * @rb: what ringbuf_producer_get() gave
 *
 * No other call of this producer is under way or follows. An open reservation
 * is dropped, what was deferred is published.
 *
 * Context: task; may sleep.
 */
void ringbuf_producer_put(struct ringbuf *rb)
{
	ringbuf_ring_release(rb);
	ringbuf_ring_put(rb);
	module_put(THIS_MODULE);
}
EXPORT_SYMBOL_NS_GPL(ringbuf_producer_put, RINGBUF_NAMESPACE);

/**
 * ringbuf_rings_init() - Get the device numbers and the class
 *
 * Context: task; may sleep.
 *
 * Return: 0; -EBUSY when no major number is free, -EEXIST when there is another
 * class of that name, -ENOMEM.
 */
int __init ringbuf_rings_init(void)
{
	int ret;

	next_minor = get_random_u32() & MINORMASK;
	ret = __register_chrdev(0, 0, MINORS, KBUILD_MODNAME, &device_fops);
	if (ret < 0)
		return ret;
	major = ret;
	ret = class_register(&ring_class);
	if (ret)
		__unregister_chrdev(major, 0, MINORS, KBUILD_MODNAME);
	return ret;
}

/**
 * ringbuf_rings_exit() - Give the device numbers and the class back
 *
 * There is no ring any more.
 *
 * Context: task; may sleep.
 */
void ringbuf_rings_exit(void)
{
	class_unregister(&ring_class);
	__unregister_chrdev(major, 0, MINORS, KBUILD_MODNAME);
}
