/* SPDX-License-Identifier: GPL-2.0 */
/* Files of frames, as a FRAMED read() returns them, into a ring. */
#ifndef RINGBUF_CLI_FRAMES_H
#define RINGBUF_CLI_FRAMES_H

#include "feed.h"
#include "input.h"

/**
 * struct frames - Frames on their way
 * @speed: of their times, 0: as fast as it goes
 * @base_ns: the time of a record
 * @base_at: when that was published
 * @last_ns: time of the last one
 * @gaps: LOST frames passed over
 * @lost: records lost, as those say
 */
struct frames {
	double speed;
	uint64_t base_ns;
	uint64_t base_at;
	uint64_t last_ns;
	uint64_t gaps;
	uint64_t lost;
};

/*
 * Publishes all frames of @in. 0; -EINTR when cli_stopped; another negative
 * errno, said what is wrong.
 */
int frames_publish(struct frames *frames, struct feed *feed, struct input *in);

/* Says on stderr how many LOST frames were passed over, if any were. */
void frames_say_lost(const struct frames *frames);

#endif /* RINGBUF_CLI_FRAMES_H */
