/* SPDX-License-Identifier: GPL-2.0 */
/* Tests of libringbuf against the device; built on what those of the UAPI use. */
#ifndef LIB_GUEST_H
#define LIB_GUEST_H

#include "../../selftests/ringbuf_test.h"
#include "libringbuf.h"

#define F(len)	((int)RINGBUF_FRAME_SIZE(len))

/* Each test of it runs twice: in place, and by read(). */
FIXTURE(lib) {
	struct ringbuf_publisher *p;
	struct ringbuf_reader *r;
	struct ringbuf_entry e;
	struct ringbuf_stats s;
};

FIXTURE_VARIANT(lib) {
	unsigned int flags;
};

FIXTURE_VARIANT_ADD(lib, mapped) {
	.flags = 0,
};

FIXTURE_VARIANT_ADD(lib, by_read) {
	.flags = RINGBUF_READER_NO_MMAP,
};

FIXTURE_SETUP(lib)
{
}

FIXTURE_TEARDOWN(lib)
{
	ringbuf_reader_close(self->r);
	ringbuf_publisher_close(self->p);
}

/* A fresh ring, its writer and a reader. */
#define START(params) do {						\
	ASSERT_EQ(0, rb_load(params));					\
	ASSERT_EQ(0, ringbuf_publisher_open(&self->p, NULL, 0));	\
	ASSERT_EQ(0, ringbuf_reader_open(&self->r, NULL,		\
					 variant->flags));		\
	ASSERT_EQ(!variant->flags, ringbuf_reader_mapped(self->r));	\
} while (0)

/* Publishes record @n of @len bytes. */
static __maybe_unused int publish(struct ringbuf_publisher *p, uint64_t n,
				  size_t len)
{
	rb_fill(rb_out, len, n);
	return ringbuf_publish(p, n & 0xffff, rb_out, len);
}

static __maybe_unused int publish_many(struct ringbuf_publisher *p,
				       uint64_t from, uint64_t count, size_t len)
{
	uint64_t n;
	int ret = 0;

	for (n = from; !ret && n < from + count; n++)
		ret = publish(p, n, len);
	return ret;
}

/* Is it record @n of @len bytes, intact? */
static __maybe_unused bool is_record(const struct ringbuf_entry *e, uint64_t n,
				     size_t len)
{
	return e->seq == n && e->len == len && e->type == (n & 0xffff) &&
	       !e->flags && e->time_ns && rb_intact(e->data, len, n);
}

/* Reads record @n; the records lost before it, or -errno. */
static __maybe_unused int take(struct ringbuf_reader *r, uint64_t n, size_t len)
{
	struct ringbuf_entry e;
	int ret = ringbuf_read(r, &e);

	if (ret != 1)
		return ret ? ret : -EAGAIN;
	return is_record(&e, n, len) ? (int)e.lost : -EBADMSG;
}

#endif
