// SPDX-License-Identifier: GPL-2.0
/* ringbuf replay: what was recorded, into a ring. */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "feed.h"
#include "frames.h"
#include "input.h"

static const char help[] =
	"\n"
	"Publishes the frames of FILE ('-' is standard input), as 'ringbuf record'\n"
	"writes them, with their types; they get numbers and times of their own. What\n"
	"FILE says of losses is skipped, and counted on standard error.\n\n"
	"  -s, --speed SPEED    'full' (the default), 'original', or so many times the\n"
	"                       original speed: 10, 0.5\n"
	"  -v, --verbose        say at the end what was published\n"
	"  -h, --help\n\n"
	"On a terminal, what takes longer than two seconds shows its progress.\n";

static int idle(void *feed)
{
	return feed_flush(feed);
}

static int run(struct feed *feed, const char *path, double speed, bool verbose)
{
	struct frames frames = { .speed = speed };
	struct input in = { .idle = idle, .context = feed };
	int ret = input_open(&in, path);
	int status;

	if (ret) {
		cli_errno(ret, "%s", path);
		return EXIT_FAILED;
	}
	if (feed_open(feed)) {
		input_close(&in);
		return EXIT_FAILED;
	}
	if (input_is_ring(path, feed->publisher)) {
		input_close(&in);
		return feed_close(feed, EXIT_FAILED, false);
	}
	cli_signals();
	feed->size = input_size(&in);
	ret = frames_publish(&frames, feed, &in);
	input_close(&in);
	status = feed_close(feed, ret && ret != -EINTR ? EXIT_FAILED : EXIT_OK,
			    verbose);
	frames_say_lost(&frames);
	return cli_stopped ? cli_end_by(cli_stopped) : status;
}

static bool parse_speed(const char *text, double *speed)
{
	*speed = 0;
	if (!strcmp(text, "full"))
		return true;
	*speed = 1;
	if (!strcmp(text, "original"))
		return true;
	return feed_rate(text, speed);
}

static const struct option longs[] = {
	{ "speed", required_argument, NULL, 's' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

int cmd_replay(int argc, char **argv)
{
	struct feed feed = {};
	bool verbose = false;
	double speed = 0;
	int opt;

	while ((opt = cli_getopt(argc, argv, ":s:vh", longs)) != -1) {
		if (opt == 'h')
			return cli_help("replay", help);
		if (opt == 'v')
			verbose = true;
		else if (opt != 's')
			return EXIT_USAGE;
		else if (!parse_speed(optarg, &speed))
			return cli_usage("replay", "replay: --speed wants full, original, or a number from 0.000001, not '%s'",
					 optarg);
	}
	if (argc - optind < 1 || argc - optind > 2)
		return cli_usage("replay", "replay: wants a file, or a file and a ring");
	feed.name = optind + 1 < argc ? argv[optind + 1] : NULL;
	return run(&feed, argv[optind], speed, verbose);
}
