// SPDX-License-Identifier: GPL-2.0
/* A ring's memory: who pays for it, how long, and what when there is none. */
#include "rings.h"
#include "map.h"

#define NAME	"mem"
#define GROUPS	"/tmp/ringbuf-cgroup"
#define MIB	(1LL << 20)
#define SIZE	(16 * MIB)
/* Of what is charged, each CPU keeps some back; the process has its own. */
#define SLACK	(3 * MIB)

/* A cgroup, and a process in it that does what it is told, by a letter each. */
struct member {
	char path[64];
	pid_t pid;
	int ask;
	int answer;
	int ret;
};

static int group_file(const char *group, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", group, file);
	return put_file(path, text);
}

static long long group_number(const char *group, const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", group, file);
	return get_number(path);
}

/* The number after @key in the group's memory.events. */
static long long group_event(const char *group, const char *key)
{
	char path[128], line[128];
	long long v = -1;
	FILE *f;

	snprintf(path, sizeof(path), "%s/memory.events", group);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ' ')
			v = strtoll(line + strlen(key), NULL, 10);
	if (f)
		fclose(f);
	return v;
}

static void member_main(int ask, int answer)
{
	struct rb_map m;
	int fd = -1, ret;
	char c;

	while (read(ask, &c, 1) == 1) {
		switch (c) {
		case 'l':
			ret = ring_set(NAME, "live", "1");
			break;
		case 'e':
			ret = ring_set(NAME, "live", "0");
			break;
		case 'o':
			fd = ret = ring_open(NAME, O_RDONLY | O_NONBLOCK);
			break;
		case 'm':
			/* And touch all of it. */
			ret = rb_map_fd(&m, fd);
			for (size_t k = 0; !ret && k < m.len; k += 4096)
				ret = rb_touch((char *)m.page + k) != 1;
			break;
		case 'u':
			ret = rb_unmap(&m);
			break;
		case 'c':
			ret = close(fd);
			break;
		default:
			ret = -EINVAL;
		}
		if (write(answer, &ret, sizeof(ret)) != sizeof(ret))
			break;
	}
	_exit(0);
}

static int tell(struct member *m, char what)
{
	struct pollfd p = { .fd = m->answer, .events = POLLIN };
	int ret = -1;

	if (write(m->ask, &what, 1) != 1)
		return -EPIPE;
	if (poll(&p, 1, 3 * RB_WAIT_MS) != 1)
		return -ETIMEDOUT;
	/* Nothing when it was killed. */
	return read(m->answer, &ret, sizeof(ret)) == sizeof(ret) ? ret : -ESRCH;
}

static int member_new(struct member *m, const char *name)
{
	int ask[2], answer[2], ret;
	char pid[16];

	memset(m, 0, sizeof(*m));
	snprintf(m->path, sizeof(m->path), GROUPS "/%s", name);
	rmdir(m->path);
	ret = RC(mkdir(m->path, 0755));
	if (ret || pipe2(ask, O_CLOEXEC) || pipe2(answer, O_CLOEXEC))
		return ret ? ret : -errno;
	m->pid = fork();
	if (!m->pid) {
		/* Nor the other one's end of its pipe. */
		for (int fd = 3; fd < 64; fd++)
			if (fd != ask[0] && fd != answer[1])
				close(fd);
		member_main(ask[0], answer[1]);
	}
	close(ask[0]);
	close(answer[1]);
	m->ask = ask[1];
	m->answer = answer[0];
	snprintf(pid, sizeof(pid), "%d", m->pid);
	return group_file(m->path, "cgroup.procs", pid);
}

static int member_end(struct member *m)
{
	long end = rb_now_ms() + RB_WAIT_MS;
	int ret;

	close(m->ask);
	close(m->answer);
	ret = rb_reap(m->pid);
	/* Its last one may have gone, and not be accounted for yet. */
	while (rmdir(m->path) && errno == EBUSY && rb_now_ms() < end)
		usleep(1000);
	return ret;
}

static long long usage(const struct member *m)
{
	return group_number(m->path, "memory.current");
}

FIXTURE(cgroup) {
	struct member a;
	struct member b;
};

FIXTURE_SETUP(cgroup)
{
	char buf[256];

	RINGS_LOAD();
	mkdir(GROUPS, 0755);
	if (access(GROUPS "/cgroup.procs", F_OK) &&
	    mount("cgroup", GROUPS, "cgroup2", 0, NULL))
		SKIP(return, "no cgroup v2");
	if (get_file(GROUPS "/cgroup.controllers", buf, sizeof(buf)) ||
	    !strstr(buf, "memory"))
		SKIP(return, "no memory controller");
	ASSERT_EQ(0, group_file(GROUPS, "cgroup.subtree_control", "+memory"));
	ASSERT_EQ(0, member_new(&self->a, "a"));
	ASSERT_EQ(0, member_new(&self->b, "b"));
	ASSERT_EQ(0, ring_mkdir(NAME));
	ASSERT_EQ(0, ring_set(NAME, "size", "16777216"));
}

FIXTURE_TEARDOWN(cgroup)
{
	if (self->a.pid) {
		EXPECT_EQ(0, member_end(&self->a));
		EXPECT_EQ(0, member_end(&self->b));
	}
	EXPECT_EQ(0, rings_clear());
	EXPECT_EQ(0, rb_remove_wait());
}

/* Which of the two is charged, within the slack? */
#define EXPECT_CHARGED(_member, _began, _bytes) do {			\
	long long __now = usage(_member) - (_began);			\
									\
	EXPECT_LE((_bytes) - SLACK, __now);				\
	EXPECT_GE((_bytes) + SLACK, __now);				\
} while (0)

TEST_F(cgroup, who_makes_it_pays_until_the_last_one_is_gone)
{
	long long a = usage(&self->a), b = usage(&self->b);

	ASSERT_LE(0, a);
	ASSERT_EQ(0, tell(&self->a, 'l'));
	EXPECT_CHARGED(&self->a, a, SIZE);
	/* Who uses it pays nothing. */
	ASSERT_LE(0, tell(&self->b, 'o'));
	ASSERT_EQ(0, tell(&self->b, 'm'));
	EXPECT_CHARGED(&self->b, b, 0);
	ASSERT_EQ(0, tell(&self->b, 'e'));
	EXPECT_TRUE(ring_is_gone(NAME));
	EXPECT_CHARGED(&self->a, a, SIZE);
	ASSERT_EQ(0, tell(&self->b, 'c'));
	EXPECT_CHARGED(&self->a, a, SIZE);
	/* Now the map was all there was. */
	ASSERT_EQ(0, tell(&self->b, 'u'));
	EXPECT_CHARGED(&self->a, a, 0);
	EXPECT_CHARGED(&self->b, b, 0);
}

TEST_F(cgroup, a_file_of_an_ended_ring_keeps_it)
{
	long long b = usage(&self->b);

	/* The directory was made by another one. */
	ASSERT_EQ(0, tell(&self->b, 'l'));
	ASSERT_LE(0, tell(&self->a, 'o'));
	EXPECT_CHARGED(&self->b, b, SIZE);
	ASSERT_EQ(0, ring_rmdir(NAME));
	EXPECT_CHARGED(&self->b, b, SIZE);
	ASSERT_EQ(0, tell(&self->a, 'c'));
	EXPECT_CHARGED(&self->b, b, 0);
}

TEST_F(cgroup, a_ring_may_outlive_its_group)
{
	int w;

	ASSERT_EQ(0, tell(&self->a, 'l'));
	ASSERT_EQ(0, member_end(&self->a));
	w = ring_open(NAME, O_RDWR | O_NONBLOCK);
	ASSERT_LE(0, w);
	ASSERT_EQ(0, rb_put_many(w, 0, 100, 1000));
	ASSERT_EQ(1000, rb_get(w, 0));
	ASSERT_EQ(0, ring_rmdir(NAME));
	EXPECT_EQ(1000, rb_get(w, 1));
	close(w);
	ASSERT_EQ(0, member_new(&self->a, "a"));
}

TEST_F(cgroup, above_the_limit_there_is_none)
{
	long long a = usage(&self->a);

	ASSERT_EQ(0, group_file(self->a.path, "memory.max", "8388608"));
	for (int k = 0; k < 5; k++) {
		ASSERT_EQ(-ENOMEM, tell(&self->a, 'l'));
		EXPECT_TRUE(ring_is(NAME, "live", "0"));
		EXPECT_TRUE(ring_is_gone(NAME));
		EXPECT_EQ(-ENOENT, ring_open(NAME, O_RDONLY));
		EXPECT_CHARGED(&self->a, a, 0);
	}
	EXPECT_EQ(0, group_event(self->a.path, "oom_kill"));
	/* The configuration can be changed, as it is not live. */
	ASSERT_EQ(0, ring_set(NAME, "size", "1048576"));
	EXPECT_EQ(0, tell(&self->a, 'l'));
	EXPECT_EQ(MIB, ring_attr(NAME, "size"));
	EXPECT_EQ(0, tell(&self->a, 'e'));
	ASSERT_EQ(0, ring_set(NAME, "size", "16777216"));
	ASSERT_EQ(0, group_file(self->a.path, "memory.max", "max"));
	EXPECT_EQ(0, tell(&self->a, 'l'));
	EXPECT_EQ(SIZE, ring_attr(NAME, "size"));
}

/* The array of its pages alone is more than may be had: 16 bytes a page. */
TEST_F(cgroup, far_above_the_limit_there_is_none)
{
	ASSERT_EQ(0, ring_set(NAME, "size", "1073741824"));
	ASSERT_EQ(0, group_file(self->a.path, "memory.max", "2097152"));
	for (int k = 0; k < 5; k++)
		ASSERT_EQ(-ENOMEM, tell(&self->a, 'l'));
	EXPECT_EQ(0, group_event(self->a.path, "oom_kill"));
	EXPECT_EQ(0, group_event(self->a.path, "oom"));
	EXPECT_TRUE(ring_is(NAME, "live", "0"));
	EXPECT_TRUE(ring_is_gone(NAME));
	ASSERT_EQ(0, ring_set(NAME, "size", "65536"));
	EXPECT_EQ(0, tell(&self->a, 'l'));
}

/* Faults, one after another, until there are no more places for one. */

#define FAULTS		"/sys/kernel/debug/"
#define FAIL_NTH	"/proc/thread-self/fail-nth"

FIXTURE(faults) {
	int nth;
};

FIXTURE_SETUP(faults)
{
	static const char * const kinds[] = {
		"failslab", "fail_page_alloc", "fail_usercopy", "fail_futex",
	};
	char path[128];

	RINGS_LOAD();
	if (access(FAIL_NTH, F_OK))
		SKIP(return, "no fault injection");
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		/* A fault's report would look like one of a bug. */
		snprintf(path, sizeof(path), FAULTS "%s/verbose", kinds[k]);
		if (!access(path, F_OK))
			ASSERT_EQ(0, put_file(path, "0"));
		snprintf(path, sizeof(path), FAULTS "%s/ignore-gfp-wait", kinds[k]);
		if (!access(path, F_OK))
			ASSERT_EQ(0, put_file(path, "N"));
	}
	ASSERT_EQ(0, put_file(FAULTS "fail_page_alloc/min-order", "0"));
	self->nth = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->nth);
}

FIXTURE_TEARDOWN(faults)
{
	close(self->nth);
	EXPECT_EQ(0, rings_clear());
	EXPECT_EQ(0, rb_remove_wait());
}

static void fault_at(int nth, int n)
{
	char buf[16];

	snprintf(buf, sizeof(buf), "%d", n);
	if (pwrite(nth, buf, strlen(buf), 0) < 0)
		abort();
}

/* Has it come to that? And no more. */
static bool faulted(int nth)
{
	char buf[16] = "";
	bool done;

	/* When the next one is due it is this that fails. */
	done = pread(nth, buf, sizeof(buf) - 1, 0) > 0 && buf[0] == '0';
	while (pwrite(nth, "0", 1, 0) < 0 && errno == EFAULT)
		;
	return done;
}

/* What one call tells with the nth fault; the count of ENOMEMs until it is 0. */
#define EACH_FAULT(_call, _nomem, _after) do {				\
	bool __faulted = true;						\
	int __ret, __n;							\
									\
	for (__n = 1; __faulted; __n++) {				\
		ASSERT_GT(2000, __n);					\
		fault_at(self->nth, __n);				\
		__ret = RC(_call);					\
		__faulted = faulted(self->nth);				\
		if (__ret >= 0) {					\
			/* What failed can be done without. */		\
			ASSERT_EQ(0, (_after)(true)) TH_LOG("fault %d", __n); \
			continue;					\
		}							\
		ASSERT_TRUE(__faulted) TH_LOG("fault %d: %d", __n, __ret); \
		/* The test's own arguments may not be copied. */	\
		if (__ret != -EFAULT)					\
			ASSERT_EQ(-ENOMEM, __ret) TH_LOG("fault %d", __n); \
		_nomem += __ret == -ENOMEM;				\
		ASSERT_EQ(0, (_after)(false)) TH_LOG("fault %d", __n);	\
	}								\
	TH_LOG("%d places", __n - 2);					\
} while (0)

/* A long name, for which configfs needs memory. */
#define LONG	"a-name-that-is-as-long-as-it-go"

static int after_mkdir(bool made)
{
	if (made)
		return ring_is(LONG, "size", "1048576") ? ring_rmdir(LONG) : -EIO;
	return access(RINGS LONG, F_OK) ? 0 : -EEXIST;
}

TEST_F(faults, mkdir_fails_whole)
{
	int nomem = 0;

	EACH_FAULT(mkdir(RINGS LONG, 0755), nomem, after_mkdir);
	EXPECT_LE(3, nomem);
	EXPECT_EQ(0, rb_remove());
}

static int after_live(bool made)
{
	int fd, ret;

	if (!made)
		return ring_is_gone(NAME) && ring_is(NAME, "live", "0") ? 0 : -EEXIST;
	fd = ring_open(NAME, O_RDWR | O_NONBLOCK);
	if (fd < 0)
		return fd;
	ret = rb_put(fd, 0, 100) == 100 && rb_get(fd, 0) == 100 &&
	      ring_attr(NAME, "size") == 16384 ? 0 : -EIO;
	close(fd);
	return ret ? ret : ring_set(NAME, "live", "0");
}

TEST_F_TIMEOUT(faults, live_fails_whole, 300)
{
	int nomem = 0, fd;

	ASSERT_EQ(0, ring_mkdir(NAME));
	ASSERT_EQ(0, ring_set(NAME, "size", "16384"));
	fd = open(RINGS NAME "/live", O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EACH_FAULT(pwrite(fd, "1", 1, 0), nomem, after_live);
	/* The ring, its array, five pages, their map; and the device's. */
	EXPECT_LE(12, nomem);
	close(fd);
}

static int opened = -1;

static int after_open(bool made)
{
	int ret = ring_attr(NAME, "consumers") == made &&
		  ring_attr(NAME, "writer") == made ? 0 : -EIO;

	return ret;
}

TEST_F_TIMEOUT(faults, open_and_join_fail_whole, 300)
{
	int nomem = 0;

	ASSERT_EQ(0, ring_new(NAME, "size=4096 reliable=1"));
#define OPEN() ({							\
	close(opened);							\
	opened = open(RB_DEV "-" NAME, O_RDWR | O_CLOEXEC);		\
	opened;								\
})
	EACH_FAULT(OPEN(), nomem, after_open);
	EXPECT_LE(2, nomem);
	nomem = 0;
	/* It has joined, or it has not. */
	for (int n = 1, more = 1; more; n++) {
		int ret;

		ASSERT_GT(100, n);
		fault_at(self->nth, n);
		ret = rb_set_consumer(opened, RINGBUF_CONSUMER_RELIABLE);
		more = faulted(self->nth);
		EXPECT_EQ(ret == 0, ring_attr(NAME, "reliable_consumers"));
		ASSERT_TRUE(more || !ret);
		nomem += ret == -ENOMEM;
		ASSERT_EQ(0, rb_set_consumer(opened, 0));
	}
	EXPECT_LE(1, nomem);
	close(opened);
}

TEST_HARNESS_MAIN
