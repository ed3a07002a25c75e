// SPDX-License-Identifier: GPL-2.0
/*
 * Measures in the kernel what publishing a record costs, through ringbuf and
 * through what else there is. run.c tells it what, and when.
 */

#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/irqflags.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "bench.h"

u8 kbench_payload[KBENCH_LEN_MAX] __aligned(64);

static const struct contender *const groups[] = {
	kbench_ours, kbench_core, kbench_peers, kbench_bpf,
};

static const struct contender *contender(u32 n)
{
	const struct contender *c;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(groups); i++) {
		for (c = groups[i]; c->name; c++) {
			if (!n--)
				return c;
		}
	}
	return NULL;
}

noinline void kbench_mark_begin(void)
{
	barrier();
}

noinline void kbench_mark_end(void)
{
	barrier();
}

/*
 * Without interrupts, which would be counted, too; for less than a millisecond.
 * The first run warms code and caches up; buffers are larger than what a run
 * writes, so what the second one writes over are lines that it has not just
 * written.
 */
static int publish(struct kbench_publish *p)
{
	const struct contender *c = contender(p->contender);
	unsigned long flags;
	u64 start;
	int ret;

	if (!c)
		return -ENOENT;
	if (!p->len || p->len > (c->max_len ?: KBENCH_LEN_MAX))
		return -EMSGSIZE;
	ret = c->prepare ? c->prepare(p->len) : 0;
	if (ret)
		return ret;
	local_irq_save(flags);
	ret = c->run(p->len, p->count);
	kbench_mark_begin();
	start = ktime_get_ns();
	ret = ret ?: c->run(p->len, p->count);
	p->ns = ktime_get_ns() - start;
	kbench_mark_end();
	local_irq_restore(flags);
	return ret;
}

static int name(struct kbench_name *n)
{
	const struct contender *c = contender(n->contender);

	if (!c)
		return -ENOENT;
	strscpy_pad(n->name, c->name, sizeof(n->name));
	return 0;
}

static long kbench_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	union {
		struct kbench_name name;
		struct kbench_publish publish;
		struct kbench_read read;
		struct kbench_bpf bpf;
	} u = {};
	void __user *user = (void __user *)arg;
	int ret;

	if (_IOC_SIZE(cmd) > sizeof(u))
		return -ENOTTY;
	if (copy_from_user(&u, user, _IOC_SIZE(cmd)))
		return -EFAULT;
	switch (cmd) {
	case KBENCH_IOC_NAME:
		ret = name(&u.name);
		break;
	case KBENCH_IOC_PUBLISH:
		ret = publish(&u.publish);
		break;
	case KBENCH_IOC_READ:
		ret = kbench_read(&u.read);
		break;
	case KBENCH_IOC_BPF:
		return kbench_bpf_set(&u.bpf);
	default:
		return -ENOTTY;
	}
	if (!ret && copy_to_user(user, &u, _IOC_SIZE(cmd)))
		ret = -EFAULT;
	return ret;
}

static const struct file_operations kbench_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.unlocked_ioctl = kbench_ioctl,
};

static struct miscdevice kbench_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "kbench",
	.fops = &kbench_fops,
	.mode = 0600,
};

static void leave(void)
{
	kbench_bpf_exit();
	kbench_peers_exit();
	kbench_core_exit();
	kbench_ours_exit();
}

static int __init kbench_init(void)
{
	int ret;

	/* Text, for who takes nothing else. */
	memset(kbench_payload, 'x', sizeof(kbench_payload));
	ret = kbench_ours_init();
	if (!ret)
		ret = kbench_core_init();
	if (!ret)
		ret = kbench_peers_init();
	if (!ret)
		ret = misc_register(&kbench_misc);
	if (ret)
		leave();
	return ret;
}

static void __exit kbench_exit(void)
{
	misc_deregister(&kbench_misc);
	leave();
}

module_init(kbench_init);
module_exit(kbench_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Benchmark of ringbuf and its peers");
MODULE_IMPORT_NS(RINGBUF);
MODULE_IMPORT_NS(BPF_INTERNAL);
