/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * ringbuf: one producer, any number of consumers, one copy of each record.
 *
 * The structures below are the same for 32-bit and 64-bit callers. A structure
 * that starts with struct_size may grow at its end: the caller sets
 * struct_size to the size it was compiled with, and either side ignores what
 * it does not know as long as that is zero.
 */
#ifndef _UAPI_LINUX_RINGBUF_H
#define _UAPI_LINUX_RINGBUF_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* What struct ringbuf_info::abi and struct ringbuf_page::abi say. */
#define RINGBUF_ABI			1

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
 * @time_ns: CLOCK_MONOTONIC when the record was published, in ns; 0 when the
 *	ring was created without timestamps
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

/* struct ringbuf_info::flags and struct ringbuf_page::flags: of this ring. */
#define RINGBUF_RING_TIMESTAMPS		(1U << 0) /* records carry time_ns */
#define RINGBUF_RING_RELIABLE		(1U << 1) /* reliable consumers may join */
#define RINGBUF_RING_WRITER		(1U << 2) /* producer slot taken; info only */
#define RINGBUF_RING_DEAD		(1U << 3) /* destroyed: no more records */

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
};

/* struct ringbuf_consumer::flags */
#define RINGBUF_CONSUMER_FRAMED		(1U << 0) /* read() returns whole frames */
#define RINGBUF_CONSUMER_RELIABLE	(1U << 1) /* the producer waits for me */
#define RINGBUF_CONSUMER_EOF		(1U << 2) /* no writer, all read: EOF */

/**
 * struct ringbuf_consumer - RINGBUF_IOC_SET_CONSUMER, _GET_CONSUMER
 * @struct_size: bytes of the caller's structure
 * @flags: RINGBUF_CONSUMER_*
 * @wake_bytes: wake this consumer once so many bytes of frames wait for it; 0:
 *	never for that reason
 * @wake_records: the same in records
 * @wake_ns: the same in ns since the first of them waits, whatever their number
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
};

/* struct ringbuf_writer::flags */
#define RINGBUF_WRITER_FRAMED		(1U << 0) /* write() takes whole frames */

/**
 * struct ringbuf_writer - RINGBUF_IOC_SET_WRITER
 * @struct_size: bytes of the caller's structure
 * @flags: RINGBUF_WRITER_*
 */
struct ringbuf_writer {
	__u32	struct_size;
	__u32	flags;
};

/* struct ringbuf_page::magic: "RBUF" in a little-endian dump */
#define RINGBUF_PAGE_MAGIC		0x46554252U

/**
 * struct ringbuf_page - The first mapped page, read-only
 * @magic: RINGBUF_PAGE_MAGIC
 * @abi: RINGBUF_ABI
 * @struct_size: bytes of this structure that the kernel fills in
 * @flags: RINGBUF_RING_*, but for RINGBUF_RING_WRITER; load it with acquire:
 *	all records are visible to who sees RINGBUF_RING_DEAD, but for the one
 *	that a kernel module may have had in hand
 * @data_offset: mmap offset of the data area, in bytes
 * @data_size: bytes of the data area, a power of two; it is mapped twice in a
 *	row, so a frame at any position is contiguous
 * @head: position after the newest record. Load it with acquire: all before it
 *	is then visible.
 * @tail: position of the oldest retained record. Load it after a read barrier:
 *	what was read at a position not below it was intact.
 * @head_seq: sequence number that the next record will get; may run ahead of
 *	@head by the records being published
 * @tail_seq: that of the oldest retained record; may run ahead of @tail
 *
 * One cache line. The rest of the page is zero and reserved.
 *
 * A consumer that reads in place, from a position on that it got from
 * RINGBUF_IOC_GET_STATS:
 *
 *	1. loads @tail with acquire, then @head with acquire: tail <= head;
 *	2. if its position is behind the tail it has been overrun: it goes on at
 *	   the tail, where the record's seq tells how many it lost;
 *	3. if its position is the head there is nothing: it tells the kernel where
 *	   it is, by RINGBUF_IOC_ADVANCE, and waits, by poll();
 *	4. uses the record as data that may change: reads each word once, and has
 *	   no trust in a length before it has compared it with the head;
 *	5. issues a read barrier and loads @tail: if its position is behind it now,
 *	   whatever it made of the record is void, and 2 holds; else that counts.
 */
struct ringbuf_page {
	__u32	magic;
	__u32	abi;
	__u32	struct_size;
	__u32	flags;
	__u64	data_offset;
	__u64	data_size;
	__u64	head;
	__u64	tail;
	__u64	head_seq;
	__u64	tail_seq;
};

/*
 * RINGBUF_IOC_ADVANCE moves the cursor to a position up to which this consumer
 * has read in its map: that of a record not behind the cursor, or the head; else
 * EINVAL. Records that it passes count as read, those overwritten by then as
 * lost, for only the consumer knows whether it read them in time. One that has
 * itself been overwritten moves the cursor to the oldest record. poll() and
 * read() go by the cursor.
 *
 * As in vfio and iommufd the size travels in struct_size, not in the ioctl's
 * number, so that a number stays the same when its structure grows.
 */
#define RINGBUF_IOC_TYPE		0xBC
#define RINGBUF_IOC_GET_INFO		_IO(RINGBUF_IOC_TYPE, 0x00)
#define RINGBUF_IOC_SET_CONSUMER	_IO(RINGBUF_IOC_TYPE, 0x01)
#define RINGBUF_IOC_GET_CONSUMER	_IO(RINGBUF_IOC_TYPE, 0x02)
#define RINGBUF_IOC_GET_STATS		_IO(RINGBUF_IOC_TYPE, 0x03)
#define RINGBUF_IOC_SET_WRITER		_IO(RINGBUF_IOC_TYPE, 0x04)
#define RINGBUF_IOC_ADVANCE		_IOW(RINGBUF_IOC_TYPE, 0x05, __u64)

#endif /* _UAPI_LINUX_RINGBUF_H */
