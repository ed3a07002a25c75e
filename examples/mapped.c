// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A reader in place, in an event loop of its own: prints the records that begin
 * with WORD; the others are looked at in the ring and never copied. SIGINT and
 * SIGTERM end it, with its account.
 *
 *	mapped [WORD [RING]]
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <libringbuf.h>

/* Look at some records: 1 when there may be more, 0, or a negative errno. */
static int look(struct ringbuf_reader *r, const char *word)
{
	size_t len, word_len = strlen(word);
	struct ringbuf_entry e;
	char text[256];
	int i, ret;

	/* Not for ever, however fast the writer is: signals want to be seen. */
	for (i = 0; i < 1000; i++) {
		ret = ringbuf_next(r, &e);
		if (ret <= 0)
			return ret;
		len = 0;
		if (e.len >= word_len && !memcmp(e.data, word, word_len)) {
			len = e.len < sizeof(text) ? e.len : sizeof(text);
			memcpy(text, e.data, len);
		}
		/*
		 * The writer may have overwritten the record meanwhile. Only now
		 * it is sure what that was, and right to act on it. (To act on it
		 * and keep it, ask ringbuf_intact() instead.)
		 */
		if (!ringbuf_release(r))
			continue;	/* the next one's e.lost tells */
		if (e.lost)
			printf("lost %" PRIu64 " records\n", e.lost);
		if (len)
			printf("%" PRIu64 ": %.*s\n", e.seq, (int)len, text);
	}
	return 1;
}

static int loop(struct ringbuf_reader *r, const char *word, int epfd, int sigfd)
{
	struct epoll_event ev[2];
	bool hup = false;
	int ret, i, n;

	for (;;) {
		ret = look(r, word);
		if (fflush(stdout))
			return -errno;
		/* Before any sleep: 1 when a record came after look(). */
		if (!ret)
			ret = ringbuf_arm(r);
		if (ret < 0)
			return ret;
		if (!ret && hup)
			return -ENODEV;
		n = epoll_wait(epfd, ev, 2, ret ? 0 : -1);
		if (n < 0 && errno != EINTR)
			return -errno;
		for (i = 0; i < n; i++) {
			if (ev[i].data.fd == sigfd)
				return 0;
			if (ev[i].events & EPOLLHUP)
				hup = true;
		}
	}
}

static int watch(int epfd, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev);
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	const char *name = argc > 2 ? argv[2] : NULL;
	struct ringbuf_reader *r;
	struct ringbuf_stats stats;
	int ret, epfd, sigfd;
	sigset_t signals;

	ret = ringbuf_reader_open(&r, name, 0);
	if (ret) {
		fprintf(stderr, "%s: %s\n", name ? name : "ringbuf", strerror(-ret));
		return 1;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	sigfd = signalfd(-1, &signals, SFD_CLOEXEC);
	epfd = epoll_create1(EPOLL_CLOEXEC);
	if (sigfd < 0 || epfd < 0 || watch(epfd, sigfd) ||
	    watch(epfd, ringbuf_reader_fd(r))) {
		perror("epoll");
		return 1;
	}
	ret = loop(r, word, epfd, sigfd);
	if (!ret)
		ret = ringbuf_reader_stats(r, &stats);
	if (ret)
		fprintf(stderr, "mapped: %s\n", strerror(-ret));
	else
		printf("read %llu, lost %llu, waiting %llu\n",
		       (unsigned long long)stats.read_records,
		       (unsigned long long)stats.lost_records,
		       (unsigned long long)stats.lag_records);
	ringbuf_reader_close(r);
	return ret != 0;
}
