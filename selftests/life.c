// SPDX-License-Identifier: GPL-2.0
/* The module's life: parameters, sysfs, removal while busy, comings and goings. */
#include "ringbuf_test.h"

#define SYSFS	"/sys/class/ringbuf/ringbuf/"

FIXTURE(module) {
	int kmsg;
};

FIXTURE_SETUP(module)
{
	ASSERT_EQ(0, rb_remove_wait());
	*rb_reloaded = true;
	self->kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	ASSERT_LE(0, self->kmsg);
	ASSERT_EQ(0, lseek(self->kmsg, 0, SEEK_END));
}

FIXTURE_TEARDOWN(module)
{
	close(self->kmsg);
}

/* Does a line that the kernel logged since name both of these? */
static bool logged(int kmsg, const char *what)
{
	char line[2048];
	bool found = false;
	int n;

	while ((n = read(kmsg, line, sizeof(line) - 1)) > 0) {
		line[n] = 0;
		if (strstr(line, "ringbuf") && strstr(line, what))
			found = true;
	}
	return found;
}

TEST_F(module, a_bad_parameter_refuses_to_load_and_is_named)
{
	static const struct {
		const char *arg;
		const char *name;
	} bad[] = {
		{ "size=0", "size" }, { "size=1", "size" },
		{ "size=2048", "size" }, { "size=4095", "size" },
		{ "size=4097", "size" }, { "size=12288", "size" },
		{ "size=2147483648", "size" }, { "size=-4096", "size" },
		{ "size=abc", "size" }, { "size=", "size" },
		{ "size=4294967296", "size" },
		{ "size=4294971392", "size" },
		{ "clock=", "clock" }, { "clock=1", "clock" },
		{ "clock=boot", "clock" }, { "clock=Boottime", "clock" },
		{ "mode=010000", "mode" }, { "mode=01777", "mode" },
		{ "mode=0999", "mode" }, { "mode=rw", "mode" },
		{ "mode=-1", "mode" },
		{ "max_consumers=2147483648", "max_consumers" },
		{ "max_consumers=-1", "max_consumers" },
		{ "max_consumers=many", "max_consumers" },
		{ "max_consumers_per_user=2147483648", "max_consumers_per_user" },
		{ "max_consumers_per_user=-1", "max_consumers_per_user" },
		{ "reliable=2", "reliable" }, { "reliable=maybe", "reliable" },
		{ "stall_ms=-1", "stall_ms" }, { "stall_ms=soon", "stall_ms" },
		{ "stall_ms=1.5", "stall_ms" },
	};
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, rb_insert(bad[i].arg))
			TH_LOG("%s", bad[i].arg);
		EXPECT_TRUE(logged(self->kmsg, bad[i].name))
			TH_LOG("%s: not named", bad[i].arg);
		EXPECT_EQ(-ENOENT, RC(stat(RB_DEV, &st)));
		rb_remove();
	}
	EXPECT_EQ(0, rb_insert(""));
}

TEST_F(module, every_power_of_two_from_a_page_is_a_size)
{
	struct ringbuf_info i;
	char arg[32];
	int r;

	for (uint64_t size = 4096; size <= 16 << 20; size *= 4) {
		snprintf(arg, sizeof(arg), "size=%llu", (long long)size);
		ASSERT_EQ(0, rb_insert(arg));
		r = rb_open(O_RDONLY);
		ASSERT_EQ(0, rb_info(r, &i));
		EXPECT_EQ(size, i.data_size);
		EXPECT_EQ(size / 4 - 24, i.max_record);
		close(r);
		ASSERT_EQ(0, rb_remove());
	}
}

TEST_F(module, the_defaults_are_a_mebibyte_and_boottime)
{
	struct ringbuf_info i;
	int r;

	ASSERT_EQ(0, rb_insert(""));
	r = rb_open(O_RDONLY);
	ASSERT_EQ(0, rb_info(r, &i));
	EXPECT_EQ(1 << 20, i.data_size);
	EXPECT_EQ(RINGBUF_RING_TIMESTAMPS, i.flags);
	EXPECT_EQ(CLOCK_BOOTTIME, i.clockid);
	close(r);
}

TEST_F(module, it_stays_while_a_file_is_open)
{
	int r, w, d;

	ASSERT_EQ(0, rb_insert(""));
	r = rb_open(O_RDONLY);
	EXPECT_EQ(-EWOULDBLOCK, rb_remove());
	w = rb_open(O_WRONLY);
	close(r);
	EXPECT_EQ(-EWOULDBLOCK, rb_remove());
	d = dup(w);
	close(w);
	EXPECT_EQ(-EWOULDBLOCK, rb_remove());
	/* And goes on working. */
	EXPECT_EQ(8, rb_put(d, 0, 8));
	close(d);
	EXPECT_EQ(0, rb_remove());
	EXPECT_EQ(-ENOENT, rb_open(O_RDONLY));
}

TEST_F(module, it_stays_while_a_reader_is_blocked)
{
	struct rb_op op;
	int r, w;

	ASSERT_EQ(0, rb_insert(""));
	r = rb_open(O_RDONLY);
	ASSERT_TRUE(rb_op_block(&op, SYS_read, r, rb_in, RB_MAX));
	EXPECT_EQ(-EWOULDBLOCK, rb_remove());
	w = rb_open(O_WRONLY);
	ASSERT_EQ(8, rb_put(w, 0, 8));
	EXPECT_EQ(8, rb_op_wait(&op));
	close(w);
	close(r);
	EXPECT_EQ(0, rb_remove());
}

TEST_F_TIMEOUT(module, it_comes_and_goes_fifty_times, 100)
{
	int r, w;

	for (int k = 0; k < 50; k++) {
		ASSERT_EQ(0, rb_insert(k % 2 ? "size=4096" : "")) TH_LOG("%d", k);
		w = rb_open(O_WRONLY);
		r = rb_open(O_RDONLY | O_NONBLOCK);
		ASSERT_EQ(0, rb_put_many(w, 0, 10, 100));
		for (int n = 0; n < 10; n++)
			ASSERT_EQ(100, rb_get(r, n));
		ASSERT_EQ(-EAGAIN, rb_get(r, 10));
		close(r);
		close(w);
		ASSERT_EQ(0, rb_remove()) TH_LOG("%d", k);
	}
}

static atomic_long stop;

static void *opener(void *arg)
{
	atomic_long *opened = arg;
	int fd;

	while (!atomic_load(&stop)) {
		fd = rb_open(O_RDONLY | O_NONBLOCK);
		if (fd < 0)
			continue;
		rb_get(fd, 0);
		close(fd);
		atomic_fetch_add(opened, 1);
	}
	return NULL;
}

TEST_F(module, removal_and_open_may_race)
{
	atomic_long opened = 0;
	int removed = 0, ret;
	long end = rb_now_ms() + RB_WAIT_MS, before;
	pthread_t t;

	atomic_store(&stop, 0);
	ASSERT_EQ(0, pthread_create(&t, NULL, opener, &opened));
	/* A slow machine may not get to all 30 in time, but five it does. */
	while (removed < 5 || (removed < 30 && rb_now_ms() < end)) {
		ASSERT_EQ(0, rb_insert(""));
		before = atomic_load(&opened);
		while (atomic_load(&opened) == before)
			sched_yield();
		while ((ret = rb_remove()) == -EWOULDBLOCK)
			sched_yield();
		ASSERT_EQ(0, ret);
		removed++;
	}
	atomic_store(&stop, 1);
	ASSERT_EQ(0, rb_join(t, "opener"));
	EXPECT_LE(removed, atomic_load(&opened));
}

TEST_F(module, records_outlive_their_writer)
{
	int r, w;

	ASSERT_EQ(0, rb_insert(""));
	w = rb_open(O_WRONLY);
	ASSERT_EQ(0, rb_put_many(w, 0, 10, 100));
	close(w);
	r = rb_open(O_RDONLY | O_NONBLOCK);
	for (int n = 0; n < 10; n++)
		EXPECT_EQ(100, rb_get(r, n));
	EXPECT_EQ(-EAGAIN, rb_get(r, 10));
	close(r);
}

/* The number in a file of the device's sysfs directory, or -1. */
static long long attr(const char *name)
{
	char path[128], buf[64] = "", *end;
	long long v;
	int fd;

	snprintf(path, sizeof(path), SYSFS "%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -1;
	if (read(fd, buf, sizeof(buf) - 1) < 0)
		buf[0] = 0;
	close(fd);
	v = strtoll(buf, &end, 0);
	return end != buf && !strcmp(end, "\n") ? v : -2;
}

TEST_F(module, sysfs_shows_the_ring)
{
	struct ringbuf_info i;
	int r, w;

	ASSERT_EQ(0, rb_insert("size=4096 clock=none"));
	EXPECT_EQ(0, attr("writer"));
	EXPECT_EQ(0, attr("consumers"));
	w = rb_open(O_WRONLY);
	r = rb_open(O_RDONLY);
	ASSERT_EQ(0, rb_put_many(w, 0, 100, 100));
	ASSERT_EQ(0, rb_info(r, &i));
	EXPECT_EQ(4096, attr("size"));
	EXPECT_EQ(i.head, attr("head"));
	EXPECT_EQ(i.tail, attr("tail"));
	EXPECT_EQ(100, attr("head_seq"));
	EXPECT_EQ(i.tail_seq, attr("tail_seq"));
	EXPECT_EQ(i.overwritten, attr("overwritten"));
	EXPECT_LT(0, i.overwritten);
	EXPECT_EQ(0, attr("dropped"));
	EXPECT_EQ(1, attr("consumers"));
	EXPECT_EQ(1, attr("writer"));
	EXPECT_EQ(1000, attr("max_record"));
	close(w);
	close(r);
	EXPECT_EQ(0, attr("writer"));
	EXPECT_EQ(0, attr("consumers"));
}

TEST_HARNESS_MAIN
