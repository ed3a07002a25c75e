// SPDX-License-Identifier: GPL-2.0
/* When a reader in place tells the kernel how far it is, and from where it is reliable. */
#include "lib_still.h"

/* Records that were read when the kernel is told of the first of them. */
static int first_told(struct feed *f, struct ringbuf_reader *r, int records)
{
	struct ringbuf_entry e;
	int n;

	put_many(f, records);
	host_told = 0;
	for (n = 0; n < records; n++)
		if (ringbuf_next(r, &e) <= 0 || host_told ||
		    !ringbuf_release(r))
			break;
	return n;
}

/* 512 records fit: a quarter is 128. */
bool lossy_tells_quarters(void)
{
	START(65536);

	CHECK_EQ(128, first_told(f, r, 200));
	while (ringbuf_read(r, &e) > 0)
		;
	CHECK_EQ(1, host_told);
	CHECK_EQ(0, ringbuf_arm(r));
	CHECK_EQ(2, host_told);
	END();
}

bool reliable_tells_sixteenths(void)
{
	START(65536);

	CHECK_EQ(0, ringbuf_reader_set_reliable(r, true));
	CHECK_EQ(32, first_told(f, r, 200));
	while (ringbuf_read(r, &e) > 0)
		;
	/* 32, 64 to 192, and all. */
	CHECK_EQ(7, host_told);
	CHECK_EQ(0, ringbuf_next(r, &e));
	CHECK_EQ(7, host_told);
	END();
}

/* Slow, with a ring that fills up: each record is told of. */
bool reliable_and_slow(void)
{
	START(65536);
	int n;

	CHECK_EQ(0, ringbuf_reader_set_reliable(r, true));
	put_many(f, 300);
	host_told = 0;
	for (n = 0; n < 5; n++) {
		CHECK_EQ(1, ringbuf_read(r, &e));
		usleep(20000);
	}
	CHECK_EQ(4, host_told);
	END();
}

/* Slow, with room for the writer. */
bool reliable_and_room(void)
{
	START(65536);
	int n;

	CHECK_EQ(0, ringbuf_reader_set_reliable(r, true));
	put_many(f, 200);
	host_told = 0;
	for (n = 0; n < 5; n++) {
		CHECK_EQ(1, ringbuf_read(r, &e));
		usleep(5000);
	}
	CHECK_EQ(0, host_told);
	END();
}

/* In the middle of what it knew to be there. */
bool reliable_from_here(void)
{
	START(65536);
	int n;

	put_many(f, 200);
	CHECK_EQ(1, ringbuf_read(r, &e));
	CHECK_EQ(1, ringbuf_next(r, &e));
	host_told = 0;
	CHECK_EQ(0, ringbuf_reader_set_reliable(r, true));
	CHECK_EQ(1, host_told);
	CHECK(ringbuf_intact(r));
	for (n = 1; n < 34; n++) {
		CHECK_EQ(1, ringbuf_read(r, &e));
		CHECK(host_record(&e, n, W1));
		CHECK_EQ(n <= 32 ? 1 : 2, host_told);
	}
	END();
}

/* The producer was about to overwrite two records when it became reliable. */
bool reliable_ahead_of_the_tail(void)
{
	START(65536);
	int n;

	put_many(f, 300);
	host_pos = 2 * 128;
	CHECK_EQ(0, ringbuf_reader_set_reliable(r, true));
	CHECK_EQ(1, ringbuf_next(r, &e));
	CHECK_EQ(2, e.seq);
	CHECK_EQ(2, e.lost);
	CHECK_EQ(256, e.lost_bytes);
	for (n = 2; n < 300; n++) {
		CHECK_EQ(1, ringbuf_read(r, &e));
		CHECK(host_record(&e, n, W1));
	}
	CHECK_EQ(0, ringbuf_arm(r));
	CHECK_EQ(300 * 128, host_pos);
	END();
}

/* One that is not reliable any more tells of each quarter as any other does. */
bool lossy_ahead_of_the_tail(void)
{
	START(4096);
	int i;

	put_many(f, 8);
	host_pos = 7 * 128;
	CHECK_EQ(0, ringbuf_reader_set_reliable(r, true));
	CHECK_EQ(0, ringbuf_reader_set_reliable(r, false));
	CHECK_EQ(1, ringbuf_read(r, &e));
	CHECK_EQ(7, e.lost);
	for (i = 0; i < 30; i++) {
		feed_put(f, W1);
		CHECK_EQ(1, ringbuf_read(r, &e));
		CHECK(place(whole(r)) - host_pos <= 1024);
	}
	END();
}
