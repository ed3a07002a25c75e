// SPDX-License-Identifier: GPL-2.0
/* What the tracepoints tell, and that they are silent until switched on. */
#include "ringbuf_test.h"

#define TRACING	"/sys/kernel/tracing/"
#define EVENTS	TRACING "events/ringbuf/"

static char trace[1 << 16];

static int put_file(const char *path, const char *text)
{
	int fd = RC(open(path, O_WRONLY | O_TRUNC | O_CLOEXEC));
	int ret;

	if (fd < 0)
		return fd;
	ret = RC(write(fd, text, strlen(text)));
	close(fd);
	return ret < 0 ? ret : 0;
}

static int read_trace(void)
{
	int fd = RC(open(TRACING "trace", O_RDONLY | O_CLOEXEC));
	ssize_t n, len = 0;

	if (fd < 0)
		return fd;
	while ((n = read(fd, trace + len, sizeof(trace) - 1 - len)) > 0)
		len += n;
	close(fd);
	trace[len] = '\0';
	return n < 0 ? -errno : 0;
}

static int count(const char *what)
{
	const char *p = trace;
	int n = 0;

	while ((p = strstr(p, what))) {
		p += strlen(what);
		n++;
	}
	return n;
}

FIXTURE(tracing) {
	struct rb_pair p;
};

FIXTURE_SETUP(tracing)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096 reliable=1"));
	/*
	 * Names of tasks are taken in the scheduler, whose text would be patched as
	 * it runs; qemu gets that wrong, see testing.rst.
	 */
	ASSERT_EQ(0, put_file(TRACING "options/record-cmd", "0"));
	ASSERT_EQ(0, put_file(TRACING "trace", ""));
	ASSERT_EQ(0, put_file(TRACING "tracing_on", "1"));
}

FIXTURE_TEARDOWN(tracing)
{
	put_file(EVENTS "enable", "0");
	put_file(TRACING "trace", "");
	rb_pair_close(&self->p);
}

TEST_F(tracing, silent_until_switched_on)
{
	ASSERT_EQ(10, rb_put(self->p.w, 0, 10));
	ASSERT_EQ(0, read_trace());
	EXPECT_EQ(0, count("ringbuf_"));
}

TEST_F(tracing, publish_tells_the_head)
{
	ASSERT_EQ(0, put_file(EVENTS "ringbuf_publish/enable", "1"));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	ASSERT_EQ(9, rb_put(self->p.w, 1, 9));
	ASSERT_EQ(0, read_trace());
	EXPECT_EQ(2, count("ringbuf_publish: "));
	EXPECT_EQ(1, count("ringbuf head=32 head_seq=1\n"));
	EXPECT_EQ(1, count("ringbuf head=72 head_seq=2\n"));
}

/* Has the trace one more loss, all that @fd has lost? */
static bool is_traced(int fd)
{
	struct ringbuf_stats stats;
	char want[64];

	if (rb_stats(fd, &stats) || read_trace())
		return false;
	snprintf(want, sizeof(want), "ringbuf seq=0 records=%llu bytes=%llu\n",
		 (unsigned long long)stats.lost_records,
		 (unsigned long long)stats.lost_bytes);
	return stats.lost_records && count("ringbuf_overrun: ") == 1 && count(want) == 1;
}

TEST_F(tracing, overrun_tells_the_loss)
{
	int i, joins = rb_open(O_RDONLY);

	ASSERT_EQ(0, put_file(EVENTS "ringbuf_overrun/enable", "1"));
	for (i = 0; i < 200; i++)
		ASSERT_EQ(8, rb_put(self->p.w, i, 8));
	ASSERT_EQ(-EPIPE, RC(read(self->p.r, rb_in, 64)));
	EXPECT_TRUE(is_traced(self->p.r));
	/* Nobody is told otherwise of what one loses who becomes reliable. */
	ASSERT_EQ(0, put_file(TRACING "trace", ""));
	ASSERT_EQ(0, rb_set_consumer(joins, RINGBUF_CONSUMER_RELIABLE));
	EXPECT_TRUE(is_traced(joins));
	close(joins);
}

TEST_F(tracing, wakeup_only_for_those_who_sleep)
{
	int r = rb_open(O_RDONLY);
	struct rb_op op;

	ASSERT_EQ(0, put_file(EVENTS "ringbuf_wakeup/enable", "1"));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	ASSERT_EQ(0, read_trace());
	EXPECT_EQ(0, count("ringbuf_wakeup"));

	ASSERT_EQ(8, read(r, rb_in, 64));
	ASSERT_TRUE(rb_op_block(&op, SYS_read, r, rb_in, RB_MAX));
	ASSERT_EQ(8, rb_put(self->p.w, 1, 8));
	ASSERT_EQ(8, rb_op_wait(&op));
	ASSERT_EQ(0, read_trace());
	EXPECT_EQ(1, count("ringbuf_wakeup: ringbuf head=64\n"));
	close(r);
}

TEST_HARNESS_MAIN
