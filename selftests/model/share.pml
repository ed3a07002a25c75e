/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two reliable consumers: one is asked to make way, and stays; the other one seeks
 * back meanwhile, to where it holds the producer too, and has the rest of that one's
 * time, come(). Callers of ringbuf_core_held() and time are those of demote.pml.
 */

#ifndef CALLS
#define CALLS		0	/* of the second caller; the first one calls twice */
#endif
#define TICKS		2
#define STALL		2

#define NWR		3
/* Of the one that stays, and of the one that comes. */
#define POS(h)		(3 * (h))
#define NEED(h)		(3 * (h) + 1)
#define SINCE(h)	(3 * (h) + 2)
#define STAYS		0
#define COMES		1
#define NLOC		6
#define EACH_CAP	(CALLS + 4)
#define CAP(l)		EACH_CAP
#define AT(l)		((l) * EACH_CAP)
#define NMSG		(6 * EACH_CAP)

#include "mm.pml"
#include "barriers.pml"

PROPERTY(no_early_demotion);	/* who is demoted has had its time, or the others' */

#define NOT_ASKED	0
#define FIRST		4	/* one stays there; the other one goes */
#define AWAY		8
#define BACK		5	/* and comes back */

byte now = 10;
byte under_way;
byte asked;			/* since when the one that stays holds the producer */
byte began[9];			/* since when the other one is there */

/* ringbuf_core_held(), of one hold */
inline held(h, wanted)
{
	held_C(pos, POS(h));
	if
	:: pos < (wanted) ->
		held_B(need, NEED(h));
		if
		:: pos < need -> load(since, SINCE(h))
		:: else ->
			d_step {
				if
				:: h == STAYS && (!asked || t < asked) -> asked = t
				:: else
				fi
			}
			store(SINCE(h), t);
			held_A(NEED(h), wanted);
			since = t
		fi;
		CHECK(no_early_demotion, t - since < STALL || t - asked >= STALL ||
		      (h == COMES && t - began[pos] >= STALL))
	:: else
	fi;
	d_step { pos = 0; need = 0; since = 0 }
}

proctype Caller(byte id; byte wanted; byte calls)
{
	THREAD(id);
	byte n, pos, need, since, t;

	do
	:: n < calls ->
		d_step { under_way++; t = now };
		held(STAYS, wanted);
		held(COMES, wanted);
		d_step { under_way--; t = 0 };
		n++
	:: break
	od
}

inline come()
{
	come_A(need, NEED(STAYS));
	if
	:: BACK < need -> load(pos, POS(STAYS))
	:: else
	fi;
	if
	:: BACK < need && pos < need ->
		load(since, SINCE(STAYS));
		store(SINCE(COMES), since);
		come_B(NEED(COMES), need)
	:: else -> come_B(NEED(COMES), NOT_ASKED)
	fi
}

proctype Consumer()
{
	THREAD(2);
	byte need, since, pos;

	/* ringbuf_hold_move() */
	hold_move_A(POS(COMES), AWAY);
	/* ringbuf_hold_back() */
	d_step { under_way++; began[BACK] = now };
	load(need, NEED(COMES));
	if
	:: AWAY >= need -> come()
	:: else
	fi;
	hold_move_A(POS(COMES), BACK);
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
		INIT(POS(STAYS), FIRST);
		INIT(NEED(STAYS), NOT_ASKED);
		INIT(POS(COMES), FIRST);
		INIT(NEED(COMES), NOT_ASKED);
		began[FIRST] = now;
		run Caller(0, 6, 2);
		run Caller(1, 7, CALLS);
		run Consumer();
		run Clock()
	}
}
