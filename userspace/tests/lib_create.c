// SPDX-License-Identifier: GPL-2.0
/*
 * ringbuf_create() and ringbuf_destroy() on the host, where a directory stands in
 * for configfs's: what is written, in which order, and that what fails leaves
 * nothing. The calls are wrapped by the linker.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include "lib_host.h"

#define DIR_FD	4711

/* What was done, and what is to fail with what. */
static char done[512];
static const char *bad_call;
static int bad_errno;

static int doing(const char *format, ...)
{
	char call[128];
	va_list args;

	va_start(args, format);
	vsnprintf(call, sizeof(call), format, args);
	va_end(args);
	strcat(strcat(done, call), ";");
	if (!bad_call || strcmp(call, bad_call))
		return 0;
	errno = bad_errno;
	return -1;
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	(void)mode;
	return doing("mkdir %s", path);
}

int __wrap_rmdir(const char *path)
{
	return doing("rmdir %s", path);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	if (!(flags & O_DIRECTORY))
		return __real_open(path, flags);
	return doing("open") ?: DIR_FD;
}

/* What write() is about. */
static char attribute[32];

int __wrap_openat(int dir, const char *path, int flags, ...)
{
	(void)flags;
	if (dir != DIR_FD)
		return -1;
	snprintf(attribute, sizeof(attribute), "%s", path);
	return DIR_FD + 1;
}

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	if (fd != DIR_FD + 1)
		return __real_write(fd, data, len);
	return doing("%s=%.*s", attribute, (int)len, (const char *)data) ?:
	       (ssize_t)len;
}

static int opened;

int __real_close(int fd);
int __wrap_close(int fd)
{
	if (fd != DIR_FD && fd != DIR_FD + 1)
		return __real_close(fd);
	opened++;
	return 0;
}

static int make(const char *name, const struct ringbuf_config *config,
		const char *bad, int err)
{
	done[0] = '\0';
	bad_call = bad;
	bad_errno = err;
	return ringbuf_create(name, config);
}

#define CHECK_DONE(text) do {						\
	if (strcmp(done, text)) {					\
		printf("# %s:%d: %s\n", __FILE__, __LINE__, done);	\
		return false;						\
	}								\
} while (0)

#define A	"/sys/kernel/config/ringbuf/a"

static bool plain(void)
{
	CHECK_EQ(0, make("a", NULL, NULL, 0));
	CHECK_DONE("mkdir " A ";open;live=1;");
	CHECK_EQ(2, opened);
	return true;
}

static struct ringbuf_config all = {
	.struct_size = sizeof(all),
	.flags = RINGBUF_CONFIG_RELIABLE,
	.size = 4096,
	.stall_ms = 5000,
	.mode = 0640,
	.max_consumers = 7,
	.clock = RINGBUF_CLOCK_OFF,
	.max_consumers_per_user = 3,
};

static bool configured(void)
{
	CHECK_EQ(0, make("a", &all, NULL, 0));
	CHECK_DONE("mkdir " A ";open;size=4096;mode=0640;max_consumers=7;max_consumers_per_user=3;clock=none;reliable=1;stall_ms=5000;live=1;");
	return true;
}

static bool fails_whole(void)
{
	static const char *const calls[] = {
		"open", "size=4096", "mode=0640", "max_consumers=7",
		"max_consumers_per_user=3", "clock=none", "reliable=1", "stall_ms=5000", "live=1",
	};
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		CHECK_EQ(-ENOMEM, make("a", &all, calls[i], ENOMEM));
		CHECK(strstr(done, ";rmdir " A ";"));
		CHECK(i == 8 || !strstr(done, "live"));
	}
	/* What is there already is somebody else's. */
	CHECK_EQ(-EEXIST, make("a", &all, "mkdir " A, EEXIST));
	CHECK_DONE("mkdir " A ";");
	CHECK_EQ(-EACCES, make("a", &all, "mkdir " A, EACCES));
	CHECK_EQ(-EOPNOTSUPP, make("a", &all, "mkdir " A, ENOENT));
	return true;
}

static bool names(void)
{
	static const char *const bad[] = {
		"", ".", "..", ".a", "-a", "a/b", "../a", "a b", "a\n",
		"caf\303\251", "ringbuf",
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		CHECK_EQ(-EINVAL, make(bad[i], NULL, NULL, 0));
		CHECK_DONE("");
		CHECK_EQ(-EINVAL, ringbuf_destroy(bad[i]));
		CHECK_DONE("");
	}
	CHECK_EQ(-ENAMETOOLONG, make("a1234567890123456789012345678901", NULL,
				     NULL, 0));
	CHECK_EQ(0, make("a123456789012345678901234567890", NULL, NULL, 0));
	CHECK_EQ(0, make("_A-z.9", NULL, NULL, 0));
	return true;
}

static bool versions(void)
{
	struct {
		struct ringbuf_config c;
		uint64_t more;
	} big = { .c.struct_size = sizeof(big) };

	CHECK_EQ(0, make("a", &big.c, NULL, 0));
	big.more = 1ULL << 40;
	CHECK_EQ(-E2BIG, make("a", &big.c, NULL, 0));
	big.c.struct_size = sizeof(big.c) - 8;
	CHECK_EQ(-EINVAL, make("a", &big.c, NULL, 0));
	big.c.struct_size = sizeof(big.c);
	CHECK_EQ(0, make("a", &big.c, NULL, 0));
	big.c.flags = 2;
	CHECK_EQ(-EINVAL, make("a", &big.c, NULL, 0));
	big.c.flags = 0;
	big.c.clock = RINGBUF_CLOCK_OFF + 1;
	CHECK_EQ(-EINVAL, make("a", &big.c, NULL, 0));
	big.c.clock = 0;
	big.c.reserved = 1;
	CHECK_EQ(-EINVAL, make("a", &big.c, NULL, 0));
	return true;
}

static bool clocks(void)
{
	static const char *const wanted[] = {
		"mkdir " A ";open;live=1;",
		"mkdir " A ";open;clock=monotonic;live=1;",
		"mkdir " A ";open;clock=realtime;live=1;",
		"mkdir " A ";open;clock=tai;live=1;",
		"mkdir " A ";open;clock=none;live=1;",
	};
	struct ringbuf_config c = { .struct_size = sizeof(c) };

	for (c.clock = 0; c.clock <= RINGBUF_CLOCK_OFF; c.clock++) {
		CHECK_EQ(0, make("a", &c, NULL, 0));
		CHECK_DONE(wanted[c.clock]);
	}
	return true;
}

static bool destroy(void)
{
	done[0] = '\0';
	bad_call = NULL;
	CHECK_EQ(0, ringbuf_destroy("a"));
	CHECK_DONE("rmdir " A ";");
	bad_call = "rmdir " A;
	bad_errno = ENOENT;
	CHECK_EQ(-ENOENT, ringbuf_destroy("a"));
	return true;
}

int main(void)
{
	static const struct host_test tests[] = {
#define T(name) { #name, name }
		T(plain), T(configured), T(fails_whole), T(names), T(versions),
		T(clocks), T(destroy),
	};

	return host_run(tests, sizeof(tests) / sizeof(tests[0]));
}
