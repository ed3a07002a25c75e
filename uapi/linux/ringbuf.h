/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * ringbuf: one producer, any number of consumers, one copy of each record.
 *
 * The structures below are the same for 32-bit and 64-bit callers. A structure
 * that starts with struct_size may grow at its end. The caller sets struct_size
 * to the size that the caller was compiled with. A structure that the kernel
 * reads may be longer than the kernel knows if the unknown bytes are zero. A
 * structure that the kernel fills in may be up to a page long, and the kernel
 * zeroes the bytes that it does not know.
 */
#ifndef _UAPI_LINUX_RINGBUF_H
#define _UAPI_LINUX_RINGBUF_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* What struct ringbuf_info::abi and struct ringbuf_page::abi say. */
#define RINGBUF_ABI			2

/* Bytes of struct ringbuf_info::name, with its terminating NUL. */
#define RINGBUF_NAME_SIZE		32

/* Every frame starts at a multiple of this, in bytes. */
#define RINGBUF_ALIGN			8

/**
 * struct ringbuf_record - Header of a record, in the ring and in frames
 * @len: payload bytes that follow the header, never 0
 * @type: the producer's own; 0 for a record from a plain write()
 * @flags: RINGBUF_RECORD_*; 0 in the ring
 * @seq: sequence number; the ring's first record is 0, each further one +1.
 *	A producer that had to drop a record leaves a gap.
 * @time_ns: the ring's clock (struct ringbuf_info::clockid) when the record was
 *	committed, in ns; 0 when the ring has no clock. Processes in a time
 *	namespace see the time of the initial one.
 *
 * A frame is this header and the payload, zero-padded to a multiple of
 * RINGBUF_ALIGN.
 */
struct ringbuf_record {
	__u32	len;
	__u16	type;
	__u16	flags;
	__u64	seq;
	__u64	time_ns;
};

/*
 * Only in frames that read() returns: the payload is a struct ringbuf_lost and
 * @seq is the first sequence number that was lost.
 */
#define RINGBUF_RECORD_LOST		(1U << 0)

/* Bytes of the frame of a record with @len payload bytes. */
#define RINGBUF_FRAME_SIZE(len) \
	((sizeof(struct ringbuf_record) + (__u64)(len) + RINGBUF_ALIGN - 1) & \
	 ~(__u64)(RINGBUF_ALIGN - 1))

/**
 * struct ringbuf_lost - Payload of a RINGBUF_RECORD_LOST frame
 * @records: sequence numbers that this consumer will never see
 * @bytes: bytes of their frames; a record that the producer had to drop never
 *	had a frame and counts 0
 */
struct ringbuf_lost {
	__u64	records;
	__u64	bytes;
};

/* struct ringbuf_info::features: what this kernel's module can do. */
#define RINGBUF_FEATURE_MMAP		(1ULL << 0) /* mmap(), RINGBUF_IOC_ADVANCE */
#define RINGBUF_FEATURE_RELIABLE	(1ULL << 1) /* RINGBUF_CONSUMER_RELIABLE */
#define RINGBUF_FEATURE_WATERMARK	(1ULL << 2) /* wake_bytes, _records, _ns */
#define RINGBUF_FEATURE_NAMED		(1ULL << 3) /* /dev/ringbuf-NAME, by configfs */
#define RINGBUF_FEATURE_MAPPED_WRITER	(1ULL << 4) /* RINGBUF_WRITER_MAPPED */

/* struct ringbuf_info::flags and struct ringbuf_page::flags: of this ring. */
#define RINGBUF_RING_TIMESTAMPS		(1U << 0) /* records carry time_ns: clockid is not -1 */
#define RINGBUF_RING_RELIABLE		(1U << 1) /* reliable consumers may join */
#define RINGBUF_RING_WRITER		(1U << 2) /* producer slot taken; info only */
#define RINGBUF_RING_DEAD		(1U << 3) /* destroyed: no more records */
#define RINGBUF_RING_MAPPED_WRITER	(1U << 4) /* a process may write records in place */

/* struct ringbuf_info::clockid of a ring whose records carry no time. */
#define RINGBUF_CLOCK_NONE		(-1)

/* Bytes of struct ringbuf_info::id. */
#define RINGBUF_ID_SIZE			16

/**
 * struct ringbuf_info - RINGBUF_IOC_GET_INFO: the ring
 * @struct_size: in: bytes of the caller's structure; out: bytes filled in
 * @abi: RINGBUF_ABI
 * @features: RINGBUF_FEATURE_*
 * @data_size: bytes of the data area, a power of two
 * @data_offset: mmap offset of the data area, in bytes
 * @head: position after the newest record
 * @tail: position of the oldest retained record
 * @head_seq: sequence number that the next record will get
 * @tail_seq: that of the oldest retained record, @head_seq when there is none
 * @overwritten: records that made room for newer ones
 * @dropped: records that the producer could not publish
 * @max_record: payload bytes of the largest record
 * @consumers: open consumers
 * @reliable_consumers: how many of them are reliable
 * @flags: RINGBUF_RING_*
 * @name: of the ring, NUL-terminated
 * @head_offset: mmap offset of struct ringbuf_head, in bytes
 * @id: random; a ring that is made again, under the same name, has another one
 * @clockid: clock of the records' time_ns, as for clock_gettime();
 *	RINGBUF_CLOCK_NONE: none
 * @reserved: 0
 *
 * @head pairs with @head_seq and @tail with @tail_seq exactly.
 */
struct ringbuf_info {
	__u32	struct_size;
	__u32	abi;
	__u64	features;
	__u64	data_size;
	__u64	data_offset;
	__u64	head;
	__u64	tail;
	__u64	head_seq;
	__u64	tail_seq;
	__u64	overwritten;
	__u64	dropped;
	__u32	max_record;
	__u32	consumers;
	__u32	reliable_consumers;
	__u32	flags;
	char	name[RINGBUF_NAME_SIZE];
	__u64	head_offset;
	__u8	id[RINGBUF_ID_SIZE];
	__s32	clockid;
	__u32	reserved;
};

/* struct ringbuf_consumer::flags */
#define RINGBUF_CONSUMER_FRAMED		(1U << 0) /* read() returns whole frames */
#define RINGBUF_CONSUMER_RELIABLE	(1U << 1) /* the producer waits for me */
#define RINGBUF_CONSUMER_EOF		(1U << 2) /* no writer, all read: EOF */

/* struct ringbuf_consumer::mask has these bits, and one for all three marks. */
#define RINGBUF_CONSUMER_WAKE		(1U << 31) /* wake_bytes, _records, _ns */

/**
 * struct ringbuf_consumer - RINGBUF_IOC_SET_CONSUMER, _GET_CONSUMER
 * @struct_size: bytes of the caller's structure
 * @flags: RINGBUF_CONSUMER_*
 * @wake_bytes: wake this consumer once so many bytes of frames wait for it; 0:
 *	never for that reason
 * @wake_records: the same in records
 * @wake_ns: the same in ns since the first of them waits, whatever their number
 * @mask: what RINGBUF_IOC_SET_CONSUMER changes: the bits of @flags that it sets
 *	or clears, and RINGBUF_CONSUMER_WAKE for the three marks; 0: all.
 *	RINGBUF_IOC_GET_CONSUMER fills in 0.
 * @reserved: 0
 *
 * Belongs to the open file description, as the cursor does. Without any of the
 * three a consumer wakes for each record. They say when poll() tells of records
 * and when a read() that sleeps goes on, whichever comes first; a read() that
 * finds records does not sleep. Half a ring of records, an overrun and the end of
 * the stream wake in any case; a gap that a dropped record left does not.
 */
struct ringbuf_consumer {
	__u32	struct_size;
	__u32	flags;
	__u32	wake_bytes;
	__u32	wake_records;
	__u64	wake_ns;
	__u32	mask;
	__u32	reserved;
};

/* struct ringbuf_stats::flags */
#define RINGBUF_STATS_OVERRUN		(1U << 0) /* the tail passed the cursor */
#define RINGBUF_STATS_DEMOTED		(1U << 1) /* was reliable, held the writer */

/**
 * struct ringbuf_stats - RINGBUF_IOC_GET_STATS: this consumer
 * @struct_size: in: bytes of the caller's structure; out: bytes filled in
 * @flags: RINGBUF_STATS_*
 * @pos: the cursor: position of the next frame
 * @seq: the cursor: sequence number of the next record
 * @lag_bytes: bytes of frames that wait, from the cursor or, once overrun,
 *	from the tail
 * @lag_records: the same in sequence numbers
 * @lost_bytes: bytes of frames lost, those that the next read will report
 *	included
 * @lost_records: the same in sequence numbers
 * @read_bytes: bytes of frames read
 * @read_records: records read
 * @max_lag_bytes: the largest @lag_bytes since open()
 * @max_lag_records: the largest @lag_records since open()
 *
 * For a consumer that never sought, read + lost + lag add up exactly to what
 * was published since its first position. Counters are never cleared.
 */
struct ringbuf_stats {
	__u32	struct_size;
	__u32	flags;
	__u64	pos;
	__u64	seq;
	__u64	lag_bytes;
	__u64	lag_records;
	__u64	lost_bytes;
	__u64	lost_records;
	__u64	read_bytes;
	__u64	read_records;
	__u64	max_lag_bytes;
	__u64	max_lag_records;
};

/* struct ringbuf_writer::flags */
#define RINGBUF_WRITER_FRAMED		(1U << 0) /* write() takes whole frames */
#define RINGBUF_WRITER_MAPPED		(1U << 1) /* the writer publishes in its map */

/**
 * struct ringbuf_writer - RINGBUF_IOC_SET_WRITER, _GET_WRITER
 * @struct_size: bytes of the caller's structure
 * @flags: RINGBUF_WRITER_*
 *
 * RINGBUF_WRITER_MAPPED is EPERM unless the ring was made for it
 * (RINGBUF_RING_MAPPED_WRITER).
 */
struct ringbuf_writer {
	__u32	struct_size;
	__u32	flags;
};

/**
 * struct ringbuf_advance - RINGBUF_IOC_ADVANCE: how far a mapped reader has read
 * @struct_size: bytes of the caller's structure
 * @flags: 0
 * @pos: position up to which the reader has read: that of a record not behind the
 *	cursor, or the head
 *
 * Moves the cursor to @pos; EINVAL if no record begins there. Records that the
 * cursor passes count as read. Records that have been overwritten by then count
 * as lost, since only the reader knows whether it read them in time. If @pos
 * itself has been overwritten the cursor goes to the oldest record. Advancing to
 * where the cursor is always succeeds. A signal ends a long advance: EINTR, and the
 * cursor has come a part of the way; the next call goes on from there. poll() and
 * read() go by the cursor.
 */
struct ringbuf_advance {
	__u32	struct_size;
	__u32	flags;
	__u64	pos;
};

/**
 * struct ringbuf_room - RINGBUF_IOC_MAKE_ROOM: a mapped writer is to overwrite
 * @struct_size: bytes of the caller's structure
 * @flags: 0
 * @pos: position of the record that becomes the oldest
 * @seq: sequence number of that record
 *
 * EPERM for a file without RINGBUF_WRITER_MAPPED.
 */
struct ringbuf_room {
	__u32	struct_size;
	__u32	flags;
	__u64	pos;
	__u64	seq;
};

/* struct ringbuf_page::magic: "RBUF" in a little-endian dump */
#define RINGBUF_PAGE_MAGIC		0x46554252U

/* struct ringbuf_page::wake_pos when nobody waits */
#define RINGBUF_WAKE_NONE		(~0ULL)

/**
 * struct ringbuf_page - The first mapped page, written by the kernel alone
 * @magic: RINGBUF_PAGE_MAGIC
 * @abi: RINGBUF_ABI
 * @struct_size: bytes of this structure that the kernel fills in
 * @flags: RINGBUF_RING_*, but for RINGBUF_RING_WRITER. Load it with acquire: a
 *	reader that sees RINGBUF_RING_DEAD sees all records, but for one that a
 *	kernel module may have had in hand.
 * @data_offset: mmap offset of the data area, in bytes
 * @data_size: bytes of the data area, a power of two. The area is mapped twice
 *	in a row, so a frame at any position is contiguous.
 * @head_offset: mmap offset of struct ringbuf_head, in bytes
 * @id: as in struct ringbuf_info
 * @reserved: 0
 * @tail: position of the oldest retained record. Load it after a read barrier:
 *	what was read at a position not below it was intact.
 * @tail_seq: sequence number of the oldest retained record; may run ahead of
 *	@tail
 * @reserved2: 0
 * @wake_pos: the lowest position of the head that somebody waits for; for a
 *	mapped writer. RINGBUF_WAKE_NONE: nobody waits, or no mapped writer is
 *	allowed.
 *
 * The rest of the page is zero and reserved. So is the rest of the page that
 * struct ringbuf_head is in.
 *
 * A reader in place starts from a position that RINGBUF_IOC_GET_STATS gave, and:
 *
 *	1. loads @tail with acquire, then struct ringbuf_head::head with acquire:
 *	   tail <= head;
 *	2. if its position is behind the tail it has been overrun: it goes on at
 *	   the tail, where the record's seq tells how many it lost;
 *	3. if its position is the head there is nothing to read: it tells the
 *	   kernel where it is, by RINGBUF_IOC_ADVANCE, and waits, by poll();
 *	4. uses the record as data that may change: reads each word once, and has
 *	   no trust in a length before it has compared it with the head;
 *	5. issues a read barrier and loads @tail: if its position is behind it now,
 *	   whatever it made of the record is void, and 2 holds; else that counts.
 *
 * A reader must load the positions in one piece each. A 32-bit program needs a
 * 64-bit atomic load that does not write, since a compare-and-exchange faults on
 * a read-only map: SSE2 or x87 on i386, LDRD on ARMv7 with LPAE.
 */
struct ringbuf_page {
	__u32	magic;
	__u32	abi;
	__u32	struct_size;
	__u32	flags;
	__u64	data_offset;
	__u64	data_size;
	__u64	head_offset;
	__u8	id[RINGBUF_ID_SIZE];
	__u64	reserved;
	__u64	tail;
	__u64	tail_seq;
	__u64	reserved2[6];
	__u64	wake_pos;
};

/**
 * struct ringbuf_head - At head_offset, written by the producer
 * @head_seq: sequence number that the next record will get
 * @head: position after the newest record. Load it with acquire: all before it
 *	is then visible.
 * @head_seq_again: @head_seq once more
 *
 * The producer, which is the kernel or a mapped writer, stores the three in this
 * order, the last two with release. A reader that needs the head and its seq as a
 * pair loads them in the opposite order, the first two with acquire:
 * @head_seq_again, @head, @head_seq. They are a pair if both seqs are the same;
 * else the reader begins again.
 */
struct ringbuf_head {
	__u64	head_seq;
	__u64	head;
	__u64	head_seq_again;
};

/*
 * A number carries the size that the structure had when it was first published,
 * and keeps it when the structure grows: the size that counts is struct_size.
 */
#define RINGBUF_INFO_SIZE_VER0		160
#define RINGBUF_CONSUMER_SIZE_VER0	32
#define RINGBUF_STATS_SIZE_VER0		88
#define RINGBUF_WRITER_SIZE_VER0	8
#define RINGBUF_ADVANCE_SIZE_VER0	16
#define RINGBUF_ROOM_SIZE_VER0		24

#define RINGBUF_IOC_TYPE		0xBC
#define RINGBUF_IOC_GET_INFO		_IOC(_IOC_READ | _IOC_WRITE, \
					     RINGBUF_IOC_TYPE, 0x00, \
					     RINGBUF_INFO_SIZE_VER0)
#define RINGBUF_IOC_SET_CONSUMER	_IOC(_IOC_WRITE, \
					     RINGBUF_IOC_TYPE, 0x01, \
					     RINGBUF_CONSUMER_SIZE_VER0)
#define RINGBUF_IOC_GET_CONSUMER	_IOC(_IOC_READ | _IOC_WRITE, \
					     RINGBUF_IOC_TYPE, 0x02, \
					     RINGBUF_CONSUMER_SIZE_VER0)
#define RINGBUF_IOC_GET_STATS		_IOC(_IOC_READ | _IOC_WRITE, \
					     RINGBUF_IOC_TYPE, 0x03, \
					     RINGBUF_STATS_SIZE_VER0)
#define RINGBUF_IOC_SET_WRITER		_IOC(_IOC_WRITE, \
					     RINGBUF_IOC_TYPE, 0x04, \
					     RINGBUF_WRITER_SIZE_VER0)
#define RINGBUF_IOC_ADVANCE		_IOC(_IOC_WRITE, \
					     RINGBUF_IOC_TYPE, 0x05, \
					     RINGBUF_ADVANCE_SIZE_VER0)
#define RINGBUF_IOC_GET_WRITER		_IOC(_IOC_READ | _IOC_WRITE, \
					     RINGBUF_IOC_TYPE, 0x06, \
					     RINGBUF_WRITER_SIZE_VER0)
#define RINGBUF_IOC_MAKE_ROOM		_IOC(_IOC_WRITE, \
					     RINGBUF_IOC_TYPE, 0x07, \
					     RINGBUF_ROOM_SIZE_VER0)
#define RINGBUF_IOC_WAKE		_IO(RINGBUF_IOC_TYPE, 0x08)

#endif /* _UAPI_LINUX_RINGBUF_H */
