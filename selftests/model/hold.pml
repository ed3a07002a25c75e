/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reliable consumers join, read, seek back, leave and join again, while the
 * producer makes room: hold.c against find_tail() and make_room() of core.c.
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
#define D(pos)		(4 + (pos) % CELLS)
#define POS(i)		(7 + (i))
#define LISTED(i)	(7 + CONSUMERS + (i))
#define NLOC		(7 + 2 * CONSUMERS)
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

inline scan()
{
	bound = head;
	scan_A(joins_seen, JOINS);
	i = 0;
	do
	:: i < CONSUMERS ->
		/* rcu_dereference(): what depends on it comes after it */
		load_acquire(n, LISTED(i));
		if
		:: n ->
			scan_B(n, POS(i));
			bound = (n < bound -> n : bound)
		:: else
		fi;
		i++
	:: else -> break
	od;
	i = 0;
	n = 0
}

/* found: tail, or 255 */
inline find_tail(need)
{
	want = need + STRIDE;
	found = 255;
	do
	:: if
		:: bound < need -> scan()
		:: else
		fi;
		if
		:: bound < need ->
			store(AIM, true_tail);
			break
		:: else
		fi;
		want = (bound < want -> bound : want);
		/* pass_over() goes back to no earlier tail */
		n = (want > true_tail -> want : true_tail);
		store(AIM, n);
		find_tail_A();
		load(n, JOINS);
		if
		:: n == joins_seen -> found = want; break
		:: else
		fi;
		scan();
		if
		:: bound >= want -> found = want; break
		:: else
		fi
	od;
	n = 0
}

inline see_claim(i)
{
	CHECK(reliable_never_overwritten, !claimed[i] || true_tail <= claim[i])
}

proctype Producer()
{
	THREAD(0);
	byte head = 2, limit = CELLS, bound, joins_seen, want, found, n, i, writes;

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
			publish_A();
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
	atomic {
		claimed[me] = false;
		store(LISTED(me), 0)
	};
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
