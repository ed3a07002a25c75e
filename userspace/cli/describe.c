// SPDX-License-Identifier: GPL-2.0
/* What several commands say of rings and processes, as text and as JSON. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "describe.h"
#include "table.h"
#include "text.h"

void describe_writer(char *to, size_t size, const struct ring *ring,
		     const struct holders *all)
{
	const struct holder *w = ring_writer(ring, all);
	char comm[TABLE_CELL];

	if (w)
		snprintf(to, size, "%d (%s), fd %d", w->pid,
			 table_comm(comm, w->comm), w->fd);
	else if (!ring->writer)
		snprintf(to, size, "none");
	else if (ring_all_seen(ring, all))
		snprintf(to, size, "the kernel");
	else
		snprintf(to, size, "the kernel, or a process not seen from here");
}

void describe_holder(char *to, size_t size, const struct ring *ring,
		     const struct holders *all)
{
	const struct holder *w;
	char comm[TABLE_CELL];
	size_t i;

	if (ring_holds_itself(ring, all)) {
		w = ring_writer(ring, all);
		snprintf(to, size, "its own file: %d (%s), fd %d, is a reliable consumer, too",
			 w->pid, table_comm(comm, w->comm), w->fd);
		return;
	}
	/* The kernel has no number for it. */
	if ((int64_t)ring->holder < 0) {
		snprintf(to, size, "a process that has ended, or is not in this PID namespace");
		return;
	}
	for (i = 0; i < all->count; i++)
		if (all->list[i].pid == (pid_t)ring->holder)
			break;
	if (i < all->count)
		snprintf(to, size, "%" PRIu64 " (%s)", ring->holder,
			 table_comm(comm, all->list[i].comm));
	else
		snprintf(to, size, "%" PRIu64, ring->holder);
}

void json_field(struct out *out, const char *name, uint64_t value)
{
	out_format(out, "\"%s\": %" PRIu64 ", ", name, value);
}

/* What is no UTF-8 would be no JSON. */
static void json_comm(struct out *out, const char *comm)
{
	char buf[TABLE_CELL];

	out_string(out, "\"comm\": ");
	if (!text_is_utf8(comm, strlen(comm)))
		comm = table_comm(buf, comm);
	text_json(out, comm, strlen(comm));
}

void json_process(struct out *out, const struct holder *h)
{
	out_format(out, "{\"pid\": %d, ", h->pid);
	json_comm(out, h->comm);
	if (h->fd < 0)
		out_string(out, ", \"fd\": null}");
	else
		out_format(out, ", \"fd\": %d}", h->fd);
}

void json_names(struct out *out, const struct ring *r)
{
	out_string(out, "\"path\": ");
	if (text_is_utf8(r->path, strlen(r->path)))
		text_json(out, r->path, strlen(r->path));
	else
		text_json(out, r->name, strlen(r->name));
	out_format(out, ", \"name\": \"%.200s\", ", r->name);
}

const char *json_bool(bool value)
{
	return value ? "true" : "false";
}

void json_writer(struct out *out, const struct ring *r,
		 const struct holders *all)
{
	const struct holder *w = ring_writer(r, all);

	out_string(out, "\"writer\": ");
	if (w)
		json_process(out, w);
	else if (!r->writer)
		out_string(out, "null");
	else
		out_format(out, "\"%s\"",
			   ring_all_seen(r, all) ? "kernel" : "not seen");
	out_string(out, ", ");
}

size_t describe_width(void)
{
	struct winsize ws;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) ? 0 : ws.ws_col;
}
