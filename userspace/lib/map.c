// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Records in place: the ring mapped into this process. Nothing that is read
 * from it is trusted: a bad ring gives -EBADMSG and no bad access.
 */

#include <sys/mman.h>
#include <time.h>
#include "lib.h"

/* Rings up to this many bytes are mapped at once, larger ones as they are read. */
#define POPULATE_MAX	(16UL << 20)

/* A writer that may wait for a reader that has read on waits for no longer. */
#define PATIENCE_NS	1000000ULL

/* Read a ring that lies in memory, from @r->pub.at and .seq on. */
int map_attach(struct reader *r, const struct ringbuf_page *page,
	       const struct ringbuf_head *head_page, const unsigned char *data)
{
	uint64_t size = page->data_size;

	if (page->magic != RINGBUF_PAGE_MAGIC || page->abi != RINGBUF_ABI ||
	    page->struct_size < sizeof(*page) || size != r->size)
		return -EBADMSG;
	r->page = page;
	r->head_page = head_page;
	r->data = data;
	r->pub.tail = (const ringbuf_word_ *)&page->tail;
	r->pub.base = (uintptr_t)data;
	r->pub.mask = size - 1;
	r->pub.end = r->pub.at;
	r->advanced = r->pub.at;
	return 0;
}

static uint64_t load_acquire(const void *word)
{
	return __atomic_load_n((const ringbuf_word_ *)word, __ATOMIC_ACQUIRE);
}

/* NULL and errno when that fails. */
static void *map_area(const struct reader *r, uint64_t offset, size_t size)
{
	int flags = MAP_SHARED | (r->size <= POPULATE_MAX ? MAP_POPULATE : 0);
	void *area = mmap(NULL, size, PROT_READ, flags, r->fd, offset);

	return area == MAP_FAILED ? NULL : area;
}

static void unmap_areas(void *page, void *head_page, void *data, uint64_t size)
{
	size_t page_size = sysconf(_SC_PAGESIZE);

	if (page)
		munmap(page, page_size);
	if (head_page)
		munmap(head_page, page_size);
	if (data)
		munmap(data, 2 * size);
}

int map_open(struct reader *r, const struct ringbuf_info *info)
{
	size_t page_size = sysconf(_SC_PAGESIZE);
	void *page, *head_page = NULL, *data = NULL;
	int ret;

	if (info->data_offset % page_size || info->head_offset % page_size ||
	    info->data_size % page_size)
		return -EBADMSG;
	/* More than a 32-bit program can see. */
	if (info->data_size > SIZE_MAX / 2)
		return -EOVERFLOW;
	page = map_area(r, 0, page_size);
	if (page)
		head_page = map_area(r, info->head_offset, page_size);
	if (head_page)
		data = map_area(r, info->data_offset, 2 * info->data_size);
	ret = data ? map_attach(r, page, head_page, data) : -errno;
	if (ret)
		unmap_areas(page, head_page, data, info->data_size);
	return ret;
}

void map_close(struct reader *r)
{
	unmap_areas((void *)r->page, (void *)r->head_page, (void *)r->data,
		    r->size);
}

/* Of the last tick: nothing here is in more of a hurry. */
static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* Tell the kernel how far this reader is, which its poll() and its account want. */
int map_advance(struct reader *r)
{
	uint64_t pos = place(r);
	int ret;

	if (!before(r->advanced, pos))
		return 0;
	ret = set_pos(r->fd, pos);
	if (ret)
		return ret;
	r->advanced = pos;
	if (r->reliable)
		r->advanced_at = now_ns();
	return 0;
}

/* What is there now is not waited for any more. */
void map_see(struct reader *r)
{
	r->seen = load_acquire(&r->head_page->head);
}

/*
 * Is the kernel to be told of @untold bytes that were read? Else it would count
 * as lost what has long been read. And a reliable reader holds the writer from
 * where the kernel believes it to be: it tells when it has read all, for it may
 * not come back soon; each sixteenth of the ring; and each record, if it is slow
 * and the ring fills up. (While the writer has half a ring left it does not wait:
 * its largest record takes a quarter.)
 */
static bool is_due(const struct reader *r, uint64_t untold)
{
	uint64_t head;

	if (!r->reliable)
		return untold >= r->size / 4;
	if (!untold || untold >= r->size / 16)
		return untold;
	head = load_acquire(&r->head_page->head);
	if (head == place(r))
		return true;
	return head - r->advanced > r->size / 2 &&
	       now_ns() - r->advanced_at >= PATIENCE_NS;
}

/*
 * Up to where ringbuf_next() may go on by itself. Who holds the writer is asked
 * for each record whether that has to be told.
 */
static uint64_t find_end(const struct reader *r, uint64_t head, uint32_t len)
{
	uint64_t at = r->pub.at;

	if (r->reliable)
		return at + RINGBUF_FRAME_SIZE(len);
	return head - at > r->size / 4 ? at + r->size / 4 : head;
}

/* All is read up to @head: is that all there will ever be? */
static int at_head(const struct reader *r, uint64_t head)
{
	uint32_t flags = __atomic_load_n(&r->page->flags, __ATOMIC_ACQUIRE);

	if (!(flags & RINGBUF_RING_DEAD))
		return 0;
	/* What came between the two looks is there for the next call. */
	return load_acquire(&r->head_page->head) == head ? -ENODEV : 0;
}

/*
 * Finds the record after the reader's place, or the oldest one if that is
 * overwritten. Called at the head, after an overrun, at a gap, and every quarter
 * of the ring; for a reliable reader, for each record.
 */
int map_find(struct reader *r)
{
	struct ringbuf_reader *pub = &r->pub;
	const struct ringbuf_record *rec;
	uint64_t pos = place(r), seq = place_seq(r);
	uint64_t from, tail, head, at;
	uint32_t len;

	/* Until all is known to make sense. */
	pub->head = NULL;
	if (before(r->advanced, pos) && is_due(r, pos - r->advanced)) {
		int ret = map_advance(r);

		/* A place that the kernel knows nothing of. */
		if (ret)
			return ret == -EINVAL ? -EBADMSG : ret;
	}
	/* What is before is not held, and may be gone any moment. */
	from = before(pos, r->advanced) ? r->advanced : pos;
	do {
		tail = load_acquire(&r->page->tail);
		head = load_acquire(&r->head_page->head);
		/* The tail has the last word: ringbuf_intact() asks it again. */
		at = before(from, tail) ? tail : from;
		if ((head | tail) % RINGBUF_ALIGN)
			return -EBADMSG;
		pub->at = at;
		pub->end = at;
		pub->gap_bytes = at - pos;
		if (at == head)
			return at_head(r, head);
		rec = (const void *)(r->data + (at & pub->mask));
		len = __atomic_load_n(&rec->len, __ATOMIC_RELAXED);
		pub->seq = ringbuf_load_(&rec->seq);
		pub->gap = pub->seq - seq;
	} while (!ringbuf_intact(pub));

	/*
	 * Not of head and tail: between those two loads a writer may go around
	 * the ring. A head before the place is too far from it, too. And
	 * ringbuf_next() would never take a length above the largest.
	 */
	if (head - at > r->size || !len || len > r->max_record ||
	    RINGBUF_FRAME_SIZE(len) > head - at || before(pub->seq, seq))
		return -EBADMSG;
	pub->end = find_end(r, head, len);
	if (!r->reliable)
		pub->head = (const ringbuf_word_ *)&r->head_page->head;
	pub->due = at + r->size / 4 - (from - r->advanced);
	return 1;
}
