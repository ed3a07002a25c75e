/* SPDX-License-Identifier: GPL-2.0 */
/* A ring for tests, and records that can tell whether they are intact. */
#ifndef _RINGBUF_CORE_TEST_H
#define _RINGBUF_CORE_TEST_H

#include <kunit/test.h>
#include "cursor.h"

/**
 * struct test_ring - A core with storage of its own
 * @core: the ring
 * @page: its exported page
 * @head_page: its exported head, in the second half of the same page
 * @data: its data area, mapped twice
 * @size: bytes of @data
 * @priv: of the storage
 */
struct test_ring {
	struct ringbuf_core core;
	struct ringbuf_page *page;
	struct ringbuf_head *head_page;
	void *data;
	u64 size;
	void *priv;
};

#define TEST_PAGE_SIZE	4096
#define TEST_HEAD_OFFSET	2048

int test_storage_alloc(struct test_ring *ring, u64 size);
void test_storage_free(struct test_ring *ring);

/* A suite's init and exit: the ring is test->priv. */
int test_ring_init(struct kunit *test);
void test_ring_exit(struct kunit *test);

/* Start afresh, at @pos and @seq. */
void test_ring_start(struct test_ring *ring, u64 pos, u64 seq);

/* The byte at @i of the payload of the record with @seq. */
static inline u8 test_byte(u64 seq, u32 i)
{
	return (seq * 0x9E3779B97F4A7C15ULL >> 56) + i * 7;
}

static inline void test_fill(void *payload, u32 len, u64 seq)
{
	u32 i;

	for (i = 0; i < len; i++)
		((u8 *)payload)[i] = test_byte(seq, i);
}

static inline bool test_matches(const void *payload, u32 len, u64 seq)
{
	u32 i;

	for (i = 0; i < len; i++) {
		if (((const u8 *)payload)[i] != test_byte(seq, i))
			return false;
	}
	return true;
}

/* Commit a record, unpublished, with time_ns = seq + 1. */
bool test_commit(struct test_ring *ring, u32 len, u16 type);
bool test_write(struct test_ring *ring, u32 len, u16 type);

/* Read one record and check all that it is supposed to be. */
void test_expect_record(struct kunit *test, struct ringbuf_cursor *cur, u64 seq,
			u32 len, u16 type);
/* How many records the tail has passed. */
u64 test_overwritten(struct kunit *test);
void test_expect_mark(struct kunit *test, struct ringbuf_mark m, u64 pos,
		      u64 seq);

#endif /* _RINGBUF_CORE_TEST_H */
