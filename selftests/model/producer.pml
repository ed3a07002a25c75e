/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The producer of core.[ch], for lossy consumers: what stream.pml and pairs.pml
 * share. It reads nothing that consumers write, so it may as well run first and
 * as one step: a reader's loads then pick from all that was ever stored.
 *
 * The ring has CELLS cells; a frame is 1 or 2 of them. A cell has three words: of
 * a frame's first cell, length, seq and payload; of its second one, payload that
 * looks like a header. The producer makes RECORDS records of any lengths, published
 * one by one or deferred, with at most one seq dropped somewhere.
 */

#ifndef CELLS
#define CELLS		4
#endif
#ifndef STRIDE
#define STRIDE		0
#endif
#ifndef DEFERS
#define DEFERS		1
#endif

/* A publish each, and two more: one for the drop, one each for making room. */
#define PUBS		(2 * RECORDS + 2)
#define SPAN		(2 * RECORDS + 2)

#define L(pos)		((pos) % CELLS)
#define S(pos)		(CELLS + (pos) % CELLS)
#define P(pos)		(2 * CELLS + (pos) % CELLS)
#define CELL_CAP	8
#define HEAD		(3 * CELLS)
#define TAIL		(HEAD + 1)
#define HEAD_SEQ	(HEAD + 2)
#define HEAD_SEQ_AGAIN	(HEAD + 3)

#define NWR		1
#define NLOC		(HEAD + 4)
#define CAP(l)		((l) < HEAD -> CELL_CAP : PUBS)
#define AT(l)		((l) < HEAD -> (l) * CELL_CAP : \
			 HEAD * CELL_CAP + ((l) - HEAD) * PUBS)
#define NMSG		(HEAD * CELL_CAP + 4 * PUBS)

#include "mm.pml"
#include "barriers.pml"

#define payload(seq)	(100 + (seq))
#define payload2(seq)	(200 + (seq))

/* What is true: the record that begins at a position, the pairs published. */
byte true_len[SPAN];
byte true_seq[SPAN];
byte next_seq[SPAN];	/* the seq after the record that ends there */
byte pub_pos[SPAN];	/* the head that was published with a seq */
bool pub[SPAN];
bool done;

inline publish()
{
	store(HEAD_SEQ, seq);
	publish_B(HEAD, head);
	publish_A(HEAD_SEQ_AGAIN, seq);
	pub_pos[seq] = head;
	pub[seq] = true;
	published = head
}

inline make_room(end)
{
	publish();
	/* pass_over() */
	do
	:: tail + CELLS < (end) + STRIDE -> tail = tail + true_len[tail]
	:: else -> break
	od;
	assert(tail < head);
	make_room_A(TAIL, tail);
	make_room_B()
}

proctype Producer()
{
	THREAD(0);
	byte head, tail, seq, size, n, defers, published;
	bool dropped;

	atomic {
		do
		:: n < RECORDS ->
			if
			:: !dropped ->
				/* ringbuf_core_drop(): first it was refused room */
				dropped = true;
				seq++;
				if
				:: published == head -> publish()
				:: else
				fi
			:: true
			fi;
			if
			:: size = 1
			:: size = 2
			fi;
			if
			:: head + size > tail + CELLS -> make_room(head + size)
			:: else
			fi;
			store(L(head), size);
			if
			:: size == 2 ->
				store(L(head + 1), 1 + seq % 2);
				store(S(head + 1), seq + 1);
				store(P(head + 1), payload2(seq))
			:: else
			fi;
			store(P(head), payload(seq));
			store(S(head), seq);
			true_len[head] = size;
			true_seq[head] = seq;
			seq++;
			head = head + size;
			next_seq[head] = seq;
			if
			:: publish()
			:: n < RECORDS - 1 && defers < DEFERS ->
				defers++	/* RINGBUF_COMMIT_DEFER */
			fi;
			n++
		:: else -> break
		od;
		done = true
	}
}

/* The consumer's half, with these of its own. */
#define READER	THREAD(0); byte v_pos, v_seq, v_len, v_head, r_tail, r_n; bool v_ok

/* ringbuf_core_intact() */
inline intact(ok, pos)
{
	intact_A();
	load(r_n, TAIL);
	ok = (pos) >= r_n;
	r_n = 0
}

/* ringbuf_core_look(): v_len 0 for no frame */
inline look(pos, tail)
{
	v_len = 0;
	v_pos = ((pos) < (tail) -> (tail) : (pos));
	if
	:: v_pos >= v_head -> v_ok = false
	:: else ->
		load(v_len, L(v_pos));
		load(v_seq, S(v_pos));
		intact(v_ok, v_pos);
		CHECK(no_torn_header, !v_ok || (v_len == true_len[v_pos] &&
						v_seq == true_seq[v_pos]));
		/* not 0, that is for no frame */
		if
		:: !v_ok -> v_len = 1; v_seq = 0
		:: else
		fi
	fi
}

/* ringbuf_core_peek() */
inline peek(pos)
{
	do
	:: peek_A(r_tail, TAIL);
		peek_B(v_head, HEAD);
		look(pos, r_tail);
		if
		:: v_ok || !v_len -> break
		:: else
		fi
	od;
	r_tail = 0
}

/* ringbuf_core_tail(); the first record was at 0 */
inline core_tail(pos, seq)
{
	load(pos, TAIL);
	peek(pos);
	if
	:: v_ok ->
		pos = v_pos;
		seq = v_seq
	:: else ->
		CHECK(tail_not_before_tail, pos == 0);
		pos = 0;
		seq = 0
	fi
}
