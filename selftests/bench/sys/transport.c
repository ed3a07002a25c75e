// SPDX-License-Identifier: GPL-2.0
/*
 * What a record costs through a ring and through what else there is: one process,
 * one CPU, so what is measured is the work, not the scheduler (wake.c does that).
 *
 * In each round all take turns, in random order, so that what disturbs the machine
 * disturbs all alike. Tells what it measured as CSV: case,contender,round,ns
 *	transport ROUNDS SECONDS	whichever is reached first
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include "../bench.h"
#include "way.h"

#define BACKLOG	640	/* records; in frames they are read in one call */
/*
 * Of 64 bytes, in a ring of 1 MiB: what is done once in so many has to be part of
 * each measurement. Room is made for a stride at once, and a mapped reader tells
 * the kernel each quarter of the ring where it is.
 */
#define STRIDE	187
#define QUARTER	2979

static const struct kind *const one_by_one[] = {
	&way_pipe, &way_packets, &way_seqpacket, &way_eventfd, &way_kmsg, &way_mq,
	&way_bpf, &way_ring, &way_mapped,
};

static const struct kind *const broadcast[] = {
	&way_pipe, &way_seqpacket, &way_kmsg, &way_mq, &way_bpf, &way_ring, &way_mapped,
};

static const struct kind *const in_batches[] = {
	&way_pipe, &way_seqpacket, &way_bpf, &way_framed, &way_mapped,
};

static const struct kind *const behind[] = {
	&way_pipe_each, &way_pipe, &way_seqpacket, &way_kmsg, &way_mq, &way_bpf,
	&way_framed, &way_mapped,
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct contest {
	struct way way;
	char in_case[48], name[48];
	unsigned int calls;
	bool reads_only;
};

static struct contest contests[128];
static unsigned int n_contests;

static void add(const char *in_case, const char *name, const struct contest *c)
{
	struct contest *new = &contests[n_contests];

	if (n_contests == COUNT(contests))
		errx(1, "too many cases");
	*new = *c;
	snprintf(new->in_case, sizeof(new->in_case), "%s", in_case);
	snprintf(new->name, sizeof(new->name), "%s%s", name,
		 new->way.idle ? " + 64 idle" : "");
	if (way_open(&new->way))
		n_contests++;
	else
		fprintf(stderr, "%s: not here, left out\n", name);
}

static bool is_ring(const struct kind *k)
{
	return k == &way_ring || k == &way_framed || k == &way_mapped;
}

/* Rings twice: once with consumers that do nothing. */
static void add_kind(const char *in_case, const struct kind *kind, struct contest c)
{
	c.way.kind = kind;
	if (kind == &way_mapped && !c.reads_only)
		c.calls = QUARTER / c.way.batch + 1;
	add(in_case, kind->name, &c);
	if (!is_ring(kind))
		return;
	c.way.idle = IDLE;
	add(in_case, kind->name, &c);
}

static void add_broadcast(unsigned int readers)
{
	struct contest c = {
		.way.readers = readers, .way.batch = 1, .calls = STRIDE,
	};
	char name[48];

	snprintf(name, sizeof(name), "write + read: %u reader%s", readers,
		 readers > 1 ? "s" : "");
	if (readers == 1)
		for (unsigned int i = 0; i < COUNT(one_by_one); i++)
			add_kind(name, one_by_one[i], c);
	for (unsigned int i = 0; readers > 1 && i < COUNT(broadcast); i++)
		add_kind(name, broadcast[i], c);
}

static void add_all(void)
{
	struct contest batch = { .way.readers = 1, .way.batch = MAX_BATCH, .calls = 30 };
	struct contest lag = { .way.readers = 1, .way.batch = MAX_BATCH, .calls = 5,
			       .reads_only = true };

	for (unsigned int readers = 1; readers <= MAX_READERS; readers *= 2)
		add_broadcast(readers);
	for (unsigned int i = 0; i < COUNT(in_batches); i++)
		add_kind("write + read: 64 at once", in_batches[i], batch);
	batch.way.readers = 4;
	batch.calls = 15;
	for (unsigned int i = 0; i < COUNT(in_batches); i++)
		add_kind("write + read: 64 at once to 4", in_batches[i], batch);
	for (unsigned int i = 0; i < COUNT(behind); i++) {
		lag.way.kind = behind[i];
		if (behind[i] == &way_pipe)
			add("read: 640 are there", "pipe 64 KiB read()", &lag);
		else
			add_kind("read: 640 are there", behind[i], lag);
	}
}

static double there_and_back(struct contest *c, unsigned int calls)
{
	struct way *w = &c->way;
	double start = now_ns();

	for (unsigned int n = 0; n < calls; n++) {
		w->kind->write(w, w->batch);
		for (unsigned int i = 0; i < w->readers; i++)
			w->kind->read(w, i, w->batch);
	}
	return (now_ns() - start) / calls / w->batch;
}

/* As many as there may be: a queue, a socket and the log hold fewer. */
static unsigned int backlog(const struct way *w)
{
	return w->kind == &way_mq || w->kind == &way_seqpacket ||
	       w->kind == &way_kmsg ? MAX_BATCH : BACKLOG;
}

static double read_backlog(struct contest *c, unsigned int calls)
{
	struct way *w = &c->way;
	unsigned int n = backlog(w);
	double start, ns = 0;

	calls *= BACKLOG / n;
	for (unsigned int k = 0; k < calls; k++) {
		for (unsigned int done = 0; done < n; done += w->batch)
			w->kind->write(w, w->batch);
		start = now_ns();
		w->kind->read(w, 0, n);
		ns += now_ns() - start;
	}
	return ns / calls / n;
}

static double measure(struct contest *c)
{
	if (c->way.kind->begin)
		c->way.kind->begin(&c->way);
	if (c->reads_only) {
		read_backlog(c, 1);	/* to warm up */
		return read_backlog(c, c->calls);
	}
	there_and_back(c, 8);
	return there_and_back(c, c->calls);
}

static void shuffle(unsigned int *order)
{
	for (unsigned int i = n_contests - 1; i; i--) {
		unsigned int j = random() % (i + 1);
		unsigned int tmp = order[i];

		order[i] = order[j];
		order[j] = tmp;
	}
}

int main(int argc, char **argv)
{
	int rounds = argc == 3 ? atoi(argv[1]) : 0;
	double end = argc == 3 ? now_ns() + atof(argv[2]) * 1e9 : 0;
	unsigned int order[COUNT(contests)];

	if (rounds < 1)
		errx(2, "usage: transport ROUNDS SECONDS");
	pin(1);
	add_all();
	for (unsigned int i = 0; i < n_contests; i++)
		order[i] = i;
	for (int r = -1; r < rounds && (r < 3 || now_ns() < end); r++) {
		shuffle(order);
		for (unsigned int i = 0; i < n_contests; i++) {
			struct contest *c = &contests[order[i]];
			double ns = measure(c);

			if (r >= 0)
				printf("%s,%s,%d,%.2f\n", c->in_case, c->name, r, ns);
		}
	}
	return 0;
}
