// SPDX-License-Identifier: GPL-2.0

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "procs.h"

#define TIMEOUT		60	/* seconds for one measurement: something hangs */
#define TRIES		3	/* when others get in between */
#define NEARLY		0.98	/* of a CPU is ours */

const char *const shape_names[SHAPES] = {
	"broadcast", "sequential", "concurrent"
};

void die(const char *what)
{
	err(1, "%s", what);
}

double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

void *shared_alloc(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (mem == MAP_FAILED)
		die("shared memory");
	return mem;
}

void shared_free(void *mem, size_t size)
{
	munmap(mem, size);
}

void shared_touch(void *mem, size_t size)
{
	volatile char *p = mem;

	/* The page tables are this process's own; a read would map it all, too. */
	for (size_t i = 0; i < size; i += 4096)
		__atomic_fetch_or(&p[i], 0, __ATOMIC_RELAXED);
}

/* The producer on the first CPU, readers on the others, in turns. */
static void pin(const struct job *job, unsigned int who)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	CPU_ZERO(&set);
	if (who == producer_of(job) || cpus < 2)
		CPU_SET(0, &set);
	else
		CPU_SET(1 + who % (cpus - 1), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
}

/*
 * On a machine that has other things to do: let them wait while we measure. It
 * is for milliseconds, and then they have as long to themselves.
 */
static bool urgent(void)
{
	const char *fifo = getenv("BENCH_FIFO");

	return fifo && *fifo == '1';
}

static void get_urgent(int priority)
{
	const struct sched_param param = { .sched_priority = priority };

	if (urgent() && sched_setscheduler(0, SCHED_FIFO, &param))
		die("SCHED_FIFO");
}

static double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static double cpu_before;

void tally_end(const struct tally *t, struct job *job, unsigned int reader)
{
	struct result *res = &job->of[reader];

	res->end_ns = now_ns();
	res->cpu_ns = cpu_ns() - cpu_before;
	res->sum = t->sum;
	res->next = t->next;
	res->bad = t->bad;
}

void job_start(struct job *job, unsigned int who)
{
	__atomic_fetch_add(&job->started, 1, __ATOMIC_ACQ_REL);
	/* Some have threads of their own that have to run for others to be ready. */
	while (__atomic_load_n(&job->started, __ATOMIC_ACQUIRE) <= job->readers)
		sched_yield();
	cpu_before = cpu_ns();
	if (who == producer_of(job))
		job->start_ns = now_ns();
}

static void produce(const struct peer *peer, struct job *job)
{
	struct result *res = &job->of[MAX_READERS];

	peer->produce(job);
	res->end_ns = now_ns();
	res->cpu_ns = cpu_ns() - cpu_before;
}

static void child(struct peer *peer, struct job *job, unsigned int who)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return;
	alarm(TIMEOUT);
	if (!peer->threads)
		pin(job, who);
	get_urgent(5);
	if (peer->alone)
		peer->alone(job);
	else if (who == producer_of(job))
		produce(peer, job);
	else
		peer->consume(job, who);
	_exit(0);
}

static void check_result(const struct peer *peer, const struct job *job,
			 unsigned int reader)
{
	const struct result *res = &job->of[reader];
	uint64_t n = job->records;
	uint64_t sum = n * (n - 1) / 2;

	if (job->shape == BROADCAST)
		sum = 8 * sum + 28 * n;
	if (res->next != n || res->bad || res->sum != sum)
		errx(1, "%s: reader %u got %llu of %llu records%s", peer->name,
		     reader, (unsigned long long)res->next,
		     (unsigned long long)n,
		     res->bad || res->sum != sum ? ", some of them wrong" : "");
}

static void wait_for(const struct peer *peer, unsigned int children)
{
	int status;

	while (children--) {
		if (wait(&status) < 0)
			die("wait");
		if (status)
			errx(1, "%s: a process failed (%#x)", peer->name, status);
	}
}

/*
 * Who never sleeps has its CPU to itself, or others got in between. Readers that
 * share a CPU keep it busy together.
 */
static bool had_the_cpus(const struct peer *peer, const struct job *job,
			 double end)
{
	const struct result *producer = &job->of[MAX_READERS];
	unsigned int cpus = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	double busy = 0, wall = 0;

	if (peer->sleeps || peer->threads || !cpus)
		return true;
	for (unsigned int i = 0; i < job->readers; i++) {
		busy += job->of[i].cpu_ns;
		wall += job->of[i].end_ns - job->start_ns;
	}
	if (job->readers > cpus)
		wall = (end - job->start_ns) * cpus;
	return busy >= NEARLY * wall &&
	       producer->cpu_ns >= NEARLY * (producer->end_ns - job->start_ns);
}

static double try_job(struct peer *peer, const struct job *wanted,
		      bool *undisturbed)
{
	struct job *job = shared_alloc(sizeof(*job));
	bool alone = peer->alone &&
		     (wanted->shape == SEQUENTIAL || !peer->produce);
	struct peer as = *peer;
	double end = 0, ns;

	*job = *wanted;
	if (!alone)
		as.alone = NULL;
	if (as.setup)
		as.setup(job);
	/* Or the first of them, which wait for the others, would let us make none. */
	get_urgent(6);
	for (unsigned int i = alone ? job->readers : 0; i <= job->readers; i++)
		child(&as, job, i);
	wait_for(&as, alone ? 1 : job->readers + 1);
	if (as.cleanup)
		as.cleanup(job);
	for (unsigned int i = 0; i < job->readers; i++) {
		check_result(&as, job, i);
		end = job->of[i].end_ns > end ? job->of[i].end_ns : end;
	}
	ns = job->took_ns ?: end - job->start_ns;
	*undisturbed = alone || had_the_cpus(&as, job, end);
	shared_free(job, sizeof(*job));
	if (urgent())
		usleep(ns / 1000);
	return ns;
}

double run_job(struct peer *peer, const struct job *job)
{
	bool undisturbed;
	double ns = 0;

	for (int tries = 0; tries < TRIES; tries++) {
		ns = try_job(peer, job, &undisturbed);
		if (undisturbed)
			break;
	}
	return ns;
}

bool program_start(struct program *p, const char *name, const char *command)
{
	int to[2], from[2];
	char line[64];

	if (pipe2(to, 02000000) || pipe2(from, 02000000))
		die("pipe");
	switch (fork()) {
	case -1:
		die("fork");
	case 0:
		dup2(to[0], 0);
		dup2(from[1], 1);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	p->name = name;
	p->to = fdopen(to[1], "w");
	p->from = fdopen(from[0], "r");
	return fgets(line, sizeof(line), p->from) && !strcmp(line, "ready\n");
}

double program_run(struct program *p, const struct job *job)
{
	char line[64], *end;
	double ns;

	fprintf(p->to, "%s %u %u %llu\n", shape_names[job->shape],
		job->readers, job->batch, (unsigned long long)job->records);
	if (fflush(p->to) || !fgets(line, sizeof(line), p->from))
		errx(1, "%s has ended", p->name);
	if (!strcmp(line, "unsupported\n"))
		return 0;
	ns = strtod(line, &end);
	if (*end != '\n' || ns <= 0)
		errx(1, "%s says %s", p->name, line);
	return ns;
}
