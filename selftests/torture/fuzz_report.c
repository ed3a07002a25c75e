// SPDX-License-Identifier: GPL-2.0
/*
 * A consumer that looks on and checks what it gets; and what came of it all: how
 * many calls, what they gave, and whether that is what they may give.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* The stream as a lossy consumer sees it. */
struct stream {
	uint64_t seq;
	uint64_t time_ns;
	struct ringbuf_stats sum;
};

static bool check_frame(struct stream *s, const struct ringbuf_record *rec)
{
	const struct ringbuf_lost *lost = (const void *)(rec + 1);
	const unsigned char *payload = (const void *)(rec + 1);
	uint64_t i, frame = RINGBUF_FRAME_SIZE(rec->len);

	if (rec->seq != s->seq)
		return false;
	if (rec->flags == RINGBUF_RECORD_LOST) {
		s->seq += lost->records;
		s->sum.lost_records += lost->records;
		s->sum.lost_bytes += lost->bytes;
		return rec->len == sizeof(*lost);
	}
	for (i = rec->len; i < frame - sizeof(*rec); i++)
		if (payload[i])
			return false;
	if (rec->flags || !rec->len || rec->time_ns < s->time_ns || !rec->time_ns)
		return false;
	s->time_ns = rec->time_ns;
	s->seq++;
	s->sum.read_records++;
	s->sum.read_bytes += frame;
	return true;
}

static bool check_frames(struct stream *s, const char *buf, size_t len)
{
	const struct ringbuf_record *rec;
	size_t at = 0;

	while (at < len) {
		rec = (const void *)(buf + at);
		if (len - at < sizeof(*rec) || RINGBUF_FRAME_SIZE(rec->len) > len - at ||
		    !check_frame(s, rec)) {
			finding("watcher: frame of %u bytes, flags %#x, seq %llu, not %llu",
				rec->len, rec->flags, (unsigned long long)rec->seq,
				(unsigned long long)s->seq);
			return false;
		}
		at += RINGBUF_FRAME_SIZE(rec->len);
	}
	return true;
}

static void check_account(int fd, const struct stream *s, const struct ringbuf_stats *first)
{
	struct ringbuf_stats last = { .struct_size = sizeof(last) };

	if (ioctl(fd, RINGBUF_IOC_GET_STATS, &last)) {
		finding("watcher: no account");
		return;
	}
	if (last.seq != s->seq || last.read_records != s->sum.read_records ||
	    last.lost_records != s->sum.lost_records ||
	    last.read_bytes != s->sum.read_bytes ||
	    last.lost_bytes != s->sum.lost_bytes ||
	    last.pos - first->pos != last.read_bytes + last.lost_bytes)
		finding("watcher: the account is wrong: read %llu, lost %llu, seq %llu of %llu",
			(unsigned long long)last.read_records,
			(unsigned long long)last.lost_records,
			(unsigned long long)last.seq, (unsigned long long)s->seq);
}

/* Reads on until all have stopped, now and then slowly. */
void watch(const char *device)
{
	struct ringbuf_consumer framed = {
		.struct_size = sizeof(framed), .flags = RINGBUF_CONSUMER_FRAMED,
	};
	struct ringbuf_stats first = { .struct_size = sizeof(first) };
	int fd = open(device, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	size_t size = 1 << 20;
	char *buf = malloc(size);
	struct stream s = {};
	unsigned int reads = 0;
	struct pollfd p = { fd, POLLIN, 0 };
	ssize_t n;

	if (fd < 0 || !buf || ioctl(fd, RINGBUF_IOC_SET_CONSUMER, &framed) ||
	    ioctl(fd, RINGBUF_IOC_GET_STATS, &first)) {
		finding("watcher: cannot open %s", device);
		return;
	}
	s.seq = first.seq;
	for (;;) {
		n = read(fd, buf, size);
		if (n > 0 && !check_frames(&s, buf, n))
			break;
		if (n < 0 && errno != EAGAIN) {
			finding("watcher: read: %s", strerrorname_np(errno));
			break;
		}
		if (n < 0 && atomic_load(&shared->stop))
			break;
		if (n < 0)
			poll(&p, 1, 20);
		if (!(++reads % 64))
			usleep(100000);
	}
	check_account(fd, &s, &first);
	atomic_store(&shared->watched, s.sum.read_records);
	atomic_store(&shared->watched_lost, s.sum.lost_records);
	free(buf);
	close(fd);
}

/*
 * What each call has to have given when it was made often enough, else this is no
 * test of it; and what else it may give. "0" is success; EBADF is for files that
 * are closed, or not open for that.
 */
static const struct {
	enum call call;
	const char *must;
	const char *may;
} expected[] = {
	{ C_open, "0 EBUSY", "EINVAL EEXIST ENOTDIR EACCES EPERM EINTR ENOENT EUSERS" },
	{ C_close, "0 EBADF", "" },
	{ C_dup, "0 EBADF EINVAL", "EBUSY" },
	{ C_fcntl, "0 EBADF EINVAL", "EPERM EACCES EAGAIN" },
	{ C_read, "0 EBADF EAGAIN EPIPE EMSGSIZE EFAULT", "EINTR EINVAL ENODEV" },
	{ C_readv, "0 EBADF EAGAIN EPIPE EMSGSIZE EFAULT EINVAL", "EINTR ENODEV" },
	{ C_preadv2, "0 EBADF EAGAIN EOPNOTSUPP", "EPIPE EMSGSIZE EFAULT EINTR EINVAL ENODEV" },
	{ C_pread, "ESPIPE EBADF", "EINVAL" },
	{ C_write, "0 EBADF EMSGSIZE EFAULT", "EAGAIN EINTR EINVAL ENODEV" },
	{ C_writev, "0 EBADF EINVAL EFAULT", "EMSGSIZE EAGAIN EINTR ENODEV" },
	{ C_pwritev2, "0 EBADF", "EOPNOTSUPP EAGAIN EMSGSIZE EFAULT EINTR EINVAL ENODEV" },
	{ C_pwrite, "ESPIPE EBADF", "EINVAL" },
	{ C_write_framed, "0 EBADF EINVAL", "EMSGSIZE EFAULT EAGAIN EINTR ENODEV" },
	{ C_lseek, "0 EINVAL EBADF ESPIPE", "EINTR" },
	{ C_get_info, "0 EBADF EFAULT EINVAL", "E2BIG" },
	{ C_set_consumer, "0 EBADF EFAULT EINVAL", "E2BIG EPERM ENOMEM" },
	{ C_get_consumer, "0 EBADF EFAULT EINVAL", "E2BIG" },
	{ C_get_stats, "0 EBADF EFAULT EINVAL", "E2BIG" },
	{ C_set_writer, "0 EBADF EINVAL EFAULT", "E2BIG EPERM" },
	{ C_advance, "0 EBADF EINVAL EFAULT", "E2BIG EINTR" },
	{ C_fionread, "0 EBADF EFAULT", "" },
	{ C_ioctl, "0 ENOTTY EBADF", "EFAULT EINVAL E2BIG EPERM EOPNOTSUPP ENOIOCTLCMD" },
	{ C_ioctl32, "0 EBADF EINVAL EFAULT ENOTTY", "E2BIG EPERM" },
	{ C_poll, "0", "EINTR" },
	{ C_select, "0 EBADF", "EINTR" },
	{ C_epoll_ctl, "0 EBADF EEXIST ENOENT", "EINVAL EPERM ENOMEM" },
	{ C_epoll_wait, "0", "EINTR" },
	{ C_mmap, "0 EINVAL EPERM EACCES EBADF", "EAGAIN EOVERFLOW EOPNOTSUPP ENODEV ENOMEM" },
	{ C_munmap, "0", "ENOMEM EINVAL" },
	{ C_mprotect, "0 EACCES ENOMEM", "EINVAL" },
	{ C_mremap, "0 EFAULT", "EINVAL ENOMEM EAGAIN EPERM" },
	{ C_madvise, "0 ENOMEM EINVAL", "EAGAIN EBADF EIO EACCES EPERM EFAULT EBUSY" },
	{ C_mlock, "0 ENOMEM", "EAGAIN EINVAL EPERM" },
	{ C_msync, "0 ENOMEM EINVAL", "EBUSY EIO" },
	{ C_mincore, "0 ENOMEM", "EFAULT EINVAL EAGAIN" },
	{ C_remap_file_pages, "EINVAL", "0 EACCES EPERM ENOMEM EAGAIN EINTR EBADF" },
	{ C_load, "0 EFAULT", "" },
	{ C_store, "EFAULT", "" },
	{ C_mem_write, "EIO", "EFAULT ESRCH" },
	{ C_vm_writev, "", "EFAULT EPERM ENOSYS" },
	{ C_fork, "0", "EAGAIN ENOMEM EINTR" },
	{ C_kill, "0", "ESRCH EPERM" },
	{ C_scm, "0 EBADF EAGAIN", "ETOOMANYREFS EINTR" },
	{ C_splice_out, "EBADF", "0 EAGAIN EINVAL EINTR EPIPE EMSGSIZE ENODEV ENOMEM" },
	{ C_splice_in, "EBADF", "0 EAGAIN EINVAL EINTR EMSGSIZE ENODEV EFAULT" },
	{ C_sendfile, "EBADF", "0 EAGAIN EINVAL EINTR EPIPE EMSGSIZE ENODEV ENOMEM" },
	{ C_copy_range, "EBADF EINVAL", "0 EPERM EXDEV" },
	{ C_fdinfo, "0 ENOENT", "EINTR" },
	{ C_stat, "0 EBADF", "" },
	{ C_file_misc, "0 EBADF EINVAL",
	  "ENODEV EOPNOTSUPP ESPIPE EAGAIN EPERM EFBIG EACCES EINTR ENOSYS" },
	{ C_uring_enter, "0", "EINTR EBUSY EAGAIN EBADR ETIME" },
	{ C_uring_read, "0 EBADF EFAULT",
	  "EAGAIN EPIPE EMSGSIZE EINTR EINVAL ENODEV ECANCELED ESPIPE" },
	{ C_uring_write, "0 EBADF EFAULT EMSGSIZE", "EAGAIN EINTR EINVAL ENODEV ECANCELED ESPIPE" },
	{ C_uring_poll, "0 EBADF ECANCELED", "EINVAL ENOENT EALREADY" },
	{ C_uring_other, "ENOENT", "0 EALREADY EBADF EINVAL ECANCELED ESPIPE EOPNOTSUPP" },
};

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);
	const char *at = words;

	while ((at = strstr(at, word))) {
		if ((at == words || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
		at += n;
	}
	return false;
}

static void errno_name(int error, char *name, size_t size)
{
	const char *known = strerrorname_np(error);

	if (known)
		snprintf(name, size, "%s", known);
	else
		snprintf(name, size, "errno-%d", error);
}

/* One line of the table. */
static void show_counts(enum call call, const struct counts *c)
{
	char name[24];
	int e;

	printf("# %-16s %9llu  ok %9llu", call_names[call],
	       (unsigned long long)c->calls, (unsigned long long)c->ok);
	for (e = 1; e < MAX_ERRNO; e++) {
		if (!c->err[e])
			continue;
		errno_name(e, name, sizeof(name));
		printf("  %s %llu", name, (unsigned long long)c->err[e]);
	}
	printf("\n");
}

/* What a call gave that it must not, and what it has not given. */
static bool check_counts(const struct counts *c, const char *must, const char *may)
{
	char words[256], name[24], *word, *rest;
	bool good = true;
	int e;

	for (e = 1; e < MAX_ERRNO; e++) {
		errno_name(e, name, sizeof(name));
		if (!c->err[e] || has_word(must, name) || has_word(may, name))
			continue;
		printf("# gave %s, which it must not\n", name);
		good = false;
	}
	/* A rare call says nothing of what is reached. */
	if (c->calls < 3000)
		return good;
	snprintf(words, sizeof(words), "%s", must);
	for (word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		bool seen = !strcmp(word, "0") && c->ok;

		for (e = 1; e < MAX_ERRNO && !seen; e++) {
			errno_name(e, name, sizeof(name));
			seen = c->err[e] && !strcmp(name, word);
		}
		if (seen)
			continue;
		printf("# has never given %s\n", word);
		good = false;
	}
	return good;
}

static bool tell(bool good, const char *name)
{
	static unsigned int count;

	printf("%sok %u %s\n", good ? "" : "not ", ++count, name);
	return good;
}

/* The table, and TAP of it. */
bool report(double seconds)
{
	unsigned long long calls = shared->calls;
	unsigned int i;
	bool good = true;

	printf("TAP version 13\n1..%zu\n", ARRAY_SIZE(expected) + 2);
	printf("# seed %llu: %llu calls in %.1f s, %.0f a second\n",
	       (unsigned long long)options.seed, calls, seconds, calls / seconds);
	if (shared->digest)
		printf("# digest %016llx\n", (unsigned long long)shared->digest);
	for (i = 0; i < N_CALLS; i++)
		show_counts(i, &shared->counts[i]);
	for (i = 0; i < ARRAY_SIZE(expected); i++)
		good &= tell(check_counts(&shared->counts[expected[i].call],
					  expected[i].must, expected[i].may),
			     call_names[expected[i].call]);
	for (i = 0; i < ARRAY_SIZE(shared->findings) && i < (unsigned int)shared->finding; i++)
		printf("# %s\n", shared->findings[i]);
	good &= tell(!shared->finding, "nothing found");
	printf("# the watcher read %llu records and lost %llu\n",
	       (unsigned long long)shared->watched,
	       (unsigned long long)shared->watched_lost);
	good &= tell(shared->watched > 0, "a consumer read all the while");
	return good;
}
