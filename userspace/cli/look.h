/* SPDX-License-Identifier: GPL-2.0 */
/* Rings and consumers at one moment, with rates since the moment before. */
#ifndef RINGBUF_CLI_LOOK_H
#define RINGBUF_CLI_LOOK_H

#include "procs.h"

enum order { BY_LAG, BY_RATE, BY_LOSS };

/**
 * struct row - A consumer
 * @ring: index of its ring
 * @who: what /proc tells
 * @read: records it has read, and some constant
 * @read_bytes: the same in bytes of frames
 * @rated: it was there before, so the rates are something
 * @rate: records per second
 * @byte_rate: the same in bytes of frames
 * @loss_rate: records per second
 */
struct row {
	size_t ring;
	struct holder who;
	int64_t read, read_bytes;
	bool rated;
	double rate, byte_rate, loss_rate;
};

/* All there is to see at one moment. */
struct look {
	uint64_t time;
	struct ring *rings;
	size_t n_rings;
	struct holders holders;
	struct row *rows;
	size_t n_rows;
};

/*
 * Looks at the rings of @names, or at all, and forgets @last, which becomes what
 * @now was. Returns 0 or an errno.
 */
int look_at(struct look *now, struct look *last, char **names, int n_names);
void look_free(struct look *l);

/* By ring, and then as @order says, the worst one first. */
void look_sort(struct look *l, enum order order);

#endif /* RINGBUF_CLI_LOOK_H */
