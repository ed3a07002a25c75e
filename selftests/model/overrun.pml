/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A reliable consumer is demoted, by somebody else than the producer, which then finds
 * no hold and moves the tail. A consumer that finds itself overrun finds out why.
 */

#define NWR		3
#define DEMOTED		0	/* hold->demoted */
#define LISTED		1	/* the hold is in the list */
#define TAIL		2
#define NLOC		3
#define CAP(l)		2
#define AT(l)		((l) * 2)
#define NMSG		6

#include "mm.pml"
#include "barriers.pml"

PROPERTY(overrun_is_demoted);

/* demote() */
proctype Demoter()
{
	THREAD(0);

	store(DEMOTED, 1);
	demote_A();
	store(LISTED, 0)
}

/* ringbuf_core_scan(), ringbuf_core_make_room() */
proctype Producer()
{
	THREAD(1);
	byte n;

	load(n, LISTED);
	if
	:: !n -> make_room_A(TAIL, 1)
	:: else
	fi
}

/* ringbuf_core_peek(), and then GET_STATS */
proctype Consumer()
{
	THREAD(2);
	byte tail, demoted;

	peek_A(tail, TAIL);
	load(demoted, DEMOTED);
	CHECK(overrun_is_demoted, !tail || demoted)
}

init {
	atomic {
		INIT(LISTED, 1);
		run Demoter();
		run Producer();
		run Consumer()
	}
}
