/* SPDX-License-Identifier: GPL-2.0 */
/* Where a reader that is started again goes on. */
#ifndef RINGBUF_CLI_RESUME_H
#define RINGBUF_CLI_RESUME_H

#include <libringbuf.h>
#include "cli.h"
#include "source.h"

/**
 * struct resume - A resume file
 * @path: the file
 * @ring: name of the ring
 * @id: of the ring; empty if the file does not say
 * @id_now: of the ring that is open
 * @is_old: version 0.2 has written the file
 * @seq: number of the record after the last one handled
 * @saved_at: when it was saved last
 */
struct resume {
	char *path;
	char ring[RINGBUF_NAME_SIZE];
	char id[CLI_ID_SIZE];
	char id_now[CLI_ID_SIZE];
	bool is_old;
	uint64_t seq;
	uint64_t saved_at;
};

/*
 * For the ring that @info describes. 1: loaded; 0: there is none yet; -1: said what
 * is wrong.
 */
int resume_load(struct resume *resume, const char *path,
		const struct ringbuf_info *info);

/* 0, or -1: said what is wrong. */
int resume_save(struct resume *resume, uint64_t seq);
void resume_free(struct resume *resume);

/*
 * Goes on where the file says, or at the oldest record, said why on stderr, if
 * this is not the ring it was. 0 or a negative errno.
 */
int resume_seek(const struct resume *resume, struct ringbuf_reader *reader,
		struct source_gap *gap);

#endif /* RINGBUF_CLI_RESUME_H */
