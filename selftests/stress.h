/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records for those who write and read at full speed: number, length, contents
 * and position of each follow from one another, so that a reader can check each
 * record, each loss and each pair of (position, number) exactly.
 */
#ifndef RINGBUF_TEST_STRESS_H
#define RINGBUF_TEST_STRESS_H

#include "ringbuf_test.h"

#include <endian.h>

struct payload {
	uint64_t n;
	uint32_t len;
	uint32_t sum;
	uint8_t body[128];
};

#define HEAD		offsetof(struct payload, body)
#define MAX_FRAME	(RB_HEADER + (int)sizeof(struct payload))
#define BATCH		256	/* records of a batch, at most */

/* The lengths come again after so many records, a prime. */
#define PERIOD		4099

static uint64_t place[PERIOD + 1];	/* where record n starts */
static uint32_t lengths[PERIOD];
static uint64_t total;			/* records of a run */

static uint32_t mix(uint64_t x)
{
	x *= 0x9e3779b97f4a7c15ULL;
	return (x ^ x >> 29) * 0xbf58476d1ce4e5b9ULL >> 32;
}

static uint32_t length(uint64_t n)
{
	return lengths[n % PERIOD];
}

static uint64_t pos(uint64_t n)
{
	return n / PERIOD * place[PERIOD] + place[n % PERIOD];
}

static void plan(uint64_t records)
{
	total = records;
	for (int n = 0; n < PERIOD; n++) {
		lengths[n] = HEAD + 8 + mix(n) % 121;
		place[n + 1] = place[n] + RINGBUF_FRAME_SIZE(lengths[n]);
	}
}

/* Reads each word of the record once: it may lie in a map, and change. */
static uint32_t checksum(uint64_t n, uint32_t len, const uint8_t *body)
{
	const volatile uint64_t *p = (const void *)body;
	uint64_t word, sum = n ^ (uint64_t)len << 40;
	uint32_t left = len - HEAD;

	for (; left >= 8; left -= 8)
		sum = (sum ^ le64toh(*p++)) * 0x100000001b3ULL;
	if (left) {
		/* What follows is the frame's padding. */
		word = le64toh(*p) & ((1ULL << left * 8) - 1);
		sum = (sum ^ word) * 0x100000001b3ULL;
	}
	return sum ^ sum >> 32;
}

static uint32_t make_record(struct payload *p, uint64_t n)
{
	uint64_t word = n;
	uint32_t i;

	p->n = n;
	p->len = length(n);
	for (i = 0; i < p->len - HEAD; i += 8) {
		word = word * 6364136223846793005ULL + 1442695040888963407ULL;
		memcpy(p->body + i, &word, 8);
	}
	p->sum = checksum(n, p->len, p->body);
	return p->len;
}

/* Is that record @n, all of it? It may lie in a map, and change. */
static bool is_record(const volatile struct payload *p, uint32_t len, uint64_t n)
{
	return len >= HEAD && n < total && len == length(n) && p->n == n &&
	       p->len == len &&
	       p->sum == checksum(n, len, (const uint8_t *)p->body);
}

static __maybe_unused bool good_record(const struct payload *p, uint32_t len)
{
	return is_record(p, len, p->n);
}

/* One call for records @n to @n + @count - 1. */
static __maybe_unused int write_batch(int w, uint64_t n, int count)
{
	static uint64_t buf[BATCH * MAX_FRAME / 8];
	uint8_t *at = (uint8_t *)buf;
	long len;

	for (int k = 0; k < count; k++, n++) {
		struct ringbuf_record *rec = (void *)at;

		memset(rec, 0, sizeof(*rec));
		rec->len = make_record((void *)(rec + 1), n);
		rec->type = n;
		at += RINGBUF_FRAME_SIZE(rec->len);
	}
	len = at - (uint8_t *)buf;
	return RC(write(w, buf, len)) == len ? 0 : -EIO;
}

static __maybe_unused int write_single(int w, uint64_t n)
{
	struct payload p;
	uint32_t len = make_record(&p, n);
	int ret = RC(write(w, &p, len));

	return ret == (int)len ? 0 : ret < 0 ? ret : -EIO;
}

/* By turns @singles calls for one record and @batches for @count each. */
static __maybe_unused int write_all(int w, int singles, int batches, int count)
{
	uint64_t n = 0;
	int ret = 0, k;

	while (n < total && !ret) {
		ret = rb_set_writer(w, 0);
		for (k = 0; k < singles && n < total && !ret; k++)
			ret = write_single(w, n++);
		if (!ret)
			ret = rb_set_writer(w, RINGBUF_WRITER_FRAMED);
		for (k = 0; k < batches && n < total && !ret; k++) {
			if (total - n < (uint64_t)count)
				count = total - n;
			ret = write_batch(w, n, count);
			n += count;
		}
	}
	return ret;
}

#endif /* RINGBUF_TEST_STRESS_H */
