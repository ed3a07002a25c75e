// SPDX-License-Identifier: GPL-2.0
/* ringbuf(1): the table of commands. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "options.h"

static const struct cli_command commands[] = {
	{ "cat", "[OPTION]... [RING]", "print records as they come", cmd_cat },
	{ "pub", "[OPTION]... [RING [FILE]...]",
	  "publish standard input or files", cmd_pub },
	{ "record", "[OPTION]... [RING] FILE|-",
	  "keep records in a file", cmd_record },
	{ "replay", "[OPTION]... FILE|- [RING]",
	  "publish what was recorded", cmd_replay },
	{ "create", "[OPTION]... NAME", "make a ring", cmd_create },
	{ "rm", "NAME...", "destroy rings", cmd_rm },
	{ "ls", "[OPTION]...", "list rings", cmd_ls },
	{ "info", "[OPTION]... [RING]...", "describe rings", cmd_info },
	{ "top", "[OPTION]... [RING]...",
	  "watch rings and who reads them", cmd_top },
	{ "metrics", "[OPTION]... [RING]...",
	  "rings and readers, for Prometheus", cmd_metrics },
	{ "bench", "[OPTION]... [RING]", "measure this machine", cmd_bench },
};

#define N_COMMANDS	(sizeof(commands) / sizeof(*commands))

static const struct cli_command *find(const char *name)
{
	size_t i;

	for (i = 0; i < N_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int unknown(const char *name)
{
	struct nearest near = { .wanted = name };
	size_t i;

	for (i = 0; i < N_COMMANDS; i++)
		nearest_consider(&near, commands[i].name);
	nearest_consider(&near, "help");
	if (near.name)
		return cli_usage(NULL, "no command '%s'; did you mean '%s'?",
				 name, near.name);
	return cli_usage(NULL, "no command '%s'", name);
}

static void usage(FILE *to)
{
	size_t i;

	fputs("usage: ringbuf COMMAND [ARGUMENT]...\n\n"
	      "One producer, any number of consumers, one copy of each record.\n\n",
	      to);
	for (i = 0; i < N_COMMANDS; i++)
		fprintf(to, "  %-8s %s\n", commands[i].name, commands[i].brief);
	fputs("\n"
	      "RING is a name, NAME for /dev/ringbuf-NAME, or a path; without it, or\n"
	      "with the name 'ringbuf', it is /dev/ringbuf.\n\n"
	      "  ringbuf COMMAND --help   what a command takes; also: ringbuf help COMMAND\n"
	      "  ringbuf --version        print the version\n\n"
	      "Try it:  date | ringbuf pub; ringbuf cat --no-follow\n\n"
	      "Exit status: 0 when all went well, 1 when something failed, 2 for wrong\n"
	      "arguments. Who is ended by a signal ends by that signal; but record, whose way\n"
	      "to end that is, exits with 0 after SIGINT, SIGTERM and SIGHUP.\n", to);
}

int cli_help(const char *command, const char *text)
{
	const struct cli_command *c = find(command);

	printf("usage: ringbuf %s %s\n%s", command, c ? c->args : "", text);
	return EXIT_OK;
}

/* What was printed with stdio has to have got there. */
static int finish(int status)
{
	if ((fflush(stdout) || ferror(stdout)) && status == EXIT_OK)
		return cli_stdout_failed(-errno);
	return status;
}

static int run(int argc, char **argv)
{
	const struct cli_command *c = find(argv[0]);

	if (!c)
		return unknown(argv[0]);
	return c->run(argc, argv);
}

static int help(char *name)
{
	char *args[] = { name, "--help", NULL };

	if (name && strcmp(name, "help"))
		return run(2, args);
	usage(stdout);
	return EXIT_OK;
}

/*
 * A closed standard file would become that of the ring, and messages records.
 * One that fails takes its place.
 */
static void fill_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_PATH);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	const char *arg = argc > 1 ? argv[1] : NULL;

	fill_standard_files();
	if (!arg) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(arg, "--help") || !strcmp(arg, "-h"))
		return finish(help(NULL));
	if (!strcmp(arg, "help")) {
		if (argc > 3)
			return cli_usage(NULL, "help: one command at a time");
		return finish(help(argv[2]));
	}
	if (!strcmp(arg, "--version") || !strcmp(arg, "-V")) {
		puts("ringbuf " RINGBUF_VERSION);
		return finish(EXIT_OK);
	}
	if (*arg == '-')
		return cli_usage(NULL, "no option '%s'", arg);
	return finish(run(argc - 1, argv + 1));
}
