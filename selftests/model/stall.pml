/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The timer of those who hold runs out, while somebody begins to poll for room, or is
 * refused who has polled. timer_reduce() looks without a lock whether the timer is
 * pending, and leaves it at that if it is.
 */

#define NWR		2
#define WANTED		0	/* rb->wanted */
#define PENDING		1	/* rb->stall is */
#define NLOC		2
#define CAP(l)		3
#define AT(l)		((l) * 3)
#define NMSG		6

#include "mm.pml"
#include "barriers.pml"

PROPERTY(stall_is_timed);

Lock base_lock;			/* the timer's */
bool looked;
byte done;

/* stall_timer() */
proctype Timer()
{
	THREAD(0);
	byte wanted;

	lock(base_lock);
	store(PENDING, 0);
	unlock(base_lock);
	stall_A();
	load(wanted, WANTED);
	if
	:: wanted -> looked = true
	:: else
	fi;
	done++
}

/* ringbuf_ring_poll_room() or write_some(), then timer_reduce() */
proctype Poller()
{
	THREAD(1);
	byte pending;

	store(WANTED, 1);
	if
	:: poll_A()
	:: full_A()
	fi;
	load(pending, PENDING);
	if
	:: !pending -> looked = true	/* will: it is started */
	:: else
	fi;
	done++
}

init {
	atomic {
		INIT(PENDING, 1);
		run Timer();
		run Poller()
	}
	done == 2;
	CHECK(stall_is_timed, looked)
}
