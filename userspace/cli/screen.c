// SPDX-License-Identifier: GPL-2.0
/*
 * A terminal, all of it: the alternate screen, no cursor, keys as they come.
 * Signals are blocked and come by a signalfd, so whatever ends the command finds
 * the terminal whole, and puts it back.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>
#include "cli.h"
#include "screen.h"
#include "table.h"

#define ENTER	"\033[?1049h\033[?25l\033[H\033[2J"
#define LEAVE	"\033[?25h\033[?1049l"

static struct termios saved;
static sigset_t signals;
static int signal_fd = -1;
static int ended_by;
static bool keys, entered;

static void say(const char *text)
{
	ssize_t n = write(STDOUT_FILENO, text, strlen(text));

	(void)n;
}

static void enter(void)
{
	struct termios raw = saved;

	/* ISIG stays: ^C and ^Z are signals. */
	raw.c_lflag &= ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	say(ENTER);
	entered = true;
}

static void leave(void)
{
	if (!entered)
		return;
	entered = false;
	say(LEAVE);
	if (keys)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
}

/* Those that were ignored from the start, by nohup or sh, stay so. */
static void take_signals(void)
{
	static const int wanted[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH,
	};
	struct sigaction act;
	size_t i;

	sigemptyset(&signals);
	for (i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		sigaction(wanted[i], NULL, &act);
		if (act.sa_handler != SIG_IGN)
			sigaddset(&signals, wanted[i]);
	}
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool screen_open(void)
{
	const char *term = getenv("TERM");

	if (!isatty(STDOUT_FILENO) || !term || !*term || !strcmp(term, "dumb"))
		return false;
	take_signals();
	if (signal_fd < 0)
		return false;
	keys = !tcgetattr(STDIN_FILENO, &saved);
	atexit(screen_close);
	enter();
	return true;
}

void screen_close(void)
{
	leave();
}

void screen_size(size_t *rows, size_t *columns)
{
	struct winsize ws = {};

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws);
	*rows = ws.ws_row ? ws.ws_row : 24;
	*columns = ws.ws_col ? ws.ws_col : 80;
}

/*
 * From the top over what is there, and only then the rest of each line cleared:
 * nothing is ever blank that will not stay so. In the last column the cursor
 * stands on the last character, which clearing would take away.
 */
static void show_line(struct out *to, const char *line, size_t len,
		      size_t columns)
{
	out_bytes(to, line, len < columns ? len : columns);
	if (len < columns)
		out_string(to, "\033[K");
}

int screen_show(struct out *frame)
{
	struct out to = { .fd = STDOUT_FILENO };
	const char *line = frame->data, *end = line + frame->len, *next;
	size_t rows, columns, row;
	int ret;

	screen_size(&rows, &columns);
	out_string(&to, "\033[H");
	for (row = 0; row < rows && line < end; row++, line = next + 1) {
		next = memchr(line, '\n', end - line);
		if (!next)
			next = end;
		out_string(&to, row ? "\r\n" : "");
		show_line(&to, line, next - line, columns);
	}
	if (row < rows)
		out_string(&to, "\r\n\033[J");
	frame->len = 0;
	ret = table_flush(&to);
	out_free(&to);
	return ret;
}

/* Where there is no job control, nothing stops, and this goes on at once. */
static void stop(void)
{
	sigset_t only;

	leave();
	sigemptyset(&only);
	sigaddset(&only, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &only, NULL);
	sigprocmask(SIG_BLOCK, &only, NULL);
	enter();
}

static int take_signal(void)
{
	struct signalfd_siginfo info;

	if (read(signal_fd, &info, sizeof(info)) != sizeof(info))
		return SCREEN_REDRAW;
	switch (info.ssi_signo) {
	case SIGTSTP:
		stop();
		return SCREEN_REDRAW;
	case SIGCONT:
		/* Stopped by SIGSTOP; others may have used the terminal. */
		enter();
		return SCREEN_REDRAW;
	case SIGWINCH:
		return SCREEN_REDRAW;
	default:
		ended_by = info.ssi_signo;
		return SCREEN_END;
	}
}

/* One at a time: more may have been typed ahead. */
static int take_key(void)
{
	struct pollfd more = { .fd = STDIN_FILENO, .events = POLLIN };
	unsigned char key;
	char rest[16];
	ssize_t n = read(STDIN_FILENO, &key, 1);

	if (n == 1 && key != '\033')
		return key;
	/* The keys that send an escape and more mean nothing here. */
	if (n == 1 && poll(&more, 1, 0) > 0)
		n = read(STDIN_FILENO, rest, sizeof(rest));
	if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN)))
		return SCREEN_REDRAW;
	ended_by = SIGHUP;
	return SCREEN_END;
}

int screen_wait(uint64_t until)
{
	struct pollfd p[] = {
		{ .fd = signal_fd, .events = POLLIN },
		{ .fd = keys ? STDIN_FILENO : -1, .events = POLLIN },
	};
	uint64_t now = cli_now();
	uint64_t ns = until > now ? until - now : 0;
	struct timespec ts = {
		.tv_sec = ns / 1000000000,
		.tv_nsec = ns % 1000000000,
	};
	int ret = ppoll(p, 2, &ts, NULL);

	if (ret == 0)
		return SCREEN_TIMEOUT;
	if (ret < 0)
		return SCREEN_REDRAW;
	return p[0].revents ? take_signal() : take_key();
}

int screen_signal(void)
{
	return ended_by;
}
