/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of reliable consumers share. */
#ifndef RELIABLE_H
#define RELIABLE_H

#include "ringbuf_test.h"

#define RELIABLE	RINGBUF_CONSUMER_RELIABLE
#define FRAMED		RINGBUF_CONSUMER_FRAMED

/* Records of which a ring of 4096 bytes holds 32, or 4 of the largest. */
#define LEN		104
#define FRAME		128
#define FITS		32
#define LARGEST		1000
#define LARGEST_FRAME	1024

static __maybe_unused int rb_flags(int fd)
{
	struct ringbuf_consumer c = { .struct_size = sizeof(c) };
	int ret = RC(ioctl(fd, RINGBUF_IOC_GET_CONSUMER, &c));

	return ret ? ret : (int)c.flags;
}

/* A reliable consumer that does not block, at the oldest record. */
static __maybe_unused int rb_open_reliable(void)
{
	int fd = rb_open(O_RDONLY | O_NONBLOCK);
	int ret = rb_set_consumer(fd, RELIABLE);

	return ret ? ret : fd;
}

/* How many reliable consumers there are. */
static __maybe_unused int rb_count_reliable(int fd)
{
	struct ringbuf_info i;
	int ret = rb_info(fd, &i);

	return ret ? ret : (int)i.reliable_consumers;
}

/* Writes records of LEN bytes from number @n on until held; how many. */
static __maybe_unused int rb_write_until_held(int w, uint64_t n)
{
	int fl = fcntl(w, F_GETFL), k, ret = 0;

	fcntl(w, F_SETFL, fl | O_NONBLOCK);
	for (k = 0; k < 100000; k++) {
		ret = rb_put(w, n + k, LEN);
		if (ret != LEN)
			break;
	}
	fcntl(w, F_SETFL, fl);
	return ret == -EAGAIN ? k : ret < 0 ? ret : -EOVERFLOW;
}

/* Reads records @from .. @from + @count - 1. */
static __maybe_unused int rb_get_many(int fd, uint64_t from, uint64_t count)
{
	uint64_t n;
	int ret;

	for (n = from; n < from + count; n++) {
		ret = rb_get(fd, n);
		if (ret <= 0)
			return ret ? ret : -EIO;
	}
	return 0;
}

/* read + lost + lag is what was written, in records and in bytes. */
static __maybe_unused bool rb_adds_up(int fd)
{
	struct ringbuf_stats s;
	struct ringbuf_info i;

	if (rb_stats(fd, &s) || rb_info(fd, &i))
		return false;
	if (s.read_records + s.lost_records + s.lag_records == i.head_seq &&
	    s.read_bytes + s.lost_bytes + s.lag_bytes == i.head)
		return true;
	fprintf(stderr, "# read %llu lost %llu lag %llu of %llu\n",
		(long long)s.read_records, (long long)s.lost_records,
		(long long)s.lag_records, (long long)i.head_seq);
	return false;
}

/* The number after @key in a file of /proc; -1: there is none. */
static __maybe_unused long long rb_proc_value(const char *path, const char *key)
{
	char line[256];
	long long v = -1;
	size_t len = strlen(key);
	FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, len) && line[len] == ':')
			v = strtoll(line + len + 1, NULL, 0);
	}
	if (f)
		fclose(f);
	return v;
}

/* How often a thread went to sleep. */
static __maybe_unused long long rb_sleeps(pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	return rb_proc_value(path, "voluntary_ctxt_switches");
}

static __maybe_unused long long rb_fdinfo(int fd, const char *key)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return rb_proc_value(path, key);
}

static __maybe_unused long long rb_attr(const char *name)
{
	char path[128], buf[32] = "";
	int fd, n;

	snprintf(path, sizeof(path), "/sys/class/ringbuf/ringbuf/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	return n > 0 ? strtoll(buf, NULL, 10) : -EIO;
}

/* Is a blocked call still blocked, some time later? */
static __maybe_unused bool rb_op_stays(struct rb_op *op)
{
	usleep(20000);
	return rb_in_syscall(atomic_load(&op->tid), op->nr);
}

/* A process with a reliable consumer that does nothing but hold. */
static __maybe_unused pid_t rb_fork_holder(int skip)
{
	int ready[2];
	pid_t pid;
	char c = 0;

	if (pipe(ready))
		return -errno;
	pid = fork();
	if (!pid) {
		int fd = rb_open_reliable();

		c = fd >= 0 && !rb_get_many(fd, 0, skip);
		if (write(ready[1], &c, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(ready[0], &c, 1) != 1 || !c)
		return -EIO;
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static __maybe_unused int rb_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	return rb_reap(pid) == -SIGKILL ? 0 : -ECHILD;
}

#endif /* RELIABLE_H */
