// SPDX-License-Identifier: GPL-2.0
/*
 * Rings as sysfs shows them. Opening one would make a consumer, which may be one
 * too many for max_consumers, needs the node's permission, and keeps the module
 * from being removed; reading attributes does nothing of that. But only root may
 * read all of them. For others, and where there is no sysfs, a ring is opened for as
 * long as it takes to ask.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "cli.h"
#include "clock.h"
#include "procs.h"

#define CLASS	"/sys/class/ringbuf"

/* A ring that moves while it is looked at is looked at again, but not for ever. */
#define LOOKS	4

const char *test_root(void)
{
	static const char *root;

	if (!root)
		root = secure_getenv("RINGBUF_TEST_ROOT") ?: "";
	return root;
}

/* 0 or an errno. */
static int read_text(int dir, const char *name, char *text, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return errno;
	n = read(fd, text, size - 1);
	close(fd);
	if (n <= 0)
		return ENODEV;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static int read_attr(int dir, const char *name, uint64_t *value)
{
	char text[32];
	int ret = read_text(dir, name, text, sizeof(text));

	if (!ret)
		*value = strtoull(text, NULL, 10);
	return ret;
}

/* What a ring was made with: everybody may know that. */
static void read_config(int dir, struct ring *r)
{
	char clock[16];
	uint64_t reliable = 0;

	read_attr(dir, "size", &r->size);
	read_attr(dir, "max_record", &r->max_record);
	read_attr(dir, "reliable", &reliable);
	r->reliable = reliable;
	if (r->reliable)
		read_attr(dir, "stall_ms", &r->stall_ms);
	r->clockid = RINGBUF_CLOCK_NONE;
	if (!read_text(dir, "clock", clock, sizeof(clock)))
		r->clockid = clock_id(clock);
	if (read_text(dir, "id", r->id, sizeof(r->id)))
		r->id[0] = '\0';
}

static int read_state(int dir, struct ring *r)
{
	uint64_t writer = 0;
	int ret;

	/* The tail before the head, or it might be beyond it. */
	ret = read_attr(dir, "tail_seq", &r->tail_seq) ?:
	      read_attr(dir, "tail", &r->tail) ?:
	      read_attr(dir, "overwritten", &r->overwritten) ?:
	      read_attr(dir, "dropped", &r->dropped) ?:
	      read_attr(dir, "consumers", &r->consumers) ?:
	      read_attr(dir, "writer", &writer) ?:
	      read_attr(dir, "head_seq", &r->head_seq) ?:
	      read_attr(dir, "head", &r->head);
	r->writer = writer;
	if (!ret && r->reliable) {
		read_attr(dir, "reliable_consumers", &r->reliable_consumers);
		read_attr(dir, "holder", &r->holder);
	}
	return ret;
}

/* Attributes are read one by one, so a moving ring may seem to hold too much. */
static void clamp(struct ring *r)
{
	if (r->head - r->tail > r->size)
		r->tail = r->head - r->size;
	if (r->head_seq < r->tail_seq)
		r->head_seq = r->tail_seq;
}

static int look_sysfs(struct ring *r)
{
	char path[2 * RING_PATH_SIZE + sizeof(CLASS)];
	uint64_t head;
	int dir, ret, looks = LOOKS;

	snprintf(path, sizeof(path), "%s" CLASS "/%s", test_root(), r->name);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno;
	read_config(dir, r);
	do {
		ret = read_attr(dir, "head", &head) ?: read_state(dir, r);
	} while (!ret && r->head != head && --looks);
	close(dir);
	clamp(r);
	return ret && ret != EACCES ? ENODEV : ret;
}

static int look_open(struct ring *r)
{
	struct ringbuf_reader *reader;
	struct ringbuf_info info;
	int ret = ringbuf_reader_open(&reader, r->path, RINGBUF_READER_NO_MMAP);

	if (ret)
		return -ret;
	ret = ringbuf_reader_info(reader, &info);
	ringbuf_reader_close(reader);
	if (ret)
		return -ret;
	r->size = info.data_size;
	r->head = info.head;
	r->tail = info.tail;
	r->head_seq = info.head_seq;
	r->tail_seq = info.tail_seq;
	r->overwritten = info.overwritten;
	r->dropped = info.dropped;
	r->max_record = info.max_record;
	r->consumers = info.consumers - 1;	/* this one */
	r->writer = info.flags & RINGBUF_RING_WRITER;
	r->reliable = info.flags & RINGBUF_RING_RELIABLE;
	r->reliable_consumers = info.reliable_consumers;
	r->clockid = info.clockid;
	cli_id(r->id, info.id);
	return 0;
}

/* Fills in all but the names. */
void ring_look(struct ring *r)
{
	r->error = look_sysfs(r);
	if (r->error && !*test_root() &&
	    (r->error == EACCES || access(CLASS, X_OK)))
		r->error = look_open(r);
	r->there = !r->error;
}

/* It is not there; else it may be, and this process is not told more of it. */
bool ring_is_gone(const struct ring *r)
{
	return r->error == ENOENT || r->error == ENODEV || r->error == ENXIO;
}

/*
 * What sysfs calls the ring behind a node: "ringbuf", "ringbuf-NAME". "" when the
 * device is no ring, NULL where there is no sysfs to tell.
 */
static const char *device_of(const struct stat *st,
			     char target[RING_PATH_SIZE])
{
	char link[64], *base, *class;
	ssize_t n;

	snprintf(link, sizeof(link), "/sys/dev/char/%u:%u",
		 major(st->st_rdev), minor(st->st_rdev));
	n = readlink(link, target, RING_PATH_SIZE - 1);
	if (n <= 0)
		return NULL;
	target[n] = '\0';
	/* .../virtual/CLASS/DEVICE */
	base = strrchr(target, '/');
	if (!base)
		return "";
	*base++ = '\0';
	class = strrchr(target, '/');
	return class && !strcmp(class, "/ringbuf") ? base : "";
}

bool is_ring_node(const struct stat *st)
{
	char target[RING_PATH_SIZE];
	const char *name;

	if (!S_ISCHR(st->st_mode))
		return false;
	name = device_of(st, target);
	return name && *name;
}

/* The name of the ring behind a node, wherever the node is. */
static int name_of_node(struct ring *r)
{
	char target[RING_PATH_SIZE];
	const char *base = strrchr(r->path, '/') + 1;
	const char *name;
	struct stat st;

	/* One that is not there yet may come. */
	if (stat(r->path, &st))
		return strncmp(r->path, "/dev/ringbuf", 12) ? errno :
			(strcpy(r->name, base), 0);
	if (!S_ISCHR(st.st_mode))
		return ENOTTY;
	name = device_of(&st, target);
	if (name && !*name)
		return ENOTTY;
	strcpy(r->name, name ? name : base);
	return 0;
}

/*
 * A ring by what the user calls it: as for ringbuf_reader_open(). Returns 0 or an
 * errno, when that can be no ring; whether there is one ring_look() tells.
 */
int ring_named(struct ring *r, const char *name)
{
	memset(r, 0, sizeof(*r));
	if (name && strlen(name) > RING_PATH_SIZE - sizeof("/dev/ringbuf-"))
		return ENAMETOOLONG;
	if (name && strchr(name, '/')) {
		strcpy(r->path, name);
		return name_of_node(r);
	}
	if (!name || !strcmp(name, "ringbuf"))
		strcpy(r->name, "ringbuf");
	else
		snprintf(r->name, sizeof(r->name), "ringbuf-%s", name);
	snprintf(r->path, sizeof(r->path), "/dev/%.200s", r->name);
	return 0;
}

static int is_ring(const struct dirent *d)
{
	return !strcmp(d->d_name, "ringbuf") ||
	       !strncmp(d->d_name, "ringbuf-", 8);
}

/* All rings there are, looked at, sorted by name; also those that tell nothing. */
size_t rings_find(struct ring **rings)
{
	char path[RING_PATH_SIZE + sizeof(CLASS)];
	struct dirent **names;
	size_t count = 0;
	int i, n;

	snprintf(path, sizeof(path), "%.200s" CLASS, test_root());
	*rings = NULL;
	n = scandir(path, &names, is_ring, alphasort);
	if (n > 0)
		*rings = calloc(n, sizeof(**rings));
	for (i = 0; i < n; i++) {
		struct ring *r = *rings ? *rings + count : NULL;

		if (r) {
			memset(r, 0, sizeof(*r));
			snprintf(r->name, sizeof(r->name), "%.200s",
				 names[i]->d_name);
			snprintf(r->path, sizeof(r->path), "/dev/%.200s",
				 r->name);
			ring_look(r);
			count += !ring_is_gone(r);
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return count;
}

const char *ring_short_name(const struct ring *r)
{
	return strncmp(r->name, "ringbuf-", 8) ? r->name : r->name + 8;
}

/* fdinfo says NAME of a ring whose node is ringbuf-NAME. */
static bool same_name(const struct ring *ring, const struct holder *h)
{
	return !strcmp(ring_short_name(ring), h->ring);
}

bool ring_is(const struct ring *ring, const struct holder *h)
{
	return ring->dead == h->dead && same_name(ring, h);
}

/* What a destroyed ring is like, which @h holds. */
static void be_dead(struct ring *r, const struct holder *h,
		    const struct holders *all)
{
	if (!*r->name) {
		snprintf(r->name, sizeof(r->name), "ringbuf-%s", h->ring);
		snprintf(r->path, sizeof(r->path), "/dev/ringbuf-%s", h->ring);
	}
	r->there = true;
	r->dead = true;
	r->consumers = ring_consumers(r, all);
	r->writer = ring_writer(r, all);
}

/**
 * rings_add_dead() - Find destroyed rings that somebody has still open
 * @rings: rings that were looked at; more are added to it
 * @count: how many
 * @h: who has rings open
 * @all: any; else only those among @rings that are not there
 *
 * Return: how many rings there are then.
 */
size_t rings_add_dead(struct ring **rings, size_t count,
		      const struct holders *h, bool all)
{
	struct ring *list = *rings;
	size_t i, j;

	for (i = 0; i < h->count; i++) {
		if (!h->list[i].dead)
			continue;
		for (j = 0; j < count; j++)
			if (same_name(&list[j], &h->list[i]) &&
			    (list[j].dead || (!all && !list[j].there)))
				break;
		if (j < count && !list[j].dead)
			be_dead(&list[j], &h->list[i], h);
		if (j < count || !all)
			continue;
		list = realloc(list, (count + 1) * sizeof(*list));
		if (!list)
			break;
		*rings = list;
		memset(&list[count], 0, sizeof(*list));
		be_dead(&list[count++], &h->list[i], h);
	}
	return count;
}
