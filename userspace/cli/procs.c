// SPDX-License-Identifier: GPL-2.0
/*
 * Who has rings open: /proc, as lsof(8) goes through it. Root sees all, others
 * see their own processes.
 */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "procs.h"

#define KCMP_FILE	0	/* of <linux/kcmp.h> */

/* Up to @size - 1 bytes and a NUL; returns how many, or -1. */
static ssize_t read_small(int dir, const char *name, char *text, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, size - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

static struct holder *add(struct holders *h)
{
	struct holder *list = h->list;

	if (h->count == h->room) {
		h->room = h->room ? 2 * h->room : 64;
		list = realloc(list, h->room * sizeof(*list));
		if (!list) {
			fputs("ringbuf: out of memory\n", stderr);
			exit(1);
		}
		h->list = list;
	}
	memset(&list[h->count], 0, sizeof(*list));
	return &list[h->count++];
}

/*
 * Most files of most processes are none: looking only into what was opened in
 * some /dev, or under the name of a ring, spares tens of thousands of reads on a
 * busy machine.
 */
static bool may_be_ring(const char *path)
{
	const char *base = strrchr(path, '/');

	return path[0] == '/' && (!strncmp(path, "/dev/", 5) ||
				  !strncmp(base + 1, "ringbuf", 7));
}

static void parse_line(struct holder *h, const char *key, const char *value)
{
	static const struct {
		const char *key;
		size_t at;
	} numbers[] = {
		{ "ringbuf_pos", offsetof(struct holder, pos) },
		{ "seq", offsetof(struct holder, seq) },
		{ "lag_records", offsetof(struct holder, lag_records) },
		{ "lag_bytes", offsetof(struct holder, lag_bytes) },
		{ "max_lag_records", offsetof(struct holder, max_lag_records) },
		{ "max_lag_bytes", offsetof(struct holder, max_lag_bytes) },
		{ "lost_records", offsetof(struct holder, lost_records) },
		{ "lost_bytes", offsetof(struct holder, lost_bytes) },
		{ "read_records", offsetof(struct holder, read_records) },
		{ "read_bytes", offsetof(struct holder, read_bytes) },
	};
	uint64_t n = strtoull(value, NULL, 0);
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (!strcmp(key, numbers[i].key))
			*(uint64_t *)((char *)h + numbers[i].at) = n;
	if (!strcmp(key, "ringbuf"))
		snprintf(h->ring, sizeof(h->ring), "%s", value);
	else if (!strcmp(key, "flags"))		/* those of open(), octal */
		h->writer = (n & O_ACCMODE) != O_RDONLY;
	else if (!strcmp(key, "ringbuf_flags"))
		h->flags = n;
	else if (!strcmp(key, "ringbuf_stats_flags"))
		h->demoted = n & RINGBUF_STATS_DEMOTED;
	else if (!strcmp(key, "read_records"))
		h->tells_read = true;
	else if (!strcmp(key, "max_lag_records"))
		h->tells_max = true;
	else if (!strcmp(key, "ringbuf_pos"))
		h->reader = true;
}

/* False when that is no ring's. */
static bool parse_fdinfo(struct holder *h, char *text)
{
	char *line, *rest = text, *value;

	while ((line = strsep(&rest, "\n"))) {
		value = strstr(line, ":\t");
		if (!value)
			continue;
		*value = '\0';
		parse_line(h, line, value + 2);
	}
	return h->ring[0];
}

static void add_fd(struct holders *all, int proc, pid_t pid, const char *fd,
		   const char *path)
{
	char name[32], text[1024];
	struct holder h = { .pid = pid, .fd = atoi(fd) };
	size_t len = strlen(path);

	snprintf(name, sizeof(name), "fdinfo/%.16s", fd);
	if (read_small(proc, name, text, sizeof(text)) <= 0 ||
	    !parse_fdinfo(&h, text))
		return;
	snprintf(h.path, sizeof(h.path), "%s", path);
	/* The node of a ring goes with it. */
	h.dead = len > 10 && !strcmp(path + len - 10, " (deleted)");
	*add(all) = h;
}

/* The name may have anything in it, newlines too; one more ends the file. */
static void read_comm(int proc, char comm[COMM_SIZE])
{
	ssize_t n = read_small(proc, "comm", comm, COMM_SIZE);

	if (n > 0 && comm[n - 1] == '\n')
		comm[n - 1] = '\0';
}

/* The path of a shared map of something that may be a ring, else NULL. */
static char *map_path(char *line)
{
	char perms[8];
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%*s %7s %*s %*s %*s %n", perms, &at) < 1 || !at)
		return NULL;
	return perms[3] == 's' && may_be_ring(line + at) ? line + at : NULL;
}

static FILE *open_maps(int proc)
{
	int fd = openat(proc, "maps", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? NULL : fdopen(fd, "r");
}

/* Mark those of one process's holders, from @from on, whose file is mapped. */
static void find_maps(struct holders *all, size_t from, int proc)
{
	FILE *maps = open_maps(proc);
	char line[2 * RING_PATH_SIZE], *path;
	size_t i;

	if (!maps)
		return;
	while (fgets(line, sizeof(line), maps)) {
		path = map_path(line);
		for (i = from; path && i < all->count; i++)
			if (!strcmp(all->list[i].path, path))
				all->list[i].mapped = true;
	}
	fclose(maps);
}

/* A consumer that has closed its file and kept its map. */
static void add_map_only(struct holders *all, int proc, pid_t pid,
			 const struct ring *ring)
{
	FILE *maps = open_maps(proc);
	char line[2 * RING_PATH_SIZE], *path;
	struct holder *h;

	if (!maps)
		return;
	while (fgets(line, sizeof(line), maps)) {
		path = map_path(line);
		if (!path || strcmp(path, ring->path))
			continue;
		h = add(all);
		h->pid = pid;
		h->fd = -1;
		h->mapped = true;
		snprintf(h->ring, sizeof(h->ring), "%.31s", ring_short_name(ring));
		read_comm(proc, h->comm);
		break;
	}
	fclose(maps);
}

static void scan_process(struct holders *all, int proc, pid_t pid)
{
	int fd = openat(proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *fds = fd < 0 ? NULL : fdopendir(fd);
	size_t i, from = all->count;
	char path[RING_PATH_SIZE];
	struct dirent *d;
	ssize_t n;

	if (!fds) {
		all->hidden += errno == EACCES || errno == EPERM;
		return;
	}
	while ((d = readdir(fds))) {
		n = readlinkat(fd, d->d_name, path, sizeof(path) - 1);
		if (n <= 0)
			continue;
		path[n] = '\0';
		if (may_be_ring(path))
			add_fd(all, proc, pid, d->d_name, path);
	}
	closedir(fds);
	if (from == all->count)
		return;
	find_maps(all, from, proc);
	read_comm(proc, all->list[from].comm);
	for (i = from + 1; i < all->count; i++)
		memcpy(all->list[i].comm, all->list[from].comm, COMM_SIZE);
}

/*
 * dup() and fork() share a file description, hence a consumer. Only kcmp(2) can
 * tell, and orders them; where it may not or is not there, each descriptor is
 * listed.
 */
static long compare_files(const struct holder *a, const struct holder *b)
{
	if (*test_root())
		return -1;
	return syscall(SYS_kcmp, a->pid, b->pid, KCMP_FILE, a->fd, b->fd);
}

static int by_file(const void *x, const void *y)
{
	const struct holder *a = x, *b = y;
	int ret = strcmp(a->ring, b->ring);
	long order;

	if (ret)
		return ret;
	if (a->fd >= 0 && b->fd >= 0) {
		order = compare_files(a, b);
		if (order == 1 || order == 2)
			return order == 1 ? -1 : 1;
	}
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->fd > b->fd) - (a->fd < b->fd);
}

static void group(struct holders *all)
{
	struct holder *h = all->list;
	size_t i;

	if (all->count)
		qsort(h, all->count, sizeof(*h), by_file);
	for (i = 0; i < all->count; i++) {
		h[i].first = i;
		h[i].shared = 0;
		if (i && h[i].fd >= 0 && h[i - 1].fd >= 0 &&
		    !compare_files(&h[i - 1], &h[i]))
			h[i].first = h[i - 1].first;
		h[h[i].first].shared++;
	}
}

static void each_process(struct holders *all, const struct ring *map_only)
{
	char path[RING_PATH_SIZE];
	struct dirent *d;
	DIR *procs;
	int proc;

	snprintf(path, sizeof(path), "%.200s/proc", test_root());
	procs = opendir(path);
	if (!procs)
		return;
	while ((d = readdir(procs))) {
		/* What this process has, it has been left by who started it. */
		if (!isdigit((unsigned char)d->d_name[0]) ||
		    atoi(d->d_name) == getpid())
			continue;
		proc = openat(dirfd(procs), d->d_name,
			      O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (proc < 0)
			continue;
		if (map_only)
			add_map_only(all, proc, atoi(d->d_name), map_only);
		else
			scan_process(all, proc, atoi(d->d_name));
		close(proc);
	}
	closedir(procs);
}

/* Who is seen to have @ring open need not be looked for again among the maps. */
static void scan_maps(struct holders *all, const struct ring *ring)
{
	struct holders maps = {};
	size_t i, j;

	each_process(&maps, ring);
	for (i = 0; i < maps.count; i++) {
		for (j = 0; j < all->count; j++)
			if (all->list[j].pid == maps.list[i].pid &&
			    ring_is(ring, &all->list[j]))
				break;
		if (j == all->count)
			*add(all) = maps.list[i];
	}
	free(maps.list);
}

/**
 * holders_scan() - Find who has rings open
 * @h: the list; what was in it is forgotten
 * @rings: rings that matter, looked at before
 * @count: how many
 *
 * Maps are looked through, which takes longer, only when somebody is missing.
 */
void holders_scan(struct holders *h, const struct ring *rings, size_t count)
{
	size_t i;

	h->count = 0;
	h->hidden = 0;
	each_process(h, NULL);
	group(h);
	for (i = 0; i < count; i++) {
		if (rings[i].there &&
		    ring_consumers(&rings[i], h) < rings[i].consumers)
			scan_maps(h, &rings[i]);
	}
	group(h);
}

void holders_free(struct holders *h)
{
	free(h->list);
	memset(h, 0, sizeof(*h));
}

/* The process that has the writer slot, if it can be seen. */
const struct holder *ring_writer(const struct ring *ring,
				 const struct holders *h)
{
	size_t i;

	for (i = 0; i < h->count; i++)
		if (h->list[i].writer && ring_is(ring, &h->list[i]))
			return &h->list[h->list[i].first];
	return NULL;
}

/* How many consumers can be seen. */
size_t ring_consumers(const struct ring *ring, const struct holders *h)
{
	size_t i, n = 0;

	for (i = 0; i < h->count; i++)
		n += h->list[i].first == i && h->list[i].reader &&
		     ring_is(ring, &h->list[i]);
	return n;
}

/* Is who is not seen to have @ring open no process? */
bool ring_all_seen(const struct ring *ring, const struct holders *h)
{
	size_t i;

	if (h->hidden)
		return false;
	for (i = 0; i < h->count; i++)
		if (h->list[i].fd < 0 && ring_is(ring, &h->list[i]))
			return false;
	return ring_consumers(ring, h) >= ring->consumers;
}

/*
 * Does the writer wait for its own file, whose reliable consumer is the slowest? Then
 * only the process itself can read it on, in another thread.
 */
bool ring_holds_itself(const struct ring *ring, const struct holders *h)
{
	const struct holder *w = ring_writer(ring, h);
	bool is_holder = false;
	size_t i;

	if (!ring->holder || !w || !w->reader ||
	    !(w->flags & RINGBUF_CONSUMER_RELIABLE))
		return false;
	for (i = 0; i < h->count; i++) {
		if (!ring_is(ring, &h->list[i]))
			continue;
		if (h->list[i].first == w->first)
			is_holder |= h->list[i].pid == (pid_t)ring->holder;
		else if (h->list[i].flags & RINGBUF_CONSUMER_RELIABLE &&
			 (int64_t)(h->list[i].pos - w->pos) < 0)
			return false;
	}
	return is_holder;
}
