// SPDX-License-Identifier: GPL-2.0
/* mmap(): what a map shows, what can be mapped, and that nobody can write it. */
#include "ringbuf_test.h"
#include "map.h"
#include "uffd.h"

#include <linux/io_uring.h>

#define F(len)	((int)RINGBUF_FRAME_SIZE(len))
#define SIZE	16384
#define RW	(PROT_READ | PROT_WRITE)
#define RX	(PROT_READ | PROT_EXEC)

/* A consumer of either kind, and the writer: for O_RDWR they are one. */
FIXTURE(file) {
	int fd;
	int w;
	long page;
};

FIXTURE_VARIANT(file) {
	int flags;
};

FIXTURE_VARIANT_ADD(file, rdonly) { .flags = O_RDONLY };
FIXTURE_VARIANT_ADD(file, rdwr) { .flags = O_RDWR };

FIXTURE_SETUP(file)
{
	ASSERT_EQ(0, rb_load("size=16384"));
	self->fd = rb_open(variant->flags | O_NONBLOCK);
	ASSERT_LE(0, self->fd);
	self->w = variant->flags == O_RDWR ? self->fd : rb_open(O_WRONLY);
	ASSERT_LE(0, self->w);
	self->page = getpagesize();
}

FIXTURE_TEARDOWN(file)
{
	close(self->fd);
	close(self->w);
}

/* A copy of all that @m shows now. */
static void *snapshot(const struct rb_map *m)
{
	return memcpy(malloc(m->len), m->page, m->len);
}

TEST_F(file, the_page_describes_itself)
{
	const uint8_t *rest, *head;
	struct ringbuf_info i;
	struct rb_map m;

	ASSERT_EQ(0, rb_map_fd(&m, self->fd));
	head = (const void *)(m.head + 1);
	EXPECT_EQ(RINGBUF_PAGE_MAGIC, m.page->magic);
	EXPECT_EQ(RINGBUF_ABI, m.page->abi);
	EXPECT_EQ(sizeof(*m.page), m.page->struct_size);
	EXPECT_EQ(RINGBUF_RING_TIMESTAMPS, m.page->flags);
	EXPECT_EQ(self->page, m.page->head_offset);
	EXPECT_EQ(2 * self->page, m.page->data_offset);
	EXPECT_EQ(SIZE, m.page->data_size);
	EXPECT_EQ(0, m.head->head);
	EXPECT_EQ(0, m.page->tail);
	EXPECT_EQ(0, m.head->head_seq);
	EXPECT_EQ(0, m.head->head_seq_again);
	EXPECT_EQ(RINGBUF_WAKE_NONE, m.page->wake_pos);
	ASSERT_EQ(0, rb_info(self->fd, &i));
	EXPECT_EQ(0, memcmp(i.id, m.page->id, sizeof(i.id)));
	EXPECT_EQ(0, m.page->tail_seq);
	/* Nothing that lay in the memory before. */
	for (rest = (const void *)(m.page + 1); rest < m.data + 2 * SIZE; rest++)
		ASSERT_EQ(0, *rest);
	ASSERT_EQ(0, rb_put_many(self->w, 0, 500, 100));
	for (rest = (const void *)(m.page + 1); rest < (const uint8_t *)m.head; rest++)
		ASSERT_EQ(0, *rest);
	for (rest = head; rest < m.data; rest++)
		ASSERT_EQ(0, *rest);
}

TEST_F(file, flags_tell_of_a_ring_without_a_clock)
{
	struct rb_map m;
	int r;

	close(self->w);
	close(self->fd);
	ASSERT_EQ(0, rb_load("size=4096 clock=none"));
	r = rb_open(O_RDONLY);
	ASSERT_EQ(0, rb_map_fd(&m, r));
	EXPECT_EQ(0, m.page->flags);
	EXPECT_EQ(4096, m.page->data_size);
	EXPECT_EQ(1, rb_touch(m.data + 2 * 4096 - 1));
	close(r);
}

TEST_F(file, positions_and_seqs_follow_the_ring)
{
	struct ringbuf_info i;
	struct rb_map m;

	ASSERT_EQ(0, rb_map_fd(&m, self->fd));
	for (int n = 0; n < 600; n++) {
		ASSERT_EQ(1 + n, rb_put(self->w, n, 1 + n));
		ASSERT_EQ(0, rb_info(self->fd, &i));
		ASSERT_EQ(i.head, rb_map_head(&m));
		ASSERT_EQ(i.tail, rb_map_tail(&m));
		ASSERT_EQ(i.head_seq, m.head->head_seq);
		ASSERT_EQ(i.head_seq, m.head->head_seq_again);
		ASSERT_EQ(i.tail_seq, m.page->tail_seq);
		ASSERT_EQ(i.tail_seq, rb_map_at(&m, i.tail)->seq);
	}
	EXPECT_LT(0, m.page->tail);
}

TEST_F(file, what_lies_there_is_what_read_returns)
{
	int r = rb_open(O_RDONLY | O_NONBLOCK), crossed = 0;
	const struct ringbuf_record *rec;
	struct rb_map m;
	uint64_t pos;

	ASSERT_EQ(0, rb_set_consumer(r, RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(0, rb_map_fd(&m, self->fd));
	for (int n = 0; n < 2000; n++) {
		int len = 1 + n * 37 % 500;

		pos = rb_map_head(&m);
		ASSERT_EQ(len, rb_put(self->w, n, len));
		ASSERT_EQ(pos + F(len), rb_map_head(&m));
		rec = rb_map_at(&m, pos);
		ASSERT_TRUE(rb_frame_ok(rec, n, len)) TH_LOG("record %d", n);
		ASSERT_EQ(F(len), RC(read(r, rb_in, RB_MAX)));
		ASSERT_EQ(0, memcmp(rec, rb_in, F(len)));
		crossed += (pos & (SIZE - 1)) + F(len) > SIZE;
	}
	EXPECT_LT(20, crossed);
	/* All of the ring, in one piece. */
	close(r);
	r = rb_open(O_RDONLY | O_NONBLOCK);
	ASSERT_EQ(0, rb_set_consumer(r, RINGBUF_CONSUMER_FRAMED));
	pos = rb_map_tail(&m);
	EXPECT_LT(SIZE, (pos & (SIZE - 1)) + rb_map_head(&m) - pos);
	ASSERT_EQ(rb_map_head(&m) - pos, RC(read(r, rb_in, RB_MAX)));
	EXPECT_EQ(0, memcmp(rb_map_at(&m, pos), rb_in, rb_map_head(&m) - pos));
	close(r);
}

TEST_F(file, the_data_area_is_there_twice)
{
	struct rb_map m;

	ASSERT_EQ(0, rb_map_fd(&m, self->fd));
	for (int n = 0; n < 300; n++) {
		ASSERT_EQ(100, rb_put(self->w, n, 100));
		ASSERT_EQ(0, memcmp(m.data, m.data + SIZE, SIZE));
	}
}

TEST_F(file, every_range_within_the_areas_can_be_mapped_and_no_other)
{
	const uint64_t all = 2 + 2 * SIZE / self->page;
	uint64_t off, n;

	for (off = 0; off < all + 3; off++) {
		for (n = 1; n < all + 3; n++) {
			EXPECT_EQ(off + n <= all ? 0 : -EINVAL,
				  rb_try_map(self->fd, PROT_READ, MAP_SHARED,
					     off * self->page, n * self->page))
				TH_LOG("%d pages at page %d", (int)n, (int)off);
		}
	}
	/* A part of a page is a page. */
	EXPECT_EQ(0, rb_try_map(self->fd, PROT_READ, MAP_SHARED, 0, 1));
	EXPECT_EQ(0, rb_try_map(self->fd, PROT_READ, MAP_SHARED,
				(all - 1) * self->page, 1));
	EXPECT_EQ(-EINVAL, rb_try_map(self->fd, PROT_READ, MAP_SHARED,
				      (all - 1) * self->page, self->page + 1));
	EXPECT_EQ(-EINVAL, rb_try_map(self->fd, PROT_READ, MAP_SHARED, 0,
				      all * self->page + 1));
	EXPECT_EQ(-EINVAL, rb_try_map(self->fd, PROT_READ, MAP_SHARED, 1, 1));
	EXPECT_EQ(-EINVAL, rb_try_map(self->fd, PROT_READ, MAP_SHARED, 0, 0));
}

TEST_F(file, huge_offsets_and_lengths_do_not_wrap)
{
	const uint64_t all = (2 + 2 * SIZE / self->page) * self->page;
	static const uint64_t offs[] = {
		1ULL << 31, 1ULL << 32, (1ULL << 32) - 4096, 1ULL << 43,
		1ULL << 44, 1ULL << 52, 1ULL << 62, (1ULL << 63) - 4096,
		1ULL << 63, (1ULL << 63) + 4096, -65536ULL, -8192ULL, -4096ULL,
	};
	const uint64_t lens[] = { 1, self->page, 2 * self->page, all };
	int ret;

	for (size_t k = 0; k < ARRAY_SIZE(offs); k++) {
		for (size_t l = 0; l < ARRAY_SIZE(lens); l++) {
			ret = rb_try_map(self->fd, PROT_READ, MAP_SHARED,
					 offs[k], lens[l]);
			/* The VFS says so of what ends beyond all files. */
			if (ret == -EOVERFLOW && offs[k] >= -65536ULL)
				continue;
			EXPECT_EQ(-EINVAL, ret)
				TH_LOG("%llx at %llx", (long long)lens[l],
				       (long long)offs[k]);
		}
	}
	EXPECT_EQ(-EINVAL, rb_try_map(self->fd, PROT_READ, MAP_SHARED, 0,
				      1ULL << 40));
	EXPECT_EQ(-EINVAL, rb_try_map(self->fd, PROT_READ, MAP_SHARED,
				      self->page, 1ULL << 32));
	EXPECT_EQ(-ENOMEM, rb_try_map(self->fd, PROT_READ, MAP_SHARED, 0,
				      -4096ULL));
}

TEST_F(file, a_part_shows_what_the_whole_shows_there)
{
	const char *whole, *part;
	struct rb_map m;

	ASSERT_EQ(0, rb_put_many(self->w, 0, 500, 100));
	ASSERT_EQ(0, rb_map_fd(&m, self->fd));
	whole = (const void *)m.page;
	for (size_t off = 0; off < m.len; off += self->page) {
		part = mmap(NULL, self->page, PROT_READ, MAP_SHARED, self->fd, off);
		ASSERT_NE(MAP_FAILED, part);
		EXPECT_EQ(0, memcmp(whole + off, part, self->page));
		munmap((void *)part, self->page);
	}
	part = mmap(NULL, m.len - 2 * self->page, PROT_READ, MAP_SHARED, self->fd,
		    2 * self->page);
	ASSERT_NE(MAP_FAILED, part);
	EXPECT_EQ(0, memcmp(m.data, part, m.len - 2 * self->page));
}

TEST_F(file, only_shared_maps)
{
	static const int prots[] = { PROT_NONE, PROT_READ, RW };
	long page = self->page;

	for (int k = 0; k < 3; k++) {
		EXPECT_EQ(-EINVAL, rb_try_map(self->fd, prots[k], MAP_PRIVATE, 0,
					      page));
		EXPECT_EQ(-EINVAL, rb_try_map(self->fd, prots[k],
					      MAP_PRIVATE | MAP_POPULATE, page,
					      page));
	}
	/* A mount may forbid to execute, which is looked at first. */
	EXPECT_GT(0, rb_try_map(self->fd, RX, MAP_PRIVATE, 0, page));
	EXPECT_EQ(0, rb_try_map(self->fd, PROT_READ, MAP_SHARED, 0, page));
	EXPECT_EQ(0, rb_try_map(self->fd, PROT_NONE, MAP_SHARED, 0, page));
	EXPECT_EQ(0, rb_try_map(self->fd, PROT_READ, MAP_SHARED_VALIDATE, 0,
				page));
	EXPECT_EQ(-EOPNOTSUPP, rb_try_map(self->fd, PROT_READ,
					  MAP_SHARED_VALIDATE | MAP_SYNC, 0,
					  page));
}

TEST_F(file, no_map_to_write_or_to_execute)
{
	static const int how[] = { MAP_SHARED, MAP_SHARED_VALIDATE };
	/* The VFS is the first to say that the file is not open for writing. */
	int denied = variant->flags == O_RDWR ? -EPERM : -EACCES;
	long page = self->page;

	for (int k = 0; k < 2; k++) {
		EXPECT_EQ(denied, rb_try_map(self->fd, RW, how[k], 0, page));
		EXPECT_EQ(denied, rb_try_map(self->fd, PROT_WRITE, how[k], page,
					     page));
		EXPECT_EQ(denied, rb_try_map(self->fd, RW | PROT_EXEC, how[k],
					     0, page));
		EXPECT_EQ(-EPERM, rb_try_map(self->fd, RX, how[k], 0, page));
		EXPECT_EQ(-EPERM, rb_try_map(self->fd, PROT_EXEC, how[k], 0,
					     page));
	}
}

TEST_F(file, nor_does_it_become_one_later)
{
	static const int prots[] = {
		PROT_WRITE, PROT_EXEC, PROT_WRITE | PROT_EXEC, RW, RX,
		RW | PROT_EXEC,
	};
	struct rb_map m;
	char *p;

	ASSERT_EQ(0, rb_put_many(self->w, 0, 10, 100));
	ASSERT_EQ(0, rb_map_fd(&m, self->fd));
	p = (char *)m.page;
	/* Second time round the map is one that could not be read at first. */
	for (int round = 0; round < 2; round++) {
		for (size_t k = 0; k < ARRAY_SIZE(prots); k++) {
			EXPECT_EQ(-EACCES, RC(mprotect(p, m.len, prots[k])));
			EXPECT_EQ(-EACCES, RC(mprotect(p + 2 * self->page,
						       self->page, prots[k])));
		}
		EXPECT_EQ(0, RC(mprotect(p, m.len, PROT_NONE)));
		EXPECT_EQ(-EFAULT, rb_touch(m.data));
		for (size_t k = 0; k < ARRAY_SIZE(prots); k++)
			EXPECT_EQ(-EACCES, RC(mprotect(p, m.len, prots[k])));
		EXPECT_EQ(0, RC(mprotect(p, m.len, PROT_READ)));
		EXPECT_TRUE(rb_frame_ok(rb_map_at(&m, 0), 0, 100));
		p = mmap(p, m.len, PROT_NONE, MAP_SHARED | MAP_FIXED, self->fd, 0);
		ASSERT_EQ((char *)m.page, p);
	}
}

TEST_F(file, it_moves_and_shrinks_and_does_not_grow)
{
	const size_t all = 2 * SIZE + 2 * self->page, half = SIZE;
	char *p, *to, *was;
	struct rb_map m;

	ASSERT_EQ(0, rb_put_many(self->w, 0, 500, 100));
	ASSERT_EQ(0, rb_map_fd(&m, self->fd));
	was = snapshot(&m);
	/* Not even to what is there to be mapped; the place behind is free. */
	p = mmap(NULL, all, PROT_READ, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(p, mremap(p, all, half, 0));
	EXPECT_EQ(-EFAULT, rb_touch(p + half));
	EXPECT_EQ(MAP_FAILED, mremap(p, half, half + self->page, 0));
	EXPECT_EQ(MAP_FAILED, mremap(p, half, half + self->page, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(p, half, all, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(p, half, 4 * all, MREMAP_MAYMOVE));
	EXPECT_EQ(0, memcmp(p, was, half));

	to = mmap(NULL, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT_EQ(MAP_FAILED, mremap(p, half, all, MREMAP_MAYMOVE | MREMAP_FIXED,
				     to));
	/* An old length of 0 would be a second map. */
	EXPECT_EQ(MAP_FAILED, mremap(p, 0, half, MREMAP_MAYMOVE));
	EXPECT_EQ(MAP_FAILED, mremap(p, 0, half, MREMAP_MAYMOVE | MREMAP_FIXED,
				     to));
	EXPECT_EQ(MAP_FAILED, mremap(p, half, half,
				     MREMAP_MAYMOVE | MREMAP_DONTUNMAP));
	EXPECT_EQ(to, mremap(p, half, half, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_EQ(-EFAULT, rb_touch(p));
	EXPECT_EQ(0, memcmp(to, was, half));
	/* With pages that come only now. */
	p = mmap(NULL, all, PROT_READ, MAP_SHARED, self->fd, 0);
	EXPECT_EQ(to, mremap(p + half, all - half, all - half,
			     MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_EQ(0, memcmp(to, was + half, all - half));
	EXPECT_EQ(-EACCES, RC(mprotect(to, self->page, RW)));
	free(was);
}

TEST_F(file, remap_file_pages_stays_within_the_areas)
{
	const size_t all = 2 + 2 * SIZE / self->page;
	struct rb_map m;
	/* Only for maps that Linux counts as shared: of files open to write. */
	bool works = variant->flags == O_RDWR;
	char *p;

	ASSERT_EQ(0, rb_map_fd(&m, self->fd));
	p = (char *)m.data;
	EXPECT_EQ(works ? 0 : -EINVAL,
		  RC(remap_file_pages(p, self->page, 0, 0, 0)));
	EXPECT_EQ(works, !memcmp(p, m.page, 64));
	EXPECT_EQ(-EACCES, RC(mprotect(p, self->page, RW)));
	/* These may leave a hole. */
	EXPECT_EQ(-EINVAL, RC(remap_file_pages(p, self->page, 0, all, 0)));
	p += 4 * self->page;
	EXPECT_EQ(-EINVAL, RC(remap_file_pages(p, 2 * self->page, 0, all - 1,
					       0)));
}

static int mem_of(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	return RC(open(path, O_RDWR | O_CLOEXEC));
}

/* Reads and tries to write what lies at @addr in process @pid. */
static const char *pry(pid_t pid, const void *addr, const void *expected)
{
	struct iovec there = { (void *)addr, 64 }, here = { rb_in, 64 };
	int mem = mem_of(pid), ret;

	if (mem < 0)
		return "no /proc/PID/mem";
	if (pread(mem, rb_in, 64, (long)addr) != 64 ||
	    memcmp(rb_in, expected, 64))
		return "/proc/PID/mem reads something else";
	if (RC(pwrite(mem, rb_in, 64, (long)addr)) != -EIO)
		return "/proc/PID/mem writes";
	close(mem);
	memset(rb_in, 0, 64);
	ret = RC(process_vm_readv(pid, &here, 1, &there, 1, 0));
	if (ret != -ENOSYS && (ret != 64 || memcmp(rb_in, expected, 64)))
		return "process_vm_readv() reads something else";
	ret = RC(process_vm_writev(pid, &here, 1, &there, 1, 0));
	if (ret != -EFAULT && ret != -ENOSYS)
		return "process_vm_writev() writes";
	return NULL;
}

TEST_F(file, not_even_a_debugger_writes)
{
	const char *error;
	struct rb_map m;
	void *was;
	pid_t pid;

	ASSERT_EQ(0, rb_put_many(self->w, 0, 500, 100));
	ASSERT_EQ(0, rb_map_fd(&m, self->fd));
	was = snapshot(&m);
	error = pry(getpid(), m.page, was);
	EXPECT_STREQ("ok", error ? error : "ok");
	pid = fork();
	if (!pid) {
		/* From another process, and a page that it never touched. */
		error = pry(getppid(), m.data + SIZE,
			    (char *)was + 2 * self->page + SIZE);
		if (error)
			fprintf(stderr, "# of the parent: %s\n", error);
		_exit(!!error);
	}
	EXPECT_EQ(0, rb_reap(pid));
	EXPECT_EQ(0, memcmp(m.page, was, m.len));
	free(was);
}

TEST_F(file, no_call_writes_into_it)
{
	struct io_uring_params params = { 0 };
	struct iovec iov;
	struct rb_map m;
	void *page, *was;
	int zero, uring;

	ASSERT_EQ(0, rb_put_many(self->w, 0, 500, 100));
	ASSERT_EQ(0, rb_map_fd(&m, self->fd));
	page = (void *)m.page;
	was = snapshot(&m);
	zero = open("/dev/zero", O_RDONLY);
	EXPECT_EQ(-EFAULT, RC(read(zero, page, m.len)));
	EXPECT_EQ(-EFAULT, RC(read(zero, (void *)m.data, 8)));
	((struct ringbuf_info *)rb_in)->struct_size = 0;
	EXPECT_GT(0, RC(ioctl(self->fd, RINGBUF_IOC_GET_INFO, page)));
	EXPECT_EQ(-EFAULT, RC(ioctl(self->fd, FIONREAD, page)));
	/* A message that cannot be put there is not lost. */
	ASSERT_EQ(-EPIPE, rb_get(self->fd, 0));
	EXPECT_EQ(-EFAULT, RC(read(self->fd, page, m.len)));
	EXPECT_EQ(100, rb_get(self->fd, m.page->tail_seq));
	uring = RC(syscall(SYS_io_uring_setup, 4, &params));
	iov.iov_base = page;
	iov.iov_len = m.len;
	EXPECT_GT(0, RC(syscall(SYS_io_uring_register, uring,
				IORING_REGISTER_BUFFERS, &iov, 1)));
	EXPECT_EQ(0, memcmp(m.page, was, m.len));
	close(zero);
	close(uring);
	free(was);
}

TEST_F(file, userfaultfd_does_not_take_it)
{
	static const int modes[] = {
		UFFDIO_REGISTER_MODE_MISSING, UFFDIO_REGISTER_MODE_WP,
		UFFDIO_REGISTER_MODE_MISSING | UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdio_register reg;
	struct rb_uffd u;
	struct rb_map m;

	ASSERT_EQ(0, rb_map_fd(&m, self->fd));
	ASSERT_EQ(0, rb_uffd_open(&u));
	for (size_t k = 0; k < ARRAY_SIZE(modes); k++) {
		memset(&reg, 0, sizeof(reg));
		reg.mode = modes[k];
		reg.range.start = (unsigned long)m.page;
		reg.range.len = m.len;
		EXPECT_GT(0, RC(ioctl(u.fd, UFFDIO_REGISTER, &reg)));
	}
	EXPECT_EQ(RINGBUF_PAGE_MAGIC, m.page->magic);
}

TEST_F(file, a_write_only_file_has_no_map)
{
	int w = variant->flags == O_RDWR ? -1 : self->w;

	if (w < 0) {
		close(self->fd);
		w = self->w = rb_open(O_WRONLY);
	}
	EXPECT_EQ(-EACCES, rb_try_map(w, PROT_READ, MAP_SHARED, 0, 4096));
	EXPECT_EQ(-EACCES, rb_try_map(w, PROT_NONE, MAP_SHARED, 0, 4096));
	EXPECT_EQ(-EACCES, rb_try_map(w, PROT_WRITE, MAP_SHARED, 0, 4096));
	EXPECT_EQ(-EACCES, rb_try_map(w, PROT_READ, MAP_PRIVATE, 0, 4096));
}

/* What an ordinary user can do; NULL when that is to read and nothing else. */
static const char *be_a_user(void)
{
	struct rb_map m;
	int r;

	if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
		return "cannot become a user";
	r = rb_open(O_RDONLY);
	if (r < 0 || rb_map_fd(&m, r))
		return "cannot map";
	if (!rb_frame_ok(rb_map_at(&m, 0), 0, 100))
		return "no record";
	if (rb_advance(r, F(100)))
		return "cannot advance";
	if (rb_open(O_RDWR) != -EACCES)
		return "may open it for writing";
	if (rb_try_map(r, RW, MAP_SHARED, 0, 4096) != -EACCES ||
	    RC(mprotect((void *)m.page, m.len, RW)) != -EACCES)
		return "may write";
	return NULL;
}

TEST(an_ordinary_user_maps_what_may_be_read)
{
	const char *error;
	int w;
	pid_t pid;

	ASSERT_EQ(0, rb_load("mode=0444"));
	w = rb_open(O_WRONLY);
	ASSERT_EQ(100, rb_put(w, 0, 100));
	pid = fork();
	if (!pid) {
		error = be_a_user();
		if (error)
			fprintf(stderr, "# %s\n", error);
		_exit(!!error);
	}
	EXPECT_EQ(0, rb_reap(pid));
	close(w);
}

TEST_HARNESS_MAIN
