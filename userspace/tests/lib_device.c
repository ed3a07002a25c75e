// SPDX-License-Identifier: GPL-2.0
/* Opening, writing, reading. */
#include <dirent.h>
#include "lib_guest.h"

static int open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Opens as uid 1000; the error. */
static int as_user(bool writer)
{
	struct ringbuf_publisher *p;
	struct ringbuf_reader *r;
	pid_t pid = fork();
	int ret;

	if (pid)
		return -rb_reap(pid);
	if (setresuid(1000, 1000, 1000))
		_exit(99);
	ret = writer ? ringbuf_publisher_open(&p, NULL, 0) :
		       ringbuf_reader_open(&r, NULL, 0);
	_exit(-ret);
}

TEST(open_errors)
{
	static const char * const none[] = { "none", "/dev/none", "", "/" };
	static const int errors[] = { -ENOENT, -ENOENT, -ENOENT, -EISDIR };
	struct ringbuf_publisher *p = (void *)1, *p2 = (void *)1;
	struct ringbuf_reader *r = (void *)1;
	char name[64];
	int i, before;

	ASSERT_EQ(0, rb_load(""));
	before = open_files();
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(errors[i], ringbuf_reader_open(&r, none[i], 0));
		EXPECT_EQ(NULL, r);
		EXPECT_EQ(errors[i], ringbuf_publisher_open(&p, none[i], 0));
		EXPECT_EQ(NULL, p);
	}
	EXPECT_EQ(-ENOTTY, ringbuf_reader_open(&r, none[3], 0));
	EXPECT_EQ(errors[3], ringbuf_publisher_open(&p, none[3], 0));
	memset(name, 'x', sizeof(name));
	name[63] = 0;
	EXPECT_EQ(-ENAMETOOLONG, ringbuf_reader_open(&r, name, 0));
	EXPECT_EQ(-ENOTTY, ringbuf_reader_open(&r, "/dev/null", 0));
	EXPECT_EQ(NULL, r);
	EXPECT_EQ(-ENOTTY, ringbuf_publisher_open(&p, "/dev/null", 0));
	EXPECT_EQ(-EINVAL, ringbuf_reader_open(&r, NULL, 1U << 3));
	EXPECT_EQ(-EINVAL, ringbuf_reader_open(&r, NULL, ~0U));
	EXPECT_EQ(-EINVAL, ringbuf_publisher_open(&p, NULL, 1));
	EXPECT_EQ(-EACCES, as_user(false));
	EXPECT_EQ(-EACCES, as_user(true));
	ASSERT_EQ(0, ringbuf_publisher_open(&p, NULL, 0));
	EXPECT_EQ(-EBUSY, ringbuf_publisher_open(&p2, NULL, 0));
	EXPECT_EQ(NULL, p2);
	EXPECT_EQ(0, ringbuf_publisher_close(p));
	EXPECT_EQ(before, open_files());
}

TEST(fdopen_errors)
{
	struct ringbuf_publisher *p;
	struct ringbuf_reader *r;
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int ro, wo;

	ASSERT_EQ(0, rb_load(""));
	ro = rb_open(O_RDONLY);
	wo = rb_open(O_WRONLY);
	EXPECT_EQ(-EBADF, ringbuf_reader_fdopen(&r, -1, 0));
	EXPECT_EQ(-EBADF, ringbuf_publisher_fdopen(&p, -1, 0));
	EXPECT_EQ(-ENOTTY, ringbuf_reader_fdopen(&r, fd, 0));
	EXPECT_EQ(-ENOTTY, ringbuf_publisher_fdopen(&p, fd, 0));
	EXPECT_EQ(-EBADF, ringbuf_reader_fdopen(&r, wo, 0));
	EXPECT_EQ(-EBADF, ringbuf_publisher_fdopen(&p, ro, 0));
	EXPECT_EQ(-EINVAL, ringbuf_reader_fdopen(&r, ro, 8));
	/* Theirs it is only when it has been taken. */
	EXPECT_EQ(0, fcntl(fd, F_GETFL) < 0);
	EXPECT_EQ(0, fcntl(ro, F_GETFL) < 0);
	EXPECT_EQ(0, fcntl(wo, F_GETFL) < 0);
	ASSERT_EQ(0, ringbuf_reader_fdopen(&r, ro, 0));
	ASSERT_EQ(0, ringbuf_publisher_fdopen(&p, wo, 0));
	EXPECT_EQ(ro, ringbuf_reader_fd(r));
	EXPECT_EQ(wo, ringbuf_publisher_fd(p));
	ringbuf_reader_close(r);
	EXPECT_EQ(0, ringbuf_publisher_close(p));
	EXPECT_EQ(-EBADF, RC(fcntl(ro, F_GETFL)));
	EXPECT_EQ(-EBADF, RC(fcntl(wo, F_GETFL)));
	close(fd);
}

TEST_F(lib, too_many_consumers)
{
	struct ringbuf_reader *r;

	START("max_consumers=1");
	EXPECT_EQ(-EUSERS, ringbuf_reader_open(&r, NULL, 0));
	ringbuf_reader_close(self->r);
	self->r = NULL;
	ASSERT_EQ(0, ringbuf_reader_open(&r, NULL, 0));
	ringbuf_reader_close(r);
}

TEST_F(lib, names_and_info)
{
	static const char * const names[] = { NULL, "ringbuf", RB_DEV };
	struct ringbuf_info info;
	struct ringbuf_reader *r;
	int i;

	START("size=65536");
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, ringbuf_reader_open(&r, names[i], variant->flags));
		EXPECT_NE(0, fcntl(ringbuf_reader_fd(r), F_GETFD) & FD_CLOEXEC);
		ASSERT_EQ(0, ringbuf_reader_info(r, &info));
		EXPECT_EQ(65536, info.data_size);
		EXPECT_EQ(2, info.consumers);
		ringbuf_reader_close(r);
	}
	ASSERT_EQ(0, ringbuf_publisher_info(self->p, &info));
	EXPECT_STREQ("ringbuf", info.name);
	EXPECT_EQ(1, info.consumers);
}

TEST_F(lib, next_and_release)
{
	struct ringbuf_entry *e = &self->e;
	const void *data;

	START("");
	EXPECT_EQ(0, ringbuf_next(self->r, e));
	EXPECT_FALSE(ringbuf_release(self->r));
	ASSERT_EQ(0, publish_many(self->p, 0, 3, 100));
	ASSERT_EQ(1, ringbuf_next(self->r, e));
	EXPECT_TRUE(is_record(e, 0, 100));
	EXPECT_EQ(0, e->lost | e->lost_bytes);
	data = e->data;
	ASSERT_EQ(1, ringbuf_arm(self->r));
	ASSERT_EQ(1, ringbuf_next(self->r, e));
	EXPECT_EQ(data, e->data);
	EXPECT_TRUE(ringbuf_intact(self->r));
	EXPECT_TRUE(ringbuf_release(self->r));
	EXPECT_FALSE(ringbuf_release(self->r));
	ASSERT_EQ(1, ringbuf_next(self->r, e));
	EXPECT_TRUE(is_record(e, 1, 100));
	EXPECT_TRUE(ringbuf_release(self->r));
	EXPECT_EQ(0, take(self->r, 2, 100));
	EXPECT_EQ(0, ringbuf_next(self->r, e));
	ASSERT_EQ(0, publish(self->p, 3, 1));
	EXPECT_EQ(0, take(self->r, 3, 1));
	EXPECT_EQ(-EAGAIN, take(self->r, 4, 1));
}

TEST_F(lib, for_each)
{
	uint64_t n = 0;

	START("");
	ASSERT_EQ(0, publish_many(self->p, 0, 5000, 20));
	ringbuf_for_each(self->r, &self->e) {
		ASSERT_TRUE(is_record(&self->e, n, 20));
		n++;
	}
	EXPECT_EQ(5000, n);
}

TEST_F(lib, lengths)
{
	static const int sizes[] = {
		65536 - 40, 65536 - 32, 65536 - 25, 65536 - 24, 65536 - 23,
		65536 - 16, 65536 - 8, 65536, 65537, 131072, 262144 - 24,
	};
	uint64_t n = 0;
	size_t i;
	int len;

	START("");
	for (len = 1; len < 34; len++, n++) {
		ASSERT_EQ(0, publish(self->p, n, len));
		ASSERT_EQ(0, take(self->r, n, len));
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++, n++) {
		ASSERT_EQ(0, publish(self->p, n, sizes[i]));
		ASSERT_EQ(0, take(self->r, n, sizes[i]));
	}
	/* Small ones gathered, a large one after them. */
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (len = 1; len < 4; len++) {
			rb_fill(rb_out, len, n);
			ASSERT_EQ(0, ringbuf_put(self->p, n++, rb_out, len));
		}
		rb_fill(rb_out, sizes[i], n);
		ASSERT_EQ(0, ringbuf_put(self->p, n++, rb_out, sizes[i]));
		ASSERT_EQ(0, ringbuf_flush(self->p));
		for (len = 1; len < 4; len++)
			ASSERT_EQ(0, take(self->r, n - 5 + len, len));
		ASSERT_EQ(0, take(self->r, n - 1, sizes[i]));
	}
	EXPECT_EQ(-EMSGSIZE, publish(self->p, n, 262144 - 23));
	EXPECT_EQ(-EMSGSIZE, ringbuf_put(self->p, 0, rb_out, SIZE_MAX));
	EXPECT_EQ(-EMSGSIZE, ringbuf_publish(self->p, 0, rb_out, SIZE_MAX - 7));
	EXPECT_EQ(-EINVAL, ringbuf_publish(self->p, 0, rb_out, 0));
	EXPECT_EQ(-EINVAL, ringbuf_put(self->p, 0, rb_out, 0));
	EXPECT_EQ(-EFAULT, ringbuf_publish(self->p, 0, NULL, 100000));
	EXPECT_EQ(0, ringbuf_next(self->r, &self->e));
	ASSERT_EQ(0, publish(self->p, n, 8));
	EXPECT_EQ(0, take(self->r, n, 8));
}

TEST_F(lib, put_gathers)
{
	struct ringbuf_info info;
	int n;

	START("");
	EXPECT_EQ(0, ringbuf_flush(self->p));
	for (n = 0; n < 3; n++) {
		rb_fill(rb_out, 50, n);
		ASSERT_EQ(0, ringbuf_put(self->p, n, rb_out, 50));
	}
	EXPECT_EQ(0, ringbuf_next(self->r, &self->e));
	/* What is published comes after what was gathered. */
	ASSERT_EQ(0, publish(self->p, 3, 50));
	for (n = 0; n < 4; n++)
		ASSERT_EQ(0, take(self->r, n, 50));
	/* 64 KiB of them go by themselves. */
	rb_fill(rb_out, 1000, 4);
	for (n = 0; n < 65; n++)
		ASSERT_EQ(0, ringbuf_put(self->p, 4, rb_out, 1000));
	ASSERT_EQ(0, ringbuf_publisher_info(self->p, &info));
	EXPECT_EQ(4 + 64, info.head_seq);
	/* The last one at the close. */
	EXPECT_EQ(0, ringbuf_publisher_close(self->p));
	self->p = NULL;
	ASSERT_EQ(0, ringbuf_reader_info(self->r, &info));
	EXPECT_EQ(4 + 65, info.head_seq);
}

/* Its file gone bad for a while: what fails is not published later on. */
TEST_F(lib, write_fails)
{
	struct ringbuf_info info;
	int fd, full, good;

	START("");
	fd = ringbuf_publisher_fd(self->p);
	good = dup(fd);
	full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	ASSERT_EQ(fd, dup2(full, fd));
	EXPECT_EQ(-ENOSPC, publish(self->p, 7, 10));
	EXPECT_EQ(-ENOSPC, publish(self->p, 7, 100000));
	rb_fill(rb_out, 10, 0);
	EXPECT_EQ(0, ringbuf_put(self->p, 0, rb_out, 10));
	/* What was gathered stays, and comes first. */
	EXPECT_EQ(-ENOSPC, ringbuf_flush(self->p));
	EXPECT_EQ(-ENOSPC, publish(self->p, 7, 10));
	ASSERT_EQ(fd, dup2(good, fd));
	EXPECT_EQ(0, publish(self->p, 1, 20));
	EXPECT_EQ(0, take(self->r, 0, 10));
	EXPECT_EQ(0, take(self->r, 1, 20));
	ASSERT_EQ(0, ringbuf_publisher_info(self->p, &info));
	EXPECT_EQ(2, info.head_seq);
	close(full);
	close(good);
}

struct event {
	uint32_t id;
	uint64_t value;
};

DEFINE_RINGBUF_TYPED(event, struct event);
DEFINE_RINGBUF_TYPED_ID(number, int, 7);

TEST_F(lib, typed)
{
	struct event ev = { .id = 5, .value = 1ULL << 40 }, got = {};
	int n = 42;

	START("");
	ASSERT_EQ(0, event_write(self->p, &ev));
	n = 42;
	ASSERT_EQ(0, number_put(self->p, &n));
	ASSERT_EQ(0, ringbuf_put(self->p, 7, "xyz", 3));
	n = 43;
	ASSERT_EQ(0, number_put(self->p, &n));
	ASSERT_EQ(0, event_put(self->p, &ev));
	ASSERT_EQ(0, ringbuf_flush(self->p));
	ASSERT_EQ(1, event_next(self->r, &got));
	EXPECT_EQ(5, got.id);
	EXPECT_EQ(1ULL << 40, got.value);
	ASSERT_EQ(-EPROTO, event_next(self->r, &got));
	ASSERT_EQ(-EPROTO, number_next(self->r, &n));
	ASSERT_EQ(1, number_next(self->r, &n));
	EXPECT_EQ(43, n);
	ASSERT_EQ(1, event_next(self->r, &got));
	EXPECT_EQ(0, event_next(self->r, &got));
}

TEST_F(lib, fdopen_goes_on)
{
	struct ringbuf_consumer c = { .struct_size = sizeof(c) };
	int fd, n;

	START("");
	fd = rb_open(O_RDONLY);
	ASSERT_EQ(0, publish_many(self->p, 0, 10, 64));
	for (n = 0; n < 4; n++)
		ASSERT_EQ(64, rb_get(fd, n));
	ringbuf_reader_close(self->r);
	self->r = NULL;
	/* What it said about an end is not what we say. */
	ASSERT_EQ(0, rb_set_consumer(fd, RINGBUF_CONSUMER_EOF));
	ASSERT_EQ(0, ringbuf_reader_fdopen(&self->r, fd, variant->flags));
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &self->s));
	EXPECT_EQ(4, self->s.seq);
	EXPECT_EQ(6, self->s.lag_records);
	EXPECT_EQ(0, self->s.read_records | self->s.lost_records);
	for (n = 4; n < 10; n++)
		ASSERT_EQ(0, take(self->r, n, 64));
	ASSERT_EQ(0, ioctl(fd, RINGBUF_IOC_GET_CONSUMER, &c));
	EXPECT_EQ(variant->flags ? RINGBUF_CONSUMER_FRAMED : 0, c.flags);
	EXPECT_EQ(0, ringbuf_publisher_close(self->p));
	self->p = NULL;
	EXPECT_EQ(0, ringbuf_wait(self->r, 0));
}

/* A map lives on in a child; each has a place of its own in it. */
TEST_F(lib, fork_reads)
{
	pid_t pid;

	START("");
	ASSERT_EQ(0, publish_many(self->p, 0, 10, 64));
	ASSERT_EQ(0, take(self->r, 0, 64));
	pid = fork();
	if (!pid) {
		int n, ret = 0;

		for (n = 1; !ret && n < 10; n++)
			ret = take(self->r, n, 64);
		_exit(!!ret);
	}
	EXPECT_EQ(0, rb_reap(pid));
	EXPECT_EQ(0, take(self->r, 1, 64));
}

TEST_HARNESS_MAIN
