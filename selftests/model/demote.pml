/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who is asked to make way, and demoted when: the part of hold.c that is under the
 * holds' lock, and ringbuf_core_still_held(), which is not. Consumers read on without
 * the lock, go back, leave and join; the writer asks for one need or another, and now
 * and then has room. Memory is ordered here, as by the lock: what is to be found is
 * whether one look at two holds is as good as a look at all.
 *
 * Positions are 0 to 2, the tail is at 0. Time does not pass while a call is under way:
 * calls are short against stall_ms.
 */

#ifndef CONSUMERS
#define CONSUMERS	2
#endif
#ifndef OPS
#define OPS		1	/* of each consumer, besides reading on */
#endif
#ifndef ASKS
#define ASKS		3
#endif
#define STALL		1
#define TICKS		2
#define FAR		9
#define NONE		255
#define EACH(i, body)	i = 0; do :: i < CONSUMERS -> body; i++ :: else -> break od; i = 0

#define PROPERTY(name)		bool name
#define CHECK(name, cond)	assert(name || (cond))

PROPERTY(no_early_demotion);	/* some hold has been in the way all that time */
PROPERTY(no_turns);		/* a hold that comes has no more time than the others */
PROPERTY(all_asked);		/* those in the way were, when the writer thinks so */
PROPERTY(beyond_is_right);	/* no hold but the slowest is before beyond */

bool locked;
byte now = 10, under_way;
byte pos[CONSUMERS], need[CONSUMERS], since[CONSUMERS], wait[CONSUMERS];
bool listed[CONSUMERS], told[CONSUMERS];
byte slowest, beyond;		/* a hold's number + 1; 0: NULL */
byte first, asked, waits;
bool first_gone;
bool served;			/* the wait is over */
byte chain = NONE;		/* ghost: since when there was always one to make way */
bool coming;			/* ghost: one looks for the first, which makes way meanwhile */

#define is_asked(i)	(pos[i] < need[i] && wait[i] == waits)
/* It was, if not for so much: it is asked anew with the next look at all. */
#define was_asked(i)	(told[i] && wait[i] == waits)
#define holding(i)	(listed[i] && is_asked(i))

/* After whatever may have ended the wait for a hold, or begun one. */
inline see_chain()
{
	any = coming;
	EACH(g, any = any || holding(g));
	chain = (any -> (chain == NONE -> now : chain) : NONE);
	any = false
}

/* survey_add() and survey_end(), of all holds */
inline survey_begin()
{
	d_step { s = 0; s_pos = FAR; s_beyond = FAR; f = 0 }
}

inline survey_add(i)
{
	d_step {
		p = pos[i];
		if
		:: p < s_pos -> s_beyond = s_pos; s_pos = p; s = i + 1
		:: else -> s_beyond = (p < s_beyond -> p : s_beyond)
		fi;
		if
		:: !(p < need[i] && wait[i] == waits)
		:: p < need[i] && wait[i] == waits ->
			f = (!f || since[i] < since[f - 1] -> i + 1 : f)
		fi;
		p = 0
	}
}

inline survey_end()
{
	d_step {
		slowest = s; beyond = s_beyond; first = f; first_gone = false;
		s = 0; s_pos = 0; s_beyond = 0; f = 0
	}
}

inline look_at_all()
{
	survey_begin();
	i = 0;
	do
	:: i < CONSUMERS ->
		if
		:: listed[i] -> survey_add(i)
		:: else
		fi;
		i++
	:: else -> break
	od;
	i = 0;
	survey_end()
}

/* ringbuf_core_find_first(); hand_on() finds any that was asked at the same time */
inline find_first()
{
	coming = chain != NONE;
#ifndef BUG_find
	if
	:: first && !is_asked(first - 1) -> look_at_all()
	:: !first && first_gone -> look_at_all()
	:: else
	fi;
#endif
	d_step {
		coming = coming && first;
		/* Its own time if it is to make way, or the earliest of the others. */
		earliest = NONE;
		EACH(g, earliest = (holding(g) && since[g] < earliest -> since[g] : earliest));
		earliest = (holding(me) -> since[me] : earliest);
		limit = asked
	}
}

inline hold_start(at)
{
	d_step {
		need[me] = at;
		told[me] = false;
#ifndef BUG_fresh
		if
		:: first && at < asked ->
			need[me] = asked;
			since[me] = since[first - 1];
			wait[me] = waits;
			told[me] = true
		:: !first && at < asked -> asked = at
		:: else
		fi
#endif
	}
}

inline announce(at)
{
	beyond = (slowest != me + 1 && at < beyond -> at : beyond)
}

inline arrive(at)
{
	d_step {
		coming = false;
		see_chain();
		CHECK(no_turns, at >= limit || earliest == NONE ||
		      (is_asked(me) && since[me] <= earliest));
		earliest = 0;
		limit = 0
	}
}

inline take_off(i)
{
	d_step {
		slowest = (slowest == i + 1 -> 0 : slowest);
		if
		:: first == i + 1 ->
			first = 0;
#ifndef BUG_gone
			first_gone = true
#endif
		:: else
		fi;
		listed[i] = false
	}
}

inline lock()
{
	atomic { !locked; locked = true; under_way++ }
}

inline unlock()
{
	d_step {
		if
		:: slowest ->
			EACH(g, CHECK(beyond_is_right, !listed[g] || g + 1 == slowest ||
				      pos[g] >= beyond))
		:: else
		fi;
		locked = false;
		under_way--
	}
}

proctype Consumer(byte me)
{
	byte ops, i, g, s, s_pos, s_beyond, f, p, earliest, limit;
	bool any;

	do
	/* ringbuf_hold_move(), without the lock */
	:: atomic { listed[me] && pos[me] < 2 && !locked -> pos[me]++; see_chain() }
	:: atomic { listed[me] && pos[me] < 2 && locked && under_way -> pos[me]++; see_chain() }
	/* ringbuf_file_move(), back */
	:: ops < OPS ->
		ops++;
		lock();
		find_first();
		if
		:: listed[me] && pos[me] ->
			if
			:: !is_asked(me) -> hold_start(0)
			:: else
			fi;
			pos[me] = 0;
			announce(0);
			arrive(0)
		:: else -> d_step { coming = false; earliest = 0; limit = 0; see_chain() }
		fi;
		unlock()
	/* ringbuf_hold_leave(), ringbuf_hold_join(); it may have been demoted */
	:: ops < OPS ->
		ops++;
		lock();
		if
		:: listed[me] -> take_off(me)
		:: else
		fi;
		d_step { see_chain() };
		unlock();
		lock();
		find_first();
		hold_start(0);
		d_step { pos[me] = 0; listed[me] = true };
		announce(0);
		arrive(0);
		unlock()
	:: break
	od
}

inline ask(i)
{
	d_step {
		if
		:: !is_asked(i) -> since[i] = t; wait[i] = waits; need[i] = want; told[i] = true
		:: else
		fi;
		see_chain();
		was = chain
	};
	if
	:: t - since[i] >= STALL ->
		/* It may make way in this moment. */
		CHECK(no_early_demotion, was != NONE && t - was >= STALL);
		take_off(i);
		d_step { see_chain() }
	:: else -> held = true
	fi
}

/* ringbuf_core_wait_for_holds() */
inline wait_for_holds()
{
	held = false;
	if
	/* No other is in the way, or was asked before. */
	:: slowest && beyond >= want && beyond >= asked ->
		i = slowest - 1;
		if
		:: atomic { pos[i] < want -> ask(i) };
			if
			:: held -> first = i + 1; first_gone = false
			:: else
			fi
		:: else
		fi
	:: else ->
		survey_begin();
		i = 0;
		do
		:: i < CONSUMERS ->
			if
			:: atomic { listed[i] && pos[i] < want -> ask(i) }
			:: else
			fi;
			if
			:: listed[i] -> survey_add(i)
			:: else
			fi;
			i++
		:: else -> break
		od;
		survey_end()
	fi;
	d_step {
		i = 0;
		asked = (asked < want -> want : asked);
		EACH(g, CHECK(all_asked, !listed[g] || pos[g] >= want || was_asked(g)))
	}
}

proctype Writer()
{
	byte asks, want, t, was, i, g, s, s_pos, s_beyond, f, p;
	bool any, held;

	do
	:: asks < ASKS ->
		asks++;
		if
		:: want = 1
		:: want = 2
		fi;
		/* ringbuf_core_still_held() */
		d_step {
			t = now;
			if
			:: !served && slowest && pos[slowest - 1] < want && first &&
			   asked >= want && is_asked(first - 1) && t - since[first - 1] < STALL ->
				EACH(g, CHECK(all_asked, locked || !listed[g] ||
					      pos[g] >= want || was_asked(g)))
			:: else
			fi
		};
		lock();
		t = now;
		if
		:: served ->
			d_step {
#ifndef BUG_wait
				waits++; first = 0; first_gone = false; asked = 0;
#endif
				served = false;
				chain = NONE
			}
		:: else
		fi;
		wait_for_holds();
		unlock();
		if
		:: !held -> served = true
		:: true
		fi;
		d_step { t = 0; was = 0; held = false }
	:: else -> break
	od
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
		listed[0] = true;
		run Consumer(0);
#if CONSUMERS > 1
		run Consumer(1);
#endif
#if CONSUMERS > 2
		run Consumer(2);
#endif
		run Writer();
		run Clock()
	}
}
