// SPDX-License-Identifier: GPL-2.0
/*
 * Reliable consumers: the producer does not overwrite what they have not read.
 */

#include <linux/compiler.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <asm/barrier.h>
#include "cursor.h"

/**
 * DOC: holds
 *
 * Each reliable consumer has a hold, a position that the tail does not pass. The
 * producer remembers a bound, which no hold is before, and scans the holds for a new
 * one when it wants to go further: once for each turn of the ring if they keep up. A
 * hold moves forward without a word to anyone; the bound is then lower than it would
 * have to be.
 *
 * A hold that comes, or moves back, could be below the bound. So it counts itself in
 * @joins and then looks where the tail is about to go; the producer says where the
 * tail is about to go, @aim, and then looks at @joins (the pattern of Dekker's
 * algorithm: each stores, then looks for the other). At least one sees the other:
 * the producer scans again, or the consumer takes what @aim passed for lost, as if it
 * had come a moment later.
 *
 * Waiting
 * -------
 * A producer that has no room waits for the holds that are in its way. It asks them
 * to make way: notes down in each what it needs, and the time. A hold has made way
 * when it is no longer before what it was asked for. One that has not when its time
 * is up is demoted: the producer waits for it no more. What a hold was asked counts
 * only as long as the producer waits.
 *
 * A hold that is new, or that moved back, has not been asked, and has its full time.
 * Exception: if it comes before a place up to which all were asked, and one of those
 * has not made way yet, it has the rest of the time of the one that was asked first.
 * Otherwise consumers could hold the producer for ever by taking turns.
 *
 * With thousands of holds nobody looks at all of them each time. Two are remembered.
 * @slowest was the slowest one when somebody looked, and no other was before @beyond:
 * as long as it is in the way the producer has no room, and when it is not, @beyond
 * tells whether others may be. @first was asked first of those that have not made
 * way: a hold that comes looks at this one alone, and so does a producer that is
 * refused again. Only when it has made way all are looked at for the next one.
 *
 * All this is under the holds' lock, which the caller takes, in a task: joining,
 * moving back, leaving, asking and demoting. Two things are done without it. A hold
 * moves forward. And @slowest and @first are followed under RCU: by the producer,
 * which may be in an NMI, and by those who want to know whether it still waits. A
 * hold that goes is not pointed to any more, and is freed a grace period later.
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
 *	demote:A      wmb    peek:A         acquire  demoted before a tail that
 *	                     (in core.c)             passes the hold; the producer
 *	                                             is in between, which finds it
 *	                                             off the list
 *	===================  ======================  ==========================
 */

/* Holds to look at before others may run. */
#define WALK_CHUNK	64

/* Is a hold at @pos to make way, in this wait? */
static bool is_asked(const struct ringbuf_core *c,
		     const struct ringbuf_hold *hold, u64 pos)
{
	return ringbuf_before(pos, READ_ONCE(hold->need)) &&
	       READ_ONCE(hold->wait) == READ_ONCE(c->wait);
}

/* The holds' lock, which the caller has, keeps these from changing. */
static struct ringbuf_hold *slowest_of(const struct ringbuf_core *c)
{
	return rcu_dereference_protected(c->slowest, true);
}

static struct ringbuf_hold *first_of(const struct ringbuf_core *c)
{
	return rcu_dereference_protected(c->first, true);
}

/* What a look at all holds finds. */
struct survey {
	struct ringbuf_hold *slowest;
	u64 pos;
	u64 beyond;
	struct ringbuf_hold *first;
	u64 first_pos;
	unsigned int n;
};

static void survey_begin(struct survey *s, const struct ringbuf_core *c)
{
	*s = (struct survey) { .pos = READ_ONCE(c->page->tail) + RINGBUF_FAR };
	s->beyond = s->pos;
}

static bool was_asked_first(const struct survey *s,
			    const struct ringbuf_hold *hold, u64 pos)
{
	if (!s->first || ringbuf_before(hold->since, s->first->since))
		return true;
	/* The one that makes way last saves a look at all of them. */
	return hold->since == s->first->since &&
	       ringbuf_before(pos, s->first_pos);
}

static void survey_add(struct survey *s, const struct ringbuf_core *c,
		       struct ringbuf_hold *hold, u64 pos)
{
	if (ringbuf_before(pos, s->pos)) {
		s->beyond = s->pos;
		s->pos = pos;
		s->slowest = hold;
	} else if (ringbuf_before(pos, s->beyond)) {
		s->beyond = pos;
	}
	if (is_asked(c, hold, pos) && was_asked_first(s, hold, pos)) {
		s->first = hold;
		s->first_pos = pos;
	}
}

static void survey_pause(struct survey *s)
{
	if (!(++s->n % WALK_CHUNK))
		cond_resched();
}

static void survey_end(const struct survey *s, struct ringbuf_core *c)
{
	c->beyond = s->beyond;
	rcu_assign_pointer(c->slowest, s->slowest);
	rcu_assign_pointer(c->first, s->first);
	c->first_gone = false;
}

static void look_at_all(struct ringbuf_core *c)
{
	struct ringbuf_hold *hold;
	struct survey s;

	survey_begin(&s, c);
	list_for_each_entry(hold, &c->holds, node) {
		survey_pause(&s);
		survey_add(&s, c, hold, READ_ONCE(hold->pos));
	}
	survey_end(&s, c);
}

/*
 * @first has made way, or leaves. Many holds are asked in the same moment: if one of
 * the next ones was, and has not made way, none was asked before it.
 */
static bool hand_on(struct ringbuf_core *c, struct ringbuf_hold *first)
{
	struct ringbuf_hold *hold = first;
	unsigned int n = WALK_CHUNK;

	list_for_each_entry_continue(hold, &c->holds, node) {
		if (!n--)
			break;
		if (hold->since == first->since &&
		    is_asked(c, hold, READ_ONCE(hold->pos))) {
			rcu_assign_pointer(c->first, hold);
			return true;
		}
	}
	return false;
}

/**
 * ringbuf_core_find_first() - Find the hold that was asked first
 * @c: the ring
 *
 * To be called before ringbuf_hold_join() and ringbuf_hold_back(), which then look
 * at this hold alone. Looks at all holds only when the one that was asked first has
 * made way or left.
 *
 * Context: task; may sleep. Under the holds' lock.
 */
void ringbuf_core_find_first(struct ringbuf_core *c)
{
	struct ringbuf_hold *first = first_of(c);

	if (first && !is_asked(c, first, READ_ONCE(first->pos)) &&
	    !hand_on(c, first))
		look_at_all(c);
	if (!first && c->first_gone)
		look_at_all(c);
}

/*
 * A hold begins at @pos. If the producer waits for others there it has the rest of
 * the time of the one that was asked first, which may have made way in this moment.
 */
static void hold_start(struct ringbuf_hold *hold, struct ringbuf_core *c, u64 pos)
{
	const struct ringbuf_hold *first = first_of(c);
	u64 need = pos;

	if (first && ringbuf_before(pos, c->asked)) {
		need = c->asked;
		WRITE_ONCE(hold->since, first->since);
		WRITE_ONCE(hold->wait, c->wait);
	} else if (!first && ringbuf_before(pos, c->asked)) {
		/* Nobody is to make way, and this one was not asked. */
		WRITE_ONCE(c->asked, pos);
	}
	WRITE_ONCE(hold->need, need);
}

/*
 * The producer sees the hold, or the caller sees here where the tail is about to go.
 */
static u64 announce(struct ringbuf_core *c, const struct ringbuf_hold *hold,
		    u64 pos)
{
	if (hold != slowest_of(c) && ringbuf_before(pos, c->beyond))
		c->beyond = pos;
	/* LMM(hold_join:B) pairs with LMM(scan:A). */
	smp_store_release(&c->joins, c->joins + 1);
	/* LMM(hold_join:A) pairs with LMM(find_tail:A). */
	smp_mb();
	return READ_ONCE(c->aim);
}

/*
 * The tail is at @aim, or about to be: what is before is lost. Nothing is lost when
 * the record there is not seen yet, or not any more: the caller looks at @aim again.
 */
static void catch_up(struct ringbuf_cursor *cur, struct ringbuf_core *c, u64 aim)
{
	struct ringbuf_view v;

	/* LMM(hold_join:C) pairs with LMM(publish:B). */
	v.head = smp_load_acquire(&c->head_page->head);
	if (!ringbuf_core_look(c, &cur->at, aim, &v))
		return;
	ringbuf_cursor_note_lag(cur, c, &v.at);
	ringbuf_cursor_lose(cur, &v);
}

/**
 * ringbuf_hold_join() - Make a consumer reliable
 * @hold: its hold, not in use; owner is set
 * @c: the ring
 * @cur: its cursor: it holds from there; or from where the tail is, or is about
 *	to be, and what that passed is lost
 *
 * Context: task. The cursor's owner, under the holds' lock and after
 * ringbuf_core_find_first().
 */
void ringbuf_hold_join(struct ringbuf_hold *hold, struct ringbuf_core *c,
		       struct ringbuf_cursor *cur)
{
	u64 aim = READ_ONCE(c->aim);

	/* A hold below the tail would stall the producer for nothing. */
	if (ringbuf_before(cur->at.pos, aim))
		catch_up(cur, c, aim);
	hold->demoted = false;
	hold->pos = cur->at.pos;
	hold_start(hold, c, hold->pos);
	list_add_tail_rcu(&hold->node, &c->holds);
	WRITE_ONCE(c->nr_holds, c->nr_holds + 1);
	for (;;) {
		aim = announce(c, hold, cur->at.pos);
		if (!ringbuf_before(cur->at.pos, aim))
			return;
		catch_up(cur, c, aim);
		ringbuf_hold_move(hold, cur->at.pos);
	}
}

/**
 * ringbuf_hold_back() - Move a hold back
 * @hold: the hold, not demoted
 * @c: the ring
 * @pos: where to
 *
 * One that was asked to make way, and has not, gains no time by it.
 *
 * Context: task. The hold's owner, under the holds' lock and after
 * ringbuf_core_find_first().
 *
 * Return: false when the tail is, or is about to go, beyond @pos, and the hold is
 * where it was.
 */
bool ringbuf_hold_back(struct ringbuf_hold *hold, struct ringbuf_core *c,
		       u64 pos)
{
	u64 old = hold->pos;

	/* A hold below the tail would stall the producer for nothing. */
	if (ringbuf_before(pos, READ_ONCE(c->aim)))
		return false;
	if (!is_asked(c, hold, old))
		hold_start(hold, c, pos);
	ringbuf_hold_move(hold, pos);
	if (!ringbuf_before(pos, announce(c, hold, pos)))
		return true;
	ringbuf_hold_move(hold, old);
	return false;
}

static void take_off(struct ringbuf_hold *hold, struct ringbuf_core *c)
{
	if (hold == slowest_of(c))
		RCU_INIT_POINTER(c->slowest, NULL);
	if (hold == first_of(c) && !hand_on(c, hold)) {
		RCU_INIT_POINTER(c->first, NULL);
		c->first_gone = true;
	}
	list_del_rcu(&hold->node);
	WRITE_ONCE(c->nr_holds, c->nr_holds - 1);
}

/**
 * ringbuf_hold_leave() - Let the producer go
 * @hold: the hold; to be freed after a grace period
 * @c: the ring
 *
 * Context: task. The hold's owner, under the holds' lock.
 */
void ringbuf_hold_leave(struct ringbuf_hold *hold, struct ringbuf_core *c)
{
	if (!hold->demoted)
		take_off(hold, c);
}

/**
 * ringbuf_core_scan() - Look how far the holds let the producer go
 * @c: the ring
 * @need: position that the tail has to reach
 *
 * Looks at @slowest alone if that is in the way, or if it is the only one that has
 * been in the way since the last scan; else at all holds, of which there are at most
 * as many as the ring allows consumers.
 *
 * Context: any in which RCU watches; producer only.
 *
 * Return: false when a hold is before @need.
 */
bool ringbuf_core_scan(struct ringbuf_core *c, u64 need)
{
	const struct ringbuf_hold *hold, *slowest;
	u64 joins, pos, bound = c->head, rest = c->head;

	rcu_read_lock();
	/* LMM(scan:A) pairs with LMM(hold_join:B). */
	joins = smp_load_acquire(&c->joins);
	slowest = rcu_dereference(c->slowest);
	if (slowest) {
		/* LMM(scan:B) pairs with LMM(hold_move:A). */
		bound = smp_load_acquire(&slowest->pos);
		if (ringbuf_before(bound, need)) {
			rcu_read_unlock();
			return false;
		}
	}
	/* Without a join the others are not before where they were. */
	if (!slowest || slowest != c->left_out || joins != c->joins_seen ||
	    ringbuf_before(c->rest, need)) {
		list_for_each_entry_rcu(hold, &c->holds, node) {
			/* LMM(scan:B) pairs with LMM(hold_move:A). */
			pos = smp_load_acquire(&hold->pos);
			if (hold != slowest && ringbuf_before(pos, rest))
				rest = pos;
		}
		c->joins_seen = joins;
		c->left_out = slowest;
		c->rest = rest;
	}
	rcu_read_unlock();
	c->bound = ringbuf_before(c->rest, bound) ? c->rest : bound;
	return !ringbuf_before(c->bound, need);
}

static void demote(struct ringbuf_hold *hold, struct ringbuf_core *c)
{
	WRITE_ONCE(hold->demoted, true);
	/*
	 * LMM(demote:A) pairs with LMM(peek:A): a consumer that finds itself
	 * overrun finds itself demoted.
	 */
	smp_wmb();
	take_off(hold, c);
}

/*
 * Ask a hold at @pos, which is before @need, to make way. How many ns it has for
 * that; 0: none, and it has been demoted.
 */
static u64 ask(struct ringbuf_hold *hold, struct ringbuf_core *c, u64 pos,
	       u64 need, u64 now, u64 stall)
{
	s64 held;

	if (!is_asked(c, hold, pos)) {
		WRITE_ONCE(hold->since, now);
		WRITE_ONCE(hold->wait, c->wait);
		WRITE_ONCE(hold->need, need);
	}
	if (!stall)
		return U64_MAX;
	/* The time may be that of another CPU, and go back a little. */
	held = now - hold->since;
	if (held < (s64)stall)
		return stall - held;
	demote(hold, c);
	return 0;
}

static u64 ask_all(struct ringbuf_core *c, u64 need, u64 now, u64 stall)
{
	struct ringbuf_hold *hold, *next;
	struct survey s;
	u64 mine, left = 0;
	u64 pos;

	survey_begin(&s, c);
	list_for_each_entry_safe(hold, next, &c->holds, node) {
		survey_pause(&s);
		pos = READ_ONCE(hold->pos);
		if (ringbuf_before(pos, need)) {
			mine = ask(hold, c, pos, need, now, stall);
			if (!mine)
				continue;
			if (!left || mine < left)
				left = mine;
		}
		survey_add(&s, c, hold, pos);
	}
	survey_end(&s, c);
	return left;
}

/**
 * ringbuf_core_wait_for_holds() - Ask the holds that are in the way to make way
 * @c: the ring
 * @need: position that the tail has to reach
 * @now: the time in ns; may go back a little
 * @stall: how long a hold may take to make way, in ns; 0: for ever
 *
 * The time of a hold runs from when it is asked first until it has made way for
 * what it was asked for then. One whose time is up is demoted.
 *
 * Context: task; may sleep. Under the holds' lock.
 *
 * Return: ns until the first of the holds that are in the way has had its time,
 * U64_MAX when none ever will; 0 when none is in the way.
 */
u64 ringbuf_core_wait_for_holds(struct ringbuf_core *c, u64 need, u64 now,
				u64 stall)
{
	struct ringbuf_hold *slowest = slowest_of(c);
	u64 pos, left = 0;

	/* No other is in the way, or was asked before. */
	if (slowest && !ringbuf_before(c->beyond, need) &&
	    !ringbuf_before(c->beyond, c->asked)) {
		pos = READ_ONCE(slowest->pos);
		if (ringbuf_before(pos, need))
			left = ask(slowest, c, pos, need, now, stall);
		if (left) {
			rcu_assign_pointer(c->first, slowest);
			c->first_gone = false;
		}
	} else {
		left = ask_all(c, need, now, stall);
	}
	if (ringbuf_before(c->asked, need))
		WRITE_ONCE(c->asked, need);
	return left;
}

/**
 * ringbuf_core_still_held() - Does a hold that was asked still hold the producer?
 * @c: the ring
 * @need: position that the tail has to reach
 * @now: the time in ns; may go back a little
 * @stall: how long a hold may take to make way, in ns; 0: for ever
 *
 * Looks at two holds at most, changes nothing, and takes no lock.
 *
 * Context: any in which RCU watches.
 *
 * Return: as ringbuf_core_wait_for_holds(), or earlier, when a hold is in the way,
 * all that are have been asked, and no one's time is up; else 0: not known.
 */
u64 ringbuf_core_still_held(const struct ringbuf_core *c, u64 need, u64 now,
			    u64 stall)
{
	const struct ringbuf_hold *slowest, *first;
	u64 left = 0;
	s64 held;

	rcu_read_lock();
	slowest = rcu_dereference(c->slowest);
	if (!slowest || !ringbuf_before(READ_ONCE(slowest->pos), need))
		goto out;
	left = U64_MAX;
	if (!stall)
		goto out;
	left = 0;
	first = rcu_dereference(c->first);
	if (!first || ringbuf_before(READ_ONCE(c->asked), need) ||
	    !is_asked(c, first, READ_ONCE(first->pos)))
		goto out;
	held = now - READ_ONCE(first->since);
	if (held < (s64)stall)
		left = stall - held;
out:
	rcu_read_unlock();
	return left;
}

/**
 * ringbuf_core_holder() - Which hold is most in the way?
 * @c: the ring
 * @need: position that the tail has to reach
 *
 * Looks, and asks nobody for anything.
 *
 * Context: task; may sleep. Under the holds' lock.
 *
 * Return: the slowest of the holds that are before @need; NULL: none is.
 */
struct ringbuf_hold *ringbuf_core_holder(struct ringbuf_core *c, u64 need)
{
	struct ringbuf_hold *slowest = slowest_of(c);
	u64 pos = slowest ? READ_ONCE(slowest->pos) : need;

	/* Another one may be slower, and in the way. */
	if (!slowest || (ringbuf_before(c->beyond, pos) &&
			 ringbuf_before(c->beyond, need))) {
		look_at_all(c);
		slowest = slowest_of(c);
		pos = slowest ? READ_ONCE(slowest->pos) : need;
	}
	return ringbuf_before(pos, need) ? slowest : NULL;
}

/**
 * ringbuf_core_new_wait() - What holds were asked before does not count any more
 * @c: the ring
 *
 * Context: any. Under the holds' lock.
 */
void ringbuf_core_new_wait(struct ringbuf_core *c)
{
	RCU_INIT_POINTER(c->first, NULL);
	c->first_gone = false;
	WRITE_ONCE(c->wait, c->wait + 1);
	WRITE_ONCE(c->asked, READ_ONCE(c->page->tail));
}
