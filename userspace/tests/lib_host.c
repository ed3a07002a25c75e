// SPDX-License-Identifier: GPL-2.0
/*
 * In the place of the library's name.c, with lib_none.c: rings that are no files.
 * Which feed the account of a reader asks is known by the calling thread.
 */
#include <unistd.h>
#include "lib_host.h"

static __thread struct feed *asked;

int get_info(int fd, struct ringbuf_info *info)
{
	(void)fd;
	feed_info(asked, info);
	return 0;
}

__thread unsigned int host_told;
__thread uint64_t host_pos;	/* the kernel's cursor of a mapped reader */
static __thread bool mapped;

/* What a reader says of where it is; those here have no file to be told. */
int set_pos(int fd, uint64_t pos)
{
	(void)fd;
	if (before(pos, host_pos))
		return -EINVAL;
	host_pos = pos;
	host_told++;
	return 0;
}

/* The kernel's cursor of a stream: behind all that was ever published. */
int get_stats(int fd, struct ringbuf_stats *stats)
{
	struct ringbuf_info info;

	(void)fd;
	feed_info(asked, &info);
	memset(stats, 0, sizeof(*stats));
	stats->pos = mapped ? host_pos : info.head;
	stats->seq = info.head_seq;
	return 0;
}

static struct reader *new_reader(struct feed *f, uint64_t pos, uint64_t seq)
{
	struct reader *r = calloc(1, sizeof(*r));
	struct ringbuf_info info;

	if (!r)
		abort();
	asked = f;
	feed_info(f, &info);
	r->fd = -1;
	r->size = info.data_size;
	r->max_record = info.max_record;
	r->pub.at = pos;
	r->pub.end = pos;
	r->pub.seq = seq;
	r->first_pos = pos;
	r->first_seq = seq;
	/* Exactly as large as the real one, for ASan to see its end. */
	r->buffer_size = r->size / 4 + MIN_BUFFER;
	r->buffer = malloc(r->buffer_size);
	if (!r->buffer)
		abort();
	return r;
}

struct ringbuf_reader *host_reader(struct feed *f, uint64_t pos, uint64_t seq)
{
	struct reader *r = new_reader(f, pos, seq);

	host_pos = pos;
	mapped = true;
	if (map_attach(r, feed_page(f), feed_head(f), feed_data(f)))
		abort();
	return &r->pub;
}

struct ringbuf_reader *host_stream(struct feed *f, int fd)
{
	struct ringbuf_info info;
	struct reader *r;

	feed_info(f, &info);
	r = new_reader(f, info.tail, info.tail_seq);
	mapped = false;
	r->fd = fd;
	r->pub.mask = ~0ULL;
	r->pub.tail = &r->run;
	stream_drop(r);
	return &r->pub;
}

void host_close(struct ringbuf_reader *reader)
{
	free(whole(reader)->buffer);
	free(reader);
}

#ifdef __SANITIZE_THREAD__
/* The library's memcpy(), whose race is meant, word by word: TSan checks all else. */
#undef memcpy
void *host_copy(void *to, const void *from, size_t bytes)
{
	const uint64_t *words = from;
	size_t i;

	for (i = 0; i < bytes / 8; i++)
		((uint64_t *)to)[i] = __atomic_load_n(&words[i],
						      __ATOMIC_RELAXED);
	return to;
}
#endif

bool host_record(const struct ringbuf_entry *e, uint64_t seq, uint32_t words)
{
	const uint64_t *payload = e->data;
	uint32_t i;

	if (e->seq != seq || e->len != words * 8 || e->type != (uint16_t)words ||
	    e->time_ns != seq + 1 || e->flags)
		return false;
	for (i = 0; i < words; i++) {
		if (__atomic_load_n(&payload[i], __ATOMIC_RELAXED) !=
		    feed_word(seq, i))
			return false;
	}
	return true;
}

/* xorshift64; the same numbers in each run. */
uint64_t host_random(void)
{
	static __thread uint64_t x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

int host_run(const struct host_test *tests, int count)
{
	int i, bad = 0;
	bool ok;

	printf("TAP version 13\n1..%d\n", count);
	fflush(stdout);
	for (i = 0; i < count; i++) {
		/* What hangs dies, and the stream has no end. */
		alarm(120);
		ok = tests[i].run();
		alarm(0);
		bad += !ok;
		printf("%sok %d %s\n", ok ? "" : "not ", i + 1, tests[i].name);
		fflush(stdout);
	}
	return bad ? 1 : 0;
}
