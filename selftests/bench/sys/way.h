/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ways from one writer to some readers: what is compared. Where there is no
 * broadcast a way has one of its kind for each reader.
 */
#ifndef RINGBUF_BENCH_WAY_H
#define RINGBUF_BENCH_WAY_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#define PAYLOAD		64
#define MAX_READERS	8
#define MAX_BATCH	64
#define IDLE		64	/* consumers that do nothing */
#define BUFFER		(64 << 10)

struct way;

/**
 * struct kind - One of the ways
 * @name: what it is called
 * @len: bytes of a record; 0: PAYLOAD
 * @open: false where the system has none of it
 * @write: @n records to all readers, by as few calls as it can
 * @read: @n records by reader @i, each looked at; waits for them if it has to
 * @begin: when nothing is on its way: all readers to the end. Another one may have
 *	written to the kernel's log, or another process have been the reader
 */
struct kind {
	const char *name;
	unsigned int len;
	bool (*open)(struct way *w);
	void (*write)(struct way *w, unsigned int n);
	void (*read)(struct way *w, unsigned int i, unsigned int n);
	void (*begin)(struct way *w);
};

struct way {
	const struct kind *kind;
	unsigned int readers;
	unsigned int batch;	/* as many at once at most */
	unsigned int idle;	/* consumers besides */
	bool poll;		/* readers wait in poll() */
	int wfd[MAX_READERS], rfd[MAX_READERS];
	void *own;
	char *out, *in;
};

extern const struct kind way_pipe, way_pipe_each, way_packets, way_seqpacket;
extern const struct kind way_eventfd, way_kmsg, way_mq;
extern const struct kind way_ring, way_framed, way_mapped;
extern const struct kind way_bpf;

bool way_open(struct way *w);
void way_wait(const struct way *w, int fd);

/* A reader looks at all there is; nobody needs the sum. */
extern volatile uint64_t way_sink;

static inline void look(const void *data, unsigned int records)
{
	const uint64_t *word = data;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < records; i++, word += PAYLOAD / 8)
		sum += word[0] + word[1] + word[2] + word[3] + word[4] +
		       word[5] + word[6] + word[7];
	way_sink = sum;
}

#endif /* RINGBUF_BENCH_WAY_H */
