/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A producer for tests on the host: the kernel's core on memory of this process.
 * A unit of its own, since the core's names and the library's clash.
 */
#ifndef LIB_FEED_H
#define LIB_FEED_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/ringbuf.h>

struct feed;

/* A ring at @pos and @seq; guard pages around its pages and its data area. */
struct feed *feed_new(uint64_t size, uint64_t pos, uint64_t seq);
void feed_free(struct feed *f);

/* What a consumer maps: read-only, but under TSan, which knows no aliases. */
const struct ringbuf_page *feed_page(const struct feed *f);
const struct ringbuf_head *feed_head(const struct feed *f);
const unsigned char *feed_data(const struct feed *f);
/* The same memory, to be spoilt. */
struct ringbuf_page *feed_page_rw(struct feed *f);
struct ringbuf_head *feed_head_rw(struct feed *f);
unsigned char *feed_data_rw(struct feed *f);

void *feed_reserve(struct feed *f, uint32_t len, uint16_t type);
void feed_commit(struct feed *f, uint64_t time_ns);
void feed_publish(struct feed *f);
/* Seqs without records. */
void feed_gap(struct feed *f, uint64_t seqs);
void feed_info(const struct feed *f, struct ringbuf_info *info);

/* Payload words that tell seqs and places apart. */
static inline uint64_t feed_word(uint64_t seq, uint32_t i)
{
	return (seq + 1) * 0x9e3779b97f4a7c15ULL + i * 0xd1b54a32d192ed03ULL;
}

/* One record of @words words, its type the low bits of @words, published. */
void feed_put(struct feed *f, uint32_t words);
/* The same by plain stores: nobody may look on. */
void feed_put_plain(struct feed *f, uint32_t words);

#endif
