// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "core.h"
#include "lib_feed.h"

#define PAGE	4096UL

struct feed {
	struct ringbuf_core core;
	unsigned char *rw;
	unsigned char *ro;
	size_t bytes;
};

/* [guard] page [guard] head page [guard] data data [guard] */
static unsigned char *lay_out(int fd, uint64_t size, int prot, size_t bytes)
{
	unsigned char *mem = mmap(NULL, bytes, PROT_NONE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const int flags = MAP_SHARED | MAP_FIXED;

	if (mem == MAP_FAILED ||
	    mmap(mem + PAGE, PAGE, prot, flags, fd, 0) == MAP_FAILED ||
	    mmap(mem + 3 * PAGE, PAGE, prot, flags, fd, PAGE) == MAP_FAILED ||
	    mmap(mem + 5 * PAGE, size, prot, flags, fd, 2 * PAGE) ==
	    MAP_FAILED ||
	    mmap(mem + 5 * PAGE + size, size, prot, flags, fd, 2 * PAGE) ==
	    MAP_FAILED)
		abort();
	return mem;
}

struct feed *feed_new(uint64_t size, uint64_t pos, uint64_t seq)
{
	const struct ringbuf_mark start = { .pos = pos, .seq = seq };
	struct feed *f = aligned_alloc(64, sizeof(*f));
	int fd = memfd_create("ring", 0);

	if (!f || fd < 0 || ftruncate(fd, 2 * PAGE + size))
		abort();
	f->bytes = 6 * PAGE + 2 * size;
	f->rw = lay_out(fd, size, PROT_READ | PROT_WRITE, f->bytes);
#ifdef __SANITIZE_THREAD__
	f->ro = f->rw;
#else
	f->ro = lay_out(fd, size, PROT_READ, f->bytes);
#endif
	close(fd);
	ringbuf_core_init(&f->core, feed_page_rw(f), feed_head_rw(f),
			  feed_data_rw(f), size, &start);
	feed_page_rw(f)->head_offset = PAGE;
	feed_page_rw(f)->data_offset = 2 * PAGE;
	return f;
}

void feed_free(struct feed *f)
{
	munmap(f->rw, f->bytes);
	if (f->ro != f->rw)
		munmap(f->ro, f->bytes);
	free(f);
}

const struct ringbuf_page *feed_page(const struct feed *f)
{
	return (const void *)(f->ro + PAGE);
}

const struct ringbuf_head *feed_head(const struct feed *f)
{
	return (const void *)(f->ro + 3 * PAGE);
}

const unsigned char *feed_data(const struct feed *f)
{
	return f->ro + 5 * PAGE;
}

struct ringbuf_page *feed_page_rw(struct feed *f)
{
	return (void *)(f->rw + PAGE);
}

struct ringbuf_head *feed_head_rw(struct feed *f)
{
	return (void *)(f->rw + 3 * PAGE);
}

unsigned char *feed_data_rw(struct feed *f)
{
	return f->rw + 5 * PAGE;
}

void *feed_reserve(struct feed *f, uint32_t len, uint16_t type)
{
	return ringbuf_core_reserve(&f->core, len, type);
}

void feed_commit(struct feed *f, uint64_t time_ns)
{
	ringbuf_core_commit(&f->core, time_ns);
}

void feed_publish(struct feed *f)
{
	ringbuf_core_publish(&f->core);
}

void feed_gap(struct feed *f, uint64_t seqs)
{
	f->core.head_seq += seqs;
	ringbuf_core_publish(&f->core);
}

void feed_info(const struct feed *f, struct ringbuf_info *info)
{
	struct ringbuf_mark head, tail;

	/* As the kernel does: both of one moment. */
	do {
		ringbuf_core_tail(&f->core, &tail);
		ringbuf_core_head(&f->core, &head);
	} while (!ringbuf_core_intact(&f->core, tail.pos));
	memset(info, 0, sizeof(*info));
	info->struct_size = sizeof(*info);
	info->data_size = f->core.size;
	info->max_record = f->core.max_record;
	info->head = head.pos;
	info->head_seq = head.seq;
	info->tail = tail.pos;
	info->tail_seq = tail.seq;
}

static void put(struct feed *f, uint32_t words, bool marked)
{
	uint64_t seq = f->core.head_seq, *payload;
	uint32_t i;

	payload = feed_reserve(f, words * 8, words);
	if (!payload)
		abort();
	for (i = 0; i < words; i++) {
		if (marked)
			WRITE_ONCE(payload[i], feed_word(seq, i));
		else
			payload[i] = feed_word(seq, i);
	}
	feed_commit(f, seq + 1);
	feed_publish(f);
}

/* Word by word: readers that are overrun look on. */
void feed_put(struct feed *f, uint32_t words)
{
	put(f, words, true);
}

void feed_put_plain(struct feed *f, uint32_t words)
{
	put(f, words, false);
}
