/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Publish, consume, overwrite: one lossy reader, which opens at the oldest record
 * (or was there from the start) and reads message by message or in batches.
 */

#ifndef RECORDS
#define RECORDS		5
#endif

#include "producer.pml"

PROPERTY(no_torn_header);	/* length and seq that are trusted are those of a record there */
PROPERTY(no_torn_record);	/* nor is its payload mixed */
PROPERTY(no_torn_batch);	/* nor a run of frames, or their number */
PROPERTY(exact_loss_count);	/* where the cursor is, its seq is right, before and after a loss */
PROPERTY(tail_not_before_tail);	/* open() does not begin before the tail it saw */

inline copied_right(ok, pos, seq, size)
{
	load(r_n, P(pos));
	ok = ok && r_n == payload(seq);
	if
	:: size == 2 ->
		load(r_n, P(pos + 1));
		ok = ok && r_n == payload2(seq)
	:: else
	fi
}

/* copy_message() */
inline read_message()
{
	right = true;
	copied_right(right, v_pos, v_seq, v_len);
	intact(v_ok, v_pos);
	CHECK(no_torn_record, !v_ok || right);
	if
	:: v_ok ->
		at_pos = v_pos + v_len;
		at_seq = v_seq + 1
	:: else
	fi
}

/*
 * copy_frames(), two of them at most: ringbuf_core_span() looks at the second
 * header without a check, then the copy reads all there is once more.
 */
inline read_frames()
{
	right = true;
	n = 1;
	span = v_len;
	if
	:: v_pos + span < v_head ->
		load(r_n, S(v_pos + span));
		if
		:: r_n == v_seq + 1 ->
			load(r_n, L(v_pos + span));
			if
			:: r_n && v_pos + span + r_n <= v_head ->
				n = 2;
				copied_right(right, v_pos + span, v_seq + 1, r_n);
				/* the header in the copy */
				load(r_n, L(v_pos + span));
				right = right && r_n == true_len[v_pos + span];
				span = span + r_n;
				load(r_n, S(v_pos + v_len));
				right = right && r_n == v_seq + 1
			:: else
			fi
		:: else
		fi
	:: else
	fi;
	copied_right(right, v_pos, v_seq, v_len);
	intact(v_ok, v_pos);
	CHECK(no_torn_batch, !v_ok || (right && (n == 1 ||
		(true_len[v_pos + v_len] && true_seq[v_pos + v_len] == v_seq + 1))));
	if
	:: v_ok ->
		at_pos = v_pos + span;
		at_seq = v_seq + n
	:: else
	fi;
	n = 0;
	span = 0
}

proctype Reader()
{
	READER;
	byte at_pos, at_seq, n, span;
	bool right;

	done;
	if
	:: true
	:: core_tail(at_pos, at_seq)
	fi;
	do
	:: peek(at_pos);
		if
		:: !v_ok -> break
		:: v_ok && v_seq != at_seq ->
			/* lose(): v_seq - at_seq records */
			at_seq = v_seq;
			at_pos = v_pos
		:: v_ok && v_seq == at_seq -> read_message()
		:: v_ok && v_seq == at_seq -> read_frames()
		fi;
		CHECK(exact_loss_count, at_seq == next_seq[at_pos] ||
			at_seq == true_seq[at_pos]);
		d_step { v_pos = 0; v_seq = 0; v_len = 0; v_head = 0; right = false; r_n = 0 }
	:: break
	od
}

init { atomic { run Producer(); run Reader() } }
