// SPDX-License-Identifier: GPL-2.0
/* Where maps are refused; what it takes to read: no memory, hardly a call. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include "lib_guest.h"

/* The Makefile has the linker send all of them here, the library's too. */
static atomic_long allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __real_realloc(p, size);
}

TEST_F(lib, no_memory_after_the_open)
{
	struct ringbuf_info info;
	long before;
	int n;

	START("size=65536");
	EXPECT_GT(allocations, 0);
	before = allocations;
	for (n = 0; n < 3000; n++) {
		rb_fill(rb_out, 16, n);
		ASSERT_EQ(0, ringbuf_put(self->p, n, rb_out, 16));
		ASSERT_EQ(0, n % 8 ? 0 : ringbuf_flush(self->p));
		while (n == 1500 && ringbuf_read(self->r, &self->e) == 1)
			;
	}
	ASSERT_EQ(0, publish(self->p, n, 16000));
	EXPECT_EQ(1, ringbuf_wait(self->r, 10));
	ASSERT_EQ(1, ringbuf_next(self->r, &self->e));
	EXPECT_TRUE(ringbuf_release(self->r));
	EXPECT_EQ(0, ringbuf_reader_stats(self->r, &self->s));
	EXPECT_EQ(0, ringbuf_reader_info(self->r, &info));
	EXPECT_EQ(3001, ringbuf_reader_seek(self->r, 0, SEEK_END));
	EXPECT_EQ(0, ringbuf_arm(self->r));
	EXPECT_EQ(before, allocations);
}

#ifdef __NR_mmap2
#define NR_MMAP		__NR_mmap2
#else
#define NR_MMAP		__NR_mmap
#endif

/* mmap() that is shared fails: always, or (@second) but for offset 0. */
static int refuse_maps(bool second)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NR_MMAP, 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[3])),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, MAP_TYPE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MAP_SHARED, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[5])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, second ? 0 : ~0U, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ARRAY_SIZE(filter), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return RC(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
}

static int maps_of_ring(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	int n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += !!strstr(line, RB_DEV);
	fclose(f);
	return n;
}

/* All works without a map. */
static void works(struct __test_metadata *_metadata, FIXTURE_DATA(lib) *self)
{
	int n;

	ASSERT_EQ(0, ringbuf_reader_open(&self->r, NULL, 0));
	EXPECT_FALSE(ringbuf_reader_mapped(self->r));
	EXPECT_EQ(0, maps_of_ring());
	ASSERT_EQ(0, publish_many(self->p, 0, 100, 50));
	for (n = 0; n < 50; n++)
		ASSERT_EQ(0, take(self->r, n, 50));
	ASSERT_EQ(90, ringbuf_reader_seek(self->r, 90, SEEK_SET));
	ASSERT_EQ(0, take(self->r, 90, 50));
	ASSERT_EQ(0, ringbuf_reader_stats(self->r, &self->s));
	EXPECT_EQ(51, self->s.read_records);
	EXPECT_EQ(9, self->s.lag_records);
}

TEST_F(lib, maps_refused)
{
	ASSERT_EQ(0, rb_load(""));
	ASSERT_EQ(0, ringbuf_publisher_open(&self->p, NULL, 0));
	/* With the other variant only the second of the two maps. */
	ASSERT_EQ(0, refuse_maps(variant->flags));
	works(_metadata, self);
}

TEST_F(lib, no_room_for_maps)
{
	struct rlimit limit;
	unsigned long pages = 0;
	FILE *f;

	ASSERT_EQ(0, rb_load("size=67108864"));
	ASSERT_EQ(0, ringbuf_publisher_open(&self->p, NULL, 0));
	f = fopen("/proc/self/statm", "r");
	ASSERT_EQ(1, fscanf(f, "%lu", &pages));
	fclose(f);
	limit.rlim_cur = pages * getpagesize() + (64 << 20);
	limit.rlim_max = RLIM_INFINITY;
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	works(_metadata, self);
}

TEST_F(lib, no_room_at_all)
{
	struct rlimit limit = { 1 << 20, RLIM_INFINITY };
	struct ringbuf_reader *r;

	ASSERT_EQ(0, rb_load("size=67108864"));
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &limit));
	EXPECT_EQ(-ENOMEM, ringbuf_reader_open(&r, NULL, variant->flags));
	EXPECT_EQ(NULL, r);
	limit.rlim_cur = RLIM_INFINITY;
	setrlimit(RLIMIT_AS, &limit);
	EXPECT_EQ(0, maps_of_ring());
}

static void mark(void)
{
	syscall(SYS_getppid);
}

/* The child reads a backlog between two marks. */
static int read_backlog(unsigned int flags, bool copy, uint64_t count)
{
	struct ringbuf_reader *r;
	struct ringbuf_entry e;
	uint64_t n = 0;
	int ret = ringbuf_reader_open(&r, NULL, flags);

	if (ret)
		return 1;
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	raise(SIGSTOP);
	mark();
	while (n < count) {
		ret = copy ? ringbuf_read(r, &e) : ringbuf_next(r, &e);
		if (ret != 1 || e.seq != n || e.lost)
			break;
		if (!copy && !ringbuf_release(r))
			break;
		n++;
	}
	mark();
	return n == count ? 0 : 2;
}

/* System calls between the child's marks. */
static long count_calls(pid_t pid, int *code)
{
	struct __ptrace_syscall_info info;
	long calls = 0;
	int status, marks = 0;

	for (;;) {
		if (waitpid(pid, &status, 0) != pid)
			return -1;
		if (!WIFSTOPPED(status))
			break;
		ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
		ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			if (info.entry.nr == SYS_getppid)
				marks++;
			else
				calls += marks == 1;
		}
		ptrace(PTRACE_SYSCALL, pid, 0, 0);
	}
	*code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return marks == 2 ? calls : -1;
}

TEST_F_TIMEOUT(lib, calls_for_a_backlog, 240)
{
	uint64_t count = rb_quick() ? 100000 : 1000000;
	/* Frames of 64 bytes. */
	const char *size = rb_quick() ? "size=16777216" : "size=134217728";
	uint64_t n;
	int copy, code = -1;
	long calls;
	pid_t pid;

	ASSERT_EQ(0, rb_load(size));
	ASSERT_EQ(0, ringbuf_publisher_open(&self->p, NULL, 0));
	rb_fill(rb_out, 40, 0);
	for (n = 0; n < count; n++)
		ASSERT_EQ(0, ringbuf_put(self->p, 0, rb_out, 40));
	ASSERT_EQ(0, ringbuf_flush(self->p));
	for (copy = 0; copy < 2; copy++) {
		pid = fork();
		if (!pid)
			_exit(read_backlog(variant->flags, copy, count));
		calls = count_calls(pid, &code);
		TH_LOG("%ld system calls for %llu records", calls,
		       (unsigned long long)count);
		EXPECT_EQ(0, code);
		EXPECT_GE(calls, 0);
		/* By read() one for each 64 KiB. */
		EXPECT_LT(calls, variant->flags ? count * 64 / 65536 * 5 / 4 :
						  10);
	}
}

TEST_HARNESS_MAIN
