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
#include <unistd.h>
#include "cli.h"
#include "resume.h"

static bool parse_line(struct resume *r, const char *line)
{
	if (sscanf(line, "next_seq %" SCNu64, &r->seq) == 1 ||
	    sscanf(line, "ring %31s", r->ring) == 1 ||
	    sscanf(line, "id %36s", r->id) == 1)
		return true;
	/* Version 0.2 told rings apart by these; its rings are gone in any case. */
	if (!strncmp(line, "boot ", 5) || !strncmp(line, "life ", 5)) {
		r->is_old = true;
		return true;
	}
	return line[0] == '#' || line[0] == '\n' ||
	       !strncmp(line, "time_ns ", 8);
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

int resume_load(struct resume *r, const char *path,
		const struct ringbuf_info *info)
{
	FILE *f;
	int ret;

	memset(r, 0, sizeof(*r));
	cli_id(r->id_now, info->id);
	if (open_file(r, path, &f))
		return -1;
	ret = 0;
	if (f) {
		ret = parse(r, f);
		fclose(f);
	}
	if (ret < 0)
		return ret;
	if (r->ring[0] && strcmp(r->ring, info->name)) {
		cli_error("%s: is for the ring '%s', not for '%s'", path,
			  r->ring, info->name);
		return -1;
	}
	snprintf(r->ring, sizeof(r->ring), "%s", info->name);
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

	len = snprintf(text, sizeof(text), "next_seq %" PRIu64 "\nring %s\nid %s\n",
		       r->seq, r->ring, r->id_now);
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

int resume_save(struct resume *r, uint64_t seq)
{
	char temp[PATH_MAX];
	int err;

	r->seq = seq;
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

/* The file tells of no record of this ring: go to the oldest one. */
static int start_anew(const struct resume *r, struct ringbuf_reader *reader,
		      struct source_gap *gap, const char *why)
{
	int64_t seq = ringbuf_reader_seek(reader, 0, SEEK_DATA);

	if (seq < 0)
		return seq;
	cli_error("warning: %s goes on at record %" PRIu64
		  ", but %s: starting at the oldest, record %" PRId64,
		  r->path, r->seq, why, seq);
	gap->from = 0;
	gap->records = seq;
	return 0;
}

/* A file that somebody has written by hand may name no ring. */
static bool is_same_ring(const struct resume *r)
{
	return r->id[0] ? !strcmp(r->id, r->id_now) : !r->is_old;
}

int resume_seek(const struct resume *r, struct ringbuf_reader *reader,
		struct source_gap *gap)
{
	int64_t seq;

	memset(gap, 0, sizeof(*gap));
	if (!is_same_ring(r))
		return start_anew(r, reader, gap,
				  "the ring has been made anew since");
	seq = ringbuf_reader_seek(reader, r->seq, SEEK_SET);
	if (seq == -EINVAL)
		return start_anew(r, reader, gap,
				  "the ring has not come so far");
	if (seq < 0)
		return seq;
	gap->from = r->seq;
	gap->records = seq - r->seq;
	return 0;
}
