// SPDX-License-Identifier: GPL-2.0
/*
 * What a mapped reader that lags pays per record: it sums up the payloads of a
 * ring full of 64-byte records, in place, by the library. Against a plain pass
 * over the same memory, one by the known distance of the records, one over
 * every word. Natively, in one thread; the cases take turns.  lag [MiB [ROUNDS]]
 */
#include "bench.h"
#include "lib.h"
#include "native_ring.h"

#define PAYLOAD		64
#define FRAME		RINGBUF_FRAME_SIZE(PAYLOAD)

struct ring {
	uint64_t size;
	struct native_ring *native;
	const struct ringbuf_page *page;
	const struct ringbuf_head *head;
	const unsigned char *data;
	unsigned char *copy;
	uint64_t records;
};

static uint64_t sum_payload(const void *data)
{
	const uint64_t *word = data;

	return word[0] + word[1] + word[2] + word[3] + word[4] + word[5] +
	       word[6] + word[7];
}

/* In the place of the library's (see bench.sh): there is no file to tell. */
int __wrap_set_pos(int fd, uint64_t pos);
int __wrap_set_pos(int fd, uint64_t pos)
{
	return 0;
}

static struct reader *attach(const struct ring *ring)
{
	static struct reader r;

	memset(&r, 0, sizeof(r));
	r.fd = -1;
	r.size = ring->size;
	r.max_record = ring->size / 4;
	r.buffer = ring->copy;
	r.pub.at = ring->page->tail;
	r.pub.seq = ring->page->tail_seq;
	if (map_attach(&r, ring->page, ring->head, ring->data))
		errx(1, "the library takes it for no ring");
	return &r;
}

static uint64_t in_place(const struct ring *ring)
{
	struct ringbuf_reader *r = &attach(ring)->pub;
	struct ringbuf_entry e;
	uint64_t sum = 0, records = 0, part;

	while (ringbuf_next(r, &e) > 0) {
		part = sum_payload(e.data);
		if (!ringbuf_release(r))
			continue;
		sum += part;
		records++;
	}
	if (records != ring->records)
		errx(1, "read %llu records, not %llu",
		     (unsigned long long)records,
		     (unsigned long long)ring->records);
	return sum;
}

static uint64_t copied(const struct ring *ring)
{
	struct ringbuf_reader *r = &attach(ring)->pub;
	struct ringbuf_entry e;
	uint64_t sum = 0;

	ringbuf_for_each(r, &e)
		sum += sum_payload(e.data);
	return sum;
}

static uint64_t by_distance(const struct ring *ring)
{
	const unsigned char *p = ring->data +
		(ring->page->tail & (ring->size - 1));
	uint64_t sum = 0;

	for (uint64_t n = ring->records; n; n--, p += FRAME)
		sum += sum_payload(p + sizeof(struct ringbuf_record));
	return sum;
}

static uint64_t every_word(const struct ring *ring)
{
	const uint64_t *p = (const void *)(ring->data +
		(ring->page->tail & (ring->size - 1)));
	const uint64_t *end = p + ring->records * FRAME / 8;
	uint64_t sum[4] = {};

	for (; p + 4 <= end; p += 4) {
		sum[0] += p[0];
		sum[1] += p[1];
		sum[2] += p[2];
		sum[3] += p[3];
	}
	for (; p < end; p++)
		sum[0] += *p;
	return sum[0] + sum[1] + sum[2] + sum[3];
}

static struct bench {
	struct series s;
	uint64_t (*run)(const struct ring *ring);
} benches[] = {
	{ .s.name = "plain pass, record by record", .run = by_distance },
	{ .s.name = "plain pass, every word", .run = every_word },
	{ .s.name = "mapped reader, in place", .run = in_place },
	{ .s.name = "mapped reader, copied", .run = copied },
};

#define BENCHES	(sizeof(benches) / sizeof(benches[0]))

static void fill(struct ring *ring)
{
	unsigned char payload[PAYLOAD];
	uint64_t n = ring->size / FRAME * 2;

	for (uint64_t i = 0; i < n; i++) {
		memset(payload, i * 7 + 1, sizeof(payload));
		native_ring_write(ring->native, payload, sizeof(payload));
	}
	ring->records = ring->head->head_seq - ring->page->tail_seq;
}

int main(int argc, char **argv)
{
	struct ring ring = { .size = (argc > 1 ? atoi(argv[1]) : 64) << 20 };
	int rounds = argc > 2 ? atoi(argv[2]) : 101;
	static volatile uint64_t sink;

	if (rounds < 1 || rounds > MAX_ROUNDS || !ring.size)
		errx(2, "usage: lag [MiB [ROUNDS]]");
	ring.native = native_ring_open(ring.size);
	ring.copy = malloc(MIN_BUFFER);
	if (!ring.native || !ring.copy)
		errx(1, "no memory");
	ring.page = native_ring_page(ring.native);
	ring.head = native_ring_head(ring.native);
	ring.data = native_ring_data(ring.native);
	fill(&ring);
	if (in_place(&ring) != by_distance(&ring) ||
	    copied(&ring) != by_distance(&ring))
		errx(1, "the sums differ");

	for (int i = 0; i < rounds; i++) {
		for (size_t b = 0; b < BENCHES; b++) {
			double start = now_ns();

			sink += benches[b].run(&ring);
			benches[b].s.ns[i] = (now_ns() - start) / ring.records;
		}
	}
	printf("\nA ring of %llu MiB, natively, medians of %d rounds.\n",
	       (unsigned long long)ring.size >> 20, rounds);
	head("per record of 64 bytes, all there", "to plain");
	for (size_t b = 0; b < BENCHES; b++)
		row(&benches[b].s, rounds, &benches[0].s);
	return 0;
}
