// SPDX-License-Identifier: GPL-2.0
/* The calls that are made to fail, and what each needs. */
#include "failnth.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/ringbuf.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIR	"/sys/kernel/config/ringbuf/fail"
#define SIZE	(16 << 10)

#define RC(call) ({							\
	long rc_ = (call);						\
	rc_ < 0 ? -errno : rc_;						\
})

static int w, r, other;	/* files of the call at hand */
static char *map;
static char buf[SIZE];

static void need(bool there, const char *what)
{
	if (!there)
		die(what);
}

static void with_reader(void)
{
	r = open(DEV, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	need(r >= 0, "reader");
}

static void with_both(void)
{
	with_reader();
	w = open(DEV, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	need(w >= 0, "writer");
	lseek(r, 0, SEEK_END);
}

static void with_records(void)
{
	with_both();
	for (int i = 0; i < 3; i++)
		need(write(w, buf, 3000) == 3000, "record");
}

static void framed(int fd, bool writer)
{
	struct ringbuf_consumer c = { sizeof(c), RINGBUF_CONSUMER_FRAMED, 0, 0, 0 };
	struct ringbuf_writer f = { sizeof(f), RINGBUF_WRITER_FRAMED };

	need(!ioctl(fd, writer ? RINGBUF_IOC_SET_WRITER : RINGBUF_IOC_SET_CONSUMER,
		    writer ? (void *)&f : (void *)&c), "framed");
}

static void with_frames(void)
{
	with_records();
	framed(r, false);
}

static void with_loss(void)
{
	with_frames();
	for (int i = 0; i < 8; i++)
		need(write(w, buf, SIZE / 2) == SIZE / 2, "record");
}

static void with_framed_writer(void)
{
	const struct ringbuf_record rec = { .len = 1000 };

	with_both();
	framed(w, true);
	for (int i = 0; i < 4; i++)
		memcpy(buf + i * 1024, &rec, sizeof(rec));
}

static long call_open_reader(void)
{
	return r = RC(open(DEV, O_RDONLY | O_CLOEXEC));
}

static long call_open_writer(void)
{
	return w = RC(open(DEV, O_WRONLY | O_CLOEXEC));
}

static long call_open_both(void)
{
	return w = RC(open(DEV, O_RDWR | O_CLOEXEC));
}

static long call_read(void)
{
	return RC(read(r, buf, sizeof(buf)));
}

static long call_write(void)
{
	return RC(write(w, buf, 5000));
}

static long call_write_frames(void)
{
	return RC(write(w, buf, 4096));
}

static long call_lseek(void)
{
	return RC(lseek(r, 0, SEEK_DATA));
}

static long call_set_reliable(void)
{
	struct ringbuf_consumer c = { sizeof(c), RINGBUF_CONSUMER_RELIABLE, 0, 0, 0 };
	long ret = RC(ioctl(r, RINGBUF_IOC_SET_CONSUMER, &c));

	return ret;
}

static long call_get_info(void)
{
	struct ringbuf_info info = { .struct_size = sizeof(info) };

	return RC(ioctl(r, RINGBUF_IOC_GET_INFO, &info));
}

static long call_get_stats(void)
{
	struct ringbuf_stats stats = { .struct_size = sizeof(stats) };

	return RC(ioctl(r, RINGBUF_IOC_GET_STATS, &stats));
}

static long call_poll(void)
{
	struct pollfd p = { r, POLLIN, 0 };

	return RC(poll(&p, 1, 1));
}

static long call_epoll(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	long ret;

	other = RC(epoll_create1(EPOLL_CLOEXEC));
	if (other < 0)
		return other;
	ret = RC(epoll_ctl(other, EPOLL_CTL_ADD, r, &e));
	return ret ? ret : RC(epoll_wait(other, &e, 1, 0));
}

static long call_map(void)
{
	struct ringbuf_info info = { .struct_size = sizeof(info) };
	volatile char sum = 0;
	long ret;

	map = mmap(NULL, 2 * 4096 + 2 * 65536, PROT_READ, MAP_SHARED, r, 0);
	if (map == MAP_FAILED)
		return -errno;
	for (int i = 0; i < 2 * 4096 + 2 * 65536; i += 4096)
		sum += map[i];
	ret = RC(mprotect(map + 4096, 4096, PROT_NONE));
	return ret ? ret : RC(ioctl(r, RINGBUF_IOC_GET_INFO, &info));
}

static long call_fork(void)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (!pid)
		_exit(0);
	return waitpid(pid, &status, 0) == pid && !status ? 0 : -EIO;
}

static long call_splice(void)
{
	int fds[2];
	long ret;

	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC))
		return -errno;
	ret = RC(splice(r, NULL, fds[1], NULL, 3000, SPLICE_F_NONBLOCK));
	close(fds[0]);
	close(fds[1]);
	return ret;
}

/* Raw, as the rest of the tests: one read by the ring's first entry. */
static long call_uring(void)
{
	struct io_uring_params p = {};
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	char *rings;
	long ret;

	other = RC(syscall(SYS_io_uring_setup, 2, &p));
	if (other < 0)
		return other;
	rings = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
	sqe = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, other, IORING_OFF_SQES);
	if (rings == MAP_FAILED || (void *)sqe == MAP_FAILED) {
		ret = -errno;
		goto out;
	}
	*sqe = (struct io_uring_sqe){
		.opcode = IORING_OP_READ, .fd = r, .off = -1ULL,
		.addr = (uintptr_t)buf, .len = sizeof(buf),
	};
	*(unsigned int *)(rings + p.sq_off.array) = 0;
	*(unsigned int *)(rings + p.sq_off.tail) = 1;
	ret = RC(syscall(SYS_io_uring_enter, other, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	cqe = (void *)(rings + p.cq_off.cqes);
	if (ret >= 0)
		ret = ret && *(unsigned int *)(rings + p.cq_off.tail) ? cqe->res : -EAGAIN;
out:
	if (rings != MAP_FAILED)
		munmap(rings, 4096);
	if ((void *)sqe != MAP_FAILED)
		munmap(sqe, 4096);
	return ret;
}

static long read_file(const char *path)
{
	long ret;

	other = RC(open(path, O_RDONLY | O_CLOEXEC));
	if (other < 0)
		return other;
	ret = RC(read(other, buf, 1024));
	return ret;
}

static long call_fdinfo(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", r);
	return read_file(path);
}

static long call_sysfs(void)
{
	return read_file("/sys/class/ringbuf/ringbuf/head");
}

static long write_file(const char *path, const char *text)
{
	other = RC(open(path, O_WRONLY | O_CLOEXEC));
	return other < 0 ? other : RC(write(other, text, strlen(text)));
}

static void with_dir(void)
{
	need(!mkdir(DIR, 0755) && put(DIR "/size", "8192"), DIR);
}

static void with_ring(void)
{
	with_dir();
	need(put(DIR "/live", "1"), DIR);
}

static long call_mkdir(void)
{
	return RC(mkdir(DIR, 0755));
}

static long call_live(void)
{
	return write_file(DIR "/live", "1");
}

static long call_dead(void)
{
	return write_file(DIR "/live", "0");
}

static long call_rmdir(void)
{
	return RC(rmdir(DIR));
}

static long call_close(void)
{
	long ret = RC(close(r));

	r = -1;
	return ret;
}

static void unloaded(void)
{
	need(!syscall(SYS_delete_module, "ringbuf", O_NONBLOCK), "rmmod");
}

static long load(const char *parameters)
{
	int fd = RC(open("/ringbuf.ko", O_RDONLY | O_CLOEXEC));
	long ret = fd < 0 ? fd : RC(syscall(SYS_finit_module, fd, parameters, 0));

	close(fd);
	return ret;
}

static long call_load(void)
{
	return load("reliable=1 size=4096");
}

static long call_unload(void)
{
	return RC(syscall(SYS_delete_module, "ringbuf", O_NONBLOCK));
}

bool loaded(void)
{
	return !access("/sys/module/ringbuf", F_OK);
}

void tidy(void)
{
	if (map && map != MAP_FAILED)
		munmap(map, 2 * 4096 + 2 * 65536);
	map = NULL;
	if (r >= 0)
		close(r);
	if (w >= 0)
		close(w);
	if (other >= 0)
		close(other);
	r = -1;
	w = -1;
	other = -1;
	rmdir(DIR);
	if (!loaded())
		need(!load("reliable=1 size=65536"), "insmod");
}

void set_up_calls(void)
{
	/* Else its pages would be among what can fail. */
	memset(buf, 1, sizeof(buf));
	r = -1;
	w = -1;
	other = -1;
	tidy();
}

const struct scenario scenarios[] = {
	{ "open to read", NULL, call_open_reader, 0 },
	{ "open to write", NULL, call_open_writer, 0 },
	{ "open to read and write", NULL, call_open_both, 0 },
	{ "close", with_both, call_close, NO_FAULT },
	{ "read", with_records, call_read, 0 },
	{ "read, FRAMED", with_frames, call_read, PARTIAL },
	{ "read of a loss, FRAMED", with_loss, call_read, PARTIAL },
	{ "write", with_both, call_write, 0 },
	{ "write, FRAMED", with_framed_writer, call_write_frames, PARTIAL },
	{ "lseek", with_records, call_lseek, NO_FAULT },
	{ "SET_CONSUMER, reliable", with_both, call_set_reliable, 0 },
	{ "GET_INFO", with_both, call_get_info, 0 },
	{ "GET_STATS", with_both, call_get_stats, 0 },
	{ "poll", with_both, call_poll, NO_FAULT },
	{ "epoll", with_records, call_epoll, PARTIAL },
	{ "mmap, faults, mprotect", with_records, call_map, 0 },
	{ "fork of a map", with_records, call_fork, NO_FAULT },
	{ "splice", with_records, call_splice, PARTIAL | NO_FAULT },
	{ "io_uring read", with_records, call_uring, 0 },
	{ "fdinfo", with_both, call_fdinfo, NO_FAULT },
	{ "sysfs", with_both, call_sysfs, NO_FAULT },
	{ "configfs mkdir", NULL, call_mkdir, 0 },
	{ "configfs live=1", with_dir, call_live, PARTIAL },
	{ "configfs live=0", with_ring, call_dead, PARTIAL },
	{ "configfs rmdir", with_ring, call_rmdir, PARTIAL },
	{ "insmod", unloaded, call_load, PARTIAL | ONLY_OURS | SLOW },
	{ "rmmod", NULL, call_unload, PARTIAL | ONLY_OURS | NO_FAULT },
};

const unsigned int n_scenarios = ARRAY_SIZE(scenarios);
