// SPDX-License-Identifier: GPL-2.0
/* readv(), writev(), preadv2(), splice() and sendfile(). */
#include "ringbuf_test.h"

#define F(len) ((int)RINGBUF_FRAME_SIZE(len))

FIXTURE(ring) {
	struct rb_pair p;
	int pipe[2];
	char *guard;
	size_t page;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=65536"));
	ASSERT_EQ(0, pipe2(self->pipe, O_NONBLOCK));
	self->guard = rb_guarded(&self->page) + getpagesize();
}

FIXTURE_TEARDOWN(ring)
{
	rb_pair_close(&self->p);
	close(self->pipe[0]);
	close(self->pipe[1]);
}

static uint64_t head_seq(int fd)
{
	struct ringbuf_info i;

	return rb_info(fd, &i) ? -1 : i.head_seq;
}

/* Cuts @len bytes at @buf into pieces of 1, 2, 3 .. bytes. */
static int cut(struct iovec *v, void *buf, size_t len)
{
	size_t at = 0, piece;
	int n;

	for (n = 0; at < len; n++, at += piece) {
		piece = n + 1;
		if (piece > len - at)
			piece = len - at;
		v[n].iov_base = (char *)buf + at;
		v[n].iov_len = piece;
	}
	return n;
}

TEST_F(ring, writev_gathers_one_record)
{
	struct iovec v[64];

	rb_fill(rb_out, 500, 0);
	EXPECT_EQ(500, RC(writev(self->p.w, v, cut(v, rb_out, 500))));
	EXPECT_EQ(1, head_seq(self->p.w));
	EXPECT_EQ(500, rb_get(self->p.r, 0));
}

TEST_F(ring, readv_scatters_one_record)
{
	struct iovec v[64];
	int n = cut(v, rb_in, 500);

	ASSERT_EQ(500, rb_put(self->p.w, 0, 500));
	ASSERT_EQ(500, rb_put(self->p.w, 1, 500));
	EXPECT_EQ(500, RC(readv(self->p.r, v, n)));
	EXPECT_TRUE(rb_intact(rb_in, 500, 0));
	EXPECT_EQ(500, rb_get(self->p.r, 1));
}

TEST_F(ring, frames_may_cross_the_pieces)
{
	struct iovec v[64];
	size_t len = 0;

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	for (int n = 0; n < 10; n++)
		len += rb_frame(rb_out + len, n, 50, n);
	EXPECT_EQ(len, RC(writev(self->p.w, v, cut(v, rb_out, len))));
	EXPECT_EQ(10, head_seq(self->p.w));
	EXPECT_EQ(len, RC(readv(self->p.r, v, cut(v, rb_in, len))));
	for (int n = 0; n < 10; n++) {
		const struct ringbuf_record *rec = (void *)(rb_in + n * F(50));

		EXPECT_TRUE(rb_frame_ok(rec, n, 50));
		EXPECT_EQ(n, rec->type);
	}
}

TEST_F(ring, empty_vectors_are_nothing)
{
	struct iovec v[3] = { { rb_out, 0 }, { NULL, 0 }, { rb_out, 0 } };

	EXPECT_EQ(0, RC(writev(self->p.w, v, 0)));
	EXPECT_EQ(0, RC(writev(self->p.w, v, 3)));
	EXPECT_EQ(0, head_seq(self->p.w));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	EXPECT_EQ(0, RC(readv(self->p.r, v, 0)));
	EXPECT_EQ(0, RC(readv(self->p.r, v, 3)));
	EXPECT_EQ(8, rb_get(self->p.r, 0));
}

TEST_F(ring, bad_vectors_are_refused)
{
	static struct iovec many[1025];
	struct iovec v[2] = { { rb_out, 8 }, { rb_out, -1UL } };

	EXPECT_EQ(-EFAULT, RC(writev(self->p.w, NULL, 1)));
	EXPECT_EQ(-EFAULT, RC(writev(self->p.w, (void *)self->guard, 1)));
	EXPECT_EQ(-EFAULT, RC(readv(self->p.r, (void *)self->guard, 1)));
	EXPECT_EQ(-EINVAL, RC(writev(self->p.w, v, -1)));
	EXPECT_EQ(-EINVAL, RC(writev(self->p.w, many, 1025)));
	EXPECT_EQ(-EINVAL, RC(readv(self->p.r, many, 1025)));
	EXPECT_EQ(-EINVAL, RC(writev(self->p.w, v, 2)));
	EXPECT_EQ(0, head_seq(self->p.w));
}

TEST_F(ring, a_bad_piece_is_no_record)
{
	struct iovec v[3] = { { rb_out, 8 }, { self->guard, 8 }, { rb_out, 8 } };

	EXPECT_EQ(-EFAULT, RC(writev(self->p.w, v, 3)));
	v[1].iov_base = self->guard - 7;
	EXPECT_EQ(-EFAULT, RC(writev(self->p.w, v, 3)));
	EXPECT_EQ(0, head_seq(self->p.w));
	ASSERT_EQ(20, rb_put(self->p.w, 0, 20));
	v[0].iov_base = rb_in;
	EXPECT_EQ(-EFAULT, RC(readv(self->p.r, v, 3)));
	EXPECT_EQ(20, rb_get(self->p.r, 0));
}

TEST_F(ring, a_bad_piece_ends_a_batch_before_its_frame)
{
	struct iovec v[2];

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 8));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	v[0] = (struct iovec){ rb_in, F(8) + 8 };
	v[1] = (struct iovec){ self->guard, 100 };
	EXPECT_EQ(F(8), RC(readv(self->p.r, v, 2)));
	EXPECT_TRUE(rb_frame_ok((void *)rb_in, 0, 8));
	EXPECT_EQ(2 * F(8), RC(read(self->p.r, rb_in, RB_MAX)));
	EXPECT_TRUE(rb_frame_ok((void *)rb_in, 1, 8));

	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	rb_frame(rb_out, 3, 8, 0);
	rb_frame(rb_out + F(8), 4, 8, 0);
	v[0] = (struct iovec){ rb_out, F(8) + 8 };
	EXPECT_EQ(F(8), RC(writev(self->p.w, v, 2)));
	EXPECT_EQ(4, head_seq(self->p.w));
}

TEST_F(ring, nowait_asks_once)
{
	struct iovec v = { rb_in, RB_MAX };
	int r = rb_open(O_RDONLY);

	EXPECT_EQ(-EAGAIN, RC(preadv2(r, &v, 1, -1, RWF_NOWAIT)));
	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	EXPECT_EQ(8, RC(preadv2(r, &v, 1, -1, RWF_NOWAIT)));
	EXPECT_TRUE(rb_intact(rb_in, 8, 0));
	v = (struct iovec){ rb_out, 8 };
	rb_fill(rb_out, 8, 1);
	EXPECT_EQ(8, RC(pwritev2(self->p.w, &v, 1, -1, RWF_NOWAIT)));
	EXPECT_EQ(8, rb_get(r, 1));
	close(r);
}

TEST_F(ring, splice_moves_one_record_to_a_pipe)
{
	int n;

	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	ASSERT_EQ(5000, rb_put(self->p.w, 1, 5000));
	EXPECT_EQ(100, RC(splice(self->p.r, NULL, self->pipe[1], NULL, 65536,
				 SPLICE_F_NONBLOCK)));
	ASSERT_EQ(100, RC(read(self->pipe[0], rb_in, RB_MAX)));
	EXPECT_TRUE(rb_intact(rb_in, 100, 0));
	/* In pieces if no more was asked for. */
	EXPECT_EQ(4097, RC(splice(self->p.r, NULL, self->pipe[1], NULL, 4097,
				  SPLICE_F_NONBLOCK)));
	EXPECT_EQ(903, RC(splice(self->p.r, NULL, self->pipe[1], NULL, 65536,
				 SPLICE_F_NONBLOCK)));
	for (n = 0; n < 5000;)
		n += read(self->pipe[0], rb_in + n, RB_MAX - n);
	EXPECT_TRUE(rb_intact(rb_in, 5000, 1));
	EXPECT_EQ(-EAGAIN, RC(splice(self->p.r, NULL, self->pipe[1], NULL,
				     65536, SPLICE_F_NONBLOCK)));
}

TEST_F(ring, a_record_larger_than_the_pipe_comes_in_pieces)
{
	int n, len, took = 0;

	ASSERT_EQ(4096, fcntl(self->pipe[1], F_SETPIPE_SZ, 4096));
	ASSERT_EQ(16000, rb_put(self->p.w, 0, 16000));
	ASSERT_EQ(100, rb_put(self->p.w, 1, 100));
	for (n = 0; n < 16000; n += len, took++) {
		len = RC(splice(self->p.r, NULL, self->pipe[1], NULL, 1 << 20,
				SPLICE_F_NONBLOCK));
		ASSERT_EQ(n < 12288 ? 4096 : 16000 - 12288, len);
		/* Full, and nothing is lost of it. */
		ASSERT_EQ(-EAGAIN, RC(splice(self->p.r, NULL, self->pipe[1],
					     NULL, 1 << 20,
					     SPLICE_F_NONBLOCK)));
		ASSERT_EQ(len, RC(read(self->pipe[0], rb_in + n, len)));
	}
	EXPECT_EQ(4, took);
	EXPECT_TRUE(rb_intact(rb_in, 16000, 0));
	EXPECT_EQ(100, RC(splice(self->p.r, NULL, self->pipe[1], NULL, 1 << 20,
				 SPLICE_F_NONBLOCK)));
	EXPECT_EQ(100, RC(read(self->pipe[0], rb_in, RB_MAX)));
	EXPECT_TRUE(rb_intact(rb_in, 100, 1));
}

TEST_F(ring, splice_moves_whole_frames)
{
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 10, 50));
	EXPECT_EQ(3 * F(50), RC(splice(self->p.r, NULL, self->pipe[1], NULL,
				       4 * F(50) - 1, SPLICE_F_NONBLOCK)));
	ASSERT_EQ(3 * F(50), RC(read(self->pipe[0], rb_in, RB_MAX)));
	EXPECT_TRUE(rb_frame_ok((void *)(rb_in + 2 * F(50)), 2, 50));
	EXPECT_EQ(3, rb_at(self->p.r));
}

/* Nothing is lost, and splice() cannot wait for room itself. */
TEST_F(ring, splice_of_a_frame_needs_room_for_it)
{
	const int page = getpagesize(), room = 4 * page, len = page + 904;

	if (F(len) > 16384)
		SKIP(return, "pages that are larger than records");
	ASSERT_EQ(room, fcntl(self->pipe[1], F_SETPIPE_SZ, room));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(len, rb_put(self->p.w, 0, len));
	/* One page is left. */
	ASSERT_EQ(room - page, write(self->pipe[1], rb_out, room - page));
	EXPECT_EQ(-EMSGSIZE, RC(splice(self->p.r, NULL, self->pipe[1], NULL, room, 0)));
	EXPECT_EQ(0, rb_at(self->p.r));
	ASSERT_EQ(room - page, read(self->pipe[0], rb_in, room - page));
	EXPECT_EQ(F(len), RC(splice(self->p.r, NULL, self->pipe[1], NULL, room, 0)));
	ASSERT_EQ(F(len), RC(read(self->pipe[0], rb_in, RB_MAX)));
	EXPECT_TRUE(rb_frame_ok((void *)rb_in, 0, len));
}

/* The pipe of sendfile() is the kernel's own, and empty. */
TEST_F(ring, sendfile_sends_frames_of_up_to_16_pages)
{
	int sv[2], len = 16 * getpagesize() - RB_HEADER;

	if (F(len) + 8 > RB_MAX)
		SKIP(return, "pages that are larger than records");
	rb_pair_close(&self->p);
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=1048576"));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(len, rb_put(self->p.w, 0, len));
	ASSERT_EQ(len + 1, rb_put(self->p.w, 1, len + 1));
	EXPECT_EQ(F(len), RC(syscall(SYS_sendfile, sv[1], self->p.r, NULL,
				     F(len))));
	ASSERT_EQ(F(len), RC(recv(sv[0], rb_in, F(len), MSG_WAITALL)));
	EXPECT_TRUE(rb_frame_ok((void *)rb_in, 0, len));
	EXPECT_EQ(-EMSGSIZE, RC(syscall(SYS_sendfile, sv[1], self->p.r, NULL,
					1 << 20)));
	EXPECT_EQ(1, rb_at(self->p.r));
	ASSERT_EQ(F(len + 1), RC(read(self->p.r, rb_in, RB_MAX)));
	EXPECT_TRUE(rb_frame_ok((void *)rb_in, 1, len + 1));
	close(sv[0]);
	close(sv[1]);
}

TEST_F(ring, splice_takes_no_offset)
{
	loff_t off = 0;
	int ret;

	ASSERT_EQ(8, rb_put(self->p.w, 0, 8));
	ret = RC(splice(self->p.r, &off, self->pipe[1], NULL, 65536, 0));
	EXPECT_TRUE(ret == -EINVAL || ret == -ESPIPE) TH_LOG("got %d", ret);
	EXPECT_EQ(8, rb_get(self->p.r, 0));
}

TEST_F(ring, splice_to_a_full_pipe_loses_nothing)
{
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 2, 100));
	while (write(self->pipe[1], rb_out, 4096) > 0)
		;
	EXPECT_EQ(-EAGAIN, RC(splice(self->p.r, NULL, self->pipe[1], NULL,
				     65536, SPLICE_F_NONBLOCK)));
	EXPECT_EQ(100, rb_get(self->p.r, 0));
}

/* Writes to a pipe fill a page together. */
TEST_F(ring, splice_makes_one_record_of_a_buffer)
{
	rb_fill(rb_out, 100, 0);
	ASSERT_EQ(60, write(self->pipe[1], rb_out, 60));
	ASSERT_EQ(40, write(self->pipe[1], rb_out + 60, 40));
	EXPECT_EQ(100, RC(splice(self->pipe[0], NULL, self->p.w, NULL, 4096,
				 0)));
	EXPECT_EQ(1, head_seq(self->p.w));
	EXPECT_EQ(100, rb_get(self->p.r, 0));
	/* Of what was asked for, and the rest is another one. */
	rb_fill(rb_out, 30, 1);
	rb_fill(rb_out + 30, 70, 2);
	ASSERT_EQ(100, write(self->pipe[1], rb_out, 100));
	EXPECT_EQ(30, RC(splice(self->pipe[0], NULL, self->p.w, NULL, 30, 0)));
	EXPECT_EQ(70, RC(splice(self->pipe[0], NULL, self->p.w, NULL, 4096,
				0)));
	EXPECT_EQ(30, rb_get(self->p.r, 1));
	EXPECT_EQ(70, rb_get(self->p.r, 2));
}

TEST_F(ring, splice_makes_a_record_of_each_page)
{
	int page = getpagesize();

	for (int n = 0; n < 3; n++)
		rb_fill(rb_out + n * page, page, n);
	rb_fill(rb_out + 3 * page, 17, 3);
	ASSERT_EQ(3 * page + 17, write(self->pipe[1], rb_out, 3 * page + 17));
	EXPECT_EQ(3 * page + 17, RC(splice(self->pipe[0], NULL, self->p.w, NULL,
					   RB_MAX, 0)));
	EXPECT_EQ(4, head_seq(self->p.w));
	for (int n = 0; n < 3; n++)
		EXPECT_EQ(page, rb_get(self->p.r, n));
	EXPECT_EQ(17, rb_get(self->p.r, 3));
}

/* A pipe that keeps messages apart passes them on as records. */
TEST_F(ring, splice_makes_a_record_of_each_packet)
{
	int p[2];

	ASSERT_EQ(0, pipe2(p, O_NONBLOCK | O_DIRECT));
	for (int n = 0; n < 5; n++) {
		rb_fill(rb_out, 10 + n, n);
		ASSERT_EQ(10 + n, write(p[1], rb_out, 10 + n));
	}
	EXPECT_EQ(60, RC(splice(p[0], NULL, self->p.w, NULL, RB_MAX, 0)));
	for (int n = 0; n < 5; n++)
		EXPECT_EQ(10 + n, rb_get(self->p.r, n));
	EXPECT_EQ(-EAGAIN, rb_get(self->p.r, 5));
	EXPECT_EQ(-EAGAIN, RC(splice(p[0], NULL, self->p.w, NULL, RB_MAX,
				     SPLICE_F_NONBLOCK)));
	close(p[0]);
	close(p[1]);
}

/* Records go from one consumer to the ring's end, each as it was. */
TEST_F(ring, records_are_spliced_one_by_one)
{
	for (int n = 0; n < 5; n++)
		ASSERT_EQ(10 + n, rb_put(self->p.w, n, 10 + n));
	for (int n = 0; n < 5; n++)
		ASSERT_EQ(10 + n, RC(splice(self->p.r, NULL, self->pipe[1], NULL,
					    4096, 0)));
	EXPECT_EQ(60, RC(splice(self->pipe[0], NULL, self->p.w, NULL, RB_MAX,
				0)));
	for (int n = 0; n < 5; n++) {
		EXPECT_EQ(10 + n, RC(read(self->p.r, rb_in, RB_MAX)));
		EXPECT_TRUE(rb_intact(rb_in, 10 + n, n));
	}
}

TEST_F(ring, spliced_frames_go_on_from_page_to_page)
{
	const struct ringbuf_record *rec = (void *)rb_in;
	size_t len = 0;

	ASSERT_EQ(0, rb_set_writer(self->p.w, RINGBUF_WRITER_FRAMED));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	for (int n = 0; n < 20; n++)
		len += rb_frame(rb_out + len, n, 1000 + n, n);
	ASSERT_EQ(len, write(self->pipe[1], rb_out, len));
	EXPECT_EQ(len, RC(splice(self->pipe[0], NULL, self->p.w, NULL, RB_MAX,
				 0)));
	EXPECT_EQ(len, RC(read(self->p.r, rb_in, RB_MAX)));
	for (int n = 0; n < 20; n++, rec = rb_next(rec))
		EXPECT_TRUE(rb_frame_ok(rec, n, 1000 + n));
}

TEST_F(ring, what_cannot_be_a_record_stays_in_the_pipe)
{
	rb_pair_close(&self->p);
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096"));
	rb_fill(rb_out, 2000, 0);
	ASSERT_EQ(2000, write(self->pipe[1], rb_out, 2000));
	EXPECT_EQ(-EMSGSIZE, RC(splice(self->pipe[0], NULL, self->p.w, NULL,
				       4096, 0)));
	EXPECT_EQ(1000, RC(splice(self->pipe[0], NULL, self->p.w, NULL, 1000,
				  0)));
	EXPECT_EQ(1, head_seq(self->p.w));
	EXPECT_EQ(1000, RC(read(self->p.r, rb_in, RB_MAX)));
	EXPECT_EQ(1000, RC(read(self->pipe[0], rb_in + 1000, RB_MAX - 1000)));
	EXPECT_TRUE(rb_intact(rb_in, 2000, 0));
}

TEST_F(ring, sendfile_sends_records_until_there_are_none)
{
	int sv[2], n;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 100));
	EXPECT_EQ(300, RC(syscall(SYS_sendfile, sv[1], self->p.r, NULL, 65536)));
	for (n = 0; n < 300;)
		n += read(sv[0], rb_in + n, RB_MAX - n);
	for (n = 0; n < 3; n++)
		EXPECT_TRUE(rb_intact(rb_in + n * 100, 100, n));
	EXPECT_EQ(3, rb_at(self->p.r));
	/* One that is larger than what goes through at once. */
	ASSERT_EQ(16000, rb_put(self->p.w, 3, 16000));
	EXPECT_EQ(16000, RC(syscall(SYS_sendfile, sv[1], self->p.r, NULL, 65536)));
	for (n = 0; n < 16000;)
		n += read(sv[0], rb_in + n, RB_MAX - n);
	EXPECT_TRUE(rb_intact(rb_in, 16000, 3));
	close(sv[0]);
	close(sv[1]);
}

TEST_HARNESS_MAIN
