// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel producer that publishes at a process's word, in any context. It has the
 * slot of the default ring while its device is open.
 */

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "compat.h"
#include "contexts.h"
#include "poke.h"
#include "ringbuf.h"

static DEFINE_MUTEX(lock);
static struct ringbuf *rb;
/* Under the lock; not on the stack, where its timer may not be. */
static struct job job;

static void publish(struct job *job)
{
	u32 number = job->number;

	job->result = ringbuf_write(job->rb, &number, sizeof(number), 1);
}

static long poke_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct poke poke;
	int ret;

	if (cmd != POKE)
		return -ENOTTY;
	if (copy_from_user(&poke, (void __user *)arg, sizeof(poke)))
		return -EFAULT;
	if (poke.context >= TEST_CONTEXTS)
		return -ENOENT;
	if (!poke.number) {
		strscpy_pad(poke.name, test_contexts[poke.context].name,
			    sizeof(poke.name));
		return copy_to_user((void __user *)arg, &poke, sizeof(poke)) ?
		       -EFAULT : 0;
	}
	mutex_lock(&lock);
	job = (struct job){
		.fn = publish,
		.rb = rb,
		.number = poke.number,
		.elsewhere = poke.elsewhere,
		.result = -EIO,
	};
	ret = test_contexts[poke.context].run(&job) && job.in_context ?
	      job.result : -EIO;
	mutex_unlock(&lock);
	return ret;
}

static int poke_open(struct inode *inode, struct file *file)
{
	struct ringbuf *ring = ringbuf_producer_get("ringbuf");

	if (IS_ERR(ring))
		return PTR_ERR(ring);
	rb = ring;
	return 0;
}

static int poke_release(struct inode *inode, struct file *file)
{
	ringbuf_producer_put(rb);
	return 0;
}

static const struct file_operations poke_fops = {
	.owner = THIS_MODULE,
	.open = poke_open,
	.release = poke_release,
	.unlocked_ioctl = poke_ioctl,
};

static struct miscdevice poke_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ringbuf-poke",
	.fops = &poke_fops,
};

static int __init poke_init(void)
{
	int ret = contexts_init();

	if (ret)
		return ret;
	ret = misc_register(&poke_misc);
	if (ret)
		contexts_exit();
	return ret;
}
module_init(poke_init);

static void __exit poke_exit(void)
{
	misc_deregister(&poke_misc);
	contexts_exit();
}
module_exit(poke_exit);

MODULE_DESCRIPTION("Producer of ringbuf records in any context, for tests");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(RINGBUF_NAMESPACE);
