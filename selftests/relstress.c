// SPDX-License-Identifier: GPL-2.0
/*
 * Consumers that become reliable and leave, against a writer at full speed, with
 * lossy and mapped ones among them: who is reliable gets every record from where
 * it joined on, once, and the writer never waits for nobody.
 */
#include "reliable.h"

#include <dirent.h>

#define JOINERS		6
#define MAPPERS		2
#define READERS		2
#define STUCK_MS	20000

static long goal;
static atomic_long joins, written, taken, lost;
static atomic_long stop;
static atomic_int w_fd;

/* Most are small, some of the largest that a ring of 4096 bytes takes. */
static uint32_t length(uint64_t n)
{
	return 8 + n * 0x9e3779b97f4a7c15ULL % 113 + (n % 100 ? 0 : 870);
}

struct actor {
	pthread_t thread;
	unsigned int seed;
	int fd;
	const char *error;
	uint64_t at;
};

/* One that fails ends it for all. */
static bool go_on(const struct actor *a)
{
	if (a->error)
		atomic_store(&stop, 1);
	return !atomic_load(&stop);
}

/* The writer: by turns single records and runs. */
static void *write_on(void *arg)
{
	static uint8_t run[32 * 1024];
	struct actor *a = arg;
	uint64_t n = 0;
	size_t len;
	int count, ret;

	while (go_on(a)) {
		bool framed = n / 64 % 2;

		if (n % 64 == 0)
			rb_set_writer(a->fd, framed ? RINGBUF_WRITER_FRAMED : 0);
		count = framed ? 16 : 1;
		len = length(n);
		rb_fill(run, len, n);
		if (framed) {
			len = 0;
			for (int k = 0; k < count; k++)
				len += rb_frame(run + len, n + k, length(n + k), 0);
		}
		ret = RC(write(a->fd, run, len));
		if (ret != (int)len)
			a->error = "write() failed";
		n += count;
		a->at = n;
		atomic_store(&written, n);
	}
	return NULL;
}

/* Something to read, or the end. */
static const char *await(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	long end = rb_now_ms() + STUCK_MS;
	int ret;

	while (!(ret = RC(poll(&p, 1, 100)))) {
		if (atomic_load(&stop))
			return NULL;
		if (rb_now_ms() > end)
			return "nothing comes";
	}
	return ret == 1 ? NULL : "poll() failed";
}

/* Checks the frames of one read; @n: the number that has to come, or -1: any. */
static const char *check_frames(const uint8_t *buf, int len, uint64_t *n,
				bool lossy)
{
	const struct ringbuf_record *rec = (const void *)buf;

	for (; (uint8_t *)rec < buf + len; rec = rb_next(rec)) {
		if (rec->seq != *n)
			return "another number than the next";
		if (rec->flags && !lossy)
			return "a loss of a reliable consumer";
		if (rec->flags && !rb_lost(rec))
			return "an unknown flag";
		if (rec->flags) {
			atomic_fetch_add(&lost, rb_lost(rec)->records);
			*n += rb_lost(rec)->records;
			continue;
		}
		if (!rb_frame_ok(rec, *n, length(*n)))
			return "a frame is not intact";
		++*n;
		atomic_fetch_add(&taken, 1);
	}
	return NULL;
}

static const char *read_once(int fd, bool framed, uint64_t *n, bool lossy)
{
	int ret = RC(read(fd, rb_in, 8192));

	if (ret == -EAGAIN)
		return await(fd);
	if (ret <= 0)
		return ret == -EPIPE ? "EPIPE for a reliable consumer" :
		       "read() failed";
	if (framed)
		return check_frames(rb_in, ret, n, lossy);
	if (ret != (int)length(*n) || !rb_intact(rb_in, ret, *n))
		return "another record than the next";
	++*n;
	atomic_fetch_add(&taken, 1);
	return NULL;
}

/* Reliable for some records, from wherever it is. */
static const char *stay(int fd, unsigned int *seed)
{
	bool framed = rand_r(seed) % 2;
	struct ringbuf_stats s, t;
	const char *error = NULL;
	int reads = rand_r(seed) % 8;
	uint64_t n;

	if (rb_set_consumer(fd, RELIABLE | (framed ? FRAMED : 0)))
		return "cannot join";
	atomic_fetch_add(&joins, 1);
	if (rb_stats(fd, &s))
		return "no statistics";
	if (s.flags & RINGBUF_STATS_OVERRUN)
		return "overrun as soon as it had joined";
	n = s.seq;
	if (rand_r(seed) % 8 == 0)
		usleep(rand_r(seed) % 200);
	while (reads-- && !error && !atomic_load(&stop))
		error = read_once(fd, framed, &n, false);
	if (error)
		return error;
	if (rand_r(seed) % 8 == 0 && lseek(fd, s.seq, SEEK_SET) < (off_t)s.seq)
		return "cannot go back";
	if (rb_stats(fd, &t) || t.flags)
		return "overrun, or demoted";
	n = t.seq;
	return read_once(fd, framed, &n, false);
}

static void *join_and_leave(void *arg)
{
	struct actor *a = arg;
	int d;

	while (go_on(a)) {
		if (a->fd < 0)
			a->fd = rb_open(O_RDONLY | O_NONBLOCK);
		a->error = stay(a->fd, &a->seed);
		a->at++;
		switch (rand_r(&a->seed) % 4) {
		case 0:
			d = dup(a->fd);
			close(a->fd);
			a->fd = d;
			if (rb_set_consumer(a->fd, 0))
				a->error = "cannot leave";
			break;
		case 1:
			/* Long enough to be overrun, now and then. */
			rb_set_consumer(a->fd, 0);
			usleep(rand_r(&a->seed) % 300);
			break;
		default:
			close(a->fd);
			a->fd = -1;
		}
		if (atomic_load(&joins) >= goal)
			atomic_store(&stop, 1);
	}
	/* Whatever happened, it must not hold any more. */
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	return NULL;
}

static void *read_lossy(void *arg)
{
	struct actor *a = arg;

	if (rb_set_consumer(a->fd, FRAMED))
		a->error = "cannot set FRAMED";
	while (go_on(a)) {
		a->error = read_once(a->fd, true, &a->at, true);
		if (rand_r(&a->seed) % 64 == 0)
			usleep(1000);
	}
	return NULL;
}

/* One that reads in place, reliable for a while, then not, and so on. */
struct map {
	const struct ringbuf_page *page;
	const struct ringbuf_head *head;
	const uint8_t *data;
	uint64_t pos;
	uint64_t n;
};

static int map_ring(int fd, struct map *m)
{
	size_t size;

	m->page = mmap(NULL, 2 * getpagesize(), PROT_READ, MAP_SHARED, fd, 0);
	if (m->page == MAP_FAILED)
		return -errno;
	m->head = (const void *)((const char *)m->page + m->page->head_offset);
	size = m->page->data_size;
	m->data = mmap(NULL, 2 * size, PROT_READ, MAP_SHARED, fd,
		       m->page->data_offset);
	return m->data == MAP_FAILED ? -errno : 0;
}

/* Goes on at the cursor. */
static const char *go_to_cursor(int fd, struct map *m)
{
	struct ringbuf_stats s;

	if (rb_stats(fd, &s))
		return "no statistics";
	m->pos = s.pos;
	m->n = s.seq;
	return NULL;
}

static const char *read_in_place(int fd, struct map *m, int count)
{
	const struct ringbuf_record *rec;

	while (count-- && !atomic_load(&stop)) {
		if (m->pos == __atomic_load_n(&m->head->head, __ATOMIC_ACQUIRE)) {
			if (rb_advance(fd, m->pos))
				return "ADVANCE failed";
			return await(fd);
		}
		rec = (const void *)(m->data + m->pos % m->page->data_size);
		if (!rb_frame_ok(rec, m->n, length(m->n)))
			return "a record in place is not intact";
		m->pos += RINGBUF_FRAME_SIZE(length(m->n));
		m->n++;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if ((int64_t)(m->pos - RINGBUF_FRAME_SIZE(length(m->n - 1)) -
			      __atomic_load_n(&m->page->tail, __ATOMIC_RELAXED)) < 0)
			return "overwritten in spite of being reliable";
		atomic_fetch_add(&taken, 1);
		if (rec->seq % 4 == 0 && rb_advance(fd, m->pos))
			return "ADVANCE failed";
	}
	return NULL;
}

static void *read_mapped(void *arg)
{
	struct actor *a = arg;
	struct map m = {};

	if (map_ring(a->fd, &m))
		a->error = "mmap() failed";
	while (go_on(a)) {
		if (rb_set_consumer(a->fd, RELIABLE))
			a->error = "cannot join";
		atomic_fetch_add(&joins, 1);
		if (!a->error)
			a->error = go_to_cursor(a->fd, &m);
		if (!a->error)
			a->error = read_in_place(a->fd, &m, 50);
		a->at = m.n;
		rb_set_consumer(a->fd, 0);
		if (rand_r(&a->seed) % 4 == 0)
			usleep(rand_r(&a->seed) % 500);
	}
	close(a->fd);
	munmap((void *)m.data, 2 * m.page->data_size);
	munmap((void *)m.page, 2 * getpagesize());
	return NULL;
}

/* What there is to know when nothing moves any more. */
static void show_files(const char *dir, const char *file)
{
	char path[300], buf[1024];
	struct dirent *d;
	DIR *all = opendir(dir);
	int fd, n;

	while (all && (d = readdir(all))) {
		snprintf(path, sizeof(path), "%s/%s%s", dir, d->d_name, file);
		fd = open(path, O_RDONLY);
		n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
		if (fd >= 0)
			close(fd);
		if (n <= 0)
			continue;
		buf[n] = 0;
		if (*file || strstr(buf, "ringbuf"))
			fprintf(stderr, "# %s\n%s\n", path, buf);
	}
	if (all)
		closedir(all);
}

static void show_all(void)
{
	struct ringbuf_info i;

	if (!rb_info(atomic_load(&w_fd), &i))
		fprintf(stderr, "# head %llu %llu tail %llu %llu reliable %u holder %lld\n",
			(long long)i.head, (long long)i.head_seq,
			(long long)i.tail, (long long)i.tail_seq,
			i.reliable_consumers, rb_attr("holder"));
	show_files("/proc/self/fdinfo", "");
	show_files("/proc/self/task", "/stack");
	show_files("/proc/self/task", "/syscall");
}

/* False when neither a record nor a join has come for a long time. */
static bool watch(void)
{
	long last = -1, now, since = rb_now_ms();

	while (!atomic_load(&stop)) {
		now = atomic_load(&written) + atomic_load(&joins);
		if (now != last)
			since = rb_now_ms();
		last = now;
		if (rb_now_ms() - since > STUCK_MS) {
			show_all();
			return false;
		}
		usleep(10000);
	}
	return true;
}

FIXTURE(ring) {
	int w;
};

FIXTURE_VARIANT(ring) {
	const char *params;
};

FIXTURE_VARIANT_ADD(ring, small) { .params = "size=4096 reliable=1" };
FIXTURE_VARIANT_ADD(ring, large) { .params = "size=65536 reliable=1" };
/* A limit that nobody reaches, for the timer. */
FIXTURE_VARIANT_ADD(ring, limited) {
	.params = "size=8192 reliable=1 stall_ms=30000",
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_load(variant->params));
	self->w = rb_open(O_WRONLY);
	ASSERT_LE(0, self->w);
}

FIXTURE_TEARDOWN(ring)
{
	close(self->w);
}

static struct actor actors[1 + JOINERS + READERS + MAPPERS];

TEST_F_TIMEOUT(ring, no_reliable_consumer_loses_anything, 280)
{
	int n = ARRAY_SIZE(actors);
	struct ringbuf_info i;
	long began = rb_now_ms();
	void *(*fn)(void *);

	goal = (rb_quick() ? 10000 : 100000) / 3;
	atomic_store(&w_fd, self->w);
	for (int k = 0; k < n; k++) {
		actors[k].seed = k + 1;
		actors[k].fd = k ? rb_open(O_RDONLY | O_NONBLOCK) : self->w;
		ASSERT_LE(0, actors[k].fd);
	}
	for (int k = 0; k < n; k++) {
		fn = !k ? write_on : k <= JOINERS ? join_and_leave :
		     k <= JOINERS + READERS ? read_lossy : read_mapped;
		ASSERT_EQ(0, pthread_create(&actors[k].thread, NULL, fn, &actors[k]));
	}
	EXPECT_TRUE(watch());
	atomic_store(&stop, 1);
	/* Those who hold leave before the writer can end. */
	for (int k = n - 1; k >= 0; k--) {
		int ret = rb_join(actors[k].thread, "actor");

		if (ret)
			show_all();
		ASSERT_EQ(0, ret) TH_LOG("actor %d", k);
		EXPECT_STREQ("ok", actors[k].error ? actors[k].error : "ok")
			TH_LOG("actor %d at %llu", k, (long long)actors[k].at);
	}
	ASSERT_EQ(0, rb_info(self->w, &i));
	EXPECT_EQ(0, i.reliable_consumers);
	EXPECT_EQ(READERS, i.consumers);
	EXPECT_EQ(0, i.dropped);
	TH_LOG("%ld joins, %ld records written, %ld taken, %ld lost, %ld ms",
	       atomic_load(&joins), atomic_load(&written), atomic_load(&taken),
	       atomic_load(&lost), rb_now_ms() - began);
}

TEST_HARNESS_MAIN
