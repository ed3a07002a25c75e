/* SPDX-License-Identifier: GPL-2.0 */
/* What the commands of ringbuf(1) share. */
#ifndef RINGBUF_CLI_H
#define RINGBUF_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <libringbuf.h>

/* Exit statuses, as in ringbuf(1). */
enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,	/* said why on stderr */
	EXIT_USAGE = 2,
};

/* A command: argv[0] is its name. Returns the exit status. */
struct cli_command {
	const char *name;
	const char *args;	/* as in "ringbuf cat [OPTION]... [RING]" */
	const char *brief;	/* one line */
	int (*run)(int argc, char **argv);
};

int cmd_cat(int argc, char **argv);
int cmd_pub(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_create(int argc, char **argv);
int cmd_rm(int argc, char **argv);
int cmd_ls(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_metrics(int argc, char **argv);
int cmd_bench(int argc, char **argv);

/* "ringbuf: " and the text on stderr; the first adds what the errno means. */
void cli_errno(int err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A number: decimal or 0x, with K, M, G, T for powers of 1024. */
bool cli_u64(const char *text, uint64_t *value);

/* "1.5 MiB", "12.3 k", "1h 02m": at most 9 characters, for people. */
const char *cli_bytes(char buf[16], double bytes);
const char *cli_count(char buf[16], double count);
const char *cli_time(char buf[16], double seconds);

/* Says what a failed open of a ring is about, and what to do. Returns EXIT_FAILED. */
int cli_open_failed(const char *name, int err);

bool cli_is_regular(const char *path);

/* Are they one device: @fd, and a file by its path, or if that is NULL @other? */
bool cli_same_device(int fd, int other, const char *path);

/* 0, or -ENOTTY: opening a FIFO, say, would only hang. */
int cli_check_ring(const char *name);

/*
 * SIGINT, SIGTERM and SIGHUP set this, to the signal's number, and do nothing
 * else: calls that wait fail with EINTR, now and again every 50 ms, so that one
 * that began a moment too late is woken, too. SIGPIPE is ignored from then on.
 */
extern volatile int cli_stopped;
void cli_signals(void);

/* Ends as the signal would have ended it, for what started this to see. */
int cli_end_by(int signal);

/* Nobody reads standard output: as cat(1), it says so only if SIGPIPE is ignored. */
int cli_broken_pipe(void);

/* What writing to standard output came to, as cli_broken_pipe() or as below. */
int cli_stdout_failed(int err);

/* Says that an output failed, with what. Returns EXIT_FAILED. */
int cli_output_failed(const char *name, int err);

/* What is wrong with the arguments, and where help is. Returns EXIT_USAGE. */
int cli_usage(const char *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

struct option;

/*
 * getopt_long() whose complaints are ours; @options begins with ":". Returns
 * -1 at the end, an option, or '?' when it has said what is wrong.
 */
int cli_getopt(int argc, char **argv, const char *options,
	       const struct option *longs);

/*
 * The options of a command that has --json and --help. Returns -1 at their end,
 * or the exit status of a command that has no more to do.
 */
int cli_json(int argc, char **argv, const char *help, bool *json);

/* Prints "usage: ringbuf NAME ARGS", and the text. Returns EXIT_OK. */
int cli_help(const char *command, const char *text);

/* A number of seconds, with a fraction or not; or of other things, up to 1e9. */
bool cli_seconds(const char *text, double *seconds);

/* A time: a number, with a fraction or not, of ns, us, ms, s or min; without, ms. */
bool cli_duration(const char *text, uint64_t *ns);

/* A ring's id, as a UUID is written. */
#define CLI_ID_SIZE	37
const char *cli_id(char buf[CLI_ID_SIZE], const uint8_t id[RINGBUF_ID_SIZE]);

/* CLOCK_MONOTONIC, in ns. */
uint64_t cli_now(void);

#endif /* RINGBUF_CLI_H */
