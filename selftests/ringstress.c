// SPDX-License-Identifier: GPL-2.0
/*
 * Everything at once: rings are made and ended under the same few names while
 * others open, write, read, poll, map and join, and some of them are killed. Who
 * has a ring open sees that one's records and no other's, each in its turn.
 */
#include "rings.h"
#include "map.h"

#define NAMES		3
#define THREADS		9
#define KIDS		3
#define BODY		64
#define FRAMED		RINGBUF_CONSUMER_FRAMED
#define RELIABLE	RINGBUF_CONSUMER_RELIABLE
#define DEAD		RINGBUF_RING_DEAD

static const char * const names[NAMES] = { "sa", "sb", "sc-with-a-rather-long-name" };

/* What all have in common, those who are killed, too. */
static struct {
	atomic_long stop;
	atomic_long rings;	/* each has a number of its own */
	atomic_long made, ended, opened, written, read, lost, ends, joins, maps;
	atomic_long wrong;
	char error[200];
} *all;

/* A payload: of which ring, the how many-eth. */
struct payload {
	uint64_t ring;
	uint64_t n;
	uint64_t sum;
	uint64_t body[BODY];
};

static int length(uint64_t n)
{
	return offsetof(struct payload, body) + 8 * (n * 7 % BODY);
}

static uint64_t checksum(const struct payload *p)
{
	uint64_t sum = p->ring * 0x9e3779b97f4a7c15ULL + p->n;
	const volatile uint64_t *body = p->body;

	for (uint64_t k = 0; k < p->n * 7 % BODY; k++)
		sum = (sum ^ body[k]) * 0x100000001b3ULL;
	return sum;
}

static void make_payload(struct payload *p, uint64_t ring, uint64_t n)
{
	p->ring = ring;
	p->n = n;
	for (uint64_t k = 0; k < BODY; k++)
		p->body[k] = (ring << 32) + n + k;
	p->sum = checksum(p);
}

static bool wrong(const char *what, long a, long b)
{
	if (!atomic_exchange(&all->wrong, 1))
		snprintf(all->error, sizeof(all->error), "%s: %ld, %ld", what, a, b);
	atomic_store(&all->stop, 1);
	return false;
}

static bool stopped(void)
{
	return atomic_load(&all->stop);
}

/* One who makes and ends rings. */
static void make_some(unsigned int *seed)
{
	const char *name = names[rand_r(seed) % NAMES];
	static const char * const sizes[] = { "4096", "8192", "65536" };
	int ret;

	ret = ring_mkdir(name);
	if (ret && ret != -EEXIST)
		wrong("mkdir", ret, 0);
	ret = ring_set(name, "size", sizes[rand_r(seed) % 3]);
	if (ret && ret != -EBUSY && ret != -ENOENT)
		wrong("size", ret, 0);
	ret = ring_set(name, "reliable", "1");
	if (ret && ret != -EBUSY && ret != -ENOENT)
		wrong("reliable", ret, 0);
	ret = ring_set(name, "live", "1");
	if (ret && ret != -ENOENT)
		wrong("live=1", ret, 0);
	atomic_fetch_add(&all->made, !ret);
	usleep(rand_r(seed) % (rand_r(seed) % 4 ? 2000 : 20000));
	if (rand_r(seed) % 2) {
		ret = ring_set(name, "live", "0");
		if (ret && ret != -ENOENT)
			wrong("live=0", ret, 0);
	} else {
		ret = ring_rmdir(name);
		if (ret && ret != -ENOENT)
			wrong("rmdir", ret, 0);
	}
	atomic_fetch_add(&all->ended, !ret);
}

static int open_some(unsigned int *seed, int flags)
{
	int fd = ring_open(names[rand_r(seed) % NAMES], flags);

	if (fd >= 0)
		atomic_fetch_add(&all->opened, 1);
	else if (fd != -ENOENT && fd != -ENODEV && fd != -ENXIO &&
		 !(fd == -EBUSY && (flags & O_ACCMODE) != O_RDONLY))
		wrong("open", fd, flags);
	return fd;
}

/* Which ring is that? Nobody else writes to it now. */
static uint64_t ring_of(int fd, uint64_t *n)
{
	struct ringbuf_info i;
	struct payload p;
	int ret;

	if (rb_info(fd, &i))
		return wrong("info", 0, 0);
	*n = i.head_seq;
	if (!*n)
		return atomic_fetch_add(&all->rings, 1) + 1;
	ret = RC(lseek(fd, -1, SEEK_END));
	if (ret >= 0)
		ret = RC(read(fd, &p, sizeof(p)));
	if (ret != length(*n - 1) || p.n != *n - 1 || p.sum != checksum(&p))
		return wrong("the newest record", ret, *n);
	return p.ring;
}

static void write_some(unsigned int *seed)
{
	int flags = rand_r(seed) % 2 ? O_NONBLOCK : 0;
	int fd = open_some(seed, O_RDWR | flags), count = rand_r(seed) % 300, ret;
	struct payload p;
	uint64_t ring, n = 0;

	if (fd < 0) {
		usleep(200);
		return;
	}
	ring = ring_of(fd, &n);
	while (ring && count-- && !stopped()) {
		struct pollfd room = { .fd = fd, .events = POLLOUT };

		make_payload(&p, ring, n);
		ret = RC(write(fd, &p, length(n)));
		if (ret == -ENODEV)
			break;
		if (ret == -EAGAIN && flags) {
			poll(&room, 1, 5);
			continue;
		}
		if (ret != length(n)) {
			wrong("write", ret, n);
			break;
		}
		n++;
		atomic_fetch_add(&all->written, 1);
		if (rand_r(seed) % 32 == 0)
			usleep(rand_r(seed) % 300);
	}
	close(fd);
}

/* What a reader has seen so far. */
struct seen {
	uint64_t ring;
	uint64_t next;
	bool begun;
};

static bool look_at(struct seen *s, const struct payload *p, int len, uint64_t seq)
{
	uint64_t ring = p->ring;

	if (p->n != seq || len != length(seq) || p->sum != checksum(p))
		return wrong("not intact", p->n, seq);
	if (s->ring && s->ring != ring)
		return wrong("another ring's record", s->ring, ring);
	s->ring = ring;
	s->next = seq + 1;
	s->begun = true;
	atomic_fetch_add(&all->read, 1);
	return true;
}

static bool read_frames(struct seen *s, const uint8_t *buf, int len, bool reliable)
{
	const struct ringbuf_record *rec = (const void *)buf;

	for (; (uint8_t *)rec < buf + len; rec = rb_next(rec)) {
		if (s->begun && rec->seq != s->next)
			return wrong("a gap", s->next, rec->seq);
		if (rec->flags && !rb_lost(rec))
			return wrong("a flag", rec->flags, rec->seq);
		if (rec->flags && reliable)
			return wrong("a loss of a reliable consumer", rec->seq, 0);
		if (rec->flags) {
			s->next = rec->seq + rb_lost(rec)->records;
			s->begun = true;
			atomic_fetch_add(&all->lost, rb_lost(rec)->records);
		} else if (!look_at(s, (const void *)(rec + 1), rec->len, rec->seq)) {
			return false;
		}
	}
	return true;
}

/* ENODEV: there is nothing left, and nothing else to come. */
static bool is_end(int fd)
{
	struct ringbuf_stats s;
	struct ringbuf_info i;

	if (rb_stats(fd, &s) || rb_info(fd, &i))
		return wrong("no statistics", 0, 0);
	if (!(i.flags & DEAD))
		return wrong("ENODEV of a ring that lives", i.head_seq, 0);
	if (s.seq != i.head_seq || s.lag_records)
		return wrong("ENODEV and something left", s.seq, i.head_seq);
	atomic_fetch_add(&all->ends, 1);
	return true;
}

static void read_some(unsigned int *seed)
{
	bool framed = rand_r(seed) % 2, reliable = rand_r(seed) % 3 == 0;
	int flags = rand_r(seed) % 2 ? O_NONBLOCK : 0;
	int fd = open_some(seed, O_RDONLY | flags), count = rand_r(seed) % 100, ret;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct ringbuf_stats st;
	struct seen s = { 0 };

	if (fd < 0) {
		usleep(200);
		return;
	}
	ret = rb_set_mark(fd, (framed ? FRAMED : 0) | (reliable ? RELIABLE : 0), 0,
			  rand_r(seed) % 4 ? 0 : 5, rand_r(seed) % 4 ? 0 : 1000000);
	/* Live before the other maker had said that it is to be reliable. */
	if (ret == -EPERM && reliable && !(ring_flags(fd) & RINGBUF_RING_RELIABLE)) {
		reliable = false;
		ret = rb_set_consumer(fd, framed ? FRAMED : 0);
	}
	if (ret)
		wrong("set", ret, reliable);
	atomic_fetch_add(&all->joins, reliable);
	while (count-- && !stopped()) {
		if (rb_stats(fd, &st))
			break;
		ret = RC(read(fd, rb_in, 8192));
		if (ret == -ENODEV) {
			is_end(fd);
			break;
		}
		if (ret == -EAGAIN && flags) {
			poll(&p, 1, 20);
			if (p.revents & (POLLERR | POLLNVAL))
				wrong("poll", p.revents, 0);
			continue;
		}
		if (ret == -EPIPE && !framed && !reliable) {
			s.begun = false;
			continue;
		}
		if (ret <= 0) {
			wrong("read", ret, st.seq);
			break;
		}
		if (framed ? !read_frames(&s, rb_in, ret, reliable) :
		    !look_at(&s, (void *)rb_in, ret, st.seq))
			break;
		if (rand_r(seed) % 16 == 0)
			usleep(rand_r(seed) % 1000);
	}
	close(fd);
}

/* In place; the map is left behind for a while, without its file. */
static void map_some(unsigned int *seed)
{
	int fd = open_some(seed, O_RDONLY), count = 300;
	const struct ringbuf_record *rec;
	uint64_t pos, head, seq, ring = 0;
	struct payload p;
	struct rb_map m;
	uint32_t len;

	if (fd < 0) {
		usleep(200);
		return;
	}
	if (rb_map_fd(&m, fd)) {
		wrong("map", 0, 0);
		close(fd);
		return;
	}
	if (rand_r(seed) % 2) {
		close(fd);
		fd = -1;
	}
	for (pos = rb_map_tail(&m); count-- && !stopped();) {
		head = rb_map_head(&m);
		if (pos == head) {
			if (__atomic_load_n(&m.page->flags, __ATOMIC_ACQUIRE) & DEAD)
				break;
			usleep(100);
			continue;
		}
		rec = rb_map_at(&m, pos);
		len = __atomic_load_n(&rec->len, __ATOMIC_RELAXED);
		seq = __atomic_load_n(&rec->seq, __ATOMIC_RELAXED);
		if (len <= sizeof(p))
			memcpy(&p, rec + 1, len);
		if (!rb_map_intact(&m, pos)) {
			pos = rb_map_tail(&m);
			continue;
		}
		if (len != length(seq) || p.n != seq || p.sum != checksum(&p) ||
		    (ring && ring != p.ring)) {
			wrong("in place", p.ring, seq);
			break;
		}
		ring = p.ring;
		pos += RINGBUF_FRAME_SIZE(len);
	}
	if (rand_r(seed) % 2)
		usleep(rand_r(seed) % 20000);
	if (m.page->magic != RINGBUF_PAGE_MAGIC)
		wrong("the page", m.page->magic, 0);
	rb_unmap(&m);
	close(fd);
	atomic_fetch_add(&all->maps, 1);
}

/* Those who only look. */
static void look_around(unsigned int *seed)
{
	const char *name = names[rand_r(seed) % NAMES];
	long long v = ring_attr(name, rand_r(seed) % 2 ? "head" : "consumers");
	char path[100], buf[64];
	int ret;

	if (v < 0 && v != -ENOENT && v != -ENODEV)
		wrong("sysfs", v, 0);
	snprintf(path, sizeof(path), RINGS "%s/live", name);
	ret = get_file(path, buf, sizeof(buf));
	if (ret ? ret != -ENOENT && ret != -ENODEV : strcmp(buf, "0") && strcmp(buf, "1"))
		wrong("configfs", ret, buf[0]);
	usleep(500);
}

static void (* const roles[])(unsigned int *) = {
	make_some, make_some, write_some, write_some, read_some, read_some,
	read_some, map_some, look_around,
};

struct actor {
	pthread_t thread;
	unsigned int seed;
	int role;
};

static void *act(void *arg)
{
	struct actor *a = arg;

	while (!stopped())
		roles[a->role](&a->seed);
	return NULL;
}

/* One that is killed in the middle of anything. */
static pid_t fork_kid(unsigned int seed)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (;;)
		roles[2 + rand_r(&seed) % 6](&seed);
}

FIXTURE(stress) {
};

FIXTURE_SETUP(stress)
{
	RINGS_LOAD();
	all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, all);
}

FIXTURE_TEARDOWN(stress)
{
	EXPECT_EQ(0, rings_clear());
	EXPECT_EQ(0, rb_remove_wait());
}

TEST_F_TIMEOUT(stress, rings_come_and_go_under_those_who_use_them, 240)
{
	long end = rb_now_ms() + (rb_quick() ? 5000 : 40000);
	struct actor a[THREADS];
	unsigned int seed = 99;
	pid_t kid[KIDS];
	long killed = 0;

	for (int k = 0; k < KIDS; k++)
		kid[k] = fork_kid(++seed);
	for (int k = 0; k < THREADS; k++) {
		a[k].seed = k + 1;
		a[k].role = k % ARRAY_SIZE(roles);
		ASSERT_EQ(0, pthread_create(&a[k].thread, NULL, act, &a[k]));
	}
	while (rb_now_ms() < end && !stopped()) {
		int k = rand_r(&seed) % KIDS;

		usleep(rand_r(&seed) % 40000);
		ASSERT_EQ(0, kill(kid[k], SIGKILL));
		EXPECT_EQ(-SIGKILL, rb_reap(kid[k]));
		kid[k] = fork_kid(++seed);
		killed++;
	}
	atomic_store(&all->stop, 1);
	for (int k = 0; k < KIDS; k++) {
		kill(kid[k], SIGKILL);
		EXPECT_EQ(-SIGKILL, rb_reap(kid[k]));
	}
	/* Makers first, for they make; then the end of all wakes all others. */
	for (int k = 0; k < THREADS; k++) {
		if (k == 2)
			EXPECT_EQ(0, rings_clear());
		ASSERT_EQ(0, rb_join(a[k].thread, "actor")) TH_LOG("actor %d", k);
	}
	EXPECT_STREQ("", all->error);
	for (int k = 0; k < NAMES; k++)
		EXPECT_TRUE(ring_is_gone(names[k]));
	TH_LOG("%ld made, %ld ended, %ld opened, %ld joins, %ld maps, %ld killed",
	       all->made, all->ended, all->opened, all->joins, all->maps, killed);
	TH_LOG("%ld written, %ld read, %ld lost, %ld read to the end",
	       all->written, all->read, all->lost, all->ends);
	EXPECT_LT(0, all->made);
	EXPECT_LT(0, all->written);
	EXPECT_LT(0, all->read);
	EXPECT_LT(0, all->ends);
	EXPECT_LT(0, all->maps);
}

TEST_HARNESS_MAIN
