// SPDX-License-Identifier: GPL-2.0
/*
 * The rings there are: by name, each with its device. Making and destroying them,
 * and the producer slot for kernel producers.
 */

#include <linux/ctype.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include "chardev.h"
#include "compat.h"
#include "rings.h"

/*
 * A ring is in the list as long as it has a device. The lock is the outermost
 * one of ours; the device's registration and removal are under it, too, so that
 * a name that is free in the list is free for a device. These take the lock under
 * which misc devices are opened, in which somebody may look for a ring: for him
 * the list has a lock of its own, which guards it and nothing else.
 */
static DEFINE_MUTEX(rings_lock);
static DEFINE_SPINLOCK(list_lock);
static LIST_HEAD(rings);

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

/* The caller holds rings_lock or list_lock. */
static struct ringbuf *find_ring(const char *name)
{
	struct ringbuf *rb;

	list_for_each_entry(rb, &rings, node)
		if (!strcmp(rb->name, name))
			return rb;
	return NULL;
}

static int add_device(struct ringbuf *rb)
{
	if (!strcmp(rb->name, RINGBUF_DEFAULT_NAME))
		strscpy(rb->device, rb->name, sizeof(rb->device));
	else
		snprintf(rb->device, sizeof(rb->device), "ringbuf-%s", rb->name);
	rb->misc = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR,
		.name = rb->device,
		.fops = &ringbuf_fops,
		/* A mode of 0 would mean the default one. */
		.mode = rb->config.mode ?: S_IFCHR,
		.groups = ringbuf_ring_groups,
	};
	return misc_register(&rb->misc);
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
	if (!ret) {
		spin_lock(&list_lock);
		list_add_tail(&rb->node, &rings);
		spin_unlock(&list_lock);
	}
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
	spin_lock(&list_lock);
	list_del(&rb->node);
	spin_unlock(&list_lock);
	misc_deregister(&rb->misc);
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
 * Context: task; may sleep. Not in a misc device's open().
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
 * Context: task; may sleep. Not in a misc device's open().
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

	spin_lock(&list_lock);
	rb = find_ring(name);
	if (rb)
		ret = ringbuf_ring_claim(rb, rb);
	if (!ret)
		hold_for_producer(rb);
	spin_unlock(&list_lock);
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
