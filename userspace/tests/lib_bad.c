// SPDX-License-Identifier: GPL-2.0
/*
 * Rings that make no sense, still and changing under the reader: errors, no
 * access outside (there are guard pages), and an end.
 */
#include <pthread.h>
#include "lib_host.h"

#define SIZE	4096
#define W1	13

static uint64_t sink;

/* Touches all of a record; false when it does not lie in the data area. */
static bool inside(struct feed *f, const struct ringbuf_entry *e)
{
	const unsigned char *p = e->data, *data = feed_data(f);
	uint64_t sum = 0;
	uint32_t i;

	CHECK(p >= data + sizeof(struct ringbuf_record) && p < data + 2 * SIZE);
	CHECK(e->len && e->len <= (size_t)(data + 2 * SIZE - p));
	for (i = 0; i < e->len; i++)
		sum += __atomic_load_n(&p[i], __ATOMIC_RELAXED);
	sink += sum;
	return true;
}

DEFINE_RINGBUF_TYPED(word, uint64_t);

/* Whatever the ring is, what a program may do with it. */
static bool use(struct feed *f, struct ringbuf_reader *r, int dice)
{
	struct ringbuf_entry e;
	uint64_t w;
	int ret;

	switch (dice % 8) {
	case 0:
		ret = ringbuf_read(r, &e);
		if (ret == 1)
			sink += *((const unsigned char *)e.data + e.len - 1);
		break;
	case 1:
		ret = word_next(r, &w);
		if (ret == -EPROTO)
			ret = 1;
		break;
	case 2:
		ret = ringbuf_arm(r);
		break;
	case 3:
		ringbuf_release(r);
		return true;
	default:
		ret = ringbuf_next(r, &e);
		if (ret == 1 && !inside(f, &e))
			return false;
		if (ret == 1 && dice & 1)
			ringbuf_release(r);
	}
	CHECK(ret == 1 || ret == 0 || ret == -EBADMSG);
	return true;
}

/* A good ring of @n records, some of them read. */
static struct ringbuf_reader *good(struct feed **f, int n, int read)
{
	struct ringbuf_reader *r;
	struct ringbuf_entry e;

	*f = feed_new(SIZE, 0, 0);
	r = host_reader(*f, 0, 0);
	while (n--)
		feed_put(*f, W1);
	while (read--)
		ringbuf_read(r, &e);
	return r;
}

static bool gone(struct feed *f, struct ringbuf_reader *r)
{
	host_close(r);
	feed_free(f);
	return true;
}

bool bad_attach(void)
{
	struct feed *f = feed_new(SIZE, 0, 0);
	struct ringbuf_page *page = feed_page_rw(f), was = *page;
	struct reader r = { .fd = -1, .size = SIZE };

#define BAD(member, value) do {						\
	page->member = value;						\
	CHECK_EQ(-EBADMSG, map_attach(&r, feed_page(f), feed_head(f),	\
				      feed_data(f)));			\
	*page = was;							\
} while (0)

	BAD(magic, 0);
	BAD(abi, RINGBUF_ABI - 1);
	BAD(abi, RINGBUF_ABI + 1);
	BAD(struct_size, sizeof(*page) - 1);
	BAD(data_size, SIZE / 2);
	BAD(data_size, SIZE * 2);
	BAD(data_size, SIZE - 1);
	BAD(data_size, 0);
	BAD(data_size, ~0ULL);
	page->struct_size = 2 * sizeof(*page);
	CHECK_EQ(0, map_attach(&r, feed_page(f), feed_head(f), feed_data(f)));
	feed_free(f);
	return true;
}

/* Both calls: what the first one found must not lead the second one astray. */
#define STAYS_BAD(r) do {						\
	struct ringbuf_entry e;						\
	int i;								\
									\
	for (i = 0; i < 3; i++) {					\
		CHECK_EQ(-EBADMSG, ringbuf_next(r, &e));		\
		CHECK(!ringbuf_release(r));				\
		CHECK_EQ(-EBADMSG, ringbuf_read(r, &e));		\
		CHECK_EQ(-EBADMSG, ringbuf_arm(r));			\
		CHECK_EQ(-EBADMSG, ringbuf_wait(r, 0));			\
	}								\
} while (0)

static bool bad_page(uint64_t head, uint64_t tail)
{
	struct feed *f;
	struct ringbuf_reader *r = good(&f, 8, 4);
	struct ringbuf_record *rec = (void *)(feed_data_rw(f) + 512);

	feed_head_rw(f)->head = head;
	feed_page_rw(f)->tail = tail;
	/* What a header says that a reader would like to believe. */
	rec->len = 0x7fffffff;
	STAYS_BAD(r);
	return gone(f, r);
}

bool bad_heads(void)
{
	static const uint64_t pairs[][2] = {
		{ 504, 0 },			/* behind the reader */
		{ 1028, 0 }, { 1024, 4 },	/* no place for a frame */
		{ 4104, 0 },			/* more than there can be */
		{ 1ULL << 40, 0 }, { ~7ULL, 0 }, { 1ULL << 63, 0 },
		{ 1024, 1032 },			/* tail beyond head */
		{ 1024, 1ULL << 62 }, { 0, 1024 }, { 1024, ~7ULL - 8192 },
	};
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (!bad_page(pairs[i][0], pairs[i][1])) {
			printf("# head %#llx tail %#llx\n",
			       (unsigned long long)pairs[i][0],
			       (unsigned long long)pairs[i][1]);
			return false;
		}
	}
	return true;
}

bool bad_lengths(void)
{
	static const uint32_t lens[] = {
		0, 489, 4096, 0x7fffffff, 0xfffffff8, 0xffffffff,
	};
	struct ringbuf_record *rec;
	struct ringbuf_reader *r;
	struct ringbuf_entry e;
	struct feed *f;
	size_t i;

	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		/* The first one, and one after others. */
		r = good(&f, 4, 0);
		rec = (void *)feed_data_rw(f);
		rec->len = lens[i];
		STAYS_BAD(r);
		gone(f, r);
		r = good(&f, 9, 4);
		rec = (void *)(feed_data_rw(f) + 640);
		rec->len = lens[i];
		CHECK_EQ(1, ringbuf_next(r, &e));
		CHECK(ringbuf_release(r));
		STAYS_BAD(r);
		gone(f, r);
	}
	/* All there, and yet larger than a record can be. */
	for (i = 1001; i <= 30 * 128 - 24; i++) {
		r = good(&f, 30, 0);
		rec = (void *)feed_data_rw(f);
		rec->len = i;
		whole(r)->buffer = realloc(whole(r)->buffer, 1024);
		STAYS_BAD(r);
		gone(f, r);
	}
	return true;
}

bool bad_seqs(void)
{
	struct feed *f;
	struct ringbuf_reader *r = good(&f, 8, 4);
	struct ringbuf_record *rec = (void *)(feed_data_rw(f) + 512);

	rec->seq = 3;
	STAYS_BAD(r);
	rec->seq = 1ULL << 63 | 8;
	STAYS_BAD(r);
	return gone(f, r);
}

/* A ring that makes sense again is read on. */
bool bad_then_good(void)
{
	struct feed *f;
	struct ringbuf_reader *r = good(&f, 4, 4);
	struct ringbuf_entry e;

	feed_put(f, W1);
	feed_put(f, W1);
	feed_head_rw(f)->head = 1ULL << 40;
	STAYS_BAD(r);
	feed_head_rw(f)->head = 768;
	CHECK_EQ(1, ringbuf_next(r, &e));
	CHECK(host_record(&e, 4, W1));
	CHECK_EQ(0, e.lost);
	/* Shown in time; then the page goes bad. */
	feed_head_rw(f)->head = 8;
	CHECK(ringbuf_release(r));
	CHECK_EQ(1, ringbuf_read(r, &e));
	return gone(f, r);
}

/* Values that lie near what is right. */
static uint64_t odd(void)
{
	static const uint64_t values[] = {
		0, 8, 24, 512, 1024, SIZE, 2 * SIZE, 1ULL << 31, 1ULL << 32,
		1ULL << 63, -8ULL, -24ULL, -512ULL, -4096ULL,
	};
	uint64_t x = host_random();

	if (x & 1)
		return x >> (x >> 1) % 64;
	return values[(x >> 8) % 14] + (x & 2 ? (x >> 32) % 5 * 8 : 0);
}

static void spoil(struct feed *f, uint64_t where)
{
	uint64_t *ends[] = { (uint64_t *)&feed_head_rw(f)->head,
			     (uint64_t *)&feed_page_rw(f)->tail };
	uint64_t *data = (uint64_t *)feed_data_rw(f);
	uint64_t *word = &data[where / 8 % (SIZE / 8)];

	switch (where % 4) {
	case 0:
		word = ends[where / 8 % 2];
		/* fall through */
	case 1:
		__atomic_store_n(word, odd(), __ATOMIC_RELAXED);
		break;
	case 2:
		/* A frame of some size, of a seq that may be wanted. */
		__atomic_store_n((uint32_t *)word, odd() % 2048,
				 __ATOMIC_RELAXED);
		break;
	default:
		__atomic_store_n(word, host_random() % 64, __ATOMIC_RELAXED);
	}
}

bool fuzz_still(void)
{
	struct ringbuf_reader *r;
	struct feed *f;
	int i, n, bad = 0;
	struct ringbuf_entry e;

	for (i = 0; i < 3000; i++) {
		r = good(&f, host_random() % 64, host_random() % 8);
		for (n = 0; n < 40; n++) {
			if (host_random() % 2)
				spoil(f, host_random());
			if (!use(f, r, host_random() % 64))
				return false;
		}
		bad += ringbuf_next(r, &e) == -EBADMSG;
		gone(f, r);
	}
	CHECK(bad > 100 && bad < 3000);
	return true;
}

struct spoiler {
	struct feed *f;
	bool stop;
};

static void *spoil_all(void *arg)
{
	struct spoiler *s = arg;
	uint64_t *head = (uint64_t *)&feed_head_rw(s->f)->head;
	uint64_t *tail = (uint64_t *)&feed_page_rw(s->f)->tail;
	uint64_t i;

	for (i = 0; !__atomic_load_n(&s->stop, __ATOMIC_RELAXED); i++) {
		spoil(s->f, host_random());
		/* Now and then a page that lets the reader get further. */
		if (i % 8 == 0) {
			__atomic_store_n(tail, i * 8, __ATOMIC_RELAXED);
			__atomic_store_n(head, i * 8 + 2048,
					 __ATOMIC_RELAXED);
		}
	}
	return NULL;
}

bool fuzz_moving(void)
{
	struct spoiler s = {};
	struct ringbuf_reader *r;
	pthread_t thread;
	int i, n;

	for (i = 0; i < 20; i++) {
		r = good(&s.f, 64, 0);
		s.stop = false;
		CHECK_EQ(0, pthread_create(&thread, NULL, spoil_all, &s));
		for (n = 0; n < 20000; n++) {
			if (!use(s.f, r, host_random() % 64))
				return false;
			/* As a seek does: go where there is something. */
			if (n % 16 == 0) {
				r->at = __atomic_load_n(r->tail,
							__ATOMIC_RELAXED) & ~7;
				r->end = r->at;
				r->gap_bytes = 0;
				r->seq = 0;
				r->gap = 0;
				r->frame = 0;
			}
		}
		__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
		pthread_join(thread, NULL);
		gone(s.f, r);
	}
	return true;
}
