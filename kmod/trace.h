/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ringbuf

#if !defined(_RINGBUF_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _RINGBUF_TRACE_H

#include <linux/tracepoint.h>

/*
 * The producer moved the head: what is before it can be read. When it had to
 * make room for a burst it may have moved the head on its way, unheard.
 */
TRACE_EVENT(ringbuf_publish,
	TP_PROTO(const char *name, u64 pos, u64 seq),
	TP_ARGS(name, pos, seq),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u64, pos)
		__field(u64, seq)
	),
	TP_fast_assign(
		ringbuf_assign_name();
		__entry->pos = pos;
		__entry->seq = seq;
	),
	TP_printk("%s head=%llu head_seq=%llu", __get_str(name),
		  __entry->pos, __entry->seq)
);

/* A consumer is told of a loss. */
TRACE_EVENT(ringbuf_overrun,
	TP_PROTO(const char *name, u64 seq, u64 records, u64 bytes),
	TP_ARGS(name, seq, records, bytes),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u64, seq)
		__field(u64, records)
		__field(u64, bytes)
	),
	TP_fast_assign(
		ringbuf_assign_name();
		__entry->seq = seq;
		__entry->records = records;
		__entry->bytes = bytes;
	),
	TP_printk("%s seq=%llu records=%llu bytes=%llu", __get_str(name),
		  __entry->seq, __entry->records, __entry->bytes)
);

/* A reliable consumer, at pos, holds the writer back. */
TRACE_EVENT(ringbuf_held,
	TP_PROTO(const char *name, int pid, u64 pos, u64 need),
	TP_ARGS(name, pid, pos, need),
	TP_STRUCT__entry(
		__string(name, name)
		__field(int, pid)
		__field(u64, pos)
		__field(u64, need)
	),
	TP_fast_assign(
		ringbuf_assign_name();
		__entry->pid = pid;
		__entry->pos = pos;
		__entry->need = need;
	),
	TP_printk("%s pid=%d pos=%llu need=%llu", __get_str(name),
		  __entry->pid, __entry->pos, __entry->need)
);

/* Somebody slept or polled, and is woken. */
TRACE_EVENT(ringbuf_wakeup,
	TP_PROTO(const char *name, u64 pos),
	TP_ARGS(name, pos),
	TP_STRUCT__entry(
		__string(name, name)
		__field(u64, pos)
	),
	TP_fast_assign(
		ringbuf_assign_name();
		__entry->pos = pos;
	),
	TP_printk("%s head=%llu", __get_str(name), __entry->pos)
);

#endif /* _RINGBUF_TRACE_H */

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
