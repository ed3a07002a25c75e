// SPDX-License-Identifier: GPL-2.0
/* Rings by configfs: how they are made, that each is one of its own. */
#include "rings.h"

#include <grp.h>

#define MAX_NAME	"abcdefghijklmnopqrstuvwxyz-0123"	/* 31 characters */
#define IN		(POLLIN | POLLRDNORM)
#define OUT		(POLLOUT | POLLWRNORM)
#define MANY		64

FIXTURE(rings) {
};

FIXTURE_SETUP(rings)
{
	RINGS_LOAD();
}

FIXTURE_TEARDOWN(rings)
{
	/* Whatever a test has done, all can be removed afterwards. */
	EXPECT_EQ(0, rings_clear());
	EXPECT_EQ(0, rb_remove_wait());
}

TEST_F(rings, a_directory_has_the_defaults_and_no_device)
{
	struct stat st;

	ASSERT_EQ(0, ring_mkdir("a"));
	EXPECT_TRUE(ring_is("a", "size", "1048576"));
	EXPECT_TRUE(ring_is("a", "mode", "0600"));
	EXPECT_TRUE(ring_is("a", "max_consumers", "0"));
	EXPECT_TRUE(ring_is("a", "max_consumers_per_user", "1024"));
	EXPECT_TRUE(ring_is("a", "clock", "boottime"));
	EXPECT_TRUE(ring_is("a", "reliable", "0"));
	EXPECT_TRUE(ring_is("a", "stall_ms", "0"));
	EXPECT_TRUE(ring_is("a", "live", "0"));
	EXPECT_TRUE(ring_is_gone("a"));
	EXPECT_EQ(0, ring_rmdir("a"));
	EXPECT_EQ(-ENOENT, RC(stat(RINGS "a", &st)));
	/* The default ring has none. */
	EXPECT_EQ(-ENOENT, RC(stat(RINGS "ringbuf", &st)));
}

TEST_F(rings, what_is_set_is_read_back)
{
	static const struct {
		const char *attr, *set, *read;
	} good[] = {
		{ "size", "4096", "4096" }, { "size", "0x2000", "8192" },
		{ "size", "1073741824", "1073741824" },
		{ "size", "65536\n", "65536" },
		{ "mode", "0666", "0666" }, { "mode", "640", "0640" },
		{ "mode", "0", "0" }, { "mode", "0444\n", "0444" },
		{ "max_consumers", "1", "1" },
		{ "max_consumers", "2147483647", "2147483647" },
		{ "max_consumers", "0", "0" },
		{ "max_consumers_per_user", "0", "0" },
		{ "max_consumers_per_user", "2147483647", "2147483647" },
		{ "clock", "none", "none" }, { "clock", "tai\n", "tai" },
		{ "clock", "realtime", "realtime" },
		{ "clock", "monotonic", "monotonic" },
		{ "clock", "boottime", "boottime" },
		{ "reliable", "1", "1" }, { "reliable", "n", "0" },
		{ "reliable", "on", "1" },
		{ "stall_ms", "4294967295", "4294967295" },
		{ "stall_ms", "0", "0" }, { "stall_ms", "250", "250" },
		{ "live", "0", "0" },
	};

	ASSERT_EQ(0, ring_mkdir("a"));
	for (size_t k = 0; k < ARRAY_SIZE(good); k++) {
		EXPECT_EQ(0, ring_set("a", good[k].attr, good[k].set))
			TH_LOG("%s=%s", good[k].attr, good[k].set);
		EXPECT_TRUE(ring_is("a", good[k].attr, good[k].read));
	}
}

TEST_F(rings, bad_values_are_refused_and_change_nothing)
{
	static const struct {
		const char *attr, *set;
		int error;
	} bad[] = {
		{ "size", "0", EINVAL }, { "size", "1", EINVAL },
		{ "size", "2048", EINVAL }, { "size", "4095", EINVAL },
		{ "size", "12288", EINVAL }, { "size", "2147483648", EINVAL },
		{ "size", "-4096", EINVAL }, { "size", "4K", EINVAL },
		{ "size", "4096 ", EINVAL }, { "size", "\n", EINVAL },
		{ "size", "4096\n\n", EINVAL }, { "size", "abc", EINVAL },
		{ "size", "9223372036854775808", EINVAL },
		{ "size", "18446744073709551616", ERANGE },
		{ "size", "18446744073709555712", ERANGE },
		{ "mode", "0700", EINVAL }, { "mode", "01666", EINVAL },
		{ "mode", "0777", EINVAL }, { "mode", "04600", EINVAL },
		{ "mode", "rw", EINVAL }, { "mode", "0800", EINVAL },
		{ "mode", "-1", EINVAL }, { "mode", "0x180", EINVAL },
		{ "mode", "0200600", ERANGE }, { "mode", "0120600", EINVAL },
		{ "max_consumers", "-1", EINVAL },
		{ "max_consumers", "2147483648", EINVAL },
		{ "max_consumers", "4294967296", ERANGE },
		{ "max_consumers", "many", EINVAL },
		{ "max_consumers_per_user", "2147483648", EINVAL },
		{ "max_consumers_per_user", "-1", EINVAL },
		{ "clock", "1", EINVAL }, { "clock", "perhaps", EINVAL },
		{ "clock", "tai ", EINVAL }, { "clock", "\n", EINVAL },
		{ "reliable", "-1", EINVAL }, { "reliable", "maybe", EINVAL },
		{ "stall_ms", "-1", EINVAL }, { "stall_ms", "1.5", EINVAL },
		{ "stall_ms", "4294967296", ERANGE },
		{ "stall_ms", "soon", EINVAL },
		{ "live", "2", EINVAL },
		{ "live", "maybe", EINVAL },
	};

	ASSERT_EQ(0, ring_mkdir("a"));
	ASSERT_EQ(0, ring_configure("a", "size=8192 mode=0640 max_consumers=3 "
				"clock=none reliable=1 stall_ms=7"));
	for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
		EXPECT_EQ(-bad[k].error, ring_set("a", bad[k].attr, bad[k].set))
			TH_LOG("%s='%s'", bad[k].attr, bad[k].set);
	}
	EXPECT_TRUE(ring_is("a", "size", "8192"));
	EXPECT_TRUE(ring_is("a", "mode", "0640"));
	EXPECT_TRUE(ring_is("a", "max_consumers", "3"));
	EXPECT_TRUE(ring_is("a", "clock", "none"));
	EXPECT_TRUE(ring_is("a", "reliable", "1"));
	EXPECT_TRUE(ring_is("a", "stall_ms", "7"));
	EXPECT_TRUE(ring_is("a", "live", "0"));
	EXPECT_TRUE(ring_is_gone("a"));
}

TEST_F(rings, a_live_ring_keeps_its_configuration)
{
	static const char * const settings[][2] = {
		{ "size", "4096" }, { "mode", "0666" }, { "max_consumers", "1" },
		{ "max_consumers_per_user", "1" },
		{ "clock", "none" }, { "reliable", "0" }, { "stall_ms", "1" },
	};
	/* What it is already is a change, too; a bad value is bad first. */
	static const char * const same[][2] = {
		{ "size", "8192" }, { "mode", "0640" }, { "stall_ms", "7" },
	};

	ASSERT_EQ(0, ring_new("a", "size=8192 mode=0640 max_consumers=3 reliable=1 stall_ms=7"));
	for (size_t k = 0; k < ARRAY_SIZE(settings); k++) {
		EXPECT_EQ(-EBUSY, ring_set("a", settings[k][0], settings[k][1]))
			TH_LOG("%s", settings[k][0]);
	}
	for (size_t k = 0; k < ARRAY_SIZE(same); k++)
		EXPECT_EQ(-EBUSY, ring_set("a", same[k][0], same[k][1]));
	EXPECT_EQ(-EINVAL, ring_set("a", "size", "5"));
	EXPECT_TRUE(ring_is("a", "size", "8192"));
	EXPECT_TRUE(ring_is("a", "mode", "0640"));
	EXPECT_TRUE(ring_is("a", "max_consumers", "3"));
	EXPECT_TRUE(ring_is("a", "clock", "boottime"));
	EXPECT_TRUE(ring_is("a", "reliable", "1"));
	EXPECT_TRUE(ring_is("a", "stall_ms", "7"));
	ASSERT_EQ(0, ring_set("a", "live", "0"));
	for (size_t k = 0; k < ARRAY_SIZE(settings); k++)
		EXPECT_EQ(0, ring_set("a", settings[k][0], settings[k][1]));
	ASSERT_EQ(0, ring_set("a", "live", "1"));
	EXPECT_EQ(4096, ring_attr("a", "size"));
}

TEST_F(rings, its_node_comes_and_goes_with_live)
{
	struct stat st, again;

	ASSERT_EQ(0, ring_mkdir("a"));
	ASSERT_EQ(0, ring_configure("a", "size=4096 mode=0644"));
	for (int k = 0; k < 3; k++) {
		EXPECT_EQ(0, ring_set("a", "live", "0"));
		ASSERT_EQ(0, ring_set("a", "live", k ? "y" : "1\n"));
		EXPECT_TRUE(ring_is("a", "live", "1"));
		ASSERT_EQ(0, ring_node("a", &st));
		EXPECT_TRUE(S_ISCHR(st.st_mode));
		EXPECT_EQ(0644, st.st_mode & 07777);
		EXPECT_EQ(0, st.st_uid);
		EXPECT_EQ(0, st.st_gid);
		/* Once more makes no other. */
		EXPECT_EQ(0, ring_set("a", "live", "1"));
		ASSERT_EQ(0, ring_node("a", &again));
		EXPECT_EQ(st.st_rdev, again.st_rdev);
		EXPECT_EQ(st.st_ino, again.st_ino);
		ASSERT_EQ(0, ring_set("a", "live", "0"));
		EXPECT_TRUE(ring_is("a", "live", "0"));
		EXPECT_TRUE(ring_is_gone("a"));
	}
	ASSERT_EQ(0, ring_set("a", "mode", "0"));
	ASSERT_EQ(0, ring_set("a", "live", "1"));
	ASSERT_EQ(0, ring_node("a", &st));
	EXPECT_EQ(0, st.st_mode & 07777);
	ASSERT_EQ(0, ring_rmdir("a"));
	EXPECT_TRUE(ring_is_gone("a"));
}

TEST_F(rings, it_says_who_it_is)
{
	struct ringbuf_info i, d;
	int fd, def = rb_open(O_RDONLY);

	ASSERT_EQ(0, ring_new("who", "size=16384 reliable=1 clock=none"));
	fd = ring_open("who", O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, rb_info(fd, &i));
	EXPECT_STREQ("who", i.name);
	EXPECT_EQ(16384, i.data_size);
	EXPECT_EQ(4096, i.head_offset);
	EXPECT_EQ(8192, i.data_offset);
	EXPECT_EQ(RINGBUF_CLOCK_NONE, i.clockid);
	EXPECT_EQ(4096 - 24, i.max_record);
	EXPECT_EQ(RINGBUF_RING_RELIABLE, i.flags);
	EXPECT_TRUE(i.features & RINGBUF_FEATURE_NAMED);
	EXPECT_EQ(1, i.consumers);
	ASSERT_EQ(0, rb_info(def, &d));
	EXPECT_STREQ("ringbuf", d.name);
	EXPECT_EQ(1 << 20, d.data_size);
	EXPECT_EQ(RINGBUF_RING_TIMESTAMPS, d.flags);
	EXPECT_EQ(i.features, d.features);
	EXPECT_EQ(CLOCK_BOOTTIME, d.clockid);
	EXPECT_NE(0, memcmp(i.id, d.id, sizeof(i.id)));
	close(fd);
	close(def);
}

TEST_F(rings, sysfs_tells_of_each)
{
	struct ringbuf_info i;
	int r, w;

	ASSERT_EQ(0, ring_new("s", "size=4096 reliable=1 stall_ms=77 clock=none"));
	ASSERT_EQ(0, ring_new("t", "size=8192"));
	w = ring_open("s", O_WRONLY);
	r = ring_open("s", O_RDONLY);
	ASSERT_EQ(0, rb_put_many(w, 0, 100, 100));
	ASSERT_EQ(0, rb_set_consumer(r, RINGBUF_CONSUMER_RELIABLE));
	ASSERT_EQ(0, rb_info(r, &i));
	EXPECT_EQ(4096, ring_attr("s", "size"));
	EXPECT_EQ(1000, ring_attr("s", "max_record"));
	EXPECT_EQ(i.head, ring_attr("s", "head"));
	EXPECT_EQ(i.tail, ring_attr("s", "tail"));
	EXPECT_EQ(100, ring_attr("s", "head_seq"));
	EXPECT_EQ(i.tail_seq, ring_attr("s", "tail_seq"));
	EXPECT_EQ(i.overwritten, ring_attr("s", "overwritten"));
	EXPECT_EQ(0, ring_attr("s", "dropped"));
	EXPECT_EQ(1, ring_attr("s", "consumers"));
	EXPECT_EQ(1, ring_attr("s", "reliable_consumers"));
	EXPECT_EQ(1, ring_attr("s", "writer"));
	EXPECT_EQ(1, ring_attr("s", "reliable"));
	EXPECT_EQ(77, ring_attr("s", "stall_ms"));
	EXPECT_EQ(0, ring_attr("s", "holder"));
	EXPECT_EQ(8192, ring_attr("t", "size"));
	EXPECT_EQ(0, ring_attr("t", "head"));
	EXPECT_EQ(0, ring_attr("t", "consumers"));
	EXPECT_EQ(0, ring_attr("t", "writer"));
	EXPECT_EQ(0, ring_attr("t", "stall_ms"));
	close(r);
	close(w);
}

TEST_F(rings, good_names)
{
	static const char * const good[] = {
		MAX_NAME, "a", "0", "_", "A.b_c-9", "a.", "a-", "live", "a..b",
		"RINGBUF", "ringbuf-", "ringbuf-x", "ringbu", "ringbuff",
		"12345678901234567890",
	};
	struct ringbuf_info i;
	int fd;

	for (size_t k = 0; k < ARRAY_SIZE(good); k++) {
		ASSERT_EQ(0, ring_new(good[k], "size=4096")) TH_LOG("'%s'", good[k]);
		fd = ring_open(good[k], O_RDWR | O_NONBLOCK);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, rb_info(fd, &i));
		EXPECT_STREQ(good[k], i.name);
		EXPECT_EQ(8, rb_put(fd, k, 8));
		EXPECT_EQ(8, rb_get(fd, k));
		EXPECT_EQ(4096, ring_attr(good[k], "size"));
		close(fd);
	}
	EXPECT_EQ(0, rings_clear());
	for (size_t k = 0; k < ARRAY_SIZE(good); k++)
		EXPECT_TRUE(ring_is_gone(good[k]));
}

TEST_F(rings, bad_names)
{
	static const char * const bad[] = {
		".a", "...", "-", "-rf", "a b", " a", "a ", "a\n", "\ta",
		"ring\xc3\xa4", "\xff", "*", "a*", "a?", "a:b", "a,b", "a;b",
		"a\\b", "a!b", "~", "%s", "a\x7f", "a\x01", "a=b", "a@b", "(a)",
		"a'b", "a\"b", "#", "$HOME", "a&b", "a|b", "<a>", "[a]", "{a}",
	};
	char name[256];

	for (size_t k = 0; k < ARRAY_SIZE(bad); k++) {
		EXPECT_EQ(-EINVAL, ring_mkdir(bad[k])) TH_LOG("'%s'", bad[k]);
	}
	EXPECT_EQ(-ENAMETOOLONG, ring_mkdir(MAX_NAME "4"));
	EXPECT_EQ(-ENAMETOOLONG, ring_mkdir("*" MAX_NAME));
	memset(name, 'a', 255);
	name[255] = 0;
	EXPECT_EQ(-ENAMETOOLONG, ring_mkdir(name));
	EXPECT_EQ(-EEXIST, ring_mkdir("ringbuf"));
	ASSERT_EQ(0, ring_mkdir("a"));
	EXPECT_EQ(-EEXIST, ring_mkdir("a"));
	/* Nothing of them is left: neither a directory nor a reference. */
	EXPECT_EQ(0, ring_rmdir("a"));
	EXPECT_EQ(0, rb_remove());
}

TEST_F(rings, nothing_else_can_be_made)
{
	int fd;

	ASSERT_EQ(0, ring_mkdir("a"));
	EXPECT_GT(0, ring_mkdir("a/b"));
	EXPECT_GT(0, RC(open(RINGS "a/file", O_CREAT | O_WRONLY, 0644)));
	EXPECT_GT(0, RC(open(RINGS "file", O_CREAT | O_WRONLY, 0644)));
	EXPECT_GT(0, RC(unlink(RINGS "a/size")));
	EXPECT_GT(0, RC(rename(RINGS "a", RINGS "b")));
	EXPECT_GT(0, RC(symlink(RINGS "a", RINGS "b")));
	/* A file that is open when its directory goes. */
	fd = RC(open(RINGS "a/live", O_WRONLY));
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ring_rmdir("a"));
	EXPECT_GT(0, RC(write(fd, "1", 1)));
	EXPECT_TRUE(ring_is_gone("a"));
	close(fd);
}

/* Attributes of a ring: how it was made, and what happens in it. */
static const char * const open_attrs[] = {
	"size", "max_record", "clock", "id", "reliable", "stall_ms", "dev", "uevent",
};

static const char * const secret_attrs[] = {
	"head", "tail", "head_seq", "tail_seq", "overwritten", "dropped",
	"consumers", "reliable_consumers", "writer", "holder",
};

/* Has a ring other attributes? Each is in one of the two lists. */
static int unlisted_attrs(const char *name)
{
	char path[400];
	struct dirent *d;
	int n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/class/ringbuf/ringbuf-%s", name);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		bool listed = d->d_type != DT_REG;

		for (size_t k = 0; k < ARRAY_SIZE(open_attrs); k++)
			listed |= !strcmp(d->d_name, open_attrs[k]);
		for (size_t k = 0; k < ARRAY_SIZE(secret_attrs); k++)
			listed |= !strcmp(d->d_name, secret_attrs[k]);
		if (!listed)
			fprintf(stderr, "# %s is in no list\n", d->d_name);
		n += !listed;
	}
	if (dir)
		closedir(dir);
	return dir ? n : -errno;
}

/* What an unprivileged user may do; the number of the first that went wrong. */
static int as_user(void)
{
	int fd;

	if (setgroups(0, NULL) || setgid(1000) || setuid(1000))
		return 1;
	if (ring_mkdir("mine") != -EACCES && ring_mkdir("mine") != -EPERM)
		return 2;
	if (ring_set("a", "live", "0") != -EACCES ||
	    ring_set("b", "size", "8192") != -EACCES)
		return 3;
	if (ring_rmdir("b") != -EACCES && ring_rmdir("b") != -EPERM)
		return 4;
	if (ring_open("a", O_RDONLY) != -EACCES ||
	    ring_open("a", O_WRONLY) != -EACCES)
		return 5;
	/* What he was given he may use. */
	fd = ring_open("open", O_RDWR | O_NONBLOCK);
	if (fd < 0 || rb_put(fd, 0, 8) != 8 || rb_get(fd, 0) != 8)
		return 6;
	fd = ring_open("readable", O_RDONLY | O_NONBLOCK);
	if (fd < 0 || rb_get(fd, 0) != -EAGAIN)
		return 7;
	if (ring_open("readable", O_WRONLY) != -EACCES)
		return 8;
	/* What it is anyone may see, what happens in it only root. */
	if (ring_attr("a", "size") != 4096 || !ring_is("a", "live", "1"))
		return 9;
	for (size_t k = 0; k < ARRAY_SIZE(open_attrs); k++)
		if (ring_attr("open", open_attrs[k]) < 0)
			return 10;
	for (size_t k = 0; k < ARRAY_SIZE(secret_attrs); k++)
		if (ring_attr("open", secret_attrs[k]) != -EACCES)
			return 11;
	return 0;
}

TEST_F(rings, an_unprivileged_user_can_make_nothing)
{
	pid_t pid;

	ASSERT_EQ(0, ring_new("a", "size=4096"));
	ASSERT_EQ(0, ring_mkdir("b"));
	ASSERT_EQ(0, ring_new("open", "size=4096 mode=0666"));
	ASSERT_EQ(0, ring_new("readable", "size=4096 mode=0644"));
	pid = fork();
	if (!pid)
		_exit(as_user());
	EXPECT_EQ(0, rb_reap(pid));
	EXPECT_EQ(0, unlisted_attrs("open"));
	EXPECT_TRUE(ring_is("b", "size", "1048576"));
	EXPECT_TRUE(ring_is_gone("mine"));
}

TEST_F(rings, two_have_nothing_in_common)
{
	static const char * const names[] = { "a", "b", NULL };
	struct rb_op op;
	int w[3], r[3];
	struct ringbuf_info i;

	ASSERT_EQ(0, ring_new("a", "size=4096"));
	ASSERT_EQ(0, ring_new("b", "size=8192"));
	for (int k = 0; k < 3; k++) {
		w[k] = names[k] ? ring_open(names[k], O_WRONLY) : rb_open(O_WRONLY);
		ASSERT_LE(0, w[k]);
	}
	for (int k = 0; k < 3; k++) {
		EXPECT_EQ(-EBUSY, names[k] ? ring_open(names[k], O_WRONLY) :
			  rb_open(O_WRONLY));
		r[k] = names[k] ? ring_open(names[k], O_RDONLY | O_NONBLOCK) :
		       rb_open(O_RDONLY | O_NONBLOCK);
		ASSERT_LE(0, r[k]);
	}
	/* Each has its own numbers. */
	for (int n = 0; n < 10; n++)
		for (int k = 0; k < 3; k++)
			ASSERT_EQ(100, rb_put(w[k], n * 3 + k, 100));
	for (int n = 0; n < 10; n++)
		for (int k = 0; k < 3; k++)
			ASSERT_EQ(100, rb_get(r[k], n * 3 + k));
	for (int k = 0; k < 3; k++) {
		EXPECT_EQ(-EAGAIN, rb_get(r[k], 0));
		ASSERT_EQ(0, rb_info(r[k], &i));
		EXPECT_EQ(10, i.head_seq);
		EXPECT_EQ(1, i.consumers);
	}
	/* One is overrun, the others are not. */
	ASSERT_EQ(0, rb_put_many(w[0], 0, 100, 100));
	EXPECT_EQ(POLLPRI | IN, all_events(r[0]));
	EXPECT_EQ(0, all_events(r[1]));
	EXPECT_EQ(0, all_events(r[2]));
	/* A record of one wakes nobody of another. */
	fcntl(r[1], F_SETFL, 0);
	ASSERT_TRUE(rb_op_block(&op, SYS_read, r[1], rb_in, RB_MAX));
	ASSERT_EQ(8, rb_put(w[0], 0, 8));
	ASSERT_EQ(8, rb_put(w[2], 0, 8));
	usleep(20000);
	EXPECT_TRUE(rb_in_syscall(atomic_load(&op.tid), SYS_read));
	ASSERT_EQ(9, rb_put(w[1], 0, 9));
	EXPECT_EQ(9, rb_op_wait(&op));
	/* Nor does the end of one. */
	ASSERT_EQ(0, ring_rmdir("a"));
	EXPECT_EQ(8, rb_put(w[1], 1, 8));
	EXPECT_EQ(8, rb_get(r[1], 1));
	EXPECT_EQ(OUT, all_events(w[1]));
	for (int k = 0; k < 3; k++) {
		close(r[k]);
		close(w[k]);
	}
}

TEST_F(rings, each_is_as_it_was_configured)
{
	const struct ringbuf_record *rec = (void *)rb_in;
	struct ringbuf_stats s;
	int fd[3], w;

	ASSERT_EQ(0, ring_new("few", "size=4096 max_consumers=2"));
	ASSERT_EQ(0, ring_new("rel", "size=4096 reliable=1 stall_ms=20"));
	ASSERT_EQ(0, ring_new("un", "size=4096 clock=none"));
	for (int k = 0; k < 2; k++) {
		fd[k] = ring_open("few", O_RDONLY);
		ASSERT_LE(0, fd[k]);
	}
	EXPECT_EQ(-EUSERS, ring_open("few", O_RDONLY));
	EXPECT_EQ(-EUSERS, ring_open("few", O_RDWR));
	w = ring_open("few", O_WRONLY);
	EXPECT_LE(0, w);
	EXPECT_EQ(-EPERM, rb_set_consumer(fd[0], RINGBUF_CONSUMER_RELIABLE));
	fd[2] = ring_open("un", O_RDONLY | O_NONBLOCK);
	EXPECT_LE(0, fd[2]);
	close(fd[0]);
	fd[0] = ring_open("few", O_RDONLY);
	EXPECT_LE(0, fd[0]);
	EXPECT_EQ(-EPERM, rb_set_consumer(fd[2], RINGBUF_CONSUMER_RELIABLE));
	close(w);

	w = ring_open("un", O_WRONLY);
	ASSERT_EQ(8, rb_put(w, 0, 8));
	ASSERT_EQ(0, rb_set_consumer(fd[2], RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(32, read(fd[2], rb_in, RB_MAX));
	EXPECT_EQ(0, rec->time_ns);
	close(w);
	for (int k = 0; k < 3; k++)
		close(fd[k]);

	/* Held for 20 ms, and then no more. */
	w = ring_open("rel", O_WRONLY);
	fd[0] = ring_open("rel", O_RDONLY | O_NONBLOCK);
	ASSERT_EQ(0, rb_set_consumer(fd[0], RINGBUF_CONSUMER_RELIABLE |
				     RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(0, rb_put_many(w, 0, 32, 104));
	fcntl(w, F_SETFL, O_NONBLOCK);
	EXPECT_EQ(-EAGAIN, rb_put(w, 32, 104));
	fcntl(w, F_SETFL, 0);
	EXPECT_EQ(104, rb_put(w, 32, 104));
	ASSERT_EQ(0, rb_stats(fd[0], &s));
	EXPECT_TRUE(s.flags & RINGBUF_STATS_DEMOTED);
	ASSERT_LT(0, RC(read(fd[0], rb_in, RB_MAX)));
	EXPECT_LT(0, ((struct ringbuf_record *)rb_next(rec))->time_ns);
	close(w);
	close(fd[0]);
}

TEST_F_TIMEOUT(rings, sixty_four_at_once, 120)
{
	int fd[MANY];
	dev_t seen[MANY];
	struct stat st;
	char name[16];

	for (int k = 0; k < MANY; k++) {
		snprintf(name, sizeof(name), "ring%d", k);
		ASSERT_EQ(0, ring_new(name, k % 2 ? "size=4096" : "size=16384"));
		fd[k] = ring_open(name, O_RDWR | O_NONBLOCK);
		ASSERT_LE(0, fd[k]) TH_LOG("%s", name);
		ASSERT_EQ(0, fstat(fd[k], &st));
		seen[k] = st.st_rdev;
		for (int j = 0; j < k; j++)
			ASSERT_NE(seen[j], seen[k]);
	}
	for (int n = 0; n < 5; n++)
		for (int k = 0; k < MANY; k++)
			ASSERT_EQ(50, rb_put(fd[k], n * MANY + k, 50));
	/* Half of them end; all have their own records. */
	for (int k = 0; k < MANY; k += 2) {
		snprintf(name, sizeof(name), "ring%d", k);
		ASSERT_EQ(0, ring_end(name, k % 4));
	}
	for (int k = 0; k < MANY; k++) {
		for (int n = 0; n < 5; n++)
			ASSERT_EQ(50, rb_get(fd[k], n * MANY + k));
		EXPECT_EQ(k % 2 ? -EAGAIN : -ENODEV, rb_get(fd[k], 0));
		close(fd[k]);
	}
}

TEST_HARNESS_MAIN
