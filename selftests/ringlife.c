// SPDX-License-Identifier: GPL-2.0
/*
 * Rings that come and go: what keeps the module, what is left of a ring, and
 * those who use rings while others make and end them.
 */
#include "rings.h"
#include "map.h"

#define NAME		"life"
#define LEN		100
#define CONFIGFS_KO	"/mnt/configfs.ko"
#define FRAMED		RINGBUF_CONSUMER_FRAMED
#define RELIABLE	RINGBUF_CONSUMER_RELIABLE
#define DEAD		RINGBUF_RING_DEAD

FIXTURE(module) {
};

FIXTURE_SETUP(module)
{
	RINGS_LOAD();
}

FIXTURE_TEARDOWN(module)
{
	EXPECT_EQ(0, rings_clear());
	EXPECT_EQ(0, rb_remove_wait());
}

TEST_F(module, it_stays_while_there_is_a_directory)
{
	int fd;

	ASSERT_EQ(0, ring_mkdir(NAME));
	EXPECT_EQ(-EWOULDBLOCK, rb_remove());
	ASSERT_EQ(0, ring_set(NAME, "live", "1"));
	EXPECT_EQ(-EWOULDBLOCK, rb_remove());
	ASSERT_EQ(0, ring_set(NAME, "live", "0"));
	EXPECT_EQ(-EWOULDBLOCK, rb_remove());
	ASSERT_EQ(0, ring_mkdir("other"));
	ASSERT_EQ(0, ring_rmdir(NAME));
	EXPECT_EQ(-EWOULDBLOCK, rb_remove());
	fd = open(RINGS "other/size", O_RDONLY | O_CLOEXEC);
	ASSERT_EQ(0, ring_rmdir("other"));
	EXPECT_EQ(-EWOULDBLOCK, rb_remove());
	close(fd);
	EXPECT_EQ(0, rb_remove());
	EXPECT_NE(0, access(RINGS, F_OK));
}

TEST_F(module, it_stays_while_a_file_or_a_map_of_an_ended_ring_is_there)
{
	struct rb_map m;
	int r, w;

	ASSERT_EQ(0, ring_new(NAME, "size=4096"));
	w = ring_open(NAME, O_WRONLY);
	r = ring_open(NAME, O_RDONLY);
	ASSERT_EQ(0, rb_put_many(w, 0, 10, LEN));
	ASSERT_EQ(0, rb_map_fd(&m, r));
	ASSERT_EQ(0, ring_rmdir(NAME));
	EXPECT_TRUE(ring_is_gone(NAME));
	EXPECT_EQ(-EWOULDBLOCK, rb_remove());
	close(r);
	EXPECT_EQ(-EWOULDBLOCK, rb_remove());
	close(w);
	EXPECT_EQ(-EWOULDBLOCK, rb_remove());
	EXPECT_TRUE(m.page->flags & DEAD);
	EXPECT_TRUE(rb_frame_ok(rb_map_at(&m, 0), 0, LEN));
	ASSERT_EQ(0, rb_unmap(&m));
	EXPECT_EQ(0, rb_remove());
}

TEST_F(module, a_killed_process_keeps_nothing)
{
	int ready[2];
	struct rb_map m;
	pid_t pid;
	char c = 0;

	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, ring_new(NAME, "size=4096 reliable=1"));
	pid = fork();
	if (!pid) {
		int r = ring_open(NAME, O_RDWR);

		if (rb_set_consumer(r, RELIABLE) || rb_map_fd(&m, r) ||
		    write(ready[1], &c, 1) != 1)
			_exit(1);
		rb_get(r, 0);
		_exit(2);
	}
	ASSERT_EQ(1, read(ready[0], &c, 1));
	ASSERT_TRUE(rb_wait_blocked(pid, SYS_read));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(-SIGKILL, rb_reap(pid));
	ASSERT_EQ(0, ring_rmdir(NAME));
	EXPECT_EQ(0, rb_remove_wait());
}

TEST_F(module, it_comes_and_goes_with_rings)
{
	int fd, n;

	for (n = 0; n < 30; n++) {
		ASSERT_EQ(0, ring_new(NAME, n % 2 ? "size=4096" : "size=65536"));
		fd = ring_open(NAME, O_RDWR | O_NONBLOCK);
		ASSERT_EQ(LEN, rb_put(fd, n, LEN));
		if (n % 3)
			ASSERT_EQ(0, ring_rmdir(NAME));
		ASSERT_EQ(LEN, rb_get(fd, n));
		close(fd);
		ASSERT_EQ(0, rings_clear());
		ASSERT_EQ(0, rb_remove()) TH_LOG("%d", n);
		EXPECT_TRUE(ring_is_gone(NAME));
		EXPECT_NE(0, access(RINGS, F_OK));
		ASSERT_EQ(0, rb_insert(""));
	}
}

FIXTURE(configfs) {
	bool built_in;
};

static int insert_configfs(void)
{
	int fd = RC(open(CONFIGFS_KO, O_RDONLY | O_CLOEXEC));
	int ret = fd < 0 ? fd : RC(syscall(SYS_finit_module, fd, "", 0));

	if (fd >= 0)
		close(fd);
	return ret;
}

static int remove_configfs(void)
{
	return RC(syscall(SYS_delete_module, "configfs", O_NONBLOCK));
}

FIXTURE_SETUP(configfs)
{
	self->built_in = access(CONFIGFS_KO, F_OK);
	if (self->built_in)
		SKIP(return, "configfs is no module here");
	ASSERT_EQ(0, rb_remove_wait());
	*rb_reloaded = true;
	umount(CONFIGFS);
	ASSERT_EQ(0, remove_configfs());
	ASSERT_NE(0, access(CONFIGFS, F_OK));
}

FIXTURE_TEARDOWN(configfs)
{
	if (self->built_in)
		return;
	insert_configfs();
	EXPECT_EQ(0, rings_load(""));
}

TEST_F(configfs, without_it_there_is_the_default_ring)
{
	int fd;

	ASSERT_EQ(0, rb_insert(""));
	fd = rb_open(O_RDWR | O_NONBLOCK);
	ASSERT_LE(0, fd);
	EXPECT_EQ(LEN, rb_put(fd, 0, LEN));
	EXPECT_EQ(LEN, rb_get(fd, 0));
	close(fd);
	/* It comes too late. */
	ASSERT_EQ(0, insert_configfs());
	ASSERT_EQ(0, mount("configfs", CONFIGFS, "configfs", 0, NULL));
	EXPECT_NE(0, access(RINGS, F_OK));
	EXPECT_EQ(0, rb_remove());
	/* And is not held by who has no use for it. */
	ASSERT_EQ(0, rb_insert(""));
	EXPECT_EQ(0, access(RINGS, F_OK));
	EXPECT_EQ(0, ring_new(NAME, "size=4096"));
	fd = ring_open(NAME, O_RDWR);
	EXPECT_LE(0, fd);
	close(fd);
	EXPECT_EQ(-EWOULDBLOCK, remove_configfs());
}

TEST_F(configfs, it_may_come_and_go_before)
{
	for (int k = 0; k < 3; k++) {
		ASSERT_EQ(0, insert_configfs());
		ASSERT_EQ(0, rb_insert(""));
		/* Not mounted, it is there all the same. */
		ASSERT_EQ(0, mount("configfs", CONFIGFS, "configfs", 0, NULL));
		EXPECT_EQ(0, access(RINGS, F_OK));
		ASSERT_EQ(0, umount(CONFIGFS));
		EXPECT_EQ(-EWOULDBLOCK, remove_configfs());
		ASSERT_EQ(0, rb_remove());
		ASSERT_EQ(0, remove_configfs());
		ASSERT_EQ(0, rb_insert(""));
		ASSERT_EQ(0, rb_remove());
	}
}

/* The end comes while a writer writes and readers read, at full speed. */

struct end {
	int fd;
	long written;		/* by the writer, as it was told */
	uint64_t final;		/* the head that a mapped reader saw last */
	struct ringbuf_stats stats;
	const char *error;
};

static void *write_to_the_end(void *arg)
{
	struct end *e = arg;
	uint8_t run[8 * RINGBUF_FRAME_SIZE(LEN)];
	int ret, n;

	for (;;) {
		n = e->written % 3 ? 1 : 8;
		rb_set_writer(e->fd, n > 1 ? RINGBUF_WRITER_FRAMED : 0);
		for (int k = 0; n > 1 && k < n; k++)
			rb_frame(run + k * RINGBUF_FRAME_SIZE(LEN), e->written + k, LEN, 0);
		ret = n > 1 ? RC(write(e->fd, run, sizeof(run))) :
		      rb_put(e->fd, e->written, LEN);
		if (ret < 0)
			break;
		e->written += n > 1 ? ret / RINGBUF_FRAME_SIZE(LEN) : 1;
	}
	if (ret != -ENODEV)
		e->error = "write() failed";
	return NULL;
}

static void *read_to_the_end(void *arg)
{
	struct end *e = arg;
	const struct ringbuf_record *rec;
	uint64_t next = 0;
	int ret = 0;

	while (!e->error && (ret = RC(read(e->fd, rb_in, 4096))) > 0)
		for (rec = (void *)rb_in; (uint8_t *)rec < rb_in + ret;
		     rec = rb_next(rec)) {
			if (rec->seq != next)
				e->error = "a gap";
			if (rec->flags)
				next += rb_lost(rec)->records;
			else if (!rb_frame_ok(rec, next++, LEN))
				e->error = "not intact";
		}
	if (!e->error && ret != -ENODEV)
		e->error = "read() failed";
	rb_stats(e->fd, &e->stats);
	return NULL;
}

static void *poll_to_the_end(void *arg)
{
	struct end *e = arg;
	struct pollfd p = { .fd = e->fd, .events = POLLIN };
	uint64_t next = 0;
	int ret = 0;

	while (!e->error) {
		if (poll(&p, 1, RB_WAIT_MS) != 1)
			e->error = "a wakeup was missed";
		if (p.revents == POLLHUP)
			break;
		ret = rb_get(e->fd, next);
		if (ret == LEN) {
			next++;
		} else if (ret == -EPIPE && !rb_stats(e->fd, &e->stats)) {
			next = e->stats.seq;
		} else if (ret == -ENODEV && !(p.revents & POLLIN)) {
			break;
		} else if (ret != -EAGAIN) {
			e->error = "read() failed";
		}
	}
	rb_stats(e->fd, &e->stats);
	return NULL;
}

static void *map_to_the_end(void *arg)
{
	struct end *e = arg;
	long end = rb_now_ms() + RB_WAIT_MS;
	struct rb_map m;

	if (rb_map_fd(&m, e->fd)) {
		e->error = "mmap() failed";
		return NULL;
	}
	/* All records are visible to who sees the flag. */
	while (!(__atomic_load_n(&m.page->flags, __ATOMIC_ACQUIRE) & DEAD))
		if (rb_now_ms() > end) {
			e->error = "the page does not tell";
			break;
		}
	e->final = rb_map_head(&m);
	rb_unmap(&m);
	return NULL;
}

TEST_F_TIMEOUT(module, read_and_lost_is_written_across_the_end, 240)
{
	void *(*fn[])(void *) = {
		write_to_the_end, read_to_the_end, poll_to_the_end, map_to_the_end,
	};
	int rounds = rb_quick() ? 30 : 300;
	unsigned int seed = 1;
	long sum = 0;

	for (int n = 0; n < rounds; n++) {
		struct end e[4] = { 0 };
		struct ringbuf_info i;
		pthread_t t[4];

		ASSERT_EQ(0, ring_new(NAME, n % 2 ? "size=4096" : "size=65536"));
		for (int k = 0; k < 4; k++) {
			e[k].fd = ring_open(NAME, k ? O_RDONLY : O_WRONLY);
			ASSERT_LE(0, e[k].fd);
		}
		ASSERT_EQ(0, rb_set_consumer(e[1].fd, FRAMED));
		fcntl(e[2].fd, F_SETFL, O_NONBLOCK);
		for (int k = 3; k >= 0; k--)
			ASSERT_EQ(0, pthread_create(&t[k], NULL, fn[k], &e[k]));
		usleep(rand_r(&seed) % 5000);
		ASSERT_EQ(0, ring_rmdir(NAME));
		for (int k = 0; k < 4; k++) {
			ASSERT_EQ(0, rb_join(t[k], "thread")) TH_LOG("%d", k);
			EXPECT_STREQ("ok", e[k].error ? e[k].error : "ok")
				TH_LOG("%d in round %d", k, n);
		}
		ASSERT_EQ(0, rb_info(e[0].fd, &i));
		EXPECT_EQ(e[0].written, i.head_seq);
		EXPECT_EQ(i.head, e[3].final) TH_LOG("in round %d", n);
		for (int k = 1; k < 3; k++) {
			EXPECT_EQ(i.head_seq, e[k].stats.read_records +
				  e[k].stats.lost_records) TH_LOG("%d in round %d", k, n);
			EXPECT_EQ(0, e[k].stats.lag_records);
		}
		for (int k = 0; k < 4; k++)
			close(e[k].fd);
		sum += e[0].written;
	}
	TH_LOG("%ld records in %d rings", sum, rounds);
}

TEST_HARNESS_MAIN
