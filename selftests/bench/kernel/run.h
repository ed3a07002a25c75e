/* SPDX-License-Identifier: GPL-2.0 */
/* A BPF ring and programs that publish in it, by bare system calls. */
#ifndef RINGBUF_BENCH_RUN_H
#define RINGBUF_BENCH_RUN_H

#include <stdbool.h>
#include "abi.h"

extern int bench_fd;

/* Without BPF in the kernel the first says so, and the second does nothing. */
void bpf_open(void);
void bpf_make_room(void);

/*
 * Can programs be run? ns per record of len bytes, of about so many; empty: of a
 * program that publishes none.
 */
bool bpf_program(void);
double bpf_run(unsigned int len, unsigned int count, bool empty);

/* A kernel function's address, 0: none. */
unsigned long symbol(const char *name);

#endif /* RINGBUF_BENCH_RUN_H */
