// SPDX-License-Identifier: GPL-2.0
/* Rings made and destroyed by the library, and what becomes of their users. */
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include "lib_guest.h"

#define RINGS	"/sys/kernel/config/ringbuf"

static void mount_configfs(void)
{
	if (access(RINGS, F_OK))
		mount("configfs", "/sys/kernel/config", "configfs", 0, NULL);
}

/* As START(), on a ring of our own. */
#define START_RING(config) do {						\
	ringbuf_destroy("own");						\
	ASSERT_EQ(0, rb_load(""));					\
	mount_configfs();						\
	ASSERT_EQ(0, ringbuf_create("own", config));			\
	ASSERT_EQ(0, ringbuf_publisher_open(&self->p, "own", 0));	\
	ASSERT_EQ(0, ringbuf_reader_open(&self->r, "own",		\
					 variant->flags));		\
} while (0)

/* What a test that fails leaves would keep the module. */
FIXTURE(rings) {
};

FIXTURE_SETUP(rings)
{
}

FIXTURE_TEARDOWN(rings)
{
	ringbuf_destroy("own");
}

TEST_F(rings, as_asked_for)
{
	struct ringbuf_config config = {
		.struct_size = sizeof(config),
		.flags = RINGBUF_CONFIG_RELIABLE,
		.size = 8192,
		.stall_ms = 77,
		.mode = 0640,
		.max_consumers = 1,
		.clock = RINGBUF_CLOCK_OFF,
	};
	struct ringbuf_reader *r, *second;
	struct ringbuf_info info;
	struct stat st;

	ASSERT_EQ(0, rb_load(""));
	mount_configfs();
	ASSERT_EQ(0, ringbuf_create("own", &config));
	ASSERT_EQ(0, stat("/dev/ringbuf-own", &st));
	EXPECT_EQ(0640, st.st_mode & 07777);
	ASSERT_EQ(0, ringbuf_reader_open(&r, "own", 0));
	ASSERT_EQ(0, ringbuf_reader_info(r, &info));
	EXPECT_EQ(8192, info.data_size);
	EXPECT_EQ(RINGBUF_RING_RELIABLE, info.flags);
	EXPECT_EQ(RINGBUF_CLOCK_NONE, info.clockid);
	EXPECT_STREQ("own", info.name);
	EXPECT_TRUE(info.features & RINGBUF_FEATURE_NAMED);
	EXPECT_EQ(-EUSERS, ringbuf_reader_open(&second, "own", 0));
	ringbuf_reader_close(r);
	EXPECT_EQ(0, ringbuf_destroy("own"));
	EXPECT_EQ(-ENOENT, ringbuf_destroy("own"));
	EXPECT_EQ(-1, stat("/dev/ringbuf-own", &st));
}

/* Each with its own id, and with the clock that it was made with. */
TEST_F(rings, clocks_and_ids)
{
	static const int ids[] = {
		CLOCK_BOOTTIME, CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_TAI,
		RINGBUF_CLOCK_NONE,
	};
	struct ringbuf_config config = { .struct_size = sizeof(config) };
	struct ringbuf_info info[5];
	struct ringbuf_reader *r;

	ASSERT_EQ(0, rb_load(""));
	mount_configfs();
	for (; config.clock <= RINGBUF_CLOCK_OFF; config.clock++) {
		ASSERT_EQ(0, ringbuf_create("own", &config));
		ASSERT_EQ(0, ringbuf_reader_open(&r, "own", 0));
		ASSERT_EQ(0, ringbuf_reader_info(r, &info[config.clock]));
		EXPECT_EQ(ids[config.clock], info[config.clock].clockid);
		if (config.clock)
			EXPECT_NE(0, memcmp(info[config.clock].id, info[0].id,
					    RINGBUF_ID_SIZE));
		ringbuf_reader_close(r);
		EXPECT_EQ(0, ringbuf_destroy("own"));
	}
}

TEST_F(rings, refused_whole)
{
	struct ringbuf_config config = { .struct_size = sizeof(config) };

	ASSERT_EQ(0, rb_load(""));
	mount_configfs();
	config.size = 12345;
	EXPECT_EQ(-EINVAL, ringbuf_create("own", &config));
	EXPECT_EQ(-1, access(RINGS "/own", F_OK));
	config.size = 0;
	config.mode = 0777;
	EXPECT_EQ(-EINVAL, ringbuf_create("own", &config));
	EXPECT_EQ(-1, access(RINGS "/own", F_OK));
	ASSERT_EQ(0, ringbuf_create("own", NULL));
	EXPECT_EQ(-EEXIST, ringbuf_create("own", NULL));
	EXPECT_EQ(0, access(RINGS "/own", F_OK));
}

TEST_F(rings, nobody_to_ask)
{
	ASSERT_EQ(0, rb_load(""));
	mount_configfs();
	ASSERT_EQ(0, rb_remove_wait());
	EXPECT_EQ(-EOPNOTSUPP, ringbuf_create("own", NULL));
	EXPECT_EQ(-ENOENT, ringbuf_destroy("own"));
	EXPECT_EQ(0, rb_load(""));
}

TEST_F(lib, what_is_left_can_be_read)
{
	struct ringbuf_publisher *p;
	struct ringbuf_info info;
	int n;

	START_RING(NULL);
	ASSERT_EQ(0, publish_many(self->p, 0, 3, 10));
	ASSERT_EQ(0, take(self->r, 0, 10));
	ASSERT_EQ(0, ringbuf_destroy("own"));
	EXPECT_EQ(-ENODEV, publish(self->p, 3, 10));
	for (n = 1; n < 3; n++) {
		EXPECT_EQ(1, ringbuf_wait(self->r, -1));
		ASSERT_EQ(0, take(self->r, n, 10));
	}
	EXPECT_EQ(-ENODEV, ringbuf_next(self->r, &self->e));
	EXPECT_EQ(-ENODEV, ringbuf_read(self->r, &self->e));
	EXPECT_EQ(-ENODEV, ringbuf_arm(self->r));
	EXPECT_EQ(-ENODEV, ringbuf_wait(self->r, -1));
	ASSERT_EQ(0, ringbuf_reader_info(self->r, &info));
	EXPECT_TRUE(info.flags & RINGBUF_RING_DEAD);
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &self->s));
	EXPECT_EQ(3, self->s.read_records);
	EXPECT_EQ(0, self->s.lag_records | self->s.lost_records);
	EXPECT_EQ(-ENOENT, ringbuf_publisher_open(&p, "own", 0));
	/* Its name is free; that is another ring. */
	ASSERT_EQ(0, ringbuf_create("own", NULL));
	EXPECT_EQ(-ENODEV, ringbuf_wait(self->r, 0));
	EXPECT_EQ(0, ringbuf_destroy("own"));
}

TEST_F(lib, an_end_is_an_end)
{
	START_RING(NULL);
	ringbuf_reader_close(self->r);
	ASSERT_EQ(0, ringbuf_reader_open(&self->r, "own", variant->flags |
					 RINGBUF_READER_EOF));
	ASSERT_EQ(0, publish(self->p, 0, 10));
	ringbuf_publisher_close(self->p);
	self->p = NULL;
	ASSERT_EQ(0, ringbuf_destroy("own"));
	EXPECT_EQ(0, take(self->r, 0, 10));
	EXPECT_EQ(-ENODEV, ringbuf_next(self->r, &self->e));
	EXPECT_EQ(-ENODEV, ringbuf_wait(self->r, -1));
}

static void *wait_main(void *r)
{
	return (void *)(long)ringbuf_wait(r, 10000);
}

/* Also who waits for more than there is. */
TEST_F(lib, sleepers_wake)
{
	pthread_t thread;
	void *ret;

	START_RING(NULL);
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_main, self->r));
	usleep(100000);
	ASSERT_EQ(0, ringbuf_destroy("own"));
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(-ENODEV, (long)ret);

	ringbuf_reader_close(self->r);
	ringbuf_publisher_close(self->p);
	START_RING(NULL);
	ASSERT_EQ(0, ringbuf_reader_set_wake(self->r, 0, 10, 0));
	ASSERT_EQ(0, publish(self->p, 0, 10));
	ASSERT_EQ(0, pthread_create(&thread, NULL, wait_main, self->r));
	usleep(100000);
	ASSERT_EQ(0, ringbuf_destroy("own"));
	ASSERT_EQ(0, pthread_join(thread, &ret));
	EXPECT_EQ(1, (long)ret);
	EXPECT_EQ(0, take(self->r, 0, 10));
	EXPECT_EQ(-ENODEV, ringbuf_wait(self->r, -1));
}

TEST_HARNESS_MAIN
