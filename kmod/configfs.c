// SPDX-License-Identifier: GPL-2.0
/*
 * Rings made by an administrator: a directory in configfs each.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/configfs.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include "rings.h"

/**
 * DOC: configfs
 *
 * mkdir makes a configuration, writing 1 to @live a ring of it, which is there
 * until 0 is written or the directory is removed. While it is there its
 * configuration stays as it is.
 *
 * Distributions have configfs as a module, and who loads ours by insmod may not
 * have loaded that one: then all else works, and there is no directory. So these
 * symbols are weak. modprobe sees the dependency all the same.
 */
typeof(config_item_init_type_name) config_item_init_type_name __weak;
typeof(config_item_put) config_item_put __weak;
typeof(config_group_init) config_group_init __weak;
typeof(configfs_register_subsystem) configfs_register_subsystem __weak;
typeof(configfs_unregister_subsystem) configfs_unregister_subsystem __weak;

/**
 * struct ring_dir - A directory
 * @item: configfs's
 * @lock: orders changes of all below
 * @config: what its ring is, or would be
 * @ring: NULL when it is not live
 */
struct ring_dir {
	struct config_item item;
	struct mutex lock;	/* the configuration and the ring are one */
	struct ringbuf_config config;
	struct ringbuf *ring;
};

static struct ring_dir *dir_of(struct config_item *item)
{
	return container_of(item, struct ring_dir, item);
}

/* The configuration stays while there is a ring of it: else locked. */
static int begin_change(struct ring_dir *dir)
{
	mutex_lock(&dir->lock);
	if (!dir->ring)
		return 0;
	mutex_unlock(&dir->lock);
	return -EBUSY;
}

/* An attribute is a member of the configuration. */
#define DIR_SHOW(_name, _format, _member)				\
static ssize_t dir_##_name##_show(struct config_item *item, char *page)	\
{									\
	return sysfs_emit(page, _format "\n",				\
			  READ_ONCE(dir_of(item)->config._member));	\
}

#define DIR_STORE(_name, _type, _parse, _member)			\
static ssize_t dir_##_name##_store(struct config_item *item,		\
				   const char *page, size_t count)	\
{									\
	struct ring_dir *dir = dir_of(item);				\
	_type value;							\
	int ret = _parse(page, &value);					\
									\
	if (!ret)							\
		ret = begin_change(dir);				\
	if (ret)							\
		return ret;						\
	WRITE_ONCE(dir->config._member, value);				\
	mutex_unlock(&dir->lock);					\
	return count;							\
}									\
CONFIGFS_ATTR(dir_, _name)

static int parse_size(const char *page, unsigned long *size)
{
	return kstrtoul(page, 0, size) ?:
	       ringbuf_valid_size(*size) ? 0 : -EINVAL;
}

/* As chmod takes it, with a 0 before it or without. */
static int parse_mode(const char *page, u16 *mode)
{
	return kstrtou16(page, 8, mode) ?:
	       ringbuf_valid_mode(*mode) ? 0 : -EINVAL;
}

static int parse_consumers(const char *page, unsigned int *max_consumers)
{
	return kstrtouint(page, 0, max_consumers) ?:
	       ringbuf_valid_consumers(*max_consumers) ? 0 : -EINVAL;
}

static int parse_clock(const char *page, enum ringbuf_clock *clock)
{
	int ret = ringbuf_clock_parse(page);

	if (ret < 0)
		return ret;
	*clock = ret;
	return 0;
}

static int parse_ms(const char *page, unsigned int *ms)
{
	return kstrtouint(page, 0, ms);
}

DIR_SHOW(size, "%lu", size)
DIR_STORE(size, unsigned long, parse_size, size);
DIR_SHOW(mode, "%#o", mode)
DIR_STORE(mode, u16, parse_mode, mode);
DIR_SHOW(max_consumers, "%u", max_consumers)
DIR_STORE(max_consumers, unsigned int, parse_consumers, max_consumers);
DIR_SHOW(max_consumers_per_user, "%u", max_consumers_per_user)
DIR_STORE(max_consumers_per_user, unsigned int, parse_consumers,
	  max_consumers_per_user);
static ssize_t dir_clock_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%s\n",
			  ringbuf_clock_name(READ_ONCE(dir_of(item)->config.clock)));
}

DIR_STORE(clock, enum ringbuf_clock, parse_clock, clock);
DIR_SHOW(reliable, "%d", reliable)
DIR_STORE(reliable, bool, kstrtobool, reliable);
DIR_SHOW(stall_ms, "%u", stall_ms)
DIR_STORE(stall_ms, unsigned int, parse_ms, stall_ms);

/* The caller holds the directory's lock. */
static int set_live(struct ring_dir *dir, bool live)
{
	struct ringbuf *rb;

	if (live == !!dir->ring)
		return 0;
	if (!live) {
		ringbuf_ring_remove(dir->ring);
		WRITE_ONCE(dir->ring, NULL);
		return 0;
	}
	rb = ringbuf_ring_add(&dir->config);
	if (IS_ERR(rb))
		return PTR_ERR(rb);
	WRITE_ONCE(dir->ring, rb);
	return 0;
}

static ssize_t dir_live_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", !!READ_ONCE(dir_of(item)->ring));
}

static ssize_t dir_live_store(struct config_item *item, const char *page,
			      size_t count)
{
	struct ring_dir *dir = dir_of(item);
	bool live;
	int ret;

	ret = kstrtobool(page, &live);
	if (ret)
		return ret;
	mutex_lock(&dir->lock);
	ret = set_live(dir, live);
	mutex_unlock(&dir->lock);
	return ret ?: count;
}
CONFIGFS_ATTR(dir_, live);

static struct configfs_attribute *dir_attrs[] = {
	&dir_attr_size,
	&dir_attr_mode,
	&dir_attr_max_consumers,
	&dir_attr_max_consumers_per_user,
	&dir_attr_clock,
	&dir_attr_reliable,
	&dir_attr_stall_ms,
	&dir_attr_live,
	NULL
};

static void dir_release(struct config_item *item)
{
	struct ring_dir *dir = dir_of(item);

	mutex_destroy(&dir->lock);
	kfree(dir);
}

static struct configfs_item_operations dir_ops = {
	.release = dir_release,
};

static const struct config_item_type dir_type = {
	.ct_item_ops = &dir_ops,
	.ct_attrs = dir_attrs,
	.ct_owner = THIS_MODULE,
};

static struct config_item *make_dir(struct config_group *group, const char *name)
{
	struct ring_dir *dir;

	if (strlen(name) >= RINGBUF_NAME_SIZE)
		return ERR_PTR(-ENAMETOOLONG);
	if (!ringbuf_valid_name(name))
		return ERR_PTR(-EINVAL);
	/* It has the module's parameters. */
	if (!strcmp(name, RINGBUF_DEFAULT_NAME))
		return ERR_PTR(-EEXIST);
	dir = kzalloc(sizeof(*dir), GFP_KERNEL_ACCOUNT);
	if (!dir)
		return ERR_PTR(-ENOMEM);
	mutex_init(&dir->lock);
	config_item_init_type_name(&dir->item, name, &dir_type);
	/* That configfs had no memory for a long name shows only so. */
	if (!config_item_name(&dir->item)) {
		dir_release(&dir->item);
		return ERR_PTR(-ENOMEM);
	}
	dir->config = (struct ringbuf_config){
		.name = config_item_name(&dir->item),
		.size = RINGBUF_DEFAULT_SIZE,
		.mode = RINGBUF_DEFAULT_MODE,
		.max_consumers_per_user = RINGBUF_DEFAULT_PER_USER,
	};
	return &dir->item;
}

/* rmdir; nobody writes to its files any more. */
static void drop_dir(struct config_group *group, struct config_item *item)
{
	struct ring_dir *dir = dir_of(item);

	mutex_lock(&dir->lock);
	set_live(dir, false);
	mutex_unlock(&dir->lock);
	config_item_put(item);
}

static struct configfs_group_operations group_ops = {
	.make_item = make_dir,
	.drop_item = drop_dir,
};

static const struct config_item_type group_type = {
	.ct_group_ops = &group_ops,
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem subsystem = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = KBUILD_MODNAME,
			.ci_type = &group_type,
		},
	},
	.su_mutex = __MUTEX_INITIALIZER(subsystem.su_mutex),
};

/*
 * Whether there is configfs, for the loader to fill in. An address in the code would
 * be one from a GOT on arm64 and riscv, since it may be 0; arm64 has none in modules.
 */
static typeof(configfs_register_subsystem) *there = configfs_register_subsystem;

static bool registered;

/**
 * ringbuf_configfs_init() - Let administrators make rings
 *
 * Without configfs there is only the default ring, and those that modules make.
 * It comes last, when others can get at the module already, so it does not fail.
 *
 * Context: task; may sleep.
 */
void ringbuf_configfs_init(void)
{
	int ret;

	/* Nobody changes it, but the compiler is not to know. */
	if (!READ_ONCE(there))
		return;
	config_group_init(&subsystem.su_group);
	ret = configfs_register_subsystem(&subsystem);
	if (ret)
		pr_warn("no rings by configfs: %d\n", ret);
	registered = !ret;
}

/**
 * ringbuf_configfs_exit() - The end of ringbuf_configfs_init()
 *
 * A directory holds the module, so there is none.
 *
 * Context: task; may sleep.
 */
void ringbuf_configfs_exit(void)
{
	if (registered)
		configfs_unregister_subsystem(&subsystem);
}
