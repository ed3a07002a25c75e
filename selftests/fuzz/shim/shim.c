// SPDX-License-Identifier: GPL-2.0
/* See shim.h. */

#include <sys/mman.h>
#include <unistd.h>
#include "shim.h"
#include "shim_test.h"

#define FRAMES		64U

u64 shim_now;
u8 *shim_user, *shim_fault;
unsigned int shim_pages;
unsigned int shim_fail_after;
void (*shim_meanwhile)(void);

static struct page frames[FRAMES];

/* What vmap() has made. */
struct area {
	u8 *mem;
	unsigned int count;
	unsigned int *frames;
	bool used;
};

static struct area areas[16];

bool shim_no_memory(void)
{
	return shim_fail_after && !--shim_fail_after;
}

bool shim_capable;
struct pid shim_process;

void *xa_cmpxchg(struct xarray *xa, unsigned long i, void *old, void *entry,
		 gfp_t gfp)
{
	void *seen = xa->entry[i];

	/* A place takes memory; to change what is there does not. */
	if (!seen && entry && (!gfp || shim_no_memory()))
		return ERR_PTR(-ENOMEM);
	if (seen == old)
		xa->entry[i] = entry;
	return seen;
}

bool xa_empty(const struct xarray *xa)
{
	unsigned int i;

	for (i = 0; i < SHIM_USERS; i++)
		if (xa->entry[i])
			return false;
	return true;
}

static u8 *memory;
static int memory_fd;

static void make_memory(void)
{
	memory_fd = memfd_create("pages", 0);
	if (memory_fd < 0 || ftruncate(memory_fd, FRAMES * PAGE_SIZE))
		abort();
	memory = mmap(NULL, FRAMES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		      memory_fd, 0);
	if (memory == MAP_FAILED)
		abort();
}

struct page *alloc_page(gfp_t gfp)
{
	struct page *page = frames;

	if (shim_no_memory())
		return NULL;
	if (!memory)
		make_memory();
	while (page->address)
		page++;
	if (page >= frames + FRAMES)
		abort();
	page->frame = page - frames;
	page->address = memory + page->frame * PAGE_SIZE;
	memset(page->address, 0, PAGE_SIZE);
	shim_pages++;
	return page;
}

void __free_page(struct page *page)
{
	if (!page->address)
		abort();
	page->address = NULL;
	shim_pages--;
}

static bool is_of(const struct area *a, struct page **pages, unsigned int count)
{
	unsigned int i;

	if (!a->mem || a->used || a->count != count)
		return false;
	for (i = 0; i < count; i++)
		if (a->frames[i] != pages[i]->frame)
			return false;
	return true;
}

static void make_area(struct area *a, struct page **pages, unsigned int count)
{
	unsigned int i;

	a->count = count;
	a->frames = malloc(count * sizeof(*a->frames));
	a->mem = mmap(NULL, (count + 2) * PAGE_SIZE, PROT_NONE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!a->frames || a->mem == MAP_FAILED)
		abort();
	for (i = 0; i < count; i++) {
		a->frames[i] = pages[i]->frame;
		if (mmap(a->mem + (i + 1) * PAGE_SIZE, PAGE_SIZE,
			 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			 memory_fd, pages[i]->frame * PAGE_SIZE) == MAP_FAILED)
			abort();
	}
}

/*
 * With a page that nobody may touch on either side. An area stays for the next one
 * of the same pages, out of reach meanwhile: to map it anew costs more than the rest.
 */
void *vmap(struct page **pages, unsigned int count, int flags, int prot)
{
	struct area *a;

	if (shim_no_memory())
		return NULL;
	for (a = areas; a < areas + ARRAY_SIZE(areas) && a->mem; a++)
		if (is_of(a, pages, count))
			break;
	if (a == areas + ARRAY_SIZE(areas))
		abort();
	if (!a->mem)
		make_area(a, pages, count);
	a->used = true;
	if (mprotect(a->mem + PAGE_SIZE, count * PAGE_SIZE,
		     PROT_READ | PROT_WRITE))
		abort();
	return a->mem + PAGE_SIZE;
}

void vunmap(const void *p)
{
	struct area *a = areas;

	if (!p)
		return;
	while (a->mem + PAGE_SIZE != p)
		a++;
	mprotect(a->mem + PAGE_SIZE, a->count * PAGE_SIZE, PROT_NONE);
	a->used = false;
}

void init_wait(struct wait_queue_entry *wait)
{
	wait->func = default_wake_function;
	INIT_LIST_HEAD(&wait->entry);
}

/* Nobody sleeps here, so nobody wakes. */
int default_wake_function(struct wait_queue_entry *entry, unsigned int mode,
			  int flags, void *key)
{
	return 1;
}

void __wake_up(wait_queue_head_t *q, unsigned int mode, int nr, void *key)
{
	struct wait_queue_entry *wait;
	struct list_head *at, *next;

	spin_lock(&q->lock);
	for (at = q->head.next; at != &q->head; at = next) {
		next = at->next;
		wait = container_of(at, struct wait_queue_entry, entry);
		wait->func(wait, mode, 0, key);
	}
	spin_unlock(&q->lock);
}

void __add_wait_queue(wait_queue_head_t *q, struct wait_queue_entry *wait)
{
	wait->entry.next = q->head.next;
	wait->entry.prev = &q->head;
	q->head.next->prev = &wait->entry;
	q->head.next = &wait->entry;
}

void add_wait_queue(wait_queue_head_t *q, struct wait_queue_entry *wait)
{
	__add_wait_queue(q, wait);
}

void prepare_to_wait(wait_queue_head_t *q, struct wait_queue_entry *wait,
		     int state)
{
	if (list_empty(&wait->entry))
		__add_wait_queue(q, wait);
}

void finish_wait(wait_queue_head_t *q, struct wait_queue_entry *wait)
{
	list_del_init(&wait->entry);
}

void remove_wait_queue(wait_queue_head_t *q, struct wait_queue_entry *wait)
{
	list_del_init(&wait->entry);
}

/* All that there is before the fault; how much is missing. */
static unsigned long user_copy(void *to, const void *from, unsigned long n,
			       const u8 *user)
{
	void (*meanwhile)(void) = shim_meanwhile;
	unsigned long good = n;

	shim_meanwhile = NULL;
	if (meanwhile)
		meanwhile();
	if (user < shim_user || user > shim_fault)
		return n;
	if (good > (unsigned long)(shim_fault - user))
		good = shim_fault - user;
	memcpy(to, from, good);
	return n - good;
}

unsigned long copy_to_user(void *to, const void *from, unsigned long n)
{
	return user_copy(to, from, n, to);
}

unsigned long clear_user(void *to, unsigned long n)
{
	size_t good = shim_good(to, n);

	memset(to, 0, good);
	return n - good;
}

unsigned long copy_from_user(void *to, const void *from, unsigned long n)
{
	return user_copy(to, from, n, from);
}

int check_zeroed_user(const void *from, size_t size)
{
	const u8 *at = from;

	for (; size; size--, at++) {
		if (!shim_good(at, 1))
			return -EFAULT;
		if (*at)
			return 0;
	}
	return 1;
}

int copy_struct_from_user(void *to, size_t ksize, const void *from, size_t usize)
{
	size_t size = min(ksize, usize);
	int ret;

	if (usize > ksize) {
		ret = check_zeroed_user((const u8 *)from + size, usize - size);
		if (ret <= 0)
			return ret ?: -E2BIG;
	}
	memset((u8 *)to + size, 0, ksize - size);
	return copy_from_user(to, from, size) ? -EFAULT : 0;
}

void iov_iter_advance(struct iov_iter *i, size_t n)
{
	if (n > i->count)
		abort();
	i->iov_offset += n;
	i->count -= n;
}

void iov_iter_revert(struct iov_iter *i, size_t n)
{
	if (n > i->iov_offset)
		abort();
	i->iov_offset -= n;
	i->count += n;
}

size_t copy_to_iter(const void *from, size_t n, struct iov_iter *i)
{
	n = min(n, i->count);
	n -= copy_to_user(i->ubuf + i->iov_offset, from, n);
	iov_iter_advance(i, n);
	return n;
}

size_t copy_from_iter(void *to, size_t n, struct iov_iter *i)
{
	n = min(n, i->count);
	n -= copy_from_user(to, i->ubuf + i->iov_offset, n);
	iov_iter_advance(i, n);
	return n;
}

size_t copy_page_to_iter(struct page *page, size_t offset, size_t n,
			 struct iov_iter *i)
{
	if (offset + n > PAGE_SIZE)
		abort();
	return copy_to_iter(page->address + offset, n, i);
}

size_t copy_page_from_iter(struct page *page, size_t offset, size_t n,
			   struct iov_iter *i)
{
	if (offset + n > PAGE_SIZE)
		abort();
	return copy_from_iter(page->address + offset, n, i);
}

/* There are no pipes. */
ssize_t ringbuf_splice_write(struct pipe_inode_info *pipe, struct file *out,
			     loff_t *ppos, size_t len, unsigned int flags)
{
	return -EINVAL;
}
