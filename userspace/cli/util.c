// SPDX-License-Identifier: GPL-2.0
/* What the commands share: messages, numbers, signals. */

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "cli.h"
#include "procs.h"
#include "table.h"

volatile int cli_stopped;
static bool sigpipe_ends;

/* One write() a message, so that those of several processes do not mix. */
static void complain(const char *format, va_list args, const char *more)
{
	char text[2048];
	size_t len;

	len = snprintf(text, sizeof(text), "ringbuf: ");
	vsnprintf(text + len, sizeof(text) - len - 1, format, args);
	len = strlen(text);
	if (more)
		snprintf(text + len, sizeof(text) - len - 1, ": %s", more);
	strcat(text, "\n");
	fputs(text, stderr);
}

void cli_errno(int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args, strerror(abs(err)));
	va_end(args);
}

void cli_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args, NULL);
	va_end(args);
}

int cli_usage(const char *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args, NULL);
	va_end(args);
	if (command)
		fprintf(stderr, "Try 'ringbuf %s --help'.\n", command);
	else
		fputs("Try 'ringbuf --help'.\n", stderr);
	return EXIT_USAGE;
}

bool cli_u64(const char *text, uint64_t *value)
{
	static const char units[] = "KMGT";
	const char *unit;
	uint64_t n;
	char *end;
	int shift = 0;

	/* strtoull() would take signs and blanks, and a leading 0 as octal. */
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoull(text, &end, !strncasecmp(text, "0x", 2) ? 16 : 10);
	if (errno || end == text)
		return false;
	if (*end) {
		unit = strchr(units, *end & ~0x20);
		/* A blank would be the NUL behind them. */
		if (!unit || !*unit || end[1])
			return false;
		shift = 10 * (unit - units + 1);
	}
	if (n > UINT64_MAX >> shift)
		return false;
	*value = n << shift;
	return true;
}

/* strtod() would take 0x1p3 and 1e3, too. */
static bool is_plain(const char *text, const char *end)
{
	return end > text && strspn(text, "0123456789.") >= (size_t)(end - text);
}

bool cli_seconds(const char *text, double *seconds)
{
	char *end;

	if ((*text < '0' || *text > '9') && *text != '.')
		return false;
	*seconds = strtod(text, &end);
	return is_plain(text, end) && !*end && *seconds <= 1e9;
}

bool cli_duration(const char *text, uint64_t *ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {
		{ "", 1e6 }, { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 },
		{ "s", 1e9 }, { "min", 60e9 },
	};
	double value;
	char *end;
	size_t i;

	if ((*text < '0' || *text > '9') && *text != '.')
		return false;
	value = strtod(text, &end);
	if (!is_plain(text, end))
		return false;
	for (i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strcmp(end, units[i].name))
			continue;
		value *= units[i].ns;
		if (value >= 9e18)
			return false;
		*ns = value;
		return true;
	}
	return false;
}

static const char *scaled(char buf[16], double n, double step,
			  const char *const *units, const char *plain)
{
	int i = -1;

	if (n < step) {
		snprintf(buf, 16, "%.0f%s", n, plain);
		return buf;
	}
	/* 999.95 would be shown as 1000.0. */
	for (; n >= step * 0.99995 && i < 4; i++)
		n /= step;
	snprintf(buf, 16, "%.1f %s", n, units[i]);
	return buf;
}

const char *cli_bytes(char buf[16], double bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };

	return scaled(buf, bytes, 1024, units, " B");
}

const char *cli_count(char buf[16], double count)
{
	static const char *const units[] = { "k", "M", "G", "T", "P" };

	return scaled(buf, count, 1000, units, "");
}

const char *cli_time(char buf[16], double seconds)
{
	unsigned long s;

	if (!(seconds < 360000000.0)) {
		strcpy(buf, "?");
		return buf;
	}
	s = seconds + 0.5;
	if (seconds < 9.95)
		snprintf(buf, 16, "%.1fs", seconds);
	else if (s < 60)
		snprintf(buf, 16, "%lus", s);
	else if (s < 3600)
		snprintf(buf, 16, "%lum %02lus", s / 60, s % 60);
	else if (s < 360000)
		snprintf(buf, 16, "%luh %02lum", s / 3600, s / 60 % 60);
	else
		snprintf(buf, 16, "%ud", (unsigned int)(s / 86400));
	return buf;
}

const char *cli_id(char buf[CLI_ID_SIZE], const uint8_t id[RINGBUF_ID_SIZE])
{
	char *to = buf;
	int i;

	for (i = 0; i < RINGBUF_ID_SIZE; i++)
		to += sprintf(to, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ?
			      "-" : "", id[i]);
	return buf;
}

uint64_t cli_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void on_stop(int signal)
{
	/* Else one that comes before a read() or write() would be slept over. */
	static const struct itimerval again = {
		.it_interval = { .tv_usec = 50000 },
		.it_value = { .tv_usec = 50000 },
	};
	int saved = errno;

	if (!cli_stopped)
		setitimer(ITIMER_REAL, &again, NULL);
	cli_stopped = signal;
	errno = saved;
}

static void on_tick(int signal)
{
	(void)signal;
}

void cli_signals(void)
{
	static const int stops[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction act = { .sa_handler = on_tick };
	struct sigaction old;
	size_t i;

	sigaction(SIGALRM, &act, NULL);
	act.sa_handler = on_stop;
	for (i = 0; i < sizeof(stops) / sizeof(*stops); i++) {
		/* nohup and background jobs of sh have some ignored. */
		sigaction(stops[i], NULL, &old);
		if (old.sa_handler != SIG_IGN)
			sigaction(stops[i], &act, NULL);
	}
	sigaction(SIGPIPE, NULL, &old);
	if (old.sa_handler == SIG_DFL) {
		sigpipe_ends = true;
		signal(SIGPIPE, SIG_IGN);
	}
}

int cli_end_by(int signal_number)
{
	static const struct itimerval off;
	sigset_t set;

	setitimer(ITIMER_REAL, &off, NULL);
	signal(signal_number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, signal_number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(signal_number);
	return 128 + signal_number;
}

int cli_broken_pipe(void)
{
	if (sigpipe_ends)
		return cli_end_by(SIGPIPE);
	return cli_output_failed("standard output", -EPIPE);
}

int cli_stdout_failed(int err)
{
	if (err == -EPIPE)
		return cli_broken_pipe();
	return cli_output_failed("standard output", err);
}

int cli_output_failed(const char *name, int err)
{
	if (err == -ENOMEM)
		cli_error("out of memory");
	else
		cli_errno(err, "%s", name);
	return EXIT_FAILED;
}

static const char *path_of(char *path, size_t size, const char *name)
{
	if (!name || !strcmp(name, "ringbuf"))
		return "/dev/ringbuf";
	if (strchr(name, '/'))
		return name;
	snprintf(path, size, "/dev/ringbuf-%s", name);
	return path;
}

bool cli_is_regular(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

bool cli_same_device(int fd, int other, const char *path)
{
	struct stat a, b;

	return !fstat(fd, &a) && S_ISCHR(a.st_mode) &&
	       !(path ? stat(path, &b) : fstat(other, &b)) &&
	       S_ISCHR(b.st_mode) && a.st_rdev == b.st_rdev;
}

int cli_check_ring(const char *name)
{
	struct stat st;

	if (name && strchr(name, '/') && !stat(name, &st) &&
	    !S_ISCHR(st.st_mode))
		return -ENOTTY;
	return 0;
}

static void say_no_ring(const char *path, const char *name)
{
	bool loaded = !access("/sys/module/ringbuf", F_OK);

	if (!loaded)
		cli_error("%s: no such ring; is the module loaded? try: modprobe ringbuf",
			  path);
	else if (name && !strchr(name, '/') && !access(name, F_OK))
		cli_error("%s: no such ring; '%s' is a file, and the name of a ring comes first ('ringbuf' for /dev/ringbuf)",
			  path, name);
	else
		cli_error("%s: no such ring, though the module is loaded; 'ringbuf ls' lists those there are",
			  path);
}

static void say_no_permission(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		cli_errno(EACCES, "%s", path);
	else
		cli_error("%s: permission denied: the mode is %04o, owner %u, group %u; see --mode of ringbuf create, mode= of the module for the default ring, or join the group",
			  path, st.st_mode & 07777, st.st_uid, st.st_gid);
}

static void say_busy(const char *path, const char *name)
{
	struct holders all = {};
	const struct holder *w;
	char comm[TABLE_CELL];
	struct ring ring;

	if (ring_named(&ring, name)) {
		cli_error("%s: has a writer already", path);
		return;
	}
	ring_look(&ring);
	holders_scan(&all, &ring, 1);
	w = ring_writer(&ring, &all);
	if (w)
		cli_error("%s: has a writer already: process %d (%s)", path,
			  w->pid, table_comm(comm, w->comm));
	else if (ring.writer && ring_all_seen(&ring, &all))
		cli_error("%s: has a writer already: a kernel module", path);
	else
		cli_error("%s: has a writer already, a process that cannot be seen or a kernel module",
			  path);
	holders_free(&all);
}

static void say_no_sense(const char *path)
{
	cli_error("%s: makes no sense; are the module and this command of one version?",
		  path);
}

static bool is_ring_path(const char *path)
{
	struct stat st;

	return !strncmp(path, "/dev/ringbuf", 12) && !stat(path, &st) &&
	       S_ISCHR(st.st_mode);
}

int cli_open_failed(const char *name, int err)
{
	char buf[PATH_MAX];
	const char *path = path_of(buf, sizeof(buf), name);

	switch (abs(err)) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		say_no_ring(path, name);
		break;
	case EACCES:
	case EPERM:
		say_no_permission(path);
		break;
	case EBUSY:
		say_busy(path, name);
		break;
	case EUSERS:
		cli_error("%s: has as many consumers as max_consumers= allows (--max-consumers of ringbuf create), or as max_consumers_per_user= allows this user",
			  path);
		break;
	case ENOTTY:
	case EISDIR:
		/* The ioctls of another version's module have other numbers. */
		if (is_ring_path(path))
			say_no_sense(path);
		else
			cli_error("%s: is not a ring", path);
		break;
	case EBADMSG:
		say_no_sense(path);
		break;
	case ENAMETOOLONG:
		cli_error("%s: no ring has so long a name", path);
		break;
	default:
		cli_errno(err, "%s", path);
	}
	return EXIT_FAILED;
}
