// SPDX-License-Identifier: GPL-2.0
/*
 * Measures all peers in turns, round after round, and writes one line of CSV for
 * each measurement.
 *	run [-r ROUNDS] [-t SECONDS] [-s SEED] [-c CASES] [-n PEERS] [-p NAME=COMMAND]...  >CSV
 */

#include <err.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "procs.h"

#define MAX_PEERS	32
#define TAKES_NS	5e6	/* about how long one measurement may take */
#define SELDOM		4	/* what takes long is done once in so many rounds */

struct contestant {
	struct peer *peer;		/* or */
	struct program program;
	unsigned int unable;		/* bits of shape and batch */
};

static double deadline = 1e300;	/* the last round may be a part of one */

static struct contestant contestants[MAX_PEERS];
static unsigned int n_contestants;
static struct peer *peers;

void peer_register(struct peer *peer)
{
	peer->next = peers;
	peers = peer;
}

static struct contestant *new_contestant(void)
{
	if (n_contestants == MAX_PEERS)
		errx(1, "too many peers");
	return &contestants[n_contestants++];
}

static void add_program(char *arg)
{
	struct contestant *c = new_contestant();
	char *command = strchr(arg, '=');

	if (!command)
		errx(2, "-p NAME=COMMAND");
	*command++ = '\0';
	if (!program_start(&c->program, arg, command)) {
		warnx("%s does not start, skipped", arg);
		n_contestants--;
	}
}

/* Programs have no figure of their own: some are slow, and all warm up. */
#define PROGRAM_COST	150

static uint64_t how_many(const struct contestant *c, const struct job *job)
{
	unsigned int cost = c->peer ? c->peer->cost : PROGRAM_COST;
	uint64_t n = TAKES_NS / cost / (job->readers > 1 ? 2 : 1);

	return (n / MAX_BATCH + 1) * MAX_BATCH;
}

static bool able(const struct contestant *c, const struct job *job)
{
	if (!c->peer)
		return true;
	return c->peer->shapes & 1 << job->shape &&
	       job->readers <= c->peer->most &&
	       (job->batch == 1 || c->peer->batches);
}

static const char *name_of(const struct contestant *c)
{
	return c->peer ? c->peer->name : c->program.name;
}

static void measure(struct contestant *c, const struct job *wanted, int round)
{
	struct job job = *wanted;
	double ns;

	if (!able(c, &job))
		return;
	if (job.shape == BROADCAST)
		job.records = how_many(c, &job);
	if (c->peer)
		ns = run_job(c->peer, &job);
	else
		ns = program_run(&c->program, &job);
	/* The first round is for those who need to warm up. */
	if (ns <= 0 || round < 0)
		return;
	printf("%d,%s,%u,%u,%llu,%s,%s,%.3f\n", round, shape_names[job.shape],
	       job.readers, job.batch,
	       (unsigned long long)(job.shape == BROADCAST ? 0 : job.records),
	       name_of(c), c->peer && c->peer->limit ? "limit" : "peer",
	       ns / job.records);
}

/* In another order each time: none has always the same one before it. */
static void shuffle(void)
{
	for (unsigned int i = n_contestants - 1; i; i--) {
		unsigned int j = random() % (i + 1);
		struct contestant tmp = contestants[i];

		contestants[i] = contestants[j];
		contestants[j] = tmp;
	}
}

static void all_peers(const struct job *job, int round, const char *only)
{
	char name[64];

	snprintf(name, sizeof(name), "%s-%u-%u-%llu", shape_names[job->shape],
		 job->readers, job->batch, (unsigned long long)job->records);
	if (fnmatch(only, name, 0))
		return;
	shuffle();
	for (unsigned int i = 0; i < n_contestants && now_ns() < deadline; i++)
		measure(&contestants[i], job, round);
}

static void broadcasts(int round, const char *only)
{
	static const unsigned int batches[] = { 1, 16, 64 };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (unsigned int readers = 1; readers <= MAX_READERS; readers *= 2) {
		for (unsigned int b = 0; b < 3; b++) {
			struct job job = {
				.shape = BROADCAST,
				.readers = readers,
				.batch = batches[b],
				.yield = readers >= cpus,
			};

			all_peers(&job, round, only);
		}
	}
}

static void ancestral(int round, const char *only)
{
	static const uint64_t numbers[] = { 1000, 100000, 5000000 };

	for (unsigned int i = 0; i < 3; i++) {
		/* In the first one, so that there is one in any run. */
		if (i == 2 && round % SELDOM)
			continue;
		for (int shape = SEQUENTIAL; shape <= CONCURRENT; shape++) {
			struct job job = {
				.shape = shape,
				.readers = 1,
				.batch = 1,
				.records = numbers[i],
				.yield = sysconf(_SC_NPROCESSORS_ONLN) < 2,
			};

			all_peers(&job, round, only);
		}
	}
}

int main(int argc, char **argv)
{
	const char *only = "*", *names = "*";
	int rounds = 15;
	int opt;

	srandom(1);
	while ((opt = getopt(argc, argv, "r:t:s:c:n:p:")) != -1) {
		switch (opt) {
		case 'r':
			rounds = atoi(optarg);
			break;
		case 't':
			deadline = now_ns() + atoi(optarg) * 1e9;
			break;
		case 's':
			srandom(atoi(optarg));
			break;
		case 'c':
			only = optarg;
			break;
		case 'n':
			names = optarg;
			break;
		case 'p':
			add_program(optarg);
			break;
		default:
			errx(2, "usage: run [-r ROUNDS] [-t SECONDS] [-s SEED] [-c CASES] [-n PEERS] [-p NAME=COMMAND]...");
		}
	}
	for (struct peer *p = peers; p; p = p->next)
		if (!fnmatch(names, p->name, 0))
			new_contestant()->peer = p;
	if (!n_contestants)
		errx(2, "no peer is called '%s'", names);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("round,shape,readers,batch,records,peer,kind,ns\n");
	for (int round = -1; round < rounds && now_ns() < deadline; round++) {
		broadcasts(round, only);
		ancestral(round, only);
	}
	return 0;
}
