// SPDX-License-Identifier: GPL-2.0
/* Rings and consumers at one moment, with rates since the moment before. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "look.h"

void look_free(struct look *l)
{
	free(l->rings);
	free(l->rows);
	holders_free(&l->holders);
	memset(l, 0, sizeof(*l));
}

static int by_key(const void *x, const void *y)
{
	const struct holder *a = &((const struct row *)x)->who;
	const struct holder *b = &((const struct row *)y)->who;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	if (a->fd != b->fd)
		return a->fd < b->fd ? -1 : 1;
	return strcmp(a->ring, b->ring);
}

static int by_number(double a, double b)
{
	return (a < b) - (a > b);
}

static enum order sort_order;

static int by_order(const void *x, const void *y)
{
	const struct row *a = x, *b = y;
	int ret = 0;

	if (a->ring != b->ring)
		return a->ring < b->ring ? -1 : 1;
	if (sort_order == BY_RATE)
		ret = by_number(a->rate, b->rate);
	else if (sort_order == BY_LOSS)
		ret = by_number(a->loss_rate, b->loss_rate) ?:
			by_number(a->who.lost_records, b->who.lost_records);
	return ret ?: by_number(a->who.lag_bytes, b->who.lag_bytes) ?:
		by_key(a, b);
}

void look_sort(struct look *l, enum order order)
{
	sort_order = order;
	if (l->n_rows)
		qsort(l->rows, l->n_rows, sizeof(*l->rows), by_order);
}

static int find_rings(struct look *l, char **names, int n_names)
{
	int i, ret;

	if (!n_names) {
		l->n_rings = rings_find(&l->rings);
		return 0;
	}
	l->rings = calloc(n_names, sizeof(*l->rings));
	if (!l->rings)
		return ENOMEM;
	for (i = 0; i < n_names; i++) {
		ret = ring_named(&l->rings[i], names[i]);
		if (ret)
			l->rings[i].error = ret;
		else
			ring_look(&l->rings[i]);
	}
	l->n_rings = n_names;
	return 0;
}

/*
 * What it has read is where it is, less what it lost. fdinfo counts as lost what
 * the tail has passed, also when the cursor has not moved on to it yet; a sum
 * from that moment would be too small, so the one before stays.
 */
static void rate(struct row *r, const struct ring *ring,
		 const struct look *last, double seconds)
{
	const struct row *was = NULL;

	r->read = r->who.seq - r->who.lost_records;
	r->read_bytes = r->who.pos - r->who.lost_bytes;
	if (last->n_rows)
		was = bsearch(r, last->rows, last->n_rows, sizeof(*r), by_key);
	if (!was || r->who.fd < 0 ||
	    r->who.lost_records < was->who.lost_records)
		return;
	if (r->who.seq < ring->tail_seq && r->read < was->read) {
		r->read = was->read;
		r->read_bytes = was->read_bytes;
	}
	r->rated = true;
	/* One that sought back has read less. */
	if (r->read > was->read) {
		r->rate = (r->read - was->read) / seconds;
		r->byte_rate = (r->read_bytes - was->read_bytes) / seconds;
	}
	r->loss_rate = (r->who.lost_records - was->who.lost_records) / seconds;
}

static void add_rows(struct look *l, const struct look *last, size_t ring)
{
	double seconds = (l->time - last->time) / 1e9;
	const struct holder *h;
	struct row *r;
	size_t i;

	for (i = 0; i < l->holders.count; i++) {
		h = &l->holders.list[i];
		if (h->first != i || !(h->reader || h->fd < 0) ||
		    !ring_is(&l->rings[ring], h))
			continue;
		r = &l->rows[l->n_rows++];
		r->ring = ring;
		r->who = *h;
		rate(r, &l->rings[ring], last, seconds);
	}
}

int look_at(struct look *now, struct look *last, char **names, int n_names)
{
	size_t i;
	int ret;

	look_free(last);
	*last = *now;
	memset(now, 0, sizeof(*now));
	if (last->n_rows)
		qsort(last->rows, last->n_rows, sizeof(*last->rows), by_key);
	ret = find_rings(now, names, n_names);
	if (ret)
		return ret;
	now->time = cli_now();
	holders_scan(&now->holders, now->rings, now->n_rings);
	now->n_rings = rings_add_dead(&now->rings, now->n_rings, &now->holders,
				      !n_names);
	/* A ring may be named twice. */
	now->rows = calloc(now->holders.count * now->n_rings + 1,
			   sizeof(*now->rows));
	if (!now->rows)
		return ENOMEM;
	for (i = 0; i < now->n_rings; i++)
		if (now->rings[i].there)
			add_rows(now, last, i);
	return 0;
}
