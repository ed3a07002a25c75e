/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A producer that leaves waiters to the worker: it wakes BUDGET consumers itself and
 * asks for a scan if there are more. Consumers come and go as in wake.pml. The worker
 * lets go of the lock after each of them; a hook that comes meanwhile comes to the
 * front, behind the worker's back.
 */

#ifndef CONSUMERS
#define CONSUMERS	1
#endif
#ifndef BUDGET
#define BUDGET		0
#endif
#ifndef WRITES
#define WRITES		2
#endif

#define NWR		(2 + CONSUMERS)
#define HEAD		0
#define SCAN		1	/* rb->scan */
#define HOOKS		2	/* there are some on rb->hooks */
#define HOOKED(c)	(3 + 2 * (c))	/* mark->hooked */
#define WAIT(c)		(4 + 2 * (c))	/* somebody is on mark->wait */
#define NLOC		(3 + 2 * CONSUMERS)
#define CAP(l)		9
#define AT(l)		((l) * 9)
#define NMSG		(NLOC * 9)

#define IDLE		0
#define BUSY		1
#define AGAIN		2

#include "mm.pml"
#include "barriers.pml"

/*
 * no_lost_wakeup: each consumer reads all there is. Its violation is an invalid end
 * state.
 */

Lock hooks_lock, wait_lock[CONSUMERS];
/* Under hooks_lock: whose hooks are there, and which of them a scan is yet to see. */
byte hooks, todo;
bool queued;			/* rb->scan_work */
bool asleep[CONSUMERS];		/* under the scheduler's locks */
byte pos[CONSUMERS];		/* an old one would only make more of what there is */

#define BIT(c)		(1 << (c))

/* A hook of a walk: consumer_to_wake(), wake_waiters(). */
inline visit(c)
{
	load(n, WAIT(c));
	if
	:: !n ->
		store(HOOKED(c), 0);
		unhook_A();
		load(n, WAIT(c));
		if
		:: n -> store(HOOKED(c), 1)
		:: else ->
			hooks = hooks & ~BIT(c);
			todo = todo & ~BIT(c);
			store(HOOKS, hooks != 0)
		fi
	:: else
	fi;
	if
	:: n ->
		load(n, HEAD);
		if
		:: n > pos[c] ->
			lock(wait_lock[c]);
			asleep[c] = false;
			unlock(wait_lock[c])
		:: else
		fi
	:: else
	fi;
	n = 0
}

inline ask_for_scan()
{
	xchg(n, SCAN, AGAIN);
	if
	:: n == IDLE -> queued = true
	:: else
	fi;
	n = 0
}

/* wake_some(): any of them may be the first ones. Sets left. */
inline wake_some()
{
	lock(hooks_lock);
	left = hooks;
#if BUDGET
	if
	:: hooks & BIT(0) -> left = left & ~BIT(0); visit(0)
#if CONSUMERS > 1
	:: hooks & BIT(1) -> left = left & ~BIT(1); visit(1)
#endif
	:: !hooks
	fi;
#endif
	unlock(hooks_lock)
}

proctype Producer()
{
	THREAD(0);
	byte head, n, left;

	do
	:: head < WRITES ->
		head++;
		publish_B(HEAD, head);
		wake_A();
		load(n, HOOKS);
		if
		:: n ->
			load(n, SCAN);
			if
			:: n == IDLE ->
				wake_some();
				if
				:: left -> ask_for_scan()
				:: else
				fi
#ifdef BUG_busy
			:: n == BUSY
#else
			:: n == BUSY -> ask_for_scan()
#endif
			:: n == AGAIN
			fi
		:: else
		fi;
		n = 0;
		left = 0
	:: else -> break
	od
}

/* scan_hooks() */
inline scan_hooks()
{
	lock(hooks_lock);
	todo = hooks;
	do
	:: todo & BIT(0) -> todo = todo & ~BIT(0); visit(0)
#if CONSUMERS > 1
	:: todo & BIT(1) ->
		todo = todo & ~BIT(1);
		visit(1);
		unlock(hooks_lock);
		lock(hooks_lock)
#endif
	:: !todo -> break
	od;
	unlock(hooks_lock)
}

proctype Worker()
{
	THREAD(1);
	byte n;

end:
	do
	:: atomic { queued -> queued = false };
		do
		:: true ->
#ifdef BUG_late
			scan_hooks();
			store(SCAN, BUSY);
			scan_work_A();
#else
			store(SCAN, BUSY);
			scan_work_A();
			scan_hooks();
#endif
#ifdef BUG_again
			store(SCAN, IDLE);
			break
#else
			cmpxchg(n, SCAN, BUSY, IDLE);
			if
			:: n == BUSY -> n = 0; break
			:: else -> n = 0
			fi
#endif
		od
	od
}

/* ringbuf_wake_listen() */
inline listen()
{
	listen_A();
	load(n, HOOKED(me));
	if
	:: !n ->
		lock(hooks_lock);
		load(n, HOOKED(me));
		if
		:: !n ->
			hooks = hooks | BIT(me);
			store(HOOKS, 1);
			store_release(HOOKED(me), 1)
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
	lock(wait_lock[me]);
	store(WAIT(me), 1);
	asleep[me] = true;
	unlock(wait_lock[me]);
	listen();
	do
	:: load(n, HEAD);
		if
		:: n > pos[me] -> break
		:: else ->
			n = 0;
			atomic { !asleep[me] -> asleep[me] = true };
			smp_mb()
		fi
	od;
	n = 0;
	lock(wait_lock[me]);
	store(WAIT(me), 0);
	asleep[me] = false;
	unlock(wait_lock[me])
}

proctype Consumer(byte me)
{
	THREAD(2 + me);
	byte n;

	do
	:: pos[me] < WRITES ->
		peek_B(n, HEAD);
		if
		:: n > pos[me] -> pos[me] = n; n = 0
		:: else -> n = 0; wait_for_records()
		fi
	:: else -> break
	od
}

init {
	atomic {
		run Producer();
		run Worker();
		run Consumer(0);
#if CONSUMERS > 1
		run Consumer(1)
#endif
	}
}
