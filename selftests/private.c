// SPDX-License-Identifier: GPL-2.0
/* What did not become a record leaves nothing behind in the map. */
#include "map.h"

#define F(len)	((int)RINGBUF_FRAME_SIZE(len))
#define SIZE	65536

FIXTURE(ring) {
	struct rb_pair p;
	struct rb_map m;
	char *guard;	/* what lies before it can be touched */
	size_t page;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=65536"));
	ASSERT_EQ(0, rb_map_fd(&self->m, self->p.r));
	self->guard = rb_guarded(&self->page) + getpagesize();
}

FIXTURE_TEARDOWN(ring)
{
	rb_unmap(&self->m);
	rb_pair_close(&self->p);
}

/* Bytes that are not zero where no record is: all that is behind the head. */
static size_t leftover(const struct rb_map *m)
{
	uint64_t head = rb_map_head(m), pos;
	size_t n = 0;

	for (pos = head; pos < m->size; pos++)
		n += !!m->data[pos];
	return n;
}

TEST_F(ring, of_a_write_that_faults)
{
	const size_t lens[] = { 1, 8, 100, 257, 2000, 4096 };

	memset(self->guard - self->page, 's', self->page);
	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	for (size_t k = 0; k < ARRAY_SIZE(lens); k++) {
		EXPECT_EQ(-EFAULT, RC(write(self->p.w, self->guard - lens[k],
					    lens[k] + 8)));
		EXPECT_EQ(0, leftover(&self->m)) TH_LOG("%zu bytes", lens[k]);
	}
	EXPECT_EQ(F(100), rb_map_head(&self->m));
}

TEST_F(ring, of_a_writev_that_faults)
{
	struct iovec v[] = {
		{ self->guard - 2000, 2000 }, { self->guard - 500, 600 },
	};

	memset(self->guard - self->page, 's', self->page);
	EXPECT_EQ(-EFAULT, RC(writev(self->p.w, v, 2)));
	EXPECT_EQ(0, leftover(&self->m));
}

/* A good frame, then one that is none, and much behind it. */
TEST_F(ring, of_a_framed_write_that_ends_early)
{
	static char buf[32768];
	struct ringbuf_record *bad = (void *)(buf + F(100));

	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	memset(buf, 's', sizeof(buf));
	rb_frame(buf, 0, 100, 0);
	*bad = (struct ringbuf_record){ .len = 64, .flags = 1U << 3 };
	EXPECT_EQ(F(100), RC(write(self->p.w, buf, sizeof(buf))));
	EXPECT_EQ(F(100), rb_map_head(&self->m));
	EXPECT_EQ(0, leftover(&self->m));
}

/* One frame that takes several copies, of which the last faults. */
TEST_F(ring, of_a_long_frame_that_faults)
{
	size_t len = 200000, page = self->page, pages = (len / page + 2) * page;
	char *buf = mmap(NULL, pages, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at = buf + pages - page - len;

	rb_unmap(&self->m);
	rb_pair_close(&self->p);
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=1048576"));
	ASSERT_EQ(0, rb_map_fd(&self->m, self->p.r));
	ASSERT_NE(MAP_FAILED, buf);
	memset(buf, 's', pages);
	ASSERT_EQ(0, mprotect(buf + pages - page, page, PROT_NONE));
	EXPECT_EQ(-EFAULT, RC(write(self->p.w, at, len + 8)));
	EXPECT_EQ(0, leftover(&self->m));
	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	*(struct ringbuf_record *)at = (struct ringbuf_record){ .len = len };
	EXPECT_EQ(-EFAULT, RC(write(self->p.w, at, F(len))));
	EXPECT_EQ(0, leftover(&self->m));
	EXPECT_EQ(0, rb_map_head(&self->m));
	munmap(buf, pages);
}

TEST_F(ring, of_a_framed_write_that_faults)
{
	char *at = self->guard - F(100) - 500;

	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	rb_frame(at, 0, 100, 0);
	rb_frame(at + F(100), 1, 400, 0);
	memset(self->guard - 500 + F(400), 's', 500 - F(400));
	*(struct ringbuf_record *)(self->guard - 500 + F(400)) =
		(struct ringbuf_record){ .len = 2000 };
	/* The two whole frames, and nothing of the third. */
	EXPECT_EQ(F(100) + F(400), RC(write(self->p.w, at, F(100) + 500 + 2000)));
	EXPECT_EQ(F(100) + F(400), rb_map_head(&self->m));
	EXPECT_EQ(0, leftover(&self->m));
}

TEST_F(ring, a_record_that_is_none_shows_no_header_either)
{
	EXPECT_EQ(-EFAULT, RC(write(self->p.w, NULL, 5000)));
	EXPECT_EQ(0, leftover(&self->m));
	EXPECT_EQ(-EMSGSIZE, RC(write(self->p.w, rb_out, SIZE / 4)));
	EXPECT_EQ(0, leftover(&self->m));
}

TEST_HARNESS_MAIN
