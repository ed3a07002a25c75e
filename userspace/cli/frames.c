// SPDX-License-Identifier: GPL-2.0
/* Files of frames, as a FRAMED read() returns them, into a ring. */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "cli.h"
#include "frames.h"

/* No ring has more: a quarter of 1 GiB. */
#define MAX_RECORD	(256U << 20)

static int malformed(struct feed *f, const struct input *in, const char *why)
{
	feed_clear(f);
	cli_error("%s: no frame at byte %" PRIu64 ": %s", in->name, in->offset,
		  why);
	return -EBADMSG;
}

static int read_failed(struct feed *f, const struct input *in, int err)
{
	if (err != -EINTR) {
		feed_clear(f);
		cli_errno(err, "%s", in->name);
	}
	return err;
}

/* 1: a whole frame is there; 0: the end; or a negative errno. */
static int next_frame(struct feed *f, struct input *in,
		      struct ringbuf_record *rec)
{
	int ret = input_need(in, sizeof(*rec));

	if (ret < 0)
		return read_failed(f, in, ret);
	if (!ret && !input_left(in))
		return 0;
	if (!ret)
		return malformed(f, in, "the file ends in its header");
	memcpy(rec, input_data(in), sizeof(*rec));
	if (!rec->len || rec->len > MAX_RECORD)
		return malformed(f, in, "its length cannot be");
	if (rec->flags & ~RINGBUF_RECORD_LOST)
		return malformed(f, in, "it has flags that do not exist");
	if (!(rec->flags & RINGBUF_RECORD_LOST) &&
	    rec->len > f->info.max_record) {
		feed_clear(f);
		cli_error("%s: the record at byte %" PRIu64
			  " has %u bytes; those of this ring have %u at most",
			  in->name, in->offset, rec->len, f->info.max_record);
		return -EMSGSIZE;
	}
	ret = input_need(in, RINGBUF_FRAME_SIZE(rec->len));
	if (ret < 0)
		return read_failed(f, in, ret);
	return ret ? 1 : malformed(f, in, "the file ends in it");
}

static void count_lost(struct frames *fr, const struct input *in,
		       const struct ringbuf_record *rec)
{
	struct ringbuf_lost lost = {};

	if (rec->len >= sizeof(lost))
		memcpy(&lost, input_data(in) + sizeof(*rec), sizeof(lost));
	fr->gaps++;
	fr->lost += lost.records;
}

/* No further than a clock can tell: the times are the file's. */
static uint64_t stretched(uint64_t ns, double speed)
{
	double wait = ns / speed;

	return wait < 9e18 ? wait : 9e18;
}

static int keep_time(struct frames *fr, struct feed *f, uint64_t ns)
{
	int ret = 0;

	/* Without a time, or of another recording: from there on. */
	if (!ns || !fr->base_ns || ns < fr->last_ns) {
		fr->base_ns = ns;
		fr->base_at = cli_now();
	} else {
		ret = feed_sleep(f, fr->base_at +
				 stretched(ns - fr->base_ns, fr->speed));
	}
	fr->last_ns = ns;
	return ret;
}

int frames_publish(struct frames *fr, struct feed *f, struct input *in)
{
	struct ringbuf_record rec;
	int ret;

	while ((ret = next_frame(f, in, &rec)) > 0) {
		if (cli_stopped)
			return -EINTR;
		if (rec.flags & RINGBUF_RECORD_LOST) {
			count_lost(fr, in, &rec);
		} else {
			ret = fr->speed > 0 ? keep_time(fr, f, rec.time_ns) : 0;
			if (!ret)
				ret = feed_put(f, rec.type,
					       input_data(in) + sizeof(rec),
					       rec.len);
			if (ret)
				return ret;
		}
		input_use(in, RINGBUF_FRAME_SIZE(rec.len));
		f->done += RINGBUF_FRAME_SIZE(rec.len);
	}
	return ret;
}

void frames_say_lost(const struct frames *fr)
{
	if (fr->gaps == 1)
		cli_error("1 note of a loss skipped (%" PRIu64 " records)",
			  fr->lost);
	else if (fr->gaps)
		cli_error("%" PRIu64 " notes of losses skipped (%" PRIu64 " records)",
			  fr->gaps, fr->lost);
}
