// SPDX-License-Identifier: GPL-2.0
/* Where a reader that is started again goes on. */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "cli.h"
#include "resume.h"

static void read_boot(char boot[40])
{
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	boot[0] = '\0';
	if (!f)
		return;
	if (fscanf(f, "%39s", boot) != 1)
		boot[0] = '\0';
	fclose(f);
}

/*
 * The inode of the device in sysfs, which each loading of a module makes anew, and
 * no chmod or udev; without sysfs that of the node, which may be older.
 */
static void read_life(char life[40], int fd)
{
	struct stat node, device;
	char path[64];

	life[0] = '\0';
	if (fstat(fd, &node) || !S_ISCHR(node.st_mode))
		return;
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u",
		 major(node.st_rdev), minor(node.st_rdev));
	if (!stat(path, &device))
		snprintf(life, 40, "sysfs-%ju", (uintmax_t)device.st_ino);
	else
		snprintf(life, 40, "node-%ju", (uintmax_t)node.st_ino);
}

/* Unknown, or told by other means: then they may be the same. */
static bool same_life(const struct resume *r)
{
	return !r->life[0] || r->life[0] != r->life_now[0] ||
	       !strcmp(r->life, r->life_now);
}

static bool parse_line(struct resume *r, const char *line)
{
	if (sscanf(line, "next_seq %" SCNu64, &r->seq) == 1 ||
	    sscanf(line, "time_ns %" SCNu64, &r->time_ns) == 1 ||
	    sscanf(line, "ring %31s", r->ring) == 1 ||
	    sscanf(line, "boot %39s", r->boot) == 1 ||
	    sscanf(line, "life %39s", r->life) == 1)
		return true;
	return line[0] == '#' || line[0] == '\n';
}

/* 1: parsed, 0: empty, -1: wrong. */
static int parse(struct resume *r, FILE *f)
{
	char line[256];
	int n = 0;

	r->seq = UINT64_MAX;
	while (fgets(line, sizeof(line), f)) {
		n++;
		if (!parse_line(r, line)) {
			cli_error("%s: line %d makes no sense; it is no resume file, or spoilt",
				  r->path, n);
			return -1;
		}
	}
	if (ferror(f)) {
		cli_errno(errno, "%s", r->path);
		return -1;
	}
	if (n && r->seq == UINT64_MAX) {
		cli_error("%s: has no line 'next_seq'; it is no resume file",
			  r->path);
		return -1;
	}
	return n > 0;
}

/* Another file takes its place, so it had better be one that can be replaced. */
static int open_file(struct resume *r, const char *path, FILE **f)
{
	struct stat st;

	*f = NULL;
	r->path = realpath(path, NULL);
	if (!r->path) {
		r->path = strdup(path);
		if (errno == ENOENT && r->path)
			return 0;
		cli_errno(errno, "%s", path);
		return -1;
	}
	if (!stat(r->path, &st) && !S_ISREG(st.st_mode)) {
		cli_error("%s: is no regular file, so it cannot be a resume file",
			  path);
		return -1;
	}
	*f = fopen(r->path, "re");
	if (!*f) {
		cli_errno(errno, "%s", path);
		return -1;
	}
	return 0;
}

int resume_load(struct resume *r, const char *path, const char *ring, int fd)
{
	FILE *f;
	int ret;

	memset(r, 0, sizeof(*r));
	read_life(r->life_now, fd);
	if (open_file(r, path, &f))
		return -1;
	ret = 0;
	if (f) {
		ret = parse(r, f);
		fclose(f);
	}
	if (ret < 0)
		return ret;
	if (r->ring[0] && strcmp(r->ring, ring)) {
		cli_error("%s: is for the ring '%s', not for '%s'", path,
			  r->ring, ring);
		return -1;
	}
	snprintf(r->ring, sizeof(r->ring), "%s", ring);
	return ret;
}

void resume_free(struct resume *r)
{
	free(r->path);
}

static int write_file(const struct resume *r, const char *temp)
{
	char text[256];
	int fd, len, err = 0;

	len = snprintf(text, sizeof(text),
		       "next_seq %" PRIu64 "\ntime_ns %" PRIu64
		       "\nring %s\nboot %s\n%s%s%s",
		       r->seq, r->time_ns, r->ring, r->boot,
		       r->life_now[0] ? "life " : "", r->life_now,
		       r->life_now[0] ? "\n" : "");
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		  0666);
	if (fd < 0)
		return errno;
	errno = ENOSPC;
	if (write(fd, text, len) != len || fsync(fd))
		err = errno;
	if (close(fd) && !err)
		err = errno;
	return err;
}

int resume_save(struct resume *r, uint64_t seq, uint64_t time_ns)
{
	char temp[PATH_MAX];
	int err;

	r->seq = seq;
	r->time_ns = time_ns;
	read_boot(r->boot);
	if (snprintf(temp, sizeof(temp), "%s.tmp", r->path) >=
	    (int)sizeof(temp)) {
		cli_errno(ENAMETOOLONG, "%s", r->path);
		return -1;
	}
	err = write_file(r, temp);
	if (!err && rename(temp, r->path))
		err = errno;
	if (err) {
		unlink(temp);
		cli_errno(err, "%s: where to resume could not be saved",
			  r->path);
		return -1;
	}
	r->saved_at = cli_now();
	return 0;
}

/* At the oldest record of a ring that is not the one that it was. */
static int start_anew(const struct resume *r, struct ringbuf_reader *reader,
		      struct source_gap *gap, const char *why)
{
	int64_t seq = ringbuf_reader_seek(reader, 0, SEEK_DATA);

	if (seq < 0)
		return seq;
	cli_error("warning: %s goes on at record %" PRIu64
		  ", but %s since: starting at the oldest, record %" PRId64,
		  r->path, r->seq, why, seq);
	gap->from = 0;
	gap->records = seq;
	return 0;
}

/*
 * Is the last record that was handled still there, and still the same? 1: yes,
 * the reader is behind it; 0: it is gone, and the reader at the oldest one;
 * -EXDEV: the ring is another one.
 */
static int check_last(const struct resume *r, struct ringbuf_reader *reader)
{
	struct ringbuf_entry e;
	int64_t seq;
	int ret;

	for (;;) {
		seq = ringbuf_reader_seek(reader, r->seq - 1, SEEK_SET);
		if (seq < 0)
			return seq == -EINVAL ? -EXDEV : seq;
		if ((uint64_t)seq >= r->seq)
			return 0;
		ret = ringbuf_read(reader, &e);
		if (ret < 0)
			return ret == -ENODATA ? -EXDEV : ret;
		/* Handled, so it has been there: the head was further. */
		if (!ret)
			return -EXDEV;
		if (e.seq >= r->seq)
			continue;	/* overrun meanwhile */
		return !r->time_ns || e.time_ns == r->time_ns ? 1 : -EXDEV;
	}
}

int resume_seek(const struct resume *r, struct ringbuf_reader *reader,
		struct source_gap *gap)
{
	char boot[40];
	int64_t seq = 0;
	int ret = 0;

	memset(gap, 0, sizeof(*gap));
	read_boot(boot);
	if (r->boot[0] && strcmp(r->boot, boot))
		return start_anew(r, reader, gap, "the machine has been rebooted");
	if (!same_life(r))
		ret = -EXDEV;
	else if (r->seq)
		ret = check_last(r, reader);
	if (ret == -EXDEV)
		return start_anew(r, reader, gap, "the ring has been made anew");
	if (ret < 0 || ret == 1)
		return ret < 0 ? ret : 0;
	seq = ringbuf_reader_seek(reader, r->seq, SEEK_SET);
	if (seq < 0)
		return seq;
	gap->from = r->seq;
	gap->records = seq - r->seq;
	return 0;
}
