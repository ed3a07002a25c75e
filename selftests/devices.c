// SPDX-License-Identifier: GPL-2.0
/* Device numbers: which ring a node opens, and how many rings there can be. */
#include "rings.h"

#include <sys/sysmacros.h>

#define MAJOR_NAME	"ringbuf"
/* Linux 6.1 had a hundred minors for all misc devices. */
#define MANY		(rb_quick() ? 300 : 3000)

FIXTURE(devices) {
	char node[64];	/* one that a test makes */
};

FIXTURE_SETUP(devices)
{
	RINGS_LOAD();
	snprintf(self->node, sizeof(self->node), "/dev/kept-%d", getpid());
}

FIXTURE_TEARDOWN(devices)
{
	unlink(self->node);
	EXPECT_EQ(0, rings_clear());
	EXPECT_EQ(0, rb_remove_wait());
}

static int open_kept(const char *node)
{
	return RC(open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

/* A node with the device number of a ring. */
static int keep(const char *node, const char *path)
{
	struct stat st;
	int ret = RC(stat(path, &st));

	unlink(node);
	return ret ?: RC(mknod(node, S_IFCHR | 0600, st.st_rdev));
}

/* The major number that /proc/devices has for us; -1: none. */
static int listed_major(void)
{
	FILE *f = fopen("/proc/devices", "re");
	char line[128], name[64];
	int number, found = -1;

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "Block", 5))
			break;
		if (sscanf(line, "%d %63s", &number, name) == 2 &&
		    !strcmp(name, MAJOR_NAME))
			found = number;
	}
	if (f)
		fclose(f);
	return found;
}

TEST_F(devices, a_node_of_ones_own_opens_the_ring_that_it_names)
{
	struct ringbuf_info i;
	int fd;

	ASSERT_EQ(0, ring_new("a", "size=4096"));
	ASSERT_EQ(0, keep(self->node, RB_DEV "-a"));
	fd = open_kept(self->node);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, rb_info(fd, &i));
	EXPECT_STREQ("a", i.name);
	close(fd);
	ASSERT_EQ(0, keep(self->node, RB_DEV));
	fd = open_kept(self->node);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, rb_info(fd, &i));
	EXPECT_STREQ("ringbuf", i.name);
	close(fd);
}

TEST_F(devices, a_node_that_was_kept_does_not_open_the_next_ring)
{
	ASSERT_EQ(0, ring_new("a", "size=4096"));
	ASSERT_EQ(0, keep(self->node, RB_DEV "-a"));
	ASSERT_EQ(0, ring_rmdir("a"));
	EXPECT_EQ(-ENXIO, open_kept(self->node));
	for (int k = 0; k < 10; k++) {
		ASSERT_EQ(0, ring_new("a", "size=4096"));
		EXPECT_EQ(-ENXIO, open_kept(self->node));
		ASSERT_EQ(0, ring_new("b", "size=4096"));
		EXPECT_EQ(-ENXIO, open_kept(self->node));
		ASSERT_EQ(0, ring_end("a", k % 2));
		ASSERT_EQ(0, rings_clear());
	}
}

TEST_F(devices, a_node_that_was_kept_does_not_open_the_ring_of_the_next_load)
{
	struct stat st;
	int minors[3];

	for (int k = 0; k < 3; k++) {
		ASSERT_EQ(0, stat(RB_DEV, &st));
		minors[k] = minor(st.st_rdev);
		ASSERT_EQ(0, keep(self->node, RB_DEV));
		ASSERT_EQ(0, rings_load(""));
		EXPECT_EQ(-ENXIO, open_kept(self->node));
	}
	/* Two of three random numbers may be the same, once in 300,000 runs. */
	EXPECT_FALSE(minors[0] == minors[1] && minors[1] == minors[2]);
}

TEST_F(devices, all_have_the_major_number_of_the_module)
{
	struct stat st;

	ASSERT_EQ(0, ring_new("a", "size=4096"));
	ASSERT_EQ(0, stat(RB_DEV, &st));
	EXPECT_EQ(listed_major(), major(st.st_rdev));
	ASSERT_EQ(0, ring_node("a", &st));
	EXPECT_EQ(listed_major(), major(st.st_rdev));
	EXPECT_EQ(0, access("/sys/class/ringbuf/ringbuf", F_OK));
	EXPECT_EQ(0, access("/sys/class/ringbuf/ringbuf-a", F_OK));
	ASSERT_EQ(0, rings_clear());
	ASSERT_EQ(0, rb_remove_wait());
	EXPECT_EQ(-1, listed_major());
	EXPECT_EQ(-1, access("/sys/class/ringbuf", F_OK));
}

/* Opens a node as soon as it is there; ends with the first other result. */
static void *open_at_once(void *result)
{
	int fd;

	while ((fd = ring_open("soon", O_RDONLY)) == -ENOENT)
		;
	atomic_store((atomic_int *)result, fd);
	return NULL;
}

TEST_F_TIMEOUT(devices, a_node_can_be_opened_as_soon_as_it_is_there, 120)
{
	int rounds = rb_quick() ? 50 : 300;
	atomic_int result;
	pthread_t thread;

	ASSERT_EQ(0, ring_mkdir("soon"));
	ASSERT_EQ(0, ring_set("soon", "size", "4096"));
	for (int k = 0; k < rounds; k++) {
		atomic_store(&result, -1);
		ASSERT_EQ(0, pthread_create(&thread, NULL, open_at_once, &result));
		ASSERT_EQ(0, ring_set("soon", "live", "1"));
		ASSERT_EQ(0, rb_join(thread, "opening"));
		ASSERT_LE(0, atomic_load(&result)) TH_LOG("round %d", k);
		close(atomic_load(&result));
		ASSERT_EQ(0, ring_set("soon", "live", "0"));
	}
}

/* Opens, by a node that is always there, a ring that comes and goes. */
static void *open_on_and_on(void *arg)
{
	const char *node = arg;
	struct ringbuf_info i;
	long opened = 0;
	int fd;

	for (;;) {
		fd = open_kept(node);
		if (fd == -ENOENT)
			return (void *)opened;
		if (fd == -ENXIO)
			continue;
		if (fd < 0 || rb_info(fd, &i) || strcmp(i.name, "gone"))
			return (void *)-1;
		close(fd);
		opened++;
	}
}

/* An open() while a ring is destroyed gives that ring, or fails. */
TEST_F_TIMEOUT(devices, opening_meets_the_end_of_a_ring, 120)
{
	int rounds = rb_quick() ? 20 : 100;
	pthread_t threads[3];
	char node[3][64];
	void *opened;
	long sum = 0;

	for (int k = 0; k < rounds; k++) {
		ASSERT_EQ(0, ring_new("gone", "size=4096"));
		for (int t = 0; t < 3; t++) {
			snprintf(node[t], sizeof(node[t]), "%s-%d", self->node, t);
			ASSERT_EQ(0, keep(node[t], RB_DEV "-gone"));
			ASSERT_EQ(0, pthread_create(&threads[t], NULL,
						    open_on_and_on, node[t]));
		}
		usleep(k % 7 * 300);
		ASSERT_EQ(0, ring_end("gone", true));
		ASSERT_EQ(0, ring_new("other", "size=4096"));
		for (int t = 0; t < 3; t++) {
			EXPECT_EQ(-ENXIO, open_kept(node[t]));
			unlink(node[t]);
			ASSERT_EQ(0, pthread_join(threads[t], &opened));
			ASSERT_LE(0, (long)opened);
			sum += (long)opened;
		}
		ASSERT_EQ(0, ring_rmdir("other"));
	}
	EXPECT_LT(0, sum);
}

/* Some of many rings, which one of several threads makes, uses and ends. */
struct share {
	int first;
	bool *numbers;	/* all device numbers, and which are taken */
	char error[100];
};

static bool share_fails(struct share *s, const char *what, const char *name, long ret)
{
	snprintf(s->error, sizeof(s->error), "%s: %s: %ld", name, what, ret);
	return false;
}

static bool make_one(struct share *s, const char *name)
{
	struct stat st;
	int ret = ring_new(name, "size=4096");

	if (ret)
		return share_fails(s, "making", name, ret);
	ret = ring_node(name, &st);
	if (ret)
		return share_fails(s, "node", name, ret);
	if (s->numbers[minor(st.st_rdev)])
		return share_fails(s, "taken", name, minor(st.st_rdev));
	s->numbers[minor(st.st_rdev)] = true;
	return true;
}

static bool use_one(struct share *s, const char *name)
{
	int fd = ring_open(name, O_RDWR | O_NONBLOCK);
	struct ringbuf_info i;
	bool good;

	if (fd < 0)
		return share_fails(s, "open", name, fd);
	good = !rb_info(fd, &i) && !strcmp(i.name, name) && i.head_seq == 0 &&
	       rb_put(fd, 1, 8) == 8 && rb_get(fd, 1) == 8;
	close(fd);
	return good || share_fails(s, "use", name, 0);
}

static bool end_one(struct share *s, const char *name)
{
	int ret = ring_set(name, "live", "0");

	return !ret || share_fails(s, "ending", name, ret);
}

#define SHARES	4

static void *each_of_share(struct share *s, bool (*fn)(struct share *s, const char *name))
{
	char name[16];

	for (int k = s->first; k < MANY && !s->error[0]; k += SHARES) {
		snprintf(name, sizeof(name), "m%d", k);
		fn(s, name);
	}
	return NULL;
}

static void *make_share(void *share)
{
	return each_of_share(share, make_one);
}

static void *use_share(void *share)
{
	return each_of_share(share, use_one);
}

static void *end_share(void *share)
{
	return each_of_share(share, end_one);
}

TEST_F_TIMEOUT(devices, thousands_at_once, 280)
{
	static void *(* const steps[])(void *share) = {
		make_share, use_share, end_share,
	};
	bool *numbers = calloc(1 << 20, sizeof(*numbers));
	struct share shares[SHARES] = {};
	pthread_t threads[SHARES];
	long began;

	ASSERT_NE(NULL, numbers);
	for (size_t k = 0; k < ARRAY_SIZE(steps); k++) {
		began = rb_now_ms();
		for (int n = 0; n < SHARES; n++) {
			shares[n].first = n;
			shares[n].numbers = numbers;
			ASSERT_EQ(0, pthread_create(&threads[n], NULL, steps[k],
						    &shares[n]));
		}
		for (int n = 0; n < SHARES; n++) {
			ASSERT_EQ(0, pthread_join(threads[n], NULL));
			ASSERT_STREQ("", shares[n].error);
		}
		TH_LOG("%d rings, step %zu: %ld ms", MANY, k, rb_now_ms() - began);
	}
	EXPECT_EQ(0, rings_clear());
	free(numbers);
}

TEST_HARNESS_MAIN
