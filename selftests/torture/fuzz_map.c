// SPDX-License-Identifier: GPL-2.0
/* Maps, what can be done to them, and what else there is to do with files. */
#include "fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

char *any_page(struct thread *t)
{
	return WINDOW + below(t, WINDOW_PAGES) * PAGE;
}

size_t any_pages(struct thread *t)
{
	return (once_in(t, 2) ? 1 + below(t, 4) : 1 + below(t, WINDOW_PAGES / 2)) * PAGE;
}

static int any_prot(struct thread *t)
{
	return once_in(t, 4) ? rnd(t) & 7 : PROT_READ;
}

static void fuzz_mmap(struct thread *t)
{
	static const int flags[] = {
		MAP_SHARED, MAP_SHARED, MAP_SHARED, MAP_SHARED, MAP_SHARED_VALIDATE,
		MAP_PRIVATE, MAP_SHARED | MAP_POPULATE, MAP_SHARED | MAP_LOCKED,
		MAP_SHARED | MAP_NORESERVE, MAP_SHARED_VALIDATE | MAP_SYNC, 0,
	};
	uint64_t data = t->info.data_size;
	const uint64_t offsets[] = {
		0, 0, PAGE, PAGE + data, 2 * data, 2 * data + PAGE, 0x7ffffffffffff000ULL,
		any_u64(t), any_u64(t) & -PAGE, below(t, 64) * PAGE,
	};
	const size_t lens[] = { PAGE, data, 2 * data, 2 * data + PAGE, any_pages(t), 0 };
	/* What the ring is was known only to a look that found it. */
	size_t len = PICK(t, lens) % (WINDOW_PAGES * PAGE / 2);

	CALL(mmap, syscall(SYS_mmap, any_page(t), len, any_prot(t),
			   PICK(t, flags) | MAP_FIXED, any_fd(t),
			   PICK(t, offsets)) == -1L ? -1L : 0L);
}

static void fuzz_mremap(struct thread *t)
{
	unsigned long flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	/* Never to where the kernel likes. */
	if (once_in(t, 3))
		flags = 0;
	else if (once_in(t, 8))
		flags |= MREMAP_DONTUNMAP;
	CALL(mremap, syscall(SYS_mremap, any_page(t), once_in(t, 16) ? 0 : any_pages(t),
			     any_pages(t), flags, any_page(t)) == -1L ? -1L : 0L);
}

static void fuzz_madvise(struct thread *t)
{
	/* None that takes pages out of service for good. */
	static const int advices[] = {
		MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTNEED,
		MADV_FREE, MADV_REMOVE, MADV_DONTFORK, MADV_DOFORK, MADV_MERGEABLE,
		MADV_HUGEPAGE, MADV_DODUMP, MADV_DONTDUMP, MADV_WIPEONFORK,
		MADV_KEEPONFORK, MADV_COLD, MADV_PAGEOUT, MADV_POPULATE_READ,
		MADV_POPULATE_WRITE, 77,
	};

	CALL(madvise, syscall(SYS_madvise, any_page(t), any_pages(t),
			      PICK(t, advices)));
}

void fuzz_map(struct thread *t)
{
	unsigned char vec[64];

	switch (below(t, 16)) {
	case 0 ... 6:
		fuzz_mmap(t);
		break;
	case 7:
		CALL(munmap, syscall(SYS_munmap, any_page(t), any_pages(t)));
		break;
	case 8 ... 9:
		CALL(mprotect, syscall(SYS_mprotect, any_page(t), any_pages(t),
				       rnd(t) & 7));
		break;
	case 10 ... 11:
		fuzz_mremap(t);
		break;
	case 12:
		CALL(mlock, syscall(once_in(t, 2) ? SYS_mlock : SYS_munlock,
				    any_page(t), any_pages(t)));
		break;
	case 13:
		CALL(msync, syscall(SYS_msync, any_page(t), any_pages(t), below(t, 8)));
		break;
	case 14:
		CALL(mincore, syscall(SYS_mincore, any_page(t), PAGE * below(t, 64), vec));
		break;
	default:
		if (once_in(t, 2))
			fuzz_madvise(t);
		else
			CALL(remap_file_pages, syscall(SYS_remap_file_pages, any_page(t),
						       any_pages(t), 0, below(t, 16), 0));
	}
}

/* Looks at a map, which may go under its eyes. */
static long load(struct thread *t, const char *at, size_t len)
{
	volatile uint64_t sum = 0;
	long ret = -1;
	size_t i;

	errno = EFAULT;
	t->touching = 1;
	if (!sigsetjmp(t->fault, 0)) {
		for (i = 0; i < len; i += 8)
			sum += *(volatile const uint64_t *)(at + i);
		ret = 0;
	}
	t->touching = 0;
	return ret;
}

static long store(struct thread *t, char *at)
{
	long ret = -1;

	errno = EFAULT;
	t->touching = 1;
	if (!sigsetjmp(t->fault, 0)) {
		*(volatile uint64_t *)at = 0xdeadULL;
		ret = 0;
	}
	t->touching = 0;
	return ret;
}

/* There is nothing but rings in the window: whoever writes there has broken in. */
void fuzz_touch(struct thread *t)
{
	char *at = any_page(t) + below(t, PAGE / 8) * 8;
	static const uint64_t word = 0xbadULL;
	struct iovec from = { (void *)&word, 8 }, to = { at, 8 };
	long ret;

	switch (below(t, 8)) {
	case 0:
		ret = CALL(store, store(t, at));
		break;
	case 1:
		ret = CALL(mem_write, syscall(SYS_pwrite64, MEM_FD, &word, 8, at));
		break;
	case 2:
		ret = CALL(vm_writev, syscall(SYS_process_vm_writev, getpid(), &from, 1,
					      &to, 1, 0));
		break;
	default:
		CALL(load, load(t, at, below(t, 512) * 8));
		return;
	}
	if (ret >= 0)
		finding("a ring was written by its map");
}

static void fuzz_scm(struct thread *t)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int slot = any_slot(t), fd;

	if (once_in(t, 2)) {
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &slot, sizeof(int));
		CALL(scm, syscall(SYS_sendmsg, SOCKET_FD, &msg, MSG_DONTWAIT));
		return;
	}
	if (CALL(scm, syscall(SYS_recvmsg, SOCKET_FD + 1, &msg, MSG_DONTWAIT)) < 0)
		return;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return;
	memcpy(&fd, CMSG_DATA(c), sizeof(int));
	syscall(SYS_dup3, fd, slot, 0);
	syscall(SYS_close, fd);
}

static void fuzz_fdinfo(struct thread *t)
{
	char path[64], buf[1024] = "";
	char *flags;
	long fd, n;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d",
		 any_slot(t));
	fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		count_call(C_fdinfo, -errno);
		return;
	}
	n = CALL(fdinfo, syscall(SYS_read, fd, buf, sizeof(buf) - 1));
	flags = strstr(buf, "flags:");
	/* O_PATH opens no ring. */
	if (n > 0 && !strstr(buf, "ringbuf") &&
	    (!flags || !(strtoul(flags + 6, NULL, 8) & O_PATH)))
		finding("fdinfo without a ring");
	syscall(SYS_close, fd);
}

static void fuzz_splice(struct thread *t)
{
	unsigned int len = below(t, 70000), flags = rnd(t) & 0xf;
	int fd = any_fd(t);

	switch (below(t, 4)) {
	case 0:
		CALL(splice_out, syscall(SYS_splice, fd, NULL, PIPE_FD + 1, NULL, len,
					 flags | 2 /* NONBLOCK */));
		break;
	case 1:
		CALL(splice_in, syscall(SYS_splice, PIPE_FD, NULL, fd, NULL, len,
					flags | 2));
		break;
	case 2:
		CALL(sendfile, syscall(SYS_sendfile, any_fd(t), fd, NULL, len));
		break;
	default:
		CALL(copy_range, syscall(SYS_copy_file_range, fd, NULL, any_fd(t), NULL,
					 len, 0));
	}
}

static void fuzz_misc(struct thread *t)
{
	int fd = any_fd(t);

	switch (below(t, 6)) {
	case 0:
		CALL(file_misc, syscall(SYS_fsync, fd));
		break;
	case 1:
		CALL(file_misc, syscall(SYS_ftruncate, fd, any_u64(t)));
		break;
	case 2:
		CALL(file_misc, syscall(SYS_fallocate, fd, below(t, 4), 0, any_u64(t)));
		break;
	case 3:
		CALL(file_misc, syscall(SYS_fadvise64, fd, 0, any_u64(t), below(t, 7)));
		break;
	case 4:
		CALL(file_misc, syscall(SYS_flock, fd, below(t, 16) | 4 /* NB */));
		break;
	default:
		CALL(file_misc, syscall(SYS_readahead, fd, 0, any_u64(t)));
	}
}

void fuzz_files(struct thread *t)
{
	static const int cmds[] = {
		F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_SETFL, F_GETOWN, F_SETLEASE, F_GETLK,
		F_GETPIPE_SZ, F_ADD_SEALS, 9999,
	};
	int cmd = PICK(t, cmds);
	struct stat st;
	long arg;

	switch (below(t, 8)) {
	case 0:
		/* Blocking is for some only. */
		arg = once_in(t, 4) ? rnd(t) : O_NONBLOCK | (rnd(t) & O_APPEND);
		CALL(fcntl, syscall(SYS_fcntl, any_fd(t), cmd,
				    cmd == F_GETLK ? (long)t->part : arg));
		break;
	case 1:
		CALL(stat, syscall(SYS_fstat, any_fd(t), &st));
		break;
	case 2:
		fuzz_scm(t);
		break;
	case 3:
		fuzz_fdinfo(t);
		break;
	case 4:
		fuzz_misc(t);
		break;
	default:
		fuzz_splice(t);
	}
}
