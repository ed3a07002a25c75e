/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A reliable consumer that is asked to make way, and its time: ringbuf_core_held()
 * by two callers (a write() that waits, a poll()), against a consumer that makes
 * way and then seeks back. Time does not pass while a call is under way: calls are
 * short against stall_ms.
 */

#ifndef CALLS
#define CALLS		1	/* of the second caller; the first one calls twice */
#endif
#define TICKS		2
#define STALL		2

#define NWR		3
#define POS		0
#define NEED		1
#define SINCE		2
#define NLOC		3
#define EACH_CAP	(CALLS + 4)
#define CAP(l)		EACH_CAP
#define AT(l)		((l) * EACH_CAP)
#define NMSG		(3 * EACH_CAP)

#include "mm.pml"
#include "barriers.pml"

PROPERTY(no_early_demotion);	/* who is demoted has held for its time, from where it is */

/* Where the hold is, one after the other: asked to go to 6 and 7. */
#define FIRST		4
#define AWAY		8
#define BACK		5

/* What it is asked for once it has gone back: nothing, which is before any place. */
#ifdef BUG_hold_back
#define NOT_ASKED	BACK	/* as the code had it */
#else
#define NOT_ASKED	0
#endif

byte now = 10;
byte under_way;
byte began[9];			/* since when the hold is there */

/* ringbuf_core_held() and held_since() */
inline held(wanted)
{
	d_step { under_way++; t = now };
	held_C(pos, POS);
	if
	:: pos < (wanted) ->
		held_B(need, NEED);
		if
		:: pos < need -> load(since, SINCE)
		:: else ->
			store(SINCE, t);
			held_A(NEED, wanted);
			since = t
		fi;
		CHECK(no_early_demotion, t - since < STALL || t - began[pos] >= STALL)
	:: else
	fi;
	d_step { under_way--; pos = 0; need = 0; since = 0; t = 0 }
}

proctype Caller(byte id; byte wanted; byte calls)
{
	THREAD(id);
	byte n, pos, need, since, t;

	do
	:: n < calls ->
		held(wanted);
		n++
	:: break
	od
}

proctype Consumer()
{
	THREAD(2);
	byte need;

	/* ringbuf_hold_move() */
	hold_move_A(POS, AWAY);
	/* ringbuf_hold_back() */
	d_step { under_way++; began[BACK] = now };
	load(need, NEED);
	if
	:: AWAY >= need ->
#ifdef BUG_come
		store(SINCE, 0);	/* as the code had it, for a while */
#endif
		store_release(NEED, NOT_ASKED)
	:: else
	fi;
	hold_move_A(POS, BACK);
	under_way--
}

proctype Clock()
{
	do
	:: atomic { !under_way && now < 10 + TICKS -> now++ }
	:: break
	od
}

init {
	atomic {
		INIT(POS, FIRST);
		INIT(NEED, FIRST);
		began[FIRST] = now;
		run Caller(0, 6, 2);
		run Caller(1, 7, CALLS);
		run Consumer();
		run Clock()
	}
}
