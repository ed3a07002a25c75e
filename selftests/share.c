// SPDX-License-Identifier: GPL-2.0
/* One consumer, several users: threads, dup, fork, SCM_RIGHTS. */
#include "ringbuf_test.h"
#include "uffd.h"

#include <sys/epoll.h>

#define THREADS	8

FIXTURE(ring) {
	struct rb_pair p;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, ""));
}

FIXTURE_TEARDOWN(ring)
{
	rb_pair_close(&self->p);
}

TEST_F(ring, a_dup_shares_cursor_and_flags)
{
	struct ringbuf_consumer c = { .struct_size = sizeof(c) };
	int d = dup(self->p.r);

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 4, 8));
	EXPECT_EQ(8, rb_get(self->p.r, 0));
	EXPECT_EQ(8, rb_get(d, 1));
	EXPECT_EQ(2, rb_at(self->p.r));
	ASSERT_EQ(0, rb_set_consumer(d, RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(0, ioctl(self->p.r, RINGBUF_IOC_GET_CONSUMER, &c));
	EXPECT_EQ(RINGBUF_CONSUMER_FRAMED, c.flags);
	close(d);
	EXPECT_EQ(64, RC(read(self->p.r, rb_in, RB_MAX)));
}

TEST_F(ring, a_dup_is_not_another_consumer)
{
	struct ringbuf_info i;
	int d = dup(self->p.r);

	ASSERT_EQ(0, rb_info(self->p.r, &i));
	EXPECT_EQ(1, i.consumers);
	close(self->p.r);
	ASSERT_EQ(0, rb_info(d, &i));
	EXPECT_EQ(1, i.consumers);
	self->p.r = d;
}

TEST_F(ring, a_fresh_open_has_a_fresh_cursor)
{
	char path[64];
	int r;

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 4, 8));
	ASSERT_EQ(8, rb_get(self->p.r, 0));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->p.r);
	r = open(path, O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, r);
	EXPECT_EQ(8, rb_get(r, 0));
	EXPECT_EQ(32, RC(read(self->p.r, rb_in, 32)));
	EXPECT_EQ(8, rb_get(r, 1));
	close(r);
}

TEST_F(ring, a_fork_shares_the_cursor)
{
	pid_t pid;

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 8));
	EXPECT_EQ(8, rb_get(self->p.r, 0));
	pid = fork();
	if (!pid)
		_exit(rb_get(self->p.r, 1) == 8 ? 0 : 1);
	EXPECT_EQ(0, rb_reap(pid));
	EXPECT_EQ(8, rb_get(self->p.r, 2));
}

static int send_fd(int sock, int fd)
{
	char ctl[CMSG_SPACE(sizeof(int))] = "", c = 0;
	struct iovec v = { &c, 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1,
		.msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	return RC(sendmsg(sock, &m, 0));
}

static int recv_fd(int sock)
{
	char ctl[CMSG_SPACE(sizeof(int))], c;
	struct iovec v = { &c, 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1,
		.msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	int fd;

	if (recvmsg(sock, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

TEST_F(ring, a_passed_file_shares_the_cursor_and_outlives_its_sender)
{
	struct ringbuf_info i;
	int sv[2], fd;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 8));
	pid = fork();
	if (!pid) {
		int r = rb_open(O_RDONLY | O_NONBLOCK);

		_exit(rb_get(r, 0) == 8 && send_fd(sv[1], r) == 1 ? 0 : 1);
	}
	ASSERT_EQ(0, rb_reap(pid));
	ASSERT_EQ(0, rb_info(self->p.w, &i));
	EXPECT_EQ(2, i.consumers);
	fd = recv_fd(sv[0]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(8, rb_get(fd, 1));
	EXPECT_EQ(8, rb_get(fd, 2));
	EXPECT_EQ(-EAGAIN, rb_get(fd, 3));
	close(fd);
	ASSERT_EQ(0, rb_info(self->p.w, &i));
	EXPECT_EQ(1, i.consumers);
}

/* Threads that share one consumer. */
#define SHARED	20000

static atomic_int seen[SHARED];

struct crew {
	int fd;
	bool framed;
	atomic_long bad;
	atomic_long got;
};

static void note(struct crew *c, const void *payload, size_t len)
{
	uint32_t n;

	memcpy(&n, payload, sizeof(n));
	if (len != 4 || n >= SHARED || atomic_fetch_add(&seen[n], 1))
		atomic_fetch_add(&c->bad, 1);
	atomic_fetch_add(&c->got, 1);
}

static void *worker(void *arg)
{
	const struct ringbuf_record *rec;
	struct crew *c = arg;
	char buf[400];
	int len;

	while ((len = RC(read(c->fd, buf, sizeof(buf)))) > 0) {
		if (!c->framed) {
			note(c, buf, len);
			continue;
		}
		for (rec = (void *)buf; (char *)rec < buf + len;
		     rec = rb_next(rec))
			note(c, rec + 1, rec->flags ? 0 : rec->len);
	}
	if (len)
		atomic_fetch_add(&c->bad, 1);
	return NULL;
}

FIXTURE(crew) {
	struct rb_pair p;
};

FIXTURE_VARIANT(crew) {
	uint32_t flags;
};

FIXTURE_VARIANT_ADD(crew, message) { .flags = RINGBUF_CONSUMER_EOF };
FIXTURE_VARIANT_ADD(crew, framed) {
	.flags = RINGBUF_CONSUMER_EOF | RINGBUF_CONSUMER_FRAMED,
};

FIXTURE_SETUP(crew)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, ""));
	ASSERT_EQ(0, fcntl(self->p.r, F_SETFL, 0));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, variant->flags));
}

FIXTURE_TEARDOWN(crew)
{
	close(self->p.r);
}

TEST_F(crew, gets_each_record_once)
{
	struct crew c = {
		.fd = self->p.r,
		.framed = variant->flags & RINGBUF_CONSUMER_FRAMED,
	};
	pthread_t t[THREADS];
	struct ringbuf_stats s;

	for (int i = 0; i < THREADS; i++)
		ASSERT_EQ(0, pthread_create(&t[i], NULL, worker, &c));
	/* All of it fits in the ring: nothing may be lost. */
	for (uint32_t n = 0; n < SHARED; n++)
		ASSERT_EQ(4, write(self->p.w, &n, 4));
	close(self->p.w);
	for (int i = 0; i < THREADS; i++)
		ASSERT_EQ(0, rb_join(t[i], "worker"));
	EXPECT_EQ(0, atomic_load(&c.bad));
	EXPECT_EQ(SHARED, atomic_load(&c.got));
	ASSERT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(SHARED, s.read_records);
	EXPECT_EQ(SHARED * 32ULL, s.read_bytes);
	EXPECT_EQ(0, s.lost_records);
}

TEST_F(crew, one_record_goes_to_one_of_those_that_wait)
{
	static char buf[THREADS][64];
	struct rb_op op[THREADS];
	int done = 0, ret;

	for (int i = 0; i < THREADS; i++)
		ASSERT_TRUE(rb_op_block(&op[i], SYS_read, self->p.r, buf[i], 64));
	for (int n = 0; n < THREADS / 2; n++)
		ASSERT_EQ(8, rb_put(self->p.w, n, 8));
	close(self->p.w);
	for (int i = 0; i < THREADS; i++) {
		ret = rb_op_wait(&op[i]);
		ASSERT_LE(0, ret);
		done += ret ? ret / (variant->flags & RINGBUF_CONSUMER_FRAMED ? 32 : 8) : 0;
	}
	EXPECT_EQ(THREADS / 2, done);
}

/* Threads that share the writer, each with numbers of its own. */
static void *co_writer(void *arg)
{
	uint64_t n, first = *(uint64_t *)arg;
	int w = *((uint64_t *)arg + 1);

	for (n = first; n < first + 1000; n++)
		if (rb_put(w, n, 8 + n % 100) != (int)(8 + n % 100))
			return arg;
	return NULL;
}

TEST_F(ring, threads_that_share_the_writer_publish_whole_records)
{
	uint64_t arg[4][2], next[4];
	pthread_t t[4];
	int len, k;

	for (k = 0; k < 4; k++) {
		arg[k][0] = next[k] = k * 1000;
		arg[k][1] = self->p.w;
		ASSERT_EQ(0, pthread_create(&t[k], NULL, co_writer, arg[k]));
	}
	for (k = 0; k < 4; k++)
		ASSERT_EQ(0, rb_join(t[k], "writer"));
	/* Each thread's records come in its order. */
	while ((len = RC(read(self->p.r, rb_in, RB_MAX))) > 0) {
		for (k = 0; k < 4; k++)
			if (next[k] < (k + 1) * 1000U &&
			    len == (int)(8 + next[k] % 100) &&
			    rb_intact(rb_in, len, next[k]))
				break;
		ASSERT_GT(4, k);
		next[k]++;
	}
	EXPECT_EQ(-EAGAIN, len);
	for (k = 0; k < 4; k++)
		EXPECT_EQ((k + 1) * 1000, next[k]);
}

TEST_F(ring, a_blocked_reader_holds_no_sharer_up)
{
	struct pollfd p = { .fd = self->p.r, .events = POLLIN };
	struct iovec v = { rb_in, RB_MAX };
	struct ringbuf_stats s;
	char buf[64];
	struct rb_op op;

	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	ASSERT_EQ(8, rb_get(self->p.r, 0));
	ASSERT_EQ(0, fcntl(self->p.r, F_SETFL, 0));
	ASSERT_TRUE(rb_op_block(&op, SYS_read, self->p.r, buf, sizeof(buf)));
	EXPECT_EQ(0, rb_stats(self->p.r, &s));
	EXPECT_EQ(0, rb_fionread(self->p.r));
	EXPECT_EQ(0, poll(&p, 1, 0));
	EXPECT_EQ(-EAGAIN, RC(preadv2(self->p.r, &v, 1, -1, RWF_NOWAIT)));
	EXPECT_EQ(1, rb_at(self->p.r));
	EXPECT_EQ(0, rb_set_consumer(self->p.r, 0));
	ASSERT_TRUE(rb_op_blocked(&op));
	ASSERT_EQ(8, rb_put(self->p.w, 1, 8));
	EXPECT_EQ(8, rb_op_wait(&op));
	EXPECT_TRUE(rb_intact(buf, 8, 1));
}

/* Another one takes the record while this one copies it: then it waits anew. */
static void expect_no_end(struct __test_metadata *_metadata, struct rb_pair *p,
			  int sharer_gets)
{
	static char page[65536], buf[64];
	struct rb_uffd u = { .fd = -1 };
	struct rb_op slow;

	ASSERT_EQ(0, rb_uffd_open(&u));
	ASSERT_EQ(0, rb_op_start(&slow, SYS_read, p->r, (uint8_t *)u.mem + u.page, 64));
	ASSERT_EQ(0, rb_uffd_wait(&u));
	EXPECT_EQ(sharer_gets, RC(read(p->r, buf, sharer_gets)));
	ASSERT_EQ(0, rb_uffd_fill(&u, page));
	EXPECT_EQ(-EAGAIN, rb_op_wait(&slow));
	close(u.fd);
}

TEST_F(ring, a_frame_that_another_one_took_is_no_end)
{
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	expect_no_end(_metadata, &self->p, 32);
}

TEST_F(ring, a_record_that_another_one_took_is_no_end)
{
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	expect_no_end(_metadata, &self->p, 8);
}

TEST_F(ring, a_reader_that_faults_holds_no_sharer_up)
{
	static char src[65536], buf[64];
	struct rb_op slow, fast;
	struct rb_uffd u = { .fd = -1 };
	struct ringbuf_stats s;
	uint8_t *got;
	int first;

	ASSERT_EQ(0, rb_uffd_open(&u));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 2, 64));
	got = (uint8_t *)u.mem + u.page;
	ASSERT_EQ(0, rb_op_start(&slow, SYS_read, self->p.r, got, 64));
	ASSERT_EQ(0, rb_uffd_wait(&u));
	/* A sharer may get either record, but must not wait for the page. */
	ASSERT_EQ(0, rb_op_start(&fast, SYS_read, self->p.r, buf, 64));
	EXPECT_EQ(64, rb_op_wait(&fast));
	EXPECT_EQ(0, rb_stats(self->p.r, &s));
	first = rb_intact(buf, 64, 0) ? 0 : 1;
	EXPECT_TRUE(rb_intact(buf, 64, first));
	ASSERT_EQ(0, rb_uffd_fill(&u, src));
	EXPECT_EQ(64, rb_op_wait(&slow));
	EXPECT_TRUE(rb_intact(got, 64, !first));
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 2));
}

/* The number after @key in a file's fdinfo, or -1. */
static long long fdinfo(int fd, const char *key, int base, char *text)
{
	char path[64], buf[1024] = "", *p;
	size_t len = strlen(key);
	int f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = open(path, O_RDONLY);
	if (f < 0 || read(f, buf, sizeof(buf) - 1) < 0)
		return -1;
	close(f);
	for (p = buf; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : p) {
		if (strncmp(p, key, len) || p[len] != ':' || p[len + 1] != '\t')
			continue;
		if (text)
			sscanf(p + len + 2, "%31s", text);
		return strtoll(p + len + 2, NULL, base);
	}
	return -1;
}

TEST_F(ring, fdinfo_shows_cursor_lag_loss_and_flags)
{
	struct ringbuf_stats s;
	struct ringbuf_info i;
	char name[32] = "";
	int r;

	rb_pair_close(&self->p);
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096"));
	r = self->p.r;
	ASSERT_EQ(0, rb_set_consumer(r, RINGBUF_CONSUMER_EOF));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	ASSERT_EQ(8, rb_get(r, 0));
	ASSERT_EQ(0, rb_put_many(self->p.w, 1, 100, 100));
	ASSERT_EQ(0, rb_stats(r, &s));
	ASSERT_EQ(0, rb_info(r, &i));
	ASSERT_LT(0, s.lost_records);
	EXPECT_LE(0, fdinfo(r, "ringbuf", 10, name));
	EXPECT_STREQ(i.name, name);
	EXPECT_EQ(32, fdinfo(r, "ringbuf_pos", 10, NULL));
	EXPECT_EQ(1, fdinfo(r, "seq", 10, NULL));
	EXPECT_EQ(s.lag_records, fdinfo(r, "lag_records", 10, NULL));
	EXPECT_EQ(s.lag_bytes, fdinfo(r, "lag_bytes", 10, NULL));
	EXPECT_EQ(s.max_lag_records, fdinfo(r, "max_lag_records", 10, NULL));
	EXPECT_EQ(s.max_lag_bytes, fdinfo(r, "max_lag_bytes", 10, NULL));
	EXPECT_EQ(s.lost_records, fdinfo(r, "lost_records", 10, NULL));
	EXPECT_EQ(s.lost_bytes, fdinfo(r, "lost_bytes", 10, NULL));
	EXPECT_EQ(s.read_records, fdinfo(r, "read_records", 10, NULL));
	EXPECT_EQ(s.read_bytes, fdinfo(r, "read_bytes", 10, NULL));
	EXPECT_EQ(RINGBUF_CONSUMER_EOF, fdinfo(r, "ringbuf_flags", 16, NULL));
	EXPECT_EQ(0, fdinfo(self->p.w, "pos", 10, NULL));
}

/* A write that is refused for another thread gets an edge when that thread is done. */
TEST_F(ring, a_write_refused_for_another_thread_hears_of_it)
{
	struct epoll_event e = { .events = EPOLLOUT | EPOLLET };
	struct iovec v = { rb_out, 8 };
	struct rb_uffd u = { .fd = -1 };
	char *page = calloc(1, getpagesize());
	struct rb_op op;
	int ep = epoll_create1(0);

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->p.w, &e));
	ASSERT_EQ(1, epoll_wait(ep, &e, 1, RB_WAIT_MS));
	ASSERT_EQ(0, rb_uffd_open(&u));
	ASSERT_EQ(0, rb_op_start(&op, SYS_write, self->p.w, u.mem + u.page - 8, 16));
	ASSERT_EQ(0, rb_uffd_wait(&u));
	ASSERT_EQ(-EAGAIN, RC(pwritev2(self->p.w, &v, 1, -1, RWF_NOWAIT)));
	EXPECT_EQ(0, epoll_wait(ep, &e, 1, 50));
	ASSERT_EQ(0, rb_uffd_fill(&u, page));
	EXPECT_EQ(16, rb_op_wait(&op));
	EXPECT_EQ(1, epoll_wait(ep, &e, 1, RB_WAIT_MS));
	EXPECT_EQ(8, RC(pwritev2(self->p.w, &v, 1, -1, RWF_NOWAIT)));
	close(ep);
	close(u.fd);
	free(page);
}

TEST_HARNESS_MAIN
