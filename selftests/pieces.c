// SPDX-License-Identifier: GPL-2.0
/*
 * A plain read() into less than a record: the record comes in pieces, as a long line
 * from a terminal does.
 */
#include "ringbuf_test.h"
#include "map.h"
#include "reliable.h"
#include "uffd.h"

#define F(len)	((int)RINGBUF_FRAME_SIZE(len))

FIXTURE(ring) {
	struct rb_pair p;
	struct ringbuf_stats s;
	struct ringbuf_info i;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=65536"));
}

FIXTURE_TEARDOWN(ring)
{
	rb_pair_close(&self->p);
}

FIXTURE(small) {
	struct rb_pair p;
	struct ringbuf_stats s;
	struct ringbuf_info i;
};

FIXTURE_SETUP(small)
{
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096"));
}

FIXTURE_TEARDOWN(small)
{
	rb_pair_close(&self->p);
}

/* Are these @len bytes those of record @n from byte @at on? */
static bool is_part(const uint8_t *p, size_t len, uint64_t n, size_t at)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != rb_byte(n, at + i))
			return false;
	return true;
}

/* Reads bytes @at to @at + @len of record @n; what read() returned, or -EBADMSG. */
static int get_part(int fd, uint64_t n, size_t at, size_t len)
{
	int ret;

	memset(rb_in, 0xa5, len + 1);
	ret = RC(read(fd, rb_in, len));
	/* And not a byte besides. */
	if (ret >= 0 && rb_in[ret] != 0xa5)
		return -EOVERFLOW;
	return ret < 0 || is_part(rb_in, ret, n, at) ? ret : -EBADMSG;
}

TEST_F(ring, what_does_not_fit_comes_with_the_next_call)
{
	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	ASSERT_EQ(20, rb_put(self->p.w, 1, 20));
	EXPECT_EQ(1, get_part(self->p.r, 0, 0, 1));
	EXPECT_EQ(30, get_part(self->p.r, 0, 1, 30));
	EXPECT_EQ(68, get_part(self->p.r, 0, 31, 68));
	EXPECT_EQ(1, get_part(self->p.r, 0, 99, 1));
	EXPECT_EQ(20, get_part(self->p.r, 1, 0, 20));
	EXPECT_EQ(-EAGAIN, get_part(self->p.r, 2, 0, 20));
}

TEST_F(ring, a_call_never_crosses_the_end_of_a_record)
{
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 100));
	EXPECT_EQ(60, get_part(self->p.r, 0, 0, 60));
	EXPECT_EQ(40, get_part(self->p.r, 0, 60, 1000));
	EXPECT_EQ(99, get_part(self->p.r, 1, 0, 99));
	EXPECT_EQ(1, get_part(self->p.r, 1, 99, 1000));
	EXPECT_EQ(100, get_part(self->p.r, 2, 0, 1000));
}

/* Records of all lengths, at all places of a small ring, in pieces of all sizes. */
TEST_F(small, every_byte_comes_once_and_in_order)
{
	unsigned int seed = 11;
	size_t len, at, want;

	for (uint64_t n = 0; n < 3000; n++) {
		len = n < 1000 ? n + 1 : 1 + rand_r(&seed) % 1000;
		ASSERT_EQ(len, rb_put(self->p.w, n, len));
		for (at = 0; at < len; at += want) {
			want = 1 + rand_r(&seed) % (n % 3 ? 400 : 20);
			want = want < len - at ? want : len - at;
			ASSERT_EQ(want, get_part(self->p.r, n, at, want));
		}
	}
	ASSERT_EQ(0, rb_stats(self->p.r, &self->s));
	EXPECT_EQ(3000, self->s.read_records);
	EXPECT_EQ(0, self->s.lost_records);
}

TEST_F(ring, the_account_counts_a_record_with_its_last_piece)
{
	struct ringbuf_stats before;
	struct pollfd p = { .fd = self->p.r, .events = POLLIN };

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 2, 100));
	ASSERT_EQ(0, rb_stats(self->p.r, &before));
	for (int at = 0; at < 100; at += 10) {
		ASSERT_EQ(0, rb_stats(self->p.r, &self->s));
		EXPECT_EQ(0, memcmp(&before, &self->s, sizeof(before)));
		EXPECT_EQ(100 - at, rb_fionread(self->p.r));
		EXPECT_EQ(1, poll(&p, 1, 0));
		ASSERT_EQ(10, get_part(self->p.r, 0, at, 10));
	}
	ASSERT_EQ(0, rb_stats(self->p.r, &self->s));
	EXPECT_EQ(1, self->s.read_records);
	EXPECT_EQ(F(100), self->s.read_bytes);
	EXPECT_EQ(1, self->s.seq);
	EXPECT_EQ(F(100), self->s.pos);
	EXPECT_EQ(1, self->s.lag_records);
	EXPECT_EQ(100, rb_fionread(self->p.r));
}

TEST_F(ring, a_read_of_nothing_changes_nothing)
{
	ASSERT_EQ(10, rb_put(self->p.w, 0, 10));
	EXPECT_EQ(4, get_part(self->p.r, 0, 0, 4));
	EXPECT_EQ(0, RC(read(self->p.r, rb_in, 0)));
	EXPECT_EQ(6, rb_fionread(self->p.r));
	EXPECT_EQ(6, get_part(self->p.r, 0, 4, 100));
}

TEST_F(ring, a_fault_takes_nothing)
{
	size_t page;
	char *guard = rb_guarded(&page) + getpagesize();

	ASSERT_EQ(10000, rb_put(self->p.w, 0, 10000));
	EXPECT_EQ(3000, get_part(self->p.r, 0, 0, 3000));
	EXPECT_EQ(-EFAULT, RC(read(self->p.r, guard, 100)));
	EXPECT_EQ(-EFAULT, RC(read(self->p.r, guard - 50, 100)));
	EXPECT_EQ(-EFAULT, RC(read(self->p.r, guard - 50, 65536)));
	EXPECT_EQ(7000, rb_fionread(self->p.r));
	/* What is not touched may be bad. */
	EXPECT_EQ(50, RC(read(self->p.r, guard - 50, 50)));
	EXPECT_TRUE(is_part((void *)(guard - 50), 50, 0, 3000));
	EXPECT_EQ(6950, get_part(self->p.r, 0, 3050, 7000));
}

TEST_F(small, an_overrun_in_the_middle_loses_that_record)
{
	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	ASSERT_EQ(100, rb_get(self->p.r, 0));
	ASSERT_EQ(100, rb_put(self->p.w, 1, 100));
	ASSERT_EQ(30, get_part(self->p.r, 1, 0, 30));
	ASSERT_EQ(0, rb_put_many(self->p.w, 2, 100, 100));
	ASSERT_EQ(0, rb_info(self->p.r, &self->i));
	ASSERT_EQ(0, rb_stats(self->p.r, &self->s));
	EXPECT_EQ(RINGBUF_STATS_OVERRUN, self->s.flags);
	EXPECT_EQ(self->i.tail_seq - 1, self->s.lost_records);
	EXPECT_EQ(100, rb_fionread(self->p.r));
	EXPECT_EQ(-EPIPE, get_part(self->p.r, 1, 30, 30));
	/* From its start, and once. */
	EXPECT_EQ(40, get_part(self->p.r, self->i.tail_seq, 0, 40));
	EXPECT_EQ(60, get_part(self->p.r, self->i.tail_seq, 40, 100));
	EXPECT_EQ(100, rb_get(self->p.r, self->i.tail_seq + 1));
	ASSERT_EQ(0, rb_stats(self->p.r, &self->s));
	EXPECT_EQ(0, self->s.flags);
	EXPECT_EQ(3, self->s.read_records);
	EXPECT_EQ(self->i.tail_seq - 1, self->s.lost_records);
	EXPECT_EQ(self->i.tail - F(100), self->s.lost_bytes);
}

/* What forgets the part: a seek, wherever it goes; not one that is refused. */
TEST_F(ring, a_seek_begins_the_record_anew)
{
	static const struct {
		long long offset;
		int whence;
		int ret;
	} to[] = {
		{ 0, SEEK_SET, 0 }, { 0, SEEK_DATA, 0 }, { -3, SEEK_END, 0 },
		{ 0, SEEK_CUR, -ESPIPE }, { 1, SEEK_CUR, -ESPIPE },
		{ 4, SEEK_SET, -EINVAL }, { -1, SEEK_SET, -EINVAL },
		{ 1, SEEK_END, -EINVAL }, { 1, SEEK_DATA, -EINVAL },
		{ 0, SEEK_HOLE, -EINVAL }, { 0, 99, -EINVAL },
	};

	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 100));
	for (size_t k = 0; k < ARRAY_SIZE(to); k++) {
		ASSERT_EQ(0, RC(lseek(self->p.r, 0, SEEK_SET)));
		ASSERT_EQ(70, get_part(self->p.r, 0, 0, 70));
		EXPECT_EQ(to[k].ret,
			  RC(lseek(self->p.r, to[k].offset, to[k].whence)))
			TH_LOG("%lld from %d", to[k].offset, to[k].whence);
		EXPECT_EQ(to[k].ret ? 30 : 100, rb_fionread(self->p.r));
		EXPECT_EQ(to[k].ret ? 30 : 100,
			  get_part(self->p.r, 0, to[k].ret ? 70 : 0, 100));
	}
	ASSERT_EQ(70, get_part(self->p.r, 1, 0, 70));
	EXPECT_EQ(2, RC(lseek(self->p.r, 2, SEEK_SET)));
	EXPECT_EQ(100, rb_get(self->p.r, 2));
}

TEST_F(ring, advancing_begins_the_record_anew)
{
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 100));
	ASSERT_EQ(70, get_part(self->p.r, 0, 0, 70));
	EXPECT_EQ(-EINVAL, rb_advance(self->p.r, 8));
	EXPECT_EQ(-EINVAL, rb_advance(self->p.r, 4 * F(100)));
	EXPECT_EQ(20, get_part(self->p.r, 0, 70, 20));
	/* To where it is. */
	EXPECT_EQ(0, rb_advance(self->p.r, 0));
	EXPECT_EQ(100, rb_fionread(self->p.r));
	EXPECT_EQ(70, get_part(self->p.r, 0, 0, 70));
	EXPECT_EQ(0, rb_advance(self->p.r, F(100)));
	EXPECT_EQ(70, get_part(self->p.r, 1, 0, 70));
	EXPECT_EQ(0, rb_advance(self->p.r, 2 * F(100)));
	EXPECT_EQ(100, rb_get(self->p.r, 2));
	ASSERT_EQ(0, rb_stats(self->p.r, &self->s));
	EXPECT_EQ(3, self->s.read_records);
}

TEST_F(ring, frames_are_whole)
{
	ASSERT_EQ(0, rb_put_many(self->p.w, 0, 3, 100));
	ASSERT_EQ(70, get_part(self->p.r, 0, 0, 70));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	EXPECT_EQ(F(100), rb_fionread(self->p.r));
	EXPECT_EQ(-EMSGSIZE, RC(read(self->p.r, rb_in, F(100) - 1)));
	EXPECT_EQ(F(100), RC(read(self->p.r, rb_in, F(100))));
	EXPECT_TRUE(rb_frame_ok((void *)rb_in, 0, 100));

	/* And back before anything was read. */
	ASSERT_EQ(0, rb_set_consumer(self->p.r, 0));
	ASSERT_EQ(70, get_part(self->p.r, 1, 0, 70));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_FRAMED));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, 0));
	EXPECT_EQ(100, rb_fionread(self->p.r));
	EXPECT_EQ(100, rb_get(self->p.r, 1));
}

TEST_F(ring, other_settings_leave_the_part_alone)
{
	struct ringbuf_consumer c = {
		.struct_size = sizeof(c), .flags = RINGBUF_CONSUMER_FRAMED,
		.wake_records = 5,
		.mask = RINGBUF_CONSUMER_EOF | RINGBUF_CONSUMER_WAKE,
	};
	struct ringbuf_info info;

	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	ASSERT_EQ(70, get_part(self->p.r, 0, 0, 70));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_EOF));
	ASSERT_EQ(0, RC(ioctl(self->p.r, RINGBUF_IOC_SET_CONSUMER, &c)));
	ASSERT_EQ(0, RC(ioctl(self->p.r, RINGBUF_IOC_GET_CONSUMER, &c)));
	ASSERT_EQ(0, rb_stats(self->p.r, &self->s));
	ASSERT_EQ(0, rb_info(self->p.r, &info));
	EXPECT_EQ(-ESPIPE, RC(pread(self->p.r, rb_in, 8, 0)));
	EXPECT_EQ(30, rb_fionread(self->p.r));
	EXPECT_EQ(30, get_part(self->p.r, 0, 70, 100));
}

TEST_F(ring, vectors_and_preadv2_give_pieces_too)
{
	struct iovec v[3] = { { rb_in, 7 }, { rb_in + 7, 0 }, { rb_in + 7, 13 } };
	struct iovec one = { rb_in, 25 };

	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	EXPECT_EQ(20, RC(readv(self->p.r, v, 3)));
	EXPECT_TRUE(is_part(rb_in, 20, 0, 0));
	EXPECT_EQ(25, RC(preadv2(self->p.r, &one, 1, -1, RWF_NOWAIT)));
	EXPECT_TRUE(is_part(rb_in, 25, 0, 20));
	EXPECT_EQ(-ESPIPE, RC(preadv(self->p.r, &one, 1, 0)));
	v[2].iov_len = 1000;
	EXPECT_EQ(55, RC(readv(self->p.r, v, 3)));
	EXPECT_TRUE(is_part(rb_in, 55, 0, 45));
	EXPECT_EQ(-EAGAIN, RC(preadv2(self->p.r, &one, 1, -1, RWF_NOWAIT)));
}

TEST_F(ring, a_blocked_read_ends_with_a_piece)
{
	int r = rb_open(O_RDONLY);
	struct rb_op op;

	ASSERT_TRUE(rb_op_block(&op, SYS_read, r, rb_in, 8));
	ASSERT_EQ(9, rb_put(self->p.w, 0, 9));
	EXPECT_EQ(8, rb_op_wait(&op));
	EXPECT_TRUE(is_part(rb_in, 8, 0, 0));
	EXPECT_EQ(1, get_part(r, 0, 8, 8));
	close(r);
}

TEST_F(ring, the_end_of_a_stream_comes_after_the_last_piece)
{
	struct pollfd p = { .fd = self->p.r, .events = POLLIN };

	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_EOF));
	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	close(self->p.w);
	for (int at = 0; at < 100; at += 10) {
		EXPECT_EQ(1, poll(&p, 1, 0));
		EXPECT_EQ(POLLIN, p.revents);
		EXPECT_EQ(10, get_part(self->p.r, 0, at, 10));
	}
	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_TRUE(p.revents & POLLHUP);
	EXPECT_EQ(0, get_part(self->p.r, 1, 0, 10));
	self->p.w = rb_open(O_WRONLY);
}

TEST_F(ring, whoever_shares_the_file_shares_the_part)
{
	int d = dup(self->p.r), other = rb_open(O_RDONLY | O_NONBLOCK);
	pid_t pid;

	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	EXPECT_EQ(20, get_part(self->p.r, 0, 0, 20));
	EXPECT_EQ(20, get_part(d, 0, 20, 20));
	pid = fork();
	if (!pid)
		_exit(get_part(d, 0, 40, 20) == 20 ? 0 : 1);
	EXPECT_EQ(0, rb_reap(pid));
	EXPECT_EQ(50, get_part(other, 0, 0, 50));
	EXPECT_EQ(40, get_part(self->p.r, 0, 60, 100));
	EXPECT_EQ(50, get_part(other, 0, 50, 100));
	close(d);
	close(other);
}

/* A record that is being read is one that is not read yet. */
TEST_F(small, a_hold_stays_until_the_last_piece)
{
	int r;

	rb_pair_close(&self->p);
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=4096 reliable=1"));
	close(self->p.w);
	self->p.w = rb_open(O_WRONLY | O_NONBLOCK);
	r = rb_open_reliable();
	ASSERT_LE(0, r);
	ASSERT_EQ(FITS, rb_write_until_held(self->p.w, 0));
	for (int at = 0; at < LEN; at += LEN / 4) {
		EXPECT_EQ(-EAGAIN, rb_put(self->p.w, FITS, LEN));
		ASSERT_EQ(LEN / 4, get_part(r, 0, at, LEN / 4));
	}
	EXPECT_EQ(LEN, rb_put(self->p.w, FITS, LEN));
	close(r);
}

/*
 * Threads that share a file: each piece goes to one of them. Words are numbered
 * through all records, and pieces are of whole words.
 */
#define THREADS	4
#define WORDS	(1 << 16)

static atomic_uchar seen[WORDS];

struct sharer {
	pthread_t thread;
	int fd;
	unsigned int seed;
	const char *error;
	long pieces;
};

static void *share_main(void *arg)
{
	struct sharer *s = arg;
	uint32_t buf[64], want;
	int ret, k;

	for (;;) {
		want = 1 + rand_r(&s->seed) % 64;
		ret = RC(read(s->fd, buf, want * 4));
		if (!ret)
			return NULL;
		if (ret < 0 || ret % 4 || ret > (int)want * 4) {
			s->error = "no whole words";
			return NULL;
		}
		for (k = 0; k < ret / 4; k++) {
			if (buf[k] != buf[0] + k || buf[k] >= WORDS) {
				s->error = "not in order";
				return NULL;
			}
			if (atomic_fetch_add(&seen[buf[k]], 1)) {
				s->error = "twice";
				return NULL;
			}
		}
		s->pieces++;
	}
}

TEST_F(ring, each_piece_goes_to_one_thread)
{
	struct sharer s[THREADS] = { 0 };
	uint32_t buf[1000], n = 0, records = 0, k, len;
	unsigned int seed = 3;
	long pieces = 0;

	rb_pair_close(&self->p);
	ASSERT_EQ(0, rb_pair_open(&self->p, "size=1048576"));
	ASSERT_EQ(0, fcntl(self->p.r, F_SETFL, 0));
	ASSERT_EQ(0, rb_set_consumer(self->p.r, RINGBUF_CONSUMER_EOF));
	for (k = 0; k < THREADS; k++) {
		s[k].fd = self->p.r;
		s[k].seed = k;
		ASSERT_EQ(0, pthread_create(&s[k].thread, NULL, share_main, &s[k]));
	}
	/* All of it fits in the ring. */
	for (; n < WORDS; records++) {
		len = 1 + rand_r(&seed) % 1000;
		len = len < WORDS - n ? len : WORDS - n;
		for (k = 0; k < len; k++)
			buf[k] = n++;
		ASSERT_EQ(len * 4, write(self->p.w, buf, len * 4));
	}
	close(self->p.w);
	for (k = 0; k < THREADS; k++) {
		ASSERT_EQ(0, rb_join(s[k].thread, "sharer"));
		EXPECT_STREQ("ok", s[k].error ? s[k].error : "ok");
		pieces += s[k].pieces;
	}
	for (k = 0; k < WORDS; k++)
		ASSERT_EQ(1, atomic_load(&seen[k])) TH_LOG("word %d", k);
	ASSERT_EQ(0, rb_stats(self->p.r, &self->s));
	EXPECT_EQ(records, self->s.read_records);
	EXPECT_EQ(0, self->s.lost_records);
	EXPECT_LT(records, pieces);
	self->p.w = rb_open(O_WRONLY);
}

/* A thread that is late with its piece leaves it to the others. */
TEST_F(ring, a_piece_that_another_one_took_is_not_taken_again)
{
	static char page[65536];
	struct rb_uffd u = { .fd = -1 };
	struct rb_op slow;
	uint8_t *got;

	ASSERT_EQ(0, rb_uffd_open(&u));
	got = (uint8_t *)u.mem + u.page;
	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	ASSERT_EQ(0, rb_op_start(&slow, SYS_read, self->p.r, got, 60));
	ASSERT_EQ(0, rb_uffd_wait(&u));
	EXPECT_EQ(10, get_part(self->p.r, 0, 0, 10));
	ASSERT_EQ(0, rb_uffd_fill(&u, page));
	EXPECT_EQ(60, rb_op_wait(&slow));
	EXPECT_TRUE(is_part(got, 60, 0, 10));
	EXPECT_EQ(30, get_part(self->p.r, 0, 70, 100));
	close(u.fd);
}

/* Nor does it take a whole record of which another one has had a piece. */
TEST_F(ring, a_record_that_is_begun_is_not_taken_whole)
{
	static char page[65536];
	struct rb_uffd u = { .fd = -1 };
	struct rb_op slow;
	uint8_t *got;

	ASSERT_EQ(0, rb_uffd_open(&u));
	got = (uint8_t *)u.mem + u.page;
	ASSERT_EQ(100, rb_put(self->p.w, 0, 100));
	ASSERT_EQ(0, rb_op_start(&slow, SYS_read, self->p.r, got, 100));
	ASSERT_EQ(0, rb_uffd_wait(&u));
	EXPECT_EQ(10, get_part(self->p.r, 0, 0, 10));
	ASSERT_EQ(0, rb_uffd_fill(&u, page));
	EXPECT_EQ(90, rb_op_wait(&slow));
	EXPECT_TRUE(is_part(got, 90, 0, 10));
	EXPECT_EQ(-EAGAIN, get_part(self->p.r, 1, 0, 100));
	close(u.fd);
}

/* A writer at full speed: a record comes whole, piece by piece, or EPIPE tells. */
static atomic_long stop;

static uint32_t length(uint64_t n)
{
	return 1 + n * 37 % 991;
}

static void *write_main(void *arg)
{
	uint64_t n = 0;

	while (!atomic_load(&stop))
		for (int k = 0; k < 100; k++, n++)
			if (rb_put((long)arg, n, length(n)) < 0)
				return arg;
	return NULL;
}

TEST_F_TIMEOUT(small, pieces_of_a_record_belong_together, 90)
{
	long whole = 0, broken = 0, end = rb_now_ms() + 4 * RB_WAIT_MS;
	unsigned int seed = 1;
	pthread_t writer;
	uint64_t seq = 0;
	size_t at = 0;
	int want, ret;

	ASSERT_EQ(0, pthread_create(&writer, NULL, write_main, (void *)(long)self->p.w));
	while ((whole < 5000 || broken < 20) && rb_now_ms() < end) {
		want = 1 + rand_r(&seed) % 400;
		ret = RC(read(self->p.r, rb_in, want));
		if (ret == -EAGAIN) {
			ASSERT_EQ(0, at);
			continue;
		}
		if (ret == -EPIPE) {
			broken += !!at;
			ASSERT_EQ(0, rb_stats(self->p.r, &self->s));
			ASSERT_LT(seq, self->s.seq);
			seq = self->s.seq;
			at = 0;
			continue;
		}
		ASSERT_LT(0, ret);
		ASSERT_GE(length(seq) - at, ret);
		ASSERT_EQ(want < (int)(length(seq) - at) ? want :
			  (int)(length(seq) - at), ret);
		ASSERT_TRUE(is_part(rb_in, ret, seq, at));
		at += ret;
		if (at == length(seq)) {
			whole++;
			seq++;
			at = 0;
		}
	}
	atomic_store(&stop, 1);
	ASSERT_EQ(0, rb_join(writer, "writer"));
	ASSERT_EQ(0, rb_stats(self->p.r, &self->s));
	ASSERT_EQ(0, rb_info(self->p.r, &self->i));
	EXPECT_EQ(whole, self->s.read_records);
	EXPECT_EQ(self->i.head_seq, self->s.read_records +
		  self->s.lost_records + self->s.lag_records);
	EXPECT_LT(100, whole);
	EXPECT_LT(0, broken);
	TH_LOG("%ld whole, %ld overrun in the middle", whole, broken);
}

TEST_HARNESS_MAIN
