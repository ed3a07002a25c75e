/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A consumer whose mark is two records waits with one, its hook in @hooks; another
 * thread that shares its file seeks back by one, while a record is published. Then
 * there are enough, by either; whoever of the two comes last has to wake it.
 */

#define NWR		2
#define HEAD		0
#define CURSOR		1
#define NLOC		2
#define CAP(l)		2
#define AT(l)		((l) * 2)
#define NMSG		4

#define MARK		2

#include "mm.pml"
#include "barriers.pml"

PROPERTY(mark_is_told);

Lock rf_lock;
bool told;
byte done;

/* reached() */
#define WAKE(head, cursor) \
	if \
	:: (head) - (cursor) >= MARK -> told = true \
	:: else \
	fi

/* ringbuf_ring_publish() and _wake() */
proctype Producer()
{
	THREAD(0);
	byte cursor;

	publish_B(HEAD, 2);
	wake_A();
	load(cursor, CURSOR);
	WAKE(2, cursor);
	done++
}

/* ringbuf_file_move() */
proctype Seeker()
{
	THREAD(1);
	byte head;

	lock(rf_lock);
	store(CURSOR, 0);
	unlock(rf_lock);
	back_A();
	load(head, HEAD);
	WAKE(head, 0);
	done++
}

init {
	atomic {
		INIT(HEAD, 1);
		INIT(CURSOR, 1);
		run Producer();
		run Seeker()
	}
	done == 2;
	CHECK(mark_is_told, told)
}
