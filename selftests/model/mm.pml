/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A weak memory for Promela: views over histories, after the operational models
 * of RC11 and the "promising" semantics, with what Linux says of its barriers.
 *
 * A location keeps all that was ever stored in it, in order. A load may take any
 * of these that is not older than what its thread knows of: so loads are early or
 * late as they like, and stores become visible in any order, to each thread in
 * another one. A thread gets to know more
 *
 *	- of one location: by reading or writing it (coherence);
 *	- by an acquire load of a message: what that message tells;
 *	- by smp_rmb(): what all messages tell that it has read before;
 *	- by smp_mb(): that, and what all those knew who passed an smp_mb() before.
 *
 * A message tells of what its thread knew if it was a release store, else of that
 * thread's own stores before its last smp_wmb(), or of what it knew at its last
 * smp_mb(). Knowledge is a vector clock: how many of each writer's stores.
 *
 * Not covered: a load never sees a store of the future (load buffering: loads
 * are before later stores, whatever the barrier; the litmus tests are for these),
 * no store goes in before one that is there (2+2W), compilers. Address
 * dependencies between loads order nothing here, and what a thread has read
 * without acquiring it is handed on by smp_mb() only: weaker than Linux has it.
 *
 * A model says first
 *	NWR		threads that store; their ids are 0 to NWR - 1
 *	NLOC, NMSG	locations, and messages of all of them
 *	AT(l), CAP(l)	a location's first message, and how many it can have
 * and each of its proctypes says THREAD(id) first.
 */

typedef Msg {
	byte val;
	byte by;		/* who stored it */
	byte at;		/* as which of its stores */
	byte know[NWR]		/* what it tells */
};

typedef Thread {
	byte n;			/* own stores */
	byte cur[NWR];		/* what it knows */
	byte pend[NWR];		/* what it would know after smp_rmb() */
	byte own[NWR];		/* what its stores tell together */
	byte rel[NWR];		/* what its next relaxed store will tell */
	byte seen[NLOC]		/* the last message read or written */
};

typedef Lock {
	bit taken;
	byte know[NWR]
};

Msg msg[NMSG];
byte last[NLOC];
byte sc[NWR];			/* what smp_mb() hands on */
byte sc_seen[NLOC];

#define THREAD(id)	Thread my; byte tid = id; byte mm_i, mm_lo, mm_k

/* d_step only. */
#define JOIN(a, b)	if :: (b) > (a) -> a = b :: else fi
#define EACH(n, body)	mm_k = 0; \
			do :: mm_k < (n) -> body; mm_k++ :: else -> break od; \
			mm_k = 0

/* What is known anyway need not be remembered: fewer states. */
#define TIDY()	EACH(NWR, JOIN(my.pend[mm_k], my.cur[mm_k])); \
		EACH(NLOC, \
			if \
			:: msg[AT(mm_k) + my.seen[mm_k]].at <= \
			   my.cur[msg[AT(mm_k) + my.seen[mm_k]].by] -> \
				my.seen[mm_k] = 0 \
			:: else \
			fi)

/* A value from before anybody runs. */
#define INIT(l, v)	msg[AT(l)].val = v

inline mm_load(dst, l, acquire)
{
	atomic {
		d_step {
			mm_lo = last[l];
			do
			:: mm_lo > my.seen[l] && msg[AT(l) + mm_lo].at >
			   my.cur[msg[AT(l) + mm_lo].by] -> mm_lo--
			:: else -> break
			od;
			mm_i = last[l]
		}
		do
		:: mm_i > mm_lo -> mm_i--
		:: break
		od;
		d_step {
			my.seen[l] = mm_i;
			mm_i = AT(l) + mm_i;
			EACH(NWR, JOIN(my.pend[mm_k], msg[mm_i].know[mm_k]));
			if
			:: acquire ->
				EACH(NWR, JOIN(my.cur[mm_k], msg[mm_i].know[mm_k]));
				TIDY()
			:: msg[mm_i].at <= my.cur[msg[mm_i].by] -> my.seen[l] = 0
			:: else
			fi;
			dst = msg[mm_i].val;
			mm_i = 0;
			mm_lo = 0
		}
	}
}

inline mm_store(l, v, release)
{
	d_step {
		last[l]++;
		assert(last[l] < CAP(l));
		my.n++;
		my.seen[l] = 0;
		my.cur[tid] = my.n;
		JOIN(my.pend[tid], my.n);
		mm_i = AT(l) + last[l];
		msg[mm_i].val = v;
		msg[mm_i].by = tid;
		msg[mm_i].at = my.n;
		if
		:: release ->
			EACH(NWR, JOIN(my.own[mm_k], my.cur[mm_k]);
				JOIN(my.own[mm_k], my.pend[mm_k]);
				msg[mm_i].know[mm_k] = my.own[mm_k])
		:: else ->
			my.own[tid] = my.n;
			EACH(NWR, msg[mm_i].know[mm_k] = my.rel[mm_k])
		fi;
		mm_i = 0
	}
}

#define load(dst, l)		mm_load(dst, l, false)
#define load_acquire(dst, l)	mm_load(dst, l, true)
#define store(l, v)		mm_store(l, v, false)
#define store_release(l, v)	mm_store(l, v, true)

inline smp_wmb()
{
	d_step { EACH(NWR, my.rel[mm_k] = my.own[mm_k]) }
}

inline smp_rmb()
{
	d_step { EACH(NWR, JOIN(my.cur[mm_k], my.pend[mm_k])); TIDY() }
}

inline smp_mb()
{
	d_step {
		EACH(NWR, JOIN(sc[mm_k], my.cur[mm_k]);
			JOIN(sc[mm_k], my.pend[mm_k]);
			my.cur[mm_k] = sc[mm_k];
			my.pend[mm_k] = sc[mm_k];
			my.own[mm_k] = sc[mm_k];
			my.rel[mm_k] = sc[mm_k]);
		EACH(NLOC, JOIN(sc_seen[mm_k], my.seen[mm_k]);
			my.seen[mm_k] = sc_seen[mm_k]);
		TIDY()
	}
}

/* The newest there is; within atomic, for what reads and writes in one. */
inline mm_newest(dst, l)
{
	d_step {
		mm_i = AT(l) + last[l];
		EACH(NWR, JOIN(my.pend[mm_k], msg[mm_i].know[mm_k]);
			JOIN(my.cur[mm_k], msg[mm_i].know[mm_k]));
		TIDY();
		dst = msg[mm_i].val;
		mm_i = 0
	}
}

#define xchg(dst, l, v) \
	atomic { smp_mb(); mm_newest(dst, l); store(l, v); smp_mb() }

/* No barrier when it fails. */
#define cmpxchg(dst, l, old, new) \
	atomic { \
		mm_newest(dst, l); \
		if \
		:: dst == old -> smp_mb(); store(l, new); smp_mb() \
		:: else \
		fi \
	}

/* Also: stores before an unlock are before stores after the next lock. */
inline lock(l)
{
	atomic {
		!l.taken;
		d_step {
			l.taken = 1;
			EACH(NWR, JOIN(my.cur[mm_k], l.know[mm_k]);
				JOIN(my.own[mm_k], l.know[mm_k]);
				JOIN(my.rel[mm_k], l.know[mm_k]));
			TIDY()
		}
	}
}

inline unlock(l)
{
	d_step {
		EACH(NWR, JOIN(l.know[mm_k], my.cur[mm_k]);
			JOIN(l.know[mm_k], my.pend[mm_k]));
		l.taken = 0
	}
}

/* The name of what is violated is in the text of the assertion that fails. */
#define PROPERTY(name)		bool name
#define CHECK(name, cond)	assert(name || (cond))
