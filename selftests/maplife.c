// SPDX-License-Identifier: GPL-2.0
/* A map's life: how long it lasts, what may be done to it, who uses it at once. */
#include "ringbuf_test.h"
#include "map.h"

#include <sys/wait.h>

#define F(len)	((int)RINGBUF_FRAME_SIZE(len))
#define SIZE	16384

FIXTURE(map) {
	int r;
	int w;
	struct rb_map m;
	long page;
};

FIXTURE_SETUP(map)
{
	ASSERT_EQ(0, rb_load("size=16384"));
	self->w = rb_open(O_WRONLY);
	self->r = rb_open(O_RDONLY | O_NONBLOCK);
	ASSERT_EQ(0, rb_put_many(self->w, 0, 500, 100));
	ASSERT_EQ(0, rb_map_fd(&self->m, self->r));
	self->page = getpagesize();
}

FIXTURE_TEARDOWN(map)
{
	close(self->r);
	close(self->w);
}

/* Does the next record, number @n, appear in the map? */
static bool shows(const struct rb_map *m, int w, uint64_t n)
{
	uint64_t at = rb_map_head(m);

	return rb_put(w, n, 100) == 100 && rb_map_head(m) == at + F(100) &&
	       rb_frame_ok(rb_map_at(m, at), n, 100);
}

static int consumers(int fd)
{
	struct ringbuf_info i;
	int ret = rb_info(fd, &i);

	return ret ? ret : (int)i.consumers;
}

TEST_F(map, it_outlives_its_file)
{
	close(self->r);
	for (int n = 500; n < 1000; n++) {
		ASSERT_TRUE(shows(&self->m, self->w, n)) TH_LOG("%d", n);
	}
	EXPECT_EQ(1, consumers(self->w));
	close(self->w);
	for (int k = 0; k < 20; k++)
		EXPECT_EQ(-EWOULDBLOCK, rb_remove());
	EXPECT_TRUE(rb_frame_ok(rb_map_at(&self->m, rb_map_tail(&self->m)),
				self->m.page->tail_seq, 100));
	/* Another writer's records come, too. */
	self->w = rb_open(O_WRONLY);
	EXPECT_TRUE(shows(&self->m, self->w, 1000));
	close(self->w);
	ASSERT_EQ(0, rb_unmap(&self->m));
	EXPECT_EQ(0, rb_remove());
}

TEST_F(map, it_keeps_the_writer_slot_of_its_file)
{
	int fd;

	close(self->w);
	fd = rb_open(O_RDWR);
	ASSERT_EQ(0, rb_map_fd(&self->m, fd));
	close(fd);
	EXPECT_EQ(-EBUSY, rb_open(O_WRONLY));
	EXPECT_EQ(2, consumers(self->r));
	ASSERT_EQ(0, rb_unmap(&self->m));
	self->w = rb_open(O_WRONLY);
	EXPECT_LE(0, self->w);
	EXPECT_EQ(1, consumers(self->w)) TH_LOG("the first map and its file");
}

TEST_F(map, it_goes_piece_by_piece)
{
	char *p = (char *)self->m.page;
	size_t pages = self->m.len / self->page;

	close(self->r);
	self->r = -1;
	/* The middle. */
	ASSERT_EQ(0, munmap(p + 3 * self->page, 2 * self->page));
	for (size_t k = 0; k < pages; k++) {
		EXPECT_EQ(k == 3 || k == 4 ? -EFAULT : 1,
			  rb_touch(p + k * self->page)) TH_LOG("page %zu", k);
	}
	EXPECT_EQ(RINGBUF_PAGE_MAGIC, self->m.page->magic);
	/* The pieces are maps like any other. */
	EXPECT_EQ(-EACCES, RC(mprotect(p, 3 * self->page, PROT_READ | PROT_WRITE)));
	EXPECT_EQ(-EACCES, RC(mprotect(p + 5 * self->page, self->page, PROT_EXEC)));
	EXPECT_EQ(1, consumers(self->w));
	close(self->w);
	for (size_t k = 0; k < pages; k++) {
		EXPECT_EQ(-EWOULDBLOCK, rb_remove());
		ASSERT_EQ(0, munmap(p + k * self->page, self->page));
	}
	EXPECT_EQ(0, rb_remove());
}

TEST_F(map, one_file_may_be_mapped_many_times)
{
	char *p;

	for (int k = 0; k < 2000; k++) {
		p = mmap(NULL, self->page, PROT_READ, MAP_SHARED, self->r,
			 k % 9 * self->page);
		ASSERT_NE(MAP_FAILED, p);
		ASSERT_EQ(0, memcmp(p, (char *)self->m.page + k % 9 * self->page,
				    self->page));
	}
	EXPECT_EQ(1, consumers(self->w));
}

TEST_F(map, a_child_keeps_it)
{
	int go[2], done[2];
	char c = 0;
	pid_t pid;

	ASSERT_EQ(0, pipe2(go, O_CLOEXEC));
	ASSERT_EQ(0, pipe2(done, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		close(self->r);
		close(self->w);
		/* Now the parent has no map any more, and has written. */
		if (read(go[0], &c, 1) != 1 ||
		    !rb_frame_ok(rb_map_at(&self->m, 500 * F(100)), 500, 100))
			_exit(1);
		if (write(done[1], &c, 1) != 1 || read(go[0], &c, 1) != 1)
			_exit(2);
		/* Nor is anything else left. */
		_exit(rb_remove() == -EWOULDBLOCK &&
		      rb_frame_ok(rb_map_at(&self->m, 500 * F(100)), 500, 100) ?
		      0 : 3);
	}
	ASSERT_EQ(0, rb_unmap(&self->m));
	close(self->r);
	ASSERT_EQ(100, rb_put(self->w, 500, 100));
	ASSERT_EQ(1, write(go[1], &c, 1));
	ASSERT_EQ(1, read(done[0], &c, 1));
	EXPECT_EQ(1, consumers(self->w));
	close(self->w);
	EXPECT_EQ(-EWOULDBLOCK, rb_remove());
	ASSERT_EQ(1, write(go[1], &c, 1));
	EXPECT_EQ(0, rb_reap(pid));
	EXPECT_EQ(0, rb_remove());
}

TEST_F(map, the_killed_leave_nothing_behind)
{
	pid_t pid[8];
	int ready[2];
	char c = 0;

	rb_unmap(&self->m);
	close(self->r);
	close(self->w);
	ASSERT_EQ(0, pipe(ready));
	for (int k = 0; k < 8; k++) {
		pid[k] = fork();
		if (pid[k])
			continue;
		self->r = rb_open(O_RDONLY);
		if (rb_map_fd(&self->m, self->r))
			_exit(1);
		/* Some with their file, some without. */
		if (k % 2)
			close(self->r);
		for (;;) {
			for (size_t at = 0; at < self->m.len; at += self->page)
				c += *((volatile char *)self->m.page + at);
			if (write(ready[1], &c, 1) != 1)
				_exit(2);
			madvise((void *)self->m.page, self->m.len, MADV_DONTNEED);
		}
	}
	for (int k = 0; k < 1000; k++)
		ASSERT_EQ(1, read(ready[0], &c, 1));
	EXPECT_EQ(-EWOULDBLOCK, rb_remove());
	for (int k = 0; k < 8; k++)
		ASSERT_EQ(0, kill(pid[k], SIGKILL));
	for (int k = 0; k < 8; k++)
		EXPECT_EQ(-SIGKILL, rb_reap(pid[k]));
	EXPECT_EQ(0, rb_remove_wait());
}

/* The flags of the map at @addr as smaps has them: " rd mr ms " and so on. */
static bool vm_flags(const void *addr, char *line, int size)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	unsigned long from, to;
	bool here = false, found = false;

	while (f && !found && fgets(line, size, f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = from <= (unsigned long)addr &&
			       (unsigned long)addr < to;
		found = here && !strncmp(line, "VmFlags:", 8);
	}
	if (f)
		fclose(f);
	return found;
}

#define HAS(flags, flag)	(!!strstr(flags, " " flag " "))

TEST_F(map, it_is_in_no_core_dump_and_will_never_be_writable)
{
	char flags[256];

	if (!vm_flags(self->m.page, flags, sizeof(flags)))
		SKIP(return, "no VmFlags in /proc/self/smaps");
	for (int round = 0; round < 2; round++) {
		EXPECT_TRUE(HAS(flags, "dd")) TH_LOG("no dump: %s", flags);
		EXPECT_TRUE(HAS(flags, "de")) TH_LOG("no growth: %s", flags);
		EXPECT_TRUE(HAS(flags, "rd"));
		EXPECT_FALSE(HAS(flags, "wr")) TH_LOG("%s", flags);
		EXPECT_FALSE(HAS(flags, "mw")) TH_LOG("%s", flags);
		EXPECT_FALSE(HAS(flags, "ex")) TH_LOG("%s", flags);
		EXPECT_FALSE(HAS(flags, "me")) TH_LOG("%s", flags);
		EXPECT_EQ(-EINVAL, RC(madvise((void *)self->m.page, self->m.len,
					      MADV_DODUMP)));
		ASSERT_TRUE(vm_flags(self->m.page, flags, sizeof(flags)));
	}
}

TEST_F(map, no_advice_does_harm)
{
	/* With those that old headers do not know; 22 to 25 as of 5.14 and 6.1. */
	static const int advice[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
		MADV_DONTNEED, MADV_FREE, MADV_REMOVE, MADV_MERGEABLE,
		MADV_UNMERGEABLE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP,
		MADV_DODUMP, MADV_WIPEONFORK, MADV_KEEPONFORK, MADV_COLD,
		MADV_PAGEOUT, 22, 23, 24, 25, 102, 103,
	};
	void *page = (void *)self->m.page;
	void *was = malloc(self->m.len);
	int ret;

	memcpy(was, page, self->m.len);
	for (int n = 0; n < 2 * (int)ARRAY_SIZE(advice); n++) {
		int a = advice[n / 2];

		/* On pages that are there, and on those that are not. */
		if (n % 2)
			madvise(page, self->m.len, MADV_DONTNEED);
		ret = RC(madvise(page, self->m.len, a));
		if (a == MADV_DONTNEED)
			EXPECT_EQ(0, ret);
		/* Those that would write, take away, or dump. */
		if (a == MADV_FREE || a == MADV_REMOVE || a == MADV_DODUMP ||
		    a == MADV_WIPEONFORK || a == 23) {
			EXPECT_GT(0, ret) TH_LOG("advice %d", a);
		}
		ASSERT_EQ(0, memcmp(page, was, self->m.len))
			TH_LOG("advice %d", a);
		EXPECT_EQ(-EACCES, RC(mprotect(page, self->m.len,
					       PROT_READ | PROT_WRITE)));
	}
	for (int n = 500; n < 700; n++)
		ASSERT_TRUE(shows(&self->m, self->w, n));
	free(was);
}

TEST_F(map, pages_come_back_when_they_are_wanted)
{
	for (int n = 500; n < 700; n++) {
		ASSERT_EQ(0, madvise((void *)self->m.page, self->m.len,
				     MADV_DONTNEED));
		ASSERT_TRUE(shows(&self->m, self->w, n));
	}
}

TEST_F(map, a_child_gets_it_unless_told_otherwise)
{
	/* Linux 7.x does not take MADV_DONTFORK back from a map that cannot be expanded. */
	bool back = true;

	for (int round = 0; round < 4; round++) {
		bool gets_it = round % 2 == 0 && back;
		pid_t pid = fork();

		if (!pid)
			_exit(rb_touch((void *)self->m.page) == 1);
		EXPECT_EQ(gets_it, rb_reap(pid));
		if (round % 2 == 0) {
			ASSERT_EQ(0, madvise((void *)self->m.page, self->m.len,
					     MADV_DONTFORK));
		} else if (madvise((void *)self->m.page, self->m.len, MADV_DOFORK)) {
			ASSERT_EQ(EINVAL, errno);
			ASSERT_TRUE(rb_linux_since(7, 0));
			back = false;
		}
	}
}

TEST_F(map, it_may_be_filled_and_locked)
{
	static const int how[] = {
		MAP_POPULATE, MAP_LOCKED, MAP_POPULATE | MAP_LOCKED,
		MAP_POPULATE | MAP_NONBLOCK, MAP_NORESERVE,
	};
	size_t len = self->m.len;
	unsigned char in[2 * SIZE / 4096 + 2];
	char *p;

	for (size_t k = 0; k < ARRAY_SIZE(how); k++) {
		p = mmap(NULL, len, PROT_READ, MAP_SHARED | how[k], self->r, 0);
		ASSERT_NE(MAP_FAILED, p);
		if (how[k] == MAP_POPULATE) {
			ASSERT_EQ(0, mincore(p, len, in));
			for (size_t i = 0; i < len / self->page; i++) {
				EXPECT_TRUE(in[i] & 1) TH_LOG("page %zu", i);
			}
		}
		EXPECT_EQ(0, memcmp(p, self->m.page, len));
		EXPECT_EQ(0, RC(mlock(p, len)));
		EXPECT_EQ(0, memcmp(p, self->m.page, len));
		EXPECT_EQ(0, RC(munlock(p, len)));
		ASSERT_EQ(0, munmap(p, len));
	}
	EXPECT_EQ(0, RC(mlockall(MCL_CURRENT | MCL_FUTURE)));
	EXPECT_EQ(0, rb_try_map(self->r, PROT_READ, MAP_SHARED, 0, len));
	EXPECT_TRUE(shows(&self->m, self->w, 500));
}

TEST_F(map, a_page_in_a_pipe_outlives_the_ring)
{
	uint64_t at = self->page;
	struct iovec v = { (void *)self->m.data, self->page };
	char *was = malloc(self->page);
	int p[2];

	memcpy(was, self->m.data, self->page);
	ASSERT_EQ(0, pipe(p));
	/* A gift, even: the ring has its page all the same. */
	ASSERT_EQ(at, RC(vmsplice(p[1], &v, 1, SPLICE_F_GIFT)));
	EXPECT_TRUE(shows(&self->m, self->w, 500));
	memcpy(was, self->m.data, self->page);
	ASSERT_EQ(0, rb_unmap(&self->m));
	close(self->r);
	close(self->w);
	ASSERT_EQ(0, rb_remove());
	ASSERT_EQ(at, RC(read(p[0], rb_in, self->page)));
	EXPECT_EQ(0, memcmp(was, rb_in, self->page));
	free(was);
}

TEST_F(map, records_may_be_written_from_where_they_lie)
{
	const uint8_t *from;
	struct rb_map m;
	uint64_t at, tail;
	size_t len;

	/* The first touch of each page is the kernel's, in write(). */
	ASSERT_EQ(0, rb_map_fd(&m, self->r));
	at = rb_map_head(&m);
	/* Where the new record does not come to lie. */
	from = m.data + ((at + 6000) & (SIZE - 1));
	memcpy(rb_out, self->m.data + (from - m.data), 4000);
	ASSERT_EQ(4000, RC(write(self->w, from, 4000)));
	EXPECT_EQ(0, memcmp(rb_map_at(&m, at) + 1, rb_out, 4000));
	/* Frames in the ring are frames for the ring. */
	ASSERT_EQ(0, rb_set_writer(self->w, RINGBUF_WRITER_FRAMED));
	tail = rb_map_tail(&m) + 20 * F(100);
	at = rb_map_head(&m);
	len = 10 * F(100);
	memcpy(rb_out, rb_map_at(&m, tail), len);
	ASSERT_EQ(len, RC(write(self->w, rb_map_at(&m, tail), len)));
	for (size_t done = 0; done < len; done += F(100)) {
		const struct ringbuf_record *rec = rb_map_at(&m, at + done);

		EXPECT_EQ(501 + done / F(100), rec->seq);
		EXPECT_EQ(0, memcmp(rec + 1, rb_out + done + RB_HEADER,
				    F(100) - RB_HEADER));
	}
}

/* Threads that use a map while another takes it away; only the process dies. */
static void *touch_all(void *arg)
{
	const struct rb_map *m = arg;
	const volatile char *p = (const void *)m->page;
	unsigned int seed = (unsigned long)&seed;

	for (;;)
		(void)p[rand_r(&seed) % m->len];
	return NULL;
}

static void lose_it_in_use(long page, int round)
{
	struct rb_map m;
	pthread_t t;
	int r = rb_open(O_RDONLY);

	if (r < 0 || rb_map_fd(&m, r))
		_exit(1);
	for (int k = 0; k < 3; k++)
		if (pthread_create(&t, NULL, touch_all, &m))
			_exit(2);
	/* Not many: each interrupts all other CPUs, which emulated ones take ill. */
	for (int k = 0; k < 2 * round; k++)
		madvise((void *)m.page, m.len, MADV_DONTNEED);
	close(r);
	/* In part, or all of it. */
	munmap((void *)(m.data + round % 2 * page), m.len / 2);
	pause();
	_exit(3);
}

TEST_F_TIMEOUT(map, it_may_go_while_it_is_read, 90)
{
	struct rlimit none = { 0, 0 };
	pid_t pid;

	setrlimit(RLIMIT_CORE, &none);
	for (int round = 0; round < 20; round++) {
		pid = fork();
		if (!pid)
			lose_it_in_use(self->page, round);
		ASSERT_EQ(-SIGSEGV, rb_reap(pid));
		ASSERT_TRUE(shows(&self->m, self->w, 500 + round));
	}
	EXPECT_EQ(1, consumers(self->w));
	rb_unmap(&self->m);
	close(self->r);
	close(self->w);
	EXPECT_EQ(0, rb_remove_wait());
}

static atomic_long stop;

struct mapper {
	pthread_t thread;
	int fd;
	long maps;
	const char *error;
};

/* Maps, looks at the oldest record and at each page, unmaps. */
static const char *map_once(int fd, unsigned int *seed)
{
	const struct ringbuf_record *rec;
	struct rb_map m;
	uint64_t tail;
	uint32_t len;
	bool good;

	if (rb_map_fd(&m, fd))
		return "mmap() failed";
	if (m.page->magic != RINGBUF_PAGE_MAGIC)
		return "this is another page";
	for (int k = 0; k < 4; k++) {
		tail = rb_map_tail(&m);
		rec = rb_map_at(&m, tail);
		len = __atomic_load_n(&rec->len, __ATOMIC_RELAXED);
		good = len == 100 && rec->seq == tail / F(100) &&
		       rb_intact(rec + 1, len, rec->seq);
		if (rb_map_intact(&m, tail) && !good)
			return "the oldest record is not intact";
		(void)*(volatile char *)(m.data + rand_r(seed) % (2 * m.size));
		if (rand_r(seed) % 4 == 0)
			madvise((void *)m.data, m.size, MADV_DONTNEED);
	}
	return rb_unmap(&m) ? "munmap() failed" : NULL;
}

static void *mapper_main(void *arg)
{
	struct mapper *a = arg;
	unsigned int seed = a->fd;

	while (!atomic_load(&stop) && !a->error) {
		/* Their own consumers, and one that all have. */
		int fd = a->maps % 2 ? a->fd : rb_open(O_RDONLY);

		a->error = map_once(fd, &seed);
		if (fd != a->fd)
			close(fd);
		a->maps++;
	}
	return NULL;
}

TEST_F_TIMEOUT(map, many_come_and_go_while_the_writer_writes, 90)
{
	long ms = rb_quick() ? 3000 : 8000, end = rb_now_ms() + ms, maps = 0;
	struct mapper a[8] = { 0 };
	uint64_t n = 500;
	pid_t pid;

	for (int k = 0; k < 8; k++) {
		a[k].fd = self->r;
		ASSERT_EQ(0, pthread_create(&a[k].thread, NULL, mapper_main,
					    &a[k]));
	}
	while (rb_now_ms() < end) {
		ASSERT_EQ(0, rb_put_many(self->w, n, 200, 100));
		n += 200;
		/* A fork copies the maps that there are. */
		pid = fork();
		if (!pid)
			_exit(self->m.page->magic != RINGBUF_PAGE_MAGIC);
		ASSERT_EQ(0, rb_reap(pid));
	}
	atomic_store(&stop, 1);
	for (int k = 0; k < 8; k++) {
		ASSERT_EQ(0, rb_join(a[k].thread, "mapper"));
		EXPECT_STREQ("ok", a[k].error ? a[k].error : "ok");
		EXPECT_LT(0, a[k].maps);
		maps += a[k].maps;
	}
	TH_LOG("%ld maps, %ld records", maps, (long)n);
	EXPECT_EQ(1, consumers(self->w));
	rb_unmap(&self->m);
	close(self->r);
	close(self->w);
	EXPECT_EQ(0, rb_remove());
}

TEST_HARNESS_MAIN
