// SPDX-License-Identifier: GPL-2.0
/*
 * Random system calls on /dev/ringbuf, from threads of several processes that
 * share all they have, while signals and kills come in between. A seed repeats
 * what each thread does; how they interleave is for the scheduler.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

struct options options = {
	.seed = 1, .calls = 100000, .procs = 4, .threads = 4, .uid = -1,
};
struct shared *shared;
struct thread threads[MAX_THREADS];
__thread struct thread *self;
char *arena;

#define NAME(name) #name,
const char * const call_names[] = { CALLS(NAME) };
#undef NAME

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

void finding(const char *format, ...)
{
	int n = atomic_fetch_add(&shared->finding, 1);
	va_list args;

	if (n >= (int)ARRAY_SIZE(shared->findings))
		return;
	va_start(args, format);
	vsnprintf(shared->findings[n], sizeof(shared->findings[n]), format, args);
	va_end(args);
}

long count_call(enum call call, long ret)
{
	struct counts *c = &shared->counts[call];
	/* Completions and loads are no calls. */
	bool counts = call < C_uring_read && call != C_load && call != C_store;

	atomic_fetch_add_explicit(&c->calls, 1, memory_order_relaxed);
	if (ret >= 0)
		atomic_fetch_add_explicit(&c->ok, 1, memory_order_relaxed);
	else if (ret > -MAX_ERRNO)
		atomic_fetch_add_explicit(&c->err[-ret], 1, memory_order_relaxed);
	else
		finding("%s: %ld is no errno", call_names[call], ret);
	if (counts && atomic_fetch_add_explicit(&shared->calls, 1,
						memory_order_relaxed) >= shared->limit)
		atomic_store(&shared->stop, true);
	if (options.verbose)
		fprintf(stderr, "%s: %ld\n", call_names[call], ret);
	return ret;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	struct thread *t = self;

	if (t && t->touching)
		siglongjmp(t->fault, 1);
	signal(sig, SIG_DFL);
}

static void on_signal(int sig)
{
}

static void set_signals(void)
{
	struct sigaction fault = {
		.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER,
	};
	struct sigaction stop = { .sa_handler = on_signal };
	struct sigaction restart = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGBUS, &fault, NULL);
	sigaction(SIGUSR1, &stop, NULL);
	sigaction(SIGUSR2, &restart, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN);
}

/* Of so many calls there is a digest, if there is but one thread. */
#define DIGESTED	500

static void *thread_main(void *arg)
{
	struct thread *t = arg;
	unsigned int n = 0;
	uint64_t digest = 0;

	self = t;
	atomic_store(&t->tid, syscall(SYS_gettid));
	uring_setup(t);
	while (!atomic_load_explicit(&shared->stop, memory_order_relaxed)) {
		one_call(t);
		/* How many it takes to reach the limit is not for the seed to say. */
		if (n++ < DIGESTED)
			digest = digest * 0x100000001b3ULL ^ t->rng;
	}
	if (options.procs * options.threads == 1)
		atomic_store(&shared->digest, digest);
	atomic_store(&t->tid, 0);
	return NULL;
}

static void move_fd(int fd, int to)
{
	if (fd < 0 || dup2(fd, to) < 0)
		exit(3);
	close(fd);
}

/* What calls need besides rings, where no call on a ring can hit it. */
static void set_files(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
		exit(3);
	move_fd(pair[0], SOCKET_FD);
	move_fd(pair[1], SOCKET_FD + 1);
	move_fd(epoll_create1(0), EPOLL_FD);
	if (pipe2(pair, O_NONBLOCK))
		exit(3);
	move_fd(pair[0], PIPE_FD);
	move_fd(pair[1], PIPE_FD + 1);
	move_fd(open("/proc/self/mem", O_RDWR), MEM_FD);
}

static void set_arena(void)
{
	size_t size = options.threads * ARENA_PART;

	/* Below 4 GiB, where 32-bit calls reach it. */
	arena = mmap((void *)0x80000000UL, size + ARENA_GUARD, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (arena == MAP_FAILED || mprotect(arena, size, PROT_READ | PROT_WRITE))
		exit(3);
}

static void drop_privileges(void)
{
	gid_t gid = options.uid;

	if (options.uid < 0)
		return;
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) ||
	    setresuid(options.uid, options.uid, options.uid))
		exit(3);
	/* Else /proc/self would be root's. */
	prctl(PR_SET_DUMPABLE, 1);
}

/* Nobody sleeps for ever: one after the other is interrupted. */
static void tick(void)
{
	unsigned int i, n = 0;
	bool alive = true;
	pid_t tid;

	while (alive) {
		usleep(1500);
		n++;
		alive = false;
		for (i = 0; i < options.threads; i++) {
			tid = atomic_load(&threads[i].tid);
			alive |= tid != 0;
			if (tid && (n % options.threads == i ||
				    atomic_load(&shared->stop)))
				syscall(SYS_tgkill, getpid(), tid,
					n % 4 ? SIGUSR1 : SIGUSR2);
		}
	}
}

static void worker(unsigned int slot, unsigned int generation)
{
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	set_arena();
	drop_privileges();
	set_files();
	set_signals();
	for (i = 0; i < options.threads; i++) {
		struct thread *t = &threads[i];

		t->index = i;
		t->part = arena + i * ARENA_PART;
		t->rng = options.seed * 1000003 + slot * 10007 + generation * 101 + i;
		rnd(t);
		atomic_store(&t->tid, -1);
		if (pthread_create(&t->thread, NULL, thread_main, t))
			exit(3);
	}
	tick();
	exit(0);
}

static pid_t start_worker(unsigned int slot, unsigned int generation)
{
	pid_t pid = fork();

	if (!pid)
		worker(slot, generation);
	atomic_store(&shared->worker[slot], pid);
	return pid;
}

/* A worker that ended: by its own, or killed as part of the game. */
static void ended(unsigned int slot, int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		finding("worker %u died of signal %d", slot, WTERMSIG(status));
	if (WIFEXITED(status) && WEXITSTATUS(status))
		finding("worker %u could not start: %d", slot, WEXITSTATUS(status));
}

static void show_stuck(pid_t pid)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "head -n 20 /proc/%d/task/*/stack /proc/%d/task/*/syscall >&2", pid, pid);
	if (system(command))
		fprintf(stderr, "# no stack of %d\n", pid);
}

/* Has a worker ended? If it is to go on another takes its place. */
static bool gone(unsigned int slot, unsigned int *generation)
{
	pid_t pid = atomic_load(&shared->worker[slot]);
	int status;

	if (pid <= 0 || waitpid(pid, &status, WNOHANG) != pid)
		return false;
	atomic_store(&shared->worker[slot], 0);
	ended(slot, status);
	if (atomic_load(&shared->stop) || atomic_load(&shared->finding))
		return true;
	start_worker(slot, ++*generation);
	return false;
}

static void kill_stuck(void)
{
	unsigned int slot;
	pid_t pid;

	for (slot = 0; slot < options.procs; slot++) {
		pid = atomic_load(&shared->worker[slot]);
		if (pid <= 0)
			continue;
		finding("worker %u is stuck", slot);
		show_stuck(pid);
		kill(pid, SIGKILL);
	}
}

static void supervise(double began)
{
	unsigned int slot, generation[MAX_PROCS] = {}, alive = options.procs;
	double stopped = 0;

	for (slot = 0; slot < options.procs; slot++)
		start_worker(slot, 0);
	while (alive) {
		usleep(5000);
		for (slot = 0; slot < options.procs; slot++)
			alive -= gone(slot, &generation[slot]);
		if (options.seconds && now() - began > options.seconds)
			atomic_store(&shared->stop, true);
		if (!atomic_load(&shared->stop))
			continue;
		if (!stopped)
			stopped = now();
		if (now() - stopped < 30)
			continue;
		kill_stuck();
		stopped = now();
	}
}

static bool run(void)
{
	double began = now();
	pid_t watcher;
	int status;

	fflush(stdout);
	watcher = fork();
	if (!watcher) {
		watch(options.devices[0]);
		exit(0);
	}
	supervise(began);
	atomic_store(&shared->stop, true);
	if (waitpid(watcher, &status, 0) != watcher || status)
		finding("the watcher ended with %#x", status);
	return report(now() - began);
}

static void usage(void)
{
	fprintf(stderr, "usage: fuzz [-s SEED] [-c CALLS] [-S SECONDS] [-p PROCESSES] [-t THREADS]\n"
		"            [-u UID] [-v] DEVICE...\n");
	exit(2);
}

static unsigned long at_most(const char *arg, unsigned long max)
{
	unsigned long value = strtoul(arg, NULL, 0);

	if (!value || value > max)
		usage();
	return value;
}

int main(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "s:c:S:p:t:u:v")) != -1) {
		switch (c) {
		case 's':
			options.seed = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			options.calls = strtoull(optarg, NULL, 0);
			break;
		case 'S':
			options.seconds = strtoul(optarg, NULL, 0);
			break;
		case 'p':
			options.procs = at_most(optarg, MAX_PROCS);
			break;
		case 't':
			options.threads = at_most(optarg, MAX_THREADS);
			break;
		case 'u':
			options.uid = atoi(optarg);
			break;
		case 'v':
			options.verbose = true;
			break;
		default:
			usage();
		}
	}
	if (optind == argc)
		usage();
	while (optind < argc && options.n_devices < ARRAY_SIZE(options.devices))
		options.devices[options.n_devices++] = argv[optind++];

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 3;
	shared->limit = options.calls;
	return run() ? 0 : 1;
}
