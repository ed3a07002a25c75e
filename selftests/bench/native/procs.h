/* SPDX-License-Identifier: GPL-2.0 */
/* Runs jobs: in processes of ours, or by a program that speaks a line protocol. */
#ifndef RINGBUF_BENCH_PROCS_H
#define RINGBUF_BENCH_PROCS_H

#include <stdio.h>
#include "peer.h"

extern const char *const shape_names[SHAPES];

/* ns that @job took with @peer; the checks have been made. */
double run_job(struct peer *peer, const struct job *job);

/**
 * struct program - A peer that is a program, such as one in Go or Java
 * @name: for the table
 * @to: its stdin: "SHAPE READERS BATCH RECORDS" asks for a measurement
 * @from: its stdout: "ready" once it runs; then for each line the ns that all
 *	records took, having checked them, or "unsupported"
 */
struct program {
	const char *name;
	FILE *to;
	FILE *from;
};

/* False when it does not start. */
bool program_start(struct program *p, const char *name, const char *command);
/* ns, or 0 when it does not know how. */
double program_run(struct program *p, const struct job *job);

#endif /* RINGBUF_BENCH_PROCS_H */
