// SPDX-License-Identifier: GPL-2.0
/*
 * What an unprivileged process with access to the device can not do: see memory
 * that is not the ring's, use more of it than it is allowed to, stall the writer.
 * Run as root, on a kernel that does not clear what it allocates; the hostile part
 * is done as another user.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/ringbuf.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEV	"/dev/ringbuf"
#define SIZE	(256UL << 10)
#define DATA	(2 * 4096)
#define MAP	(DATA + 2 * SIZE)
#define USER	1000

/* What memory was filled with before it was given back. */
#define PATTERN	0xc5a3c5a3c5a3c5a3ULL

static unsigned int count, bad;

static void tell(bool good, const char *name)
{
	printf("%sok %u %s\n", good ? "" : "not ", ++count, name);
	bad += !good;
	fflush(stdout);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static bool load(const char *params)
{
	int fd = open("/ringbuf.ko", O_RDONLY | O_CLOEXEC);
	long ret;

	syscall(SYS_delete_module, "ringbuf", O_NONBLOCK);
	ret = syscall(SYS_finit_module, fd, params, 0);
	close(fd);
	return !ret;
}

/* What root does a moment later. */
static void (*meanwhile)(void);

/* As the user, in a process of its own: what @fn says. */
static bool as_user(bool (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setgroups(0, NULL) || setresgid(USER, USER, USER) ||
		    setresuid(USER, USER, USER))
			_exit(2);
		status = !fn();
		fflush(stdout);
		_exit(status);
	}
	if (meanwhile) {
		usleep(300000);
		meanwhile();
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

/* Filling memory */

static void fill(void *at, size_t len)
{
	uint64_t *p = at;
	size_t i;

	for (i = 0; i < len / 8; i++)
		p[i] = PATTERN;
}

static void fill_pages(void)
{
	size_t len = 0;
	char line[128];
	long kib;
	FILE *f = fopen("/proc/meminfo", "r");
	void *all;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "MemFree: %ld", &kib) == 1)
			len = kib * 1024 / 10 * 8;
	fclose(f);
	all = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED)
		return;
	fill(all, len);
	munmap(all, len);
}

/* Objects of many sizes, in the slabs that accounted memory comes from, too. */
static void fill_slabs(void)
{
	struct { long type; char text[8192 - 64]; } msg = { .type = 1 };
	size_t size, i;
	int id = msgget(IPC_PRIVATE, 0600), fds[2];

	fill(msg.text, sizeof(msg.text));
	for (size = 16; size <= sizeof(msg.text); size += size / 3) {
		for (i = 0; i < 16 && !msgsnd(id, &msg, size, IPC_NOWAIT); i++)
			;
		while (msgrcv(id, &msg, sizeof(msg.text), 0, IPC_NOWAIT) >= 0)
			;
	}
	msgctl(id, IPC_RMID, NULL);
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds))
		return;
	for (size = 16; size <= sizeof(msg.text); size += size / 3)
		for (i = 0; i < 8; i++)
			send(fds[0], msg.text, size, MSG_DONTWAIT);
	close(fds[0]);
	close(fds[1]);
}

/* These copy their arguments to the stack. */
static void fill_stack(void)
{
	struct timeval no = { 0, 0 };
	struct pollfd p[30];
	fd_set set;

	fill(p, sizeof(p));
	poll(p, 30, 0);
	fill(&set, sizeof(set));
	select(256, &set, NULL, NULL, &no);
}

/* The pattern, or what kernels that are told to fill memory with. */
static bool foreign(const void *at, size_t len)
{
	static const unsigned char poison[] = { 0xaa, 0x6b, 0x5a, 0xfe, 0xcc, 0xbb };
	static const uint64_t pattern = PATTERN;
	unsigned char run[8];

	if (memmem(at, len, &pattern, 8))
		return true;
	for (size_t i = 0; i < sizeof(poison); i++) {
		memset(run, poison[i], sizeof(run));
		if (memmem(at, len, run, sizeof(run)))
			return true;
	}
	return false;
}

static bool zero(const char *at, size_t len)
{
	while (len && !*at)
		at++, len--;
	return !len;
}

/* Looking at all there is */

static int r;
static const char *map;

static bool look_at_map(void)
{
	r = open(DEV, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	map = mmap(NULL, MAP, PROT_READ, MAP_SHARED, r, 0);
	if (map == MAP_FAILED)
		return false;
	return zero(map + sizeof(struct ringbuf_page), 4096 - sizeof(struct ringbuf_page)) &&
	       zero(map + 4096, DATA - 4096 + 2 * SIZE);
}

/* Records of each length; nothing in the ring but them, and zeros between. */
static bool look_at_records(void)
{
	const struct ringbuf_head *head;
	const struct ringbuf_record *rec;
	uint64_t at;

	if (look_at_map())	/* there is something by now */
		return false;
	head = (const void *)(map + 4096);
	for (at = 0; at < head->head; at += RINGBUF_FRAME_SIZE(rec->len)) {
		rec = (const void *)(map + DATA + at);
		if (rec->flags || rec->type || !rec->len ||
		    !zero((const char *)(rec + 1) + rec->len,
			  RINGBUF_FRAME_SIZE(rec->len) - sizeof(*rec) - rec->len))
			return false;
	}
	/* Of a write() that failed there is nothing. */
	return zero(map + DATA + at, SIZE - at) && at == head->head &&
	       !foreign(map, MAP);
}

static bool look_at_frames(void)
{
	struct ringbuf_consumer c = {
		.struct_size = sizeof(c), .flags = RINGBUF_CONSUMER_FRAMED,
	};
	struct ringbuf_stats stats = { .struct_size = sizeof(stats) };
	static char buf[SIZE];
	const struct ringbuf_record *rec;
	double end = now() + 30;
	bool lost = false;
	ssize_t n, at;

	r = open(DEV, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	lseek(r, 0, SEEK_SET);
	if (ioctl(r, RINGBUF_IOC_SET_CONSUMER, &c))
		return false;
	/* It is overrun before it reads. */
	while (!(stats.flags & RINGBUF_STATS_OVERRUN) && now() < end) {
		usleep(1000);
		if (ioctl(r, RINGBUF_IOC_GET_STATS, &stats))
			return false;
	}
	while (fill_stack(), (n = read(r, buf, sizeof(buf))) > 0) {
		if (foreign(buf, n))
			return false;
		for (at = 0; at < n; at += RINGBUF_FRAME_SIZE(rec->len)) {
			rec = (const void *)(buf + at);
			if (!(rec->flags & RINGBUF_RECORD_LOST))
				continue;
			lost = true;
			if (rec->type || rec->time_ns || rec->len != 16)
				return false;
		}
	}
	return lost;
}

static bool look_at_ioctls(void)
{
	static const unsigned int cmds[] = {
		RINGBUF_IOC_GET_INFO, RINGBUF_IOC_GET_STATS, RINGBUF_IOC_GET_CONSUMER,
	};
	static const uint32_t sizes[] = {
		sizeof(struct ringbuf_info), sizeof(struct ringbuf_stats),
		sizeof(struct ringbuf_consumer),
	};
	unsigned char buf[512];
	size_t i;

	r = open(DEV, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	for (i = 0; i < 3; i++) {
		/* A larger one, of which the rest stays zero. */
		memset(buf, 0, sizeof(buf));
		*(uint32_t *)buf = sizeof(buf);
		fill_stack();
		if (ioctl(r, cmds[i], buf) || foreign(buf, sizeof(buf)) ||
		    !zero((char *)buf + sizes[i], sizeof(buf) - sizes[i]))
			return false;
		/* The name is padded. */
		if (!i && !zero((char *)buf + offsetof(struct ringbuf_info, name) + 7, 25))
			return false;
		/* And just its size, behind which nothing is touched. */
		memset(buf, 0x77, sizeof(buf));
		*(uint32_t *)buf = sizes[i];
		fill_stack();
		if (ioctl(r, cmds[i], buf) || buf[sizes[i]] != 0x77 ||
		    foreign(buf, sizes[i]))
			return false;
	}
	return true;
}

static bool printable(const char *path)
{
	char buf[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t i, n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	close(fd);
	for (i = 0; i < n; i++)
		if (buf[i] != '\n' && buf[i] != '\t' && (buf[i] < ' ' || buf[i] > '~'))
			return false;
	return n > 0;
}

static bool look_at_text(void)
{
	char path[512];
	struct dirent *d;
	struct stat st;
	bool good = true;
	DIR *dir = opendir("/sys/class/ringbuf/ringbuf");

	r = open(DEV, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", r);
	fill_stack();
	good = printable(path);
	while (dir && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/class/ringbuf/ringbuf/%s", d->d_name);
		if (stat(path, &st) || !S_ISREG(st.st_mode) || access(path, R_OK))
			continue;
		fill_stack();
		good &= printable(path);
	}
	return good && dir;
}

static char * volatile nowhere = (char *)8;

static void write_records(int fd, unsigned int n)
{
	char buf[300];
	unsigned int i;

	memset(buf, 0x11, sizeof(buf));
	for (i = 0; i < n; i++)
		if (write(fd, buf, 1 + i % 290) < 0)
			return;
	/* One that fails, and one that has to be looked at to fail. */
	if (write(fd, nowhere, 100) >= 0)
		abort();
}

static int writer;

static void overrun(void)
{
	write_records(writer, 3000);
}

static void test_memory(void)
{
	fill_slabs();
	fill_pages();
	if (!load("mode=0666 size=262144"))
		abort();
	tell(as_user(look_at_map), "a fresh ring is zero");
	writer = open(DEV, O_WRONLY | O_CLOEXEC);
	write_records(writer, 500);
	tell(as_user(look_at_records), "records, padding and the rest hold nothing else");
	meanwhile = overrun;
	tell(as_user(look_at_frames), "frames hold nothing else, that of a loss neither");
	meanwhile = NULL;
	tell(as_user(look_at_ioctls), "the ioctls' structures hold nothing else");
	tell(as_user(look_at_text), "fdinfo and sysfs are text");
	close(writer);
}

/* Of memory there is what one is allowed */

#define GROUP	"/sys/fs/cgroup/hostile"

static long number_in(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	long n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	close(fd);
	return n > 0 ? atol(text) : -1;
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	close(fd);
	return good;
}

#define FILES	3000

/* Each file is charged to who opens it, and what a map needs to who maps. */
static bool open_many(void)
{
	long before, files, maps;
	unsigned int n;
	int fd = -1;

	before = number_in(GROUP "/memory.current");
	for (n = 0; n < FILES; n++) {
		fd = open(DEV, O_RDONLY);
		if (fd < 0)
			return false;
	}
	files = number_in(GROUP "/memory.current");
	for (n = 0; n < 200; n++)
		if (mmap(NULL, MAP, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0) == MAP_FAILED)
			return false;
	maps = number_in(GROUP "/memory.current");
	printf("# %ld bytes a file, %ld a map\n", (files - before) / FILES,
	       (maps - files) / 200);
	/* Of the map itself there is a page table, but not the ring. */
	return files - before > FILES * 400L && maps > files && maps - files < 200 * (long)MAP / 4;
}

static bool open_1000(void)
{
	unsigned int n = 0;

	while (open(DEV, O_RDONLY) >= 0)
		n++;
	return errno == EMFILE && n > 900;
}

static bool in_group(bool (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (!put(GROUP "/cgroup.procs", "0"))
			_exit(3);
		if (setresgid(USER, USER, USER) || setresuid(USER, USER, USER))
			_exit(2);
		status = !fn();
		fflush(stdout);
		_exit(status);
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

static void test_limits(void)
{
	struct rlimit few = { 1024, 1024 }, many = { FILES + 100, FILES + 100 };
	struct ringbuf_info info = { .struct_size = sizeof(info) };

	if (!load("mode=0666 size=262144 max_consumers_per_user=4000"))
		abort();
	setrlimit(RLIMIT_NOFILE, &few);
	tell(as_user(open_1000), "so many files as RLIMIT_NOFILE says");
	mkdir("/sys/fs/cgroup", 0755);
	mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL);
	if (!put("/sys/fs/cgroup/cgroup.subtree_control", "+memory") ||
	    (mkdir(GROUP, 0755) && errno != EEXIST)) {
		printf("ok %u files and maps are charged to who has them # SKIP no memory cgroups here\n",
		       ++count);
	} else {
		setrlimit(RLIMIT_NOFILE, &many);
		tell(in_group(open_many), "files and maps are charged to who has them");
		setrlimit(RLIMIT_NOFILE, &few);
	}
	r = open(DEV, O_RDONLY | O_CLOEXEC);
	tell(!ioctl(r, RINGBUF_IOC_GET_INFO, &info) && info.consumers == 1,
	     "they are gone with the process");
	close(r);
}

/* The writer goes on */

static bool join(int fd)
{
	struct ringbuf_consumer c = {
		.struct_size = sizeof(c), .flags = RINGBUF_CONSUMER_RELIABLE,
	};

	return !ioctl(fd, RINGBUF_IOC_SET_CONSUMER, &c);
}

static bool cannot_join(void)
{
	r = open(DEV, O_RDONLY | O_CLOEXEC);
	return !join(r) && errno == EPERM;
}

/* Reliable, reads nothing, and joins again when it finds that it has been put out. */
static void hold_for_ever(unsigned int number)
{
	struct ringbuf_consumer c = { .struct_size = sizeof(c) };
	int fd = open(DEV, O_RDONLY | O_CLOEXEC);

	for (;;) {
		/* One goes, just to come again: it has never held for long. */
		if (!number) {
			c.flags = 0;
			ioctl(fd, RINGBUF_IOC_SET_CONSUMER, &c);
			lseek(fd, 0, SEEK_DATA);
			join(fd);
			usleep(20000);
			continue;
		}
		if (ioctl(fd, RINGBUF_IOC_GET_CONSUMER, &c))
			_exit(1);
		if (!(c.flags & RINGBUF_CONSUMER_RELIABLE)) {
			lseek(fd, 0, SEEK_DATA);
			join(fd);
		}
		usleep(500);
	}
}

#define HOLDERS		3
#define WRITES		100

static void no_signal(int sig)
{
}

static void test_stall(void)
{
	struct sigaction alarmed = { .sa_handler = no_signal };
	double began, took, longest = 0;
	pid_t pid[HOLDERS];
	unsigned int i, k;
	char buf[1000];

	if (!load("mode=0666 size=65536"))
		abort();
	tell(as_user(cannot_join), "who may not stall cannot");
	if (!load("mode=0666 size=65536 reliable=1 stall_ms=50"))
		abort();
	for (k = 0; k < HOLDERS; k++) {
		pid[k] = fork();
		if (!pid[k]) {
			if (setresuid(USER, USER, USER))
				_exit(1);
			hold_for_ever(k);
		}
	}
	usleep(200000);
	memset(buf, 1, sizeof(buf));
	r = open(DEV, O_WRONLY | O_CLOEXEC);
	sigaction(SIGALRM, &alarmed, NULL);
	alarm(60);
	for (i = 0; i < WRITES; i++) {
		began = now();
		if (write(r, buf, sizeof(buf)) != sizeof(buf))
			break;
		took = now() - began;
		longest = took > longest ? took : longest;
	}
	took = now() - began;
	alarm(0);
	close(r);
	for (k = 0; k < HOLDERS; k++) {
		kill(pid[k], SIGKILL);
		waitpid(pid[k], NULL, 0);
	}
	printf("# %u of %u records past %u hostile holders, the longest wait %.0f ms of 50\n", i,
	       WRITES, HOLDERS, longest * 1e3);
	if (i < WRITES)
		printf("# the last one has not gone after %.1f s\n", took);
	/* With CPUs that are emulated, and busy: ten times as long is still that. */
	tell(i == WRITES && longest < 0.5, "nobody holds for longer than stall_ms");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	test_memory();
	test_limits();
	test_stall();
	printf("1..%u\n", count);
	return bad != 0;
}
