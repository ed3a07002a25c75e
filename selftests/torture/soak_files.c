// SPDX-License-Identifier: GPL-2.0
/* A writer, and readers of four kinds: each record is checked, and each account. */
#include "soak.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ringbuf.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define WORDS	40

/* A payload tells its seq, and each word depends on it. */
static uint64_t word(uint64_t seq, unsigned int i)
{
	return i ? (seq + i) * 0x9e3779b97f4a7c15ULL ^ (seq << 17) : seq;
}

static unsigned int words(uint64_t seq)
{
	return 1 + (seq * 0xd1b54a32d192ed03ULL >> 40) % WORDS;
}

static bool intact(const uint64_t *payload, uint32_t len, uint64_t seq)
{
	unsigned int i, n = words(seq);

	if (len != n * 8)
		return false;
	for (i = 0; i < n; i++)
		if (payload[i] != word(seq, i))
			return false;
	return true;
}

/* A writer that comes later goes on where the last one was killed. */
void soak_write(const char *device, uint64_t seed)
{
	struct ringbuf_info info = { .struct_size = sizeof(info) };
	uint64_t payload[WORDS], seq;
	unsigned int i, n;
	int fd = open(device, O_WRONLY | O_CLOEXEC);
	ssize_t ret;

	if (fd < 0) {
		if (errno != EBUSY && errno != ENOENT && errno != ENODEV && errno != ENXIO)
			found("writer: open %s: %s", device, strerror(errno));
		return;
	}
	if (ioctl(fd, RINGBUF_IOC_GET_INFO, &info)) {
		found("writer: GET_INFO: %s", strerror(errno));
		return;
	}
	for (seq = info.head_seq; !atomic_load(&soak->stop); seq++) {
		n = words(seq);
		for (i = 0; i < n; i++)
			payload[i] = word(seq, i);
		ret = write(fd, payload, n * 8);
		if (ret < 0 && errno == ENODEV)
			break;
		if (ret != n * 8) {
			found("writer: %zd: %s", ret, strerror(errno));
			break;
		}
		atomic_fetch_add_explicit(&soak->written, 1, memory_order_relaxed);
		if (!(rnd(&seed) % 300))
			usleep(rnd(&seed) % 3000);
	}
	close(fd);
}

struct reader {
	int fd;
	bool framed;
	bool reliable;
	uint64_t opened;	/* seq at which it was, having read and lost none */
	uint64_t next;		/* seq */
	uint64_t read;
	uint64_t lost;
	uint64_t pos;		/* of a map */
	const struct ringbuf_page *page;
	const struct ringbuf_head *head;
	const char *data;
	size_t map_size;
	uint64_t seed;
	char buf[65536] __attribute__((aligned(8)));
};

static bool take(struct reader *r, uint64_t seq, const void *payload, uint32_t len)
{
	if (seq < r->next || !intact(payload, len, seq)) {
		found("reader: record %llu of %u bytes is not what it was, after %llu",
		      (unsigned long long)seq, len, (unsigned long long)r->next);
		return false;
	}
	r->lost += seq - r->next;
	r->next = seq + 1;
	r->read++;
	return true;
}

/* Each step: 1 there was something, 0 nothing, -1 the end or an error. */
static int step_message(struct reader *r)
{
	ssize_t n = read(r->fd, r->buf, sizeof(r->buf));

	if (n > 0)
		return take(r, *(uint64_t *)r->buf, r->buf, n) ? 1 : -1;
	if (n < 0 && errno == EPIPE)
		return 1;
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (!n || errno != ENODEV)
		found("reader: %zd: %s", n, strerror(errno));
	return -1;
}

static int step_framed(struct reader *r)
{
	ssize_t at, n = read(r->fd, r->buf, 64 + rnd(&r->seed) % (sizeof(r->buf) - 512) + 448);
	const struct ringbuf_record *rec;
	const struct ringbuf_lost *lost;

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0) {
		if (!n || errno != ENODEV)
			found("framed reader: %zd: %s", n, strerror(errno));
		return -1;
	}
	for (at = 0; at < n; at += RINGBUF_FRAME_SIZE(rec->len)) {
		rec = (const void *)(r->buf + at);
		lost = (const void *)(rec + 1);
		if (rec->seq != r->next) {
			found("framed reader: seq %llu, not %llu",
			      (unsigned long long)rec->seq, (unsigned long long)r->next);
			return -1;
		}
		if (rec->flags & RINGBUF_RECORD_LOST) {
			r->lost += lost->records;
			r->next += lost->records;
		} else if (!take(r, rec->seq, rec + 1, rec->len)) {
			return -1;
		}
	}
	return 1;
}

static int advance(int fd, uint64_t pos)
{
	struct ringbuf_advance a = { .struct_size = sizeof(a), .pos = pos };

	return ioctl(fd, RINGBUF_IOC_ADVANCE, &a);
}

/* As above struct ringbuf_page in the header; what is behind the tail is void. */
static int step_mapped(struct reader *r)
{
	const struct ringbuf_record *rec;
	uint64_t tail = __atomic_load_n(&r->page->tail, __ATOMIC_ACQUIRE);
	uint64_t head = __atomic_load_n(&r->head->head, __ATOMIC_ACQUIRE);
	uint64_t seq, frame;
	uint32_t len;

	if ((int64_t)(r->pos - tail) < 0)
		r->pos = tail;
	if (r->pos == head) {
		if (advance(r->fd, r->pos)) {
			found("mapped reader: ADVANCE: %s", strerror(errno));
			return -1;
		}
		return __atomic_load_n(&r->page->flags, __ATOMIC_ACQUIRE) & RINGBUF_RING_DEAD &&
		       __atomic_load_n(&r->head->head, __ATOMIC_ACQUIRE) == r->pos ? -1 : 0;
	}
	rec = (const void *)(r->data + (r->pos & (r->page->data_size - 1)));
	len = __atomic_load_n(&rec->len, __ATOMIC_RELAXED);
	seq = __atomic_load_n(&rec->seq, __ATOMIC_RELAXED);
	frame = RINGBUF_FRAME_SIZE(len);
	if (frame <= head - r->pos && len <= sizeof(r->buf))
		memcpy(r->buf, rec + 1, len);
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if ((int64_t)(r->pos - __atomic_load_n(&r->page->tail, __ATOMIC_RELAXED)) < 0)
		return 1;
	if (!take(r, seq, r->buf, len))
		return -1;
	r->pos += frame;
	if (!(r->read % 64) && advance(r->fd, r->pos)) {
		found("mapped reader: ADVANCE: %s", strerror(errno));
		return -1;
	}
	return 1;
}

static bool set_up(struct reader *r, unsigned int kind, struct ringbuf_stats *first)
{
	struct ringbuf_consumer c = { .struct_size = sizeof(c) };
	struct ringbuf_info info = { .struct_size = sizeof(info) };
	char *map;

	r->framed = kind == 1 || kind == 2;
	if (r->framed)
		c.flags |= RINGBUF_CONSUMER_FRAMED;
	if (kind == 2)
		c.flags |= RINGBUF_CONSUMER_RELIABLE;
	r->reliable = kind == 2;
	if (rnd(&r->seed) % 3 == 0) {
		c.wake_records = rnd(&r->seed) % 50;
		c.wake_ns = rnd(&r->seed) % 5000000;
	}
	first->struct_size = sizeof(*first);
	if (ioctl(r->fd, RINGBUF_IOC_GET_STATS, first)) {
		found("reader: GET_STATS: %s", strerror(errno));
		return false;
	}
	/* Who becomes reliable may lose some, and be demoted and overrun at once. */
	r->opened = first->seq;
	if (ioctl(r->fd, RINGBUF_IOC_SET_CONSUMER, &c) ||
	    ioctl(r->fd, RINGBUF_IOC_GET_STATS, first) ||
	    ioctl(r->fd, RINGBUF_IOC_GET_INFO, &info)) {
		found("reader: ioctl: %s", strerror(errno));
		return false;
	}
	r->next = first->seq;
	r->lost = 0;
	if (kind != 3)
		return true;
	r->map_size = info.data_offset + 2 * info.data_size;
	map = mmap(NULL, r->map_size, PROT_READ, MAP_SHARED, r->fd, 0);
	if (map == MAP_FAILED) {
		found("reader: mmap: %s", strerror(errno));
		return false;
	}
	r->page = (const void *)map;
	r->head = (const void *)(map + info.head_offset);
	r->data = map + info.data_offset;
	r->pos = first->pos;
	return true;
}

/* Read and lost and what is there is what was written; at the end to the last one. */
static void check_account(struct reader *r, const struct ringbuf_stats *first, bool end)
{
	struct ringbuf_stats last = { .struct_size = sizeof(last) };
	uint64_t lost;

	if (ioctl(r->fd, RINGBUF_IOC_GET_STATS, &last)) {
		found("reader: GET_STATS: %s", strerror(errno));
		return;
	}
	if (last.flags & RINGBUF_STATS_DEMOTED)
		atomic_fetch_add(&soak->demoted, 1);
	/* When it became reliable it may have lost some: not after. */
	lost = last.lost_records - first->lost_records;
	if (r->reliable && lost && !(last.flags & RINGBUF_STATS_DEMOTED))
		found("reliable reader: lost %llu", (unsigned long long)lost);
	/* A mapped one learns of a loss with the next record; ADVANCE tells before. */
	if (!r->page && last.read_records != r->read)
		found("reader: read %llu, of which it is told %llu",
		      (unsigned long long)r->read, (unsigned long long)last.read_records);
	if (r->read + r->lost != r->next - first->seq)
		found("reader: %llu read, %llu lost, not %llu", (unsigned long long)r->read,
		      (unsigned long long)r->lost,
		      (unsigned long long)(r->next - first->seq));
	/* A loss counts at once, and the cursor moves over it later. */
	if (!(last.flags & RINGBUF_STATS_OVERRUN) &&
	    last.read_records + last.lost_records != last.seq - r->opened)
		found("account: read %llu, lost %llu, seq %llu from %llu",
		      (unsigned long long)last.read_records,
		      (unsigned long long)last.lost_records,
		      (unsigned long long)last.seq, (unsigned long long)r->opened);
	atomic_fetch_add(&soak->accounts, 1);
	if (!end)
		return;
	if (last.lag_records)
		found("reader: at the end, and %llu records wait",
		      (unsigned long long)last.lag_records);
	atomic_fetch_add(&soak->ends, 1);
}

void soak_read(const char *device, uint64_t seed)
{
	static struct reader r;
	struct ringbuf_stats first;
	struct pollfd p = { .events = POLLIN };
	unsigned int kind;
	double end;
	int did = 1;

	r.seed = seed;
	kind = rnd(&r.seed) % 4;
	end = now() + (rnd(&r.seed) % 1500 + 30) / 1000.0;
	p.fd = r.fd = open(device, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (r.fd < 0) {
		if (errno != ENOENT && errno != ENODEV && errno != ENXIO)
			found("reader: open %s: %s", device, strerror(errno));
		return;
	}
	if (!set_up(&r, kind, &first))
		return;
	while (did >= 0 && now() < end && !atomic_load(&soak->stop)) {
		did = kind == 3 ? step_mapped(&r) : r.framed ? step_framed(&r) :
							       step_message(&r);
		if (!did)
			poll(&p, 1, 50);
		else if (!(rnd(&r.seed) % 500))
			usleep(rnd(&r.seed) % 40000);
	}
	if (!atomic_load(&soak->found))
		check_account(&r, &first, did < 0);
	atomic_fetch_add(&soak->read, r.read);
	atomic_fetch_add(&soak->lost, r.lost);
	if (r.page)
		munmap((void *)r.page, r.map_size);
	close(r.fd);
}
