// SPDX-License-Identifier: GPL-2.0
/* What was written, and what a reader may be shown of it. */
#include "fuzz.h"
#include "shim.h"
#include "file.h"
#include "file_shadow.h"

#define SHADOWS		1024

/* What was written, by seq; hash 0: nothing. */
struct shadow {
	u64 seq;
	u32 len;
	u16 type;
	u64 hash;
};

static struct shadow shadows[SHADOWS];
/* Their payloads; the largest ring has 16 KiB. */
static u8 payloads[SHADOWS][4096];

void forget(void)
{
	memset(shadows, 0, sizeof(shadows));
}

static u64 hash_of(const u8 *p, size_t n)
{
	u64 h = 0xcbf29ce484222325ULL;

	for (; n; n--)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return h | 1;
}

/* As all that was published lies in the ring: from @seq on. */
void remember(u64 pos, u64 seq)
{
	const struct ringbuf_record *rec;
	struct shadow *s;

	/* A run may be longer than the ring: its first records are gone. */
	if (ringbuf_before(pos, rb->core.page->tail)) {
		pos = rb->core.page->tail;
		rec = ringbuf_frame_at(&rb->core, pos);
		seq = rec->seq;
	}
	for (; pos != rb->core.head_page->head; pos += RINGBUF_FRAME_SIZE(rec->len)) {
		rec = ringbuf_frame_at(&rb->core, pos);
		HOLDS(rec->len && !rec->flags && rec->seq == seq);
		HOLDS(RINGBUF_FRAME_SIZE(rec->len) <= rb->core.size / 4);
		s = &shadows[seq % SHADOWS];
		s->seq = seq++;
		s->len = rec->len;
		s->type = rec->type;
		s->hash = hash_of((const u8 *)(rec + 1), rec->len);
		memcpy(payloads[s - shadows], rec + 1, rec->len);
	}
	HOLDS(seq == rb->core.head_page->head_seq);
}

bool was_written(u64 seq, const u8 *payload, u32 len)
{
	const struct shadow *s = &shadows[seq % SHADOWS];

	return s->seq == seq && s->len == len && s->hash == hash_of(payload, len);
}

/* Of the record with that seq; 0: none. */
u32 length_of(u64 seq)
{
	const struct shadow *s = &shadows[seq % SHADOWS];

	return s->seq == seq && s->hash ? s->len : 0;
}

/* Is that what the record holds from @at on? */
bool was_part(u64 seq, u64 at, const u8 *piece, u32 len)
{
	return at + len <= length_of(seq) &&
	       !memcmp(payloads[seq % SHADOWS] + at, piece, len);
}

/*
 * What a run of frames has to do, said once more: bytes of the frames before the
 * first that is bad, or what is wrong with that if it is the first.
 */
ssize_t run_result(const u8 *p, size_t n, size_t good)
{
	struct ringbuf_record rec;
	size_t at = 0, frame;
	ssize_t why = 0;

	while (at < n) {
		why = -EINVAL;
		if (n - at < sizeof(rec))
			break;
		why = -EFAULT;
		if (good < at || good - at < sizeof(rec))
			break;
		memcpy(&rec, p + at, sizeof(rec));
		frame = RINGBUF_FRAME_SIZE(rec.len);
		why = -EINVAL;
		if (!rec.len || frame > n - at || rec.flags & ~RINGBUF_RECORD_LOST)
			break;
		if (rec.flags && rec.len != sizeof(struct ringbuf_lost))
			break;
		if (!rec.flags) {
			why = -EMSGSIZE;
			if (rec.len > ringbuf_max_record(rb->core.size))
				break;
			why = -EFAULT;
			if (good - at < frame)
				break;
		}
		at += frame;
	}
	return at ? (ssize_t)at : n ? why : 0;
}

/* @gaps: others took what lies between. */
void check_frames(const u8 *p, size_t n, u64 seq, bool gaps)
{
	struct ringbuf_record rec;
	struct ringbuf_lost lost;
	size_t frame;

	while (n) {
		HOLDS(n >= sizeof(rec));
		memcpy(&rec, p, sizeof(rec));
		frame = RINGBUF_FRAME_SIZE(rec.len);
		HOLDS(frame <= n && !ringbuf_before(rec.seq, seq));
		HOLDS(rec.seq == seq || gaps);
		seq = rec.seq;
		if (rec.flags) {
			HOLDS(rec.flags == RINGBUF_RECORD_LOST &&
			      rec.len == sizeof(lost));
			memcpy(&lost, p + sizeof(rec), sizeof(lost));
			HOLDS(lost.records);
			seq += lost.records;
		} else {
			HOLDS(was_written(seq++, p + sizeof(rec), rec.len));
			for (size_t i = sizeof(rec) + rec.len; i < frame; i++)
				HOLDS(!p[i]);
		}
		p += frame;
		n -= frame;
	}
}

static const struct {
	unsigned int cmd;
	/* Of the structure that there is; 0: none. */
	u32 size;
	fmode_t mode;
} calls[] = {
	{ RINGBUF_IOC_GET_INFO, sizeof(struct ringbuf_info), 0 },
	{ RINGBUF_IOC_SET_CONSUMER, sizeof(struct ringbuf_consumer), FMODE_READ },
	{ RINGBUF_IOC_GET_CONSUMER, sizeof(struct ringbuf_consumer), FMODE_READ },
	{ RINGBUF_IOC_GET_STATS, sizeof(struct ringbuf_stats), FMODE_READ },
	{ RINGBUF_IOC_SET_WRITER, sizeof(struct ringbuf_writer), FMODE_WRITE },
	{ RINGBUF_IOC_ADVANCE, sizeof(struct ringbuf_advance), FMODE_READ },
	{ FIONREAD, 0, FMODE_READ },
	{ RINGBUF_IOC_GET_WRITER, sizeof(struct ringbuf_writer), FMODE_WRITE },
};

unsigned int known_ioctl(unsigned int i)
{
	return calls[i].cmd;
}

/*
 * What an ioctl has to say to a structure at @p that can be read up to @good bytes,
 * whatever it holds otherwise; 0: more.
 */
long ioctl_result(fmode_t mode, unsigned int cmd, const u8 *p, size_t good)
{
	u32 i, size, n;

	for (i = 0; i < ARRAY_SIZE(calls) && calls[i].cmd != cmd; i++)
		;
	if (i == ARRAY_SIZE(calls))
		return -ENOTTY;
	if ((mode & calls[i].mode) != calls[i].mode)
		return -EBADF;
	if (good < 4)
		return -EFAULT;
	if (!calls[i].size)
		return 0;
	memcpy(&size, p, sizeof(size));
	if (size < calls[i].size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	for (n = calls[i].size; n < size; n++) {
		if (n >= good)
			return -EFAULT;
		/* Of what the kernel fills in it zeroes the rest. */
		if (p[n] && !(_IOC_DIR(cmd) & _IOC_READ))
			return -E2BIG;
	}
	return good < calls[i].size ? -EFAULT : 0;
}
