// SPDX-License-Identifier: GPL-2.0
/*
 * Calls that take long end when a signal comes, and leave nothing behind.
 *
 * Whether a signal comes in the middle depends on the machine, so each test tries
 * until it has; a call that cannot be ended never shows it.
 */
#include "rings.h"
#include "map.h"

#include <sys/sysinfo.h>

#define NAME	"interrupt"
#define TRIES	100
#define F(len)	RINGBUF_FRAME_SIZE(len)

FIXTURE(ring) {
	struct rb_map m;
	int r;
	size_t len;	/* of a record of a quarter of the ring */
	size_t frame;
	uint8_t *buf;	/* a frame of it, shared with children */
};

FIXTURE_VARIANT(ring) {
	bool framed;
};

FIXTURE_VARIANT_ADD(ring, message) {};
FIXTURE_VARIANT_ADD(ring, framed) { .framed = true };

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_load(rb_quick() ? "size=67108864" : "size=268435456"));
	self->r = rb_open(O_RDONLY | O_NONBLOCK);
	ASSERT_EQ(0, rb_map_fd(&self->m, self->r));
	self->len = self->m.size / 4 - RB_HEADER;
	self->frame = F(self->len);
	self->buf = mmap(NULL, self->frame, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->buf);
}

FIXTURE_TEARDOWN(ring)
{
	rb_unmap(&self->m);
	munmap(self->buf, self->frame);
	close(self->r);
}

/* Waits until the byte is not zero any more, or the child has ended. */
static bool wait_byte(const uint8_t *p, pid_t pid)
{
	siginfo_t info;

	while (!*(const volatile uint8_t *)p) {
		info.si_pid = 0;
		if (waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
		    info.si_pid)
			return *(const volatile uint8_t *)p;
	}
	return true;
}

static bool all_zero(const uint8_t *p, size_t len)
{
	return !*p && !memcmp(p, p + 1, len - 1);
}

/* How long it took to die, in ms. */
static long kill_wait(pid_t pid)
{
	long t = rb_now_ms();

	kill(pid, SIGKILL);
	return rb_reap(pid) == -SIGKILL ? rb_now_ms() - t : -1;
}

TEST_F_TIMEOUT(ring, a_killed_reader_does_not_copy_to_the_end, 120)
{
	uint32_t flags = variant->framed ? RINGBUF_CONSUMER_FRAMED : 0;
	int w = rb_open(O_WRONLY), k;
	struct ringbuf_stats s;
	long ms = 0;
	pid_t pid;

	memset(self->buf, 's', self->len);
	ASSERT_EQ(self->len, RC(write(w, self->buf, self->len)));
	for (k = 0; k < TRIES; k++) {
		memset(self->buf, 0, self->frame);
		ASSERT_EQ(0, rb_set_consumer(self->r, flags));
		pid = fork();
		if (!pid)
			_exit(read(self->r, self->buf, self->frame) < 0);
		wait_byte(self->buf + (256 << 10), pid);
		ms = kill_wait(pid);
		ASSERT_EQ(0, rb_stats(self->r, &s));
		if (!s.read_records)
			break;
		/* Too late. */
		ASSERT_EQ(0, RC(lseek(self->r, 0, SEEK_SET)));
	}
	EXPECT_GT(TRIES, k);
	EXPECT_EQ(0, self->buf[self->len - 1]);
	TH_LOG("%d tries, dead after %ld ms", k + 1, ms);
	/* It is all there. */
	EXPECT_EQ(variant->framed ? self->frame : self->len,
		  RC(read(self->r, self->buf, self->frame)));
	close(w);
}

TEST_F_TIMEOUT(ring, a_killed_writer_leaves_nothing, 120)
{
	uint64_t head;
	long ms = 0;
	pid_t pid;
	int w, k;

	memset(self->buf, 's', self->frame);
	if (variant->framed)
		*(struct ringbuf_record *)self->buf =
			(struct ringbuf_record){ .len = self->len };
	for (k = 0; k < TRIES; k++) {
		head = rb_map_head(&self->m);
		/* That of the slot may still be closing. */
		while ((w = rb_open(O_WRONLY)) == -EBUSY)
			usleep(1000);
		ASSERT_LE(0, w);
		ASSERT_EQ(0, rb_set_writer(w, variant->framed ?
					   RINGBUF_WRITER_FRAMED : 0));
		pid = fork();
		if (!pid)
			_exit(write(w, self->buf, variant->framed ?
				    self->frame : self->len) < 0);
		wait_byte((uint8_t *)rb_map_at(&self->m, head + (256 << 10)),
			  pid);
		ms = kill_wait(pid);
		close(w);
		if (rb_map_head(&self->m) == head)
			break;
		/* Too late. Round the ring it would begin with what was there. */
		ASSERT_EQ(head + self->frame, rb_map_head(&self->m));
		if (k % 3 == 2) {
			rb_unmap(&self->m);
			close(self->r);
			ASSERT_EQ(0, rb_load(rb_quick() ? "size=67108864" :
							  "size=268435456"));
			self->r = rb_open(O_RDONLY | O_NONBLOCK);
			ASSERT_EQ(0, rb_map_fd(&self->m, self->r));
		}
	}
	EXPECT_GT(TRIES, k);
	EXPECT_TRUE(all_zero((uint8_t *)rb_map_at(&self->m, head), self->frame));
	TH_LOG("%d tries, dead after %ld ms", k + 1, ms);
}

/* Ways from record to record between two milestones, and signals all the time. */
FIXTURE(way) {
	struct rb_pair p;
	struct ringbuf_info i;
	uint64_t step;	/* records, a little less than from milestone to milestone */
	pthread_t thread, sender;
};

static atomic_long stop;

static void *signal_main(void *arg)
{
	while (!atomic_load(&stop))
		pthread_kill(*(pthread_t *)arg, SIGUSR1);
	return NULL;
}

static void handler(int sig)
{
}

FIXTURE_SETUP(way)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
	size_t len = 0;

	ASSERT_EQ(0, rb_pair_open(&self->p, rb_quick() ? "size=16777216" :
							 "size=67108864"));
	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	while (len + F(8) <= RB_MAX)
		len += rb_frame(rb_out + len, 0, 8, 0);
	for (uint64_t n = 0; n < 2 * (rb_quick() ? 64 : 256); n++)
		ASSERT_EQ(len, RC(write(self->p.w, rb_out, len)));
	ASSERT_EQ(0, rb_info(self->p.r, &self->i));
	self->step = (self->i.head_seq - self->i.tail_seq) / 64 - 1;
	ASSERT_EQ(0, sigaction(SIGUSR1, &sa, NULL));
	self->thread = pthread_self();
	atomic_store(&stop, 0);
	ASSERT_EQ(0, pthread_create(&self->sender, NULL, signal_main,
				    &self->thread));
}

FIXTURE_TEARDOWN(way)
{
	atomic_store(&stop, 1);
	EXPECT_EQ(0, rb_join(self->sender, "sender of signals"));
	rb_pair_close(&self->p);
}

TEST_F_TIMEOUT(way, any_signal_ends_a_seek, 120)
{
	long end = rb_now_ms() + 3 * RB_WAIT_MS, tries = 0, interrupted = 0;
	uint64_t seq = self->i.tail_seq;
	struct ringbuf_stats before, after;
	int ret;

	for (; interrupted < 10 && rb_now_ms() < end; tries++) {
		ASSERT_EQ(0, rb_stats(self->p.r, &before));
		seq += self->step;
		if (seq >= self->i.head_seq)
			seq = self->i.tail_seq + 1;
		ret = RC(lseek(self->p.r, seq, SEEK_SET));
		if (ret != -EINTR) {
			ASSERT_EQ(seq, ret);
			continue;
		}
		interrupted++;
		ASSERT_EQ(0, rb_stats(self->p.r, &after));
		ASSERT_EQ(0, memcmp(&before, &after, sizeof(after)));
	}
	EXPECT_EQ(10, interrupted);
	TH_LOG("%ld of %ld interrupted", interrupted, tries);
}

/* Unlike a seek it goes on from where it was, or it might never come to the end. */
TEST_F_TIMEOUT(way, any_signal_ends_an_advance, 120)
{
	long end = rb_now_ms() + 3 * RB_WAIT_MS, tries = 0, interrupted = 0;
	uint64_t seq = self->i.head_seq;
	struct ringbuf_stats before, after;
	int ret;

	for (; interrupted < 10 && rb_now_ms() < end; tries++) {
		seq += self->step;
		if (seq >= self->i.head_seq) {
			ASSERT_EQ(self->i.tail_seq,
				  RC(lseek(self->p.r, 0, SEEK_DATA)));
			seq = self->i.tail_seq + self->step;
		}
		ASSERT_EQ(0, rb_stats(self->p.r, &before));
		ret = rb_advance(self->p.r, seq * F(8));
		ASSERT_EQ(0, rb_stats(self->p.r, &after));
		if (ret) {
			interrupted++;
			ASSERT_EQ(-EINTR, ret);
			/* A part of the way, and the account is right. */
			ASSERT_LT(before.seq, after.seq);
			ASSERT_GE(seq, after.seq);
			ASSERT_EQ(after.seq * F(8), after.pos);
			ASSERT_EQ(after.seq - before.seq,
				  after.read_records - before.read_records);
			ASSERT_EQ(before.lost_records, after.lost_records);
		}
		/* Where it is already no signal keeps it from succeeding. */
		ASSERT_EQ(0, rb_advance(self->p.r, after.pos));
		while (ret == -EINTR)
			ret = rb_advance(self->p.r, seq * F(8));
		ASSERT_EQ(0, ret);
		ASSERT_EQ(seq, rb_at(self->p.r));
	}
	EXPECT_EQ(10, interrupted);
	TH_LOG("%ld of %ld interrupted", interrupted, tries);
}

/* A ring that is being made. */
static long long ring_is_live(const char *name)
{
	char path[400];

	snprintf(path, sizeof(path), RINGS "%s/live", name);
	return get_number(path);
}

static unsigned long long free_bytes(void)
{
	struct sysinfo s;

	sysinfo(&s);
	return (unsigned long long)s.freeram * s.mem_unit;
}

/*
 * Each CPU keeps pages that it freed, up to some MiB by the kernel's own choice. They do
 * not count as free. A large @fraction has each CPU keep few; 0 gives the choice back.
 */
static int keep_pages(const char *fraction)
{
	int fd = open("/proc/sys/vm/percpu_pagelist_high_fraction", O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, fraction, strlen(fraction)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

/* Have each CPU free pages, so that it gives back what it keeps too many of. */
static int settle_pages(void)
{
	const size_t len = 8 << 20;
	cpu_set_t all, one;
	int ret = RC(sched_getaffinity(0, sizeof(all), &all));

	for (int cpu = 0; ret >= 0 && cpu < CPU_SETSIZE; cpu++) {
		void *p;

		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		ret = RC(sched_setaffinity(0, sizeof(one), &one));
		p = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		/* A kernel that has no huge pages says EINVAL. */
		if (p == MAP_FAILED ||
		    (madvise(p, len, MADV_NOHUGEPAGE) && errno != EINVAL))
			return -errno;
		memset(p, 1, len);
		munmap(p, len);
	}
	return ret < 0 ? ret : RC(sched_setaffinity(0, sizeof(all), &all));
}

FIXTURE(rings) {
};

FIXTURE_SETUP(rings)
{
	int ret = rings_load("");

	if (ret == -ENOTSUP)
		SKIP(return, "no configfs");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, keep_pages("1000000"));
	ASSERT_EQ(0, settle_pages());
}

FIXTURE_TEARDOWN(rings)
{
	EXPECT_EQ(0, keep_pages("0"));
}

TEST_F_TIMEOUT(rings, of_a_killed_maker_there_is_none, 120)
{
	unsigned long long before, size = rb_quick() ? 128 << 20 : 256 << 20;
	char text[32];
	long ms = 0, end;
	pid_t pid;
	int k;

	snprintf(text, sizeof(text), "size=%llu", size);
	for (k = 0; k < TRIES; k++) {
		ASSERT_EQ(0, ring_mkdir(NAME));
		ASSERT_EQ(0, ring_configure(NAME, text));
		before = free_bytes();
		pid = fork();
		if (!pid)
			_exit(ring_set(NAME, "live", "1") != 0);
		while (free_bytes() + (16 << 20) > before &&
		       !waitpid(pid, NULL, WNOHANG))
			;
		ms = kill_wait(pid);
		if (ring_is_live(NAME) == 0)
			break;
		/* Too late. */
		ASSERT_EQ(0, ring_rmdir(NAME));
	}
	EXPECT_GT(TRIES, k);
	TH_LOG("%d tries, dead after %ld ms", k + 1, ms);
	EXPECT_EQ(-ENOENT, ring_open(NAME, O_RDONLY));
	/* Nothing of it is left, and another one may be made. */
	for (end = rb_now_ms() + RB_WAIT_MS; rb_now_ms() < end; usleep(1000))
		if (free_bytes() + (8 << 20) > before)
			break;
	EXPECT_LT(before, free_bytes() + (8 << 20)) TH_LOG("%lld bytes are not back",
		before - free_bytes());
	/* Of the same size: it was not for want of memory that there was none. */
	EXPECT_EQ(0, ring_set(NAME, "live", "1"));
	EXPECT_EQ(0, ring_rmdir(NAME));
}

TEST_HARNESS_MAIN
