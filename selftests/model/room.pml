/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A writer that a reliable consumer holds back: it sleeps in write(), or in poll()
 * (the first one, which gets on the queue), or in an edge-triggered epoll, which
 * looks again only when it was woken. The consumer reads (READERS=2: in two threads),
 * and another thread that shares its file may make it lossy meanwhile; another writer
 * may publish a record, too, if it finds room, and move the tail.
 *
 * The ring has 4 cells, a record 1, the largest record 2. RECORDS=3 are there at first
 * for a writer that is refused after it has been told of room; then it and the reader
 * are alone.
 */

#ifndef READERS
#define READERS		1
#endif
#define NWR		(3 + READERS)
#define POS		0	/* the hold's */
#define LISTED		1	/* the hold is in the list */
#define RFHOLD		2	/* rf->hold */
#define HEAD		3
#define ROOM		4	/* somebody is on @room */
#define WANTED		5	/* rb->wanted */
#define TAIL		6
#define NLOC		7
#define CAP(l)		((l) == ROOM -> 10 : ((l) == WANTED -> 16 : 6))
#define AT(l)		((l) * 6 + ((l) > ROOM -> 4 : 0) + ((l) > WANTED -> 10 : 0))
#define NMSG		56

#ifndef RECORDS
#define RECORDS		2
#endif
#define STEPS		(RECORDS / READERS)	/* of a reader, a record each */
#define WRITES		3

#include "mm.pml"
#include "barriers.pml"

/*
 * no_lost_wakeup: the writer ends, for it finds room in the end. Its violation is
 * an invalid end state.
 */

Lock room_lock, writers_lock, rf_lock, write_lock;
byte head = RECORDS;			/* under write_lock */
bool leaves, other;		/* a consumer leaves; there is another writer */
bool polls;			/* the first writer does */
short wants;			/* the sleeper's need, under room_lock */
bool woken;			/* the sleeper's entry: WQ_FLAG_WOKEN */
bool on_writers;		/* the writer is on @writers, under writers_lock */
bool edge;			/* epoll's ready list has it */
byte place;			/* the cursor, under rf_lock */

#define crosses(from, to, need)	((from) < (need) && (to) >= (need))
#define WRITE_NEED(h)	((h) + 1 - 4)
#define POLL_NEED(h)	((h) + 2 - 4)

/*
 * Is a hold in the way? By the pointer to it, or under the lock by the list: it is
 * taken off both.
 */
inline held(ret, need)
{
	load(n, LISTED);
	if
	:: n ->
		load(n, POS);
		ret = n < (need)
	:: else -> ret = false
	fi;
	n = 0
}

/* write_some(): @again when it has to wait, for @need */
inline write_some(again)
{
	lock(write_lock);
	need = WRITE_NEED(head);
	/* ringbuf_core_reserve(), ringbuf_core_scan() */
	load(n, LISTED);
	if
	:: n -> scan_B(n, POS)
	:: else -> n = 99
	fi;
	if
	:: n >= need ->
		n = 0;
#ifdef BUG_leave_tail
		store(TAIL, need);
#endif
		head++;
		publish_B(HEAD, head);
		unlock(write_lock);
		writes++;
		again = false
	:: else ->
		unlock(write_lock);
		if
		:: polls ->
			store(WANTED, 1);
			full_A()
		:: else		/* nobody does, so nobody looks */
		fi;
		held(again, need)
	fi
}

/* ringbuf_ring_wait() */
inline ring_wait()
{
	woken = false;
	lock(room_lock);
	store(ROOM, 1);
	wants = need;
	unlock(room_lock);
	room_A();
	do
	:: held(again, need);
		if
		:: again ->
			/* wait_woken() */
			atomic { woken -> woken = false };
			smp_mb()
		:: else -> break
		fi
	od;
	lock(room_lock);
	store(ROOM, 0);
	unlock(room_lock)
}

/* ringbuf_ring_poll_room() */
inline poll_room()
{
	load(h, HEAD);
	held(again, POLL_NEED(h));
	if
	:: again ->
		store(WANTED, 1);
		poll_A();
		load(h, HEAD);
		held(again, POLL_NEED(h))
	:: else
	fi;
	h = 0
}

proctype Writer()
{
	THREAD(0);
	byte n, h, writes;
	short need;
	bool again;

#if READERS == 2
	polls = true;
#else
	if
#ifdef ALL
	:: polls = true
#else
	:: !(leaves && other) -> polls = true
#endif
	:: true
	fi;
#endif
	do
	/* The reader makes no more room than who polls for it needs then. */
	:: writes < WRITES - (other && polls) ->
		/* who polls may do so before it writes, or once it cannot */
		if
		:: polls && !on_writers -> again = true
		:: write_some(again)
		fi;
		if
		:: again && !polls -> ring_wait()
		:: again && polls ->
			if
			:: !on_writers ->
				lock(writers_lock);
				on_writers = true;
				unlock(writers_lock);
				poll_room()
			:: else
			fi;
			do
			:: again ->
				atomic { edge -> edge = false };
				poll_room()
			:: else -> break
			od
		:: else
		fi
	:: else -> break
	od
}

/* Another thread's write(), which does not wait. */
proctype Other()
{
	THREAD(3);
	byte n, writes;
	short need;
	bool again;

	write_some(again)
}

/* ringbuf_ring_wake_for_room() */
inline let_go(from, to)
{
	wake_for_room_A();
	load(n, ROOM);
	if
	:: n ->
		lock(room_lock);
		/* wake_room_wait(): the entry, and its need, are what they are */
		load(n, ROOM);
		if
		:: n && crosses(from, to, wants) ->
			/* woken_wake_function() */
			smp_mb();
			woken = true
		:: else
		fi;
		unlock(room_lock)
	:: else
	fi;
	load(n, WANTED);
	if
	:: n ->
		/* wake_pollers() */
		load(h, HEAD);
#ifdef BUG_step
		/* as the code had it */
		n = !crosses(from, to, POLL_NEED(h));
#else
		held(n, POLL_NEED(h));
#endif
		if
		:: !n ->
#ifndef BUG_step
			store(WANTED, 0);
#endif
			lock(writers_lock);
			if
			:: on_writers -> edge = true
			:: else
			fi;
			unlock(writers_lock)
		:: else
		fi
	:: else
	fi;
	n = 0;
	h = 0
}

/* take() and moved(): of the records that are there from the start */
proctype Reader(byte id)
{
	THREAD(id);
	byte n, h, from, to, step;

	do
	:: step < STEPS ->
		step++;
		lock(rf_lock);
		from = place;
		to = from + 1;
		place = to;
		load(n, RFHOLD);
		if
		:: n -> hold_move_A(POS, to)
		:: else
		fi;
		unlock(rf_lock);
		load(n, RFHOLD);
		if
		:: n -> let_go(from, to)
		:: else
		fi;
		n = 0
	:: else -> break
	od
}

/* ringbuf_file_leave() */
proctype Leaver()
{
	THREAD(2);
	byte n, h;
	short from, to;

	lock(rf_lock);
	store(RFHOLD, 0);
	store(LISTED, 0);
	unlock(rf_lock);
#ifdef BUG_leave
	load(from, POS);	/* as the code had it */
#elif defined BUG_leave_tail
	load(from, TAIL);	/* and then; 0: as it is at the start */
#else
	from = -200;		/* less than anybody needs */
#endif
	to = 200;		/* more than anybody needs */
	let_go(from, to)
}

init {
	atomic {
		INIT(LISTED, 1);
		INIT(RFHOLD, 1);
		INIT(HEAD, RECORDS);
		run Writer();
		run Reader(1);
#if READERS == 2
		run Reader(4);
		other = true;
#elif RECORDS == 2
		if
		:: leaves = true
		:: true
		fi;
		if
		:: other = true
		:: true
		fi;
#endif
		if
		:: leaves -> run Leaver()
		:: else
		fi;
		if
		:: other -> run Other()
		:: else
		fi
	}
}
