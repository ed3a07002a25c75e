// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command on a pseudo-terminal as a shell with job control would, plays a
 * user, and tells how the terminal was left.
 *
 *	pty OUTPUT [STEP]... -- COMMAND [ARGUMENT]...
 *
 * Steps: wMS wait, kTEXT type, sNUMBER send a signal, rROWSxCOLUMNS resize. What
 * is printed: "stopped TERMINAL" each time it stops, after which it is continued,
 * and "exit STATUS TERMINAL" or "signal NUMBER TERMINAL", where TERMINAL is
 * "same" or "changed". OUTPUT gets all that the command has written.
 *
 *	pty --hold		has a ring mapped, and its file closed
 *	pty --wait-for-itself	writes to a ring until it is full, by a file that is
 *				a reliable consumer, too
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>
#include <linux/ringbuf.h>

static struct termios saved;

static const char *terminal(int tty)
{
	struct termios now;

	tcgetattr(tty, &now);
	return now.c_lflag == saved.c_lflag && now.c_iflag == saved.c_iflag &&
	       now.c_oflag == saved.c_oflag ? "same" : "changed";
}

/* The shell: its child is in the foreground; tells its pid by @pipe. */
static void lead(int tty, int pipe, char **argv)
{
	struct timespec ts = { .tv_nsec = 200000000 };
	int status;
	pid_t pid;

	login_tty(dup(tty));
	signal(SIGTTOU, SIG_IGN);
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		tcsetpgrp(0, getpid());
		signal(SIGTTOU, SIG_DFL);
		execvp(argv[0], argv);
		_exit(127);
	}
	setpgid(pid, pid);
	dprintf(pipe, "%d\n", pid);
	while (waitpid(pid, &status, WUNTRACED) == pid) {
		if (WIFSTOPPED(status)) {
			dprintf(pipe, "stopped %s\n", terminal(tty));
			nanosleep(&ts, NULL);
			tcsetpgrp(tty, pid);
			kill(-pid, SIGCONT);
			continue;
		}
		dprintf(pipe, "%s %d %s\n",
			WIFEXITED(status) ? "exit" : "signal",
			WIFEXITED(status) ? WEXITSTATUS(status) :
			WTERMSIG(status), terminal(tty));
		_exit(0);
	}
	_exit(1);
}

static void drain(int pty, int out, int ms)
{
	struct pollfd p = { .fd = pty, .events = POLLIN };
	struct timespec t0, t1;
	int left = ms;
	char buf[4096];
	ssize_t n;

	clock_gettime(CLOCK_MONOTONIC, &t0);
	while (left > 0 && poll(&p, 1, left) > 0) {
		n = read(pty, buf, sizeof(buf));
		if (n <= 0 || write(out, buf, n) != n)
			return;
		clock_gettime(CLOCK_MONOTONIC, &t1);
		left = ms - ((t1.tv_sec - t0.tv_sec) * 1000 +
			     (t1.tv_nsec - t0.tv_nsec) / 1000000);
	}
}

static void step(const char *text, int pty, int out, pid_t pid)
{
	struct winsize ws = {};
	size_t len = strlen(text + 1);

	switch (*text) {
	case 'w':
		drain(pty, out, atoi(text + 1));
		break;
	case 'k':
		if (write(pty, text + 1, len) != (ssize_t)len)
			err(1, "write");
		break;
	case 's':
		kill(pid, atoi(text + 1));
		break;
	case 'r':
		sscanf(text + 1, "%hux%hu", &ws.ws_row, &ws.ws_col);
		ioctl(pty, TIOCSWINSZ, &ws);
		break;
	default:
		errx(1, "no step '%s'", text);
	}
}

static void hold(void)
{
	int fd = open("/dev/ringbuf", O_RDONLY);
	void *page = mmap(NULL, getpagesize(), PROT_READ, MAP_SHARED, fd, 0);

	if (page == MAP_FAILED)
		err(1, "/dev/ringbuf");
	close(fd);
	for (;;)
		pause();
}

static void wait_for_itself(void)
{
	const struct ringbuf_consumer reliable = {
		.struct_size = sizeof(reliable),
		.flags = RINGBUF_CONSUMER_RELIABLE,
		.mask = RINGBUF_CONSUMER_RELIABLE,
	};
	int fd = open("/dev/ringbuf", O_RDWR);

	if (fd < 0 || ioctl(fd, RINGBUF_IOC_SET_CONSUMER, &reliable))
		err(1, "/dev/ringbuf");
	while (write(fd, "record", 6) == 6)
		;
	err(1, "write");
}

int main(int argc, char **argv)
{
	struct winsize ws = { .ws_row = 24, .ws_col = 80 };
	int pty, tty, pipes[2], out, i;
	char text[256];
	ssize_t n;
	pid_t pid;

	if (argc == 2 && !strcmp(argv[1], "--hold"))
		hold();
	if (argc == 2 && !strcmp(argv[1], "--wait-for-itself"))
		wait_for_itself();
	for (i = 2; i < argc && strcmp(argv[i], "--"); i++)
		;
	if (i + 1 >= argc)
		errx(2, "usage: pty OUTPUT [STEP]... -- COMMAND...");
	out = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (out < 0 || pipe(pipes) || openpty(&pty, &tty, NULL, NULL, &ws))
		err(1, "pty");
	tcgetattr(tty, &saved);
	if (!fork()) {
		close(pty);
		close(pipes[0]);
		lead(tty, pipes[1], argv + i + 1);
	}
	close(pipes[1]);
	n = read(pipes[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	pid = atoi(text);
	if (pid <= 0)
		errx(1, "no child");
	for (i = 2; strcmp(argv[i], "--"); i++)
		step(argv[i], pty, out, pid);
	/* One that hangs is a failure, not for ever. */
	alarm(20);
	drain(pty, out, 200);
	while ((n = read(pipes[0], text, sizeof(text))) > 0) {
		if (write(STDOUT_FILENO, text, n) != n)
			return 1;
		drain(pty, out, 100);
	}
	return 0;
}
