// SPDX-License-Identifier: GPL-2.0
/*
 * What publishing and reading cost in the kernel: tells ringbuf_bench.ko what to
 * measure, in rounds of which each has every case once, in an order of its own, so
 * that what disturbs the machine disturbs all alike. CSV to stdout.
 *
 *	run SETTING ROUNDS	run -t COUNT	(publishes of 64 bytes, to be traced)
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <linux/ringbuf.h>
#include "run.h"

#define IDLE		64
#define PAYLOAD		64
#define FRAME		RINGBUF_FRAME_SIZE(PAYLOAD)
#define CALL		(64 << 10)
#define MAX_JOBS	256

int bench_fd;

struct job {
	char where[24];			/* "case" */
	char name[KBENCH_NAME];
	double (*run)(const struct job *job);
	unsigned int contender, len, idle;
	bool in_kernel;
};

static struct job jobs[MAX_JOBS];
static unsigned int n_jobs;

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static int ring_reader(unsigned int flags)
{
	struct ringbuf_consumer c = { .struct_size = sizeof(c), .flags = flags };
	int fd = open("/dev/ringbuf-" KBENCH_RING, O_RDONLY);

	if (fd < 0)
		err(1, "/dev/ringbuf-" KBENCH_RING);
	if (flags && ioctl(fd, RINGBUF_IOC_SET_CONSUMER, &c))
		err(1, "RINGBUF_IOC_SET_CONSUMER");
	return fd;
}

/* About three quarters of the buffer, in two runs. */
static unsigned int records_of(unsigned int len)
{
	unsigned int n = KBENCH_BUFFER * 3 / 8 / (len + 8);

	return n > 1024 ? n & ~15 : n;
}

static double publish(unsigned int contender, unsigned int len,
		      unsigned int count)
{
	struct kbench_publish p = {
		.contender = contender, .len = len, .count = count,
	};

	if (ioctl(bench_fd, KBENCH_IOC_PUBLISH, &p))
		err(1, "contender %u, %u bytes", contender, len);
	return (double)p.ns / count;
}

static double run_publish(const struct job *job)
{
	unsigned int count = records_of(job->len);
	int fds[IDLE];
	double ns;

	for (unsigned int i = 0; i < job->idle; i++)
		fds[i] = ring_reader(0);
	bpf_make_room();
	/* It takes microseconds, and a log holds less. */
	if (!strcmp(job->name, "printk"))
		count = count / 16 + 1;
	ns = publish(job->contender, job->len, count);
	for (unsigned int i = 0; i < job->idle; i++)
		close(fds[i]);
	return ns;
}

/* Reads, each of them all that size bytes take: ns for all calls. */
static double read_calls(const struct job *job, int fd, unsigned int size,
			 unsigned int calls, size_t expected)
{
	struct kbench_read r = { .fd = fd, .size = size, .calls = calls };
	static char buf[CALL] = { 1 };
	size_t got = 0;
	double start;
	ssize_t n;

	if (job->in_kernel) {
		if (ioctl(bench_fd, KBENCH_IOC_READ, &r))
			err(1, "%s: %s", job->where, job->name);
		got = r.bytes;
	} else {
		start = now_ns();
		while (calls--) {
			n = read(fd, buf, size);
			if (n <= 0)
				err(1, "%s: %s", job->where, job->name);
			got += n;
		}
		r.ns = now_ns() - start;
	}
	if (got != expected)
		errx(1, "%s: %s: %zu bytes, not %zu", job->where, job->name,
		     got, expected);
	return r.ns;
}

/* What publish() writes in its two runs. */
static double read_ring(const struct job *job, unsigned int flags,
			unsigned int size, unsigned int calls,
			unsigned int per_call, unsigned int bytes)
{
	unsigned int records = calls * per_call;
	int fds[IDLE], fd = ring_reader(flags);
	double ns;

	for (unsigned int i = 0; i < job->idle; i++)
		fds[i] = ring_reader(0);
	/* It may fill the ring first, with records of this size. */
	publish(0, PAYLOAD, 1);
	if (lseek(fd, 0, SEEK_END) < 0)
		err(1, "lseek");
	publish(0, PAYLOAD, records / 2);
	ns = read_calls(job, fd, size, calls, (size_t)records * bytes) / records;
	for (unsigned int i = 0; i < job->idle; i++)
		close(fds[i]);
	close(fd);
	return ns;
}

static double run_framed(const struct job *job)
{
	return read_ring(job, RINGBUF_CONSUMER_FRAMED, CALL, 2, CALL / FRAME,
			 FRAME);
}

static double run_messages(const struct job *job)
{
	return read_ring(job, 0, 4096, 1024, 1, PAYLOAD);
}

static double read_pipe(const struct job *job, unsigned int size)
{
	static const char payload[PAYLOAD];
	static int fds[2];
	unsigned int records = 2 * CALL / PAYLOAD;

	if (!fds[1]) {
		if (pipe(fds))
			err(1, "pipe");
		if (fcntl(fds[1], F_SETPIPE_SZ, KBENCH_BUFFER) < 0)
			err(1, "F_SETPIPE_SZ");
	}
	for (unsigned int i = 0; i < records; i++) {
		if (write(fds[1], payload, PAYLOAD) != PAYLOAD)
			err(1, "pipe");
	}
	return read_calls(job, fds[0], size, records * PAYLOAD / size,
			  (size_t)records * PAYLOAD) / records;
}

static double run_pipe(const struct job *job)
{
	return read_pipe(job, PAYLOAD);
}

static double run_pipe_batched(const struct job *job)
{
	return read_pipe(job, CALL);
}

static double run_program(const struct job *job)
{
	return bpf_run(job->len, records_of(job->len), false);
}

static double run_empty_program(const struct job *job)
{
	return bpf_run(job->len, records_of(job->len), true);
}

static struct job *add(const char *name, double (*run)(const struct job *))
{
	struct job *job = &jobs[n_jobs++];

	if (n_jobs > MAX_JOBS)
		errx(1, "too many cases");
	snprintf(job->name, sizeof(job->name), "%s", name);
	job->run = run;
	return job;
}

static void add_publish(unsigned int contender, const char *name,
			unsigned int len, unsigned int idle)
{
	struct job *job = add(name, run_publish);

	snprintf(job->where, sizeof(job->where), "publish-%u", len);
	if (idle)
		snprintf(job->name, sizeof(job->name),
			 "%.20s with %u idle consumers", name, idle);
	job->contender = contender;
	job->len = len;
	job->idle = idle;
}

/* Whether it is there at all, and takes records of that size. */
static void try_publish(unsigned int contender, const char *name,
			unsigned int len)
{
	struct kbench_publish p = {
		.contender = contender, .len = len, .count = 1,
	};

	if (!ioctl(bench_fd, KBENCH_IOC_PUBLISH, &p))
		add_publish(contender, name, len, 0);
	else
		fprintf(stderr, "%s, %u bytes: %s: left out\n", name, len,
			strerror(errno));
}

static void add_program(const char *name, unsigned int len,
			double (*run)(const struct job *))
{
	struct job *job = add(name, run);

	snprintf(job->where, sizeof(job->where), "publish-%u", len);
	job->len = len;
}

static void add_publishes(void)
{
	static const unsigned int lens[] = { 16, 64, 256, 1024, 4096 };
	struct kbench_name n = {};

	for (; !ioctl(bench_fd, KBENCH_IOC_NAME, &n); n.contender++) {
		for (unsigned int i = 0; i < 5; i++) {
			try_publish(n.contender, n.name, lens[i]);
			if (!n.contender)
				add_publish(0, n.name, lens[i], IDLE);
		}
	}
	if (!bpf_program())
		return;
	for (unsigned int i = 0; i < 5; i++) {
		add_program("BPF program ringbuf output", lens[i], run_program);
		add_program("part: BPF program that does nothing", lens[i],
			    run_empty_program);
	}
}

static void add_reads(bool in_kernel)
{
	const unsigned int from = n_jobs;
	unsigned int i;

	add("ringbuf FRAMED 64 KiB", run_framed);
	add("ringbuf FRAMED 64 KiB with 64 idle consumers", run_framed)->idle = IDLE;
	add("ringbuf one message", run_messages);
	add("ringbuf one message with 64 idle consumers", run_messages)->idle = IDLE;
	add("pipe 64 bytes", run_pipe);
	add("pipe 64 KiB", run_pipe_batched);
	for (i = from; i < n_jobs; i++) {
		snprintf(jobs[i].where, sizeof(jobs[i].where), "read-64-%s",
			 in_kernel ? "kernel" : "user");
		jobs[i].in_kernel = in_kernel;
	}
}

static void measure(const char *setting, unsigned int rounds)
{
	static unsigned int order[MAX_JOBS];
	unsigned int i, j, round;

	for (i = 0; i < n_jobs; i++)
		order[i] = i;
	printf("setting,case,contender,round,ns\n");
	for (round = 0; round < rounds; round++) {
		for (i = n_jobs - 1; i; i--) {
			unsigned int k = order[i];

			j = rand() % (i + 1);
			order[i] = order[j];
			order[j] = k;
		}
		for (i = 0; i < n_jobs; i++) {
			const struct job *job = &jobs[order[i]];

			printf("%s,%s,%s,%u,%.3f\n", setting, job->where,
			       job->name, round, job->run(job));
		}
	}
	if (fflush(stdout))
		err(1, "stdout");
}

/* Not before it has been sent does the tracer know of it. */
static void say(const char *name)
{
	printf("next %s\n", name);
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
}

/*
 * One after the other, for trace.py, which looks at each instruction: the log,
 * which takes thousands, is left out.
 */
static void be_traced(unsigned int count)
{
	struct kbench_name n = {};

	printf("trace %#lx %#lx\n", symbol("kbench_mark_begin"),
	       symbol("kbench_mark_end"));
	fflush(stdout);
	/* Time to see that, and to stop this. */
	sleep(3);
	for (; !ioctl(bench_fd, KBENCH_IOC_NAME, &n); n.contender++) {
		if (!strcmp(n.name, "printk"))
			continue;
		bpf_make_room();
		say(n.name);
		publish(n.contender, PAYLOAD, count);
	}
	say("end");
	publish(0, PAYLOAD, 1);
}

int main(int argc, char **argv)
{
	unsigned int n = argc == 3 ? atoi(argv[2]) : 0;

	if (!n)
		errx(2, "run SETTING ROUNDS | run -t COUNT");
	bench_fd = open(KBENCH_NODE, O_RDWR);
	if (bench_fd < 0)
		err(1, KBENCH_NODE);
	bpf_open();
	if (!strcmp(argv[1], "-t")) {
		be_traced(n);
		return 0;
	}
	add_publishes();
	/* There a system call is several of the host's. */
	if (strcmp(argv[1], "uml"))
		add_reads(false);
	add_reads(true);
	measure(argv[1], n);
	return 0;
}
