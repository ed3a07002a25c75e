// SPDX-License-Identifier: GPL-2.0
/*
 * ringbuf bench: what a record costs on this machine, in a few seconds. Every
 * round runs each case once, in turn, so that what disturbs the machine disturbs
 * all alike; what is shown are medians, and the middle half of the rounds.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "cli.h"
#include "procs.h"
#include "table.h"

#define PAYLOAD		64
#define FRAME		RINGBUF_FRAME_SIZE(PAYLOAD)
#define MAX_READERS	4
#define MAX_ROUNDS	1001
#define RECORD_TYPE	0x6262
#define MARK		"ringbuf bench"

static const char help[] =
"\n"
"Measure what a record of 64 bytes costs on this machine, in a few seconds.\n"
"\n"
"  -q, --quick      fewer rounds, in a second\n"
"  -f, --force      even if the ring holds records, which will be gone\n"
"  -j, --json       as JSON, with all times in ns\n"
"  -h, --help\n"
"\n"
"It publishes into the ring until what was there is overwritten. So it wants a\n"
"ring that has no writer and no consumer.\n";

struct payload {
	char mark[16];
	uint64_t time;
	char rest[PAYLOAD - 24];
};

struct bench {
	const char *name;
	const char *json;
	/* ns of a record */
	double (*run)(const struct bench *b);
	unsigned int arg;
	bool batches;
	double ns[MAX_ROUNDS];
};

static struct {
	const char *name;
	struct ring ring;
	unsigned int rounds, calls, batch, held;
	bool json, force;
	struct ringbuf_publisher *pub;
	struct ringbuf_reader *plain;
	struct ringbuf_reader *maps[MAX_READERS];
	struct payload payload;
	int error;		/* a negative errno, of what failed first */
} bench = {
	.rounds = 101,
	.calls = 1000,
	.payload.mark = MARK,
};

static void check(int ret)
{
	if (ret < 0 && !bench.error)
		bench.error = ret;
}

static void to_end(struct ringbuf_reader *r)
{
	int64_t seq = ringbuf_reader_seek(r, 0, SEEK_END);

	check(seq < 0 ? (int)seq : 0);
}

static void publish(void)
{
	check(ringbuf_publish(bench.pub, RECORD_TYPE, &bench.payload, PAYLOAD));
}

static void publish_batch(unsigned int records)
{
	while (records--)
		check(ringbuf_put(bench.pub, RECORD_TYPE, &bench.payload,
				  PAYLOAD));
	check(ringbuf_flush(bench.pub));
}

/* Looks at so many records in place; fewer if they are not at hand. */
static unsigned int take(struct ringbuf_reader *r, unsigned int wanted)
{
	struct ringbuf_entry e;
	unsigned int n = 0;
	int ret = 1;

	while (n < wanted && (ret = ringbuf_next(r, &e)) > 0) {
		/* As if something was done with it. */
		asm volatile("" : : "r" (*(const char *)e.data));
		n += ringbuf_release(r);
	}
	check(ret);
	return n;
}

static double since(uint64_t start, unsigned int records)
{
	return (double)(cli_now() - start) / records;
}

static double run_publish(const struct bench *b)
{
	uint64_t start = cli_now();
	unsigned int i, n = b->batches ? bench.batch : 1;

	for (i = 0; i < bench.calls; i += n) {
		if (b->batches)
			publish_batch(n);
		else
			publish();
	}
	return since(start, i);
}

static double run_pair(const struct bench *b)
{
	struct ringbuf_reader *r = b->arg ? bench.maps[0] : bench.plain;
	unsigned int i, n = b->batches ? bench.batch : 1;
	uint64_t start;

	to_end(r);
	start = cli_now();
	for (i = 0; i < bench.calls && !bench.error; i += n) {
		if (b->batches)
			publish_batch(n);
		else
			publish();
		if (take(r, n) != n)
			check(-EPROTO);
	}
	return since(start, i);
}

/* Fill the ring by half for those who are to read it then. */
static void fill(void)
{
	unsigned int i, n;

	for (i = 0; i < bench.held; i += n) {
		n = bench.held - i < bench.batch ? bench.held - i : bench.batch;
		publish_batch(n);
	}
}

static double run_read(const struct bench *b)
{
	uint64_t start;

	(void)b;
	to_end(bench.plain);
	fill();
	start = cli_now();
	if (take(bench.plain, bench.held) != bench.held)
		check(-EPROTO);
	return since(start, bench.held);
}

struct thread {
	pthread_t id;
	struct ringbuf_reader *reader;
	unsigned int *waiting;
	unsigned int got;
	uint64_t began, ended;
};

static void *read_thread(void *arg)
{
	struct thread *t = arg;

	__atomic_sub_fetch(t->waiting, 1, __ATOMIC_ACQ_REL);
	while (__atomic_load_n(t->waiting, __ATOMIC_ACQUIRE))
		sched_yield();
	t->began = cli_now();
	t->got = take(t->reader, bench.held);
	t->ended = cli_now();
	return NULL;
}

/* From when the first one begins to when the last one is done, per record. */
static double run_maps(const struct bench *b)
{
	struct thread t[MAX_READERS];
	uint64_t began = UINT64_MAX, ended = 0;
	unsigned int i, waiting = b->arg;

	for (i = 0; i < b->arg; i++)
		to_end(bench.maps[i]);
	fill();
	for (i = 0; i < b->arg; i++) {
		t[i] = (struct thread){
			.reader = bench.maps[i],
			.waiting = &waiting,
		};
		if (pthread_create(&t[i].id, NULL, read_thread, &t[i])) {
			cli_error("bench: cannot make a thread");
			exit(EXIT_FAILED);
		}
	}
	for (i = 0; i < b->arg; i++) {
		pthread_join(t[i].id, NULL);
		if (t[i].got != bench.held)
			check(-EPROTO);
		began = t[i].began < began ? t[i].began : began;
		ended = t[i].ended > ended ? t[i].ended : ended;
	}
	return (double)(ended - began) / bench.held;
}

/**
 * struct sleeper - A reader that sleeps until a record comes
 * @reader: of it
 * @done: eventfd: it has taken one
 * @ns: from before each was published to after it was seen
 * @count: of @ns
 * @wanted: how many
 */
struct sleeper {
	struct ringbuf_reader *reader;
	int done;
	double *ns;
	unsigned int count, wanted;
};

static void *sleep_thread(void *arg)
{
	struct sleeper *s = arg;
	struct ringbuf_entry e;
	struct payload p;
	uint64_t now;
	int ret;

	while (s->count < s->wanted) {
		ret = ringbuf_wait(s->reader, 5000);
		now = cli_now();
		if (ret > 0)
			ret = ringbuf_read(s->reader, &e);
		if (ret <= 0 || e.len != sizeof(p)) {
			check(ret < 0 ? ret : -ETIMEDOUT);
			break;
		}
		memcpy(&p, e.data, sizeof(p));
		s->ns[s->count++] = now - p.time;
		check(eventfd_write(s->done, 1) ? -errno : 0);
	}
	/* Or it would be waited for after a failure. */
	check(eventfd_write(s->done, 1) ? -errno : 0);
	return NULL;
}

/* Wakes a reader that had time to fall asleep, again and again. */
static unsigned int run_wakes(double *ns, unsigned int wanted)
{
	struct sleeper s = {
		.reader = bench.maps[0],
		.done = eventfd(0, EFD_CLOEXEC),
		.ns = ns,
		.wanted = wanted,
	};
	pthread_t id;
	eventfd_t value;
	unsigned int i;

	to_end(s.reader);
	if (s.done < 0 || pthread_create(&id, NULL, sleep_thread, &s)) {
		check(-EAGAIN);
		return 0;
	}
	for (i = 0; i < wanted && !bench.error; i++) {
		usleep(300);
		bench.payload.time = cli_now();
		publish();
		if (eventfd_read(s.done, &value))
			check(-errno);
	}
	pthread_join(id, NULL);
	close(s.done);
	return s.count;
}

static struct bench cases[] = {
	{ .name = "publish, one by one", .json = "publish_one",
	  .run = run_publish },
	{ .name = "publish, in batches", .json = "publish_batch",
	  .run = run_publish, .batches = true },
	{ .name = "publish + read(), one by one", .json = "pair_read_one",
	  .run = run_pair },
	{ .name = "publish + mapped, one by one", .json = "pair_mapped_one",
	  .run = run_pair, .arg = 1 },
	{ .name = "publish + read(), in batches", .json = "pair_read_batch",
	  .run = run_pair, .batches = true },
	{ .name = "publish + mapped, in batches", .json = "pair_mapped_batch",
	  .run = run_pair, .arg = 1, .batches = true },
	{ .name = "read(), half a ring at hand", .json = "read",
	  .run = run_read },
	{ .name = "mapped, half a ring at hand", .json = "mapped_1",
	  .run = run_maps, .arg = 1 },
	{ .name = "mapped, 2 readers at once", .json = "mapped_2",
	  .run = run_maps, .arg = 2 },
	{ .name = "mapped, 3 readers at once", .json = "mapped_3",
	  .run = run_maps, .arg = 3 },
	{ .name = "mapped, 4 readers at once", .json = "mapped_4",
	  .run = run_maps, .arg = 4 },
};

#define N_CASES		(sizeof(cases) / sizeof(*cases))

static const struct column columns[] = {
	{ .head = "64-byte records", .left = true },
	{ .head = "ns each" },
	{ .head = "middle half" },
	{ .head = "records/s" },
};

static int compare(const void *x, const void *y)
{
	const double *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

/* Of sorted values. */
static double at(const double *ns, unsigned int count, double part)
{
	return ns[(unsigned int)((count - 1) * part + 0.5)];
}

static void put_text(struct out *out, const double *wakes, unsigned int n_wakes)
{
	struct table t = {
		.columns = columns,
		.n_columns = sizeof(columns) / sizeof(*columns),
	};
	unsigned int n = bench.rounds;
	char rate[16], size[16];
	struct utsname uts;
	size_t i;

	uname(&uts);
	out_format(out, "%.200s, %s, Linux %.60s, %ld CPUs; batches of %u, %u rounds\n\n",
		   bench.ring.path, cli_bytes(size, bench.ring.size),
		   uts.release, sysconf(_SC_NPROCESSORS_ONLN), bench.batch, n);
	for (i = 0; i < N_CASES; i++) {
		double median = at(cases[i].ns, n, 0.5);

		table_cell(&t, "%s", cases[i].name);
		table_cell(&t, "%.*f", median < 100, median);
		table_cell(&t, "%.*f - %.*f", median < 100,
			   at(cases[i].ns, n, 0.25), median < 100,
			   at(cases[i].ns, n, 0.75));
		table_cell(&t, "%s", cli_count(rate, median > 0 ? 1e9 / median : 0));
	}
	table_print(&t, out, 0);
	table_free(&t);
	out_format(out, "\nwake-up of a reader that sleeps: %.1f us median, %.1f us for 99%%, %u times\n",
		   at(wakes, n_wakes, 0.5) / 1e3, at(wakes, n_wakes, 0.99) / 1e3,
		   n_wakes);
	if (bench.held < 1000)
		out_format(out, "a small ring: readers had no more than %u records at hand\n",
			   bench.held);
}

static void put_json(struct out *out, const double *wakes, unsigned int n_wakes)
{
	unsigned int n = bench.rounds;
	struct utsname uts;
	size_t i;

	uname(&uts);
	out_format(out, "{\"ring\": \"%.100s\", \"size\": %" PRIu64
		   ", \"kernel\": \"%.60s\", \"cpus\": %ld, \"payload\": %d, \"batch\": %u, \"rounds\": %u,\n \"cases\": {",
		   bench.ring.name, bench.ring.size, uts.release,
		   sysconf(_SC_NPROCESSORS_ONLN), PAYLOAD, bench.batch, n);
	for (i = 0; i < N_CASES; i++)
		out_format(out, "%s\n  \"%s\": {\"median\": %.2f, \"q1\": %.2f, \"q3\": %.2f}",
			   i ? "," : "", cases[i].json,
			   at(cases[i].ns, n, 0.5), at(cases[i].ns, n, 0.25),
			   at(cases[i].ns, n, 0.75));
	out_format(out, "},\n \"wake\": {\"p50\": %.0f, \"p99\": %.0f, \"count\": %u}}\n",
		   at(wakes, n_wakes, 0.5), at(wakes, n_wakes, 0.99), n_wakes);
}

static int show(double *wakes, unsigned int n_wakes)
{
	struct out out = { .fd = STDOUT_FILENO };
	size_t i;
	int ret;

	for (i = 0; i < N_CASES; i++)
		qsort(cases[i].ns, bench.rounds, sizeof(double), compare);
	qsort(wakes, n_wakes, sizeof(*wakes), compare);
	if (bench.json)
		put_json(&out, wakes, n_wakes);
	else
		put_text(&out, wakes, n_wakes);
	ret = table_flush(&out);
	out_free(&out);
	return ret ? cli_stdout_failed(ret) : EXIT_OK;
}

static bool is_ours(const struct ringbuf_entry *e)
{
	return e->type == RECORD_TYPE && e->len == PAYLOAD &&
	       !memcmp(e->data, MARK, sizeof(MARK));
}

/* The records of an earlier run are nobody's: the oldest and the newest tell. */
static bool holds_others(struct ringbuf_reader *r)
{
	struct ringbuf_entry e;

	if (ringbuf_read(r, &e) <= 0)
		return false;
	if (!is_ours(&e))
		return true;
	return ringbuf_reader_seek(r, -1, SEEK_END) < 0 ||
	       ringbuf_read(r, &e) <= 0 || !is_ours(&e);
}

/* A ring that somebody uses is not for playing with. */
static int refuse(void)
{
	const struct ring *r = &bench.ring;

	if (r->writer)
		cli_error("%s: has a writer; bench publishes records of its own, so it wants a ring that nobody uses",
			  r->path);
	else if (r->consumers)
		cli_error("%s: has %" PRIu64 " consumer%s, which bench would flood with its records; see 'ringbuf info'",
			  r->path, r->consumers, r->consumers > 1 ? "s" : "");
	else
		return EXIT_OK;
	return EXIT_FAILED;
}

static int open_readers(void)
{
	unsigned int i;
	int ret = ringbuf_reader_open(&bench.plain, bench.name,
				      RINGBUF_READER_NO_MMAP);

	if (ret)
		return ret;
	for (i = 0; i < MAX_READERS; i++) {
		ret = ringbuf_reader_open(&bench.maps[i], bench.name, 0);
		if (ret)
			return ret;
		if (!ringbuf_reader_mapped(bench.maps[i]))
			return -EOPNOTSUPP;
	}
	return 0;
}

static int begin(void)
{
	struct ringbuf_info info;
	int ret = ring_named(&bench.ring, bench.name);

	if (!ret) {
		ring_look(&bench.ring);
		ret = bench.ring.error;
	}
	if (ret)
		return cli_open_failed(bench.name, ret);
	if (refuse())
		return EXIT_FAILED;
	/* Before the first record: the slot, then who else is there. */
	ret = ringbuf_publisher_open(&bench.pub, bench.name, 0);
	if (!ret)
		ret = open_readers();
	if (!ret)
		ret = ringbuf_publisher_info(bench.pub, &info);
	if (ret)
		return cli_open_failed(bench.name, ret);
	bench.ring.consumers = info.consumers - 1 - MAX_READERS;
	if (refuse())
		return EXIT_FAILED;
	if (!bench.force && holds_others(bench.plain)) {
		cli_error("%s: holds records, which bench would overwrite; --force if nobody wants them",
			  bench.ring.path);
		return EXIT_FAILED;
	}
	/* So much that nobody is ever overrun. */
	bench.held = bench.ring.size / 2 / FRAME;
	if (bench.held > 8192)
		bench.held = 8192;
	bench.batch = bench.ring.size / 4 / FRAME;
	if (bench.batch > 64)
		bench.batch = 64;
	return EXIT_OK;
}

static void end(void)
{
	unsigned int i;

	for (i = 0; i < MAX_READERS; i++)
		ringbuf_reader_close(bench.maps[i]);
	ringbuf_reader_close(bench.plain);
	ringbuf_publisher_close(bench.pub);
}

static int measure(void)
{
	unsigned int i, round, n_wakes, wanted = 5 * bench.rounds;
	double *wakes = calloc(wanted, sizeof(*wakes));
	int ret = EXIT_FAILED;

	if (!wakes)
		check(-ENOMEM);
	/* One round to warm up, which the first one overwrites. */
	for (round = 0; round <= bench.rounds && !bench.error; round++)
		for (i = 0; i < N_CASES; i++)
			cases[i].ns[round - !!round] = cases[i].run(&cases[i]);
	n_wakes = bench.error ? 0 : run_wakes(wakes, wanted);
	if (bench.error == -EPROTO)
		cli_error("%s: somebody else uses the ring, so the figures would mean nothing",
			  bench.ring.path);
	else if (bench.error)
		cli_errno(bench.error, "%s", bench.ring.path);
	else
		ret = show(wakes, n_wakes);
	free(wakes);
	return ret;
}

int cmd_bench(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "quick", no_argument, NULL, 'q' },
		{ "force", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	int opt, ret;

	while ((opt = cli_getopt(argc, argv, ":qfjh", longs)) != -1) {
		switch (opt) {
		case 'q':
			bench.rounds = 11;
			bench.calls = 200;
			break;
		case 'f':
			bench.force = true;
			break;
		case 'j':
			bench.json = true;
			break;
		case 'h':
			return cli_help("bench", help);
		default:
			return EXIT_USAGE;
		}
	}
	if (argc - optind > 1)
		return cli_usage("bench", "bench: one ring at a time");
	bench.name = argv[optind];
	ret = begin();
	if (!ret)
		ret = measure();
	end();
	return ret;
}
