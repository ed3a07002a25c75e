// SPDX-License-Identifier: GPL-2.0
/*
 * BPF ring buffers: one for each reader, as one has one consumer. A program that
 * gets the 64 bytes as its context, by BPF_PROG_TEST_RUN, copies them into all of
 * them: one system call for a record, or for 64, to any number of readers.
 */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include "way.h"

#ifdef HAVE_BPF
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#define INSNS	4096

struct ring_of_bpf {
	int prog;
	struct ring_buffer *rb[MAX_READERS];
	unsigned int got;
};

static unsigned int emit(struct bpf_insn *p, unsigned int n, struct bpf_insn insn)
{
	if (n == INSNS)
		errx(1, "the BPF program is too long");
	p[n] = insn;
	return n + 1;
}

#define INSN(c, d, s, o, i) ((struct bpf_insn){ .code = (c), .dst_reg = (d), \
	.src_reg = (s), .off = (o), .imm = (i) })

/* bpf_ringbuf_output(map, stack - 64, 64, 0) */
static unsigned int emit_output(struct bpf_insn *p, unsigned int n, int map)
{
	n = emit(p, n, INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map));
	n = emit(p, n, INSN(0, 0, 0, 0, 0));
	n = emit(p, n, INSN(BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0));
	n = emit(p, n, INSN(BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -PAYLOAD));
	n = emit(p, n, INSN(BPF_ALU64 | BPF_MOV | BPF_K, 3, 0, 0, PAYLOAD));
	n = emit(p, n, INSN(BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, 0));
	return emit(p, n, INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ringbuf_output));
}

static int load(const struct way *w, const int *maps)
{
	static struct bpf_insn p[INSNS];
	static char log[1 << 16];
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = sizeof(log));
	unsigned int n = 0;
	int prog;

	/* From the context to the stack: r1 is the context. */
	for (int i = 0; i < PAYLOAD; i += 8) {
		n = emit(p, n, INSN(BPF_LDX | BPF_DW | BPF_MEM, 0, 1, i, 0));
		n = emit(p, n, INSN(BPF_STX | BPF_DW | BPF_MEM, 10, 0, i - PAYLOAD, 0));
	}
	for (unsigned int b = 0; b < w->batch; b++)
		for (unsigned int i = 0; i < w->readers; i++)
			n = emit_output(p, n, maps[i]);
	n = emit(p, n, INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0));
	n = emit(p, n, INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
	prog = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "bench", "GPL", p, n, &opts);
	if (prog < 0)
		warnx("BPF program: %s\n%s", strerror(errno), log);
	return prog;
}

static int take(void *ctx, void *data, size_t len)
{
	struct ring_of_bpf *own = ctx;

	if (len != PAYLOAD)
		return -EINVAL;
	look(data, 1);
	own->got++;
	return 0;
}

static bool open_bpf(struct way *w)
{
	struct ring_of_bpf *own = calloc(1, sizeof(*own));
	int maps[MAX_READERS];

	if (!own)
		err(1, "%s", w->kind->name);
	for (unsigned int i = 0; i < w->readers; i++) {
		maps[i] = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "bench", 0, 0, 1 << 20, NULL);
		if (maps[i] < 0) {
			warn("BPF ringbuf, left out");
			return false;
		}
		own->rb[i] = ring_buffer__new(maps[i], take, own, NULL);
		if (!own->rb[i])
			err(1, "ring_buffer__new");
	}
	own->prog = load(w, maps);
	w->own = own;
	return own->prog >= 0;
}

static void write_bpf(struct way *w, unsigned int n)
{
	struct ring_of_bpf *own = w->own;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = w->out, .ctx_size_in = PAYLOAD);

	if (n != w->batch)
		errx(1, "a BPF program has one size of batches");
	if (bpf_prog_test_run_opts(own->prog, &opts))
		err(1, "BPF_PROG_TEST_RUN");
}

static void read_bpf(struct way *w, unsigned int i, unsigned int n)
{
	struct ring_of_bpf *own = w->own;

	own->got = 0;
	ring_buffer__consume(own->rb[i]);
	while (own->got < n)
		if (ring_buffer__poll(own->rb[i], -1) < 0)
			err(1, "ring_buffer__poll");
	if (own->got != n)
		errx(1, "BPF ringbuf: %u records, not %u", own->got, n);
}
#else
static bool open_bpf(struct way *w)
{
	(void)w;
	return false;
}

static void write_bpf(struct way *w, unsigned int n)
{
	(void)w;
	(void)n;
}

static void read_bpf(struct way *w, unsigned int i, unsigned int n)
{
	(void)w;
	(void)i;
	(void)n;
}
#endif

const struct kind way_bpf = {
	"BPF ringbuf", 0, open_bpf, write_bpf, read_bpf, NULL
};
