// SPDX-License-Identifier: GPL-2.0
/*
 * An agent that is stopped and started again: resume SEQ [RECORDS]
 *
 * Prints events from sequence number SEQ on, RECORDS of them or all. At the end
 * the sequence number with which the next run goes on.
 */
#include <stdlib.h>
#include "procs.h"

int main(int argc, char **argv)
{
	static struct reader r;
	const struct ringbuf_record *rec;
	unsigned long long want = -1ULL;
	off_t seq, first;

	if (argc < 2)
		errx(1, "usage: resume SEQ [RECORDS]");
	seq = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		want = strtoull(argv[2], NULL, 0);

	reader_open(&r);
	/* An offset is a sequence number. The answer: what there still is. */
	first = lseek(r.fd, seq, SEEK_SET);
	if (first < 0)
		err(1, "lseek");
	if (first != seq)
		errx(1, "too late, %lld records are gone",
		     (long long)(first - seq));
	r.next_seq = first;

	/*
	 * The last read() may bring more than is wanted: what counts is not
	 * where the cursor is but what was handled.
	 */
	while (r.read_records < want && (rec = reader_next(&r))) {
		if (rec->flags & RINGBUF_RECORD_LOST)
			errx(1, "lost %llu records", r.lost_records);
		print_event(stdout, rec);
	}
	fprintf(stderr, "%llu\n", r.next_seq);
	return 0;
}
