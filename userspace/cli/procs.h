/* SPDX-License-Identifier: GPL-2.0 */
/* What there is to see of rings: sysfs, GET_INFO of the device, and /proc. */
#ifndef RINGBUF_PROCS_H
#define RINGBUF_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <linux/ringbuf.h>
#include "cli.h"

/* "/dev/ringbuf-" and a name; also what people may give for one */
#define RING_PATH_SIZE	256
#define COMM_SIZE	64

/**
 * struct ring - A ring
 * @name: of its node in /dev: "ringbuf", "ringbuf-NAME"
 * @path: as it was asked for, or /dev/@name
 * @there: it was, when it was looked at last, and what follows @error is known
 * @error: why not, an errno; if that is about permissions @size may be known
 * @dead: destroyed, and only its holders tell of it: nothing else is known
 * @id: empty if it is not known
 * @clockid: as for clock_gettime(), or RINGBUF_CLOCK_NONE
 * @holder: process whose consumer holds the writer back; 0: none does, or only root
 *	is told; -1: one does that has no number here
 */
struct ring {
	char name[RING_PATH_SIZE];
	char path[RING_PATH_SIZE];
	bool there;
	bool dead;
	int error;
	uint64_t size;
	uint64_t head, tail;
	uint64_t head_seq, tail_seq;
	uint64_t overwritten, dropped;
	uint64_t max_record, consumers;
	uint64_t reliable_consumers, stall_ms, holder;
	bool writer, reliable;
	int clockid;
	char id[CLI_ID_SIZE];
};

/* What a user calls it: "ringbuf", "NAME". */
const char *ring_short_name(const struct ring *ring);

/**
 * struct holder - A file descriptor, or only a map, of a ring
 * @pid: the process
 * @fd: -1 when only a map is left
 * @comm: of the process, with anything in it
 * @ring: as fdinfo names it
 * @path: what was opened
 * @reader: a consumer; what follows @flags is about it
 * @writer: has the writer slot
 * @mapped: its process maps what it opened
 * @dead: the ring that it opened is no more; there may be another of that name
 * @demoted: the writer has ceased to wait for it
 * @tells_read: the kernel tells what it has read
 * @tells_max: and its largest lag
 * @first: index of the holder that stands for all that share a file description,
 *	which may be this one
 * @shared: how many they are, in the first one
 */
struct holder {
	pid_t pid;
	int fd;
	char comm[COMM_SIZE];
	char ring[RINGBUF_NAME_SIZE];
	char path[RING_PATH_SIZE];
	bool reader, writer, mapped, dead, demoted, tells_read, tells_max;
	size_t first;
	unsigned int shared;
	uint32_t flags;
	uint64_t pos, seq;
	uint64_t lag_records, lag_bytes;
	uint64_t max_lag_records, max_lag_bytes;
	uint64_t lost_records, lost_bytes;
	uint64_t read_records, read_bytes;
};

/**
 * struct holders - Who has rings open
 * @list: holders, those of one file description in a row
 * @count: how many
 * @room: in @list
 * @hidden: processes that may not be looked into
 */
struct holders {
	struct holder *list;
	size_t count;
	size_t room;
	unsigned int hidden;
};

/* Tests put trees of their own here: "" or the value of RINGBUF_TEST_ROOT. */
const char *test_root(void);

/* rings.c */
int ring_named(struct ring *ring, const char *name);
void ring_look(struct ring *ring);
bool ring_is_gone(const struct ring *ring);
size_t rings_find(struct ring **rings);
size_t rings_add_dead(struct ring **rings, size_t count,
		      const struct holders *h, bool all);
bool ring_is(const struct ring *ring, const struct holder *h);
bool is_ring_node(const struct stat *st);

/* procs.c */
void holders_scan(struct holders *h, const struct ring *rings, size_t count);
void holders_free(struct holders *h);
const struct holder *ring_writer(const struct ring *ring,
				 const struct holders *h);
size_t ring_consumers(const struct ring *ring, const struct holders *h);
bool ring_all_seen(const struct ring *ring, const struct holders *h);
bool ring_holds_itself(const struct ring *ring, const struct holders *h);

#endif /* RINGBUF_PROCS_H */
