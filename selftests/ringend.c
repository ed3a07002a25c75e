// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a ring, for those who have it open: what is retained can be read to
 * the last, nothing can be written, and everything else works as before.
 */
#include "ringend.h"
#include "map.h"
#include "uffd.h"

#include <sys/wait.h>

#define SIZE	4096
#define LEN	100
#define F(len)	((int)RINGBUF_FRAME_SIZE(len))
#define DEAD	RINGBUF_RING_DEAD

TEST_F(ring, a_plain_reader_gets_all_then_enodev)
{
	ASSERT_EQ(0, rb_put_many(self->w, 0, 10, LEN));
	ASSERT_EQ(LEN, rb_get(self->r, 0));
	END();
	for (int n = 1; n < 10; n++)
		EXPECT_EQ(LEN, rb_get(self->r, n));
	for (int k = 0; k < 3; k++)
		EXPECT_EQ(-ENODEV, rb_get(self->r, 10));
	/* In pieces, too: the end comes after the last of them. */
	ASSERT_EQ(9, lseek(self->r, 9, SEEK_SET));
	for (int at = 0; at < LEN; at += LEN / 4) {
		EXPECT_EQ(LEN - at, rb_fionread(self->r));
		EXPECT_EQ(LEN / 4, RC(read(self->r, rb_in + at, LEN / 4)));
	}
	EXPECT_TRUE(rb_intact(rb_in, LEN, 9));
	EXPECT_EQ(-ENODEV, RC(read(self->r, rb_in, 1)));
	ASSERT_EQ(0, rb_set_consumer(self->r, RINGBUF_CONSUMER_EOF));
	/* Whether the writer is still there or not. */
	EXPECT_EQ(0, RC(read(self->r, rb_in, 1)));
	close(self->w);
	self->w = -1;
	EXPECT_EQ(0, RC(read(self->r, rb_in, 1)));
	EXPECT_EQ(0, RC(read(self->r, rb_in, 0)));
	EXPECT_EQ(-EBADF, RC(write(self->r, rb_out, LEN)));
}

TEST_F(ring, a_reader_that_would_block_gets_all_then_enodev)
{
	struct rb_op op;

	ASSERT_EQ(0, rb_put_many(self->w, 0, 3, LEN));
	fcntl(self->r, F_SETFL, 0);
	END();
	for (int n = 0; n < 4; n++) {
		ASSERT_EQ(0, rb_op_start(&op, SYS_read, self->r, rb_in, RB_MAX));
		EXPECT_EQ(n < 3 ? LEN : -ENODEV, rb_op_wait(&op));
	}
}

TEST_F(ring, a_framed_reader_gets_all_then_enodev)
{
	ASSERT_EQ(0, rb_put_many(self->w, 0, 10, LEN));
	ASSERT_EQ(0, rb_set_consumer(self->r, FRAMED));
	END();
	ASSERT_EQ(4 * F(LEN), RC(read(self->r, rb_in, 4 * F(LEN) + 50)));
	ASSERT_EQ(6 * F(LEN), RC(read(self->r, rb_in, RB_MAX)));
	for (int n = 0; n < 6; n++)
		EXPECT_TRUE(rb_frame_ok((void *)(rb_in + n * F(LEN)), 4 + n, LEN));
	EXPECT_EQ(-ENODEV, RC(read(self->r, rb_in, RB_MAX)));
	EXPECT_EQ(-ENODEV, RC(read(self->r, rb_in, 1)));
}

TEST_F(ring, readv_and_splice_get_all_then_enodev)
{
	struct iovec v[2] = { { rb_in, 30 }, { rb_in + 30, 70 } };
	int p[2];

	ASSERT_EQ(0, rb_put_many(self->w, 0, 3, LEN));
	END();
	for (int n = 0; n < 2; n++) {
		EXPECT_EQ(LEN, RC(readv(self->r, v, 2)));
		EXPECT_TRUE(rb_intact(rb_in, LEN, n));
	}
	ASSERT_EQ(0, pipe2(p, O_NONBLOCK));
	EXPECT_EQ(LEN, RC(splice(self->r, NULL, p[1], NULL, 4096, 0)));
	EXPECT_EQ(LEN, read(p[0], rb_in, RB_MAX));
	EXPECT_TRUE(rb_intact(rb_in, LEN, 2));
	EXPECT_EQ(-ENODEV, RC(readv(self->r, v, 2)));
	EXPECT_EQ(-ENODEV, RC(splice(self->r, NULL, p[1], NULL, 4096, 0)));
	close(p[0]);
	close(p[1]);
}

TEST_F(ring, a_consumer_that_asked_for_an_end_is_told_of_it)
{
	ASSERT_EQ(0, rb_put_many(self->w, 0, 2, LEN));
	ASSERT_EQ(0, rb_set_consumer(self->r, ENDS));
	END();
	EXPECT_EQ(LEN, rb_get(self->r, 0));
	EXPECT_EQ(LEN, rb_get(self->r, 1));
	EXPECT_EQ(0, rb_get(self->r, 2));
	close(self->w);
	self->w = -1;
	EXPECT_EQ(0, rb_get(self->r, 2));
	EXPECT_EQ(0, rb_get(self->r, 2));
	ASSERT_EQ(0, rb_set_consumer(self->r, 0));
	EXPECT_EQ(-ENODEV, rb_get(self->r, 2));
}

/* What was lost comes first. */
TEST_F(ring, an_overrun_then_the_records_then_enodev)
{
	struct ringbuf_stats s;
	struct ringbuf_info i;
	uint64_t n;

	ASSERT_EQ(0, rb_put_many(self->w, 0, 200, LEN));
	END();
	ASSERT_EQ(0, rb_info(self->r, &i));
	ASSERT_LT(0, i.tail_seq);
	EXPECT_EQ(POLLIN | POLLRDNORM | POLLPRI | POLLHUP, all_events(self->r));
	EXPECT_EQ(-EPIPE, rb_get(self->r, 0));
	EXPECT_EQ(POLLIN | POLLRDNORM | POLLHUP, all_events(self->r));
	for (n = i.tail_seq; n < 200; n++)
		ASSERT_EQ(LEN, rb_get(self->r, n));
	EXPECT_EQ(-ENODEV, rb_get(self->r, 200));
	ASSERT_EQ(0, rb_stats(self->r, &s));
	EXPECT_EQ(i.tail_seq, s.lost_records);
	EXPECT_EQ(i.tail_seq * F(LEN), s.lost_bytes);
	EXPECT_EQ(200 - i.tail_seq, s.read_records);
	EXPECT_EQ(0, s.lag_records);
	EXPECT_EQ(0, s.flags);
}

TEST_F(ring, an_overrun_in_band_then_the_frames_then_enodev)
{
	const struct ringbuf_record *rec = (void *)rb_in;
	struct ringbuf_info i;
	int len, count = 0;

	ASSERT_EQ(0, rb_set_consumer(self->r, FRAMED));
	ASSERT_EQ(0, rb_put_many(self->w, 0, 200, LEN));
	END();
	ASSERT_EQ(0, rb_info(self->r, &i));
	EXPECT_EQ(RB_LOST_FRAME, rb_fionread(self->r));
	len = RC(read(self->r, rb_in, RB_MAX));
	ASSERT_LT(RB_LOST_FRAME, len);
	ASSERT_TRUE(rb_lost(rec) != NULL);
	EXPECT_EQ(0, rec->seq);
	EXPECT_EQ(i.tail_seq, rb_lost(rec)->records);
	for (rec = rb_next(rec); (uint8_t *)rec < rb_in + len; rec = rb_next(rec))
		EXPECT_TRUE(rb_frame_ok(rec, i.tail_seq + count++, LEN));
	EXPECT_EQ(200 - i.tail_seq, count);
	EXPECT_EQ(-ENODEV, RC(read(self->r, rb_in, RB_MAX)));
}

TEST_F(ring, nothing_can_be_written)
{
	struct iovec v[2] = { { rb_out, 30 }, { rb_out + 30, 70 } };
	struct ringbuf_info before, after;

	ASSERT_EQ(LEN, rb_put(self->w, 0, LEN));
	END();
	ASSERT_EQ(0, rb_info(self->w, &before));
	for (int k = 0; k < 2; k++) {
		EXPECT_EQ(-ENODEV, rb_put(self->w, 1, LEN));
		EXPECT_EQ(-ENODEV, rb_put(self->w, 1, 1));
		EXPECT_EQ(-ENODEV, rb_put(self->w, 1, SIZE / 4 - 24));
		EXPECT_EQ(-ENODEV, rb_put(self->w, 1, SIZE / 4));
		EXPECT_EQ(-ENODEV, RC(writev(self->w, v, 2)));
		EXPECT_EQ(-ENODEV, RC(write(self->w, NULL, LEN)));
		EXPECT_EQ(0, RC(write(self->w, rb_out, 0)));
		EXPECT_EQ(0, RC(writev(self->w, v, 0)));
		fcntl(self->w, F_SETFL, O_NONBLOCK);
	}
	fcntl(self->w, F_SETFL, 0);
	ASSERT_EQ(0, rb_set_writer(self->w, RINGBUF_WRITER_FRAMED));
	rb_frame(rb_out, 1, LEN, 1);
	rb_frame(rb_out + F(LEN), 2, LEN, 1);
	EXPECT_EQ(-ENODEV, RC(write(self->w, rb_out, F(LEN))));
	EXPECT_EQ(-ENODEV, RC(write(self->w, rb_out, 2 * F(LEN))));
	EXPECT_EQ(0, RC(write(self->w, rb_out, 0)));
	ASSERT_EQ(0, rb_info(self->w, &after));
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	EXPECT_EQ(1, after.head_seq);
	EXPECT_EQ(0, after.dropped);
}

TEST_F(ring, a_held_writer_is_told)
{
	struct rb_op op[3];

	ASSERT_EQ(0, rb_set_consumer(self->r, RELIABLE));
	ASSERT_EQ(0, rb_put_many(self->w, 0, 32, 104));
	for (int k = 0; k < 3; k++)
		ASSERT_TRUE(rb_op_block(&op[k], SYS_write, self->w, rb_out, 104));
	END();
	for (int k = 0; k < 3; k++)
		EXPECT_EQ(-ENODEV, rb_op_wait(&op[k]));
	fcntl(self->w, F_SETFL, O_NONBLOCK);
	EXPECT_EQ(-ENODEV, rb_put(self->w, 32, 104));
	for (int n = 0; n < 32; n++)
		EXPECT_EQ(104, rb_get(self->r, n));
	EXPECT_EQ(-ENODEV, rb_get(self->r, 32));
}

TEST_F(ring, a_held_run_is_told_how_far_it_came)
{
	size_t len = 0;
	struct rb_op op;

	ASSERT_EQ(0, rb_set_consumer(self->r, RELIABLE));
	ASSERT_EQ(0, rb_set_writer(self->w, RINGBUF_WRITER_FRAMED));
	for (int n = 0; n < 50; n++)
		len += rb_frame(rb_out + len, n, 104, 0);
	ASSERT_TRUE(rb_op_block(&op, SYS_write, self->w, rb_out, len));
	END();
	EXPECT_EQ(SIZE, rb_op_wait(&op));
	EXPECT_EQ(-ENODEV, RC(write(self->w, rb_out, len)));
	for (int n = 0; n < 32; n++)
		EXPECT_EQ(104, rb_get(self->r, n));
	EXPECT_EQ(-ENODEV, rb_get(self->r, 32));
}

/* One that has had its time must not keep its writer either. */
TEST_F(ring, a_held_writer_with_a_limit_is_told)
{
	struct rb_op op;
	int w, r;

	ASSERT_EQ(0, ring_new("limit", "size=4096 reliable=1 stall_ms=3600000"));
	w = ring_open("limit", O_WRONLY);
	r = ring_open("limit", O_RDONLY | O_NONBLOCK);
	ASSERT_EQ(0, rb_set_consumer(r, RELIABLE));
	ASSERT_EQ(0, rb_put_many(w, 0, 32, 104));
	ASSERT_TRUE(rb_op_block(&op, SYS_write, w, rb_out, 104));
	ASSERT_EQ(0, ring_end("limit", variant->by_rmdir));
	EXPECT_EQ(-ENODEV, rb_op_wait(&op));
	/* The timer that was to end it goes with the ring. */
	close(w);
	close(r);
}

/*
 * A record that is being written when the ring ends comes before the end or not
 * at all: who was told of the end, or sees it in the page, has seen everything.
 */
TEST_F(ring, nothing_comes_after_the_end)
{
	static char page[65536];
	struct rb_map m;
	struct rb_uffd u;
	const uint8_t *payload;
	struct rb_op op;
	uint64_t head;
	int ret;

	ret = rb_uffd_open(&u);
	if (ret == -ENOSYS)
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, rb_map_fd(&m, self->r));
	ASSERT_EQ(LEN, rb_put(self->w, 0, LEN));
	ASSERT_EQ(0, rb_op_start(&op, SYS_write, self->w, u.mem + u.page - 50, LEN));
	ASSERT_EQ(0, rb_uffd_wait(&u));
	END();
	EXPECT_EQ(LEN, rb_get(self->r, 0));
	EXPECT_EQ(-ENODEV, rb_get(self->r, 1));
	EXPECT_EQ(POLLHUP, all_events(self->r));
	EXPECT_TRUE(m.page->flags & DEAD);
	head = rb_map_head(&m);
	payload = (const void *)(rb_map_at(&m, head) + 1);
	EXPECT_EQ(0xa5, payload[0]);
	ASSERT_EQ(0, rb_uffd_fill(&u, page));
	EXPECT_EQ(-ENODEV, rb_op_wait(&op));
	EXPECT_EQ(head, rb_map_head(&m));
	/* Those who map it do not see what was written of it, either. */
	for (int k = 0; k < LEN; k++)
		EXPECT_EQ(0, payload[k]);
	EXPECT_EQ(POLLHUP, all_events(self->r));
	EXPECT_EQ(-ENODEV, rb_get(self->r, 1));
	close(u.fd);
	rb_unmap(&m);
}

/* As above, a run of which some have come already. */
TEST_F(ring, nothing_of_a_run_comes_after_the_end)
{
	static char page[65536];
	struct rb_uffd u;
	struct rb_op op;
	size_t len = 0;
	int ret;

	ret = rb_uffd_open(&u);
	if (ret == -ENOSYS)
		SKIP(return, "no userfaultfd");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, rb_set_writer(self->w, RINGBUF_WRITER_FRAMED));
	for (int n = 0; n < 24; n++)
		len += rb_frame(rb_out + len, n, 104, 0);
	/* A chunk is a quarter of the ring: the third one is late. */
	memcpy(u.mem + u.page - 20 * F(104), rb_out, 20 * F(104));
	memcpy(page, rb_out + 20 * F(104), 4 * F(104));
	ASSERT_EQ(0, rb_op_start(&op, SYS_write, self->w,
				 u.mem + u.page - 20 * F(104), len));
	ASSERT_EQ(0, rb_uffd_wait(&u));
	END();
	for (int n = 0; n < 16; n++)
		ASSERT_EQ(104, rb_get(self->r, n));
	EXPECT_EQ(-ENODEV, rb_get(self->r, 16));
	ASSERT_EQ(0, rb_uffd_fill(&u, page));
	EXPECT_EQ(16 * F(104), rb_op_wait(&op));
	EXPECT_EQ(-ENODEV, rb_get(self->r, 16));
	close(u.fd);
}

TEST_F(ring, the_ioctls_work_as_before)
{
	struct ringbuf_info before, after;
	struct ringbuf_consumer c = { .struct_size = sizeof(c) };
	struct ringbuf_stats s;
	int n;

	ASSERT_EQ(0, rb_put_many(self->w, 0, 10, LEN));
	ASSERT_EQ(0, rb_info(self->r, &before));
	END();
	ASSERT_EQ(0, rb_info(self->r, &after));
	EXPECT_EQ(before.flags | DEAD, after.flags);
	EXPECT_TRUE(after.flags & RINGBUF_RING_WRITER);
	EXPECT_EQ(SIZE / 4 - 24, after.max_record);
	after.flags &= ~DEAD;
	EXPECT_EQ(0, memcmp(&before, &after, sizeof(after)));
	EXPECT_STREQ(NAME, after.name);
	/* Settings */
	EXPECT_EQ(LEN, rb_fionread(self->r));
	EXPECT_EQ(0, rb_set_mark(self->r, FRAMED | ENDS, 7, 8, 9));
	EXPECT_EQ(F(LEN), rb_fionread(self->r));
	ASSERT_EQ(0, RC(ioctl(self->r, RINGBUF_IOC_GET_CONSUMER, &c)));
	EXPECT_EQ(FRAMED | ENDS, c.flags);
	EXPECT_EQ(7, c.wake_bytes);
	EXPECT_EQ(8, c.wake_records);
	EXPECT_EQ(9, c.wake_ns);
	EXPECT_EQ(0, rb_set_consumer(self->r, RELIABLE));
	ASSERT_EQ(0, rb_info(self->r, &after));
	EXPECT_EQ(1, after.reliable_consumers);
	EXPECT_EQ(0, rb_set_consumer(self->r, 0));
	EXPECT_EQ(0, rb_set_writer(self->w, RINGBUF_WRITER_FRAMED));
	EXPECT_EQ(0, rb_set_writer(self->w, 0));
	/* Going places */
	EXPECT_EQ(5, RC(lseek(self->r, 5, SEEK_SET)));
	EXPECT_EQ(LEN, rb_get(self->r, 5));
	EXPECT_EQ(-ESPIPE, RC(lseek(self->r, -2, SEEK_CUR)));
	EXPECT_EQ(4, RC(lseek(self->r, 4, SEEK_SET)));
	EXPECT_EQ(0, RC(lseek(self->r, 0, SEEK_DATA)));
	EXPECT_EQ(9, RC(lseek(self->r, -1, SEEK_END)));
	EXPECT_EQ(LEN, rb_get(self->r, 9));
	EXPECT_EQ(-EINVAL, RC(lseek(self->r, 11, SEEK_SET)));
	EXPECT_EQ(10, RC(lseek(self->r, 0, SEEK_END)));
	EXPECT_EQ(0, rb_fionread(self->r));
	EXPECT_EQ(-ENODEV, rb_get(self->r, 10));
	EXPECT_EQ(6, RC(lseek(self->r, 6, SEEK_SET)));
	EXPECT_EQ(0, rb_advance(self->r, 8 * F(LEN)));
	EXPECT_EQ(-EINVAL, rb_advance(self->r, 11 * F(LEN)));
	EXPECT_EQ(LEN, rb_get(self->r, 8));
	ASSERT_EQ(0, rb_stats(self->r, &s));
	EXPECT_EQ(9, s.seq);
	EXPECT_EQ(1, s.lag_records);
	EXPECT_EQ(5, s.read_records);
	EXPECT_EQ(-ENOTTY, RC(ioctl(self->r, _IO(RINGBUF_IOC_TYPE, 20), &n)));
}

static bool fdinfo_has(int fd, const char *line)
{
	char path[64], buf[1024];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	return !get_file(path, buf, sizeof(buf)) && strstr(buf, line);
}

TEST_F(ring, fdinfo_tells_of_it_still)
{
	ASSERT_EQ(0, rb_put_many(self->w, 0, 10, LEN));
	ASSERT_EQ(LEN, rb_get(self->r, 0));
	END();
	EXPECT_TRUE(fdinfo_has(self->r, "ringbuf:\t" NAME "\n"));
	EXPECT_TRUE(fdinfo_has(self->r, "\nseq:\t1\n"));
	EXPECT_TRUE(fdinfo_has(self->r, "\nlag_records:\t9\n"));
	EXPECT_TRUE(fdinfo_has(self->w, "\nringbuf:\t" NAME));
}

/* A socket pair's other end gets a file. */
static int send_fd(int sock, int fd)
{
	char c = 0, room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec v = { &c, 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1,
		.msg_control = room, .msg_controllen = sizeof(room),
	};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(int));
	return RC(sendmsg(sock, &m, 0));
}

static int receive_fd(int sock)
{
	char c, room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec v = { &c, 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1,
		.msg_control = room, .msg_controllen = sizeof(room),
	};
	int fd = -1;

	if (RC(recvmsg(sock, &m, 0)) != 1 || !CMSG_FIRSTHDR(&m))
		return -EIO;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	return fd;
}

TEST_F(ring, copies_of_the_file_are_as_good)
{
	int s[2], go[2], d = dup(self->r);
	char c = 0;
	pid_t pid;

	ASSERT_EQ(0, rb_put_many(self->w, 0, 4, LEN));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	ASSERT_EQ(0, pipe(go));
	/* It is on its way when the ring ends, and no file but a copy is left. */
	ASSERT_EQ(1, send_fd(s[0], self->r));
	close(self->r);
	self->r = d;
	pid = fork();
	if (!pid) {
		int got;

		close(d);
		if (read(go[0], &c, 1) != 1)
			_exit(1);
		got = receive_fd(s[1]);
		/* It shares the parent's cursor. */
		if (rb_get(got, 1) != LEN || rb_get(got, 2) != LEN)
			_exit(2);
		_exit(ring_flags(got) & DEAD ? 0 : 3);
	}
	END();
	EXPECT_EQ(LEN, rb_get(d, 0));
	ASSERT_EQ(1, write(go[1], &c, 1));
	ASSERT_EQ(0, rb_reap(pid));
	EXPECT_EQ(LEN, rb_get(d, 3));
	EXPECT_EQ(-ENODEV, rb_get(d, 4));
	close(s[0]);
	close(s[1]);
}

TEST_F(ring, maps_outlive_ring_and_file)
{
	static uint8_t copy[SIZE];
	struct ringbuf_page page;
	struct rb_map m, fresh;

	ASSERT_EQ(0, rb_put_many(self->w, 0, 200, LEN));
	ASSERT_EQ(0, rb_map_fd(&m, self->r));
	EXPECT_EQ(RINGBUF_RING_TIMESTAMPS | RINGBUF_RING_RELIABLE, m.page->flags);
	page = *m.page;
	memcpy(copy, m.data, SIZE);
	END();
	EXPECT_EQ(page.flags | DEAD, m.page->flags);
	/* A fresh one works, and shows the same. */
	ASSERT_EQ(0, rb_map_fd(&fresh, self->r));
	EXPECT_EQ(0, memcmp(copy, fresh.data, SIZE));
	EXPECT_EQ(page.flags | DEAD, fresh.page->flags);
	EXPECT_EQ(-EPERM, rb_try_map(self->r, PROT_READ | PROT_EXEC, MAP_SHARED, 0, 4096));
	EXPECT_EQ(-EINVAL, rb_try_map(self->r, PROT_READ, MAP_SHARED, 0, 5 * SIZE));
	EXPECT_EQ(-ENODEV, rb_put(self->w, 0, LEN));
	close(self->w);
	close(self->r);
	self->w = self->r = -1;
	/* The memory is not somebody else's now. */
	for (int k = 0; k < 20; k++) {
		ASSERT_EQ(0, ring_new("next", "size=4096"));
		self->w = ring_open("next", O_WRONLY);
		ASSERT_EQ(0, rb_put_many(self->w, 1000, 50, LEN));
		close(self->w);
		ASSERT_EQ(0, ring_rmdir("next"));
	}
	self->w = -1;
	page.flags |= DEAD;
	EXPECT_EQ(0, memcmp(&page, m.page, sizeof(page)));
	EXPECT_EQ(0, memcmp(copy, m.data, SIZE));
	EXPECT_EQ(0, memcmp(copy, m.data + SIZE, SIZE));
	EXPECT_EQ(-EACCES, RC(mprotect((void *)m.page, m.len, PROT_READ | PROT_WRITE)));
	/* Pages that nobody has touched yet, after the last file. */
	madvise((void *)m.page, m.len, MADV_DONTNEED);
	EXPECT_EQ(0, memcmp(copy, m.data, SIZE));
	EXPECT_EQ(0, rb_unmap(&fresh));
	if (!variant->by_rmdir)
		EXPECT_EQ(0, ring_rmdir(NAME));
	EXPECT_EQ(-EWOULDBLOCK, rb_remove());
	EXPECT_EQ(0, rb_unmap(&m));
	EXPECT_EQ(0, rb_remove());
}

/* A page that is on its way through a pipe has no file and no map. */
TEST_F(ring, a_page_outlives_it_in_a_pipe)
{
	static uint8_t copy[SIZE], got[SIZE];
	struct rb_map m;
	struct iovec v;
	int p[2];

	ASSERT_EQ(0, rb_put_many(self->w, 0, 200, LEN));
	ASSERT_EQ(0, rb_map_fd(&m, self->r));
	memcpy(copy, m.data, SIZE);
	ASSERT_EQ(0, pipe(p));
	v = (struct iovec){ (void *)m.data, SIZE };
	ASSERT_EQ(SIZE, RC(vmsplice(p[1], &v, 1, 0)));
	END();
	close(self->w);
	close(self->r);
	self->w = self->r = -1;
	ASSERT_EQ(0, rb_unmap(&m));
	ASSERT_EQ(0, rings_clear());
	EXPECT_EQ(0, rb_remove());
	ASSERT_EQ(SIZE, read(p[0], got, SIZE));
	EXPECT_EQ(0, memcmp(copy, got, SIZE));
	close(p[0]);
	close(p[1]);
}

TEST_F(ring, its_name_is_free_at_once)
{
	struct ringbuf_info i;
	struct rb_map m;
	int w, r;

	ASSERT_EQ(0, rb_put_many(self->w, 0, 3, LEN));
	ASSERT_EQ(0, rb_map_fd(&m, self->r));
	for (int k = 0; k < 10; k++) {
		ASSERT_EQ(0, ring_end(NAME, variant->by_rmdir));
		EXPECT_TRUE(ring_is_gone(NAME));
		EXPECT_EQ(-ENOENT, ring_open(NAME, O_RDONLY));
		if (variant->by_rmdir)
			ASSERT_EQ(0, ring_mkdir(NAME));
		ASSERT_EQ(0, ring_set(NAME, "size", "8192"));
		ASSERT_EQ(0, ring_set(NAME, "live", "1"));
		w = ring_open(NAME, O_WRONLY);
		r = ring_open(NAME, O_RDONLY | O_NONBLOCK);
		ASSERT_LE(0, w);
		ASSERT_EQ(0, rb_info(r, &i));
		EXPECT_EQ(8192, i.data_size);
		EXPECT_EQ(0, i.head_seq);
		EXPECT_EQ(1, i.consumers);
		EXPECT_FALSE(i.flags & DEAD);
		ASSERT_EQ(50, rb_put(w, 100 + k, 50));
		EXPECT_EQ(50, rb_get(r, 100 + k));
		close(w);
		close(r);
		/* The old file has the old ring. */
		ASSERT_EQ(0, rb_info(self->r, &i));
		EXPECT_EQ(SIZE, i.data_size);
		EXPECT_EQ(3, i.head_seq);
		EXPECT_EQ(1, i.consumers);
		EXPECT_TRUE(i.flags & DEAD);
		EXPECT_EQ(-ENODEV, rb_put(self->w, 0, LEN));
		EXPECT_EQ(3, m.head->head_seq);
	}
	for (int n = 0; n < 3; n++)
		EXPECT_EQ(LEN, rb_get(self->r, n));
	EXPECT_EQ(-ENODEV, rb_get(self->r, 3));
	rb_unmap(&m);
}

TEST_HARNESS_MAIN
