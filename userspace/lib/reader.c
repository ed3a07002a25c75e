// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Readers: opening, seeking, and the account.
 */

#include <fcntl.h>
#include <sys/mman.h>
#include "lib.h"

#define READER_FLAGS	(RINGBUF_READER_EOF | RINGBUF_READER_NO_MMAP | \
			 RINGBUF_READER_RELIABLE)

/*
 * Room for the largest record, and for a good many small ones. Memory that is
 * not touched costs nothing. Of a map nothing longer than a quarter is believed.
 */
static int alloc_buffer(struct reader *r)
{
	void *mem;

	r->buffer_size = r->size / 4 + MIN_BUFFER;
	mem = mmap(NULL, r->buffer_size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		return -errno;
	r->buffer = mem;
	return 0;
}

static bool has_mark(const struct ringbuf_consumer *consumer)
{
	return consumer->wake_bytes || consumer->wake_records ||
	       consumer->wake_ns;
}

/*
 * Sets or clears the flags that @mask names. A reader that becomes reliable holds the
 * writer from where the kernel believes the reader to be, or from the oldest record
 * if that is gone. Only the kernel's cursor, before and after, tells how far ahead
 * the oldest record is.
 */
static int change_flags(struct reader *r, uint32_t flags, uint32_t mask)
{
	const struct ringbuf_consumer consumer = {
		.struct_size = sizeof(consumer),
		.flags = flags & mask,
		.mask = mask,
	};
	struct ringbuf_stats was, now;
	int ret = get_stats(r->fd, &was);

	ret = ret ?: set_consumer(r->fd, &consumer);
	if (ret)
		return ret;
	if (mask & RINGBUF_CONSUMER_RELIABLE)
		r->reliable = flags & RINGBUF_CONSUMER_RELIABLE;
	ret = get_stats(r->fd, &now);
	if (ret)
		return ret;
	if (!r->page) {
		r->skipped_bytes += now.pos - was.pos;
		r->skipped_records += now.seq - was.seq;
	} else if (r->reliable && before(r->advanced, now.pos)) {
		r->advanced = now.pos;
	}
	return 0;
}

/*
 * The reader's flags say whether there is an end and whether read() gives frames.
 * All else stays as the file has it.
 */
int set_up(struct reader *r, uint32_t flags)
{
	uint32_t mask = RINGBUF_CONSUMER_FRAMED | RINGBUF_CONSUMER_EOF;
	struct ringbuf_consumer consumer;
	int ret = get_consumer(r->fd, &consumer);

	if (ret)
		return ret;
	if (r->flags & RINGBUF_READER_EOF)
		flags |= RINGBUF_CONSUMER_EOF;
	if (r->flags & RINGBUF_READER_RELIABLE) {
		flags |= RINGBUF_CONSUMER_RELIABLE;
		mask |= RINGBUF_CONSUMER_RELIABLE;
	}
	r->reliable = consumer.flags & RINGBUF_CONSUMER_RELIABLE;
	r->marked = has_mark(&consumer);
	if ((consumer.flags ^ flags) & mask)
		ret = change_flags(r, flags, mask);
	return ret;
}

/**
 * ringbuf_reader_set_reliable() - Have the writer wait for this reader, or not
 * @reader: the reader
 * @reliable: whether it is to
 *
 * From the reader's place on; what is overwritten already is lost. Also for one
 * that was demoted (RINGBUF_STATS_DEMOTED) to be reliable again.
 *
 * Return: 0; -EPERM when the ring allows no reliable readers, -ENOMEM.
 */
int ringbuf_reader_set_reliable(struct ringbuf_reader *reader, bool reliable)
{
	struct reader *r = whole(reader);
	int ret;

	/* It holds from where the kernel believes it to be. */
	ret = r->page ? map_advance(r) : 0;
	ret = ret ?: change_flags(r, reliable ? RINGBUF_CONSUMER_RELIABLE : 0,
				  RINGBUF_CONSUMER_RELIABLE);
	if (ret)
		return ret;
	/* From record to record, see find_end(). */
	if (r->page)
		reader->end = reader->at + reader->frame;
	reader->head = NULL;
	return 0;
}

/**
 * ringbuf_reader_set_wake() - Say for how much to be woken
 * @reader: the reader
 * @bytes: once so many bytes of frames wait
 * @records: once so many records wait
 * @ns: once one has waited for so long
 *
 * Whichever comes first; 0 is never for that reason, and three times 0 for each
 * record. ringbuf_wait() and ringbuf_arm() go by it, and what polls the reader's
 * file; ringbuf_next() and ringbuf_read() give what is there. Half a ring of
 * records, an overrun and the end of the stream wake in any case.
 *
 * Return: 0 or a negative errno.
 */
int ringbuf_reader_set_wake(struct ringbuf_reader *reader, uint32_t bytes,
			    uint32_t records, uint64_t ns)
{
	const struct ringbuf_consumer consumer = {
		.struct_size = sizeof(consumer),
		.wake_bytes = bytes,
		.wake_records = records,
		.wake_ns = ns,
		.mask = RINGBUF_CONSUMER_WAKE,
	};
	struct reader *r = whole(reader);
	int ret = set_consumer(r->fd, &consumer);

	if (!ret)
		r->marked = has_mark(&consumer);
	return ret;
}

static int start(struct reader *r)
{
	struct ringbuf_info info;
	struct ringbuf_stats stats;
	int ret = get_info(r->fd, &info);

	if (ret)
		return ret;
	/* Before anything is computed from it. */
	if (info.data_size < 4096 || info.data_size & (info.data_size - 1) ||
	    RINGBUF_FRAME_SIZE(info.max_record) > info.data_size / 4)
		return -EBADMSG;
	if (info.data_size > SIZE_MAX - MIN_BUFFER)
		return -EOVERFLOW;
	ret = get_stats(r->fd, &stats);
	if (ret)
		return ret;
	r->size = info.data_size;
	r->max_record = info.max_record;
	r->pub.at = stats.pos;
	r->pub.seq = stats.seq;
	r->first_pos = stats.pos;
	r->first_seq = stats.seq;

	ret = alloc_buffer(r);
	if (ret)
		return ret;
	if (!(r->flags & RINGBUF_READER_NO_MMAP) &&
	    info.features & RINGBUF_FEATURE_MMAP) {
		ret = map_open(r, &info);
		/* A bad ring is an error; a refused map is not. */
		if (ret == -EBADMSG)
			return ret;
		if (!ret)
			return set_up(r, 0);
	}
	return stream_open(r);
}

static void free_reader(struct reader *r)
{
	map_close(r);
	if (r->buffer)
		munmap(r->buffer, r->buffer_size);
	free(r);
}

/**
 * ringbuf_reader_fdopen() - Make a reader of an open file
 * @reader: the reader
 * @fd: a ring, open for reading; the reader's from then on, if this succeeds
 * @flags: RINGBUF_READER_*
 *
 * Goes on where the file's cursor is.
 *
 * Return: 0; -EINVAL for unknown flags, -ENOTTY when @fd is no ring, -EBADF when
 * it is not open for reading, -EPERM for RINGBUF_READER_RELIABLE when the ring
 * does not allow that, -ENOMEM, -EBADMSG when the ring makes no sense.
 */
int ringbuf_reader_fdopen(struct ringbuf_reader **reader, int fd,
			  unsigned int flags)
{
	struct reader *r;
	int ret;

	*reader = NULL;
	if (flags & ~READER_FLAGS)
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->fd = fd;
	r->flags = flags;
	ret = start(r);
	if (ret) {
		free_reader(r);
		return ret;
	}
	*reader = &r->pub;
	return 0;
}

/**
 * ringbuf_reader_open() - Open a ring for reading, at its oldest record
 * @reader: the reader, for ringbuf_reader_close()
 * @name: NULL for /dev/ringbuf, NAME for /dev/ringbuf-NAME, or a path
 * @flags: RINGBUF_READER_*
 *
 * Return: 0 or a negative errno: those of open(), such as -ENOENT, -EACCES and
 * -EUSERS, and those of ringbuf_reader_fdopen().
 */
int ringbuf_reader_open(struct ringbuf_reader **reader, const char *name,
			unsigned int flags)
{
	int ret, fd = open_ring(name, O_RDONLY);

	*reader = NULL;
	if (fd < 0)
		return fd;
	ret = ringbuf_reader_fdopen(reader, fd, flags);
	if (ret)
		close(fd);
	return ret;
}

/**
 * ringbuf_reader_close() - Close a reader and its file
 * @reader: the reader, or NULL
 */
void ringbuf_reader_close(struct ringbuf_reader *reader)
{
	if (!reader)
		return;
	close(whole(reader)->fd);
	free_reader(whole(reader));
}

/**
 * ringbuf_reader_fd() - The reader's file, to poll
 * @reader: the reader
 *
 * ringbuf_arm() says when it is right to sleep on it.
 *
 * Return: the file, which stays the reader's.
 */
int ringbuf_reader_fd(const struct ringbuf_reader *reader)
{
	return ((const struct reader *)reader)->fd;
}

/**
 * ringbuf_reader_mapped() - Does it read in place?
 * @reader: the reader
 *
 * Return: false when records come by read().
 */
bool ringbuf_reader_mapped(const struct ringbuf_reader *reader)
{
	return ((const struct reader *)reader)->page;
}

/**
 * ringbuf_reader_info() - Describe the reader's ring
 * @reader: the reader
 * @info: all is filled in
 *
 * Return: 0 or a negative errno.
 */
int ringbuf_reader_info(const struct ringbuf_reader *reader,
			struct ringbuf_info *info)
{
	return get_info(((const struct reader *)reader)->fd, info);
}

/**
 * ringbuf_reader_stats() - The reader's account
 * @reader: the reader
 * @stats: all is filled in, as RINGBUF_IOC_GET_STATS does
 *
 * Exact, at any time: what was released, what was lost, what waits. The kernel's
 * own account of a mapped reader knows only what it was told. Only the largest lag is
 * the kernel's, which tells how near the reader has come to a loss: of a mapped reader
 * it counts what was read and not told, a quarter of the ring at most; of one by
 * read() it does not count what has been fetched, which cannot be lost.
 *
 * Return: 0 or a negative errno.
 */
int ringbuf_reader_stats(const struct ringbuf_reader *reader,
			 struct ringbuf_stats *stats)
{
	const struct reader *r = (const struct reader *)reader;
	uint64_t lost_bytes = 0, lost_records = 0;
	struct ringbuf_stats kernel;
	struct ringbuf_info info;
	uint64_t pos, seq;	/* where the records that are not at hand begin */
	int ret = get_stats(r->fd, &kernel);

	ret = ret ?: get_info(r->fd, &info);
	if (ret)
		return ret;
	if (r->page) {
		pos = place(r);
		seq = place_seq(r);
	} else {
		pos = kernel.pos;
		seq = kernel.seq;
		stream_lost(r, &lost_bytes, &lost_records);
	}
	memset(stats, 0, sizeof(*stats));
	stats->flags = kernel.flags & RINGBUF_STATS_DEMOTED;
	if (before(pos, info.tail)) {
		stats->flags |= RINGBUF_STATS_OVERRUN;
		lost_bytes += info.tail - pos;
		lost_records += info.tail_seq - seq;
	}
	stats->struct_size = sizeof(*stats);
	stats->pos = place(r);
	stats->seq = place_seq(r);
	stats->lag_bytes = info.head - stats->pos - lost_bytes;
	stats->lag_records = info.head_seq - stats->seq - lost_records;
	stats->lost_bytes = r->lost_bytes + lost_bytes;
	stats->lost_records = r->lost_records + lost_records;
	stats->read_bytes = stats->pos - r->first_pos - r->lost_bytes;
	stats->read_records = stats->seq - r->first_seq - r->lost_records;
	stats->max_lag_bytes = kernel.max_lag_bytes;
	stats->max_lag_records = kernel.max_lag_records;
	return 0;
}

/*
 * The device seeks to no place that is relative to the cursor, since programs would
 * count bytes with it. Here it is about records.
 */
static int64_t seek_device(const struct reader *r, int64_t *offset, int *whence)
{
	int64_t seq;

	if (*whence == SEEK_CUR) {
		*whence = SEEK_SET;
		if (__builtin_add_overflow((int64_t)place_seq(r), *offset, offset))
			return -EINVAL;
	}
	seq = lseek(r->fd, *offset, *whence);
	return seq < 0 ? -errno : seq;
}

/*
 * Records that a seek lost: those that the tail has passed, from the reader's
 * place on, and those from @wanted to where it got, @seq; none twice.
 */
static uint64_t seek_lost(const struct reader *r,
			  const struct ringbuf_info *info, uint64_t wanted,
			  uint64_t seq)
{
	uint64_t from = place_seq(r), to = from, lost = seq - wanted;

	if (before(place(r), info->tail))
		to = info->tail_seq;
	if (before(wanted, to) && before(from, seq))
		lost -= (before(seq, to) ? seq : to) -
			(before(wanted, from) ? from : wanted);
	return lost + to - from;
}

/**
 * ringbuf_reader_seek() - Go to a sequence number
 * @reader: the reader
 * @offset: as for lseek()
 * @whence: SEEK_SET to @offset, SEEK_CUR so many records on or back, SEEK_END so
 *	many before the next record, SEEK_DATA (0) to the oldest record
 *
 * To a record that is gone it goes as far back as it can, and the gap counts as
 * lost. SEEK_END goes no further back than to the oldest record, and has no gap.
 *
 * Return: the sequence number where it is now; -EINVAL when that would be
 * negative or beyond the next record, -EINTR after a signal.
 */
int64_t ringbuf_reader_seek(struct ringbuf_reader *reader, int64_t offset,
			    int whence)
{
	struct reader *r = whole(reader);
	struct ringbuf_stats stats;
	struct ringbuf_info info;
	uint64_t lost, lost_bytes = 0;
	int64_t seq;
	int ret;

	/* The kernel's account then knows what was read. */
	ret = r->page ? map_advance(r) : 0;
	ret = ret ?: get_info(r->fd, &info);
	if (ret)
		return ret;
	seq = seek_device(r, &offset, &whence);
	if (seq < 0)
		return seq;
	ret = get_stats(r->fd, &stats);
	if (ret)
		return ret;
	lost = seek_lost(r, &info, whence == SEEK_SET ? (uint64_t)offset : stats.seq,
			 stats.seq);
	if (before(place(r), info.tail))
		lost_bytes = info.tail - place(r);

	r->first_pos += stats.pos - place(r) - lost_bytes;
	r->first_seq += stats.seq - place_seq(r) - lost;
	r->lost_bytes += lost_bytes;
	r->lost_records += lost;
	reader->at = stats.pos;
	reader->seq = stats.seq;
	reader->end = stats.pos;
	reader->head = NULL;
	reader->frame = 0;
	reader->gap = 0;
	reader->gap_bytes = 0;
	r->advanced = stats.pos;
	r->seen = stats.pos;
	r->skipped_bytes = 0;
	r->skipped_records = 0;
	if (!r->page)
		stream_drop(r);
	return stats.seq;
}

/**
 * ringbuf_read() - The next record, as a copy that stays
 * @reader: the reader
 * @entry: the record, good until the next call for this reader
 *
 * Return: as ringbuf_next().
 */
int ringbuf_read(struct ringbuf_reader *reader, struct ringbuf_entry *entry)
{
	struct reader *r = whole(reader);
	int ret;

	do {
		ret = ringbuf_next(reader, entry);
		if (ret <= 0)
			return ret;
		if (r->page) {
			memcpy(r->buffer, entry->data, entry->len);
			entry->data = r->buffer;
		}
	} while (!ringbuf_release(reader));
	return 1;
}

/* The rest of ringbuf_next(). */
int ringbuf_find_(struct ringbuf_reader *reader)
{
	struct reader *r = whole(reader);

	return r->page ? map_find(r) : stream_find(r);
}

/* The rest of ringbuf_release(). */
void ringbuf_lose_(struct ringbuf_reader *reader)
{
	struct reader *r = whole(reader);

	r->lost_bytes += reader->gap_bytes;
	r->lost_records += reader->gap;
	reader->gap_bytes = 0;
	reader->gap = 0;
}
