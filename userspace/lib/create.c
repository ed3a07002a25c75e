// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Making and destroying rings, by the module's directory in configfs.
 */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "lib.h"

#define RINGS		"/sys/kernel/config/ringbuf"
#define DIR_SIZE	(sizeof(RINGS "/") + RINGBUF_NAME_SIZE)

/* As first published: what a caller must at least bring. */
#define CONFIG_SIZE_VER0	40

_Static_assert(sizeof(struct ringbuf_config) == CONFIG_SIZE_VER0,
	       "the same for 32-bit callers");

static const char *const clock_names[] = {
	[RINGBUF_CLOCK_BOOTTIME] = "boottime",
	[RINGBUF_CLOCK_MONOTONIC] = "monotonic",
	[RINGBUF_CLOCK_REALTIME] = "realtime",
	[RINGBUF_CLOCK_TAI] = "tai",
	[RINGBUF_CLOCK_OFF] = "none",
};

/* The module has the same rule; here it keeps what is no name out of a path. */
static bool is_name_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
}

static int dir_of(char dir[DIR_SIZE], const char *name)
{
	size_t len;

	for (len = 0; name[len]; len++)
		if (!is_name_char(name[len]))
			return -EINVAL;
	if (!len || *name == '.' || *name == '-' || !strcmp(name, "ringbuf"))
		return -EINVAL;
	if (len >= RINGBUF_NAME_SIZE)
		return -ENAMETOOLONG;
	snprintf(dir, DIR_SIZE, RINGS "/%s", name);
	return 0;
}

static int set_text(int dir, const char *attribute, const char *text)
{
	int fd = openat(dir, attribute, O_WRONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static int set(int dir, const char *attribute, const char *format,
	       unsigned long long value)
{
	char text[32];

	snprintf(text, sizeof(text), format, value);
	return set_text(dir, attribute, text);
}

/* What is 0 stays as the module has it. */
static int configure(int dir, const struct ringbuf_config *c)
{
	int ret = 0;

	if (c->size)
		ret = set(dir, "size", "%llu", c->size);
	if (!ret && c->mode)
		ret = set(dir, "mode", "%#llo", c->mode);
	if (!ret && c->max_consumers)
		ret = set(dir, "max_consumers", "%llu", c->max_consumers);
	if (!ret && c->max_consumers_per_user)
		ret = set(dir, "max_consumers_per_user", "%llu",
			  c->max_consumers_per_user);
	if (!ret && c->clock)
		ret = set_text(dir, "clock", clock_names[c->clock]);
	if (!ret && c->flags & RINGBUF_CONFIG_RELIABLE)
		ret = set(dir, "reliable", "%llu", 1);
	if (!ret && c->stall_ms)
		ret = set(dir, "stall_ms", "%llu", c->stall_ms);
	return ret ?: set(dir, "live", "%llu", 1);
}

/* A caller's structure, which may be of another version. */
static int get_config(struct ringbuf_config *to,
		      const struct ringbuf_config *from)
{
	const unsigned char *bytes = (const unsigned char *)from;
	size_t i;

	memset(to, 0, sizeof(*to));
	if (!from)
		return 0;
	if (from->struct_size < CONFIG_SIZE_VER0)
		return -EINVAL;
	for (i = sizeof(*to); i < from->struct_size; i++)
		if (bytes[i])
			return -E2BIG;
	*to = *from;
	return to->flags & ~RINGBUF_CONFIG_RELIABLE || to->reserved ||
	       to->clock > RINGBUF_CLOCK_OFF ? -EINVAL : 0;
}

/**
 * ringbuf_create() - Make a ring
 * @name: of 1 to 31 letters, digits, '_', '-' and '.', the last two not first;
 *	it is then /dev/ringbuf-NAME
 * @config: what it is to be; NULL: all as the module has it
 *
 * The ring stays until ringbuf_destroy(), whatever becomes of this process.
 *
 * Return: 0, and the ring is there; else a negative errno, and nothing of it is:
 * -EINVAL for a bad name, size, mode, clock or flag, -ENAMETOOLONG, -EEXIST when there
 * is a ring of that name, -EACCES or -EPERM for who is not allowed to, -ENOMEM,
 * -EBUSY when there are too many; -EOPNOTSUPP when there is no directory
 * /sys/kernel/config/ringbuf: the module is not loaded, or had no configfs when it
 * was, or that is not mounted.
 */
int ringbuf_create(const char *name, const struct ringbuf_config *config)
{
	struct ringbuf_config c;
	char path[DIR_SIZE];
	int dir, ret;

	ret = get_config(&c, config);
	ret = ret ?: dir_of(path, name);
	if (ret)
		return ret;
	if (mkdir(path, 0755))
		return errno == ENOENT ? -EOPNOTSUPP : -errno;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) {
		ret = -errno;
	} else {
		ret = configure(dir, &c);
		close(dir);
	}
	if (ret)
		rmdir(path);
	return ret;
}

/**
 * ringbuf_destroy() - Destroy a ring
 * @name: as for ringbuf_create()
 *
 * Its name is free at once. Who has it open can read what it retains.
 *
 * Return: 0; -ENOENT when there is no such ring, or it has been made by a kernel
 * module; -EINVAL and -ENAMETOOLONG for what is no name; -EACCES or -EPERM for
 * who is not allowed to.
 */
int ringbuf_destroy(const char *name)
{
	char path[DIR_SIZE];
	int ret = dir_of(path, name);

	if (ret)
		return ret;
	return rmdir(path) ? -errno : 0;
}
