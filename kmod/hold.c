// SPDX-License-Identifier: GPL-2.0
/*
 * Reliable consumers: the producer does not overwrite what they have not read.
 */

#include <linux/compiler.h>
#include <linux/rculist.h>
#include <asm/barrier.h>
#include "core.h"

/**
 * DOC: holds
 *
 * Each reliable consumer has a hold, a position that the tail does not pass. The
 * producer remembers the slowest one as its bound and looks at all of them again
 * only when it wants to go further, once for each turn of the ring if they keep
 * up. A hold moves forward without a word to anyone: the bound is then lower than
 * it would have to be.
 *
 * A hold that comes, or moves back, could be below the bound. So it counts itself
 * in @joins and then looks where the tail is about to go; the producer says where
 * the tail is about to go, @aim, and then looks at @joins (the pattern of Dekker's
 * algorithm: each stores, then looks for the other). At least one sees the other:
 * the producer looks at the holds again, or the consumer takes what @aim passed
 * for lost, as if it had come a moment later.
 *
 *	===================  ======================  ==========================
 *	barrier              pairs with              what it orders
 *	===================  ======================  ==========================
 *	hold_join:A   mb     find_tail:A    mb       a hold and @joins before
 *	                                             the look at @aim; @aim
 *	                                             before the look at @joins
 *	hold_join:B   rel.   scan:A         acquire  a hold before @joins that
 *	                                             tells of it
 *	hold_join:C   acq.   publish:B      release  see core.c: the record at
 *	                                             @aim before the head
 *	hold_move:A   rel.   scan:B         acquire  a consumer's reading before
 *	                                             what overwrites it
 *	held:A        rel.   held:B         acquire  a time before the need
 *	                     come:A         acquire  since when it runs
 *	come:B        rel.   held:B         acquire  the same, of a time that is
 *	                                             shared
 *	hold_move:A   rel.   held:C         acquire  that a hold which went back
 *	                                             was not asked, before where
 *	                                             it is
 *	===================  ======================  ==========================
 */

/*
 * The need of a hold that nobody has asked to make way: before any place where it
 * may have been seen, since who asks looks at its place and its need one by one.
 */
static u64 not_asked(u64 pos)
{
	return pos - (1ULL << 62);
}

/*
 * A hold that comes to @pos was not asked for anything; unless others that are yet
 * to make way for it were: then it has the rest of their time. Else a few could take
 * turns, and hold the producer for ever.
 */
static void come(struct ringbuf_hold *hold, struct ringbuf_core *c, u64 pos)
{
	u64 need = not_asked(pos), since = 0;
	struct ringbuf_hold *other;
	u64 theirs, when;

	rcu_read_lock();
	list_for_each_entry_rcu(other, &c->holds, node) {
		if (other == hold || READ_ONCE(other->demoted))
			continue;
		/* LMM(come:A) pairs with LMM(held:A). */
		theirs = smp_load_acquire(&other->need);
		if (!ringbuf_before(pos, theirs) ||
		    !ringbuf_before(READ_ONCE(other->pos), theirs))
			continue;
		when = READ_ONCE(other->since);
		if (ringbuf_before(need, pos) || ringbuf_before(when, since)) {
			need = theirs;
			since = when;
		}
	}
	rcu_read_unlock();
	/* Else it is for who asks, and may be doing so right now. */
	if (ringbuf_before(pos, need))
		WRITE_ONCE(hold->since, since);
	/* LMM(come:B) pairs with LMM(held:B). */
	smp_store_release(&hold->need, need);
}

/**
 * ringbuf_core_scan() - Look for the slowest hold
 * @c: the ring
 * @need: position that the tail has to reach
 *
 * Context: any in which RCU watches; producer only.
 *
 * Return: false when a hold is before @need.
 */
bool ringbuf_core_scan(struct ringbuf_core *c, u64 need)
{
	struct ringbuf_hold *hold;
	u64 bound = c->head;
	u64 pos;

	/* LMM(scan:A) pairs with LMM(hold_join:B). */
	c->joins_seen = smp_load_acquire(&c->joins);
	rcu_read_lock();
	list_for_each_entry_rcu(hold, &c->holds, node) {
		if (READ_ONCE(hold->demoted))
			continue;
		/* LMM(scan:B) pairs with LMM(hold_move:A). */
		pos = smp_load_acquire(&hold->pos);
		if (ringbuf_before(pos, bound))
			bound = pos;
	}
	rcu_read_unlock();
	c->bound = bound;
	return !ringbuf_before(bound, need);
}

/* The producer sees the hold, or where the tail is about to go is seen here. */
static u64 tell_producer(struct ringbuf_core *c)
{
	/* LMM(hold_join:B) pairs with LMM(scan:A). */
	smp_store_release(&c->joins, c->joins + 1);
	/* LMM(hold_join:A) pairs with LMM(find_tail:A). */
	smp_mb();
	return READ_ONCE(c->aim);
}

/*
 * The tail is at @aim, or about to be: what is before is lost. Nothing, when the
 * record there is not seen yet, or not any more: the caller looks at @aim again.
 */
static void catch_up(struct ringbuf_cursor *cur, struct ringbuf_core *c, u64 aim)
{
	struct ringbuf_view v;

	/* LMM(hold_join:C) pairs with LMM(publish:B). */
	v.head = smp_load_acquire(&c->head_page->head);
	if (ringbuf_core_look(c, &cur->at, aim, &v))
		ringbuf_cursor_lose(cur, &v);
}

/**
 * ringbuf_hold_join() - Make a consumer reliable
 * @hold: its hold, not in use; owner is set
 * @c: the ring
 * @cur: its cursor: it holds from there; or from where the tail is, or is about
 *	to be, and what that passed is lost
 *
 * Context: any; the cursor's owner. Joins, moves back and leaves are serialised.
 */
void ringbuf_hold_join(struct ringbuf_hold *hold, struct ringbuf_core *c,
		       struct ringbuf_cursor *cur)
{
	u64 aim = READ_ONCE(c->aim);

	/* Else it would be seen to hold what is gone long since. */
	if (ringbuf_before(cur->at.pos, aim))
		catch_up(cur, c, aim);
	hold->demoted = false;
	hold->pos = cur->at.pos;
	come(hold, c, hold->pos);
	list_add_tail_rcu(&hold->node, &c->holds);
	for (;;) {
		aim = tell_producer(c);
		if (!ringbuf_before(cur->at.pos, aim))
			return;
		catch_up(cur, c, aim);
		ringbuf_hold_move(hold, cur->at.pos);
	}
}

/**
 * ringbuf_hold_back() - Move a hold back
 * @hold: the hold
 * @c: the ring
 * @pos: where to
 *
 * One that is asked to make way, and has not, gains no time by it.
 *
 * Context: any; the hold's owner. Serialised with joins.
 *
 * Return: false when the tail is, or is about to go, beyond @pos, and the hold is
 * where it was.
 */
bool ringbuf_hold_back(struct ringbuf_hold *hold, struct ringbuf_core *c,
		       u64 pos)
{
	u64 old = hold->pos;

	/* Nor is it seen to hold what is gone. */
	if (ringbuf_before(pos, READ_ONCE(c->aim)))
		return false;
	/* What it has made way for it begins to hold anew. */
	if (!ringbuf_before(old, READ_ONCE(hold->need)))
		come(hold, c, pos);
	ringbuf_hold_move(hold, pos);
	if (!ringbuf_before(pos, tell_producer(c)))
		return true;
	ringbuf_hold_move(hold, old);
	return false;
}

/**
 * ringbuf_hold_leave() - Let the producer go
 * @hold: the hold; to be freed after a grace period
 *
 * Context: any; the hold's owner. Serialised with joins.
 */
void ringbuf_hold_leave(struct ringbuf_hold *hold)
{
	list_del_rcu(&hold->node);
}

/* Since when a hold at @pos, which is before @need, holds the producer back. */
static u64 held_since(struct ringbuf_hold *hold, u64 pos, u64 need, u64 now)
{
	/* LMM(held:B) pairs with LMM(held:A). */
	if (ringbuf_before(pos, smp_load_acquire(&hold->need)))
		return READ_ONCE(hold->since);
	/* It was not asked before, or has made way since. */
	WRITE_ONCE(hold->since, now);
	/* LMM(held:A) pairs with LMM(held:B). */
	smp_store_release(&hold->need, need);
	return now;
}

/**
 * ringbuf_core_held() - Does a reliable consumer hold the producer back?
 * @c: the ring
 * @need: position that the tail has to reach
 * @now: the time in ns; may go back a little
 * @stall: how long a consumer may hold the producer, in ns; 0: for ever
 *
 * For each that does, the time begins to run; it ends when that one makes way for
 * what it was first asked for. Who came meanwhile has the rest of it. One that has
 * had its time is not waited for any more.
 *
 * Context: any in which RCU watches.
 *
 * Return: ns until the first of those that do has had its time, U64_MAX when none
 * ever will; 0 when nobody does.
 */
u64 ringbuf_core_held(struct ringbuf_core *c, u64 need, u64 now, u64 stall)
{
	struct ringbuf_hold *hold;
	u64 left = 0;
	u64 pos, mine;
	s64 held;

	rcu_read_lock();
	list_for_each_entry_rcu(hold, &c->holds, node) {
		/* LMM(held:C) pairs with LMM(hold_move:A). */
		pos = smp_load_acquire(&hold->pos);
		if (READ_ONCE(hold->demoted) || !ringbuf_before(pos, need))
			continue;
		held = now - held_since(hold, pos, need, now);
		if (stall && held >= (s64)stall) {
			WRITE_ONCE(hold->demoted, true);
			continue;
		}
		mine = stall ? stall - held : U64_MAX;
		if (!left || mine < left)
			left = mine;
	}
	rcu_read_unlock();
	return left;
}
