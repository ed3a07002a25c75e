// SPDX-License-Identifier: GPL-2.0
/*
 * Makes a record of every line: writer < some.log > /dev/ringbuf
 */
#include <err.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	/* One write(), one record, all or nothing. */
	while ((len = getline(&line, &size, stdin)) > 0)
		if (write(STDOUT_FILENO, line, len) != len)
			err(1, "write");
	if (ferror(stdin))
		err(1, "stdin");
	return 0;
}
