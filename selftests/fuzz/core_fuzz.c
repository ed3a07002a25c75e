// SPDX-License-Identifier: GPL-2.0
/*
 * The core: a producer, cursors and holds in any order, runs of frames with
 * anything in them, cursors at any place, and a data area whose bytes may be
 * anything to who only looks. Between guard pages.
 */
#include "fuzz.h"
#include "cursor.h"
#include <linux/errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE		4096ULL
#define PAGE		4096ULL
#define CURSORS		3
#define STEPS		400

/* What the ring is to hold, by seq. */
struct shadow {
	u64 pos;
	u64 seq;
	u32 len;
	u16 type;
	u8 first;
};

struct ring {
	struct ringbuf_core core;
	struct ringbuf_page page;
	struct ringbuf_head head_page __attribute__((aligned(64)));
	struct ringbuf_cursor cursors[CURSORS];
	struct ringbuf_hold holds[CURSORS];
	bool held[CURSORS];
	struct shadow records[SIZE / 32];
	u64 count;		/* of committed records, the oldest ones forgotten */
	u64 now;
};

static u8 *data;

static void map_data(void)
{
	int fd = memfd_create("ring", 0);
	u8 *mem = mmap(NULL, 2 * PAGE + 2 * SIZE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const int flags = MAP_SHARED | MAP_FIXED;

	HOLDS(fd >= 0 && mem != MAP_FAILED && !ftruncate(fd, SIZE));
	data = mem + PAGE;
	HOLDS(mmap(data, SIZE, PROT_READ | PROT_WRITE, flags, fd, 0) == data);
	HOLDS(mmap(data + SIZE, SIZE, PROT_READ | PROT_WRITE, flags, fd, 0) ==
	      data + SIZE);
	close(fd);
}

static struct shadow *shadow(struct ring *r, u64 i)
{
	return &r->records[i % ARRAY_SIZE(r->records)];
}

static void committed(struct ring *r, const struct ringbuf_record *rec)
{
	struct shadow *s = shadow(r, r->count++);
	u64 end = r->core.head;

	*s = (struct shadow){
		.pos = end - RINGBUF_FRAME_SIZE(rec->len), .seq = rec->seq,
		.len = rec->len, .type = rec->type, .first = *(u8 *)(rec + 1),
	};
	HOLDS(rec->len && rec->len <= r->core.max_record && !rec->flags);
	HOLDS(rec->seq == r->core.head_seq - 1);
}

/* All that is retained is what was committed. */
static void check_ring(struct ring *r)
{
	u64 tail = r->page.tail, i = r->count, j;
	const struct ringbuf_record *rec;
	const struct shadow *s;
	u64 end = r->core.head;

	HOLDS(!ringbuf_before(r->head_page.head, tail));
	HOLDS(!ringbuf_before(r->core.head, r->head_page.head));
	HOLDS(r->core.head - tail <= SIZE);
	while (end != tail) {
		HOLDS(i && r->count - i < ARRAY_SIZE(r->records));
		s = shadow(r, --i);
		rec = ringbuf_frame_at(&r->core, s->pos);
		HOLDS(s->pos + RINGBUF_FRAME_SIZE(s->len) == end);
		HOLDS(rec->len == s->len && rec->seq == s->seq &&
		      rec->type == s->type && !rec->flags &&
		      *(u8 *)(rec + 1) == s->first);
		for (j = sizeof(*rec) + rec->len;
		     j < RINGBUF_FRAME_SIZE(rec->len); j++)
			HOLDS(!((const u8 *)rec)[j]);
		end = s->pos;
	}
}

static void step_write(struct ring *r, struct input *in)
{
	u32 len = input_u16(in) % 1200;
	u16 type = input_u8(in);
	u8 *payload = ringbuf_core_reserve(&r->core, len, type);

	if (!payload)
		return;
	HOLDS(len && len <= r->core.max_record);
	HOLDS(payload >= data && payload + len <= data + 2 * SIZE);
	memset(payload, input_u8(in), len);
	if (type & 1 && type & 2) {
		ringbuf_core_discard(&r->core);
		return;
	}
	ringbuf_core_commit(&r->core, r->now);
	committed(r, (struct ringbuf_record *)payload - 1);
}

/* Frames as they come from user memory: nothing about them is right. */
static void step_run(struct ring *r, struct input *in)
{
	u32 len = input_u16(in) % (SIZE / 4 + 1), copied = len, done;
	u64 from = r->core.head, end;
	u8 *room;

	if (ringbuf_core_open(&r->core))
		return;
	room = ringbuf_core_reserve_run(&r->core, len);
	if (!room)
		return;
	HOLDS(room >= data && room + len <= data + 2 * SIZE);
	if (input_u8(in) & 1)
		copied = len ? input_u16(in) % len : 0;
	memset(room, 0xa5, copied);
	input_bytes(in, room, copied < in->left ? copied : in->left);
	/* Else hardly anything would ever be a record. */
	if (copied >= 24 && input_u8(in) & 1) {
		((struct ringbuf_record *)room)->len &= 0x1ff;
		((struct ringbuf_record *)room)->flags &= 1;
	}
	done = ringbuf_core_commit_run(&r->core, copied, r->now);
	HOLDS(done <= copied && r->core.head == from + done);
	end = r->core.head;
	for (r->core.head = from; r->core.head != end;) {
		struct ringbuf_record *rec =
			ringbuf_frame_at(&r->core, r->core.head);
		u64 seq = r->core.head_seq;

		r->core.head += RINGBUF_FRAME_SIZE(rec->len);
		r->core.head_seq = rec->seq + 1;
		committed(r, rec);
		r->core.head_seq = seq;
	}
}

/* Reads as read() does: look, measure, copy, and only then believe it. */
static void step_read(struct ring *r, unsigned int i, struct input *in)
{
	struct ringbuf_cursor *cur = &r->cursors[i];
	static u8 copy[2 * SIZE];
	struct ringbuf_view v;
	u64 limit = input_u16(in), span, n;

	if (!ringbuf_core_peek(&r->core, &cur->at, &v))
		return;
	HOLDS(!(v.lost_bytes && r->held[i] && !r->holds[i].demoted));
	ringbuf_cursor_lose(cur, &v);
	span = ringbuf_core_span(&r->core, &v, limit, &n);
	HOLDS(span <= limit && !!span == !!n);
	memcpy(copy, v.frame, span);
	HOLDS(ringbuf_core_intact(&r->core, v.at.pos));
	ringbuf_cursor_take(cur, span, n);
	if (r->held[i])
		ringbuf_hold_move(&r->holds[i], cur->at.pos);
}

/* A record's bytes while it is overwritten: what who looks makes of them is bounded. */
static void step_garbage(struct ring *r, struct input *in)
{
	struct ringbuf_cursor cur = r->cursors[input_u8(in) % CURSORS];
	static u8 was[SIZE], copy[2 * SIZE];
	u64 limit, span, n, i;
	struct ringbuf_view v;
	struct ringbuf_mark at;
	u32 len;

	memcpy(was, data, SIZE);
	for (i = input_u8(in) % 16; i; i--)
		((u64 *)data)[input_u16(in) % (SIZE / 8)] = input_u64(in);
	if (ringbuf_core_peek(&r->core, &cur.at, &v)) {
		limit = input_u16(in) % (2 * SIZE);
		span = ringbuf_core_span(&r->core, &v, limit, &n);
		HOLDS(span <= limit && span <= v.head - v.at.pos);
		HOLDS(span <= SIZE && n <= span / 24);
		memcpy(copy, v.frame, span);
	}
	at = cur.at;
	ringbuf_core_plain(&r->core, &at, &len);
	ringbuf_core_tail(&r->core, &at);
	ringbuf_core_seek(&r->core, &at, input_u64(in), 64);
	ringbuf_cursor_walk(&cur, &r->core, cur.at.pos + input_u16(in), 64);
	memcpy(data, was, SIZE);
}

/* Positions and seqs that a user may name: any. */
static void step_anywhere(struct ring *r, struct input *in)
{
	struct ringbuf_cursor cur = r->cursors[input_u8(in) % CURSORS];
	u64 pos = input_u64(in), from;
	struct ringbuf_stats stats;
	struct ringbuf_mark to, head;
	struct ringbuf_view v;
	u32 len;
	int ret;

	ringbuf_core_head(&r->core, &head);
	if (input_u8(in) & 1)
		pos = r->page.tail + pos % (2 * SIZE);
	/* As ringbuf_file_advance() does, which asks for the head first. */
	if (!ringbuf_before(r->head_page.head, pos)) {
		ret = ringbuf_cursor_walk(&cur, &r->core, pos, 4096);
		HOLDS(ret == 0 || ret == -EINVAL);
		HOLDS(ret || !ringbuf_before(cur.at.pos, pos));
	}
	cur = r->cursors[0];
	from = cur.at.seq;
	ringbuf_cursor_settle(&cur, &r->core);
	to = cur.at;
	pos = input_u8(in) & 1 ? input_u64(in) : to.seq + input_u8(in);
	if (ringbuf_before(pos, to.seq))
		ringbuf_core_tail(&r->core, &to);
	ret = ringbuf_core_seek(&r->core, &to, pos, 4096);
	HOLDS(ret == 0 || ret == -EINVAL);
	HOLDS(ret || !ringbuf_before(to.seq, pos) || to.pos == r->page.tail);
	HOLDS(ret || !ringbuf_before(head.pos, to.pos));
	if (!ret) {
		ringbuf_cursor_move(&cur, &to, pos, from);
		ringbuf_cursor_stats(&cur, &r->core, &stats);
		HOLDS(stats.lag_bytes <= SIZE);
		if (ringbuf_core_peek(&r->core, &to, &v))
			HOLDS(!v.lost_bytes);
		ringbuf_core_plain(&r->core, &to, &len);
	}
}

static void step_hold(struct ring *r, unsigned int i, struct input *in)
{
	struct ringbuf_cursor *cur = &r->cursors[i];
	struct ringbuf_hold *hold = &r->holds[i];
	u64 was = cur->at.pos, need;
	u8 what = input_u8(in);

	if (!r->held[i]) {
		memset(hold, 0, sizeof(*hold));
		ringbuf_core_find_first(&r->core);
		ringbuf_hold_join(hold, &r->core, cur);
		r->held[i] = true;
		HOLDS(!ringbuf_before(cur->at.pos, r->page.tail));
		HOLDS(!ringbuf_before(cur->at.pos, was));
	} else if (what % 4 == 0) {
		ringbuf_hold_leave(hold, &r->core);
		r->held[i] = false;
	} else if (what % 4 == 1 && !hold->demoted) {
		u64 to = hold->pos - input_u16(in) % SIZE / 8 * 8;

		ringbuf_core_find_first(&r->core);
		if (ringbuf_hold_back(hold, &r->core, to)) {
			HOLDS(!ringbuf_before(to, r->page.tail));
			ringbuf_hold_move(hold, cur->at.pos);
		}
	} else {
		need = r->core.head + RINGBUF_FRAME_SIZE(input_u16(in) % 1000) -
			SIZE;
		ringbuf_core_wait_for_holds(&r->core, need, r->now, input_u8(in));
		HOLDS(!ringbuf_core_still_held(&r->core, need, r->now, 0) ||
		      ringbuf_core_holder(&r->core, need));
	}
}

static void step(struct ring *r, struct input *in)
{
	u8 what = input_u8(in);
	unsigned int i = what / 16 % CURSORS;

	r->now += what;
	switch (what % 16) {
	case 0 ... 3:
		step_write(r, in);
		break;
	case 4 ... 6:
		step_run(r, in);
		break;
	case 7:
		ringbuf_core_publish(&r->core);
		break;
	case 8:
		if (ringbuf_core_open(&r->core))
			break;
		ringbuf_core_refuse(&r->core);
		ringbuf_core_drop(&r->core);
		break;
	case 9:
		step_garbage(r, in);
		break;
	case 10 ... 11:
		step_anywhere(r, in);
		break;
	case 12 ... 13:
		if (r->core.reliable)
			step_hold(r, i, in);
		break;
	default:
		step_read(r, i, in);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct ring r;
	struct input in = { bytes, size };
	struct ringbuf_mark start;
	struct ringbuf_stats stats;
	unsigned int i;

	if (!data)
		map_data();
	memset(&r, 0, sizeof(r));
	memset(data, 0xee, SIZE);
	start.pos = input_u64(&in) & ~(u64)(RINGBUF_ALIGN - 1);
	start.seq = input_u64(&in);
	ringbuf_core_init(&r.core, &r.page, &r.head_page, data, SIZE, &start);
	r.core.reliable = input_u8(&in) & 1;
	for (i = 0; i < CURSORS; i++)
		ringbuf_cursor_init(&r.cursors[i], &r.core);
	for (i = 0; in.left && i < STEPS; i++) {
		step(&r, &in);
		check_ring(&r);
	}
	/* Whatever happened, the accounts are exact. */
	ringbuf_core_publish(&r.core);
	for (i = 0; i < CURSORS; i++) {
		ringbuf_cursor_stats(&r.cursors[i], &r.core, &stats);
		HOLDS(stats.read_bytes + stats.lost_bytes + stats.lag_bytes ==
		      r.core.head - start.pos);
		HOLDS(stats.read_records + stats.lost_records +
		      stats.lag_records == r.core.head_seq - start.seq);
	}
	return 0;
}
