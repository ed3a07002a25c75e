/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of the kernel as the ring and its character device take, in one thread of
 * a process: nobody sleeps, no timer runs but when the test says so, and user memory
 * is memory up to a place from which on it faults. Each header that they include is
 * this one (see the Makefile); what the core takes is in selftests/native/include.
 */
#ifndef _SHIM_H
#define _SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <linux/types.h>
#include "../../native/include/linux/cache.h"
#include "../../native/include/linux/compiler.h"
#include "../../native/include/linux/kernel.h"
#include "../../native/include/linux/list.h"
#include "../../native/include/linux/preempt.h"
#include "../../native/include/linux/rculist.h"
#include "../../native/include/asm/barrier.h"

#define __user
#undef __always_inline
#define __always_inline		inline __attribute__((__always_inline__))
#define noinline		__attribute__((__noinline__))
#define likely(x)		__builtin_expect(!!(x), 1)
#define data_race(x)		(x)
#define static_assert(x)	_Static_assert(x, #x)
#define container_of(p, type, member) \
	((type *)((char *)(p) - offsetof(type, member)))
#define BIT(n)			(1UL << (n))
#define IS_ENABLED(x)		(x)
#define CONFIG_64BIT		1
#define CONFIG_HAVE_EFFICIENT_UNALIGNED_ACCESS 1
#define EXPORT_SYMBOL_NS_GPL(symbol, ns) struct shim_unused
#define KERNEL_VERSION(a, b, c)	(((a) << 16) + ((b) << 8) + (c))
#define LINUX_VERSION_CODE	KERNEL_VERSION(6, 18, 0)
#define THIS_MODULE		NULL
#define WARN_ON_ONCE(x)		({ if (x) abort(); false; })
#define max_t(type, a, b)	({ type _c = (a); type _d = (b); _c > _d ? _c : _d; })
#define S64_MAX			((s64)(U64_MAX >> 1))
#define INT_MAX			__INT_MAX__
#define ERESTARTSYS		512
#define ERESTARTNOHAND		514
#define check_add_overflow(a, b, to) __builtin_add_overflow(a, b, to)
#define cmpxchg(p, was, is)						\
({									\
	__typeof__(*(p)) was_ = (was);					\
									\
	__atomic_compare_exchange_n(p, &was_, is, false,		\
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
	was_;								\
})
#define ERR_PTR(e)		((void *)(long)(e))
#define PTR_ERR(p)		((long)(p))
#define IS_ERR(p)		((unsigned long)(p) >= -4095UL)
#define barrier()		__asm__ __volatile__("" ::: "memory")

typedef unsigned short umode_t;
typedef unsigned int fmode_t;
typedef unsigned int gfp_t;
typedef unsigned int __poll_t;

typedef struct { int counter; } atomic_t;

#define atomic_read(a)		READ_ONCE((a)->counter)
#define atomic_set(a, v)		WRITE_ONCE((a)->counter, v)
#define atomic_xchg(a, v)	__atomic_exchange_n(&(a)->counter, v, __ATOMIC_SEQ_CST)
#define atomic_cmpxchg(a, was, is)					\
({									\
	int was_ = (was);						\
									\
	__atomic_compare_exchange_n(&(a)->counter, &was_, is, false,	\
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
	was_;								\
})
#define atomic_inc(a)		((void)__atomic_add_fetch(&(a)->counter, 1, __ATOMIC_SEQ_CST))
#define atomic_dec(a)		((void)__atomic_sub_fetch(&(a)->counter, 1, __ATOMIC_SEQ_CST))

static inline bool atomic_add_unless(atomic_t *a, int add, int unless)
{
	if (a->counter == unless)
		return false;
	a->counter += add;
	return true;
}

/* Memory */

#define PAGE_SHIFT		12
#define PAGE_SIZE		4096UL
#define offset_in_page(p)	((unsigned long)(p) & (PAGE_SIZE - 1))
#define GFP_KERNEL		1	/* 0 is for what may not allocate */
#define GFP_KERNEL_ACCOUNT	0
#define __GFP_ZERO		0
#define __GFP_RETRY_MAYFAIL	0
#define __GFP_NOWARN		0
#define VM_MAP			0
#define PAGE_KERNEL		0

struct page {
	u8 *address;
	unsigned int frame;
	unsigned int references;
};

/* Says no now and then, as the test wants it. */
bool shim_no_memory(void);

static inline void *kzalloc(size_t n, gfp_t gfp)
{
	void *p;

	/* For what is aligned to cache lines. */
	if (shim_no_memory() || posix_memalign(&p, 64, (n + 63) & ~63UL))
		return NULL;
	return memset(p, 0, n);
}

#define kvcalloc(n, size, gfp)	kzalloc((n) * (size), gfp)
#define kfree(p)		free((void *)(p))
#define kvfree(p)		free((void *)(p))
#define kfree_rcu(p, member)	free(p)
#define page_address(p)		((void *)(p)->address)

struct page *alloc_page(gfp_t gfp);
void __free_page(struct page *page);
void *vmap(struct page **pages, unsigned int count, int flags, int prot);
void vunmap(const void *p);

static inline ssize_t strscpy(char *to, const char *from, size_t size)
{
	return snprintf(to, size, "%s", from);
}

/* RCU, locks, tasks: there is one thread. */

struct rcu_head { void *unused; };
typedef struct { int held; } spinlock_t;
struct mutex { int held; };
struct task_struct { int unused; };
struct pid { int references; };

extern struct pid shim_process;

#define current				((struct task_struct *)NULL)
#define task_tgid(t)			((void)(t), &shim_process)
#define get_pid(p)			((p)->references++, (p))
#define put_pid(p)			((void)((struct pid *)(p))->references--)
#define pid_task(p, type)		((void)(p), true)
#define pid_nr(p)			((void)(p), 1)
#define pid_vnr(p)			pid_nr(p)
#define signal_pending(t)		((void)(t), false)
#define fatal_signal_pending(t)		((void)(t), false)
#define cond_resched()			((void)0)
#define schedule_timeout_interruptible(t)	((void)(t))
#define schedule()			abort()
#define synchronize_rcu_expedited()	((void)0)
#define rcu_read_lock_sched()		((void)0)
#define rcu_read_unlock_sched()		((void)0)

static inline void shim_lock(int *held)
{
	if ((*held)++)
		abort();
}

static inline void shim_unlock(int *held)
{
	if (--*held)
		abort();
}

#define spin_lock_init(l)		((void)((l)->held = 0))
#define spin_lock(l)			shim_lock(&(l)->held)
#define spin_unlock(l)			shim_unlock(&(l)->held)
#define spin_lock_irqsave(l, flags)	((void)((flags) = 0), spin_lock(l))
#define spin_unlock_irqrestore(l, flags) ((void)(flags), spin_unlock(l))
#define mutex_init(m)			((void)((m)->held = 0))
#define mutex_destroy(m)		((void)(m))
#define mutex_unlock(m)			shim_unlock(&(m)->held)
#define mutex_lock(m)			shim_lock(&(m)->held)
#define mutex_trylock(m)		(shim_lock(&(m)->held), true)
#define mutex_lock_interruptible(m)	(shim_lock(&(m)->held), 0)

struct kref { int count; };

#define kref_init(k)		((void)((k)->count = 1))
#define kref_get(k)		((void)(k)->count++)

static inline void kref_put(struct kref *k, void (*release)(struct kref *k))
{
	if (k->count < 1)
		abort();
	if (!--k->count)
		release(k);
}

/* Lists and wait queues */

static inline void list_del_init(struct list_head *e)
{
	e->next->prev = e->prev;
	e->prev->next = e->next;
	INIT_LIST_HEAD(e);
}

static inline void list_add(struct list_head *e, struct list_head *head)
{
	e->next = head->next;
	e->prev = head;
	head->next->prev = e;
	head->next = e;
}

static inline void list_add_tail(struct list_head *e, struct list_head *head)
{
	list_add(e, head->prev);
}

static inline void list_move_tail(struct list_head *e, struct list_head *head)
{
	list_del_init(e);
	list_add_tail(e, head);
}

/* The head goes before @e, which is the first entry then. */
static inline void list_rotate_to_front(struct list_head *e, struct list_head *head)
{
	list_move_tail(head, e);
}

#define list_del(e)		list_del_init(e)
#define list_entry(p, type, m)	container_of(p, type, m)
#define list_first_entry_or_null(l, type, m) \
	(list_empty(l) ? NULL : list_entry((l)->next, type, m))
#define list_empty(l)		((l)->next == (l))
#define list_empty_careful(l)	list_empty(l)

struct wait_queue_entry;
typedef struct wait_queue_entry wait_queue_entry_t;
typedef int (*wait_queue_func_t)(struct wait_queue_entry *entry,
				 unsigned int mode, int flags, void *key);

struct wait_queue_entry {
	wait_queue_func_t func;
	struct list_head entry;
};

typedef struct wait_queue_head {
	spinlock_t lock;
	struct list_head head;
} wait_queue_head_t;

#define TASK_INTERRUPTIBLE	1
#define TASK_NORMAL		3
#define DEFINE_WAIT(name)	struct wait_queue_entry name; init_wait(&name)

int default_wake_function(struct wait_queue_entry *entry, unsigned int mode,
			  int flags, void *key);
void __wake_up(wait_queue_head_t *q, unsigned int mode, int nr, void *key);
void init_wait(struct wait_queue_entry *wait);
void prepare_to_wait(wait_queue_head_t *q, struct wait_queue_entry *wait,
		     int state);
void finish_wait(wait_queue_head_t *q, struct wait_queue_entry *wait);
void __add_wait_queue(wait_queue_head_t *q, struct wait_queue_entry *wait);
void add_wait_queue(wait_queue_head_t *q, struct wait_queue_entry *wait);
void remove_wait_queue(wait_queue_head_t *q, struct wait_queue_entry *wait);
#define woken_wake_function		default_wake_function
#define wait_woken(wait, state, timeout) ((void)(wait), (void)(timeout), abort())

#define init_waitqueue_head(q) \
	((void)((q)->lock.held = 0), INIT_LIST_HEAD(&(q)->head))
#define init_waitqueue_func_entry(e, f)	((void)((e)->func = (f)))
#define waitqueue_active(q)	(!list_empty(&(q)->head))
#define wq_has_sleeper(q)	waitqueue_active(q)
#define wake_up_all(q)		__wake_up(q, TASK_INTERRUPTIBLE, 0, NULL)
#define poll_to_key(m)		((void *)(unsigned long)(m))

/* Time */

extern u64 shim_now;

#define NSEC_PER_MSEC		1000000L
#define KTIME_MAX		S64_MAX
static inline void generate_random_uuid(unsigned char uuid[16])
{
	memset(uuid, 0x5a, 16);
}

#define __must_check
#define __acquires(lock)
#define __releases(lock)
#define ktime_get_mono_fast_ns() shim_now
#define ktime_get_boot_fast_ns() shim_now
#define ktime_get_real_fast_ns() shim_now
#define ktime_get_tai_fast_ns() shim_now
#define jiffies			(shim_now / 1000000)
#define nsecs_to_jiffies(n)	((n) / 1000000)
#define ns_to_ktime(n)		(n)

enum hrtimer_restart { HRTIMER_NORESTART };
enum hrtimer_mode { HRTIMER_MODE_REL_SOFT };

struct hrtimer {
	enum hrtimer_restart (*function)(struct hrtimer *timer);
	bool queued;
};

struct work_struct {
	void (*func)(struct work_struct *work);
};

struct delayed_work {
	struct work_struct work;
	bool queued;
};

struct irq_work {
	void (*func)(struct irq_work *work);
};

#define hrtimer_setup(t, f, clock, mode) \
	((void)((t)->function = (f), (t)->queued = false))
#define hrtimer_start(t, ns, mode)	((void)((t)->queued = true))
#define hrtimer_is_queued(t)		((t)->queued)
#define hrtimer_try_to_cancel(t)	((void)((t)->queued = false))
#define hrtimer_cancel(t)		((void)((t)->queued = false))
#define MAX_SCHEDULE_TIMEOUT		((unsigned long)S64_MAX)
#define INIT_DELAYED_WORK(w, f)		((void)((w)->work.func = (f)))
#define to_delayed_work(w)		container_of(w, struct delayed_work, work)
#define queue_delayed_work(q, w, t)	((void)(t), (void)((w)->queued = true))
#define mod_delayed_work(q, w, t)	((void)((w)->queued = true))
#define cancel_delayed_work_sync(w)	((void)((w)->queued = false))
#define WQ_UNBOUND			0
#define WQ_HIGHPRI			0
struct workqueue_struct;
#define alloc_workqueue(name, flags, n)	((struct workqueue_struct *)(name))
#define destroy_workqueue(q)		((void)(q))
#define INIT_WORK(w, f)			((void)((w)->func = (f)))
/* At once: whoever queues work holds no lock that it takes. */
#define queue_work(q, w)		((void)(q), (w)->func(w))
#define cancel_work_sync(w)		((void)(w))
#define usleep_range(min, max)		((void)(min), (void)(max))
#define need_resched()			false
#define raw_smp_processor_id()		0
#define ktime_get_ns()			shim_now
#define NSEC_PER_USEC			1000L
#define init_irq_work(w, f)		((void)((w)->func = (f)))
#define irq_work_queue(w)		((w)->func(w))
#define irq_work_sync(w)		((void)(w))

/* Files */

#define FMODE_READ		1U
#define FMODE_WRITE		2U
#define FMODE_LSEEK		4U
#define FMODE_PREAD		8U
#define FMODE_PWRITE		16U
#define FMODE_NOWAIT		32U
#define FMODE_STREAM		64U
#define IOCB_NOWAIT		1

#define EPOLLIN			0x001U
#define EPOLLPRI		0x002U
#define EPOLLOUT		0x004U
#define EPOLLERR		0x008U
#define EPOLLHUP		0x010U
#define EPOLLRDNORM		0x040U
#define EPOLLWRNORM		0x100U
#define SEEK_DATA		3

struct inode { int unused; };
struct poll_table_struct {
	__poll_t events;
	void *_qproc;
};
typedef struct poll_table_struct poll_table;
struct module;
struct pipe_inode_info;
struct seq_file;
struct vm_area_struct;

/* Users are numbered from 0. */
#define SHIM_USERS		4
#define CAP_SYS_RESOURCE	24
#define __kuid_val(uid)		(uid)
#define capable(cap)		(shim_capable)

extern bool shim_capable;

struct cred {
	unsigned int uid;
};

/* An array of numbers, with a place for each user. */
struct xarray {
	void *entry[SHIM_USERS];
};

#define XA_FLAGS_ACCOUNT	1
#define xa_init_flags(xa, f)	((void)(xa))
#define xa_destroy(xa)		((void)(xa))
#define xa_load(xa, i)		((xa)->entry[i])
#define xa_mk_value(n)		((void *)((n) << 1 | 1))
#define xa_to_value(entry)	((unsigned long)(entry) >> 1)
#define xa_is_err(entry)	IS_ERR(entry)
#define xa_err(entry)		((int)PTR_ERR(entry))

void *xa_cmpxchg(struct xarray *xa, unsigned long i, void *old, void *entry,
		 gfp_t gfp);
bool xa_empty(const struct xarray *xa);

struct file {
	fmode_t f_mode;
	unsigned int f_flags;
	const struct cred *f_cred;
	void *private_data;
};

struct kiocb {
	struct file *ki_filp;
	int ki_flags;
};

struct iov_iter;

struct file_operations {
	struct module *owner;
	int (*open)(struct inode *inode, struct file *file);
	int (*release)(struct inode *inode, struct file *file);
	loff_t (*llseek)(struct file *file, loff_t offset, int whence);
	ssize_t (*read)(struct file *file, char *buf, size_t len, loff_t *pos);
	ssize_t (*write)(struct file *file, const char *buf, size_t len,
			 loff_t *pos);
	ssize_t (*read_iter)(struct kiocb *iocb, struct iov_iter *to);
	ssize_t (*write_iter)(struct kiocb *iocb, struct iov_iter *from);
	void *splice_read;
	ssize_t (*splice_write)(struct pipe_inode_info *pipe, struct file *out,
				loff_t *pos, size_t len, unsigned int flags);
	__poll_t (*poll)(struct file *file, poll_table *wait);
	int (*mmap)(struct file *file, struct vm_area_struct *vma);
	long (*unlocked_ioctl)(struct file *file, unsigned int cmd,
			       unsigned long arg);
	void *compat_ioctl;
	void (*show_fdinfo)(struct seq_file *m, struct file *file);
};

#define copy_splice_read	NULL
#define compat_ptr_ioctl	NULL
#define seq_printf(m, ...)	((void)(m), (void)snprintf(NULL, 0, __VA_ARGS__))
#define poll_wait(file, q, t)	((void)(q))
#define poll_requested_events(t) ((t) ? (t)->events : ~0U)

/* Maps */

#define VM_READ			0x01UL
#define VM_WRITE		0x02UL
#define VM_EXEC			0x04UL
#define VM_SHARED		0x08UL
#define VM_MAYWRITE		0x20UL
#define VM_MAYEXEC		0x40UL
#define VM_MAYSHARE		0x80UL
#define VM_DONTEXPAND		0x40000UL
#define VM_DONTDUMP		0x4000000UL
#define VM_FAULT_SIGBUS		2

typedef int vm_fault_t;
struct vm_operations_struct;

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_pgoff;
	unsigned long vm_flags;
	struct file *vm_file;
	const struct vm_operations_struct *vm_ops;
};

struct vm_fault {
	struct vm_area_struct *vma;
	unsigned long pgoff;
	struct page *page;
};

struct vm_operations_struct {
	vm_fault_t (*fault)(struct vm_fault *vmf);
};

#define vma_pages(vma)		(((vma)->vm_end - (vma)->vm_start) >> PAGE_SHIFT)
#define vm_flags_mod(vma, set, clear) \
	((void)((vma)->vm_flags = ((vma)->vm_flags | (set)) & ~(clear)))
#define get_page(page)		((void)(page)->references++)

/* User memory: whatever reaches shim_fault, or lies outside, is a fault. */

extern u8 *shim_user, *shim_fault;

static inline bool shim_good(const void *p, size_t n)
{
	const u8 *at = p;

	return at >= shim_user && at <= shim_fault &&
	       n <= (size_t)(shim_fault - at);
}

unsigned long copy_to_user(void *to, const void *from, unsigned long n);
unsigned long clear_user(void *to, unsigned long n);
unsigned long copy_from_user(void *to, const void *from, unsigned long n);
int check_zeroed_user(const void *from, size_t size);
int copy_struct_from_user(void *to, size_t ksize, const void *from,
			  size_t usize);

#define get_user(x, p)		(copy_from_user(&(x), p, sizeof(*(p))) ? -EFAULT : 0)
#define put_user(x, p)							\
({									\
	__typeof__(*(p)) x_ = (x);					\
									\
	copy_to_user(p, &x_, sizeof(x_)) ? -EFAULT : 0;			\
})
/* They look at the range; it is the access that faults. */
#define user_write_access_begin(p, n)	((void)(p), (void)(n), true)
#define user_read_access_begin(p, n)	((void)(p), (void)(n), true)
#define user_write_access_end()		((void)0)
#define user_read_access_end()		((void)0)
#define unsafe_put_user(x, p, label) do {				\
	__typeof__(*(p)) x_ = (x);					\
									\
	if (copy_to_user(p, &x_, sizeof(x_)))				\
		goto label;						\
} while (0)
#define unsafe_get_user(x, p, label) do {				\
	if (copy_from_user(&(x), p, sizeof(*(p))))			\
		goto label;						\
} while (0)

/* One piece of user memory, or of a pipe's (@user_backed false). */
struct iov_iter {
	u8 *ubuf;
	size_t iov_offset;
	size_t count;
	bool is_ubuf;
	bool user_backed;
};

#define iter_is_ubuf(i)		((i)->is_ubuf)
#define user_backed_iter(i)	((i)->user_backed)
#define iov_iter_count(i)	((i)->count)

#define ITER_SOURCE		1
#define ITER_DEST		0

static inline void iov_iter_ubuf(struct iov_iter *i, int direction, void *buf,
				 size_t count)
{
	*i = (struct iov_iter) {
		.ubuf = buf, .count = count, .is_ubuf = true,
		.user_backed = true,
	};
}

void iov_iter_advance(struct iov_iter *i, size_t n);
void iov_iter_revert(struct iov_iter *i, size_t n);
size_t copy_to_iter(const void *from, size_t n, struct iov_iter *i);
size_t copy_from_iter(void *to, size_t n, struct iov_iter *i);
size_t copy_page_to_iter(struct page *page, size_t offset, size_t n,
			 struct iov_iter *i);
size_t copy_page_from_iter(struct page *page, size_t offset, size_t n,
			   struct iov_iter *i);

/* Tracepoints are off. */
#define TP_PROTO(...)		__VA_ARGS__
#define TP_ARGS(...)
#define TP_STRUCT__entry(...)
#define TP_fast_assign(...)
#define TP_printk(...)
#define TRACE_EVENT(name, proto, ...)					\
static inline void trace_##name(proto) { }				\
static inline bool trace_##name##_enabled(void) { return false; }	\
struct shim_unused

#endif
