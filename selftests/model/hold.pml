/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reliable consumers join, read, seek back, leave and join again, while the
 * producer makes room: hold.c against find_tail() and make_room() of core.c. Now and
 * then one of them looks for the slowest hold, which the producer then looks at
 * first; that it is the slowest the producer does not rely on, so here it is any.
 *
 * A record is one cell, its seq its position + 1; the ring has 3 cells, 2 of them
 * full at the start. Who cannot have room drops the record.
 */

#ifndef CONSUMERS
#define CONSUMERS	1
#endif
#ifndef WRITES
#define WRITES		3
#endif
#ifndef OPS
#define OPS		1	/* of a consumer, after it has joined */
#endif
#define TRIES		3	/* of a join that finds the tail ahead of it */
#define CELLS		3
#define STRIDE		1

#define NWR		(CONSUMERS + 1)
#define TAIL		0
#define HEAD		1
#define AIM		2
#define JOINS		3
#define SLOWEST		4		/* a hold's number + 1; 0: NULL */
#define D(pos)		(5 + (pos) % CELLS)
#define POS(i)		(8 + (i))
#define LISTED(i)	(8 + CONSUMERS + (i))
#define NLOC		(8 + 2 * CONSUMERS)
#define EACH_CAP	12
#define CAP(l)		EACH_CAP
#define AT(l)		((l) * EACH_CAP)
#define NMSG		(NLOC * EACH_CAP)

#include "mm.pml"
#include "barriers.pml"

PROPERTY(reliable_never_overwritten);	/* as it is: the tail never passes a claim */
PROPERTY(reliable_reads_all);		/* as the consumer sees it: the record is there, and right */
PROPERTY(no_torn_header);		/* of the record that a join begins at */

Lock holds_lock;
byte true_tail;
byte claim[CONSUMERS];			/* ghost: holds from there */
bool claimed[CONSUMERS];

#ifdef BUG_rest
#define NONE_JOINED	true
#else
#define NONE_JOINED	(joins == joins_seen)
#endif

/* ringbuf_core_scan(): held, or not before @need */
inline scan(need)
{
	scan_A(joins, JOINS);
	/* rcu_dereference(): what depends on it comes after it */
	load_acquire(s, SLOWEST);
	d_step { held = false; n = head };
	if
	:: s ->
		scan_B(n, POS(s - 1));
		held = n < need
	:: else
	fi;
	if
	:: held
	:: !held && s && s == left_out && rest >= need && NONE_JOINED
	:: else ->
		rest = head;
		i = 0;
		do
		:: i < CONSUMERS ->
			load_acquire(v, LISTED(i));
			if
			:: v ->
				scan_B(v, POS(i));
				rest = (i + 1 != s && v < rest -> v : rest)
			:: else
			fi;
			i++
		:: else -> break
		od;
		i = 0;
		d_step { joins_seen = joins; left_out = s; v = 0 }
	fi;
	joins = 0;
	d_step {
		if
		:: !held ->
			bound = (n < rest -> n : rest);
			held = bound < need
		:: else
		fi;
		n = 0;
		s = 0
	}
}

/* found: tail, or 255 */
inline find_tail(need)
{
	want = need + STRIDE;
	found = 255;
	held = false;
	do
	:: if
		:: bound < need -> scan(need)
		:: else
		fi;
		if
		:: held -> break
		:: else
		fi;
		want = (bound < need + STRIDE -> bound : need + STRIDE);
		store(AIM, want);
		find_tail_A();
		load(n, JOINS);
		if
		:: n == joins_seen -> found = want; break
		:: else
		fi;
		scan(need);
		if
		:: held -> break
		:: !held && bound >= want -> found = want; break
		:: else
		fi
	od;
	if
	:: found == 255 -> store(AIM, true_tail)
	:: else
	fi;
	d_step { n = 0; want = 0; held = false }
}

inline see_claim(i)
{
	CHECK(reliable_never_overwritten, !claimed[i] || true_tail <= claim[i])
}

proctype Producer()
{
	THREAD(0);
	byte head = 2, limit = CELLS, bound, joins_seen, rest, left_out;
	byte want, found, joins, n, v, s, i, writes;
	bool held;

	do
	:: writes < WRITES ->
		found = 0;
		if
		:: limit < head + 1 ->
			find_tail(head + 1 - CELLS);
			if
			:: found != 255 ->
				assert(found < head);
				atomic {
					true_tail = (found > true_tail -> found : true_tail);
					make_room_A(TAIL, true_tail);
					see_claim(0);
					see_claim(CONSUMERS - 1)
				};
				make_room_B();
				limit = true_tail + CELLS
			:: else
			fi
		:: else
		fi;
		if
		:: found != 255 ->
			store(D(head), head + 1);
			head++;
			publish_B(HEAD, head)
		:: else
		fi;
		writes++
	:: else -> break
	od
}

/* ringbuf_core_look(): ok and pos */
inline look(from, tail)
{
	pos = ((from) < (tail) -> (tail) : (from));
	ok = false;
	if
	:: pos < h ->
		load(v, D(pos));
		intact_A();
		load(n, TAIL);
		ok = n <= pos;
		CHECK(no_torn_header, !ok || v == pos + 1);
		v = 0;
		n = 0
	:: else
	fi
}

inline tell_producer(aim)
{
	/* under holds_lock: nobody else counts */
	load(n, JOINS);
	hold_join_B(JOINS, n + 1);
	n = 0;
	hold_join_A();
	load(aim, AIM)
}

/*
 * ringbuf_hold_join(). That it looks at the aim before it is listed, too, as
 * ringbuf_hold_back() does, is left out: it makes what follows rarer, nothing else.
 */
inline hold_join()
{
	lock(holds_lock);
	store(POS(me), at);
	store_release(LISTED(me), 1);
	do
	:: tell_producer(aim);
		if
		:: at >= aim -> break
		:: else
		fi;
		hold_join_C(h, HEAD);
		look(at, aim);
		at = (ok -> pos : at);
		h = 0;
		/* a stale head has it try again, for as long as it is stale */
		tries++;
		tries < TRIES;
		hold_move_A(POS(me), at)
	od;
	atomic {
		claimed[me] = true;
		claim[me] = at;
		see_claim(me)
	};
	unlock(holds_lock);
	d_step { aim = 0; ok = false; pos = 0; tries = 0 }
}

/* take(), of the record at the cursor, if the reader sees one */
inline read_on()
{
	load(n, TAIL);
	pos = n;
	n = 0;
	peek_B(h, HEAD);
	if
	:: at < h ->
		CHECK(reliable_reads_all, pos <= at);
		load(v, D(at));
		intact_A();
		load(n, TAIL);
		CHECK(reliable_reads_all, n <= at && v == at + 1);
		at++;
		atomic {
			claim[me] = at;
			hold_move_A(POS(me), at)
		}
	:: else
	fi;
	d_step { pos = 0; h = 0; v = 0; n = 0 }
}

/* lseek() to a record that is, or was, there; ringbuf_hold_back() */
inline seek_back()
{
	back = 0;
	do
	:: back + 1 < at -> back++
	:: break
	od;
	lock(holds_lock);
	hold_move_A(POS(me), back);
	tell_producer(aim);
	if
	:: back >= aim ->
		atomic {
			at = back;
			claim[me] = at;
			see_claim(me)
		}
	:: else -> hold_move_A(POS(me), at)
	fi;
	unlock(holds_lock);
	d_step { back = 0; aim = 0 }
}

/* ringbuf_hold_leave(), then another hold */
inline leave()
{
	lock(holds_lock);
	load(n, SLOWEST);
	if
	:: n == me + 1 -> store(SLOWEST, 0)
	:: else
	fi;
	n = 0;
	atomic {
		claimed[me] = false;
		store(LISTED(me), 0)
	};
	unlock(holds_lock)
}

/* look_at_all() */
inline look_at_all()
{
	lock(holds_lock);
	if
	:: claimed[0] -> n = 1
	:: claimed[CONSUMERS - 1] -> n = CONSUMERS
	fi;
	/* rcu_assign_pointer() */
	store_release(SLOWEST, n);
	n = 0;
	unlock(holds_lock)
}

proctype Consumer(byte me)
{
	THREAD(me + 1);
	byte at, aim, back, h, v, n, pos, ops, tries;
	bool ok;

	hold_join();
	do
	:: ops < OPS ->
		ops++;
		if
		:: read_on()
		:: at > 0 -> seek_back()
		:: look_at_all()
		:: leave();
			hold_join()
		fi
	:: break
	od
}

init {
	atomic {
		INIT(HEAD, 2);
		INIT(D(0), 1);
		INIT(D(1), 2);
		run Producer();
		run Consumer(0);
#if CONSUMERS > 1
		run Consumer(1)
#endif
	}
}
