/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The end of a stream, for a consumer that asked for one: the writer goes while one
 * thread reads the last record and another, which shares the file, sleeps in an
 * edge-triggered epoll, its hook in @hooks. Whoever of the two comes last has to
 * wake it.
 */

#define NWR		2
#define PRODUCER	0	/* the producer slot */
#define CURSOR		1
#define NLOC		2
#define CAP(l)		2
#define AT(l)		((l) * 2)
#define NMSG		4

#include "mm.pml"
#include "barriers.pml"

PROPERTY(end_is_told);

Lock file_lock, hooks_lock;
bool edge;
byte done;

/* ringbuf_ring_release() */
proctype Writer()
{
	THREAD(0);
	byte pos;

	store_release(PRODUCER, 0);
	wake_A();
	lock(hooks_lock);
	/* ringbuf_file_eof(), by the hook: is all read? */
	load(pos, CURSOR);
	if
	:: pos == 1 -> edge = true
	:: else
	fi;
	unlock(hooks_lock);
	done++
}

/* take() and moved(), over the last record */
proctype Reader()
{
	THREAD(1);
	byte producer;

	lock(file_lock);
	store(CURSOR, 1);
	unlock(file_lock);
	moved_A();
	load_acquire(producer, PRODUCER);
	if
	:: !producer -> edge = true
	:: else
	fi;
	done++
}

init {
	atomic {
		INIT(PRODUCER, 1);
		run Writer();
		run Reader()
	}
	done == 2;
	CHECK(end_is_told, edge)
}
