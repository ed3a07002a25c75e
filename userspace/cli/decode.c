// SPDX-License-Identifier: GPL-2.0
/* Decoders: payloads of known producers as text and JSON. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "../../kmod/samples/ringbuf_proc.h"
#include "decode.h"
#include "text.h"

/* ringbuf_proc: a later version may make a structure longer, not shorter. */
struct proc {
	struct ringbuf_proc_task task;
	const char *event;
	const char *name;
	size_t name_len;
	bool cut;
	uint32_t status;
};

static bool proc_parse(struct proc *p, const struct ringbuf_entry *e)
{
	static const struct {
		const char *name;
		size_t size;
	} events[] = {
		[RINGBUF_PROC_FORK] = { "fork", sizeof(struct ringbuf_proc_fork) },
		[RINGBUF_PROC_EXEC] = { "exec", sizeof(struct ringbuf_proc_exec) },
		[RINGBUF_PROC_EXIT] = { "exit", sizeof(struct ringbuf_proc_exit) },
	};
	const char *data = e->data;
	uint32_t last;

	if (e->type >= sizeof(events) / sizeof(*events) ||
	    !events[e->type].name || e->len < events[e->type].size)
		return false;
	memset(p, 0, sizeof(*p));
	memcpy(&p->task, data, sizeof(p->task));
	p->event = events[e->type].name;
	if (e->type == RINGBUF_PROC_FORK)
		return true;
	memcpy(&last, data + sizeof(p->task), sizeof(last));
	if (e->type == RINGBUF_PROC_EXIT) {
		p->status = last;
		return true;
	}
	p->name = data + sizeof(struct ringbuf_proc_exec);
	p->name_len = strnlen(p->name, e->len - sizeof(struct ringbuf_proc_exec));
	p->cut = p->name_len < last;
	return true;
}

static size_t comm_length(const struct proc *p)
{
	return strnlen(p->task.comm, sizeof(p->task.comm));
}

/* Up to a newline or a tab; @name may have no end. */
static size_t plain_length(const char *name, size_t len)
{
	size_t n;

	for (n = 0; n < len && name[n] != '\n' && name[n] != '\t'; n++)
		;
	return n;
}

/* A name on one line: comm and paths may hold any byte, a newline included. */
static void put_name(struct out *out, const char *name, size_t len)
{
	size_t n;

	for (;;) {
		n = plain_length(name, len);
		text_escaped(out, name, n);
		if (n == len)
			return;
		out_string(out, name[n] == '\n' ? "\\n" : "\\t");
		name += n + 1;
		len -= n + 1;
	}
}

static void proc_text(struct out *out, const struct ringbuf_entry *e,
		      const struct proc *p)
{
	size_t before;

	out_format(out, "%8" PRIu64 " %6" PRIu64 ".%06u %s %7u %7u %6u ",
		   e->seq, e->time_ns / 1000000000,
		   (unsigned int)(e->time_ns / 1000 % 1000000), p->event,
		   p->task.pid, p->task.ppid, p->task.uid);
	before = out->len;
	put_name(out, p->task.comm, comm_length(p));
	if (e->type == RINGBUF_PROC_FORK) {
		out_char(out, '\n');
		return;
	}
	do {
		out_char(out, ' ');
	} while (!out->error && out->len - before < 16);
	if (e->type == RINGBUF_PROC_EXEC)
		put_name(out, p->name, p->name_len);
	else if (WIFSIGNALED(p->status))
		out_format(out, "signal %d%s", WTERMSIG(p->status),
			   WCOREDUMP(p->status) ? ", core" : "");
	else
		out_format(out, "status %d", WEXITSTATUS(p->status));
	out_string(out, p->cut ? "...\n" : "\n");
}

/* JSON has no bytes; what is not UTF-8 is shown as text_escaped() does. */
static void put_json_name(struct out *out, const char *member,
			  const char *name, size_t len)
{
	struct out shown = { .fd = -1 };

	out_format(out, ",\"%s\":", member);
	if (text_is_utf8(name, len)) {
		text_json(out, name, len);
		return;
	}
	text_escaped(&shown, name, len);
	text_json(out, shown.data, shown.len);
	if (shown.error)
		out->error = shown.error;
	out_free(&shown);
}

static void proc_json(struct out *out, const struct ringbuf_entry *e,
		      const struct proc *p)
{
	out_format(out, ",\"event\":\"%s\",\"pid\":%u,\"ppid\":%u,\"uid\":%u",
		   p->event, p->task.pid, p->task.ppid, p->task.uid);
	put_json_name(out, "comm", p->task.comm, comm_length(p));
	if (e->type == RINGBUF_PROC_EXEC) {
		put_json_name(out, "file", p->name, p->name_len);
		if (p->cut)
			out_string(out, ",\"file_cut\":true");
	} else if (e->type == RINGBUF_PROC_EXIT && WIFSIGNALED(p->status)) {
		out_format(out, ",\"signal\":%d,\"core\":%s",
			   WTERMSIG(p->status),
			   WCOREDUMP(p->status) ? "true" : "false");
	} else if (e->type == RINGBUF_PROC_EXIT) {
		out_format(out, ",\"status\":%d", WEXITSTATUS(p->status));
	}
}

static bool decode_proc(struct out *out, const struct ringbuf_entry *e,
			bool json)
{
	struct proc p;

	if (!proc_parse(&p, e))
		return false;
	if (json)
		proc_json(out, e, &p);
	else
		proc_text(out, e, &p);
	return true;
}

static const struct decoder decoders[] = {
	{
		.name = "proc",
		.brief = "forks, execs and exits, of the module ringbuf_proc",
		.head = "     seq          time what     pid    ppid    uid comm            detail\n",
		.decode = decode_proc,
	},
};

#define N_DECODERS	(sizeof(decoders) / sizeof(*decoders))

const struct decoder *decoder_find(const char *name)
{
	size_t i;

	for (i = 0; i < N_DECODERS; i++)
		if (!strcmp(decoders[i].name, name))
			return &decoders[i];
	return NULL;
}

void decoder_list(void)
{
	size_t i;

	for (i = 0; i < N_DECODERS; i++)
		printf("  %-8s %s\n", decoders[i].name, decoders[i].brief);
}
