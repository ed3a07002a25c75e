/* SPDX-License-Identifier: GPL-2.0 */
/* Rings by configfs: making, opening and ending them. */
#ifndef RINGBUF_TEST_RINGS_H
#define RINGBUF_TEST_RINGS_H

#include "ringbuf_test.h"

#include <dirent.h>
#include <sys/mount.h>

#define CONFIGFS	"/sys/kernel/config"
#define RINGS		CONFIGFS "/ringbuf/"
#define ATTRIBUTE	"/sys/class/ringbuf/ringbuf-%s/%s"

static __maybe_unused int put_file(const char *path, const char *text)
{
	int fd = RC(open(path, O_WRONLY | O_CLOEXEC));
	int ret;

	if (fd < 0)
		return fd;
	ret = RC(write(fd, text, strlen(text)));
	close(fd);
	return ret == (int)strlen(text) ? 0 : ret < 0 ? ret : -EIO;
}

/* A file's text without its last newline; "" and -errno when there is none. */
static __maybe_unused int get_file(const char *path, char *buf, size_t size)
{
	int fd, n;

	buf[0] = 0;
	fd = RC(open(path, O_RDONLY | O_CLOEXEC));
	if (fd < 0)
		return fd;
	n = RC(read(fd, buf, size - 1));
	close(fd);
	if (n < 0)
		return n;
	if (n && buf[n - 1] == '\n')
		n--;
	buf[n] = 0;
	return 0;
}

static __maybe_unused long long get_number(const char *path)
{
	char buf[64];
	int ret = get_file(path, buf, sizeof(buf));

	return ret ? ret : strtoll(buf, NULL, 0);
}

/* Directories */

static __maybe_unused int ring_mkdir(const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), RINGS "%s", name);
	return RC(mkdir(path, 0755));
}

static __maybe_unused int ring_rmdir(const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), RINGS "%s", name);
	return RC(rmdir(path));
}

static __maybe_unused int ring_set(const char *name, const char *attr, const char *value)
{
	char path[400];

	snprintf(path, sizeof(path), RINGS "%s/%s", name, attr);
	return put_file(path, value);
}

static __maybe_unused bool ring_is(const char *name, const char *attr, const char *want)
{
	char path[400], buf[64];

	snprintf(path, sizeof(path), RINGS "%s/%s", name, attr);
	if (!get_file(path, buf, sizeof(buf)) && !strcmp(buf, want))
		return true;
	fprintf(stderr, "# %s/%s is '%s', not '%s'\n", name, attr, buf, want);
	return false;
}

/* Sets what "size=4096 reliable=1" says. */
static __maybe_unused int ring_configure(const char *name, const char *settings)
{
	char text[200], *attr, *value, *rest;
	int ret = 0;

	snprintf(text, sizeof(text), "%s", settings);
	for (attr = strtok_r(text, " ", &rest); attr && !ret;
	     attr = strtok_r(NULL, " ", &rest)) {
		value = strchr(attr, '=');
		*value++ = 0;
		ret = ring_set(name, attr, value);
	}
	return ret;
}

static __maybe_unused int ring_new(const char *name, const char *settings)
{
	return ring_mkdir(name) ?: ring_configure(name, settings) ?:
	       ring_set(name, "live", "1");
}

/* Ends a ring in one of the two ways. */
static __maybe_unused int ring_end(const char *name, bool by_rmdir)
{
	return by_rmdir ? ring_rmdir(name) : ring_set(name, "live", "0");
}

/* Removes all there are; how many could not be. */
static __maybe_unused int rings_clear(void)
{
	DIR *dir = opendir(RINGS);
	struct dirent *d;
	int left = 0;

	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.' && ring_rmdir(d->d_name))
			left++;
	if (dir)
		closedir(dir);
	return left;
}

static __maybe_unused void rings_at_exit(void)
{
	rings_clear();
}

/* Runs before rb_restore() does. */
__attribute__((constructor)) static void rings_init(void)
{
	atexit(rings_at_exit);
}

/* The module, freshly loaded; -ENOTSUP where there is no configfs. */
static __maybe_unused int rings_load(const char *params)
{
	int ret;

	rings_clear();
	ret = rb_load(params);
	if (ret)
		return ret;
	if (access(CONFIGFS, F_OK))
		return -ENOTSUP;
	if (access(RINGS, F_OK))
		mount("configfs", CONFIGFS, "configfs", 0, NULL);
	return access(RINGS, F_OK) ? -ENOENT : 0;
}

#define RINGS_LOAD()							\
	int __ret = rings_load("");					\
									\
	if (__ret == -ENOTSUP)						\
		SKIP(return, "no configfs");				\
	ASSERT_EQ(0, __ret)

/* Devices */

static __maybe_unused int ring_open(const char *name, int flags)
{
	char path[300];

	snprintf(path, sizeof(path), RB_DEV "-%s", name);
	return RC(open(path, flags | O_CLOEXEC));
}

static __maybe_unused int ring_node(const char *name, struct stat *st)
{
	char path[300];

	snprintf(path, sizeof(path), RB_DEV "-%s", name);
	return RC(lstat(path, st));
}

static __maybe_unused long long ring_attr(const char *name, const char *attr)
{
	char path[400];

	snprintf(path, sizeof(path), ATTRIBUTE, name, attr);
	return get_number(path);
}

/* Has the ring neither a node nor a directory in sysfs? */
static __maybe_unused bool ring_is_gone(const char *name)
{
	char path[400];
	struct stat st;
	bool node, sysfs;

	snprintf(path, sizeof(path), "/sys/class/ringbuf/ringbuf-%s", name);
	node = ring_node(name, &st) != -ENOENT;
	sysfs = !access(path, F_OK);
	if (!node && !sysfs)
		return true;
	fprintf(stderr, "# of %s there is still:%s%s\n", name,
		node ? " node" : "", sysfs ? " sysfs" : "");
	return false;
}

/* What poll() tells at once of all that can be asked for. */
static __maybe_unused int all_events(int fd)
{
	struct pollfd p = {
		.fd = fd,
		.events = POLLIN | POLLRDNORM | POLLPRI | POLLOUT | POLLWRNORM,
	};
	int ret = RC(poll(&p, 1, 0));

	return ret < 0 ? ret : p.revents;
}

static __maybe_unused uint32_t ring_flags(int fd)
{
	struct ringbuf_info i;

	return rb_info(fd, &i) ? ~0U : i.flags;
}

#endif /* RINGBUF_TEST_RINGS_H */
