// SPDX-License-Identifier: GPL-2.0
/*
 * Replays inputs without a fuzzer: the files named, and those in the directories
 * named; without a name, those of the corpus. An input that crashes ends the program,
 * and is the last one told.
 */
#include <dirent.h>
#include <err.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fuzz.h"

/* What hangs dies; the slowest input takes some ms. */
#define LIMIT_S		20

static void replay(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *f = fopen(path, "r");
	uint8_t *exact;
	size_t n;

	if (!f)
		err(1, "%s", path);
	n = fread(data, 1, sizeof(data), f);
	fclose(f);
	/* Of its own size, for ASan to see its end. */
	exact = malloc(n ? n : 1);
	if (!exact)
		err(1, "%s", path);
	memcpy(exact, data, n);
	printf("# %s\n", path);
	fflush(stdout);
	alarm(LIMIT_S);
	LLVMFuzzerTestOneInput(exact, n);
	alarm(0);
	free(exact);
}

static int replay_dir(const char *path)
{
	struct dirent **names;
	char file[512];
	int i, n = scandir(path, &names, NULL, alphasort), count = 0;

	if (n < 0)
		err(1, "%s", path);
	for (i = 0; i < n; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.') {
			replay(file);
			count++;
		}
		free(names[i]);
	}
	free(names);
	return count;
}

int main(int argc, char **argv)
{
	static char *corpus[] = { NULL, CORPUS };
	struct stat st;
	int i, n, bad = 0;

	if (argc < 2) {
		argv = corpus;
		argc = 2;
	}
	printf("TAP version 13\n1..%d\n", argc - 1);
	for (i = 1; i < argc; i++) {
		n = 1;
		if (stat(argv[i], &st))
			err(1, "%s", argv[i]);
		if (S_ISDIR(st.st_mode))
			n = replay_dir(argv[i]);
		else
			replay(argv[i]);
		/* An empty directory tests nothing. */
		bad += !n;
		printf("%sok %d %d inputs of %s\n", n ? "" : "not ", i, n,
		       basename(argv[i]));
	}
	return bad ? 1 : 0;
}
