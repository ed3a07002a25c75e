// SPDX-License-Identifier: GPL-2.0
/*
 * Process events as they happen: live FILE LINES
 *
 * All go to FILE, the first LINES also to stdout. At the end "READ LOST".
 */
#include <stdlib.h>
#include "procs.h"

int main(int argc, char **argv)
{
	static struct reader r;
	const struct ringbuf_record *rec;
	unsigned long lines;
	FILE *file;

	if (argc != 3)
		errx(1, "usage: live FILE LINES");
	file = fopen(argv[1], "w");
	if (!file)
		err(1, "%s", argv[1]);
	lines = strtoul(argv[2], NULL, 0);

	reader_open(&r);
	while ((rec = reader_next(&r))) {
		if (rec->flags & RINGBUF_RECORD_LOST)
			continue;
		print_event(file, rec);
		if (r.read_records <= lines) {
			print_event(stdout, rec);
			fflush(stdout);
		}
	}
	if (fclose(file))
		err(1, "%s", argv[1]);
	reader_report(&r);
	return 0;
}
