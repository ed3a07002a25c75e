/* SPDX-License-Identifier: GPL-2.0 */
/* The ring in a consumer's memory: as the uapi header says, by hand. */
#ifndef RINGBUF_TEST_MAP_H
#define RINGBUF_TEST_MAP_H

#include "ringbuf_test.h"

#include <sys/mman.h>

struct rb_map {
	const struct ringbuf_page *page;
	const struct ringbuf_head *head;
	const uint8_t *data;	/* twice in a row */
	uint64_t size;		/* of one of them */
	size_t len;		/* of the whole map */
};

static __maybe_unused int rb_map_fd(struct rb_map *m, int fd)
{
	struct ringbuf_info i;
	int ret = rb_info(fd, &i);
	char *p;

	memset(m, 0, sizeof(*m));
	if (ret)
		return ret;
	m->size = i.data_size;
	m->len = i.data_offset + 2 * i.data_size;
	p = mmap(NULL, m->len, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	m->page = (const void *)p;
	m->head = (const void *)(p + i.head_offset);
	m->data = (const void *)(p + i.data_offset);
	return 0;
}

static __maybe_unused int rb_unmap(struct rb_map *m)
{
	return RC(munmap((void *)m->page, m->len));
}

/* Would that be mapped? 0, or -errno. */
static __maybe_unused int rb_try_map(int fd, int prot, int flags, uint64_t off,
				     size_t len)
{
	void *p = mmap(NULL, len, prot, flags, fd, off);

	return p == MAP_FAILED ? -errno : RC(munmap(p, len));
}

static __maybe_unused uint64_t rb_map_head(const struct rb_map *m)
{
	return __atomic_load_n(&m->head->head, __ATOMIC_ACQUIRE);
}

static __maybe_unused uint64_t rb_map_tail(const struct rb_map *m)
{
	return __atomic_load_n(&m->page->tail, __ATOMIC_ACQUIRE);
}

/* After what was read from @pos on: had none of it been overwritten? */
static __maybe_unused bool rb_map_intact(const struct rb_map *m, uint64_t pos)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return (int64_t)(pos - __atomic_load_n(&m->page->tail,
					       __ATOMIC_RELAXED)) >= 0;
}

static __maybe_unused const struct ringbuf_record *
rb_map_at(const struct rb_map *m, uint64_t pos)
{
	return (const void *)(m->data + (pos & (m->size - 1)));
}

/* Can this byte be read? 1, or -EFAULT. */
static __maybe_unused int rb_touch(const void *p)
{
	int fd[2], ret;

	if (pipe(fd))
		return -errno;
	ret = RC(write(fd[1], p, 1));
	close(fd[0]);
	close(fd[1]);
	return ret;
}

#endif /* RINGBUF_TEST_MAP_H */
