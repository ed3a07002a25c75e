// SPDX-License-Identifier: GPL-2.0
/* Storage for the core's tests in userspace: a file, mapped twice in a row. */

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include "core_test.h"

int test_storage_alloc(struct test_ring *ring, u64 size)
{
	int fd = memfd_create("ring", 0);
	char *data;

	ring->size = size;
	ring->page = aligned_alloc(TEST_PAGE_SIZE, TEST_PAGE_SIZE);
	ring->head_page = (void *)((char *)ring->page + TEST_HEAD_OFFSET);
	data = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
	ring->data = data;
	if (fd < 0 || !ring->page || data == MAP_FAILED || ftruncate(fd, size))
		return -ENOMEM;
	if (mmap(data, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 fd, 0) == MAP_FAILED ||
	    mmap(data + size, size, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		return -ENOMEM;
	close(fd);
	return 0;
}

void test_storage_free(struct test_ring *ring)
{
	munmap(ring->data, 2 * ring->size);
	free(ring->page);
}
