// SPDX-License-Identifier: GPL-2.0
/* ringbuf create and rm: rings by name, through the library. */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>
#include "cli.h"
#include "clock.h"
#include "procs.h"

#define CONFIGFS	"/sys/kernel/config"
#define CONFIGFS_MAGIC	0x62656570

#define MAX_SIZE	(1ULL << 30)

static const char create_help[] =
"\n"
"Makes a ring, /dev/ringbuf-NAME. NAME is 1 to 31 letters, digits, '_', '-' and\n"
"'.', the last two not first. The ring stays until 'ringbuf rm NAME', and keeps\n"
"the module loaded. If configfs is not mounted on " CONFIGFS ", it will be.\n"
"\n"
"  -s, --size SIZE      bytes, a power of two, such as 4M; default 1M\n"
"  -L, --reliable       readers may have the writer wait for them\n"
"  -S, --stall TIME     for so long at most, such as 5s or 500 (ms); default: for\n"
"                       ever; only with --reliable\n"
"  -C, --clock CLOCK    gives records their time: boottime (the default, goes on\n"
"                       in suspend), monotonic, realtime, tai or none\n"
"  -m, --mode MODE      who may open it, in octal; default 0600\n"
"  -c, --max-consumers N   readers at a time; default: any number\n"
"  -u, --max-consumers-per-user N   of each user; default: 1024\n"
"  -h, --help\n";

static const char rm_help[] =
"\n"
"Destroys rings that 'ringbuf create' has made. Who reads one gets what it holds,\n"
"and then an end; who writes is refused from now on.\n"
"\n"
"  -h, --help\n";

static bool exists(const char *format, const char *name)
{
	char path[RING_PATH_SIZE];

	snprintf(path, sizeof(path), format, name);
	return !access(path, F_OK);
}

static bool is_mounted(void)
{
	struct statfs fs;

	return !statfs(CONFIGFS, &fs) && fs.f_type == CONFIGFS_MAGIC;
}

/* True when it was not, and is now. Who mounts something says so. */
static bool mount_configfs(void)
{
	if (geteuid() || !exists("%s", CONFIGFS) || is_mounted() ||
	    mount("configfs", CONFIGFS, "configfs",
		  MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return false;
	cli_error("mounted configfs on " CONFIGFS);
	return true;
}

/* Why there is no /sys/kernel/config/ringbuf. */
static void say_no_configfs(void)
{
	if (!exists("%s", "/sys/module/ringbuf"))
		cli_error("the module is not loaded; try: modprobe ringbuf");
	else if (!exists("%s", CONFIGFS) || is_mounted())
		cli_error("the module was loaded without configfs, and can make no rings; try: rmmod ringbuf; modprobe configfs; modprobe ringbuf");
	else
		cli_error("configfs is not mounted; try, as root: mount -t configfs none "
			  CONFIGFS);
}

static void say_exists(const char *name)
{
	if (exists("/sys/class/ringbuf/ringbuf-%s", name))
		cli_error("there is a ring '%s' already; 'ringbuf info %s' describes it",
			  name, name);
	else
		cli_error("a ring '%s' is configured in " CONFIGFS "/ringbuf, but not live: somebody is about to make it, or has left it; 'ringbuf rm %s' removes it",
			  name, name);
}

/* What is wrong with a name that no ring can have. */
static void say_bad_name(const char *name)
{
	if (!strcmp(name, "ringbuf"))
		cli_error("'ringbuf' is the name of the default ring, which comes and goes with the module");
	else if (!strncmp(name, "/dev/ringbuf-", 13))
		cli_error("'%s' is a path; the name is '%s'", name, name + 13);
	else
		cli_error("'%s' cannot be the name of a ring: 1 to 31 letters, digits, '-', '_' and '.', not beginning with '-' or '.'",
			  name);
}

static int create_failed(const char *name, const struct ringbuf_config *config,
			 int err)
{
	char size[16];

	switch (-err) {
	case EACCES:
	case EPERM:
		cli_error("only root can make rings%s", geteuid() ? "" :
			  ", and not in a container");
		break;
	case EOPNOTSUPP:
		say_no_configfs();
		break;
	case EEXIST:
		say_exists(name);
		break;
	case EINVAL:
	case ENAMETOOLONG:
		say_bad_name(name);
		break;
	case ENOMEM:
		cli_error("not enough memory for a ring of %s",
			  cli_bytes(size, config->size ? config->size : 1 << 20));
		break;
	case EBUSY:
		cli_error("cannot make the ring '%s': there are too many devices",
			  name);
		break;
	default:
		cli_errno(err, "cannot make the ring '%s'", name);
	}
	return EXIT_FAILED;
}

static int create(const char *name, const struct ringbuf_config *config)
{
	int ret;

	/* A large one takes a moment, and is to be there whole or not at all. */
	cli_signals();
	ret = ringbuf_create(name, config);
	if (ret == -EOPNOTSUPP && mount_configfs())
		ret = ringbuf_create(name, config);
	if (cli_stopped) {
		if (!ret)
			ringbuf_destroy(name);
		return cli_end_by(cli_stopped);
	}
	return ret ? create_failed(name, config, ret) : EXIT_OK;
}

/* As "4M": a power of two of at least a page. */
static void size_text(char text[16], uint64_t size)
{
	if (size >= 1 << 30)
		snprintf(text, 16, "%" PRIu64 "G", size >> 30);
	else if (size >= 1 << 20)
		snprintf(text, 16, "%" PRIu64 "M", size >> 20);
	else
		snprintf(text, 16, "%" PRIu64 "K", size >> 10);
}

static bool parse_size(const char *text, uint64_t *size)
{
	uint64_t page = sysconf(_SC_PAGESIZE), below = page;
	char least[16], a[16], b[16];

	size_text(least, page);
	if (!cli_u64(text, size)) {
		cli_usage("create", "create: --size wants bytes, such as 65536 or 4M, not '%s'",
			  text);
		return false;
	}
	if (*size < page || *size > MAX_SIZE) {
		cli_usage("create", "create: --size %s: a ring has %s to 1G",
			  text, least);
		return false;
	}
	while (2 * below <= *size)
		below *= 2;
	if (below == *size)
		return true;
	size_text(a, below);
	size_text(b, 2 * below);
	cli_usage("create", "create: --size %s: a ring has a power of two of bytes; %s or %s would do",
		  text, a, b);
	return false;
}

static bool parse_mode(const char *text, uint32_t *mode)
{
	char *end;
	unsigned long value = strtoul(text, &end, 8);

	if (*text < '0' || *text > '7' || *end || !value || value & ~0666UL) {
		cli_usage("create", "create: --mode wants permissions to read and to write, in octal, such as 0640, not '%s'",
			  text);
		return false;
	}
	*mode = value;
	return true;
}

static bool parse_stall(const char *text, uint32_t *stall_ms)
{
	uint64_t ns;

	if (!cli_duration(text, &ns) || ns / 1000000 > UINT32_MAX ||
	    (ns && ns < 1000000)) {
		cli_usage("create", "create: --stall wants a time, such as 5s or 500ms, not '%s'",
			  text);
		return false;
	}
	*stall_ms = ns / 1000000;
	return true;
}

static bool parse_clock(const char *text, uint32_t *to)
{
	int clock = clock_find(text);

	if (clock < 0) {
		cli_usage("create", "create: --clock wants " CLOCK_NAMES ", not '%s'",
			  text);
		return false;
	}
	*to = clock;
	return true;
}

static bool parse_consumers(const char *option, const char *text, uint32_t *max)
{
	uint64_t n;

	if (!cli_u64(text, &n) || n > INT32_MAX) {
		cli_usage("create", "create: --%s wants a number, not '%s'",
			  option, text);
		return false;
	}
	*max = n;
	return true;
}

static const struct option create_longs[] = {
	{ "size", required_argument, NULL, 's' },
	{ "reliable", no_argument, NULL, 'L' },
	{ "stall", required_argument, NULL, 'S' },
	{ "clock", required_argument, NULL, 'C' },
	{ "mode", required_argument, NULL, 'm' },
	{ "max-consumers", required_argument, NULL, 'c' },
	{ "max-consumers-per-user", required_argument, NULL, 'u' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

static bool parse_option(struct ringbuf_config *config, int opt)
{
	switch (opt) {
	case 's':
		return parse_size(optarg, &config->size);
	case 'L':
		config->flags |= RINGBUF_CONFIG_RELIABLE;
		return true;
	case 'S':
		return parse_stall(optarg, &config->stall_ms);
	case 'C':
		return parse_clock(optarg, &config->clock);
	case 'm':
		return parse_mode(optarg, &config->mode);
	case 'c':
		return parse_consumers("max-consumers", optarg,
				       &config->max_consumers);
	case 'u':
		return parse_consumers("max-consumers-per-user", optarg,
				       &config->max_consumers_per_user);
	}
	return false;
}

int cmd_create(int argc, char **argv)
{
	struct ringbuf_config config = { .struct_size = sizeof(config) };
	int opt;

	while ((opt = cli_getopt(argc, argv, ":s:LS:C:m:c:u:h",
				 create_longs)) != -1) {
		if (opt == 'h')
			return cli_help("create", create_help);
		if (!parse_option(&config, opt))
			return EXIT_USAGE;
	}
	if (argc - optind != 1)
		return cli_usage("create", "create: wants the name of one ring");
	if (config.stall_ms && !(config.flags & RINGBUF_CONFIG_RELIABLE))
		return cli_usage("create", "create: --stall goes with --reliable");
	return create(argv[optind], &config);
}

static void say_no_such(const char *name)
{
	if (!exists("/sys/class/ringbuf/ringbuf-%s", name))
		cli_open_failed(name, ENOENT);
	else if (!exists("%s", CONFIGFS "/ringbuf"))
		say_no_configfs();
	else
		cli_error("the ring '%s' has been made by a kernel module, which alone destroys it",
			  name);
}

static int destroy(const char *name)
{
	int ret;

	if (!strncmp(name, "/dev/ringbuf-", 13))
		name += 13;
	else if (!strcmp(name, "/dev/ringbuf"))
		name += 5;
	ret = ringbuf_destroy(name);
	switch (-ret) {
	case 0:
		return EXIT_OK;
	case ENOENT:
		say_no_such(name);
		break;
	case EACCES:
	case EPERM:
		cli_error("%s: only root can destroy rings", name);
		break;
	case EINVAL:
	case ENAMETOOLONG:
		say_bad_name(name);
		break;
	default:
		cli_errno(ret, "cannot destroy the ring '%s'", name);
	}
	return EXIT_FAILED;
}

int cmd_rm(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	int opt, status = EXIT_OK;

	while ((opt = cli_getopt(argc, argv, ":h", longs)) != -1) {
		if (opt == 'h')
			return cli_help("rm", rm_help);
		return EXIT_USAGE;
	}
	if (optind == argc)
		return cli_usage("rm", "rm: wants the names of rings");
	for (; optind < argc; optind++)
		if (destroy(argv[optind]))
			status = EXIT_FAILED;
	return status;
}
