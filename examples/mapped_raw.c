// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The protocol of a mapped reader, written out: the steps are those of struct
 * ringbuf_page in linux/ringbuf.h. libringbuf does this, and more, for you.
 *
 *	mapped_raw [DEVICE]
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/ringbuf.h>

#define LOAD(p)	__atomic_load_n(&(p), __ATOMIC_ACQUIRE)

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : "/dev/ringbuf";
	struct ringbuf_info info = { .struct_size = sizeof(info) };
	struct ringbuf_stats stats = { .struct_size = sizeof(stats) };
	struct ringbuf_advance to = { .struct_size = sizeof(to) };
	struct pollfd pfd = { .events = POLLIN };
	const struct ringbuf_page *page;
	const struct ringbuf_head *ends;
	const struct ringbuf_record *rec;
	unsigned long long pos, seq, rec_seq, head, tail;
	size_t page_size = sysconf(_SC_PAGESIZE);
	size_t len, n;
	char text[256];
	char *data;

	pfd.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (pfd.fd < 0 || ioctl(pfd.fd, RINGBUF_IOC_GET_INFO, &info) ||
	    ioctl(pfd.fd, RINGBUF_IOC_GET_STATS, &stats)) {
		perror(path);
		return 1;
	}
	page = mmap(NULL, page_size, PROT_READ, MAP_SHARED, pfd.fd, 0);
	ends = mmap(NULL, page_size, PROT_READ, MAP_SHARED, pfd.fd,
		    info.head_offset);
	data = mmap(NULL, 2 * info.data_size, PROT_READ, MAP_SHARED, pfd.fd,
		    info.data_offset);
	if (page == MAP_FAILED || ends == MAP_FAILED || data == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	pos = stats.pos;
	to.pos = pos;
	seq = stats.seq;
	for (;;) {
		tail = LOAD(page->tail);			/* 1 */
		head = LOAD(ends->head);
		if (pos < tail)					/* 2 */
			pos = tail;
		if (pos == head) {				/* 3 */
			if (pfd.revents & POLLHUP)
				return 0;
			to.pos = pos;
			if (fflush(stdout) ||
			    ioctl(pfd.fd, RINGBUF_IOC_ADVANCE, &to) ||
			    poll(&pfd, 1, -1) < 0) {
				perror(path);
				return 1;
			}
			continue;
		}
		/* Or its account would count as lost what has long been read. */
		if (pos - to.pos >= info.data_size / 4) {
			to.pos = pos;
			if (ioctl(pfd.fd, RINGBUF_IOC_ADVANCE, &to)) {
				perror(path);
				return 1;
			}
		}
		rec = (void *)(data + (pos & (info.data_size - 1)));
		len = LOAD(rec->len);				/* 4 */
		rec_seq = LOAD(rec->seq);
		n = len < sizeof(text) ? len : sizeof(text);
		memcpy(text, rec + 1, n);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);	/* 5 */
		if (pos < LOAD(page->tail))
			continue;
		if (rec_seq != seq)
			printf("lost %llu records\n", rec_seq - seq);
		printf("%llu: %.*s\n", rec_seq, (int)n, text);
		seq = rec_seq + 1;
		pos += RINGBUF_FRAME_SIZE(len);
	}
}
