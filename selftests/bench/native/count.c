// SPDX-License-Identifier: GPL-2.0
/*
 * What valgrind counts the instructions of: the core publishes RECORDS of them,
 * BATCH at once, and the library reads as many.  count BATCH RECORDS PASSES
 * The difference between two numbers of records, or passes, is what they take.
 */

#include <stdlib.h>
#include "lib.h"
#include "ring.h"

#define SIZE	(1UL << 20)

static void read_all(const struct bench_ring *ring)
{
	struct ringbuf_entry e;
	struct tally t = {};
	struct reader r = {
		.fd = -1,
		.size = ring->size,
		.max_record = ring->size / 4,
		.pub.at = ring->page->tail,
		.pub.seq = ring->page->tail_seq,
	};

	t.next = r.pub.seq;
	if (map_attach(&r, ring->page, ring->head_page, ring->data))
		die("the library takes it for no ring");
	while (t.next < ring->head_page->head_seq) {
		/* There is no file to tell it to. */
		r.advanced = r.pub.at;
		while (r.pub.at - r.advanced < r.size / 8 &&
		       ringbuf_next(&r.pub, &e) > 0) {
			tally_record(&t, e.data);
			if (!ringbuf_release(&r.pub))
				t.bad = 1;
		}
	}
	if (t.bad || t.next != ring->head_page->head_seq)
		die("wrong records");
}

int main(int argc, char **argv)
{
	struct job job = { .shape = BROADCAST };
	struct bench_ring ring;

	if (argc != 4)
		return 2;
	job.batch = atoi(argv[1]);
	job.records = atoi(argv[2]);
	/* Nobody is reliable here, so the producer waits for nobody. */
	bench_ring_open(&ring, SIZE, 0);
	bench_ring_produce(&ring, &job);
	for (int passes = atoi(argv[3]); passes > 0; passes--)
		read_all(&ring);
	return 0;
}
