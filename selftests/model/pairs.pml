/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pairs of position and seq: the head's, by its seq stored twice; what GET_STATS
 * tells; the place that a seek finds.
 */

#ifndef RECORDS
#define RECORDS		4
#endif

#include "producer.pml"

PROPERTY(no_torn_header);
PROPERTY(tail_not_before_tail);
PROPERTY(head_pair);		/* a pair that was published, as one */
PROPERTY(head_not_older);	/* than a record that the reader has seen */
PROPERTY(lag_fits);		/* no lag below 0, or above the ring's size */
PROPERTY(seek_finds);		/* the record with the seq, or the first one after */

/* ringbuf_core_head() */
inline core_head(pos, seq)
{
	do
	:: head_A(seq, HEAD_SEQ_AGAIN);
		head_B(pos, HEAD);
		load(r_n, HEAD_SEQ);
		if
		:: r_n == seq -> break
		:: else
		fi
	od;
	r_n = 0;
	CHECK(head_pair, pos == pub_pos[seq] && (pub[seq] || !seq))
}

/* The head, after a look at the exported one. */
inline look_at_head()
{
	peek_B(v_head, HEAD);
	core_head(h_pos, h_seq);
	CHECK(head_not_older, h_pos >= v_head);
	v_head = 0
}

/* ringbuf_cursor_stats(), and GET_INFO but for where it begins */
inline stats()
{
	do
	:: f_pos = at_pos;
		f_seq = at_seq;
		load(r_tail, TAIL);
		if
		:: r_tail > f_pos -> core_tail(f_pos, f_seq)
		:: else
		fi;
		core_head(h_pos, h_seq);
		intact(v_ok, f_pos);
		if
		:: v_ok -> break
		:: else
		fi
	od;
	CHECK(lag_fits, f_pos <= h_pos && h_pos - f_pos <= CELLS && f_seq <= h_seq)
}

/* ringbuf_core_seek(), from the cursor */
inline seek()
{
	core_head(h_pos, h_seq);
	goal = at_seq;
	do
	:: goal < h_seq -> goal++
	:: break
	od;
	f_pos = at_pos;
	f_seq = at_seq;
	if
	:: goal == h_seq -> f_pos = h_pos; f_seq = h_seq
	:: else ->
		do
		:: seek_A(r_tail, TAIL);
			core_head(h_pos, h_seq);
			v_head = h_pos;
			look(f_pos, r_tail);
			if
			:: !v_ok && f_pos == h_pos ->
				f_pos = h_pos;
				f_seq = h_seq;
				break
			:: !v_ok && f_pos != h_pos
			:: v_ok ->
				CHECK(seek_finds, v_pos == f_pos || f_pos < r_tail);
				gone = gone || v_pos != f_pos;
				f_pos = v_pos;
				f_seq = v_seq;
				if
				:: f_seq >= goal -> break
				:: else
				fi;
				f_pos = f_pos + v_len;
				f_seq++
			fi
		od;
		/* nothing that is still there, and wanted, is left behind */
		CHECK(seek_finds, f_seq >= goal && (next_seq[f_pos] <= goal || gone) &&
			(true_seq[f_pos] == f_seq || next_seq[f_pos] <= f_seq))
	fi
}

proctype Reader()
{
	READER;
	byte at_pos, at_seq, h_pos, h_seq, f_pos, f_seq, goal;
	bool gone;

	done;
	if
	:: true
	:: core_tail(at_pos, at_seq)
	fi;
	if
	:: look_at_head()
	:: stats()
	:: seek()
	fi
}

init { atomic { run Producer(); run Reader() } }
