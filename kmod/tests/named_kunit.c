// SPDX-License-Identifier: GPL-2.0
/*
 * Rings that a module makes and destroys, and records of one type in them.
 */

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <kunit/test.h>
#include "device.h"
#include "ring.h"
#include "sleeper.h"

#define NAME	"kunit-named"
#define NODE	DEVICE "-" NAME

struct event {
	u64 number;
	u64 more;
	u32 words[];
};

DEFINE_RINGBUF_TYPED_ID(event, struct event, 7);
DEFINE_RINGBUF_TYPED(plain, u64);

struct named_test {
	struct ringbuf *ring;
	struct ringbuf *rb;
	struct file *reader;
};

static const struct ringbuf_config good = {
	.name = NAME, .size = SZ_4K, .mode = 0600,
};

static struct file *open_node(struct kunit *test, int flags)
{
	struct file *file = open_path(NODE, flags);

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	return file;
}

static int named_init(struct kunit *test)
{
	struct named_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	if (!t)
		return -ENOMEM;
	test->priv = t;
	t->ring = ringbuf_create(&good);
	if (IS_ERR(t->ring))
		return PTR_ERR(t->ring);
	t->rb = ringbuf_producer_get(NAME);
	if (IS_ERR(t->rb))
		return PTR_ERR(t->rb);
	t->reader = open_path(NODE, O_RDONLY | O_NONBLOCK);
	return PTR_ERR_OR_ZERO(t->reader);
}

static void destroy(struct named_test *t)
{
	if (!IS_ERR_OR_NULL(t->ring))
		ringbuf_destroy(t->ring);
	t->ring = NULL;
}

static void named_exit(struct kunit *test)
{
	struct named_test *t = test->priv;

	if (!t)
		return;
	destroy(t);
	if (!IS_ERR_OR_NULL(t->rb))
		ringbuf_producer_put(t->rb);
	if (!IS_ERR_OR_NULL(t->reader))
		fput(t->reader);
	flush_delayed_fput();
}

static void expect_bad(struct kunit *test, struct ringbuf_config config)
{
	struct ringbuf *rb = ringbuf_create(&config);

	KUNIT_EXPECT_EQ(test, PTR_ERR(rb), (long)-EINVAL);
	if (!IS_ERR(rb))
		ringbuf_destroy(rb);
}

static void a_bad_config_makes_no_ring(struct kunit *test)
{
	static const char * const names[] = {
		"", ".", "..", ".a", "-a", "a/b", "a b", "a\n", "\xc3\xa4", "a*",
		"12345678901234567890123456789012",
	};
	static const unsigned long sizes[] = {
		0, 1, PAGE_SIZE / 2, PAGE_SIZE + 1, 3 * PAGE_SIZE, SZ_2G,
		1UL << 40, ~0UL,
	};
	struct ringbuf_config config;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		config = good;
		config.name = names[i];
		expect_bad(test, config);
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		config = good;
		config.name = "kunit-other";
		config.size = sizes[i];
		expect_bad(test, config);
	}
	config = good;
	config.name = "kunit-other";
	config.mode = 0700;
	expect_bad(test, config);
	config.mode = 0600;
	config.max_consumers = (unsigned int)INT_MAX + 1;
	expect_bad(test, config);
	config.max_consumers = 0;
	config.max_consumers_per_user = (unsigned int)INT_MAX + 1;
	expect_bad(test, config);
	config.max_consumers_per_user = 0;
	config.clock = RINGBUF_CLOCK_OFF + 1;
	expect_bad(test, config);
	config.clock = RINGBUF_CLOCK_OFF;
	config.flags = RINGBUF_CONFIG_PRODUCER << 1;
	expect_bad(test, config);
}

static void a_name_is_one_ring(struct kunit *test)
{
	struct ringbuf_config config = good;
	struct named_test *t = test->priv;
	struct ringbuf *rb;

	KUNIT_EXPECT_EQ(test, PTR_ERR(ringbuf_create(&good)), (long)-EEXIST);
	config.name = "ringbuf";
	KUNIT_EXPECT_EQ(test, PTR_ERR(ringbuf_create(&config)), (long)-EEXIST);

	config.name = "1234567890_-.ABCDEFabcdefghijkl";
	rb = ringbuf_create(&config);
	KUNIT_ASSERT_FALSE(test, IS_ERR(rb));
	ringbuf_destroy(rb);

	destroy(t);
	KUNIT_EXPECT_EQ(test, PTR_ERR(ringbuf_producer_get(NAME)),
			(long)-ENODEV);
	KUNIT_EXPECT_EQ(test, PTR_ERR(open_path(NODE, O_RDONLY)),
			(long)-ENOENT);
}

/* Nobody can take the slot before the module that makes the ring. */
static void made_with_its_slot_held(struct kunit *test)
{
	const struct ringbuf_config config = {
		.name = "kunit-held", .size = PAGE_SIZE,
		.flags = RINGBUF_CONFIG_PRODUCER,
	};
	struct ringbuf_config taken = good;
	struct ringbuf *rb;
	u64 word = 3;

	rb = ringbuf_create(&config);
	KUNIT_ASSERT_FALSE(test, IS_ERR(rb));
	KUNIT_EXPECT_EQ(test, PTR_ERR(ringbuf_producer_get(config.name)),
			(long)-EBUSY);
	KUNIT_EXPECT_EQ(test, PTR_ERR(open_path(DEVICE "-kunit-held", O_WRONLY)),
			(long)-EBUSY);
	KUNIT_EXPECT_EQ(test, plain_write(rb, &word), 0);
	ringbuf_producer_put(rb);
	KUNIT_EXPECT_PTR_EQ(test, ringbuf_producer_get(config.name), rb);
	ringbuf_producer_put(rb);
	ringbuf_destroy(rb);

	/* A ring that is not made holds nothing: see that the module unloads. */
	taken.flags = RINGBUF_CONFIG_PRODUCER;
	KUNIT_EXPECT_EQ(test, PTR_ERR(ringbuf_create(&taken)), (long)-EEXIST);
}

static void a_name_is_free_at_once(struct kunit *test)
{
	struct named_test *t = test->priv;
	struct file *other;
	u64 word = 1;

	plain_write(t->rb, &word);
	destroy(t);
	t->ring = ringbuf_create(&good);
	KUNIT_ASSERT_FALSE(test, IS_ERR(t->ring));
	other = open_node(test, O_RDONLY | O_NONBLOCK);
	KUNIT_EXPECT_EQ(test, read_device(other, &word, 8), (ssize_t)-EAGAIN);
	KUNIT_EXPECT_EQ(test, read_device(t->reader, &word, 8), (ssize_t)8);
	KUNIT_EXPECT_EQ(test, read_device(t->reader, &word, 8),
			(ssize_t)-ENODEV);
	fput(other);
}

static void records_of_one_type(struct kunit *test)
{
	struct {
		struct event event;
		u32 words[2];
	} got;
	const struct event sent = { .number = 1, .more = 0 };
	struct named_test *t = test->priv;
	struct event *e;
	u64 word = 5;

	KUNIT_EXPECT_EQ(test, event_write(t->rb, &sent), 0);
	e = event_reserve(t->rb);
	KUNIT_ASSERT_NOT_NULL(test, e);
	*e = (struct event){ .number = 2 };
	ringbuf_commit(t->rb, 0);
	e = event_reserve_tail(t->rb, 2 * sizeof(e->words[0]));
	KUNIT_ASSERT_NOT_NULL(test, e);
	*e = (struct event){ .number = 3, .more = 2 };
	e->words[0] = 10;
	e->words[1] = 11;
	ringbuf_commit(t->rb, 0);
	KUNIT_EXPECT_NULL(test, event_reserve_tail(t->rb, SZ_4K));
	KUNIT_EXPECT_NULL(test, event_reserve_tail(t->rb, U32_MAX));
	KUNIT_EXPECT_NULL(test, event_reserve_tail(t->rb, U32_MAX - 7));
	KUNIT_EXPECT_EQ(test, plain_write(t->rb, &word), 0);

	KUNIT_EXPECT_EQ(test, read_device(t->reader, &got, sizeof(got)),
			(ssize_t)sizeof(struct event));
	KUNIT_EXPECT_EQ(test, got.event.number, 1ULL);
	KUNIT_EXPECT_EQ(test, read_device(t->reader, &got, sizeof(got)),
			(ssize_t)sizeof(struct event));
	KUNIT_EXPECT_EQ(test, got.event.number, 2ULL);
	KUNIT_EXPECT_EQ(test, read_device(t->reader, &got, sizeof(got)),
			(ssize_t)sizeof(struct event) + 8);
	KUNIT_EXPECT_EQ(test, got.event.number, 3ULL);
	KUNIT_EXPECT_EQ(test, got.words[1], 11U);
	word = 0;
	KUNIT_EXPECT_EQ(test, read_device(t->reader, &word, 8), (ssize_t)8);
	KUNIT_EXPECT_EQ(test, word, 5ULL);
}

/* Its files and its producer are still there. */
static void a_destroyed_ring_takes_nothing_and_gives_the_rest(struct kunit *test)
{
	struct named_test *t = test->priv;
	u64 word = 1, *open;

	KUNIT_EXPECT_EQ(test, plain_write(t->rb, &word), 0);
	open = plain_reserve(t->rb);
	KUNIT_ASSERT_NOT_NULL(test, open);
	*open = 2;
	destroy(t);

	/* What was open when it ended may be closed. */
	ringbuf_commit(t->rb, 0);
	KUNIT_EXPECT_EQ(test, plain_write(t->rb, &word), -ENODEV);
	KUNIT_EXPECT_EQ(test, ringbuf_write(t->rb, &word, 0, 0), -EINVAL);
	KUNIT_EXPECT_NULL(test, plain_reserve(t->rb));
	ringbuf_flush(t->rb);

	KUNIT_EXPECT_EQ(test, read_device(t->reader, &word, 8), (ssize_t)8);
	KUNIT_EXPECT_EQ(test, word, 1ULL);
	KUNIT_EXPECT_EQ(test, read_device(t->reader, &word, 8), (ssize_t)8);
	KUNIT_EXPECT_EQ(test, word, 2ULL);
	KUNIT_EXPECT_EQ(test, read_device(t->reader, &word, 8),
			(ssize_t)-ENODEV);
	ringbuf_producer_put(t->rb);
	t->rb = NULL;
	KUNIT_EXPECT_EQ(test, read_device(t->reader, &word, 8),
			(ssize_t)-ENODEV);
}

static void the_end_wakes_who_sleeps(struct kunit *test)
{
	u64 *word = kunit_kzalloc(test, sizeof(*word), GFP_KERNEL);
	struct file *file = open_node(test, O_RDONLY);
	struct named_test *t = test->priv;
	struct sleeper *s;

	KUNIT_ASSERT_NOT_NULL(test, word);
	s = sleeper_start(test, file, word, sizeof(*word), 1);
	KUNIT_EXPECT_TRUE(test, sleeper_has(s, 0, true));
	destroy(t);
	KUNIT_EXPECT_GT(test, wait_for_completion_timeout(&s->done, 30 * HZ),
			0UL);
	KUNIT_EXPECT_EQ(test, s->last, (ssize_t)-ENODEV);
	put_task_struct(s->task);
	fput(file);
}

struct ender {
	struct named_test *t;
	struct completion done;
};

static int ender_fn(void *arg)
{
	struct ender *e = arg;

	destroy(e->t);
	complete(&e->done);
	return 0;
}

/* As a write() does: it has seen no end, and publishes in the same critical section. */
static void what_has_begun_comes_before_the_end(struct kunit *test)
{
	struct named_test *t = test->priv;
	struct ringbuf_core *core = &t->rb->core;
	struct ender e = { .t = t };
	struct task_struct *task;
	bool ended = false, refuses;
	unsigned int i;

	if (num_online_cpus() < 2)
		kunit_skip(test, "nobody can end it meanwhile on one CPU");
	init_completion(&e.done);
	task = kthread_create(ender_fn, &e, "rb-ender");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));

	rcu_read_lock_sched();
	wake_up_process(task);
	/* Until the ring takes no more; then for as long as anyone takes to say so. */
	for (i = 0; i < 400000 && READ_ONCE(core->max_record); i++)
		udelay(5);
	refuses = !READ_ONCE(core->max_record);
	for (i = 0; i < 50 && !ended; i++) {
		mdelay(1);
		ended = READ_ONCE(core->page->flags) & RINGBUF_RING_DEAD;
	}
	rcu_read_unlock_sched();

	wait_for_completion(&e.done);
	/* Else it had not begun to end while it was looked at. */
	KUNIT_EXPECT_TRUE(test, refuses);
	KUNIT_EXPECT_FALSE(test, ended);
	KUNIT_EXPECT_NE(test, core->page->flags & RINGBUF_RING_DEAD, 0U);
}

/* A driver that makes a ring, and takes a producer's slot, in its open(). */
static int driver_open(struct inode *inode, struct file *file)
{
	struct ringbuf_config config = good;
	struct ringbuf *ring, *rb;

	config.name = "kunit-driver";
	ring = ringbuf_create(&config);
	if (IS_ERR(ring))
		return PTR_ERR(ring);
	rb = ringbuf_producer_get(config.name);
	if (!IS_ERR(rb))
		ringbuf_producer_put(rb);
	ringbuf_destroy(ring);
	return PTR_ERR_OR_ZERO(rb);
}

static const struct file_operations driver_fops = {
	.owner = THIS_MODULE,
	.open = driver_open,
};

/* Misc devices hold a lock there, which lockdep knows from their registration. */
static void a_driver_makes_rings_in_its_open(struct kunit *test)
{
	static struct miscdevice driver = {
		.minor = MISC_DYNAMIC_MINOR,
		.name = "kunit-driver",
		.fops = &driver_fops,
	};
	struct file *file;

	KUNIT_ASSERT_EQ(test, misc_register(&driver), 0);
	file = open_path("/dev/kunit-driver", O_RDONLY);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(file), 0);
	if (!IS_ERR(file))
		fput(file);
	flush_delayed_fput();
	misc_deregister(&driver);
}

static struct kunit_case named_cases[] = {
	KUNIT_CASE(a_bad_config_makes_no_ring),
	KUNIT_CASE(a_name_is_one_ring),
	KUNIT_CASE(made_with_its_slot_held),
	KUNIT_CASE(a_name_is_free_at_once),
	KUNIT_CASE(records_of_one_type),
	KUNIT_CASE(a_destroyed_ring_takes_nothing_and_gives_the_rest),
	KUNIT_CASE(the_end_wakes_who_sleeps),
	KUNIT_CASE(what_has_begun_comes_before_the_end),
	KUNIT_CASE(a_driver_makes_rings_in_its_open),
	{}
};

static struct kunit_suite named_suite = {
	.name = "ringbuf_named",
	.init = named_init,
	.exit = named_exit,
	.test_cases = named_cases,
};

kunit_test_suite(named_suite);
