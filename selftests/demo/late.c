// SPDX-License-Identifier: GPL-2.0
/*
 * A reader that does not keep up: it does not read before the ring has
 * overwritten what it should have read, and a while longer. Then it prints all
 * that is left, and at the end "READ LOST".
 */
#include <poll.h>
#include "procs.h"

int main(void)
{
	static struct reader r;
	const struct ringbuf_record *rec;
	struct pollfd pfd = { .events = POLLPRI };

	reader_open(&r);
	pfd.fd = r.fd;
	/* POLLPRI: overrun. */
	if (poll(&pfd, 1, -1) < 0)
		err(1, "poll");
	sleep(1);

	while ((rec = reader_next(&r)))
		if (!(rec->flags & RINGBUF_RECORD_LOST))
			print_event(stdout, rec);
	reader_report(&r);
	return 0;
}
