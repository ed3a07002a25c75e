/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A consumer that finds nothing gets on its own queue, puts its hook in the ring's
 * @hooks if that is not there, and looks once more, as poll() does: with no
 * barrier but those of wake.c in between. (A read() that sleeps has one more,
 * in set_current_state().) When it leaves the queue the hook stays, and the next
 * publish takes it off, while the consumer may be coming back.
 */

#define NWR		2
#define HEAD		0
#define CURSOR		1
#define HOOKED		2	/* mark->hooked */
#define WAIT		3	/* somebody is on mark->wait */
#define HOOKS		4	/* the hook is on rb->hooks */
#define NLOC		5
#define CAP(l)		9
#define AT(l)		((l) * 9)
#define NMSG		45

#ifndef WRITES
#define WRITES		3
#endif

#include "mm.pml"
#include "barriers.pml"

/*
 * no_lost_wakeup: the consumer reads all there is. Its violation is an invalid end
 * state.
 */

Lock hooks_lock, wait_lock;
bool asleep;			/* under the scheduler's locks */

/* wake_waiters(): an old cursor only makes more of what there is */
inline wake_waiters()
{
	load(n, CURSOR);
	if
	:: n < head ->
		lock(wait_lock);
		asleep = false;
		unlock(wait_lock)
	:: else
	fi
}

/* consumer_to_wake(), under @hooks_lock */
inline hook()
{
	load(n, WAIT);
	if
	:: n -> wake_waiters()
	:: else ->
		store(HOOKED, 0);
		unhook_A();
		load(n, WAIT);
		if
		:: n ->
			store(HOOKED, 1);
			wake_waiters()
		:: else -> store(HOOKS, 0)
		fi
	fi
}

proctype Producer()
{
	THREAD(0);
	byte head, n;

	do
	:: head < WRITES ->
		head++;
		publish_B(HEAD, head);
		wake_A();
		load(n, HOOKS);
		if
		:: n ->
			lock(hooks_lock);
			load(n, HOOKS);
			if
			:: n -> hook()
			:: else
			fi;
			unlock(hooks_lock)
		:: else
		fi;
		n = 0
	:: else -> break
	od
}

/* ringbuf_wake_listen() */
inline listen()
{
	listen_A();
	load(n, HOOKED);
	if
	:: !n ->
		lock(hooks_lock);
		load(n, HOOKED);
		if
		:: !n ->
			store(HOOKS, 1);
			store_release(HOOKED, 1)
		:: else
		fi;
		unlock(hooks_lock)
	:: else
	fi;
	n = 0;
	listen_B()
}

/* poll(): is woken, and looks again without getting on the queue again */
inline wait_for_records()
{
	lock(wait_lock);
	store(WAIT, 1);
	asleep = true;
	unlock(wait_lock);
	listen();
	do
	:: load(h, HEAD);
		if
		:: h > pos -> break
		:: else ->
			atomic { !asleep -> asleep = true };
			smp_mb()
		fi
	od;
	lock(wait_lock);
	store(WAIT, 0);
	asleep = false;
	unlock(wait_lock)
}

proctype Consumer()
{
	THREAD(1);
	byte pos, h, n;

	do
	:: pos < WRITES ->
		peek_B(h, HEAD);
		if
		:: h > pos ->
			pos++;
			store(CURSOR, pos)
		:: else -> wait_for_records()
		fi;
		h = 0
	:: else -> break
	od
}

init {
	atomic {
		run Producer();
		run Consumer()
	}
}
