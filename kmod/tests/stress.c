// SPDX-License-Identifier: GPL-2.0
#include <linux/compiler.h>
#include "stress.h"

/* Payloads are words of a hash of seq and place, so that a torn one shows. */
static u64 stress_word(u64 seq, u32 i)
{
	return (seq + 1) * 0x9E3779B97F4A7C15ULL + i * 0xD1B54A32D192ED03ULL;
}

static u32 stress_words(u64 seq)
{
	u64 h = stress_word(seq, 7) >> 32;

	return h % 64 ? 1 + h % 16 : 1 + h % 120;
}

/**
 * stress_write() - Write all records, in bursts
 * @s: what is shared
 */
void stress_write(struct stress *s)
{
	struct ringbuf_core *core = &s->ring->core;
	u64 seq, *payload;
	u32 i, words;

	for (seq = 0; seq < s->total; seq++) {
		words = stress_words(seq);
		while (!(payload = ringbuf_core_reserve(core, words * 8,
							words)))
			s->pause();
		/* Word by word: readers that are overrun look on. */
		for (i = 0; i < words; i++)
			WRITE_ONCE(payload[i], stress_word(seq, i));
		ringbuf_core_commit(core, seq);
		if (seq % 5 || seq + 1 == s->total)
			ringbuf_core_publish(core);
		if (!(seq % 4096))
			s->pause();
	}
}

/* How many of the frames in the copy are right, in a row. */
static u64 check_frames(struct stress_reader *r, u64 bytes, u64 seq)
{
	const struct ringbuf_record *rec = r->copy;
	const u64 *payload;
	u64 n = 0;
	u32 i;

	while (bytes) {
		if (rec->seq != seq + n || rec->time_ns != seq + n ||
		    rec->flags || rec->len != rec->type * 8 ||
		    rec->type != stress_words(rec->seq) ||
		    RINGBUF_FRAME_SIZE(rec->len) > bytes)
			break;
		payload = (const u64 *)(rec + 1);
		for (i = 0; i < rec->type; i++) {
			if (payload[i] != stress_word(rec->seq, i))
				return n;
		}
		bytes -= RINGBUF_FRAME_SIZE(rec->len);
		rec = (const void *)rec + RINGBUF_FRAME_SIZE(rec->len);
		n++;
	}
	return n;
}

/* From lossy to reliable and back. */
static struct ringbuf_hold *change_side(struct stress_reader *r,
					struct ringbuf_hold *hold)
{
	if (hold) {
		r->stress->leave(r->stress, hold);
		return NULL;
	}
	r->joins++;
	return r->stress->join(r->stress, &r->cursor);
}

/**
 * stress_read() - Read until the last record, checking each
 * @r: the reader
 */
void stress_read(struct stress_reader *r)
{
	struct ringbuf_core *core = &r->stress->ring->core;
	struct ringbuf_hold *hold = NULL;
	u64 i, span, n, reads = 0, looks = 0;
	struct ringbuf_view v;

	while (r->cursor.at.seq < r->stress->total) {
		if (!ringbuf_core_peek(core, &r->cursor.at, &v)) {
			r->stress->pause();
			continue;
		}
		if (v.lost_records)
			ringbuf_cursor_lose(&r->cursor, &v);
		if (v.lost_records && hold)
			r->errors++;
		span = RINGBUF_FRAME_SIZE(v.len);
		if (r->batch > span)
			span = r->batch;
		span = ringbuf_core_span(core, &v, span, &n);
		if (!r->batch && n != 1)
			r->errors++;
		/* Word by word: the producer may overwrite them meanwhile. */
		for (i = 0; i < span / 8; i++)
			((u64 *)r->copy)[i] =
				READ_ONCE(((const u64 *)v.frame)[i]);
		if (r->lazy && !(++looks % r->lazy))
			r->stress->pause();
		if (!ringbuf_core_intact(core, v.at.pos)) {
			r->discarded++;
			if (hold)
				r->errors++;
			continue;
		}
		if (check_frames(r, span, v.at.seq) != n)
			r->errors++;
		ringbuf_cursor_take(&r->cursor, span, n);
		if (hold)
			ringbuf_hold_move(hold, r->cursor.at.pos);
		if (r->stay && !(reads++ % r->stay))
			hold = change_side(r, hold);
	}
	if (hold)
		r->stress->leave(r->stress, hold);
}
