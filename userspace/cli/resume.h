/* SPDX-License-Identifier: GPL-2.0 */
/* Where a reader that is started again goes on. */
#ifndef RINGBUF_CLI_RESUME_H
#define RINGBUF_CLI_RESUME_H

#include <libringbuf.h>
#include "source.h"

/**
 * struct resume - A resume file
 * @path: the file
 * @ring: name of the ring
 * @boot: which run of the machine; seqs of another one mean nothing
 * @life: which of the rings that had this name; empty if the file does not say
 * @life_now: the same of the one that is open
 * @seq: number of the record after the last one handled
 * @time_ns: of that last one, which tells it from one of another ring's life; 0:
 *	unknown
 * @saved_at: when it was saved last
 */
struct resume {
	char *path;
	char ring[RINGBUF_NAME_SIZE];
	char boot[40];
	char life[40];
	char life_now[40];
	uint64_t seq;
	uint64_t time_ns;
	uint64_t saved_at;
};

/*
 * For the ring of a name that is open as @fd. 1: loaded; 0: there is none yet; -1:
 * said what is wrong.
 */
int resume_load(struct resume *resume, const char *path, const char *ring,
		int fd);

/* 0, or -1: said what is wrong. */
int resume_save(struct resume *resume, uint64_t seq, uint64_t time_ns);
void resume_free(struct resume *resume);

/*
 * Goes on where the file says, or at the oldest record, said why on stderr, if
 * this is not the ring it was. 0 or a negative errno.
 */
int resume_seek(const struct resume *resume, struct ringbuf_reader *reader,
		struct source_gap *gap);

#endif /* RINGBUF_CLI_RESUME_H */
