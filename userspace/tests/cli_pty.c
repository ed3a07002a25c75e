// SPDX-License-Identifier: GPL-2.0
/*
 * cli_pty [-e] [-k MS] COMMAND...: runs a command on a terminal (-e: only its
 * standard error is one), presses Ctrl-C after MS ms, copies what the terminal
 * shows to standard output, and ends with the command's status, 128+N for a
 * signal.
 */
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void child(char **argv, int terminal, int only_stderr)
{
	setsid();
	ioctl(terminal, TIOCSCTTY, 0);
	dup2(terminal, STDERR_FILENO);
	if (!only_stderr) {
		dup2(terminal, STDIN_FILENO);
		dup2(terminal, STDOUT_FILENO);
	}
	execvp(argv[0], argv);
	err(127, "%s", argv[0]);
}

static void copy(int master, int ms)
{
	struct pollfd p = { .fd = master, .events = POLLIN };
	char buf[4096];
	ssize_t n;

	for (;;) {
		if (!poll(&p, 1, ms)) {
			if (write(master, "\003", 1) != 1)
				err(1, "Ctrl-C");
			ms = -1;
			continue;
		}
		n = read(master, buf, sizeof(buf));
		/* EIO: the last one has closed the terminal. */
		if (n <= 0)
			return;
		if (write(STDOUT_FILENO, buf, n) != n)
			err(1, "write");
	}
}

int main(int argc, char **argv)
{
	int master, terminal, status, opt, only_stderr = 0, ms = -1;
	struct termios raw;
	pid_t pid;

	while ((opt = getopt(argc, argv, "+ek:")) != -1) {
		if (opt == 'e')
			only_stderr = 1;
		else if (opt == 'k')
			ms = atoi(optarg);
		else
			return 2;
	}
	if (openpty(&master, &terminal, NULL, NULL, NULL))
		err(1, "openpty");
	/* Newlines as they are written. */
	tcgetattr(terminal, &raw);
	raw.c_oflag &= ~OPOST;
	raw.c_lflag &= ~ECHO;
	tcsetattr(terminal, TCSANOW, &raw);
	pid = fork();
	if (!pid)
		child(argv + optind, terminal, only_stderr);
	close(terminal);
	copy(master, ms);
	if (waitpid(pid, &status, 0) != pid)
		err(1, "waitpid");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
