/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Publish and sleep: a consumer whose thread sleeps on its own queue (@wait), its
 * hook on the ring's @readers, which comes and goes (watermark.c); the end of the
 * stream, which another thread of the same consumer may bring about (moved()).
 *
 * The waiter of MODE 0 wants a record, and sleeps once for each; that of MODE 1 is
 * an edge-triggered epoll that stays on @wait and wants the end of the stream,
 * while another thread reads.
 */

#ifndef RECORDS
#define RECORDS		2
#endif
#ifndef MODE
#define MODE		0
#endif

#define NWR		3
#define HEAD		0
#define SLOT		1	/* the producer slot is taken */
#define CURSOR		2
#define READERS		3	/* the hook is on @readers */
#define WAIT		4	/* somebody is on @wait */
#define HOOKED		5
#define NLOC		6
#define EACH_CAP	10
#define CAP(l)		EACH_CAP
#define AT(l)		((l) * EACH_CAP)
#define NMSG		(NLOC * EACH_CAP)

#include "mm.pml"
#include "barriers.pml"

/*
 * no_lost_wakeup: the waiter ends. Its violation is an invalid end state.
 */

Lock readers_lock, wait_lock, rf_lock;
bool on_wait;			/* under wait_lock */
bool asleep;			/* the waiter; epoll: no edge has come */

#define IN	1
#define HUP	2

/* ringbuf_watermark_events() */
inline events()
{
	ev = 0;
	load(p, CURSOR);
	load(h, HEAD);
	if
	:: p < h -> ev = IN
	:: else
	fi;
	/* ringbuf_file_eof() */
	load_acquire(h, SLOT);
	if
	:: !h ->
		load(p, CURSOR);
		load(h, HEAD);
		if
		:: p >= h -> ev = ev | HUP
		:: else
		fi
	:: else
	fi;
	p = 0;
	h = 0
}

/* ringbuf_watermark_wake() */
inline watermark_wake()
{
	events();
	if
	:: ev ->
		lock(wait_lock);
		asleep = asleep && !on_wait;
		unlock(wait_lock)
	:: else
	fi;
	ev = 0
}

/* wq_has_sleeper(), __wake_up(), and watermark_hook() if it is there */
inline wake()
{
	wake_A();
	load(w, READERS);
	if
	:: w ->
		lock(readers_lock);
		load(w, READERS);
		if
		:: w ->
			watermark_wake();
			load(w, WAIT);
			if
			:: !w ->
				store(HOOKED, 0);
				unhook_A();
				load(w, WAIT);
				if
				:: w -> store(HOOKED, 1)
				:: else -> store(READERS, 0)
				fi
			:: else
			fi
		:: else
		fi;
		unlock(readers_lock)
	:: else
	fi;
	w = 0
}

proctype Producer()
{
	THREAD(0);
	byte n, w, p, h, ev;

	do
	:: n < RECORDS ->
		n++;
		publish_B(HEAD, n);
		wake()
	:: else -> break
	od;
	/* ringbuf_ring_release() */
	store_release(SLOT, 0);
	wake()
}

/* ringbuf_watermark_listen() */
inline listen()
{
	listen_A();
	load(w, HOOKED);
	if
	:: !w ->
		lock(readers_lock);
		load(w, HOOKED);
		if
		:: !w ->
			store(READERS, 1);
			store_release(HOOKED, 1)
		:: else
		fi;
		unlock(readers_lock)
	:: else
	fi;
	w = 0;
	listen_B()
}

inline get_on_wait()
{
	lock(wait_lock);
	on_wait = true;
	asleep = true;
	store(WAIT, 1);
	/* set_current_state() in prepare_to_wait_event(); listen:A follows */
	unlock(wait_lock)
}

/* read(), again and again, up to the end of the stream */
proctype Sleeper()
{
	THREAD(1);
	byte w, p, h, ev, at;

	do
	:: peek_B(h, HEAD);
		if
		:: at < h ->
			at++;
			store(CURSOR, at);
			h = 0
		:: else ->
			/* wait_event_interruptible() */
			do
			:: get_on_wait();
				listen();
				events();
				if
				:: ev -> break
				:: else -> !asleep
				fi
			od;
			lock(wait_lock);
			on_wait = false;
			asleep = false;
			store(WAIT, 0);
			unlock(wait_lock);
			if
			:: ev & HUP -> break
			:: else
			fi;
			ev = 0
		fi
	od
}

/* An epoll for the end; asleep: no edge since it looked last */
proctype Poller()
{
	THREAD(1);
	byte w, p, h, ev;

	get_on_wait();
	listen();
	do
	:: events();
		if
		:: ev & HUP -> break
		:: else
		fi;
		atomic { !asleep -> asleep = true };
		/* the edge was handed over under the lock of epoll, and of @wait */
		lock(wait_lock);
		unlock(wait_lock)
	od
}

/* Another thread: take() and moved() */
proctype Reader()
{
	THREAD(2);
	byte p, h, ev, at;

	do
	:: at < RECORDS ->
		peek_B(h, HEAD);
		if
		:: at < h ->
			at++;
			lock(rf_lock);
			store(CURSOR, at);
			unlock(rf_lock);
			moved_A();
			load_acquire(h, SLOT);
			if
			:: !h ->
				load(h, HEAD);
				if
				:: at >= h -> watermark_wake()
				:: else
				fi
			:: else
			fi
		:: else
		fi;
		h = 0
	:: else -> break
	od
}

init {
	atomic {
		INIT(SLOT, 1);
		run Producer();
#if MODE == 0
		run Sleeper()
#else
		run Poller();
		run Reader()
#endif
	}
}
