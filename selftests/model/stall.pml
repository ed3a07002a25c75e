/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A write that is refused, and somebody who begins to poll: the holds that are in the
 * way of the largest record are asked, by one or the other. And the work that looks
 * again when their time is up: it runs, and finds that nobody waits, while a write is
 * refused, which queues it, or leaves it at that if it is pending.
 */

#define NWR		3
#define POLLED		0	/* who polls is on the queue */
#define REFUSED		1	/* core->refused */
#define PENDING		2	/* rb->stall is */
#define NLOC		3
#define CAP(l)		4
#define AT(l)		((l) * 4)
#define NMSG		12

#include "mm.pml"
#include "barriers.pml"

PROPERTY(poll_is_asked);
PROPERTY(stall_is_timed);

bool asked;
bool looked;
byte done;

/* stall_work(): the workqueue has a full barrier there */
proctype Work()
{
	THREAD(0);
	byte refused;

	store(PENDING, 0);
	smp_mb();
	load(refused, REFUSED);
	if
	:: refused -> looked = true
	:: else
	fi;
	done++
}

/* ringbuf_ring_poll_room() */
proctype Poller()
{
	THREAD(1);
	byte refused;

	store(POLLED, 1);
	poll_A();
	load(refused, REFUSED);
	if
	:: refused -> asked = true
	:: else
	fi;
	done++
}

/* write_some() and ringbuf_ring_refused() */
proctype Writer()
{
	THREAD(2);
	byte polled, pending;

	store(REFUSED, 1);
	full_A();
	load(polled, POLLED);
	if
	:: polled -> asked = true
	:: else
	fi;
	/* queue_delayed_work(): test_and_set_bit() is one */
	smp_mb();
	load(pending, PENDING);
	if
	:: !pending -> looked = true	/* will: it is queued */
	:: else
	fi;
	done++
}

init {
	atomic {
		INIT(PENDING, 1);
		run Work();
		run Poller();
		run Writer()
	}
	done == 3;
	CHECK(poll_is_asked, asked);
	CHECK(stall_is_timed, looked)
}
