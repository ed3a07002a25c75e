// SPDX-License-Identifier: GPL-2.0
/* A producer at full speed against readers in place, in threads. */
#include <pthread.h>
#include <sched.h>
#include "lib_host.h"

#define READERS		4
#define RECORDS		1000000ULL

struct job {
	struct feed *f;
	int how;
	bool ok;
	uint64_t read, lost, void_reads;
};

static uint32_t words_of(uint64_t seq)
{
	uint64_t h = feed_word(seq, 7) >> 32;

	return h % 64 ? 1 + h % 16 : 1 + h % 120;
}

/* In place: whatever it looked like counts only if it was intact. */
static int in_place(struct ringbuf_reader *r, struct ringbuf_entry *e,
		    struct job *job)
{
	bool good;
	int ret = ringbuf_next(r, e);

	if (ret <= 0)
		return ret;
	/* The slow one looks for longer. */
	if (job->how == 3)
		sched_yield();
	good = host_record(e, e->seq, words_of(e->seq));
	if (!ringbuf_release(r)) {
		job->void_reads++;
		return in_place(r, e, job);
	}
	return good ? 1 : -EIO;
}

static int by_copy(struct ringbuf_reader *r, struct ringbuf_entry *e)
{
	int ret = ringbuf_read(r, e);

	if (ret <= 0)
		return ret;
	return host_record(e, e->seq, words_of(e->seq)) ? 1 : -EIO;
}

static bool check(struct ringbuf_reader *r, struct job *job, uint64_t lost)
{
	struct ringbuf_stats s;

	CHECK_EQ(0, ringbuf_reader_stats(r, &s));
	CHECK_EQ(lost, s.lost_records);
	CHECK_EQ(RECORDS, s.read_records + s.lost_records);
	CHECK_EQ(0, s.lag_records | s.lag_bytes);
	CHECK_EQ(job->read, s.read_records);
	return true;
}

static void *reader_fn(void *arg)
{
	struct job *job = arg;
	struct ringbuf_reader *r = host_reader(job->f, 0, 0);
	struct ringbuf_stats s;
	struct ringbuf_entry e;
	uint64_t seq = 0;
	int ret = 0;

	while (seq < RECORDS) {
		ret = job->how < 2 ? by_copy(r, &e) : in_place(r, &e, job);
		if (ret < 0)
			break;
		if (!ret) {
			sched_yield();
			continue;
		}
		if (e.seq != seq + e.lost) {
			ret = -ERANGE;
			break;
		}
		seq = e.seq + 1;
		job->read++;
		job->lost += e.lost;
		/* The account while the producer runs. */
		if (job->how == 1 && seq % 64 == 0) {
			ringbuf_reader_stats(r, &s);
			if (s.read_records + s.lost_records + s.lag_records <
			    seq || s.lost_records < job->lost ||
			    s.lag_bytes > whole(r)->size) {
				ret = -EDOM;
				break;
			}
		}
	}
	if (ret < 0)
		printf("# reader %d: %d at %llu\n", job->how, ret,
		       (unsigned long long)seq);
	job->ok = ret >= 0 && check(r, job, job->lost);
	host_close(r);
	return NULL;
}

static bool run(uint64_t size)
{
	struct job jobs[READERS] = {};
	pthread_t threads[READERS];
	uint64_t seq, read = 0, lost = 0;
	bool ok = true;
	int i;

	struct feed *f = feed_new(size, 0, 0);

	for (i = 0; i < READERS; i++) {
		jobs[i].f = f;
		jobs[i].how = i;
		if (pthread_create(&threads[i], NULL, reader_fn, &jobs[i]))
			return false;
	}
	for (seq = 0; seq < RECORDS; seq++) {
		feed_put(f, words_of(seq));
		if (seq % 4096 == 0)
			sched_yield();
	}
	for (i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
		printf("# reader %d: read %llu lost %llu void %llu\n", i,
		       (unsigned long long)jobs[i].read,
		       (unsigned long long)jobs[i].lost,
		       (unsigned long long)jobs[i].void_reads);
		ok &= jobs[i].ok;
		read += jobs[i].read;
		lost += jobs[i].lost;
	}
	feed_free(f);
	/* Else one side was never put to the test. */
	return ok && read && lost;
}

/*
 * Nothing is overwritten, and payloads are plain memory: that the reader's way
 * to a record is one from its writer, TSan has to see.
 */
static void *plain_reader(void *arg)
{
	struct job *job = arg;
	struct ringbuf_reader *r = host_reader(job->f, 0, 0);
	const uint64_t *payload;
	struct ringbuf_entry e;
	int ret;

	while (job->read < RECORDS / 10) {
		ret = ringbuf_next(r, &e);
		if (!ret)
			sched_yield();
		if (ret < 0)
			break;
		if (ret <= 0)
			continue;
		payload = e.data;
		if (payload[e.len / 8 - 1] != feed_word(e.seq, e.len / 8 - 1) ||
		    e.seq != job->read || !ringbuf_release(r))
			break;
		job->read++;
	}
	host_close(r);
	return NULL;
}

static bool nothing_overwritten(void)
{
	struct job job = { .f = feed_new(16 << 20, 0, 0) };
	pthread_t thread;
	uint64_t seq;

	CHECK_EQ(0, pthread_create(&thread, NULL, plain_reader, &job));
	for (seq = 0; seq < RECORDS / 10; seq++)
		feed_put_plain(job.f, 1 + seq % 16);
	pthread_join(thread, NULL);
	feed_free(job.f);
	CHECK_EQ(RECORDS / 10, job.read);
	return true;
}

static bool ring_of_4_kib(void)
{
	return run(4096);
}

static bool ring_of_64_kib(void)
{
	return run(65536);
}

int main(void)
{
	static const struct host_test tests[] = {
		{ "four readers, ring of 4 KiB", ring_of_4_kib },
		{ "four readers, ring of 64 KiB", ring_of_64_kib },
		{ "one reader, nothing overwritten", nothing_overwritten },
	};

	return host_run(tests, sizeof(tests) / sizeof(tests[0]));
}
